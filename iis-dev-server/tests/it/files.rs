//! Static files through the whole server.

use crate::client::{get, request};
use crate::site::{Folder, Served};

fn site() -> Served {
    let folder = Folder::new();
    folder.write("app/style.css", "body {}");
    folder.write("app/index.html", "<p>home");
    folder.write("app/sub dir/index.htm", "<p>sub");
    folder.write("app/settings.py", "SECRET_KEY = 1");
    folder.write("app/big.txt", vec![b'x'; 3_000_000]);
    folder.write("secret.txt", "secret");
    Served::folder(folder)
}

#[test]
fn files_are_served_with_type_and_date() {
    let site = site();
    let response = get(site.address, "/style.css");
    assert_eq!(
        (response.status, response.text().as_str()),
        (200, "body {}")
    );
    assert_eq!(response.header("content-type"), Some("text/css"));
    assert_eq!(response.header("content-length"), Some("7"));
    let date = response.header("last-modified").unwrap().to_owned();
    let response = request(
        site.address,
        "GET",
        "/style.css",
        &format!("If-Modified-Since: {date}\r\n"),
        b"",
    );
    assert_eq!(response.status, 304);
    let response = get(site.address, "/big.txt");
    assert!(response.complete);
    assert_eq!(response.body.len(), 3_000_000);
    let response = request(site.address, "HEAD", "/big.txt", "", b"");
    assert_eq!(
        (response.status, response.header("content-length")),
        (200, Some("3000000"))
    );
}

#[test]
fn folders_have_default_documents() {
    let site = site();
    assert_eq!(get(site.address, "/").text(), "<p>home");
    let response = get(site.address, "/sub%20dir");
    assert_eq!(
        (response.status, response.header("location")),
        (301, Some("/sub%20dir/"))
    );
    assert_eq!(get(site.address, "/sub%20dir/").text(), "<p>sub");
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let site = site();
    let table = [
        ("/settings.py", 404),
        ("/missing.txt", 404),
        ("/../secret.txt", 400),
        ("/sub%20dir/../../secret.txt", 400),
        ("/%2e%2e%2fsecret.txt", 400),
        ("/..%5csecret.txt", 400),
        ("/sub%20dir/%5c../..%5csecret.txt", 404),
        ("/applicationHost.config", 404),
    ];
    for (target, status) in table {
        let response = get(site.address, target);
        assert_eq!(response.status, status, "{target}");
        assert!(!response.text().contains("SECRET_KEY ="), "{target}");
        assert_ne!(response.text(), "secret", "{target}");
    }
}

#[test]
fn files_answer_get_and_head_only() {
    let site = site();
    let response = request(site.address, "POST", "/style.css", "", b"x");
    assert_eq!(
        (response.status, response.header("allow")),
        (405, Some("GET, HEAD"))
    );
}
