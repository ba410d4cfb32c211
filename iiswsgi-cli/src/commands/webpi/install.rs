//! `iiswsgi webpi install`: what the Web Platform Installer does with a feed, on any operating system.

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::commands::webpi::feed_source::FeedSource;
use crate::commands::webpi::installation::{Installation, Installed};
use crate::commands::webpi::machine_args::MachineArgs;
use crate::context::Context;
use crate::deploy::deployment::Commands;
use crate::deploy::parameter_values::ParameterArgs;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feed: a path, or a file:, http: or https: URL
    #[arg(value_name = "FEED")]
    feed: String,
    /// The product's identifier in the feed; what it needs is installed first
    #[arg(value_name = "PRODUCT")]
    product: String,
    /// The folder that stands for an IIS: sites go into it, with their applicationHost.config
    #[arg(long, value_name = "DIR", env = "IISWSGI_SITE_ROOT")]
    site_root: Utf8PathBuf,
    #[command(flatten)]
    parameters: ParameterArgs,
    #[command(flatten)]
    machine: MachineArgs,
    /// Do not run the package's runCommands
    #[arg(long)]
    no_run_commands: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Report(Installed);

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.deployed.fmt(f)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let target = args.machine.target(context)?;
    let fetched = FeedSource::fetch(&args.feed, context)?;
    let feed = fetched.read_with_enclosures(context)?;
    let inventory = target.inventory(&feed, context);
    let installation = Installation {
        feed: &feed,
        location: &fetched.location,
        product_id: &args.product,
        machine: &target.machine,
        inventory: inventory.as_ref(),
        site_root: &args.site_root,
        parameters: &args.parameters,
        commands: if args.no_run_commands {
            Commands::Report
        } else {
            Commands::Run
        },
    };
    context.report(&Report(installation.run(context)?))
}
