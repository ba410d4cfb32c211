//! An unpacked application set up where it is: what iiswsgi 0.3's `install_msdeploy` did, on any operating system.
//!
//! 1. a virtual environment in the application's folder, with the gateway and the project's dependencies;
//! 2. the project's `before-install` commands;
//! 3. `web.config.in` → `web.config`, with `<fastCgi>` moved out of it, since IIS ignores it there;
//! 4. the FastCGI application registered: with appcmd where there is IIS, else in the site root's applicationHost.config;
//!    to IIS's worker processes the folder is made readable;
//! 5. the project's `after-install` commands;
//! 6. where it is asked for, a request to the application: one that fails is not installed.
//!
//! Each step can be repeated: a run that was interrupted is completed by the next one.

use std::collections::BTreeSet;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use iis_config::{FastCgiApplication, WebConfig, edit};
use python_dist::{Command, Escaping, Field};
use serde::Serialize;
use spanned_xml::Source;

use crate::context::Context;
use crate::deploy::access;
use crate::deploy::file::{self, Snapshot};
use crate::deploy::process::Process;
use crate::deploy::project::Project;
use crate::deploy::registration::{Registration, RegistrationArgs};
use crate::deploy::site_root::SiteRoot;
use crate::deploy::stamp;
use crate::deploy::template::{Template, Undefined, Variables};
use crate::deploy::trial::{self, Trial};
use crate::deploy::virtual_env::{EnvironmentChoice, PythonEnvironment};
use crate::error::{Error, Result};

/// What to set up, and how.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    /// The application's folder.
    pub(crate) folder: Utf8PathBuf,
    /// Where it is registered.
    pub(crate) registration: RegistrationArgs,
    /// Its Python.
    pub(crate) environment: EnvironmentChoice,
    /// Whether a request to it has to succeed.
    pub(crate) test: bool,
    /// All of it, or one part.
    pub(crate) only: Option<Part>,
}

/// A part of an installation, for whoever has something to do between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// The virtual environment, the dependencies and `before-install`
    Dependencies,
    /// web.config, the registration, `after-install` and the request
    Configuration,
}

/// What was set up.
#[derive(Debug, Serialize)]
pub(crate) struct Installed {
    pub(crate) folder: Utf8PathBuf,
    pub(crate) python: Utf8PathBuf,
    pub(crate) site: String,
    pub(crate) application_path: String,
    /// `fullPath|arguments` of the FastCGI applications.
    pub(crate) fast_cgi: Vec<String>,
    /// Where they are registered.
    pub(crate) registered_in: String,
}

impl fmt::Display for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.folder)
    }
}

impl Installation {
    pub(crate) fn run(&self, context: &Context) -> Result<Installed> {
        let project = Project::load(&self.folder, &[Field::Dependencies], context)?;
        let folder = project.folder.clone();
        let template = self
            .has(Part::Configuration)
            .then(|| web_config_template(&folder));
        let template = template.transpose()?;
        let registration = match self.registration.find(&folder, context)? {
            Some(registration) => registration,
            None => {
                context.skip(
                    "registering with IIS",
                    "there is no appcmd.exe on this machine",
                    "the application's own folder gets an applicationHost.config; `--site-root` names another folder",
                )?;
                Registration::File(SiteRoot::open(&folder)?)
            }
        };
        // Put back where a later step fails.
        let old_web_config = Snapshot::of(folder.join("web.config"))?;
        let mut registered = registration.snapshot()?;
        let place = registration.place_of(&folder, context)?;
        registered.as_mut().map_or(Ok(()), Snapshot::mark)?;

        let virtual_env = self.environment.folder(&folder);
        let environment = self.environment.planned(&folder, context)?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let variables = Variables::new(&context.environment)
            .with("APPL_PHYSICAL_PATH", folder.as_str())
            .with("PYTHON_EXE", environment.python.as_str())
            .with(
                "VIRTUAL_ENV",
                virtual_env.as_deref().map_or("", Utf8Path::as_str),
            )
            .with("SITE_NAME", place.site.as_str())
            .with("APPL_NAME", project.name.as_str())
            .with("NUMBER_OF_PROCESSORS", processors.to_string())
            .metadata(project.template_context());
        // Filled in before anything is made: a mistake in it is the most likely reason to fail.
        let web_config = template
            .map(|template| WebConfigFile::fill_in(&template, &folder, &variables, context))
            .transpose()?;
        let run_all = |which, commands: &[Command]| {
            run_commands(which, commands, &environment, &folder, &variables, context)
        };

        self.environment.make(&folder, context)?;
        if self.has(Part::Dependencies) {
            environment.install(&requirements(&project), &folder, context)?;
            run_all("before-install", &project.settings.before_install)?;
        }

        let mut fast_cgi = Vec::new();
        if let Some(web_config) = web_config {
            if file::write(&web_config.path, &web_config.octets)? {
                context.say(format_args!("wrote `{}`", web_config.path));
            }
            for application in &web_config.fast_cgi {
                registration.set_fast_cgi_application(application, context)?;
                fast_cgi.push(application.script_processor());
            }
            registered.as_mut().map_or(Ok(()), Snapshot::mark)?;
            context.say(format_args!(
                "registered {} FastCGI application(s) in `{}`",
                fast_cgi.len(),
                registration.name()
            ));

            if let Some(account) = registration.worker_account(&place, context)? {
                access::allow_reading(&folder, &account, context)?;
            }
            run_all("after-install", &project.settings.after_install)?;
            if self.test {
                test(&folder, &environment, context)?;
            }
            stamp::remove_in(&folder)?;
        }
        old_web_config.keep_changes();
        registered.into_iter().for_each(Snapshot::keep_changes);
        Ok(Installed {
            folder,
            python: environment.python,
            site: place.site,
            application_path: place.application_path,
            fast_cgi,
            registered_in: registration.name(),
        })
    }

