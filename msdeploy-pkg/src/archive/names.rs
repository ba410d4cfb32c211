//! Names of entries: what must not be unpacked anywhere, and what Windows cannot hold.
//!
//! *Naming Files, Paths, and Namespaces* <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>.

use super::records::{CentralHeader, EXTRA_UNICODE_PATH, FLAG_UTF8};

/// What is wrong with an entry's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameFault {
    /// It is empty, or a part between two slashes is.
    #[error("a part of the name is empty")]
    Empty,
    /// It leaves the folder it is unpacked into, by `..`; or a part is `.`.
    #[error("`.` and `..` are not names")]
    Dots,
    /// It begins with a slash.
    #[error("the name is absolute")]
    Absolute,
    /// It begins with a drive letter, or names a stream of a file.
    #[error("a colon names a drive or a stream on Windows")]
    Colon,
    /// It has a backslash, which separates folders on Windows and is a letter elsewhere.
    #[error("a backslash separates folders on Windows and is a letter elsewhere")]
    Backslash,
    /// It has a control character, the NUL octet included.
    #[error("the name has the control character U+{0:04X}")]
    Control(u32),
    /// It has a character that Windows does not allow.
    #[error("Windows does not allow `{0}` in a name")]
    Character(char),
    /// A part of it is a device on Windows.
    #[error("`{0}` is a device on Windows")]
    Reserved(String),
    /// A part of it ends in a dot or a blank, which Windows drops.
    #[error("Windows drops the dot or blank at the end of `{0}`")]
    TrailingDotOrSpace(String),
    /// It is not text in the encoding that the archive says.
    #[error("the name is not text")]
    NotText,
    /// The archive gives it two names: that of the header, and another in the extra field 0x7075.
    #[error("the archive gives it two names, and programs differ in which one they take")]
    TwoNames,
    /// It is longer than the format allows.
    #[error("the name is longer than 65,535 octets")]
    TooLong,
    /// Another entry has the same name, or one that differs in case only.
    #[error("another entry is called `{0}`, which Windows takes for the same name")]
    Duplicate(String),
    /// Another entry is a file where this one needs a folder.
    #[error("`{0}` is a file and cannot have anything inside")]
    InsideFile(String),
    /// The entry is a symbolic link.
    #[error("the entry is a symbolic link")]
    SymbolicLink,
    /// The entry is a device, socket or pipe.
    #[error("the entry is neither a file nor a folder")]
    SpecialFile,
}

impl NameFault {
    /// Whether the name can be unpacked elsewhere, and only Windows cannot hold it.
    #[must_use]
    pub fn is_windows_only(&self) -> bool {
        matches!(
            self,
            Self::Character(_) | Self::Reserved(_) | Self::TrailingDotOrSpace(_)
        )
    }
}

/// Checks the name of an entry: relative, with forward slashes, and one that Windows can hold. A slash at the end
/// marks a folder.
///
/// ```
/// use msdeploy_pkg::{NameFault, check_entry_name};
///
/// assert_eq!(check_entry_name("App/web.config"), Ok(()));
/// assert_eq!(check_entry_name("App/../../web.config"), Err(NameFault::Dots));
/// assert!(check_entry_name("App/aux.txt").unwrap_err().is_windows_only());
/// ```
///
/// # Errors
///
/// The worst fault: one that makes the name dangerous comes before one that only Windows has.
pub fn check_entry_name(name: &str) -> Result<(), NameFault> {
    if name.len() > usize::from(u16::MAX) {
        return Err(NameFault::TooLong);
    }
    if let Some(control) = name.chars().find(|character| character.is_control()) {
        return Err(NameFault::Control(control.into()));
    }
    if name.contains('\\') {
        return Err(NameFault::Backslash);
    }
    if name.starts_with('/') {
        return Err(NameFault::Absolute);
    }
    if name.contains(':') {
        return Err(NameFault::Colon);
    }
    let parts = || name.strip_suffix('/').unwrap_or(name).split('/');
    for part in parts() {
        if part.is_empty() {
            return Err(NameFault::Empty);
        }
        // Windows drops blanks and dots at the end before it looks at the name: `.. ` is `..` there.
        if part.trim_end_matches(' ') == "." || part.trim_end_matches(' ') == ".." {
            return Err(NameFault::Dots);
        }
    }
    for part in parts() {
        if let Some(character) = part
            .chars()
            .find(|character| matches!(character, '<' | '>' | '"' | '|' | '?' | '*'))
        {
            return Err(NameFault::Character(character));
        }
        if part.ends_with(['.', ' ']) {
            return Err(NameFault::TrailingDotOrSpace(part.to_owned()));
        }
        if is_device(part) {
            return Err(NameFault::Reserved(part.to_owned()));
        }
    }
    Ok(())
}

