//! From two sides of a tree to operations.

use std::collections::{BTreeMap, BTreeSet};

use spanned_xml::Problem;

use super::SyncOptions;
use super::content::{ContentKind, ContentObject, ContentTree};
use super::objects::Objects;
use super::operation::Operation;
use super::rename::Renamed;
use crate::skip_rule::SkipAction;

/// Times in a zip archive are exact to two seconds.
const TIME_STEP: u64 = 2;

pub(crate) fn compare(
    tree: &ContentTree,
    options: &SyncOptions,
) -> Result<Vec<Operation>, Vec<Problem>> {
    let one = |problem| vec![problem];
    let mut source = Objects::new(tree, &tree.source, options).map_err(one)?;
    let mut destination = Objects::new(tree, &tree.destination, options).map_err(one)?;
    let mut comparison = Comparison {
        tree,
        options,
        hidden: BTreeSet::new(),
        operations: Vec::new(),
        problems: Vec::new(),
    };
    let in_source = source.take_skipped(options).map_err(one)?;
    let in_destination = destination.take_skipped(options).map_err(one)?;
    let hidden = in_destination.gone.iter();
    comparison.hidden = hidden.map(|path| comparison.key(path)).collect();
    let mut skipped = BTreeMap::new();
    for (object, rule) in in_source.by_rule.into_iter().chain(in_destination.by_rule) {
        skipped.entry(object.path.clone()).or_insert((object, rule));
    }
    for (object, rule) in skipped.into_values() {
        comparison.skip(&object, None, &rule);
    }
    comparison.run(&source, &destination).map_err(one)?;
    if comparison.problems.is_empty() {
        Ok(comparison.operations)
    } else {
        Err(comparison.problems)
    }
}

pub(crate) struct Comparison<'t> {
    tree: &'t ContentTree,
    pub(super) options: &'t SyncOptions,
    /// What skip directives took out of the destination. It is there all the same.
    hidden: BTreeSet<String>,
    operations: Vec<Operation>,
    pub(super) problems: Vec<Problem>,
}

