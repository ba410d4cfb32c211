//! A compiled pattern: matching and replacing.

use regex::{Regex, RegexBuilder};
use spanned_xml::Span;

use super::translate::translate;

/// Octets that a compiled pattern may take.
const SIZE_LIMIT: usize = 4 << 20;

/// A .NET regular expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    compiled: Result<Compiled, PatternFault>,
}

#[derive(Clone, Debug)]
struct Compiled {
    regex: Regex,
    /// The pattern ends in `$` or `\Z`, which in .NET also stands before a newline at the very end.
    end_anchor: bool,
    /// It has a quantifier that prefers less.
    lazy: bool,
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct PatternFault {
    /// What is wrong.
    pub message: String,
    /// Where in the pattern, in octets.
    pub place: Span,
    /// .NET would accept the pattern; this program does not support it.
    pub unsupported: bool,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// Compiles a pattern that ignores case, as scopes and matches do. A pattern that cannot be used is kept with its
    /// fault, so that a package that has one can still be looked at.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::with_case(text, true)
    }

    /// Compiles a pattern that minds case, as validations do.
    #[must_use]
    pub fn case_sensitive(text: &str) -> Self {
        Self::with_case(text, false)
    }

    fn with_case(text: &str, ignore_case: bool) -> Self {
        let compiled = translate(text).and_then(|translated| {
            RegexBuilder::new(&translated.pattern)
                .case_insensitive(ignore_case)
                .size_limit(SIZE_LIMIT)
                .build()
                .map(|regex| Compiled {
                    regex,
                    end_anchor: translated.end_anchor,
                    lazy: translated.lazy,
                })
                .map_err(|error| PatternFault {
                    message: match error {
                        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
                        // The last line says what is wrong; those before it draw the place.
                        other => other
                            .to_string()
                            .lines()
                            .last()
                            .unwrap_or_default()
                            .trim_start_matches("error: ")
                            .to_owned(),
                    },
                    place: Span::new(0, text.len()),
                    unsupported: false,
                })
        });
        Self {
            text: text.to_owned(),
            compiled,
        }
    }

    /// The pattern as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Why the pattern cannot be used, if it cannot.
    #[must_use]
    pub fn fault(&self) -> Option<&PatternFault> {
        self.compiled.as_ref().err()
    }

    /// Whether the pattern matches anywhere in `text`.
    ///
    /// # Errors
    ///
    /// The fault of a pattern that cannot be used.
    pub fn is_match(&self, text: &str) -> Result<bool, PatternFault> {
        let Compiled {
            regex, end_anchor, ..
        } = self.compiled.as_ref().map_err(Clone::clone)?;
        Ok(regex.is_match(text)
            || (*end_anchor
                && text
                    .strip_suffix('\n')
                    .is_some_and(|text| regex.is_match(text))))
    }

    /// `text` with every match replaced by `value`, which is taken literally; `None` where nothing matches.
    ///
    /// # Errors
    ///
    /// The fault of a pattern that cannot be used.
    pub fn replace_all(&self, text: &str, value: &str) -> Result<Option<String>, PatternFault> {
        let matches = self.matches(text)?;
        if matches.is_empty() {
            return Ok(None);
        }
        let mut replaced = String::with_capacity(text.len());
        let mut done = 0;
        for found in matches {
            replaced.push_str(&text[done..found.start]);
            replaced.push_str(value);
            done = found.end;
        }
        replaced.push_str(&text[done..]);
        Ok(Some(replaced))
    }

