//! Python's exceptions as text, and this crate's errors as Python's exceptions.

use pyo3::exceptions::{PyConnectionAbortedError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::Error;

pyo3::create_exception!(
    iiswsgi,
    ClientDisconnected,
    PyConnectionAbortedError,
    "The client or the Web server has left before the request was answered."
);

pyo3::create_exception!(
    iiswsgi,
    RequestTooLong,
    PyOSError,
    "The body of the request is longer than the gateway allows."
);

/// The exception that an application gets for a failure of the gateway.
pub(crate) fn into_exception(error: Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::Disconnected { .. } | Error::Protocol(_) => ClientDisconnected::new_err(message),
        Error::Head(_) | Error::BodyTooLong { .. } => PyValueError::new_err(message),
        Error::RequestTooLong { max } => RequestTooLong::new_err(max),
        _ => PyRuntimeError::new_err(message),
    }
}

/// An exception with its traceback, as the interpreter prints it.
pub(crate) fn traceback(py: Python<'_>, exception: &PyErr) -> String {
    let format = || -> PyResult<String> {
        let arguments = (
            exception.get_type(py),
            exception.value(py),
            exception.traceback(py),
        );
        let lines = py
            .import("traceback")?
            .call_method1("format_exception", arguments)?;
        let mut text = String::new();
        for line in lines.try_iter()? {
            text.push_str(&line?.cast::<pyo3::types::PyString>()?.to_string_lossy());
        }
        Ok(text.trim_end().to_owned())
    };
    format().unwrap_or_else(|_| exception.to_string())
}

/// An exception as the server understands it: one of this crate's errors that has gone through the application, or a
/// failure of the application with its traceback.
pub(crate) fn into_error(py: Python<'_>, exception: &PyErr) -> Error {
    if exception.is_instance_of::<ClientDisconnected>(py) {
        let reason = exception.value(py).to_string();
        return Error::Disconnected { reason };
    }
    if exception.is_instance_of::<RequestTooLong>(py)
        && let Ok(max) = exception
            .value(py)
            .getattr("args")
            .and_then(|args| args.get_item(0)?.extract())
    {
        return Error::RequestTooLong { max };
    }
    Error::Application {
        message: traceback(py, exception),
    }
}
