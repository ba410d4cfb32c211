//! Virtual environments: made by the standard library's `venv`, filled by pip.

use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::deploy::process::Process;
use crate::error::{Error, Result};

/// A Python that packages can be installed into.
#[derive(Clone, Debug)]
pub(crate) struct PythonEnvironment {
    /// Its interpreter.
    pub(crate) python: Utf8PathBuf,
}

impl PythonEnvironment {
    /// The virtual environment in `folder`, whether it is there or not.
    pub(crate) fn in_folder(folder: &Utf8Path) -> Self {
        let python = if cfg!(windows) {
            folder.join("Scripts").join("python.exe")
        } else {
            folder.join("bin").join("python")
        };
        Self { python }
    }

    /// The virtual environment in `folder`, made with `base` where it is not there or does not work.
    pub(crate) fn virtual_env(
        folder: &Utf8Path,
        base: &Utf8Path,
        context: &Context,
    ) -> Result<Self> {
        let environment = Self::in_folder(folder);
        if environment.has_pip(context) {
            context.detail(format_args!(
                "the virtual environment `{folder}` is there already"
            ));
            return Ok(environment);
        }
        context.say(format_args!("making the virtual environment `{folder}`"));
        // --clear: what is there, if anything, was left by an interrupted run.
        Process::new(base.as_str())
            .args(["-m", "venv", "--clear", folder.as_str()])
            .run(context)
            .map_err(|error| {
                if cfg!(target_os = "linux") {
                    error.help("on Debian, the package python3-venv brings the venv module")
                } else {
                    error
                }
            })?;
        Ok(environment)
    }

    /// Whether the interpreter starts and has pip: one that an interrupted run left half-made does not.
    fn has_pip(&self, context: &Context) -> bool {
        self.python.exists()
            && Process::new(self.python.as_str())
                .args(["-c", "import pip"])
                .outcome(context)
                .is_ok_and(|outcome| outcome.code == Some(0))
    }

    /// Installs requirements with pip; those that are met already cost little.
    pub(crate) fn install(
        &self,
        arguments: &[String],
        folder: &Utf8Path,
        context: &Context,
    ) -> Result<()> {
        if arguments.is_empty() {
            return Ok(());
        }
        context.say(format_args!("installing {}", arguments.join(", ")));
        Process::new(self.python.as_str())
            .args([
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-input",
            ])
            .args(arguments.iter().map(String::as_str))
            .folder(folder)
            .run(context)
            .map(|_| ())
    }
}

/// The Python to make virtual environments with: the one asked for, the one that runs us, or the first on the path.
pub(crate) fn find_python(asked: Option<&Utf8Path>, context: &Context) -> Result<Utf8PathBuf> {
    if let Some(python) = asked.or(context.host.python.as_deref()) {
        return Ok(python.to_owned());
    }
    let candidates: &[&str] = if cfg!(windows) {
        &["python", "py"]
    } else {
        &["python3", "python"]
    };
    for &candidate in candidates {
        let process = Process::new(candidate).args(["-c", "import sys; print(sys.executable)"]);
        if let Ok(outcome) = process.outcome(context)
            && outcome.code == Some(0)
        {
            return Ok(outcome.stdout.trim().into());
        }
    }
    Err(Error::new("no Python was found")
        .help("install CPython 3.9 or later, or name one with `--python PATH`"))
}
