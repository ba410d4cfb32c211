//! What an application returns: the body as an iterable (PEP 3333, *Buffering and Streaming*).

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use super::exception::{into_error, traceback};
use super::start_response::{StartResponse, wrong_type};
use crate::{Error, RequestNumber};

/// Why a response could not be sent to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The application has raised.
    Exception(PyErr),
    /// The gateway is, or the Web server.
    Gateway(Error),
}

impl From<PyErr> for Failure {
    fn from(exception: PyErr) -> Self {
        Self::Exception(exception)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Gateway(error)
    }
}

/// Sends the body, and calls the iterable's `close()` whatever happens.
pub(crate) fn send(
    iterable: &Bound<'_, PyAny>,
    start: &StartResponse,
    number: RequestNumber,
) -> Result<(), Failure> {
    let py = iterable.py();
    // No code of the application runs while a list or tuple is iterated over: nothing is delayed by sending it as one.
    if let Ok(list) = iterable.cast_exact::<PyList>() {
        return send_whole(py, list.iter().collect(), start);
    }
    if let Ok(tuple) = iterable.cast_exact::<PyTuple>() {
        return send_whole(py, tuple.iter().collect(), start);
    }
    let sent = send_blocks(iterable, start);
    // PEP 3333: "If the iterable returned by the application has a close() method, the server or gateway must call that
    // method upon completion of the current request, whether the request was completed normally, or terminated early".
    let closed = iterable
        .getattr_opt("close")
        .and_then(|close| close.map(|close| close.call0()).transpose());
    if let Err(exception) = closed {
        let traceback = traceback(py, &exception);
        if sent.is_ok() {
            // The client has its answer.
            tracing::error!(request = %number, "request {number}: close() of the response failed: {traceback}");
        } else {
            tracing::error!(request = %number, "request {number}: close() of the failed response failed too: {traceback}");
        }
    }
    sent
}

fn send_whole(
    py: Python<'_>,
    blocks: Vec<Bound<'_, PyAny>>,
    start: &StartResponse,
) -> Result<(), Failure> {
    let blocks: Vec<&[u8]> = blocks.iter().map(octets).collect::<Result<_, _>>()?;
    Ok(py.detach(|| {
        start.with(|response| {
            if response.is_started() {
                response.write_last(&blocks)
            } else {
                Err(Error::Order(NOT_STARTED))
            }
        })
    })?)
}

const NOT_STARTED: &str = "the application returned without calling start_response()";

fn send_blocks(iterable: &Bound<'_, PyAny>, start: &StartResponse) -> Result<(), Failure> {
    let py = iterable.py();
    for block in iterable.try_iter()? {
        let block = block?;
        let octets = octets(&block)?;
        // PEP 3333: headers are sent only before a block that is not empty.
        if octets.is_empty() {
            continue;
        }
        // While a thread sends, adding to its queue is not worth letting go of the interpreter.
        if start.with(|response| Ok(response.write_at_once(octets)))? {
            continue;
        }
        let complete = py.detach(|| {
            start.with(|response| {
                response.write(octets)?;
                Ok(response.is_complete())
            })
        })?;
        if complete {
            // Nobody takes more of it: the length is reached, or the answer to HEAD needs no body.
            break;
        }
    }
    Ok(py.detach(|| {
        start.with(|response| {
            if response.is_started() {
                response.finish()
            } else {
                Err(Error::Order(NOT_STARTED))
            }
        })
    })?)
}

fn octets<'b>(block: &'b Bound<'_, PyAny>) -> Result<&'b [u8], PyErr> {
    Ok(block
        .cast::<PyBytes>()
        .map_err(|_| wrong_type("a block of the body is bytes", block))?
        .as_bytes())
}

impl Failure {
    /// As the server understands it, the traceback included.
    pub(crate) fn into_error(self, py: Python<'_>) -> Error {
        match self {
            Self::Gateway(error) => error,
            Self::Exception(exception) => into_error(py, &exception),
        }
    }
}
