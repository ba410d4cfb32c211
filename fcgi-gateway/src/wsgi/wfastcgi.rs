//! A site that was served by wfastcgi (wfastcgi 3.0.0's description, "Usage" and "Additional Configuration").
//!
//! Its settings are variables: of the process, or in `appSettings` of the `web.config` in the site's folder, which counts
//! more and is made part of `os.environ`. The process learns that folder from its first request where the Web server has
//! started it. It serves that one site: a
//! request of another one, which IIS sends where two sites share an application pool and a command line, is refused.

use std::sync::{Mutex, OnceLock, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::app::WsgiApplication;
use super::environ::latin1;
use super::load::{LoadOptions, load_application, native};
use super::serve::{Serving, python_failed};
use super::{signals, stacks};
use crate::reload::Watcher;
use crate::{Application, Bind, Error, Request, Response};

/// Reads the settings, names and values, in `appSettings` of the `web.config` in a folder; none where there is no such file.
pub type AppSettings<'a> = &'a (dyn Fn(&Utf8Path) -> Result<Vec<(String, String)>, String> + Sync);

/// The variable that names the application.
const HANDLER: &str = "WSGI_HANDLER";

/// The parameter and variable that names the site's folder.
const FOLDER: &str = "APPL_PHYSICAL_PATH";

/// What wfastcgi did and this does not, with what does it today.
const UNSUPPORTED: [(&str, &str); 3] = [
    (
        "WSGI_PTVSD_SECRET",
        "no debugger is started; use debugpy: `import debugpy; debugpy.listen(5678)` in the application",
    ),
    (
        "WSGI_PTVSD_ADDRESS",
        "no debugger is started; use debugpy, and name the address to `debugpy.listen`",
    ),
    (
        "APPINSIGHTS_INSTRUMENTATIONKEY",
        "nothing is sent to Application Insights; use azure-monitor-opentelemetry in the application, with APPLICATIONINSIGHTS_CONNECTION_STRING",
    ),
];

/// Django's handler of old, which today needs the set-up that the function does.
const DJANGO: (&str, &str) = (
    "django.core.handlers.wsgi.WSGIHandler()",
    "django.core.wsgi.get_wsgi_application()",
);

/// An application that is loaded when it is known which.
pub(super) struct Site<'a> {
    serving: &'a Serving<'a>,
    app_settings: AppSettings<'a>,
    /// One thread loads it.
    loading: Mutex<()>,
    loaded: OnceLock<Loaded>,
}

struct Loaded {
    application: WsgiApplication,
    /// The folder, where a request has said it.
    said: Option<String>,
}

impl<'a> Site<'a> {
    pub(super) const fn new(serving: &'a Serving<'a>, app_settings: AppSettings<'a>) -> Self {
        Self {
            serving,
            app_settings,
            loading: Mutex::new(()),
            loaded: OnceLock::new(),
        }
    }

    /// Loads the application where the folder is known without a request.
    pub(super) fn load_if_known(&self, py: Python<'_>) -> Result<(), Error> {
        let folder = match &self.serving.options.chdir {
            Some(folder) => Some(folder.clone()),
            None => variable(py, FOLDER)?.map(Utf8PathBuf::from),
        };
        let Some(folder) = folder else {
            if self.serving.options.bind != Bind::Auto {
                // What a Web server starts has no other peer. Whoever can reach a socket of our own would choose the code
                // that runs.
                return Err(Error::Load {
                    spec: HANDLER.to_owned(),
                    message: format!(
                        "it is not said which folder the site is in, and on a socket of its own the gateway does not take a request's word for it; name the folder with `--chdir`, or in the variable {FOLDER}"
                    ),
                });
            }
            tracing::info!("the first request says which site this is");
            return Ok(());
        };
        let application = self.load(py, &folder)?;
        let said = None;
        // Nothing else is running yet.
        let _ = self.loaded.set(Loaded { application, said });
        Ok(())
    }

