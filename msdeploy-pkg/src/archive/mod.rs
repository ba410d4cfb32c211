//! The package file: a zip archive with a manifest at its root.
//!
//! *.ZIP File Format Specification* (APPNOTE) <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, as far as
//! Web Deploy reads and writes it: stored and deflated entries, no zip64, no encryption.
//!
//! Reader and writer are this crate's own, and the `zip` crate is what the tests compare them with, since a package asks
//! for what a general archive does not:
//!
//! - the manifest and the parameters are read from the two ends of the directory, at the same cost however many files
//!   there are;
//! - an archive whose local headers, directory and data disagree is refused, so that no other program sees other files
//!   in it than were checked here, and so are names that Windows takes for another place or for one name;
//! - files are deflated on all cores, and the octets are the same on any number of them;
//! - the fields are those that Web Deploy writes: version 2.0, made on FAT, Windows' attributes, no data descriptors, no
//!   extra fields.

mod compressor;
mod description;
mod directory;
mod entry_reader;
mod fault;
mod last_block;
mod names;
mod reader;
mod records;
mod timestamp;
mod workers;
mod writer;

pub use description::PackageDescription;
pub use entry_reader::EntryReader;
pub use fault::{ArchiveFault, EntryFault};
pub(crate) use names::windows_key;
pub use names::{NameFault, check_entry_name};
pub use reader::{Layout, PackageEntry, PackageLimits, PackageReader};
pub use timestamp::Timestamp;
pub use writer::{EntryOptions, PackageWriter, Progress, WriterOptions};
