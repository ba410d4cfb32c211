//! A package put into a folder, registered, and its commands run: all of it, or nothing.

use std::fmt;

use camino::Utf8PathBuf;
use iis_config::edit::{ApplicationPlace, set_application};
use msdeploy_pkg::{ProviderKind, ResolvedParameters};
use serde::Serialize;

use crate::context::Context;
use crate::deploy::file::Snapshot;
use crate::deploy::placement::Staging;
use crate::deploy::run_command;
use crate::deploy::site_root::{Place, SiteRoot};
use crate::deploy::unpack::OpenPackage;
use crate::error::{Error, Result};

/// What to do with the package's runCommands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commands {
    /// Run them.
    Run,
    /// Say what they are.
    Report,
}

/// Where a package goes.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    /// The application's folder, absolute.
    pub(crate) folder: Utf8PathBuf,
    /// The folder with applicationHost.config, for the package's commands.
    pub(crate) site_root: Option<Utf8PathBuf>,
    /// Where in IIS the folder is to be registered.
    pub(crate) place: Option<Place>,
    pub(crate) commands: Commands,
}

/// What was done.
#[derive(Debug, Serialize)]
pub(crate) struct Deployed {
    pub(crate) folder: Utf8PathBuf,
    /// Files of the package.
    pub(crate) files: usize,
    /// Files that parameters were put into.
    pub(crate) parameterized: Vec<String>,
    pub(crate) commands: Vec<String>,
    /// Providers of the manifest that only Windows can apply, as `name path`.
    pub(crate) not_applied: Vec<String>,
}

impl fmt::Display for Deployed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.folder)
    }
}

impl Deployment {
    pub(crate) fn run(
        &self,
        mut package: OpenPackage,
        values: &ResolvedParameters,
        context: &Context,
    ) -> Result<Deployed> {
        let staging = Staging::new(&self.folder)?;
        let unpacked = package.unpack(values, staging.folder())?;
        context.say(format_args!(
            "unpacked {} files into `{}`",
            unpacked.files, self.folder
        ));
        let placement = staging.place()?;

        let site_root = self.site_root.as_deref().map(SiteRoot::open).transpose()?;
        // Both are put back where a later step fails.
        let web_config = Snapshot::of(self.folder.join("web.config"))?;
        let mut registered = site_root
            .as_ref()
            .map(|site_root| Snapshot::of_shared(site_root.application_host()))
            .transpose()?;
        if let (Some(site_root), Some(place)) = (&site_root, &self.place) {
            let mut application = ApplicationPlace::new(
                place.site.as_str(),
                place.application_path.as_str(),
                self.folder.as_str(),
            );
            application.root_physical_path =
                Some(site_root.folder().join(&place.site).into_string());
            for line in site_root.edit(|source| set_application(source, &application))? {
                context.detail(line);
            }
            registered.as_mut().map_or(Ok(()), Snapshot::mark)?;
        }

        let mut deployed = Deployed {
            folder: self.folder.clone(),
            files: unpacked.files,
            parameterized: unpacked.parameterized,
            commands: Vec::new(),
            not_applied: Vec::new(),
        };
        for provider in &package.manifest.providers {
            match &provider.kind {
                ProviderKind::IisApp => {}
                ProviderKind::RunCommand(command) => {
                    deployed.commands.push(command.path.clone());
                    if self.commands == Commands::Report {
                        context.say(format_args!("not run: `{}`", command.path));
                        continue;
                    }
                    context.say(format_args!("running `{}`", command.path));
                    run_command::run(command, &self.variables(site_root.as_ref()), context)?;
                }
                other => {
                    let value = values
                        .provider_path(other.name(), &provider.path)
                        .map_err(|problem| Error::problem(problem, values.source()))?;
                    let path = value.unwrap_or(&provider.path);
                    deployed
                        .not_applied
                        .push(format!("{} {path}", other.name()));
                    context.detail(format_args!("not applied here: {} `{path}`", other.name()));
                }
            }
        }
        placement.commit();
        web_config.keep_changes();
        registered.into_iter().for_each(Snapshot::keep_changes);
        Ok(deployed)
    }

    /// What Web Deploy does not tell the commands that it runs, and we do.
    fn variables<'a>(&'a self, site_root: Option<&'a SiteRoot>) -> Vec<(&'a str, &'a str)> {
        let mut variables = vec![("APPL_PHYSICAL_PATH", self.folder.as_str())];
        if let Some(site_root) = site_root {
            variables.push(("IISWSGI_SITE_ROOT", site_root.folder().as_str()));
        }
        variables
    }
}
