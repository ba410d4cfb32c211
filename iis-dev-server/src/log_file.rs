//! The log file of one FastCGI application: what its processes write to stdout and stderr, and what became of them.
//!
//! IIS closes stdout and stderr of a FastCGI process, so that what an application prints is lost. Keeping it is the one
//! difference that a developer always wants.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use crate::Error;

/// An open log file, shared by the processes of an application.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: Utf8PathBuf,
    file: Mutex<fs_err::File>,
}

impl LogFile {
    /// Opens the file for appending; its folder is created.
    pub(crate) fn open(path: Utf8PathBuf) -> Result<Self, Error> {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let file = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path.as_std_path())?;
        Ok(Self {
            path,
            file: Mutex::new(file),
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Appends octets as they are. A log that cannot be written (a full disk) must not stop a response, so that is told
    /// to the server's own log only.
    pub(crate) fn write(&self, octets: &[u8]) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(octets) {
            tracing::warn!(%error, "the log of a FastCGI application cannot be written");
        }
    }

    /// Appends a line of the server's own, with the time in UTC.
    pub(crate) fn note(&self, text: &str) {
        let now = jiff::Timestamp::now();
        self.write(format!("[{now:.3}] {text}\n").as_bytes());
    }
}