/// A path as Windows compares it: without the blanks and dots at the end of each part, and without case.
pub(crate) fn windows_key(path: &str) -> String {
    path.split('/')
        .map(|part| part.trim_end_matches(['.', ' ']).to_uppercase())
        .collect::<Vec<_>>()
        .join("/")
}

/// The name of an entry: UTF-8 where general purpose bit 11 says so, else code page 437 (APPNOTE appendix D), unless
/// Info-ZIP's extra field has it in UTF-8 (appendix D.2, §4.6.9).
pub(crate) fn decode_name(header: &CentralHeader<'_>) -> Result<String, NameFault> {
    let unicode_path = header
        .extra_field(EXTRA_UNICODE_PATH)
        .and_then(|data| data.get(5..))
        .map(|name| str::from_utf8(name).map_err(|_| NameFault::NotText))
        .transpose()?;
    if header.fields.flags & FLAG_UTF8 != 0 || header.name.is_ascii() {
        let name = str::from_utf8(header.name).map_err(|_| NameFault::NotText)?;
        return match unicode_path {
            Some(other) if other != name => Err(NameFault::TwoNames),
            _ => Ok(name.to_owned()),
        };
    }
    Ok(unicode_path.map_or_else(
        || {
            header
                .name
                .iter()
                .map(|&octet| code_page_437(octet))
                .collect()
        },
        str::to_owned,
    ))
}

fn code_page_437(octet: u8) -> char {
    const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
    match octet.checked_sub(0x80) {
        None => char::from(octet),
        Some(upper) => UPPER
            .chars()
            .nth(upper.into())
            .unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

/// `CON`, `NUL.txt`, `COM1` and the like.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end();
    let is = |name: &str| stem.eq_ignore_ascii_case(name);
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
        .into_iter()
        .any(is)
    {
        return true;
    }
    let Some((port, number)) = stem.split_at_checked(3) else {
        return false;
    };
    (port.eq_ignore_ascii_case("COM") || port.eq_ignore_ascii_case("LPT"))
        && matches!(
            number,
            "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_page_437_has_all_octets() {
        let upper: String = (0x80..=0xff).map(code_page_437).collect();
        assert_eq!(upper.chars().count(), 128);
        assert!(!upper.contains(char::REPLACEMENT_CHARACTER));
        assert!(upper.starts_with("Çü") && upper.contains('ß') && upper.ends_with('\u{a0}'));
        assert_eq!(code_page_437(b'a'), 'a');
    }

    #[test]
    fn names() {
        let check = |name: &str, expected: Result<(), NameFault>| {
            assert_eq!(check_entry_name(name), expected, "{name:?}");
        };
        for good in [
            "a",
            "a/b.c",
            "a/",
            "App Data/ö.txt",
            ".hidden",
            "..a",
            "a..b",
            "com10",
            "console",
            "a/b-c_d~1",
        ] {
            check(good, Ok(()));
        }
        check("", Err(NameFault::Empty));
        check("a//b", Err(NameFault::Empty));
        check("a//", Err(NameFault::Empty));
        check("..", Err(NameFault::Dots));
        check("../a", Err(NameFault::Dots));
        check("a/../b", Err(NameFault::Dots));
        check("a/./b", Err(NameFault::Dots));
        check("a/.. /b", Err(NameFault::Dots));
        check("/etc/passwd", Err(NameFault::Absolute));
        check("//server/share/a", Err(NameFault::Absolute));
        check("C:/Windows/a", Err(NameFault::Colon));
        check("C:a", Err(NameFault::Colon));
        check("a.txt:stream", Err(NameFault::Colon));
        check("a\\..\\b", Err(NameFault::Backslash));
        check("\\\\server\\share", Err(NameFault::Backslash));
        check("a\0b", Err(NameFault::Control(0)));
        check("a\nb", Err(NameFault::Control(10)));
        check("a?", Err(NameFault::Character('?')));
        check("a. /b", Err(NameFault::TrailingDotOrSpace("a. ".into())));
        check("a/b.", Err(NameFault::TrailingDotOrSpace("b.".into())));
        check("...", Err(NameFault::TrailingDotOrSpace("...".into())));
        for device in [
            "nul", "NUL.txt", "Com1", "lpt9.x.y", "CONIN$", "com¹", "aux .c",
        ] {
            check(
                &format!("a/{device}"),
                Err(NameFault::Reserved(device.into())),
            );
        }
        // The dangerous fault is reported first.
        check("a?/../b", Err(NameFault::Dots));
        check(&"a".repeat(70_000), Err(NameFault::TooLong));
    }
}
