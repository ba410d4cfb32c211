//! Replacements by position: an edit that leaves every other byte alone.

use crate::Span;

/// A set of replacements in one text, applied at once, so that positions need no adjusting between them.
///
/// ```
/// use spanned_xml::{Span, Splices};
///
/// let mut splices = Splices::new();
/// splices.insert(8, " c='3'");
/// splices.replace(Span::new(6, 7), "2");
/// assert_eq!(splices.apply("<a b='1'/>").unwrap(), "<a b='2' c='3'/>");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Splices {
    edits: Vec<(Span, String)>,
}

impl Splices {
    /// No replacements.
    #[must_use]
    pub const fn new() -> Self {
        Self { edits: Vec::new() }
    }

    /// Replaces what `span` covers by `text`.
    pub fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push((span, text.into()));
    }

    /// Inserts `text` at `offset`. Several insertions at one offset stay in the order they were made.
    pub fn insert(&mut self, offset: usize, text: impl Into<String>) {
        self.replace(Span::at(offset), text);
    }

    /// Removes what `span` covers.
    pub fn remove(&mut self, span: Span) {
        self.replace(span, String::new());
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// `text` with all replacements made; `None` where two of them overlap or one lies outside the text or inside a
    /// character.
    #[must_use]
    pub fn apply(&self, text: &str) -> Option<String> {
        let mut edits: Vec<&(Span, String)> = self.edits.iter().collect();
        edits.sort_by_key(|(span, _)| (span.start, span.end));
        let mut result = String::with_capacity(
            text.len() + edits.iter().map(|(_, new)| new.len()).sum::<usize>(),
        );
        let mut done = 0;
        for (span, new) in edits {
            // A start before what is done already is an overlap, and `get` answers it with None.
            result.push_str(text.get(done..span.start)?);
            text.get(span.range())?;
            result.push_str(new);
            done = span.end;
        }
        result.push_str(text.get(done..)?);
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(edits: &[(usize, usize, &str)], expected: Option<&str>) {
        let mut splices = Splices::new();
        for &(start, end, text) in edits {
            splices.replace(Span::new(start, end), text);
        }
        assert_eq!(splices.apply("0123é6").as_deref(), expected, "{edits:?}");
    }

    #[test]
    fn replaces_in_one_go() {
        check(&[], Some("0123é6"));
        check(&[(6, 7, "six"), (0, 1, "")], Some("123ésix"));
        check(&[(2, 2, "a"), (2, 2, "b")], Some("01ab23é6"));
        check(&[(1, 3, "x"), (3, 3, "y")], Some("0xy3é6"));
        check(&[(1, 3, "x"), (2, 4, "y")], None);
        check(&[(5, 6, "")], None);
        check(&[(0, 99, "")], None);
    }
}
