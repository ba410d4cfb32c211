//! The page of a project in an index: where its files are, and their digests.
//!
//! *Simple repository API* of the Python Packaging User Guide, in JSON (PEP 691) and in HTML (PEP 503).

use std::collections::BTreeMap;

use html5gum::{Token, Tokenizer};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::Url;

/// What is asked for: the JSON form, and HTML of an index that does not know it.
pub(crate) const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// A file's address, without its fragment, and its SHA-256 where the page has it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) url: Url,
    pub(crate) sha256: Option<String>,
}

/// The JSON form, as far as it is needed.
#[derive(Deserialize)]
struct Project {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

/// The link to the file of that name, in the page at `base`; `content_type` is that of the page.
pub(crate) fn find_link(page: &str, content_type: &str, base: &Url, name: &str) -> Option<Link> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.ends_with("json") {
        in_json(page, base, name)
    } else {
        in_html(page, base, name)
    }
}

fn in_json(page: &str, base: &Url, name: &str) -> Option<Link> {
    let project: Project = serde_json::from_str(page).ok()?;
    let file = project
        .files
        .into_iter()
        .find(|file| file.filename == name)?;
    Some(Link {
        url: base.join(&file.url).ok()?,
        sha256: file.hashes.get("sha256").map(|hash| hash.to_lowercase()),
    })
}

fn in_html(page: &str, base: &Url, name: &str) -> Option<Link> {
    Tokenizer::new(page).flatten().find_map(|token| {
        let Token::StartTag(tag) = token else {
            return None;
        };
        let target = tag.attributes.get(b"href".as_slice())?;
        if tag.name.as_slice() != b"a" {
            return None;
        }
        let mut url = base.join(std::str::from_utf8(target).ok()?).ok()?;
        let last = url.path_segments()?.next_back()?;
        if percent_decode_str(last).decode_utf8().ok()? != name {
            return None;
        }
        let fragment = url.fragment().and_then(|hash| hash.strip_prefix("sha256="));
        let sha256 = fragment.map(str::to_lowercase);
        url.set_fragment(None);
        Some(Link { url, sha256 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_link_is_found() {
        let base = Url::parse("http://127.0.0.1/simple/a/").unwrap();
        let html = "<!-- <a href='a-1.whl'> --><link href='a-1.whl'><a href='../x/a-1.whl'>a</a> <A HREF=\"/f/a%2B-1.whl?x&amp;y#sha256=AB\">b</a> <a href=c-1.whl#md5=1>";
        let json = r#"{"meta": {"api-version": "1.0"}, "files": [
            {"filename": "a-1.whl", "url": "../x/a-1.whl", "hashes": {}},
            {"filename": "a+-1.whl", "url": "/f/a%2B-1.whl?x&y", "hashes": {"sha256": "AB"}, "requires-python": ">=3"},
            {"filename": "c-1.whl", "url": "c-1.whl", "hashes": {"md5": "1"}}]}"#;
        for (page, content_type) in [
            (html, "text/html; charset=utf-8"),
            (html, ""),
            (json, "application/vnd.pypi.simple.v1+json"),
        ] {
            for (name, url, sha256) in [
                ("a-1.whl", "http://127.0.0.1/simple/x/a-1.whl", None),
                ("a+-1.whl", "http://127.0.0.1/f/a%2B-1.whl?x&y", Some("ab")),
                ("c-1.whl", "http://127.0.0.1/simple/a/c-1.whl", None),
            ] {
                let link = find_link(page, content_type, &base, name).unwrap();
                assert_eq!(link.url.as_str(), url);
                assert_eq!(link.sha256.as_deref(), sha256);
            }
            assert_eq!(find_link(page, content_type, &base, "b-1.whl"), None);
        }
        for page in [
            "",
            "<a href=",
            "{\"files\": 1}",
            "<a href='http://[/a-1.whl'>",
        ] {
            assert_eq!(find_link(page, "text/html", &base, "a-1.whl"), None);
            assert_eq!(find_link(page, "application/json", &base, "a-1.whl"), None);
        }
    }
}
