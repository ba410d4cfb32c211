//! A request's body read to its end before the application is called.
//!
//! A worker is then not kept by a client that sends slowly, and `wsgi.input` can seek. The file objects are Python's own,
//! so that they have whatever an application asks of a file.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::input::uninterrupted;
use crate::Body;

/// Octets read and written at once, where they go to a file.
const PIECE: usize = 256 * 1024;

/// The body as a file at its start: `io.BytesIO` up to `memory` octets, else a temporary file that has no name.
///
/// # Errors
/// Python's exceptions: the rest of the body does not come, or the file cannot be written.
pub(crate) fn spool<'py>(
    py: Python<'py>,
    body: &Body,
    memory: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let mut octets = Vec::new();
    // One more than fits shows whether there is more.
    let most = memory.saturating_add(1);
    uninterrupted(py, || body.read_up_to(most - octets.len(), &mut octets))?;
    if octets.len() <= memory {
        let bytes = PyBytes::new(py, &octets);
        return py
            .import(intern!(py, "io"))?
            .call_method1(intern!(py, "BytesIO"), (bytes,));
    }
    let file = py
        .import(intern!(py, "tempfile"))?
        .call_method0(intern!(py, "TemporaryFile"))?;
    while !octets.is_empty() {
        let bytes = PyBytes::new(py, &octets);
        file.call_method1(intern!(py, "write"), (bytes,))?;
        octets.clear();
        uninterrupted(py, || body.read_up_to(PIECE - octets.len(), &mut octets))?;
    }
    file.call_method1(intern!(py, "seek"), (0,))?;
    Ok(file)
}
