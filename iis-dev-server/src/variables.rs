//! The FastCGI parameters that IIS sends with a request.
//!
//! *IIS Server Variables* <https://learn.microsoft.com/iis/web-dev-reference/server-variables>, and what PHP and Python
//! users show of them in public problem reports. In particular:
//!
//! - `PATH_INFO` repeats `SCRIPT_NAME`, and both are the URL path from the *site's* root, in a sub-application too
//!   (PTVS issue 1029; CPython's documentation of `wsgiref.handlers.IISCGIHandler`). With `allowPathInfo="true"` on the
//!   handler, `PATH_INFO` is what follows the script's name: nothing where the handler's path is `*`.
//! - `APPL_MD_PATH` tells where the application is mounted (`/LM/W3SVC/1/ROOT/app`), `APPL_PHYSICAL_PATH` in which
//!   folder it is, with a separator at its end.
//! - `REQUEST_URI` is the path and query as sent; `SCRIPT_NAME`, `PATH_INFO` and `URL` are decoded. IIS converts them
//!   to the system's ANSI code page unless told otherwise (`FastCGIUtf8ServerVariables`); here they are UTF-8.
//! - `CONTENT_LENGTH` is `0` where there is no body, `CONTENT_TYPE` is empty.
//! - `REMOTE_USER`, `AUTH_TYPE` and their like are sent empty for an anonymous client.
//! - `ALL_HTTP`, `ALL_RAW`, `SERVER_ADDR` and `HTTP_URL` are *not* sent.
//!
//! Left out: variables of certificates (there is no TLS here) and of URL Rewrite. `SERVER_SOFTWARE` is this server's.

use std::net::SocketAddr;

use hyper::header::{self, HeaderMap, HeaderName};

use crate::target::Target;

/// The name and version that go into `SERVER_SOFTWARE` and the `Server` field.
pub(crate) const SERVER_SOFTWARE: &str = concat!("iiswsgi-dev/", env!("CARGO_PKG_VERSION"));

/// The separator of this system's paths, with which `APPL_PHYSICAL_PATH` ends.
const SEPARATOR: char = if cfg!(windows) { '\\' } else { '/' };

/// What the parameters are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) method: &'a str,
    /// `HTTP/1.1`.
    pub(crate) protocol: &'a str,
    pub(crate) target: &'a Target,
    pub(crate) headers: &'a HeaderMap,
    /// Octets of the body.
    pub(crate) content_length: u64,
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
    /// `id` of the site.
    pub(crate) site_id: u32,
    /// The application's path in the site: `/` or `/name`.
    pub(crate) application_path: &'a str,
    /// The application's folder.
    pub(crate) application_root: &'a str,
    /// The folder of the site's root application.
    pub(crate) document_root: &'a str,
    /// What the whole path would be in the file system.
    pub(crate) path_translated: &'a str,
    /// What the script's name would be there.
    pub(crate) script_filename: &'a str,
    /// Octets of the path, from the site's root, that name the script.
    pub(crate) script_len: usize,
    /// `allowPathInfo` of the handler.
    pub(crate) allow_path_info: bool,
}

