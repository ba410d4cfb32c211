//! One line for each request, in the formats of Apache's *mod_log_config* or as JSON.
//!
//! - `common`: the Common Log Format (`%h %l %u %t "%r" %>s %b`), and behind it the duration in microseconds (`%D`) and the
//!   request id.
//! - `combined`: the Combined Log Format, which has `Referer` and `User-agent` behind the common one, and behind them the same
//!   two.
//! - `json`: one object.
//!
//! Times are in UTC. As with Apache 2.4, quotation marks and backslashes are escaped with a backslash, and whatever is
//! neither printable ASCII nor a space as `\xhh`, so that no client can forge a line.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use fcgi_proto::Params;
use jiff::Timestamp;

use crate::application::RequestNumber;
use crate::log::LogFile;

/// How the lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessLogFormat {
    /// The Common Log Format, duration, request id.
    Common,
    /// The Combined Log Format, duration, request id.
    #[default]
    Combined,
    /// One JSON object.
    Json,
}

/// The access log.
#[derive(Debug)]
pub struct AccessLog {
    format: AccessLogFormat,
    file: LogFile,
}

/// A request that has been answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit<'v> {
    pub(crate) params: &'v Params,
    pub(crate) number: &'v RequestNumber,
    pub(crate) status: u16,
    /// Of the response's body.
    pub(crate) octets: u64,
    pub(crate) duration: Duration,
}

impl AccessLog {
    /// Writes lines of this format to `file`, each with one call to the operating system.
    #[must_use]
    pub const fn new(file: LogFile, format: AccessLogFormat) -> Self {
        Self { format, file }
    }

    /// Where they go.
    #[must_use]
    pub const fn file(&self) -> &LogFile {
        &self.file
    }

    pub(crate) fn write(&self, visit: &Visit<'_>) {
        let mut line = visit.line(self.format, Timestamp::now());
        line.push('\n');
        self.file.write(line.as_bytes());
    }
}

impl<'v> Visit<'v> {
    fn get(&self, name: &str) -> Option<&'v [u8]> {
        self.params
            .get(name.as_bytes())
            .filter(|value| !value.is_empty())
    }

    /// What the client has asked for, path and query.
    fn target(&self) -> Cow<'v, [u8]> {
        if let Some(target) = self.get("REQUEST_URI") {
            return target.into();
        }
        let mut target = self.get("SCRIPT_NAME").unwrap_or_default().to_vec();
        target.extend_from_slice(self.get("PATH_INFO").unwrap_or_default());
        if let Some(query) = self.get("QUERY_STRING") {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        target.into()
    }

    fn line(&self, format: AccessLogFormat, end: Timestamp) -> String {
        match format {
            AccessLogFormat::Common => self.common(end, false),
            AccessLogFormat::Combined => self.common(end, true),
            AccessLogFormat::Json => self.json(end),
        }
    }

    /// When the request began; Apache's `%t` is that, too.
    fn began(&self, end: Timestamp) -> Timestamp {
        end.checked_sub(self.duration).unwrap_or(end)
    }

    fn common(&self, end: Timestamp, combined: bool) -> String {
        let field = |name: &str| self.get(name).map_or_else(|| "-".to_owned(), escape);
        // %u and %h are not quoted: a space would make two fields of one.
        let word = |name: &str| field(name).replace(' ', "\\x20");
        let time = self.began(end).strftime("%d/%b/%Y:%H:%M:%S +0000");
        let mut line = format!(
            "{} - {} [{time}] \"{} {} {}\" {} ",
            word("REMOTE_ADDR"),
            word("REMOTE_USER"),
            field("REQUEST_METHOD"),
            escape(&self.target()),
            field("SERVER_PROTOCOL"),
            self.status,
        );
        // Writing to a String cannot fail.
        let _ = match self.octets {
            0 => write!(line, "-"),
            octets => write!(line, "{octets}"),
        };
        if combined {
            let _ = write!(
                line,
                " \"{}\" \"{}\"",
                field("HTTP_REFERER"),
                field("HTTP_USER_AGENT")
            );
        }
        let _ = write!(line, " {} {}", self.duration.as_micros(), self.number);
        line
    }

    fn json(&self, end: Timestamp) -> String {
        let text = |name: &str| self.get(name).map(String::from_utf8_lossy);
        serde_json::json!({
            "time": self.began(end).strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            "request": self.number.to_string(),
            "remote_addr": text("REMOTE_ADDR"),
            "remote_user": text("REMOTE_USER"),
            "method": text("REQUEST_METHOD"),
            "target": String::from_utf8_lossy(&self.target()),
            "protocol": text("SERVER_PROTOCOL"),
            "status": self.status,
            "octets": self.octets,
            "seconds": self.duration.as_secs_f64(),
            "referer": text("HTTP_REFERER"),
            "user_agent": text("HTTP_USER_AGENT"),
        })
        .to_string()
    }
}

