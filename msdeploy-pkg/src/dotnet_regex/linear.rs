//! A pattern for the engine without backtracking, where it can search for it.

use core::fmt::Write as _;

use super::char_set::CharSet;
use super::node::{Assertion, Node};

/// A pattern in the dialect of the `regex` crate, and for which texts it finds what .NET finds.
#[derive(Debug)]
pub(crate) struct Linear {
    pub(crate) pattern: String,
    /// It may match nothing.
    pub(crate) nullable: bool,
    /// `$` or `\Z`, which in .NET also stands before a newline at the end.
    end_anchor: bool,
    /// `\b` or `\B`: letters of a word are others outside of ASCII.
    boundary: bool,
}

impl Linear {
    /// .NET matches UTF-16 units: outside of the Basic Multilingual Plane a character is two.
    pub(crate) fn holds_for(&self, text: &str) -> bool {
        !(self.end_anchor && text.ends_with('\n'))
            && (text.is_ascii() || (!self.boundary && text.bytes().all(|octet| octet < 0xF0)))
    }
}

/// `None` where the pattern has what the engine lacks.
pub(crate) fn linear(node: &Node) -> Option<Linear> {
    let mut linear = Linear {
        pattern: String::new(),
        nullable: node.is_nullable(),
        end_anchor: false,
        boundary: false,
    };
    linear.write(node)?;
    Some(linear)
}

impl Linear {
    fn write(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Empty => {}
            Node::Set(set) => self.set(set),
            Node::Assertion(assertion) => self.assertion(*assertion)?,
            Node::Concatenation(parts) => {
                for part in parts {
                    self.write(part)?;
                }
            }
            Node::Alternation(choices) => {
                self.pattern.push_str("(?:");
                for (i, choice) in choices.iter().enumerate() {
                    if i > 0 {
                        self.pattern.push('|');
                    }
                    self.write(choice)?;
                }
                self.pattern.push(')');
            }
            Node::Loop {
                body,
                least,
                most,
                lazy,
            } => {
                // The engines differ in when they give up on rounds that match nothing.
                if body.is_nullable() {
                    return None;
                }
                self.pattern.push_str("(?:");
                self.write(body)?;
                self.pattern.push(')');
                // Writing into a String does not fail.
                let _ = match most {
                    None => write!(self.pattern, "{{{least},}}"),
                    Some(most) => write!(self.pattern, "{{{least},{most}}}"),
                };
                if *lazy {
                    self.pattern.push('?');
                }
            }
            Node::Capture { body, .. } => {
                self.pattern.push_str("(?:");
                self.write(body)?;
                self.pattern.push(')');
            }
            Node::Balance { .. }
            | Node::Look { .. }
            | Node::Atomic(_)
            | Node::Reference { .. }
            | Node::IfGroup { .. }
            | Node::IfMatch { .. } => return None,
        }
        Some(())
    }

    fn set(&mut self, set: &CharSet) {
        // Surrogates are not in the texts that this is for.
        let set = set.minus(&CharSet::new([(0xD800, 0xDFFF)]));
        if set.ranges().is_empty() {
            self.pattern.push_str(r"[^\x{0}-\x{10FFFF}]");
            return;
        }
        self.pattern.push('[');
        for (first, last) in set.ranges() {
            // Writing into a String does not fail.
            let _ = write!(self.pattern, "\\x{{{first:X}}}-\\x{{{last:X}}}");
        }
        self.pattern.push(']');
    }

    fn assertion(&mut self, assertion: Assertion) -> Option<()> {
        self.pattern.push_str(match assertion {
            Assertion::Start => r"\A",
            Assertion::LineStart => "(?m:^)",
            Assertion::End => r"\z",
            Assertion::EndOrLastNewline => {
                self.end_anchor = true;
                r"\z"
            }
            Assertion::LineEnd => "(?m:$)",
            Assertion::Boundary => {
                self.boundary = true;
                r"\b"
            }
            Assertion::NoBoundary => {
                self.boundary = true;
                r"\B"
            }
            Assertion::Continuation => return None,
        });
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::matcher::Matcher;
    use super::super::parse::parse;
    use super::*;

    fn dense(alphabet: &'static str, len: usize) -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(alphabet.chars().collect::<Vec<_>>()),
            0..len,
        )
        .prop_map(|characters| characters.into_iter().collect())
    }

    proptest! {
        /// Where both engines can search, they find the same.
        #[test]
        fn both_engines_agree(
            pattern in dense("aabkK()()[]^$|*+?{1,2}.\\\\wdsbZ-x:?im\n", 12),
            text in dense("aAbkKé\u{212A}1 \nx\\_", 10),
            ignore_case in any::<bool>(),
        ) {
            let Ok(parsed) = parse(&pattern, ignore_case) else { return Ok(()) };
            let Some(linear) = linear(&parsed.node) else { return Ok(()) };
            if !linear.holds_for(&text) {
                return Ok(());
            }
            let regex = regex::Regex::new(&linear.pattern);
            prop_assert!(regex.is_ok(), "{}: {}", pattern, linear.pattern);
            let regex = regex.unwrap();
            let units: Vec<u16> = text.encode_utf16().collect();
            let found = Matcher::new(&parsed.node, parsed.groups.last()).find_all(&units).unwrap();
            prop_assert_eq!(regex.is_match(&text), !found.is_empty(), "{}", pattern);
            if !linear.nullable {
                let spans: Vec<(usize, usize)> = found.iter().map(|found| found.whole()).collect();
                let units = |octets: usize| text[..octets].encode_utf16().count();
                let expected: Vec<(usize, usize)> = regex
                    .find_iter(&text)
                    .map(|found| (units(found.start()), units(found.end())))
                    .collect();
                prop_assert_eq!(spans, expected, "{}", pattern);
            }
        }
    }
}
