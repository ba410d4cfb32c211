//! One file a subcommand: its arguments, what it calls, what it reports.

pub(crate) mod bootstrap;
pub(crate) mod completions;
pub(crate) mod dev;
pub(crate) mod iis;
pub(crate) mod msdeploy;
pub(crate) mod serve;
pub(crate) mod upload;
pub(crate) mod webpi;
pub(crate) mod webpicmd;
pub(crate) mod wfastcgi;
