//! Virtual environments, made and filled by Python's own `venv` and pip, or by uv where it is there.

mod uv;

use camino::{Utf8Path, Utf8PathBuf};

use self::uv::Uv;
use crate::context::Context;
use crate::deploy::file;
use crate::deploy::process::Process;
use crate::deploy::project::VIRTUAL_ENV;
use crate::error::{Error, Result};

/// A folder of an application with wheels that it brings along.
const WHEELS: &str = "wheels";

/// The variable that says what makes environments: `auto` (the default), `pip` or `uv`.
const TOOL_VARIABLE: &str = "IISWSGI_INSTALLER";

/// A Python that packages can be installed into.
#[derive(Clone, Debug)]
pub(crate) struct PythonEnvironment {
    /// Its interpreter.
    pub(crate) python: Utf8PathBuf,
}

/// Which Python an application is to have.
#[derive(Clone, Debug, Default)]
pub(crate) struct EnvironmentChoice {
    /// The Python to make environments with; none is the one that runs us.
    pub(crate) python: Option<Utf8PathBuf>,
    /// Whether the application gets an environment of its own.
    pub(crate) virtual_env: bool,
    /// The script of the application's that makes it.
    pub(crate) script: Option<Utf8PathBuf>,
}

impl EnvironmentChoice {
    /// The folder of the environment that the application in `folder` gets.
    pub(crate) fn folder(&self, folder: &Utf8Path) -> Option<Utf8PathBuf> {
        self.virtual_env.then(|| folder.join(VIRTUAL_ENV))
    }

    /// The Python of the application in `folder`, as it will be.
    pub(crate) fn planned(
        &self,
        folder: &Utf8Path,
        context: &Context,
    ) -> Result<PythonEnvironment> {
        match self.folder(folder) {
            Some(own) => Ok(PythonEnvironment::in_folder(&own)),
            None => find_python(self.python.as_deref(), context)
                .map(|python| PythonEnvironment { python }),
        }
    }

    /// Makes it, where it has to be made.
    pub(crate) fn make(&self, folder: &Utf8Path, context: &Context) -> Result<PythonEnvironment> {
        let Some(own) = self.folder(folder) else {
            return self.planned(folder, context);
        };
        let base = find_python(self.python.as_deref(), context)?;
        match &self.script {
            Some(script) => PythonEnvironment::by_script(script, &own, folder, &base, context),
            None => PythonEnvironment::virtual_env(&own, &base, context),
        }
    }
}

/// What makes environments and fills them.
#[derive(Clone, Debug)]
enum Tool {
    /// The standard library's `venv`, with the pip that it puts in.
    Pip,
    Uv(Uv),
}

