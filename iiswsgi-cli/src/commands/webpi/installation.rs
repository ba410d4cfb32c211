//! Products of a feed installed into a site root: what they need first, and what only Windows can install said.

use camino::Utf8Path;
use iis_config::ApplicationHost;
use serde::Serialize;
use webpi_feed::{
    Entry, Feed, InstallCommand, Installer, InstallerFile, Inventory, Machine, Step,
    installation_order,
};

use crate::commands::webpi::feed_source::relative_file;
use crate::context::Context;
use crate::deploy::deployment::{Commands, Deployed, Deployment};
use crate::deploy::fetch::Location;
use crate::deploy::parameter_values::ParameterArgs;
use crate::deploy::site_root::{Place, SiteRoot, parse_iis_path};
use crate::deploy::unpack::OpenPackage;
use crate::error::{Error, Result};

/// What is installed, and into what.
#[derive(Debug)]
pub(crate) struct Installation<'a> {
    pub(crate) feed: &'a Feed,
    /// What addresses in the feed are relative to.
    pub(crate) location: &'a Location,
    pub(crate) product_id: &'a str,
    pub(crate) machine: &'a Machine,
    /// What is on the machine; none where nothing is known of it.
    pub(crate) inventory: Option<&'a Inventory>,
    /// The folder that stands for an IIS.
    pub(crate) site_root: &'a Utf8Path,
    /// Values for the parameters of the product that is asked for; what it needs gets its defaults.
    pub(crate) parameters: &'a ParameterArgs,
    pub(crate) commands: Commands,
}

/// What was done.
#[derive(Debug, Serialize)]
pub(crate) struct Installed {
    pub(crate) product: String,
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) site: String,
    pub(crate) application_path: String,
    /// Applications that it needs, installed before it.
    pub(crate) dependencies: Vec<Dependency>,
    /// Products that it needs and that only Windows can install.
    pub(crate) only_on_windows: Vec<OnWindows>,
    /// Products of other feeds that it says it needs: on Windows, WebPI would install them.
    pub(crate) not_in_feed: Vec<String>,
    #[serde(flatten)]
    pub(crate) deployed: Deployed,
}

#[derive(Debug, Serialize)]
pub(crate) struct Dependency {
    pub(crate) product: String,
    pub(crate) title: String,
    pub(crate) site: String,
    pub(crate) application_path: String,
    /// It was there already.
    pub(crate) already_there: bool,
}

/// A product that is not a Web Deploy package.
#[derive(Debug, Serialize)]
pub(crate) struct OnWindows {
    pub(crate) product: String,
    pub(crate) title: String,
    /// What its installer does.
    pub(crate) steps: Vec<String>,
}

impl Installation<'_> {
    pub(crate) fn run(&self, context: &Context) -> Result<Installed> {
        let installed = |product_id: &str| {
            self.inventory
                .is_some_and(|inventory| inventory.has_product_id(self.feed, product_id))
        };
        let plan = installation_order(self.feed, self.product_id, &installed, self.machine)
            .map_err(|error| {
                Error::new(format!("`{}`: {error}", self.location))
                    .help("`iiswsgi webpi list` shows the products of a feed")
            })?;
        let (asked, needed) = plan
            .steps
            .split_last()
            .ok_or_else(|| Error::new(format!("`{}` has no installer", self.product_id)))?;
        // What was asked for is looked at before anything is done.
        package_of(asked, self.location)?;

        let not_in_feed: Vec<String> = plan
            .missing
            .iter()
            .filter(|missing| !missing.in_feed)
            .map(|missing| missing.product_id.to_owned())
            .collect();
        let mut only_on_windows: Vec<OnWindows> = plan
            .missing
            .iter()
            .filter(|missing| missing.in_feed)
            .filter_map(|missing| self.feed.entry(missing.product_id))
            .map(|entry| OnWindows {
                product: entry.product_id.clone(),
                title: title(entry).to_owned(),
                steps: vec![format!("it has no installer for {}", self.machine)],
            })
            .collect();
        let mut packages = Vec::new();
        for step in needed {
            if step.installer.ms_deploy.is_some() {
                package_of(step, self.location)?;
                packages.push(step);
            } else {
                only_on_windows.push(OnWindows {
                    product: step.entry.product_id.clone(),
                    title: title(step.entry).to_owned(),
                    steps: steps(step.installer),
                });
            }
        }
        for product in &only_on_windows {
            context.say(format_args!(
                "`{}` ({}) can be installed on Windows only: {}",
                product.product,
                product.title,
                product.steps.join("; ")
            ));
        }
        if !not_in_feed.is_empty() {
            context.say(format_args!(
                "`{}` also names products of other feeds, which only WebPI installs: {}",
                asked.entry.product_id,
                not_in_feed.join(", ")
            ));
        }

        // Fetched and verified before anything is made or installed for it.
        let package = self.open(asked, context)?;
        let site_root = SiteRoot::open(self.site_root)?;
        let mut dependencies = Vec::new();
        for step in packages {
            dependencies.push(self.dependency(step, &site_root, context)?);
        }
        let (place, deployed) =
            self.deploy(package, &site_root, self.parameters, false, context)?;
        let Some(deployed) = deployed else {
            return Err(Error::new(format!(
                "`{}` was not deployed",
                asked.entry.product_id
            )));
        };
        Ok(Installed {
            product: asked.entry.product_id.clone(),
            title: title(asked.entry).to_owned(),
            version: asked.entry.version().cloned().unwrap_or_default(),
            site: place.site,
            application_path: place.application_path,
            dependencies,
            only_on_windows,
            not_in_feed,
            deployed,
        })
    }

    fn dependency(
        &self,
        step: &Step<'_>,
        site_root: &SiteRoot,
        context: &Context,
    ) -> Result<Dependency> {
        context.say(format_args!(
            "`{}` needs `{}`",
            self.product_id, step.entry.product_id
        ));
        let package = self.open(step, context)?;
        let parameters = ParameterArgs::of_values(Vec::new());
        let (place, deployed) = self.deploy(package, site_root, &parameters, true, context)?;
        if deployed.is_none() {
            context.say(format_args!(
                "`{}{}` is there already",
                place.site, place.application_path
            ));
        }
        Ok(Dependency {
            product: step.entry.product_id.clone(),
            title: title(step.entry).to_owned(),
            site: place.site,
            application_path: place.application_path,
            already_there: deployed.is_none(),
        })
    }

    fn open(&self, step: &Step<'_>, context: &Context) -> Result<OpenPackage> {
        let (location, expected) = package_of(step, self.location)?;
        context.say(format_args!("fetching `{location}`"));
        OpenPackage::fetch(&location, Some(expected), context)
    }

    /// Deploys a package; with `unless_there` nothing is done where an application is in its place already.
    fn deploy(
        &self,
        package: OpenPackage,
        site_root: &SiteRoot,
        parameters: &ParameterArgs,
        unless_there: bool,
        context: &Context,
    ) -> Result<(Place, Option<Deployed>)> {
        let values = parameters.resolve(&package, context)?;
        let place = parse_iis_path(&package.application_path(&values)?)?;
        if unless_there && has_application(site_root, &place)? {
            return Ok((place, None));
        }
        let folder = place
            .application_path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .fold(site_root.folder().join(&place.site), |folder, segment| {
                folder.join(segment)
            });
        let deployment = Deployment {
            folder,
            site_root: Some(site_root.folder().to_owned()),
            place: Some(place.clone()),
            commands: self.commands,
        };
        let deployed = deployment.run(package, &values, context)?;
        Ok((place, Some(deployed)))
    }
}

