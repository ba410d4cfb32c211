//! The head of a CGI response: what a FastCGI application writes to `FCGI_STDOUT` before the body.
//!
//! *The Common Gateway Interface (CGI) Version 1.1*, RFC 3875, section 6 <https://www.rfc-editor.org/rfc/rfc3875#section-6>,
//! and *FastCGI Specification*, section 6.2. Lines may end in LF or CR LF. Left out: the "local redirect" of section
//! 6.2.2 (a `Location` of a bare path answered by another request inside the server); it becomes a 302 to the client,
//! so that what a browser shows is what the application said.

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// Octets of a head at most. A page of cookies is 4 KiB; hyper and http.sys both stop near 16 KiB a header.
const HEAD_LEN_MAX: usize = 64 * 1024;

/// Octets of a faulty line that a message repeats.
const EXCERPT_LEN_MAX: usize = 120;

/// Fields that belong to one connection (RFC 9110, 7.6.1): the server in front sets its own.
const HOP_BY_HOP: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The head of a response, ready for HTTP.
#[derive(Clone, Debug)]
pub(crate) struct ResponseHead {
    /// From `Status`, else 302 where there is a `Location`, else 200.
    pub(crate) status: StatusCode,
    /// The words behind the number in `Status`, where there are any.
    pub(crate) reason: Option<Vec<u8>>,
    /// All fields but `Status` and those of one connection.
    pub(crate) headers: HeaderMap,
    /// The names of the fields that were left out.
    pub(crate) dropped: Vec<String>,
}

impl ResponseHead {
    /// The `Content-Length` that the application gave.
    pub(crate) fn content_length(&self) -> Option<u64> {
        let value = self.headers.get(hyper::header::CONTENT_LENGTH)?;
        value.to_str().ok()?.parse().ok()
    }
}

/// Why a head is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadFault {
    #[error("it ended its answer before the blank line that ends the headers, after {len} octets")]
    Incomplete { len: usize },
    #[error("it wrote nothing at all and ended the request")]
    Empty,
    #[error(
        "its headers are longer than {HEAD_LEN_MAX} octets, or the blank line that ends them is missing"
    )]
    TooLong,
    #[error("line {line} of its headers has no colon: `{text}`")]
    NoColon { line: usize, text: String },
    #[error(
        "its first line is `{text}`: that is an HTTP status line, and CGI wants `Status: 200 OK`"
    )]
    StatusLine { text: String },
    #[error("line {line} of its headers has a name that HTTP does not allow: `{text}`")]
    BadName { line: usize, text: String },
    #[error("line {line} of its headers has a value with control characters: `{text}`")]
    BadValue { line: usize, text: String },
    #[error("its status `{text}` is not a number from 100 to 999")]
    BadStatus { text: String },
    #[error("its Content-Length `{text}` is not a number of octets")]
    BadContentLength { text: String },
    #[error("it gives `{name}` twice")]
    Twice { name: &'static str },
    #[error("its status {status} is interim; a CGI response has one final status")]
    Interim { status: u16 },
}

/// Gathers the octets of a head until it is complete.
#[derive(Debug, Default)]
pub(crate) struct HeadParser {
    octets: Vec<u8>,
    /// Up to here no blank line ends.
    searched: usize,
}

/// What [`HeadParser::push`] made of the octets.
#[derive(Debug)]
pub(crate) enum Pushed {
    /// The head goes on.
    Incomplete,
    /// The head, and the octets of the body that came with it.
    Complete(Box<ResponseHead>, Vec<u8>),
}

impl HeadParser {
    /// Takes the next octets of `FCGI_STDOUT`.
    pub(crate) fn push(&mut self, data: &[u8]) -> Result<Pushed, HeadFault> {
        self.octets.extend_from_slice(data);
        let Some(end) = self.end() else {
            return if self.octets.len() > HEAD_LEN_MAX {
                Err(self.early_fault().unwrap_or(HeadFault::TooLong))
            } else {
                Ok(Pushed::Incomplete)
            };
        };
        if end > HEAD_LEN_MAX {
            return Err(HeadFault::TooLong);
        }
        let body = self.octets.split_off(end);
        let head = parse(&self.octets)?;
        Ok(Pushed::Complete(Box::new(head), body))
    }

    /// The fault of a response that ended before its head did.
    pub(crate) fn ended(&self) -> HeadFault {
        if self.octets.is_empty() {
            return HeadFault::Empty;
        }
        self.early_fault().unwrap_or(HeadFault::Incomplete {
            len: self.octets.len(),
        })
    }

    /// The beginning of what was written, for a message.
    pub(crate) fn excerpt(&self) -> String {
        excerpt(&self.octets)
    }

    /// The end of the blank line, if it is there.
    fn end(&mut self) -> Option<usize> {
        // An answer without any header begins with the blank line.
        if self.octets.starts_with(b"\n") {
            return Some(1);
        }
        if self.octets.starts_with(b"\r\n") {
            return Some(2);
        }
        let from = self.searched.saturating_sub(3);
        let found = self
            .octets
            .get(from..)?
            .iter()
            .enumerate()
            .find_map(|(i, &octet)| {
                if octet != b'\n' {
                    return None;
                }
                let rest = self.octets.get(from + i + 1..)?;
                match rest {
                    [b'\n', ..] => Some(from + i + 2),
                    [b'\r', b'\n', ..] => Some(from + i + 3),
                    _ => None,
                }
            });
        self.searched = self.octets.len();
        found
    }

