//! What documentation says of a problem's code.

/// A kind of [`Problem`](crate::Problem): one row of the table of a crate's codes.
///
/// Every crate that reports problems lists its kinds in a constant `RULES`; `docs/findings.md` is made from these lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The code, as in [`Problem::code`](crate::Problem::code).
    pub code: &'static str,
    /// What is wrong where it is reported, and what follows from it: one or two sentences.
    pub summary: &'static str,
    /// Where the rule comes from: the document and its section, the program and its message, or "XML 1.0 §2.4".
    pub source: &'static str,
}

impl Rule {
    /// The row of `code`.
    #[must_use]
    pub const fn new(code: &'static str, summary: &'static str, source: &'static str) -> Self {
        Self {
            code,
            summary,
            source,
        }
    }
}
