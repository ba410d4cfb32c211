//! A file that is uploaded: its digests, and what it says of itself.

use std::fmt::Write as _;
use std::io::{self, Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::GzDecoder;
use fs_err as fs;
use sha2::Digest as _;

use crate::error::{Error, Result};

/// Octets of metadata that are read: a README may be long, but not like this.
const METADATA_LIMIT: u64 = 16 << 20;

/// A file, read once.
#[derive(Debug)]
pub(crate) struct UploadFile {
    pub(crate) path: Utf8PathBuf,
    /// The last part of the path: what it is called where it is uploaded to.
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) md5: String,
    /// BLAKE2b with 256 bits, the third digest that indexes take.
    pub(crate) blake2_256: String,
}

/// What an index files it under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Wheel,
    Sdist,
    /// A Web Deploy package: what `bdist_dumb` is for, an archive of an installed application.
    MsdeployPackage,
}

impl UploadFile {
    pub(crate) fn read(path: &Utf8Path) -> Result<Self> {
        let name = path.file_name().ok_or_else(|| {
            Error::new(format!("`{path}` names no file")).help("name the files to upload")
        })?;
        let mut file = fs::File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(Error::new(format!("`{path}` is no file"))
                .help("name the files to upload, for example dist/*"));
        }
        let mut digests = Digests::default();
        let size = io::copy(&mut file, &mut digests)?;
        Ok(Self {
            path: path.to_owned(),
            name: name.to_owned(),
            size,
            sha256: hexadecimal(&digests.sha256.finalize()),
            md5: hexadecimal(&digests.md5.finalize()),
            blake2_256: hexadecimal(&digests.blake2_256.finalize()),
        })
    }

    /// The fields of the form that goes to a packaging index, without the file itself.
    pub(crate) fn form_fields(&self) -> Result<Vec<(String, String)>> {
        let unknown = || {
            Error::new(format!(
                "`{}` is no wheel, source distribution or Web Deploy package",
                self.path
            ))
            .help("upload other files to a file share, with `--method put`")
        };
        let kind = self.kind().ok_or_else(unknown)?;
        let metadata = match kind {
            Kind::Sdist if self.name.ends_with(".tar.gz") => self.tar_metadata()?,
            Kind::Wheel => self.zip_metadata("METADATA")?,
            Kind::Sdist | Kind::MsdeployPackage => self.zip_metadata("PKG-INFO")?,
        };
        let described = match (metadata, kind) {
            (Some(text), _) => python_dist::form_fields(&text),
            (None, Kind::MsdeployPackage) => self.named_fields().ok_or_else(unknown)?,
            (None, Kind::Wheel | Kind::Sdist) => {
                return Err(Error::new(format!("`{}` has no metadata in it", self.path))
                    .help("build it again"));
            }
        };
        let (filetype, python) = match kind {
            Kind::Wheel => ("bdist_wheel", self.python_tag()),
            Kind::Sdist => ("sdist", "source"),
            Kind::MsdeployPackage => ("bdist_dumb", "any"),
        };
        let mut fields: Vec<(String, String)> = [
            (":action", "file_upload"),
            ("protocol_version", "1"),
            ("filetype", filetype),
            ("pyversion", python),
            ("sha256_digest", &self.sha256),
            ("md5_digest", &self.md5),
            ("blake2_256_digest", &self.blake2_256),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        fields.extend(described);
        Ok(fields)
    }

    fn kind(&self) -> Option<Kind> {
        match self.name.to_lowercase() {
            name if name.ends_with(".whl") => Some(Kind::Wheel),
            name if name.ends_with(".msdeploy.zip") => Some(Kind::MsdeployPackage),
            name if name.ends_with(".tar.gz") || name.ends_with(".zip") => Some(Kind::Sdist),
            _ => None,
        }
    }

    /// `py3` of `name-1.0-py3-none-any.whl`.
    fn python_tag(&self) -> &str {
        let mut parts = self.name.rsplit('-').skip(2);
        parts.next().unwrap_or("any")
    }

    /// Name and version of a package whose project left no PKG-INFO in it, from `guest-book-1.2.msdeploy.zip`.
    fn named_fields(&self) -> Option<Vec<(String, String)>> {
        let stem = self.name.get(..self.name.len() - ".msdeploy.zip".len())?;
        let (name, version) = stem.rsplit_once('-')?;
        let fields = [
            ("metadata_version", "2.1"),
            ("name", name),
            ("version", version),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (!name.is_empty() && version.starts_with(|c: char| c.is_ascii_digit()))
            .then(|| fields.into())
    }

    fn no_archive(&self, error: impl std::fmt::Display) -> Error {
        Error::new(format!("`{}` cannot be read: {error}", self.path)).help("build it again")
    }

    /// The entry of that name that is nearest to the root.
    fn zip_metadata(&self, name: &str) -> Result<Option<String>> {
        let mut archive = zip::ZipArchive::new(fs::File::open(&self.path)?)
            .map_err(|error| self.no_archive(error))?;
        let found = archive
            .file_names()
            .filter_map(|path| Some(path.ok()?.into_owned()))
            .filter(|path| path.rsplit('/').next() == Some(name))
            .min_by_key(|path| (path.matches('/').count(), path.len()));
        let Some(found) = found else { return Ok(None) };
        let entry = archive
            .by_name(&found)
            .map_err(|error| self.no_archive(error))?;
        self.text(entry).map(Some)
    }

    /// `NAME-VERSION/PKG-INFO`.
    fn tar_metadata(&self) -> Result<Option<String>> {
        let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(&self.path)?));
        for entry in archive.entries().map_err(|error| self.no_archive(error))? {
            let entry = entry.map_err(|error| self.no_archive(error))?;
            let is_metadata = {
                let path = entry.path_bytes();
                let mut parts = path.split(|octet| *octet == b'/');
                parts.nth(1) == Some(b"PKG-INFO") && parts.next().is_none()
            };
            if is_metadata {
                return self.text(entry).map(Some);
            }
        }
        Ok(None)
    }

    fn text(&self, entry: impl Read) -> Result<String> {
        let mut octets = Vec::new();
        entry
            .take(METADATA_LIMIT)
            .read_to_end(&mut octets)
            .map_err(|error| self.no_archive(error))?;
        String::from_utf8(octets).map_err(|_| self.no_archive("its metadata is not UTF-8"))
    }
}

