//! The path of a request, as http.sys hands it to IIS: percent-decoded once, `\` read as `/`, dot segments resolved.
//!
//! *Uniform Resource Identifier (URI): Generic Syntax*, RFC 3986, sections 2.1 and 5.2.4
//! <https://www.rfc-editor.org/rfc/rfc3986>. Octets that are not UTF-8 are kept as they are: they reach the application
//! in `PATH_INFO`, and name no file. Left out: the `%uXXXX` form that http.sys also decodes.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// A request's path and query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Path and query as the client sent them: `REQUEST_URI`.
    pub(crate) raw: String,
    /// The query as sent, without `?`; empty where there is none.
    pub(crate) query: String,
    /// The path, decoded, beginning with `/`, without dot segments.
    pub(crate) path: Vec<u8>,
}

/// Why a path is refused before anything looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTarget {
    #[error("the path does not begin with `/`")]
    NotAbsolute,
    #[error("the path contains a NUL, encoded as `%00`")]
    Nul,
    #[error("the path leaves the site by `..`")]
    LeavesRoot,
}

impl Target {
    /// Reads path and query as they stand in the request line.
    pub(crate) fn parse(raw: &str) -> Result<Self, BadTarget> {
        let (raw_path, query) = raw.split_once('?').unwrap_or((raw, ""));
        if !raw_path.starts_with('/') {
            return Err(BadTarget::NotAbsolute);
        }
        let decoded: Cow<'_, [u8]> = percent_decode(raw_path.as_bytes()).into();
        if decoded.contains(&0) {
            return Err(BadTarget::Nul);
        }
        let path = resolve_dots(&decoded)?;
        Ok(Self {
            raw: raw.to_owned(),
            query: query.to_owned(),
            path,
        })
    }

    /// The path as text; octets that are not UTF-8 become U+FFFD, which no configuration and no file name matches.
    pub(crate) fn path_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.path)
    }

    /// The path as sent, without the query.
    pub(crate) fn raw_path(&self) -> &str {
        self.raw
            .split_once('?')
            .map_or(self.raw.as_str(), |(path, _)| path)
    }
}

fn resolve_dots(path: &[u8]) -> Result<Vec<u8>, BadTarget> {
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut parts = path
        .split(|&octet| matches!(octet, b'/' | b'\\'))
        .skip(1)
        .peekable();
    while let Some(segment) = parts.next() {
        let last = parts.peek().is_none();
        match segment {
            b"." | b".." => {
                if segment == b".." && segments.pop().is_none() {
                    return Err(BadTarget::LeavesRoot);
                }
                // "/a/." is the folder "/a/".
                if last {
                    segments.push(b"");
                }
            }
            _ => segments.push(segment),
        }
    }
    let mut resolved = Vec::with_capacity(path.len());
    for segment in segments {
        resolved.push(b'/');
        resolved.extend_from_slice(segment);
    }
    if resolved.is_empty() {
        resolved.push(b'/');
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_once_and_resolved() {
        let table: [(&str, &[u8], &str); 14] = [
            ("/", b"/", ""),
            ("/?a=%20&b", b"/", "a=%20&b"),
            ("/a/b?", b"/a/b", ""),
            ("/caf%C3%A9", "/café".as_bytes(), ""),
            ("/%FF", b"/\xff", ""),
            ("/%2541", b"/%41", ""),
            ("/a//b", b"/a//b", ""),
            ("/a/./b", b"/a/b", ""),
            ("/a/../b", b"/b", ""),
            ("/a/..", b"/", ""),
            ("/a/b/.", b"/a/b/", ""),
            ("/a%2F..%2Fb", b"/b", ""),
            ("/a%5C..%5Cb", b"/b", ""),
            ("/a?x=/../..", b"/a", "x=/../.."),
        ];
        for (raw, path, query) in table {
            let target = Target::parse(raw).unwrap();
            assert_eq!(target.path, path, "{raw}");
            assert_eq!(target.query, query, "{raw}");
            assert_eq!(target.raw, raw);
        }
    }

    #[test]
    fn paths_that_leave_the_site_are_refused() {
        let table = [
            ("/..", BadTarget::LeavesRoot),
            ("/a/../../b", BadTarget::LeavesRoot),
            ("/%2e%2e/etc/passwd", BadTarget::LeavesRoot),
            (r"/..%5c..%5cboot.ini", BadTarget::LeavesRoot),
            ("/a%00.txt", BadTarget::Nul),
            ("*", BadTarget::NotAbsolute),
            ("", BadTarget::NotAbsolute),
        ];
        for (raw, expected) in table {
            assert_eq!(Target::parse(raw), Err(expected), "{raw}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_path_leaves_the_site(raw in "(/|\\\\|\\.|%2[eEfF]|%5[cC]|%00|%|[a-z?é]){0,20}") {
            if let Ok(target) = Target::parse(&raw) {
                proptest::prop_assert!(target.path.starts_with(b"/"));
                let mut segments = target.path.split(|&octet| octet == b'/');
                proptest::prop_assert!(segments.all(|segment| segment != b".." && segment != b"."));
                proptest::prop_assert!(!target.path.contains(&0) && !target.path.contains(&b'\\'));
                // What is resolved stays as it is, unless it can be decoded once more.
                let again = resolve_dots(&target.path);
                proptest::prop_assert_eq!(again.as_ref(), Ok(&target.path));
            }
        }
    }
}
