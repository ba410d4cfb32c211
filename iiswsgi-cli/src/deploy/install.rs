//! An unpacked application set up where it is: what iiswsgi 0.3's `install_msdeploy` did, on any operating system.
//!
//! 1. a virtual environment in the application's folder, with the gateway and the project's dependencies;
//! 2. the project's `before-install` commands;
//! 3. `web.config.in` → `web.config`, with `<fastCgi>` moved out of it, since IIS ignores it there;
//! 4. the FastCGI application registered: with appcmd where there is IIS, else in the site root's applicationHost.config;
//! 5. the project's `after-install` commands.
//!
//! Each step can be repeated: a run that was interrupted is completed by the next one.

use std::collections::BTreeSet;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iis_config::{FastCgiApplication, WebConfig, edit};
use python_dist::{Command, Escaping, Field};
use serde::Serialize;
use spanned_xml::Source;

use crate::context::Context;
use crate::deploy::file::{self, Snapshot};
use crate::deploy::process::Process;
use crate::deploy::project::{Project, VIRTUAL_ENV};
use crate::deploy::registration::{Registration, RegistrationArgs};
use crate::deploy::site_root::SiteRoot;
use crate::deploy::template::{Template, Undefined, Variables};
use crate::deploy::virtual_env::{PythonEnvironment, find_python};
use crate::error::{Error, Result};

/// The file by which `iiswsgi bootstrap` recognises an application that is not set up yet.
pub(crate) const STAMP: &str = "iis_install.stamp";

/// What to set up, and how.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    /// The application's folder.
    pub(crate) folder: Utf8PathBuf,
    /// Where it is registered.
    pub(crate) registration: RegistrationArgs,
    /// The Python to make the virtual environment with.
    pub(crate) python: Option<Utf8PathBuf>,
    /// Whether the application gets a virtual environment of its own.
    pub(crate) virtual_env: bool,
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
        let template = web_config_template(&folder)?;
        let registration = match self.registration.find(&folder, context)? {
            Some(registration) => registration,
            None => Registration::File(SiteRoot::open(&folder)?),
        };
        // Put back where a later step fails.
        let old_web_config = Snapshot::of(folder.join("web.config"))?;
        let mut registered = registration.snapshot()?;
        let place = registration.place_of(&folder, context)?;
        registered.as_mut().map_or(Ok(()), Snapshot::mark)?;

        let base = find_python(self.python.as_deref(), context)?;
        let virtual_env = self.virtual_env.then(|| folder.join(VIRTUAL_ENV));
        let environment = virtual_env.as_deref().map_or_else(
            || PythonEnvironment {
                python: base.clone(),
            },
            PythonEnvironment::in_folder,
        );
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
        let web_config = WebConfigFile::fill_in(&template, &folder, &variables, context)?;

        if let Some(virtual_env) = &virtual_env {
            PythonEnvironment::virtual_env(virtual_env, &base, context)?;
        }
        environment.install(&requirements(&project), &folder, context)?;
        run_commands(
            "before-install",
            &project.settings.before_install,
            &environment,
            &folder,
            &variables,
            context,
        )?;

        if file::write(&web_config.path, &web_config.octets)? {
            context.say(format_args!("wrote `{}`", web_config.path));
        }
        for application in &web_config.fast_cgi {
            registration.set_fast_cgi_application(application, context)?;
        }
        registered.as_mut().map_or(Ok(()), Snapshot::mark)?;
        context.say(format_args!(
            "registered {} FastCGI application(s) in `{}`",
            web_config.fast_cgi.len(),
            registration.name()
        ));

        run_commands(
            "after-install",
            &project.settings.after_install,
            &environment,
            &folder,
            &variables,
            context,
        )?;
        let stamp = folder.join(STAMP);
        if stamp.exists() {
            fs::remove_file(stamp)?;
        }
        old_web_config.keep_changes();
        registered.into_iter().for_each(Snapshot::keep_changes);
        Ok(Installed {
            folder,
            python: environment.python,
            site: place.site,
            application_path: place.application_path,
            fast_cgi: web_config
                .fast_cgi
                .iter()
                .map(FastCgiApplication::script_processor)
                .collect(),
            registered_in: registration.name(),
        })
    }
}

/// What pip installs: the gateway of our own version, the dependencies, and the project itself where it asks for it.
/// Wheels that the package brings in `wheels` are used before the index is.
fn requirements(project: &Project) -> Vec<String> {
    let mut arguments = Vec::new();
    if project.folder.join("wheels").is_dir() {
        arguments.extend(["--find-links".to_owned(), "wheels".to_owned()]);
    }
    arguments.push(format!("iiswsgi=={}", env!("CARGO_PKG_VERSION")));
    arguments.extend(project.metadata.dependencies.iter().cloned());
    if project.settings.install_project {
        arguments.push(project.folder.to_string());
    }
    arguments
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
