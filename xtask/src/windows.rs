//! `cargo xtask test windows`: the crates' tests as Windows programs, and the wheel for Windows in a real CPython.
//!
//! Everything is cross-compiled here and runs under Wine, which is started once and ended with all that runs in it. What is
//! downloaded is kept in `target/xtask/windows`; a download that fails ends the run.

mod debian;
mod python;
mod standard_library;
mod wheel;
mod wine;

use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use crate::run::{Result, Step};
use crate::test::{Count, Outcome, cargo_counts, count_tests};
use crate::workspace::{PythonEnvironment, install_debian_packages, root, target};
use wine::Wine;

/// What the tests run as.
const TARGET: &str = "x86_64-pc-windows-gnu";

/// What the published wheel is linked for; nothing here can link it, so it is only checked.
const CHECKED_TARGET: &str = "x86_64-pc-windows-msvc";

/// Debian packages: a linker for Windows, and what runs the result.
const DEBIAN_PACKAGES: [&str; 3] = ["gcc-mingw-w64-x86-64-win32", "wine", "wine64"];

/// The crates all of whose tests Windows runs.
const CRATES: [&str; 8] = [
    "fcgi-gateway",
    "fcgi-proto",
    "iis-config",
    "iiswsgi-cli",
    "msdeploy-pkg",
    "python-dist",
    "spanned-xml",
    "webpi-feed",
];

/// The crate of which Windows runs a part, and the part: the rest starts shell scripts.
const PART: [&str; 3] = ["--package", "iis-dev-server", "--lib"];

/// Where what is made for Windows is kept.
fn folder() -> Utf8PathBuf {
    target().join("xtask/windows")
}

/// A cargo command for one kind of Windows.
fn cargo(command: &str, target: &str) -> Step {
    without_debug_info(Step::new("cargo", &root()).args([command, "--locked", "--target", target]))
}

/// The same build for less: Wine shows no lines of Rust, and nothing here is built twice.
fn without_debug_info(step: Step) -> Step {
    step.var("CARGO_PROFILE_DEV_DEBUG", "false")
        .var("CARGO_INCREMENTAL", "0")
}

fn packages() -> impl Iterator<Item = &'static str> {
    CRATES.into_iter().flat_map(|name| ["--package", name])
}

/// Sets up what is missing, runs clippy for both kinds of Windows and then every test, and ends Wine.
pub(crate) fn test(tools: &PythonEnvironment, outcome: &mut Outcome) {
    let start = Instant::now();
    let step = |name: &str| println!("\n## {name} ({} s)", start.elapsed().as_secs());
    step("What Windows' tests need");
    let librarian = match needed() {
        Ok(librarian) => librarian,
        Err(error) => return outcome.add(Err(error)),
    };
    for target in [CHECKED_TARGET, TARGET] {
        step(&format!("Clippy for {target}"));
        // One by one, as the wheel has a gateway with another feature.
        for packages in [packages().collect(), vec!["--package", "iiswsgi-python"]] {
            let checked = clippy(target, &packages, &librarian);
            outcome.add(checked.map(|()| Count::default()));
        }
    }
    step("Windows programs");
    let wine = match Wine::start() {
        Ok(wine) => wine,
        Err(error) => return outcome.add(Err(error)),
    };
    for tests in [packages().collect(), PART.to_vec()] {
        let tests = cargo("test", TARGET).args(["--no-fail-fast"]).args(tests);
        outcome.add(count_tests(&wine.runs(tests), cargo_counts));
    }
    step("The wheel in Windows' CPython");
    wheel::test(tools, &wine, outcome);
    step("Windows is done");
}

/// Sets up what compiling needs; the path is that of what makes libraries of objects.
fn needed() -> Result<Utf8PathBuf> {
    install_debian_packages(&DEBIAN_PACKAGES)?;
    standard_library::make(TARGET)?;
    standard_library::make(CHECKED_TARGET)?;
    standard_library::librarian()
}

fn clippy(target: &str, packages: &[&str], librarian: &Utf8Path) -> Result<()> {
    cargo("clippy", target)
        .args(packages.iter().copied())
        .args(["--all-targets", "--", "-D", "warnings"])
        // For the other kind of Windows C is only compiled and never linked; this machine's cc knows no Windows.
        .var("CC_x86_64_pc_windows_msvc", "x86_64-w64-mingw32-gcc")
        .var("AR_x86_64_pc_windows_msvc", librarian.as_str())
        .var("ARFLAGS_x86_64_pc_windows_msvc", "/lib")
        .run()
}
