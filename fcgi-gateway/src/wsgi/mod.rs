//! The bridge to WSGI applications (PEP 3333, *Python Web Server Gateway Interface v1.0.1*,
//! <https://peps.python.org/pep-3333/>).
//!
//! The interpreter lives in this process, and every socket is read and written without holding it, so that other threads
//! run Python meanwhile. What every server needs, and what is not Python, is in `environ`; the rest comes with the feature
//! `python`.

#[cfg(feature = "python")]
mod app;
mod environ;
#[cfg(feature = "python")]
mod errors;
#[cfg(feature = "python")]
mod exception;
#[cfg(feature = "python")]
mod file_wrapper;
#[cfg(feature = "python")]
mod input;
#[cfg(feature = "python")]
mod load;
#[cfg(feature = "python")]
mod modules;
#[cfg(feature = "python")]
mod pattern;
#[cfg(feature = "python")]
mod response;
#[cfg(feature = "python")]
mod serve;
#[cfg(feature = "python")]
mod signals;
mod spec;
#[cfg(feature = "python")]
mod spool;
#[cfg(feature = "python")]
mod stacks;
#[cfg(feature = "python")]
mod standard_streams;
#[cfg(feature = "python")]
mod start_response;
#[cfg(feature = "python")]
mod supervise;
#[cfg(feature = "python")]
mod trial;
#[cfg(feature = "python")]
mod wfastcgi;

#[cfg(feature = "python")]
pub use app::WsgiApplication;
pub use environ::{Environ, latin1};
#[cfg(feature = "python")]
pub use load::{LoadOptions, load_application};
#[cfg(feature = "python")]
pub use serve::{serve, serve_callable, serve_wfastcgi};
pub use spec::{AppSpec, HandlerPart};
#[cfg(feature = "python")]
pub use trial::{Trial, try_application};
#[cfg(feature = "python")]
pub use wfastcgi::AppSettings;