/// The three digests of what is written to them.
#[derive(Default)]
struct Digests {
    sha256: sha2::Sha256,
    md5: md5::Md5,
    blake2_256: blake2::Blake2b256,
}

impl Write for Digests {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.sha256.update(octets);
        self.md5.update(octets);
        self.blake2_256.update(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String does not fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// The SHA-256 of what a reader gives.
pub(crate) fn sha256(reader: &mut impl Read) -> io::Result<String> {
    let mut digests = Sha256(sha2::Sha256::default());
    io::copy(reader, &mut digests)?;
    Ok(hexadecimal(&digests.0.finalize()))
}

struct Sha256(sha2::Sha256);

impl Write for Sha256 {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.update(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir, name: &str, contents: &[u8]) -> UploadFile {
        let path = Utf8PathBuf::from_path_buf(folder.path().join(name)).unwrap();
        fs::write(&path, contents).unwrap();
        UploadFile::read(&path).unwrap()
    }

    fn zip_of(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, text) in entries {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(*name, options).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn sdist_of(path: &str, text: &str) -> Vec<u8> {
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(gzip);
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        archive
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn each_kind_says_what_it_is() {
        let metadata = "Metadata-Version: 2.1\nName: guest-book\nVersion: 1.2\nClassifier: A\n";
        let folder = tempfile::tempdir().unwrap();
        let cases = [
            (
                "guest_book-1.2-py3-none-any.whl",
                zip_of(&[("guest_book-1.2.dist-info/METADATA", metadata)]),
                "bdist_wheel",
                "py3",
            ),
            (
                "guest_book-1.2.tar.gz",
                sdist_of("guest_book-1.2/PKG-INFO", metadata),
                "sdist",
                "source",
            ),
            (
                "guest_book-1.2.zip",
                zip_of(&[("guest_book-1.2/PKG-INFO", metadata)]),
                "sdist",
                "source",
            ),
            (
                "guest-book-1.2.msdeploy.zip",
                zip_of(&[("Manifest.xml", "<msdeploy.iisApp/>")]),
                "bdist_dumb",
                "any",
            ),
        ];
        for (name, contents, filetype, python) in cases {
            let fields = file(&folder, name, &contents).form_fields().unwrap();
            let value = |wanted: &str| {
                let mut found = fields.iter().filter(|(field, _)| field == wanted);
                found.next().map(|(_, value)| value.as_str())
            };
            assert_eq!(value(":action"), Some("file_upload"));
            assert_eq!(value("name"), Some("guest-book"), "{name}");
            assert_eq!(value("version"), Some("1.2"), "{name}");
            assert_eq!(value("filetype"), Some(filetype), "{name}");
            assert_eq!(value("pyversion"), Some(python), "{name}");
            assert_eq!(value("sha256_digest").map(str::len), Some(64));
        }
    }

    #[test]
    fn the_digests_are_the_standards() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder, "abc", b"abc");
        assert_eq!(file.size, 3);
        // The examples of FIPS 180-4 and RFC 1321.
        assert_eq!(
            file.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(file.md5, "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(sha256(&mut b"abc".as_slice()).unwrap(), file.sha256);
        assert_eq!(file.blake2_256.len(), 64);
    }

    #[test]
    fn what_is_no_distribution_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for (name, contents, message) in [
            ("feed.xml", &b"<feed/>"[..], "is no wheel"),
            ("a-1.whl", b"no archive", "cannot be read"),
            ("a-1.tar.gz", b"no archive", "cannot be read"),
            ("a-1.zip", &zip_of(&[("x", "y")]), "has no metadata"),
            ("noversion.msdeploy.zip", &zip_of(&[]), "is no wheel"),
        ] {
            let error = file(&folder, name, contents).form_fields().unwrap_err();
            assert!(error.to_string().contains(message), "{name}: {error}");
        }
    }
}
