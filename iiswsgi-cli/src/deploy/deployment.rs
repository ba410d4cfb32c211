//! A package put into a folder, registered, and its commands run: all of it, or nothing.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use iis_config::edit::{ApplicationPlace, set_application};
use msdeploy_pkg::{
    ContentKind, ContentTree, Operation, Plan, Provider, ProviderKind, ProviderObject,
    ResolvedParameters, SyncOptions,
};
use serde::Serialize;
use spanned_xml::{Problems, Source};

use crate::context::Context;
use crate::deploy::file::Snapshot;
use crate::deploy::placement::{Placement, Staging};
use crate::deploy::site_root::{Place, SiteRoot};
use crate::deploy::sync_options::{destination, without_rules};
use crate::deploy::unpack::OpenPackage;
use crate::deploy::{progress, run_command, set_acl};
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
    /// Files and folders that were not there before.
    pub(crate) added: usize,
    /// Files that were replaced.
    pub(crate) updated: usize,
    /// Files and folders that were deleted.
    pub(crate) deleted: usize,
    /// Files that parameters were put into.
    pub(crate) parameterized: Vec<String>,
    pub(crate) commands: Vec<String>,
    /// Providers of the manifest that were only reported, as `name path`.
    pub(crate) not_applied: Vec<String>,
}

impl fmt::Display for Deployed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.folder)
    }
}

impl Deployment {
    /// Puts all of the package there; what it does not have stays.
    pub(crate) fn run(
        &self,
        mut package: OpenPackage,
        values: &ResolvedParameters,
        context: &Context,
    ) -> Result<Deployed> {
        self.sync(&mut package, values, &without_rules(), context)
    }

    /// What [`Deployment::sync`] would do.
    ///
    /// # Errors
    ///
    /// A rule that cannot be used, a parameter that cannot be applied; nothing is changed.
    pub(crate) fn plan(
        &self,
        package: &mut OpenPackage,
        values: &ResolvedParameters,
        options: &SyncOptions,
    ) -> Result<Plan> {
        self.survey(package, values, options).map(|(plan, _)| plan)
    }

    /// The plan, and the files that parameters go into, changed or not.
    fn survey(
        &self,
        package: &mut OpenPackage,
        values: &ResolvedParameters,
        options: &SyncOptions,
    ) -> Result<(Plan, Vec<String>)> {
        let (provider, _) = package.provider();
        let mut tree = ContentTree::new(provider, self.folder.as_str());
        tree.source = package.objects(values)?;
        tree.destination = destination(&self.folder, &tree.source)?;
        let providers = self
            .other_providers(package, values)?
            .into_iter()
            .map(|(_, object)| object)
            .collect::<Vec<_>>();
        let parameterized = tree
            .source
            .iter()
            .filter(|object| !object.parameters.is_empty())
            .map(|object| object.path.clone())
            .collect();
        let plan = Plan::new(&[tree], &providers, options).map_err(|problems| Problems {
            source: Source::from_text(package.name(), ""),
            problems,
        })?;
        Ok((plan, parameterized))
    }

    /// Carries out a plan.
    ///
    /// # Errors
    ///
    /// Anything that fails; the folder and the configuration are as they were before then.
    pub(crate) fn sync(
        &self,
        package: &mut OpenPackage,
        values: &ResolvedParameters,
        options: &SyncOptions,
        context: &Context,
    ) -> Result<Deployed> {
        let (plan, parameterized) = self.survey(package, values, options)?;
        let placement = self.place(package, values, &plan, context)?;

        let site_root = self.site_root.as_deref().map(SiteRoot::open).transpose()?;
        // Put back where a later step fails.
        let mut registered = site_root
            .as_ref()
            .map(|site_root| Snapshot::of_shared(site_root.application_host()))
            .transpose()?;
        if let (Some(site_root), Some(place)) = (&site_root, &self.place) {
            self.register(site_root, place, context)?;
            registered.as_mut().map_or(Ok(()), Snapshot::mark)?;
        }

        let summary = plan.summary();
        let mut deployed = Deployed {
            folder: self.folder.clone(),
            files: package.files(),
            added: summary.added,
            updated: summary.updated,
            deleted: summary.deleted,
            parameterized,
            commands: Vec::new(),
            not_applied: Vec::new(),
        };
        let done = plan
            .operations
            .iter()
            .filter_map(|operation| match operation {
                Operation::Provider {
                    provider,
                    path,
                    note,
                } => Some((provider, path, note)),
                _ => None,
            });
        let others = self.other_providers(package, values)?;
        for ((provider, _), (name, path, note)) in others.into_iter().zip(done) {
            match (&provider.kind, note) {
                (ProviderKind::RunCommand(command), None) => {
                    deployed.commands.push(path.clone());
                    context.say(format_args!("running `{path}`"));
                    let variables = self.variables(site_root.as_ref());
                    run_command::run(command, &variables, context)?;
                }
                (ProviderKind::RunCommand(_), Some(note)) => {
                    deployed.commands.push(path.clone());
                    context.say(format_args!("not run: `{path}`"));
                    context.detail(note);
                }
                (ProviderKind::SetAcl, None) => {
                    context.say(format_args!("setting permissions of `{path}`"));
                    set_acl::apply(&provider, package.provider().1, &self.folder, context)?;
                }
                (_, note) => {
                    deployed.not_applied.push(format!("{name} {path}"));
                    context.say(format_args!("not applied: {name} `{path}`"));
                    note.as_ref().inspect(|note| context.detail(note));
                }
            }
        }
        for change in values.destination_changes() {
            context.say(format_args!("not applied: {change}"));
            deployed.not_applied.push(change.to_string());
        }
        placement.commit()?;
        registered.into_iter().for_each(Snapshot::keep_changes);
        Ok(deployed)
    }

