//! `iiswsgi webpi clean`: what makes the Web Platform Installer use an old feed or package.
//!
//! WebPI keeps feeds and downloads, and refuses a new package with the message "failed signature verification" while it
//! still has the old feed with the old SHA-1. A stamp file that an interrupted installation left makes the next one find the
//! wrong application.

use std::collections::HashSet;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::Serialize;
use webpi_feed::Feed;

use crate::commands::webpi::feed_source::FeedSource;
use crate::commands::webpi::local_data::{LocalData, LocalDataArgs};
use crate::context::Context;
use crate::deploy::registration::{Registration, RegistrationArgs};
use crate::deploy::stamp::STAMP;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feeds whose cached copies and downloads are removed: paths or URLs, or a feed's `id`
    #[arg(value_name = "FEED", required_unless_present_any = ["products", "all"])]
    feeds: Vec<String>,
    /// Remove the downloads of this product; can be repeated
    #[arg(long = "product", value_name = "ID")]
    products: Vec<String>,
    /// Remove every cached feed and every download
    #[arg(long, conflicts_with_all = ["feeds", "products"])]
    all: bool,
    #[command(flatten)]
    local_data: LocalDataArgs,
    #[command(flatten)]
    registration: RegistrationArgs,
    /// Remove nothing, only say what would be
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// Removes the copies of these feeds; of all where none is named.
    pub(super) fn new(feeds: Vec<String>, local_data: LocalDataArgs) -> Self {
        Self {
            all: feeds.is_empty(),
            feeds,
            products: Vec::new(),
            local_data,
            registration: RegistrationArgs::default(),
            dry_run: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Feed,
    Installer,
    Stamp,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Feed => "feed",
            Self::Installer => "installer",
            Self::Stamp => "stamp",
        })
    }
}

#[derive(Debug, Serialize)]
struct Item {
    kind: Kind,
    path: Utf8PathBuf,
    /// Octets on the disk.
    len: u64,
}

#[derive(Serialize)]
pub(super) struct Report {
    dry_run: bool,
    /// What was removed, or would be.
    removed: Vec<Item>,
    len: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.removed
            .iter()
            .try_for_each(|item| writeln!(f, "{:<9}  {}", item.kind, item.path))
    }
}

/// Which feeds and products are meant; identifiers in lower case.
#[derive(Default)]
struct Wanted {
    all: bool,
    feed_ids: HashSet<String>,
    product_ids: HashSet<String>,
}

impl Wanted {
    fn add(&mut self, feed: &Feed) {
        self.feed_ids
            .extend(feed.id.as_deref().map(|id| id.trim().to_owned()));
        self.product_ids.extend(
            feed.entries
                .iter()
                .map(|entry| entry.product_id.to_lowercase()),
        );
    }

    fn has_feed(&self, feed: Option<&Feed>) -> bool {
        let id = feed.and_then(|feed| feed.id.as_deref());
        self.all || id.is_some_and(|id| self.feed_ids.contains(id.trim()))
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let (report, failures) = args.clean(context)?;
    context.report(&report)?;
    if failures.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!(
        "could not remove everything: {}",
        failures.join("; ")
    ))
    .help("close WebPI and run the command again"))
}

impl Args {
    /// Removes what is asked for; what was, and why what was not.
    pub(super) fn clean(&self, context: &Context) -> Result<(Report, Vec<String>)> {
        let local = self.local_data.find(context);
        let here = Utf8Path::new(".");
        let registration = match self.registration.site_root.as_deref() {
            Some(folder) if !folder.is_dir() => {
                return Err(Error::new(format!("there is no folder `{folder}`"))
                    .help("`--site-root` is the folder with applicationHost.config"));
            }
            _ => self.registration.find(here, context)?,
        };
        if local.is_none() && registration.is_none() {
            self.local_data.need(context)?;
        }
        if self.local_data.is_named() {
            self.local_data.need(context)?;
        }

        let mut wanted = Wanted {
            all: self.all,
            product_ids: self.products.iter().map(|id| id.to_lowercase()).collect(),
            ..Wanted::default()
        };
        for feed in &self.feeds {
            match FeedSource::fetch(feed, context) {
                Ok(source) => wanted.add(&source.read(context)?),
                // An address that is gone may still be the `id` of a copy.
                Err(error) if feed.contains(':') => {
                    context.detail(format_args!("{error}; taken for the id of a feed"));
                }
                Err(error) => return Err(error),
            }
            wanted.feed_ids.insert(feed.trim().to_owned());
        }

        let mut items = Vec::new();
        if let Some(local) = &local {
            cached(local, &mut wanted, &mut items)?;
        }
        if let Some(registration) = &registration {
            stamps(registration, context, &mut items)?;
        }
        let mut failures = Vec::new();
        if !self.dry_run {
            items.retain(|item| match remove(item) {
                Ok(()) => true,
                Err(error) => {
                    failures.push(error.to_string());
                    false
                }
            });
        }
        let len = items.iter().map(|item| item.len).sum();
        context.say(format_args!(
            "{} {} item(s), {} KB",
            if self.dry_run {
                "would remove"
            } else {
                "removed"
            },
            items.len(),
            u64::div_ceil(len, 1024),
        ));
        let report = Report {
            dry_run: self.dry_run,
            removed: items,
            len,
        };
        Ok((report, failures))
    }
}

/// Cached feeds first: what a removed copy lists is what its downloads are named by, and may be more than the feed of today
/// has.
fn cached(local: &LocalData, wanted: &mut Wanted, items: &mut Vec<Item>) -> Result<()> {
    for cached in local.cached_feeds()? {
        if wanted.has_feed(cached.feed.as_ref()) {
            if let Some(feed) = &cached.feed {
                wanted.add(feed);
            }
            items.push(Item::new(Kind::Feed, cached.path));
        }
    }
    for folder in local.installers()? {
        let name = folder.file_name().unwrap_or_default().to_lowercase();
        if wanted.all || wanted.product_ids.contains(&name) {
            items.push(Item::new(Kind::Installer, folder));
        }
    }
    Ok(())
}

/// An installation removes its stamp when it is complete, so that every one that is still there is left over.
fn stamps(registration: &Registration, context: &Context, items: &mut Vec<Item>) -> Result<()> {
    let mut paths: Vec<Utf8PathBuf> = registration
        .folders(context)?
        .into_iter()
        .map(|folder| folder.join(STAMP))
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths.dedup();
    items.extend(paths.into_iter().map(|path| Item::new(Kind::Stamp, path)));
    Ok(())
}

impl Item {
    fn new(kind: Kind, path: Utf8PathBuf) -> Self {
        let files = walkdir::WalkDir::new(&path).into_iter().flatten();
        let len = files
            .filter_map(|file| file.metadata().ok())
            .filter(std::fs::Metadata::is_file)
            .map(|metadata| metadata.len())
            .sum();
        Self { kind, path, len }
    }
}

fn remove(item: &Item) -> Result<()> {
    match item.kind {
        Kind::Installer => fs::remove_dir_all(&item.path)?,
        Kind::Feed | Kind::Stamp => fs::remove_file(&item.path)?,
    }
    Ok(())
}
