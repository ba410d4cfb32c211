//! `iiswsgi_install -e` where there is no network, and where there is uv: real environments, made and used.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::python::Environment;
use iiswsgi_tests::{Scratch, fail, iiswsgi, succeed};

/// A copy of the sample, unpacked, with the wheel of the gateway in its `wheels`.
fn unpacked(scratch: &Scratch) -> Utf8PathBuf {
    let folder = scratch.example("sample.msdeploy");
    fs::write(folder.join("iis_install.stamp"), "").expect("a stamp");
    let wheels = folder.join("wheels");
    fs::create_dir(&wheels).expect("a folder");
    let from = std::env::var("IISWSGI_TEST_WHEELS").expect("the folder of the wheel");
    for entry in Utf8Path::new(&from).read_dir_utf8().expect("wheels") {
        let entry = entry.expect("an entry");
        if entry.file_name().starts_with("iiswsgi-") {
            fs::copy(entry.path(), wheels.join(entry.file_name())).expect("a copy");
        }
    }
    folder
}

/// The command with an index that nothing answers for, and no other place to find the wheel.
fn offline(folder: &Utf8Path, installer: &str) -> Command {
    let mut command = iiswsgi();
    command
        .args(["bootstrap", "-e", "--site-root", folder.as_str()])
        .env_remove("PIP_FIND_LINKS")
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .env("PIP_RETRIES", "0")
        .env("UV_HTTP_RETRIES", "0")
        .env("APPL_PHYSICAL_PATH", folder)
        .env("IISWSGI_INSTALLER", installer);
    command
}

/// The message of a success.
fn said(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn the_wheels_of_a_package_suffice_without_a_network() {
    let scratch = Scratch::new();
    let folder = unpacked(&scratch);
    let message = said(&mut offline(&folder, "pip"));
    assert!(
        message.contains("making the virtual environment")
            && message.contains("tested `iiswsgi_sample:application`: 200 OK"),
        "{message}"
    );
    assert!(!message.contains("the index is asked"), "{message}");
    assert!(folder.join("env").is_dir() && !folder.join("iis_install.stamp").exists());
    // A wheel that is not there is asked for, and told.
    let pyproject = fs::read_to_string(folder.join("pyproject.toml")).expect("a file");
    let changed = pyproject.replace(
        "dependencies = []",
        "dependencies = [\"no-such-distribution-of-the-tests\"]",
    );
    fs::write(folder.join("pyproject.toml"), changed).expect("written");
    let message = fail(&mut offline(&folder, "pip"));
    assert!(
        message.contains("`wheels` of the package has not all that is needed")
            && message.contains("no-such-distribution-of-the-tests"),
        "{message}"
    );
}

#[test]
fn uv_makes_and_fills_the_environment_where_it_is_on_the_path() {
    let scratch = Scratch::new();
    let folder = unpacked(&scratch);
    let message = fail(offline(&folder, "uv").env("PATH", "/usr/bin:/bin"));
    assert!(message.contains("there is no uv on the path"), "{message}");
    let message = fail(&mut offline(&folder, "conda"));
    assert!(
        message.contains("IISWSGI_INSTALLER is `conda`"),
        "{message}"
    );

    let tools = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("uv");
    let _ = Environment::make(&tools, "python3", &["uv"]);
    let path = format!("{}:/usr/bin:/bin", tools.join("bin"));
    let message = said(offline(&folder, "auto").env("PATH", &path));
    assert!(
        message.contains("with uv, which is on the path")
            && message.contains("tested `iiswsgi_sample:application`: 200 OK"),
        "{message}"
    );
    let configuration = fs::read_to_string(folder.join("env/pyvenv.cfg")).expect("an environment");
    assert!(configuration.contains("uv = "), "{configuration}");
    // What is there is used again.
    let message = said(offline(&folder, "uv").env("PATH", &path));
    assert!(
        !message.contains("making the virtual environment"),
        "{message}"
    );
    // pip's configuration is uv's: the wheel comes from pip's own links.
    fs::remove_dir_all(folder.join("wheels")).expect("removed");
    fs::remove_dir_all(folder.join("env")).expect("removed");
    let wheels = std::env::var("IISWSGI_TEST_WHEELS").expect("the folder of the wheel");
    let message = said(
        offline(&folder, "uv")
            .env("PATH", &path)
            .env("PIP_FIND_LINKS", wheels)
            .env("PIP_NO_INDEX", "1"),
    );
    assert!(
        message.contains("making the virtual environment"),
        "{message}"
    );
    let installed = folder.join("env/bin/iiswsgi");
    let version = succeed(Command::new(installed).arg("--version"));
    assert!(version.starts_with("iiswsgi "), "{version}");
}
