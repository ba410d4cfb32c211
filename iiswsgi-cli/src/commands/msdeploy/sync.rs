//! `iiswsgi msdeploy sync`.

use camino::Utf8PathBuf;

use crate::context::Context;
use crate::deploy::deployment::{Commands, Deployment};
use crate::deploy::fetch::Location;
use crate::deploy::file;
use crate::deploy::parameter_values::ParameterArgs;
use crate::deploy::unpack::OpenPackage;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The package: a path, or a file:, http: or https: URL
    #[arg(value_name = "PACKAGE")]
    package: String,
    /// The application's folder, made where it is not there; files of it that the package does not have stay
    #[arg(value_name = "DIR")]
    folder: Utf8PathBuf,
    #[command(flatten)]
    parameters: ParameterArgs,
    /// Run the package's runCommands in the end; without it they are only reported
    #[arg(long)]
    run_commands: bool,
    /// Where the package's runCommands register the application [default: the nearest applicationHost.config above DIR, else
    /// DIR itself]
    #[arg(long, value_name = "DIR", env = "IISWSGI_SITE_ROOT")]
    site_root: Option<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let package = OpenPackage::fetch(&Location::parse(&args.package, None)?, None, context)?;
    let values = args.parameters.resolve(&package, context)?;
    let deployment = Deployment {
        folder: file::absolute(&args.folder)?,
        site_root: args.site_root.clone(),
        place: None,
        commands: if args.run_commands {
            Commands::Run
        } else {
            Commands::Report
        },
    };
    context.report(&deployment.run(package, &values, context)?)
}
