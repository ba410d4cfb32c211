//! Where Web servers, IIS first of all, deviate from CGI (RFC 3875) in the variables that they send, and what is right.
//!
//! - IIS repeats `SCRIPT_NAME` at the start of `PATH_INFO` unless `AllowPathInfoForScriptMappings` is set (the notes of
//!   `wsgiref.handlers.IISCGIHandler`), and knows where the application is mounted only as `APPL_MD_PATH`.
//! - IIS converts `PATH_INFO` to the system's ANSI code page and loses what is not in it to `?`; `REQUEST_URI` keeps the
//!   octets as the client sent them. nginx and others merge slashes.
//! - After URL Rewrite, `IIS_WasUrlRewritten` is set and `UNENCODED_URL` holds what the client asked for; the header
//!   `X-Original-URL` says so too, but a client can forge it, so it counts only when the variable is set.
//! - IIS sends `REMOTE_USER` empty where nobody is logged in, and `CONTENT_TYPE` empty.
//! - nginx's and Apache's `mod_proxy_fcgi` default settings send the whole path as `SCRIPT_NAME` and no `PATH_INFO`.

use std::borrow::Cow;

use fcgi_proto::Params;
use percent_encoding::percent_decode;

/// `SCRIPT_NAME` and `PATH_INFO` as PEP 3333 wants them: the application's mount, and the rest, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UrlPath<'p> {
    pub(crate) script_name: Cow<'p, [u8]>,
    pub(crate) path_info: Cow<'p, [u8]>,
}

/// The variables that matter here.
#[derive(Clone, Copy, Debug, Default)]
struct Variables<'p> {
    script_name: &'p [u8],
    path_info: &'p [u8],
    request_uri: Option<&'p [u8]>,
    appl_md_path: Option<&'p [u8]>,
    server_software: &'p [u8],
    script_filename: &'p [u8],
    original_url: Option<&'p [u8]>,
}

impl<'p> Variables<'p> {
    fn of(params: &'p Params) -> Self {
        let get = |name: &[u8]| params.get(name).filter(|value| !value.is_empty());
        let rewritten = get(b"IIS_WasUrlRewritten").is_some_and(|value| value != b"0");
        Self {
            script_name: get(b"SCRIPT_NAME").unwrap_or_default(),
            path_info: get(b"PATH_INFO").unwrap_or_default(),
            request_uri: get(b"REQUEST_URI"),
            appl_md_path: get(b"APPL_MD_PATH"),
            server_software: get(b"SERVER_SOFTWARE").unwrap_or_default(),
            script_filename: get(b"SCRIPT_FILENAME").unwrap_or_default(),
            original_url: if rewritten {
                get(b"UNENCODED_URL").or_else(|| get(b"HTTP_X_ORIGINAL_URL"))
            } else {
                None
            },
        }
    }
}

/// Splits the path of a request. `mount` is where the application is mounted as far as its operator says: `/app`, or empty
/// for the root.
pub(crate) fn url_path<'p>(params: &'p Params, mount: Option<&str>) -> UrlPath<'p> {
    split(&Variables::of(params), mount)
}

fn split<'p>(variables: &Variables<'p>, mount: Option<&str>) -> UrlPath<'p> {
    let Variables {
        script_name,
        path_info,
        ..
    } = *variables;
    let script_name = without_slashes(script_name);
    let is_iis = variables.appl_md_path.is_some();
    let mount = mount
        .map(|mount| mount.trim_end_matches('/').as_bytes())
        .or_else(|| application_path(variables.appl_md_path?));

    // The whole path as the server says it, and the part of it that is the mount's if nobody else says so.
    let (said, script_len): (Cow<'_, [u8]>, usize) = if path_info.is_empty() {
        // SCRIPT_NAME may be the mount with nothing behind it, or the whole path.
        let cgi = has_prefix(variables.server_software, b"lighttpd")
            || has_prefix(variables.server_software, b"Apache")
                && !has_prefix(variables.script_filename, b"proxy:");
        (
            variables.script_name.into(),
            if cgi { script_name.len() } else { 0 },
        )
    } else if script_name.is_empty() || is_iis && repeats(path_info, script_name) {
        (path_info.into(), 0)
    } else {
        ([script_name, path_info].concat().into(), script_name.len())
    };

    // The path as the client said it: the original where it was rewritten, else where the server has only lost octets.
    let path: Cow<'_, [u8]> = if let Some(original) = variables.original_url {
        decode(original)
    } else {
        match variables.request_uri.map(decode) {
            Some(decoded) if is_lossy_form(&said, &decoded) => decoded,
            _ => said.clone(),
        }
    };

    let script_len = match mount {
        Some(mount) => mount_len(&path, mount, is_iis),
        // A path with other octets has the same mount, if it begins so.
        None => mount_len(&path, &said[..script_len.min(said.len())], false),
    };
    let (script_name, path_info) = match script_len {
        Some(len) => cut(path, len),
        // The path is outside the mount: what the server says is the best there is, but it is not said twice.
        None if is_iis && repeats(path_info, script_name) => (Cow::default(), path_info.into()),
        None => (script_name.into(), path_info.into()),
    };
    let path_info = if script_name.is_empty() && path_info.is_empty() {
        Cow::Borrowed(&b"/"[..])
    } else {
        path_info
    };
    UrlPath {
        script_name,
        path_info,
    }
}

