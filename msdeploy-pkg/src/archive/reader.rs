//! Reading a package: nothing of an archive is handed out before all of its directory has been checked.

use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};

use spanned_xml::{Problem, Source};

use super::directory::{Directory, Place};
use super::entry_reader::{EntryReader, package_error};
use super::fault::{ArchiveFault, EntryFault};
use super::names::windows_key;
use super::records::{CentralHeader, DEFLATED, EXTRA_ZIP64, FLAG_ENCRYPTED, STORED};
use super::timestamp::Timestamp;
use crate::Error;

/// What reading a package may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageLimits {
    /// Entries; 65,536 by default, which is Web Deploy's own limit.
    pub entries: usize,
    /// Octets of one entry when unpacked; 2,147,483,647 by default, which is Web Deploy's own limit.
    pub entry_len: u64,
    /// Octets of all entries when unpacked; 16 GiB by default.
    pub total_len: u64,
    /// Octets unpacked for each octet of the archive, all entries together; 200 by default. Minded only where more
    /// than 64 MiB are unpacked.
    pub ratio: u64,
    /// Octets of a manifest or `Parameters.xml`; 16 MiB by default.
    pub xml_len: u64,
    /// Octets of the archive's directory, which is held in memory while it is checked; 64 MiB by default.
    pub directory_len: u64,
}

impl Default for PackageLimits {
    fn default() -> Self {
        Self {
            entries: 65_536,
            entry_len: 2_147_483_647,
            total_len: 16 << 30,
            ratio: 200,
            xml_len: 16 << 20,
            directory_len: 64 << 20,
        }
    }
}

/// How a package is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// As the Web Application Gallery has it: `Manifest.xml`, `Parameters.xml`, the application's folder.
    Gallery,
    /// As the `package` provider writes it: `archive.xml`, `Content/…`, `parameters.xml`, `systemInfo.xml`.
    Package,
}

/// An entry of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageEntry {
    /// Its name with forward slashes; a folder's has none at the end.
    pub path: String,
    /// Octets when unpacked.
    pub size: u64,
    /// Octets in the archive.
    pub compressed_size: u64,
    /// CRC-32 of the unpacked data, as the directory states it; [`PackageReader::read`] compares.
    pub crc32: u32,
    /// Windows' file attributes, the lower half of the external attributes; `0x20` (archive) for most files.
    pub attributes: u32,
    /// When it was last modified.
    pub modified: Timestamp,
    /// Whether it is a folder.
    pub is_directory: bool,
    /// The name as the directory has it.
    pub(crate) raw_name: Box<[u8]>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    /// Offset of the local header.
    pub(crate) offset: u64,
    /// Offset of the octet after the entry's data, at most.
    pub(crate) data_limit: u64,
}

impl PackageEntry {
    /// The entry of a directory's header, if it is one that Web Deploy could read.
    pub(crate) fn of(header: &CentralHeader<'_>, path: String) -> Result<Self, Error> {
        let fields = &header.fields;
        let fault = |fault| Err(Error::entry(&path, fault));
        if fields.flags & FLAG_ENCRYPTED != 0 {
            return fault(EntryFault::Encrypted);
        }
        if fields.method != STORED && fields.method != DEFLATED {
            return fault(EntryFault::Method(fields.method));
        }
        if [fields.len, fields.compressed_len, header.offset].contains(&u32::MAX)
            || header.disk == u16::MAX
            || header.extra_field(EXTRA_ZIP64).is_some()
        {
            return fault(EntryFault::Zip64);
        }
        if header.disk != 0 {
            return Err(ArchiveFault::SeveralDisks.into());
        }
        let (size, compressed_size) = (fields.len.into(), fields.compressed_len.into());
        if fields.method == STORED && size != compressed_size {
            return fault(EntryFault::Length {
                stated: size,
                found: compressed_size,
            });
        }
        Ok(Self {
            path,
            size,
            compressed_size,
            crc32: fields.crc32,
            attributes: header.external_attributes & 0xffff,
            modified: Timestamp::from_dos(fields.date, fields.time),
            is_directory: false,
            raw_name: header.name.into(),
            flags: fields.flags,
            method: fields.method,
            offset: header.offset.into(),
            data_limit: 0,
        })
    }
}

/// A package opened for reading.
#[derive(Debug)]
pub struct PackageReader<R> {
    reader: R,
    entries: Vec<PackageEntry>,
    /// Names as Windows compares them, with the entry's number.
    known: BTreeMap<String, usize>,
    layout: Layout,
    manifest: usize,
    parameters: Option<usize>,
    warnings: Vec<Problem>,
    limits: PackageLimits,
}

