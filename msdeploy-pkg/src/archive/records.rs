//! The records of a zip archive, octet by octet.
//!
//! APPNOTE §4.3.7 *Local file header*, §4.3.12 *Central directory structure*, §4.3.16 *End of central directory
//! record*. All numbers are little-endian. Left out: the zip64 records, which Web Deploy neither reads nor writes.

/// `PK\x03\x04`.
pub(crate) const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
/// `PK\x01\x02`.
pub(crate) const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
/// `PK\x05\x06`.
pub(crate) const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
/// `PK\x06\x07`: a zip64 archive has this record right before the end record.
pub(crate) const ZIP64_LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";

/// The fixed fields of a local file header, with the signature.
pub(crate) const LOCAL_LEN: usize = 30;
/// The fixed fields of a central directory header, with the signature.
pub(crate) const CENTRAL_LEN: usize = 46;
/// The fixed fields of the end record, with the signature.
pub(crate) const END_LEN: usize = 22;
/// A zip64 locator.
pub(crate) const ZIP64_LOCATOR_LEN: usize = 20;

/// General purpose bit 0: the data is encrypted.
pub(crate) const FLAG_ENCRYPTED: u16 = 1;
/// General purpose bit 3: the local header does not know check sum and lengths; a record behind the data does.
pub(crate) const FLAG_DATA_DESCRIPTOR: u16 = 1 << 3;
/// General purpose bit 11: name and comment are UTF-8.
pub(crate) const FLAG_UTF8: u16 = 1 << 11;

/// Method 0: the data as it is.
pub(crate) const STORED: u16 = 0;
/// Method 8: RFC 1951.
pub(crate) const DEFLATED: u16 = 8;

/// Extra field of a zip64 archive, with the lengths that 32 bits do not hold.
pub(crate) const EXTRA_ZIP64: u16 = 0x0001;
/// Info-ZIP's extra field with the name in UTF-8: version 1, CRC-32 of the header's name, name.
pub(crate) const EXTRA_UNICODE_PATH: u16 = 0x7075;

/// What the local and the central header of an entry both say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) version_needed: u16,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) time: u16,
    pub(crate) date: u16,
    pub(crate) crc32: u32,
    pub(crate) compressed_len: u32,
    pub(crate) len: u32,
}

impl Fields {
    /// The length of the encoded fields.
    const LEN: usize = 22;

    fn parse(at: &[u8]) -> Option<Self> {
        Some(Self {
            version_needed: short(at, 0)?,
            flags: short(at, 2)?,
            method: short(at, 4)?,
            time: short(at, 6)?,
            date: short(at, 8)?,
            crc32: long(at, 10)?,
            compressed_len: long(at, 14)?,
            len: long(at, 18)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        for number in [
            self.version_needed,
            self.flags,
            self.method,
            self.time,
            self.date,
        ] {
            out.extend(number.to_le_bytes());
        }
        for number in [self.crc32, self.compressed_len, self.len] {
            out.extend(number.to_le_bytes());
        }
    }
}

/// A local file header; the data follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalHeader {
    pub(crate) fields: Fields,
    pub(crate) name_len: u16,
    pub(crate) extra_len: u16,
}

impl LocalHeader {
    pub(crate) fn parse(octets: &[u8; LOCAL_LEN]) -> Option<Self> {
        let rest = octets.strip_prefix(&LOCAL_SIGNATURE)?;
        Some(Self {
            fields: Fields::parse(rest)?,
            name_len: short(rest, Fields::LEN)?,
            extra_len: short(rest, Fields::LEN + 2)?,
        })
    }

    /// The header with the name behind it. A name has at most 65,535 octets.
    pub(crate) fn write(fields: &Fields, name: &str, out: &mut Vec<u8>) {
        out.extend(LOCAL_SIGNATURE);
        fields.write(out);
        out.extend(name_len(name).to_le_bytes());
        out.extend([0; 2]);
        out.extend(name.as_bytes());
    }
}

/// A header of the central directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CentralHeader<'a> {
    /// The system in the upper octet: 0 is FAT, 3 is Unix.
    pub(crate) version_made_by: u16,
    pub(crate) fields: Fields,
    pub(crate) disk: u16,
    pub(crate) external_attributes: u32,
    /// Where the local header begins.
    pub(crate) offset: u32,
    pub(crate) name: &'a [u8],
    pub(crate) extra: &'a [u8],
}

impl<'a> CentralHeader<'a> {
    /// The header that `octets` begin with, and what is behind it; `None` where they begin with none or end inside it.
    pub(crate) fn parse(octets: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let rest = octets.strip_prefix(&CENTRAL_SIGNATURE)?;
        let variable = octets.get(CENTRAL_LEN..)?;
        let len = |at: usize| short(octets, at).map(usize::from);
        let (name, variable) = variable.split_at_checked(len(28)?)?;
        let (extra, variable) = variable.split_at_checked(len(30)?)?;
        let (_comment, behind) = variable.split_at_checked(len(32)?)?;
        let header = Self {
            version_made_by: short(rest, 0)?,
            fields: Fields::parse(rest.get(2..)?)?,
            disk: short(octets, 34)?,
            external_attributes: long(octets, 38)?,
            offset: long(octets, 42)?,
            name,
            extra,
        };
        Some((header, behind))
    }

