//! What the commands share: projects, templates, packages, site folders, virtual environments.

pub(crate) mod appcmd;
pub(crate) mod config_file;
pub(crate) mod contents;
pub(crate) mod deployment;
pub(crate) mod description;
pub(crate) mod fetch;
pub(crate) mod file;
pub(crate) mod install;
pub(crate) mod package;
pub(crate) mod parameter_values;
pub(crate) mod placement;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod project;
pub(crate) mod registration;
pub(crate) mod repackage;
pub(crate) mod run_command;
pub(crate) mod set_acl;
pub(crate) mod site_root;
pub(crate) mod stamp;
pub(crate) mod sync_options;
pub(crate) mod template;
pub(crate) mod trial;
pub(crate) mod unpack;
pub(crate) mod upload;
pub(crate) mod virtual_env;
