//! `start_response` and the `write` that it returns (PEP 3333, *The start_response() Callable*).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTraceback, PyTuple};

use super::exception::into_exception;
use crate::{Error, Head, Response};

/// What an application is given to start its response with.
#[pyclass(frozen, module = "iiswsgi")]
#[derive(Debug)]
pub(crate) struct StartResponse {
    /// Gone when the request is over.
    response: Mutex<Option<Response>>,
    called: AtomicBool,
}

impl StartResponse {
    pub(crate) const fn new(response: Response) -> Self {
        Self {
            response: Mutex::new(Some(response)),
            called: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Response>> {
        self.response.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works with the response as long as the request runs.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Response) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &mut *self.lock() {
            Some(response) => work(response),
            None => Err(Error::Order("the request is over")),
        }
    }

    /// Takes the response back.
    pub(crate) fn take(&self) -> Option<Response> {
        self.lock().take()
    }
}

#[pymethods]
impl StartResponse {
    #[pyo3(signature = (status, response_headers, exc_info = None))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        status: &Bound<'py, PyAny>,
        response_headers: &Bound<'py, PyAny>,
        exc_info: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        let exc_info = exc_info.filter(|exc_info| !exc_info.is_none());
        let called = this.called.swap(true, Ordering::Relaxed);
        match exc_info {
            // PEP 3333: "if exc_info is provided, and the HTTP headers have already been sent, start_response must raise
            // an error, and should re-raise using the exc_info tuple."
            Some(exc_info)
                if this
                    .with(|response| Ok(response.is_sent()))
                    .map_err(into_exception)? =>
            {
                return Err(reraised(exc_info)?);
            }
            Some(_) => {}
            // PEP 3333: "it is a fatal error to call start_response without the exc_info argument if start_response has
            // already been called".
            None if called => {
                return Err(PyRuntimeError::new_err(
                    "start_response() was called before, and this time without exc_info",
                ));
            }
            None => {}
        }
        let head = head(status, response_headers)?;
        this.with(|response| response.start(head))
            .map_err(into_exception)?;
        slf.getattr(intern!(slf.py(), "write"))
    }

    /// Whether the client has left, as far as that can be seen without waiting.
    fn is_disconnected(&self, py: Python<'_>) -> bool {
        py.detach(|| {
            self.with(|response| Ok(response.is_disconnected()))
                .unwrap_or(true)
        })
    }

    /// Sets the application status that the Web server is told at the end, as a CGI program's exit status.
    fn set_app_status(&self, status: u32) -> PyResult<()> {
        self.with(|response| {
            response.set_app_status(status);
            Ok(())
        })
        .map_err(into_exception)
    }

    /// Sends a block of the body at once, for applications that cannot be iterated over.
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let block = data
            .cast::<PyBytes>()
            .map_err(|_| wrong_type("write() takes bytes", data))?
            .as_bytes();
        py.detach(|| self.with(|response| response.write(block)))
            .map_err(into_exception)
    }
}

/// The exception in an `exc_info` tuple, with its traceback.
fn reraised(exc_info: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    let (_, value, traceback): (
        Bound<'_, PyAny>,
        Bound<'_, PyAny>,
        Option<Bound<'_, PyTraceback>>,
    ) = exc_info.extract()?;
    let exception = PyErr::from_value(value);
    exception.set_traceback(exc_info.py(), traceback);
    Ok(exception)
}

/// Status and headers, checked to be of the types that PEP 3333 prescribes; the head checks the rest.
fn head(status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<Head> {
    let native = |what: &str, value: &Bound<'_, PyAny>| -> PyResult<String> {
        let text = value
            .cast::<PyString>()
            .map_err(|_| wrong_type(&format!("{what} is a str"), value))?;
        Ok(text.to_cow()?.into_owned())
    };
    let mut head = Head::new(native("the status", status)?);
    let list = headers
        .cast::<PyList>()
        .map_err(|_| wrong_type("the headers are a list", headers))?;
    for header in list {
        let pair = header.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
        let pair =
            pair.ok_or_else(|| wrong_type("a header is a tuple of name and value", &header))?;
        let (name, value) = (
            native("a header's name", &pair.get_item(0)?)?,
            native("a header's value", &pair.get_item(1)?)?,
        );
        head.headers.push((name, value));
    }
    Ok(head)
}

/// A `TypeError` that says what is expected and what was found.
pub(crate) fn wrong_type(expected: &str, found: &Bound<'_, PyAny>) -> PyErr {
    let kind = found
        .get_type()
        .name()
        .map_or_else(|_| "something else".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{expected}, not {kind} (PEP 3333)"))
}
