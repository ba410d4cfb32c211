//! Rust's standard library for Windows, for a toolchain that came without.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{debian, folder};
use crate::run::{Result, Step};
use crate::workspace::root;

/// The version in `rust-toolchain.toml`, of exactly which the library's source is.
const VERSION: &str = "1.95.0";

/// Debian's package of that source, and the suite that has it.
const SOURCE: (&str, &str) = ("trixie-backports", "rust-src=1.95.0+dfsg1-2~bpo13+1");

/// A package whose dependencies are all that is built. LTO needs the bitcode; `panic_abort` is what its name says.
const MANIFEST: &str = r#"cargo-features = ["profile-rustflags"]
[package]
name = "standard-library"
version = "0.0.0"
edition = "2024"
[profile.release]
debug = 1
[profile.release.package.panic_abort]
rustflags = ["-Cpanic=abort"]
[workspace]
"#;

/// Puts the library for `target` into the toolchain, where it is not there: built from Debian's source, else as rustup has it.
pub(super) fn make(target: &str) -> Result<()> {
    let Err(error) = build(target) else {
        return Ok(());
    };
    println!("{error}");
    let rustup = Step::new("rustup", &root()).args(["target", "add", target]);
    rustup
        .run()
        .map_err(|second| format!("Rust's library for {target} cannot be had: {error}\n{second}"))
}

fn build(target: &str) -> Result<()> {
    let failed = |error: std::io::Error| error.to_string();
    let sysroot = Utf8PathBuf::from(ask("rustc", &["--print", "sysroot"])?);
    let library = sysroot.join("lib/rustlib").join(target).join("lib");
    if library.is_dir() {
        return Ok(());
    }
    let version = ask("rustc", &["--version"])?;
    if version.split(' ').nth(1) != Some(VERSION) {
        return Err(format!(
            "this is {version}, and the library's source is known of {VERSION}"
        ));
    }
    let source = source()?;
    let package = folder().join("standard-library");
    if package.exists() {
        fs::remove_dir_all(&package).map_err(failed)?;
    }
    fs::create_dir_all(package.join("src")).map_err(failed)?;
    fs::write(package.join("src/lib.rs"), "").map_err(failed)?;
    fs::write(package.join("Cargo.toml"), MANIFEST).map_err(failed)?;
    let built = {
        // Only while it is built: with the source there the compiler's messages quote it.
        let _link = Link::make(&sysroot.join("lib/rustlib/src/rust"), &source)?;
        Step::new("cargo", &package)
            .args(["build", "--release", "--quiet", "--target", target])
            .args(["-Zbuild-std=std,panic_abort,panic_unwind,test,proc_macro"])
            .args(["--target-dir", "target"])
            .var("RUSTC_BOOTSTRAP", "1")
            .var("RUSTFLAGS", "-Cembed-bitcode=yes")
            .run()
    };
    built?;
    let made = package.join("lib");
    fs::create_dir_all(&made).map_err(failed)?;
    let dependencies = package.join("target").join(target).join("release/deps");
    for entry in dependencies.read_dir_utf8().map_err(failed)? {
        let path = entry.map_err(failed)?.into_path();
        let name = path.file_name().unwrap_or_default();
        if name.ends_with(".rlib") && !name.starts_with("libstandard_library") {
            fs::copy(&path, made.join(name)).map_err(failed)?;
        }
    }
    // Whole or not at all, beside its place first: the toolchain may be on another disk.
    let beside = library.with_extension("new");
    fs::create_dir_all(&beside).map_err(failed)?;
    for entry in made.read_dir_utf8().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        fs::copy(entry.path(), beside.join(entry.file_name())).map_err(failed)?;
    }
    fs::rename(&beside, &library).map_err(failed)?;
    fs::remove_dir_all(&package).map_err(failed)
}

/// What makes libraries of objects for the other kind of Windows: the toolchain's linker, which does so under this name.
pub(super) fn librarian() -> Result<Utf8PathBuf> {
    let failed = |error: std::io::Error| error.to_string();
    let sysroot = Utf8PathBuf::from(ask("rustc", &["--print", "sysroot"])?);
    let host = ask("rustc", &["--print", "host-tuple"])?;
    let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    fs::create_dir_all(folder()).map_err(failed)?;
    let librarian = folder().join("lld-link");
    Step::new("ln", &root())
        .args(["-sfn", linker.as_str(), librarian.as_str()])
        .run()?;
    Ok(librarian)
}

/// The folder that holds the library's source as `library`, downloaded where it is not there.
fn source() -> Result<Utf8PathBuf> {
    let failed = |error: std::io::Error| error.to_string();
    let source = folder().join(format!("rust-src-{VERSION}"));
    if !source.is_dir() {
        let unpacked = folder().join("rust-src.new");
        let (suite, package) = SOURCE;
        debian::unpack(suite, &[package], &unpacked)?;
        let inner = unpacked.join(format!("usr/src/rustc-{VERSION}"));
        fs::rename(inner, &source).map_err(failed)?;
        fs::remove_dir_all(&unpacked).map_err(failed)?;
    }
    Ok(source)
}

fn ask(program: &str, arguments: &[&str]) -> Result<String> {
    let step = Step::new(program, &root()).args(arguments.iter().copied());
    Ok(step.quiet_output()?.trim().to_owned())
}

/// A symbolic link that is gone when the value is dropped.
#[derive(Debug)]
struct Link {
    /// None where something was there already.
    made: Option<Utf8PathBuf>,
}

impl Link {
    fn make(path: &Utf8Path, to: &Utf8Path) -> Result<Self> {
        if path.exists() {
            return Ok(Self { made: None });
        }
        let parent = path.parent().unwrap_or(path);
        Step::new("mkdir", &root())
            .args(["-p", parent.as_str()])
            .run()?;
        Step::new("ln", &root())
            .args(["-sfn", to.as_str(), path.as_str()])
            .run()?;
        Ok(Self {
            made: Some(path.to_owned()),
        })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(path) = &self.made {
            // A link that stays is only in the way of shorter messages.
            let _ = fs::remove_file(path);
        }
    }
}
