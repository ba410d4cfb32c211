//! What every command is given: who started it, how to talk, and the environment it was started in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{IsTerminal, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use annotate_snippets::Renderer;
use camino::Utf8PathBuf;
use serde::Serialize;
use spanned_xml::{Problem, Severity, Source};

use crate::diagnostics;
use crate::error::{Error, Result};

/// The program that the command runs in.
#[derive(Clone, Debug)]
pub struct Host {
    /// The Python interpreter that runs us, where we are part of a wheel.
    pub(crate) python: Option<Utf8PathBuf>,
    /// How to start the command again: program and first arguments.
    pub(crate) command: Vec<String>,
    /// What setuptools has written of the project that it runs for: its `.egg-info` folder.
    pub(crate) egg_info: Option<Utf8PathBuf>,
}

impl Host {
    /// The `iiswsgi` program itself.
    #[must_use]
    pub fn native() -> Self {
        let program = std::env::current_exe().map_or_else(
            |_| "iiswsgi".to_owned(),
            |path| path.to_string_lossy().into_owned(),
        );
        Self {
            python: None,
            command: vec![program],
            egg_info: None,
        }
    }

    /// The wheel, run by the interpreter at `executable`.
    #[must_use]
    pub fn python(executable: &str) -> Self {
        Self {
            python: Some(executable.into()),
            command: vec![executable.to_owned(), "-m".to_owned(), "iiswsgi".to_owned()],
            egg_info: None,
        }
    }

    /// Takes what setuptools has written of a project, its `.egg-info` folder, for what the project says of itself.
    #[must_use]
    pub fn with_egg_info(self, folder: Option<&str>) -> Self {
        Self {
            egg_info: folder.map(Utf8PathBuf::from),
            ..self
        }
    }
}

/// How a command's result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people and shell pipelines.
    #[default]
    Text,
    /// For programs: one JSON object on standard output.
    Json,
}

/// What a command needs besides its own arguments.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) host: Host,
    /// The command line without the program's name.
    pub(crate) arguments: Vec<OsString>,
    pub(crate) format: Format,
    /// `-q` counts down, `-v` counts up.
    pub(crate) verbosity: i8,
    pub(crate) renderer: Renderer,
    pub(crate) environment: Environment,
    pub(crate) skipped: Skipped,
    /// Where the result goes instead of standard output, for a caller that is a program.
    pub(crate) captured: Option<Mutex<String>>,
}

/// What is left out because a piece of Windows, or something else that a machine may well not have, is not there.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    /// Whether each is an error.
    strict: AtomicBool,
    steps: Mutex<Vec<String>>,
}

/// What the command line says about it.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct StrictArgs {
    /// Fail where something would be left out because this machine does not have what it needs, such as IIS
    #[arg(long, env = Skipped::VARIABLE, value_parser = clap::builder::FalseyValueParser::new())]
    strict: bool,
}

impl StrictArgs {
    /// Has [`Context::skip`] fail from now on, where that is asked for.
    pub(crate) fn apply(self, context: &Context) {
        context.skipped.strict.store(self.strict, Ordering::Relaxed);
    }
}

impl Skipped {
    /// The variable by which the commands that a command starts are told.
    pub(crate) const VARIABLE: &'static str = "IISWSGI_STRICT";

    pub(crate) fn is_strict(&self) -> bool {
        self.strict.load(Ordering::Relaxed)
    }
}

impl Context {
    /// What a command that was called with these arguments, program name first, needs.
    pub(crate) fn new(args: Vec<OsString>, host: Host) -> Self {
        Self {
            host,
            arguments: args.into_iter().skip(1).collect(),
            format: Format::default(),
            verbosity: 0,
            // anstream takes the colours away again where they are not wanted.
            renderer: Renderer::styled(),
            environment: Environment::of_this_process(),
            skipped: Skipped::default(),
            captured: None,
        }
    }

    /// Leaves a step out, since `reason`: one line, and one in the summary at the end.
    ///
    /// # Errors
    ///
    /// With `--strict`.
    pub(crate) fn skip(&self, step: &str, reason: impl Display, help: &str) -> Result<()> {
        if self.skipped.is_strict() {
            return Err(Error::new(format!("{step} is not possible: {reason}"))
                .help(format!("{help}; or leave out `--strict`")));
        }
        let line = format!("{step}: {reason} ({help})");
        self.say(format_args!("skipped: {line}"));
        let mut steps = self
            .skipped
            .steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !steps.contains(&line) {
            steps.push(line);
        }
        Ok(())
    }

