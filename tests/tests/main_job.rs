//! The main job for each example: a project becomes a package and a feed, is installed from the feed with real CPython
//! and pip, and answers through our own gateway behind the stand-in for IIS.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::{Scratch, Server, get, iiswsgi, request, succeed, tree};

/// Packages a copy of an example and writes its feed; returns the feed's URL and the package's path.
fn package(project: &Utf8Path) -> (String, Utf8PathBuf) {
    let package = succeed(iiswsgi().args(["msdeploy", "package", project.as_str()]));
    let feed = succeed(iiswsgi().args([
        "webpi",
        "feed",
        project.as_str(),
        "-u",
        "{msdeploy_package_url}",
    ]));
    (feed.trim().to_owned(), package.trim().into())
}

fn install(feed: &str, product: &str, site_root: &Utf8Path, parameters: &[&str]) -> String {
    let mut command = iiswsgi();
    command.args([
        "webpi",
        "install",
        feed,
        product,
        "--site-root",
        site_root.as_str(),
    ]);
    for parameter in parameters {
        command.args(["--set-param", parameter]);
    }
    succeed(&mut command)
}

fn has_cell(page: &str, id: &str, value: &str) {
    let cell = format!("<td id=\"{id}\">{value}</td>");
    assert!(page.contains(&cell), "no `{cell}` in\n{page}");
}

#[test]
fn the_same_project_gives_the_same_package() {
    for example in ["sample.msdeploy", "pyramid.msdeploy", "django.msdeploy"] {
        let [one, two] = [Scratch::new(), Scratch::new()].map(|scratch| {
            let (_, package) = package(&scratch.example(example));
            fs::read(package).expect("a package")
        });
        assert!(one == two, "two packages of {example} differ");
        assert!(one.starts_with(b"PK"));
    }
}

#[test]
fn sample_is_installed_and_served_at_a_sites_root() {
    let scratch = Scratch::new();
    let (feed, _) = package(&scratch.example("sample.msdeploy"));
    let site_root = scratch.path().join("site root");
    install(
        &feed,
        "iiswsgi-sample-app",
        &site_root,
        &["Application Path=Demo", "Table Style=dark"],
    );
    let installed = site_root.join("Demo");
    assert!(
        !installed.join("iis_install.stamp").exists(),
        "the stamp is removed"
    );
    let web_config = fs::read_to_string(installed.join("web.config")).expect("web.config");
    assert!(
        !web_config.contains("<fastCgi"),
        "<fastCgi> has no effect in web.config: {web_config}"
    );
    let application_host = fs::read_to_string(site_root.join("applicationHost.config"))
        .expect("applicationHost.config");
    assert!(
        application_host.contains("instanceMaxRequests=\"10000\""),
        "{application_host}"
    );

    let (server, addresses) = Server::dev(&site_root, 1);
    let page = get(&addresses[0], "/caf%C3%A9/a%20b?name=J%C3%BCrgen&x=1&x=2");
    has_cell(&page, "PATH_INFO", "/café/a b");
    has_cell(&page, "SCRIPT_NAME", "");
    has_cell(&page, "QUERY_STRING", "name=J%C3%BCrgen&amp;x=1&amp;x=2");
    has_cell(&page, "query.name", "Jürgen");
    has_cell(&page, "setting.tableStyle", "dark");
    has_cell(&page, "setting.showEnvironment", "True");
    let posted = request(&addresses[0], "POST", "/", &vec![b'x'; 300_000]);
    has_cell(&posted.body, "body.length", "300000");
    let head = request(&addresses[0], "HEAD", "/", b"");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    server.stop();
}

