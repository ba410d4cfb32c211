//! `iiswsgi webpi install`: what the Web Platform Installer does with a feed, on any operating system.

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;
use spanned_xml::Source;
use webpi_feed::{Feed, Installer, InstallerFile, Machine, installation_order};

use crate::context::Context;
use crate::deploy::deployment::{Commands, Deployed, Deployment};
use crate::deploy::fetch::Location;
use crate::deploy::parameter_values::ParameterArgs;
use crate::deploy::site_root::{SiteRoot, parse_iis_path};
use crate::deploy::unpack::OpenPackage;
use crate::error::{Error, Result};

/// The largest feed that is read: Microsoft's own had half a megabyte.
const FEED_LIMIT: u64 = 256 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feed: a path, or a file:, http: or https: URL
    #[arg(value_name = "FEED")]
    feed: String,
    /// The product's identifier in the feed
    #[arg(value_name = "PRODUCT")]
    product: String,
    /// The folder that stands for an IIS: sites go into it, with their applicationHost.config
    #[arg(long, value_name = "DIR", env = "IISWSGI_SITE_ROOT")]
    site_root: Utf8PathBuf,
    #[command(flatten)]
    parameters: ParameterArgs,
    /// Do not run the package's runCommands
    #[arg(long)]
    no_run_commands: bool,
}

#[derive(Serialize)]
struct Report {
    product: String,
    version: String,
    site: String,
    application_path: String,
    /// Products of other feeds that it says it needs: on Windows, WebPI would install them.
    not_in_feed: Vec<String>,
    #[serde(flatten)]
    deployed: Deployed,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deployed.fmt(f)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let location = Location::parse(&args.feed, None)?;
    let source = fetch_feed(&location, context)?;
    let (feed, problems) = Feed::read(&source)?;
    context.warn(&source, &problems);
    let plan =
        installation_order(&feed, &args.product, &|_| false, &Machine::any()).map_err(|error| {
            Error::new(format!("`{location}`: {error}"))
                .help("`iiswsgi webpi feed` writes feeds; check the product's identifier")
        })?;
    // The last step is what was asked for.
    let step = plan
        .steps
        .last()
        .ok_or_else(|| Error::new(format!("`{}` has no installer", args.product)))?;
    let not_in_feed: Vec<String> = plan
        .missing
        .iter()
        .filter(|missing| !missing.in_feed)
        .map(|missing| missing.product_id.to_owned())
        .collect();
    if !not_in_feed.is_empty() {
        context.say(format_args!(
            "`{}` also names products of other feeds, which only WebPI installs: {}",
            args.product,
            not_in_feed.join(", ")
        ));
    }

    let (package_location, expected) = package_of(step.installer, &location, &args.product)?;
    context.say(format_args!("fetching `{package_location}`"));
    let package = OpenPackage::fetch(&package_location, Some(expected), context)?;
    let values = args.parameters.resolve(&package, context)?;
    let place = parse_iis_path(&package.application_path(&values)?)?;
    let site_root = SiteRoot::open(&args.site_root)?;
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
        commands: if args.no_run_commands {
            Commands::Report
        } else {
            Commands::Run
        },
    };
    let deployed = deployment.run(package, &values, context)?;
    context.report(&Report {
        product: args.product.clone(),
        version: step.entry.version().cloned().unwrap_or_default(),
        site: place.site,
        application_path: place.application_path,
        not_in_feed,
        deployed,
    })
}

fn fetch_feed(location: &Location, context: &Context) -> Result<Source> {
    let mut octets = Vec::new();
    location.fetch(&mut octets, FEED_LIMIT, context)?;
    Source::decode(location.to_string(), &octets)
        .map_err(|problem| Error::problem(problem, &Source::from_text(location.to_string(), "")))
}

/// Where the product's package is, and what the feed says of it.
fn package_of<'a>(
    installer: &'a Installer,
    feed: &Location,
    product: &str,
) -> Result<(Location, &'a InstallerFile)> {
    if installer.ms_deploy.is_none() {
        return Err(
            Error::new(format!("`{product}` is not a Web Deploy package"))
                .help("only products with an `<msDeploy>` installer can be installed into a site"),
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
    let url = if file.installer_url.is_empty() {
        file.relative_installer_url.as_deref().unwrap_or_default()
    } else {
        &file.installer_url
    };
    Ok((Location::parse(url, Some(feed))?, file))
}
