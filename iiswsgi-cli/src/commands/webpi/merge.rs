//! `iiswsgi webpi merge`: several feeds made one.

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;
use webpi_feed::merge;

use crate::commands::webpi::feed_source::FeedSource;
use crate::context::Context;
use crate::deploy::file;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feeds: paths, or file:, http: or https: URLs; where two define the same differently, the first holds
    #[arg(value_name = "FEED", required = true, num_args = 2..)]
    feeds: Vec<String>,
    /// Where to write the feed
    #[arg(short, long, value_name = "FILE")]
    output: Utf8PathBuf,
    /// The feed's title [default: that of the first]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The feed's id, a URI that stays the same [default: that of the first]
    #[arg(long, value_name = "URI")]
    id: Option<String>,
    /// Write nothing where two feeds define the same differently
    #[arg(long)]
    strict: bool,
}

#[derive(Serialize)]
struct Report {
    path: Utf8PathBuf,
    products: usize,
    conflicts: Vec<Conflict>,
}

#[derive(Serialize)]
struct Conflict {
    /// `entry`, `keyword`, `language`, …
    element: &'static str,
    id: String,
    /// The feed whose definition holds.
    kept: String,
    dropped: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let element = match self.element {
            "entry" => "product",
            other => other,
        };
        write!(
            f,
            "{element} `{}`: that of `{}` is kept, that of `{}` is another one",
            self.id, self.kept, self.dropped
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.path)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let mut names = Vec::new();
    let mut feeds = Vec::new();
    for feed in &args.feeds {
        let fetched = FeedSource::fetch(feed, context)?;
        names.push(fetched.location.to_string());
        feeds.push(fetched.read_checked()?.0);
    }
    let merged = merge(&feeds.iter().collect::<Vec<_>>());
    let name = |number: usize| names.get(number).cloned().unwrap_or_default();
    let conflicts: Vec<Conflict> = merged
        .conflicts
        .into_iter()
        .map(|conflict| Conflict {
            element: conflict.element,
            id: conflict.id,
            kept: name(conflict.kept),
            dropped: name(conflict.dropped),
        })
        .collect();
    if args.strict && !conflicts.is_empty() {
        let lines: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
        return Err(
            Error::new(format!("the feeds do not agree: {}", lines.join("; ")))
                .help("make them agree, or leave out `--strict`: then the first feed holds"),
        );
    }
    for conflict in &conflicts {
        context.say(conflict);
    }
    let mut feed = merged.feed;
    if let Some(title) = &args.title {
        feed.title = Some(title.as_str().into());
    }
    feed.id = args.id.clone().or(feed.id);
    file::write(&args.output, feed.write().as_bytes())?;
    context.say(format_args!(
        "wrote a feed of {} product(s) to `{}`",
        feed.entries.len(),
        args.output
    ));
    context.report(&Report {
        path: args.output.clone(),
        products: feed.entries.len(),
        conflicts,
    })
}