    fn has(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

/// The gateway that an application's Python gets: of our own version.
pub(crate) const GATEWAY: &str = concat!("iiswsgi==", env!("CARGO_PKG_VERSION"));

/// What is installed: the gateway, the dependencies, and the project itself where it asks for it.
fn requirements(project: &Project) -> Vec<String> {
    let mut arguments = vec![GATEWAY.to_owned()];
    arguments.extend(project.metadata.dependencies.iter().cloned());
    if project.settings.install_project {
        arguments.push(project.folder.to_string());
    }
    arguments
}

/// Makes a request to the application in its Python.
fn test(folder: &Utf8Path, environment: &PythonEnvironment, context: &Context) -> Result<()> {
    let Some(app) = trial::find_app(folder, context)? else {
        return context.skip(
            "testing the application",
            "nothing says what it is",
            "name it as `application` in `[tool.iiswsgi]` of pyproject.toml",
        );
    };
    let mut trial = Trial::new(folder.to_owned(), app);
    trial.python = Some(environment.python.clone());
    let tried = trial.run(context)?;
    tried.check(None, context)?;
    context.say(format_args!(
        "tested `{}`: {}",
        tried.application, tried.status
    ));
    Ok(())
}

/// What `web.config` is made from, or a `web.config` that needs no filling in.
enum WebConfigSource {
    Template(Template),
    Complete(Source),
}

fn web_config_template(folder: &Utf8Path) -> Result<WebConfigSource> {
    if let Some(template) = Template::find(folder, "web.config")? {
        return Ok(WebConfigSource::Template(template));
    }
    file::read_source_if_any(&folder.join("web.config"))?
        .map(WebConfigSource::Complete)
        .ok_or_else(|| {
            Error::new(format!("`{}` does not exist: IIS would not know what to start", folder.join("web.config.in")))
                .help("add one with a FastCgiModule handler and its `<fastCgi>` application; see examples/sample.msdeploy/web.config.in")
        })
}

/// A `web.config` to write.
struct WebConfigFile {
    path: Utf8PathBuf,
    octets: Vec<u8>,
    /// What its `<fastCgi>` listed: IIS ignores that section here, so it is taken out and registered.
    fast_cgi: Vec<FastCgiApplication>,
}

impl WebConfigFile {
    fn fill_in(
        from: &WebConfigSource,
        folder: &Utf8Path,
        variables: &Variables<'_>,
        context: &Context,
    ) -> Result<Self> {
        let (source, text) = match from {
            WebConfigSource::Template(template) => {
                let text =
                    template.fill_in(Escaping::Xml, variables, Undefined::Refuse, context)?;
                (&template.source, text)
            }
            WebConfigSource::Complete(source) => (source, source.text().to_owned()),
        };
        let path = folder.join("web.config");
        // What is wrong now is shown in the text that IIS would read.
        let filled = Source::from_text(path.as_str(), text);
        let fast_cgi = WebConfig::move_fast_cgi(&filled)?;
        let edit = edit::remove_fast_cgi_section(&filled)?;
        let octets = source
            .encode(&edit.text)
            .map_err(|problem| Error::problem(problem, &filled))?;
        Ok(Self {
            path,
            octets,
            fast_cgi,
        })
    }
}

/// Runs a project's own commands in the application's folder; `python` and what pip installed are those of its
/// environment.
fn run_commands(
    key: &str,
    commands: &[Command],
    environment: &PythonEnvironment,
    folder: &Utf8Path,
    variables: &Variables<'_>,
    context: &Context,
) -> Result<()> {
    let programs = environment.python.parent().unwrap_or(folder);
    let separator = if cfg!(windows) { ';' } else { ':' };
    let path = format!(
        "{programs}{separator}{}",
        context.environment.get("PATH").unwrap_or_default()
    );
    for command in commands {
        let Some((program, arguments)) = command.arguments.split_first() else {
            continue;
        };
        let program = if program == "python" {
            environment.python.as_str()
        } else {
            program.as_str()
        };
        let own: BTreeSet<(&str, &str)> = variables.own().collect();
        let process = Process::new(program)
            .args(arguments.iter().map(String::as_str))
            .folder(folder)
            .variables(own)
            .variables([("PATH", path.as_str())]);
        context.say(format_args!("running `{}` ({key})", process.command_line()));
        process.run(context)?;
    }
    Ok(())
}
