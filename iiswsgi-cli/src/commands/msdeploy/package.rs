//! `iiswsgi msdeploy package`.

use camino::Utf8PathBuf;
use msdeploy_pkg::Layout;

use super::files::DialectArgs;
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
    /// How the package is laid out
    #[arg(long, value_enum, value_name = "LAYOUT", default_value_t = LayoutName::Gallery)]
    layout: LayoutName,
    #[command(flatten)]
    dialect: DialectArgs,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LayoutName {
    /// Manifest.xml, Parameters.xml and the application's folder: for the Web Platform Installer, and installed by msdeploy
    Gallery,
    /// archive.xml, Content, parameters.xml and systemInfo.xml, as msdeploy's own `package` provider writes it
    Package,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let project = Project::load(&args.folder, &[], context)?.with_dialect(args.dialect.dialect());
    build(&project, context)?;
    let output = args
        .output
        .clone()
        .unwrap_or_else(|| project.package_path("dist".into()));
    let layout = match args.layout {
        LayoutName::Gallery => Layout::Gallery,
        LayoutName::Package => Layout::Package,
    };
    context.report(&package(&project, layout, &output, context)?)
}
