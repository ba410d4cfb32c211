//! The list of files while the commands change it.

use std::collections::HashMap;
use std::sync::Arc;

use spanned_xml::{Problem, nearest};

use super::command::{Action, Command, Template};
use super::defaults::{DefaultRule, PruneRule};
use super::dialect::Dialect;
use super::explain::{Explanation, Origin, Step};
use super::glob::Pattern;
use super::line::Word;
use super::tree::{Tree, join};

/// A name that some rule has met.
#[derive(Clone, Debug)]
struct Candidate {
    /// As the rule spelled it: setuptools' `recursive-include . *` names `./README`, which its
    /// later patterns do not match as `README`.
    name: String,
    taken: bool,
    steps: Vec<Step>,
}

/// The files that are distributed, and why.
#[derive(Clone, Debug)]
pub struct FileList {
    dialect: Dialect,
    /// All files, in the caller's order.
    all: Vec<String>,
    tree: Tree,
    candidates: Vec<Candidate>,
    by_name: HashMap<String, usize>,
}

impl FileList {
    /// An empty list over a project's files: relative paths with forward slashes, without `.` and
    /// `..`.
    #[must_use]
    pub fn new<'a>(dialect: Dialect, files: impl IntoIterator<Item = &'a str>) -> Self {
        let all: Vec<String> = files.into_iter().map(str::to_owned).collect();
        let tree = Tree::new(all.iter().map(String::as_str));
        Self {
            dialect,
            all,
            tree,
            candidates: Vec::new(),
            by_name: HashMap::new(),
        }
    }

    /// Runs a template's commands in order; each that finds nothing is a warning.
    pub fn apply(&mut self, template: &Template) -> Vec<Problem> {
        let mut problems = Vec::new();
        for command in template.commands() {
            self.run(&Arc::new(command.clone()), &mut problems);
        }
        problems
    }

    /// The distributed files as paths of the project, without duplicates, by folder and then by
    /// name.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = self
            .names()
            .into_iter()
            .filter_map(|name| self.tree.resolve(name))
            .collect();
        sort(&mut files);
        files
    }

    /// The distributed files as the dialect spells them, without duplicates, by folder and then by
    /// name: setuptools keeps `./README` and `folder/../README` as they were found.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .candidates
            .iter()
            .filter(|candidate| candidate.taken)
            .map(|candidate| candidate.name.as_str())
            .collect();
        sort(&mut names);
        names
    }

    /// Why a file is distributed or not. The path is one of the project's, with forward slashes.
    #[must_use]
    pub fn explain(&self, path: &str) -> Explanation {
        let resolved = self.tree.resolve(path);
        let same = |candidate: &&Candidate| {
            candidate.name == path
                || resolved.is_some() && self.tree.resolve(&candidate.name) == resolved
        };
        let found: Vec<&Candidate> = self.candidates.iter().filter(same).collect();
        let exists = self.tree.is_file(path);
        let near = if exists {
            Vec::new()
        } else {
            nearest(path, self.all.iter().map(String::as_str), 3)
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        Explanation {
            path: path.to_owned(),
            exists,
            near,
            taken: found.iter().any(|candidate| candidate.taken),
            steps: found
                .iter()
                .flat_map(|candidate| candidate.steps.clone())
                .collect(),
        }
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Takes in what a recorded list names and the project has; whether it has it.
    pub(super) fn take_recorded(&mut self, path: &str, origin: &Origin) -> bool {
        let found = self
            .tree
            .resolve(path)
            .filter(|path| self.tree.is_file(path));
        let there = found.is_some();
        if let Some(path) = found {
            self.set(path, true, origin);
        }
        there
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.tree.is_file(path)
    }

    /// Takes in a file by a default rule, if the project has it.
    pub(super) fn take(&mut self, path: &str, rule: DefaultRule) {
        if let Some(path) = self
            .tree
            .resolve(path)
            .filter(|path| self.tree.is_file(path))
        {
            self.set(path, true, &Origin::Default(rule));
        }
    }

    /// Takes in what a glob finds, by a default rule.
    pub(super) fn take_matching(&mut self, pattern: &str, rule: DefaultRule) {
        for path in self.tree.glob(pattern, true) {
            self.take(&path, rule);
        }
    }

    /// Takes out by a pruning rule.
    pub(super) fn drop_where(&mut self, rule: PruneRule, matches: impl Fn(&str) -> bool) {
        self.drop_by(&Origin::Prune(rule), matches);
    }

    fn set(&mut self, name: String, taken: bool, origin: &Origin) {
        let index = *self.by_name.entry(name).or_insert_with_key(|name| {
            self.candidates.push(Candidate {
                name: name.clone(),
                taken: false,
                steps: Vec::new(),
            });
            self.candidates.len() - 1
        });
        let candidate = &mut self.candidates[index];
        if candidate.taken != taken {
            candidate.taken = taken;
            candidate.steps.push(Step {
                taken,
                origin: origin.clone(),
            });
        }
    }

    fn drop_by(&mut self, origin: &Origin, matches: impl Fn(&str) -> bool) -> bool {
        let mut found = false;
        for candidate in self
            .candidates
            .iter_mut()
            .filter(|candidate| candidate.taken)
        {
            if matches(&candidate.name) {
                candidate.taken = false;
                candidate.steps.push(Step {
                    taken: false,
                    origin: origin.clone(),
                });
                found = true;
            }
        }
        found
    }

    fn run(&mut self, command: &Arc<Command>, problems: &mut Vec<Problem>) {
        let folder = command.folder.as_ref().map(|word| self.spelled(word));
        if let Some(folder) = folder.as_deref().filter(|_| command.patterns.is_empty()) {
            let word = command.folder.as_ref();
            let found = self.run_pattern(command, Some(folder), None, word, problems);
            if !found {
                problems.push(self.nothing_found(command, Some(folder), "", word));
            }
            return;
        }
        for word in &command.patterns {
            let pattern = self.spelled(word);
            if !self.run_pattern(
                command,
                folder.as_deref(),
                Some(&pattern),
                Some(word),
                problems,
            ) {
                problems.push(self.nothing_found(command, folder.as_deref(), &pattern, Some(word)));
            }
        }
    }

    /// The word as the dialect uses it: setuptools takes off `./` and trailing slashes first.
    fn spelled(&self, word: &Word) -> String {
        match self.dialect {
            Dialect::Distutils => word.text.clone(),
            Dialect::Setuptools => pure_path(&word.text),
        }
    }

    /// Runs a command for one pattern; whether it found anything.
    fn run_pattern(
        &mut self,
        command: &Arc<Command>,
        folder: Option<&str>,
        pattern: Option<&str>,
        word: Option<&Word>,
        problems: &mut Vec<Problem>,
    ) -> bool {
        let origin = Origin::Command(Arc::clone(command));
        if !command.action.takes_in() {
            let compiled = self.compile(command.action, folder, pattern);
            return self.drop_by(&origin, |name| compiled.matches(name));
        }
        let found: Vec<String> = match (self.dialect, command.action, pattern) {
            (Dialect::Setuptools, Action::Include, Some(pattern)) => self.tree.glob(pattern, false),
            (Dialect::Setuptools, Action::RecursiveInclude, Some(pattern)) => self.tree.glob(
                &join(&join(folder.unwrap_or_default(), "**"), pattern),
                true,
            ),
            (Dialect::Setuptools, Action::Graft, _) => self
                .tree
                .glob(folder.unwrap_or_default(), false)
                .iter()
                .flat_map(|folder| self.tree.walk(folder))
                .collect(),
            _ => {
                let compiled = self.compile(command.action, folder, pattern);
                self.all
                    .iter()
                    .filter(|name| compiled.matches(name))
                    .cloned()
                    .collect()
            }
        };
        let mut any = false;
        for name in found {
            if !self.tree.is_file(&name) {
                continue;
            }
            if self.tree.resolve(&name).is_none() {
                let message = format!("`{name}` is outside of the project");
                let mut problem = Problem::error("manifest-in-outside-project", message);
                problem.span = word.map(|word| word.span);
                problems.push(problem.help("copy it into the project"));
            }
            self.set(name, true, &origin);
            any = true;
        }
        any
    }

    fn compile(&self, action: Action, folder: Option<&str>, pattern: Option<&str>) -> Pattern {
        let folder = folder.unwrap_or_default();
        let pattern = pattern.unwrap_or_default();
        match (self.dialect, action) {
            (Dialect::Distutils, Action::Include | Action::Exclude) => {
                Pattern::distutils_anchored(pattern)
            }
            (Dialect::Distutils, Action::GlobalInclude | Action::GlobalExclude) => {
                Pattern::distutils_unanchored(pattern)
            }
            (Dialect::Distutils, _) => Pattern::distutils_under(folder, pattern),
            (Dialect::Setuptools, Action::Include | Action::Exclude) => {
                Pattern::setuptools(pattern)
            }
            (Dialect::Setuptools, Action::GlobalInclude | Action::GlobalExclude) => {
                Pattern::setuptools(&join("**", pattern))
            }
            (Dialect::Setuptools, Action::RecursiveInclude | Action::RecursiveExclude) => {
                Pattern::setuptools(&join(&join(folder, "**"), pattern))
            }
            (Dialect::Setuptools, Action::Graft | Action::Prune) => {
                Pattern::setuptools(&join(folder, "**"))
            }
        }
    }

    fn nothing_found(
        &self,
        command: &Command,
        folder: Option<&str>,
        pattern: &str,
        word: Option<&Word>,
    ) -> Problem {
        let under = folder.unwrap_or_default();
        let message = match command.action {
            Action::Include => format!("no files found matching `{pattern}`"),
            Action::Exclude => format!("no previously-included files found matching `{pattern}`"),
            Action::GlobalInclude => {
                format!("no files found matching `{pattern}` anywhere in distribution")
            }
            Action::GlobalExclude => format!(
                "no previously-included files matching `{pattern}` found anywhere in distribution"
            ),
            Action::RecursiveInclude => {
                format!("no files found matching `{pattern}` under directory `{under}`")
            }
            Action::RecursiveExclude => format!(
                "no previously-included files matching `{pattern}` found under directory `{under}`"
            ),
            Action::Graft => format!("no directories found matching `{under}`"),
            Action::Prune => format!("no previously-included directories found matching `{under}`"),
        };
        let mut problem = Problem::warning("manifest-in-no-match", message);
        problem.span = word.map(|word| word.span);
        match word.and_then(|word| self.advice(command.action, &word.text)) {
            Some(advice) => problem.help(advice),
            None => problem,
        }
    }

    /// What was probably meant by a pattern that found nothing.
    fn advice(&self, action: Action, written: &str) -> Option<String> {
        if written.contains('\\')
            && self
                .tree
                .glob(&written.replace('\\', "/"), false)
                .iter()
                .any(|path| !path.is_empty())
        {
            return Some("patterns have forward slashes on every system".to_owned());
        }
        let plain = pure_path(written);
        let found = self.tree.glob(&plain, false);
        if plain != written && !found.is_empty() {
            return Some(format!("write `{plain}`"));
        }
        if action == Action::Include && found.iter().any(|path| !self.tree.is_file(path)) {
            return Some(format!("`{plain}` is a folder: write `graft {plain}`"));
        }
        let same = self
            .all
            .iter()
            .find(|file| file.to_lowercase() == plain.to_lowercase());
        same.filter(|file| **file != plain)
            .map(|file| format!("letter case counts: there is `{file}`"))
    }

    #[cfg(test)]
    pub(crate) fn add_outside(&mut self, path: &str) {
        self.tree.add_outside(path);
    }
}

/// `str(PurePosixPath(text))`: without `.` components, doubled and trailing slashes; `..` stays.
fn pure_path(text: &str) -> String {
    let root = match text.len() - text.trim_start_matches('/').len() {
        0 => "",
        // POSIX leaves the meaning of exactly two slashes open; Python keeps them.
        2 => "//",
        _ => "/",
    };
    let components: Vec<&str> = text
        .split('/')
        .filter(|component| !matches!(*component, "" | "."))
        .collect();
    let path = format!("{root}{}", components.join("/"));
    if path.is_empty() {
        ".".to_owned()
    } else {
        path
    }
}

/// sdist's order, which is not that of the whole strings: by folder, then by name.
fn sort<T: AsRef<str> + Ord>(names: &mut Vec<T>) {
    fn key(name: &str) -> (&str, &str) {
        name.rsplit_once('/')
            .map_or(("", name), |(folder, name)| (folder, name))
    }
    names.sort_by(|a, b| key(a.as_ref()).cmp(&key(b.as_ref())));
    names.dedup();
}