/// A value as it may stand between quotation marks.
fn escape(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for octet in value {
        match octet {
            b'"' | b'\\' => text.extend(['\\', char::from(*octet)]),
            b' '..=b'~' => text.push(char::from(*octet)),
            octet => {
                let _ = write!(text, "\\x{octet:02x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(pairs: &[(&str, &str)], format: AccessLogFormat) -> String {
        let params = Params::from_pairs(pairs.iter().copied()).unwrap();
        let number = RequestNumber::next();
        let visit = Visit {
            params: &params,
            number: &number,
            status: 200,
            octets: 2326,
            duration: Duration::from_micros(1500),
        };
        let end: Timestamp = "2000-10-10T20:55:36.001500Z".parse().unwrap();
        visit
            .line(format, end)
            .replace(&number.to_string(), "NUMBER")
    }

    const FULL: &[(&str, &str)] = &[
        ("REMOTE_ADDR", "127.0.0.1"),
        ("REMOTE_USER", "frank"),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", "/apache_pb.gif?x=y"),
        ("SERVER_PROTOCOL", "HTTP/1.0"),
        ("HTTP_REFERER", "http://www.example.com/start.html"),
        ("HTTP_USER_AGENT", "Mozilla/4.08 \"x\""),
    ];

    #[test]
    fn the_formats_are_apaches_with_duration_and_id() {
        let common = "127.0.0.1 - frank [10/Oct/2000:20:55:36 +0000] \"GET /apache_pb.gif?x=y HTTP/1.0\" 200 2326";
        assert_eq!(
            line(FULL, AccessLogFormat::Common),
            format!("{common} 1500 NUMBER")
        );
        assert_eq!(
            line(FULL, AccessLogFormat::Combined),
            format!(
                "{common} \"http://www.example.com/start.html\" \"Mozilla/4.08 \\\"x\\\"\" 1500 NUMBER"
            )
        );
        let found: serde_json::Value =
            serde_json::from_str(&line(FULL, AccessLogFormat::Json)).unwrap();
        assert_eq!(
            found,
            serde_json::json!({
                "time": "2000-10-10T20:55:36.000000Z", "request": "NUMBER", "remote_addr": "127.0.0.1",
                "remote_user": "frank", "method": "GET", "target": "/apache_pb.gif?x=y", "protocol": "HTTP/1.0",
                "status": 200, "octets": 2326, "seconds": 0.0015, "referer": "http://www.example.com/start.html",
                "user_agent": "Mozilla/4.08 \"x\""
            })
        );
    }

    #[test]
    fn what_is_missing_is_a_hyphen() {
        let path = [
            ("SCRIPT_NAME", "/app"),
            ("PATH_INFO", "/p"),
            ("QUERY_STRING", "q"),
        ];
        assert_eq!(
            line(&path, AccessLogFormat::Combined),
            "- - - [10/Oct/2000:20:55:36 +0000] \"- /app/p?q -\" 200 2326 \"-\" \"-\" 1500 NUMBER"
        );
    }

    #[test]
    fn no_client_can_forge_a_line_or_a_field() {
        let pairs = [
            ("REMOTE_USER", "a b\n"),
            ("REQUEST_URI", "/\r\n\" 200"),
            ("HTTP_USER_AGENT", "é\\\u{1b}[31m"),
        ];
        for format in [
            AccessLogFormat::Common,
            AccessLogFormat::Combined,
            AccessLogFormat::Json,
        ] {
            let line = line(&pairs, format);
            assert!(!line.contains(['\n', '\r', '\u{1b}']), "{line}");
        }
        let combined = line(&pairs, AccessLogFormat::Combined);
        assert!(combined.contains(" a\\x20b\\x0a "), "{combined}");
        assert!(combined.contains("/\\x0d\\x0a\\\" 200"), "{combined}");
        assert!(
            combined.contains("\"\\xc3\\xa9\\\\\\x1b[31m\""),
            "{combined}"
        );
    }
}
