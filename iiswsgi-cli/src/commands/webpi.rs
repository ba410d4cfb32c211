//! `iiswsgi webpi`.

use crate::commands::{webpi_feed, webpi_install};
use crate::context::Context;
use crate::error::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write the feed over one or more packages
    Feed(webpi_feed::Args),
    /// Install a product from a feed into a site root
    Install(webpi_install::Args),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Feed(args) => webpi_feed::run(args, context),
        Command::Install(args) => webpi_install::run(args, context),
    }
}