impl<R: Read + Seek> PackageReader<R> {
    /// Reads the archive's directory and checks all of it.
    ///
    /// # Errors
    ///
    /// [`Error::Zip`] where it is no zip archive; [`Error::Names`] with every name that must not be unpacked: one that
    /// leaves the target folder in any spelling, names that collide, a symbolic link; [`Error::Limit`] where a limit
    /// is passed; [`Error::Entry`] where entries overlap, are encrypted, or are compressed in a way that Web Deploy
    /// does not know; [`Error::NoManifest`] where it is no package.
    pub fn open(mut reader: R, limits: PackageLimits) -> Result<Self, Error> {
        let place = Place::find(&mut reader)?;
        let octets = place.read(&mut reader, &limits)?;
        let Directory {
            entries,
            known,
            warnings,
        } = Directory::check(&place, &octets, &limits)?;
        let root = |name: &str| {
            known
                .get(&windows_key(name))
                .copied()
                .filter(|&number| !entries[number].is_directory)
        };
        let files = entries
            .iter()
            .filter(|entry| !entry.is_directory)
            .map(|entry| entry.path.as_str());
        let layout = Layout::detect(files).ok_or(Error::NoManifest)?;
        let manifest = root(layout.manifest_name()).ok_or(Error::NoManifest)?;
        let parameters = root("Parameters.xml");
        Ok(Self {
            reader,
            layout,
            manifest,
            parameters,
            entries,
            known,
            warnings,
            limits,
        })
    }

    /// How the package is laid out.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The entries, in the archive's order.
    #[must_use]
    pub fn entries(&self) -> &[PackageEntry] {
        &self.entries
    }

    /// The entry of this path, whatever its case.
    #[must_use]
    pub fn entry(&self, path: &str) -> Option<&PackageEntry> {
        let number = *self.known.get(&windows_key(path))?;
        self.entries.get(number)
    }

    /// What is odd about the archive without making it dangerous: names that Windows cannot hold.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// `Manifest.xml` or `archive.xml`.
    ///
    /// # Errors
    ///
    /// As [`PackageReader::read`]; [`Error::Limit`] where it is larger than [`PackageLimits::xml_len`];
    /// [`Error::Entry`] where it is not text.
    pub fn manifest_source(&mut self) -> Result<Source, Error> {
        self.xml(self.manifest)
    }

    /// `Parameters.xml`, where the package has one.
    ///
    /// # Errors
    ///
    /// As [`PackageReader::manifest_source`].
    pub fn parameters_source(&mut self) -> Result<Option<Source>, Error> {
        self.parameters.map(|index| self.xml(index)).transpose()
    }

    /// Unpacks an entry of [`PackageReader::entries`] into `writer`, and returns its length in octets.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] where the data is damaged, has another check sum or another length than the directory says, or
    /// reaches into another entry; [`Error::Io`] where reading or writing fails. Some of the data may have been written
    /// then.
    pub fn read(&mut self, entry: &PackageEntry, writer: &mut impl Write) -> Result<u64, Error> {
        read_entry(&mut self.reader, entry, writer)
    }

    /// A reader of an entry's data.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] where the entry's local header says something else than the directory.
    pub fn entry_reader(&mut self, entry: &PackageEntry) -> Result<EntryReader<'_, R>, Error> {
        EntryReader::open(&mut self.reader, entry)
    }

    /// Unpacks every entry into nothing, and returns what is wrong with them: all entries, in the archive's order.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where reading the file fails.
    pub fn verify(&mut self) -> Result<Vec<Error>, Error> {
        let mut faults = Vec::new();
        for entry in &self.entries {
            match read_entry(&mut self.reader, entry, &mut std::io::sink()) {
                Ok(_) => {}
                Err(Error::Io(error)) => return Err(error.into()),
                Err(fault) => faults.push(fault),
            }
        }
        Ok(faults)
    }

    /// The file or memory that the package is in.
    pub fn into_inner(self) -> R {
        self.reader
    }

    fn xml(&mut self, number: usize) -> Result<Source, Error> {
        read_xml(&mut self.reader, &self.entries[number], &self.limits)
    }
}

fn read_entry(
    reader: &mut (impl Read + Seek),
    entry: &PackageEntry,
    writer: &mut impl Write,
) -> Result<u64, Error> {
    let mut data = EntryReader::open(reader, entry)?;
    let mut buffer = vec![0; 64 << 10];
    let mut len = 0;
    loop {
        match data.read(&mut buffer).map_err(package_error)? {
            0 => return Ok(len),
            read => {
                writer.write_all(&buffer[..read])?;
                len += read as u64;
            }
        }
    }
}

pub(crate) fn read_xml(
    reader: &mut (impl Read + Seek),
    entry: &PackageEntry,
    limits: &PackageLimits,
) -> Result<Source, Error> {
    if entry.size > limits.xml_len {
        return Err(Error::Limit {
            what: format!("the length of `{}`", entry.path),
            found: entry.size,
            limit: limits.xml_len,
        });
    }
    let mut octets = Vec::new();
    read_entry(reader, entry, &mut octets)?;
    Source::decode(&entry.path, &octets)
        .map_err(|problem| Error::entry(&entry.path, EntryFault::NotText(problem.message)))
}
