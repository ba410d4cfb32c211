//! `iiswsgi webpi check`: what is wrong with feeds.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use spanned_xml::{Document, Problem, Problems, Severity, Source};
use webpi_feed::{CheckedFeed, check_reader};

use crate::commands::webpi::feed_source::{FeedSource, STREAMED_LIMIT};
use crate::commands::webpi::fetched;
use crate::context::{Context, Format};
use crate::deploy::fetch::Location;
use crate::diagnostics::problem_to_json;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feeds: paths, or file:, http: or https: URLs
    #[arg(value_name = "FEED", required = true)]
    feeds: Vec<String>,
    /// Fetch every address, and compare packages with the sizes and hashes that the feed gives
    #[arg(long)]
    fetch: bool,
    /// Fail on warnings too
    #[arg(long)]
    strict: bool,
}

#[derive(Serialize)]
struct Report {
    feeds: Vec<Checked>,
}

#[derive(Serialize)]
struct Checked {
    feed: String,
    products: usize,
    /// Addresses that were fetched; none without `--fetch`.
    fetched: Option<usize>,
    errors: usize,
    warnings: usize,
    notes: usize,
    /// Of `--format json`; for people they are shown while the feed is checked.
    problems: Vec<Value>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for feed in &self.feeds {
            write!(f, "{}: {} product(s), ", feed.feed, feed.products)?;
            if let Some(fetched) = feed.fetched {
                write!(f, "{fetched} address(es) fetched, ")?;
            }
            writeln!(
                f,
                "{} error(s), {} warning(s), {} note(s)",
                feed.errors, feed.warnings, feed.notes
            )?;
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let mut feeds = Vec::new();
    let mut unreadable = Vec::new();
    for feed in &args.feeds {
        match check(feed, args, context) {
            Ok(checked) => feeds.push(checked),
            Err(Error::Problems(problems)) => unreadable.extend(problems),
            Err(error) => return Err(error),
        }
    }
    let refused: usize = feeds
        .iter()
        .map(|feed| feed.errors + if args.strict { feed.warnings } else { 0 })
        .sum();
    if !feeds.is_empty() {
        context.report(&Report { feeds })?;
    }
    if !unreadable.is_empty() {
        return Err(Error::Problems(unreadable));
    }
    if refused > 0 {
        return Err(Error::Reported);
    }
    Ok(())
}

fn check(feed: &str, args: &Args, context: &Context) -> Result<Checked> {
    if args.fetch {
        let fetched = FeedSource::fetch(feed, context)?;
        let (feed, mut problems) = fetched.read_checked()?;
        let source = &fetched.source;
        let document =
            Document::parse(source).map_err(|problem| Error::problem(problem, source))?;
        let (found, count) = fetched::check(&document, &fetched.location, context);
        problems.extend(found);
        problems.sort_by_key(|problem| problem.span.map(|span| span.start));
        let location = &fetched.location;
        let products = feed.entries.len();
        return Ok(checked(
            location,
            source,
            &problems,
            products,
            Some(count),
            context,
        ));
    }
    // Read product by product, so that the feed's length does not matter.
    let location = Location::parse(feed, None)?;
    let kept = location.keep(STREAMED_LIMIT, context)?;
    let CheckedFeed {
        products, problems, ..
    } = check_reader(&location.to_string(), || kept.open())?;
    let Problems { source, problems } = &problems;
    Ok(checked(
        &location, source, problems, products, None, context,
    ))
}

/// Shows the problems and counts them.
fn checked(
    feed: &Location,
    source: &Source,
    problems: &[Problem],
    products: usize,
    fetched: Option<usize>,
    context: &Context,
) -> Checked {
    context.warn(source, problems);
    let count = |severity| {
        let of_it = problems
            .iter()
            .filter(|problem| problem.severity == severity);
        of_it.count()
    };
    Checked {
        feed: feed.to_string(),
        products,
        fetched,
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
        problems: match context.format {
            Format::Text => Vec::new(),
            Format::Json => problems
                .iter()
                .map(|problem| problem_to_json(source, problem))
                .collect(),
        },
    }
}
