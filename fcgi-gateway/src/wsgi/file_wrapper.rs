//! `wsgi.file_wrapper` (PEP 3333, *Optional Platform-Specific File Handling*).

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Iterates over a file in blocks. FastCGI puts a header before each block, so that `sendfile` cannot be used; but large
/// blocks are sent from where they lie.
#[pyclass(frozen, module = "iiswsgi")]
#[derive(Debug)]
pub(crate) struct FileWrapper {
    file: Py<PyAny>,
    block_size: usize,
}

#[pymethods]
impl FileWrapper {
    #[new]
    #[pyo3(signature = (filelike, blksize = 65_536, /))]
    const fn new(filelike: Py<PyAny>, blksize: usize) -> Self {
        Self {
            file: filelike,
            block_size: blksize,
        }
    }

    #[getter]
    fn filelike(&self, py: Python<'_>) -> Py<PyAny> {
        self.file.clone_ref(py)
    }

    const fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let block = self
            .file
            .bind(py)
            .call_method1("read", (self.block_size,))?
            .cast_into::<PyBytes>()?;
        Ok((!block.as_bytes().is_empty()).then_some(block))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.file.bind(py).getattr_opt("close")? {
            Some(close) => close.call0().map(|_| ()),
            None => Ok(()),
        }
    }
}