    /// Says at the end what was left out.
    pub(crate) fn summarize_skipped(&self) {
        let steps = self
            .skipped
            .steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let [first, rest @ ..] = steps.as_slice() {
            self.say(format_args!("{} step(s) skipped:", 1 + rest.len()));
            for step in std::iter::once(first).chain(rest) {
                self.say(format_args!("  - {step}"));
            }
        }
    }

    /// Tells a person what is being done, on standard error; nothing with `-q`.
    pub(crate) fn say(&self, message: impl Display) {
        if self.verbosity >= 0 {
            write_error(&message.to_string());
        }
    }

    /// Tells a person who asked for it with `-v` how it is being done.
    pub(crate) fn detail(&self, message: impl Display) {
        if self.verbosity > 0 {
            write_error(&message.to_string());
        }
    }

    /// Shows problems that do not stop the work; notes only with `-v`.
    pub(crate) fn warn(&self, source: &Source, problems: &[Problem]) {
        let least = match self.verbosity {
            ..=-1 => return,
            0 => Severity::Warning,
            _ => Severity::Note,
        };
        for problem in problems.iter().filter(|problem| problem.severity >= least) {
            write_error(&diagnostics::render_problem(
                source,
                problem,
                &self.renderer,
            ));
        }
    }

    /// Writes a command's result to standard output in the format asked for.
    pub(crate) fn report(&self, report: &(impl Display + Serialize)) -> Result<()> {
        let mut text = match self.format {
            Format::Text => report.to_string(),
            Format::Json => serde_json::to_string_pretty(report)
                .map_err(|error| std::io::Error::other(error.to_string()))?,
        };
        if let Some(captured) = &self.captured {
            *captured.lock().unwrap_or_else(PoisonError::into_inner) = text;
            return Ok(());
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        match anstream::stdout().write_all(text.as_bytes()) {
            // Whoever reads the output has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }

    /// SOURCE_DATE_EPOCH, seconds since 1970: the time that everything made now is to carry.
    pub(crate) fn source_date_epoch(&self) -> Result<Option<u64>> {
        let Some(epoch) = self.environment.non_empty("SOURCE_DATE_EPOCH") else {
            return Ok(None);
        };
        epoch.parse().map(Some).map_err(|_| {
            Error::new(format!(
                "SOURCE_DATE_EPOCH is `{epoch}`, which is not a number of seconds"
            ))
            .help("unset it, or set it to seconds since 1970")
        })
    }

    /// Whether a person can be asked.
    pub(crate) fn is_interactive(&self) -> bool {
        self.is_watched() && std::io::stdin().is_terminal()
    }

    /// Whether a person sees what happens while it happens.
    pub(crate) fn is_watched(&self) -> bool {
        self.format == Format::Text && std::io::stderr().is_terminal()
    }
}

/// A closed standard error is no reason to fail.
pub(crate) fn write_error(message: &str) {
    let _ = writeln!(anstream::stderr(), "{message}");
}

/// The environment variables at the start, names compared as Windows does: whatever the case of letters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// By upper-case name; on Unix the spelling that sorts last wins where two differ in case only.
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// The environment of this process; names and values that are not Unicode are left out.
    pub(crate) fn of_this_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut environment = Self::default();
        let mut exact: Vec<(String, String)> = variables.collect();
        exact.sort();
        for (name, value) in exact {
            environment.set(&name, value);
        }
        environment
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(&name.to_uppercase()).map(String::as_str)
    }

    /// Names, in capitals, and values.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let variables = self.variables.iter();
        variables.map(|(name, value)| (name.clone(), value.clone()))
    }

    /// The value, where it is not empty.
    pub(crate) fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_uppercase(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_windows_does() {
        let mut environment = Environment::default();
        environment.set("SystemDrive", "C:");
        environment.set("Empty", "");
        assert_eq!(environment.get("SYSTEMDRIVE"), Some("C:"));
        assert_eq!(environment.non_empty("empty"), None);
    }
}
