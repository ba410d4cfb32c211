//! `iiswsgi webpi`.

mod check;
mod clean;
mod diff;
mod feed;
pub(crate) mod feed_source;
mod fetched;
mod install;
pub(crate) mod installation;
pub(crate) mod list;
mod live_machine;
pub(crate) mod local_data;
mod logs;
pub(crate) mod machine_args;
mod machine_file;
mod merge;
pub(crate) mod offline;
mod serve;
mod show;
mod start;

use crate::context::Context;
use crate::error::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write the feed over one or more packages
    Feed(feed::Args),
    /// Say what is wrong with a feed: what WebPI would refuse, and, with --fetch, every address, size and hash
    Check(check::Args),
    /// List the products of a feed, or of the feeds that WebPI has a copy of
    List(list::Args),
    /// Show a product, and what would be installed to get it, in order
    Show(show::Args),
    /// Install a product from a feed, and what it needs, into a site root
    Install(install::Args),
    /// Make a copy of products, with their packages, that needs no network and can be moved
    Offline(offline::Args),
    /// Make one feed of several
    Merge(merge::Args),
    /// Say what has changed from one feed to another
    Diff(diff::Args),
    /// Remove the copies of feeds and packages that WebPI keeps, and what an interrupted installation left
    Clean(clean::Args),
    /// Show WebPI's newest logs and the gateway's: the lines that tell of a failure, and what helps
    Logs(logs::Args),
    /// Serve a feed and its packages over HTTP, with a page that shows the products
    Serve(serve::Args),
    /// Remove old copies of a feed and its packages, and start WebPI; where there is none, serve the feed (`iiswsgi_webpi`)
    Start(start::Args),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Feed(args) => feed::run(args, context),
        Command::Check(args) => check::run(args, context),
        Command::List(args) => list::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Install(args) => install::run(args, context),
        Command::Offline(args) => offline::run(args, context),
        Command::Merge(args) => merge::run(args, context),
        Command::Diff(args) => diff::run(args, context),
        Command::Clean(args) => clean::run(args, context),
        Command::Logs(args) => logs::run(args, context),
        Command::Serve(args) => serve::run(args, context),
        Command::Start(args) => start::run(args, context),
    }
}
