//! MANIFEST.in: which of a project's files are distributed.
//!
//! Models the language of distutils' sdist command ("The MANIFEST.in template", in Python's
//! documentation until 3.11) and of setuptools ("Controlling files in the distribution",
//! <https://setuptools.pypa.io/en/latest/userguide/miscellaneous.html>), which share the words and
//! differ in the globs: a [`Dialect`] says which one is meant. Left out: extension sources and version
//! control plugins, which only setup.py or an installed plugin knows, and the folder `NAME.egg-info`
//! that setuptools writes beside the project and puts into its own archives.
//!
//! Paths are relative to the project, with forward slashes, on every system. distutils on Windows
//! refused some patterns that it takes elsewhere; here they mean the same everywhere.

mod class;
mod command;
mod defaults;
mod dialect;
mod explain;
mod file_list;
mod glob;
mod line;
mod recorded;
mod select;
mod tree;
#[cfg(test)]
mod vectors;

pub use command::{Command, Template};
pub use defaults::{DefaultRule, PruneRule};
pub use dialect::Dialect;
pub use explain::{Explanation, Origin, Step};
pub use file_list::FileList;
pub use select::{Selection, select};
pub(crate) use tree::Tree;

/// Whether `fnmatch` would match the whole of `name`, which has no slash.
pub(crate) fn matches_component(pattern: &str, name: &str) -> bool {
    glob::Pattern::component(pattern).matches(name)
}
