//! Serving a WSGI application from start to end.

use pyo3::prelude::*;

use super::app::WsgiApplication;
use super::errors::Errors;
use super::load::{LoadOptions, load_application};
use super::signals::Signals;
use crate::log::{self, LogGuard};
use crate::{Error, ServeOptions, ServerOptions, Shutdown};

/// Serves the application that the options name, until a signal or the end of the connection on file descriptor 0 ends it.
///
/// The log is opened before anything else can fail, and every failure is written there, with Python's traceback where there
/// is one. The interpreter must be initialised; the calling thread becomes the first worker, and where it is Python's main
/// thread, SIGTERM and SIGINT end the serving after the running requests.
///
/// # Errors
/// Whatever keeps it from serving.
pub fn serve(options: &ServeOptions) -> Result<(), Error> {
    let load_options = LoadOptions {
        chdir: options.chdir.clone(),
        python_path: options.python_path.clone(),
    };
    Python::attach(|py| {
        serve_found(py, options, || {
            load_application(py, &options.app, &load_options)
        })
    })
}

/// Serves an application that is loaded already, as [`serve`] does; of the options, those that say what to load and where are
/// not looked at.
///
/// # Errors
/// Whatever keeps it from serving.
pub fn serve_callable(callable: &Bound<'_, PyAny>, options: &ServeOptions) -> Result<(), Error> {
    serve_found(callable.py(), options, || Ok(callable.clone()))
}

fn serve_found<'py>(
    py: Python<'py>,
    options: &ServeOptions,
    find: impl FnOnce() -> Result<Bound<'py, PyAny>, Error>,
) -> Result<(), Error> {
    let log = log::init(&options.log)?;
    let outcome = serve_logged(py, options, &log, find);
    match &outcome {
        Ok(()) => tracing::info!("stopped"),
        Err(error) => log.fatal(&error.to_string()),
    }
    outcome
}

fn serve_logged<'py>(
    py: Python<'py>,
    options: &ServeOptions,
    log: &LogGuard,
    find: impl FnOnce() -> Result<Bound<'py, PyAny>, Error>,
) -> Result<(), Error> {
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(
        version,
        pid = std::process::id(),
        log = log.path().map(tracing::field::display),
        app = options.app,
        "starting"
    );
    let shutdown = Shutdown::new()?;
    let server_options = ServerOptions {
        threads: options.threads,
        limits: options.limits,
        shutdown: Some(shutdown.clone()),
    };
    let server = options.bind.server(server_options)?;
    replace_missing_streams(py).map_err(python_failed)?;
    let callable = find()?;
    let application = WsgiApplication::new(&callable)
        .script_name(options.script_name.clone())
        .concurrency(options.threads > 1, options.bind.is_shared())
        .stderr_to_server(options.stderr_to_server)
        .buffer_body(options.buffer_body);
    let signals = Signals::install(py, &shutdown).map_err(python_failed)?;
    tracing::info!(
        on = server.describe(),
        threads = options.threads.max(1),
        "serving"
    );
    let outcome = py.detach(|| server.run(&application));
    let restored = signals.restore(py);
    outcome.and(restored)
}

fn python_failed(exception: PyErr) -> Error {
    Error::Application {
        message: exception.to_string(),
    }
}

/// A process that IIS starts has no standard output and error; what the application prints goes to the log then.
fn replace_missing_streams(py: Python<'_>) -> PyResult<()> {
    let sys = py.import("sys")?;
    for name in ["stdout", "stderr"] {
        if sys.getattr(name)?.is_none() {
            sys.setattr(name, Bound::new(py, Errors::of_process())?)?;
        }
    }
    Ok(())
}