/// The application's path in the site, from its metabase path: `/app` in `/LM/W3SVC/1/ROOT/app`.
fn application_path(metabase_path: &[u8]) -> Option<&[u8]> {
    let start = metabase_path
        .windows(5)
        .position(|window| window.eq_ignore_ascii_case(b"/ROOT"))?;
    let path = &metabase_path[start + 5..];
    (path.is_empty() || path[0] == b'/').then(|| without_slashes(path))
}

/// A path without the slashes at its end.
fn without_slashes(path: &[u8]) -> &[u8] {
    let len = path
        .iter()
        .rposition(|octet| *octet != b'/')
        .map_or(0, |last| last + 1);
    &path[..len]
}

/// Whether `PATH_INFO` begins with `SCRIPT_NAME` again.
fn repeats(path_info: &[u8], script_name: &[u8]) -> bool {
    mount_len(path_info, script_name, true).is_some()
}

/// The octets of `path` that are `mount`, whole segments only.
fn mount_len(path: &[u8], mount: &[u8], ignore_case: bool) -> Option<usize> {
    let start = path.get(..mount.len())?;
    let same = if ignore_case {
        start.eq_ignore_ascii_case(mount)
    } else {
        start == mount
    };
    let whole = mount.is_empty() || path.get(mount.len()).is_none_or(|next| *next == b'/');
    (same && whole).then_some(mount.len())
}

fn cut(path: Cow<'_, [u8]>, len: usize) -> (Cow<'_, [u8]>, Cow<'_, [u8]>) {
    match path {
        Cow::Borrowed(path) => (path[..len].into(), path[len..].into()),
        Cow::Owned(mut path) => {
            let rest = path.split_off(len);
            (path.into(), rest.into())
        }
    }
}

/// The decoded path of a request target: `/a b` of `/a%20b?c` and of `http://host/a%20b`.
fn decode(target: &[u8]) -> Cow<'_, [u8]> {
    let path = raw_path(target);
    percent_decode(path).into()
}

fn raw_path(target: &[u8]) -> &[u8] {
    let end = target
        .iter()
        .position(|octet| matches!(octet, b'?' | b'#'))
        .unwrap_or(target.len());
    let target = &target[..end];
    if target.first() == Some(&b'/') {
        return target;
    }
    let Some(authority) = target.windows(3).position(|window| window == b"://") else {
        return target;
    };
    let rest = &target[authority + 3..];
    rest.iter()
        .position(|octet| *octet == b'/')
        .map_or(b"/", |slash| &rest[slash..])
}

/// The query of a request target.
pub(crate) fn query(target: &[u8]) -> &[u8] {
    target
        .iter()
        .position(|octet| *octet == b'?')
        .map_or(b"", |mark| &target[mark + 1..])
}

