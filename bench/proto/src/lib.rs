//! `fcgi-proto` and other implementations, each serving the same octets from memory.
//!
//! The request has 30 variables of some 1.5 KB and no body, on a connection that is kept; the application looks one
//! variable up and writes 200 octets. Each implementation reads from memory into a buffer of its own, as it would from a
//! socket, and what it writes is counted and dropped. There is no system call in any of them.

mod client;
#[cfg(feature = "libfcgi")]
mod libfcgi;
mod ours;
mod request;
mod stream;
mod tokio_fastcgi;

pub use client::FastcgiClient;
#[cfg(feature = "libfcgi")]
pub use libfcgi::Libfcgi;
pub use ours::{Application, Body, WebServer};
pub use request::{LOOKED_UP, REPLY, Request, Response, variables};
pub use tokio_fastcgi::TokioFastcgi;
