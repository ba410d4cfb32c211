//! `iiswsgi webpi show`: a product, and what would be installed to get it.

use std::fmt;

use serde::Serialize;
use webpi_feed::{Entry, installation_order};

use crate::commands::webpi::feed_source::FeedSource;
use crate::commands::webpi::installation::{installer_location, steps, title};
use crate::commands::webpi::machine_args::MachineArgs;
use crate::context::Context;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feed: a path, or a file:, http: or https: URL
    #[arg(value_name = "FEED")]
    feed: String,
    /// The product's identifier in the feed
    #[arg(value_name = "PRODUCT")]
    product: String,
    #[command(flatten)]
    machine: MachineArgs,
}

#[derive(Serialize)]
struct Report {
    product: String,
    title: String,
    version: Option<String>,
    summary: Option<String>,
    author: Option<String>,
    link: Option<String>,
    application: bool,
    keywords: Vec<String>,
    related: Vec<String>,
    /// Whether it is installed; none where nothing is known of the machine.
    installed: Option<bool>,
    /// What it is worked out for.
    machine: String,
    /// What would be installed, in order; the product itself last.
    order: Vec<Step>,
    missing: Vec<Missing>,
}

#[derive(Serialize)]
struct Step {
    product: String,
    title: String,
    installer: String,
    language: Option<String>,
    /// What its installer does.
    steps: Vec<String>,
    url: Option<String>,
    sha1: Option<String>,
    /// KB; none where it is not known.
    file_size: Option<u64>,
}

/// A product that is needed and cannot be taken from the feed.
#[derive(Serialize)]
struct Missing {
    product: String,
    needed_by: String,
    /// The feed has it, but without an installer for the machine.
    in_feed: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        writeln!(f, " ({})", self.product)?;
        let lists = [
            ("keywords", self.keywords.join(", ")),
            ("related", self.related.join(", ")),
        ];
        let texts = [
            ("summary", &self.summary),
            ("author", &self.author),
            ("link", &self.link),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                writeln!(f, "{name}: {text}")?;
            }
        }
        for (name, list) in lists {
            if !list.is_empty() {
                writeln!(f, "{name}: {list}")?;
            }
        }
        if let Some(installed) = self.installed {
            writeln!(f, "installed: {}", if installed { "yes" } else { "no" })?;
        }
        writeln!(f, "\ninstalled in this order on {}:", self.machine)?;
        for (index, step) in self.order.iter().enumerate() {
            writeln!(f, "{:>3}. {}: {}", index + 1, step.product, step.title)?;
            for what in &step.steps {
                writeln!(f, "     {what}")?;
            }
            if let Some(url) = &step.url {
                write!(f, "     {url}")?;
                if let Some(kilobytes) = step.file_size {
                    write!(f, " ({kilobytes} KB)")?;
                }
                writeln!(f)?;
            }
        }
        for missing in &self.missing {
            let why = if missing.in_feed {
                "no installer for this machine"
            } else {
                "not in this feed"
            };
            writeln!(
                f,
                "  -  {}: {why}; {} needs it",
                missing.product, missing.needed_by
            )?;
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let target = args.machine.target(context)?;
    let fetched = FeedSource::fetch(&args.feed, context)?;
    let feed = fetched.read_with_enclosures(context)?;
    let inventory = target.inventory(&feed, context);
    let installed = |product_id: &str| {
        inventory
            .as_ref()
            .is_some_and(|inventory| inventory.has_product_id(&feed, product_id))
    };
    let plan =
        installation_order(&feed, &args.product, &installed, &target.machine).map_err(|error| {
            Error::new(format!("`{}`: {error}", fetched.location))
                .help("`iiswsgi webpi list` shows the products of a feed")
        })?;
    let entry = feed
        .entry(args.product.trim())
        .ok_or_else(|| Error::new(format!("the feed has no product `{}`", args.product)))?;
    let order = plan
        .steps
        .iter()
        .map(|step| {
            let file = step.installer.installer_file.as_ref();
            Step {
                product: step.entry.product_id.clone(),
                title: title(step.entry).to_owned(),
                installer: step.installer.id.clone(),
                language: step.installer.language_id.clone(),
                steps: steps(step.installer),
                url: file
                    .and_then(|file| installer_location(file, &fetched.location).ok())
                    .map(|location| location.to_string()),
                sha1: file.and_then(|file| file.sha1.clone()),
                file_size: file
                    .and_then(|file| file.file_size)
                    .filter(|size| *size > 0),
            }
        })
        .collect();
    let missing = plan
        .missing
        .iter()
        .map(|missing| Missing {
            product: missing.product_id.to_owned(),
            needed_by: missing.needed_by.to_owned(),
            in_feed: missing.in_feed,
        })
        .collect();
    let is_installed = inventory.map(|inventory| inventory.has_product(&feed, entry));
    let mut report = report(entry, target.machine.to_string(), order, missing);
    report.installed = is_installed;
    context.report(&report)
}

fn report(entry: &Entry, machine: String, order: Vec<Step>, missing: Vec<Missing>) -> Report {
    Report {
        installed: None,
        product: entry.product_id.clone(),
        title: title(entry).to_owned(),
        version: entry.version().map(|version| version.trim().to_owned()),
        summary: entry.summary().map(|summary| summary.as_str().to_owned()),
        author: entry.author().and_then(|author| author.name.clone()),
        link: entry.link().map(str::to_owned),
        application: entry.is_application(),
        keywords: entry.keyword_ids().to_vec(),
        related: entry.related_products().map(str::to_owned).collect(),
        machine,
        order,
        missing,
    }
}
