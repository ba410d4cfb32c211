//! The records that answer one request, put together.

use std::time::{Duration, Instant};

use super::super::record::type_name;
use super::link::{Link, Received, Silence};
use super::trial::Not;

/// What came back for a request, up to its end.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) id: u16,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// Empty records of STDOUT.
    pub(super) stdout_ends: usize,
    /// Empty records of STDERR.
    pub(super) stderr_ends: usize,
    /// Whether a stream went on behind its end.
    pub(super) reopened: bool,
    /// appStatus and protocolStatus.
    pub(super) end: Option<(u32, u8)>,
    /// The body of `FCGI_END_REQUEST`.
    pub(super) end_body: Vec<u8>,
    /// Records that belong to something else.
    pub(super) others: Vec<Received>,
    /// Every record.
    pub(super) records: Vec<Received>,
    /// Why nothing more came, if there was no end.
    pub(super) silence: Option<Silence>,
}

impl Answer {
    /// Reads up to the end of the request `id`.
    pub(super) fn read(link: &mut Link, id: u16, limit: Duration) -> Self {
        let mut answer = Self {
            id,
            ..Self::default()
        };
        let deadline = Instant::now() + limit;
        while answer.end.is_none() {
            match link.next(deadline.saturating_duration_since(Instant::now())) {
                Ok(record) => answer.add(record),
                Err(silence) => {
                    answer.silence = Some(silence);
                    break;
                }
            }
        }
        answer
    }

    fn add(&mut self, record: Received) {
        self.records.push(record.clone());
        if record.id != self.id {
            self.others.push(record);
            return;
        }
        let empty = record.content.is_empty();
        match record.record_type {
            6 if empty => self.stdout_ends += 1,
            6 => {
                self.reopened |= self.stdout_ends > 0;
                self.stdout.extend(record.content);
            }
            7 if empty => self.stderr_ends += 1,
            7 => {
                self.reopened |= self.stderr_ends > 0;
                self.stderr.extend(record.content);
            }
            3 => {
                self.end = Some(record.end().unwrap_or((u32::MAX, u8::MAX)));
                self.end_body = record.content;
            }
            _ => self.others.push(record),
        }
    }

    /// It, if the request has ended with this protocol status.
    pub(super) fn with_status(self, expected: u8) -> Result<Self, Not> {
        match (&self.end, &self.silence) {
            (Some((_, found)), _) if *found == expected => Ok(self),
            (Some((_, found)), _) => Err(Not::holding(format!(
                "the request {} ended with protocolStatus {found}, not {expected}",
                self.id
            ))),
            (None, Some(silence)) => Err(Not::holding(format!(
                "the request {} did not end: {}",
                self.id,
                silence.describe()
            ))),
            (None, None) => Err(Not::holding("the request did not end")),
        }
    }

    /// It, if the request was served, and nothing else came.
    pub(super) fn complete(self) -> Result<Self, Not> {
        let answer = self.with_status(0)?;
        match answer.others.first() {
            None => Ok(answer),
            Some(other) => Err(Not::holding(format!(
                "a record came that nobody asked for: {}({})",
                type_name(other.record_type),
                other.id
            ))),
        }
    }

    /// What a responder that echoes has said.
    pub(super) fn echo(&self) -> Option<Echo> {
        let (head, body) = split_head(&self.stdout)?;
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let features = head
            .lines()
            .find_map(|line| line.strip_prefix("x-fastcgi-echo:"))?;
        let features = features.split_whitespace().map(str::to_owned).collect();
        let (mut rest, mut variables) = (body, Vec::new());
        loop {
            let end = rest.iter().position(|octet| *octet == b'\n')?;
            let line = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            if let Some(len) = line.strip_prefix("STDIN ") {
                return Some(Echo {
                    features,
                    variables,
                    stdin_len: len.trim().parse().ok()?,
                    stdin: rest.to_vec(),
                });
            }
            let (name, value) = line.split_once('=')?;
            variables.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// CGI headers and body.
pub(super) fn split_head(stdout: &[u8]) -> Option<(&[u8], &[u8])> {
    let find = |blank: &[u8]| {
        let at = stdout
            .windows(blank.len())
            .position(|piece| piece == blank)?;
        Some((&stdout[..at], &stdout[at + blank.len()..]))
    };
    match (find(b"\r\n\r\n"), find(b"\n\n")) {
        (Some(crlf), Some(lf)) => Some(if crlf.0.len() < lf.0.len() { crlf } else { lf }),
        (crlf, lf) => crlf.or(lf),
    }
}

/// The answer of a responder that echoes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Echo {
    pub(super) features: Vec<String>,
    /// Names, and values in hexadecimal digits.
    variables: Vec<(String, String)>,
    stdin_len: usize,
    stdin: Vec<u8>,
}

impl Echo {
    /// That the application was given this variable with this value.
    pub(super) fn check_variable(&self, name: &str, value: &[u8]) -> Result<(), Not> {
        let expected: String = value.iter().map(|octet| format!("{octet:02x}")).collect();
        let mut found = self.variables.iter().filter(|(found, _)| found == name);
        match (found.next(), found.next()) {
            (Some((_, found)), None) if *found == expected => Ok(()),
            (Some((_, found)), None) => Err(Not::holding(format!(
                "the variable `{name}` of {} octets arrived with {} octets, or others",
                value.len(),
                found.len() / 2
            ))),
            (None, _) => Err(Not::holding(format!(
                "the variable `{name}` did not arrive"
            ))),
            (Some(_), Some(_)) => Err(Not::holding(format!("`{name}` arrived twice"))),
        }
    }

    /// That the application has read this body.
    pub(super) fn check_stdin(&self, expected: &[u8]) -> Result<(), Not> {
        if self.stdin_len == expected.len() && self.stdin == expected {
            return Ok(());
        }
        Err(Not::holding(format!(
            "of a body of {} octets the application has read {}, and {} came back{}",
            expected.len(),
            self.stdin_len,
            self.stdin.len(),
            if self.stdin.len() == expected.len() {
                ", not the same"
            } else {
                ""
            }
        )))
    }

    pub(super) const fn stdin_len(&self) -> usize {
        self.stdin_len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_read() {
        let answer = Answer {
            stdout:
                b"Status: 200 OK\r\nX-FastCGI-Echo: stderr early\r\n\r\nA=6f0a\nB=\nSTDIN 3\na\nb"
                    .to_vec(),
            ..Answer::default()
        };
        let echo = answer.echo().unwrap();
        assert_eq!(echo.features, ["stderr", "early"]);
        assert!(echo.check_variable("A", b"o\n").is_ok());
        assert!(echo.check_variable("B", b"").is_ok());
        assert!(echo.check_variable("A", b"o").is_err());
        assert!(echo.check_variable("C", b"").is_err());
        assert!(echo.check_stdin(b"a\nb").is_ok());
        assert!(echo.check_stdin(b"a\nc").is_err());
    }

    #[test]
    fn what_does_not_echo_is_no_echo() {
        for stdout in [&b""[..], b"Content-Type: text/plain\r\n\r\nhello\n"] {
            let stdout = stdout.to_vec();
            let answer = Answer {
                stdout,
                ..Answer::default()
            };
            assert_eq!(answer.echo(), None);
        }
    }
}
