//! A feed that a command was given, fetched and read, with the feeds that it includes.

use camino::{Utf8Path, Utf8PathBuf};
use spanned_xml::{Problem, Source};
use webpi_feed::{Feed, merge};

use crate::commands::webpi::installation::installer_location;
use crate::context::Context;
use crate::deploy::fetch::Location;
use crate::deploy::file;
use crate::error::{Error, Result};

/// The largest feed that is read whole: Microsoft's own had half a megabyte.
pub(crate) const FEED_LIMIT: u64 = 256 << 20;

/// The longest feed from elsewhere that is read product by product.
pub(crate) const STREAMED_LIMIT: u64 = 4 << 30;

/// So many feeds are loaded together with one.
const ENCLOSURE_LIMIT: usize = 32;

/// A feed's text and where it came from.
#[derive(Debug)]
pub(crate) struct FeedSource {
    pub(crate) location: Location,
    pub(crate) source: Source,
}

impl FeedSource {
    /// Fetches a feed from a path, or a `file:`, `http:` or `https:` URL.
    pub(crate) fn fetch(feed: &str, context: &Context) -> Result<Self> {
        Self::fetch_from(Location::parse(feed, None)?, context)
    }

    pub(crate) fn fetch_from(location: Location, context: &Context) -> Result<Self> {
        let mut octets = Vec::new();
        location.fetch(&mut octets, FEED_LIMIT, context)?;
        let source = Source::decode(location.to_string(), &octets).map_err(|problem| {
            Error::problem(problem, &Source::from_text(location.to_string(), ""))
        })?;
        Ok(Self { location, source })
    }

    /// The feed; what is wrong with it is said.
    pub(crate) fn read(&self, context: &Context) -> Result<Feed> {
        let (feed, problems) = self.read_checked()?;
        context.warn(&self.source, &problems);
        Ok(feed)
    }

    /// The feed made one with those that are loaded together with it, and with theirs. One that cannot be read is said and left
    /// out.
    pub(crate) fn read_with_enclosures(&self, context: &Context) -> Result<Feed> {
        let feed = self.read(context)?;
        let included = read_included(&feed, &self.location, context, |location| {
            let fetched = Self::fetch_from(location.clone(), context)?;
            let mut feed = fetched.read(context)?;
            make_absolute(&mut feed, location);
            Ok(feed)
        });
        if included.is_empty() {
            return Ok(feed);
        }
        Ok(merge(&std::iter::once(&feed).chain(&included).collect::<Vec<_>>()).feed)
    }

    /// The feed, and what is wrong with it.
    pub(crate) fn read_checked(&self) -> Result<(Feed, Vec<Problem>)> {
        Ok(Feed::read(&self.source)?)
    }

    /// The file on this machine that the feed was read from.
    pub(crate) fn file(&self) -> Option<&Utf8PathBuf> {
        match &self.location {
            Location::File(path) => Some(path),
            Location::Http(_) => None,
        }
    }
}

/// Reads the feeds that are loaded together with one, and with them, each once. One that cannot be read is said and left out.
pub(crate) fn read_included(
    feed: &Feed,
    location: &Location,
    context: &Context,
    mut read: impl FnMut(&Location) -> Result<Feed>,
) -> Vec<Feed> {
    let mut seen = vec![one_spelling(location.clone())];
    let mut included = Vec::new();
    let mut pending = enclosures(feed, location);
    while let Some(next) = pending.pop() {
        if seen.contains(&next) {
            continue;
        }
        if seen.len() > ENCLOSURE_LIMIT {
            context.say(format_args!(
                "`{location}` includes more than {ENCLOSURE_LIMIT} feeds: the others are left out"
            ));
            break;
        }
        seen.push(next.clone());
        context.detail(format_args!("including `{next}`"));
        match read(&next) {
            Ok(feed) => {
                pending.extend(enclosures(&feed, &next));
                included.push(feed);
            }
            Err(error) => context.say(format_args!("an included feed is left out: {error}")),
        }
    }
    included
}

/// Where the feeds are that are loaded together with one. A feed from elsewhere cannot include files of this machine.
fn enclosures(feed: &Feed, base: &Location) -> Vec<Location> {
    feed.enclosures()
        .filter_map(|link| link.href.as_deref().or(link.relative_href.as_deref()))
        .filter_map(|href| Location::parse(href.trim(), Some(base)).ok())
        .map(one_spelling)
        .filter(|location| {
            matches!(base, Location::File(_)) || matches!(location, Location::Http(_))
        })
        .collect()
}

/// One path for a file, so that a feed that includes itself is recognised.
fn one_spelling(location: Location) -> Location {
    match location {
        Location::File(path) => Location::File(file::canonical(&path).unwrap_or(path)),
        http @ Location::Http(_) => http,
    }
}

/// Addresses of files that are relative to the feed are written so that they can be used from another one.
fn make_absolute(feed: &mut Feed, base: &Location) {
    let files = feed
        .entries
        .iter_mut()
        .flat_map(|entry| entry.installers.iter_mut())
        .filter_map(|installer| installer.installer_file.as_mut());
    for file in files {
        if let Ok(location) = installer_location(file, base) {
            file.installer_url = location.to_string();
            file.relative_installer_url = None;
        }
    }
}

/// The file that an address relative to a feed's folder means, as `relativeInstallerURL` has it: percent-encoded, with `/` or
/// `\`.
pub(crate) fn relative_file(address: &str, folder: &Utf8Path) -> Option<Utf8PathBuf> {
    let address = address.trim().replace('\\', "/");
    let decoded = percent_encoding::percent_decode_str(&address)
        .decode_utf8()
        .ok()?;
    let is_relative = !decoded.is_empty() && !decoded.starts_with('/') && !decoded.contains(':');
    is_relative.then(|| folder.join(decoded.as_ref()))
}
