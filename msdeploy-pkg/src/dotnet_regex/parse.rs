//! From a .NET pattern to a tree.

mod class;
mod escape;
mod groups;

pub(crate) use groups::Groups;

use spanned_xml::Span;

use super::char_set::CharSet;
use super::node::{Assertion, Node};
use super::pattern::PatternFault;
use groups::Found;

/// Groups inside each other.
const MAX_DEPTH: usize = 100;
/// Octets of a pattern.
const MAX_LEN: usize = 1 << 16;

/// A parsed pattern.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) node: Node,
    pub(crate) groups: Groups,
}

#[derive(Clone, Copy, Debug, Default)]
struct Options {
    ignore_case: bool,
    multiline: bool,
    explicit_capture: bool,
    single_line: bool,
    ignore_blanks: bool,
}

/// Reads a pattern.
pub(crate) fn parse(text: &str, ignore_case: bool) -> Result<Parsed, PatternFault> {
    if text.len() > MAX_LEN {
        return Err(PatternFault::new(
            format!("the pattern has more than {MAX_LEN} octets"),
            Span::new(0, 0),
        ));
    }
    let options = Options {
        ignore_case,
        ..Options::default()
    };
    // The first round finds the groups: a reference may come before its group, and named groups are numbered after all
    // others.
    let mut first = Parser::new(text, options, None);
    first.whole()?;
    let groups = first.found.groups();
    let mut second = Parser::new(text, options, Some(&groups));
    let node = second.whole()?;
    Ok(Parsed { node, groups })
}

struct Parser<'p> {
    text: &'p str,
    at: usize,
    options: Options,
    depth: usize,
    found: Found,
    /// All groups, in the second round.
    groups: Option<&'p Groups>,
}

impl<'p> Parser<'p> {
    fn new(text: &'p str, options: Options, groups: Option<&'p Groups>) -> Self {
        Self {
            text,
            at: 0,
            options,
            depth: 0,
            found: Found::default(),
            groups,
        }
    }

