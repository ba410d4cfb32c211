//! Windows' own conversion, and what the registry says.
#![expect(unsafe_code, reason = "std does not know code pages")]

use std::sync::LazyLock;

use windows_sys::Win32::Globalization::{CP_ACP, MultiByteToWideChar};

use crate::registry;

/// The variables that the registry lists, as they were at the first request: IIS itself reads them when it starts.
pub(super) fn listed() -> Option<&'static [String]> {
    static LISTED: LazyLock<Option<Vec<String>>> = LazyLock::new(registry::utf8_server_variables);
    LISTED.as_deref()
}

/// Octets of the system's ANSI code page as text; none where Windows does not read them.
pub(super) fn to_utf8(octets: &[u8]) -> Option<String> {
    convert(CP_ACP, octets)
}

fn convert(code_page: u32, octets: &[u8]) -> Option<String> {
    let len = i32::try_from(octets.len()).ok()?;
    // No character has fewer octets than units of UTF-16.
    let mut units = vec![0; octets.len()];
    // SAFETY: both slices are as long as said, and live until the call returns.
    let written =
        unsafe { MultiByteToWideChar(code_page, 0, octets.as_ptr(), len, units.as_mut_ptr(), len) };
    let units = units.get(..usize::try_from(written).ok()?)?;
    (!units.is_empty()).then(|| String::from_utf16_lossy(units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_pages_are_windows_own() {
        for (code_page, octets, text) in [
            (1252, &b"/caf\xe9 \x80"[..], Some("/caf\u{e9} \u{20ac}")),
            (932, b"\x93\xfa\x96\x7b", Some("\u{65e5}\u{672c}")),
            (65001, "\u{65e5}".as_bytes(), Some("\u{65e5}")),
            (1252, b"", None),
            (12345, b"x", None),
        ] {
            assert_eq!(convert(code_page, octets).as_deref(), text, "{code_page}");
        }
    }
}
