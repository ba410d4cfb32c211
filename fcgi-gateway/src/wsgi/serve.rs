//! Serving a WSGI application from start to end.

use std::sync::Arc;

use camino::Utf8PathBuf;
use pyo3::prelude::*;

use super::app::WsgiApplication;
use super::errors::Errors;
use super::load::{LoadOptions, load_application, native};
use super::modules;
use super::signals::Signals;
use super::stacks::Stacks;
use super::supervise::{supervise, ticket};
use crate::log::{self, LogFile, LogGuard};
use crate::reload::{Watcher, Watching};
use crate::supervisor::{FromWorker, Membership};
use crate::{Bind, Error, Retire, ServeOptions, ServerOptions, Shutdown};

/// Serves the application that the options name, until a signal or the end of the connection on file descriptor 0 ends it.
///
/// The log is opened before anything else can fail, and every failure is written there, with Python's traceback where there
/// is one. The interpreter must be initialised; the calling thread becomes the first worker, and where it is Python's main
/// thread, SIGTERM and SIGINT end the serving after the running requests.
///
/// With [`Processes::count`](crate::Processes::count) this process does not load the application, but starts others that do,
/// keeps them running, and has SIGHUP replace them.
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
    let mut options = options.clone();
    options.processes.command.clear();
    serve_found(callable.py(), &options, || Ok(callable.clone()))
}

fn serve_found<'py>(
    py: Python<'py>,
    options: &ServeOptions,
    find: impl FnOnce() -> Result<Bound<'py, PyAny>, Error>,
) -> Result<(), Error> {
    let log = log::init(&options.log)?;
    let outcome = ticket(py).and_then(|ticket| match (ticket, options.processes.count) {
        (None, Some(count)) => supervise(py, options, count, &|| reopen(log.file())),
        (Some(ticket), _) => Membership::take(&ticket)
            .and_then(|membership| serve_logged(py, options, &log, Some(&membership), find)),
        (None, None) => serve_logged(py, options, &log, None, find),
    });
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
    membership: Option<&Membership>,
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
    if let Some(membership) = membership {
        membership.obey(&shutdown, options.processes.graceful_timeout)?;
    }
    let mut server_options = ServerOptions {
        threads: options.threads,
        limits: options.limits,
        shutdown: Some(shutdown.clone()),
        ..ServerOptions::default()
    };
    if let Some(membership) = membership {
        server_options.scoreboard = Arc::clone(&membership.scoreboard);
        let slot = membership.scoreboard.own();
        slot.start(
            std::process::id(),
            membership.generation,
            options.threads.max(1),
        );
    }
    server_options.retire = retire(options, membership, &shutdown);
    options.observe(&mut server_options);
    server_options.watch.grace = options.processes.graceful_timeout;
    let access_log = server_options.access_log.as_ref();
    let files = [
        log.file().cloned(),
        access_log.map(|log| log.file().clone()),
    ];
    shutdown.on_reopen(move || files.iter().for_each(|file| reopen(file.as_ref())));
    let stacks = server_options.watch.is_on().then(|| Stacks::register(py));
    let stacks = stacks.transpose().map_err(python_failed)?;
    // A supervisor has opened the socket, and left it on file descriptor 0.
    let server = match membership {
        Some(_) => Bind::Auto.server(server_options)?,
        None => options.bind.server(server_options)?,
    };
    // Files are looked at before they are loaded, so that no change is missed.
    let watcher = watcher(options, membership)?;
    replace_missing_streams(py).map_err(python_failed)?;
    let callable = find()?;
    let application = WsgiApplication::new(&callable)
        .script_name(options.script_name.clone())
        .concurrency(
            options.threads > 1,
            membership.is_some() || options.bind.is_shared(),
        )
        .stderr_to_server(options.stderr_to_server)
        .buffer_body(options.buffer_body)
        .stacks(stacks);
    let signals = Signals::install(py, &shutdown).map_err(python_failed)?;
    tracing::info!(
        on = server.describe(),
        threads = options.threads.max(1),
        "serving"
    );
    let watching = watcher.map(|watcher| watch(watcher, membership, &shutdown));
    let watching = watching.transpose()?;
    if let Some(membership) = membership {
        membership.begin();
    }
    let outcome = py.detach(|| server.run(&application));
    drop(watching);
    let restored = signals.restore(py);
    outcome.and(restored)
}

fn reopen(file: Option<&LogFile>) {
    if let Some(file) = file {
        file.reopen();
    }
}

/// What ends this process after its last request, where it has one.
fn retire(
    options: &ServeOptions,
    membership: Option<&Membership>,
    shutdown: &Shutdown,
) -> Option<Retire> {
    let requests = options.processes.last_request()?;
    let then: Arc<dyn Fn() + Send + Sync> = match membership {
        Some(membership) => {
            let membership = membership.clone();
            Arc::new(move || {
                tracing::info!("{requests} requests are served: another worker is asked for");
                membership.tell(FromWorker::Exhausted);
            })
        }
        None => {
            let shutdown = shutdown.clone();
            Arc::new(move || {
                tracing::info!(
                    "{requests} requests are served: the Web server may start another process"
                );
                shutdown.request();
            })
        }
    };
    Some(Retire { requests, then })
}

/// What looks at the application's files. Of several workers one does.
fn watcher(
    options: &ServeOptions,
    membership: Option<&Membership>,
) -> Result<Option<Watcher>, Error> {
    if membership.is_some_and(|membership| membership.seat != 0) {
        return Ok(None);
    }
    let variable = |name: &str| std::env::var(name).ok();
    let current = std::env::current_dir()?;
    let current = Utf8PathBuf::from_path_buf(current).unwrap_or_else(|_| ".".into());
    let folder = options.chdir.as_deref().map(native).unwrap_or_default();
    let reload = options.processes.reload.clone().or_environment(&variable);
    reload.watcher(&current.join(folder))
}

/// Has changed files replace the workers, or without a supervisor end this process.
fn watch(
    watcher: Watcher,
    membership: Option<&Membership>,
    shutdown: &Shutdown,
) -> Result<Watching, Error> {
    let (membership, shutdown) = (membership.cloned(), shutdown.clone());
    Watching::start(watcher, modules::files, move |changed| {
        let names = changed.iter().map(|path| path.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        match &membership {
            Some(membership) => {
                tracing::info!("changed: {names}");
                membership.tell(FromWorker::Changed);
                true
            }
            None => {
                tracing::info!(
                    "changed: {names}. This process ends after the running requests; the Web server starts another one"
                );
                shutdown.request();
                false
            }
        }
    })
}

pub(super) fn python_failed(exception: PyErr) -> Error {
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
