//! A compiled pattern: matching and replacing.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use spanned_xml::Span;

use super::linear::{Linear, linear};
use super::matcher::{Found, Matcher, TooManySteps};
use super::parse::{Groups, parse};
use super::replacement::Replacement;

/// Octets that a pattern may take in the engine without backtracking.
const SIZE_LIMIT: usize = 4 << 20;

/// A .NET regular expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    compiled: Result<Arc<Compiled>, PatternFault>,
}

#[derive(Debug)]
struct Compiled {
    /// Finds what .NET finds, whatever the pattern and the text.
    matcher: Matcher,
    groups: Groups,
    /// The pattern for the engine without backtracking, where that finds the same in the texts that [`Linear`] names.
    linear: Option<(Linear, Regex)>,
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

impl PatternFault {
    pub(crate) fn new(message: impl Into<String>, place: Span) -> Self {
        Self {
            message: message.into(),
            place,
            unsupported: false,
        }
    }

    pub(crate) fn into_unsupported(self) -> Self {
        Self {
            message: format!("{}, which is not supported", self.message),
            unsupported: true,
            ..self
        }
    }
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
    ///
    /// ```
    /// use msdeploy_pkg::Pattern;
    ///
    /// let scope = Pattern::new(r"\\web\.config$");
    /// assert_eq!(scope.is_match(r"C:\inetpub\App\Web.Config"), Ok(true));
    /// assert_eq!(Pattern::new("(a").fault().unwrap().to_string(), "a `(` without its `)`");
    /// ```
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
        let compiled = parse(text, ignore_case).map(|parsed| {
            let matcher = Matcher::new(&parsed.node, parsed.groups.last());
            let linear = linear(&parsed.node).and_then(|linear| {
                let regex = RegexBuilder::new(&linear.pattern)
                    .size_limit(SIZE_LIMIT)
                    .build()
                    .ok()?;
                Some((linear, regex))
            });
            Arc::new(Compiled {
                matcher,
                groups: parsed.groups,
                linear,
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
    /// The fault of a pattern that cannot be used, or that takes too many steps with this text.
    pub fn is_match(&self, text: &str) -> Result<bool, PatternFault> {
        let compiled = self.compiled.as_ref().map_err(Clone::clone)?;
        if let Some((linear, regex)) = &compiled.linear
            && linear.holds_for(text)
        {
            return Ok(regex.is_match(text));
        }
        let units: Vec<u16> = text.encode_utf16().collect();
        compiled
            .matcher
            .find(&units, 0)
            .map(|found| found.is_some())
            .map_err(|TooManySteps| self.too_expensive())
    }

    /// Whether the pattern matches anywhere in a path. `path` has backslashes, as Web Deploy writes paths; a pattern that is
    /// written with forward slashes and without a literal backslash is matched against the path in that form.
    ///
    /// # Errors
    ///
    /// As [`is_match`](Self::is_match).
    pub fn matches_path(&self, path: &str) -> Result<bool, PatternFault> {
        if self.is_written_with_slashes() {
            self.is_match(&path.replace('\\', "/"))
        } else {
            self.is_match(path)
        }
    }

    /// Whether the pattern has forward slashes and no literal backslash.
    pub(crate) fn is_written_with_slashes(&self) -> bool {
        self.text.contains('/') && !self.text.contains("\\\\")
    }

    /// The pattern in the dialect of the `regex` crate, where that finds the same in text of ASCII without newlines.
    pub(crate) fn in_a_set(&self) -> Option<&str> {
        let (linear, _) = self.compiled.as_ref().ok()?.linear.as_ref()?;
        Some(&linear.pattern)
    }

    /// `text` with every match replaced by `value`, which is taken literally, and how many matches there are; `None` where
    /// nothing matches.
    ///
    /// # Errors
    ///
    /// As [`is_match`](Self::is_match), and where a match ends inside of a character that is two UTF-16 units.
    pub fn replace_all(
        &self,
        text: &str,
        value: &str,
    ) -> Result<Option<(String, usize)>, PatternFault> {
        let compiled = self.compiled.as_ref().map_err(Clone::clone)?;
        if let Some((linear, regex)) = &compiled.linear
            && linear.holds_for(text)
            // After a match, .NET finds an empty one at once where the engine does not.
            && !linear.nullable
        {
            let mut count = 0;
            let mut replaced = String::with_capacity(text.len());
            let mut done = 0;
            for found in regex.find_iter(text) {
                count += 1;
                replaced.push_str(&text[done..found.start()]);
                replaced.push_str(value);
                done = found.end();
            }
            replaced.push_str(&text[done..]);
            return Ok((count > 0).then_some((replaced, count)));
        }
        self.rewrite(compiled, text, |_, _, out| out.extend(value.encode_utf16()))
    }

    /// `text` with every match replaced by what `replacement` says as a .NET replacement pattern (`$1`, `${name}`, `$$`,
    /// `$&`, and so on); `None` where nothing matches.
    ///
    /// # Errors
    ///
    /// As [`replace_all`](Self::replace_all).
    pub fn replace_all_with(
        &self,
        text: &str,
        replacement: &str,
    ) -> Result<Option<String>, PatternFault> {
        let compiled = self.compiled.as_ref().map_err(Clone::clone)?;
        let replacement = Replacement::parse(replacement, &compiled.groups);
        self.rewrite(compiled, text, |units, found, out| {
            replacement.write(units, found, out);
        })
        .map(|new| new.map(|(text, _)| text))
    }

    fn rewrite(
        &self,
        compiled: &Compiled,
        text: &str,
        mut write: impl FnMut(&[u16], &Found, &mut Vec<u16>),
    ) -> Result<Option<(String, usize)>, PatternFault> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let all = compiled
            .matcher
            .find_all(&units)
            .map_err(|TooManySteps| self.too_expensive())?;
        if all.is_empty() {
            return Ok(None);
        }
        let mut out = Vec::with_capacity(units.len());
        let mut done = 0;
        for found in &all {
            let (start, end) = found.whole();
            out.extend_from_slice(&units[done..start]);
            write(&units, found, &mut out);
            done = end;
        }
        out.extend_from_slice(&units[done..]);
        let new = String::from_utf16(&out).map_err(|_| {
            PatternFault::new(
                "a match ends inside of a character that is two UTF-16 units",
                Span::new(0, self.text.len()),
            )
        })?;
        Ok(Some((new, all.len())))
    }

    fn too_expensive(&self) -> PatternFault {
        PatternFault::new(
            format!("`{}` takes too many steps", self.text),
            Span::new(0, self.text.len()),
        )
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

    /// All matches of a pattern that minds case.
    fn all(pattern: &str, text: &str, expected: &[&str]) {
        let compiled = Pattern::case_sensitive(pattern);
        let inner = compiled
            .compiled
            .as_ref()
            .unwrap_or_else(|fault| panic!("{pattern}: {fault}"));
        let units: Vec<u16> = text.encode_utf16().collect();
        let found: Vec<String> = inner
            .matcher
            .find_all(&units)
            .unwrap()
            .iter()
            .map(|found| String::from_utf16_lossy(found.group(0, &units)))
            .collect();
        assert_eq!(found, expected, "{pattern} in {text:?}");
    }

    #[test]
    fn what_most_patterns_are_made_of() {
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
        matches(r"\u0041\x42\e\cA\101", "AB\u{1B}\u{1}A", true);
        matches("(?-i)A", "a", false);
        matches(r"#\ x~", "# x~", true);
        matches("", "", true);
        matches("(?x) a b # c\n d", "abd", true);
        matches("(?x)[ a]", " ", true);
        matches("(?i-i:A)a", "aA", false);
        matches("(?i-i:A)a", "AA", true);
    }

    #[test]
    fn anchors() {
        for pattern in ["b$", r"b\Z", "(b$)", "c|b$"] {
            matches(pattern, "ab\n", true);
            matches(pattern, "ab\n\n", false);
        }
        matches(r"b\z", "ab\n", false);
        matches("a$\n", "a\n", true);
        matches(r"(?m)^b$", "a\nb\nc", true);
        matches(r"(?m)^b$", "a\r\nb\r\nc", false);
        matches("^b$", "a\nb\nc", false);
        matches(r"(?m)^\Z", "a\n", true);
        matches(r"\bb", "é b", true);
        matches(r"a\b", "a\u{200D}", false);
        all(r"\Gab", "ababxab", &["ab", "ab"]);
    }

    #[test]
    fn letter_case_is_that_of_the_invariant_culture() {
        matches("K", "\u{212A}", true);
        matches("[k]", "\u{212A}", true);
        matches("\u{212A}", "k", true);
        matches("i", "\u{130}", false);
        matches("i", "\u{131}", false);
        matches("I", "i", true);
        matches("s", "ſ", false);
        matches("σ", "ς", false);
        matches("É", "é", true);
        matches("[à-ý]", "É", true);
        matches("[^k]", "K", false);
        // The text's lower-case form is what is compared, so that no letter of a pair is upper-case.
        matches(r"\p{Lu}", "A", false);
        matches(r"\p{Ll}", "A", true);
        matches(r"(?-i)\p{Lu}", "A", true);
    }

    #[test]
    fn classes_of_characters() {
        matches(r"^\d$", "\u{0663}", true);
        matches(r"^\d$", "½", false);
        matches(r"^\w$", "\u{200D}", false);
        matches(r"^\w$", "Ⅷ", false);
        matches(r"^\w$", "ä", true);
        matches(r"^\s$", "\u{85}", true);
        matches(r"\p{IsGreek}", "α", true);
        matches(r"\P{IsGreekandCoptic}", "α", false);
        matches(r"^[a-z-[aeiou]]+$", "bcd", true);
        matches(r"^[a-z-[aeiou]]+$", "bad", false);
        matches(r"^[^a-z-[0-9]]$", "A", false);
        matches(r"^[^a-z-[0-9]]$", "5", false);
        matches(r"^[^a-z-[0-9]]$", "-", true);
        matches(r"^[\d-x]$", "-", true);
        matches("^[a-]$", "-", true);
        matches(r"^[a\]b]$", "]", true);
    }

    #[test]
    fn characters_of_two_units() {
        all(".", "😀", &["\u{FFFD}", "\u{FFFD}"]);
        matches("^.$", "😀", false);
        matches("^..$", "😀", true);
        matches("😀", "a😀b", true);
        matches("^😀+$", "😀", true);
        matches("^[^a]$", "😀", false);
        assert_eq!(
            Pattern::new("😀|b").replace_all("a😀b", "x"),
            Ok(Some(("axx".to_owned(), 2)))
        );
        assert!(Pattern::new("(?<=a).").replace_all("a😀", "").is_err());
    }

    #[test]
    fn groups_and_what_looks_around() {
        all("(?<=a)b", "ab bb", &["b"]);
        all("(?<!a)b", "ab bb", &["b", "b"]);
        all("a(?=b)", "ab ac", &["a"]);
        all("a(?!b)", "ab ac", &["a"]);
        all(r"(?<=\d{2,3}x+)y", "1xy 12xxy", &["y"]);
        all(r"(a|b)\1", "abba", &["bb"]);
        all(r"(?<n>a|b)c\k<n>", "acbbcb", &["bcb"]);
        all(r"(?<n>a|b)c\<n>", "bcb", &["bcb"]);
        all(r"(?i)(a)\1", "aA", &["aA"]);
        all(r"(a)?\1b", "b", &[]);
        all(r"(?<=\1(a))b", "aab", &["b"]);
        all("(?>a+)ab", "aaab", &[]);
        all("(?>a|ab)c", "abc", &[]);
        all("(?(?=a)ab|c)", "ab c", &["ab", "c"]);
        all("(a)?(?(1)b|c)", "ab c", &["ab", "c"]);
        all("(?<q>')?x(?(q)')", "'x' x", &["'x'", "x"]);
        all(
            r"^(?:[^()]|(?<o>\()|(?<-o>\)))*(?(o)(?!))$",
            "(a(b)c)",
            &["(a(b)c)"],
        );
        all(r"^(?:[^()]|(?<o>\()|(?<-o>\)))*(?(o)(?!))$", "(a(b)c", &[]);
        // A reference above nine without such a group is an octal character.
        all(r"(a)\12", "a\n", &["a\n"]);
    }

    #[test]
    fn loops() {
        all("a*", "aab", &["aa", "", ""]);
        all("a*?", "aa", &["", "", ""]);
        all("(a*)+", "aab", &["aa", "", ""]);
        all("(a|b*)*c", "abac", &["abac"]);
        all("(?:a?){3}b", "aab", &["aab"]);
        all("a{2,3}?", "aaaaa", &["aa", "aa"]);
        all("(ab){2,}", "abababx", &["ababab"]);
        all("<.+?>", "<a><b>", &["<a>", "<b>"]);
        all("(?:){5,}x", "x", &["x"]);
        all("(?:a{1000}){1000}", "aaa", &[]);
    }

    #[test]
    fn replacements() {
        let with = |pattern: &str, text: &str, replacement: &str| {
            Pattern::case_sensitive(pattern)
                .replace_all_with(text, replacement)
                .unwrap()
        };
        for (replacement, expected) in [
            ("[$1]", "x[a]y"),
            ("[${n}]", "x[b]y"),
            ("[$2]", "x[b]y"),
            ("[$0$&]", "x[abab]y"),
            ("$$1", "x$1y"),
            ("$`|$'", "xx|yy"),
            ("$+", "xby"),
            ("$_", "xxabyy"),
            ("$3", "x$3y"),
            ("$10", "xa0y"),
            ("${m}$", "x${m}$y"),
            (r"c:\d", r"xc:\dy"),
        ] {
            assert_eq!(
                with("(a)(?<n>b)", "xaby", replacement).as_deref(),
                Some(expected),
                "{replacement}"
            );
        }
        assert_eq!(with("z", "xaby", "$1"), None);
        // A value is text.
        assert_eq!(
            Pattern::new("b").replace_all("abab", "$1"),
            Ok(Some(("a$1a$1".to_owned(), 2)))
        );
        assert_eq!(
            Pattern::new(r"b\s*$").replace_all("ab\n", "x"),
            Ok(Some(("ax".to_owned(), 1)))
        );
        assert_eq!(
            Pattern::new(r"b\s*?$").replace_all("ab\n", "x"),
            Ok(Some(("ax\n".to_owned(), 1)))
        );
        assert_eq!(Pattern::new("x$").replace_all("ab\n", "x"), Ok(None));
    }

    fn refused(pattern: &str, expected: &str, place: (usize, usize)) {
        let compiled = Pattern::new(pattern);
        let fault = compiled
            .fault()
            .unwrap_or_else(|| panic!("{pattern} was accepted"));
        assert!(fault.message.contains(expected), "{pattern}: {fault}");
        assert_eq!(
            (fault.place.start, fault.place.end),
            place,
            "{pattern}: {fault}"
        );
        assert!(compiled.is_match("").is_err());
    }

    #[test]
    fn what_net_refuses_is_refused_with_its_place() {
        refused("a**", "nothing before it", (1, 3));
        refused("a*+", "nothing before it", (1, 3));
        refused("*a", "nothing before it", (0, 1));
        refused("(?i)*a", "nothing before it", (4, 5));
        refused("x(a", "without its `)`", (1, 2));
        refused("a)", "without `(`", (1, 2));
        refused("x[a", "without its `]`", (1, 2));
        refused(r"a\", "nothing after", (1, 2));
        refused(r"\y", "not an escape", (0, 2));
        refused("(?U)a", "not a group", (0, 3));
        refused("[b-a]", "runs backwards", (1, 4));
        refused(r"[a-\d]", "cannot end in a class", (1, 5));
        refused("[a-z-[b]c]", "has to be the last part", (4, 8));
        refused("a{3,2}", "counts down", (1, 6));
        refused("a{99999999999}", "too large a count", (1, 14));
        refused(r"\1", "no group 1", (0, 2));
        refused(r"\k<n>", "no group `n`", (0, 5));
        refused(r"\p{Greek}", "no category", (0, 9));
        refused("(?<1a>b)", "not a group's name", (0, 6));
        refused("(?(a)b|c|d)", "more than two choices", (0, 10));
        refused("(?#x", "a comment", (0, 4));
        refused(r"\xG0", "2 hexadecimal digits", (0, 2));
        refused(&"(".repeat(200), "nested too deeply", (100, 101));
        let posix = Pattern::new("[[:alpha:]]");
        assert!(posix.fault().is_some_and(|fault| fault.unsupported));
    }

    #[test]
    fn a_search_that_explodes_ends() {
        let explosive = Pattern::new(r"^(a|a)*\1\1b$");
        let fault = explosive.is_match(&"a".repeat(60)).unwrap_err();
        assert!(fault.message.contains("too many steps"), "{fault}");
        // The engine without backtracking takes the like of it in one pass.
        matches(r"^(a|a)*b$", &"a".repeat(10_000), false);
    }
}
