//! The program that asks a build backend, run by a real Python with backends of its own.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the test runs the program as the command does"
)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a helper of tests fails and speaks as a test does"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use python_dist::{BuildSystem, Metadata, Pyproject};
use spanned_xml::Source;

/// A project in a folder of its own, removed at the end.
struct Project(PathBuf);

impl Project {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name} with blanks"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        for (path, text) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    /// Runs the program; nothing where there is no Python, which is said aloud.
    fn ask(&self) -> Option<Output> {
        self.run(|build_system| build_system.program_arguments("meta data"))
    }

    fn run(&self, arguments: impl Fn(&BuildSystem) -> Vec<String>) -> Option<Output> {
        let text = std::fs::read_to_string(self.0.join("pyproject.toml")).unwrap();
        let (pyproject, _) = Pyproject::parse(&Source::from_text("pyproject.toml", text)).unwrap();
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let output = Command::new(&python)
            .args(["-c", BuildSystem::PROGRAM])
            .args(arguments(&pyproject.build_system))
            .current_dir(&self.0)
            .output();
        match output {
            Ok(output) => Some(output),
            Err(error) => {
                eprintln!("SKIPPED: `{python}` does not start: {error}");
                None
            }
        }
    }

    fn metadata(&self, output: &Output) -> Metadata {
        let stdout = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let path = stdout.lines().last().unwrap();
        assert_eq!(
            stdout.lines().count(),
            1,
            "only the answer is on standard output: {stdout}"
        );
        Metadata::from_core_metadata(&std::fs::read_to_string(path).unwrap()).unwrap()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // A folder that stays is removed by the next run.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const PYPROJECT: &str = "\
[build-system]
requires = []
build-backend = \"backend:Backend.inner\"
backend-path = [\"build tools\"]
[project]
name = \"guest-book\"
dynamic = [\"version\"]
";

const HOOK: &str = "
import os, sys
assert os.path.isfile('pyproject.toml'), 'the working directory is the project'
try:
    import not_importable
except ImportError:
    pass
else:
    raise RuntimeError('the project itself is importable')
class Backend:
    class inner:
        @staticmethod
        def get_requires_for_build_wheel(config_settings=None):
            print('noise on standard output')
            return ['wheel', 'cython>=3']
        @staticmethod
        def prepare_metadata_for_build_wheel(folder, config_settings=None):
            print('noise on standard output')
            os.system('echo noise of a child process')
            os.mkdir(os.path.join(folder, 'guest_book-1.5.dist-info'))
            with open(os.path.join(folder, 'guest_book-1.5.dist-info', 'METADATA'), 'w') as file:
                file.write('Metadata-Version: 2.1\\nName: guest-book\\nVersion: 1.5\\n')
            return 'guest_book-1.5.dist-info'
";

const WHEEL: &str = "
import os, zipfile
class Backend:
    class inner:
        @staticmethod
        def build_wheel(folder, config_settings=None, metadata_directory=None):
            with zipfile.ZipFile(os.path.join(folder, 'g-2.0-py3-none-any.whl'), 'w') as archive:
                archive.writestr('g-2.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: g\\nVersion: 2.0\\n')
                archive.writestr('g-2.0.dist-info/deeper/METADATA', 'not this')
            return 'g-2.0-py3-none-any.whl'
";

#[test]
fn the_metadata_hook_answers() {
    let project = Project::new(
        "hook",
        &[
            ("pyproject.toml", PYPROJECT),
            ("build tools/backend.py", HOOK),
            ("not_importable.py", ""),
        ],
    );
    let Some(output) = project.ask() else { return };
    let asked = project.metadata(&output);
    let (pyproject, _) = Pyproject::parse(&Source::from_text("pyproject.toml", PYPROJECT)).unwrap();
    let merged = pyproject.metadata.merge(asked);
    assert_eq!(merged.file_stem().as_deref(), Some("guest-book-1.5"));
    assert!(merged.missing().is_empty());
}

#[test]
fn without_the_hook_a_wheel_is_built() {
    let project = Project::new(
        "wheel",
        &[
            ("pyproject.toml", PYPROJECT),
            ("build tools/backend.py", WHEEL),
        ],
    );
    let Some(output) = project.ask() else { return };
    assert_eq!(
        project.metadata(&output).file_stem().as_deref(),
        Some("g-2.0")
    );
}

#[test]
fn what_the_backend_wants_installed_is_asked_for() {
    for (name, backend, expected) in [
        ("requires", HOOK, "wheel\ncython>=3\n"),
        ("requires nothing", WHEEL, "\n"),
    ] {
        let project = Project::new(
            name,
            &[
                ("pyproject.toml", PYPROJECT),
                ("build tools/backend.py", backend),
            ],
        );
        let Some(output) = project.run(BuildSystem::requirements_arguments) else {
            return;
        };
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{name}");
    }
}

#[test]
fn failures_are_one_line() {
    for (name, backend, message) in [
        (
            "missing",
            "",
            "the build backend backend:Backend.inner failed: AttributeError",
        ),
        (
            "import",
            "import nothing_of_that_name",
            "cannot import the build backend backend:Backend.inner: No module named",
        ),
        (
            "raises",
            "raise ValueError('no')",
            "the build backend backend:Backend.inner failed: ValueError: no",
        ),
    ] {
        let project = Project::new(
            name,
            &[
                ("pyproject.toml", PYPROJECT),
                ("build tools/backend.py", backend),
            ],
        );
        let Some(output) = project.ask() else { return };
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.starts_with(message) && stderr.trim_end().lines().count() == 1,
            "{stderr}"
        );
        assert!(output.stdout.is_empty());
    }
}
