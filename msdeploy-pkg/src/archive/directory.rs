//! An archive's central directory: where it lies, and whether all of it can be trusted before anything is unpacked.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use spanned_xml::Problem;

use super::fault::{ArchiveFault, EntryFault};
use super::names::{NameFault, check_entry_name, decode_name, windows_key};
use super::reader::{PackageEntry, PackageLimits};
use super::records::{
    CENTRAL_LEN, CentralHeader, END_LEN, EndRecord, LOCAL_LEN, ZIP64_LOCATOR_LEN,
    ZIP64_LOCATOR_SIGNATURE,
};
use crate::Error;

/// Up to so many octets the ratio does not matter.
const RATIO_FREE_LEN: u64 = 64 << 20;

/// Unix file types in the upper half of the external attributes.
const S_IFMT: u32 = 0o170_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFREG: u32 = 0o100_000;
const S_IFLNK: u32 = 0o120_000;

/// `FILE_ATTRIBUTE_DIRECTORY` in the lower half.
const DOS_DIRECTORY: u32 = 0x10;

/// Where the central directory lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) start: u64,
    pub(crate) len: u64,
    pub(crate) entries: usize,
}

impl Place {
    /// Reads the end record: two reads for an archive without a comment, whatever is in it.
    pub(crate) fn find(reader: &mut (impl Read + Seek)) -> Result<Self, Error> {
        let archive_len = reader.seek(SeekFrom::End(0))?;
        let without_comment = tail(reader, archive_len, ZIP64_LOCATOR_LEN + END_LEN)?;
        let record_at = without_comment.len().checked_sub(END_LEN);
        let record = record_at
            .and_then(|at| EndRecord::parse(&without_comment[at..]))
            .filter(|record| record.comment_len == 0);
        if let (Some(at), Some(record)) = (record_at, record) {
            return Self::of(
                &record,
                &without_comment[..at],
                archive_len - END_LEN as u64,
            );
        }
        let longest = ZIP64_LOCATOR_LEN + END_LEN + usize::from(u16::MAX);
        let octets = tail(reader, archive_len, longest)?;
        // From the end: the record whose comment ends where the file ends.
        for at in (0..=octets.len().saturating_sub(END_LEN)).rev() {
            let rest = &octets[at..];
            if let Some(record) = EndRecord::parse(rest)
                && usize::from(record.comment_len) == rest.len() - END_LEN
            {
                let end = archive_len - rest.len() as u64;
                return Self::of(&record, &octets[..at], end);
            }
        }
        Err(ArchiveFault::NoEndRecord.into())
    }

    /// `before` is what precedes the record, which lies at `end`.
    fn of(record: &EndRecord, before: &[u8], end: u64) -> Result<Self, Error> {
        let locator = before
            .len()
            .checked_sub(ZIP64_LOCATOR_LEN)
            .is_some_and(|at| before[at..].starts_with(&ZIP64_LOCATOR_SIGNATURE));
        if locator || record.directory_offset == u32::MAX || record.directory_len == u32::MAX {
            return Err(ArchiveFault::Zip64.into());
        }
        if record.disk != 0 || record.directory_disk != 0 || record.disk_entries != record.entries {
            return Err(ArchiveFault::SeveralDisks.into());
        }
        let place = Self {
            start: record.directory_offset.into(),
            len: record.directory_len.into(),
            entries: record.entries.into(),
        };
        // Octets before the archive or between directory and record let two programs read two archives.
        if place.start + place.len != end {
            return Err(ArchiveFault::DirectoryPlace.into());
        }
        Ok(place)
    }

    /// Reads all of the directory.
    pub(crate) fn read(
        &self,
        reader: &mut (impl Read + Seek),
        limits: &PackageLimits,
    ) -> Result<Vec<u8>, Error> {
        if self.entries > limits.entries {
            return Err(Error::Limit {
                what: "the number of entries".to_owned(),
                found: self.entries as u64,
                limit: limits.entries as u64,
            });
        }
        if self.len > limits.directory_len {
            return Err(Error::Limit {
                what: "the length of the archive's directory".to_owned(),
                found: self.len,
                limit: limits.directory_len,
            });
        }
        reader.seek(SeekFrom::Start(self.start))?;
        let mut octets = Vec::new();
        reader.take(self.len).read_to_end(&mut octets)?;
        Ok(octets)
    }