#[test]
fn sample_is_served_below_a_site_and_installing_again_changes_nothing() {
    let scratch = Scratch::new();
    let (feed, _) = package(&scratch.example("sample.msdeploy"));
    let site_root = scratch.path().join("site");
    install(&feed, "iiswsgi-sample-app", &site_root, &[]);
    let application = site_root.join("Default Web Site/iiswsgi-sample-app");
    let without_env = |site_root: &Utf8Path| -> Vec<(String, Vec<u8>)> {
        tree(site_root)
            .into_iter()
            .filter(|(path, _)| !path.contains("/env/") && !path.contains("__pycache__"))
            .collect()
    };
    fs::write(application.join("my-data.txt"), "mine").expect("a file of the user's");
    let before = without_env(&site_root);
    install(&feed, "iiswsgi-sample-app", &site_root, &[]);
    let after = without_env(&site_root);
    assert_eq!(names(&before), names(&after));
    assert!(before == after, "installing the same again changes nothing");

    let (server, addresses) = Server::dev(&site_root, 1);
    let page = get(&addresses[0], "/iiswsgi-sample-app/x%2Fy?q");
    has_cell(&page, "SCRIPT_NAME", "/iiswsgi-sample-app");
    has_cell(&page, "PATH_INFO", "/x/y");
    has_cell(&page, "setting.tableStyle", "lined");
    server.stop();
}

fn names(files: &[(String, Vec<u8>)]) -> Vec<&str> {
    files.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn sync_takes_values_from_a_file_and_runs_the_packages_command_when_asked() {
    let scratch = Scratch::new();
    let (_, package) = package(&scratch.example("sample.msdeploy"));
    let values = scratch.path().join("SetParameters.xml");
    fs::write(&values, "<parameters><setParameter name=\"Table Style\" value=\"dark\" /><setParameter name=\"Show Environment\" value=\"False\" /></parameters>").expect("written");
    let folder = scratch.path().join("app");
    let sync = |further: &[&str]| -> serde_json::Value {
        let mut command = iiswsgi();
        command
            .args([
                "msdeploy",
                "sync",
                package.as_str(),
                folder.as_str(),
                "--set-param-file",
                values.as_str(),
                "--set-param",
                "Table Style=plain",
                "--format",
                "json",
            ])
            .args(further);
        serde_json::from_str(&succeed(&mut command)).expect("JSON")
    };
    let report = sync(&[]);
    assert_eq!(report["parameterized"], serde_json::json!(["settings.xml"]));
    assert_eq!(
        report["commands"],
        serde_json::json!(["iiswsgi_install.exe -e"])
    );
    let settings = fs::read_to_string(folder.join("settings.xml")).expect("settings.xml");
    // The command line comes before the file.
    assert!(
        settings.contains("showEnvironment=\"False\"") && settings.contains("tableStyle=\"plain\""),
        "{settings}"
    );
    assert!(
        !folder.join("env").exists() && folder.join("iis_install.stamp").exists(),
        "the command is not run unless asked for"
    );

    sync(&["--run-commands"]);
    // Without a site root above it, the application's folder is one.
    let (server, addresses) = Server::dev(&folder, 1);
    has_cell(&get(&addresses[0], "/"), "setting.tableStyle", "plain");
    server.stop();
}

#[test]
fn a_person_at_a_terminal_is_asked_for_parameters() {
    let scratch = Scratch::new();
    let (_, package) = package(&scratch.example("sample.msdeploy"));
    let folder = scratch.path().join("app");
    let answers = scratch.path().join("answers");
    // Nothing typed is the default.
    fs::write(&answers, "\nFalse\ndark\n").expect("written");
    // `script` gives the command a terminal, and types what it reads.
    let command = iiswsgi();
    let program = command.get_program().to_str().expect("text");
    let line = format!("'{program}' msdeploy sync '{package}' '{folder}'");
    let shown = succeed(
        Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .stdin(fs::File::open(&answers).expect("answers").into_file()),
    );
    assert!(
        shown.contains("Table Style (plain, lined, dark) [lined]: "),
        "{shown}"
    );
    let settings = fs::read_to_string(folder.join("settings.xml")).expect("settings.xml");
    assert!(
        settings.contains("showEnvironment=\"False\"") && settings.contains("tableStyle=\"dark\""),
        "{settings}"
    );
}

#[test]
fn computed_metadata_comes_from_the_projects_own_build_backend() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    let pyproject = fs::read_to_string(project.join("pyproject.toml")).expect("pyproject.toml");
    let dynamic = pyproject.replace("version = \"0.4.0\"\n", "dynamic = [\"version\"]\n")
        + "\n[tool.setuptools.dynamic]\nversion = { attr = \"iiswsgi_sample.VERSION\" }\n";
    assert_ne!(pyproject, dynamic);
    fs::write(project.join("pyproject.toml"), dynamic).expect("written");
    let module = fs::read_to_string(project.join("iiswsgi_sample.py")).expect("the module");
    fs::write(
        project.join("iiswsgi_sample.py"),
        format!("{module}\nVERSION = '.'.join(['2', '5'])\n"),
    )
    .expect("written");
    let package = succeed(iiswsgi().args(["msdeploy", "package", project.as_str()]));
    assert!(
        package
            .trim()
            .ends_with("iiswsgi-sample-app-2.5.msdeploy.zip"),
        "{package}"
    );
}

