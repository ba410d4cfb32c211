//! `iiswsgi.serve()`: the gateway for an application that Python code has at hand, or names.

use std::net::SocketAddr;
use std::time::Duration;

use fcgi_gateway::{Bind, ServeOptions};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// Serves a WSGI application over FastCGI until a signal, or the end of the connection on file descriptor 0, ends it.
///
/// `app` is a WSGI callable or a name as the command takes it. Without `unix` (the path of a socket) and `tcp` (a port or
/// ADDRESS:PORT), the socket on file descriptor 0 is served.
#[pyfunction]
#[pyo3(signature = (
    app, *, unix = None, unix_mode = None, tcp = None, threads = 1, chdir = None, python_path = Vec::new(), script_name = None,
    log_file = None, log_level = None, log_json = false, stderr_to_server = false, buffer_body = None, max_body = None, max_connections = None,
    read_timeout = None, write_timeout = None
))]
#[expect(
    clippy::too_many_arguments,
    reason = "they are Python's keyword arguments"
)]
pub(crate) fn serve(
    app: &Bound<'_, PyAny>,
    unix: Option<String>,
    unix_mode: Option<u32>,
    tcp: Option<&str>,
    threads: usize,
    chdir: Option<String>,
    python_path: Vec<String>,
    script_name: Option<String>,
    log_file: Option<String>,
    log_level: Option<String>,
    log_json: bool,
    stderr_to_server: bool,
    buffer_body: Option<usize>,
    max_body: Option<u64>,
    max_connections: Option<usize>,
    read_timeout: Option<f64>,
    write_timeout: Option<f64>,
) -> PyResult<()> {
    let mut options = ServeOptions::default();
    options.bind = match (unix, tcp) {
        (None, None) => Bind::Auto,
        (Some(path), None) => Bind::Unix {
            path: path.into(),
            mode: unix_mode,
        },
        (None, Some(address)) => Bind::Tcp(parse_address(address)?),
        (Some(_), Some(_)) => return Err(PyValueError::new_err("give unix or tcp, not both")),
    };
    options.threads = threads;
    options.chdir = chdir.map(Into::into);
    options.python_path = python_path.into_iter().map(Into::into).collect();
    options.script_name = script_name;
    options.log.file = log_file.map(Into::into);
    options.log.level = log_level;
    options.log.json = log_json;
    options.stderr_to_server = stderr_to_server;
    options.buffer_body = buffer_body;
    options.limits.body_len = max_body;
    if let Some(connections) = max_connections {
        options.limits.connections = connections;
    }
    if let Some(seconds) = read_timeout {
        options.limits.read_timeout = Some(timeout("read_timeout", seconds)?);
    }
    if let Some(seconds) = write_timeout {
        options.limits.write_timeout = Some(timeout("write_timeout", seconds)?);
    }
    let served = match app.extract::<String>() {
        Ok(name) => {
            options.app = name;
            fcgi_gateway::serve(&options)
        }
        Err(_) => fcgi_gateway::serve_callable(app, &options),
    };
    served.map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

/// A time to wait in seconds.
fn timeout(name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| {
            PyValueError::new_err(format!("{name} is {seconds}, which is no time in seconds"))
        })
}

/// An address; a port alone is one of this machine only.
fn parse_address(text: &str) -> PyResult<SocketAddr> {
    let address = match text.trim_start_matches(':').parse::<u16>() {
        Ok(port) => Some(([127, 0, 0, 1], port).into()),
        Err(_) => text.parse().ok(),
    };
    address.ok_or_else(|| {
        PyValueError::new_err(format!(
            "{text:?} is neither a port nor ADDRESS:PORT, such as 127.0.0.1:9000"
        ))
    })
}
