//! What a check works with: connections, ordinary requests, and ways to say what is wrong.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::super::record::{Octets, pairs};
use super::answer::{Answer, Echo};
use super::dial::{Dialer, Options};
use super::link::{Link, Log};

pub(super) const RESPONDER: u16 = 1;
pub(super) const KEEP: u8 = 1;
pub(super) const CLOSE: u8 = 0;

pub(super) const BEGIN_REQUEST: u8 = 1;
pub(super) const ABORT_REQUEST: u8 = 2;
pub(super) const END_REQUEST: u8 = 3;
pub(super) const PARAMS: u8 = 4;
pub(super) const STDIN: u8 = 5;
pub(super) const DATA: u8 = 8;
pub(super) const GET_VALUES: u8 = 9;
pub(super) const GET_VALUES_RESULT: u8 = 10;
pub(super) const UNKNOWN_TYPE: u8 = 11;

/// protocolStatus.
pub(super) const COMPLETE: u8 = 0;
pub(super) const CANT_MPX_CONN: u8 = 1;
pub(super) const OVERLOADED: u8 = 2;
pub(super) const UNKNOWN_ROLE: u8 = 3;

/// How long it has to be quiet where nothing must come.
pub(super) const QUIET: Duration = Duration::from_millis(300);

/// Why a check does not simply hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Not {
    Holding(String),
    Applicable(String),
}

impl Not {
    pub(super) fn holding(reason: impl Into<String>) -> Self {
        Self::Holding(reason.into())
    }

    pub(super) fn applicable(reason: impl Into<String>) -> Self {
        Self::Applicable(reason.into())
    }
}

/// What a check returns.
pub(super) type Outcome = Result<(), Not>;

/// One check at work.
#[derive(Debug)]
pub(super) struct Trial<'r> {
    pub(super) dialer: &'r mut Dialer,
    pub(super) options: &'r Options,
    /// What the responder said of itself; `None` if it does not echo.
    pub(super) echo: Option<&'r Echo>,
    pub(super) log: Rc<RefCell<Log>>,
}

impl Trial<'_> {
    pub(super) const fn limit(&self) -> Duration {
        self.options.limit
    }

    /// A new connection.
    pub(super) fn connect(&mut self) -> Result<Link, Not> {
        self.dialer
            .connect()
            .and_then(|stream| Link::new(stream, Rc::clone(&self.log)))
            .map_err(Not::Holding)
    }

    /// The variables of an ordinary request, with these besides or instead.
    pub(super) fn variables(
        &self,
        extra: &[(&str, &[u8])],
        content_len: usize,
    ) -> Vec<(String, Vec<u8>)> {
        let mut variables: Vec<(String, Vec<u8>)> = Vec::new();
        let content_length = content_len.to_string();
        let method = if content_len == 0 { "GET" } else { "POST" };
        let usual = [
            ("GATEWAY_INTERFACE", "CGI/1.1"),
            ("REQUEST_METHOD", method),
            ("SCRIPT_NAME", "/echo"),
            ("PATH_INFO", "/"),
            ("QUERY_STRING", ""),
            ("REQUEST_URI", "/echo/"),
            ("SERVER_NAME", "localhost"),
            ("SERVER_PORT", "80"),
            ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("REMOTE_ADDR", "127.0.0.1"),
            ("CONTENT_TYPE", "application/octet-stream"),
            ("CONTENT_LENGTH", &content_length),
        ];
        let ours = self.options.params.iter();
        let all = usual
            .into_iter()
            .map(|(name, value)| (name, value.as_bytes()))
            .chain(ours.map(|(name, value)| (name.as_str(), value.as_bytes())))
            .chain(extra.iter().copied());
        for (name, value) in all {
            variables.retain(|(known, _)| known != name);
            variables.push((name.to_owned(), value.to_vec()));
        }
        variables
    }

    /// The content of PARAMS of an ordinary request.
    pub(super) fn params(&self, extra: &[(&str, &[u8])], content_len: usize) -> Vec<u8> {
        pairs(&self.variables(extra, content_len))
    }

    /// An ordinary request with these variables and this body.
    pub(super) fn request(
        &self,
        id: u16,
        flags: u8,
        extra: &[(&str, &[u8])],
        body: &[u8],
    ) -> Octets {
        Octets::new()
            .begin(id, RESPONDER, flags)
            .stream(PARAMS, id, &self.params(extra, body.len()), 65_528)
            .stream(STDIN, id, body, 65_528)
    }

    /// Sends a request on a connection of its own, and reads the answer.
    pub(super) fn ask(&mut self, octets: &Octets, id: u16) -> Result<Answer, Not> {
        let limit = self.limit();
        let mut link = self.connect()?;
        link.send(octets);
        Answer::read(&mut link, id, limit).complete()
    }

    /// That the application serves an ordinary request on this connection.
    pub(super) fn serves_on(&self, link: &mut Link, id: u16) -> Result<Answer, Not> {
        link.send(&self.request(id, KEEP, &[], b""));
        Answer::read(link, id, self.limit()).complete()
    }

    /// That the responder echoes, and what it says.
    pub(super) fn needs_echo(&self) -> Result<(), Not> {
        match self.echo {
            Some(_) => Ok(()),
            None => Err(Not::applicable("the responder does not echo")),
        }
    }

    /// That the responder obeys one of the variables.
    pub(super) fn needs(&self, feature: &str) -> Result<(), Not> {
        self.needs_echo()?;
        match self.echo {
            Some(echo) if echo.features.iter().any(|known| known == feature) => Ok(()),
            _ => Err(Not::applicable(format!(
                "the responder does not say that it can do `{feature}`"
            ))),
        }
    }

    /// What the responder says of the request, if it echoes.
    pub(super) fn check_echo(
        &self,
        answer: &Answer,
        check: impl FnOnce(&Echo) -> Outcome,
    ) -> Outcome {
        match (self.echo, answer.echo()) {
            (None, _) => Ok(()),
            (Some(_), Some(echo)) => check(&echo),
            (Some(_), None) => Err(Not::holding("the response is no longer an echo")),
        }
    }
}
