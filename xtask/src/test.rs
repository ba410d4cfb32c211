//! `cargo xtask test`: everything that has to hold, and what CI runs.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Instant;

use crate::run::{Result, Step};
use crate::workspace::{
    Profile, PythonEnvironment, build_wheel, install_debian_packages, root, target,
};
use crate::{fuzz, packaging, windows};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run only this part
    part: Option<Part>,
    /// Leave out formatting, clippy, docs and fuzzing
    #[arg(long)]
    only_tests: bool,
}

/// A part of the tests that is run alone where somebody works on it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Part {
    /// Every crate's tests as Windows programs, and the wheel for Windows in Windows' CPython
    Windows,
}

/// Debian packages that the end-to-end tests start or read with.
const DEBIAN_PACKAGES: [&str; 12] = [
    "7zip",
    "apache2",
    "caddy",
    "chromium",
    "haproxy",
    "iproute2",
    "libapache2-mod-fcgid",
    "libfcgi-bin",
    "lighttpd",
    "nginx-light",
    "unzip",
    "zip",
];

/// Python packages that the tests of the wheel need. Pyramid and PasteScript bring pserve and paster, which import
/// pkg_resources; newer versions of setuptools no longer have it.
const PYTHON_PACKAGES: [&str; 10] = [
    "maturin>=1.9,<2",
    "mypy>=1.13,<2",
    "pytest>=8,<9",
    "PasteDeploy>=3,<4",
    "PasteScript>=3,<4",
    "pyramid>=2,<3",
    "PyYAML",
    "setuptools<81",
    "twine",
    "types-setuptools",
];

/// What came of the tests: how many passed and failed, and what could not be run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    count: Count,
    errors: Vec<String>,
}

impl Outcome {
    /// Takes a part's counts, or that it could not be run: the other parts are run all the same.
    pub(crate) fn add(&mut self, part: Result<Count>) {
        match part {
            Ok(count) => self.count.add(count),
            Err(error) => {
                println!("error: {error}");
                self.errors.push(error);
            }
        }
    }

    /// Says how many passed, and fails where any did not or a part could not be run.
    fn report(self) -> Result<()> {
        println!("{} passed, {} failed", self.count.passed, self.count.failed);
        if !self.errors.is_empty() {
            Err(format!("not run:\n{}", self.errors.join("\n")))
        } else if self.count.failed == 0 {
            Ok(())
        } else {
            Err("some tests failed".to_owned())
        }
    }
}

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    passed: usize,
    failed: usize,
}

impl Count {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match args.part {
        None => run_all(args),
        Some(Part::Windows) => {
            let tools = PythonEnvironment::make(&target().join("xtask/tools"))?;
            tools.install(&PYTHON_PACKAGES)?;
            let mut outcome = Outcome::default();
            windows::test(&tools, &mut outcome);
            outcome.report()
        }
    }
}

