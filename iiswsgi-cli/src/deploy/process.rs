//! Programs run for their effect: their output shown with `-v`, else kept and shown when they fail.

use std::io::{Read, Write as _};
use std::process::{Child, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::deploy::process_group::ProcessGroup;
use crate::error::{Error, Result};

/// How many of its last lines a failed program's message shows.
const SHOWN_LINES: usize = 30;

/// How often a running program is asked whether it has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The variable by which a Python program is told how to write: we read UTF-8.
const PYTHON_ENCODING: &str = "PYTHONIOENCODING";

/// A program with its arguments, working directory and additional environment variables.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    program: String,
    arguments: Vec<String>,
    folder: Option<Utf8PathBuf>,
    variables: Vec<(String, String)>,
    shown: bool,
    /// Whether what the program starts in turn may outlive it.
    outlived: bool,
}

/// How long a program may take: so many attempts of one interval each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) attempts: u32,
    pub(crate) interval: Duration,
}

/// What a program did.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it wrote to standard output.
    pub(crate) stdout: String,
    /// What it wrote to standard error; empty where it was shown already.
    pub(crate) stderr: String,
    /// Whether all that it wrote was shown already.
    shown: bool,
}

impl Process {
    pub(crate) fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            folder: None,
            variables: Vec::new(),
            shown: false,
            outlived: false,
        }
    }

    pub(crate) fn args<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn folder(mut self, folder: &Utf8Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    pub(crate) fn variables<'a>(
        mut self,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        self.variables.extend(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        self
    }

    /// Shows what the program writes as it comes, on standard error and unless `-q` was given: for one that takes a while.
    pub(crate) fn shown(mut self) -> Self {
        self.shown = true;
        self
    }

    /// Lets what the program starts in turn go on when the program itself has to be ended.
    pub(crate) fn outlived(mut self, outlived: bool) -> Self {
        self.outlived = outlived;
        self
    }

    /// The command as a user would type it.
    pub(crate) fn command_line(&self) -> String {
        std::iter::once(&self.program)
            .chain(&self.arguments)
            .map(|word| quote(word))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Runs the program and returns what it did, whatever its exit code.
    pub(crate) fn outcome(&self, context: &Context) -> Result<Outcome> {
        self.run_to_its_end(None, context)
    }

    /// Runs the program and returns what it did, without showing its output even with `-v`: it may hold secrets.
    pub(crate) fn unshown_outcome(&self, context: &Context) -> Result<Outcome> {
        context.detail(format_args!("$ {}", self.command_line()));
        let mut command = std::process::Command::new(&self.program);
        let output = command
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()?;
        Ok(Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::new(),
            shown: true,
        })
    }

    /// Runs the program, ends it when it has taken too long, and returns what it did.
    ///
    /// # Errors
    ///
    /// It could not be started, or took too long.
    pub(crate) fn outcome_within(&self, patience: Patience, context: &Context) -> Result<Outcome> {
        self.run_to_its_end(Some(patience), context)
    }

    fn run_to_its_end(&self, patience: Option<Patience>, context: &Context) -> Result<Outcome> {
        context.detail(format_args!("$ {}", self.command_line()));
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        // On Windows a Python whose output is no console writes the system's code page, and fails where that lacks a letter.
        if cfg!(windows) && context.environment.get(PYTHON_ENCODING).is_none() {
            command.env(PYTHON_ENCODING, "utf-8");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let shown = self.shown && context.verbosity >= 0;
        command.stderr(if shown || context.verbosity > 0 {
            Stdio::inherit()
        } else {
            Stdio::piped()
        });
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let started = if patience.is_some() {
            ProcessGroup::spawn(&mut command).map(|(child, group)| (child, Some(group)))
        } else {
            command.spawn().map(|child| (child, None))
        };
        let (mut child, group) = started.map_err(|error| {
            Error::new(format!("cannot start `{}`: {error}", self.program))
                .help("check that the program is installed and that you may run it")
        })?;
        let stdout = collect(child.stdout.take(), shown);
        let stderr = collect(child.stderr.take(), false);
        let status = match patience {
            None => child.wait()?,
            Some(patience) => self.wait(&mut child, group.as_ref(), patience, context)?,
        };
        let outcome = Outcome {
            code: status.code(),
            stdout: text(stdout),
            stderr: text(stderr),
            shown,
        };
        if !outcome.stdout.is_empty() && !shown {
            context.detail(outcome.stdout.trim_end());
        }
        Ok(outcome)
    }

    fn wait(
        &self,
        child: &mut Child,
        group: Option<&ProcessGroup>,
        patience: Patience,
        context: &Context,
    ) -> Result<std::process::ExitStatus> {
        let start = Instant::now();
        let mut attempt = 0;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if start.elapsed() >= patience.interval.saturating_mul(attempt) {
                if attempt == patience.attempts {
                    break;
                }
                attempt += 1;
                context.detail(format_args!(
                    "waiting: attempt {attempt} of {}",
                    patience.attempts
                ));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        if let Some(group) = group.filter(|_| !self.outlived) {
            group.end();
        }
        child.kill()?;
        child.wait()?;
        Err(Error::new(format!(
            "`{}` had not ended after {:?}",
            self.command_line(),
            patience.interval.saturating_mul(patience.attempts)
        )))
    }

    /// Runs the program and returns its standard output.
    ///
    /// # Errors
    ///
    /// It could not be started, or ended with another exit code than 0; the error then shows its last lines.
    pub(crate) fn run(&self, context: &Context) -> Result<String> {
        let outcome = self.outcome(context)?;
        if outcome.code == Some(0) {
            Ok(outcome.stdout)
        } else {
            Err(self.failure(&outcome))
        }
    }

    /// The error for an outcome that is not a success.
    pub(crate) fn failure(&self, outcome: &Outcome) -> Error {
        let status = outcome
            .code
            .map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        let output = format!("{}{}", outcome.stdout, outcome.stderr);
        let lines: Vec<&str> = output
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let shown = lines.len().saturating_sub(SHOWN_LINES);
        let error = Error::new(format!("`{}` ended with {status}", self.command_line()));
        if lines.is_empty() || outcome.shown {
            error
        } else {
            error.help(format!("its output ended:\n{}", lines[shown..].join("\n")))
        }
    }
}

/// Reads a stream to its end in a thread of its own, so that the program never waits for us; shows it as it comes.
fn collect<R: Read + Send + 'static>(
    stream: Option<R>,
    shown: bool,
) -> Option<JoinHandle<Vec<u8>>> {
    let mut stream = stream?;
    Some(std::thread::spawn(move || {
        let mut octets = Vec::new();
        let mut buffer = [0; 8192];
        loop {
            let len = match stream.read(&mut buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                // What was read before a fault is all there is to show.
                Ok(0) | Err(_) => break,
                Ok(len) => len,
            };
            octets.extend_from_slice(&buffer[..len]);
            if shown {
                // A closed standard error is no reason to stop reading.
                let _ = anstream::stderr().write_all(&buffer[..len]);
            }
        }
        octets
    }))
}

fn text(reader: Option<JoinHandle<Vec<u8>>>) -> String {
    reader
        .and_then(|reader| reader.join().ok())
        .map_or_else(String::new, |octets| {
            String::from_utf8_lossy(&octets).into_owned()
        })
}

/// Quoted as a POSIX shell reads it; on Windows as its programs do.
pub(crate) fn quote(word: &str) -> String {
    if cfg!(windows) {
        return iis_config::command_line::quote_argument(word);
    }
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "-_./:=@%+,".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
