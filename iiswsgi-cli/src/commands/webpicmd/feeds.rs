//! The feeds that a command line of WebpiCmd.exe names.

use webpi_feed::{Entry, Feed};

use crate::commands::webpi::feed_source::FeedSource;
use crate::commands::webpi::installation::title;
use crate::commands::webpicmd::FEED_VARIABLE;
use crate::commands::webpicmd::switches::Switches;
use crate::context::Context;
use crate::deploy::fetch::Location;
use crate::error::{Error, Result};

/// A feed and where it came from.
#[derive(Debug)]
pub(crate) struct LoadedFeed {
    pub(crate) location: Location,
    pub(crate) feed: Feed,
}

/// The main feed first, the others in order.
pub(crate) fn load(switches: &Switches, context: &Context) -> Result<Vec<LoadedFeed>> {
    let main = switches
        .xml
        .as_deref()
        .or_else(|| context.environment.non_empty(FEED_VARIABLE));
    let named: Vec<&str> = main
        .into_iter()
        .chain(switches.feeds.iter().map(String::as_str))
        .collect();
    if named.is_empty() {
        return Err(Error::new("no feed is named")
            .help(format!("give `/XML:FEED` or `/Feeds:FEED`, or set {FEED_VARIABLE}: Microsoft's own feed has been empty since 2023")));
    }
    named
        .into_iter()
        .map(|feed| {
            let fetched = FeedSource::fetch(feed, context)?;
            let feed = fetched.read_with_enclosures(context)?;
            Ok(LoadedFeed {
                location: fetched.location,
                feed,
            })
        })
        .collect()
}

/// The product of this identifier, and, where titles are looked at too, of this title; in the first feed that has it.
pub(crate) fn find<'a>(
    feeds: &'a [LoadedFeed],
    name: &str,
    by_title: bool,
) -> Option<(&'a LoadedFeed, &'a Entry)> {
    let by_id = feeds
        .iter()
        .find_map(|loaded| loaded.feed.entry(name).map(|entry| (loaded, entry)));
    by_id.or_else(|| {
        let has_title = |entry: &&Entry| by_title && title(entry).eq_ignore_ascii_case(name);
        feeds.iter().find_map(|loaded| {
            let entry = loaded.feed.entries.iter().find(has_title)?;
            Some((loaded, entry))
        })
    })
}
