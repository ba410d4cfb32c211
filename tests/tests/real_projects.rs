//! A Django project with a package of its own and a Flask application with compiled dependencies, each with a setup.py and
//! with pyproject.toml alone: packaged, fed, installed from the feed, tested, served, upgraded, and deleted.

use std::process::Command;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::python::Environment;
use iiswsgi_tests::site::Site;
use iiswsgi_tests::web_server::WebServer;
use iiswsgi_tests::{
    Scratch, Server, copy_folder, fail, get, iiswsgi, request, root, succeed, tree,
};

const APPLICATION: &str = "Default Web Site/Notes";

/// The file that says how a project is built; the other one is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    SetupPy,
    Pyproject,
}

/// A project of `tests/projects`, and how its next versions differ from 1.0.
struct Project {
    name: &'static str,
    product: &'static str,
    build: Build,
    /// Makes the next version one whose installation fails.
    spoil: fn(&Utf8Path),
    /// What the failure's message has in it.
    spoiled: &'static str,
    /// What else is new in the next version.
    renew: fn(&Utf8Path),
}

/// Python with the setuptools that a setup.py is run with.
fn builder() -> &'static Environment {
    static BUILDER: OnceLock<Environment> = OnceLock::new();
    BUILDER.get_or_init(|| {
        let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-projects");
        Environment::make(&folder, "python3", &["setuptools==80.9.0"])
    })
}

fn replace(path: &Utf8Path, old: &str, new: &str) {
    let text = fs::read_to_string(path).expect("a file");
    assert!(text.contains(old), "no `{old}` in {path}");
    fs::write(path, text.replace(old, new)).expect("written");
}

impl Project {
    /// The project in a folder of its own, with this version.
    fn write(&self, scratch: &Scratch, folder: &str, version: &str) -> Utf8PathBuf {
        let project = scratch.path().join(folder);
        for part in ["shared", self.name] {
            copy_folder(&root().join("tests/projects").join(part), &project);
        }
        fs::remove_file(project.join(self.other_file())).expect("removed");
        for file in [self.file(), "notes/__init__.py"] {
            replace(&project.join(file), "\"1.0\"", &format!("\"{version}\""));
        }
        project
    }

    const fn file(&self) -> &'static str {
        match self.build {
            Build::SetupPy => "setup.py",
            Build::Pyproject => "pyproject.toml",
        }
    }

    const fn other_file(&self) -> &'static str {
        match self.build {
            Build::SetupPy => "pyproject.toml",
            Build::Pyproject => "setup.py",
        }
    }

    /// Makes package and feed; returns the feed.
    fn release(&self, project: &Utf8Path) -> Utf8PathBuf {
        match self.build {
            Build::SetupPy => {
                let commands = ["setup.py", "-q", "bdist_msdeploy", "bdist_webpi", "-m", "."];
                succeed(builder().python().args(commands).current_dir(project));
            }
            Build::Pyproject => {
                succeed(iiswsgi().args(["msdeploy", "package", project.as_str()]));
                succeed(iiswsgi().args(["webpi", "feed", project.as_str()]));
            }
        }
        let files = tree(&project.join("dist"));
        let mut names = files.iter().map(|(name, _)| name);
        let feed = names.find(|name| name.ends_with(".webpi.xml"));
        project.join("dist").join(feed.expect("a feed"))
    }

    fn install(&self, feed: &Utf8Path, site_root: &Utf8Path) -> Command {
        let mut command = iiswsgi();
        command
            .args(["webpi", "install", feed.as_str(), self.product])
            .args(["--site-root", site_root.as_str()])
            .args(["--set-param", &format!("Application Path={APPLICATION}")]);
        command
    }

    fn run(&self) {
        let scratch = Scratch::new();
        let site_root = scratch.path().join("site root");
        let installed = site_root.join(APPLICATION);
        let first = self.release(&self.write(&scratch, "1.0", "1.0"));
        succeed(&mut self.install(&first, &site_root));
        succeed(iiswsgi().args(["msdeploy", "test", installed.as_str(), "--status", "200"]));

        let (server, addresses) = Server::dev(&site_root, 1);
        let added = request(
            &addresses[0],
            "POST",
            "/Notes/",
            "<Grüße> & more".as_bytes(),
        );
        assert_eq!(added.status, 200, "{}", added.body);
        server.stop();
        behind_nginx(&installed);

        let spoiled = self.write(&scratch, "spoiled", "2.0");
        (self.spoil)(&spoiled);
        let before = own_files(&installed);
        let message = fail(&mut self.install(&self.release(&spoiled), &site_root));
        assert!(message.contains(self.spoiled), "{message}");
        let after = own_files(&installed);
        assert_eq!(names(&before), names(&after));
        let changed = before.iter().zip(&after).filter(|(old, new)| old != new);
        let changed: Vec<&str> = changed.map(|((path, _), _)| path.as_str()).collect();
        assert!(
            changed.is_empty(),
            "a version that fails changed {changed:?}"
        );
        shows(&site_root, "1.0");

        let next = self.write(&scratch, "2.0", "2.0");
        (self.renew)(&next);
        succeed(&mut self.install(&self.release(&next), &site_root));
        succeed(iiswsgi().args(["msdeploy", "test", installed.as_str(), "--status", "200"]));
        shows(&site_root, "2.0");

        let delete = ["msdeploy", "delete", APPLICATION, "--site-root"];
        succeed(iiswsgi().args(delete).arg(&site_root));
        let config = fs::read_to_string(site_root.join("applicationHost.config")).expect("a file");
        for gone in ["/Notes", "notes.wsgi"] {
            assert!(!config.contains(gone), "{config}");
        }
        let left = tree(&site_root.join("Default Web Site"));
        assert!(left.is_empty(), "{:?}", names(&left));
    }
}

