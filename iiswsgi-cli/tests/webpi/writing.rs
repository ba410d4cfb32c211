//! A feed of a project: what its metadata and its settings say is in the feed.

use fs_err as fs;
use spanned_xml::Source;
use webpi_feed::{DiscoveryRule, Feed};

use crate::support::{PACKAGE, SHA1_OF_PACKAGE, Scratch, json};

const PYPROJECT: &str = r#"
[project]
name = "shop"
version = "2.1"
description = "Sells things"
keywords = ["wsgi"]
authors = [{ name = "Ada" }]

[project.urls]
Homepage = "https://example.org/shop/"

[tool.iiswsgi]
title = "The shop"
author-url = "https://example.org/ada"
license-url = "https://example.org/licence"
display-url = "https://example.org/about"
help-url = "https://example.org/help"
icon-url = "https://example.org/icon.png"
screenshot-url = "https://example.org/screenshot.png"
published = "2026-11-22T12:00:00Z"
discovery-file = "app/version.txt"
msdeploy-url-template = "https://example.org/packages/{msdeploy_package}"
"#;

#[test]
fn every_setting_is_in_the_feed() {
    let scratch = Scratch::new();
    scratch.write("pyproject.toml", PYPROJECT);
    scratch.write("dist/shop-2.1.msdeploy.zip", PACKAGE);
    let report = json(&["webpi", "feed", scratch.folder.as_str()], 0);
    assert_eq!(report["products"], serde_json::json!(["shop"]));
    let path = report["path"].as_str().expect("a path");
    let source = Source::from_text(path, fs::read_to_string(path).expect("the feed"));
    let (feed, problems) = Feed::read(&source).expect("a feed");
    assert_eq!(problems, [], "{}", source.text());
    let entry = feed.entry("shop").expect("the product");
    let text = |text: Option<&webpi_feed::Text>| text.map(|text| text.as_str().to_owned());
    let author = entry.author().expect("an author");
    let images = entry.images().expect("pictures");
    let installer = entry.installers.first().expect("an installer");
    let file = installer.installer_file.as_ref().expect("a file");
    let hint = entry.discovery_hint.as_ref().map(|hint| &hint.rule);
    let Some(DiscoveryRule::File(hint)) = hint else {
        panic!("{hint:?}")
    };
    for (name, found, expected) in [
        ("title", text(entry.title()), "The shop"),
        ("summary", text(entry.summary()), "Sells things"),
        ("version", entry.version().cloned(), "2.1"),
        ("author", author.name.clone(), "Ada"),
        ("author-url", author.uri.clone(), "https://example.org/ada"),
        (
            "home page",
            entry.link().map(str::to_owned),
            "https://example.org/shop/",
        ),
        ("published", entry.published.clone(), "2026-11-22T12:00:00Z"),
        (
            "icon-url",
            images.icon.clone(),
            "https://example.org/icon.png",
        ),
        (
            "screenshot-url",
            images.screenshots.first().cloned(),
            "https://example.org/screenshot.png",
        ),
        (
            "license-url",
            installer.eula_url.clone(),
            "https://example.org/licence",
        ),
        (
            "display-url",
            file.display_url.clone(),
            "https://example.org/about",
        ),
        (
            "help-url",
            installer.help_link.clone(),
            "https://example.org/help",
        ),
        (
            "msdeploy-url-template",
            Some(file.installer_url.clone()),
            "https://example.org/packages/shop-2.1.msdeploy.zip",
        ),
        ("SHA-1", file.sha1.clone(), SHA1_OF_PACKAGE),
        (
            "discovery-file",
            Some(hint.file_path.clone()),
            "app/version.txt",
        ),
        ("keyword", entry.keyword_ids().first().cloned(), "wsgi"),
    ] {
        assert_eq!(found.as_deref(), Some(expected), "{name}");
    }
}
