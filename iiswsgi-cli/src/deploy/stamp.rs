//! The stamp file by which `iiswsgi bootstrap` recognises an application that is not set up yet.
//!
//! Several installations may run at once, and none of them is told which application it is for: each takes a stamp that no
//! other one has taken, by a lock that ends with its process.

use std::fs::TryLockError;
use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::error::{Error, Result};

/// Its name, in the application's folder.
pub(crate) const STAMP: &str = "iis_install.stamp";

/// How much of it is kept; nothing reads it.
const TEXT_LEN_MAX: u64 = 1 << 16;

/// A stamp that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct Stamp {
    path: Utf8PathBuf,
    text: Vec<u8>,
    _lock: fs::File,
}

/// What became of the attempt to take one.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It is ours.
    Ours(Stamp),
    /// Another process is installing the application.
    Others,
    /// There is none.
    Missing,
}

impl Stamp {
    /// Takes the stamp of the application in `folder`.
    pub(crate) fn take(folder: &Utf8Path) -> Result<Taken> {
        let path = folder.join(STAMP);
        if !path.is_file() {
            return Ok(Taken::Missing);
        }
        let mut file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Taken::Missing);
            }
            Err(error) => return Err(error.into()),
        };
        match file.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Taken::Others),
            Err(TryLockError::Error(error)) => {
                return Err(Error::new(format!("`{path}` cannot be locked: {error}")));
            }
        }
        // Whoever had it before may have removed it since it was opened.
        if !path.is_file() {
            return Ok(Taken::Missing);
        }
        let mut text = Vec::new();
        file.by_ref().take(TEXT_LEN_MAX).read_to_end(&mut text)?;
        Ok(Taken::Ours(Self {
            path,
            text,
            _lock: file,
        }))
    }

    /// Writes it again where it is gone: what was begun has failed, and the next attempt has to find it.
    pub(crate) fn put_back(&self) -> Result<()> {
        if !self.path.exists() {
            fs::write(&self.path, &self.text)?;
        }
        Ok(())
    }
}

/// Removes the stamp in a folder, where there is one: the application is set up.
pub(crate) fn remove_in(folder: &Utf8Path) -> Result<()> {
    match fs::remove_file(folder.join(STAMP)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_has_it_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        assert!(matches!(Stamp::take(folder).unwrap(), Taken::Missing));
        fs::write(folder.join(STAMP), "text").unwrap();
        let Taken::Ours(stamp) = Stamp::take(folder).unwrap() else {
            panic!("nobody else has it");
        };
        assert!(matches!(Stamp::take(folder).unwrap(), Taken::Others));
        drop(stamp);
        let Taken::Ours(stamp) = Stamp::take(folder).unwrap() else {
            panic!("it was given back");
        };
        remove_in(folder).unwrap();
        stamp.put_back().unwrap();
        assert_eq!(fs::read_to_string(folder.join(STAMP)).unwrap(), "text");
        remove_in(folder).unwrap();
        drop(stamp);
        assert!(matches!(Stamp::take(folder).unwrap(), Taken::Missing));
        remove_in(folder).unwrap();
    }
}
