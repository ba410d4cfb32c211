//! Finding the application: importing a module, or asking PasteDeploy.

use camino::{Utf8Path, Utf8PathBuf};
use pyo3::exceptions::{PyAttributeError, PyModuleNotFoundError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::exception::traceback;
use super::spec::{AppSpec, HandlerPart};
use crate::Error;

/// Where an application is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadOptions {
    /// The folder to work in, which also comes first on `sys.path`. Default: the current one.
    pub chdir: Option<Utf8PathBuf>,
    /// Folders for `sys.path` behind it.
    pub python_path: Vec<Utf8PathBuf>,
}

/// Loads the application `spec`, as [`AppSpec::parse`] reads it. Changes the working directory and `sys.path` as the options
/// say; for an INI file with a section `loggers`, also sets up Python's logging from it.
///
/// # Errors
/// [`Error::Load`], which says what was looked for, where, and what to do; [`Error::Chdir`].
pub fn load_application<'py>(
    py: Python<'py>,
    spec: &str,
    options: &LoadOptions,
) -> Result<Bound<'py, PyAny>, Error> {
    if let Some(folder) = &options.chdir {
        let folder = native(folder);
        std::env::set_current_dir(&folder).map_err(|source| Error::Chdir {
            path: folder,
            source,
        })?;
    }
    let loaded = prepare_path(py, options)
        .map_err(|exception| traceback(py, &exception))
        .and_then(|()| match AppSpec::parse(spec) {
            AppSpec::Module {
                module,
                attribute,
                factory,
            } => load_module(py, &module, attribute.as_deref(), factory),
            AppSpec::Handler { parts } => load_handler(py, &parts),
            AppSpec::PasteDeploy { uri, name } => load_paste(py, &uri, name.as_deref()),
        });
    let failed = |message| Error::Load {
        spec: spec.to_owned(),
        message,
    };
    let application = loaded.map_err(failed)?;
    if application.is_callable() {
        Ok(application)
    } else {
        let kind = application
            .get_type()
            .name()
            .map_or_else(|_| "object".to_owned(), |name| name.to_string());
        Err(failed(format!(
            "it is a {kind}, which cannot be called; a WSGI application is called with environ and start_response"
        )))
    }
}

/// A path that may be spelled for Windows, as this system spells it.
pub(super) fn native(path: &Utf8Path) -> Utf8PathBuf {
    if cfg!(windows) {
        path.to_owned()
    } else {
        path.as_str().replace('\\', "/").into()
    }
}

/// Puts the working directory and the given folders in front of `sys.path`, each once.
fn prepare_path(py: Python<'_>, options: &LoadOptions) -> PyResult<()> {
    let current: String = py.import("os")?.call_method0("getcwd")?.extract()?;
    let mut front = vec![current];
    for folder in &options.python_path {
        let folder = native(folder).into_string();
        if !front.contains(&folder) {
            front.push(folder);
        }
    }
    let path = py.import("sys")?.getattr("path")?.cast_into::<PyList>()?;
    for folder in &front {
        while path.contains(folder)? {
            path.call_method1("remove", (folder,))?;
        }
    }
    for (position, folder) in front.iter().enumerate() {
        path.insert(position, folder)?;
    }
    Ok(())
}

fn load_module<'py>(
    py: Python<'py>,
    module: &str,
    attribute: Option<&str>,
    factory: bool,
) -> Result<Bound<'py, PyAny>, String> {
    let imported = py
        .import("importlib")
        .and_then(|importlib| importlib.call_method1("import_module", (module,)));
    let imported = imported.map_err(|exception| import_failed(py, module, &exception))?;
    let names = attribute.map_or_else(|| vec!["application", "app"], |attribute| vec![attribute]);
    let mut found = None;
    for name in &names {
        match name
            .split('.')
            .try_fold(imported.clone(), |object, part| object.getattr(part))
        {
            Ok(object) => {
                found = Some(object);
                break;
            }
            Err(exception) if exception.is_instance_of::<PyAttributeError>(py) => {}
            Err(exception) => return Err(traceback(py, &exception)),
        }
    }
    let Some(object) = found else {
        return Err(no_attribute(module, &imported, &names));
    };
    if factory { call(&object) } else { Ok(object) }
}

fn call<'py>(object: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>, String> {
    object
        .call0()
        .map_err(|exception| format!("calling it failed:\n{}", traceback(object.py(), &exception)))
}

fn no_attribute(module: &str, imported: &Bound<'_, PyAny>, names: &[&str]) -> String {
    let names = names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" or ");
    let file = imported
        .getattr("__file__")
        .map_or_else(|_| String::new(), |file| format!(" ({file})"));
    format!(
        "the module `{module}`{file} has no {names}; name the application as `{module}:NAME`, or its factory as `{module}:NAME()`"
    )
}

