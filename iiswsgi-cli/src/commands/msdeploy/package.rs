//! `iiswsgi msdeploy package`.

use camino::Utf8PathBuf;

use crate::context::Context;
use crate::deploy::package::{build, package};
use crate::deploy::project::Project;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: Utf8PathBuf,
    /// Where to write the package [default: `dist` in the project's folder]
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let project = Project::load(&args.folder, &[], context)?;
    build(&project, context)?;
    let output = args
        .output
        .clone()
        .unwrap_or_else(|| project.package_path());
    context.report(&package(&project, &output, context)?)
}
