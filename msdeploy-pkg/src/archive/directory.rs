//! Checking an archive's directory before anything is unpacked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read, Seek, SeekFrom};

use spanned_xml::Problem;
use zip::{CompressionMethod, HasZipMetadata as _, ZipArchive};

use super::names::{NameFault, check_entry_name};
use super::reader::{PackageEntry, PackageLimits};
use crate::Error;

/// Up to so many octets the ratio does not matter.
const RATIO_FREE_LEN: u64 = 64 << 20;

/// Signature, fixed fields of a local file header: APPNOTE 4.3.7.
const LOCAL_HEADER_LEN: u64 = 30;

/// Unix file types in the upper half of the external attributes.
const S_IFMT: u32 = 0o170_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFREG: u32 = 0o100_000;
const S_IFLNK: u32 = 0o120_000;

/// `FILE_ATTRIBUTE_DIRECTORY` in the lower half.
const DOS_DIRECTORY: u32 = 0x10;

/// The names that the directory, which begins at `start`, lists more than once. APPNOTE 4.3.12.
pub(crate) fn repeated_names(
    reader: impl Read + Seek,
    start: u64,
    limit: usize,
) -> Result<Vec<(String, NameFault)>, Error> {
    /// The fixed fields after the signature.
    const FIXED_LEN: usize = 42;
    let mut reader = BufReader::new(reader);
    reader.seek(SeekFrom::Start(start))?;
    let mut known = BTreeSet::new();
    let mut repeated = Vec::new();
    // What was listed more often than the limit of different names is not worth a longer message.
    for _ in 0..limit.saturating_mul(2) {
        let mut signature = [0; 4];
        reader.read_exact(&mut signature)?;
        if signature != *b"PK\x01\x02" {
            break;
        }
        let mut fixed = [0; FIXED_LEN];
        reader.read_exact(&mut fixed)?;
        let len = |at: usize| u16::from_le_bytes([fixed[at - 4], fixed[at - 3]]);
        let mut name = vec![0; usize::from(len(28))];
        reader.read_exact(&mut name)?;
        reader.seek_relative(i64::from(len(30)) + i64::from(len(32)))?;
        let name = String::from_utf8_lossy(&name).into_owned();
        if !known.insert(name.clone()) {
            repeated.push((name.clone(), NameFault::Duplicate(name)));
        }
    }
    Ok(repeated)
}

/// The archive's directory while it is being checked.
#[derive(Default)]
pub(crate) struct Directory {
    pub(crate) entries: Vec<PackageEntry>,
    /// Where each entry's local header begins, with the least offset at which it can end.
    ranges: Vec<(u64, u64, usize)>,
    faults: Vec<(String, NameFault)>,
    pub(crate) warnings: Vec<Problem>,
    /// Names as Windows compares them, with the entry's number.
    known: BTreeMap<String, usize>,
}