/// The parameters, in IIS's spelling.
pub(crate) fn variables(facts: &Facts<'_>) -> Vec<(String, Vec<u8>)> {
    let path = &facts.target.path;
    let (script_name, rest) = path
        .split_at_checked(facts.script_len)
        .unwrap_or((path, b""));
    let path_info = if facts.allow_path_info { rest } else { path };
    let path_translated = if facts.allow_path_info && rest.is_empty() {
        facts.document_root
    } else {
        facts.path_translated
    };
    let instance_meta_path = format!("/LM/W3SVC/{}", facts.site_id);
    let mount = facts.application_path.trim_end_matches('/');
    let application_root = facts.application_root.trim_end_matches(['/', '\\']);
    let document_root = match facts.document_root.trim_end_matches(['/', '\\']) {
        "" => facts.document_root,
        trimmed => trimmed,
    };
    let server_name = host_name(facts.headers).unwrap_or_else(|| facts.local.ip().to_string());
    let content_type = facts
        .headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.as_bytes())
        .unwrap_or_default();
    let remote_address = facts.remote.ip().to_string();

    let mut list: Vec<(String, Vec<u8>)> = Vec::with_capacity(48 + facts.headers.len());
    let mut add = |name: &str, value: &[u8]| list.push((name.to_owned(), value.to_vec()));
    add(
        "APPL_MD_PATH",
        format!("{instance_meta_path}/ROOT{mount}").as_bytes(),
    );
    add(
        "APPL_PHYSICAL_PATH",
        format!("{application_root}{SEPARATOR}").as_bytes(),
    );
    for name in ["AUTH_TYPE", "AUTH_USER", "AUTH_PASSWORD"] {
        add(name, b"");
    }
    add(
        "CONTENT_LENGTH",
        facts.content_length.to_string().as_bytes(),
    );
    add("CONTENT_TYPE", content_type);
    add("DOCUMENT_ROOT", document_root.as_bytes());
    add("GATEWAY_INTERFACE", b"CGI/1.1");
    add("HTTPS", b"off");
    add("INSTANCE_ID", facts.site_id.to_string().as_bytes());
    add("INSTANCE_META_PATH", instance_meta_path.as_bytes());
    add("LOCAL_ADDR", facts.local.ip().to_string().as_bytes());
    add("LOGON_USER", b"");
    add("PATH_INFO", path_info);
    add("PATH_TRANSLATED", path_translated.as_bytes());
    add("QUERY_STRING", facts.target.query.as_bytes());
    add("REMOTE_ADDR", remote_address.as_bytes());
    add("REMOTE_HOST", remote_address.as_bytes());
    add("REMOTE_PORT", facts.remote.port().to_string().as_bytes());
    add("REMOTE_USER", b"");
    add("REQUEST_METHOD", facts.method.as_bytes());
    add("REQUEST_URI", facts.target.raw.as_bytes());
    add("SCRIPT_FILENAME", facts.script_filename.as_bytes());
    add("SCRIPT_NAME", script_name);
    add("SERVER_NAME", server_name.as_bytes());
    add("SERVER_PORT", facts.local.port().to_string().as_bytes());
    add("SERVER_PORT_SECURE", b"0");
    add("SERVER_PROTOCOL", facts.protocol.as_bytes());
    add("SERVER_SOFTWARE", SERVER_SOFTWARE.as_bytes());
    add("URL", path);
    add_headers(facts.headers, &mut list);
    list
}

/// `HTTP_*`: each field once, values of repeated fields joined as HTTP allows it.
fn add_headers(headers: &HeaderMap, list: &mut Vec<(String, Vec<u8>)>) {
    for name in headers.keys() {
        let separator: &[u8] = if name == header::COOKIE { b"; " } else { b", " };
        let mut value = Vec::new();
        for (index, one) in headers.get_all(name).iter().enumerate() {
            if index > 0 {
                value.extend_from_slice(separator);
            }
            value.extend_from_slice(one.as_bytes());
        }
        list.push((variable_name(name), value));
    }
}

/// `Accept-Language` → `HTTP_ACCEPT_LANGUAGE` (RFC 3875, section 4.1.18).
fn variable_name(name: &HeaderName) -> String {
    let mut variable = String::from("HTTP_");
    variable.extend(name.as_str().chars().map(|c| {
        if c == '-' {
            '_'
        } else {
            c.to_ascii_uppercase()
        }
    }));
    variable
}

