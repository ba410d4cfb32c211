//! Every code that a crate reports is in its table of codes, and `docs/findings.md` is made from these tables.
//!
//! `IISWSGI_WRITE_DOCS=1 cargo test -p iiswsgi-tests --test findings` writes the page anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use regex::Regex;
use spanned_xml::Rule;

/// The crates, what they read, and their tables.
const CRATES: [(&str, &str, &[Rule]); 7] = [
    ("msdeploy-pkg", "Web Deploy packages", msdeploy_pkg::RULES),
    ("webpi-feed", "WebPI feeds", webpi_feed::RULES),
    ("iis-config", "IIS configuration", iis_config::RULES),
    ("python-dist", "Python projects", python_dist::RULES),
    (
        "iis-dev-server",
        "a site that is served locally",
        iis_dev_server::RULES,
    ),
    ("spanned-xml", "any XML file", spanned_xml::RULES),
    (
        "iiswsgi-cli",
        "what the commands look at",
        iiswsgi_cli::RULES,
    ),
];

fn root() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The codes in a crate's source, each with the severities that it is reported with.
///
/// A constructor that is given a variable has its code from a table: a code of `rules` that stands in the source as a
/// literal, and in no constructor, counts as one of those.
fn reported(name: &str, rules: &[Rule]) -> BTreeMap<String, BTreeSet<String>> {
    let constructor =
        Regex::new(r#"Problem::(error|warning|note)\(\s*(?:"([a-z0-9-]+)"|[a-z_]+)"#).unwrap();
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut all, mut by_variable) = (String::new(), BTreeSet::new());
    for path in sources(&root().join(name).join("src")) {
        let text = fs_err::read_to_string(&path).unwrap();
        let (text, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        // Examples in documentation are no reports.
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        for found in constructor.captures_iter(&text) {
            let severities = match found.get(2) {
                Some(literal) => codes.entry(literal.as_str().to_owned()).or_default(),
                None => &mut by_variable,
            };
            severities.insert(found[1].to_owned());
        }
        all.push_str(&text);
    }
    for rule in rules {
        if all.contains(&format!("\"{}\"", rule.code)) && !by_variable.is_empty() {
            let code = codes.entry(rule.code.to_owned());
            code.or_insert_with(|| by_variable.clone());
        }
    }
    codes
}

/// The Rust files below a folder, but for the tables themselves.
fn sources(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut sources = Vec::new();
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            sources.extend(self::sources(&path));
        } else if path.file_name() != Some("rules.rs") {
            sources.push(path);
        }
    }
    sources.sort();
    sources
}

#[test]
fn every_code_is_in_its_table() {
    let mut seen = BTreeMap::new();
    for (name, _, rules) in CRATES {
        let listed: Vec<&str> = rules.iter().map(|rule| rule.code).collect();
        let mut sorted = listed.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(listed, sorted, "{name}: sorted, each once");
        let found = reported(name, rules);
        let found: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(found, listed, "{name}: what is reported and what is listed");
        for rule in rules {
            assert!(
                !rule.summary.is_empty() && !rule.source.is_empty(),
                "{}",
                rule.code
            );
            let before = seen.insert(rule.code, name);
            assert_eq!(
                before, None,
                "{} of {name} is a code of another crate",
                rule.code
            );
        }
    }
}

#[test]
fn the_page_of_codes_is_current() {
    let path = root().join("docs/findings.md");
    let page = page();
    if std::env::var_os("IISWSGI_WRITE_DOCS").is_some() {
        fs_err::write(&path, &page).unwrap();
    }
    let found = fs_err::read_to_string(&path).unwrap();
    assert!(
        found == page,
        "docs/findings.md is not current: run `IISWSGI_WRITE_DOCS=1 cargo test -p iiswsgi-tests --test findings`"
    );
}

fn page() -> String {
    let mut out = String::from(
        "# Codes\n\nEvery problem that a command reports has a code, in brackets behind its severity, and in `--format json` as \
         `code`. Codes do not change. An error means that the file cannot be used as it is, a warning that it is probably not \
         what was meant, a note that nothing is wrong. This page is made from the tables of the crates, which a test compares \
         with what their source reports.\n",
    );
    for (name, subject, rules) in CRATES {
        let reported = reported(name, rules);
        let _ = write!(
            out,
            "\n## {name}: {subject}\n\n| code | severity | what it means | source |\n|---|---|---|---|\n"
        );
        for rule in rules {
            let severities: Vec<&str> = reported
                .get(rule.code)
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                rule.code,
                severities.join(", "),
                rule.summary.replace('|', "\\|"),
                rule.source.replace('|', "\\|")
            );
        }
    }
    out
}
