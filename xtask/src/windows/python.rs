//! CPython for Windows as python.org builds it.
//!
//! Its DLL and extension modules are in the Windows wheels of panda3d, which PyPI has; the library in Python is the same on every
//! system and comes from Debian's packages; `python.exe` and what the module venv copies are our own.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::wine::compile;
use super::{debian, folder};
use crate::run::{Result, Step};
use crate::workspace::{PythonEnvironment, root};

/// The versions that the tests run in: the one that Debian 12 has, and the newest with a source for Windows.
pub(super) const VERSIONS: [Version; 2] = [
    Version {
        name: "3.11",
        suite: "bookworm",
        source: "panda3d==1.10.16 \
            --hash=sha256:37acfb92655c4226879f95c988e2ef1449a53c54486d6c1ebc00e2772429af82\n",
        venv_launcher: "python.exe",
    },
    Version {
        name: "3.13",
        suite: "trixie",
        source: "panda3d==1.10.16 \
            --hash=sha256:0e505261bb58d8402d0099c291f1a3459acfdd38f3e7d666e72aa2e1ea5dc46f\n",
        venv_launcher: "venvlauncher.exe",
    },
];

/// A version of CPython, and where its parts come from.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) name: &'static str,
    /// The Debian release whose Python is of this version.
    suite: &'static str,
    /// The wheel with the DLL and the extension modules, as pip's requirements name it.
    source: &'static str,
    /// What the module venv copies as an environment's `python.exe`.
    venv_launcher: &'static str,
}

impl Version {
    /// The version as names of files have it.
    fn tag(&self) -> String {
        self.name.replace('.', "")
    }

    /// What pip is told for packages that are not for the machine that it runs on.
    pub(super) fn pip_platform(&self) -> [String; 5] {
        [
            "--platform=win_amd64".to_owned(),
            format!("--python-version={}", self.name),
            "--only-binary=:all:".to_owned(),
            "--quiet".to_owned(),
            "--disable-pip-version-check".to_owned(),
        ]
    }
}

/// What the library in Python does without here.
const LEFT_OUT: [&str; 10] = [
    "./EXTERNALLY-MANAGED",
    "./sitecustomize.py",
    "./site-packages",
    "./dist-packages",
    "./lib-dynload",
    "./test",
    "./idlelib",
    "./tkinter",
    "./turtledemo",
    "__pycache__",
];

/// The folder of `python.exe`, made where it is not there.
pub(super) fn make(version: &Version, tools: &PythonEnvironment) -> Result<Utf8PathBuf> {
    let failed = |error: std::io::Error| error.to_string();
    let tag = version.tag();
    let python = folder().join(format!("python{tag}"));
    if python.is_dir() {
        return Ok(python);
    }
    let new = folder().join("python.new");
    if new.exists() {
        fs::remove_dir_all(&new).map_err(failed)?;
    }
    fs::create_dir_all(new.join("Lib/site-packages")).map_err(failed)?;
    unpack_library(version, &new.join("Lib"))?;
    bundle_pip(version, tools, &new.join("Lib/ensurepip"))?;
    let customization = "sitecustomize.py";
    fs::copy(
        root().join("xtask/windows").join(customization),
        new.join("Lib").join(customization),
    )
    .map_err(failed)?;
    unpack_binaries(version, tools, &new)?;
    compile(
        "python.c",
        &new.join("python.exe"),
        &["-municode", &format!("-DPYTHON_DLL=L\"python{tag}.dll\"")],
    )?;
    let launchers = new.join("Lib/venv/scripts/nt");
    fs::create_dir_all(&launchers).map_err(failed)?;
    compile(
        "venv_launcher.c",
        &launchers.join(version.venv_launcher),
        &["-municode"],
    )?;
    make_stable_abi(&tag, &new)?;
    fs::rename(&new, &python).map_err(failed)?;
    Ok(python)
}