impl Tool {
    /// What IISWSGI_INSTALLER says, else uv where it is there, else pip; `base` is the Python that environments are made
    /// with.
    fn choose(base: &Utf8Path, context: &Context) -> Result<Self> {
        let asked = context.environment.non_empty(TOOL_VARIABLE);
        match asked.unwrap_or("auto") {
            "pip" => Ok(Self::Pip),
            "uv" => Uv::find(base, context).map(Self::Uv).ok_or_else(|| {
                Error::new(format!(
                    "{TOOL_VARIABLE} is `uv`, and there is no uv on the path"
                ))
                .help(format!("install uv, or unset {TOOL_VARIABLE}"))
            }),
            "auto" => Ok(Uv::find(base, context).map_or(Self::Pip, Self::Uv)),
            other => Err(
                Error::new(format!("{TOOL_VARIABLE} is `{other}`, which is not known"))
                    .help("set it to auto, pip or uv"),
            ),
        }
    }
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
        let tool = Tool::choose(base, context)?;
        if environment.works_with(&tool, context) {
            context.detail(format_args!(
                "the virtual environment `{folder}` is there already"
            ));
            return Ok(environment);
        }
        match tool {
            Tool::Pip => {
                context.say(format_args!("making the virtual environment `{folder}`"));
                // --clear: what is there, if anything, was left by an interrupted run.
                Process::new(base.as_str())
                    .args(["-m", "venv", "--clear", folder.as_str()])
                    .run(context)
                    .map_err(|error| {
                        error.further_help(if cfg!(target_os = "linux") {
                            "this Python needs the modules venv and ensurepip (on Debian the package python3-venv), or uv on the path"
                        } else {
                            "this Python needs the modules venv and ensurepip, or uv on the path"
                        })
                    })?;
            }
            Tool::Uv(uv) => {
                context.say(format_args!(
                    "making the virtual environment `{folder}` with uv, which is on the path"
                ));
                uv.make(folder, base, context)?;
            }
        }
        Ok(environment)
    }

    /// The virtual environment in `folder` that a script of the application's own makes: it is run in `application` with the
    /// environment's path.
    pub(crate) fn by_script(
        script: &Utf8Path,
        folder: &Utf8Path,
        application: &Utf8Path,
        base: &Utf8Path,
        context: &Context,
    ) -> Result<Self> {
        context.say(format_args!(
            "making the virtual environment `{folder}` with `{script}`"
        ));
        let mut process = Process::new(base.as_str())
            .folder(application)
            .args([script.as_str()]);
        process = match context.verbosity {
            ..=-1 => process.args(["--quiet"]),
            0 => process,
            1.. => process.args(["--verbose"]),
        };
        process.args([folder.as_str()]).run(context)?;
        let environment = Self::in_folder(folder);
        if environment.python.is_file() {
            return Ok(environment);
        }
        Err(Error::new(format!(
            "`{script}` has made no virtual environment: there is no `{}`",
            environment.python
        ))
        .help("it is given the folder as its last argument, and has to make the environment there"))
    }

    /// Whether the interpreter starts, and can be filled: one that an interrupted run left half-made cannot.
    fn works_with(&self, tool: &Tool, context: &Context) -> bool {
        let code = match tool {
            Tool::Pip => "import pip",
            Tool::Uv(_) => "import sys",
        };
        self.python.exists() && self.can(code, context)
    }

    fn can(&self, code: &str, context: &Context) -> bool {
        Process::new(self.python.as_str())
            .args(["-c", code])
            .outcome(context)
            .is_ok_and(|outcome| outcome.code == Some(0))
    }

    /// Fails where the interpreter does not have the wheel: the gateway runs inside the Python that runs the application.
    pub(crate) fn need_gateway(&self, context: &Context) -> Result<()> {
        if self.can("import iiswsgi", context) {
            return Ok(());
        }
        let python = &self.python;
        Err(Error::new(format!("`{python}` has no iiswsgi: the gateway runs inside the Python that runs the application"))
            .help(format!("`{python} -m pip install iiswsgi`, or name another Python")))
    }

    /// Installs requirements; those that are met already cost little. Wheels that the application in `folder` brings in
    /// `wheels` are used before the index is, and without it where they suffice.
    pub(crate) fn install(
        &self,
        requirements: &[String],
        folder: &Utf8Path,
        context: &Context,
    ) -> Result<()> {
        if requirements.is_empty() {
            return Ok(());
        }
        let tool = Tool::choose(&self.python, context)?;
        if matches!(tool, Tool::Pip) && self.python.is_file() && !self.can("import pip", context) {
            return Err(
                Error::new(format!("`{}` has no pip", self.python)).help(format!(
                    "run `{} -m ensurepip`, or put uv on the path",
                    self.python
                )),
            );
        }
        let install = |further: &[&str]| match &tool {
            Tool::Pip => Process::new(self.python.as_str())
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--disable-pip-version-check",
                    "--no-input",
                ])
                .args(further.iter().copied()),
            Tool::Uv(uv) => uv.install(&self.python).args(further.iter().copied()),
        };
        let run = |process: Process| {
            process
                .args(requirements.iter().map(String::as_str))
                .folder(folder)
                .run(context)
                .map(|_| ())
        };
        context.say(format_args!("installing {}", requirements.join(", ")));
        if !folder.join(WHEELS).is_dir() {
            return run(install(&[]));
        }
        let offline = install(&["--no-index", "--find-links", WHEELS]);
        match run(offline) {
            Ok(()) => {
                context.detail(format_args!(
                    "all of it was there already or in `{WHEELS}` of the package"
                ));
                Ok(())
            }
            Err(error) => {
                context.detail(error);
                context.say(format_args!(
                    "`{WHEELS}` of the package has not all that is needed: the index is asked too"
                ));
                run(install(&["--find-links", WHEELS]))
            }
        }
    }
}

/// The Python to make virtual environments with: the one asked for, the one that runs us, or the first on the path.
pub(crate) fn find_python(asked: Option<&Utf8Path>, context: &Context) -> Result<Utf8PathBuf> {
    match asked {
        // Programs are run in the application's folder; a name alone is looked for on the path.
        Some(python) if python.components().count() > 1 => return file::absolute(python),
        Some(python) => return Ok(python.to_owned()),
        None => {}
    }
    if let Some(python) = &context.host.python {
        return Ok(python.clone());
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
