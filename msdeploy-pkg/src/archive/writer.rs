//! Writing a package: the same input gives the same octets, on every system and on any number of cores.
//!
//! The fields are those that Web Deploy's own packages have: made by version 2.0 on FAT, no extra fields, no zip64,
//! lengths in front of the data, deflated files and stored folders and empty files, Windows attributes. Names that are
//! not ASCII are written as UTF-8 with the flag that says so (general purpose bit 11).
//!
//! Memory does not grow with the files: each core has a megabyte or so of data to compress and as much of what became
//! of it, whatever the size of a file. Only the archive's directory grows, with the number of entries.

use core::fmt;
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::thread;

use flate2::Crc;

use super::compressor::{PART_LEN, Part};
use super::names::{NameFault, check_entry_name};
use super::records::{CentralHeader, EndRecord, FLAG_UTF8, Fields, LocalHeader, STORED};
use super::timestamp::Timestamp;
use super::workers::{Batch, BatchPart, Workers};
use crate::Error;

/// Octets of a file that Web Deploy can still read: *Web Deploy package Provider*
/// <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569019(v=ws.10)>.
const MAX_ENTRY_LEN: u64 = 2_147_483_647;
/// Entries that an archive without zip64 can list.
const MAX_ENTRIES: usize = 65_535;
/// The greatest number that a length in an archive without zip64 can be.
const MAX_LEN: u64 = u32::MAX as u64 - 1;

/// Version 2.0 of the format: folders and deflate.
const VERSION: u16 = 20;

/// `FILE_ATTRIBUTE_ARCHIVE` and `FILE_ATTRIBUTE_DIRECTORY`.
const ATTRIBUTE_ARCHIVE: u32 = 0x20;
const ATTRIBUTE_DIRECTORY: u32 = 0x10;

/// How a package is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriterOptions {
    /// The time of every entry that has none of its own; 1980-01-01 by default.
    pub modified: Timestamp,
    /// Threads that compress, 1 to 12; as many as there are cores by default. The package is the same whatever their
    /// number.
    pub threads: usize,
    /// Octets that a file can have; 2,147,483,647 by default, which is what Web Deploy can read. The format itself ends
    /// at 4,294,967,294.
    pub entry_len: u64,
    /// Octets that the package can have; 4,294,967,294 by default, where the format without zip64 ends.
    pub archive_len: u64,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            modified: Timestamp::default(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            entry_len: MAX_ENTRY_LEN,
            archive_len: MAX_LEN,
        }
    }
}

/// What an entry has of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryOptions {
    /// Its time; that of all entries by default.
    pub modified: Option<Timestamp>,
    /// Its Windows file attributes; `0x20` (archive) for a file and `0x10` (directory) for a folder by default. A
    /// folder gets `0x10` in any case.
    pub attributes: Option<u32>,
}

/// How far a package has been written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Entries that are complete.
    pub entries: usize,
    /// Octets of files that have been compressed and written.
    pub octets: u64,
}

/// A package being written, entry by entry, in the order given.
///
/// ```
/// use std::io::Cursor;
/// use msdeploy_pkg::{PackageWriter, Timestamp};
///
/// let mut package = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
/// package.add("Manifest.xml", &mut &b"<MSDeploy.iisApp><iisApp path=\"App\" /></MSDeploy.iisApp>"[..])?;
/// package.add("App/web.config", &mut &b"<configuration />"[..])?;
/// let octets = package.finish()?.into_inner();
/// assert!(octets.starts_with(b"PK"));
/// # Ok::<(), msdeploy_pkg::Error>(())
/// ```
pub struct PackageWriter<W: Write + Seek> {
    archive: ArchiveWriter<W>,
    options: WriterOptions,
    /// Names as Windows compares them, with the name as written and whether it is a folder.
    names: BTreeMap<String, (String, bool)>,
    workers: Workers,
    /// What is being collected for the threads.
    batch: Batch,
}

impl<W: Write + Seek> fmt::Debug for PackageWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageWriter")
            .field("options", &self.options)
            .field("progress", &self.archive.progress)
            .finish_non_exhaustive()
    }
}

impl<W: Write + Seek> PackageWriter<W> {
    /// A package without entries yet; every entry gets the time `modified`.
    pub fn new(writer: W, modified: Timestamp) -> Self {
        let options = WriterOptions {
            modified,
            ..WriterOptions::default()
        };
        Self::with_options(writer, options)
    }

