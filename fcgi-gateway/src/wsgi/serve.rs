//! Serving a WSGI application from start to end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use pyo3::prelude::*;

use super::app::WsgiApplication;
use super::load::{LoadOptions, load_application, native};
use super::signals::Signals;
use super::stacks::Stacks;
use super::supervise::{FromWorker, Membership, supervise, ticket};
use super::wfastcgi::{AppSettings, Site};
use super::{modules, standard_streams};
use crate::log::{self, CurrentFile, LogFile, LogGuard};
use crate::reload::{Reload, Watcher, Watching};
use crate::{Application, Bind, Error, Retire, ServeOptions, Server, ServerOptions, Shutdown};

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
        let find = || load_application(py, &options.app, &load_options);
        serve_what(py, options, What::Application(Box::new(find)))
    })
}

/// Serves the application of a site as wfastcgi did: the handler that the variable `WSGI_HANDLER` names, which `appSettings`
/// of the site's `web.config` may set, as it may set every other variable; `app_settings` reads them. The site's folder is
/// [`ServeOptions::chdir`], else the variable `APPL_PHYSICAL_PATH`; else, under [`Bind::Auto`], what the first request says in its
/// parameter of that name: the application is loaded then. [`ServeOptions::app`] is not looked at.
///
/// # Errors
/// Whatever keeps it from serving. An application that cannot be loaded once a request has named the site is not among it: the
/// request is answered with status 500, and the next one tries again.
pub fn serve_wfastcgi(options: &ServeOptions, app_settings: AppSettings<'_>) -> Result<(), Error> {
    Python::attach(|py| serve_what(py, options, What::Site(app_settings)))
}

/// Serves an application that is loaded already, as [`serve`] does; of the options, those that say what to load and where are
/// not looked at.
///
/// # Errors
/// Whatever keeps it from serving.
pub fn serve_callable(callable: &Bound<'_, PyAny>, options: &ServeOptions) -> Result<(), Error> {
    let mut options = options.clone();
    options.processes.command.clear();
    let find = || Ok(callable.clone());
    serve_what(callable.py(), &options, What::Application(Box::new(find)))
}

