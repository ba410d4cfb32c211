//! `iiswsgi webpi`.

mod feed;
mod install;

use crate::context::Context;
use crate::error::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write the feed over one or more packages
    Feed(feed::Args),
    /// Install a product from a feed into a site root
    Install(install::Args),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Feed(args) => feed::run(args, context),
        Command::Install(args) => install::run(args, context),
    }
}
