//! What is wrong with an archive, and the codes it is reported under.

use spanned_xml::Problem;

use super::names::NameFault;
use crate::Error;

/// What is wrong with an archive as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveFault {
    /// The end record (APPNOTE §4.3.16) is not at the end.
    #[error("no end record at its end: it is none, or it was cut off")]
    NoEndRecord,
    /// It has zip64 records (APPNOTE §4.3.14).
    #[error("it is a zip64 archive, which Web Deploy does not read")]
    Zip64,
    /// It is one of several.
    #[error("it is a part of an archive on several disks")]
    SeveralDisks,
    /// The central directory does not lie right before the end record.
    #[error("its directory is not where the end record says")]
    DirectoryPlace,
    /// The central directory does not hold as many entries as the end record says.
    #[error("its directory lists {found} entries, and the end record says {stated}")]
    DirectoryCount {
        /// Entries that the end record states.
        stated: usize,
        /// Entries that were found.
        found: usize,
    },
    /// The central directory holds something else than its headers.
    #[error("its directory is damaged at entry {number}")]
    DirectoryRecord {
        /// The entry, from 1.
        number: usize,
    },
}

impl ArchiveFault {
    fn problem(&self) -> Problem {
        let message = format!("not a readable zip archive: {self}");
        match self {
            Self::Zip64 => Problem::error("archive-zip64", message)
                .help("make the package anew with fewer or smaller files, without zip64"),
            Self::NoEndRecord | Self::SeveralDisks => Problem::error("archive-not-zip", message)
                .help("fetch or make the package again; compare its length and SHA-1 with the feed's"),
            Self::DirectoryPlace | Self::DirectoryCount { .. } | Self::DirectoryRecord { .. } => {
                Problem::error("archive-directory-damaged", message)
                    .help("do not use the package: programs that read it differently would see other files")
            }
        }
    }
}

/// What is wrong with an entry of an archive, apart from its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// General purpose bit 0.
    #[error("it is encrypted, which Web Deploy does not know")]
    Encrypted,
    /// A method other than stored and deflated.
    #[error("it is compressed by method {0}; Web Deploy knows 0 (stored) and 8 (deflated)")]
    Method(u16),
    /// Its lengths or place are in a zip64 field.
    #[error("it has zip64 fields, which Web Deploy does not read")]
    Zip64,
    /// It shares octets with another entry or the directory.
    #[error("its data reaches into another entry")]
    Overlap,
    /// A folder that has data.
    #[error("a folder with data")]
    FolderWithData,
    /// The local header says something else than the directory.
    #[error("its local header and the directory do not agree on its {0}")]
    HeadersDiffer(&'static str),
    /// The check sum of the data is another one.
    #[error("the check sum of its data is {found:08x} and should be {stated:08x}")]
    CheckSum {
        /// CRC-32 that the directory states.
        stated: u32,
        /// CRC-32 of the data.
        found: u32,
    },
    /// The data has another length.
    #[error("it unpacks to {found} octets and declares {stated}")]
    Length {
        /// Octets that the directory states.
        stated: u64,
        /// Octets that there are.
        found: u64,
    },
    /// The data has more octets than the directory states.
    #[error("it unpacks to more than the {stated} octets it declares")]
    Longer {
        /// Octets that the directory states.
        stated: u64,
    },
    /// The packed data ends before or after where the directory says.
    #[error("its packed data has {found} octets and declares {stated}")]
    PackedLength {
        /// Octets that the directory states.
        stated: u64,
        /// Octets that there are.
        found: u64,
    },
    /// The packed data is no deflate stream, or is cut off.
    #[error("its data cannot be unpacked: {0}")]
    Data(String),
    /// A manifest or `Parameters.xml` that is not text.
    #[error("{0}")]
    NotText(String),
}

