//! What is wrong with a file: codes, positions and help, without a way of drawing them.

use core::fmt;

use crate::{Source, Span};

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Probably not what was meant; the work goes on.
    Warning,
    /// The file cannot be used as it is.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One thing that is wrong with a file.
///
/// The message is one lowercase fragment with literals in backticks and no full stop. The code is stable, kebab-case,
/// and unique over the workspace, so that it can be looked up and filtered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Stable kebab-case code, for example `parameter-duplicate-name`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where, if it has a place.
    pub span: Option<Span>,
    /// Other places that matter, each with a word on why: the first of two duplicates, for example.
    pub related: Vec<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            message: message.into(),
            span: None,
            related: Vec::new(),
            help: None,
        }
    }

    /// A problem that makes the file unusable.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A problem that does not stop the work.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// Something worth knowing.
    #[must_use]
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    /// Says where the problem is.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Adds another place that matters, with a word on why.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether the problem makes the file unusable.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The problem together with the file it is about.
    #[must_use]
    pub fn in_source(self, source: &Source) -> Problems {
        Problems {
            source: source.clone(),
            problems: vec![self],
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, " (help: {help})")?;
        }
        Ok(())
    }
}

impl core::error::Error for Problem {}

/// All that is wrong with one file.
#[derive(Clone, Debug)]
pub struct Problems {
    /// The file.
    pub source: Source,
    /// The problems, in the order they were found.
    pub problems: Vec<Problem>,
}

impl Problems {
    /// `value` if none of the problems is an error, with what is left to say; otherwise the problems.
    ///
    /// # Errors
    ///
    /// The problems, where at least one of them is an error.
    pub fn or_value<T>(
        source: &Source,
        problems: Vec<Problem>,
        value: T,
    ) -> Result<(T, Vec<Problem>), Self> {
        if problems.iter().any(Problem::is_error) {
            Err(Self {
                source: source.clone(),
                problems,
            })
        } else {
            Ok((value, problems))
        }
    }

    /// Whether one of the problems makes the file unusable.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }
}

impl fmt::Display for Problems {
    /// One line a problem, as compilers write it: `name:line:column: severity[code]: message`, then its help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            f.write_str(self.source.name())?;
            if let Some(span) = problem.span {
                write!(f, ":{}", self.source.line_column(span.start))?;
            }
            write!(
                f,
                ": {}[{}]: {}",
                problem.severity, problem.code, problem.message
            )?;
            for (span, label) in &problem.related {
                write!(f, "\n  {}: {label}", self.source.line_column(span.start))?;
            }
            if let Some(help) = &problem.help {
                write!(f, "\n  help: {help}")?;
            }
        }
        Ok(())
    }
}

impl core::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_file_line_and_column() {
        let source = Source::from_text("a.xml", "one\ntwo é x");
        let problem = Problem::error("some-code", "unexpected `x`")
            .at(Span::new(11, 12))
            .related(Span::new(0, 3), "first here")
            .help("remove it");
        assert_eq!(
            problem.in_source(&source).to_string(),
            "a.xml:2:7: error[some-code]: unexpected `x`\n  1:1: first here\n  help: remove it"
        );
    }
}
