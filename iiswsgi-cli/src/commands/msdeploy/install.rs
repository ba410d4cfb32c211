//! `iiswsgi msdeploy install`.

use camino::Utf8PathBuf;

use crate::context::Context;
use crate::deploy::install::Installation;
use crate::deploy::registration::RegistrationArgs;
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
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let installation = Installation {
        folder: args.folder.clone(),
        registration: args.registration.clone(),
        python: args.python.clone(),
        virtual_env: !args.no_virtual_env,
    };
    context.report(&installation.run(context)?)
}
