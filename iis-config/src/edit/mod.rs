//! Changes to a configuration file that leave every other byte as its owner wrote it.
//!
//! Each function finds the place by parsing, splices new text into the old, indented as its neighbours and with their
//! line ends, and reads the result back before it hands it out. An edit that finds everything as asked for changes
//! nothing; made twice it is the same as once. Comments, attribute order, spacing and unknown attributes stay.
//!
//! The result is text; [`spanned_xml::Source::encode`] of the file that was read writes it back in that file's
//! encoding, with or without byte order mark as before.

mod application;
mod change;
mod environment_variable;
mod fast_cgi;
mod handler;
mod http_platform;
mod layout;
mod virtual_directory;

pub use application::{ApplicationPlace, remove_application, remove_site, set_application};
pub use change::Edit;
pub use environment_variable::{remove_environment_variable, set_environment_variable};
pub use fast_cgi::{
    remove_fast_cgi_application, remove_fast_cgi_section, set_fast_cgi_application,
};
pub use handler::{remove_handler, set_handler};
pub use http_platform::{remove_http_platform, set_http_platform};
pub use virtual_directory::{remove_virtual_directory, set_virtual_directory};
