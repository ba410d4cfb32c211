//! What can go wrong outside of a file that a person wrote; for those see [`Problems`](spanned_xml::Problems).

use core::fmt;
use std::io;

use crate::archive::{ArchiveFault, EntryFault, NameFault};

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The value of `MSDeploy.MSDeployProviderOptions` is not what Web Deploy writes.
    #[error("malformed `MSDeploy.MSDeployProviderOptions`: {fault}")]
    ProviderOptions {
        /// What is wrong with it.
        fault: String,
    },
    /// A SHA-1 digest is not 40 hexadecimal digits.
    #[error("`{text}` is not a SHA-1 digest: expected 40 hexadecimal digits")]
    Digest {
        /// The text found.
        text: String,
    },
    /// The file is not a zip archive, or a damaged one.
    #[error("not a readable zip archive: {fault}")]
    Zip {
        /// What is wrong with it.
        fault: ArchiveFault,
    },
    /// An entry's data does not agree with what the archive says of it.
    #[error("the entry `{name}` is damaged or lies about itself: {fault}")]
    Entry {
        /// The entry's name.
        name: String,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// Names in the archive that must not be unpacked, all of them.
    #[error("{}", NameList(names))]
    Names {
        /// The names and what is wrong with each, in the archive's order.
        names: Vec<(String, NameFault)>,
    },
    /// The archive holds no manifest, so that it is no package.
    #[error(
        "no `Manifest.xml` and no `archive.xml` at the root of the archive: it is not a Web Deploy package"
    )]
    NoManifest,
    /// A name that a package cannot hold was to be written.
    #[error("the name `{name}` cannot go into a package: {fault}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        fault: NameFault,
    },
    /// A time that a zip archive cannot hold.
    #[error("{text} is not a time that a zip archive can hold: expected 1980 to 2107")]
    Time {
        /// The time as it was given.
        text: String,
    },
    /// A limit was reached.
    #[error("{what} is {found}, and the limit is {limit}")]
    Limit {
        /// What is limited.
        what: String,
        /// How much was found.
        found: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Error {
    pub(crate) fn provider_options(fault: impl Into<String>) -> Self {
        Self::ProviderOptions {
            fault: fault.into(),
        }
    }

    pub(crate) fn entry(name: &str, fault: EntryFault) -> Self {
        Self::Entry {
            name: name.to_owned(),
            fault,
        }
    }
}

impl From<ArchiveFault> for Error {
    fn from(fault: ArchiveFault) -> Self {
        Self::Zip { fault }
    }
}

/// At most this many names are spelled out in one message.
const NAMES_SHOWN: usize = 20;

struct NameList<'a>(&'a [(String, NameFault)]);

impl fmt::Display for NameList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the archive holds names that must not be unpacked: ")?;
        for (i, (name, fault)) in self.0.iter().take(NAMES_SHOWN).enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "`{}`: {fault}", name.escape_debug())?;
        }
        if self.0.len() > NAMES_SHOWN {
            write!(f, "; and {} more", self.0.len() - NAMES_SHOWN)?;
        }
        Ok(())
    }
}
