//! The commands that `iiswsgi bootstrap` runs in an application's folder.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use clap::CommandFactory as _;
use serde::Serialize;

use crate::args::Cli;
use crate::context::{Context, Skipped};
use crate::deploy::file;
use crate::deploy::install::GATEWAY;
use crate::deploy::process::Process;
use crate::deploy::registration::RegistrationArgs;
use crate::deploy::virtual_env::{EnvironmentChoice, PythonEnvironment};
use crate::error::Result;

/// Those that iiswsgi 0.3 ran where none were named.
const DEFAULT: [&str; 2] = ["install_msdeploy", "test_msdeploy"];

/// The commands of 0.3 with what they are without a setup.py.
const OWN: [(&str, &[&str]); 6] = [
    ("bdist_msdeploy", &["msdeploy", "package"]),
    ("bdist_webpi", &["webpi", "feed"]),
    ("build_msdeploy", &["msdeploy", "build"]),
    ("clean_webpi", &["webpi", "clean", "--all"]),
    ("install_msdeploy", &["msdeploy", "install"]),
    ("test_msdeploy", &["msdeploy", "test"]),
];

/// Command lines to run one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Commands {
    /// `python setup.py …`
    SetupPy(Vec<String>),
    /// `iiswsgi …`
    Own(Vec<Vec<String>>),
}

/// What was run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    folder: Utf8PathBuf,
    python: Utf8PathBuf,
    commands: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.folder)
    }
}

impl Commands {
    /// The commands that are asked for, in an application's folder; none where it is installed as `iiswsgi msdeploy install`
    /// does. A setup.py with an installation of its own is run without being asked for, as 0.3 did.
    pub(super) fn of(words: &[String], folder: &Utf8Path) -> Result<Option<Self>> {
        let setup_py = file::read_source_if_any(&folder.join("setup.py"))?;
        let Some(first) = words.first() else {
            let is_custom = setup_py.is_some_and(|source| {
                let text = source.text();
                text.contains("cmdclass") && text.contains(DEFAULT[0])
            });
            return Ok(is_custom.then(|| Self::SetupPy(DEFAULT.map(str::to_owned).to_vec())));
        };
        let is_own = Cli::command().find_subcommand(first).is_some();
        Ok(Some(if setup_py.is_some() && !is_own {
            Self::SetupPy(words.to_vec())
        } else {
            Self::Own(own(words))
        }))
    }

    /// Runs them in the application's folder and Python; variables tell them both the folder and where to register.
    pub(super) fn run(
        &self,
        folder: &Utf8Path,
        environment: &EnvironmentChoice,
        registration: &RegistrationArgs,
        context: &Context,
    ) -> Result<Report> {
        let folder = file::canonical(folder)?;
        let python = environment.make(&folder, context)?;
        let mut needed = Vec::new();
        if environment.virtual_env {
            needed.push(GATEWAY.to_owned());
        }
        if matches!(self, Self::SetupPy(_)) && environment.virtual_env {
            // Since CPython 3.12 an environment comes without.
            needed.push("setuptools".to_owned());
        }
        python.install(&needed, &folder, context)?;
        let lines = self.command_lines(&python, environment.virtual_env, context);
        let mut commands = Vec::new();
        for words in lines {
            let Some((program, arguments)) = words.split_first() else {
                continue;
            };
            let mut process = Process::new(program)
                .args(arguments.iter().map(String::as_str))
                .folder(&folder)
                .variables([("APPL_PHYSICAL_PATH", folder.as_str())])
                .variables(registration.variables())
                .shown();
            if context.skipped.is_strict() {
                process = process.variables([(Skipped::VARIABLE, "1")]);
            }
            let line = process.command_line();
            context.say(format_args!("running `{line}`"));
            process.run(context)?;
            commands.push(line);
        }
        Ok(Report {
            folder,
            python: python.python,
            commands,
        })
    }

    fn command_lines(
        &self,
        python: &PythonEnvironment,
        is_own: bool,
        context: &Context,
    ) -> Vec<Vec<String>> {
        let python = python.python.to_string();
        let verbosity: &[&str] = match context.verbosity {
            ..=-1 => &["-q"],
            0 => &[],
            1.. => &["-v"],
        };
        let verbosity = verbosity.iter().copied().map(str::to_owned);
        match self {
            Self::SetupPy(words) => {
                let setup = [python, "setup.py".to_owned()].into_iter();
                vec![setup.chain(verbosity).chain(words.clone()).collect()]
            }
            Self::Own(lines) => {
                let command = if is_own {
                    vec![python, "-m".to_owned(), "iiswsgi".to_owned()]
                } else {
                    context.host.command.clone()
                };
                let line = |words: &Vec<String>| {
                    let words = words.iter().cloned();
                    command
                        .iter()
                        .cloned()
                        .chain(verbosity.clone())
                        .chain(words)
                        .collect()
                };
                lines.iter().map(line).collect()
            }
        }
    }
}

/// The command lines for words that may name several of 0.3's commands, each with its arguments.
fn own(words: &[String]) -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for word in words {
        match (OWN.iter().find(|(name, _)| name == word), lines.last_mut()) {
            (Some((_, line)), _) => {
                lines.push(line.iter().copied().map(str::to_owned).collect());
            }
            (None, Some(line)) => line.push(word.clone()),
            (None, None) => lines.push(vec![word.clone()]),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().copied().map(str::to_owned).collect();
            Commands::of(&words, folder).unwrap()
        };
        let words = |words: &[&str]| words.iter().copied().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(of(&[]), None);
        assert_eq!(
            of(&["install_msdeploy", "test_msdeploy", "--url", "/x"]),
            Some(Commands::Own(vec![
                words(&["msdeploy", "install"]),
                words(&["msdeploy", "test", "--url", "/x"]),
            ]))
        );
        assert_eq!(
            of(&["msdeploy", "test", "."]),
            Some(Commands::Own(vec![words(&["msdeploy", "test", "."])]))
        );
        let setup_py = folder.join("setup.py");
        fs_err::write(&setup_py, "setup(install_msdeploy=['a'])").unwrap();
        assert_eq!(of(&[]), None);
        assert_eq!(
            of(&["develop", "install_msdeploy"]),
            Some(Commands::SetupPy(words(&["develop", "install_msdeploy"])))
        );
        assert!(matches!(of(&["msdeploy", "test"]), Some(Commands::Own(_))));
        fs_err::write(&setup_py, "setup(cmdclass=dict(install_msdeploy=custom))").unwrap();
        assert_eq!(
            of(&[]),
            Some(Commands::SetupPy(words(&[
                "install_msdeploy",
                "test_msdeploy"
            ])))
        );
    }
}
