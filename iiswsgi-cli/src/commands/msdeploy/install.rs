//! `iiswsgi msdeploy install`.

use camino::Utf8PathBuf;

use crate::context::{Context, StrictArgs};
use crate::deploy::install::{Installation, Part};
use crate::deploy::registration::RegistrationArgs;
use crate::deploy::virtual_env::EnvironmentChoice;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The application's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: Utf8PathBuf,
    #[command(flatten)]
    registration: RegistrationArgs,
    /// The Python to make the virtual environment with [default: the one that runs this command]
    #[arg(long, value_name = "PATH")]
    python: Option<Utf8PathBuf>,
    /// Install into that Python itself, without a virtual environment
    #[arg(long)]
    no_virtual_env: bool,
    /// Only a part of it: so that something of your own can come between the two
    #[arg(long, value_enum, value_name = "PART")]
    only: Option<Part>,
    /// Make a request to the application at the end; where it fails, nothing is installed
    #[arg(long)]
    test: bool,
    #[command(flatten)]
    strict: StrictArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    args.strict.apply(context);
    let installation = Installation {
        folder: args.folder.clone(),
        registration: args.registration.clone(),
        environment: EnvironmentChoice {
            python: args.python.clone(),
            virtual_env: !args.no_virtual_env,
            script: None,
        },
        test: args.test,
        only: args.only,
    };
    context.report(&installation.run(context)?)
}
