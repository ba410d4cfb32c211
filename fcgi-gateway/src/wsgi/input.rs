//! `wsgi.input`: the request's body as a file (PEP 3333, *Input and Error Streams*).

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::exception::into_exception;
use crate::{Body, Error};

/// Reads the body from the connection as it is asked for; nothing is kept, and it ends where `CONTENT_LENGTH` says.
#[pyclass(frozen, module = "iiswsgi")]
#[derive(Debug)]
pub(crate) struct Input {
    body: Body,
}

impl Input {
    pub(crate) const fn new(body: Body) -> Self {
        Self { body }
    }

    /// Collects octets whose number is not known before.
    fn fetch<'py>(
        &self,
        py: Python<'py>,
        limit: usize,
        read: impl Fn(&Body, usize, &mut Vec<u8>) -> Result<(), Error> + Sync,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut octets = Vec::new();
        uninterrupted(py, || read(&self.body, limit - octets.len(), &mut octets))?;
        Ok(PyBytes::new(py, &octets))
    }

    /// Reads `len` octets to where Python wants them; they may be fewer.
    fn fill<'py>(&self, py: Python<'py>, len: usize) -> PyResult<Bound<'py, PyBytes>> {
        let mut filled = 0;
        let bytes = PyBytes::new_with(py, len, |buffer| {
            uninterrupted(py, || self.body.read_into(buffer, &mut filled))
        })?;
        if filled < len {
            return Ok(PyBytes::new(py, &bytes.as_bytes()[..filled]));
        }
        Ok(bytes)
    }
}

/// Reads without holding the interpreter, and lets it handle the signals that arrive meanwhile.
pub(crate) fn uninterrupted(
    py: Python<'_>,
    mut read: impl FnMut() -> Result<(), Error> + Send,
) -> PyResult<()> {
    loop {
        match py.detach(&mut read) {
            Err(Error::Interrupted) => py.check_signals()?,
            outcome => return outcome.map_err(into_exception),
        }
    }
}

/// Up to so many octets, room is made before they have arrived. What a Web server announces it need not send.
const ROOM: u64 = 1024 * 1024;

/// A size as Python's files take it: `None` and negative numbers are no limit.
fn limit(size: Option<isize>) -> usize {
    size.and_then(|size| usize::try_from(size).ok())
        .unwrap_or(usize::MAX)
}

#[pymethods]
impl Input {
    #[pyo3(signature = (size = None, /))]
    fn read<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        let limit = limit(size);
        let announced = self.body.left();
        match announced.map(|left| left.min(limit as u64)) {
            Some(len @ ..=ROOM) => self.fill(py, usize::try_from(len)?),
            _ => self.fetch(py, limit, Body::read_up_to),
        }
    }

    #[pyo3(signature = (size = None, /))]
    fn readline<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        self.fetch(py, limit(size), Body::read_line)
    }

    /// `hint` is octets behind which no further line is read.
    #[pyo3(signature = (hint = None, /))]
    fn readlines<'py>(&self, py: Python<'py>, hint: Option<isize>) -> PyResult<Bound<'py, PyList>> {
        let hint = hint.filter(|hint| *hint > 0);
        let lines = PyList::empty(py);
        let mut read = 0;
        while let Some(line) = self.__next__(py)? {
            read += line.as_bytes().len();
            lines.append(line)?;
            if read >= limit(hint) {
                break;
            }
        }
        Ok(lines)
    }

    const fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let line = self.readline(py, None)?;
        Ok((!line.as_bytes().is_empty()).then_some(line))
    }
}
