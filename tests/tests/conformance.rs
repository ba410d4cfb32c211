//! The conformance vectors against the machines of `fcgi-proto`, whole and one octet at a time.

#![expect(clippy::print_stderr, reason = "a test says aloud what it leaves out")]

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use iiswsgi_tests::conformance::{ITEMS, VectorFile, check, load};

const FILES: [&str; 6] = [
    "appendix_b",
    "records",
    "management",
    "application",
    "web_server",
    "hardening",
];

fn folder() -> Utf8PathBuf {
    iiswsgi_tests::root().join("tests/vectors")
}

fn file(name: &str) -> VectorFile {
    let path = folder().join(name).with_extension("toml");
    load(&path).unwrap_or_else(|error| panic!("\n{error}"))
}

/// Runs every case of a file and reports all that fail.
fn run(name: &str) {
    let file = file(name);
    let mut failures = Vec::new();
    let mut run = 0;
    for case in &file.cases {
        if let Some(reason) = &case.disabled {
            eprintln!("{}: disabled: {reason}", case.id);
            continue;
        }
        run += 1;
        for piece in [usize::MAX, 1, 7] {
            if let Err(failure) = check(case, piece) {
                let id = &case.id;
                failures.push(format!("{}: case `{id}`: {failure}", file.name));
                break;
            }
        }
    }
    assert!(run > 0, "{name} has no case to run");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn appendix_b() {
    run("appendix_b");
}

#[test]
fn records() {
    run("records");
}

#[test]
fn management() {
    run("management");
}

#[test]
fn application() {
    run("application");
}

#[test]
fn web_server() {
    run("web_server");
}

#[test]
fn hardening() {
    run("hardening");
}

#[test]
fn every_file_is_run_and_every_id_is_unique() {
    let mut found: Vec<String> = folder()
        .read_dir_utf8()
        .expect("the folder of the vectors")
        .map(|entry| {
            entry
                .expect("an entry")
                .path()
                .file_stem()
                .expect("a name")
                .to_owned()
        })
        .collect();
    found.sort();
    let mut known = FILES.map(str::to_owned);
    known.sort();
    assert_eq!(found, known);

    let mut ids = BTreeMap::new();
    for name in FILES {
        for case in file(name).cases {
            if let Some(other) = ids.insert(case.id.clone(), name) {
                panic!("`{}` is in {other} and in {name}", case.id);
            }
        }
    }
}

#[test]
fn every_item_has_a_case_or_a_reason() {
    let files = FILES.map(file);
    for item in ITEMS {
        let number = item.number;
        let cases = files.iter().flat_map(|file| &file.cases);
        let has_case = cases
            .filter(|case| case.disabled.is_none())
            .any(|case| case.items.contains(&number));
        let mut reasons = files.iter().flat_map(|file| &file.outside);
        let has_reason =
            reasons.any(|outside| outside.item == number && !outside.reason.is_empty());
        assert!(
            has_case || has_reason,
            "item {number} ({}) has no case, and no reason why",
            item.title
        );
    }
}

/// Both sides have cases where an item is about a machine on either.
#[test]
fn items_about_both_sides_have_cases_on_both() {
    let files = FILES.map(file);
    for number in [3, 4, 6, 30, 40] {
        let sides: Vec<_> = files
            .iter()
            .flat_map(|file| &file.cases)
            .filter(|case| case.items.contains(&number))
            .map(|case| case.side.name())
            .collect();
        for side in ["application", "web_server"] {
            assert!(sides.contains(&side), "item {number} has no case of {side}");
        }
    }
}

/// The live runner, against our gateway and against an application that does little right.
#[cfg(unix)]
mod live {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::time::Duration;

    use iiswsgi_tests::Scratch;
    use iiswsgi_tests::conformance::live::{Options, Report, Target, Verdict, run};

    fn failures(report: &Report) -> Vec<&str> {
        let failed = |verdict| verdict == Verdict::DoesNotHold;
        let rows = report.rows.iter();
        rows.filter(|row| failed(row.verdict))
            .map(|row| row.id)
            .collect()
    }

    #[test]
    fn everything_that_can_be_told_holds_for_our_gateway() {
        let command = env!("CARGO_BIN_EXE_iiswsgi-echo-responder").to_owned();
        let mut options = Options::new(Target::StdinOf(command));
        options.limit = Duration::from_secs(20);
        let report = run(&options).expect("it answers");
        assert_eq!(failures(&report), Vec::<&str>::new(), "\n{report}");
        assert!(report.count(Verdict::Holds) > 50, "\n{report}");
    }

    /// Answers whatever arrives as if it were request 1, and never closes or ends a stream.
    fn answer(mut stream: UnixStream) {
        let mut buffer = [0; 65_536];
        while let Ok(1..) = stream.read(&mut buffer) {
            let page = b"\x01\x06\0\x01\0\x04\0\0page";
            let end = b"\x01\x03\0\x01\0\x08\0\0\0\0\0\0\0\0\0\0";
            if stream.write_all(&[&page[..], end].concat()).is_err() {
                return;
            }
        }
    }

    #[test]
    fn a_bad_application_is_found_out_and_a_hang_is_a_verdict() {
        let scratch = Scratch::new();
        let path = scratch.path().join("socket");
        let listener = UnixListener::bind(&path).expect("a socket");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(stream));
            }
        });
        let mut options = Options::new(Target::Unix(path));
        options.limit = Duration::from_millis(500);
        let ids = [
            "request-ids",
            "get-values",
            "close",
            "unknown-role",
            "stdout-ended-once",
            "cgi-headers",
            "keep-conn",
        ];
        options.only = ids.map(str::to_owned).to_vec();
        let report = run(&options).expect("it answers an ordinary request");
        let mut expected = ids.to_vec();
        expected.retain(|id| *id != "keep-conn");
        assert_eq!(failures(&report), expected, "\n{report}");
    }

    #[test]
    fn an_application_that_never_answers_is_an_error() {
        let mut options = Options::new(Target::StdinOf("sleep 60".to_owned()));
        options.limit = Duration::from_millis(200);
        let error = run(&options).expect_err("nothing answers");
        assert!(error.contains("nothing more came in time"), "{error}");
        options.only = vec!["no-such-check".to_owned()];
        let error = run(&options).expect_err("there is no such check");
        assert_eq!(
            error,
            "there is no check `no-such-check`; `--list` shows all"
        );
    }
}
