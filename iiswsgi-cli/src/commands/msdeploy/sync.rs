//! `iiswsgi msdeploy sync`.

use camino::Utf8PathBuf;

use crate::context::Context;
use crate::deploy::deployment::{Commands, Deployment};
use crate::deploy::fetch::Location;
use crate::deploy::file;
use crate::deploy::parameter_values::ParameterArgs;
use crate::deploy::repackage::{Repackaging, is_package};
use crate::deploy::sync_options::RuleArgs;
use crate::deploy::unpack::OpenPackage;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The package: a path, or a file:, http: or https: URL
    #[arg(value_name = "PACKAGE")]
    package: String,
    /// The application's folder, made where it is not there; files of it that the package does not have stay. Or another
    /// package to write: a .zip, with the parameters that are given put into its files
    #[arg(value_name = "DEST")]
    destination: Utf8PathBuf,
    #[command(flatten)]
    parameters: ParameterArgs,
    #[command(flatten)]
    rules: RuleArgs,
    /// Say what would be done, and change nothing
    #[arg(long, alias = "whatif")]
    what_if: bool,
    /// Run the package's runCommands in the end; without it they are only reported
    #[arg(long)]
    run_commands: bool,
    /// Where the package's runCommands register the application [default: the nearest applicationHost.config above DEST, else
    /// DEST itself]
    #[arg(long, value_name = "DIR", env = "IISWSGI_SITE_ROOT")]
    site_root: Option<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let options = args.rules.options(context)?;
    let mut package = OpenPackage::fetch(&Location::parse(&args.package, None)?, None, context)?;
    if is_package(&args.destination) {
        let given = args.parameters.given(&package.parameters, context)?;
        let mut repackaging = Repackaging::new(package, &given)?;
        if args.what_if {
            return context.report(&repackaging.plan(&options)?);
        }
        return context.report(&repackaging.run(&options, &args.destination, context)?);
    }
    let values = args.parameters.resolve(&package, context)?;
    let deployment = Deployment {
        folder: file::absolute(&args.destination)?,
        site_root: args.site_root.clone(),
        place: None,
        commands: if args.run_commands {
            Commands::Run
        } else {
            Commands::Report
        },
    };
    if args.what_if {
        return context.report(&deployment.plan(&mut package, &values, &options)?);
    }
    context.report(&deployment.sync(&mut package, &values, &options, context)?)
}
