//! The application's side of a connection (FastCGI Specification 1.0, sections 3 to 6).
//!
//! [`Connection`] is the state machine. It takes the octets that arrive, hands out [`Event`]s, answers by itself
//! what the protocol answers by itself, and frames what the application writes. It models all three roles, with
//! requests one after the other or multiplexed. It leaves out §2 (how the process gets its listening socket) and the
//! meaning of variables and headers, which are the driver's.

mod config;
mod connection;
mod event;
mod request;

pub use config::Config;
pub use connection::Connection;
pub use event::{AfterRequest, Event};