    /// A package without entries yet.
    pub fn with_options(writer: W, options: WriterOptions) -> Self {
        let mut workers = Workers::new(options.threads);
        Self {
            batch: workers.batch(),
            workers,
            archive: ArchiveWriter {
                writer,
                start: None,
                len: 0,
                limit: options.archive_len.min(MAX_LEN),
                entries: Vec::new(),
                progress: Progress::default(),
                on_progress: None,
                header: Vec::new(),
            },
            options,
            names: BTreeMap::new(),
        }
    }

    /// Calls `tell` again and again while files are being written, from the thread that adds them.
    #[must_use]
    pub fn on_progress(mut self, tell: impl FnMut(Progress) + Send + 'static) -> Self {
        self.archive.on_progress = Some(Box::new(tell));
        self
    }

    /// Adds a file with all that `reader` gives, and returns its length in octets.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] for a name that Windows cannot hold or that is taken, whatever its case; [`Error::Limit`] for a
    /// file or archive that Web Deploy could not read; [`Error::Io`] where reading or writing fails. After a limit or
    /// an I/O error the archive is incomplete and must not be used.
    pub fn add(&mut self, name: &str, reader: &mut impl Read) -> Result<u64, Error> {
        self.add_with(name, reader, &EntryOptions::default())
    }

    /// Adds a file with a time and attributes of its own.
    ///
    /// # Errors
    ///
    /// As [`PackageWriter::add`].
    pub fn add_with(
        &mut self,
        name: &str,
        reader: &mut impl Read,
        options: &EntryOptions,
    ) -> Result<u64, Error> {
        if name.ends_with('/') {
            return Err(Error::Name {
                name: name.to_owned(),
                fault: NameFault::Empty,
            });
        }
        let attributes = options.attributes.unwrap_or(ATTRIBUTE_ARCHIVE);
        let entry = self.claim(name, false, attributes, options)?;
        let mut total = 0;
        loop {
            let start = self.batch.data.len();
            reader
                .by_ref()
                .take(PART_LEN as u64)
                .read_to_end(&mut self.batch.data)?;
            let len = self.batch.data.len() - start;
            let is_last = len < PART_LEN;
            let part = match (is_last, total) {
                (true, 0) => Part::Whole,
                (true, _) => Part::Last,
                (false, _) => Part::More,
            };
            total += len as u64;
            let limit = self.options.entry_len.min(MAX_LEN);
            if total > limit {
                return Err(Error::Limit {
                    what: format!("the length of `{name}`"),
                    found: total,
                    limit,
                });
            }
            self.push(entry, part, len)?;
            if is_last {
                return Ok(total);
            }
        }
    }

    /// Adds a folder.
    ///
    /// # Errors
    ///
    /// As [`PackageWriter::add`].
    pub fn add_directory(&mut self, name: &str) -> Result<(), Error> {
        self.add_directory_with(name, &EntryOptions::default())
    }

    /// Adds a folder with a time and attributes of its own.
    ///
    /// # Errors
    ///
    /// As [`PackageWriter::add`].
    pub fn add_directory_with(&mut self, name: &str, options: &EntryOptions) -> Result<(), Error> {
        let name = name.strip_suffix('/').unwrap_or(name);
        let attributes = options.attributes.unwrap_or_default() | ATTRIBUTE_DIRECTORY;
        let entry = self.claim(name, true, attributes, options)?;
        self.push(entry, Part::Whole, 0)
    }

    /// Writes the archive's directory and gives the writer back.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] for an archive that Web Deploy could not read; [`Error::Io`] where writing fails.
    pub fn finish(mut self) -> Result<W, Error> {
        self.workers.submit_here(self.batch);
        while let Some(batch) = self.workers.next()? {
            self.archive.write(&batch)?;
            self.workers.recycle(batch);
        }
        self.archive.finish()
    }

    /// Appends a part, whose data is at the end of the batch.
    fn push(&mut self, entry: usize, part: Part, len: usize) -> Result<(), Error> {
        self.batch.parts.push(BatchPart {
            entry,
            part,
            len,
            packed: None,
        });
        if self.batch.is_full() {
            let next = self.workers.batch();
            self.workers
                .submit(core::mem::replace(&mut self.batch, next));
            while self.workers.is_full()
                && let Some(batch) = self.workers.next()?
            {
                self.archive.write(&batch)?;
                self.workers.recycle(batch);
            }
        }
        Ok(())
    }

