//! Bad input: a message that names file, line and column and says what to do, exit status 1, and nothing changed that was
//! there before.

use std::io::{Cursor, Write as _};
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::{Scratch, Server, fail, iiswsgi, request, succeed, tree, wait_for};

fn package(project: &Utf8Path) -> Utf8PathBuf {
    succeed(iiswsgi().args(["msdeploy", "package", project.as_str()]))
        .trim()
        .into()
}

fn feed(project: &Utf8Path) -> Utf8PathBuf {
    succeed(iiswsgi().args([
        "webpi",
        "feed",
        project.as_str(),
        "-u",
        "{msdeploy_package_url}",
        "--format",
        "json",
    ]));
    project.join("dist/iiswsgi-sample-app-0.4.0.webpi.xml")
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "no `{part}` in\n{message}");
    }
}

#[test]
fn a_project_without_manifest_template() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    fs::remove_file(project.join("Manifest.xml.in")).expect("removed");
    let before = tree(&project);
    says(
        &fail(iiswsgi().args(["msdeploy", "package", project.as_str()])),
        &[
            "Manifest.xml.in` does not exist",
            "help:",
            "examples/sample.msdeploy",
        ],
    );
    assert!(tree(&project) == before);
}

#[test]
fn a_template_that_is_not_xml() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    fs::write(
        project.join("Manifest.xml.in"),
        "<MSDeploy.iisApp>\n  <iisApp path=\"a & b\" />\n</MSDeploy.iisApp>\n",
    )
    .expect("written");
    let before = tree(&project);
    says(
        &fail(iiswsgi().args(["msdeploy", "build", project.as_str()])),
        &["Manifest.xml.in:2:19", "xml-bare-ampersand", "&amp;"],
    );
    assert!(tree(&project) == before);
}

#[test]
fn malformed_project_metadata() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    fs::write(
        project.join("pyproject.toml"),
        "[project]\nname = \"x\"\nversion = 1\n\n[tool.iiswsgi]\ntitel = \"T\"\n",
    )
    .expect("written");
    // Both faults at once.
    says(
        &fail(iiswsgi().args(["msdeploy", "build", project.as_str()])),
        &["pyproject.toml:3:11", "pyproject.toml:6:1", "title"],
    );
}

#[test]
fn json_errors_are_for_programs() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    fs::write(project.join("Manifest.xml.in"), "<a>").expect("written");
    let output = iiswsgi()
        .args([
            "msdeploy",
            "build",
            project.as_str(),
            "--format",
            "json",
            "-q",
        ])
        .output()
        .expect("it starts");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["status"], "error");
    assert_eq!(answer["problems"][0]["code"], "xml-syntax");
    assert_eq!(
        (
            &answer["problems"][0]["line"],
            &answer["problems"][0]["column"]
        ),
        (&1.into(), &1.into())
    );
}

#[test]
fn an_unknown_product() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    package(&project);
    let feed = feed(&project);
    let site = scratch.path().join("site");
    let message = fail(iiswsgi().args([
        "webpi",
        "install",
        feed.as_str(),
        "iiswsgi-sample-ap",
        "--site-root",
        site.as_str(),
    ]));
    says(&message, &["iiswsgi-sample-ap", "iiswsgi-sample-app"]);
    assert!(!site.exists());
}