    fn rest(&self) -> &'p str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    fn fault(&self, start: usize, message: impl Into<String>) -> PatternFault {
        PatternFault::new(message, Span::new(start, self.at))
    }

    fn whole(&mut self) -> Result<Node, PatternFault> {
        let node = self.alternation()?;
        if self.next().is_some() {
            return Err(self.fault(self.at - 1, "`)` without `(`"));
        }
        Ok(node)
    }

    /// Choices, up to the end or a `)`, which stays.
    fn alternation(&mut self) -> Result<Node, PatternFault> {
        let mut choices = self.choices()?;
        Ok(if choices.len() == 1 {
            choices.swap_remove(0)
        } else {
            Node::Alternation(choices)
        })
    }

    fn choices(&mut self) -> Result<Vec<Node>, PatternFault> {
        let mut choices = vec![self.concatenation()?];
        while self.eat("|") {
            choices.push(self.concatenation()?);
        }
        Ok(choices)
    }

    fn concatenation(&mut self) -> Result<Node, PatternFault> {
        let mut parts: Vec<Node> = Vec::new();
        loop {
            self.blanks()?;
            let start = self.at;
            let Some(character) = self.peek().filter(|c| !matches!(c, '|' | ')')) else {
                break;
            };
            if self.quantifier_len().is_some() {
                self.next();
                return Err(self.fault(start, "a quantifier with nothing before it to repeat"));
            }
            self.next();
            let part = match character {
                '\\' => self.escape(start)?,
                '[' => {
                    let set = self.class(start)?;
                    self.set(set)
                }
                '(' => match self.group(start)? {
                    Some(group) => group,
                    // Options and comments: nothing that could be repeated.
                    None => continue,
                },
                '.' if self.options.single_line => Node::Set(CharSet::new([(0, u16::MAX)])),
                '.' => Node::Set(CharSet::one(0x0A).complement()),
                '^' => Node::Assertion(if self.options.multiline {
                    Assertion::LineStart
                } else {
                    Assertion::Start
                }),
                '$' => Node::Assertion(if self.options.multiline {
                    Assertion::LineEnd
                } else {
                    Assertion::EndOrLastNewline
                }),
                other => {
                    // A quantifier after a character of two units repeats the second unit, as in .NET.
                    let mut units = [0; 2];
                    let units = other.encode_utf16(&mut units);
                    if let [first, _] = *units {
                        parts.push(self.literal(first));
                    }
                    self.literal(*units.last().unwrap_or(&0))
                }
            };
            parts.push(self.quantified(part)?);
        }
        Ok(if parts.len() == 1 {
            parts.swap_remove(0)
        } else if parts.is_empty() {
            Node::Empty
        } else {
            Node::Concatenation(parts)
        })
    }

    /// With the option `x`: skips blanks and comments. `(?#…)` is a comment always.
    fn blanks(&mut self) -> Result<(), PatternFault> {
        loop {
            if self.options.ignore_blanks {
                let rest = self.rest();
                let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{B}', '\u{C}']);
                self.at += rest.len() - trimmed.len();
                if self.eat("#") {
                    self.at += self.rest().find('\n').unwrap_or_else(|| self.rest().len());
                    continue;
                }
            }
            let start = self.at;
            if !self.eat("(?#") {
                return Ok(());
            }
            let Some(len) = self.rest().find(')') else {
                self.at = self.text.len();
                return Err(self.fault(start, "a comment `(?#` without its `)`"));
            };
            self.at += len + 1;
        }
    }

    fn literal(&self, unit: u16) -> Node {
        Node::Set(if self.options.ignore_case {
            CharSet::letter(unit)
        } else {
            CharSet::one(unit)
        })
    }

    fn set(&self, set: CharSet) -> Node {
        Node::Set(if self.options.ignore_case {
            set.ignoring_case()
        } else {
            set
        })
    }

    /// Length of `*`, `+`, `?`, `{n}`, `{n,}` or `{n,m}` where one comes next; any other `{` is itself.
    fn quantifier_len(&self) -> Option<usize> {
        let rest = self.rest();
        if rest.starts_with(['*', '+', '?']) {
            return Some(1);
        }
        let (count, _) = rest.strip_prefix('{')?.split_once('}')?;
        let (least, most) = count.split_once(',').unwrap_or((count, ""));
        let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        (!least.is_empty() && digits(least) && digits(most)).then_some(count.len() + 2)
    }

    /// The part, repeated where a quantifier follows it.
    fn quantified(&mut self, part: Node) -> Result<Node, PatternFault> {
        self.blanks()?;
        let start = self.at;
        let Some(len) = self.quantifier_len() else {
            return Ok(part);
        };
        let quantifier = &self.rest()[..len];
        self.at += len;
        let (least, most) = match quantifier {
            "*" => (0, None),
            "+" => (1, None),
            "?" => (0, Some(1)),
            counted => {
                let counted = &counted[1..counted.len() - 1];
                let number = |text: &str| {
                    text.parse::<u32>()
                        .ok()
                        .filter(|&number| number <= i32::MAX.unsigned_abs())
                        .ok_or_else(|| self.fault(start, format!("`{text}` is too large a count")))
                };
                match counted.split_once(',') {
                    None => (number(counted)?, Some(number(counted)?)),
                    Some((least, "")) => (number(least)?, None),
                    Some((least, most)) => (number(least)?, Some(number(most)?)),
                }
            }
        };
        if most.is_some_and(|most| most < least) {
            return Err(self.fault(start, format!("`{quantifier}` counts down")));
        }
        self.blanks()?;
        let lazy = self.eat("?");
        self.blanks()?;
        if self.quantifier_len().is_some() {
            self.at += 1;
            return Err(self.fault(start, "a quantifier with nothing before it to repeat"));
        }
        Ok(Node::Loop {
            body: Box::new(part),
            least,
            most,
            lazy,
        })
    }

    /// A group after its `(`; `None` for options, which hold for what follows.
    fn group(&mut self, start: usize) -> Result<Option<Node>, PatternFault> {
        let outer = self.options;
        if !self.eat("?") {
            if outer.explicit_capture {
                return self.inside(start).map(Some);
            }
            self.found.unnamed += 1;
            let group = self.found.unnamed;
            let body = Box::new(self.inside(start)?);
            return Ok(Some(Node::Capture { group, body }));
        }
        for (prefix, behind, negative) in [
            ("=", false, false),
            ("!", false, true),
            ("<=", true, false),
            ("<!", true, true),
        ] {
            if self.eat(prefix) {
                let body = Box::new(self.inside(start)?);
                return Ok(Some(Node::Look {
                    behind,
                    negative,
                    body,
                }));
            }
        }
        if self.eat(">") {
            let body = Box::new(self.inside(start)?);
            return Ok(Some(Node::Atomic(body)));
        }
        if self.rest().starts_with('(') {
            return self.conditional(start).map(Some);
        }
        if self.rest().starts_with(['<', '\'']) {
            return self.named(start).map(Some);
        }
        self.group_options(start)
    }

    /// What is between the parentheses, and the closing one; options do not leave the group.
    fn inside(&mut self, start: usize) -> Result<Node, PatternFault> {
        let outer = self.options;
        self.enter(start)?;
        let node = self.alternation()?;
        self.leave(start, outer)?;
        Ok(node)
    }

    fn enter(&mut self, start: usize) -> Result<(), PatternFault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(start, "the pattern is nested too deeply"));
        }
        Ok(())
    }

    fn leave(&mut self, start: usize, outer: Options) -> Result<(), PatternFault> {
        if !self.eat(")") {
            return Err(PatternFault::new(
                "a `(` without its `)`",
                Span::new(start, start + 1),
            ));
        }
        self.depth -= 1;
        self.options = outer;
        Ok(())
    }

    /// `<name>`, `<name-popped>` and `<-popped>`, also in single quotes.
    fn named(&mut self, start: usize) -> Result<Node, PatternFault> {
        let close = if self.next() == Some('<') { '>' } else { '\'' };
        let Some((name, _)) = self.rest().split_once(close) else {
            self.at = self.text.len();
            return Err(self.fault(start, "a group's name that does not end"));
        };
        self.at += name.len() + close.len_utf8();
        let (name, popped) = match name.split_once('-') {
            Some((name, popped)) => (name, Some(popped)),
            None => (name, None),
        };
        let is_name = |name: &str| {
            !name.is_empty()
                && name.chars().all(is_word)
                && (name
                    .parse::<usize>()
                    .is_ok_and(|number| (1..=1000).contains(&number))
                    || !name.starts_with(|c: char| c.is_numeric()))
        };
        if !(is_name(name) || (name.is_empty() && popped.is_some())) {
            return Err(self.fault(start, format!("`{name}` is not a group's name")));
        }
        let group = if name.is_empty() {
            None
        } else {
            match name.parse() {
                Ok(number) => {
                    self.found.numbers.insert(number);
                    Some(number)
                }
                Err(_) => {
                    self.found.names.push(name.to_owned());
                    Some(self.group_of(start, name)?)
                }
            }
        };
        let popped = match popped {
            Some(popped) if !popped.is_empty() && popped.chars().all(is_word) => {
                Some(self.group_of(start, popped)?)
            }
            Some(popped) => {
                return Err(self.fault(start, format!("`{popped}` is not a group's name")));
            }
            None => None,
        };
        let body = Box::new(self.inside(start)?);
        Ok(match (group, popped) {
            (group, Some(popped)) => Node::Balance {
                group,
                popped,
                body,
            },
            (group, None) => Node::Capture {
                group: group.unwrap_or_default(),
                body,
            },
        })
    }

    /// `(?(condition)yes|no)` after `(?`.
    fn conditional(&mut self, start: usize) -> Result<Node, PatternFault> {
        let outer = self.options;
        self.enter(start)?;
        let condition_start = self.at;
        self.eat("(");
        if ["?#", "?'"]
            .iter()
            .any(|start| self.rest().starts_with(start))
            || (self.rest().starts_with("?<")
                && !["?<=", "?<!"]
                    .iter()
                    .any(|start| self.rest().starts_with(start)))
        {
            return Err(self.fault(
                start,
                "a condition can be neither a comment nor a named group",
            ));
        }
        let name = self.rest().split_once(')').map_or("", |(name, _)| name);
        let is_number = !name.is_empty() && name.bytes().all(|digit| digit.is_ascii_digit());
        let is_group = match self.groups {
            Some(groups) => groups.named(name).is_some() || is_number,
            // In the first round only the form is known; both forms find the same groups.
            None => !name.is_empty() && name.chars().all(is_word),
        };
        let condition = if is_group {
            self.at += name.len() + 1;
            Err(self.group_of(start, name)?)
        } else if self.rest().starts_with('?') {
            let Some(condition) = self.group(condition_start)? else {
                return Err(self.fault(condition_start, "options are no condition"));
            };
            Ok(Box::new(condition))
        } else {
            Ok(Box::new(self.inside(condition_start)?))
        };
        let mut choices = self.choices()?;
        if choices.len() > 2 {
            return Err(self.fault(start, "a conditional group with more than two choices"));
        }
        let no = Box::new(if choices.len() == 2 {
            choices.swap_remove(1)
        } else {
            Node::Empty
        });
        let yes = Box::new(choices.swap_remove(0));
        self.leave(start, outer)?;
        Ok(match condition {
            Err(group) => Node::IfGroup { group, yes, no },
            Ok(condition) => Node::IfMatch { condition, yes, no },
        })
    }

    /// `(?imnsx-imnsx:…)` or `(?imnsx-imnsx)` after `(?`.
    fn group_options(&mut self, start: usize) -> Result<Option<Node>, PatternFault> {
        let outer = self.options;
        let mut options = outer;
        let mut on = true;
        loop {
            match self.next() {
                Some('-') => on = false,
                Some('+') => on = true,
                Some('i' | 'I') => options.ignore_case = on,
                Some('m' | 'M') => options.multiline = on,
                Some('n' | 'N') => options.explicit_capture = on,
                Some('s' | 'S') => options.single_line = on,
                Some('x' | 'X') => options.ignore_blanks = on,
                Some(')') => {
                    self.options = options;
                    return Ok(None);
                }
                Some(':') => {
                    self.options = options;
                    self.enter(start)?;
                    let node = self.alternation()?;
                    self.leave(start, outer)?;
                    return Ok(Some(node));
                }
                Some(other) => {
                    return Err(self.fault(start, format!("`(?{other}` is not a group of .NET")));
                }
                None => return Err(self.fault(start, "a `(` without its `)`")),
            }
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
