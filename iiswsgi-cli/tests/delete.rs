//! `iiswsgi msdeploy delete`: what is gone afterwards, and what is not.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// A site root with a site of three applications: `/notes` has a FastCGI application of its own, and one that it shares with
/// `/other`.
struct SiteRoot {
    folder: tempfile::TempDir,
}

impl SiteRoot {
    fn new() -> Self {
        let root = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let applications: String = [("/", "site"), ("/notes", "site/notes"), ("/other", "other")]
            .iter()
            .map(|(path, folder)| {
                let folder = root.path(folder);
                fs::create_dir_all(&folder).unwrap();
                format!("<application path=\"{path}\"><virtualDirectory path=\"/\" physicalPath=\"{folder}\" /></application>\n")
            })
            .collect();
        let fast_cgi: String = ["own.exe", "shared.exe", "foreign.exe"]
            .iter()
            .map(|program| format!("<application fullPath=\"C:\\{program}\" arguments=\"-u\" />\n"))
            .collect();
        fs::write(
            root.path("applicationHost.config"),
            format!(
                "<configuration><system.applicationHost><sites>\n<site name=\"Default\" id=\"1\">\n{applications}</site>\n</sites></system.applicationHost>\n<system.webServer><fastCgi>\n{fast_cgi}</fastCgi></system.webServer></configuration>\n"
            ),
        )
        .unwrap();
        root.handlers("site/notes", &["own.exe", "shared.exe"]);
        root.handlers("other", &["shared.exe"]);
        root
    }

    fn path(&self, relative: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path())
            .unwrap()
            .join(relative)
    }

    fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap()
    }

    fn handlers(&self, folder: &str, programs: &[&str]) {
        let handlers: String = programs
            .iter()
            .map(|program| {
                format!("<add name=\"{program}\" path=\"*\" verb=\"*\" modules=\"FastCgiModule\" scriptProcessor=\"C:\\{program}|-u\" />")
            })
            .collect();
        fs::write(
            self.path(folder).join("web.config"),
            format!("<configuration><system.webServer><handlers>{handlers}</handlers></system.webServer></configuration>"),
        )
        .unwrap();
    }

    /// Exit status, standard output and standard error.
    fn delete(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_iiswsgi"))
            .args(["msdeploy", "delete"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .env_remove("IISWSGI_SITE_ROOT")
            .env_remove("windir")
            .output()
            .unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// What there is: the configuration, and whether the folders are there.
    fn state(&self) -> (String, Vec<bool>) {
        let folders = ["site", "site/notes/web.config", "other/web.config"];
        let there = folders.map(|folder| self.path(folder).exists());
        (self.read("applicationHost.config"), there.into())
    }
}

#[test]
fn an_application_goes_with_what_only_it_uses() {
    let root = SiteRoot::new();
    let before = root.state();
    let (code, shown, stderr) = root.delete(&["default/NOTES", "--what-if"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        shown.contains("would delete the FastCGI application C:\\own.exe|-u\n"),
        "{shown}"
    );
    assert_eq!(root.state(), before);

    let site_root = root.path("");
    let (code, shown, stderr) = root.delete(&["Default/notes", "--site-root", site_root.as_str()]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(shown.lines().count(), 3, "{shown}");
    let (config, there) = root.state();
    let lost: Vec<&str> = before
        .0
        .lines()
        .filter(|line| !config.contains(line))
        .collect();
    assert_eq!(lost.len(), 2, "{lost:?}");
    assert!(
        lost[0].contains("/notes") && lost[1].contains("own.exe"),
        "{lost:?}"
    );
    assert_eq!(there, [true, false, true]);
    let beside: Vec<_> = fs::read_dir(root.path("site")).unwrap().collect();
    assert!(beside.is_empty(), "{beside:?}");
}

#[test]
fn a_site_goes_once_it_has_no_other_applications() {
    let root = SiteRoot::new();
    let before = root.state();
    let (code, _, stderr) = root.delete(&["Default"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("`Default/notes` is in it"), "{stderr}");
    assert_eq!(root.state(), before);
    for application in ["Default/notes", "Default/other", "Default"] {
        let (code, _, stderr) = root.delete(&[application]);
        assert_eq!(code, Some(0), "{stderr}");
    }
    let (config, there) = root.state();
    assert!(!config.contains("<site "), "{config}");
    assert!(
        config.contains("foreign.exe") && !config.contains("shared.exe"),
        "{config}"
    );
    assert_eq!(there, [false; 3]);
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let root = SiteRoot::new();
    let before = root.state();
    let nowhere = root.path("nowhere");
    for (arguments, message) in [
        (
            &["Default/note"][..],
            "there are `Default`, `Default/notes`, `Default/other`",
        ),
        (&["Default//x"], "a part of it is empty"),
        (
            &["Default/notes", "--site-root", nowhere.as_str()],
            "there is no folder",
        ),
    ] {
        let (code, _, stderr) = root.delete(arguments);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
    assert_eq!(root.state(), before);
    assert!(!nowhere.exists());
}

/// An appcmd of ours lists a site and refuses to delete.
#[cfg(unix)]
#[test]
fn what_appcmd_refuses_to_delete_stays_whole() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = SiteRoot::new();
    let folder = root.path("site/notes");
    let appcmd = root.path("appcmd");
    let site = format!(
        "<site name=\"Default\" id=\"1\"><application path=\"/notes\"><virtualDirectory path=\"/\" physicalPath=\"{folder}\" /></application></site>"
    );
    fs::write(
        &appcmd,
        format!(
            "#!/bin/sh\necho \"$*\" >> asked\ncase \"$*\" in\n*'list site'*) echo '<appcmd><SITE SITE.NAME=\"Default\">{site}</SITE></appcmd>';;\n*'list config'*) echo '<appcmd></appcmd>';;\n*) test -e allowed || {{ echo 'ERROR ( message:no )'; exit 5; }}; esac\n"
        ),
    )
    .unwrap();
    fs::set_permissions(&appcmd, std::fs::Permissions::from_mode(0o755)).unwrap();
    let before = root.state();
    let arguments = ["Default/notes", "--appcmd", appcmd.as_str()];
    let (code, _, stderr) = root.delete(&arguments);
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(root.state(), before);
    fs::write(root.path("allowed"), "").unwrap();
    let (code, _, stderr) = root.delete(&arguments);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!folder.exists());
    let asked = root.read("asked");
    assert!(
        asked.ends_with("delete app /app.name:Default/notes\n"),
        "{asked}"
    );
}
