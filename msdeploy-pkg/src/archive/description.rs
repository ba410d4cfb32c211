//! What a package says of itself, read without looking at its files.

use std::io::{Read, Seek, SeekFrom};

use spanned_xml::Source;

use super::directory::{Place, headers, last_headers};
use super::names::decode_name;
use super::reader::{Layout, PackageEntry, PackageLimits, read_xml};
use super::records::CentralHeader;
use crate::Error;

/// So many octets of the directory's begin and end are looked at first.
const PART_LEN: u64 = 16 << 10;
/// Room for such a part and for the read that finds its end.
const PART_CAPACITY: usize = (16 << 10) + 64;

/// The XML files of a package.
///
/// Reading them costs the same for a package of 10 files and one of 60,000 where they are listed among the first or
/// last of the archive, as all writers of packages have it: only those two parts of the archive's directory are read,
/// and all of it only where one of the files was not found there. So nothing is said about the other entries: before
/// anything is unpacked the package is opened with [`PackageReader`](super::PackageReader).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PackageDescription {
    /// How the package is laid out.
    pub layout: Layout,
    /// `Manifest.xml` or `archive.xml`.
    pub manifest: Source,
    /// `Parameters.xml`, where the package has one.
    pub parameters: Option<Source>,
    /// `systemInfo.xml`, where a package in [`Layout::Package`] has one.
    pub system_info: Option<Source>,
}

impl PackageDescription {
    /// Reads the XML files of a package.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use msdeploy_pkg::{PackageDescription, PackageLimits, PackageWriter, Timestamp};
    ///
    /// let mut package = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
    /// package.add("Manifest.xml", &mut &b"<m><iisApp path='App'/></m>"[..])?;
    /// let package = package.finish()?;
    ///
    /// let description = PackageDescription::read(package, &PackageLimits::default())?;
    /// assert_eq!(description.manifest.text(), "<m><iisApp path='App'/></m>");
    /// assert!(description.parameters.is_none());
    /// # Ok::<(), msdeploy_pkg::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Zip`] where it is no zip archive; [`Error::NoManifest`] where it is no package; [`Error::Entry`] where
    /// one of the files is damaged, or is not text; [`Error::Limit`] where a limit is passed.
    pub fn read(mut reader: impl Read + Seek, limits: &PackageLimits) -> Result<Self, Error> {
        let place = Place::find(&mut reader)?;
        let found = Found::look(&mut reader, &place, limits)?;
        let (layout, manifest) = found.manifest.ok_or(Error::NoManifest)?;
        let mut read = |mut entry: PackageEntry| {
            entry.data_limit = place.start;
            read_xml(&mut reader, &entry, limits)
        };
        Ok(Self {
            layout,
            manifest: read(manifest)?,
            parameters: found.parameters.map(&mut read).transpose()?,
            system_info: match layout {
                Layout::Package => found.system_info.map(&mut read).transpose()?,
                Layout::Gallery => None,
            },
        })
    }
}

/// The headers of the XML files.
#[derive(Debug, Default)]
struct Found {
    /// The first of `Manifest.xml` and `archive.xml`, which decides on the layout.
    manifest: Option<(Layout, PackageEntry)>,
    parameters: Option<PackageEntry>,
    system_info: Option<PackageEntry>,
}

impl Found {
    fn look(
        reader: &mut (impl Read + Seek),
        place: &Place,
        limits: &PackageLimits,
    ) -> Result<Self, Error> {
        let mut part = |start: u64| -> Result<Vec<u8>, Error> {
            reader.seek(SeekFrom::Start(start))?;
            let mut octets = Vec::with_capacity(PART_CAPACITY);
            reader
                .take(PART_LEN.min(place.len))
                .read_to_end(&mut octets)?;
            Ok(octets)
        };
        let mut found = Self::default();
        headers(&part(place.start)?).try_for_each(|header| found.note(&header))?;
        if place.len <= PART_LEN || found.is_complete() {
            return Ok(found);
        }
        // A manifest that is not among the first need not be the first.
        if found.manifest.is_some() {
            last_headers(&part(place.start + place.len - PART_LEN)?)
                .iter()
                .try_for_each(|header| found.note(header))?;
            if found.is_complete() {
                return Ok(found);
            }
        }
        let octets = place.read(reader, limits)?;
        let mut found = Self::default();
        headers(&octets).try_for_each(|header| found.note(&header))?;
        Ok(found)
    }

    fn is_complete(&self) -> bool {
        match &self.manifest {
            Some((Layout::Gallery, _)) => self.parameters.is_some(),
            Some((Layout::Package, _)) => self.parameters.is_some() && self.system_info.is_some(),
            None => false,
        }
    }

    fn note(&mut self, header: &CentralHeader<'_>) -> Result<(), Error> {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name.as_bytes());
        let layout = Layout::by_manifest(header.name);
        if let Some(layout) = layout.filter(|_| self.manifest.is_none()) {
            self.manifest = Some((layout, entry(header)?));
        } else if self.parameters.is_none() && is("Parameters.xml") {
            self.parameters = Some(entry(header)?);
        } else if self.system_info.is_none() && is("systemInfo.xml") {
            self.system_info = Some(entry(header)?);
        }
        Ok(())
    }
}

fn entry(header: &CentralHeader<'_>) -> Result<PackageEntry, Error> {
    let path = decode_name(header).map_err(|fault| Error::Names {
        names: vec![(String::from_utf8_lossy(header.name).into_owned(), fault)],
    })?;
    PackageEntry::of(header, path)
}
