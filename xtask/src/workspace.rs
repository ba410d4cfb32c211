//! The checkout, its `target` folder, and the Python environments made there.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::run::{Result, Step};

/// The checkout's root folder.
pub(crate) fn root() -> Utf8PathBuf {
    // Cargo says at run time where this checkout is: a target folder shared by two of them has one xtask.
    let manifest = std::env::var("CARGO_MANIFEST_DIR");
    let manifest = Utf8Path::new(manifest.as_deref().unwrap_or(env!("CARGO_MANIFEST_DIR")));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// Cargo's target folder.
pub(crate) fn target() -> Utf8PathBuf {
    std::env::var("CARGO_TARGET_DIR")
        .map_or_else(|_| root().join("target"), |target| root().join(target))
}

/// A virtual environment of ours.
#[derive(Clone, Debug)]
pub(crate) struct PythonEnvironment {
    folder: Utf8PathBuf,
}

impl PythonEnvironment {
    /// The environment in `folder`, made where it is not there.
    pub(crate) fn make(folder: &Utf8Path) -> Result<Self> {
        let environment = Self {
            folder: folder.to_owned(),
        };
        if !Step::new(environment.program("python"), &root())
            .args(["-c", "import pip"])
            .succeeds()
        {
            let python = if cfg!(windows) { "python" } else { "python3" };
            if !Step::new(python, &root())
                .args(["-c", "import venv, ensurepip"])
                .succeeds()
            {
                install_debian_packages(&["python3-venv"])?;
            }
            Step::new(python, &root())
                .args(["-m", "venv", "--clear", folder.as_str()])
                .run()?;
        }
        Ok(environment)
    }

    /// The environment in `folder`, made anew: nothing is in it but pip.
    pub(crate) fn make_clean(folder: &Utf8Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|error| error.to_string())?;
        }
        Self::make(folder)
    }

    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> String {
        let program = if cfg!(windows) {
            self.folder.join("Scripts").join(name).with_extension("exe")
        } else {
            self.folder.join("bin").join(name)
        };
        program.into_string()
    }

    /// Installs requirements, or wheels, or what pip takes.
    pub(crate) fn install(&self, arguments: &[&str]) -> Result<()> {
        Step::new(self.program("python"), &root())
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(arguments.iter().copied())
            .run()
    }
}

/// How the wheel is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quickly.
    Dev,
    /// As it is published.
    Release,
}

/// Builds the wheel with maturin into `folder`, and returns its path. An older wheel there is removed.
pub(crate) fn build_wheel(
    tools: &PythonEnvironment,
    folder: &Utf8Path,
    profile: Profile,
) -> Result<Utf8PathBuf> {
    build_wheel_by(tools, folder, profile, |maturin| maturin)
}

/// The same by a maturin that is told more, as for another machine than this one.
pub(crate) fn build_wheel_by(
    tools: &PythonEnvironment,
    folder: &Utf8Path,
    profile: Profile,
    tell: impl FnOnce(Step) -> Step,
) -> Result<Utf8PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| error.to_string())?;
    }
    let maturin = Step::new(tools.program("maturin"), &root())
        .args([
            "build",
            "--locked",
            "--manifest-path",
            "python/Cargo.toml",
            "--out",
            folder.as_str(),
        ])
        .args((profile == Profile::Release).then_some("--release"));
    tell(maturin).run()?;
    let wheels: Vec<Utf8PathBuf> = folder
        .read_dir_utf8()
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.into_path()))
        .filter(|path| path.extension() == Some("whl"))
        .collect();
    match <[Utf8PathBuf; 1]>::try_from(wheels) {
        Ok([wheel]) => Ok(wheel),
        Err(wheels) => Err(format!(
            "expected one wheel in `{folder}`, found {}",
            wheels.len()
        )),
    }
}

/// Installs Debian packages that are missing.
///
/// # Errors
///
/// Some are missing and this is not root, or not Debian; the message names them.
pub(crate) fn install_debian_packages(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| {
            let status = Step::new("dpkg-query", &root()).args([
                "--show",
                "--showformat=${db:Status-Status}",
                package,
            ]);
            !status
                .command()
                .output()
                .is_ok_and(|output| output.stdout == b"installed")
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = Step::new("id", &root())
        .args(["-u"])
        .quiet_output()
        .is_ok_and(|id| id.trim() == "0");
    let has_apt = Step::new("apt-get", &root()).args(["--version"]).succeeds();
    if !is_root || !has_apt {
        return Err(format!(
            "these Debian packages are missing: {}; install them, or run this as root",
            missing.join(" ")
        ));
    }
    let apt = |arguments: &[&str]| {
        Step::new("apt-get", &root())
            .args(arguments.iter().copied())
            .var("DEBIAN_FRONTEND", "noninteractive")
            .run()
    };
    apt(&["update", "-qq"])?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(missing);
    apt(&install)
}