fn unpack_library(version: &Version, to: &Utf8Path) -> Result<()> {
    let failed = |error: std::io::Error| error.to_string();
    let name = version.name;
    let unpacked = folder().join("library");
    let packages = [
        format!("libpython{name}-minimal"),
        format!("libpython{name}-stdlib"),
        format!("python{name}-venv"),
    ];
    debian::unpack(
        version.suite,
        &packages.each_ref().map(String::as_str),
        &unpacked,
    )?;
    let archive = folder().join("library.tar");
    Step::new("tar", &unpacked.join(format!("usr/lib/python{name}")))
        .args(["-cf", archive.as_str()])
        .args(LEFT_OUT.map(|name| format!("--exclude={name}")))
        .args(["."])
        .run()?;
    Step::new("tar", to).args(["-xf", archive.as_str()]).run()?;
    fs::remove_file(&archive).map_err(failed)?;
    fs::remove_dir_all(&unpacked).map_err(failed)
}

/// Puts the wheels there that the module ensurepip installs: Debian's library has them elsewhere.
fn bundle_pip(version: &Version, tools: &PythonEnvironment, ensurepip: &Utf8Path) -> Result<()> {
    let failed = |error: std::io::Error| error.to_string();
    let module = fs::read_to_string(ensurepip.join("__init__.py")).map_err(failed)?;
    let wanted: Vec<String> = module.lines().filter_map(bundled).collect();
    if wanted.is_empty() {
        return Err(format!("`{ensurepip}/__init__.py` names no wheel"));
    }
    let folder = ensurepip.join("_bundled");
    fs::create_dir_all(&folder).map_err(failed)?;
    download(version, tools, &folder, wanted)
}

/// The requirement that a line like `_PIP_VERSION = "25.1.1"` of ensurepip stands for.
fn bundled(line: &str) -> Option<String> {
    let (name, number) = line.strip_prefix('_')?.split_once("_VERSION = \"")?;
    Some(format!(
        "{}=={}",
        name.to_lowercase(),
        number.strip_suffix('"')?
    ))
}

/// Downloads wheels for this version, without what they depend on.
fn download(
    version: &Version,
    tools: &PythonEnvironment,
    to: &Utf8Path,
    requirements: impl IntoIterator<Item = String>,
) -> Result<()> {
    Step::new(tools.program("python"), &root())
        .args(["-m", "pip", "download", "--no-deps"])
        .args(version.pip_platform())
        .args(["--dest", to.as_str()])
        .args(requirements)
        .run()
}

fn unpack_binaries(version: &Version, tools: &PythonEnvironment, to: &Utf8Path) -> Result<()> {
    let failed = |error: std::io::Error| error.to_string();
    let downloads = folder().join("panda3d");
    fs::create_dir_all(&downloads).map_err(failed)?;
    let requirements = downloads.join("requirements.txt");
    fs::write(&requirements, version.source).map_err(failed)?;
    download(
        version,
        tools,
        &downloads,
        ["--require-hashes", "--requirement", requirements.as_str()].map(str::to_owned),
    )?;
    let wheel = downloads
        .read_dir_utf8()
        .map_err(failed)?
        .filter_map(|entry| Some(entry.ok()?.into_path()))
        .find(|path| path.extension() == Some("whl"))
        .ok_or("pip downloaded no wheel")?;
    Step::new(tools.program("python"), &root())
        .args(["xtask/windows/unpack_python.py", wheel.as_str()])
        .args([to.to_string(), version.tag()])
        .run()?;
    fs::remove_dir_all(&downloads).map_err(failed)
}

/// Makes python3.dll, which extension modules for the stable ABI import: it forwards to the version's own, as CPython's does.
fn make_stable_abi(tag: &str, python: &Utf8Path) -> Result<()> {
    let failed = |error: std::io::Error| error.to_string();
    let library = python.join(format!("python{tag}.dll"));
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
        .map(|name| format!("  {name} = python{tag}.{name}\n"))
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
