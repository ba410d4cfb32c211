//! IIS configuration files and appcmd: read, and edited with every other byte kept.
//!
//! IIS 7 and later keep their configuration in `applicationHost.config` (one for the machine; IIS Express and Visual
//! Studio have one for the user or the solution) and in `web.config` files beside the content. This crate reads the
//! parts that decide how a FastCGI application is run, and edits them without touching anything else.
//!
//! - [`ApplicationHost`]: sites, the `fastCgi` section, handlers, `location` elements; and a new file from nothing.
//! - [`WebConfig`]: a content folder's handlers and application settings, and the `fastCgi` section that installers
//!   keep there for themselves.
//! - [`FastCgiApplication`], [`Handler`], [`Site`]: one entry each, with IIS 10's defaults and ranges.
//! - [`Handlers`]: the effective list at one place, and [`Handlers::find`], which handler gets a request.
//! - [`find_fast_cgi_application`]: `scriptProcessor` to `fullPath` and `arguments`, byte for byte, and how close a miss was.
//! - [`edit`]: changes as splices into the text, idempotent, indented as their neighbours.
//! - [`win_path`] and [`command_line`]: Windows spellings of paths and command lines, on any system.
//! - [`doctor`]: what keeps an application from working, in configuration files and facts about the machine.
//! - [`schema`]: IIS's own schema language, and any section of a file checked against it.
//! - [`effective`]: what holds at one place when all files above it are merged, locks included.
//! - [`access`]: who may read a file, as its security descriptor says.
//! - [`appcmd`]: argument vectors for `appcmd.exe` and its answers.
//!
//! ```
//! use iis_config::{ApplicationHost, FastCgiApplication, edit};
//! use spanned_xml::Source;
//!
//! let source = Source::from_text("applicationHost.config", ApplicationHost::new_text("\n"));
//! let mut application = FastCgiApplication::new(r"C:\Python\python.exe", r"-m iiswsgi serve C:\app\app.ini");
//! application.max_instances = 4;
//! let edit = edit::set_fast_cgi_application(&source, &application)?;
//! assert!(edit.changed);
//!
//! let host = ApplicationHost::parse(&Source::from_text("applicationHost.config", edit.text))?;
//! assert_eq!(host.fast_cgi[0].value, application);
//! # Ok::<(), spanned_xml::Problems>(())
//! ```
//!
//! # What is left out
//!
//! The crate does no I/O: callers read and write the files. What is unknown is kept in the file and ignored when reading.
//! Nothing here was derived from a running IIS; sources are Microsoft's schema files and documentation.

mod application_host;
mod attribute;
mod declared;
mod error;
mod fast_cgi;
mod handler_match;
mod handlers;
mod http_platform;
mod rules;
mod section;
mod sites;
mod web_config;

pub mod access;
pub mod appcmd;
pub mod command_line;
pub mod doctor;
pub mod edit;
pub mod effective;
pub mod schema;
pub mod win_path;

pub use application_host::{ApplicationHost, Location};
pub use declared::Declared;
pub use error::Error;
pub use fast_cgi::{EnvironmentVariable, FastCgiApplication, IisVersion, Protocol, StderrMode};
pub use handler_match::{
    Bitness, Difference, HandlerMatch, NearMiss, PipelineMode, Request, Resource, WorkerProcess,
    find_fast_cgi_application,
};
pub use handlers::{
    Handler, HandlerChange, Handlers, HandlersSection, RequireAccess, ResourceType,
};
pub use http_platform::HttpPlatform;
pub use rules::RULES;
pub use sites::{Application, Binding, ResolvedPath, Site, VirtualDirectory};
pub use web_config::{AppSetting, WebConfig};
