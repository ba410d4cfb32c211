//! `iiswsgi msdeploy`.

mod build;
mod check;
mod delete;
mod diff;
mod dump;
mod files;
mod install;
mod package;
mod parameters;
mod sync;
mod system_info;
mod test;

use crate::context::Context;
use crate::error::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make Manifest.xml and iis_install.stamp from their templates
    Build(build::Args),
    /// Check a package, or what a project would be packaged as, against the rules of Web Deploy, of the gallery and of Windows
    Check(check::Args),
    /// Say what is different between two packages, or between a package and a folder; the exit status is 1 then
    Diff(diff::Args),
    /// Show the objects of a package and its content
    Dump(dump::Args),
    /// List the project's files that go into its package, or say why one does or does not
    Files(files::Args),
    /// Build, then write the Web Deploy package into the project's `dist` folder
    Package(package::Args),
    /// List a package's parameters: what they are for, their defaults, what a value has to satisfy
    Parameters(parameters::Args),
    /// Put a package into a folder, or into another package, with its parameters applied: all of it, or nothing
    Sync(sync::Args),
    /// Show the computer that a package was made on
    SystemInfo(system_info::Args),
    /// Set up an unpacked application: virtual environment, dependencies, web.config, FastCGI registration
    Install(install::Args),
    /// Delete an application: its folder, its place in the site, and the FastCGI applications that only it uses
    Delete(delete::Args),
    /// Make one request to the application of a folder, without a Web server; the exit status is 1 where it fails
    Test(test::Args),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Build(args) => build::run(args, context),
        Command::Check(args) => check::run(args, context),
        Command::Diff(args) => diff::run(args, context),
        Command::Dump(args) => dump::run(args, context),
        Command::Files(args) => files::run(args, context),
        Command::Package(args) => package::run(args, context),
        Command::Parameters(args) => parameters::run(args, context),
        Command::Sync(args) => sync::run(args, context),
        Command::SystemInfo(args) => system_info::run(args, context),
        Command::Install(args) => install::run(args, context),
        Command::Delete(args) => delete::run(args, context),
        Command::Test(args) => test::run(args, context),
    }
}
