//! What a Web server and its clients may cost at most.

use std::time::Duration;

/// The caps on everything that a peer can make the gateway keep, do or wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The protocol's: parameters of a request, unread input.
    pub fcgi: fcgi_proto::Limits,
    /// Connections at once, those that wait for their next request included. At the limit nothing is accepted, so that the
    /// Web server's new connections wait in the listening socket's queue. Default 10,000.
    pub connections: usize,
    /// Octets of a request's body. A longer one that says so is answered with status 413; of one that does not say so, the
    /// application cannot read more. `None`, the default, leaves it to the Web server, which has a limit of its own (IIS:
    /// `maxAllowedContentLength`, 30,000,000). Bodies are streamed and cost no memory here.
    pub body_len: Option<u64>,
    /// How long a request may wait for the next octets of its body. Default 60 seconds; `None` is for ever.
    pub read_timeout: Option<Duration>,
    /// How long a request's variables may take to arrive, from its first octet to the end of its parameters. Then the
    /// connection is closed. Default 60 seconds; `None` is for ever.
    pub header_timeout: Option<Duration>,
    /// How long a connection may wait for its first or next request. Default `None`, for ever: a Web server closes what it no
    /// longer needs.
    pub idle_timeout: Option<Duration>,
    /// Requests that may wait while all threads are busy; further ones are answered with status 503 at once. A thread of
    /// its own reads for the others then. Default `None`: they wait in the listening socket's queue, and no thread is
    /// woken for another.
    pub queue: Option<usize>,
    /// How long a response may wait for the Web server to take more of it. Default 60 seconds; `None` is for ever.
    pub write_timeout: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        let timeout = Some(Duration::from_secs(60));
        Self {
            fcgi: fcgi_proto::Limits::default(),
            connections: 10_000,
            body_len: None,
            read_timeout: timeout,
            header_timeout: timeout,
            idle_timeout: None,
            queue: None,
            write_timeout: timeout,
        }
    }
}
