//! References, line ends and white space in character data and attribute values.

use std::borrow::Cow;

use crate::write::is_xml_char;
use crate::{Problem, Span};

/// Checks that every reference of `raw` stands for something. `base` is the place of `raw` in the source.
pub(crate) fn check_references(raw: &str, base: usize) -> Result<(), Problem> {
    let mut at = 0;
    while let Some(found) = raw.get(at..).and_then(|rest| rest.find('&')) {
        at += found + 1;
        let (_, len) = reference(&raw[at..], base + at - 1)?;
        at += len;
    }
    Ok(())
}

/// The text that `raw` stands for, whose references have been checked: line ends and white space as XML 1.0 sections
/// 2.11 and 3.3.3 say. Nothing is copied where nothing changes.
pub(crate) fn resolve(raw: &str, attribute: bool) -> Cow<'_, str> {
    let special = |octets: &[u8]| {
        if attribute {
            let is_special = |octet: &u8| matches!(octet, b'&' | b'\r' | b'\n' | b'\t');
            octets.iter().position(is_special)
        } else {
            memchr::memchr2(b'&', b'\r', octets)
        }
    };
    let Some(first) = special(raw.as_bytes()) else {
        return Cow::Borrowed(raw);
    };
    let mut value = String::with_capacity(raw.len());
    let (mut kept, mut next) = (0, Some(first));
    while let Some(at) = next {
        value.push_str(&raw[kept..at]);
        let rest = &raw[at + 1..];
        kept = at + 1;
        if raw.as_bytes()[at] == b'&' {
            // Checked before: a reference that stands for nothing would stay as it is written.
            let (character, len) = reference(rest, at).unwrap_or(('&', 0));
            value.push(character);
            kept += len;
        } else {
            if raw.as_bytes()[at] == b'\r' && rest.starts_with('\n') {
                kept += 1;
            }
            value.push(if attribute { ' ' } else { '\n' });
        }
        let found = special(&raw.as_bytes()[kept..]);
        next = found.map(|found| kept + found);
    }
    value.push_str(&raw[kept..]);
    Cow::Owned(value)
}

/// The character that a reference stands for, and the length of what follows its `&` (at `at`), semicolon included.
fn reference(rest: &str, at: usize) -> Result<(char, usize), Problem> {
    let name = rest
        .split(|character: char| {
            !(character.is_alphanumeric() || matches!(character, '#' | '_' | '-' | '.' | ':'))
        })
        .next()
        .unwrap_or_default();
    let span = Span::new(at, at + 1 + name.len());
    if name.is_empty() || !rest[name.len()..].starts_with(';') {
        return Err(
            Problem::error("xml-bare-ampersand", "`&` that does not begin a reference")
                .at(span)
                .help("write `&amp;` for the character itself"),
        );
    }
    let character = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#').and_then(|number| {
                number.strip_prefix('x').map_or_else(
                    || number.parse().ok(),
                    |hexadecimal| u32::from_str_radix(hexadecimal, 16).ok(),
                )
            });
            number
                .filter(|_| !name.contains('+'))
                .and_then(char::from_u32)
                .filter(|&character| is_xml_char(character))
        }
    };
    character.map(|character| (character, name.len() + 1)).ok_or_else(|| {
        let help = if name.starts_with('#') { "use a character that XML allows" } else { "only `&amp;`, `&lt;`, `&gt;`, `&quot;` and `&apos;` are known; write the character itself" };
        Problem::error("xml-unknown-entity", format!("the reference `&{name};` stands for nothing")).at(span).help(help)
    })
}
