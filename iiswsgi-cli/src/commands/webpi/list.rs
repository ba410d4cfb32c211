//! `iiswsgi webpi list`: the products of feeds.

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;
use webpi_feed::{Entry, Feed, FeedReader, merge};

use crate::commands::webpi::feed_source::{FeedSource, STREAMED_LIMIT, read_included};
use crate::commands::webpi::installation::title;
use crate::commands::webpi::local_data::LocalDataArgs;
use crate::commands::webpi::machine_args::{MachineArgs, Target};
use crate::context::Context;
use crate::deploy::fetch::Location;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feed: a path, or a file:, http: or https: URL [default: the feeds that WebPI keeps a copy of]
    #[arg(value_name = "FEED")]
    feed: Option<String>,
    /// Group the products by keyword
    #[arg(long, visible_alias = "products")]
    tree: bool,
    /// Only products with all these words in their identifier, title or summary; can be repeated
    #[arg(long, value_name = "WORD")]
    search: Vec<String>,
    /// Only products that are installed, or that are not and have an installer for the machine
    #[arg(long, value_enum, value_name = "STATE")]
    only: Option<State>,
    #[command(flatten)]
    local_data: LocalDataArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum State {
    Installed,
    Available,
}

/// The products in a state; all of them where no state is asked for.
pub(crate) fn in_state<'a>(
    feed: &'a Feed,
    state: Option<State>,
    target: &Target,
    context: &Context,
) -> Result<Vec<&'a Entry>> {
    let Some(state) = state else {
        return Ok(feed.entries.iter().collect());
    };
    let inventory = target.inventory(feed, context);
    if inventory.is_none() && state == State::Installed {
        return Err(Error::new("what is installed is not known here").help(
            "describe the machine in a file, and name it with `--machine FILE` or `/Machine:FILE`",
        ));
    }
    let is_installed = |entry: &Entry| {
        inventory
            .as_ref()
            .is_some_and(|inventory| inventory.has_product(feed, entry))
    };
    let is_wanted = |entry: &&Entry| match state {
        State::Installed => is_installed(entry),
        State::Available => {
            !is_installed(entry) && entry.installer_for(feed, &target.machine).is_some()
        }
    };
    Ok(feed.entries.iter().filter(is_wanted).collect())
}

#[derive(Serialize)]
struct Report {
    feeds: Vec<Listed>,
    #[serde(skip)]
    tree: bool,
}

/// A feed.
#[derive(Serialize)]
struct Listed {
    feed: String,
    title: Option<String>,
    id: Option<String>,
    /// Addresses of the feeds that are loaded together with it.
    includes: Vec<String>,
    groups: Vec<Group>,
    products: Vec<Product>,
}

/// The products that have a keyword.
#[derive(Serialize)]
struct Group {
    /// None for the products without one.
    keyword: Option<String>,
    name: String,
    products: Vec<String>,
}

#[derive(Serialize)]
struct Product {
    product: String,
    title: String,
    version: Option<String>,
    /// Whether it is installed into a site.
    application: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, feed) in self.feeds.iter().enumerate() {
            if self.feeds.len() > 1 {
                let blank = if index > 0 { "\n" } else { "" };
                let title = feed.title.as_deref().unwrap_or("feed without a title");
                writeln!(f, "{blank}{title} ({})", feed.feed)?;
            }
            if self.tree {
                feed.write_tree(f)?;
            } else {
                feed.write_list(f)?;
            }
        }
        Ok(())
    }
}

/// What is shown of a product, and what it is grouped by.
struct Row {
    product: Product,
    keywords: Vec<String>,
}

impl Row {
    fn new(entry: &Entry, args: &Args) -> Self {
        Self {
            product: Product {
                product: entry.product_id.clone(),
                title: title(entry).to_owned(),
                version: entry.version().map(|version| version.trim().to_owned()),
                application: entry.is_application(),
            },
            keywords: if args.tree {
                entry.keyword_ids().to_vec()
            } else {
                Vec::new()
            },
        }
    }
}

/// The products of one feed after the other.
#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    /// Identifiers in lower case, of the feeds that were read whole: a product counts where it comes first.
    seen: HashSet<String>,
}

impl Rows {
    /// Adds those of a feed, and returns what it has beside them.
    fn read(&mut self, location: &Location, args: &Args, context: &Context) -> Result<Feed> {
        let kept = location.keep(STREAMED_LIMIT, context)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut reader = FeedReader::new(location.to_string(), kept.open()?).threads(threads);
        let mut ids = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            let id = entry.product_id.to_lowercase();
            if !self.seen.contains(&id) && matches(&entry, &args.search) {
                self.rows.push(Row::new(&entry, args));
            }
            ids.push(id);
        }
        self.seen.extend(ids);
        Ok(reader.into_feed())
    }
}

impl Listed {
    /// A feed that was read whole.
    fn of(name: String, feed: &Feed, args: &Args, context: &Context) -> Result<Self> {
        let target = args.machine.target(context)?;
        let found = in_state(feed, args.only, &target, context)?;
        let wanted = found
            .into_iter()
            .filter(|entry| matches(entry, &args.search));
        let rows = wanted.map(|entry| Row::new(entry, args)).collect();
        Ok(Self::new(name, feed, rows, args))
    }

