//! What was found out, for people and as JSON.

use std::fmt;

/// What a check has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is as demanded.
    Holds,
    /// It is not.
    DoesNotHold,
    /// It cannot be told here.
    NotApplicable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::NotApplicable => "not applicable",
        })
    }
}

/// The outcome of one check.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row {
    /// The check's name.
    pub id: &'static str,
    /// The item of the checklist; `None` for a known bug of other implementations.
    pub item: Option<u8>,
    /// The section of the specification.
    pub section: &'static str,
    /// What is demanded.
    pub title: &'static str,
    /// Whether the specification is silent, and this is a recommendation.
    pub recommended: bool,
    /// What was found.
    pub verdict: Verdict,
    /// Why it does not hold, or cannot be told.
    pub reason: Option<String>,
    /// What was sent.
    pub sent: String,
    /// What came back.
    pub received: String,
}

/// The outcome of all checks that were run.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report {
    /// The application, as it was named to the runner.
    pub target: String,
    /// The outcomes, by item.
    pub rows: Vec<Row>,
}

impl Report {
    /// How many checks had this outcome.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows
            .iter()
            .filter(|row| row.verdict == verdict)
            .count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            let item = row
                .item
                .map_or_else(|| "bug".to_owned(), |item| format!("{item:3}"));
            writeln!(
                f,
                "{item}  {:14} {} (§{}): {}",
                row.verdict, row.id, row.section, row.title
            )?;
            if let Some(reason) = &row.reason {
                writeln!(f, "     {reason}")?;
            }
            if row.verdict == Verdict::DoesNotHold {
                writeln!(f, "     sent: {}", row.sent)?;
                writeln!(f, "     came back: {}", row.received)?;
            }
        }
        let count = |verdict| self.count(verdict);
        write!(
            f,
            "{}: {} hold, {} do not hold, {} not applicable",
            self.target,
            count(Verdict::Holds),
            count(Verdict::DoesNotHold),
            count(Verdict::NotApplicable)
        )
    }
}
