//! Classes of characters: `[…]`.
//!
//! *Character classes in .NET regular expressions*
//! <https://learn.microsoft.com/dotnet/standard/base-types/character-classes-in-regular-expressions>.

use spanned_xml::Span;

use super::{MAX_DEPTH, Parser};
use crate::dotnet_regex::char_set::CharSet;
use crate::dotnet_regex::pattern::PatternFault;

enum Part {
    Set(CharSet),
    Units(Vec<u16>),
}

impl Parser<'_> {
    /// A class after its `[`, without regard to case.
    pub(super) fn class(&mut self, start: usize) -> Result<CharSet, PatternFault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(start, "the pattern is nested too deeply"));
        }
        let negative = self.eat("^");
        let mut set: Vec<(u16, u16)> = Vec::new();
        let mut subtracted = None;
        let mut first = true;
        loop {
            let at = self.at;
            let Some(character) = self.next() else {
                self.at = self.text.len();
                return Err(PatternFault::new(
                    "a `[` without its `]`",
                    Span::new(start, start + 1),
                ));
            };
            if character == ']' && !first {
                break;
            }
            if character == '[' && self.rest().starts_with(':') && self.rest().contains(":]") {
                let fault = self.fault(at, "`[:` in a class: .NET skips what follows");
                return Err(fault.into_unsupported());
            }
            if character == '-' && !first && self.eat("[") {
                subtracted = Some(self.subtraction(at)?);
                continue;
            }
            first = false;
            let units = match self.class_part(at, character)? {
                Part::Set(part) => {
                    set.extend(part.ranges());
                    continue;
                }
                Part::Units(units) => units,
            };
            // A character of two units is two members.
            let low = *units.last().unwrap_or(&0);
            set.extend(units.iter().take(units.len() - 1).map(|&unit| (unit, unit)));
            let range = self
                .rest()
                .strip_prefix('-')
                .filter(|rest| !rest.is_empty() && !rest.starts_with(']'));
            if range.is_none() {
                set.push((low, low));
                continue;
            }
            self.at += 1;
            let at_end = self.at;
            let Some(end) = self.next() else { continue };
            if end == '[' {
                set.push((low, low));
                subtracted = Some(self.subtraction(at_end)?);
                continue;
            }
            match self.class_part(at_end, end)? {
                Part::Set(_) => {
                    return Err(self.fault(at, "a range cannot end in a class of characters"));
                }
                Part::Units(units) => {
                    let high = units.first().copied().unwrap_or(low);
                    if high < low {
                        return Err(self.fault(at, "a range in a class that runs backwards"));
                    }
                    set.push((low, high));
                    set.extend(units.iter().skip(1).map(|&unit| (unit, unit)));
                }
            }
        }
        self.depth -= 1;
        let mut set = CharSet::new(set);
        if self.options.ignore_case {
            set = set.with_lower_case();
        }
        if negative {
            set = set.complement();
        }
        Ok(match subtracted {
            Some(subtracted) => set.minus(&subtracted),
            None => set,
        })
    }

    /// What a class takes away, after its `[`; nothing but the outer `]` may follow.
    fn subtraction(&mut self, start: usize) -> Result<CharSet, PatternFault> {
        let set = self.class(start)?;
        if self.rest().starts_with(']') {
            Ok(set)
        } else {
            Err(self.fault(start, "a subtraction has to be the last part of its class"))
        }
    }

    fn class_part(&mut self, at: usize, character: char) -> Result<Part, PatternFault> {
        if character != '\\' {
            return Ok(Part::Units(character.encode_utf16(&mut [0; 2]).to_vec()));
        }
        match self.next() {
            None => Err(self.fault(at, "a `\\` with nothing after it")),
            Some('b') => Ok(Part::Units(vec![0x08])),
            Some(kind @ ('d' | 'D' | 'w' | 'W' | 's' | 'S' | 'p' | 'P')) => {
                self.shorthand(at, kind).map(Part::Set)
            }
            Some(other) => self.character_escape(at, other).map(Part::Units),
        }
    }
}
