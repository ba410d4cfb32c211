//! Status and headers of a response, as CGI carries them (RFC 3875, section 6).

use std::fmt::Write as _;

/// Status and headers of a response.
///
/// ```
/// use fcgi_gateway::Head;
///
/// let head = Head::new("200 OK").header("Content-Type", "text/plain");
/// assert!(head.check().is_ok());
/// assert!(Head::new("200 OK").header("Location", "/\r\nSet-Cookie: a=b").check().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Three digits, a space and a reason phrase: `404 Not Found`.
    pub status: String,
    /// Names and values in the order to send them; each character is one octet of ISO 8859-1.
    pub headers: Vec<(String, String)>,
}

/// Why a head cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadFault {
    /// The status is not three digits, a space and a reason phrase.
    #[error(
        "the status {found:?} is not three digits, a space and a reason phrase, such as \"200 OK\""
    )]
    Status {
        /// What it is.
        found: String,
    },
    /// A header's name is not one.
    #[error("the header name {found:?} is not made of letters, digits and the signs of a token")]
    Name {
        /// What it is.
        found: String,
    },
    /// A header's value holds a control character, which could forge another header.
    #[error("the value of the header `{name}` holds the control character {found:?}")]
    Control {
        /// The header.
        name: String,
        /// The character.
        found: char,
    },
    /// A character that is not in ISO 8859-1.
    #[error(
        "the value of the header `{name}` holds {found:?}, which is not in ISO 8859-1; encode it, for example as RFC 8187 says"
    )]
    NotLatin1 {
        /// The header.
        name: String,
        /// The character.
        found: char,
    },
    /// A header between one HTTP participant and the next, which is the Web server's.
    #[error("the header `{name}` is hop-by-hop and belongs to the Web server")]
    HopByHop {
        /// The header.
        name: String,
    },
    /// A header that is no header: CGI says the status by it.
    #[error("the header `Status` is not allowed, as the status is given by itself")]
    StatusHeader,
    /// A length that is no number.
    #[error("the Content-Length {found:?} is not a number of octets")]
    ContentLength {
        /// What it is.
        found: String,
    },
}

/// RFC 2616, section 13.5.1, which PEP 3333 refers to.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

impl Head {
    /// A head without headers.
    #[must_use]
    pub fn new(status: impl Into<String>) -> Self {
        Self {
            status: status.into(),
            headers: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The status code. 0 where the status is malformed.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.status
            .get(..3)
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(0)
    }

    /// Whether a response with this status has no body (RFC 9110, section 6.4.1).
    #[must_use]
    pub fn is_bodiless(&self) -> bool {
        matches!(self.code(), 100..=199 | 204 | 304)
    }

    /// The length that the headers announce.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.value("content-length")
            .and_then(|value| value.trim().parse().ok())
    }

    /// The value of the first header of that name, whatever the case of its letters.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Checks everything that PEP 3333 has a server check ("Servers should check for errors in the headers at the time
    /// `start_response` is called"), and above all that nobody can smuggle a header in.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), HeadFault> {
        check_status(&self.status)?;
        self.headers
            .iter()
            .try_for_each(|(name, value)| check_header(name, value))
    }

    /// Appends the octets: `Status` first, but behind any `Location`; an empty line last.
    ///
    /// HAProxy takes a `Location` behind the status for a redirection with 302, whatever the status was; the order is free
    /// otherwise (RFC 3875, section 6.3).
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut line = |name: &str, value: &str| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            if value.is_ascii() {
                out.extend_from_slice(value.as_bytes());
            } else {
                // check() has seen to it that every character is one octet.
                out.extend(value.chars().map(|c| u8::try_from(c).unwrap_or(b'?')));
            }
            out.extend_from_slice(b"\r\n");
        };
        let is_location = |name: &str| name.eq_ignore_ascii_case("location");
        for (name, value) in self.headers.iter().filter(|(name, _)| is_location(name)) {
            line(name, value);
        }
        line("Status", &self.status);
        for (name, value) in self.headers.iter().filter(|(name, _)| !is_location(name)) {
            line(name, value);
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn check_status(status: &str) -> Result<(), HeadFault> {
    let octets = status.as_bytes();
    let is_code = octets.len() >= 4
        && octets[..3].iter().all(u8::is_ascii_digit)
        && octets[0] != b'0'
        && octets[3] == b' ';
    if !is_code {
        return Err(HeadFault::Status {
            found: status.to_owned(),
        });
    }
    check_value("Status", status)
}

fn check_header(name: &str, value: &str) -> Result<(), HeadFault> {
    let is_token = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(HeadFault::Name {
            found: name.to_owned(),
        });
    }
    if name.eq_ignore_ascii_case("status") {
        return Err(HeadFault::StatusHeader);
    }
    if HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop)) {
        return Err(HeadFault::HopByHop {
            name: name.to_owned(),
        });
    }
    if name.eq_ignore_ascii_case("content-length") && value.trim().parse::<u64>().is_err() {
        return Err(HeadFault::ContentLength {
            found: value.to_owned(),
        });
    }
    check_value(name, value)
}

