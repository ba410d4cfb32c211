//! What the fuzz targets of `msdeploy-pkg` check.
//!
//! Each target takes the octets of a file. A check panics where the crate breaks a promise; the octets alone never make
//! it panic. See `README.md` for how to run them.

#![expect(clippy::missing_panics_doc, reason = "a check fails by panicking")]

pub mod archive_xml;
pub mod manifest;
pub mod package;
pub mod parameters;
pub mod provider_options;
