//! The commands on feeds, over real files and a real HTTP server: `iiswsgi webpi serve` is the server.
//!
//! The page is looked at with chromium; its screenshots are kept in the target folder.

mod feeds;
mod installing;
mod local_data;
mod server;
mod serving;
mod starting;
mod support;
mod writing;