impl EntryFault {
    fn problem(&self, name: &str) -> Problem {
        let message = format!("`{}`: {self}", name.escape_debug());
        match self {
            Self::Encrypted => Problem::error("archive-encrypted", message)
                .help("make the package without a password"),
            Self::Method(_) => Problem::error("archive-method", message)
                .help("make the package with the method `deflate`"),
            Self::Zip64 => Problem::error("archive-entry-zip64", message)
                .help("make the package anew without zip64"),
            Self::Overlap => Problem::error("archive-overlap", message)
                .help("do not use the package: entries that share octets are how a small archive unpacks to anything"),
            Self::FolderWithData => Problem::error("archive-folder-data", message)
                .help("make the package again with another program"),
            Self::HeadersDiffer(_) => Problem::error("archive-headers-differ", message)
                .help("do not use the package: programs that read it differently would see other files"),
            Self::CheckSum { .. } | Self::Data(_) => Problem::error("archive-entry-damaged", message)
                .help("fetch or make the package again"),
            Self::Length { .. } | Self::Longer { .. } | Self::PackedLength { .. } => {
                Problem::error("archive-entry-length", message)
                    .help("do not use the package: it does not hold what it says")
            }
            Self::NotText(_) => Problem::error("archive-entry-not-text", message)
                .help("save the file as UTF-8, or in the encoding that its XML declaration names"),
        }
    }
}

impl NameFault {
    /// The fault as a finding about the entry of this name.
    #[must_use]
    pub fn problem(&self, name: &str) -> Problem {
        let message = format!("`{}`: {self}", name.escape_debug());
        match self {
            Self::Dots | Self::Absolute | Self::Colon | Self::Backslash => {
                Problem::error("archive-name-escapes", message).help(
                    "do not unpack the package with a program that does not check names: the file would land outside its folder",
                )
            }
            Self::Empty | Self::Control(_) | Self::NotText | Self::TwoNames | Self::TooLong => {
                Problem::error("archive-name", message)
                    .help("rename the file and make the package again")
            }
            Self::Character(_) | Self::Reserved(_) | Self::TrailingDotOrSpace(_) => {
                Problem::warning(
                    "package-name-windows",
                    format!("`{name}` cannot be unpacked on Windows: {self}"),
                )
                .help("rename the file in the package")
            }
            Self::Duplicate(_) => Problem::error("archive-name-duplicate", message)
                .help("keep one of the two: which one is unpacked depends on the program"),
            Self::InsideFile(_) => Problem::error("archive-name-inside-file", message)
                .help("rename the file or the folder"),
            Self::SymbolicLink => Problem::error("archive-symbolic-link", message)
                .help("package the file that the link names: Web Deploy knows no links"),
            Self::SpecialFile => Problem::error("archive-special-file", message)
                .help("leave it out: a package holds files and folders"),
        }
    }
}

impl Error {
    /// The error as findings, each with its code: one for every name of [`Error::Names`], else one.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use msdeploy_pkg::{PackageLimits, PackageReader};
    ///
    /// let error = PackageReader::open(Cursor::new(b"no zip"), PackageLimits::default()).unwrap_err();
    /// assert_eq!(error.problems()[0].code, "archive-not-zip");
    /// ```
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let message = self.to_string();
        let problem = match self {
            Self::Names { names } => {
                return names
                    .iter()
                    .map(|(name, fault)| fault.problem(name))
                    .collect();
            }
            Self::Name { name, fault } => fault.problem(name),
            Self::Zip { fault } => fault.problem(),
            Self::Entry { name, fault } => fault.problem(name),
            Self::NoManifest => Problem::error("archive-no-manifest", message)
                .help("the manifest lies at the root of the archive, not in a folder"),
            Self::Limit { .. } => Problem::error("archive-limit", message)
                .help("leave files out, or split the package"),
            Self::Digest { .. }
            | Self::ProviderOptions { .. }
            | Self::Time { .. }
            | Self::Io(_) => Problem::error("package-unreadable", message),
        };
        vec![problem]
    }
}
