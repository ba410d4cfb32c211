//! The section `system.webServer/fastCgi`.

mod application;
mod section;

pub use application::{EnvironmentVariable, FastCgiApplication, Protocol, StderrMode};
pub(crate) use section::read_section;
