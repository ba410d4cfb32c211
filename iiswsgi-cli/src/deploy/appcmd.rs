//! The program appcmd.exe: asked, and told what to change.

use camino::{Utf8Path, Utf8PathBuf};
use fcgi_gateway::registry;
use iis_config::appcmd::{Answer, Appcmd, Object, parse_answer};
use iis_config::{FastCgiApplication, Site, win_path};

use crate::context::Context;
use crate::deploy::process::Process;
use crate::error::{Error, Result};

/// An appcmd.exe and the configuration that it works on.
#[derive(Clone, Debug)]
pub(crate) struct AppcmdProgram {
    path: Utf8PathBuf,
    /// `/apphostconfig:`; none is the machine's own.
    file: Option<Utf8PathBuf>,
}

impl AppcmdProgram {
    /// The appcmd at `path`, for the machine's configuration.
    pub(crate) fn new(path: impl Into<Utf8PathBuf>) -> Self {
        Self {
            path: path.into(),
            file: None,
        }
    }

    /// The same program for an applicationHost.config of its own, as IIS Express has one.
    pub(crate) fn for_file(self, file: impl Into<Utf8PathBuf>) -> Self {
        Self {
            file: Some(file.into()),
            ..self
        }
    }

    /// IIS's own, where this machine has an IIS.
    pub(crate) fn of_iis(context: &Context) -> Option<Self> {
        let windir = context.environment.non_empty("windir")?;
        let path = ["System32", "inetsrv", "appcmd.exe"]
            .iter()
            .fold(Utf8PathBuf::from(windir), |path, part| path.join(part));
        path.is_file().then(|| Self::new(path))
    }

    /// That of IIS Express, which needs [`AppcmdProgram::for_file`]: in `%IIS_BIN%`, or where it is usually installed.
    pub(crate) fn of_iis_express(context: &Context) -> Option<Self> {
        let folder = |name: &str| context.environment.non_empty(name).map(Utf8Path::new);
        let usual = ["ProgramFiles", "ProgramFiles(x86)"]
            .into_iter()
            .filter_map(folder)
            .map(|programs| programs.join("IIS Express"));
        folder("IIS_BIN")
            .map(Utf8Path::to_owned)
            .into_iter()
            .chain(usual)
            .map(|folder| folder.join("appcmd.exe"))
            .find(|path| path.is_file())
            .map(Self::new)
    }

    /// Whether it is for the machine's configuration, whose worker processes have accounts of their own.
    pub(crate) fn is_for_machine(&self) -> bool {
        self.file.is_none()
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match &self.file {
            Some(file) => format!("{} /apphostconfig:{file}", self.path),
            None => self.path.to_string(),
        }
    }

    fn commands(&self) -> Appcmd {
        self.file
            .as_ref()
            .map_or_else(Appcmd::new, |file| Appcmd::for_file(file.as_str()))
    }

    /// The sites that are there.
    pub(crate) fn sites(&self, context: &Context) -> Result<Vec<Site>> {
        let objects = self.ask(self.commands().list_sites(), context)?;
        Ok(objects.iter().filter_map(Object::site).collect())
    }

    /// The FastCGI applications that are registered.
    pub(crate) fn fast_cgi_applications(
        &self,
        context: &Context,
    ) -> Result<Vec<FastCgiApplication>> {
        let objects = self.ask(self.commands().list_fast_cgi_applications(), context)?;
        Ok(objects
            .iter()
            .flat_map(Object::fast_cgi_applications)
            .collect())
    }

    /// The commands that register `application`, of which `registered` are there; none where it is registered so already.
    ///
    /// One of the same keys is changed in what differs. Several, which IIS refuses to work with, are removed and one is
    /// added.
    pub(crate) fn registering(
        &self,
        registered: &[FastCgiApplication],
        application: &FastCgiApplication,
    ) -> Vec<Vec<String>> {
        let commands = self.commands();
        let current: Vec<&FastCgiApplication> = registered
            .iter()
            .filter(|current| current.has_key(&application.full_path, &application.arguments))
            .collect();
        match current.as_slice() {
            [] => vec![commands.add_fast_cgi_application(application)],
            [one] => Vec::from_iter(commands.set_fast_cgi_application(one, application)),
            several => {
                let mut all: Vec<Vec<String>> = several
                    .iter()
                    .map(|current| {
                        commands.remove_fast_cgi_application(&current.full_path, &current.arguments)
                    })
                    .collect();
                all.push(commands.add_fast_cgi_application(application));
                all
            }
        }
    }

    /// The command that removes the application of these keys.
    pub(crate) fn removing(&self, full_path: &str, arguments: &str) -> Vec<String> {
        self.commands()
            .remove_fast_cgi_application(full_path, arguments)
    }

    /// The command that deletes a site's application; with the path `/` the site.
    pub(crate) fn deleting(&self, site: &str, path: &str) -> Vec<String> {
        self.commands().delete_application(site, path)
    }

    /// A command as a person would type it.
    pub(crate) fn command_line(&self, arguments: &[String]) -> String {
        self.process(arguments.to_vec()).command_line()
    }

    /// Runs a command.
    ///
    /// # Errors
    ///
    /// What appcmd answered, where it refused.
    pub(crate) fn ask(&self, arguments: Vec<String>, context: &Context) -> Result<Vec<Object>> {
        let process = self.process(arguments);
        let outcome = process.outcome(context)?;
        // Public transcripts disagree on which stream it writes errors to.
        let answer = parse_answer(&outcome.stdout)
            .and_then(|answer| parse_answer(&outcome.stderr).map(|_| answer));
        let answer = answer.map_err(|error| {
            Error::new(error.to_string()).help(format!(
                "`{}` was run; it needs an elevated prompt",
                process.command_line()
            ))
        })?;
        match (outcome.code, answer) {
            (Some(0), Answer::Objects(objects)) => Ok(objects),
            (Some(0), _) => Ok(Vec::new()),
            _ => Err(process.failure(&outcome)),
        }
    }

    fn process(&self, arguments: Vec<String>) -> Process {
        Process::new(self.path.as_str()).args(arguments)
    }
}

/// IIS Express's applicationhost.config, where there is one: `%IIS_USER_HOME%\config`, by default in the user's documents,
/// wherever the user has moved either.
pub(crate) fn express_config(context: &Context) -> Option<Utf8PathBuf> {
    let variable = |name: &str| context.environment.get(name).map(str::to_owned);
    let documents = registry::documents_folder()
        .map(|folder| Utf8PathBuf::from(win_path::expand(&folder, variable).into_owned()))
        .into_iter()
        .chain(variable("USERPROFILE").map(|profile| Utf8Path::new(&profile).join("Documents")))
        .map(|documents| documents.join("IISExpress"));
    let moved = context.environment.non_empty("IIS_USER_HOME");
    moved
        .map(str::to_owned)
        .or_else(registry::iis_express_custom_home)
        .map(Utf8PathBuf::from)
        .into_iter()
        .chain(documents)
        .map(|home| home.join("config").join("applicationhost.config"))
        .find(|config| config.is_file())
}
