//! `iiswsgi msdeploy dump`.

use std::fmt;

use msdeploy_pkg::{ObjectTree, PackageDump};
use serde::Serialize;

use crate::context::Context;
use crate::deploy::description::Description;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The package: a path, or a file:, http: or https: URL
    #[arg(value_name = "PACKAGE")]
    package: String,
    /// Write XML, as `msdeploy -verb:dump -xml` does
    #[arg(long, conflicts_with = "format")]
    xml: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Report {
    dump: PackageDump,
    #[serde(skip)]
    xml: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.xml {
            f.write_str(&self.dump.to_xml())
        } else {
            self.dump.fmt(f)
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let (description, entries) = Description::read_with_entries(&args.package, context)?;
    let tree = ObjectTree::parse(&description.manifest_source)?;
    let dump = PackageDump::new(description.layout, &tree, &description.manifest, &entries);
    context.report(&Report {
        dump,
        xml: args.xml,
    })
}
