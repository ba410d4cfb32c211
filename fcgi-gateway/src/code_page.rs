//! The character set of IIS's variables.
//!
//! IIS gives what it has in UTF-16, paths and names of users, in the system's ANSI code page, except for the variables that the
//! registry's `FastCGIUtf8ServerVariables` lists (KB2277918). Applications expect UTF-8 (PEP 3333 only says that each octet is one
//! character), and so does whoever opens a folder by its name. What the code page lacks IIS has replaced by `?` already.

#[cfg(windows)]
mod windows;

use std::borrow::Cow;

use fcgi_proto::Params;

/// Variables that IIS has in UTF-16. What comes from headers keeps its octets, and a URL in IIS's own spelling is ASCII.
#[cfg(any(windows, test))]
const CONVERTED: [&[u8]; 12] = [
    b"APPL_MD_PATH",
    b"APPL_PHYSICAL_PATH",
    b"AUTH_USER",
    b"DOCUMENT_ROOT",
    b"LOGON_USER",
    b"PATH_INFO",
    b"PATH_TRANSLATED",
    b"REMOTE_USER",
    b"SCRIPT_FILENAME",
    b"SCRIPT_NAME",
    b"UNENCODED_URL",
    b"URL",
];

/// The variables of a request in UTF-8.
pub(crate) fn in_utf8(params: &Params) -> Cow<'_, Params> {
    #[cfg(windows)]
    let converted = convert(params, windows::listed(), &windows::to_utf8);
    #[cfg(not(windows))]
    let converted = None;
    converted.map_or(Cow::Borrowed(params), Cow::Owned)
}

/// The variables with those converted that need it; none where none does. `listed` is what the registry lists, where it says
/// anything; `to_utf8` reads the code page.
#[cfg(any(windows, test))]
fn convert(
    params: &Params,
    listed: Option<&[String]>,
    to_utf8: &dyn Fn(&[u8]) -> Option<String>,
) -> Option<Params> {
    params.get(b"APPL_MD_PATH")?;
    let is_listed = |name: &[u8]| {
        let mut listed = listed.into_iter().flatten();
        listed.any(|listed| listed.as_bytes().eq_ignore_ascii_case(name))
    };
    let conversion = |name: &[u8], value: &[u8]| {
        let is_right = value.is_ascii()
            || !CONVERTED.contains(&name)
            || is_listed(name)
            // Without the registry's word, what is UTF-8 is taken for it: IIS Express, or a stand-in.
            || listed.is_none() && std::str::from_utf8(value).is_ok();
        if is_right { None } else { to_utf8(value) }
    };
    let mut is_any = false;
    let pairs: Vec<_> = params
        .iter()
        .map(|(name, value)| match conversion(name, value) {
            Some(text) => {
                is_any = true;
                (name, Cow::Owned(text.into_bytes()))
            }
            None => (name, Cow::Borrowed(value)),
        })
        .collect();
    if !is_any {
        return None;
    }
    Params::from_pairs(pairs).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows-1252, as far as the tests need it.
    fn latin(octets: &[u8]) -> Option<String> {
        Some(octets.iter().copied().map(char::from).collect())
    }

    #[test]
    fn what_the_registry_does_not_list_is_converted() {
        let utf8 = "/caf\u{e9}".as_bytes();
        let ansi = b"/caf\xe9";
        let none: &[&str] = &[];
        // (what the registry lists, name, octets, expected)
        type Case<'c> = (Option<&'c [&'c str]>, &'c str, &'c [u8], &'c [u8]);
        let table: [Case<'_>; 8] = [
            (Some(none), "PATH_INFO", ansi, utf8),
            (Some(&["REQUEST_URI"]), "PATH_INFO", ansi, utf8),
            (Some(&["REQUEST_URI", "path_info"]), "PATH_INFO", utf8, utf8),
            (Some(none), "PATH_INFO", utf8, "/caf\u{c3}\u{a9}".as_bytes()),
            (Some(none), "HTTP_X", ansi, ansi),
            (None, "PATH_INFO", ansi, utf8),
            (None, "PATH_INFO", utf8, utf8),
            (
                Some(none),
                "APPL_PHYSICAL_PATH",
                b"C:\\\xfc",
                "C:\\\u{fc}".as_bytes(),
            ),
        ];
        for (listed, name, octets, expected) in table {
            let listed: Option<Vec<String>> =
                listed.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            let pairs = [("APPL_MD_PATH", &b"/LM/W3SVC/1/ROOT"[..]), (name, octets)];
            let params = Params::from_pairs(pairs).unwrap();
            let converted = convert(&params, listed.as_deref(), &latin);
            let found = converted.as_ref().unwrap_or(&params);
            assert_eq!(
                found.get(name.as_bytes()),
                Some(expected),
                "{listed:?} {name}"
            );
        }
    }

    #[test]
    fn other_web_servers_have_no_code_page() {
        let params = Params::from_pairs([("PATH_INFO", &b"/caf\xe9"[..])]).unwrap();
        assert!(convert(&params, None, &latin).is_none());
        assert!(convert(&params, Some(&[]), &latin).is_none());
    }
}
