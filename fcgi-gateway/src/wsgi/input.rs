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

    /// Reads without holding the interpreter.
    fn fetch<'py>(
        &self,
        py: Python<'py>,
        read: impl FnOnce(&Body, &mut Vec<u8>) -> Result<(), Error> + Send,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let octets = py.detach(|| {
            let mut octets = Vec::new();
            read(&self.body, &mut octets).map(|()| octets)
        });
        Ok(PyBytes::new(py, &octets.map_err(into_exception)?))
    }
}

/// A size as Python's files take it: `None` and negative numbers are no limit.
fn limit(size: Option<isize>) -> usize {
    size.and_then(|size| usize::try_from(size).ok())
        .unwrap_or(usize::MAX)
}

#[pymethods]
impl Input {
    #[pyo3(signature = (size = None, /))]
    fn read<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        self.fetch(py, |body, octets| body.read_up_to(limit(size), octets))
    }

    #[pyo3(signature = (size = None, /))]
    fn readline<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        self.fetch(py, |body, octets| body.read_line(limit(size), octets))
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
