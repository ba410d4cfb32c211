//! The `iiswsgi` command: Python web applications on Microsoft IIS, from any operating system.
//!
//! This crate is thin: [`main`] parses a command line, calls the crates that know the formats and protocols, and
//! reports. It is a library so that both the `iiswsgi` program and the Python wheel can call it; the formats themselves
//! are in `msdeploy-pkg`, `webpi-feed`, `iis-config` and `python-dist`, the gateway in `fcgi-gateway`, the stand-in for
//! IIS in `iis-dev-server`.
//!
//! - `commands`: one file a subcommand: its arguments, what it calls, what it reports.
//! - `deploy`: what the commands share: projects, templates, packages, site folders, virtual environments.

mod args;
mod commands;
mod context;
mod deploy;
mod diagnostics;
mod error;
mod findings;
mod rules;

pub use args::{Called, arguments, call, main};
pub use context::Host;
pub use error::ExitStatus;
pub use python_dist::distribution_stem;
pub use rules::RULES;
