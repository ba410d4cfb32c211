//! One request to an application, in the Python that it is to run with: what iiswsgi 0.3's `test_msdeploy` did through
//! `paster request`.
//!
//! The application runs inside an interpreter that has the wheel: the one that runs this command, unless the application has
//! a virtual environment of its own. The `iiswsgi` program has none, and takes the first on the path.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iis_config::{WebConfig, command_line};
use python_dist::Pyproject;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::process::Process;
use crate::deploy::project::VIRTUAL_ENV;
use crate::deploy::virtual_env::PythonEnvironment;
#[cfg(not(feature = "python"))]
use crate::deploy::virtual_env::find_python;
use crate::error::{Error, Result};

/// The first status that says that the application has failed.
const SERVER_ERROR: u16 = 500;

/// How much of a body an error shows.
const SHOWN_BODY: usize = 2000;

/// A request to an application.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    /// The application's folder.
    pub(crate) folder: Utf8PathBuf,
    /// The application, as `iiswsgi serve` takes it.
    pub(crate) app: String,
    /// The Python to run it with; none chooses one.
    pub(crate) python: Option<Utf8PathBuf>,
    /// Whether the interpreter that runs us is the one, whatever the folder has.
    pub(crate) in_process: bool,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Utf8PathBuf>,
    /// The status that is expected; none accepts all below 500.
    pub(crate) status: Option<u16>,
}

/// What came of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tried {
    pub(crate) application: String,
    /// The request's method and path.
    pub(crate) request: String,
    /// Code and reason; empty where the application could not be loaded.
    pub(crate) status: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// What the application has written to `wsgi.errors`.
    pub(crate) errors: String,
    /// How the application has failed, with Python's traceback.
    pub(crate) failure: Option<String>,
    pub(crate) passed: bool,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.request, self.status)
    }
}

impl Trial {
    /// A request for `/`.
    pub(crate) fn new(folder: Utf8PathBuf, app: String) -> Self {
        Self {
            folder,
            app,
            python: None,
            in_process: false,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: Vec::new(),
            body: None,
            status: None,
        }
    }

    /// Makes the request.
    ///
    /// # Errors
    ///
    /// It could not be made. An application that fails is no error: see [`Tried::check`].
    pub(crate) fn run(&self, context: &Context) -> Result<Tried> {
        let own = PythonEnvironment::in_folder(&self.folder.join(VIRTUAL_ENV)).python;
        let python = self
            .python
            .clone()
            .or_else(|| own.is_file().then_some(own))
            .filter(|python| !self.in_process && !runs_us(python, context));
        let mut tried = match python {
            Some(python) => self.in_python(&python, context)?,
            None => self.in_this_python(context)?,
        };
        let code = status_code(&tried.status);
        tried.passed = tried.failure.is_none()
            && match (code, self.status) {
                (Some(code), Some(expected)) => code == expected,
                (Some(code), None) => code < SERVER_ERROR,
                (None, _) => false,
            };
        Ok(tried)
    }

    /// Starts this command in another interpreter, which has to have the wheel.
    fn in_python(&self, python: &Utf8Path, context: &Context) -> Result<Tried> {
        PythonEnvironment {
            python: python.to_owned(),
        }
        .need_gateway(context)?;
        context.detail(format_args!("testing with `{python}`"));
        let mut process = Process::new(python.as_str())
            .folder(&self.folder)
            .args(["-m", "iiswsgi", "--format", "json", "msdeploy", "test"])
            .args([self.folder.as_str(), "--in-process", "--app", &self.app])
            .args(["--method", &self.method, "--path", &self.path]);
        for (name, value) in &self.headers {
            process = process.args(["--header".to_owned(), format!("{name}: {value}")]);
        }
        if let Some(body) = &self.body {
            process = process.args(["--body", file::absolute(body)?.as_str()]);
        }
        let outcome = process.outcome(context)?;
        let tried = serde_json::from_str(&outcome.stdout).map_err(|_| process.failure(&outcome))?;
        if !outcome.stderr.trim().is_empty() {
            context.say(outcome.stderr.trim_end());
        }
        Ok(tried)
    }

    #[cfg(not(feature = "python"))]
    fn in_this_python(&self, context: &Context) -> Result<Tried> {
        self.in_python(&find_python(None, context)?, context)
    }

    #[cfg(feature = "python")]
    fn in_this_python(&self, _: &Context) -> Result<Tried> {
        use fcgi_gateway::wsgi::{LoadOptions, try_application};

        let mut request =
            fcgi_gateway::SimulatedRequest::new(self.method.as_str(), self.path.as_str());
        request.headers.clone_from(&self.headers);
        if let Some(body) = &self.body {
            request = request.body(fs::read(body)?);
        }
        let mut options = LoadOptions::default();
        options.chdir = Some(self.folder.clone());
        let mut tried = Tried {
            application: self.app.clone(),
            request: format!("{} {}", self.method, self.path),
            ..Tried::default()
        };
        match try_application(&self.app, &options, &request) {
            Ok(trial) => {
                tried.status = trial.response.head.status;
                tried.headers = trial.response.head.headers;
                tried.body = String::from_utf8_lossy(&trial.response.body).into_owned();
                tried.errors = String::from_utf8_lossy(&trial.response.stderr).into_owned();
                tried.failure = trial.failure;
            }
            Err(error) => tried.failure = Some(error.to_string()),
        }
        Ok(tried)
    }
}

