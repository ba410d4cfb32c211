//! A live application in the role of a Responder, asked from outside.
//!
//! Every check makes its own connections, writes octets by hand, reads records with [`fcgi_proto::Decoder`], and waits no
//! longer than it is told to: an application that hangs has a verdict and not the runner. After a check that holds, the
//! application must still answer an ordinary request on a new connection.
//!
//! [`RESPONDER`] says what the application has to do. What only a Web server does (items 32 to 39) cannot be asked here.

mod answer;
mod appendix_b;
mod check;
mod dial;
mod hardening;
mod link;
mod records;
mod report;
mod requests;
mod trial;

pub use check::{CheckInfo, checks, run};
pub use dial::{Options, Target};
pub use report::{Report, Row, Verdict};

/// What an application has to do to be asked everything.
pub const RESPONDER: &str = "\
Any Responder can be asked most of it: what it answers is not looked at, only that it answers, and how.

A responder that echoes can be asked all of it. It reads STDIN to its end (or CONTENT_LENGTH octets) and answers

  Content-Type: text/plain
  X-FastCGI-Echo: FEATURES

and behind the blank line
  - for each variable a line NAME=VALUE, the octets of VALUE as pairs of lower-case hexadecimal digits,
  - a line `STDIN N` with the number of octets that it has read,
  - these octets as they are.

FEATURES are words, and say which of these variables it obeys (none is fine):
  stderr  ECHO_STDERR: writes the variable's value to STDERR
  status  ECHO_STATUS: ends the request with this number as its appStatus
  early   ECHO_EARLY: answers without reading STDIN; it says `STDIN 0`
";
