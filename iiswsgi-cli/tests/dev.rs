//! `iiswsgi dev --once`: the first step when IIS says only that the process exited.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use std::process::{Command, Output, Stdio};

use camino::Utf8Path;
use fs_err as fs;

/// What a program does that says something on standard error and ends.
const EXITS: &str = "echo no module named blog 1>&2; exit 3";

/// A site with a shell script in the place of a FastCGI server; and a file that is served without it.
fn site(folder: &Utf8Path, script: &str) {
    fs::write(folder.join("server.sh"), script).unwrap();
    let host = format!(
        r#"<configuration>
  <system.applicationHost><sites><site name="Blog" id="1">
    <application path="/"><virtualDirectory path="/" physicalPath="{folder}" /></application>
    <bindings><binding protocol="http" bindingInformation="*:8080:" /></bindings>
  </site></sites></system.applicationHost>
  <system.webServer>
    <fastCgi><application fullPath="/bin/sh" arguments="{folder}/server.sh" activityTimeout="10" /></fastCgi>
    <handlers accessPolicy="Read, Script">
      <add name="text" path="*.txt" verb="GET" modules="StaticFileModule" resourceType="File" requireAccess="Read" />
      <add name="blog" path="*" verb="*" modules="FastCgiModule" scriptProcessor="/bin/sh|{folder}/server.sh" />
    </handlers>
  </system.webServer>
</configuration>"#
    );
    fs::write(folder.join("applicationHost.config"), host).unwrap();
    fs::write(folder.join("hello.txt"), "hello\n").unwrap();
}

fn once(folder: &Utf8Path, arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_iiswsgi"))
        .current_dir(folder)
        .args(["dev", "--once"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

#[test]
fn shows_the_answer_and_the_log_and_says_by_its_status_whether_it_failed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    site(folder, EXITS);
    let (output, text) = once(folder, &["/hello.txt"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        text.starts_with("200\n") && text.contains("\n\nhello\n"),
        "{text}"
    );

    let (output, text) = once(folder, &["/page?a=b"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text.starts_with("502 The FastCGI process"), "{text}");
    let log = text
        .rsplit_once(".log:\n")
        .unwrap_or_else(|| panic!("no log in {text}"))
        .1;
    assert!(log.contains("no module named blog"), "{text}");

    let more = [
        "/page", "--method", "PUT", "--header", "X-A: b", "--body", "c", "--format", "json",
    ];
    let (output, text) = once(folder, &more);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["status"], 502, "{report}");
    let why = &report["explanation"];
    assert_eq!(
        why["title"],
        "The FastCGI process exited with status 3 before it answered"
    );
    assert_eq!(why["output"]["text"], "no module named blog");
    assert!(why["try"][0].is_string(), "{report}");
    assert!(
        report["logs"][0]["text"]
            .as_str()
            .unwrap()
            .contains("no module named blog"),
        "{report}"
    );
}

/// Each of them is "The FastCGI process exited unexpectedly" in IIS, or a bare 500.
#[test]
fn says_of_each_program_that_is_no_fastcgi_server_what_is_wrong() {
    let cases = [
        (
            EXITS,
            &[
                "502 The FastCGI process exited with status 3 before it answered\n",
                "IIS says only \u{201c}The FastCGI process exited unexpectedly\u{201d}",
                "The last lines it wrote:\n  no module named blog\n",
            ][..],
        ),
        (
            "exit 0",
            &[
                "502 The FastCGI process exited with status 0 before it answered\n",
                "Check that the command runs a FastCGI server, not a script that ends.",
            ],
        ),
        (
            "echo Serving HTTP on port 8000 1>&0; read line",
            &[
                "502 The answer of the process is not FastCGI\n",
                "FastCGI version 83 in the header at octet 0, expected 1",
                "The answer begins with:\n  Serving HTTP on port 8000\\n\n",
            ],
        ),
        (
            "echo starting 1>&2; exec sleep 1000",
            &[
                "500 The application took longer than activityTimeout\n",
                "within 10 seconds",
                "The last lines it wrote:\n  starting\n",
            ],
        ),
        (
            "kill -SEGV $$",
            &["502 The FastCGI process was killed by signal 11 before it answered\n"],
        ),
        (
            "exec 0>&-; exec sleep 1000",
            &["502 The FastCGI process closed its connection before it answered\n"],
        ),
    ];
    // All at once: one of them takes its ten seconds.
    std::thread::scope(|scope| {
        for (script, expected) in cases {
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let folder = Utf8Path::from_path(folder.path()).unwrap();
                site(folder, script);
                let (output, text) = once(folder, &["/page"]);
                assert_eq!(output.status.code(), Some(1), "{script}: {output:?}");
                for expected in expected {
                    assert!(text.contains(expected), "{script}: {expected} in\n{text}");
                }
                let command = format!("Command line: /bin/sh {folder}/server.sh\n");
                assert!(text.contains(&command), "{script}: {text}");
                let (_, log) = text.rsplit_once(".log:\n").unwrap();
                assert!(log.contains("started: /bin/sh"), "{script}: {log}");
                assert!(!text.contains("<html"), "{script}: {text}");
            });
        }
    });
}

#[test]
fn what_is_no_request_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    site(folder, EXITS);
    for (arguments, status, says) in [
        (&["/", "--header", "x"][..], 2, "NAME: VALUE"),
        (
            &["/", "--body", "a", "--body-file", "b"],
            2,
            "cannot be used with",
        ),
        (&["/", "--body-file", "nowhere"], 1, "nowhere"),
        (&["/", "--method", "A B"], 1, "method"),
    ] {
        let (output, _) = once(folder, arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{message}");
        assert!(message.contains(says), "{message}");
    }
}
