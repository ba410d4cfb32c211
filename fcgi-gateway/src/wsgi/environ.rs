//! The variables of a request as PEP 3333's *environ* wants them, still without Python.

use std::borrow::Cow;

use fcgi_proto::Params;

use crate::iis;

/// The CGI variables of a request, put right: what Web servers do otherwise is undone, what PEP 3333 requires is there.
///
/// ```
/// use fcgi_gateway::wsgi::Environ;
/// use fcgi_proto::Params;
///
/// // nginx's default settings: the whole path is in SCRIPT_NAME.
/// let params = Params::from_pairs([("SCRIPT_NAME", "/app/page"), ("REQUEST_URI", "/app/page?x=y")])?;
/// let mut path = None;
/// Environ::new(&params, Some("/app")).each(|name, value| -> Result<(), std::convert::Infallible> {
///     if name == b"PATH_INFO" {
///         path = Some(value.to_owned());
///     }
///     Ok(())
/// });
/// assert_eq!(path.as_deref(), Some(&b"/page"[..]));
/// # Ok::<(), fcgi_proto::Error>(())
/// ```
#[derive(Debug)]
pub struct Environ<'p> {
    params: &'p Params,
    path: iis::UrlPath<'p>,
}

/// The variables that [`Environ::each`] gives at the end, and not from the parameters.
const COMPUTED: [&[u8]; 2] = [b"SCRIPT_NAME", b"PATH_INFO"];

impl<'p> Environ<'p> {
    /// The variables of `params`, for an application mounted at `mount` as far as its operator says.
    #[must_use]
    pub fn new(params: &'p Params, mount: Option<&str>) -> Self {
        Self {
            params,
            path: iis::url_path(params, mount),
        }
    }

    /// Every variable, name and value; a name that comes twice counts as it came last.
    ///
    /// # Errors
    /// Those of `give`.
    pub fn each<E>(&self, mut give: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        for (name, value) in self.params {
            if !iis::is_dropped(name, value) && !COMPUTED.contains(&name) {
                give(name, value)?;
            }
        }
        give(b"SCRIPT_NAME", &self.path.script_name)?;
        give(b"PATH_INFO", &self.path.path_info)?;
        for (name, value) in self.missing() {
            give(name, &value)?;
        }
        Ok(())
    }

    /// The same number for requests with the same variables, most probably another one for others; values do not count.
    #[cfg(feature = "python")]
    pub(crate) fn shape(&self) -> u64 {
        let shape = self.params.iter().fold(0, |shape: u64, (name, value)| {
            // Which variables are left out depends on whether they are empty.
            let step = (name.len() as u64) << 1 | u64::from(value.is_empty());
            (shape.rotate_left(5) ^ step).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        shape >> 32
    }

    /// What PEP 3333 requires and the Web server has not sent.
    fn missing(&self) -> impl Iterator<Item = (&'static [u8], Cow<'p, [u8]>)> {
        let get = |name: &[u8]| self.params.get(name).filter(|value| !value.is_empty());
        let port: &[u8] = if self.is_https() { b"443" } else { b"80" };
        let query = get(b"REQUEST_URI").map_or(&b""[..], iis::query);
        let host = get(b"HTTP_HOST")
            .map(host_name)
            .filter(|host| !host.is_empty());
        // RFC 3875 gives no defaults; these say the least.
        let table: [(&'static [u8], Option<&'p [u8]>); 6] = [
            (b"REQUEST_METHOD", Some(b"GET")),
            (b"QUERY_STRING", Some(query)),
            (b"SERVER_NAME", Some(host.unwrap_or(b"localhost"))),
            (b"SERVER_PORT", Some(port)),
            (b"SERVER_PROTOCOL", Some(b"HTTP/1.0")),
            // IIS has another name for it.
            (b"SERVER_ADDR", get(b"LOCAL_ADDR")),
        ];
        let missing = table.map(|(name, default)| {
            let is_there = if name == b"QUERY_STRING" {
                self.params.get(name).is_some()
            } else {
                get(name).is_some()
            };
            default
                .filter(|_| !is_there)
                .map(|value| (name, Cow::Borrowed(value)))
        });
        missing.into_iter().flatten()
    }

    /// `wsgi.url_scheme`: `https` where the Web server says so.
    #[must_use]
    pub fn url_scheme(&self) -> &'static str {
        if self.is_https() { "https" } else { "http" }
    }

    fn is_https(&self) -> bool {
        let is = |name: &[u8], values: &[&[u8]]| {
            self.params
                .get(name)
                .is_some_and(|found| values.iter().any(|value| found.eq_ignore_ascii_case(value)))
        };
        // IIS and Apache; nginx says REQUEST_SCHEME as well.
        is(b"HTTPS", &[b"on", b"1"]) || is(b"REQUEST_SCHEME", &[b"https"])
    }
}

/// The host of a `Host` header without its port (RFC 9110, section 7.2); an IPv6 address stays in its brackets.
fn host_name(host: &[u8]) -> &[u8] {
    let from = if host.starts_with(b"[") {
        host.iter().position(|octet| *octet == b']').unwrap_or(0)
    } else {
        0
    };
    let colon = host[from..].iter().position(|octet| *octet == b':');
    colon.map_or(host, |colon| &host[..from + colon])
}

/// Octets as PEP 3333's native strings hold them: each octet is one character of ISO 8859-1.
#[must_use]
pub fn latin1(octets: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) if octets.is_ascii() => text.into(),
        _ => octets
            .iter()
            .copied()
            .map(char::from)
            .collect::<String>()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::*;