/// What is installed without the virtual environment and what Python writes beside its modules.
fn own_files(installed: &Utf8Path) -> Vec<(String, Vec<u8>)> {
    let mut files = tree(installed);
    files.retain(|(path, _)| !path.starts_with("env/") && !path.contains("__pycache__"));
    files
}

fn names(files: &[(String, Vec<u8>)]) -> Vec<&str> {
    files.iter().map(|(path, _)| path.as_str()).collect()
}

fn is_page(page: &str, version: &str, notes: &str) {
    let expected = format!("<h1>Notes {version}</h1>\n<ul>{notes}</ul>");
    assert_eq!(page.trim_end(), expected);
}

const NOTE: &str = "<li>&lt;Grüße&gt; &amp; more</li>";

/// The note that was made once is on the page, whatever the version.
fn shows(site_root: &Utf8Path, version: &str) {
    let (server, addresses) = Server::dev(site_root, 1);
    let notes = format!("{NOTE}<li>nginx</li>");
    is_page(&get(&addresses[0], "/Notes/"), version, &notes);
    server.stop();
}

/// The installed application behind nginx, as it is.
fn behind_nginx(installed: &Utf8Path) {
    let mut gateway = Command::new(installed.join("env/bin/iiswsgi"));
    gateway
        .args(["serve", "notes.wsgi:application"])
        .args(["--chdir", installed.as_str()]);
    let site = Site::start(WebServer::Nginx, gateway);
    is_page(&site.get("/").text(), "1.0", NOTE);
    let answer = site.post("/", b"nginx");
    assert_eq!(answer.status, 200, "{}{}", answer.text(), site.logs());
    is_page(&answer.text(), "1.0", &format!("{NOTE}<li>nginx</li>"));
    site.stop();
}

/// A requirement that no index has.
fn needs_too_much(project: &Utf8Path) {
    let file = ["setup.py", "pyproject.toml"]
        .map(|name| project.join(name))
        .into_iter()
        .find(|path| path.is_file())
        .expect("a project");
    replace(
        &file,
        "\"MarkupSafe>=3,<4\"",
        "\"MarkupSafe>=3,<4\", \"iiswsgi-no-such-distribution\"",
    );
}

fn migration(project: &Utf8Path, operation: &str) {
    let text = format!(
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n    dependencies = [(\"notes\", \"0001_initial\")]\n    operations = [{operation}]\n"
    );
    fs::write(project.join("notes/migrations/0002_next.py"), text).expect("written");
}

fn migrates_badly(project: &Utf8Path) {
    migration(
        project,
        "migrations.RunSQL(\"insert into no_such_table values (1)\")",
    );
}

fn has_a_new_column(project: &Utf8Path) {
    migration(
        project,
        "migrations.AddField(\"Note\", \"mood\", models.TextField(default=\"\"))",
    );
    let models = project.join("notes/models.py");
    replace(
        &models,
        "    text = models.TextField()\n",
        "    text = models.TextField()\n    mood = models.TextField(default=\"\")\n",
    );
}

const FLASK: Project = Project {
    name: "flask",
    product: "flask-notes",
    build: Build::SetupPy,
    spoil: needs_too_much,
    spoiled: "iiswsgi-no-such-distribution",
    renew: |_| {},
};

const DJANGO: Project = Project {
    name: "django",
    product: "django-notes",
    build: Build::SetupPy,
    spoil: migrates_badly,
    spoiled: "no_such_table",
    renew: has_a_new_column,
};

#[test]
fn flask_with_a_setup_py() {
    FLASK.run();
}

#[test]
fn flask_with_pyproject_alone() {
    Project {
        build: Build::Pyproject,
        ..FLASK
    }
    .run();
}

#[test]
fn django_with_a_setup_py() {
    DJANGO.run();
}

#[test]
fn django_with_pyproject_alone() {
    Project {
        build: Build::Pyproject,
        ..DJANGO
    }
    .run();
}
