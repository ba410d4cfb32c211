//! Packages as other programs see them: Python's zipfile, Info-ZIP's unzip and 7-Zip read what we write, all of it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::Scratch;
use msdeploy_pkg::{PackageWriter, Timestamp};

/// Octets without a pattern, always the same.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend(state.to_le_bytes());
    }
    out.truncate(len);
    out
}

fn text(len: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for number in noise(len / 8) {
        writeln!(out, "    self.value_{number} = {number:#x}").expect("memory is written");
    }
    out.resize(len, b'#');
    out
}

/// Every way in which an entry is written: stored and deflated, in one part and in several, empty, not ASCII.
fn files() -> BTreeMap<&'static str, Vec<u8>> {
    BTreeMap::from([
        ("Manifest.xml", b"<m><iisApp path='App'/></m>".to_vec()),
        ("App/empty", Vec::new()),
        ("App/short.txt", b"x".to_vec()),
        ("App/text.py", text(200_000)),
        ("App/picture.png", noise(200_000)),
        ("App/long.sql", text(5_000_000)),
        ("App/long.whl", noise(3_000_000)),
        ("App/exact.bin", text(2 << 20)),
        (
            "App/mixed.bin",
            [text(1 << 20), noise(1 << 20), text(700_000)].concat(),
        ),
        ("App/gr\u{fc}\u{df}e/\u{65e5}\u{672c}.txt", text(5000)),
    ])
}

fn package(folder: &Utf8Path) -> Utf8PathBuf {
    let path = folder.join("package.zip");
    let file = fs::File::create(&path).expect("a file is made");
    let mut package = PackageWriter::new(file, Timestamp::default());
    for (name, data) in &files() {
        package
            .add(name, &mut data.as_slice())
            .expect("a file is added");
    }
    package
        .add_directory("App/folder")
        .expect("a folder is added");
    package.finish().expect("a package is written");
    path
}

/// Runs a program and gives what it prints.
fn run(program: &str, debian_package: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "`{program}` of the Debian package `{debian_package}` cannot be started: {error}"
            )
        });
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{program}: {}\n{printed}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

/// Everything that was packaged, and nothing else, of which `reads` are looked at.
fn same(folder: &Utf8Path, reads: fn(&str) -> bool) {
    for (name, data) in files().iter().filter(|(name, _)| reads(name)) {
        let found = fs::read(folder.join(name)).expect("a file was unpacked");
        assert!(found == *data, "{name} was unpacked to something else");
    }
    assert!(folder.join("App/folder").is_dir());
    let names = fs::read_dir(folder.join("App")).expect("a folder was unpacked");
    assert_eq!(names.count(), 10);
}

#[test]
fn python_reads_our_packages() {
    let scratch = Scratch::new();
    let package = package(scratch.path());
    let out = scratch.path().join("out");
    let program = "import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    archive.extractall(sys.argv[2])
";
    run(
        "python3",
        "python3",
        &["-c", program, package.as_str(), out.as_str()],
    );
    same(&out, |_| true);
}

#[test]
fn unzip_reads_our_packages() {
    let scratch = Scratch::new();
    let package = package(scratch.path());
    let printed = run("unzip", "unzip", &["-t", package.as_str()]);
    assert!(printed.contains("No errors detected"), "{printed}");
    let out = scratch.path().join("out");
    run(
        "unzip",
        "unzip",
        &["-q", package.as_str(), "-d", out.as_str()],
    );
    // It takes the names of every archive made on FAT for code page 437, whatever the flag for UTF-8 says.
    same(&out, str::is_ascii);
}

#[test]
fn seven_zip_reads_our_packages() {
    let scratch = Scratch::new();
    let package = package(scratch.path());
    let printed = run("7zz", "7zip", &["t", package.as_str()]);
    assert!(printed.contains("Everything is Ok"), "{printed}");
    let out = scratch.path().join("out");
    run("7zz", "7zip", &["x", &format!("-o{out}"), package.as_str()]);
    same(&out, |_| true);
}
