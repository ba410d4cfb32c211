//! WebPI's own folder: what it keeps, and its logs.

use fs_err as fs;
use serde_json::Value;

use crate::support::{PACKAGE, SHA1_OF_PACKAGE, Scratch, feed, iiswsgi, json, product, text};

#[test]
fn clean_removes_what_belongs_to_the_feed_and_nothing_else() {
    let scratch = Scratch::new();
    let ours = feed(&product(
        "App",
        "https://example.org/a.zip",
        SHA1_OF_PACKAGE,
        "",
    ));
    let path = scratch.write("feed.xml", &ours);
    let cache = scratch.folder.join("WebPI");
    scratch.write("WebPI/-1373627273.xml", &ours);
    scratch.write("WebPI/42.xml", ours.replace("urn:feed", "urn:other"));
    scratch.write("WebPI/notes.xml", &ours);
    scratch.write("WebPI/installers/app/1/app.zip", PACKAGE);
    scratch.write("WebPI/installers/Other/other.zip", PACKAGE);
    scratch.write("root/Site/iis_install.stamp", "stamp");
    scratch.write(
        "root/applicationHost.config",
        format!(
            "<configuration><system.applicationHost><sites><site name=\"Site\" id=\"1\"><application path=\"/\">\
             <virtualDirectory path=\"/\" physicalPath=\"{}\"/></application></site></sites></system.applicationHost></configuration>",
            scratch.folder.join("root/Site")
        ),
    );
    let root = scratch.folder.join("root");
    let arguments = [
        "webpi",
        "clean",
        path.as_str(),
        "--webpi-folder",
        cache.as_str(),
        "--site-root",
        root.as_str(),
    ];
    let dry = json(&[&arguments[..], &["--dry-run"]].concat(), 0);
    assert!(cache.join("-1373627273.xml").exists());
    let cleaned = json(&arguments, 0);
    assert_eq!(dry["removed"], cleaned["removed"]);
    let kinds: Vec<&str> = cleaned["removed"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| item["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(kinds, ["feed", "installer", "stamp"], "{cleaned}");
    let mut left: Vec<String> = walkdir::WalkDir::new(&scratch.folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            "42.xml",
            "applicationHost.config",
            "feed.xml",
            "notes.xml",
            "other.zip"
        ]
    );
    let all = json(
        &[
            "webpi",
            "clean",
            "--all",
            "--webpi-folder",
            cache.as_str(),
            "--site-root",
            root.as_str(),
        ],
        0,
    );
    assert_eq!(all["removed"].as_array().expect("a list").len(), 2, "{all}");
    // The id of a feed that is no longer published.
    scratch.write("WebPI/7.xml", &ours);
    let by_id = json(
        &[
            "webpi",
            "clean",
            "urn:feed",
            "--webpi-folder",
            cache.as_str(),
            "--site-root",
            root.as_str(),
        ],
        0,
    );
    assert_eq!(
        by_id["removed"].as_array().expect("a list").len(),
        1,
        "{by_id}"
    );
}

#[test]
fn logs_are_found_where_webpi_and_the_gateway_write_them() {
    let scratch = Scratch::new();
    let old = scratch.write("WebPI/logs/webpi/webpi1.txt", "Error: an old one\n");
    let an_hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    fs::File::options()
        .write(true)
        .open(&old)
        .expect("open")
        .into_parts()
        .0
        .set_modified(an_hour_ago)
        .expect("set");
    scratch.write(
        "WebPI/logs/webpi/webpi2.txt",
        "Loading\nError: Could not parse fileSize into integer\n",
    );
    scratch.write(
        "WebPI/logs/install/2026-01-02T10/Our App.txt",
        "DownloadManager Error: 0 : retrieving class 80040154\n",
    );
    scratch.write("home/Logs/Site/iiswsgi.log", "ERROR no module named app\n");
    let output = iiswsgi()
        .args([
            "--format",
            "json",
            "webpi",
            "logs",
            "--webpi-folder",
            scratch.folder.join("WebPI").as_str(),
        ])
        .env("IIS_USER_HOME", scratch.folder.join("home"))
        .env("IISEXPRESS_SITENAME", "Site")
        .output()
        .expect("it starts");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    let find = |kind: &str| {
        let logs = report["logs"].as_array().expect("a list").iter();
        logs.filter(|log| {
            log["kind"] == kind
                && log["path"]
                    .as_str()
                    .is_some_and(|path| path.starts_with(scratch.folder.as_str()))
        })
        .cloned()
        .collect::<Vec<_>>()
    };
    let (feeds, installations, gateway) = (find("feed"), find("installation"), find("gateway"));
    assert_eq!(
        (feeds.len(), installations.len(), gateway.len()),
        (1, 1, 1),
        "{report}"
    );
    assert!(
        feeds[0]["path"]
            .as_str()
            .expect("a path")
            .ends_with("webpi2.txt")
    );
    assert_eq!(feeds[0]["lines"][0]["number"], 2);
    assert!(
        feeds[0]["help"][0]
            .as_str()
            .expect("help")
            .contains("webpi check")
    );
    assert!(
        installations[0]["help"][0]
            .as_str()
            .expect("help")
            .contains("Management Console")
    );
    assert_eq!(gateway[0]["lines"][0]["text"], "ERROR no module named app");
}