#[test]
fn a_package_that_is_not_the_one_the_feed_describes() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    let package = package(&project);
    let feed = feed(&project);
    let site = scratch.path().join("site");
    let install = |feed: &str| {
        fail(iiswsgi().args([
            "webpi",
            "install",
            feed,
            "iiswsgi-sample-app",
            "--site-root",
            site.as_str(),
        ]))
    };

    // Over HTTP too: Python's own server, on loopback.
    let mut server = Command::new("python3");
    server
        .args([
            "-u",
            "-m",
            "http.server",
            "--bind",
            "127.0.0.1",
            "0",
            "--directory",
            project.join("dist").as_str(),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let (server, address) = Server::listening(&mut server);
    let over_http = fs::read_to_string(&feed).expect("a feed");
    let start = over_http.find("file:///").expect("a file: URL");
    let end = start + over_http[start..].find('<').expect("an end");
    let url = format!("http://{address}/{}", package.file_name().expect("a name"));
    fs::write(
        project.join("dist/http.xml"),
        format!("{}{url}{}", &over_http[..start], &over_http[end..]),
    )
    .expect("written");

    // One octet differs, the size does not.
    let mut octets = fs::read(&package).expect("a package");
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    fs::write(&package, &octets).expect("written");
    for feed in [feed.to_string(), format!("http://{address}/http.xml")] {
        says(&install(&feed), &["SHA-1", "help:"]);
        assert!(!site.exists(), "nothing is unpacked");
    }
    // The size differs.
    octets.extend([0; 5000]);
    fs::write(&package, &octets).expect("written");
    says(&install(feed.as_str()), &["KB"]);
    assert!(!site.exists());
    drop(server);
}

/// A zip with one stored entry more than a gallery package needs; the name goes in as it is.
fn zip_with(name: &str) -> Vec<u8> {
    let files: [(&str, &[u8]); 3] = [
        (
            "Manifest.xml",
            b"<MSDeploy.iisApp><iisApp path=\"app\"/></MSDeploy.iisApp>",
        ),
        ("app/a.txt", b"a"),
        (name, b"evil"),
    ];
    let mut zip = Cursor::new(Vec::new());
    let mut central = Vec::new();
    for (name, content) in files {
        let offset = u32::try_from(zip.position()).expect("small");
        let size = u32::try_from(content.len()).expect("small");
        let mut common = Vec::new();
        common.extend([20, 0, 0, 0, 0, 0, 0, 0, 33, 0]); // version 2.0, no flags, stored, 1980-01-01
        common.extend(crc32(content).to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(u16::try_from(name.len()).expect("short").to_le_bytes());
        common.extend([0, 0]);
        zip.write_all(b"PK\x03\x04")
            .and_then(|()| zip.write_all(&common))
            .and_then(|()| zip.write_all(name.as_bytes()))
            .and_then(|()| zip.write_all(content))
            .expect("memory");
        central.extend(b"PK\x01\x02\x14\x00");
        central.extend(common);
        central.extend([0; 10]);
        central.extend(offset.to_le_bytes());
        central.extend(name.as_bytes());
    }
    let start = u32::try_from(zip.position()).expect("small");
    let mut zip = zip.into_inner();
    let size = u32::try_from(central.len()).expect("small");
    zip.extend(central);
    zip.extend(b"PK\x05\x06\0\0\0\0\x03\0\x03\0");
    zip.extend(size.to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

/// CRC-32 of ISO 3309, as zip uses it.
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0, |crc, &octet| {
        (0..8).fold(crc ^ u32::from(octet), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    })
}

#[test]
fn entries_that_would_leave_the_folder() {
    let scratch = Scratch::new();
    let package = scratch.path().join("evil.zip");
    let folder = scratch.path().join("target/app");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("a.txt"), "mine").expect("a file");
    let before = tree(scratch.path().join("target").as_path());
    for name in [
        "app/../../evil.txt",
        "/evil.txt",
        "C:/evil.txt",
        r"app\..\..\evil.txt",
        r"\\server\share\evil.txt",
        "app/C:evil.txt",
    ] {
        fs::write(&package, zip_with(name)).expect("written");
        let message = fail(iiswsgi().args(["msdeploy", "sync", package.as_str(), folder.as_str()]));
        says(&message, &["evil", "help:"]);
        assert!(
            tree(scratch.path().join("target").as_path()) == before,
            "{name}"
        );
    }
    fs::write(&package, zip_with("app/fine.txt")).expect("written");
    succeed(iiswsgi().args(["msdeploy", "sync", package.as_str(), folder.as_str()]));
    assert_eq!(
        fs::read_to_string(folder.join("a.txt")).expect("a file"),
        "a"
    );
}

#[test]
fn parameters_that_are_not_allowed() {
    let scratch = Scratch::new();
    let package = package(&scratch.example("sample.msdeploy"));
    let folder = scratch.path().join("target");
    let sync = |parameter: &str| {
        fail(iiswsgi().args([
            "msdeploy",
            "sync",
            package.as_str(),
            folder.as_str(),
            "--set-param",
            parameter,
        ]))
    };
    says(
        &sync("Table Style=purple"),
        &["purple", "plain", "lined", "dark"],
    );
    says(&sync("Show Environment=maybe"), &["maybe", "True", "False"]);
    says(&sync("Table Stile=dark"), &["Table Stile", "Table Style"]);
    says(&sync("Table Style"), &["NAME=VALUE"]);
    assert!(!folder.exists());
}

#[test]
fn a_command_of_the_package_that_fails_takes_everything_back_and_a_rerun_succeeds() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    package(&project);
    let good = feed(&project);
    let site = scratch.path().join("site");
    let install = |feed: &Utf8Path| {
        let mut command = iiswsgi();
        command.args([
            "webpi",
            "install",
            feed.as_str(),
            "iiswsgi-sample-app",
            "--site-root",
            site.as_str(),
            "--set-param",
            "Application Path=Demo",
        ]);
        command
    };
    succeed(&mut install(&good));
    let own = |site: &Utf8Path| -> Vec<(String, Vec<u8>)> {
        tree(site)
            .into_iter()
            .filter(|(path, _)| !path.contains("/env/"))
            .collect()
    };
    let before = own(&site);

    // The next version's set-up fails in its last step.
    let next = Scratch::new();
    let broken = next.example("sample.msdeploy");
    let pyproject = fs::read_to_string(broken.join("pyproject.toml")).expect("pyproject.toml");
    let failing = pyproject.replace("[tool.iiswsgi]", "[tool.iiswsgi]\nafter-install = [[\"python\", \"-c\", \"import sys; sys.exit('no luck')\"]]");
    fs::write(broken.join("pyproject.toml"), &failing).expect("written");
    fs::write(
        broken.join("settings.xml"),
        "<settings showEnvironment=\"False\" tableStyle=\"plain\"/>",
    )
    .expect("written");
    package(&broken);
    says(
        &fail(&mut install(&feed(&broken))),
        &["no luck", "iiswsgi_install"],
    );
    assert!(own(&site) == before, "the version that worked is back");

    fs::write(broken.join("pyproject.toml"), pyproject).expect("written");
    package(&broken);
    succeed(&mut install(&feed(&broken)));
    assert!(own(&site) != before);
}

#[test]
fn undefined_variables_and_commands_that_fail_leave_the_configuration_as_it_was() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    let site_root = scratch.path().join("site");
    fs::create_dir_all(&site_root).expect("a folder");
    let install = || {
        let mut command = iiswsgi();
        command.args([
            "msdeploy",
            "install",
            project.as_str(),
            "--site-root",
            site_root.as_str(),
            "--no-virtual-env",
        ]);
        command
    };
    let own = || {
        tree(&site_root)
            .into_iter()
            .filter(|(path, _)| !path.ends_with(".lock"))
            .collect::<Vec<_>>()
    };

    let template = fs::read_to_string(project.join("web.config.in")).expect("web.config.in");
    fs::write(
        project.join("web.config.in"),
        template
            .replace("path=\"*\"", "path=\"%NO_SUCH_PATH%\"")
            .replace("%NUMBER_OF_PROCESSORS%", "%NO_SUCH_NUMBER%"),
    )
    .expect("written");
    // Both at once, each with its place.
    says(
        &fail(&mut install()),
        &[
            "web.config.in:6:",
            "NO_SUCH_PATH",
            "web.config.in:14:",
            "NO_SUCH_NUMBER",
            "help:",
        ],
    );
    assert!(
        own().is_empty() && !project.join("web.config").exists(),
        "nothing is registered"
    );

    // One character less, and IIS would say only that the scriptProcessor could not be found.
    fs::write(
        project.join("web.config.in"),
        template.replacen("-u -m iiswsgi", "-m iiswsgi", 1),
    )
    .expect("written");
    says(&fail(&mut install()), &["web.config:", "scriptProcessor"]);
    assert!(own().is_empty() && !project.join("web.config").exists());

    fs::write(project.join("web.config.in"), &template).expect("written");
    succeed(&mut install());
    let before = (own(), tree(&project));
    let pyproject = fs::read_to_string(project.join("pyproject.toml")).expect("pyproject.toml");
    fs::write(
        project.join("pyproject.toml"),
        pyproject.replace(
            "[tool.iiswsgi]",
            "[tool.iiswsgi]\nafter-install = [\"python -c 1/0\"]",
        ),
    )
    .expect("written");
    fs::write(
        project.join("web.config.in"),
        template.replace("instanceMaxRequests=\"10000\"", "instanceMaxRequests=\"9\""),
    )
    .expect("written");
    says(
        &fail(&mut install()),
        &["ZeroDivisionError", "after-install"],
    );
    fs::write(project.join("pyproject.toml"), pyproject).expect("written");
    fs::write(project.join("web.config.in"), template).expect("written");
    assert!(
        (own(), tree(&project)) == before,
        "web.config and applicationHost.config are as before"
    );
}