/// Whether `said` can be what a server made of `decoded` by merging slashes, by leaving `%2F` as it was (Apache's
/// `AllowEncodedSlashes NoDecode`) or by losing characters to its code page, and by nothing else: a path that was rewritten
/// stays rewritten, and one with `..` in it stays as the server resolved it.
fn is_lossy_form(said: &[u8], decoded: &[u8]) -> bool {
    if decoded
        .split(|octet| *octet == b'/')
        .any(|segment| matches!(segment, b"." | b".."))
    {
        return false;
    }
    let (mut said, mut decoded) = (said, decoded);
    loop {
        match (said, decoded) {
            ([], []) => return true,
            ([b'%', b'2', b'f' | b'F', said_rest @ ..], [b'/', decoded_rest @ ..]) => {
                said = said_rest;
                decoded = decoded_rest;
            }
            ([b'/', said_rest @ ..], [b'/', decoded_rest @ ..]) => {
                // Merged or not.
                let merged = !matches!(said_rest, [b'/', ..]);
                said = said_rest;
                decoded = decoded_rest;
                while let (true, [b'/', rest @ ..]) = (merged, decoded) {
                    decoded = rest;
                }
            }
            ([s, said_rest @ ..], [d, ..]) if *d >= 0x80 => {
                // One character of the code page, `?`, or the same octets.
                let len = character_len(decoded);
                if said.get(..len) == Some(&decoded[..len]) {
                    said = &said[len..];
                } else if *s == b'?' || *s >= 0x80 {
                    // A character outside the basic plane is two of Windows' units, and so may be two signs.
                    said = match said_rest {
                        [b'?', rest @ ..] if len == 4 && *s == b'?' => rest,
                        rest => rest,
                    };
                } else {
                    return false;
                }
                decoded = &decoded[len..];
            }
            ([s, said_rest @ ..], [d, decoded_rest @ ..]) if s == d => {
                said = said_rest;
                decoded = decoded_rest;
            }
            _ => return false,
        }
    }
}

/// The octets of the UTF-8 character that `octets` begin with; 1 where they are not UTF-8.
fn character_len(octets: &[u8]) -> usize {
    let wanted = match octets.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => 1,
    };
    if octets
        .get(..wanted)
        .is_some_and(|character| std::str::from_utf8(character).is_ok())
    {
        wanted
    } else {
        1
    }
}

