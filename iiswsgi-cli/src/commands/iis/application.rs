//! The FastCGI application that is asked for.

use std::time::Duration;

use camino::Utf8Path;
use iis_config::{EnvironmentVariable, FastCgiApplication, StderrMode, command_line, win_path};

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::project::VIRTUAL_ENV;
use crate::deploy::virtual_env::PythonEnvironment;
use crate::error::{Error, Result};

/// How long a new registration lets a process end its request before it is ended.
const SIGNAL_BEFORE_TERMINATE: Duration = Duration::from_secs(30);

/// How many requests a process of a new registration serves: IIS's 200 would start Python every few seconds.
const INSTANCE_MAX_REQUESTS: u32 = 10_000;

/// What the command line says about the application's keys.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// The program; quotes are taken off [default: the Python of the site folder's virtual environment, else the one that
    /// runs this command]
    #[arg(long, value_name = "P")]
    pub(crate) full_path: Option<String>,
    /// The program's arguments, as one string; they are part of the key
    #[arg(long, value_name = "A", allow_hyphen_values = true)]
    pub(crate) arguments: Option<String>,
}

/// What the command line says about the rest of it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SettingArgs {
    /// The WSGI application, in place of --arguments: `-u -m iiswsgi serve APP --chdir DIR`
    #[arg(long, value_name = "APP", conflicts_with = "arguments")]
    pub(crate) app: Option<String>,
    /// Set an attribute by its name in IIS's schema; can be repeated
    #[arg(long = "set", value_name = "ATTR=VALUE", value_parser = parse_pair)]
    pub(crate) attributes: Vec<(String, String)>,
    /// Set an environment variable for the process; can be repeated
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = parse_pair)]
    pub(crate) variables: Vec<(String, String)>,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

impl KeyArgs {
    /// `fullPath`, without the quotes that some tools write into it: no file's name has any.
    pub(crate) fn full_path(
        &self,
        site_dir: Option<&Utf8Path>,
        context: &Context,
    ) -> Result<String> {
        if let Some(full_path) = &self.full_path {
            return Ok(full_path.trim().replace('"', ""));
        }
        if let Some(site_dir) = site_dir {
            let folder = file::absolute(site_dir)?.join(VIRTUAL_ENV);
            let own = PythonEnvironment::in_folder(&folder).python;
            if own.is_file() {
                return Ok(own.into_string());
            }
        }
        let python = context.host.python.as_ref();
        python.map(ToString::to_string).ok_or_else(|| {
            Error::new("it is not said which program IIS is to start")
                .help("name it with `--full-path`; the command of the wheel takes the Python that runs it")
        })
    }
}

impl SettingArgs {
    /// `arguments`: as given, or those that serve the application named.
    pub(crate) fn arguments(&self, key: &KeyArgs, site_dir: Option<&Utf8Path>) -> Result<String> {
        if let Some(arguments) = &key.arguments {
            return Ok(arguments.clone());
        }
        let Some(app) = &self.app else {
            return Err(Error::new("it is not said what the program is to serve").help(
                "name the WSGI application with `--app module:callable`, or the whole command line with `--arguments`",
            ));
        };
        let mut words: Vec<String> = ["-u", "-m", "iiswsgi", "serve", app]
            .map(str::to_owned)
            .to_vec();
        if let Some(site_dir) = site_dir {
            words.extend([
                "--chdir".to_owned(),
                file::absolute(site_dir)?.into_string(),
            ]);
        }
        Ok(command_line::join(words))
    }

    /// The application as it is to be registered: what is there already stays unless it is asked for otherwise.
    pub(crate) fn application(
        &self,
        full_path: &str,
        arguments: &str,
        registered: &[FastCgiApplication],
        context: &Context,
    ) -> Result<FastCgiApplication> {
        let current = registered
            .iter()
            .find(|current| current.has_key(full_path, arguments));
        let mut application = current.cloned().unwrap_or_else(|| recommended(context));
        full_path.clone_into(&mut application.full_path);
        arguments.clone_into(&mut application.arguments);
        for (name, value) in &self.attributes {
            if ["fullPath", "arguments"]
                .iter()
                .any(|key| key.eq_ignore_ascii_case(name))
            {
                return Err(Error::new(format!("`{name}` is part of the key"))
                    .help("name it with `--full-path` or `--arguments`"));
            }
            // IIS expands variables in most attributes, and not in this one.
            let value = if name.eq_ignore_ascii_case("monitorChangesTo") {
                win_path::expand(value, |name| {
                    context.environment.get(name).map(str::to_owned)
                })
            } else {
                value.into()
            };
            application
                .set_attribute(name, &value)
                .map_err(|problem| Error::new(problem.to_string()))?;
        }
        for (name, value) in &self.variables {
            let known = application
                .environment_variables
                .iter_mut()
                .find(|variable| win_path::eq_ignore_case(&variable.name, name));
            match known {
                Some(variable) => variable.value.clone_from(value),
                None => application
                    .environment_variables
                    .push(EnvironmentVariable::new(name, value)),
            }
        }
        Ok(application)
    }
}

/// What a new registration is given, beside its keys.
fn recommended(context: &Context) -> FastCgiApplication {
    let mut application = FastCgiApplication::new("", "");
    application.max_instances = processors(context);
    application.instance_max_requests = INSTANCE_MAX_REQUESTS;
    application.signal_before_terminate = SIGNAL_BEFORE_TERMINATE;
    application.stderr_mode = StderrMode::ReturnGeneric500;
    application
}

/// One process for each processor: it serves one request at a time.
fn processors(context: &Context) -> u32 {
    let told = context.environment.get("NUMBER_OF_PROCESSORS");
    told.and_then(|number| number.parse().ok())
        .filter(|number| (1..=10_000).contains(number))
        .unwrap_or_else(|| {
            let here = std::thread::available_parallelism().map_or(1, usize::from);
            u32::try_from(here).unwrap_or(1)
        })
}