    /// Makes the new content beside the folder, and moves it in.
    fn place(
        &self,
        package: &mut OpenPackage,
        values: &ResolvedParameters,
        plan: &Plan,
        context: &Context,
    ) -> Result<Placement> {
        let mut staging = Staging::new(&self.folder)?;
        // The package's commands write these.
        staging.guard("web.config");
        for file in self.setup_py_metadata() {
            staging.guard(file);
        }
        let bar = progress::octets(Some(plan.summary().bytes_copied), context);
        for operation in &plan.operations {
            context.detail(format_args!("Info: {operation}."));
            match operation {
                Operation::Add {
                    kind: ContentKind::Directory,
                    to,
                    ..
                } => fs_err::create_dir_all(staging.folder().join(to))?,
                Operation::Add { from, to, size, .. }
                | Operation::Update { from, to, size, .. } => {
                    package.unpack(from, values, &staging.folder().join(to))?;
                    bar.inc(*size);
                }
                Operation::Delete { to, .. } => staging.delete(to),
                _ => {}
            }
        }
        bar.finish_and_clear();
        let placement = staging.place()?;
        context.say(format_args!("{} in `{}`", plan.summary(), self.folder));
        Ok(placement)
    }

    /// What running a setup.py in the application's folder has written there, relative to it.
    fn setup_py_metadata(&self) -> Vec<Utf8PathBuf> {
        let files = |folder: &Utf8Path| folder.read_dir_utf8().into_iter().flatten().flatten();
        files(&self.folder)
            .filter(|entry| entry.file_name().ends_with(".egg-info"))
            .flat_map(|folder| files(folder.path()).collect::<Vec<_>>())
            .filter_map(|file| Some(file.path().strip_prefix(&self.folder).ok()?.to_owned()))
            .collect()
    }

    fn register(&self, site_root: &SiteRoot, place: &Place, context: &Context) -> Result<()> {
        let mut application = ApplicationPlace::new(
            place.site.as_str(),
            place.application_path.as_str(),
            self.folder.as_str(),
        );
        application.root_physical_path = Some(site_root.folder().join(&place.site).into_string());
        for line in site_root.edit(|source| set_application(source, &application))? {
            context.detail(line);
        }
        Ok(())
    }

    /// The providers besides the application itself, in order, with what a plan knows of them.
    fn other_providers(
        &self,
        package: &OpenPackage,
        values: &ResolvedParameters,
    ) -> Result<Vec<(Provider, ProviderObject)>> {
        let application = package.provider();
        let is_application =
            |provider: &&Provider| (provider.kind.name(), provider.path.as_str()) == application;
        let others = package
            .manifest
            .providers
            .iter()
            .filter(|provider| !is_application(provider));
        others
            .map(|provider| {
                let name = provider.kind.name();
                let path = values
                    .provider_path(name, &provider.path)
                    .map_err(|problem| Error::problem(problem, values.source()))?
                    .unwrap_or(&provider.path);
                let mut provider = provider.clone();
                let object = ProviderObject::new(name, path).with_attributes(provider.settings());
                let object = match &mut provider.kind {
                    ProviderKind::RunCommand(command) => {
                        path.clone_into(&mut command.path);
                        match self.commands {
                            Commands::Run => object,
                            Commands::Report => object.reported("not run without --run-commands"),
                        }
                    }
                    ProviderKind::SetAcl if cfg!(windows) => object,
                    _ => object.reported("left to msdeploy on Windows"),
                };
                Ok((provider, object))
            })
            .collect()
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
