//! Wine: a Windows of the project's own, and the programs run in it.

use std::process::{Child, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::folder;
use crate::run::{Result, Step};
use crate::workspace::root;

/// Debian installs no `wine64` on the path, and its `wine` asks for the 32-bit one.
const WINE: &str = "/usr/lib/wine/wine64";

/// Seconds after which a test program is taken to hang.
const SECONDS_MAX: &str = "900";

/// A network share. Wine looks for it below the folder `unc` of its devices.
pub(super) const SHARE: &str = r"\\server\share";

/// A running Wine. Its services are started once, and all that runs in it ends when the value is dropped.
#[derive(Debug)]
pub(super) struct Wine {
    prefix: Utf8PathBuf,
    /// Waits for its standard input, which only we have: while it runs, Wine's services do.
    keeper: Child,
    /// What a Windows program's command line stands behind.
    runner: Vec<&'static str>,
}

impl Wine {
    /// Makes the prefix where it is not there, and starts Wine's services.
    pub(super) fn start() -> Result<Self> {
        let prefix = folder().join("prefix");
        if !prefix.join("made").is_file() {
            make(&prefix)?;
        }
        let cannot = |error: std::io::Error| format!("cannot start Wine: {error}");
        let keeper = within(&prefix, Step::new(WINE, &root()).args(["cmd"]))
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(cannot)?;
        let wine = Self {
            prefix,
            keeper,
            runner: runner(),
        };
        if wine.program("cmd", &["/c", "exit 0"]).succeeds() {
            Ok(wine)
        } else {
            Err(format!("Wine does not run in `{}`", wine.prefix))
        }
    }

    /// A Windows program to run.
    pub(super) fn program(&self, program: &str, arguments: &[&str]) -> Step {
        within(&self.prefix, Step::new(program, &root()))
            .args(arguments.iter().copied())
            .started_by(self.runner[0], &self.runner[1..])
    }

    /// A cargo command whose Windows programs run in Wine.
    pub(super) fn runs(&self, cargo: Step) -> Step {
        within(&self.prefix, cargo).var(
            "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER",
            self.runner.join(" "),
        )
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // What has ended already is as good.
        within(&self.prefix, Step::new("wineserver", &root()).args(["-k"])).succeeds();
        within(&self.prefix, Step::new("wineserver", &root()).args(["-w"])).succeeds();
        let _ = self.keeper.wait();
    }
}

/// Starts Wine, and ends it where it hangs.
///
/// One in some thousand programs fails to start (ERROR_INTERNAL_ERROR) where Linux has put something at an address that Wine
/// needs. Without randomised addresses none does; a container may forbid that, and then it is as it is.
fn runner() -> Vec<&'static str> {
    let fixed = ["setarch", "x86_64", "--addr-no-randomize"];
    let may = Step::new(fixed[0], &root())
        .args(fixed[1..].iter().copied())
        .args(["true"]);
    let mut runner = vec!["timeout", "--kill-after=10", SECONDS_MAX];
    if may.succeeds() {
        runner.extend(fixed);
    }
    runner.push(WINE);
    runner
}

/// The step in this prefix. Without a UTF-8 locale file names of Windows would be limited to ASCII.
fn within(prefix: &Utf8Path, step: Step) -> Step {
    step.var("WINEPREFIX", prefix.as_str())
        .var("WINEDEBUG", "-all")
        .var("LC_ALL", "C.UTF-8")
}

/// Makes a prefix that says it is Windows 10, and what Debian's Wine lacks.
fn make(prefix: &Utf8Path) -> Result<()> {
    let failed = |error: std::io::Error| error.to_string();
    if prefix.exists() {
        fs::remove_dir_all(prefix).map_err(failed)?;
    }
    fs::create_dir_all(folder()).map_err(failed)?;
    let wine = |arguments: &[&str]| {
        within(
            prefix,
            Step::new(WINE, &root()).args(arguments.iter().copied()),
        )
        // Neither .NET nor a browser is asked for.
        .var("WINEDLLOVERRIDES", "mscoree=,mshtml=")
        .started_by("timeout", &["--kill-after=10", "180"])
        .run()
    };
    wine(&["wineboot", "-i"])?;
    wine(&["winecfg", "-v", "win10"])?;
    let library = prefix.join("drive_c/windows/system32/bcryptprimitives.dll");
    if !library.is_file() {
        compile("bcryptprimitives.c", &library, &["-shared", "-ladvapi32"])?;
    }
    let shares = prefix.join("dosdevices/unc");
    fs::create_dir_all(shares.join(SHARE.trim_start_matches('\\').replace('\\', "/")))
        .map_err(failed)?;
    within(prefix, Step::new("wineserver", &root()).args(["-k"])).succeeds();
    within(prefix, Step::new("wineserver", &root()).args(["-w"])).succeeds();
    fs::write(prefix.join("made"), "").map_err(failed)
}

/// Compiles a C file of `xtask/windows`.
pub(super) fn compile(source: &str, output: &Utf8Path, options: &[&str]) -> Result<()> {
    Step::new("x86_64-w64-mingw32-gcc", &root())
        .args(["-O2", "-s", "-o", output.as_str()])
        .args([format!("xtask/windows/{source}")])
        .args(options.iter().copied())
        .run()
}