impl Tried {
    /// Shows what the application has said, and fails where it has not passed.
    pub(crate) fn check(&self, expected: Option<u16>, context: &Context) -> Result<()> {
        if !self.errors.trim().is_empty() {
            context.say(self.errors.trim_end());
        }
        if self.passed {
            return Ok(());
        }
        let application = &self.application;
        if let Some(failure) = &self.failure {
            return Err(Error::new(format!(
                "`{application}` fails at {}: {}",
                self.request,
                failure.trim_end()
            ))
            .help("mend the application; the traceback says where it failed"));
        }
        let wanted = expected.map_or_else(
            || format!("a status below {SERVER_ERROR}"),
            |status| status.to_string(),
        );
        let shown: String = self.body.chars().take(SHOWN_BODY).collect();
        Err(Error::new(format!(
            "`{application}` answers {} with {}, not {wanted}",
            self.request, self.status
        ))
        .help(format!("its answer begins:\n{}", shown.trim_end())))
    }
}

fn status_code(status: &str) -> Option<u16> {
    status.split(' ').next()?.parse().ok()
}

/// Whether `python` is of the environment of the interpreter that runs us.
fn runs_us(python: &Utf8Path, context: &Context) -> bool {
    let folder = |python: &Utf8Path| file::canonical(python.parent()?).ok();
    let ours = context.host.python.as_deref().and_then(folder);
    ours.is_some() && ours == folder(python)
}

/// The application of a folder: what `[tool.iiswsgi]` says, else what its web.config has IIS start, else the only INI file
/// with an application in it.
pub(crate) fn find_app(folder: &Utf8Path, context: &Context) -> Result<Option<String>> {
    if let Some(source) = file::read_source_if_any(&folder.join("pyproject.toml"))? {
        let (pyproject, _) = Pyproject::parse(&source)?;
        if let Some(app) = pyproject.settings.application {
            context.detail(format_args!("pyproject.toml names the application `{app}`"));
            return Ok(Some(app));
        }
    }
    if let Some(source) = file::read_source_if_any(&folder.join("web.config"))? {
        let web_config = WebConfig::parse(&source)?;
        let handlers = web_config.handlers.added();
        let app = handlers
            .filter(|handler| handler.is_fast_cgi())
            .find_map(|handler| app_of_arguments(handler.script_processor_parts().1));
        if let Some(app) = app {
            context.detail(format_args!("web.config names the application `{app}`"));
            return Ok(Some(app));
        }
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let Ok(path) = Utf8PathBuf::from_path_buf(entry?.path()) else {
            continue;
        };
        if path.extension() == Some("ini") && has_application(&path) {
            files.extend(path.file_name().map(str::to_owned));
        }
    }
    files.sort();
    match files.as_slice() {
        [] => Ok(None),
        [one] => {
            context.detail(format_args!(
                "`{one}` is the only INI file with an application"
            ));
            Ok(Some(one.clone()))
        }
        several => Err(Error::new(format!(
            "`{folder}` has several INI files with an application: {}",
            several.join(", ")
        ))
        .help("name one with `--config`, or `application` in `[tool.iiswsgi]` of pyproject.toml")),
    }
}

/// The application of `-m iiswsgi serve APP …`, or the INI file of `paster serve -s egg:iiswsgi#iis FILE.ini`.
fn app_of_arguments(arguments: &str) -> Option<String> {
    let words = command_line::split(arguments);
    let mut behind = words.into_iter().skip_while(|word| word != "serve").skip(1);
    let first = behind.next()?;
    if !first.starts_with('-') {
        return Some(first);
    }
    behind.find(|word| {
        let path = word.split('#').next().unwrap_or_default();
        path.to_ascii_lowercase().ends_with(".ini")
    })
}

fn has_application(path: &Utf8Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| {
        let section = line.trim_end().strip_prefix('[');
        let section = section.and_then(|line| line.strip_suffix(']'));
        let kind = section.map(|section| section.split(':').next().unwrap_or_default().trim());
        matches!(
            kind,
            Some("app" | "application" | "pipeline" | "composite" | "composit")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_of_a_command_line() {
        for (arguments, app) in [
            (
                r"-u -m iiswsgi serve app:application --chdir C:\site",
                Some("app:application"),
            ),
            (
                r#"-u -m iiswsgi serve "C:\my site\production.ini" --threads 4"#,
                Some(r"C:\my site\production.ini"),
            ),
            (
                "serve -s egg:iiswsgi#iis production.ini",
                Some("production.ini"),
            ),
            ("serve --chdir x app.ini#main", Some("app.ini#main")),
            ("serve", None),
            (r"C:\Python\Lib\site-packages\wfastcgi.py", None),
        ] {
            assert_eq!(app_of_arguments(arguments).as_deref(), app, "{arguments}");
        }
    }

    #[test]
    fn an_ini_file_with_an_application_has_a_section_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("a.ini")).unwrap();
        for (text, expected) in [
            ("[app:main]\nuse = egg:x\n", true),
            ("[DEFAULT]\n\n[composite:main]\n", true),
            ("[pipeline:main]", true),
            ("[server:main]\nuse = egg:iiswsgi#iis\n", false),
            ("app:main", false),
            ("", false),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(has_application(&path), expected, "{text}");
        }
    }
}
