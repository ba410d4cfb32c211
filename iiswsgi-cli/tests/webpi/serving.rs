//! The server, asked by itself and by a browser.

#[cfg(unix)]
use std::process::Command;

#[cfg(unix)]
use camino::Utf8Path;
#[cfg(unix)]
use fs_err as fs;

use crate::server::Server;
use crate::support::{PACKAGE, SHA1_OF_PACKAGE, Scratch, feed, product, text};

#[test]
fn the_server_answers_as_http_says() {
    let scratch = Scratch::new();
    scratch.write("app-1.0.zip", PACKAGE);
    let path = scratch.write(
        "our feed.xml",
        feed(&product(
            "App",
            "https://example.org/app-1.0.zip",
            SHA1_OF_PACKAGE,
            "",
        )),
    );
    let server = Server::start(&path);
    assert!(server.feed.ends_with("/our%20feed.xml"), "{}", server.feed);
    let (status, head, body) = server.request("GET", "/our%20feed.xml", &[]);
    assert_eq!(status, 200);
    assert!(
        head.contains("content-type: application/atom+xml"),
        "{head}"
    );
    let package = format!("/packages/{SHA1_OF_PACKAGE}/app-1.0.zip");
    let address = format!(
        "<installerURL>http://{}{package}</installerURL>",
        server.address()
    );
    assert!(text(&body).contains(&address), "{}", text(&body));

    let (status, head, body) = server.request("GET", &package, &[]);
    assert_eq!((status, body.as_slice()), (200, PACKAGE));
    assert!(
        head.contains("content-type: application/zip") && head.contains("content-length: 6"),
        "{head}"
    );
    let field = |name: &str| {
        let line = head
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{head}"));
        line.split_once(": ").expect("a value").1.to_owned()
    };
    let (tag, modified) = (field("etag"), field("last-modified"));

    for (method, fields, status, expected) in [
        ("HEAD", &[][..], 200, &b""[..]),
        ("GET", &[("If-None-Match", tag.as_str())], 304, b""),
        ("GET", &[("If-None-Match", "\"other\"")], 200, PACKAGE),
        ("GET", &[("Range", "bytes=1-3")], 206, b"ell"),
        ("GET", &[("Range", "bytes=-2")], 206, b"o\n"),
        ("GET", &[("Range", "bytes=9-")], 416, b""),
        (
            "GET",
            &[("Range", "bytes=0-0"), ("If-Range", tag.as_str())],
            206,
            b"h",
        ),
        (
            "GET",
            &[("Range", "bytes=0-0"), ("If-Range", "\"other\"")],
            200,
            PACKAGE,
        ),
        ("GET", &[("If-Match", "\"other\"")], 412, b""),
    ] {
        let (found, head, body) = server.request(method, &package, fields);
        assert_eq!(
            (found, body.as_slice()),
            (status, expected),
            "{method} {fields:?}\n{head}"
        );
    }
    // Names of months are in mixed case on the wire.
    let (_, head, _) = server.request("HEAD", &package, &[]);
    assert!(head.contains(&modified));
    let (status, head, _) = server.request("POST", "/", &[]);
    assert!(status == 405 && head.contains("allow: get, head"), "{head}");
    for missing in [
        "/packages/x/app-1.0.zip",
        "/../our%20feed.xml",
        "/products/none",
        "/etc/passwd",
    ] {
        assert_eq!(server.request("GET", missing, &[]).0, 404, "{missing}");
    }
    let (status, head, body) = server.request("GET", "/", &[]);
    assert_eq!(status, 200);
    assert!(
        head.contains("content-security-policy: default-src 'none'") && head.contains("nosniff"),
        "{head}"
    );
    assert!(
        text(&body).contains("iiswsgi webpi install"),
        "{}",
        text(&body)
    );
}