    /// Takes a name, and returns the number of its entry.
    fn claim(
        &mut self,
        name: &str,
        is_directory: bool,
        attributes: u32,
        options: &EntryOptions,
    ) -> Result<usize, Error> {
        let refuse = |fault: NameFault| Error::Name {
            name: name.to_owned(),
            fault,
        };
        check_entry_name(name).map_err(refuse)?;
        if self.names.len() >= MAX_ENTRIES {
            return Err(Error::Limit {
                what: "the number of entries".to_owned(),
                found: self.names.len() as u64 + 1,
                limit: MAX_ENTRIES as u64,
            });
        }
        let key = name.to_uppercase();
        if let Some((first, _)) = self.names.get(&key) {
            return Err(refuse(NameFault::Duplicate(first.clone())));
        }
        for (slash, _) in key.match_indices('/') {
            if let Some((above, false)) = self.names.get(&key[..slash]) {
                return Err(refuse(NameFault::InsideFile(above.clone())));
            }
        }
        let below = format!("{key}/");
        if !is_directory
            && let Some((other, _)) = self.names.range(below.clone()..).next()
            && other.starts_with(&below)
        {
            return Err(refuse(NameFault::InsideFile(name.to_owned())));
        }
        self.names.insert(key, (name.to_owned(), is_directory));
        let (date, time) = options.modified.unwrap_or(self.options.modified).to_dos();
        self.archive.entries.push(Entry {
            name: if is_directory {
                format!("{name}/")
            } else {
                name.to_owned()
            },
            fields: Fields {
                version_needed: VERSION,
                flags: if name.is_ascii() { 0 } else { FLAG_UTF8 },
                method: STORED,
                time,
                date,
                ..Fields::default()
            },
            attributes,
            offset: 0,
            crc: Crc::new(),
        });
        Ok(self.archive.entries.len() - 1)
    }
}

/// An entry as the directory will have it.
#[derive(Debug)]
struct Entry {
    name: String,
    fields: Fields,
    attributes: u32,
    offset: u32,
    /// Of the parts written so far.
    crc: Crc,
}

/// Writes what comes from the threads, in order.
struct ArchiveWriter<W> {
    writer: W,
    /// Where in the writer the archive begins.
    start: Option<u64>,
    /// Octets written.
    len: u64,
    limit: u64,
    entries: Vec<Entry>,
    progress: Progress,
    on_progress: Option<Box<dyn FnMut(Progress) + Send>>,
    /// Memory for headers.
    header: Vec<u8>,
}

impl<W: Write + Seek> ArchiveWriter<W> {
    fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        let mut rest = &batch.packed[..];
        for part in &batch.parts {
            let Some(packed) = &part.packed else { continue };
            let (octets, behind) = rest.split_at(packed.len);
            rest = behind;
            let entry = &mut self.entries[part.entry];
            let is_first = part.part == Part::Whole || entry.fields.len == 0;
            entry.crc.combine(&packed.crc);
            let fields = &mut entry.fields;
            // The sums of parts were held to the limits where they were read; packing makes nothing that much longer.
            fields.len = fields.len.saturating_add(short_len(part.len));
            fields.compressed_len = fields.compressed_len.saturating_add(short_len(packed.len));
            fields.crc32 = entry.crc.sum();
            fields.method = packed.method;
            let fields = *fields;
            if is_first {
                entry.offset = u32::try_from(self.len).unwrap_or(u32::MAX);
                self.header.clear();
                LocalHeader::write(&fields, &entry.name, &mut self.header);
                self.append_header()?;
            }
            self.append(octets)?;
            if part.part == Part::Last {
                self.write_header_again(part.entry)?;
            }
            self.progress.octets += part.len as u64;
            self.progress.entries += usize::from(part.part != Part::More);
        }
        if let Some(tell) = &mut self.on_progress {
            tell(self.progress);
        }
        Ok(())
    }

    /// Check sum and lengths of a file of several parts are known when the last one has been written; Web Deploy's
    /// packages have them in front of the data.
    fn write_header_again(&mut self, number: usize) -> Result<(), Error> {
        let entry = &self.entries[number];
        self.header.clear();
        LocalHeader::write(&entry.fields, &entry.name, &mut self.header);
        let start = self.start.unwrap_or_default();
        self.writer
            .seek(SeekFrom::Start(start + u64::from(entry.offset)))?;
        self.writer.write_all(&self.header)?;
        self.writer.seek(SeekFrom::Start(start + self.len))?;
        Ok(())
    }

    fn finish(mut self) -> Result<W, Error> {
        let offset = self.len;
        for number in 0..self.entries.len() {
            let entry = &self.entries[number];
            self.header.clear();
            CentralHeader::write(
                &entry.fields,
                &entry.name,
                entry.attributes,
                entry.offset,
                &mut self.header,
            );
            self.append_header()?;
        }
        let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        self.header.clear();
        EndRecord::write(
            u16::try_from(self.entries.len()).unwrap_or(u16::MAX),
            number(self.len - offset),
            number(offset),
            &mut self.header,
        );
        self.append_header()?;
        self.writer.flush()?;
        Ok(self.writer)
    }

    fn append_header(&mut self) -> Result<(), Error> {
        let header = core::mem::take(&mut self.header);
        let result = self.append(&header);
        self.header = header;
        result
    }

    fn append(&mut self, octets: &[u8]) -> Result<(), Error> {
        if self.start.is_none() {
            self.start = Some(self.writer.stream_position()?);
        }
        let len = self.len + octets.len() as u64;
        if len > self.limit {
            return Err(Error::Limit {
                what: "the length of the package".to_owned(),
                found: len,
                limit: self.limit,
            });
        }
        self.writer.write_all(octets)?;
        self.len = len;
        Ok(())
    }
}

