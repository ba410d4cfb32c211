//! Uploading files: the packaging index's legacy protocol, and HTTP PUT.

pub(crate) mod client;
pub(crate) mod credentials;
pub(crate) mod file;
pub(crate) mod form;
pub(crate) mod repository;
pub(crate) mod simple_page;
