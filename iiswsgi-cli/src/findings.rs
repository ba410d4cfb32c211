//! What a check found: the result of a command, not its failure.

use std::fmt;

use annotate_snippets::Renderer;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use spanned_xml::{Problem, Problems, Severity};

use crate::context::Context;
use crate::diagnostics;
use crate::error::{Error, Result};

/// The findings of a check, file by file.
#[derive(Clone, Debug)]
pub(crate) struct Findings {
    /// What was checked.
    subject: String,
    files: Vec<Problems>,
    renderer: Renderer,
}

impl Findings {
    /// Those that are worth saying: notes only with `-v`.
    pub(crate) fn new(
        subject: impl Into<String>,
        mut files: Vec<Problems>,
        context: &Context,
    ) -> Self {
        let least = if context.verbosity > 0 {
            Severity::Note
        } else {
            Severity::Warning
        };
        for file in &mut files {
            file.problems.retain(|problem| problem.severity >= least);
        }
        Self::with_notes(subject, files, context)
    }

    /// All of them.
    pub(crate) fn with_notes(
        subject: impl Into<String>,
        files: Vec<Problems>,
        context: &Context,
    ) -> Self {
        Self {
            subject: subject.into(),
            files,
            renderer: context.renderer.clone(),
        }
    }

    /// Writes them to standard output.
    ///
    /// # Errors
    ///
    /// [`Error::Reported`] where one of them is an error: the command's exit status is 1 then.
    pub(crate) fn report(&self, context: &Context) -> Result<()> {
        context.report(self)?;
        if self.count(Severity::Error) > 0 {
            Err(Error::Reported)
        } else {
            Ok(())
        }
    }

    fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.files.iter().flat_map(|file| &file.problems)
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.problems()
            .filter(|problem| problem.severity == severity)
            .count()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            for problem in &file.problems {
                let drawn = diagnostics::render_problem(&file.source, problem, &self.renderer);
                writeln!(f, "{drawn}\n")?;
            }
        }
        let counted = |severity: Severity| {
            let count = self.count(severity);
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} {severity}{plural}")
        };
        write!(
            f,
            "{}: {}, {}",
            self.subject,
            counted(Severity::Error),
            counted(Severity::Warning)
        )?;
        if self.count(Severity::Note) > 0 {
            write!(f, ", {}", counted(Severity::Note))?;
        }
        writeln!(f)
    }
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let findings: Vec<_> = self
            .files
            .iter()
            .flat_map(|file| {
                file.problems
                    .iter()
                    .map(|problem| diagnostics::problem_to_json(&file.source, problem))
            })
            .collect();
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("checked", &self.subject)?;
        map.serialize_entry("errors", &self.count(Severity::Error))?;
        map.serialize_entry("warnings", &self.count(Severity::Warning))?;
        map.serialize_entry("findings", &findings)?;
        map.end()
    }
}
