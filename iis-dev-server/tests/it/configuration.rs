//! What is read from which folder.

use iis_config::FastCgiApplication;
use iis_dev_server::{Error, Options, Server, load_with};

use crate::client::get;
use crate::site::{Folder, SITE, Served, example};

fn load(folder: &camino::Utf8Path) -> Result<iis_dev_server::Configuration, Error> {
    load_with(folder, [("Tools".to_owned(), "/opt/my tools".to_owned())])
}

#[test]
fn a_folder_of_a_site_or_of_one_of_its_applications() {
    let mut folder = Folder::new();
    folder.mount("/shop", "shop");
    let application = FastCgiApplication::new("python", "-m shop");
    folder.register(&application);
    folder.web_config("shop", &application);
    for start in ["", "shop", "app/../shop"] {
        let configuration = load(&folder.root.join(start)).unwrap();
        assert_eq!(configuration.root, folder.root, "{start}");
        assert_eq!(configuration.sites.len(), 1);
        assert_eq!(configuration.sites[0].definition.name, SITE);
        let paths: Vec<_> = configuration.sites[0]
            .applications
            .iter()
            .map(|one| one.path.as_str())
            .collect();
        assert_eq!(paths, ["/", "/shop"]);
        assert_eq!(
            configuration.sites[0].applications[1].physical_path,
            folder.root.join("shop")
        );
        assert!(
            configuration.warnings.is_empty(),
            "{:?}",
            configuration.warnings
        );
    }
}

#[test]
fn a_folder_with_only_a_web_config_is_a_site() {
    let folder = Folder::new();
    let program = example("echo_responder");
    let text = format!(
        r#"<configuration><system.webServer>
  <fastCgi><application fullPath="{program}" arguments="" maxInstances="1" /></fastCgi>
  <handlers><add name="echo" path="*" verb="*" modules="FastCgiModule" scriptProcessor="{program}" /></handlers>
</system.webServer></configuration>"#
    );
    fs_err::remove_file(folder.root.join("applicationHost.config")).unwrap();
    folder.write("app/Web.Config", text);
    let configuration = load(&folder.root.join("app")).unwrap();
    assert_eq!(configuration.application_host, None);
    assert_eq!(configuration.root, folder.root.join("app"));
    assert_eq!(configuration.sites[0].definition.name, "app");
    assert!(
        configuration.warnings.is_empty(),
        "{:?}",
        configuration.warnings
    );
    let site = Served::start(folder, configuration);
    assert_eq!(get(site.address, "/pid").status, 200);
}

#[test]
fn windows_spellings_below_the_folder_are_translated() {
    let mut folder = Folder::new();
    let program = folder.write(
        "app/bin dir/run",
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >&2\nexit 4\n",
    );
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(&program, executable).unwrap();
    let root = folder.root.clone();
    let application = FastCgiApplication::new(
        format!(r"{root}\app\bin dir\run"),
        format!(r#""{root}\app\my app.ini" --x=%Tools% "--y=%TOOLS%" --unknown=%NOT_SET% a\d"#),
    );
    folder.register(&application);
    folder.web_config("app", &application);
    let configuration = load(&root).unwrap();
    let site = Served::start(folder, configuration);
    let response = get(site.address, "/");
    let text = response.text();
    assert_eq!(response.status, 502);
    let expected = format!(
        "<pre>{root}/app/my app.ini\n--x=/opt/my\ntools\n--y=/opt/my tools\n--unknown=%NOT_SET%\na\\d</pre>"
    );
    assert!(text.contains(&expected), "{text}");
}

#[test]
fn all_faults_of_all_files_are_told_with_their_place() {
    let mut folder = Folder::new();
    folder.mount("/shop", "shop");
    folder.write(
        "app/web.config",
        "<configuration>\n  <system.webServer>\n</configuration>",
    );
    folder.write(
        "shop/web.config",
        "<configuration><system.webServer><handlers>\n  <add path=\"*\" verb=\"*\" />\n</handlers></system.webServer></configuration>",
    );
    let error = load(&folder.root).unwrap_err().to_string();
    let (app, shop) = (
        folder.root.join("app/web.config"),
        folder.root.join("shop/web.config"),
    );
    assert!(error.contains(&format!("{app}:3:")), "{error}");
    assert!(error.contains(&format!("{shop}:2:")), "{error}");
}

#[test]
fn folders_with_nothing_to_serve_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = camino::Utf8Path::from_path(folder.path()).unwrap();
    for start in [path.to_owned(), path.join("missing")] {
        let error = load(&start).unwrap_err();
        assert!(matches!(error, Error::NothingToServe { .. }), "{error}");
        assert!(error.to_string().contains("help: "), "{error}");
    }
    let text = iis_config::ApplicationHost::new_text("\n");
    fs_err::write(path.join("applicationHost.config"), text).unwrap();
    assert!(matches!(load(path).unwrap_err(), Error::NoSite { .. }));
}