    /// Whether the end record's numbers fit the directory's octets.
    fn checked<'d>(&self, octets: &'d [u8]) -> Result<Vec<CentralHeader<'d>>, Error> {
        let mut headers = Vec::new();
        let mut rest = octets;
        while !rest.is_empty() {
            let (header, behind) =
                CentralHeader::parse(rest).ok_or(ArchiveFault::DirectoryRecord {
                    number: headers.len() + 1,
                })?;
            headers.push(header);
            rest = behind;
        }
        if headers.len() != self.entries {
            return Err(ArchiveFault::DirectoryCount {
                stated: self.entries,
                found: headers.len(),
            }
            .into());
        }
        Ok(headers)
    }
}

/// The last octets of an archive, at most `len`.
fn tail(reader: &mut (impl Read + Seek), archive_len: u64, len: usize) -> Result<Vec<u8>, Error> {
    reader.seek(SeekFrom::Start(archive_len.saturating_sub(len as u64)))?;
    let mut octets = Vec::with_capacity(len);
    reader.take(len as u64).read_to_end(&mut octets)?;
    Ok(octets)
}

/// The headers that `octets`, a part of a directory, begin with. The last one may be cut off.
pub(crate) fn headers(octets: &[u8]) -> impl Iterator<Item = CentralHeader<'_>> {
    let mut rest = octets;
    core::iter::from_fn(move || {
        let (header, behind) = CentralHeader::parse(rest)?;
        rest = behind;
        Some(header)
    })
}

/// The headers at the end of a directory whose last octets these are: from the first place from which one header
/// follows the other up to the end.
pub(crate) fn last_headers(octets: &[u8]) -> Vec<CentralHeader<'_>> {
    for start in 0..octets.len().saturating_sub(CENTRAL_LEN) {
        let mut rest = &octets[start..];
        let mut found = Vec::new();
        while let Some((header, behind)) = CentralHeader::parse(rest) {
            found.push(header);
            rest = behind;
        }
        if rest.is_empty() && !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// What is known of a directory after it has been checked.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) entries: Vec<PackageEntry>,
    pub(crate) warnings: Vec<Problem>,
    /// Names as Windows compares them, with the entry's number.
    pub(crate) known: BTreeMap<String, usize>,
}

impl Directory {
    /// Checks all headers of a directory.
    pub(crate) fn check(
        place: &Place,
        octets: &[u8],
        limits: &PackageLimits,
    ) -> Result<Self, Error> {
        let mut check = Check {
            directory: Self {
                entries: Vec::new(),
                warnings: Vec::new(),
                known: BTreeMap::new(),
            },
            faults: Vec::new(),
        };
        for header in place.checked(octets)? {
            check.add(&header, limits)?;
        }
        check.files_as_folders();
        if !check.faults.is_empty() {
            return Err(Error::Names {
                names: check.faults,
            });
        }
        let mut directory = check.directory;
        directory.lengths(limits)?;
        directory.overlaps(place.start)?;
        Ok(directory)
    }

    fn lengths(&self, limits: &PackageLimits) -> Result<(), Error> {
        let sum = |len: fn(&PackageEntry) -> u64| {
            self.entries
                .iter()
                .fold(0, |total: u64, entry| total.saturating_add(len(entry)))
        };
        let total = sum(|entry| entry.size);
        if total > limits.total_len {
            return Err(Error::Limit {
                what: "the length of all entries".to_owned(),
                found: total,
                limit: limits.total_len,
            });
        }
        let ratio = total / sum(|entry| entry.compressed_size).max(1);
        if total > RATIO_FREE_LEN && ratio > limits.ratio {
            return Err(Error::Limit {
                what: "the number of octets unpacked for each octet of the archive".to_owned(),
                found: ratio,
                limit: limits.ratio,
            });
        }
        Ok(())
    }

    /// Entries that share octets are how a small archive unpacks to anything. Their local headers are not read for
    /// this, so that a directory costs one read; [`super::EntryReader`] holds the rest of an entry to its limit.
    fn overlaps(&mut self, directory_start: u64) -> Result<(), Error> {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|&number| self.entries[number].offset);
        let starts: Vec<u64> = order
            .iter()
            .skip(1)
            .map(|&number| self.entries[number].offset)
            .chain([directory_start])
            .collect();
        for (number, next) in order.into_iter().zip(starts) {
            let entry = &mut self.entries[number];
            let least_end =
                entry.offset + (LOCAL_LEN + entry.raw_name.len()) as u64 + entry.compressed_size;
            if least_end > next {
                return Err(Error::entry(&entry.path, EntryFault::Overlap));
            }
            entry.data_limit = next;
        }
        Ok(())
    }
}

