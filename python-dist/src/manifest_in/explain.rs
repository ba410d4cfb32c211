//! Why a file is distributed or not.

use core::fmt;
use std::sync::Arc;

use super::command::Command;
use super::defaults::{DefaultRule, PruneRule};

/// What took a file in or out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A command of the template.
    Command(Arc<Command>),
    /// A rule that holds without a template.
    Default(DefaultRule),
    /// A line of a list that was kept from before: MANIFEST or SOURCES.txt.
    Recorded {
        /// The list's name.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A rule that takes out what the template let slip in.
    Prune(PruneRule),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(
                f,
                "{}:{}:{}: `{}`",
                command.file, command.line, command.column, command.text
            ),
            Self::Default(rule) => write!(f, "the default rule for {rule}"),
            Self::Recorded { file, line } => write!(f, "{file}:{line}:1: its name"),
            Self::Prune(rule) => write!(f, "the rule that leaves out {rule}"),
        }
    }
}

/// One change of a file's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whether the file is in after it.
    pub taken: bool,
    /// What made the change.
    pub origin: Origin,
}

/// A file's way through the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The file, as it was asked for.
    pub path: String,
    /// Whether the project has such a file.
    pub exists: bool,
    /// The project's files that are spelled like it, where there is no such file.
    pub near: Vec<String>,
    /// Whether it is distributed.
    pub taken: bool,
    /// The changes, in order.
    pub steps: Vec<Step>,
}

impl fmt::Display for Explanation {
    /// One line on the result, then one a change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match (self.exists, self.taken) {
            (false, false) => {
                write!(f, "`{path}` is not a file of the project")?;
                return match self.near.first() {
                    Some(near) => write!(f, "; there is `{near}`"),
                    None => Ok(()),
                };
            }
            (_, true) => write!(f, "`{path}` is distributed")?,
            (true, false) if self.steps.is_empty() => {
                return write!(
                    f,
                    "`{path}` is not distributed: no line and no default rule takes it in\n  `include {path}` in MANIFEST.in would"
                );
            }
            (true, false) => write!(f, "`{path}` is not distributed")?,
        }
        for step in &self.steps {
            write!(
                f,
                "\n  {} took it {}",
                step.origin,
                if step.taken { "in" } else { "out" }
            )?;
        }
        Ok(())
    }
}
