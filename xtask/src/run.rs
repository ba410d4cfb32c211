//! Programs started, with the command shown first as a user would type it.

use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

/// Why a step failed, for a person.
pub(crate) type Error = String;
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// A step: a program, its arguments, where it runs and with which variables.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    program: String,
    arguments: Vec<String>,
    folder: Utf8PathBuf,
    variables: Vec<(String, String)>,
}

impl Step {
    pub(crate) fn new(program: impl Into<String>, folder: &Utf8Path) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            folder: folder.to_owned(),
            variables: Vec::new(),
        }
    }

    pub(crate) fn args<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The same, started by another program that takes a command line behind its own `arguments`.
    pub(crate) fn started_by(self, program: &str, arguments: &[&str]) -> Self {
        let own = arguments.iter().map(|&argument| argument.to_owned());
        Self {
            program: program.to_owned(),
            arguments: own.chain([self.program]).chain(self.arguments).collect(),
            ..self
        }
    }

    pub(crate) fn var(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// The command with paths relative to the folder, as a user would type it there.
    pub(crate) fn command_line(&self) -> String {
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| format!("{name}={}", self.word(value)));
        let words = std::iter::once(&self.program)
            .chain(&self.arguments)
            .map(|word| self.word(word));
        variables.chain(words).collect::<Vec<_>>().join(" ")
    }

    fn word(&self, word: &str) -> String {
        let word = word
            .strip_prefix(self.folder.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(word)
            .to_owned();
        let plain =
            |character: char| character.is_ascii_alphanumeric() || "-_./:=@%+,".contains(character);
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Shows the command and runs it, its output going where ours goes.
    pub(crate) fn run(&self) -> Result<()> {
        println!("$ {}", self.command_line());
        let status = self
            .command()
            .stdin(Stdio::null())
            .status()
            .map_err(|error| self.cannot_start(&error))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{}` ended with {status}", self.command_line()))
        }
    }

    /// Shows the command, runs it and returns its standard output, which is shown too.
    pub(crate) fn output(&self) -> Result<String> {
        println!("$ {}", self.command_line());
        let output = self.quiet_output()?;
        print!("{output}");
        Ok(output)
    }

    /// Runs the command without showing anything, and returns its standard output.
    pub(crate) fn quiet_output(&self) -> Result<String> {
        let output = self
            .command()
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| self.cannot_start(&error))?;
        if !output.status.success() {
            return Err(format!(
                "`{}` ended with {}\n{}",
                self.command_line(),
                output.status,
                String::from_utf8_lossy(&output.stdout)
            ));
        }
        String::from_utf8(output.stdout)
            .map_err(|_| format!("`{}` wrote something that is not text", self.command_line()))
    }

    /// Whether the command runs and succeeds; nothing is shown.
    pub(crate) fn succeeds(&self) -> bool {
        self.command()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    pub(crate) fn cannot_start(&self, error: &std::io::Error) -> Error {
        format!("cannot start `{}`: {error}", self.program)
    }
}
