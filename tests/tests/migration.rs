//! The examples of `docs/migrate-from-*.md`, run as they are written there.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::python::Environment;
use iiswsgi_tests::{Scratch, Server, iiswsgi, request, root, succeed};

/// A page of `docs`.
struct Page {
    text: String,
}

impl Page {
    fn read(name: &str) -> Self {
        let text = fs::read_to_string(root().join("docs").join(name)).expect("a page");
        Self { text }
    }

    /// The files that it shows: a line with the name, and a block of code.
    fn files(&self) -> Vec<(&str, &str)> {
        let mut files = Vec::new();
        for (at, _) in self.text.match_indices("`:\n\n```") {
            let before = &self.text[..at];
            let name = &before[before.rfind('`').expect("a name") + 1..];
            let block = &self.text[at + 3..];
            let code = &block[block.find("```").expect("a block")..];
            let (_, code) = code.split_once('\n').expect("a line");
            let (code, _) = code.split_once("```").expect("the end of a block");
            files.push((name, code));
        }
        files
    }

    /// What the blocks of a language show.
    fn blocks(&self, language: &str) -> Vec<&str> {
        let fence = format!("```{language}\n");
        let blocks = self.text.split(fence.as_str()).skip(1);
        blocks
            .map(|block| block.split_once("```").expect("the end of a block").0)
            .collect()
    }

    /// Writes the files of these names, each with those of the page's diffs that are about it.
    fn write(&self, folder: &Utf8Path, names: &[&str], diffs: &[&str]) {
        let files = self.files();
        for name in names {
            let found = files.iter().find(|(found, _)| found == name);
            let (_, text) = found.unwrap_or_else(|| panic!("no {name}"));
            let text = diffs.iter().fold((*text).to_owned(), |text, diff| {
                if is_about(&text, diff) {
                    patch(&text, diff)
                } else {
                    text
                }
            });
            write(folder, name, &text);
        }
    }
}

fn is_about(text: &str, diff: &str) -> bool {
    diff.lines()
        .filter_map(|line| line.strip_prefix('-'))
        .all(|line| text.contains(line))
}

/// Applies the lines of a diff that has no context.
fn patch(text: &str, diff: &str) -> String {
    let lines = |sign: char| {
        let lines = diff.lines().filter_map(|line| line.strip_prefix(sign));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let (old, new) = (lines('-'), lines('+'));
    assert_eq!(text.matches(&old).count(), 1, "{old}");
    text.replace(&old, &new)
}

fn write(folder: &Utf8Path, name: &str, text: &str) -> Utf8PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(&path, text).expect("written");
    path
}

#[test]
fn a_site_of_wfastcgi_runs_after_one_line() {
    let page = Page::read("migrate-from-wfastcgi.md");
    let environment = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("migration");
    let _ = Environment::make(&environment, "python3", &["Django>=4.2,<6"]);
    let scratch = Scratch::new();
    let site = scratch.path().join("mysite");
    let files = page.files();
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["mysite/settings.py", "mysite/urls.py", "web.config"]
    );
    let python = environment.join("bin/python");
    // The page's machine is Windows; this one need not be.
    let here = |text: &str| {
        text.replace(r"C:\Python312\python.exe", python.as_str())
            .replace(r"C:\inetpub\wwwroot\mysite\", &format!("{site}/"))
            .replace(r"C:\inetpub\wwwroot\mysite", site.as_str())
    };
    for (name, text) in &files {
        write(&site, name, &here(text));
    }
    let config = write(
        scratch.path(),
        "applicationHost.config",
        &format!(
            r#"<configuration><system.applicationHost><sites><site name="mysite" id="1"><application path="/"><virtualDirectory path="/" physicalPath="{site}" /></application><bindings><binding protocol="http" bindingInformation="*:80:" /></bindings></site></sites></system.applicationHost><system.webServer><fastCgi /><handlers accessPolicy="Read, Script" /></system.webServer></configuration>"#
        ),
    );
    succeed(
        Command::new(environment.join("bin/wfastcgi-enable"))
            .arg(format!("/apphostconfig:{config}")),
    );

    let (_, web_config) = files.last().expect("web.config");
    let [diff] = page.blocks("diff")[..] else {
        panic!("one line changes");
    };
    write(&site, "web.config", &here(&patch(web_config, diff)));
    let (server, addresses) = Server::dev(scratch.path(), 1);
    let answer = request(&addresses[0], "GET", "/hello/J%C3%BCrgen/", b"");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body, "Hello Jürgen at /hello/Jürgen/");
    assert_eq!(request(&addresses[0], "GET", "/other", b"").status, 404);
    server.stop();
    let log = fs::read_to_string(site.join("wsgi.log")).expect("the log that is named");
    assert!(
        log.contains("django.core.wsgi.get_wsgi_application"),
        "{log}"
    );
}

