//! `fcgi-proto` runs without the standard library: what the compiled crate links is read from its own metadata.

use std::collections::BTreeSet;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use iiswsgi_tests::{root, succeed};

/// The crates that the compiled library in `folder` whose file name begins with `prefix` refers to.
fn external_dependencies(folder: &Utf8Path, prefix: &str) -> BTreeSet<String> {
    let library = folder
        .read_dir_utf8()
        .expect("the folder of compiled crates")
        .map(|entry| entry.expect("an entry").into_path())
        .find(|path| {
            path.extension() == Some("rlib")
                && path
                    .file_name()
                    .is_some_and(|name| name.starts_with(prefix))
        })
        .unwrap_or_else(|| panic!("no {prefix}*.rlib in {folder}"));
    // The compiler shows a crate's metadata on request; asking is the only unstable thing here.
    let listing = succeed(
        Command::new("rustc")
            .args(["-Zls=root", library.as_str()])
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(root()),
    );
    let (_, dependencies) = listing
        .split_once("=External Dependencies=")
        .expect("a list of dependencies");
    dependencies
        .lines()
        .filter_map(|line| Some(line.split(' ').nth(1)?.rsplit_once('-')?.0.to_owned()))
        .collect()
}

#[test]
fn fcgi_proto_and_what_it_uses_link_core_and_alloc_only() {
    let target = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_std");
    if target.exists() {
        fs_err::remove_dir_all(&target).expect("removed");
    }
    succeed(
        Command::new(env!("CARGO"))
            .args([
                "build",
                "--locked",
                "--offline",
                "-p",
                "fcgi-proto",
                "--no-default-features",
                "--target-dir",
                target.as_str(),
            ])
            .current_dir(root()),
    );
    let compiled: Utf8PathBuf = target.join("debug/deps");
    let set = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        external_dependencies(&compiled, "libfcgi_proto-"),
        set(&[
            "alloc",
            "compiler_builtins",
            "core",
            "thiserror",
            "thiserror_impl"
        ])
    );
    let thiserror = external_dependencies(&compiled, "libthiserror-");
    assert!(
        thiserror.is_subset(&set(&[
            "alloc",
            "compiler_builtins",
            "core",
            "thiserror_impl"
        ])),
        "{thiserror:?}"
    );
}
