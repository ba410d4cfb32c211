//! What an edit gives: the new text and what is different in it.

use spanned_xml::{Document, Element, Problem, Problems, Source};

use super::layout::Layout;
use crate::section;

/// An edited file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edit {
    /// The whole text, without byte order mark; the old text where nothing changed.
    pub text: String,
    /// Whether it differs from the old text.
    pub changed: bool,
    /// One line for each change, for people; empty where nothing changed.
    pub summary: Vec<String>,
}

impl Edit {
    /// This edit of `source` and another one of what it has made, as one.
    ///
    /// # Errors
    ///
    /// Those of the other one.
    pub fn then(
        self,
        source: &Source,
        next: impl FnOnce(&Source) -> Result<Self, Problems>,
    ) -> Result<Self, Problems> {
        let mut edit = next(&Source::from_text(source.name(), self.text))?;
        edit.changed = edit.text != source.text();
        edit.summary.splice(0..0, self.summary);
        Ok(edit)
    }
}

/// An edit under way: the file's tree, its layout and what has been done.
pub(super) struct Change<'a> {
    source: &'a Source,
    path: &'static str,
    pub(super) layout: Layout<'a>,
    pub(super) summary: Vec<String>,
}

impl<'a> Change<'a> {
    /// Parses the file, of which only the section at `path` is needed; it need only be a configuration file, whatever
    /// else is wrong with it.
    pub(super) fn parse(source: &Source, path: &str) -> Result<Document, Problems> {
        section::parse_section(source, path).map_err(|problem| problem.in_source(source))
    }

    pub(super) fn new(source: &'a Source, root: &Element, path: &'static str) -> Self {
        Self {
            source,
            path,
            layout: Layout::new(source, root),
            summary: Vec::new(),
        }
    }

    pub(super) fn say(&mut self, line: impl Into<String>) {
        self.summary.push(line.into());
    }

    /// Applies the splices and reads the result back: `is_done` must find in it what was asked for.
    pub(super) fn finish(self, is_done: impl Fn(&Element) -> bool) -> Result<Edit, Problems> {
        let old = self.source.text();
        let broken = |detail: String| {
            Problem::error(
                "iis-edit-failed",
                format!("the edit was given up and nothing was changed: {detail}"),
            )
            .help("make the change by hand, and report this file: it is a bug")
            .in_source(self.source)
        };
        let text = self
            .layout
            .splices
            .apply(old)
            .ok_or_else(|| broken("two changes overlap".to_owned()))?;
        let new = Source::from_text(self.source.name(), text.as_str());
        let document = section::parse_section(&new, self.path)
            .map_err(|problem| broken(format!("the result would not be XML: {problem}")))?;
        if !is_done(document.root()) {
            return Err(broken(
                "the result does not read back as asked for".to_owned(),
            ));
        }
        Ok(Edit {
            changed: text != old,
            text,
            summary: self.summary,
        })
    }
}

/// The problems of a value that was asked for, as problems of the file it would go into.
pub(super) fn refuse(
    source: &Source,
    problems: impl IntoIterator<Item = Problem>,
) -> Result<(), Problems> {
    Problems::or_value(source, problems.into_iter().collect(), ()).map(|_| ())
}
