//! What `webpicmd` says: as it happens on standard output, in the log, and as one JSON object at the end.

use std::fmt;
use std::io::Write as _;

use camino::Utf8Path;
use fs_err as fs;
use serde::Serialize;

use crate::context::{Context, Format};
use crate::error::Result;

#[derive(Debug)]
pub(crate) struct Transcript<'a> {
    context: &'a Context,
    log: Option<fs::File>,
    report: Report,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    /// What was said, line by line.
    lines: Vec<String>,
    /// What `/List` found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<Item>,
    /// What `/Install` did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    products: Vec<Outcome>,
}

/// A product, feed or language.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) title: String,
}

/// What became of a product.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) product: String,
    pub(crate) title: String,
    pub(crate) success: bool,
    pub(crate) reason: Option<String>,
}

/// One line, or in JSON everything.
#[derive(Serialize)]
#[serde(transparent)]
struct Said<'a, T: Serialize> {
    value: T,
    #[serde(skip)]
    text: &'a str,
}

impl<T: Serialize> fmt::Display for Said<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl<'a> Transcript<'a> {
    pub(crate) fn open(log: Option<&Utf8Path>, context: &'a Context) -> Result<Self> {
        Ok(Self {
            context,
            log: log.map(fs::File::create).transpose()?,
            report: Report::default(),
        })
    }

    pub(crate) fn say(&mut self, line: &str) -> Result<()> {
        self.log_only(line)?;
        self.report.lines.push(line.to_owned());
        if self.context.format == Format::Text {
            let text = format!("{line}\n");
            self.context.report(&Said {
                value: (),
                text: &text,
            })?;
        }
        Ok(())
    }

    pub(crate) fn log_only(&mut self, line: &str) -> Result<()> {
        if let Some(log) = &mut self.log {
            writeln!(log, "{line}")?;
        }
        Ok(())
    }

    pub(crate) fn item(&mut self, item: Item) -> Result<()> {
        self.say(&format!("{:<20} {}", item.id, item.title))?;
        self.report.items.push(item);
        Ok(())
    }

    pub(crate) fn outcome(&mut self, outcome: Outcome) -> Result<()> {
        let word = if outcome.success {
            "Success"
        } else {
            "Failure"
        };
        self.say(&format!("Install completed ({word}): '{}'", outcome.title))?;
        if let Some(reason) = &outcome.reason {
            self.say(reason)?;
        }
        self.report.products.push(outcome);
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<()> {
        if self.context.format == Format::Json {
            self.context.report(&Said {
                value: &self.report,
                text: "",
            })?;
        }
        Ok(())
    }
}
