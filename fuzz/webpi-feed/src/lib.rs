//! What the fuzz targets of `webpi-feed` check.
//!
//! A check panics where the crate breaks a promise; the octets alone never make it panic. See `README.md` for how to run
//! them.

#![expect(clippy::missing_panics_doc, reason = "a check fails by panicking")]

pub mod check;
pub mod feed;
