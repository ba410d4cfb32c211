//! appcmd's own escape: `%uXXXX`, a UTF-16 code unit in hexadecimal.
//!
//! Inside `[name='value']` the apostrophe ends the value and `%u` begins an escape, so both must be written escaped;
//! the double quote is escaped because what stands between appcmd and its caller takes it for its own.

/// Escapes a value for use between apostrophes.
///
/// ```
/// use iis_config::appcmd::escape;
///
/// assert_eq!(escape(r#"-c "%windir%\it's.ini""#), r#"-c %u0022%u0025windir%u0025\it%u0027s.ini%u0022"#);
/// ```
#[must_use]
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\'' => escaped.push_str("%u0027"),
            '"' => escaped.push_str("%u0022"),
            '%' => escaped.push_str("%u0025"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Reads escapes back; a `%u` without four hexadecimal digits, or half of a surrogate pair, stays as written.
#[must_use]
pub fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(character) = rest.chars().next() {
        if let Some(first) = code_unit(rest) {
            let mut units = vec![first];
            units.extend(code_unit(rest.get(6..).unwrap_or_default()));
            let mut decoded = char::decode_utf16(units);
            if let Some(Ok(character)) = decoded.next() {
                text.push(character);
                let len = 6 * character.len_utf16();
                rest = rest.get(len..).unwrap_or_default();
                continue;
            }
        }
        text.push(character);
        rest = &rest[character.len_utf8()..];
    }
    text
}

fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("%u")?.get(..4)?;
    if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_escapes_back() {
        for (escaped, expected) in [
            ("%u0025windir%u0025", "%windir%"),
            ("-c %u0022$ini%u0022", "-c \"$ini\""),
            ("%u00E9%uD83D%uDE00", "é😀"),
            ("%uD83D", "%uD83D"),
            ("%uD83Dx", "%uD83Dx"),
            ("%u12", "%u12"),
            ("%u+123", "%u+123"),
            ("100%", "100%"),
            ("%ué", "%ué"),
        ] {
            assert_eq!(unescape(escaped), expected, "{escaped}");
        }
    }
}
