//! [`expandvars`] beside CPython's own `ntpath.expandvars`, over generated texts.

#![expect(
    clippy::disallowed_methods,
    reason = "the test asks a real Python, and reads which one"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use python_dist::expandvars;

/// How many texts are compared.
const TEXTS: usize = 20_000;

/// The whole environment of both.
const VARIABLES: &[(&str, &str)] = &[
    ("a", "value of a"),
    ("ab", "%a%$a"),
    ("A", "upper"),
    ("a-b", "'quoted'"),
    ("_1", ""),
    ("é", "acute"),
    ("a b", "blank"),
    ("{a", "brace"),
];

/// Reads texts from standard input, and answers as CPython does.
const PROGRAM: &str = "
import json, ntpath, os, sys
variables, texts = json.load(sys.stdin)
os.environ.clear()
os.environ.update(variables)
json.dump([ntpath.expandvars(text) for text in texts], sys.stdout)
";

/// Pieces in which every sign and every name comes often.
fn text() -> impl Strategy<Value = String> {
    let sign = prop::sample::select(vec![
        "%", "%", "$", "$", "{", "}", "'", "%%", "$$", "${", "\\", "\n",
    ]);
    let name = prop::sample::select(VARIABLES).prop_map(|(name, _)| name.to_owned());
    let piece = prop_oneof![
        5 => sign.prop_map(str::to_owned),
        4 => name,
        1 => "[a-b_ -]{1,3}",
        1 => any::<char>().prop_filter("environment variables and JSON hold it", |c| *c != '\0').prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

#[test]
fn answers_as_this_machines_cpython_does() {
    let mut runner = TestRunner::deterministic();
    let strategy = text();
    let texts: Vec<String> = (0..TEXTS)
        .map(|_| strategy.new_tree(&mut runner).expect("a text").current())
        .collect();
    let variables: std::collections::BTreeMap<&str, &str> = VARIABLES.iter().copied().collect();
    let question = serde_json::to_vec(&(&variables, &texts)).expect("JSON");

    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let child = Command::new(&python)
        .args(["-X", "utf8", "-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            eprintln!("SKIPPED: `{python}` does not start: {error}");
            return;
        }
    };
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(&question).expect("Python reads");
    drop(stdin);
    let output = child.wait_with_output().expect("Python ends");
    assert!(output.status.success(), "Python failed");
    let answers: Vec<String> = serde_json::from_slice(&output.stdout).expect("JSON");

    let ours = |text: &str| {
        expandvars(text, |name| {
            variables.get(name).map(|value| (*value).to_owned())
        })
    };
    let different: Vec<(&String, &String, String)> = texts
        .iter()
        .zip(&answers)
        .map(|(text, answer)| (text, answer, ours(text)))
        .filter(|(_, answer, ours)| *answer != ours)
        .collect();
    assert_eq!(answers.len(), TEXTS);
    assert!(
        different.is_empty(),
        "{} texts differ (text, CPython's answer, ours): {:#?}",
        different.len(),
        &different[..different.len().min(10)]
    );
    let expanded = texts
        .iter()
        .zip(&answers)
        .filter(|(text, answer)| text != answer);
    assert!(
        expanded.count() > TEXTS / 4,
        "the texts exercise too little"
    );
}
