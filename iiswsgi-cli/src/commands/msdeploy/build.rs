//! `iiswsgi msdeploy build`.

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::context::Context;
use crate::deploy::package::build;
use crate::deploy::project::Project;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: Utf8PathBuf,
}

#[derive(Serialize)]
struct Report {
    name: String,
    version: String,
    /// The files that are made, whether they changed or not.
    files: Vec<Utf8PathBuf>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|file| writeln!(f, "{file}"))
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let project = Project::load(&args.folder, &[], context)?;
    let files = build(&project, context)?;
    context.report(&Report {
        name: project.name,
        version: project.version,
        files,
    })
}
