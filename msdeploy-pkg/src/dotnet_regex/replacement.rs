//! *Substitutions in regular expressions*
//! <https://learn.microsoft.com/dotnet/standard/base-types/substitutions-in-regular-expressions>.

use super::matcher::Found;
use super::parse::Groups;

/// A replacement pattern.
#[derive(Debug)]
pub(crate) struct Replacement {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(Vec<u16>),
    Group(usize),
    /// `` $` ``
    Before,
    /// `$'`
    After,
    /// `$+`
    LastGroup,
    /// `$_`
    Input,
}

impl Replacement {
    /// What does not name a group that there is stands for itself.
    pub(crate) fn parse(text: &str, groups: &Groups) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            let (before, from) = rest.split_at(dollar);
            push(&mut parts, before);
            let after = &from[1..];
            let (part, len) = match after.chars().next() {
                Some('$') => (Some(Part::Text(vec![0x24])), 1),
                Some('&') => (Some(Part::Group(0)), 1),
                Some('`') => (Some(Part::Before), 1),
                Some('\'') => (Some(Part::After), 1),
                Some('+') => (Some(Part::LastGroup), 1),
                Some('_') => (Some(Part::Input), 1),
                Some('{') => match after[1..].split_once('}') {
                    Some((name, _)) => {
                        let number = name.parse().ok().filter(|&number| groups.has(number));
                        let group = number.or_else(|| groups.named(name));
                        (group.map(Part::Group), name.len() + 2)
                    }
                    None => (None, 0),
                },
                _ => {
                    // The longest run of digits that is a group's number.
                    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                    (1..=digits)
                        .rev()
                        .find_map(|len| {
                            let number = after[..len].parse().ok()?;
                            groups
                                .has(number)
                                .then_some((Some(Part::Group(number)), len))
                        })
                        .unwrap_or((None, 0))
                }
            };
            match part {
                Some(part) => {
                    parts.push(part);
                    rest = &after[len..];
                }
                None => {
                    push(&mut parts, "$");
                    rest = after;
                }
            }
        }
        push(&mut parts, rest);
        Self { parts }
    }

    pub(crate) fn write(&self, text: &[u16], found: &Found, out: &mut Vec<u16>) {
        let (start, end) = found.whole();
        for part in &self.parts {
            match part {
                Part::Text(units) => out.extend_from_slice(units),
                Part::Group(group) => out.extend_from_slice(found.group(*group, text)),
                Part::Before => out.extend_from_slice(&text[..start]),
                Part::After => out.extend_from_slice(&text[end..]),
                Part::LastGroup => out.extend_from_slice(found.group(found.last(), text)),
                Part::Input => out.extend_from_slice(text),
            }
        }
    }
}

fn push(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.encode_utf16().collect()));
    }
}
