//! CPython 3.11 for Windows as python.org builds it.
//!
//! Its DLL and extension modules are in the Windows wheel of panda3d, which PyPI has; the library in Python is the same on every
//! system and is copied from the Python 3.11 of this machine; `python.exe` and what the module venv copies are our own.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::folder;
use super::wine::compile;
use crate::run::{Result, Step};
use crate::workspace::{PythonEnvironment, root};

/// The version as names of files have it.
const TAG: &str = "311";

/// Debian 12's own Python.
const HOST_PYTHON: &str = "/usr/bin/python3.11";

const SOURCE: &str = "panda3d==1.10.16 \
    --hash=sha256:37acfb92655c4226879f95c988e2ef1449a53c54486d6c1ebc00e2772429af82\n";

/// What the library in Python does without here.
const LEFT_OUT: [&str; 8] = [
    "./site-packages",
    "./dist-packages",
    "./lib-dynload",
    "./test",
    "./idlelib",
    "./tkinter",
    "./turtledemo",
    "__pycache__",
];

/// What pip is told for packages that are not for the machine that it runs on.
pub(super) const PIP_PLATFORM: [&str; 5] = [
    "--platform=win_amd64",
    "--python-version=3.11",
    "--only-binary=:all:",
    "--quiet",
    "--disable-pip-version-check",
];

/// The folder of `python.exe`, made where it is not there.
pub(super) fn make(tools: &PythonEnvironment) -> Result<Utf8PathBuf> {
    let failed = |error: std::io::Error| error.to_string();
    let python = folder().join(format!("python{TAG}"));
    if python.is_dir() {
        return Ok(python);
    }
    let new = folder().join("python.new");
    if new.exists() {
        fs::remove_dir_all(&new).map_err(failed)?;
    }
    fs::create_dir_all(new.join("Lib/site-packages")).map_err(failed)?;
    copy_library(&library()?, &new.join("Lib"))?;
    bundle_pip(tools, &new.join("Lib/ensurepip/_bundled"))?;
    unpack_binaries(tools, &new)?;
    compile(
        "python.c",
        &new.join("python.exe"),
        &["-municode", &format!("-DPYTHON_DLL=L\"python{TAG}.dll\"")],
    )?;
    let launchers = new.join("Lib/venv/scripts/nt");
    fs::create_dir_all(&launchers).map_err(failed)?;
    compile(
        "venv_launcher.c",
        &launchers.join("python.exe"),
        &["-municode"],
    )?;
    make_stable_abi(&new)?;
    fs::rename(&new, &python).map_err(failed)?;
    Ok(python)
}

/// The library in Python of this machine's Debian, whose Python is of the same version.
fn library() -> Result<Utf8PathBuf> {
    let code = "import sysconfig, ensurepip, venv; print(sysconfig.get_path('stdlib'))";
    let path = Step::new(HOST_PYTHON, &root())
        .args(["-c", code])
        .quiet_output()
        .map_err(|error| format!("{error}\nWindows' Python shares the library of this one"))?;
    Ok(path.trim().into())
}

fn copy_library(library: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let excluded = LEFT_OUT.map(|name| format!("--exclude={name}"));
    let archive = folder().join("library.tar");
    Step::new("tar", library)
        .args(["-cf", archive.as_str()])
        .args(excluded)
        .args(["."])
        .run()?;
    Step::new("tar", to).args(["-xf", archive.as_str()]).run()?;
    fs::remove_file(&archive).map_err(|error| error.to_string())
}

/// Puts the wheels there that the module ensurepip installs: Debian's library has them elsewhere.
fn bundle_pip(tools: &PythonEnvironment, folder: &Utf8Path) -> Result<()> {
    let code = "import ensurepip; print(*(f'{name}=={version}' for name, version, _ in ensurepip._PROJECTS), sep='\\n')";
    let wanted = Step::new(HOST_PYTHON, &root())
        .args(["-c", code])
        .quiet_output()?;
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    Step::new(tools.program("python"), &root())
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--dest",
            folder.as_str(),
        ])
        .args(PIP_PLATFORM)
        .args(wanted.lines())
        .run()
}

fn unpack_binaries(tools: &PythonEnvironment, to: &Utf8Path) -> Result<()> {
    let failed = |error: std::io::Error| error.to_string();
    let download = folder().join("panda3d");
    fs::create_dir_all(&download).map_err(failed)?;
    let requirements = download.join("requirements.txt");
    fs::write(&requirements, SOURCE).map_err(failed)?;
    Step::new(tools.program("python"), &root())
        .args(["-m", "pip", "download", "--no-deps", "--require-hashes"])
        .args(PIP_PLATFORM)
        .args([
            "--dest",
            download.as_str(),
            "--requirement",
            requirements.as_str(),
        ])
        .run()?;
    let wheel = download
        .read_dir_utf8()
        .map_err(failed)?
        .filter_map(|entry| Some(entry.ok()?.into_path()))
        .find(|path| path.extension() == Some("whl"))
        .ok_or("pip downloaded no wheel")?;
    Step::new(tools.program("python"), &root())
        .args([
            "xtask/windows/unpack_python.py",
            wheel.as_str(),
            to.as_str(),
            TAG,
        ])
        .run()?;
    fs::remove_dir_all(&download).map_err(failed)
}

/// Makes python3.dll, which extension modules for the stable ABI import: it forwards to the version's own, as CPython's does.
fn make_stable_abi(python: &Utf8Path) -> Result<()> {
    let failed = |error: std::io::Error| error.to_string();
    let library = python.join(format!("python{TAG}.dll"));
    let dump = Step::new("x86_64-w64-mingw32-objdump", &root())
        .args(["-p", library.as_str()])
        .quiet_output()?;
    let exports: String = dump
        .lines()
        .skip_while(|line| !line.starts_with("[Ordinal/Name Pointer] Table"))
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .filter_map(|line| line.split_whitespace().last())
        .filter(|name| name.trim_start_matches('_').starts_with("Py"))
        .map(|name| format!("  {name} = python{TAG}.{name}\n"))
        .collect();
    let definition = folder().join("python3.def");
    fs::write(
        &definition,
        format!("LIBRARY python3.dll\nEXPORTS\n{exports}"),
    )
    .map_err(failed)?;
    compile(
        "python3.c",
        &python.join("python3.dll"),
        &[
            "-shared",
            "-nostartfiles",
            "-Wl,--entry,0",
            definition.as_str(),
        ],
    )?;
    fs::remove_file(&definition).map_err(failed)
}