    /// The places where the pattern matches, one after the other.
    fn matches(&self, text: &str) -> Result<Vec<Span>, PatternFault> {
        let Compiled {
            regex,
            end_anchor,
            lazy,
        } = self.compiled.as_ref().map_err(Clone::clone)?;
        let all = |text: &str| -> Vec<Span> {
            regex
                .find_iter(text)
                .map(|found| Span::from(found.range()))
                .collect()
        };
        let found = all(text);
        let Some(shorter) = text.strip_suffix('\n').filter(|_| *end_anchor) else {
            return Ok(found);
        };
        // An end anchor stands at the very end and before a newline there. Matches that end elsewhere are found either
        // way. One that can end at both places ends at the later one where the pattern is greedy, and both replace the
        // same text but for that newline.
        let overlap = |a: &Span, b: &Span| {
            a.start < b.end.max(b.start + 1) && b.start < a.end.max(a.start + 1)
        };
        let (mut joined, others) = if *lazy {
            (all(shorter), found)
        } else {
            (found, all(shorter))
        };
        for other in others {
            if !joined.iter().any(|kept| overlap(kept, &other)) {
                joined.push(other);
            }
        }
        joined.sort_unstable();
        Ok(joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str, expected: bool) {
        let compiled = Pattern::new(pattern);
        assert_eq!(compiled.fault(), None, "{pattern}");
        assert_eq!(
            compiled.is_match(text),
            Ok(expected),
            "{pattern} in {text:?}"
        );
    }

    #[test]
    fn what_both_dialects_can_say() {
        matches(r"\\web\.config$", r"C:\inetpub\App\Web.Config", true);
        matches(r"\\web\.config$", r"C:\inetpub\App\web.config.in", false);
        matches("iisapp", "IISApp", true);
        matches("{PLACEHOLDER}", "a {placeholder} b", true);
        matches("a{2}", "aa", true);
        matches("a{,2}", "a{,2}", true);
        matches(r"\<b\>", "<b>", true);
        matches(r"\<b\>", "b", false);
        matches("[[a]", "[", true);
        matches("[a&&b]", "&", true);
        matches("[]a]", "]", true);
        matches(r"[\b]", "\u{8}", true);
        matches(r"[\w\-.]+@", "a-b.c@", true);
        matches(r"(?<one>a)(?<one>b)(?'two'c)", "abc", true);
        matches(r"(?n)(a)(?#comment)b", "ab", true);
        matches(r"\u0041\x42\e", "AB\u{1B}", true);
        matches(r"(?m)^b$", "a\nb\nc", true);
        matches("^b$", "a\nb\nc", false);
        matches("(?-i)A", "a", false);
        matches(r"#\ x~", "# x~", true);
        matches("", "", true);
    }

    #[test]
    fn the_end_also_stands_before_a_last_newline() {
        for pattern in ["b$", r"b\Z", "(b$)", "c|b$"] {
            matches(pattern, "ab\n", true);
            matches(pattern, "ab\n\n", false);
        }
        matches(r"b\z", "ab\n", false);
        let replace =
            |pattern: &str, text: &str| Pattern::new(pattern).replace_all(text, "$1").unwrap();
        assert_eq!(replace("b$", "ab\n").as_deref(), Some("a$1\n"));
        assert_eq!(replace("b", "abab").as_deref(), Some("a$1a$1"));
        assert_eq!(replace(r"b\s*$", "ab\n").as_deref(), Some("a$1"));
        assert_eq!(replace(r"b\s*?$", "ab\n").as_deref(), Some("a$1\n"));
        assert_eq!(replace("x$", "ab\n"), None);
    }

    fn refused(pattern: &str, expected: &str, unsupported: bool) {
        let compiled = Pattern::new(pattern);
        let fault = compiled
            .fault()
            .unwrap_or_else(|| panic!("{pattern} was accepted"));
        assert!(fault.message.contains(expected), "{pattern}: {fault}");
        assert_eq!(fault.unsupported, unsupported, "{pattern}: {fault}");
        assert!(compiled.is_match("").is_err());
    }

    #[test]
    fn what_would_match_something_else_is_refused() {
        refused("(?<=a)b", "look-behind", true);
        refused("(?<!a)b", "look-behind", true);
        refused("a(?=b)", "look-ahead", true);
        refused("a(?!b)", "look-ahead", true);
        refused(r"(a)\1", "reference back", true);
        refused(r"(?<n>a)\k<n>", "reference back", true);
        refused("(?>a)", "atomic", true);
        refused("(?(a)b|c)", "conditional", true);
        refused("(?<a-b>c)", "balancing", true);
        refused("[a-z-[aeiou]]", "subtraction", true);
        refused(r"\p{IsGreek}", "Unicode block", true);
        refused("(?x) a", "option `x`", true);
        refused(r"\Ga", r"\G", true);
        refused("a$\n", "before the end", true);
        refused("a**", "nothing before it", false);
        refused("a*+", "nothing before it", false);
        refused("*a", "nothing before it", false);
        refused("(a", "without its `)`", false);
        refused("a)", "without `(`", false);
        refused("[a", "without its `]`", false);
        refused(r"a\", "nothing after", false);
        refused(r"\y", "not an escape", false);
        refused("(?U)a", "not a group", false);
        refused("a{99999}{99999}", "nothing before it", false);
        refused(r"(\w{1000}){1000}", "too large", false);
        refused("[b-a]", "invalid character class range", false);
    }
}