/// `Host` without the port.
fn host_name(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let name = match host.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => host,
    };
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(target: &'a Target, headers: &'a HeaderMap) -> Facts<'a> {
        Facts {
            method: "GET",
            protocol: "HTTP/1.1",
            target,
            headers,
            content_length: 0,
            remote: ([127, 0, 0, 1], 50_000).into(),
            local: ([127, 0, 0, 1], 8080).into(),
            site_id: 3,
            application_path: "/",
            application_root: "/srv/site",
            document_root: "/srv/site",
            path_translated: "/srv/site/x",
            script_filename: "/srv/site/x",
            script_len: target.path.len(),
            allow_path_info: false,
        }
    }

    fn check(list: &[(String, Vec<u8>)], expected: &[(&str, &[u8])]) {
        for (name, value) in expected {
            let found = list.iter().find(|(other, _)| other == name);
            let found = found.map(|(_, value)| String::from_utf8_lossy(value));
            assert_eq!(
                found.as_deref(),
                Some(&*String::from_utf8_lossy(value)),
                "{name}"
            );
        }
    }

    #[test]
    fn a_plain_request() {
        let target = Target::parse("/caf%C3%A9/x?q=%C3%A9+1").unwrap();
        let headers = HeaderMap::new();
        let list = variables(&facts(&target, &headers));
        let path = "/café/x".as_bytes();
        check(
            &list,
            &[
                ("SCRIPT_NAME", path),
                ("PATH_INFO", path),
                ("URL", path),
                ("REQUEST_URI", b"/caf%C3%A9/x?q=%C3%A9+1"),
                ("QUERY_STRING", b"q=%C3%A9+1"),
                ("CONTENT_LENGTH", b"0"),
                ("CONTENT_TYPE", b""),
                ("REMOTE_USER", b""),
                ("APPL_MD_PATH", b"/LM/W3SVC/3/ROOT"),
                (
                    "APPL_PHYSICAL_PATH",
                    format!("/srv/site{SEPARATOR}").as_bytes(),
                ),
                ("DOCUMENT_ROOT", b"/srv/site"),
                ("SERVER_NAME", b"127.0.0.1"),
                ("SERVER_PORT", b"8080"),
                ("INSTANCE_ID", b"3"),
                ("HTTPS", b"off"),
            ],
        );
        for absent in ["ALL_HTTP", "ALL_RAW", "SERVER_ADDR", "HTTP_URL"] {
            assert!(!list.iter().any(|(name, _)| name == absent), "{absent}");
        }
    }

    #[test]
    fn path_info_is_the_rest_only_where_the_handler_allows_it() {
        let target = Target::parse("/app/index.py/news").unwrap();
        let headers = HeaderMap::new();
        let base = Facts {
            script_len: "/app/index.py".len(),
            ..facts(&target, &headers)
        };
        let list = variables(&base);
        check(
            &list,
            &[
                ("SCRIPT_NAME", b"/app/index.py"),
                ("PATH_INFO", b"/app/index.py/news"),
            ],
        );
        let list = variables(&Facts {
            allow_path_info: true,
            ..base
        });
        check(
            &list,
            &[("SCRIPT_NAME", b"/app/index.py"), ("PATH_INFO", b"/news")],
        );
        let whole = target.path.len();
        let list = variables(&Facts {
            allow_path_info: true,
            script_len: whole,
            ..base
        });
        check(
            &list,
            &[("SCRIPT_NAME", b"/app/index.py/news"), ("PATH_INFO", b"")],
        );
    }

    #[test]
    fn a_sub_application_has_its_own_folder_and_metabase_path() {
        let target = Target::parse("/app/x").unwrap();
        let headers = HeaderMap::new();
        let list = variables(&Facts {
            application_path: "/app",
            application_root: "/srv/app/",
            ..facts(&target, &headers)
        });
        check(
            &list,
            &[
                ("APPL_MD_PATH", b"/LM/W3SVC/3/ROOT/app"),
                (
                    "APPL_PHYSICAL_PATH",
                    format!("/srv/app{SEPARATOR}").as_bytes(),
                ),
                ("DOCUMENT_ROOT", b"/srv/site"),
                ("SCRIPT_NAME", b"/app/x"),
                ("PATH_INFO", b"/app/x"),
            ],
        );
    }

    #[test]
    fn headers_become_variables() {
        let target = Target::parse("/").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "example.com:8080".parse().unwrap());
        headers.append(header::ACCEPT, "a".parse().unwrap());
        headers.append(header::ACCEPT, "b".parse().unwrap());
        headers.append(header::COOKIE, "c=1".parse().unwrap());
        headers.append(header::COOKIE, "d=2".parse().unwrap());
        headers.insert(
            "x-octets",
            header::HeaderValue::from_bytes(b"\xe9").unwrap(),
        );
        headers.insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
        let list = variables(&facts(&target, &headers));
        check(
            &list,
            &[
                ("HTTP_HOST", b"example.com:8080"),
                ("SERVER_NAME", b"example.com"),
                ("HTTP_ACCEPT", b"a, b"),
                ("HTTP_COOKIE", b"c=1; d=2"),
                ("HTTP_X_OCTETS", b"\xe9"),
                ("CONTENT_TYPE", b"text/plain"),
            ],
        );
    }

    #[test]
    fn the_host_is_cut_at_its_port() {
        let table = [
            ("localhost", Some("localhost")),
            ("localhost:80", Some("localhost")),
            ("[::1]:80", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("", None),
        ];
        for (host, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            assert_eq!(host_name(&headers).as_deref(), expected, "{host}");
        }
    }
}
