//! `iiswsgi msdeploy` on packages made here: what ends up in the folder, and what does not.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

mod scratch;

use std::collections::BTreeMap;
use std::io::Cursor;

use camino::Utf8Path;
use fs_err as fs;
use msdeploy_pkg::{PackageLimits, PackageReader, PackageWriter, Timestamp};
use scratch::{Answer, Scratch};

/// Paths with their text; folders that are empty end with a slash.
type Tree = BTreeMap<String, String>;

impl Scratch {
    fn write(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// Writes a package.
    fn package(&self, name: &str, files: &[(&str, &str)]) {
        fs::write(self.path(name), zip(files)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        Answer::of(self.command(IISWSGI).args(arguments))
    }

    /// What is in the folder `site`, and beside the application in it.
    fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        collect(&self.path("site"), "", &mut tree);
        tree
    }
}

const IISWSGI: &str = env!("CARGO_BIN_EXE_iiswsgi");

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut package = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
    for (name, text) in files {
        package.add(name, &mut text.as_bytes()).unwrap();
    }
    package.finish().unwrap().into_inner()
}

fn collect(folder: &Utf8Path, prefix: &str, tree: &mut Tree) {
    let Ok(entries) = folder.read_dir_utf8() else {
        return;
    };
    let before = tree.len();
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            collect(entry.path(), &format!("{name}/"), tree);
        } else {
            tree.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
    if tree.len() == before && !prefix.is_empty() {
        tree.insert(prefix.to_owned(), String::new());
    }
}

fn tree(files: &[(&str, &str)]) -> Tree {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

const MANIFEST: &str = "<m><iisApp path='App'/><setAcl path='App/data' setAclAccess='Modify'/></m>";

const PARAMETERS: &str = r#"<parameters>
  <parameter name="Application Path" defaultValue="Default Web Site/app" tags="iisApp">
    <parameterEntry kind="ProviderPath" scope="iisApp" match="^App$"/>
  </parameter>
  <parameter name="Greeting" defaultValue="hello">
    <parameterEntry kind="TextFile" scope="\\settings\.ini$" match="@GREETING@"/>
  </parameter>
</parameters>"#;

const CONTENT: [(&str, &str); 5] = [
    ("Manifest.xml", MANIFEST),
    ("Parameters.xml", PARAMETERS),
    ("App/app.py", "new\n"),
    ("App/settings.ini", "say = @GREETING@\r\n"),
    ("App/static/style.css", "body {}\n"),
];

/// What is in the folder before a sync.
const BEFORE: [(&str, &str); 3] = [
    ("app/app.py", "old\n"),
    ("app/data/db", "mine"),
    ("app/web.config", "mine"),
];

/// What it is about, the arguments, and the files afterwards.
type SyncCase<'c> = (&'c str, &'c [&'c str], Vec<(&'c str, &'c str)>);