#[test]
fn a_missing_folder_is_a_warning_with_its_place() {
    let mut folder = Folder::new();
    folder.mount("/gone", "gone");
    fs_err::remove_dir(folder.root.join("gone")).unwrap();
    let configuration = load(&folder.root).unwrap();
    let warning = configuration.warnings[0].to_string();
    assert!(
        warning.contains("iis-physical-path-missing")
            && warning.contains("applicationHost.config:"),
        "{warning}"
    );
    let site = Served::start(folder, configuration);
    assert_eq!(get(site.address, "/gone/").status, 404);
}

#[tokio::test]
async fn a_site_that_is_not_there_is_named() {
    let folder = Folder::new();
    let mut options = Options::default();
    options.port = Some(0);
    options.sites = vec!["other".to_owned()];
    let error = Server::start(load(&folder.root).unwrap(), options)
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        format!("there is no site `other`; there is `{SITE}`")
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut options = Options::default();
    options.port = Some(port);
    let error = Server::start(load(&folder.root).unwrap(), options)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("127.0.0.1:{port}")) && error.contains(SITE),
        "{error}"
    );
}

/// Configuration files that other projects publish; they are kept beside the workspace and read in place.
fn samples(folder: &str) -> Vec<camino::Utf8PathBuf> {
    let path = camino::Utf8Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/samples/iis"
    ));
    let Ok(entries) = path.join(folder).read_dir_utf8() else {
        eprintln!("`{path}/{folder}` is missing: real configuration files are not tested");
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().into_path()).collect()
}

#[test]
fn real_files_are_read_or_refused_with_a_place() {
    let temporary = tempfile::tempdir().unwrap();
    let root = camino::Utf8Path::from_path(temporary.path()).unwrap();
    for (folder, name) in [
        ("apphost", "applicationHost.config"),
        ("webconfig", "web.config"),
    ] {
        for sample in samples(folder) {
            let target = root.join(sample.file_name().unwrap());
            fs_err::create_dir_all(&target).unwrap();
            fs_err::copy(&sample, target.join(name)).unwrap();
            match load(&target) {
                Ok(configuration) => assert!(!configuration.sites.is_empty(), "{sample}"),
                Err(error @ (Error::Configuration(_) | Error::NoSite { .. })) => {
                    assert!(error.to_string().contains(name), "{sample}: {error}");
                    // Excerpts, one cut off, and a transformation (XDT), which is no web.config yet.
                    let broken = ["missing_closing", "iisdocs", "template_debug"];
                    let expected = broken.iter().any(|part| sample.as_str().contains(part));
                    assert!(
                        expected || matches!(error, Error::NoSite { .. }),
                        "{sample}: {error}"
                    );
                }
                Err(error) => panic!("{sample}: {error}"),
            }
        }
    }
}

#[test]
fn a_change_of_a_file_applies_to_the_next_request() {
    let mut folder = Folder::new();
    folder.write("app/page.html", "a page");
    let application = crate::site::echo_application();
    folder.register(&application);
    let mut site = Served::folder(folder);
    let address = site.address;
    assert_eq!(get(address, "/pid").status, 404);
    // A web.config where there was none.
    site.folder.web_config("app", &application);
    let first = get(address, "/pid");
    assert_eq!(first.status, 200);
    // A fault is told with its place, and nothing but the requests meanwhile suffers from it.
    site.folder.write(
        "app/web.config",
        "<configuration>\n  <oops>\n</configuration>",
    );
    let response = get(address, "/pid");
    assert_eq!(response.status, 500);
    let place = format!("{}/app/web.config:3:", site.folder.root);
    assert!(response.text().contains(&place), "{}", response.text());
    site.folder.web_config("app", &application);
    assert_eq!(
        get(address, "/pid").text(),
        first.text(),
        "the process stays"
    );
    // Settings of the application take new processes.
    let mut changed = application.clone();
    changed
        .environment_variables
        .push(iis_config::EnvironmentVariable::new("ADDED", "1"));
    site.folder.register(&changed);
    let text = get(address, "/environment").text();
    assert!(text.lines().any(|line| line == "ADDED=1"), "{text}");
    assert_ne!(get(address, "/pid").text(), first.text());
    // Without the file the folder is only files.
    fs_err::remove_file(site.folder.root.join("app/web.config")).unwrap();
    assert_eq!(get(address, "/page.html").text(), "a page");
}
