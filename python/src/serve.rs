//! `iiswsgi.serve()`: the gateway for an application that Python code has at hand, or names.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use camino::Utf8PathBuf;
use fcgi_gateway::listener::Owner;
use fcgi_gateway::{AccessLogFormat, Bind, ServeOptions};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Serves a WSGI application over FastCGI until a signal, or the end of the connection on file descriptor 0, ends it.
///
/// `app` is a WSGI callable or a name as the command takes it. Without `unix` (the path of a socket) and `tcp` (a port or
/// ADDRESS:PORT), the socket on file descriptor 0 is served. The other options are the command's; times are in seconds, sizes
/// in octets. With `processes`, `app` has to be a name, since other processes load it.
#[pyfunction]
#[pyo3(
    signature = (app, **options),
    text_signature = "(app, *, unix=None, unix_mode=None, unix_owner=None, tcp=None, threads=1, processes=None, \
        graceful_timeout=30, max_requests=None, max_requests_jitter=0, reload=False, reload_root=(), reload_file=(), \
        chdir=None, python_path=(), script_name=None, log_file=None, log_level=None, log_json=False, \
        log_max_size=10485760, log_keep=5, access_log=None, access_log_format='combined', request_id_header=None, \
        stderr_to_server=False, slow_request=None, ping_path=None, status_path=None, buffer_body=None, max_body=None, \
        max_connections=10000, queue=None, request_timeout=None, header_timeout=60, idle_timeout=None, \
        read_timeout=60, write_timeout=60, impersonate=False)"
)]
pub(crate) fn serve(app: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    let py = app.py();
    let mut found = ServeOptions::default();
    let mut socket = Socket::default();
    for (name, value) in options.into_iter().flatten() {
        let name: String = name.extract()?;
        // None is what is not said.
        if !set(&mut found, &mut socket, &name, &value)
            .map_err(|error| name_it(py, &name, error))?
        {
            return Err(PyTypeError::new_err(format!(
                "serve() got an unexpected keyword argument '{name}'"
            )));
        }
    }
    found.bind = socket.bind()?;
    let served = match app.extract::<String>() {
        Ok(name) => {
            found.app = name;
            if found.processes.count.is_some() {
                found.processes.command = worker_command(app, options)?;
            }
            fcgi_gateway::serve(&found)
        }
        Err(_) => fcgi_gateway::serve_callable(app, &found),
    };
    served.map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

/// What says where to listen.
#[derive(Default)]
struct Socket {
    unix: Option<String>,
    mode: Option<u32>,
    owner: Option<Owner>,
    tcp: Option<SocketAddr>,
}

impl Socket {
    fn bind(self) -> PyResult<Bind> {
        match (self.unix, self.tcp) {
            (None, None) => Ok(Bind::Auto),
            (Some(path), None) => Ok(Bind::Unix {
                path: path.into(),
                mode: self.mode,
                owner: self.owner,
            }),
            (None, Some(address)) => Ok(Bind::Tcp(address)),
            (Some(_), Some(_)) => Err(PyValueError::new_err("give unix or tcp, not both")),
        }
    }
}

/// Sets an option; `false` where there is none of that name.
fn set(
    options: &mut ServeOptions,
    socket: &mut Socket,
    name: &str,
    value: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let (processes, limits) = (&mut options.processes, &mut options.limits);
    match name {
        "unix" => socket.unix = value.extract()?,
        "unix_mode" => socket.mode = value.extract()?,
        "unix_owner" => {
            let owner: Option<String> = value.extract()?;
            let owner = owner.as_deref().map(Owner::parse).transpose();
            socket.owner = owner.map_err(PyValueError::new_err)?;
        }
        "tcp" => {
            let address: Option<String> = value.extract()?;
            socket.tcp = address.as_deref().map(parse_address).transpose()?;
        }
        "threads" => options.threads = value.extract()?,
        "processes" => processes.count = count(name, value)?,
        "graceful_timeout" => {
            processes.graceful_timeout =
                seconds(name, value)?.unwrap_or(processes.graceful_timeout);
        }
        "max_requests" => processes.max_requests = count(name, value)?,
        "max_requests_jitter" => processes.max_requests_jitter = value.extract()?,
        "reload" => processes.reload.enabled |= value.extract::<bool>()?,
        "reload_root" => {
            processes.reload.roots = paths(value)?;
            processes.reload.enabled |= !processes.reload.roots.is_empty();
        }
        "reload_file" => processes.reload.files = paths(value)?,
        "chdir" => options.chdir = path(value)?,
        "python_path" => options.python_path = paths(value)?,
        "script_name" => options.script_name = value.extract()?,
        "log_file" => options.log.file = path(value)?,
        "log_level" => options.log.level = value.extract()?,
        "log_json" => options.log.json = value.extract()?,
        "log_max_size" => options.log.rotation.max_size = value.extract()?,
        "log_keep" => options.log.rotation.keep = value.extract()?,
        "access_log" => options.access_log = path(value)?,
        "access_log_format" => options.access_log_format = access_log_format(value)?,
        "request_id_header" => options.request_id_header = value.extract()?,
        "stderr_to_server" => options.stderr_to_server = value.extract()?,
        "impersonate" => options.impersonate = value.extract()?,
        "slow_request" => options.slow_request = seconds(name, value)?,
        "ping_path" => options.ping_path = value.extract()?,
        "status_path" => options.status_path = value.extract()?,
        "buffer_body" => options.buffer_body = value.extract()?,
        "max_body" => limits.body_len = value.extract()?,
        "max_connections" => {
            limits.connections = value.extract::<Option<_>>()?.unwrap_or(limits.connections);
        }
        "queue" => limits.queue = value.extract()?,
        "request_timeout" => options.request_timeout = seconds(name, value)?,
        "header_timeout" => limits.header_timeout = seconds(name, value)?.or(limits.header_timeout),
        "idle_timeout" => limits.idle_timeout = seconds(name, value)?,
        "read_timeout" => limits.read_timeout = seconds(name, value)?.or(limits.read_timeout),
        "write_timeout" => limits.write_timeout = seconds(name, value)?.or(limits.write_timeout),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Says which argument has the wrong type.
fn name_it(py: Python<'_>, name: &str, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyTypeError>(py) {
        PyTypeError::new_err(format!("argument '{name}': {}", error.value(py)))
    } else {
        error
    }
}

fn path(value: &Bound<'_, PyAny>) -> PyResult<Option<Utf8PathBuf>> {
    Ok(value.extract::<Option<String>>()?.map(Into::into))
}

fn paths(value: &Bound<'_, PyAny>) -> PyResult<Vec<Utf8PathBuf>> {
    let paths: Vec<String> = value.extract()?;
    Ok(paths.into_iter().map(Into::into).collect())
}

/// A number of things, at least one.
fn count<T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr> + Default + PartialEq>(
    name: &str,
    value: &Bound<'_, PyAny>,
) -> PyResult<Option<T>> {
    let count: Option<T> = value.extract()?;
    if count.as_ref().is_some_and(|count| *count == T::default()) {
        return Err(PyValueError::new_err(format!(
            "{name} has to be at least 1"
        )));
    }
    Ok(count)
}

fn access_log_format(value: &Bound<'_, PyAny>) -> PyResult<AccessLogFormat> {
    match &*value.extract::<String>()? {
        "common" => Ok(AccessLogFormat::Common),
        "combined" => Ok(AccessLogFormat::Combined),
        "json" => Ok(AccessLogFormat::Json),
        other => Err(PyValueError::new_err(format!(
            "access_log_format is {other:?}, not common, combined or json"
        ))),
    }
}

/// How a worker is started: this call once more, in an interpreter of its own.
fn worker_command(
    app: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vec<OsString>> {
    let py = app.py();
    let sys = py.import("sys")?;
    let options = match options {
        Some(options) => options.copy()?,
        None => PyDict::new(py),
    };
    options.set_item("app", app)?;
    // The folder of the script that calls us, where its modules are; an interpreter that runs code by itself has none.
    let script_folder: Option<String> = sys.getattr("path")?.get_item(0)?.extract().ok();
    if let Some(folder) = script_folder.filter(|folder| !folder.is_empty()) {
        let mut path: Vec<String> = match options.get_item("python_path")? {
            Some(path) => path.extract()?,
            None => Vec::new(),
        };
        path.push(folder);
        options.set_item("python_path", path)?;
    }
    let json: String = py
        .import("json")?
        .call_method1("dumps", (options,))?
        .extract()?;
    let executable: String = sys.getattr("executable")?.extract()?;
    let code = "import json, sys, iiswsgi; iiswsgi.serve(**json.loads(sys.argv[1]))";
    Ok([executable, "-c".to_owned(), code.to_owned(), json]
        .map(OsString::from)
        .to_vec())
}

/// A time to wait in seconds.
fn seconds(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    let Some(seconds) = value.extract::<Option<f64>>()? else {
        return Ok(None);
    };
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| {
            PyValueError::new_err(format!("{name} is {seconds}, which is no time in seconds"))
        })
        .map(Some)
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
