//! A log file on Unix.

use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;

use camino::Utf8Path;
use fs_err::File;
use rustix::fs::{FlockOperation, flock};

/// Whether the path leads to the file.
pub(super) fn is_at(file: &File, path: &Utf8Path) -> bool {
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs_err::metadata(path)) {
        (Ok(found), Ok(there)) => identity(found) == identity(there),
        _ => false,
    }
}

/// Appends with one call.
pub(super) fn append(file: &mut File, octets: &[u8]) -> io::Result<()> {
    file.write_all(octets)
}

/// Removes a file that is open, and frees its name.
pub(super) fn remove(path: &Utf8Path) -> io::Result<()> {
    fs_err::remove_file(path)
}

/// Locks the file against other processes, without waiting. It goes with the last descriptor of the file.
pub(super) fn try_lock(file: &File) -> io::Result<()> {
    Ok(flock(file, FlockOperation::NonBlockingLockExclusive)?)
}

pub(super) fn unlock(file: &File) -> io::Result<()> {
    Ok(flock(file, FlockOperation::Unlock)?)
}