#[test]
fn a_changed_feed_is_served_without_a_new_start() {
    let scratch = Scratch::new();
    let path = scratch.write(
        "feed.xml",
        feed(&product(
            "One",
            "https://example.org/1.zip",
            SHA1_OF_PACKAGE,
            "",
        )),
    );
    let server = Server::start(&path);
    let page = |server: &Server| text(&server.request("GET", "/", &[]).2);
    assert!(page(&server).contains("data-product=\"One\""));
    scratch.write(
        "feed.xml",
        feed(&product(
            "Another",
            "https://example.org/1.zip",
            SHA1_OF_PACKAGE,
            "",
        )),
    );
    assert!(page(&server).contains("data-product=\"Another\""));
    scratch.write("feed.xml", "<feed>no longer XML");
    let broken = page(&server);
    assert!(
        broken.contains("role=\"alert\"") && broken.contains("data-product=\"Another\""),
        "{broken}"
    );
}

/// The DOM of a page as the browser has it; the screenshot is kept.
#[cfg(unix)]
fn browse(scratch: &Scratch, address: &str, screenshot: &str, more: &[&str]) -> String {
    let kept = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(screenshot);
    let mut dom = String::new();
    for action in ["--dump-dom".to_owned(), format!("--screenshot={kept}")] {
        let profile = scratch.folder.join("profile");
        let output = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--window-size=1280,1000",
            ])
            .arg(format!("--user-data-dir={profile}"))
            .args(more)
            .args([&action, address])
            .output()
            .expect("chromium is missing: install the Debian package `chromium`");
        assert!(output.status.success(), "{}", text(&output.stderr));
        dom.push_str(&text(&output.stdout));
    }
    let picture = fs::read(&kept).expect("a screenshot");
    assert!(
        picture.starts_with(b"\x89PNG") && picture.len() > 10_000,
        "{kept}"
    );
    dom
}

/// The pages are the same on every system; the browser is this one's.
#[cfg(unix)]
#[test]
fn a_browser_shows_the_products() {
    let scratch = Scratch::new();
    scratch.write("guestbook.zip", PACKAGE);
    let attack = "&lt;img src=x onerror=\"document.title='broken in'\"&gt;";
    let needs = "<dependency><and><dependency><productId>PageFlow</productId></dependency>\
         <dependency><productId>WDeploy</productId></dependency></and></dependency>";
    let path = scratch.write(
        "apps.webpi.xml",
        feed(&format!(
            "{}{}",
            product("Guestbook", "guestbook.zip", SHA1_OF_PACKAGE, needs)
                .replace("About Guestbook.", attack),
            product(
                "PageFlow",
                "https://example.org/pageflow.zip",
                SHA1_OF_PACKAGE,
                ""
            )
        )),
    );
    let server = Server::start(&path);
    let light = browse(&scratch, &server.page, "webpi-page.png", &[]);
    for part in [
        "<title>Our products</title>",
        "<h1 class=\"title\">Our products</h1>",
        "data-product=\"Guestbook\"",
        "<a href=\"/products/PageFlow\">The PageFlow</a> and",
        "title=\"not in this feed\">WDeploy</span>",
        "iiswsgi webpi install",
        "Guestbook --site-root DIR",
        "&lt;img src=x onerror=",
    ] {
        assert!(light.contains(part), "{part} is missing in\n{light}");
    }
    assert!(!light.contains("<img src=\"x\""), "{light}");
    let dark = browse(
        &scratch,
        &server.page,
        "webpi-page-dark.png",
        &["--blink-settings=preferredColorScheme=0"],
    );
    assert!(dark.contains("data-product=\"PageFlow\""));
    let one = browse(
        &scratch,
        &format!("{}products/Guestbook", server.page),
        "webpi-page-product.png",
        &[],
    );
    assert!(
        one.contains("<h1 id=\"product-Guestbook\">") && one.contains("<details open=\"\">"),
        "{one}"
    );
    assert!(
        one.contains(&format!("/packages/{SHA1_OF_PACKAGE}/guestbook.zip")),
        "{one}"
    );
}
