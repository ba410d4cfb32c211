//! Feeds checked, copied, merged and compared.

use camino::Utf8Path;
use fs_err as fs;
use serde_json::Value;

use crate::server::Server;
use crate::support::{PACKAGE, SHA1_OF_PACKAGE, Scratch, feed, json, product, run};

#[test]
fn check_fetches_every_address() {
    let scratch = Scratch::new();
    for name in ["good.zip", "size.zip"] {
        scratch.write(name, PACKAGE);
    }
    let served = scratch.write(
        "served.xml",
        feed(&format!(
            "{}{}",
            product("Good", "good.zip", SHA1_OF_PACKAGE, ""),
            product("Size", "size.zip", SHA1_OF_PACKAGE, "")
        )),
    );
    let server = Server::start(&served);
    let base = format!("http://{}/packages/{SHA1_OF_PACKAGE}", server.address());
    let checked = scratch.write(
        "checked.xml",
        feed(&format!(
            "{}{}{}{}",
            product("Good", &format!("{base}/good.zip"), SHA1_OF_PACKAGE, ""),
            product("Size", &format!("{base}/size.zip"), SHA1_OF_PACKAGE, "")
                .replace("<fileSize>1<", "<fileSize>77<"),
            product("Hash", &format!("{base}/good.zip"), &"0".repeat(40), ""),
            product(
                "Gone",
                &format!("{base}/gone.zip"),
                SHA1_OF_PACKAGE,
                &format!("<images><icon>{base}/none.png</icon></images>")
            ),
        )),
    );
    let report = json(&["webpi", "check", checked.as_str(), "--fetch"], 1);
    let report = &report["feeds"][0];
    let mut codes: Vec<&str> = report["problems"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|problem| problem["code"].as_str().expect("a code"))
        .filter(|code| code.starts_with("webpi-package") || code.starts_with("webpi-address"))
        .collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            "webpi-address-unreachable",
            "webpi-package-sha1",
            "webpi-package-size",
            "webpi-package-unreachable"
        ],
        "{report}"
    );
    // Each address once.
    assert_eq!(report["fetched"], 4);
    let report = json(&["webpi", "check", checked.as_str()], 0);
    assert_eq!(report["feeds"][0]["fetched"], Value::Null);
}

#[test]
fn an_offline_copy_needs_no_network_and_can_be_moved() {
    let scratch = Scratch::new();
    scratch.write("dist/app 1.zip", PACKAGE);
    scratch.write("dist/lib.zip", PACKAGE);
    let needs = "<dependency><and><dependency><productId>Lib</productId></dependency>\
         <dependency><productId>Windows</productId></dependency></and></dependency>";
    let served = scratch.write(
        "dist/feed.xml",
        feed(&format!(
            "{}{}{}",
            product("App", "app%201.zip", SHA1_OF_PACKAGE, needs)
                .replace("app%201.zip", "app 1.zip"),
            product("Lib", "lib.zip", SHA1_OF_PACKAGE, ""),
            product("Other", "lib.zip", SHA1_OF_PACKAGE, ""),
        )),
    );
    let server = Server::start(&served);
    let copy = scratch.folder.join("copy");
    let arguments = [
        "webpi",
        "offline",
        &server.feed,
        "App",
        "--path",
        copy.as_str(),
    ];
    let report = json(&arguments, 0);
    assert_eq!(report["products"], serde_json::json!(["App", "Lib"]));
    assert_eq!(report["missing"], serde_json::json!(["Windows"]));
    assert_eq!(
        fs::read(copy.join("installers/App/app 1.zip")).expect("copied"),
        PACKAGE
    );
    // What is there is not fetched again.
    let report = json(&arguments, 0);
    assert!(
        report["files"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|file| file["fetched"] == false),
        "{report}"
    );
    let server_address = server.address().to_owned();
    drop(server);
    let moved = scratch.folder.join("moved");
    fs::rename(&copy, &moved).expect("moved");
    let feed = moved.join("feeds/latest/webproductlist.xml");
    assert!(
        !fs::read_to_string(&feed)
            .expect("a feed")
            .contains(&server_address)
    );
    let shown = json(&["webpi", "show", feed.as_str(), "App"], 0);
    let url = shown["order"][1]["url"].as_str().expect("an address");
    assert_eq!(fs::read(url).expect("the copy"), PACKAGE);
    // A copy of the copy, from its own files.
    let again = scratch.folder.join("again");
    run(
        &[
            "webpi",
            "offline",
            feed.as_str(),
            "--all",
            "--path",
            again.as_str(),
            "-q",
        ],
        1,
    );
    let files = json(&["webpi", "check", feed.as_str()], 0);
    assert_eq!(files["feeds"][0]["products"], 2);
}