#[test]
fn an_installation_that_is_killed_half_way_is_completed_by_the_next() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    package(&project);
    let feed = feed(&project);
    let site = scratch.path().join("site");
    let install = || {
        let mut command = iiswsgi();
        command.args([
            "webpi",
            "install",
            feed.as_str(),
            "iiswsgi-sample-app",
            "--site-root",
            site.as_str(),
            "--set-param",
            "Application Path=Demo",
        ]);
        command
    };
    let killed = Server::start(install().stdout(Stdio::null()).stderr(Stdio::null()));
    wait_for("the virtual environment", || {
        site.join("Demo/env").exists().then_some(())
    });
    drop(killed);
    // What it had started may still be at work on the same folder; the next run waits for nobody, and need not.
    let (server, address) = wait_for("an installation that succeeds", || {
        install()
            .output()
            .expect("it starts")
            .status
            .success()
            .then(|| {
                let (server, addresses) = Server::dev(&site, 1);
                (server, addresses[0].clone())
            })
    });
    assert_eq!(request(&address, "GET", "/", b"").status, 200);
    server.stop();
    assert!(
        !site.join(".Demo.iiswsgi-old").exists() && !site.join(".Demo.iiswsgi-new").exists(),
        "nothing is left of the first run"
    );
}

#[test]
fn an_application_module_that_is_missing() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    for file in ["web.config.in", "pyproject.toml"] {
        let text = fs::read_to_string(project.join(file)).expect("a file");
        fs::write(
            project.join(file),
            text.replace("iiswsgi_sample:application", "no_such_module:application"),
        )
        .expect("written");
    }
    let site = scratch.path().join("site");
    let install = || {
        package(&project);
        let mut command = iiswsgi();
        command.args(["webpi", "install", feed(&project).as_str()]);
        command.args(["iiswsgi-sample-app", "--site-root", site.as_str()]);
        command.args(["--set-param", "Application Path=Demo"]);
        command
    };
    // An application that fails is not installed.
    says(
        &fail(&mut install()),
        &["`no_such_module:application` fails at GET /"],
    );
    for file in ["web.config", "iiswsgi_sample.py"] {
        assert!(!site.join("Demo").join(file).exists(), "{file} is left");
    }
    // Unless it is not tested: then its visitors are told.
    let manifest = project.join("Manifest.xml.in");
    let text = fs::read_to_string(&manifest).expect("a file");
    let text = text.replace("iiswsgi_install.exe -e", "iiswsgi_install.exe -e --no-test");
    fs::write(&manifest, text).expect("written");
    succeed(&mut install());
    let (server, addresses) = Server::dev(&site, 1);
    let page = request(&addresses[0], "GET", "/", b"");
    assert!(page.status >= 500, "{}", page.headers);
    says(&page.body, &["no_such_module", "Logs/Demo/"]);
    server.stop();
}

