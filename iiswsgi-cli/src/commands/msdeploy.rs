//! `iiswsgi msdeploy`.

use crate::commands::{msdeploy_build, msdeploy_install, msdeploy_package, msdeploy_sync};
use crate::context::Context;
use crate::error::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make Manifest.xml and iis_install.stamp from their templates
    Build(msdeploy_build::Args),
    /// Build, then write the Web Deploy package into the project's `dist` folder
    Package(msdeploy_package::Args),
    /// Unpack a Web Deploy package into a folder, with its parameters applied
    Sync(msdeploy_sync::Args),
    /// Set up an unpacked application: virtual environment, dependencies, web.config, FastCGI registration
    Install(msdeploy_install::Args),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Build(args) => msdeploy_build::run(args, context),
        Command::Package(args) => msdeploy_package::run(args, context),
        Command::Sync(args) => msdeploy_sync::run(args, context),
        Command::Install(args) => msdeploy_install::run(args, context),
    }
}