#[test]
fn what_a_sync_leaves() {
    let said = "say = hello\r\n";
    let all = [
        ("app/app.py", "new\n"),
        ("app/data/db", "mine"),
        ("app/settings.ini", said),
        ("app/static/style.css", "body {}\n"),
        ("app/web.config", "mine"),
    ];
    let with_greeting = |text: &'static str| {
        let mut all = all;
        all[2].1 = text;
        all.to_vec()
    };
    let cases: Vec<SyncCase<'_>> = vec![
        ("as it is", &[], all.to_vec()),
        (
            "a value from the command line comes first",
            &["--set-param", "greeting=hi", "--set-param-file", "set.xml"],
            with_greeting("say = hi\r\n"),
        ),
        (
            "then a file",
            &["--set-param-file", "set.xml"],
            with_greeting("say = from the file\r\n"),
        ),
        (
            "a file that is skipped",
            &["--skip", r"objectName=filePath,absolutePath=\.css$"],
            all.iter()
                .map(|&(path, text)| match path {
                    "app/static/style.css" => ("app/static/", ""),
                    _ => (path, text),
                })
                .collect(),
        ),
        (
            "an update that is skipped",
            &[
                "--skip",
                r"-skip:skipAction=Update,objectName=filePath,absolutePath=app\.py",
            ],
            all.iter()
                .map(|&(path, text)| {
                    if path == "app/app.py" {
                        (path, "old\n")
                    } else {
                        (path, text)
                    }
                })
                .collect(),
        ),
        (
            "a file that is renamed",
            &[
                "--replace",
                r"objectName=filePath,match=^style\.css$,replace=main.css",
            ],
            vec![
                ("app/app.py", "new\n"),
                ("app/data/db", "mine"),
                ("app/settings.ini", said),
                ("app/static/main.css", "body {}\n"),
                ("app/web.config", "mine"),
            ],
        ),
        (
            "everything else is deleted",
            &["--disable-rule", "DoNotDeleteRule"],
            vec![
                ("app/app.py", "new\n"),
                ("app/settings.ini", said),
                ("app/static/style.css", "body {}\n"),
            ],
        ),
        (
            "everything else but one file is deleted",
            &[
                "--disable-rule",
                "DoNotDeleteRule",
                "--skip",
                r"objectName=filePath,absolutePath=\\web\.config$,skipAction=Delete",
            ],
            vec![
                ("app/app.py", "new\n"),
                ("app/settings.ini", said),
                ("app/static/style.css", "body {}\n"),
                ("app/web.config", "mine"),
            ],
        ),
        (
            "what is newer than the package stays",
            &["--enable-rule=SkipNewerFilesRule"],
            all.iter()
                .map(|&(path, text)| match path {
                    "app/app.py" => (path, "old\n"),
                    _ => (path, text),
                })
                .collect(),
        ),
        ("nothing is done", &["--what-if"], BEFORE.to_vec()),
        ("in msdeploy's spelling", &["--whatif"], BEFORE.to_vec()),
    ];
    for (what, arguments, expected) in cases {
        let scratch = Scratch::new();
        scratch.package("app.zip", &CONTENT);
        scratch.write(
            &BEFORE
                .map(|(path, text)| (format!("site/{path}"), text))
                .each_ref()
                .map(|(path, text)| (path.as_str(), *text)),
        );
        scratch.write(&[(
            "set.xml",
            "<parameters><setParameter name='Greeting' value='from the file'/></parameters>",
        )]);
        let mut command = vec!["msdeploy", "sync", "app.zip", "site/app"];
        command.extend(arguments);
        let first = scratch.run(&command);
        assert_eq!(first.code, Some(0), "{what}: {}", first.stderr);
        assert_eq!(scratch.tree(), tree(&expected), "{what}");
        // Once more changes nothing.
        let second = scratch.run(&command);
        assert_eq!(scratch.tree(), tree(&expected), "{what}, the second time");
        if !arguments
            .iter()
            .any(|argument| argument.starts_with("--what"))
        {
            assert!(
                second.stderr.contains("Total changes: 0"),
                "{what}: {}",
                second.stderr
            );
        }
    }
}

#[test]
fn the_environment_gives_values() {
    let scratch = Scratch::new();
    scratch.package("app.zip", &CONTENT);
    scratch.write(&[(
        "set.xml",
        "<parameters><setParameter name='Greeting' value='from the file'/></parameters>",
    )]);
    let given = Answer::of(
        scratch
            .command(IISWSGI)
            .env("IISWSGI_PARAM_GREETING", "from the environment")
            .args(["msdeploy", "sync", "app.zip", "site/app"])
            .args(["--set-param-file", "set.xml", "--format", "json"]),
    );
    assert_eq!(given.code, Some(0), "{}", given.stderr);
    assert_eq!(
        scratch.tree()["app/settings.ini"],
        "say = from the environment\r\n"
    );
    let report: serde_json::Value = serde_json::from_str(&given.stdout).unwrap();
    assert_eq!(report["added"], 4, "three files and a folder");
    assert_eq!(report["parameterized"][0], "settings.ini");
    // Windows has given the permission.
    let left = (!cfg!(windows)).then_some("setAcl App/data");
    assert_eq!(report["not_applied"][0].as_str(), left);

    // A variable for a parameter that there is not is most likely a slip.
    let answer = Answer::of(
        scratch
            .command(IISWSGI)
            .env("IISWSGI_PARAM_GREETNG", "x")
            .args(["msdeploy", "sync", "app.zip", "site/app", "--defaults"]),
    );
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    for words in ["parameter-environment-unknown", "`IISWSGI_PARAM_GREETING`"] {
        assert!(answer.stderr.contains(words), "{}", answer.stderr);
    }
}

