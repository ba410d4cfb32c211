//! `iiswsgi webpi start`, where there is a WebPI and where there is none.

#[cfg(unix)]
use fs_err as fs;

use crate::server::Server;
use crate::support::{PACKAGE, SHA1_OF_PACKAGE, Scratch, feed, iiswsgi, product, text};

/// A folder with a feed in `dist`, and a WebPI folder that has copies of it.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("dist/app-1.0.zip", PACKAGE);
    let text = feed(&product("App", "app-1.0.zip", SHA1_OF_PACKAGE, ""));
    scratch.write("dist/old.webpi.xml", "<feed");
    scratch.write("dist/app.webpi.xml", &text);
    let local = "local/Microsoft/Web Platform Installer";
    scratch.write(&format!("{local}/12.xml"), &text);
    scratch.write(&format!("{local}/installers/App/1/app-1.0.zip"), PACKAGE);
    scratch
}

#[cfg(unix)]
#[test]
fn webpi_is_started_with_its_copies_removed() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = scratch();
    let program = scratch.write(
        "programs/Microsoft/Web Platform Installer/WebPlatformInstaller.exe",
        "#!/bin/sh\nexit 0\n",
    );
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("executable");
    let output = iiswsgi()
        .args(["webpi", "start", "dist/app.webpi.xml"])
        .current_dir(&scratch.folder)
        .env("LOCALAPPDATA", scratch.folder.join("local"))
        .env("ProgramFiles", scratch.folder.join("programs"))
        .output()
        .expect("it starts");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{err}");
    assert_eq!(out.trim(), program.as_str());
    assert!(
        err.contains("removed 2 item(s)") && err.contains("add file:///"),
        "{err}"
    );
    assert!(!err.contains("skipped"), "{err}");
    let local = scratch
        .folder
        .join("local/Microsoft/Web Platform Installer");
    assert!(!local.join("12.xml").exists() && !local.join("installers/App").exists());
}

#[test]
fn without_webpi_the_newest_feed_is_served() {
    let scratch = scratch();
    let mut command = iiswsgi();
    command
        .args(["webpi", "start", "--port", "0", "--quiet"])
        .current_dir(&scratch.folder);
    let server = Server::of(&mut command);
    assert!(server.feed.ends_with("/app.webpi.xml"), "{}", server.feed);
    let (status, _, body) = server.request("GET", "/app.webpi.xml", &[]);
    assert!(
        status == 200 && text(&body).contains("<productId>App</productId>"),
        "{}",
        text(&body)
    );
}

#[test]
fn what_is_missing_is_told_in_a_line_each_and_an_error_when_strict() {
    let scratch = Scratch::new();
    for (strict, lines) in [
        (
            false,
            &[
                "skipped: removing WebPI's copies",
                "skipped: starting the Web Platform Installer",
                "there is no *.webpi.xml in `dist`",
                "2 step(s) skipped:",
            ][..],
        ),
        (
            true,
            &["removing WebPI's copies of feeds and packages is not possible"],
        ),
    ] {
        let mut command = iiswsgi();
        command
            .args(["webpi", "start", "--port", "0"])
            .args(strict.then_some("--strict"))
            .current_dir(&scratch.folder);
        let output = command.output().expect("it starts");
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{err}");
        for line in lines {
            assert!(err.contains(line), "{line}: {err}");
        }
    }
}