fn has_application(site_root: &SiteRoot, place: &Place) -> Result<bool> {
    let host = ApplicationHost::parse(&site_root.read()?)?;
    Ok(host.sites.iter().any(|site| {
        site.value.name.eq_ignore_ascii_case(&place.site)
            && site.value.applications.iter().any(|application| {
                application
                    .path
                    .eq_ignore_ascii_case(&place.application_path)
            })
    }))
}

/// Where the product's package is, and what the feed says of it.
fn package_of<'a>(step: &Step<'a>, feed: &Location) -> Result<(Location, &'a InstallerFile)> {
    let product = &step.entry.product_id;
    let installer = step.installer;
    if installer.ms_deploy.is_none() {
        return Err(
            Error::new(format!("`{product}` is not a Web Deploy package"))
                .help(format!("only products with an `<msDeploy>` installer can be installed into a site; this one is installed on Windows: {}", steps(installer).join("; "))),
        );
    }
    let file = installer
        .installer_file
        .as_ref()
        .ok_or_else(|| Error::new(format!("`{product}` has no installer file")))?;
    if file.sha1.is_none() {
        return Err(Error::new(format!(
            "the feed gives no SHA-1 for the package of `{product}`, so that it cannot be verified"
        ))
        .help(
            "ask the feed's author for one, or fetch the package and use `iiswsgi msdeploy sync`",
        ));
    }
    Ok((installer_location(file, feed)?, file))
}

/// Where an installer's file is: the copy beside an offline feed, else what `installerURL` says.
pub(crate) fn installer_location(file: &InstallerFile, feed: &Location) -> Result<Location> {
    let relative = file.relative_installer_url.as_deref().unwrap_or_default();
    if let Location::File(path) = feed {
        let folder = path.parent().unwrap_or_else(|| Utf8Path::new(""));
        let copy = relative_file(relative, folder).filter(|copy| copy.is_file());
        if let Some(copy) = copy {
            return Ok(Location::File(copy));
        }
    }
    let url = file.installer_url.trim();
    Location::parse(if url.is_empty() { relative } else { url }, Some(feed))
}

/// What an installer does on Windows, a line for each step.
pub(crate) fn steps(installer: &Installer) -> Vec<String> {
    let mut steps = Vec::new();
    if installer.ms_deploy.is_some() {
        steps.push("deploys a Web Deploy package".to_owned());
    }
    if let Some(component) = &installer.iis_component {
        let name = component
            .iis70_component_name
            .as_deref()
            .unwrap_or("of IIS");
        steps.push(format!("switches on the feature {name}"));
    }
    for command in installer
        .install_commands
        .iter()
        .flat_map(|commands| commands.iter())
    {
        steps.push(match command {
            InstallCommand::Cmdline(command) => {
                let arguments = command
                    .command_line_arguments
                    .as_deref()
                    .unwrap_or_default();
                format!(
                    "runs `{}`",
                    format!("{} {arguments}", command.exe).trim_end()
                )
            }
            InstallCommand::MsiInstall(command) => {
                format!("installs `{}` by Windows Installer", command.msi)
            }
            InstallCommand::MsuInstall(command) => format!("installs the update `{}`", command.msu),
            InstallCommand::Unzip(command) => format!(
                "unzips `{}` into `{}`",
                command.zip_file, command.target_directory
            ),
            other => format!("{other:?}"),
        });
    }
    if steps.is_empty() {
        steps.push("its installer does nothing".to_owned());
    }
    steps
}

/// What people call a product.
pub(crate) fn title(entry: &Entry) -> &str {
    entry
        .title()
        .map(webpi_feed::Text::as_str)
        .filter(|title| !title.is_empty())
        .unwrap_or(&entry.product_id)
}