    fn environ(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let params = Params::from_pairs(pairs.iter().copied()).unwrap();
        let mut found = BTreeMap::new();
        let environ = Environ::new(&params, None);
        let all = environ.each(|name, value| -> Result<(), Infallible> {
            found.insert(latin1(name).into_owned(), latin1(value).into_owned());
            Ok(())
        });
        all.unwrap();
        found
    }

    #[test]
    fn what_pep_3333_requires_is_always_there() {
        let found = environ(&[]);
        let expected = [
            ("PATH_INFO", "/"),
            ("QUERY_STRING", ""),
            ("REQUEST_METHOD", "GET"),
            ("SCRIPT_NAME", ""),
            ("SERVER_NAME", "localhost"),
            ("SERVER_PORT", "80"),
            ("SERVER_PROTOCOL", "HTTP/1.0"),
        ];
        assert_eq!(
            found,
            expected
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        );
    }

    #[test]
    fn what_the_server_sends_wins() {
        let found = environ(&[
            ("SERVER_NAME", "example.org"),
            ("SERVER_PORT", "8080"),
            ("QUERY_STRING", ""),
            ("REQUEST_URI", "/?a=b"),
            ("LOCAL_ADDR", "10.0.0.1"),
            ("REMOTE_USER", ""),
            ("HTTP_PROXY", "evil"),
            ("PATH_INFO", "/caf\u{e9}"),
        ]);
        assert_eq!(found["SERVER_NAME"], "example.org");
        assert_eq!(found["SERVER_PORT"], "8080");
        assert_eq!(found["QUERY_STRING"], "");
        assert_eq!(found["SERVER_ADDR"], "10.0.0.1");
        assert_eq!(found["PATH_INFO"], "/caf\u{c3}\u{a9}");
        assert!(!found.contains_key("REMOTE_USER") && !found.contains_key("HTTP_PROXY"));
        assert_eq!(
            environ(&[("REQUEST_URI", "/x?a=b"), ("HTTP_HOST", "h:81")])["QUERY_STRING"],
            "a=b"
        );
        for (host, name) in [
            ("h:81", "h"),
            ("h", "h"),
            (":", "localhost"),
            ("[::1]:81", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(environ(&[("HTTP_HOST", host)])["SERVER_NAME"], name);
        }
    }

    #[test]
    fn the_scheme_is_the_clients() {
        for (name, value, scheme) in [
            ("HTTPS", "on", "https"),
            ("HTTPS", "ON", "https"),
            ("HTTPS", "1", "https"),
            ("HTTPS", "off", "http"),
            ("HTTPS", "", "http"),
            ("REQUEST_SCHEME", "https", "https"),
            ("X", "", "http"),
        ] {
            let params = Params::from_pairs([(name, value)]).unwrap();
            assert_eq!(
                Environ::new(&params, None).url_scheme(),
                scheme,
                "{name}={value}"
            );
        }
    }

    #[test]
    fn every_octet_is_one_character() {
        let octets: Vec<u8> = (0..=255).collect();
        assert_eq!(
            latin1(&octets).chars().map(u32::from).collect::<Vec<_>>(),
            (0..256).collect::<Vec<u32>>()
        );
        assert!(matches!(latin1(b"abc"), Cow::Borrowed("abc")));
    }
}
