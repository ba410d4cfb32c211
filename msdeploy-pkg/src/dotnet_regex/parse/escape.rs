//! What begins with a backslash.
//!
//! *Character escapes in .NET regular expressions*
//! <https://learn.microsoft.com/dotnet/standard/base-types/character-escapes-in-regular-expressions> and *Backreference
//! constructs* <https://learn.microsoft.com/dotnet/standard/base-types/backreference-constructs-in-regular-expressions>.

use super::{Parser, is_word};
use crate::dotnet_regex::char_set::{self, CharSet};
use crate::dotnet_regex::node::{Assertion, Node};
use crate::dotnet_regex::pattern::PatternFault;

impl Parser<'_> {
    pub(super) fn escape(&mut self, start: usize) -> Result<Node, PatternFault> {
        let Some(character) = self.next() else {
            return Err(self.fault(start, "a `\\` with nothing after it"));
        };
        Ok(match character {
            'A' => Node::Assertion(Assertion::Start),
            'Z' => Node::Assertion(Assertion::EndOrLastNewline),
            'z' => Node::Assertion(Assertion::End),
            'G' => Node::Assertion(Assertion::Continuation),
            'b' => Node::Assertion(Assertion::Boundary),
            'B' => Node::Assertion(Assertion::NoBoundary),
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'p' | 'P' => {
                let set = self.shorthand(start, character)?;
                self.set(set)
            }
            'k' => {
                let named = self
                    .rest()
                    .starts_with(['<', '\''])
                    .then(|| self.bracketed_name())
                    .flatten();
                let Some(name) = named else {
                    return Err(self.fault(start, "`\\k` needs the name of a group: `\\k<name>`"));
                };
                self.reference(start, &name)?
            }
            '1'..='9' => {
                let digits: String = self
                    .text
                    .get(start + 1..)
                    .unwrap_or_default()
                    .chars()
                    .take_while(char::is_ascii_digit)
                    .take(9)
                    .collect();
                let group: usize = digits.parse().unwrap_or(usize::MAX);
                if self.groups.is_none_or(|groups| groups.has(group)) {
                    self.at = start + 1 + digits.len();
                    self.refer(group)
                } else if group <= 9 {
                    return Err(self.fault(start, format!("there is no group {group}")));
                } else {
                    self.at = start + 1;
                    let unit = self.octal();
                    self.literal(unit)
                }
            }
            '<' | '\'' => {
                // The old spelling of `\k<name>`; without a name in it, the character itself.
                self.at -= 1;
                let back = self.at;
                match self.bracketed_name() {
                    Some(name) => self.reference(start, &name)?,
                    None => {
                        self.at = back + 1;
                        self.literal(if character == '<' { 0x3C } else { 0x27 })
                    }
                }
            }
            other => {
                let units = self.character_escape(start, other)?;
                let mut parts: Vec<Node> = units.iter().map(|&unit| self.literal(unit)).collect();
                if parts.len() == 1 {
                    parts.swap_remove(0)
                } else {
                    Node::Concatenation(parts)
                }
            }
        })
    }

    /// `<name>` or `'name'`.
    fn bracketed_name(&mut self) -> Option<String> {
        let close = if self.next()? == '<' { '>' } else { '\'' };
        let (name, _) = self.rest().split_once(close)?;
        if name.is_empty() || !name.chars().all(is_word) {
            return None;
        }
        self.at += name.len() + close.len_utf8();
        Some(name.to_owned())
    }

    fn refer(&self, group: usize) -> Node {
        Node::Reference {
            group,
            ignore_case: self.options.ignore_case,
        }
    }

    fn reference(&self, start: usize, name: &str) -> Result<Node, PatternFault> {
        self.group_of(start, name).map(|group| self.refer(group))
    }

    /// The number of a group by number or name.
    pub(super) fn group_of(&self, start: usize, name: &str) -> Result<usize, PatternFault> {
        let Some(groups) = self.groups else {
            return Ok(0);
        };
        let number = name
            .parse::<usize>()
            .ok()
            .filter(|&number| groups.has(number));
        number
            .or_else(|| groups.named(name))
            .ok_or_else(|| self.fault(start, format!("there is no group `{name}`")))
    }

    /// `\d`, `\w`, `\s`, `\p{…}` and their complements.
    pub(super) fn shorthand(
        &mut self,
        start: usize,
        character: char,
    ) -> Result<CharSet, PatternFault> {
        let set = match character.to_ascii_lowercase() {
            'd' => char_set::digit(),
            'w' => char_set::word(),
            's' => char_set::space(),
            _ => {
                let name = self
                    .rest()
                    .strip_prefix('{')
                    .and_then(|rest| rest.split_once('}'))
                    .map(|(name, _)| name);
                let Some(name) = name else {
                    return Err(
                        self.fault(start, format!("`\\{character}` needs a category in braces"))
                    );
                };
                self.at += name.len() + 2;
                let set = char_set::category(name)
                    .or_else(|| name.strip_prefix("Is").and_then(char_set::block));
                set.ok_or_else(|| {
                    self.fault(start, format!("`{name}` is no category or block of .NET"))
                })?
            }
        };
        Ok(if character.is_ascii_uppercase() {
            set.complement()
        } else {
            set
        })
    }

    /// Escapes that mean the same inside and outside of a class, after the character that follows the backslash.
    pub(super) fn character_escape(
        &mut self,
        start: usize,
        character: char,
    ) -> Result<Vec<u16>, PatternFault> {
        Ok(vec![match character {
            'a' => 0x07,
            't' => 0x09,
            'n' => 0x0A,
            'v' => 0x0B,
            'f' => 0x0C,
            'r' => 0x0D,
            'e' => 0x1B,
            'x' | 'u' => {
                let len = if character == 'x' { 2 } else { 4 };
                let digits = self
                    .rest()
                    .get(..len)
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let Some(digits) = digits else {
                    return Err(self.fault(
                        start,
                        format!("`\\{character}` needs {len} hexadecimal digits"),
                    ));
                };
                self.at += len;
                u16::from_str_radix(digits, 16).unwrap_or_default()
            }
            'c' => match self.next() {
                Some(letter @ ('@'..='_' | 'a'..='z')) => {
                    u16::try_from(u32::from(letter.to_ascii_uppercase()) - 0x40).unwrap_or_default()
                }
                _ => return Err(self.fault(start, "`\\c` needs a letter")),
            },
            '0'..='7' => {
                self.at -= 1;
                self.octal()
            }
            other if is_word(other) => {
                return Err(self.fault(start, format!("`\\{other}` is not an escape of .NET")));
            }
            other => return Ok(other.encode_utf16(&mut [0; 2]).to_vec()),
        }])
    }

    /// Up to three octal digits; only the low eight bits count.
    fn octal(&mut self) -> u16 {
        let mut value = 0;
        for _ in 0..3 {
            let Some(digit) = self.peek().and_then(|digit| digit.to_digit(8)) else {
                break;
            };
            self.at += 1;
            value = value * 8 + digit;
        }
        u16::try_from(value & 0xFF).unwrap_or_default()
    }
}