/// Makes a package and a feed of the project by `commands`, installs it from there, and asks for its page.
fn release(project: &Utf8Path, site_root: &Utf8Path, commands: &mut [Command]) {
    for command in commands {
        succeed(command.current_dir(project));
    }
    let feed = project
        .join("dist")
        .read_dir_utf8()
        .expect("the distributions")
        .map(|entry| entry.expect("an entry").into_path())
        .find(|path| path.as_str().ends_with(".webpi.xml"))
        .expect("a feed");
    succeed(iiswsgi().args([
        "webpi",
        "install",
        feed.as_str(),
        "notes",
        "--site-root",
        site_root.as_str(),
    ]));
    let (server, addresses) = Server::dev(site_root, 1);
    let answer = request(&addresses[0], "GET", "/notes/", b"");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body, "The first note, in notes");
    server.stop();
    let config = fs::read_to_string(site_root.join("applicationHost.config")).expect("a file");
    assert!(config.contains("maxInstances=\"2\""), "{config}");
}

/// Files that the package has with and without a setup.py.
const NOTES: [&str; 7] = [
    "notes.py",
    "development.ini",
    "MANIFEST.in",
    "Manifest.xml.in",
    "Parameters.xml",
    "iis_install.stamp.in",
    "web.config.in",
];

#[test]
fn a_package_of_iiswsgi_0_3_becomes_one_without_setup_py() {
    let page = Page::read("migrate-from-iiswsgi-0.3.md");
    let scratch = Scratch::new();
    let project = scratch.path().join("project");
    let diffs = page.blocks("diff");
    let names = [&NOTES[..], &["pyproject.toml", "first_note.py"]].concat();
    page.write(&project, &names, &diffs);
    let mut package = iiswsgi();
    package.args(["msdeploy", "package"]);
    let mut feed = iiswsgi();
    feed.args(["webpi", "feed", ".", "-u", "{msdeploy_package_url}"]);
    release(
        &project,
        &scratch.path().join("sites"),
        &mut [package, feed],
    );
}

#[test]
fn a_package_of_iiswsgi_0_3_keeps_its_setup_py() {
    let page = Page::read("migrate-from-iiswsgi-0.3.md");
    let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("migration-0.3");
    let environment = Environment::make(&folder, "python3", &["setuptools"]);
    let scratch = Scratch::new();
    let project = scratch.path().join("project");
    // What has to change: the two diffs of the first section about it.
    let diffs = page.blocks("diff");
    let names = [&NOTES[..], &["setup.py"]].concat();
    page.write(&project, &names, &diffs[..2]);
    let [commands, ..] = page.blocks("sh")[..] else {
        panic!("how it is built");
    };
    let mut words = commands.split_whitespace();
    assert_eq!(words.next(), Some("python"));
    let mut build = environment.python();
    build.args(words.map(|word| word.trim_matches('"')));
    release(&project, &scratch.path().join("sites"), &mut [build]);
}
