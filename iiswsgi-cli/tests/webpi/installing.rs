//! Products installed, also by the command line of WebpiCmd.exe.

use fs_err as fs;

use crate::server::Server;
use crate::support::{PACKAGE, SHA1_OF_PACKAGE, Scratch, feed, json, package, product, run};

/// As root too, whom no permissions keep from writing.
#[test]
fn a_site_root_that_cannot_be_made_is_said() {
    let scratch = Scratch::new();
    let sha1 = package(&scratch, "app");
    let path = scratch.write("feed.xml", feed(&product("app", "app.zip", &sha1, "")));
    let file = scratch.write("file", "a file");
    let root = file.join("root");
    let install = ["webpi", "install", path.as_str(), "app"];
    let to = ["--site-root", root.as_str()];
    let (out, err) = run(&[&install[..], &to, &["--defaults"]].concat(), 1);
    assert_eq!(out, "");
    assert!(err.contains(root.as_str()), "{err}");
    assert!(err.contains("a file is where a folder has to be"), "{err}");
    assert_eq!(fs::read_to_string(&file).expect("the file"), "a file");
}

#[test]
fn a_product_is_installed_after_what_it_needs() {
    let scratch = Scratch::new();
    let needs = "<dependency><and><dependency><productId>lib</productId></dependency><dependency><productId>Python</productId>\
         </dependency><dependency><productId>Elsewhere</productId></dependency></and></dependency>";
    let python = "<entry><productId>Python</productId><title>Python</title><installers><installer><id>1</id><installCommands>\
         <cmdline><exe>py.exe</exe><commandLineArguments>-m pip install x</commandLineArguments></cmdline></installCommands></installer>\
         </installers></entry>";
    let path = scratch.write(
        "feed.xml",
        feed(&format!(
            "{}{}{python}",
            product("app", "app.zip", &package(&scratch, "app"), needs),
            product("lib", "lib.zip", &package(&scratch, "lib"), "")
        )),
    );
    let root = scratch.folder.join("root");
    let install = [
        "webpi",
        "install",
        path.as_str(),
        "app",
        "--site-root",
        root.as_str(),
        "--set-param",
        "AppPath=Site/shop",
    ];
    let report = json(&install, 0);
    assert_eq!(report["dependencies"][0]["product"], "lib", "{report}");
    assert_eq!(report["dependencies"][0]["already_there"], false);
    assert_eq!(
        report["only_on_windows"][0]["steps"][0],
        "runs `py.exe -m pip install x`"
    );
    assert_eq!(report["not_in_feed"], serde_json::json!(["Elsewhere"]));
    assert_eq!(
        fs::read_to_string(root.join("Site/shop/content.txt")).expect("installed"),
        "app"
    );
    assert_eq!(
        fs::read_to_string(root.join("Site/lib/content.txt")).expect("installed"),
        "lib"
    );
    // What is there is left alone.
    scratch.write("root/Site/lib/content.txt", "changed");
    let report = json(&install, 0);
    assert_eq!(report["dependencies"][0]["already_there"], true, "{report}");
    assert_eq!(
        fs::read_to_string(root.join("Site/lib/content.txt")).expect("kept"),
        "changed"
    );

    // The same by WebpiCmd.exe's command line, over HTTP, with a file of parameters.
    let server = Server::start(&path);
    let parameters = scratch.write("app.app", "AppPath[@]Site/other\r\n");
    let root = scratch.folder.join("root2");
    let (out, _) = run(
        &[
            "webpicmd",
            "/Install",
            &format!("/Application:The app@{parameters}"),
            "/AcceptEula",
            &format!("/XML:{}", server.feed),
            &format!("/SiteRoot:{root}"),
        ],
        0,
    );
    assert_eq!(
        out,
        "Started installing: 'The app'\nInstall completed (Success): 'The lib'\nInstall completed (Success): 'The app'\n"
    );
    assert_eq!(
        fs::read_to_string(root.join("Site/other/content.txt")).expect("installed"),
        "app"
    );
}

#[test]
fn webpicmd_says_what_scripts_look_for() {
    let scratch = Scratch::new();
    let licence = "<eulaURL>https://example.org/licence</eulaURL>";
    let entry = product("App", "app.zip", SHA1_OF_PACKAGE, "").replace(
        "</languageId><installerFile>",
        &format!("</languageId>{licence}<installerFile>"),
    );
    let path = scratch.write("feed.xml", feed(&entry));
    let xml = format!("/XML:{path}");
    let root = format!("/SiteRoot:{}", scratch.folder.join("root"));
    let (out, _) = run(&["webpicmd", "/List", "/ListOption:All", &xml], 0);
    assert!(
        out.lines()
            .any(|line| line == "App                  The App"),
        "{out}"
    );
    let (out, _) = run(&["webpicmd", "-list", "-listoption:languages", &xml], 0);
    assert!(out.contains("en                   English"), "{out}");
    let (out, _) = run(
        &[
            "webpicmd",
            "/Install",
            "/Products:None",
            "/AcceptEula",
            &xml,
            &root,
        ],
        1,
    );
    assert!(
        out.contains("No products to be installed (either not available or already installed)"),
        "{out}"
    );
    let (_, error) = run(&["webpicmd", "/Install", "/Products:App", &xml, &root], 1);
    assert!(
        error.contains("https://example.org/licence") && error.contains("/AcceptEULA"),
        "{error}"
    );
    // The package is not there.
    let log = scratch.folder.join("webpicmd.log");
    let arguments = [
        "webpicmd",
        "/Install",
        "/Application:The App",
        "/AcceptEULA",
        "/SuppressReboot",
        &xml,
        &root,
        &format!("/Log:{log}"),
    ];
    let (out, _) = run(&arguments, 1);
    for line in [
        "Started installing: 'The App'",
        "Install completed (Failure): 'The App'",
    ] {
        assert!(out.contains(line), "{out}");
        assert!(fs::read_to_string(&log).expect("a log").contains(line));
    }
    let report = json(&arguments, 1);
    assert_eq!(report["products"][0]["success"], false, "{report}");
    scratch.write("app.zip", PACKAGE);
    let copy = scratch.folder.join("copy");
    let (out, _) = run(
        &[
            "webpicmd",
            "/Offline",
            "/Products:All",
            &xml,
            &format!("/Path:{copy}"),
        ],
        0,
    );
    assert!(out.contains("Cached 'App'"), "{out}");
    let offline_xml = format!("/XML:{}", copy.join("feeds/latest/webproductlist.xml"));
    let (out, _) = run(&["webpicmd", "/List", &offline_xml], 0);
    assert!(out.contains("App "), "{out}");
}
