//! What is served.

use fcgi_proto::web_server::{Config, Connection};
use fcgi_proto::{Limits, Role, application};

/// What the application answers.
pub static REPLY: [u8; 200] = *b"Content-Type: text/plain\r\n\r\n\
    It answers with two hundred octets, headers included, which is what a small answer of an application \
    programming interface takes. It answers with two hundred octets, header";

/// The variable that the application looks up: neither the first nor the last.
pub const LOOKED_UP: &str = "SCRIPT_NAME";

/// The variables of a browser's request, as IIS sends them.
const USUAL: [(&str, &str); 30] = [
    ("REQUEST_METHOD", "GET"),
    ("SCRIPT_NAME", "/application/handler.py"),
    ("PATH_INFO", "/application/catalogue/items/1996/04/29"),
    (
        "PATH_TRANSLATED",
        r"C:\inetpub\wwwroot\application\catalogue\items\1996\04\29",
    ),
    ("QUERY_STRING", "order=ascending&page=3&language=en"),
    (
        "REQUEST_URI",
        "/application/catalogue/items/1996/04/29?order=ascending&page=3&language=en",
    ),
    ("CONTENT_LENGTH", "0"),
    ("CONTENT_TYPE", ""),
    ("SERVER_NAME", "www.example.com"),
    ("SERVER_PORT", "443"),
    ("SERVER_PROTOCOL", "HTTP/1.1"),
    ("SERVER_SOFTWARE", "Microsoft-IIS/10.0"),
    ("GATEWAY_INTERFACE", "CGI/1.1"),
    ("REMOTE_ADDR", "203.0.113.77"),
    ("REMOTE_HOST", "203.0.113.77"),
    ("REMOTE_PORT", "51324"),
    ("REMOTE_USER", ""),
    ("AUTH_TYPE", ""),
    ("HTTPS", "on"),
    ("INSTANCE_ID", "1"),
    ("APPL_PHYSICAL_PATH", r"C:\inetpub\wwwroot\application\"),
    ("DOCUMENT_ROOT", r"C:\inetpub\wwwroot"),
    (
        "SCRIPT_FILENAME",
        r"C:\inetpub\wwwroot\application\handler.py",
    ),
    ("HTTP_HOST", "www.example.com"),
    ("HTTP_CONNECTION", "keep-alive"),
    (
        "HTTP_ACCEPT",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    ),
    ("HTTP_ACCEPT_ENCODING", "gzip, deflate, br, zstd"),
    ("HTTP_ACCEPT_LANGUAGE", "en-GB,en;q=0.8,de;q=0.6"),
    (
        "HTTP_USER_AGENT",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    (
        "HTTP_COOKIE",
        "session=3f786850e387550fdab836ed7e6dc881de23001b; consent=necessary; theme=dark; seen=42",
    ),
];

/// This many variables: the usual ones first, then more of the same kind.
#[must_use]
pub fn variables(count: usize) -> Vec<(String, String)> {
    let usual = USUAL
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let more = (0..).map(|n| {
        (
            format!("HTTP_X_VARIABLE_{n:05}"),
            format!("value {n:05} of many"),
        )
    });
    usual.chain(more).take(count).collect()
}

/// A request as it comes over a connection.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its octets.
    pub octets: Vec<u8>,
}

impl Request {
    /// A request with this many variables and a body of this many octets, in records as long as possible.
    #[must_use]
    pub fn new(variables_count: usize, body_len: usize) -> Self {
        let mut octets = Vec::new();
        let mut conn = Connection::new(Config::default(), Limits::default());
        let written = conn
            .begin(Role::RESPONDER, true, &mut octets)
            .and_then(|id| {
                conn.params(id, variables(variables_count), &mut octets)?;
                conn.stdin(id, &vec![b'b'; body_len], &mut octets)?;
                conn.stdin_end(id, &mut octets)
            });
        assert_eq!(written, Ok(()));
        Self { octets }
    }
}

/// The response as it comes over a connection.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its octets.
    pub octets: Vec<u8>,
}

impl Response {
    /// The response with [`REPLY`].
    #[must_use]
    pub fn new() -> Self {
        let request = Request::new(30, 0);
        let mut octets = Vec::new();
        let mut conn =
            application::Connection::new(application::Config::default(), Limits::default());
        let mut input = &request.octets[..];
        while let Ok(Some(event)) = conn.handle_input(&mut input) {
            if let application::Event::StdinEnd { id } = event {
                let written = conn.stdout(id, &REPLY, &mut octets);
                assert_eq!(written, Ok(()));
                let _ = conn.end_request(id, 0, &mut octets);
            }
        }
        Self { octets }
    }
}

impl Default for Response {
    fn default() -> Self {
        Self::new()
    }
}
