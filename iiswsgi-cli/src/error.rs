//! What can go wrong in a command, and the exit status it gives.

use std::process::ExitCode;

use spanned_xml::{Problem, Problems, Source};
use webpi_feed::FeedReadError;

/// The command's exit statuses; they are part of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitStatus {
    /// 0: done.
    Ok,
    /// 1: something was wrong with the input or the machine; the message says what.
    Failure,
    /// 2: the command line was wrong.
    Usage,
}

impl ExitStatus {
    /// The status as a number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failure => 1,
            Self::Usage => 2,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Files that somebody wrote have faults; all of them, file by file.
    #[error("{}", join(.0))]
    Problems(Vec<Problems>),
    /// Anything else that a person can put right.
    #[error("{message}")]
    Failed {
        /// One lowercase fragment, literals in backticks.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// A check found errors, and they have been reported as its result.
    #[error("errors were found")]
    Reported,
    /// A file or a stream could not be read or written; the message names it.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Error {
    /// A message that may end with ` (help: …)`, as the errors of the library crates do.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        let parts = message
            .strip_suffix(')')
            .and_then(|message| message.rsplit_once(" (help: "));
        let (message, help) = parts.map_or((message.as_str(), None), |(message, help)| {
            (message, Some(help.to_owned()))
        });
        Self::Failed {
            message: message.to_owned(),
            help,
        }
    }

    /// Says what to do about it; a help that is there already stays.
    pub(crate) fn help(self, text: impl Into<String>) -> Self {
        match self {
            Self::Failed { message, help } => Self::Failed {
                message,
                help: help.or_else(|| Some(text.into())),
            },
            Self::Io(error) => Self::Failed {
                message: error.to_string(),
                help: Some(text.into()),
            },
            other @ (Self::Problems(_) | Self::Reported) => other,
        }
    }

    /// Says what else to do about it, behind the help that is there already.
    pub(crate) fn further_help(self, text: &str) -> Self {
        match self {
            Self::Failed {
                message,
                help: Some(help),
            } => Self::Failed {
                message,
                help: Some(format!("{help}\n{text}")),
            },
            other => other.help(text),
        }
    }

    /// What to do about a file that could not be read or written, where that can be known.
    pub(crate) fn io_help(error: &std::io::Error) -> Option<&'static str> {
        use std::io::ErrorKind as Kind;
        match error.kind() {
            Kind::PermissionDenied => {
                Some("run it as an account that may do that, or name another place")
            }
            Kind::ReadOnlyFilesystem => Some("name a place that can be written to"),
            Kind::StorageFull | Kind::QuotaExceeded => Some("make room there, and run it again"),
            // Windows gives the second where a folder was to be made.
            Kind::NotADirectory | Kind::AlreadyExists => {
                Some("a file is where a folder has to be: name another place, or move the file")
            }
            _ => None,
        }
    }

    pub(crate) fn problem(problem: Problem, source: &Source) -> Self {
        Self::Problems(vec![problem.in_source(source)])
    }
}

impl From<FeedReadError> for Error {
    fn from(error: FeedReadError) -> Self {
        match error {
            FeedReadError::Problems(problems) => problems.into(),
            error => Self::new(error.to_string()),
        }
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::Problems(vec![problems])
    }
}

fn join(files: &[Problems]) -> String {
    files
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_of_a_librarys_error_is_told_apart() {
        for (text, message, help) in [
            ("no site (help: add one)", "no site", Some("add one")),
            ("no site (none)", "no site (none)", None),
            ("no site", "no site", None),
        ] {
            let Error::Failed {
                message: found,
                help: found_help,
            } = Error::new(text)
            else {
                unreachable!("it is made so")
            };
            assert_eq!((found.as_str(), found_help.as_deref()), (message, help));
        }
    }
}
