//! The section `system.webServer/fastCgi`.

mod application;
mod iis_version;
mod named_attributes;
mod section;

pub use application::{EnvironmentVariable, FastCgiApplication, Protocol, StderrMode};
pub use iis_version::IisVersion;
pub(crate) use section::read_section;
