//! `iiswsgi webpi serve`: a feed and its packages over HTTP, and a page that shows its products.

mod card;
mod dependency_text;
mod html;
mod page;
mod query;
mod resource;
mod served_feed;
mod server;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde::Serialize;

use crate::commands::dev::{log_to_stderr, stop_signal};
use crate::commands::webpi::feed_source::FeedSource;
use crate::commands::webpi::serve::served_feed::Package;
use crate::commands::webpi::serve::server::{FeedServer, listen};
use crate::context::Context;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feed: a path, or a file:, http: or https: URL. A file is read again when it changes
    #[arg(value_name = "FEED")]
    feed: String,
    /// The port; 0 is any
    #[arg(short, long, value_name = "PORT", default_value_t = 8000)]
    port: u16,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    address: IpAddr,
    /// Serve the feed octet for octet: the addresses of packages on this machine are not changed to those of this server
    #[arg(long)]
    as_is: bool,
}

impl Args {
    /// Serves `feed` to this machine.
    pub(super) const fn new(feed: String, port: u16) -> Self {
        Self {
            feed,
            port,
            address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            as_is: false,
        }
    }
}

#[derive(Serialize)]
struct Report {
    /// The page for people.
    page: String,
    /// The feed's address, for WebPI and `iiswsgi webpi install`.
    feed: String,
    products: usize,
    /// Packages that this server has.
    packages: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "page: {}", self.page)?;
        writeln!(f, "feed: {}", self.feed)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let fetched = FeedSource::fetch(&args.feed, context)?;
    log_to_stderr(context);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(args, fetched, context))
}

async fn serve(args: &Args, fetched: FeedSource, context: &Context) -> Result<()> {
    let stop = stop_signal()?;
    let listener = listen(SocketAddr::new(args.address, args.port), context).await?;
    let server = FeedServer::new(fetched, listener.local_addr()?, args.as_is)?;
    let (feed, _) = server.current();
    context.warn(&feed.source, &feed.problems);
    for (url, package) in &feed.packages {
        match package {
            Package::Served { .. } => context.detail(format_args!("serving `{url}`")),
            Package::Missing { file } => {
                context.say(format_args!("`{file}` is not there: it cannot be served"));
            }
            Package::Differs { file, found } => context.say(format_args!(
                "`{file}` is not served: its SHA-1 is {found}, which is not the feed's"
            )),
            Package::Unverified { file } => context.say(format_args!(
                "`{file}` is not served: the feed gives no SHA-1 for it, and it is not below the feed's folder"
            )),
        }
    }
    let is_served = |package: &&Package| matches!(package, Package::Served { .. });
    context.report(&Report {
        page: server.page_url(),
        feed: server.feed_url(),
        products: feed.feed.entries.len(),
        packages: feed.packages.values().filter(is_served).count(),
    })?;
    context.say("serving until Ctrl-C");
    Arc::new(server).serve(listener, stop).await;
    Ok(())
}
