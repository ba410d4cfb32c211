//! `iiswsgi msdeploy delete`: what is gone afterwards, and what is not.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

mod scratch;

use std::ops::Deref;

use fs_err as fs;
use scratch::{Answer, Scratch};

/// A site root with a site of three applications: `/notes` has a FastCGI application of its own, and one that it shares with
/// `/other`.
struct SiteRoot(Scratch);

impl Deref for SiteRoot {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.0
    }
}

impl SiteRoot {
    fn new() -> Self {
        let root = Self(Scratch::new());
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

    fn delete(&self, arguments: &[&str]) -> Answer {
        let mut command = self.command(env!("CARGO_BIN_EXE_iiswsgi"));
        command
            .args(["msdeploy", "delete"])
            .args(arguments)
            .env_remove("windir");
        Answer::of(&mut command)
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
    let shown = root.delete(&["default/NOTES", "--what-if"]).succeeded();
    assert!(
        shown.contains("would delete the FastCGI application C:\\own.exe|-u\n"),
        "{shown}"
    );
    assert_eq!(root.state(), before);

    let site_root = root.path("");
    let shown = root
        .delete(&["Default/notes", "--site-root", site_root.as_str()])
        .succeeded();
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
    let stderr = root.delete(&["Default"]).failed();
    assert!(stderr.contains("`Default/notes` is in it"), "{stderr}");
    assert_eq!(root.state(), before);
    for application in ["Default/notes", "Default/other", "Default"] {
        root.delete(&[application]).succeeded();
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
        let stderr = root.delete(arguments).failed();
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
    root.delete(&arguments).failed();
    assert_eq!(root.state(), before);
    fs::write(root.path("allowed"), "").unwrap();
    root.delete(&arguments).succeeded();
    assert!(!folder.exists());
    let asked = root.read("asked");
    assert!(
        asked.ends_with("delete app /app.name:Default/notes\n"),
        "{asked}"
    );
}
