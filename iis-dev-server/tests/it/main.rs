//! The server from outside: HTTP over sockets in front, real processes behind (`examples/echo_responder.rs`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::print_stderr,
    reason = "a test that leaves something out says so"
)]

mod client;
mod configuration;
mod files;
mod once;
mod processes;
mod responses;
mod site;