/// A directory while it is being checked.
struct Check {
    directory: Directory,
    faults: Vec<(String, NameFault)>,
}

impl Check {
    fn add(&mut self, header: &CentralHeader<'_>, limits: &PackageLimits) -> Result<(), Error> {
        let name = match decode_name(header) {
            Ok(name) => name,
            Err(fault) => {
                let name = String::from_utf8_lossy(header.name).into_owned();
                self.faults.push((name, fault));
                return Ok(());
            }
        };
        let mut entry = PackageEntry::of(header, name.clone())?;
        let size = entry.size;
        if size > limits.entry_len {
            return Err(Error::Limit {
                what: format!("the length of `{name}`"),
                found: size,
                limit: limits.entry_len,
            });
        }
        // Archives made on Unix have the file's mode in the upper half, whatever system the entry names.
        let attributes = header.external_attributes;
        let file_type = (attributes >> 16) & S_IFMT;
        match file_type {
            S_IFLNK => self.faults.push((name.clone(), NameFault::SymbolicLink)),
            0 | S_IFREG | S_IFDIR => {}
            _ => self.faults.push((name.clone(), NameFault::SpecialFile)),
        }
        // Some archives made on Windows mark a folder by its attribute only.
        let marked = file_type == 0 && attributes & DOS_DIRECTORY != 0 && size == 0;
        let is_directory = name.ends_with('/') || file_type == S_IFDIR || marked;
        if is_directory && size > 0 {
            return Err(Error::entry(&name, EntryFault::FolderWithData));
        }
        match check_entry_name(&name) {
            Ok(()) => {}
            Err(fault) if fault.is_windows_only() => {
                self.directory.warnings.push(fault.problem(&name));
            }
            Err(fault) => self.faults.push((name.clone(), fault)),
        }
        let path = name.strip_suffix('/').unwrap_or(&name).to_owned();
        let number = self.directory.entries.len();
        let key = windows_key(&path);
        if let Some(&first) = self.directory.known.get(&key) {
            let first = self.directory.entries[first].path.clone();
            self.faults
                .push((path.clone(), NameFault::Duplicate(first)));
        } else {
            self.directory.known.insert(key, number);
        }
        entry.path = path;
        entry.is_directory = is_directory;
        self.directory.entries.push(entry);
        Ok(())
    }

    /// An entry below another one that is a file.
    fn files_as_folders(&mut self) {
        let Directory { entries, known, .. } = &self.directory;
        for (key, &number) in known {
            if entries[number].is_directory {
                continue;
            }
            let below = format!("{key}/");
            if let Some((other, &inside)) = known.range(below.clone()..).next()
                && other.starts_with(&below)
            {
                self.faults.push((
                    entries[inside].path.clone(),
                    NameFault::InsideFile(entries[number].path.clone()),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::records::Fields;

    fn directory(names: &[&str]) -> Vec<u8> {
        let mut octets = Vec::new();
        for name in names {
            CentralHeader::write(&Fields::default(), name, 0, 0, &mut octets);
        }
        octets
    }

    #[test]
    fn the_last_headers_of_a_part() {
        let octets = directory(&["first", "second", "third"]);
        for (cut, expected) in [
            (0, &["first", "second", "third"][..]),
            (1, &["second", "third"]),
            (CENTRAL_LEN + 5, &["second", "third"]),
            (CENTRAL_LEN + 6, &["third"]),
            (octets.len() - 1, &[]),
        ] {
            let names: Vec<&[u8]> = last_headers(&octets[cut..])
                .iter()
                .map(|header| header.name)
                .collect();
            let expected: Vec<&[u8]> = expected.iter().map(|name| name.as_bytes()).collect();
            assert_eq!(names, expected, "{cut}");
        }
    }

    #[test]
    fn the_first_headers_of_a_part() {
        let octets = directory(&["first", "second"]);
        let count = |len: usize| headers(&octets[..len]).count();
        assert_eq!(count(octets.len()), 2);
        assert_eq!(count(octets.len() - 1), 1);
        assert_eq!(count(10), 0);
    }
}