/// What is served.
enum What<'a, 'py> {
    /// An application that is found before anything is served.
    Application(Box<dyn FnOnce() -> Result<Bound<'py, PyAny>, Error> + 'a>),
    /// The application of a site that the first request may have to name.
    Site(AppSettings<'a>),
}

fn serve_what<'py>(
    py: Python<'py>,
    options: &ServeOptions,
    what: What<'_, 'py>,
) -> Result<(), Error> {
    let log = log::init(&options.log)?;
    let outcome = ticket(py).and_then(|ticket| match (ticket, options.processes.count) {
        (None, Some(count)) => supervise(py, options, count, &|| {
            reopen(log.file().map(CurrentFile::get).as_ref());
        }),
        (Some(ticket), _) => Membership::take(&ticket)
            .and_then(|membership| serve_logged(py, options, &log, Some(&membership), what)),
        (None, None) => serve_logged(py, options, &log, None, what),
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
    what: What<'_, 'py>,
) -> Result<(), Error> {
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(
        version,
        pid = std::process::id(),
        log = log.path().as_ref().map(tracing::field::display),
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
        server_options.scoreboard = Arc::clone(membership.scoreboard());
        let slot = membership.scoreboard().own();
        slot.start(
            std::process::id(),
            membership.generation(),
            options.threads.max(1),
        );
    }
    server_options.retire = retire(options, membership, &shutdown);
    options.observe(&mut server_options);
    server_options.watch.grace = options.processes.graceful_timeout;
    let access_log = server_options.access_log.as_ref();
    let (log_file, access_log) = (
        log.file().cloned(),
        access_log.map(|log| log.file().clone()),
    );
    shutdown.on_reopen(move || {
        reopen(log_file.as_ref().map(CurrentFile::get).as_ref());
        reopen(access_log.as_ref());
    });
    let stacks = server_options.watch.is_on().then(|| Stacks::register(py));
    let stacks = stacks.transpose().map_err(python_failed)?;
    // A supervisor has opened the socket, and left it on file descriptor 0.
    let server = match membership {
        Some(_) => Bind::Auto.server(server_options)?,
        None => options.bind.server(server_options)?,
    };
    standard_streams::replace(py, options.bind == Bind::Auto).map_err(python_failed)?;
    let serving = Serving {
        options,
        log,
        membership,
        shutdown,
        stacks: Mutex::new(stacks),
        watching: Mutex::default(),
    };
    match what {
        What::Application(find) => {
            let current = std::env::current_dir()?;
            let current = Utf8PathBuf::from_path_buf(current).unwrap_or_else(|_| ".".into());
            let folder = options.chdir.as_deref().map(native).unwrap_or_default();
            let variable = |name: &str| std::env::var(name).ok();
            let reload = options.processes.reload.clone().or_environment(&variable);
            // Files are looked at before they are loaded, so that no change is missed.
            let watcher = serving.watcher(&reload, &current.join(folder))?;
            let application = serving.application(&find()?, options.script_name.clone());
            serving.run(py, &server, &application, watcher)
        }
        What::Site(app_settings) => {
            let site = Site::new(&serving, app_settings);
            site.load_if_known(py)?;
            serving.run(py, &server, &site, None)
        }
    }
}

/// What serving goes on with.
pub(super) struct Serving<'a> {
    pub(super) options: &'a ServeOptions,
    pub(super) log: &'a LogGuard,
    membership: Option<&'a Membership>,
    shutdown: Shutdown,
    /// Until the application has them.
    stacks: Mutex<Option<Stacks>>,
    watching: Mutex<Option<Watching>>,
}

impl Serving<'_> {
    /// The application `callable`, mounted at `script_name` as far as is known.
    pub(super) fn application(
        &self,
        callable: &Bound<'_, PyAny>,
        script_name: Option<String>,
    ) -> WsgiApplication {
        let options = self.options;
        WsgiApplication::new(callable)
            .script_name(script_name)
            .concurrency(
                options.threads > 1,
                self.membership.is_some() || options.bind.is_shared(),
            )
            .stderr_to_server(options.stderr_to_server)
            .buffer_body(options.buffer_body)
            .stacks(lock(&self.stacks).take())
    }

    /// What looks at the application's files. Of several workers one does.
    pub(super) fn watcher(
        &self,
        reload: &Reload,
        folder: &Utf8Path,
    ) -> Result<Option<Watcher>, Error> {
        if self
            .membership
            .is_some_and(|membership| membership.seat() != 0)
        {
            return Ok(None);
        }
        reload.watcher(folder)
    }

    /// Has changed files replace the workers, or without a supervisor end this process.
    pub(super) fn watch(&self, watcher: Option<Watcher>) -> Result<(), Error> {
        let watching = watcher.map(|watcher| watch(watcher, self.membership, &self.shutdown));
        *lock(&self.watching) = watching.transpose()?;
        Ok(())
    }

    fn run(
        &self,
        py: Python<'_>,
        server: &Server,
        application: &impl Application,
        watcher: Option<Watcher>,
    ) -> Result<(), Error> {
        #[cfg(target_os = "linux")]
        crate::program_text::let_go();
        let signals = Signals::install(py, &self.shutdown).map_err(python_failed)?;
        tracing::info!(
            on = server.describe(),
            threads = self.options.threads.max(1),
            "serving"
        );
        if watcher.is_some() {
            self.watch(watcher)?;
        }
        if let Some(membership) = self.membership {
            membership.begin();
        }
        let outcome = py.detach(|| server.run(application));
        drop(lock(&self.watching).take());
        let restored = signals.restore(py);
        outcome.and(restored)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    let then: Arc<dyn Fn() + Send + Sync> = match membership.cloned() {
        Some(membership) => Arc::new(move || {
            tracing::info!("{requests} requests are served: another worker is asked for");
            membership.tell(FromWorker::Exhausted);
        }),
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
