//! The wheel for Windows, cross-built, in Windows' CPython: the tests of `python/tests_windows`.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::python::{self, Version};
use super::wine::{SHARE, Wine};
use super::{TARGET, folder, without_debug_info};
use crate::run::{Result, Step};
use crate::test::{Count, Outcome, count_tests, pytest_counts};
use crate::workspace::{Profile, PythonEnvironment, build_wheel_by, root, target};

/// What runs in each of the versions: everything in the first, in the others where the interpreter matters.
const TESTS: [&[&str]; python::VERSIONS.len()] = [
    &["python/tests_windows"],
    &[
        "python/tests_windows/test_gateway.py",
        "python/tests_windows/test_main_job.py",
    ],
];

/// What the tests run with.
const PACKAGES: [&str; 4] = ["markupsafe>=3,<4", "pip", "pytest>=8,<9", "setuptools<81"];

/// What the examples need, installed by the tests themselves. webob needs legacy-cgi from CPython 3.13 on, which pip does not see
/// as it looks at the version that it runs in.
const PACKAGES_OF_EXAMPLES: [&str; 5] = [
    "PasteDeploy>=3,<4",
    "django>=4.2,<5.3",
    "legacy-cgi",
    "pyramid>=2,<3",
    "tzdata",
];

/// Microsoft's own gateway, by which the stand-in for IIS is judged; it is published as source only.
const WFASTCGI: &str = "wfastcgi==3.0.0 \
    --hash=sha256:cbce266e7da411d40f98f28a73cb9a55157b274398bd5a8d2b25cfa10a4dd493\n";

/// Builds the wheel, installs it into each CPython for Windows and runs the tests there.
pub(super) fn test(tools: &PythonEnvironment, wine: &Wine, outcome: &mut Outcome) {
    // What the tests install comes from here, so that no program in Wine needs the network.
    let packages = folder().join("packages");
    match build(tools, &packages) {
        Ok(wheel) => {
            for (version, tests) in python::VERSIONS.iter().zip(TESTS) {
                println!("\n### CPython {}", version.name);
                outcome.add(test_in(version, tests, tools, wine, &wheel, &packages));
            }
        }
        Err(error) => outcome.add(Err(error)),
    }
}

/// Makes the wheels that are not to be downloaded, and returns ours.
fn build(tools: &PythonEnvironment, packages: &Utf8Path) -> Result<Utf8PathBuf> {
    fs::create_dir_all(packages).map_err(|error| error.to_string())?;
    build_wfastcgi(tools, packages)?;
    build_wheel_by(tools, &folder().join("wheels"), Profile::Dev, |maturin| {
        without_debug_info(maturin.args(["--target", TARGET]))
    })
}

fn test_in(
    version: &Version,
    tests: &[&str],
    tools: &PythonEnvironment,
    wine: &Wine,
    wheel: &Utf8Path,
    packages: &Utf8Path,
) -> Result<Count> {
    let python = python::make(version, tools)?;
    let downloaded = [PACKAGES.as_slice(), &PACKAGES_OF_EXAMPLES].concat();
    let to = ["--dest", packages.as_str()];
    pip(version, tools, "download", &to, &downloaded)?;
    install(version, tools, &python, packages, wheel)?;
    let stand_in = target().join(TARGET).join("debug/examples/stand_in.exe");
    let options = ["-m", "pytest", "-q", "-p", "no:cacheprovider"];
    // Each virtual environment of a test that passed would stay.
    let retention = ["-o", "tmp_path_retention_policy=failed"];
    let pytest = wine
        .program(
            python.join("python.exe").as_str(),
            &[&options, retention.as_slice(), tests].concat(),
        )
        .var("PIP_NO_INDEX", "1")
        .var(
            "PIP_FIND_LINKS",
            format!(
                "{} {}",
                windows(wheel.parent().unwrap_or(wheel)),
                windows(packages)
            ),
        )
        .var("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .var("PYTHONDONTWRITEBYTECODE", "1")
        .var("IISWSGI_TEST_STAND_IN_PROGRAM", windows(&stand_in))
        .var("IISWSGI_TEST_SHARE", SHARE)
        // CPython refuses to start with a standard error that it cannot read where Wine has it on a file.
        .started_by("sh", &["-c", "exec \"$@\" 2>&1", "sh"]);
    count_tests(&pytest, pytest_counts)
}

/// Makes the wheel of wfastcgi, which has nothing compiled in it.
fn build_wfastcgi(tools: &PythonEnvironment, packages: &Utf8Path) -> Result<()> {
    let requirements = folder().join("wfastcgi.txt");
    fs::write(&requirements, WFASTCGI).map_err(|error| error.to_string())?;
    Step::new(tools.program("python"), &root())
        .args([
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--no-deps", "--require-hashes", "--no-build-isolation"])
        .args(["--wheel-dir", packages.as_str()])
        .args(["--requirement", requirements.as_str()])
        .run()
}

/// A path of this machine as Wine's programs name it.
fn windows(path: &Utf8Path) -> String {
    format!("Z:{}", path.as_str().replace('/', "\\"))
}

fn install(
    version: &Version,
    tools: &PythonEnvironment,
    python: &Utf8Path,
    packages: &Utf8Path,
    wheel: &Utf8Path,
) -> Result<()> {
    let site_packages = python.join("Lib/site-packages");
    if site_packages.exists() {
        fs::remove_dir_all(&site_packages).map_err(|error| error.to_string())?;
    }
    let options = ["--no-index", "--find-links", packages.as_str()];
    let target = ["--target", site_packages.as_str()];
    let requirements: Vec<&str> = PACKAGES.into_iter().chain([wheel.as_str()]).collect();
    pip(
        version,
        tools,
        "install",
        &[options.as_slice(), &target].concat(),
        &requirements,
    )
}

fn pip(
    version: &Version,
    tools: &PythonEnvironment,
    command: &str,
    options: &[&str],
    requirements: &[&str],
) -> Result<()> {
    Step::new(tools.program("python"), &root())
        .args(["-m", "pip", command])
        .args(version.pip_platform())
        .args(options.iter().chain(requirements).copied())
        .run()
}
