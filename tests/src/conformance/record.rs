//! Records by hand, malformed ones too: a writer that shares nothing with the crate under test.

/// Octets to send, and how to describe them to a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Octets {
    bytes: Vec<u8>,
    /// (what, how often in a row)
    described: Vec<(String, usize)>,
}

/// `FCGI_BEGIN_REQUEST` to `FCGI_UNKNOWN_TYPE` by number, from 1.
pub(super) const TYPES: [&str; 11] = [
    "BEGIN_REQUEST",
    "ABORT_REQUEST",
    "END_REQUEST",
    "PARAMS",
    "STDIN",
    "STDOUT",
    "STDERR",
    "DATA",
    "GET_VALUES",
    "GET_VALUES_RESULT",
    "UNKNOWN_TYPE",
];

/// The number of a type's name, or of a number in its place.
pub(super) fn type_number(name: &str) -> Option<u8> {
    TYPES
        .iter()
        .position(|known| *known == name)
        .and_then(|position| u8::try_from(position + 1).ok())
}

/// What a type is called.
pub(super) fn type_name(number: u8) -> String {
    usize::from(number)
        .checked_sub(1)
        .and_then(|position| TYPES.get(position))
        .map_or_else(|| format!("type {number}"), |name| (*name).to_owned())
}

/// A record's fields as they are written, whatever they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawRecord<'c> {
    pub(super) version: u8,
    pub(super) record_type: u8,
    pub(super) id: u16,
    pub(super) content: &'c [u8],
    /// What the header says instead of the content's length.
    pub(super) content_length: Option<u16>,
    /// `None` for as many as make the record a multiple of eight octets.
    pub(super) padding: Option<u8>,
    pub(super) reserved: u8,
}

impl<'c> RawRecord<'c> {
    pub(super) const fn new(record_type: u8, id: u16, content: &'c [u8]) -> Self {
        Self {
            version: 1,
            record_type,
            id,
            content,
            content_length: None,
            padding: None,
            reserved: 0,
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let len = u16::try_from(self.content.len()).unwrap_or(u16::MAX);
        let padding = self
            .padding
            .unwrap_or_else(|| u8::try_from((8 - len % 8) % 8).unwrap_or_default());
        let [id_high, id_low] = self.id.to_be_bytes();
        let [len_high, len_low] = self.content_length.unwrap_or(len).to_be_bytes();
        out.extend([
            self.version,
            self.record_type,
            id_high,
            id_low,
            len_high,
            len_low,
            padding,
            self.reserved,
        ]);
        out.extend_from_slice(self.content);
        // Padding that was asked for is told from content by its octets.
        let filler = if self.padding.is_some() { 0xee } else { 0 };
        out.resize(out.len() + usize::from(padding), filler);
    }
}

impl Octets {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The octets.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What they are, for a person.
    #[must_use]
    pub fn description(&self) -> String {
        let words: Vec<String> = self
            .described
            .iter()
            .map(|(what, times)| match times {
                1 => what.clone(),
                _ => format!("{what} ×{times}"),
            })
            .collect();
        words.join(", ")
    }

    /// Octets as they are, and what to call them.
    #[must_use]
    pub fn raw(mut self, what: &str, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        match self.described.last_mut() {
            Some((last, times)) if last == what => *times += 1,
            _ => self.described.push((what.to_owned(), 1)),
        }
        self
    }

    /// A record, padded to a multiple of eight octets.
    #[must_use]
    pub fn record(self, record_type: u8, id: u16, content: &[u8]) -> Self {
        let mut bytes = Vec::new();
        RawRecord::new(record_type, id, content).write(&mut bytes);
        let what = match content.len() {
            0 => format!("{}({id}) empty", type_name(record_type)),
            len => format!("{}({id}) {len} octets", type_name(record_type)),
        };
        self.raw(&what, &bytes)
    }

    /// A record with that much padding.
    #[must_use]
    pub fn padded(self, record_type: u8, id: u16, content: &[u8], padding: u8) -> Self {
        let mut bytes = Vec::new();
        let mut record = RawRecord::new(record_type, id, content);
        record.padding = Some(padding);
        record.write(&mut bytes);
        let what = format!(
            "{}({id}) {} octets and {padding} of padding",
            type_name(record_type),
            content.len()
        );
        self.raw(&what, &bytes)
    }

    /// `FCGI_BEGIN_REQUEST`.
    #[must_use]
    pub fn begin(self, id: u16, role: u16, flags: u8) -> Self {
        let mut bytes = Vec::new();
        let [high, low] = role.to_be_bytes();
        RawRecord::new(1, id, &[high, low, flags, 0, 0, 0, 0, 0]).write(&mut bytes);
        self.raw(
            &format!("BEGIN_REQUEST({id}) role {role} flags {flags}"),
            &bytes,
        )
    }

    /// A stream in records of at most `piece` octets, and its end.
    #[must_use]
    pub fn stream(mut self, record_type: u8, id: u16, content: &[u8], piece: usize) -> Self {
        for part in content.chunks(piece.max(1)) {
            self = self.record(record_type, id, part);
        }
        self.record(record_type, id, b"")
    }
}

/// A name-value pair; each length takes one octet where it can, and four where it must or `long` is set.
pub(super) fn write_pair(name: &[u8], value: &[u8], long: bool, out: &mut Vec<u8>) {
    for len in [name.len(), value.len()] {
        match u8::try_from(len) {
            Ok(short) if short < 128 && !long => out.push(short),
            _ => {
                let len = u32::try_from(len).unwrap_or(u32::MAX) | 0x8000_0000;
                out.extend(len.to_be_bytes());
            }
        }
    }
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

/// Name-value pairs.
pub(super) fn pairs<N: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: &[(N, V)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in pairs {
        write_pair(name.as_ref(), value.as_ref(), false, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_what_the_specification_shows() {
        let octets = Octets::new()
            .begin(1, 1, 1)
            .record(5, 0x0102, b"abc")
            .padded(5, 1, b"", 2);
        assert_eq!(
            octets.bytes(),
            b"\x01\x01\0\x01\0\x08\0\0\0\x01\x01\0\0\0\0\0\x01\x05\x01\x02\0\x03\x05\0abc\0\0\0\0\0\
              \x01\x05\0\x01\0\0\x02\0\xee\xee"
        );
        assert_eq!(
            octets.description(),
            "BEGIN_REQUEST(1) role 1 flags 1, STDIN(258) 3 octets, STDIN(1) 0 octets and 2 of padding"
        );
    }

    #[test]
    fn pairs_have_lengths_of_one_and_of_four_octets() {
        assert_eq!(pairs(&[("A", "B")]), b"\x01\x01AB");
        let long = pairs(&[("A", &"x".repeat(128))]);
        assert_eq!(long[..6], *b"\x01\x80\0\0\x80A");
        let mut out = Vec::new();
        write_pair(b"A", b"", true, &mut out);
        assert_eq!(out, b"\x80\0\0\x01\x80\0\0\0A");
    }
}