#[test]
fn a_file_that_is_not_the_feeds_stops_an_offline_copy() {
    let scratch = Scratch::new();
    let package = scratch.write("app.zip", "something else");
    let url = url::Url::from_file_path(&package).expect("a URL");
    let path = scratch.write(
        "feed.xml",
        feed(&product("App", url.as_str(), SHA1_OF_PACKAGE, "")),
    );
    let copy = scratch.folder.join("copy");
    let (_, error) = run(
        &[
            "webpi",
            "offline",
            path.as_str(),
            "App",
            "--path",
            copy.as_str(),
        ],
        1,
    );
    assert!(error.contains("the feed says f572d396"), "{error}");
    let left: Vec<_> = walkdir::WalkDir::new(&copy)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn feeds_are_merged_and_compared() {
    let scratch = Scratch::new();
    let one = scratch.write(
        "one.xml",
        feed(&product(
            "A",
            "https://example.org/a.zip",
            SHA1_OF_PACKAGE,
            "",
        )),
    );
    let two = scratch.write(
        "two.xml",
        feed(&format!(
            "{}{}",
            product("A", "https://example.org/a2.zip", SHA1_OF_PACKAGE, ""),
            product("B", "https://example.org/b.zip", SHA1_OF_PACKAGE, "")
        )),
    );
    let out = scratch.folder.join("all.xml");
    let arguments = [
        "webpi",
        "merge",
        one.as_str(),
        two.as_str(),
        "-o",
        out.as_str(),
    ];
    run(&[&arguments[..], &["--strict"]].concat(), 1);
    assert!(!out.exists());
    let report = json(&arguments, 0);
    assert_eq!(
        (&report["products"], &report["conflicts"][0]["id"]),
        (&2.into(), &"a".into())
    );
    let report = json(
        &["webpi", "diff", one.as_str(), out.as_str(), "--exit-code"],
        1,
    );
    assert_eq!(report["added"], serde_json::json!(["B"]));
    assert_eq!(report["changed"], serde_json::json!([]));
    let (shown, _) = run(&["webpi", "diff", one.as_str(), two.as_str()], 0);
    assert!(
        shown.contains(
            "installers/installer[1]/installerFile/installerURL: `https://example.org/a.zip` is now"
        ),
        "{shown}"
    );
    run(
        &["webpi", "diff", one.as_str(), one.as_str(), "--exit-code"],
        0,
    );
}

#[test]
fn feeds_that_are_loaded_together_are_one() {
    let scratch = Scratch::new();
    scratch.write("parts/lib.zip", PACKAGE);
    let needs = "<dependency><productId>Lib</productId></dependency>";
    let main = scratch.write(
        "main.xml",
        feed(&format!(
            "<link rel=\"enclosure\" href=\"parts/part.xml\"/><link rel=\"enclosure\" href=\"none.xml\"/>{}",
            product("App", "https://example.org/app.zip", SHA1_OF_PACKAGE, needs)
        )),
    );
    // It includes the one that includes it.
    scratch.write(
        "parts/part.xml",
        feed(&format!(
            "<link rel=\"enclosure\" href=\"../main.xml\"/>{}",
            product("Lib", "lib.zip", SHA1_OF_PACKAGE, "")
        )),
    );
    let report = json(&["webpi", "show", main.as_str(), "App"], 0);
    assert_eq!(report["missing"], serde_json::json!([]), "{report}");
    let url = report["order"][0]["url"].as_str().expect("an address");
    assert_eq!(fs::read(url).expect("the part's package"), PACKAGE);
    let (_, said) = run(&["webpi", "list", main.as_str()], 0);
    assert!(
        said.contains("an included feed is left out")
            && said.contains("none.xml")
            && !said.contains("more than"),
        "{said}"
    );
}

#[test]
fn published_feeds_are_read_copied_and_compared() {
    let samples = Utf8Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/samples/webpi"
    ));
    if !samples.is_dir() {
        eprintln!("there is no `{samples}`: published feeds are not tried");
        return;
    }
    let scratch = Scratch::new();
    let merged = scratch.folder.join("merged.xml");
    for (name, products) in [
        ("WebApplicationList_v3.0_2012.xml", 99),
        ("kudu_KuduSetupCustomWebPiFeed.xml", 8),
        ("iiswsgi_examples_web-pi_35b500e.xml", 1),
    ] {
        let path = samples.join(name);
        let report = json(&["webpi", "check", path.as_str(), "-q"], 0);
        assert_eq!(report["feeds"][0]["products"], products, "{name}");
        // What is written back is the same feed.
        let arguments = [
            "webpi",
            "merge",
            path.as_str(),
            path.as_str(),
            "-o",
            merged.as_str(),
            "-q",
        ];
        assert_eq!(
            json(&arguments, 0)["conflicts"],
            serde_json::json!([]),
            "{name}"
        );
        run(
            &[
                "webpi",
                "diff",
                path.as_str(),
                merged.as_str(),
                "--exit-code",
            ],
            0,
        );
    }
}