fn has_prefix(value: &[u8], prefix: &[u8]) -> bool {
    value
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Whether a variable is left out of the environ.
pub(crate) fn is_dropped(name: &[u8], value: &[u8]) -> bool {
    match name {
        // PEP 3333: "A variable that is not applicable should be left out". The last is httpoxy, CVE-2016-1000110: a header
        // `Proxy` must not pass for the variable HTTP_PROXY.
        b"REMOTE_USER" | b"AUTH_TYPE" | b"CONTENT_TYPE" | b"CONTENT_LENGTH" => value.is_empty(),
        b"HTTP_CONTENT_TYPE" | b"HTTP_CONTENT_LENGTH" | b"HTTP_PROXY" => true,
        _ => name.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mount: Option<&str>, pairs: &[(&str, &[u8])], script_name: &str, path_info: &str) {
        let params = Params::from_pairs(pairs.iter().copied()).unwrap();
        let found = url_path(&params, mount);
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        assert_eq!(
            (text(&found.script_name), text(&found.path_info)),
            (script_name.to_owned(), path_info.to_owned()),
            "{mount:?} {pairs:?}"
        );
    }

    const ROOT: (&str, &[u8]) = ("APPL_MD_PATH", b"/LM/W3SVC/1/ROOT");
    const APP: (&str, &[u8]) = ("APPL_MD_PATH", b"/LM/W3SVC/1/ROOT/My/App");

    #[test]
    fn an_encoded_slash_is_one_behind_every_server() {
        let uri = ("REQUEST_URI", &b"/a%2Fb//c%2fd"[..]);
        // Left as it was, decoded, and with slashes merged.
        for said in [
            &b"/a%2Fb//c%2fd"[..],
            b"/a/b//c/d",
            b"/a/b/c/d",
            b"/a%2Fb/c/d",
        ] {
            check(None, &[("PATH_INFO", said), uri], "", "/a/b//c/d");
        }
        // What the server has rewritten stays so.
        check(None, &[("PATH_INFO", b"/x%2Fb"), uri], "", "/x%2Fb");
    }

    #[test]
    fn iis_repeats_the_script_name() {
        check(
            None,
            &[
                ROOT,
                ("SCRIPT_NAME", b"/a/b"),
                ("PATH_INFO", b"/a/b"),
                ("REQUEST_URI", b"/a/b?c=d"),
            ],
            "",
            "/a/b",
        );
        check(
            None,
            &[
                ROOT,
                ("SCRIPT_NAME", b"/"),
                ("PATH_INFO", b"/"),
                ("REQUEST_URI", b"/"),
            ],
            "",
            "/",
        );
        check(
            None,
            &[
                APP,
                ("SCRIPT_NAME", b"/My/App/x"),
                ("PATH_INFO", b"/My/App/x"),
                ("REQUEST_URI", b"/My/App/x"),
            ],
            "/My/App",
            "/x",
        );
        check(
            None,
            &[
                APP,
                ("SCRIPT_NAME", b"/my/app"),
                ("PATH_INFO", b"/my/app"),
                ("REQUEST_URI", b"/my/app"),
            ],
            "/my/app",
            "",
        );
        // With AllowPathInfoForScriptMappings.
        check(
            None,
            &[
                APP,
                ("SCRIPT_NAME", b"/My/App"),
                ("PATH_INFO", b"/x"),
                ("REQUEST_URI", b"/My/App/x"),
            ],
            "/My/App",
            "/x",
        );
        // A mount is whole segments.
        check(
            Some("/My"),
            &[
                ROOT,
                ("SCRIPT_NAME", b"/Mystery"),
                ("PATH_INFO", b"/Mystery"),
                ("REQUEST_URI", b"/Mystery"),
            ],
            "",
            "/Mystery",
        );
    }

    #[test]
    fn octets_that_iis_lost_come_from_the_request_uri() {
        let pairs = |path: &'static [u8]| {
            [
                ROOT,
                ("SCRIPT_NAME", path),
                ("PATH_INFO", path),
                ("REQUEST_URI", &b"/%E6%97%A5%E6%9C%AC/x%20y?q=%E6"[..]),
            ]
        };
        check(None, &pairs(b"/??/x y"), "", "/日本/x y");
        check(None, &pairs("/日本/x y".as_bytes()), "", "/日本/x y");
        let pairs = [
            ROOT,
            ("SCRIPT_NAME", &b"/caf\xe9"[..]),
            ("PATH_INFO", b"/caf\xe9"),
            ("REQUEST_URI", b"/caf%C3%A9"),
        ];
        check(None, &pairs, "", "/café");
        let pairs = [
            ROOT,
            ("SCRIPT_NAME", &b"/??"[..]),
            ("PATH_INFO", b"/??"),
            ("REQUEST_URI", b"/%F0%9F%90%8D"),
        ];
        check(None, &pairs, "", "/🐍");
        // A question mark that the client sent is one.
        check(
            None,
            &[
                ROOT,
                ("SCRIPT_NAME", b"/a?b"),
                ("PATH_INFO", b"/a?b"),
                ("REQUEST_URI", b"/a%3Fb"),
            ],
            "",
            "/a?b",
        );
    }

    #[test]
    fn a_rewritten_url_is_the_clients_only_where_iis_says_so() {
        let rewritten = [
            ROOT,
            ("SCRIPT_NAME", &b"/handler.py"[..]),
            ("PATH_INFO", b"/handler.py"),
            ("REQUEST_URI", b"/handler.py"),
        ];
        let with = |more: &[(&'static str, &'static [u8])]| [&rewritten[..], more].concat();
        check(
            None,
            &with(&[("HTTP_X_ORIGINAL_URL", b"/forged")]),
            "",
            "/handler.py",
        );
        check(
            None,
            &with(&[("IIS_WasUrlRewritten", b"0"), ("UNENCODED_URL", b"/a%20b")]),
            "",
            "/handler.py",
        );
        check(
            None,
            &with(&[
                ("IIS_WasUrlRewritten", b"1"),
                ("UNENCODED_URL", b"/a%20b//c?d"),
                ("HTTP_X_ORIGINAL_URL", b"/forged"),
            ]),
            "",
            "/a b//c",
        );
        check(
            None,
            &with(&[
                ("IIS_WasUrlRewritten", b"1"),
                ("HTTP_X_ORIGINAL_URL", b"/a%20b?d"),
            ]),
            "",
            "/a b",
        );
    }

    #[test]
    fn other_servers_split_as_they_like() {
        let nginx = ("SERVER_SOFTWARE", &b"nginx/1.22.1"[..]);
        check(
            None,
            &[nginx, ("SCRIPT_NAME", b"/a/b"), ("REQUEST_URI", b"/a//b")],
            "",
            "/a//b",
        );
        check(
            Some("/a"),
            &[nginx, ("SCRIPT_NAME", b"/a/b"), ("REQUEST_URI", b"/a/b")],
            "/a",
            "/b",
        );
        check(
            Some("/a/"),
            &[nginx, ("SCRIPT_NAME", b""), ("PATH_INFO", b"/a/b")],
            "/a",
            "/b",
        );
        check(
            Some(""),
            &[nginx, ("SCRIPT_NAME", b"/a"), ("PATH_INFO", b"/b")],
            "",
            "/a/b",
        );
        check(
            None,
            &[nginx, ("PATH_INFO", b"/x"), ("REQUEST_URI", b"/elsewhere")],
            "",
            "/x",
        );
        check(
            None,
            &[
                nginx,
                ("PATH_INFO", b"/admin"),
                ("REQUEST_URI", b"/public/../admin"),
            ],
            "",
            "/admin",
        );
        let lighttpd = ("SERVER_SOFTWARE", &b"lighttpd/1.4.69"[..]);
        check(
            None,
            &[lighttpd, ("SCRIPT_NAME", b"/app"), ("REQUEST_URI", b"/app")],
            "/app",
            "",
        );
        check(
            None,
            &[
                lighttpd,
                ("SCRIPT_NAME", b"/app"),
                ("PATH_INFO", b"/x"),
                ("REQUEST_URI", b"/app//x?"),
            ],
            "/app",
            "//x",
        );
        let apache = ("SERVER_SOFTWARE", &b"Apache/2.4.57 (Debian)"[..]);
        check(
            None,
            &[
                apache,
                ("SCRIPT_NAME", b"/app.fcgi"),
                ("SCRIPT_FILENAME", b"/srv/app.fcgi"),
            ],
            "/app.fcgi",
            "",
        );
        check(
            None,
            &[
                apache,
                ("SCRIPT_NAME", b"/a"),
                ("SCRIPT_FILENAME", b"proxy:fcgi://h/a"),
            ],
            "",
            "/a",
        );
        check(
            None,
            &[
                ("REQUEST_URI", b"http://host/a%20b?c"),
                ("PATH_INFO", b"/a b"),
            ],
            "",
            "/a b",
        );
        check(None, &[], "", "/");
        // Found by a property: PEP 3333 knows no SCRIPT_NAME of slashes alone.
        check(
            None,
            &[("SCRIPT_NAME", b"//"), ("PATH_INFO", b"/a")],
            "",
            "/a",
        );
    }

    #[test]
    fn the_metabase_path_names_the_mount() {
        let table: [(&[u8], Option<&[u8]>); 6] = [
            (b"/LM/W3SVC/1/ROOT", Some(b"")),
            (b"/LM/W3SVC/12/Root/", Some(b"")),
            (b"/LM/W3SVC/1/ROOT/a/b", Some(b"/a/b")),
            (b"/LM/W3SVC/1/ROOTED", None),
            (b"/LM/W3SVC/1", None),
            (b"", None),
        ];
        for (path, expected) in table {
            assert_eq!(application_path(path), expected);
        }
    }

    #[test]
    fn what_does_not_apply_is_dropped() {
        for (name, value, dropped) in [
            ("REMOTE_USER", "", true),
            ("REMOTE_USER", "me", false),
            ("CONTENT_LENGTH", "", true),
            ("CONTENT_LENGTH", "0", false),
            ("HTTP_CONTENT_LENGTH", "3", true),
            ("HTTP_PROXY", "x", true),
            ("HTTP_PROXY_X", "x", false),
            ("QUERY_STRING", "", false),
        ] {
            assert_eq!(
                is_dropped(name.as_bytes(), value.as_bytes()),
                dropped,
                "{name}={value}"
            );
        }
    }

    #[test]
    fn queries_and_targets() {
        assert_eq!(query(b"/a?b?c"), b"b?c");
        assert_eq!(query(b"/a"), b"");
        assert_eq!(raw_path(b"*"), b"*");
        assert_eq!(raw_path(b"https://h?x"), b"/");
    }
}