#[test]
fn a_project_of_2012_is_packaged_from_its_setup_cfg() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    fs::remove_file(project.join("pyproject.toml")).expect("removed");
    fs::write(
        project.join("setup.cfg"),
        "[metadata]\nname = old-app\nversion = 1.0\n[options]\npy_modules = iiswsgi_sample\n",
    )
    .expect("written");
    fs::write(
        project.join("setup.py"),
        "from setuptools import setup\nsetup()\n",
    )
    .expect("written");
    let report =
        succeed(iiswsgi().args(["msdeploy", "package", project.as_str(), "--format", "json"]));
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert!(
        report["path"]
            .as_str()
            .expect("a path")
            .ends_with("old-app-1.0.msdeploy.zip"),
        "{report}"
    );
    assert_eq!(report["sha1"].as_str().expect("a digest").len(), 40);
    let listing = succeed(Command::new("python3").args([
        "-m",
        "zipfile",
        "-l",
        report["path"].as_str().expect("a path"),
    ]));
    for name in [
        "Manifest.xml",
        "Parameters.xml",
        "old-app/iiswsgi_sample.py",
        "old-app/web.config.in",
        "old-app/iis_install.stamp",
    ] {
        assert!(listing.contains(name), "no `{name}` in\n{listing}");
    }
}

#[test]
fn pyramid_is_set_up_from_its_parameters_and_served() {
    let scratch = Scratch::new();
    let (feed, _) = package(&scratch.example("pyramid.msdeploy"));
    let site_root = scratch.path().join("site");
    install(
        &feed,
        "iiswsgi-pyramid-app",
        &site_root,
        &[
            "Application Path=Pyramid",
            "Project Name=guestbook",
            "Scaffold=api",
        ],
    );
    assert!(
        site_root.join("Pyramid/guestbook").is_dir(),
        "the project is made by the package's own set-up step"
    );
    let (server, addresses) = Server::dev(&site_root, 1);
    let answer = request(&addresses[0], "GET", "/", b"");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("guestbook"), "{}", answer.body);
    server.stop();
}

#[test]
fn django_migrates_its_database_and_counts_visits() {
    let scratch = Scratch::new();
    let (feed, _) = package(&scratch.example("django.msdeploy"));
    let site_root = scratch.path().join("site");
    install(
        &feed,
        "iiswsgi-django-app",
        &site_root,
        &["Application Path=Django"],
    );
    let (server, addresses) = Server::dev(&site_root, 1);
    let first = get(&addresses[0], "/");
    let second = get(&addresses[0], "/");
    assert_ne!(first, second, "the number of visits is on the page");
    server.stop();
}