    /// The application that a request is for.
    fn of_request(&self, request: &Request<'_>) -> Result<&Loaded, Error> {
        let said = request.param(FOLDER).filter(|folder| !folder.is_empty());
        let said = said.map(|folder| {
            String::from_utf8(folder.to_vec()).unwrap_or_else(|_| latin1(folder).into_owned())
        });
        let loaded = match self.loaded.get() {
            Some(loaded) => loaded,
            None => self.load_for(said.clone())?,
        };
        match (&loaded.said, said) {
            (Some(ours), Some(said)) if !is_same_folder(ours, &said) => Err(Error::Load {
                spec: HANDLER.to_owned(),
                message: format!(
                    "this process serves `{ours}`, and the request is for `{said}`: both sites have the same `fullPath` and `arguments` in one application pool. Give each a FastCGI application of its own, for example by `--chdir` and its folder behind the arguments, or an application pool of its own"
                ),
            }),
            _ => Ok(loaded),
        }
    }

    fn load_for(&self, said: Option<String>) -> Result<&Loaded, Error> {
        let _alone = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let folder = said.as_deref().unwrap_or(".");
        let application = Python::attach(|py| self.load(py, Utf8Path::new(folder)))?;
        Ok(self.loaded.get_or_init(|| Loaded { application, said }))
    }

    fn load(&self, py: Python<'_>, folder: &Utf8Path) -> Result<WsgiApplication, Error> {
        let failed = |message| Error::Load {
            spec: HANDLER.to_owned(),
            message,
        };
        let options = self.serving.options;
        let folder = native(folder);
        let folder = camino::absolute_utf8(&folder)?;
        let settings = (self.app_settings)(&folder).map_err(failed)?;
        let python_path = settings
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("PYTHONPATH"))
            .map(|(_, value)| value.clone());
        export(py, settings).map_err(python_failed)?;
        if let (Some(path), None) = (variable(py, "WSGI_LOG")?, &options.log.file) {
            let log = self.serving.log;
            log.move_to(
                &folder.join(native(Utf8Path::new(&path))),
                options.log.rotation,
            );
        }
        for (name, instead) in UNSUPPORTED {
            if variable(py, name)?.is_some() {
                tracing::warn!("{name} is not supported: {instead}");
            }
        }
        if let Some(python_path) = python_path {
            append_path(py, &python_path).map_err(python_failed)?;
        }
        let Some(mut handler) = variable(py, HANDLER)? else {
            return Err(failed(format!(
                "it is not set, neither in the environment nor in `appSettings` of `{}`: add `<add key=\"{HANDLER}\" value=\"module.callable\" />` there",
                folder.join("web.config")
            )));
        };
        if handler.trim() == DJANGO.0 {
            tracing::info!(
                "{HANDLER} is `{handler}`; `{}`, which sets Django up first, is taken",
                DJANGO.1
            );
            DJANGO.1.clone_into(&mut handler);
        }
        // Files are looked at before they are loaded, so that no change is missed.
        let watcher = self.watcher(py, &folder)?;
        let load_options = LoadOptions {
            chdir: Some(folder),
            python_path: options.python_path.clone(),
        };
        let callable = load_application(py, &handler, &load_options)?;
        let script_name = match &options.script_name {
            Some(script_name) => Some(script_name.clone()),
            None => mount(py)?,
        };
        self.serving.watch(watcher)?;
        tracing::info!(folder = %load_options.chdir.unwrap_or_default(), handler, "loaded");
        let application = self.serving.application(&callable, script_name);
        Ok(application.wfastcgi(true))
    }

    /// wfastcgi watched files unless its variable was set and empty.
    fn watcher(&self, py: Python<'_>, folder: &Utf8Path) -> Result<Option<Watcher>, Error> {
        let mut reload = self.serving.options.processes.reload.clone();
        let pattern = setting(py, "WSGI_RESTART_FILE_REGEX")?;
        reload.enabled |= pattern.as_deref() != Some("");
        reload.pattern = reload
            .pattern
            .or_else(|| pattern.filter(|pattern| !pattern.is_empty()));
        match self.serving.watcher(&reload, folder) {
            Err(error @ Error::ReloadPattern { .. }) => {
                // Python's expressions know more than ours, and serving matters more.
                tracing::error!("files are not watched: {error}");
                Ok(None)
            }
            watcher => watcher,
        }
    }
}

