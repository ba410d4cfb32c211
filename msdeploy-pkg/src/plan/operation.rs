//! The operations of a plan, in msdeploy's words.

use core::fmt;

use super::content::{ContentKind, ParameterChange};
use crate::skip_rule::SkipAction;

/// One thing that a sync does.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(
    tag = "operation",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum Operation {
    /// Something is added.
    Add {
        /// File or folder.
        kind: ContentKind,
        /// The path of the source's object, with forward slashes; for a folder that only its files name, that of the folder.
        from: String,
        /// The path below the destination's root, with forward slashes.
        to: String,
        /// The whole path as messages name it.
        path: String,
        /// Octets to copy.
        size: u64,
        /// What parameters change in it.
        parameters: Vec<ParameterChange>,
    },
    /// A file is replaced.
    Update {
        /// The path of the source's object, with forward slashes.
        from: String,
        /// The path below the destination's root, with forward slashes, as the destination spells it.
        to: String,
        /// The whole path as messages name it.
        path: String,
        /// Octets to copy.
        size: u64,
        /// What parameters change in it.
        parameters: Vec<ParameterChange>,
    },
    /// Something is deleted.
    Delete {
        /// File or folder.
        kind: ContentKind,
        /// The path below the destination's root, with forward slashes.
        to: String,
        /// The whole path as messages name it.
        path: String,
    },
    /// A rule kept something from happening.
    Skip {
        /// What did not happen; none where a skip directive took the object out of the sync altogether.
        action: Option<SkipAction>,
        /// File or folder.
        kind: ContentKind,
        /// The path below the root, with forward slashes.
        to: String,
        /// The whole path as messages name it.
        path: String,
        /// The rule: a `-skip` as written, or the name of a built-in rule.
        rule: String,
    },
    /// A provider that holds no content: `setAcl`, `runCommand`, a database script and so on.
    Provider {
        /// The provider's name.
        provider: String,
        /// Its path: of a `runCommand` the command.
        path: String,
        /// Why it is only reported, where it is.
        note: Option<String>,
    },
}

const fn noun(kind: ContentKind) -> &'static str {
    match kind {
        ContentKind::Directory => "directory",
        ContentKind::File => "file",
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add { kind, path, .. } => write!(f, "Adding {} ({path})", noun(*kind)),
            Self::Update { path, .. } => write!(f, "Updating file ({path})"),
            Self::Delete { kind, path, .. } => write!(f, "Deleting {} ({path})", noun(*kind)),
            Self::Skip {
                action,
                kind,
                path,
                rule,
                ..
            } => {
                let action = match action {
                    Some(SkipAction::AddChild) => "add of ",
                    Some(SkipAction::Update) => "update of ",
                    Some(SkipAction::Delete) => "delete of ",
                    None => "",
                };
                write!(f, "Skipping {action}{} ({path}): {rule}", noun(*kind))
            }
            Self::Provider {
                provider,
                path,
                note,
            } => {
                write!(f, "Adding {provider} ({path})")?;
                match note {
                    Some(note) => write!(f, ": {note}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// How much a plan does, as msdeploy's last line says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlanSummary {
    /// Files and folders added.
    pub added: usize,
    /// Files and folders deleted.
    pub deleted: usize,
    /// Files updated.
    pub updated: usize,
    /// Places that parameters change.
    pub parameters_changed: usize,
    /// Octets to copy.
    pub bytes_copied: u64,
}

impl PlanSummary {
    /// Files and folders added, deleted and updated.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.added + self.deleted + self.updated
    }

    pub(crate) fn count(&mut self, operation: &Operation) {
        match operation {
            Operation::Add {
                size, parameters, ..
            } => {
                self.added += 1;
                self.copy(*size, parameters);
            }
            Operation::Update {
                size, parameters, ..
            } => {
                self.updated += 1;
                self.copy(*size, parameters);
            }
            Operation::Delete { .. } => self.deleted += 1,
            Operation::Skip { .. } | Operation::Provider { .. } => {}
        }
    }

    fn copy(&mut self, size: u64, parameters: &[ParameterChange]) {
        self.bytes_copied = self.bytes_copied.saturating_add(size);
        self.parameters_changed += parameters.iter().map(|change| change.places).sum::<usize>();
    }
}

impl fmt::Display for PlanSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Total changes: {} ({} added, {} deleted, {} updated, {} parameters changed, {} bytes copied)",
            self.total(),
            self.added,
            self.deleted,
            self.updated,
            self.parameters_changed,
            self.bytes_copied
        )
    }
}