    /// The fault of the lines that are complete: it says more than that the blank line is missing.
    fn early_fault(&self) -> Option<HeadFault> {
        let lines_end = self.octets.iter().rposition(|&octet| octet == b'\n');
        let lines = self.octets.get(..lines_end.unwrap_or(self.octets.len()))?;
        parse(lines).err()
    }
}

fn parse(octets: &[u8]) -> Result<ResponseHead, HeadFault> {
    let mut head = ResponseHead {
        status: StatusCode::OK,
        reason: None,
        headers: HeaderMap::new(),
        dropped: Vec::new(),
    };
    let mut status_given = false;
    for (index, line) in octets.split(|&octet| octet == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let number = index + 1;
        let Some(colon) = line.iter().position(|&octet| octet == b':') else {
            return Err(if index == 0 && line.starts_with(b"HTTP/") {
                HeadFault::StatusLine {
                    text: excerpt(line),
                }
            } else {
                HeadFault::NoColon {
                    line: number,
                    text: excerpt(line),
                }
            });
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let header_name = HeaderName::from_bytes(name).map_err(|_| HeadFault::BadName {
            line: number,
            text: excerpt(line),
        })?;
        let header_value = HeaderValue::from_bytes(value).map_err(|_| HeadFault::BadValue {
            line: number,
            text: excerpt(line),
        })?;
        match header_name.as_str() {
            "status" => {
                if status_given {
                    return Err(HeadFault::Twice { name: "Status" });
                }
                status_given = true;
                (head.status, head.reason) = parse_status(value)?;
            }
            "content-length" => {
                let text = header_value.to_str().unwrap_or_default();
                if text.is_empty()
                    || !text.bytes().all(|octet| octet.is_ascii_digit())
                    || text.parse::<u64>().is_err()
                {
                    return Err(HeadFault::BadContentLength {
                        text: excerpt(value),
                    });
                }
                if let Some(before) = head.headers.insert(header_name, header_value.clone())
                    && before != header_value
                {
                    return Err(HeadFault::Twice {
                        name: "Content-Length",
                    });
                }
            }
            name if HOP_BY_HOP.contains(&name) => head.dropped.push(name.to_owned()),
            _ => {
                head.headers.append(header_name, header_value);
            }
        }
    }
    if !status_given && head.headers.contains_key(hyper::header::LOCATION) {
        head.status = StatusCode::FOUND;
    }
    if head.status.is_informational() {
        return Err(HeadFault::Interim {
            status: head.status.as_u16(),
        });
    }
    Ok(head)
}

fn parse_status(value: &[u8]) -> Result<(StatusCode, Option<Vec<u8>>), HeadFault> {
    let fault = || HeadFault::BadStatus {
        text: excerpt(value),
    };
    let (digits, reason) = value.split_at_checked(3).ok_or_else(fault)?;
    let status = StatusCode::from_bytes(digits).map_err(|_| fault())?;
    if !matches!(reason, [] | [b' ', ..]) {
        return Err(fault());
    }
    let reason = reason.trim_ascii();
    Ok((status, (!reason.is_empty()).then(|| reason.to_vec())))
}

/// Octets as text for a message: control characters escaped, cut to a length that fits a line.
pub(crate) fn excerpt(octets: &[u8]) -> String {
    let cut = octets.get(..EXCERPT_LEN_MAX).unwrap_or(octets);
    let mut text = String::from_utf8_lossy(cut).escape_debug().to_string();
    if octets.len() > cut.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(octets: &[u8]) -> (ResponseHead, Vec<u8>) {
        match HeadParser::default().push(octets) {
            Ok(Pushed::Complete(head, body)) => (*head, body),
            other => panic!("{octets:?}: {other:?}"),
        }
    }

    #[test]
    fn status_and_location_decide_the_status() {
        let table: [(&[u8], u16, Option<&str>); 7] = [
            (b"Content-Type: text/plain\n\n", 200, None),
            (b"\r\n", 200, None),
            (b"Status: 404 Not Found\r\n\r\n", 404, Some("Not Found")),
            (b"status:404\n\n", 404, None),
            (b"Location: http://example.com/\r\n\r\n", 302, None),
            (
                b"Status: 301 Moved\r\nLocation: /x\r\n\r\n",
                301,
                Some("Moved"),
            ),
            (b"Location: /x\r\nStatus: 201\r\n\r\n", 201, None),
        ];
        for (octets, status, reason) in table {
            let (head, body) = complete(octets);
            assert_eq!(head.status.as_u16(), status, "{octets:?}");
            assert_eq!(
                head.reason.as_deref(),
                reason.map(str::as_bytes),
                "{octets:?}"
            );
            assert!(body.is_empty());
            assert!(!head.headers.contains_key("status"));
        }
    }

    #[test]
    fn the_octets_behind_the_blank_line_are_the_body() {
        for line_end in ["\n", "\r\n"] {
            let text = format!("A: 1{line_end}A: 2{line_end}{line_end}\n\nbody");
            let (head, body) = complete(text.as_bytes());
            assert_eq!(body, b"\n\nbody");
            let values: Vec<_> = head.headers.get_all("a").iter().collect();
            assert_eq!(values, ["1", "2"]);
        }
    }

    #[test]
    fn every_cut_of_the_input_gives_the_same_head() {
        let text = b"Status: 201 Created\r\nContent-Length: 5\r\nX: y\r\n\r\nhello";
        for cut in 0..text.len() {
            let mut parser = HeadParser::default();
            let (first, second) = text.split_at(cut);
            let mut body = Vec::new();
            let mut head = None;
            for part in [first, second] {
                if head.is_some() {
                    body.extend_from_slice(part);
                    continue;
                }
                match parser.push(part).unwrap() {
                    Pushed::Incomplete => {}
                    Pushed::Complete(found, rest) => {
                        head = Some(found);
                        body.extend(rest);
                    }
                }
            }
            let head = head.unwrap();
            assert_eq!(head.status.as_u16(), 201);
            assert_eq!(head.content_length(), Some(5));
            assert_eq!(body, b"hello", "cut at {cut}");
        }
    }

    #[test]
    fn faults_name_the_line() {
        let long = [b"X: ".as_slice(), &[b'a'; HEAD_LEN_MAX]].concat();
        let table: [(&[u8], &str); 11] = [
            (b"HTTP/1.1 200 OK\r\n\r\n", "HTTP status line"),
            (
                b"A: b\nTraceback (most recent call last)\n\n",
                "line 2 of its headers has no colon",
            ),
            (b"A b: c\n\n", "line 1 of its headers has a name"),
            (b"A: \x01\n\n", "control characters"),
            (b"Status: abc\n\n", "`abc` is not a number"),
            (b"Status: 2000\n\n", "`2000` is not a number"),
            (b"Status: 20\n\n", "`20` is not a number"),
            (b"Status: 100 Continue\n\n", "interim"),
            (b"Content-Length: -1\n\n", "Content-Length `-1`"),
            (
                b"Content-Length: 1\nContent-Length: 2\n\n",
                "`Content-Length` twice",
            ),
            (&long, "longer than"),
        ];
        for (octets, expected) in table {
            let fault = HeadParser::default().push(octets).unwrap_err().to_string();
            assert!(fault.contains(expected), "{octets:?}: {fault}");
        }
    }

    #[test]
    fn an_answer_that_ends_early_is_explained_by_what_was_written() {
        let table: [(&[u8], &str); 3] = [
            (b"", "nothing at all"),
            (b"Content-Type: text/html\n", "before the blank line"),
            (b"no headers here\n", "no colon: `no headers here`"),
        ];
        for (octets, expected) in table {
            let mut parser = HeadParser::default();
            assert!(
                matches!(parser.push(octets), Ok(Pushed::Incomplete)),
                "{octets:?}"
            );
            let fault = parser.ended().to_string();
            assert!(fault.contains(expected), "{octets:?}: {fault}");
        }
    }

    #[test]
    fn fields_of_one_connection_are_left_out() {
        let (head, _) =
            complete(b"Connection: close\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n");
        assert_eq!(head.dropped, ["connection", "transfer-encoding"]);
        assert_eq!(head.headers.len(), 1);
    }

    /// The result for input in these pieces: status, headers and body, or the fault.
    fn outcome<'p>(
        pieces: impl Iterator<Item = &'p [u8]>,
    ) -> Result<(u16, HeaderMap, Vec<u8>), HeadFault> {
        let mut parser = HeadParser::default();
        let mut complete: Option<(u16, HeaderMap, Vec<u8>)> = None;
        for piece in pieces {
            if let Some((_, _, body)) = &mut complete {
                body.extend_from_slice(piece);
            } else if let Pushed::Complete(head, body) = parser.push(piece)? {
                complete = Some((head.status.as_u16(), head.headers, body));
            }
        }
        complete.ok_or_else(|| parser.ended())
    }

    proptest::proptest! {
        #[test]
        fn pieces_do_not_matter(
            text in "(Status: [0-9]{1,4}[ a-z]{0,3}|[A-Za-z-]{1,9}:[ -~]{0,9}|[ -~\\x00]{0,9}|\r?\n){0,8}",
            piece_len in 1..7_usize,
        ) {
            let whole = outcome(std::iter::once(text.as_bytes()));
            let pieces = outcome(text.as_bytes().chunks(piece_len));
            proptest::prop_assert_eq!(whole, pieces);
        }

        #[test]
        fn noise_is_no_panic(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            if let Ok((status, headers, _)) = outcome(std::iter::once(octets.as_slice())) {
                proptest::prop_assert!((200..1000).contains(&status));
                proptest::prop_assert!(!headers.contains_key("connection"));
            }
        }
    }
}