    /// Writes the header without extra field and comment.
    pub(crate) fn write(
        fields: &Fields,
        name: &str,
        external_attributes: u32,
        offset: u32,
        out: &mut Vec<u8>,
    ) {
        out.extend(CENTRAL_SIGNATURE);
        out.extend(fields.version_needed.to_le_bytes());
        fields.write(out);
        out.extend(name_len(name).to_le_bytes());
        // Lengths of extra field and comment, disk, internal attributes.
        out.extend([0; 8]);
        out.extend(external_attributes.to_le_bytes());
        out.extend(offset.to_le_bytes());
        out.extend(name.as_bytes());
    }

    /// The data of the extra field with this number.
    pub(crate) fn extra_field(&self, number: u16) -> Option<&'a [u8]> {
        let mut rest = self.extra;
        loop {
            let (found, len) = (short(rest, 0)?, short(rest, 2)?);
            let (data, behind) = rest.get(4..)?.split_at_checked(usize::from(len))?;
            if found == number {
                return Some(data);
            }
            rest = behind;
        }
    }
}

/// The record at the end of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndRecord {
    pub(crate) disk: u16,
    pub(crate) directory_disk: u16,
    pub(crate) disk_entries: u16,
    pub(crate) entries: u16,
    pub(crate) directory_len: u32,
    pub(crate) directory_offset: u32,
    pub(crate) comment_len: u16,
}

impl EndRecord {
    /// The record that `octets` begin with.
    pub(crate) fn parse(octets: &[u8]) -> Option<Self> {
        let rest = octets.strip_prefix(&END_SIGNATURE)?;
        Some(Self {
            disk: short(rest, 0)?,
            directory_disk: short(rest, 2)?,
            disk_entries: short(rest, 4)?,
            entries: short(rest, 6)?,
            directory_len: long(rest, 8)?,
            directory_offset: long(rest, 12)?,
            comment_len: short(rest, 16)?,
        })
    }

    /// Writes the record of an archive on one disk, without a comment.
    pub(crate) fn write(
        entries: u16,
        directory_len: u32,
        directory_offset: u32,
        out: &mut Vec<u8>,
    ) {
        out.extend(END_SIGNATURE);
        out.extend([0; 4]);
        out.extend(entries.to_le_bytes());
        out.extend(entries.to_le_bytes());
        out.extend(directory_len.to_le_bytes());
        out.extend(directory_offset.to_le_bytes());
        out.extend([0; 2]);
    }
}

fn name_len(name: &str) -> u16 {
    // `check_entry_name` has refused longer ones.
    u16::try_from(name.len()).unwrap_or(u16::MAX)
}

fn short(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*octets.get(at..)?.first_chunk()?))
}

fn long(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*octets.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: Fields = Fields {
        version_needed: 20,
        flags: FLAG_UTF8,
        method: DEFLATED,
        time: 0x1234,
        date: 0x5678,
        crc32: 0x9abc_def0,
        compressed_len: 77,
        len: 88,
    };

    #[test]
    fn records_read_back() {
        let mut octets = Vec::new();
        LocalHeader::write(&FIELDS, "a/é", &mut octets);
        let local = LocalHeader::parse(octets.first_chunk().unwrap()).unwrap();
        assert_eq!(
            (local.fields, local.name_len, local.extra_len),
            (FIELDS, 4, 0)
        );
        assert_eq!(&octets[LOCAL_LEN..], "a/é".as_bytes());

        let mut octets = Vec::new();
        CentralHeader::write(&FIELDS, "a/é", 0x20, 99, &mut octets);
        octets.push(7);
        let (central, behind) = CentralHeader::parse(&octets).unwrap();
        assert_eq!((central.fields, central.offset), (FIELDS, 99));
        assert_eq!(central.name, "a/é".as_bytes());
        assert_eq!((central.version_made_by, central.disk), (20, 0));
        assert_eq!((central.external_attributes, behind), (0x20, &[7][..]));

        let mut octets = Vec::new();
        EndRecord::write(3, 1000, 2000, &mut octets);
        assert_eq!(octets.len(), END_LEN);
        let end = EndRecord::parse(&octets).unwrap();
        assert_eq!((end.entries, end.disk_entries), (3, 3));
        assert_eq!((end.directory_len, end.directory_offset), (1000, 2000));
    }

    #[test]
    fn what_ends_early_is_no_record() {
        let mut octets = Vec::new();
        CentralHeader::write(&FIELDS, "name", 0, 0, &mut octets);
        for len in 0..octets.len() {
            assert_eq!(CentralHeader::parse(&octets[..len]), None, "{len}");
        }
        let mut octets = Vec::new();
        EndRecord::write(1, 2, 3, &mut octets);
        for len in 0..octets.len() {
            assert_eq!(EndRecord::parse(&octets[..len]), None, "{len}");
        }
    }

    #[test]
    fn extra_fields_are_found_by_number() {
        let header = |extra| CentralHeader {
            version_made_by: 0,
            fields: FIELDS,
            disk: 0,
            external_attributes: 0,
            offset: 0,
            name: b"",
            extra,
        };
        let extra = b"\x55\x54\x01\x00x\x01\x00\x02\x00ab";
        assert_eq!(header(extra).extra_field(EXTRA_ZIP64), Some(&b"ab"[..]));
        assert_eq!(header(extra).extra_field(EXTRA_UNICODE_PATH), None);
        assert_eq!(header(b"\x01\x00\xff\x00a").extra_field(EXTRA_ZIP64), None);
    }
}