fn check_value(name: &str, value: &str) -> Result<(), HeadFault> {
    if value.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return Ok(());
    }
    for found in value.chars() {
        let name = || name.to_owned();
        match u32::from(found) {
            // PEP 3333: "must not include any control characters". Tab is one too.
            0..0x20 | 0x7f => {
                return Err(HeadFault::Control {
                    name: name(),
                    found,
                });
            }
            0x100.. => {
                return Err(HeadFault::NotLatin1 {
                    name: name(),
                    found,
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The answer to a request that the application could not answer: it says nothing of the application's inside, only the
/// id by which its operator finds the traceback in the log.
pub(crate) fn error_page(status: &str, request_id: &str) -> (Head, String) {
    let mut page = String::new();
    let advice = if status.starts_with("503") {
        "There is too much to do at the moment. Come back in a second. Request id:"
    } else if status.starts_with('5') {
        "The application failed to answer. Its log tells why, under this request id:"
    } else {
        "The application does not take this request. Request id:"
    };
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{status}</title></head>\n<body>\n<h1>{status}</h1>\n\
         <p>{advice} <code>{request_id}</code></p>\n</body>\n</html>\n"
    );
    let mut head = Head::new(status)
        .header("Content-Type", "text/html; charset=utf-8")
        .header("Content-Length", page.len().to_string())
        .header("Cache-Control", "no-store")
        .header("X-Request-ID", request_id);
    if status.starts_with("503") {
        head = head.header("Retry-After", "1");
    }
    (head, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_is_a_status() {
        for status in ["200 OK", "404 Not Found", "299 ", "500 Größer"] {
            assert_eq!(Head::new(status).check(), Ok(()), "{status:?}");
        }
        for status in ["", "200", "OK", "2000 OK", "20x OK", "099 x", "200\tOK"] {
            let found = status.to_owned();
            assert_eq!(
                Head::new(status).check(),
                Err(HeadFault::Status { found }),
                "{status:?}"
            );
        }
        assert!(matches!(
            Head::new("200 OK\r\nX: y").check(),
            Err(HeadFault::Control { found: '\r', .. })
        ));
    }

    #[test]
    fn headers_are_checked() {
        // (name, value, the fault's message, which is empty for none)
        let table = [
            ("X-A", "b", ""),
            ("X-A", "", ""),
            ("X-A", "größe", ""),
            ("Content-Length", "12", ""),
            ("X-A", "a\nb", "control character '\\n'"),
            ("X-A", "a\0", "control character"),
            ("X-A", "a\tb", "control character"),
            ("X-A", "日", "ISO 8859-1"),
            ("X A", "b", "header name"),
            ("X-A:", "b", "header name"),
            ("", "b", "header name"),
            ("Größe", "b", "header name"),
            ("Status", "200", "`Status` is not allowed"),
            ("Connection", "close", "hop-by-hop"),
            ("transfer-encoding", "chunked", "hop-by-hop"),
            ("Content-Length", "-1", "Content-Length"),
            ("Content-Length", "1, 1", "Content-Length"),
        ];
        for (name, value, fault) in table {
            match Head::new("200 OK").header(name, value).check() {
                Ok(()) => assert_eq!(fault, "", "{name:?}: {value:?}"),
                Err(error) => assert!(
                    !fault.is_empty() && error.to_string().contains(fault),
                    "{name:?}: {value:?}: {error}"
                ),
            }
        }
    }

    #[test]
    fn the_octets_are_those_of_cgi() {
        let mut out = Vec::new();
        Head::new("201 Created")
            .header("X-A", "é")
            .header("x-a", "2")
            .write(&mut out);
        assert_eq!(out, b"Status: 201 Created\r\nX-A: \xe9\r\nx-a: 2\r\n\r\n");
        out.clear();
        Head::new("301 Moved Permanently")
            .header("X-A", "1")
            .header("location", "/b")
            .write(&mut out);
        assert_eq!(
            out,
            b"location: /b\r\nStatus: 301 Moved Permanently\r\nX-A: 1\r\n\r\n"
        );
    }

    #[test]
    fn some_statuses_have_no_body() {
        for (status, bodiless) in [
            ("200 OK", false),
            ("204 No Content", true),
            ("304 Not Modified", true),
            ("103 Early", true),
            ("205 Reset", false),
        ] {
            assert_eq!(Head::new(status).is_bodiless(), bodiless, "{status}");
        }
    }
}