/// Evaluates a handler as wfastcgi did: the longest of its beginnings that is a module is imported.
fn load_handler<'py>(py: Python<'py>, parts: &[HandlerPart]) -> Result<Bound<'py, PyAny>, String> {
    let name = |parts: &[HandlerPart]| {
        let names = parts.iter().map(|part| part.name.as_str());
        names.collect::<Vec<_>>().join(".")
    };
    // The last is an attribute, and so is whatever is called.
    let longest = parts
        .iter()
        .position(|part| part.called)
        .unwrap_or(parts.len())
        .min(parts.len() - 1);
    if longest == 0 || parts.iter().any(|part| part.name.is_empty()) {
        return Err(
            "it does not begin with a module; write `module.callable` or `module.factory()`"
                .to_owned(),
        );
    }
    let importlib = py
        .import("importlib")
        .map_err(|exception| traceback(py, &exception))?;
    let mut missing = None;
    for len in (1..=longest).rev() {
        let module = name(&parts[..len]);
        let imported = match importlib.call_method1("import_module", (&module,)) {
            Ok(imported) => imported,
            Err(exception) if is_missing(py, &exception, &module) => {
                missing.get_or_insert_with(|| import_failed(py, &module, &exception));
                continue;
            }
            Err(exception) => return Err(import_failed(py, &module, &exception)),
        };
        let mut object = imported.clone();
        for (at, part) in parts.iter().enumerate().skip(len) {
            object = match object.getattr(part.name.as_str()) {
                Ok(found) => found,
                Err(exception) if exception.is_instance_of::<PyAttributeError>(py) => {
                    let attribute = name(&parts[len..=at]);
                    // What is not there may as well be a module that was meant.
                    return Err(match missing {
                        Some(missing) if at == len => missing,
                        _ => no_attribute(&module, &imported, &[&attribute]),
                    });
                }
                Err(exception) => return Err(traceback(py, &exception)),
            };
            if part.called {
                object = call(&object)?;
            }
        }
        return Ok(object);
    }
    Err(missing.unwrap_or_default())
}

/// Whether there is no such module, or one of the modules it is in.
fn is_missing(py: Python<'_>, exception: &PyErr, module: &str) -> bool {
    missing_name(py, exception).is_some_and(|name| is_within(module, &name))
}

/// The module that is not there.
fn missing_name(py: Python<'_>, exception: &PyErr) -> Option<String> {
    if !exception.is_instance_of::<PyModuleNotFoundError>(py) {
        return None;
    }
    let name = exception.value(py).getattr("name").ok()?;
    name.extract().ok()
}

fn is_within(module: &str, package: &str) -> bool {
    module
        .strip_prefix(package)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Says whether the module is not there or whether it fails, which need different remedies.
fn import_failed(py: Python<'_>, module: &str, exception: &PyErr) -> String {
    match missing_name(py, exception) {
        Some(name) if is_within(module, &name) => {
            format!(
                "there is no module `{name}` on sys.path:\n{}\n\
             Check the spelling, start in the application's folder (`--chdir`), or add its folder (`--python-path`)",
                search_path(py)
            )
        }
        Some(name) => format!(
            "the module `{module}` needs the module `{name}`, which is not on sys.path:\n{}\n\
             Install it for {} (`python -m pip install ...`)\n{}",
            search_path(py),
            executable(py),
            traceback(py, exception)
        ),
        None => format!(
            "importing the module `{module}` failed:\n{}",
            traceback(py, exception)
        ),
    }
}

fn search_path(py: Python<'_>) -> String {
    let folders = py
        .import("sys")
        .and_then(|sys| sys.getattr("path"))
        .and_then(|path| path.extract::<Vec<String>>());
    folders
        .unwrap_or_default()
        .iter()
        .map(|folder| format!("  {folder}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn executable(py: Python<'_>) -> String {
    py.import("sys")
        .and_then(|sys| sys.getattr("executable"))
        .map_or_else(|_| "this Python".to_owned(), |path| format!("`{path}`"))
}

fn load_paste<'py>(
    py: Python<'py>,
    uri: &str,
    name: Option<&str>,
) -> Result<Bound<'py, PyAny>, String> {
    let failed = |exception: PyErr| format!("loading it failed:\n{}", traceback(py, &exception));
    let deploy = py.import("paste.deploy").map_err(|exception| {
        if exception.is_instance_of::<PyModuleNotFoundError>(py) {
            format!("PasteDeploy, which reads INI files and `egg:` names, is not installed for {}; run `python -m pip install PasteDeploy`", executable(py))
        } else {
            failed(exception)
        }
    })?;
    let current: String = py
        .import("os")
        .and_then(|os| os.call_method0("getcwd")?.extract())
        .map_err(failed)?;
    if let Some(path) = uri.strip_prefix("config:") {
        let path = Utf8Path::new(&current).join(path);
        if !path.is_file() {
            return Err(format!("there is no file `{path}`"));
        }
        set_up_logging(py, &path).map_err(|exception| {
            format!(
                "its logging cannot be set up:\n{}",
                traceback(py, &exception)
            )
        })?;
    }
    let options = PyDict::new(py);
    options.set_item("name", name).map_err(failed)?;
    options.set_item("relative_to", current).map_err(failed)?;
    deploy
        .call_method("loadapp", (uri,), Some(&options))
        .map_err(failed)
}

/// As `pserve` and `paster serve` do: an INI file with a section `loggers` configures Python's logging.
fn set_up_logging(py: Python<'_>, path: &Utf8Path) -> PyResult<()> {
    let parser = py.import("configparser")?.call_method0("RawConfigParser")?;
    parser.call_method1("read", (path.as_str(),))?;
    if !parser
        .call_method1("has_section", ("loggers",))?
        .is_truthy()?
    {
        return Ok(());
    }
    let defaults = PyDict::new(py);
    defaults.set_item("__file__", path.as_str())?;
    defaults.set_item("here", path.parent().map_or("", Utf8Path::as_str))?;
    let options = PyDict::new(py);
    options.set_item("defaults", defaults)?;
    options.set_item("disable_existing_loggers", false)?;
    py.import("logging.config")?
        .call_method("fileConfig", (path.as_str(),), Some(&options))
        .map(|_| ())
}
