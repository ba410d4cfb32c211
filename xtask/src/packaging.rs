//! The source distribution and the wheel as an index would get them.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::run::{Result, Step};
use crate::workspace::{PythonEnvironment, root, target};

/// Makes the source distribution, builds a wheel of it without a network, and has twine check what both say of themselves.
pub(crate) fn check(tools: &PythonEnvironment, wheel: &Utf8Path) -> Result<()> {
    let folder = target().join("xtask/sdist");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    }
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let maturin = || Step::new(tools.program("maturin"), &root());
    maturin()
        .args(["sdist", "--manifest-path", "python/Cargo.toml", "--out"])
        .args([folder.as_str()])
        .run()?;
    let sdist = only(&folder, ".tar.gz")?;
    Step::new(tools.program("python"), &root())
        .args(["-m", "twine", "--no-color", "check", "--strict"])
        .args([sdist.as_str(), wheel.as_str()])
        .run()?;
    // With today's times: cargo would take older files for those that it has compiled.
    Step::new("tar", &folder)
        .args(["-xmzf", sdist.as_str()])
        .run()?;
    let name = sdist.file_name().unwrap_or_default();
    let unpacked = folder.join(name.trim_end_matches(".tar.gz"));
    // Of what it needs, all was fetched for the wheel already.
    let built = maturin()
        .args(["build", "--locked", "--offline", "--manifest-path"])
        .args([
            unpacked.join("python/Cargo.toml").as_str(),
            "--out",
            folder.as_str(),
        ])
        .args(["--target-dir", target().as_str()])
        .run();
    // cargo takes what it has compiled of these files for the checkout's, whose changes it would no longer see.
    fs::remove_dir_all(&unpacked).map_err(|error| error.to_string())?;
    built?;
    let rebuilt = only(&folder, ".whl")?;
    let (rebuilt, wheel) = (files(tools, &rebuilt)?, files(tools, wheel)?);
    if rebuilt == wheel {
        Ok(())
    } else {
        Err(format!(
            "the wheel of the source distribution has other files:\n{rebuilt}\nand not\n{wheel}"
        ))
    }
}

/// The one file in `folder` whose name ends so.
fn only(folder: &Utf8Path, end: &str) -> Result<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().map_err(|error| error.to_string())?;
    let found: Vec<Utf8PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.into_path()))
        .filter(|path| path.as_str().ends_with(end))
        .collect();
    match <[Utf8PathBuf; 1]>::try_from(found) {
        Ok([file]) => Ok(file),
        Err(found) => Err(format!(
            "{} files *{end} in `{folder}`, not one",
            found.len()
        )),
    }
}

/// The names in a wheel, sorted.
fn files(tools: &PythonEnvironment, wheel: &Utf8Path) -> Result<String> {
    let program =
        "import sys, zipfile; print(*sorted(zipfile.ZipFile(sys.argv[1]).namelist()), sep='\\n')";
    Step::new(tools.program("python"), &root())
        .args(["-c", program, wheel.as_str()])
        .quiet_output()
}