#[test]
fn what_if_says_what_a_sync_does() {
    let scratch = Scratch::new();
    scratch.package("app.zip", &CONTENT);
    scratch.write(&[("site/app/app.py", "old\n"), ("site/app/gone.py", "old\n")]);
    let arguments = [
        "msdeploy",
        "sync",
        "app.zip",
        "site/app",
        "--what-if",
        "--disable-rule=DoNotDeleteRule",
    ];
    let text = scratch.run(&arguments).stdout;
    let folder = scratch.path("site/app").as_str().replace('\\', "/");
    let text = text.replace('\\', "/");
    let left = if cfg!(windows) {
        ""
    } else {
        ": left to msdeploy on Windows"
    };
    for line in [
        format!("Info: Deleting file ({folder}/gone.py)."),
        format!("Info: Updating file ({folder}/app.py)."),
        format!("Info: Adding directory ({folder}/static)."),
        format!("Info: Adding file ({folder}/static/style.css)."),
        format!("Info: Adding setAcl (App/data){left}."),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let mut arguments = arguments.to_vec();
    arguments.extend(["--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&scratch.run(&arguments).stdout).unwrap();
    let operations = plan["operations"].as_array().unwrap();
    let deleted = operations
        .iter()
        .find(|operation| operation["operation"] == "delete")
        .unwrap();
    assert_eq!(deleted["to"], "gone.py");
    assert!(scratch.path("site/app/gone.py").is_file());
}

/// A manifest whose runCommand is `command`, to be waited for half a second.
#[cfg(unix)]
fn commanding(command: &str, attributes: &str) -> String {
    let manifest = format!(
        "<m><iisApp path='App'/><runCommand path='{command}' waitAttempts='2' waitInterval='250' {attributes}/></m>"
    );
    let source = spanned_xml::Source::from_text("Manifest.xml.in", manifest);
    msdeploy_pkg::build_manifest(&source).unwrap().0
}

#[test]
#[cfg(unix)]
fn a_failure_leaves_the_folder_as_it_was() {
    let edit = |kind: &str, matching: &str| {
        format!(
            "<parameters><parameter name='P' defaultValue='v'><parameterEntry kind='{kind}' scope='settings' match='{matching}'/></parameter></parameters>"
        )
    };
    let fail = "successReturnCodes=\"0x0\"";
    let (position, xml) = (edit("TextFilePosition", "9;1;1"), edit("XmlFile", "//a"));
    let failing = commanding(
        "echo told; echo x > $APPL_PHYSICAL_PATH/web.config; exit 3",
        fail,
    );
    let slow = commanding("(sleep 60; touch $APPL_PHYSICAL_PATH/late) &amp; wait", "");
    let missing = commanding("/nowhere/program", "dontUseCommandExe=\"true\"");
    let large = "x".repeat(64 << 10);
    let cases: Vec<(&str, &str, Option<&str>, &str, &str)> = vec![
        (
            "a position outside of the file",
            MANIFEST,
            Some(&position),
            "",
            "settings.ini",
        ),
        (
            "a file that is not XML",
            MANIFEST,
            Some(&xml),
            "",
            "settings.ini",
        ),
        (
            "a command that fails",
            &failing,
            None,
            "",
            "ended with exit code 3",
        ),
        (
            "a command that takes too long",
            &slow,
            None,
            "",
            "had not ended after 500ms",
        ),
        (
            "a command that is not there",
            &missing,
            None,
            "",
            "cannot start",
        ),
        // The largest file may have 8 KiB: the disk is as good as full.
        (
            "a full disk",
            MANIFEST,
            None,
            "ulimit -f 16; trap '' XFSZ; ",
            "error",
        ),
    ];
    for (what, manifest, parameters, before, message) in cases {
        let scratch = Scratch::new();
        let mut files = vec![("Manifest.xml", manifest)];
        files.extend(parameters.map(|parameters| ("Parameters.xml", parameters)));
        files.extend([
            ("App/app.py", "new\n"),
            ("App/large.txt", &large),
            ("App/new/file.txt", "new\n"),
            ("App/settings.ini", "say = @GREETING@\r\n"),
        ]);
        scratch.package("app.zip", &files);
        scratch.write(&[
            ("site/app/app.py", "old\n"),
            ("site/app/empty.txt", ""),
            ("site/app/sub/gone.txt", "old\n"),
        ]);
        let old = scratch.tree();
        let script = format!(
            "{before}exec {IISWSGI} msdeploy sync app.zip site/app --run-commands --disable-rule DoNotDeleteRule"
        );
        let answer = Answer::of(scratch.command("sh").args(["-c", &script]));
        assert_eq!(answer.code, Some(1), "{what}: {}", answer.stderr);
        assert!(answer.stderr.contains(message), "{what}: {}", answer.stderr);
        assert_eq!(scratch.tree(), old, "{what}");
    }
}

#[test]
#[cfg(unix)]
fn a_commands_output_is_shown_and_its_exit_code_read() {
    let scratch = Scratch::new();
    let manifest = commanding(
        "echo out; echo err >&amp;2; exit 7",
        "successReturnCodes=\"0x0;0x7\"",
    );
    scratch.package("app.zip", &[("Manifest.xml", &manifest), ("App/a", "a")]);
    let answer = scratch.run(&["msdeploy", "sync", "app.zip", "site/app", "--run-commands"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("out\n") && answer.stderr.contains("err\n"),
        "{}",
        answer.stderr
    );
    assert_eq!(answer.stdout, format!("{}\n", scratch.path("site/app")));
}

#[test]
#[cfg(unix)]
fn what_a_killed_sync_has_done_is_taken_back_by_the_next() {
    let scratch = Scratch::new();
    // The command ends the process that runs it.
    let manifest = commanding("echo x > $APPL_PHYSICAL_PATH/web.config; kill -9 $PPID", "");
    scratch.package(
        "killed.zip",
        &[
            ("Manifest.xml", &manifest),
            ("App/app.py", "new\n"),
            ("App/new/file.txt", "new\n"),
        ],
    );
    scratch.write(&[("site/app/app.py", "old\n"), ("site/app/data/db", "mine")]);
    let old = scratch.tree();
    let killed = scratch.run(&[
        "msdeploy",
        "sync",
        "killed.zip",
        "site/app",
        "--run-commands",
    ]);
    assert_eq!(killed.code, None, "{}", killed.stderr);
    assert!(scratch.path("site/.app.iiswsgi-journal").is_file());
    // The next one fails before it does anything of its own.
    let broken = commanding("exit 1", "successReturnCodes=\"0x0\"");
    scratch.package(
        "broken.zip",
        &[("Manifest.xml", &broken), ("App/b.py", "b\n")],
    );
    let next = ["msdeploy", "sync", "broken.zip", "site/app"];
    scratch
        .run(&[&next[..], &["--run-commands"]].concat())
        .failed();
    assert_eq!(scratch.tree(), old);
}

/// Web Deploy's contentPath can be a file too.
#[test]
fn a_single_file_is_no_application() {
    let scratch = Scratch::new();
    for (name, manifest, entry) in [
        ("package.zip", "archive.xml", "Content/D_C/a.txt"),
        ("gallery.zip", "Manifest.xml", "a.txt"),
    ] {
        let path = if name == "package.zip" {
            r"D:\a.txt"
        } else {
            "a.txt"
        };
        let xml = format!("<m><contentPath path='{path}'/></m>");
        scratch.package(name, &[(manifest, &xml), (entry, "x")]);
        let message = scratch
            .run(&["msdeploy", "sync", name, "site/app", "--defaults"])
            .failed();
        for words in ["package-single-file", path, manifest] {
            assert!(message.contains(words), "{message}");
        }
        assert!(scratch.tree().is_empty());
    }
}

#[test]
fn an_entry_that_leaves_the_folder_is_refused() {
    let scratch = Scratch::new();
    let innocent = zip(&[
        ("Manifest.xml", MANIFEST),
        ("App/a.py", "a"),
        ("App/b/c/d.py", "b"),
    ]);
    for name in [
        "App/../d.py\0",
        "../b/c/d.py",
        "/pp/b/c/d.py",
        r"..\..\d.py\",
        "C:p/b/c/d.py",
    ] {
        let name = name.trim_end_matches('\0');
        let name = format!("{name:x<12}");
        let hostile: Vec<u8> = replace(&innocent, b"App/b/c/d.py", name.as_bytes());
        fs::write(scratch.path("app.zip"), hostile).unwrap();
        let answer = scratch.run(&["msdeploy", "sync", "app.zip", "site/app"]);
        assert_eq!(answer.code, Some(1), "{name}: {}", answer.stderr);
        assert_eq!(scratch.tree(), Tree::new(), "{name}");
    }
}

fn replace(octets: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut replaced = octets.to_vec();
    for at in 0..=replaced.len() - from.len() {
        if &octets[at..at + from.len()] == from {
            replaced[at..at + from.len()].copy_from_slice(to);
        }
    }
    replaced
}

/// What is in a package, by entry.
fn entries(path: &Utf8Path) -> Tree {
    let file = fs::File::open(path).unwrap();
    let mut package = PackageReader::open(file, PackageLimits::default()).unwrap();
    let mut tree = Tree::new();
    for entry in package.entries().to_vec() {
        let mut octets = Vec::new();
        package.read(&entry, &mut octets).unwrap();
        let slash = if entry.is_directory { "/" } else { "" };
        tree.insert(
            format!("{}{slash}", entry.path),
            String::from_utf8(octets).unwrap(),
        );
    }
    tree
}

#[test]
fn a_package_is_synced_into_another() {
    let rest = r#"<parameters>
  <parameter name="Application Path" defaultValue="Default Web Site/app" tags="iisApp">
    <parameterEntry kind="ProviderPath" scope="iisApp" match="^App$"/>
  </parameter>
  
</parameters>"#;
    let cases: [(&[&str], [&str; 2], &str, &str); 3] = [
        (
            &[],
            ["App/app.py", "App/static/style.css"],
            "say = @GREETING@\r\n",
            PARAMETERS,
        ),
        (
            &["--set-param", "Greeting=hi"],
            ["App/app.py", "App/static/style.css"],
            "say = hi\r\n",
            rest,
        ),
        (
            &[
                "--skip=absolutePath=css$",
                "--replace=objectName=filePath,match=^app,replace=main",
            ],
            ["App/main.py", "App/settings.ini"],
            "say = @GREETING@\r\n",
            PARAMETERS,
        ),
    ];
    for (arguments, files, settings, parameters) in cases {
        let scratch = Scratch::new();
        scratch.package("app.zip", &CONTENT);
        let mut command = vec!["msdeploy", "sync", "app.zip", "new.zip"];
        command.extend(arguments);
        let what_if = [command.as_slice(), &["--what-if"]].concat();
        scratch.run(&what_if).succeeded();
        assert!(!scratch.path("new.zip").exists());
        for _ in 0..2 {
            scratch.run(&command).succeeded();
            let found = entries(&scratch.path("new.zip"));
            for file in files {
                assert!(found.contains_key(file), "{arguments:?} {file}: {found:?}");
            }
            assert_eq!(found["Manifest.xml"], MANIFEST);
            assert_eq!(found["App/settings.ini"], settings, "{arguments:?}");
            assert_eq!(found["Parameters.xml"], parameters, "{arguments:?}");
        }
        // It is a package that can be installed.
        scratch
            .run(&["msdeploy", "sync", "new.zip", "site/app"])
            .succeeded();
    }
    let scratch = Scratch::new();
    scratch.package("app.zip", &CONTENT);
    scratch.write(&[("new.zip", "mine")]);
    let unknown = [
        "msdeploy",
        "sync",
        "app.zip",
        "new.zip",
        "--set-param",
        "X=y",
    ];
    scratch.run(&unknown).failed();
    assert_eq!(scratch.read("new.zip"), "mine");
}

/// A project with a template of each kind.
const PROJECT: [(&str, &str); 8] = [
    (
        "p/pyproject.toml",
        "[project]\nname = \"guest-book\"\nversion = \"1.0\"\nauthors = [{ name = \"A & B\" }]\n",
    ),
    ("p/MANIFEST.in", "graft static\nglobal-exclude *.map\n"),
    (
        "p/Manifest.xml.hbs",
        "<MSDeploy.iisApp>\n  <iisApp path=\"{{APP_FOLDER}}\" />\n  {{#each authors}}<!-- {{name}} -->{{/each}}\n</MSDeploy.iisApp>\n",
    ),
    ("p/Parameters.xml", PROJECT_PARAMETERS),
    ("p/iis_install.stamp.in", "%NAME% %VERSION%\n"),
    ("p/web.config.in", "<configuration/>\n"),
    ("p/guest_book.py", "application = None\n"),
    ("p/static/a.css", "body {}\n"),
];

const PROJECT_PARAMETERS: &str = r#"<parameters>
  <parameter name="Application Path" defaultValue="Default Web Site/book" tags="iisApp">
    <parameterEntry kind="ProviderPath" scope="iisApp" match="^guest-book$"/>
  </parameter>
</parameters>
"#;

#[test]
fn both_layouts_install_the_same() {
    let scratch = Scratch::new();
    scratch.write(&PROJECT);
    let mut installed = Vec::new();
    for (layout, names) in [
        ("gallery", ["Manifest.xml", "guest-book/static/a.css"]),
        (
            "package",
            ["archive.xml", "Content/guest-book/static/a.css"],
        ),
    ] {
        let built = scratch.run(&[
            "msdeploy", "package", "p", "--layout", layout, "-o", "p.zip",
        ]);
        assert_eq!(built.code, Some(0), "{layout}: {}", built.stderr);
        let found = entries(&scratch.path("p.zip"));
        for name in names {
            assert!(found.contains_key(name), "{layout}: {name}: {found:?}");
        }
        let checked = scratch.run(&["msdeploy", "check", "p.zip"]);
        assert_eq!(checked.code, Some(0), "{layout}: {}", checked.stdout);
        let synced = scratch.run(&["msdeploy", "sync", "p.zip", "site/app"]);
        assert_eq!(synced.code, Some(0), "{layout}: {}", synced.stderr);
        installed.push(scratch.tree());
        fs::remove_dir_all(scratch.path("site")).unwrap();
    }
    assert_eq!(installed[0], installed[1]);
    assert_eq!(installed[0]["app/iis_install.stamp"], "guest-book 1.0\n");
    let manifest = scratch.read("p/Manifest.xml");
    assert!(manifest.contains("<!-- A &amp; B -->"), "{manifest}");
}

#[test]
fn a_package_is_the_same_octets_at_every_run() {
    let scratch = Scratch::new();
    scratch.write(&PROJECT);
    for layout in ["gallery", "package"] {
        let [first, second] = ["1.zip", "2.zip"].map(|name| {
            let mut command = scratch.command(IISWSGI);
            command.args(["msdeploy", "package", "p", "--layout", layout, "-o", name]);
            assert_eq!(
                Answer::of(command.env("SOURCE_DATE_EPOCH", "1700000000")).code,
                Some(0)
            );
            fs::read(scratch.path(name)).unwrap()
        });
        assert!(first == second, "{layout}");
    }
}

#[cfg(unix)]
#[test]
fn a_person_at_a_terminal_sees_how_far_it_is() {
    let scratch = Scratch::new();
    let noise: String = (0..2_000_000_u32)
        .map(|n| char::from(b' ' + u8::try_from(n.wrapping_mul(2_654_435_761) >> 26).unwrap()))
        .collect();
    scratch.write(&[
        (
            "pyproject.toml",
            "[project]\nname = 'noise'\nversion = '1'\n",
        ),
        ("MANIFEST.in", "include *.txt\n"),
        ("Manifest.xml.in", "<m><iisApp path='noise'/></m>"),
        ("noise.txt", &noise),
    ]);
    // `script` gives the command a terminal.
    let shown = |options: &str| {
        let line = format!("'{IISWSGI}' {options} msdeploy package .");
        let answer = Answer::of(scratch.command("script").args(["-qec", &line, "/dev/null"]));
        assert_eq!(answer.code, Some(0), "{}", answer.stdout);
        answer.stdout
    };
    let watched = shown("");
    assert!(watched.contains("1.91 MiB/1.91 MiB"), "{watched}");
    assert!(watched.contains("packaged 3 files"), "{watched}");
    assert!(!shown("--quiet").contains("MiB"));
    let piped = scratch.run(&["msdeploy", "package", "."]);
    assert_eq!(piped.code, Some(0));
    assert!(!piped.stderr.contains("MiB"), "{}", piped.stderr);
}

/// The program itself has no interpreter: it asks one that has the wheel, here a script that says what it was asked.
#[cfg(unix)]
#[test]
fn an_application_is_tested_in_its_own_python() {
    use std::os::unix::fs::PermissionsExt;

    let scratch = Scratch::new();
    let answer = r#"{"application":"app:main","request":"POST /x","status":"200 OK","headers":[],"body":"","errors":"","failure":null,"passed":true}"#;
    let script = |gateway: u8, answer: &str| {
        let text = format!(
            "#!/bin/sh\n[ \"$1\" = -c ] && exit {gateway}\nprintf '%s\\n' \"$@\" > asked\necho '{answer}'\n"
        );
        scratch.write(&[("app/env/bin/python", text.as_str())]);
        let path = scratch.path("app/env/bin/python");
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    };
    let run = |options: &[&str]| {
        let fixed = ["msdeploy", "test", "app", "--app", "app:main"];
        scratch.run(&[&fixed[..], options].concat())
    };
    scratch.write(&[("body", "text")]);
    script(0, answer);
    let tested = run(&["--body", "body", "--path", "/x", "--header", "A: b"]);
    assert_eq!(
        (tested.code, tested.stdout.as_str()),
        (Some(0), "POST /x: 200 OK\n")
    );
    let asked = scratch.read("app/asked");
    let body = fs::canonicalize(scratch.path("body")).unwrap();
    for argument in [
        "--in-process\n--app\napp:main\n--method\nPOST\n--path\n/x\n--header\nA: b\n",
        body.to_str().unwrap(),
    ] {
        assert!(asked.contains(argument), "{asked}");
    }
    assert_eq!(run(&["--status", "404"]).code, Some(1));
    let failed = answer.replace("null", r#""it fails""#);
    script(0, &failed);
    let tested = run(&[]);
    assert_eq!(tested.code, Some(1));
    assert!(
        tested.stderr.contains("fails at POST /x: it fails"),
        "{}",
        tested.stderr
    );
    script(0, "no answer of ours");
    let tested = run(&[]);
    assert!(tested.stderr.contains("msdeploy test"), "{}", tested.stderr);
    script(1, answer);
    let tested = run(&[]);
    assert!(
        tested.stderr.contains("has no iiswsgi"),
        "{}",
        tested.stderr
    );
    assert_eq!(tested.code, Some(1));
}
