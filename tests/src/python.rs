//! Python environments that the tests make for real applications, kept between runs.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::{succeed, wheels};

/// A virtual environment with the wheel that was built, and with packages from the index that pip is configured for.
#[derive(Clone, Debug)]
pub struct Environment {
    folder: Utf8PathBuf,
}

impl Environment {
    /// The environment in `folder` with these requirements installed. What is there already of the same requirements is used
    /// again; the wheel is installed anew each time.
    ///
    /// # Panics
    ///
    /// It cannot be made, or a requirement cannot be downloaded: applications that the tests are about are never left out.
    #[must_use]
    pub fn make(folder: &Utf8Path, python: &str, requirements: &[&str]) -> Self {
        let environment = Self {
            folder: folder.to_owned(),
        };
        let stamp = folder.join("requirements.txt");
        let wanted = format!("# {python}\n{}\n", requirements.join("\n"));
        if fs::read_to_string(&stamp).ok().as_deref() != Some(&wanted) {
            succeed(Command::new(python).args(["-m", "venv", "--clear", folder.as_str()]));
            environment.pip(requirements);
            // Written last: an environment that was not finished is made again.
            fs::write(&stamp, wanted).expect("a file");
        }
        environment.pip(&[
            "--no-index",
            "--no-deps",
            "--force-reinstall",
            "--find-links",
            &wheels(),
            "iiswsgi",
        ]);
        environment
    }

    fn pip(&self, arguments: &[&str]) {
        succeed(
            self.python()
                .args(["-m", "pip", "install", "--quiet"])
                .arg("--disable-pip-version-check")
                .args(arguments),
        );
    }

    /// The environment's Python.
    #[must_use]
    pub fn python(&self) -> Command {
        let mut command = Command::new(self.folder.join("bin/python"));
        command.env_remove("PYTHONPATH").env_remove("PYTHONHOME");
        command
    }

    /// The environment's `iiswsgi serve` with an application of a folder.
    #[must_use]
    pub fn serve(&self, app: &str, folder: &Utf8Path) -> Command {
        let mut command = Command::new(self.folder.join("bin/iiswsgi"));
        command
            .args(["serve", app, "--threads", "4"])
            .args(["--chdir", folder.as_str()]);
        command
    }
}