/// Where the application is mounted: what SCRIPT_NAME says, else at the root, whatever IIS knows, since sites have come to rely
/// on it; unless they have the variable by which wfastcgi took IIS's word.
fn mount(py: Python<'_>) -> Result<Option<String>, Error> {
    let said = variable(py, "SCRIPT_NAME")?;
    let takes_iis_word = setting(py, "AllowPathInfoForScriptMappings")?.is_some();
    Ok(said.or_else(|| (!takes_iis_word).then(String::new)))
}

/// A variable of `os.environ` that is set and not empty.
fn variable(py: Python<'_>, name: &str) -> Result<Option<String>, Error> {
    Ok(setting(py, name)?.filter(|value| !value.is_empty()))
}

/// A variable of `os.environ`.
fn setting(py: Python<'_>, name: &str) -> Result<Option<String>, Error> {
    let get = || {
        let environ = py.import("os")?.getattr("environ")?;
        environ.call_method1("get", (name,))?.extract()
    };
    get().map_err(python_failed)
}

fn export(py: Python<'_>, settings: Vec<(String, String)>) -> PyResult<()> {
    let environ = py.import("os")?.getattr("environ")?;
    for (name, value) in settings {
        // What no environment can hold is no variable.
        if !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0') {
            environ.set_item(name, value)?;
        }
    }
    Ok(())
}

/// Puts the folders of PYTHONPATH, as web.config has it, at the end of `sys.path`: separated by `;`, with `%NAME%` for
/// variables.
fn append_path(py: Python<'_>, text: &str) -> PyResult<()> {
    let environ = py.import("os")?.getattr("environ")?;
    let expanded = expand(text, |name| {
        let value = environ.call_method1("get", (name, "")).ok()?;
        value.extract::<String>().ok()
    });
    let path = py.import("sys")?.getattr("path")?.cast_into::<PyList>()?;
    for folder in expanded.split(';').filter(|folder| !folder.is_empty()) {
        let folder = native(Utf8Path::new(folder)).into_string();
        if !path.contains(&folder)? {
            path.append(folder)?;
        }
    }
    Ok(())
}

/// The text with `%NAME%` replaced; a variable that is not set is nothing, and a percent sign that begins no name stays.
fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        expanded.push_str(before);
        let name = behind.split_once('%').filter(|(name, _)| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|sign| sign.is_alphanumeric() || sign == '_')
        });
        rest = match name {
            Some((name, behind)) => {
                expanded.push_str(&variable(name).unwrap_or_default());
                behind
            }
            None => {
                expanded.push('%');
                behind
            }
        };
    }
    expanded + rest
}

fn is_same_folder(one: &str, other: &str) -> bool {
    let plain = |path: &str| path.trim_end_matches(['\\', '/']).to_lowercase();
    plain(one) == plain(other)
}

impl Application for Site<'_> {
    fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
        self.of_request(request)?
            .application
            .handle(request, response)
    }

    fn run_worker(&self, worker: &mut (dyn FnMut() + Send)) {
        // The thread stays known to the interpreter all its life, so that threading.local() outlives a request.
        Python::attach(|py| py.detach(worker));
    }

    fn thread_ident(&self) -> Option<u64> {
        stacks::thread_ident()
    }

    fn stack(&self, thread: Option<u64>) -> Option<String> {
        stacks::logged_stack(thread)
    }

    fn stacks_at_once(&self) -> Option<String> {
        self.loaded.get()?.application.stacks_at_once()
    }

    fn interrupted(&self) {
        signals::check();
    }
}
