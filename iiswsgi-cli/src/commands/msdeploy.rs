//! `iiswsgi msdeploy`.

mod build;
mod install;
mod package;
mod sync;

use crate::context::Context;
use crate::error::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make Manifest.xml and iis_install.stamp from their templates
    Build(build::Args),
    /// Build, then write the Web Deploy package into the project's `dist` folder
    Package(package::Args),
    /// Unpack a Web Deploy package into a folder, with its parameters applied
    Sync(sync::Args),
    /// Set up an unpacked application: virtual environment, dependencies, web.config, FastCGI registration
    Install(install::Args),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Build(args) => build::run(args, context),
        Command::Package(args) => package::run(args, context),
        Command::Sync(args) => sync::run(args, context),
        Command::Install(args) => install::run(args, context),
    }
}
