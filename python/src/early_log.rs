//! The log opened before there is anything to serve: whatever fails from then on can be written there.

use std::sync::{Mutex, PoisonError};

use fcgi_gateway::log::{self, LogGuard};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Kept as long as the process: `serve()` goes on with the same log.
static LOG: Mutex<Option<LogGuard>> = Mutex::new(None);

/// Opens the log in the first place that can be written to, as `serve()` does, unless it is open.
#[pyfunction]
#[pyo3(signature = (file=None, level=None, json=false))]
pub(crate) fn open_log(file: Option<&str>, level: Option<String>, json: bool) -> PyResult<()> {
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    if log.is_none() {
        let mut options = log::Options::default();
        options.file = file.map(Into::into);
        options.level = level;
        options.json = json;
        *log = Some(log::init(&options).map_err(|error| PyValueError::new_err(error.to_string()))?);
    }
    Ok(())
}

/// Writes what ends the process into the log that `open_log` has opened.
#[pyfunction]
pub(crate) fn log_failure(message: &str) {
    if let Some(log) = &*LOG.lock().unwrap_or_else(PoisonError::into_inner) {
        log.fatal(message);
    }
}
