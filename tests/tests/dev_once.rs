//! `iiswsgi dev --once` with what it is for: our own gateway in real CPython, registered by `iiswsgi iis enable`, and an
//! application with something wrong in it.

use std::process::Output;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::{Scratch, iiswsgi, succeed};

/// One application for every case; the path says which.
const APPLICATION: &str = r#"
import os
import sys

if os.path.exists(os.path.join(os.path.dirname(os.path.abspath(__file__)), "broken")):
    import a_module_that_is_not_installed

def application(environ, start_response):
    path = environ["PATH_INFO"]
    print("said on standard error", file=sys.stderr)
    environ["wsgi.errors"].write("said on wsgi.errors\n")
    if path == "/raises":
        raise ValueError("what the visitor must not see")
    if path == "/exits":
        os._exit(3)
    if path == "/breaks-off":
        write = start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "100")])
        write(b"the first half")
        os._exit(4)
    body = environ["wsgi.input"].read()
    answer = " ".join([environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], environ.get("HTTP_X_ASKED", "")])
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Answer", "yes")])
    return [answer.encode(), b"\n", body]
"#;

/// A site's folder with the application, registered.
struct Site {
    scratch: Scratch,
}

impl Site {
    fn new() -> Self {
        let site = Self {
            scratch: Scratch::new(),
        };
        let folder = site.folder();
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("blog.py"), APPLICATION).expect("written");
        let host = format!(
            r#"<configuration>
  <system.applicationHost><sites><site name="Blog" id="1">
    <application path="/"><virtualDirectory path="/" physicalPath="{folder}" /></application>
    <bindings><binding protocol="http" bindingInformation="*:8080:" /></bindings>
  </site></sites></system.applicationHost>
  <system.webServer><handlers accessPolicy="Read, Script" /></system.webServer>
</configuration>
"#
        );
        let config = site.scratch.path().join("applicationHost.config");
        fs::write(&config, host).expect("written");
        succeed(iiswsgi().args([
            "iis",
            "enable",
            "--config",
            config.as_str(),
            "--app",
            "blog:application",
            "--handler",
            "Blog",
            "--site-dir",
            folder.as_str(),
            "--set",
            "activityTimeout=60",
        ]));
        site
    }

    fn folder(&self) -> Utf8PathBuf {
        self.scratch.path().join("blog")
    }

    fn once(&self, arguments: &[&str]) -> (Output, String) {
        let root: &Utf8Path = self.scratch.path();
        let output = iiswsgi()
            .args(["dev", root.as_str(), "--once"])
            .args(arguments)
            .output()
            .expect("started");
        let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
        (output, text)
    }
}

#[track_caller]
fn has(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "`{expected}` is not in\n{text}");
    }
}

#[test]
fn the_answer_and_what_was_written_meanwhile_are_shown() {
    let site = Site::new();
    let (output, text) = site.once(&[
        "/page?a=b",
        "--header",
        "X-Asked: twice",
        "--body",
        "the body",
    ]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    has(
        &text,
        &[
            "200\n",
            "x-answer: yes\n",
            "POST /page a=b twice\nthe body\n",
            "  said on standard error\n",
            "said on wsgi.errors",
        ],
    );
}

#[test]
fn what_iis_calls_an_exit_is_told_apart() {
    let site = Site::new();
    for (path, expected) in [
        (
            "/raises",
            // The gateway answers itself, and the traceback is in the log alone.
            &["500\n", "ValueError: what the visitor must not see"][..],
        ),
        (
            "/exits",
            &[
                "502 The FastCGI process exited with status 3 before it answered\n",
                "IIS says only",
                "said on standard error\n",
            ],
        ),
        (
            "/breaks-off",
            &[
                "200\n",
                "the first half\n",
                "(the process ended before the body did)\n",
                "exited with status 4",
            ],
        ),
    ] {
        let (output, text) = site.once(&[path]);
        assert_eq!(output.status.code(), Some(1), "{path}: {output:?}");
        has(&text, expected);
        let (answer, _) = text.split_once(".log:\n").expect("a log");
        assert!(
            path != "/raises" || !answer.contains("ValueError"),
            "{answer}"
        );
    }
}

#[test]
fn a_module_that_is_missing_is_named() {
    let site = Site::new();
    fs::write(site.folder().join("broken"), "").expect("written");
    let (output, text) = site.once(&["/", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let logs = report["logs"].as_array().expect("logs");
    assert!(
        logs.iter().any(|log| {
            let text = log["text"].as_str().unwrap_or_default();
            text.contains("No module named 'a_module_that_is_not_installed'")
        }),
        "{report:#}"
    );
}
