//! The one wheel in every CPython from 3.9 to 3.13 that is found here, with an extension module that knows no sub-interpreters.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::python::Environment;
use iiswsgi_tests::site::Site;
use iiswsgi_tests::web_server::WebServer;
use iiswsgi_tests::{root, wheels};

/// The versions that the wheel is for: 3.9 to 3.13.
const MINORS: std::ops::RangeInclusive<u8> = 9..=13;

const REQUIREMENTS: [&str; 1] = ["numpy>=2,<3"];

/// What a program says it is, as `CPython 3.11`, with the path of the real interpreter behind a launcher.
fn identify(program: &str) -> Option<(String, String)> {
    const CODE: &str = "import platform, sys, venv, ensurepip\n\
        print(platform.python_implementation(), '%d.%d' % sys.version_info[:2])\n\
        print(sys.executable)";
    let output = Command::new(program).args(["-c", CODE]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (version, path) = text.trim().split_once('\n')?;
    Some((version.to_owned(), path.to_owned()))
}

/// Every interpreter on the path and in pyenv's folder, by its minor version.
fn interpreters() -> BTreeMap<u8, String> {
    let on_the_path = MINORS.map(|minor| format!("python3.{minor}"));
    let pyenv = std::env::var("PYENV_ROOT").or_else(|_| {
        let home = std::env::var("HOME")?;
        Ok::<_, std::env::VarError>(format!("{home}/.pyenv"))
    });
    let versions = pyenv.map(|pyenv| Utf8PathBuf::from(pyenv).join("versions"));
    let of_pyenv: Vec<String> = versions
        .ok()
        .and_then(|versions| versions.read_dir_utf8().ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/python").into_string()))
        .collect();
    let mut found = BTreeMap::new();
    for program in on_the_path.chain(of_pyenv) {
        let Some((version, path)) = identify(&program) else {
            continue;
        };
        for minor in MINORS {
            if version == format!("CPython 3.{minor}") {
                found.entry(minor).or_insert_with(|| path.clone());
            }
        }
    }
    found
}

/// Starts a site with an application in an environment's Python.
fn site(environment: &Environment, app: &str) -> Site {
    let folder = root().join("tests/applications");
    Site::start(WebServer::Nginx, environment.serve(app, &folder))
}

/// What the tests of the wheel's entry points need.
const TEST_REQUIREMENTS: [&str; 8] = [
    "mypy>=1.13,<2",
    "pytest>=8,<9",
    "PasteDeploy>=3,<4",
    "PasteScript>=3,<4",
    "pyramid>=2,<3",
    "PyYAML>=6,<7",
    "setuptools<81",
    "types-setuptools",
];

/// The tests of the entry points and of the importable API; those of the gateway itself do not depend on the interpreter so
/// much. `test_packaging.py` loads every entry point that the wheel declares.
const ENTRY_POINTS: [&str; 8] = [
    "test_packaging.py",
    "test_command.py",
    "test_api.py",
    "test_setuptools.py",
    "test_paste.py",
    "test_trial.py",
    "test_bootstrap.py",
    "test_wfastcgi.py",
];

#[test]
fn the_entry_points_work_in_every_cpython() {
    let interpreters = interpreters();
    assert!(!interpreters.is_empty(), "no CPython is found");
    let left = Mutex::new(interpreters);
    let next = || left.lock().expect("no test holds it").pop_first();
    let at_once = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some((minor, python)) = next() {
                    println!(
                        "CPython 3.{minor}: {}",
                        the_entry_points_work(minor, &python)
                    );
                }
            });
        }
    });
}

/// Runs the tests with one interpreter, and returns pytest's count.
fn the_entry_points_work(minor: u8, python: &str) -> String {
    let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("entry-points-3.{minor}"));
    let environment = Environment::make(&folder, python, &TEST_REQUIREMENTS);
    let tests = ENTRY_POINTS.map(|test| root().join("python/tests").join(test));
    let output = environment
        .python()
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .args(tests)
        .current_dir(root().join("python"))
        .env("IISWSGI_TEST_WHEELS", wheels())
        .output()
        .expect("pytest");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "CPython 3.{minor}: {said}");
    said.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn the_wheel_serves_in_every_cpython() {
    let interpreters = interpreters();
    assert!(!interpreters.is_empty(), "no CPython is found");
    for (minor, python) in interpreters {
        println!("CPython 3.{minor}: {python}");
        let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python3.{minor}"));
        let environment = Environment::make(&folder, &python, &REQUIREMENTS);

        let probe = site(&environment, "probe:application");
        let expected = [("REQUEST_METHOD", "GET"), ("PATH_INFO", "/page")];
        let environ = probe.strings("/page");
        for (name, value) in expected {
            assert_eq!(environ[name], value, "CPython 3.{minor}");
        }
        let posted = probe.post("/lines", &b"line\n".repeat(100_000));
        assert_eq!(posted.text(), "100000");
        assert_eq!(probe.get("/download?1000000").body.len(), 1_000_000);
        assert_eq!(probe.get("/many").text().lines().count(), 1000);
        assert_eq!(probe.get("/fail").status, 500);
        let log = fs::read_to_string(probe.folder.join("gateway.log")).expect("a log");
        assert!(log.contains("RuntimeError: secret"), "{log}");
        probe.stop();

        // Four threads at once in an extension module that gives up the GIL.
        let numpy = site(&environment, "numpy_site:application");
        thread::scope(|scope| {
            for thread in 0..4 {
                let numpy = &numpy;
                scope.spawn(move || {
                    for number in 0..25 {
                        let answer = numpy.get(&format!("/?{}", thread * 1000 + number));
                        let expected = format!("right in 3.{minor}");
                        assert_eq!(answer.text(), expected, "{}", numpy.logs());
                    }
                });
            }
        });
        numpy.stop();
    }
}
