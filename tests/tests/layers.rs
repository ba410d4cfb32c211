//! Imports point one way only, and the pure crates stay pure: held over `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each crate of ours may import of ours, as ARCHITECTURE.md draws it.
const LAYERS: [(&str, &[&str]); 10] = [
    ("fcgi-proto", &[]),
    ("spanned-xml", &[]),
    ("msdeploy-pkg", &["spanned-xml"]),
    ("webpi-feed", &["spanned-xml"]),
    ("iis-config", &["spanned-xml"]),
    ("python-dist", &["spanned-xml"]),
    ("fcgi-gateway", &["fcgi-proto"]),
    (
        "iis-dev-server",
        &["fcgi-proto", "iis-config", "spanned-xml"],
    ),
    (
        "iiswsgi-cli",
        &[
            "fcgi-gateway",
            "iis-config",
            "iis-dev-server",
            "msdeploy-pkg",
            "python-dist",
            "spanned-xml",
            "webpi-feed",
        ],
    ),
    ("iiswsgi-python", &["fcgi-gateway", "iiswsgi-cli"]),
];

/// Libraries that do I/O by their nature; no pure crate depends on one.
const IO_LIBRARIES: [&str; 9] = [
    "camino", "fs-err", "hyper", "libc", "socket2", "tempfile", "tokio", "ureq", "walkdir",
];

const PURE: [&str; 6] = [
    "fcgi-proto",
    "spanned-xml",
    "msdeploy-pkg",
    "webpi-feed",
    "iis-config",
    "python-dist",
];

/// The normal dependencies of every member of the workspace.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let normal = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter(|dependency| dependency["kind"].is_null());
            (
                text(&package["name"]),
                normal.map(|dependency| text(&dependency["name"])).collect(),
            )
        })
        .collect()
}

#[test]
fn imports_point_one_way_only() {
    let dependencies = dependencies();
    let ours: BTreeSet<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in LAYERS {
        let imported: BTreeSet<&str> = dependencies[name]
            .iter()
            .map(String::as_str)
            .filter(|dependency| ours.contains(dependency))
            .collect();
        let forbidden: Vec<&&str> = imported
            .iter()
            .filter(|dependency| !allowed.contains(dependency))
            .collect();
        assert!(forbidden.is_empty(), "{name} imports {forbidden:?}");
    }
}

#[test]
fn every_member_has_its_layer() {
    let known: BTreeSet<&str> = LAYERS
        .iter()
        .map(|(name, _)| *name)
        .chain(["iiswsgi-tests", "xtask"])
        .collect();
    let members = dependencies();
    let members: BTreeSet<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(members, known);
}

#[test]
fn pure_crates_depend_on_no_library_that_does_io() {
    let dependencies = dependencies();
    for name in PURE {
        let found: Vec<&str> = IO_LIBRARIES
            .into_iter()
            .filter(|library| dependencies[name].contains(*library))
            .collect();
        assert!(found.is_empty(), "{name} depends on {found:?}");
    }
}

#[test]
fn only_spanned_xml_uses_quick_xml_and_one_file_draws_diagnostics() {
    let dependencies = dependencies();
    let users = |library: &str| -> Vec<&str> {
        dependencies
            .iter()
            .filter(|(_, of)| of.contains(library))
            .map(|(name, _)| name.as_str())
            .collect()
    };
    assert_eq!(users("quick-xml"), ["spanned-xml"]);
    assert_eq!(users("annotate-snippets"), ["iiswsgi-cli"]);
}