#[test]
fn files_that_are_not_there() {
    let scratch = Scratch::new();
    let missing = scratch.path().join("missing");
    for arguments in [
        vec!["msdeploy", "build", missing.as_str()],
        vec!["msdeploy", "sync", missing.as_str(), "x"],
        vec!["msdeploy", "install", missing.as_str()],
        vec!["webpi", "feed", missing.as_str()],
        vec![
            "webpi",
            "install",
            missing.as_str(),
            "x",
            "--site-root",
            missing.as_str(),
        ],
        vec!["dev", missing.as_str()],
    ] {
        says(
            &fail(iiswsgi().args(&arguments).current_dir(scratch.path())),
            &["missing"],
        );
        assert!(tree(scratch.path()).is_empty(), "{arguments:?}");
    }
}

/// A Python that has lost a module.
fn python_without(scratch: &Scratch, module: &str) -> Utf8PathBuf {
    let folder = scratch.path().join(format!("without {module}"));
    succeed(Command::new("python3").args(["-m", "venv", "--without-pip", folder.as_str()]));
    let packages = succeed(Command::new(folder.join("bin/python")).args([
        "-c",
        "import sysconfig; print(sysconfig.get_path('purelib'))",
    ]));
    // It comes before the standard library's, where `sitecustomize` puts its folder.
    let packages = Utf8Path::new(packages.trim());
    fs::create_dir(packages.join("lost")).expect("a folder");
    fs::write(
        packages.join("lost").join(format!("{module}.py")),
        format!("raise ModuleNotFoundError(\"No module named '{module}'\")\n"),
    )
    .expect("written");
    fs::write(
        packages.join("sitecustomize.py"),
        format!(
            "import sys\nsys.path.insert(0, {:?})\n",
            packages.join("lost").as_str()
        ),
    )
    .expect("written");
    folder.join("bin/python")
}

#[test]
fn an_interpreter_without_pip_or_venv() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    let before = tree(&project);
    for (module, further, message) in [
        ("pip", &["--no-virtual-env"][..], "ensurepip"),
        ("venv", &[], "needs the modules venv and ensurepip"),
    ] {
        let python = python_without(&scratch, module);
        let mut install = iiswsgi();
        install
            .args(["msdeploy", "install", project.as_str()])
            .args(["--python", python.as_str()])
            .args(["--site-root", scratch.path().join("site").as_str()])
            .args(further)
            .env("IISWSGI_INSTALLER", "pip");
        says(&fail(&mut install), &[python.as_str(), message]);
        assert!(tree(&project) == before, "nothing is left half-made");
    }
}

#[test]
fn a_site_root_that_cannot_be_written() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    package(&project);
    let feed = feed(&project);
    // Not even root makes folders there.
    let mut install = iiswsgi();
    install.args(["webpi", "install", feed.as_str(), "iiswsgi-sample-app"]);
    install.args(["--site-root", "/sys/iiswsgi-site-root"]);
    says(
        &fail(&mut install),
        &["/sys/iiswsgi-site-root", "help: ", "name a"],
    );
}
