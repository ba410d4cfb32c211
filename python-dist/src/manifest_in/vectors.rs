//! The 105 vectors that distutils (CPython 3.11.7) and setuptools (80.9.0) themselves answered,
//! read in place.

use serde_json::Value;
use spanned_xml::{Problem, Source};

use super::{Dialect, FileList, Template};

const VECTORS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/samples/manifest_in_vectors.json"
);

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().expect("an array");
    items
        .iter()
        .map(|item| item.as_str().expect("a string").to_owned())
        .collect()
}

/// The message as distutils and setuptools print it.
fn printed(source: &Source, problem: &Problem) -> String {
    let message = problem.message.replace('`', "'");
    let line = problem
        .span
        .map(|span| source.line_column(span.start).line)
        .expect("every problem has a place");
    match problem.code {
        "manifest-in-continuation" => format!("textfile: {message}"),
        "manifest-in-no-match" if message.starts_with("no previously-included directories") => {
            message
        }
        "manifest-in-no-match" => format!("warning: {message}"),
        _ => format!("line {line}: {message}"),
    }
}

fn run(
    dialect: Dialect,
    template: &str,
    tree: &[String],
) -> (Vec<String>, Vec<String>, Vec<String>) {
    let source = Source::from_text("MANIFEST.in", template);
    let mut list = FileList::new(dialect, tree.iter().map(String::as_str));
    // A file that every system of the vectors' author has; distributing it is refused, naming it is
    // what setuptools does.
    list.add_outside("/etc/passwd");
    let (template, mut problems) = Template::parse(&source);
    problems.extend(list.apply(&template));
    let refused = problems
        .iter()
        .filter(|problem| problem.code == "manifest-in-outside-project")
        .count();
    assert_eq!(
        refused,
        list.names()
            .iter()
            .filter(|name| name.starts_with('/'))
            .count()
    );
    problems.retain(|problem| problem.code != "manifest-in-outside-project");
    assert!(list.files().iter().all(|file| tree.contains(file)));
    let (errors, warnings): (Vec<_>, Vec<_>) =
        problems.iter().partition(|problem| problem.is_error());
    let print = |problems: Vec<&Problem>| {
        problems
            .into_iter()
            .map(|problem| printed(&source, problem))
            .collect()
    };
    (
        list.names().into_iter().map(str::to_owned).collect(),
        print(errors),
        print(warnings),
    )
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the vectors are read in place")]
fn all_vectors() {
    let Ok(text) = std::fs::read_to_string(VECTORS) else {
        eprintln!("SKIPPED: {VECTORS} is missing");
        return;
    };
    let vectors: Value = serde_json::from_str(&text).expect("JSON");
    let cases = vectors["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 105);
    let mut failures = Vec::new();
    for (i, case) in cases.iter().enumerate() {
        let tree = strings(&vectors["trees"][case["tree"].as_str().expect("a name")]);
        let template = case["template"].as_str().expect("a template");
        for (key, dialect) in [
            ("distutils", Dialect::Distutils),
            ("setuptools", Dialect::Setuptools),
        ] {
            let expected = (
                strings(&case[key]["files"]),
                strings(&case[key]["errors"]),
                strings(&case[key]["warnings"]),
            );
            let found = run(dialect, template, &tree);
            if found != expected {
                failures.push(format!(
                    "{i} {key} {template:?}\n  expected {expected:?}\n  found    {found:?}"
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n")
    );
}