    /// A feed, with those that are loaded together with it. Where no state is asked for they are read product by product, so
    /// that their length does not matter.
    fn read(location: &str, args: &Args, context: &Context) -> Result<Self> {
        if args.only.is_some() {
            let fetched = FeedSource::fetch(location, context)?;
            let feed = fetched.read_with_enclosures(context)?;
            return Self::of(fetched.location.to_string(), &feed, args, context);
        }
        let location = Location::parse(location, None)?;
        let mut rows = Rows::default();
        let feed = rows.read(&location, args, context)?;
        let included = read_included(&feed, &location, context, |next| {
            rows.read(next, args, context)
        });
        let feeds: Vec<&Feed> = std::iter::once(&feed).chain(&included).collect();
        let (feed, rows) = (merge(&feeds).feed, rows.rows);
        Ok(Self::new(location.to_string(), &feed, rows, args))
    }

    /// `feed` is what the feed has beside its products.
    fn new(name: String, feed: &Feed, rows: Vec<Row>, args: &Args) -> Self {
        Self {
            feed: name,
            title: feed.title.as_ref().map(|title| title.as_str().to_owned()),
            id: feed.id.clone(),
            includes: feed
                .enclosures()
                .filter_map(|link| link.href.clone().or_else(|| link.relative_href.clone()))
                .collect(),
            groups: if args.tree {
                groups(feed, &rows)
            } else {
                Vec::new()
            },
            products: rows.into_iter().map(|row| row.product).collect(),
        }
    }

    fn write_list(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: fn(&Product) -> &str| {
            let widths = self
                .products
                .iter()
                .map(|product| text(product).chars().count());
            widths.max().unwrap_or(0)
        };
        let ids = width(|product| &product.product);
        let versions = width(|product| product.version.as_deref().unwrap_or_default());
        for product in &self.products {
            let version = product.version.as_deref().unwrap_or_default();
            writeln!(
                f,
                "{:<ids$}  {version:<versions$}  {}",
                product.product, product.title
            )?;
        }
        Ok(())
    }

    fn write_tree(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title_of = |id: &String| {
            let product = self.products.iter().find(|product| product.product == *id);
            product.map_or("", |product| &product.title)
        };
        for group in &self.groups {
            writeln!(f, "{} ({})", group.name, group.products.len())?;
            let last = group.products.len().saturating_sub(1);
            for (index, id) in group.products.iter().enumerate() {
                let branch = if index == last { "└─" } else { "├─" };
                writeln!(f, "{branch} {id}: {}", title_of(id))?;
            }
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let mut feeds = Vec::new();
    if let Some(feed) = &args.feed {
        feeds.push(Listed::read(feed, args, context)?);
    } else {
        let local = args
            .local_data
            .need(context)
            .map_err(|error| error.help("name a feed: `iiswsgi webpi list FEED`"))?;
        for cached in local.cached_feeds()? {
            match &cached.feed {
                Some(feed) => {
                    feeds.push(Listed::of(cached.path.to_string(), feed, args, context)?);
                }
                None => context.say(format_args!("`{}` cannot be read as a feed", cached.path)),
            }
        }
        if feeds.is_empty() {
            return Err(Error::new(format!(
                "WebPI keeps no copy of a feed in `{}`",
                local.folder
            ))
            .help("name a feed: `iiswsgi webpi list FEED`"));
        }
    }
    context.report(&Report {
        feeds,
        tree: args.tree,
    })
}

/// The products by keyword, in the order of the feed's declarations; keywords that are not declared after them, and products
/// without one last.
fn groups(feed: &Feed, rows: &[Row]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for keyword in feed.keywords.iter() {
        let Some(id) = keyword
            .id
            .as_deref()
            .map(str::trim)
            .filter(|id| !id.is_empty())
        else {
            continue;
        };
        let name = keyword.name.trim();
        groups.push(Group {
            keyword: Some(id.to_owned()),
            name: if name.is_empty() { id } else { name }.to_owned(),
            products: Vec::new(),
        });
    }
    let mut without = Vec::new();
    for Row { product, keywords } in rows {
        if keywords.is_empty() {
            without.push(product.product.clone());
        }
        for id in keywords {
            let known = groups.iter_mut().find(|group| {
                group
                    .keyword
                    .as_deref()
                    .is_some_and(|known| known.eq_ignore_ascii_case(id))
            });
            match known {
                Some(group) => group.products.push(product.product.clone()),
                None => groups.push(Group {
                    keyword: Some(id.clone()),
                    name: id.clone(),
                    products: vec![product.product.clone()],
                }),
            }
        }
    }
    groups.retain(|group| !group.products.is_empty());
    if !without.is_empty() {
        groups.push(Group {
            keyword: None,
            name: "without a keyword".to_owned(),
            products: without,
        });
    }
    groups
}

fn matches(entry: &Entry, words: &[String]) -> bool {
    let summary = entry.summary().map_or("", |summary| summary.as_str());
    let text = format!("{} {} {summary}", entry.product_id, title(entry)).to_lowercase();
    words.iter().all(|word| text.contains(&word.to_lowercase()))
}