impl Directory {
    pub(crate) fn add<R: Read + Seek>(
        &mut self,
        archive: &ZipArchive<R>,
        index: usize,
        limits: &PackageLimits,
    ) -> Result<(), Error> {
        let file = archive.by_index_data(index)?;
        let Ok(name) = file.name() else {
            let name = String::from_utf8_lossy(file.name_raw()).into_owned();
            self.faults.push((name, NameFault::NotText));
            return Ok(());
        };
        let name = name.into_owned();
        if file.encrypted() {
            return Err(Error::entry(
                &name,
                "it is encrypted, which Web Deploy does not know",
            ));
        }
        if !matches!(
            file.compression(),
            CompressionMethod::Stored | CompressionMethod::Deflated
        ) {
            return Err(Error::entry(
                &name,
                format!(
                    "it is compressed by {:?}; Web Deploy knows stored and deflated",
                    file.compression()
                ),
            ));
        }
        if file.size() > limits.entry_len {
            return Err(Error::Limit {
                what: format!("the length of `{name}`"),
                found: file.size(),
                limit: limits.entry_len,
            });
        }
        // Archives made on Unix have the file's mode in the upper half, whatever system the entry names.
        let attributes = file.get_metadata().external_attributes;
        let file_type = (attributes >> 16) & S_IFMT;
        match file_type {
            S_IFLNK => self.faults.push((name.clone(), NameFault::SymbolicLink)),
            0 | S_IFREG | S_IFDIR => {}
            _ => self.faults.push((name.clone(), NameFault::SpecialFile)),
        }
        // Some archives made on Windows mark a folder by its attribute only.
        let marked = file_type == 0 && attributes & DOS_DIRECTORY != 0 && file.size() == 0;
        let is_directory = name.ends_with('/') || file_type == S_IFDIR || marked;
        match check_entry_name(&name) {
            Ok(()) => {}
            Err(fault) if fault.is_windows_only() => {
                self.warnings.push(
                    Problem::warning(
                        "package-name-windows",
                        format!("`{name}` cannot be unpacked on Windows: {fault}"),
                    )
                    .help("rename the file in the package"),
                );
            }
            Err(fault) => self.faults.push((name.clone(), fault)),
        }
        let path = name.strip_suffix('/').unwrap_or(&name).to_owned();
        if is_directory && file.size() > 0 {
            return Err(Error::entry(&name, "a folder with data"));
        }
        let number = self.entries.len();
        // Windows drops blanks and dots at the end of each part, and ignores case.
        let key = path
            .split('/')
            .map(|part| part.trim_end_matches(['.', ' ']).to_uppercase())
            .collect::<Vec<_>>()
            .join("/");
        if let Some(&first) = self.known.get(&key) {
            let first = self
                .entries
                .get(first)
                .map(|entry| entry.path.clone())
                .unwrap_or_default();
            self.faults
                .push((path.clone(), NameFault::Duplicate(first)));
        } else {
            self.known.insert(key, number);
        }
        let header = file.header_start();
        let least_end = header
            .saturating_add(LOCAL_HEADER_LEN + file.name_raw().len() as u64)
            .saturating_add(file.compressed_size());
        self.ranges.push((header, least_end, number));
        self.entries.push(PackageEntry {
            path,
            size: file.size(),
            compressed_size: file.compressed_size(),
            is_directory,
            index,
            data_limit: 0,
        });
        Ok(())
    }

    pub(crate) fn finish<R: Read + Seek>(
        &mut self,
        archive: &ZipArchive<R>,
        limits: &PackageLimits,
    ) -> Result<(), Error> {
        self.files_as_folders();
        if !self.faults.is_empty() {
            return Err(Error::Names {
                names: core::mem::take(&mut self.faults),
            });
        }
        let total: u64 = self
            .entries
            .iter()
            .fold(0, |total, entry| total.saturating_add(entry.size));
        if total > limits.total_len {
            return Err(Error::Limit {
                what: "the length of all entries".to_owned(),
                found: total,
                limit: limits.total_len,
            });
        }
        let compressed: u64 = self.entries.iter().fold(0, |total, entry| {
            total.saturating_add(entry.compressed_size)
        });
        if total > RATIO_FREE_LEN && total / compressed.max(1) > limits.ratio {
            return Err(Error::Limit {
                what: "the number of octets unpacked for each octet of the archive".to_owned(),
                found: total / compressed.max(1),
                limit: limits.ratio,
            });
        }
        self.overlaps(archive.central_directory_start())
    }

    /// An entry below another one that is a file.
    fn files_as_folders(&mut self) {
        for (key, &number) in &self.known {
            let Some(file) = self.entries.get(number).filter(|entry| !entry.is_directory) else {
                continue;
            };
            let below = format!("{key}/");
            if let Some((other, &inside)) = self.known.range(below.clone()..).next()
                && other.starts_with(&below)
                && let Some(inside) = self.entries.get(inside)
            {
                self.faults.push((
                    inside.path.clone(),
                    NameFault::InsideFile(file.path.clone()),
                ));
            }
        }
    }

    /// Entries that share octets are how a small archive unpacks to anything.
    fn overlaps(&mut self, directory_start: u64) -> Result<(), Error> {
        self.ranges.sort_unstable();
        let starts: Vec<u64> = self
            .ranges
            .iter()
            .skip(1)
            .map(|&(start, ..)| start)
            .chain([directory_start])
            .collect();
        for (&(_, least_end, number), &next) in self.ranges.iter().zip(&starts) {
            let Some(entry) = self.entries.get_mut(number) else {
                continue;
            };
            if least_end > next {
                return Err(Error::entry(
                    &entry.path,
                    "its data reaches into another entry",
                ));
            }
            entry.data_limit = next;
        }
        Ok(())
    }
}
