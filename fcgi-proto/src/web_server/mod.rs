//! The Web server's side of a connection (FastCGI Specification 1.0, sections 3 to 6).
//!
//! [`Connection`] is the state machine, the counterpart of [`application::Connection`](crate::application::Connection):
//! it frames requests, and takes responses apart. It is patient with what real applications do (see
//! [`Event`]). It leaves out how applications are started and how their output becomes an HTTP response.

mod config;
mod connection;
mod event;
mod params;
mod request;

pub use config::Config;
pub use connection::Connection;
pub use event::Event;
