//! What a sync would do, before it does it: `-verb:sync` with `-whatif`.
//!
//! *Web Deploy Operation Settings*, `whatif`, `useChecksum`, `skip`, `replace`
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-r2-and-2008/dd569089(v=ws.10)> and *Web
//! Deploy Rules* <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd568992(v=ws.10)>.
//! A [`Plan`] is made of values only: the caller lists the package's content and the destination, and carries the plan
//! out. Files are compared as msdeploy compares them, by size and time of last writing, or by content where both sides
//! know their CRC-32.
//!
//! One thing is not as msdeploy does it: where a folder that the source lacks holds a file that a skip rule keeps, the
//! folder stays with it; msdeploy deletes both.

mod compare;
mod content;
mod objects;
mod operation;
mod providers;
mod rename;

pub use content::{ContentKind, ContentObject, ContentTree, ParameterChange};
pub use operation::{Operation, PlanSummary};
pub use providers::ProviderObject;

use spanned_xml::Problem;

use crate::replace_rule::ReplaceRule;
use crate::skip_rule::SkipRule;
use crate::sync_rules::SyncRules;

/// How to sync.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SyncOptions {
    /// `-skip`.
    pub skip: Vec<SkipRule>,
    /// `-replace`, in order.
    pub replace: Vec<ReplaceRule>,
    /// `-enableRule` and `-disableRule`.
    pub rules: SyncRules,
    /// `-useChecksum`: times are not looked at.
    pub use_checksum: bool,
    /// The destination takes `App.py` and `app.py` for one file, as Windows does.
    pub ignore_case: bool,
}

/// Operations in the order in which they have to be done: deletions with the innermost first, then what is added and
/// updated with the outermost first, then the other providers.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The operations.
    pub operations: Vec<Operation>,
}

impl Plan {
    /// Compares a source with its destination.
    ///
    /// ```
    /// use msdeploy_pkg::{ContentObject, ContentTree, Plan, SkipRule, SyncOptions};
    ///
    /// let mut tree = ContentTree::new("iisApp", "Default Web Site/app");
    /// tree.source.push(ContentObject::file("x.py", 12, Some(1_000)));
    /// tree.destination.push(ContentObject::file("old.py", 7, Some(1_000)));
    /// tree.destination.push(ContentObject::file("log.txt", 7, Some(1_000)));
    /// let mut options = SyncOptions::default();
    /// options.skip.push(SkipRule::parse(r"objectName=filePath,absolutePath=\.txt$,skipAction=Delete")?);
    /// let plan = Plan::new(&[tree], &[], &options).unwrap();
    /// assert_eq!(
    ///     plan.to_string(),
    ///     "Info: Skipping delete of file (Default Web Site/app\\log.txt): \
    ///      objectName=filePath,absolutePath=\\.txt$,skipAction=Delete.\n\
    ///      Info: Deleting file (Default Web Site/app\\old.py).\n\
    ///      Info: Adding file (Default Web Site/app\\x.py).\n\
    ///      Total changes: 2 (1 added, 1 deleted, 0 updated, 0 parameters changed, 12 bytes copied)\n"
    /// );
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All problems: a rule that cannot be evaluated, a rule that gives two files one name or a name outside of the
    /// destination, a source without any file that would empty the destination.
    pub fn new(
        trees: &[ContentTree],
        providers: &[ProviderObject],
        options: &SyncOptions,
    ) -> Result<Self, Vec<Problem>> {
        let mut operations = Vec::new();
        let mut problems = Vec::new();
        for tree in trees {
            match compare::compare(tree, options) {
                Ok(found) => operations.extend(found),
                Err(found) => problems.extend(found),
            }
        }
        for provider in providers {
            match providers::operation(provider, options) {
                Ok(operation) => operations.push(operation),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(Self { operations })
        } else {
            Err(problems)
        }
    }

    /// Whether nothing is added, updated or deleted.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.summary().total() == 0
    }

    /// How much of what it does.
    #[must_use]
    pub fn summary(&self) -> PlanSummary {
        let mut summary = PlanSummary::default();
        for operation in &self.operations {
            summary.count(operation);
        }
        summary
    }
}

impl core::fmt::Display for Plan {
    /// As `-whatif` shows it: a line an operation, then the sum.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for operation in &self.operations {
            writeln!(f, "Info: {operation}.")?;
        }
        writeln!(f, "{}", self.summary())
    }
}