/// The length of a part, which is a megabyte or so.
fn short_len(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor};

    use super::*;
    use crate::archive::{PackageLimits, PackageReader};

    fn package() -> PackageWriter<Cursor<Vec<u8>>> {
        PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default())
    }

    /// Gives one octet at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.0.len().min(buffer.len()).min(1);
            buffer[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    fn sample(slowly: bool) -> Vec<u8> {
        let data = b"0123456789".repeat(20_000);
        let mut package = package();
        package
            .add("Manifest.xml", &mut &b"<m><iisApp path='App'/></m>"[..])
            .unwrap();
        package.add_directory("App").unwrap();
        if slowly {
            package.add("App/data", &mut Slowly(&data)).unwrap();
        } else {
            package.add("App/data", &mut data.as_slice()).unwrap();
        }
        package.add("App/empty", &mut io::empty()).unwrap();
        package.add("App/grün.txt", &mut &b"x"[..]).unwrap();
        package.finish().unwrap().into_inner()
    }

    #[test]
    fn same_input_same_octets() {
        assert_eq!(sample(false), sample(true));
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut package =
            PackageReader::open(Cursor::new(sample(false)), PackageLimits::default()).unwrap();
        let entries = package.entries().to_vec();
        let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "Manifest.xml",
                "App",
                "App/data",
                "App/empty",
                "App/grün.txt"
            ]
        );
        let mut data = Vec::new();
        package.read(&entries[2], &mut data).unwrap();
        assert_eq!(data, b"0123456789".repeat(20_000));
    }

    #[test]
    fn fields_are_those_of_web_deploy() {
        let octets = sample(false);
        let mut at = octets.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        let word = |at: usize| u16::from_le_bytes([octets[at], octets[at + 1]]);
        // Version made by and system, version needed, flags, method, time, date, attributes.
        let expected = [
            (20, 20, 0, 0, 0x20),
            (20, 20, 0, 0, 0x10),
            (20, 20, 0, 8, 0x20),
            (20, 20, 0, 0, 0x20),
            (20, 20, 0x800, 0, 0x20),
        ];
        for (made_by, needed, flags, method, attributes) in expected {
            assert_eq!(&octets[at..at + 4], b"PK\x01\x02");
            assert_eq!((word(at + 4), word(at + 6)), (made_by, needed));
            assert_eq!((word(at + 8), word(at + 10)), (flags, method));
            assert_eq!(
                (word(at + 12), word(at + 14)),
                (0, 0x21),
                "1980-01-01 00:00:00"
            );
            assert_eq!(
                (word(at + 30), word(at + 32)),
                (0, 0),
                "no extra field, no comment"
            );
            assert_eq!((word(at + 38), word(at + 40)), (attributes, 0));
            at += 46 + usize::from(word(at + 28));
        }
        assert_eq!(
            &octets[at..at + 4],
            b"PK\x05\x06",
            "no zip64 record before the end"
        );
    }

    #[test]
    fn names_that_a_package_cannot_hold() {
        let mut package = package();
        package.add("App/a", &mut io::empty()).unwrap();
        let mut refused = |name: &str, expected: &str| {
            let error = package.add(name, &mut io::empty()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        refused("../a", "`.` and `..` are not names");
        refused("App/con.txt", "device");
        refused("app/A", "another entry is called `App/a`");
        refused("App/A/b", "`App/a` is a file");
        refused("App", "`App` is a file");
        refused("folder/", "empty");
        package.add_directory("App").unwrap();
    }
}