impl Comparison<'_> {
    fn run(&mut self, source: &Objects<'_>, destination: &Objects<'_>) -> Result<(), Problem> {
        let renamed = self.rename(source)?;
        let there: BTreeMap<String, &ContentObject> = destination
            .objects
            .values()
            .map(|object| (self.key(&object.path), object))
            .collect();
        self.guard(&renamed, &there);
        let kept = self.delete(&renamed, &there, destination)?;
        let mut not_added: Vec<String> = Vec::new();
        for (key, Renamed { object, to }) in &renamed {
            let inside = |folder: &String| key.starts_with(&format!("{folder}/"));
            if not_added.iter().any(inside) {
                continue;
            }
            match there.get(key) {
                Some(old) if old.kind == object.kind => {
                    if object.kind == ContentKind::File && self.differs(object, old) {
                        self.update(object, old, source)?;
                    }
                }
                old if self.hidden.contains(key) || (old.is_some() && kept.contains(key)) => {
                    self.problems.push(
                        Problem::error(
                            "sync-kind-conflict",
                            format!(
                                "`{}` would come from the package as a {}, and a rule keeps what is there",
                                self.tree.shown(to),
                                object.kind.object_name()
                            ),
                        )
                        .help("move it out of the way, or let the sync delete it"),
                    );
                }
                _ => {
                    let rule = source.rule(object, Some(SkipAction::AddChild), self.options)?;
                    if let Some(rule) = rule {
                        self.skip(object, Some(SkipAction::AddChild), &rule.text);
                        not_added.push(key.clone());
                        continue;
                    }
                    self.operations.push(Operation::Add {
                        kind: object.kind,
                        from: object.path.clone(),
                        to: to.clone(),
                        path: self.tree.shown(to),
                        size: object.size,
                        parameters: object.parameters.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    /// A path as the destination compares paths.
    pub(super) fn key(&self, path: &str) -> String {
        if self.options.ignore_case {
            path.to_lowercase()
        } else {
            path.to_owned()
        }
    }

    /// `BlockHarmfulDeleteOperations`.
    fn guard(
        &mut self,
        source: &BTreeMap<String, Renamed<'_>>,
        there: &BTreeMap<String, &ContentObject>,
    ) {
        let rules = self.options.rules;
        if !there.is_empty()
            && !source
                .values()
                .any(|new| new.object.kind == ContentKind::File)
            && !rules.do_not_delete
            && !rules.allow_harmful_deletes
        {
            self.problems.push(
                Problem::error(
                    "sync-would-empty-destination",
                    format!("the package has no files for `{}`, so that a sync would delete all that is there", self.tree.path),
                )
                .help("enable the rule DoNotDeleteRule to keep it, or disable BlockHarmfulDeleteOperations to delete it"),
            );
        }
    }

    /// Deletes what the source lacks; the keys of what stays although the source lacks it.
    fn delete(
        &mut self,
        source: &BTreeMap<String, Renamed<'_>>,
        there: &BTreeMap<String, &ContentObject>,
        destination: &Objects<'_>,
    ) -> Result<BTreeSet<String>, Problem> {
        let goes = |key: &str, old: &ContentObject| {
            source
                .get(key)
                .is_none_or(|new| new.object.kind != old.kind)
        };
        let mut kept: BTreeSet<String> = BTreeSet::new();
        // Folders come before what is in them.
        for (key, old) in there.iter().filter(|(key, old)| goes(key, old)) {
            let parent = key.rsplit_once('/').map(|(parent, _)| parent);
            let below_kept = parent.is_some_and(|parent| {
                kept.contains(parent) && there.get(parent).is_some_and(|old| goes(parent, old))
            });
            if below_kept {
                kept.insert(key.clone());
            } else if self.options.rules.do_not_delete {
                self.skip(old, Some(SkipAction::Delete), "DoNotDeleteRule");
                kept.insert(key.clone());
            } else if let Some(rule) =
                destination.rule(old, Some(SkipAction::Delete), self.options)?
            {
                self.skip(old, Some(SkipAction::Delete), &rule.text);
                kept.insert(key.clone());
            }
        }
        // What stays keeps the folders it is in.
        for key in kept.iter().chain(&self.hidden).cloned().collect::<Vec<_>>() {
            let mut above = key.as_str();
            while let Some((parent, _)) = above.rsplit_once('/') {
                above = parent;
                kept.insert(parent.to_owned());
            }
        }
        for (key, old) in there.iter().rev() {
            if goes(key, old) && !kept.contains(key) {
                self.operations.push(Operation::Delete {
                    kind: old.kind,
                    to: old.path.clone(),
                    path: self.tree.shown(&old.path),
                });
            }
        }
        Ok(kept)
    }

    fn update(
        &mut self,
        object: &ContentObject,
        old: &ContentObject,
        source: &Objects<'_>,
    ) -> Result<(), Problem> {
        if self.options.rules.skip_newer_files && old.modified > object.modified {
            self.skip(old, Some(SkipAction::Update), "SkipNewerFilesRule");
            return Ok(());
        }
        if let Some(rule) = source.rule(object, Some(SkipAction::Update), self.options)? {
            self.skip(old, Some(SkipAction::Update), &rule.text);
            return Ok(());
        }
        self.operations.push(Operation::Update {
            from: object.path.clone(),
            to: old.path.clone(),
            path: self.tree.shown(&old.path),
            size: object.size,
            parameters: object.parameters.clone(),
        });
        Ok(())
    }

    fn differs(&self, new: &ContentObject, old: &ContentObject) -> bool {
        if new.size != old.size {
            return true;
        }
        match (new.crc32, old.crc32) {
            (Some(new), Some(old)) => new != old,
            _ if self.options.use_checksum => true,
            _ => match (new.modified, old.modified) {
                (Some(new), Some(old)) => new.abs_diff(old) > TIME_STEP,
                _ => true,
            },
        }
    }

    fn skip(&mut self, object: &ContentObject, action: Option<SkipAction>, rule: &str) {
        self.operations.push(Operation::Skip {
            action,
            kind: object.kind,
            to: object.path.clone(),
            path: self.tree.shown(&object.path),
            rule: rule.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Plan, ProviderObject};
    use super::*;
    use crate::replace_rule::ReplaceRule;
    use crate::skip_rule::SkipRule;

    /// `a/b:10@5` is a file of 10 octets written at 5, `a/` a folder.
    fn list(text: &str) -> Vec<ContentObject> {
        text.split_whitespace()
            .map(|word| match word.split_once(':') {
                None => ContentObject::directory(word.trim_end_matches('/')),
                Some((path, rest)) => {
                    let (size, time) = rest.split_once('@').unwrap_or((rest, "0"));
                    ContentObject::file(path, size.parse().unwrap(), Some(time.parse().unwrap()))
                }
            })
            .collect()
    }

    fn options(rules: &[&str]) -> SyncOptions {
        let mut options = SyncOptions::default();
        for rule in rules {
            if rule.contains("replace=") {
                options.replace.push(ReplaceRule::parse(rule).unwrap());
            } else if let Some(name) = rule.strip_prefix('+') {
                options.rules.switch(name, true).unwrap();
            } else if let Some(name) = rule.strip_prefix('-') {
                options.rules.switch(name, false).unwrap();
            } else {
                options.skip.push(SkipRule::parse(rule).unwrap());
            }
        }
        options
    }

    fn plan(source: &str, destination: &str, options: &SyncOptions) -> Result<Plan, Vec<Problem>> {
        let mut tree = ContentTree::new("iisApp", "S");
        tree.source = list(source);
        tree.destination = list(destination);
        Plan::new(&[tree], &[], options)
    }

    fn check(source: &str, destination: &str, rules: &[&str], expected: &[&str]) {
        let plan = plan(source, destination, &options(rules)).unwrap();
        let found: Vec<String> = plan.operations.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{source} → {destination} {rules:?}");
    }

    #[test]
    fn adds_updates_and_deletes() {
        check("a:1", "a:1", &[], &[]);
        check("a:1@1", "a:1@3", &[], &[]);
        check("a:1@1", "a:1@4", &[], &[r"Updating file (S\a)"]);
        check("a:1", "a:2", &[], &[r"Updating file (S\a)"]);
        check(
            "d/e/f:1 x/",
            "",
            &[],
            &[
                r"Adding directory (S\d)",
                r"Adding directory (S\d\e)",
                r"Adding file (S\d\e\f)",
                r"Adding directory (S\x)",
            ],
        );
        check(
            "a:1",
            "a:1 d/e/f:1",
            &[],
            &[
                r"Deleting file (S\d\e\f)",
                r"Deleting directory (S\d\e)",
                r"Deleting directory (S\d)",
            ],
        );
        // A file where the package has a folder, and the other way round.
        check(
            "a/b:1 c:1",
            "a:1 c/d:1",
            &[],
            &[
                r"Deleting file (S\c\d)",
                r"Deleting directory (S\c)",
                r"Deleting file (S\a)",
                r"Adding directory (S\a)",
                r"Adding file (S\a\b)",
                r"Adding file (S\c)",
            ],
        );
    }

    #[test]
    fn checksums_decide_where_both_are_known() {
        let mut tree = ContentTree::new("iisApp", "S");
        tree.source = vec![ContentObject::file("a", 1, Some(0)).with_crc32(7)];
        tree.destination = vec![ContentObject::file("a", 1, Some(99)).with_crc32(7)];
        let same = Plan::new(&[tree.clone()], &[], &SyncOptions::default()).unwrap();
        assert!(same.changes_nothing());
        tree.destination[0].crc32 = None;
        tree.destination[0].modified = Some(0);
        let checksum = SyncOptions {
            use_checksum: true,
            ..SyncOptions::default()
        };
        assert_eq!(
            Plan::new(&[tree], &[], &checksum)
                .unwrap()
                .summary()
                .updated,
            1
        );
    }

    #[test]
    fn letter_case_as_the_destination_has_it() {
        let windows = SyncOptions {
            ignore_case: true,
            ..SyncOptions::default()
        };
        let text =
            |options: &SyncOptions| plan("App.py:1", "app.py:2", options).unwrap().to_string();
        assert!(text(&windows).starts_with("Info: Updating file (S\\app.py).\n"));
        assert!(
            text(&SyncOptions::default())
                .starts_with("Info: Deleting file (S\\app.py).\nInfo: Adding file (S\\App.py).\n")
        );
        let problems = plan("a:1 A:1", "", &windows).unwrap_err();
        assert_eq!(problems[0].code, "sync-name-collision");
    }

    #[test]
    fn skip_directives_take_objects_out() {
        let rule = r"objectName=dirPath,absolutePath=\\data$";
        // A folder stays with what it has that is not looked at.
        check(
            "a:1",
            "a:1 d/e/f:1 d/g:1",
            &[r"objectName=dirPath,absolutePath=\\e$"],
            &[
                r"Skipping directory (S\d\e): objectName=dirPath,absolutePath=\\e$",
                r"Deleting file (S\d\g)",
            ],
        );
        let conflict = plan(
            "e:1",
            "e/f:1",
            &options(&[r"objectName=dirPath,absolutePath=\\e$"]),
        );
        assert_eq!(conflict.unwrap_err()[0].code, "sync-kind-conflict");
        check(
            "a:1 data/x:1 data/y/z:1",
            "data/old:1",
            &[rule],
            &[
                r"Skipping directory (S\data): objectName=dirPath,absolutePath=\\data$",
                r"Adding file (S\a)",
            ],
        );
    }

    #[test]
    fn skip_rules_keep_one_action_from_happening() {
        check(
            "a:1 b/c:1",
            "d:1",
            &[
                r"absolutePath=\\b$,skipAction=AddChild",
                r"absolutePath=d$,skipAction=Update",
            ],
            &[
                r"Deleting file (S\d)",
                r"Adding file (S\a)",
                r"Skipping add of directory (S\b): absolutePath=\\b$,skipAction=AddChild",
            ],
        );
        check(
            "a:1",
            "a:2",
            &["absolutePath=a$,skipAction=Update"],
            &[r"Skipping update of file (S\a): absolutePath=a$,skipAction=Update"],
        );
        // The folder of a kept file stays, what else is in it goes.
        check(
            "a:1",
            "a:1 d/keep.log:1 d/other:1",
            &[r"objectName=filePath,absolutePath=\.log$,skipAction=Delete"],
            &[
                r"Skipping delete of file (S\d\keep.log): objectName=filePath,absolutePath=\.log$,skipAction=Delete",
                r"Deleting file (S\d\other)",
            ],
        );
        // A kept folder stays whole.
        check(
            "a:1",
            "a:1 d/x:1 d/e/y:1",
            &[r"objectName=dirPath,absolutePath=\\d$,skipAction=Delete"],
            &[
                r"Skipping delete of directory (S\d): objectName=dirPath,absolutePath=\\d$,skipAction=Delete",
            ],
        );
        // A folder that both have is not deleted, so that the rule says nothing of what is in it.
        check(
            "d/a:1",
            "d/a:1 d/b:1",
            &[r"objectName=dirPath,absolutePath=\\d$,skipAction=Delete"],
            &[r"Deleting file (S\d\b)"],
        );
    }

    #[test]
    fn rules_by_xpath() {
        check(
            "a:1 logs/x:1",
            "logs/y:1 y:1",
            &["xPath=//dirPath[@path='logs']/filePath,skipAction=Delete"],
            &[
                r"Skipping delete of file (S\logs\y): xPath=//dirPath[@path='logs']/filePath,skipAction=Delete",
                r"Deleting file (S\y)",
                r"Adding file (S\a)",
                r"Adding file (S\logs\x)",
            ],
        );
        check(
            "a-b:1 a/c:1 a/d/e:1",
            "",
            &["xPath=/iisApp/dirPath/dirPath[@path='a']/dirPath[@path='d']"],
            &[
                r"Skipping directory (S\a\d): xPath=/iisApp/dirPath/dirPath[@path='a']/dirPath[@path='d']",
                r"Adding directory (S\a)",
                r"Adding file (S\a-b)",
                r"Adding file (S\a\c)",
            ],
        );
    }

    #[test]
    fn built_in_rules() {
        check(
            "a:1@0",
            "a:2@9 b/c:1",
            &["+DoNotDeleteRule", "+SkipNewerFilesRule"],
            &[
                r"Skipping delete of directory (S\b): DoNotDeleteRule",
                r"Skipping update of file (S\a): SkipNewerFilesRule",
            ],
        );
        let problems = plan("", "a:1", &options(&[])).unwrap_err();
        assert_eq!(problems[0].code, "sync-would-empty-destination");
        check(
            "",
            "a:1",
            &["-BlockHarmfulDeleteOperations"],
            &[r"Deleting file (S\a)"],
        );
        let conflict = plan("a/b:1", "a:1", &options(&["+DoNotDeleteRule"])).unwrap_err();
        assert_eq!(conflict[0].code, "sync-kind-conflict");
    }

    #[test]
    fn replace_rules_rename() {
        check(
            "conf/x.config:1",
            "",
            &[
                r"objectName=filePath,match=\.config$,replace=.bak",
                "objectName=dirPath,match=^conf$,replace=etc",
            ],
            &[r"Adding directory (S\etc)", r"Adding file (S\etc\x.bak)"],
        );
        for (rule, source, code) in [
            (
                "objectName=filePath,match=x,replace=../x",
                "x:1",
                "replace-rule-name",
            ),
            (
                "objectName=filePath,match=x,replace=",
                "x:1",
                "replace-rule-name",
            ),
            (
                "objectName=filePath,match=^.$,replace=z",
                "x:1 y:1",
                "sync-name-collision",
            ),
        ] {
            let problems = plan(source, "", &options(&[rule])).unwrap_err();
            assert_eq!(problems[0].code, code, "{rule}");
        }
    }

    #[test]
    fn providers_are_reported_with_what_rules_say() {
        let providers = [
            ProviderObject::new("runCommand", "a.cmd"),
            ProviderObject::new("setAcl", "S/data").reported("needs Windows"),
            ProviderObject::new("setAcl", "S/other"),
        ];
        let options = options(&[
            "objectName=setAcl,absolutePath=other$",
            "objectName=runCommand,match=^a,replace=b",
        ]);
        let plan = Plan::new(&[], &providers, &options).unwrap();
        let text: Vec<String> = plan.operations.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "Adding runCommand (b.cmd)",
                "Adding setAcl (S/data): needs Windows",
                "Adding setAcl (S/other): skipped by objectName=setAcl,absolutePath=other$",
            ]
        );
    }
}
