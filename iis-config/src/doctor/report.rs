//! What an examination gives, and the hand that writes it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use spanned_xml::Problem;

use super::machine::{Machine, PathFact, PathKind};

/// The file, or else the thing, that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// [`super::Inputs::application_host`]; spans are in it.
    ApplicationHost,
    /// The file of this index in [`super::Inputs::web_configs`]; spans are in it.
    WebConfig(usize),
    /// The machine; there are no spans.
    Machine,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// What is wrong, where, and what to do. Notes tell what is worth knowing and what was not checked.
    pub problem: Problem,
}

/// A place where something may have been logged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Log {
    /// Whose log it is, for people.
    pub of: String,
    /// The file or folder, variables expanded where they are known.
    pub path: String,
    /// The newest lines; none where the machine does not know the place.
    pub newest: Option<Vec<String>>,
}

/// What an examination would like to know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Question {
    /// The path, as Windows or Unix spells it.
    pub path: String,
    /// What about it.
    pub wants: Wants,
}

/// What a [`Question`] is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Wants {
    /// [`PathFact::kind`] is enough.
    Kind,
    /// The text of the file in [`PathFact::text`].
    Text,
    /// The last lines of the file, or of the newest file in the folder, in [`PathFact::text`].
    NewestLines,
    /// Its security descriptor in [`PathFact::access`].
    Access,
}

/// What an examination gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What was found: by subject, then by place.
    pub findings: Vec<Finding>,
    /// Where to look further.
    pub logs: Vec<Log>,
    /// What the machine did not answer, sorted.
    pub questions: Vec<Question>,
}

impl Report {
    /// Whether anything of it keeps the application from working.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.problem.is_error())
    }
}

/// The findings so far, with the machine that they ask.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) machine: &'a Machine,
    findings: Vec<Finding>,
    /// What tells findings apart: subject, code, where it begins, message.
    told: HashSet<(Subject, &'static str, Option<usize>, String)>,
    logs: Vec<Log>,
    log_paths: HashSet<String>,
    questions: BTreeMap<String, Wants>,
    /// Paths of which the machine knows nothing.
    unknown: BTreeSet<String>,
}

impl<'a> Found<'a> {
    pub(super) fn new(machine: &'a Machine) -> Self {
        Self {
            machine,
            findings: Vec::new(),
            told: HashSet::new(),
            logs: Vec::new(),
            log_paths: HashSet::new(),
            questions: BTreeMap::new(),
            unknown: BTreeSet::new(),
        }
    }

    pub(super) fn push(&mut self, subject: Subject, problem: Problem) {
        // Sections that apply to several places would say the same each time.
        let start = problem.span.map(|span| span.start);
        let key = (subject, problem.code, start, problem.message.clone());
        if self.told.insert(key) {
            self.findings.push(Finding { subject, problem });
        }
    }

    pub(super) fn extend(&mut self, subject: Subject, problems: Vec<Problem>) {
        problems
            .into_iter()
            .for_each(|problem| self.push(subject, problem));
    }

    /// What the machine knows of `path`, and asks it where it knows nothing yet.
    pub(super) fn ask(&mut self, path: &str, wants: Wants) -> Option<&'a PathFact> {
        let fact = self.machine.paths.get(path);
        if fact.is_none() {
            let asked = self.questions.entry(path.to_owned()).or_insert(wants);
            *asked = wants.max(*asked);
        }
        fact
    }

    /// What is at `path`; none where that is not known, which is remembered to be said.
    pub(super) fn kind(&mut self, path: &str) -> Option<PathKind> {
        let kind = self
            .ask(path, Wants::Kind)
            .map(|fact| fact.kind)
            .filter(|&kind| kind != PathKind::Unknown);
        if kind.is_none() {
            self.unknown.insert(path.to_owned());
        }
        kind
    }

    pub(super) fn is_missing(&mut self, path: &str) -> bool {
        self.kind(path) == Some(PathKind::Missing)
    }

    /// Notes a place for logs.
    pub(super) fn log(&mut self, of: impl Into<String>, path: &str) {
        if !self.log_paths.insert(path.to_owned()) {
            return;
        }
        let newest = self
            .ask(path, Wants::NewestLines)
            .filter(|fact| fact.kind != PathKind::Unknown)
            .map(|fact| {
                let text = fact.text.as_deref().unwrap_or_default();
                text.lines().map(str::to_owned).collect()
            });
        self.logs.push(Log {
            of: of.into(),
            path: path.to_owned(),
            newest,
        });
    }

    pub(super) fn into_report(mut self) -> Report {
        if !self.unknown.is_empty() {
            let paths: Vec<String> = self
                .unknown
                .iter()
                .map(|path| format!("`{path}`"))
                .collect();
            self.push(
                Subject::Machine,
                Problem::note(
                    "iis-path-not-checked",
                    format!(
                        "not checked, since they are not among the files at hand: {}",
                        paths.join(", ")
                    ),
                )
                .help("run `iiswsgi iis doctor` on the machine itself, or copy these files too"),
            );
        }
        self.findings
            .sort_by_key(|finding| (finding.subject, finding.problem.span.map(|span| span.start)));
        Report {
            findings: self.findings,
            logs: self.logs,
            questions: self
                .questions
                .into_iter()
                .map(|(path, wants)| Question { path, wants })
                .collect(),
        }
    }
}
