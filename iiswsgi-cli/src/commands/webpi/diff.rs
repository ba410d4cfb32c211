//! `iiswsgi webpi diff`: what has changed from one feed to another.

use std::fmt;

use serde::Serialize;
use webpi_feed::diff;

use crate::commands::webpi::feed_source::FeedSource;
use crate::context::Context;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feed as it was: a path, or a file:, http: or https: URL
    #[arg(value_name = "OLD")]
    old: String,
    /// The feed as it is
    #[arg(value_name = "NEW")]
    new: String,
    /// End with status 1 where they differ
    #[arg(long)]
    exit_code: bool,
}

#[derive(Serialize)]
struct Report {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<Product>,
    /// Changes outside the products.
    feed: Vec<Change>,
}

#[derive(Serialize)]
struct Product {
    product: String,
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct Change {
    field: String,
    before: Option<String>,
    after: Option<String>,
    #[serde(skip)]
    text: String,
}

impl From<webpi_feed::Change> for Change {
    fn from(change: webpi_feed::Change) -> Self {
        Self {
            text: change.to_string(),
            field: change.field,
            before: change.before,
            after: change.after,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.feed {
            writeln!(f, "feed: {}", change.text)?;
        }
        for product in &self.removed {
            writeln!(f, "- {product}")?;
        }
        for product in &self.added {
            writeln!(f, "+ {product}")?;
        }
        for product in &self.changed {
            writeln!(f, "~ {}", product.product)?;
            for change in &product.changes {
                writeln!(f, "    {}", change.text)?;
            }
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let read = |feed: &str| {
        let fetched = FeedSource::fetch(feed, context)?;
        fetched.read_checked().map(|(feed, _)| feed)
    };
    let found = diff(&read(&args.old)?, &read(&args.new)?);
    let is_empty = found.is_empty();
    if is_empty {
        context.say("the feeds are the same");
    }
    let changes =
        |changes: Vec<webpi_feed::Change>| changes.into_iter().map(Change::from).collect();
    context.report(&Report {
        added: found.added,
        removed: found.removed,
        changed: found
            .changed
            .into_iter()
            .map(|product| Product {
                product: product.product_id,
                changes: changes(product.changes),
            })
            .collect(),
        feed: changes(found.feed),
    })?;
    if args.exit_code && !is_empty {
        return Err(Error::Reported);
    }
    Ok(())
}
