//! One file a subcommand: its arguments, what it calls, what it reports.

pub(crate) mod bootstrap;
pub(crate) mod completions;
pub(crate) mod dev;
pub(crate) mod msdeploy;
pub(crate) mod msdeploy_build;
pub(crate) mod msdeploy_install;
pub(crate) mod msdeploy_package;
pub(crate) mod msdeploy_sync;
pub(crate) mod serve;
pub(crate) mod webpi;
pub(crate) mod webpi_feed;
pub(crate) mod webpi_install;
