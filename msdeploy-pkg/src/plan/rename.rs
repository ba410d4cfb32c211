//! What `-replace` rules make of the names of files and folders.

use std::collections::BTreeMap;

use spanned_xml::Problem;

use super::compare::Comparison;
use super::content::{ContentKind, ContentObject};
use super::objects::{Objects, rule_fault};

/// An object of the source under the name it will have.
pub(crate) struct Renamed<'s> {
    pub(crate) object: &'s ContentObject,
    pub(crate) to: String,
}

impl Comparison<'_> {
    /// The source by the names that `-replace` gives it.
    pub(super) fn rename<'s>(
        &mut self,
        source: &'s Objects<'_>,
    ) -> Result<BTreeMap<String, Renamed<'s>>, Problem> {
        let mut folders: BTreeMap<&str, String> = BTreeMap::new();
        let mut renamed: BTreeMap<String, Renamed<'s>> = BTreeMap::new();
        for (path, object) in &source.objects {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            let new_name = self.new_name(object.kind, name)?;
            let to = match folders.get(parent) {
                Some(parent) => format!("{parent}/{new_name}"),
                None => new_name,
            };
            if object.kind == ContentKind::Directory {
                folders.insert(path, to.clone());
            }
            let key = self.key(&to);
            match renamed.get(&key) {
                Some(other)
                    if (other.object.kind, object.kind)
                        != (ContentKind::Directory, ContentKind::Directory) =>
                {
                    self.problems.push(
                        Problem::error(
                            "sync-name-collision",
                            format!(
                                "`{path}` and `{}` would both become `{to}`",
                                other.object.path
                            ),
                        )
                        .help("give them names that differ at the destination in more than letter case"),
                    );
                }
                // Two folders become one.
                Some(_) => {}
                None => {
                    renamed.insert(key, Renamed { object, to });
                }
            }
        }
        Ok(renamed)
    }

    fn new_name(&mut self, kind: ContentKind, name: &str) -> Result<String, Problem> {
        let mut attributes = [("path".to_owned(), name.to_owned())];
        let mut by = None;
        for rule in &self.options.replace {
            if rule
                .apply(kind.object_name(), &mut attributes)
                .map_err(|fault| rule_fault(&rule.text, &fault))?
            {
                by = Some(rule);
            }
        }
        let [(_, new)] = attributes;
        if let Some(rule) = by
            && let Err(fault) = crate::check_entry_name(&new)
        {
            self.problems.push(
                Problem::error(
                    "replace-rule-name",
                    format!(
                        "the rule `{}` makes `{new}` of `{name}`, which cannot be a name: {fault}",
                        rule.text
                    ),
                )
                .help("a rule changes the name of a file or folder, not the folder it is in"),
            );
        }
        Ok(new)
    }
}
