//! Reading a package: nothing of an archive is handed out before all of its directory has been checked.

use std::io::{Read, Seek, Write};

use spanned_xml::{Problem, Source};
use zip::ZipArchive;
use zip::read::Config;

use super::directory::{Directory, repeated_names};
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
}

impl Default for PackageLimits {
    fn default() -> Self {
        Self {
            entries: 65_536,
            entry_len: 2_147_483_647,
            total_len: 16 << 30,
            ratio: 200,
            xml_len: 16 << 20,
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
    /// Whether it is a folder.
    pub is_directory: bool,
    pub(crate) index: usize,
    /// Offset of the octet after the entry's data, at most.
    pub(crate) data_limit: u64,
}

/// A package opened for reading.
#[derive(Debug)]
pub struct PackageReader<R> {
    archive: ZipArchive<R>,
    entries: Vec<PackageEntry>,
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
    pub fn open(reader: R, limits: PackageLimits) -> Result<Self, Error> {
        let archive = ZipArchive::with_config(Config::default(), reader)?;
        if archive.len() > limits.entries {
            return Err(Error::Limit {
                what: "the number of entries".to_owned(),
                found: archive.len() as u64,
                limit: limits.entries as u64,
            });
        }
        let mut directory = Directory::default();
        for index in 0..archive.len() {
            directory.add(&archive, index, &limits)?;
        }
        if archive.has_duplicate_names() {
            // The archive's list has one of each; only the octets know the others.
            let start = archive.central_directory_start();
            let names = repeated_names(archive.into_inner(), start, limits.entries)?;
            return Err(Error::Names { names });
        }
        directory.finish(&archive, &limits)?;
        let Directory {
            entries, warnings, ..
        } = directory;
        let root = |name: &str| {
            entries
                .iter()
                .position(|entry| !entry.is_directory && entry.path.eq_ignore_ascii_case(name))
        };
        let (manifest, layout) = match (root("Manifest.xml"), root("archive.xml")) {
            (Some(manifest), _) => (manifest, Layout::Gallery),
            (None, Some(manifest)) => (manifest, Layout::Package),
            (None, None) => return Err(Error::NoManifest),
        };
        let parameters = root("Parameters.xml");
        Ok(Self {
            archive,
            layout,
            manifest,
            parameters,
            entries,
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
        self.entries
            .iter()
            .find(|entry| entry.path.eq_ignore_ascii_case(path))
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
        let damaged = |fault: String| Error::entry(&entry.path, fault);
        let mut file = self
            .archive
            .by_index(entry.index)
            .map_err(|error| damaged(error.to_string()))?;
        let data_end = file
            .data_start()
            .and_then(|start| start.checked_add(entry.compressed_size));
        if data_end.is_none_or(|end| end > entry.data_limit) {
            return Err(damaged("its data reaches into another entry".to_owned()));
        }
        let mut buffer = vec![0; 64 << 10];
        let mut len = 0_u64;
        loop {
            let read = file
                .read(&mut buffer)
                .map_err(|error| damaged(error.to_string()))?;
            if read == 0 {
                break;
            }
            len += read as u64;
            if len > entry.size {
                return Err(damaged(format!(
                    "it unpacks to more than the {} octets it declares",
                    entry.size
                )));
            }
            writer.write_all(&buffer[..read])?;
        }
        if len < entry.size {
            return Err(damaged(format!(
                "it unpacks to {len} octets and declares {}",
                entry.size
            )));
        }
        Ok(len)
    }

    fn xml(&mut self, index: usize) -> Result<Source, Error> {
        let entry = self.entries[index].clone();
        if entry.size > self.limits.xml_len {
            return Err(Error::Limit {
                what: format!("the length of `{}`", entry.path),
                found: entry.size,
                limit: self.limits.xml_len,
            });
        }
        let mut octets = Vec::new();
        self.read(&entry, &mut octets)?;
        Source::decode(&entry.path, &octets)
            .map_err(|problem| Error::entry(&entry.path, problem.message))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    type Zip = ZipWriter<Cursor<Vec<u8>>>;

    fn archive(fill: impl FnOnce(&mut Zip)) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        fill(&mut zip);
        zip.finish().unwrap().into_inner()
    }

    fn file(zip: &mut Zip, name: &str, data: &[u8]) {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(data).unwrap();
    }

    fn open(octets: Vec<u8>) -> Result<PackageReader<Cursor<Vec<u8>>>, Error> {
        PackageReader::open(Cursor::new(octets), PackageLimits::default())
    }

    fn refused(octets: Vec<u8>, expected: &str) {
        let error = open(octets).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    const MANIFEST: &[u8] = b"<m><iisApp path='App'/></m>";

    #[test]
    fn a_gallery_package_is_read() {
        let octets = archive(|zip| {
            file(zip, "App/a.txt", &b"abc".repeat(1000));
            zip.add_directory("App/empty", SimpleFileOptions::default())
                .unwrap();
            file(zip, "manifest.XML", MANIFEST);
            file(zip, "parameters.xml", b"\xEF\xBB\xBF<parameters/>");
        });
        let mut package = open(octets).unwrap();
        assert_eq!(package.layout(), Layout::Gallery);
        assert_eq!(
            package.manifest_source().unwrap().text().as_bytes(),
            MANIFEST
        );
        assert_eq!(
            package.parameters_source().unwrap().unwrap().text(),
            "<parameters/>"
        );
        let entry = package.entry("app/A.TXT").unwrap().clone();
        assert!(!entry.is_directory && entry.size == 3000 && entry.compressed_size < 100);
        assert!(package.entry("App/empty").unwrap().is_directory);
        let mut data = Vec::new();
        assert_eq!(package.read(&entry, &mut data).unwrap(), 3000);
        assert_eq!(data, b"abc".repeat(1000));
        assert!(package.warnings().is_empty());
    }

    #[test]
    fn msdeploy_layout() {
        let package = open(archive(|zip| file(zip, "archive.xml", MANIFEST))).unwrap();
        assert_eq!(package.layout(), Layout::Package);
        assert!(matches!(
            open(archive(|zip| file(zip, "a/Manifest.xml", MANIFEST))),
            Err(Error::NoManifest)
        ));
    }

    #[test]
    fn every_bad_name_is_listed() {
        let names = [
            "../evil",
            "a/../../evil",
            "/etc/evil",
            "C:/evil",
            "C:evil",
            "\\\\server\\evil",
            "a\\..\\evil",
            "//server/share/evil",
            "nul\0.txt",
        ];
        let octets = archive(|zip| {
            file(zip, "Manifest.xml", MANIFEST);
            for name in names {
                file(zip, name, b"x");
            }
        });
        let Error::Names { names: found } = open(octets).unwrap_err() else {
            panic!("not a list of names")
        };
        let found: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(found, names);
    }

    #[test]
    fn names_that_collide() {
        let with = |names: [&str; 2]| {
            archive(|zip| {
                file(zip, "Manifest.xml", MANIFEST);
                for name in names {
                    file(zip, name, b"x");
                }
            })
        };
        refused(
            with(["App/Web.config", "app/web.CONFIG"]),
            "another entry is called `App/Web.config`",
        );
        refused(with(["a/b", "A/B. "]), "another entry is called");
        refused(
            with(["a", "a/b"]),
            "`a` is a file and cannot have anything inside",
        );
        refused(with(["x/y/z", "X/Y"]), "is a file and cannot");
        // The same name twice, by changing the second name's letters in the finished archive.
        let mut twice = with(["App/first", "App/other"]);
        let needle = b"App/other";
        while let Some(at) = twice.windows(needle.len()).position(|w| w == needle) {
            twice[at..at + needle.len()].copy_from_slice(b"App/first");
        }
        refused(twice, "`App/first`: another entry is called `App/first`");
    }

    #[test]
    fn links_are_refused_and_windows_names_noticed() {
        let octets = archive(|zip| {
            file(zip, "Manifest.xml", MANIFEST);
            zip.add_symlink("link", "/etc/passwd", SimpleFileOptions::default())
                .unwrap();
        });
        refused(octets, "`link`: the entry is a symbolic link");
        let package = open(archive(|zip| {
            file(zip, "Manifest.xml", MANIFEST);
            file(zip, "App/aux.py", b"x");
        }))
        .unwrap();
        assert_eq!(package.warnings()[0].code, "package-name-windows");
    }

    /// Sets the 32-bit number at `field` of the directory entry of `name`.
    fn patch_directory(octets: &mut [u8], name: &str, field: usize, value: u32) {
        let at = octets
            .windows(46 + name.len())
            .position(|w| w.starts_with(b"PK\x01\x02") && w.ends_with(name.as_bytes()))
            .unwrap();
        octets[at + field..at + field + 4].copy_from_slice(&value.to_le_bytes());
    }

    #[test]
    fn lying_sizes_and_check_sums_are_noticed() {
        let plain = archive(|zip| {
            file(zip, "Manifest.xml", MANIFEST);
            file(zip, "App/data", &b"0123456789".repeat(100));
        });
        for (field, value, expected) in [
            (24, 10, "larger than"),
            (24, 5000, "declares 5000"),
            (16, 1, "damaged"),
        ] {
            let mut octets = plain.clone();
            patch_directory(&mut octets, "App/data", field, value);
            let mut package = open(octets).unwrap();
            let entry = package.entry("App/data").unwrap().clone();
            let error = package
                .read(&entry, &mut Vec::new())
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
        // A compressed size that reaches into the directory, and an entry that lies over another one.
        let mut octets = plain.clone();
        patch_directory(&mut octets, "App/data", 20, 100_000);
        refused(octets, "");
        let mut octets = plain;
        patch_directory(&mut octets, "App/data", 42, 0);
        refused(octets, "reaches into another entry");
    }

    #[test]
    fn what_web_deploy_cannot_read_is_refused() {
        let plain = archive(|zip| {
            file(zip, "Manifest.xml", MANIFEST);
            file(zip, "App/data", b"x");
        });
        // Flags and method of the directory entry: encrypted and deflated, plain and bzip2.
        for (flags_and_method, expected) in [
            (
                0x0008_0001,
                "`App/data` is damaged or lies about itself: it is encrypted",
            ),
            (0x000C_0000, "Web Deploy knows stored and deflated"),
        ] {
            let mut octets = plain.clone();
            patch_directory(&mut octets, "App/data", 8, flags_and_method);
            refused(octets, expected);
        }
    }

    #[test]
    fn folders_by_slash_or_attribute() {
        let mut octets = archive(|zip| {
            file(zip, "Manifest.xml", MANIFEST);
            file(zip, "App", b"");
            file(zip, "App/data", b"x");
        });
        refused(octets.clone(), "`App` is a file");
        patch_directory(&mut octets, "App", 38, 0x10);
        assert!(open(octets).unwrap().entry("App").unwrap().is_directory);
    }

    #[test]
    fn limits() {
        let bomb = archive(|zip| {
            file(zip, "Manifest.xml", MANIFEST);
            file(zip, "App/zeros", &vec![0; 80 << 20]);
        });
        refused(bomb.clone(), "unpacked for each octet of the archive");
        let check = |limits: PackageLimits, expected: &str| {
            let error = PackageReader::open(Cursor::new(bomb.clone()), limits)
                .and_then(|mut package| package.manifest_source())
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error}");
        };
        let limits = PackageLimits {
            ratio: 2000,
            ..PackageLimits::default()
        };
        check(
            PackageLimits {
                entries: 1,
                ..limits
            },
            "the number of entries is 2, and the limit is 1",
        );
        check(
            PackageLimits {
                entry_len: 1 << 20,
                ..limits
            },
            "the length of `App/zeros`",
        );
        check(
            PackageLimits {
                total_len: 1 << 20,
                ..limits
            },
            "the length of all entries",
        );
        check(
            PackageLimits {
                xml_len: 10,
                ..limits
            },
            "the length of `Manifest.xml`",
        );
        refused(b"no zip at all".to_vec(), "not a readable zip archive");
        refused(Vec::new(), "not a readable zip archive");
    }
}
