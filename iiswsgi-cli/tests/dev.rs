//! `iiswsgi dev --once`: the first step when IIS says only that the process exited.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use std::process::{Command, Output, Stdio};

use camino::Utf8Path;
use fs_err as fs;

/// A site whose program says something on standard error and ends; and a file that is served without it.
fn site(folder: &Utf8Path) {
    let host = format!(
        r#"<configuration>
  <system.applicationHost><sites><site name="Blog" id="1">
    <application path="/"><virtualDirectory path="/" physicalPath="{folder}" /></application>
    <bindings><binding protocol="http" bindingInformation="*:8080:" /></bindings>
  </site></sites></system.applicationHost>
  <system.webServer>
    <fastCgi><application fullPath="/bin/sh" arguments="-c &quot;echo no module named blog 1>&amp;2; exit 3&quot;" /></fastCgi>
    <handlers accessPolicy="Read, Script">
      <add name="text" path="*.txt" verb="GET" modules="StaticFileModule" resourceType="File" requireAccess="Read" />
      <add name="blog" path="*" verb="*" modules="FastCgiModule" scriptProcessor="/bin/sh|-c &quot;echo no module named blog 1>&amp;2; exit 3&quot;" />
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
    site(folder);
    let (output, text) = once(folder, &["/hello.txt"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        text.starts_with("200\n") && text.contains("\n\nhello\n"),
        "{text}"
    );

    let (output, text) = once(folder, &["/page?a=b"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text.starts_with("502\n"), "{text}");
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
    assert!(
        report["logs"][0]["text"]
            .as_str()
            .unwrap()
            .contains("no module named blog"),
        "{report}"
    );
}

#[test]
fn what_is_no_request_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    site(folder);
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