fn run_all(args: &Args) -> Result<()> {
    let start = Instant::now();
    let step = |name: &str| println!("\n# {name} ({} s)", start.elapsed().as_secs());
    let cargo = |arguments: &[&str]| Step::new("cargo", &root()).args(arguments.iter().copied());

    if !args.only_tests {
        step("Formatting");
        cargo(&["fmt", "--all", "--check"]).run()?;
        for manifest in ["bench/Cargo.toml", "fuzz/Cargo.toml"] {
            cargo(&["fmt", "--manifest-path", manifest, "--all", "--check"]).run()?;
        }
        step("Clippy");
        cargo(&[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])
        .run()?;
        step("Docs");
        cargo(&["doc", "--locked", "--workspace", "--no-deps"])
            .var("RUSTDOCFLAGS", "-D warnings")
            .run()?;
    }

    step("What the tests need");
    install_debian_packages(&DEBIAN_PACKAGES)?;
    let tools = PythonEnvironment::make(&target().join("xtask/tools"))?;
    tools.install(&PYTHON_PACKAGES)?;
    let wheels = target().join("xtask/wheels");
    let wheel = build_wheel(&tools, &wheels, Profile::Dev)?;
    tools.install(&["--force-reinstall", "--no-deps", wheel.as_str()])?;
    let clean = PythonEnvironment::make_clean(&target().join("xtask/clean"))?;
    clean.install(&[wheel.as_str()])?;

    step("Source distribution");
    packaging::check(&tools, &wheel)?;

    step("Rust tests");
    let mut outcome = Outcome::default();
    outcome.add(count_tests(
        &cargo(&[
            "test",
            "--locked",
            "--workspace",
            "--exclude",
            "iiswsgi-python",
            "--no-fail-fast",
        ])
        .var("IISWSGI_TEST_COMMAND", clean.program("iiswsgi"))
        .var("IISWSGI_TEST_WHEELS", wheels.as_str()),
        cargo_counts,
    ));
    step("Python tests");
    let pytest = Step::new(tools.program("python"), &root().join("python"))
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .var("IISWSGI_TEST_WHEELS", wheels.as_str());
    outcome.add(count_tests(&pytest, pytest_counts));
    step("Windows");
    windows::test(&tools, &mut outcome);

    if !args.only_tests {
        step("Fuzz targets, a minute each");
        outcome.add(fuzz::smoke().map(|()| Count::default()));
    }

    step("Result");
    outcome.report()
}

/// Runs a test runner, shows what it writes, and adds up the counts of its lines.
pub(crate) fn count_tests(step: &Step, counts: fn(&str) -> Option<Count>) -> Result<Count> {
    println!("$ {}", step.command_line());
    let mut child = step
        .command()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| step.cannot_start(&error))?;
    let mut total = Count::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.map_err(|error| error.to_string())?;
            println!("{line}");
            if let Some(count) = counts(&line) {
                total.add(count);
            }
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() && total.failed == 0 {
        // It did not compile, or ended by a signal: there is nothing to count.
        return Err(format!("`{}` ended with {status}", step.command_line()));
    }
    if total.passed == 0 {
        return Err(format!("`{}` ran no test", step.command_line()));
    }
    Ok(total)
}

/// `test result: ok. 3 passed; 0 failed; 0 ignored; …`
pub(crate) fn cargo_counts(line: &str) -> Option<Count> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |label: &str| {
        rest.split([';', '.'])
            .find_map(|part| part.trim().strip_suffix(label)?.trim().parse().ok())
    };
    Some(Count {
        passed: number("passed")?,
        failed: number("failed")?,
    })
}

/// `3 passed, 1 failed in 0.12s`, with errors counted as failures.
pub(crate) fn pytest_counts(line: &str) -> Option<Count> {
    let (counts, time) = line
        .trim_matches(|character: char| character == '=' || character == ' ')
        .rsplit_once(" in ")?;
    time.split(' ')
        .next()?
        .strip_suffix('s')?
        .parse::<f64>()
        .ok()?;
    let number = |label: &str| {
        counts
            .split(", ")
            .find_map(|part| part.strip_suffix(label)?.trim().parse().ok())
    };
    let errors: usize = number("errors").or_else(|| number("error")).unwrap_or(0);
    Some(Count {
        passed: number("passed").unwrap_or(0),
        failed: number("failed").unwrap_or(0) + errors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        for (count, passed, failed) in [
            (
                cargo_counts(
                    "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                ),
                12,
                0,
            ),
            (
                cargo_counts(
                    "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
                ),
                1,
                2,
            ),
            (pytest_counts("3 passed in 0.12s"), 3, 0),
            (
                pytest_counts("=== 1 failed, 3 passed, 2 errors in 61.02s (0:01:01) ==="),
                3,
                3,
            ),
        ] {
            let count = count.unwrap();
            assert_eq!((count.passed, count.failed), (passed, failed));
        }
        assert!(cargo_counts("running 3 tests").is_none());
        assert!(pytest_counts("installed in 3 steps").is_none());
    }
}
