//! What the fuzz targets of `fcgi-proto` check.
//!
//! Each target takes an [`Input`]: settings, the places where it is cut, and octets. A check panics where the crate
//! breaks a promise; the octets alone never make it panic. See `README.md` for how to run them.

#![expect(clippy::missing_panics_doc, reason = "a check fails by panicking")]

mod allocation;
pub mod application;
pub mod decoder;
mod input;
pub mod name_values;
mod output;
pub mod web_server;

pub use input::Input;
