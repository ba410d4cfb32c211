//! The package file: a zip archive with a manifest at its root.
//!
//! *.ZIP File Format Specification* (APPNOTE) <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, as far as
//! Web Deploy reads and writes it: stored and deflated entries, no zip64, no encryption.

mod directory;
mod names;
mod reader;
mod writer;

pub use names::{NameFault, check_entry_name};
pub use reader::{Layout, PackageEntry, PackageLimits, PackageReader};
pub use writer::{PackageWriter, Timestamp};
