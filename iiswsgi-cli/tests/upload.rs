//! `iiswsgi upload` against servers that do what servers should not.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;

use camino::Utf8PathBuf;
use fs_err as fs;

const PASSWORD: &str = "pypi-never-shown";

/// What is done with one request.
#[derive(Clone)]
enum Reply {
    Status(&'static str, String),
    /// The connection ends without an answer.
    Cut,
}

/// A request as it came.
struct Request {
    line: String,
    headers: String,
    body: Vec<u8>,
}

fn ok(body: impl Into<String>) -> Reply {
    Reply::Status("200 OK", body.into())
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let (mut headers, mut len) = (String::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if header.trim().is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            len = value.trim().parse().unwrap();
        }
        headers.push_str(&header);
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body).unwrap();
    Request {
        line: line.trim().to_owned(),
        headers,
        body,
    }
}

/// Uploads a package to a server that gives these replies, one after the other, and returns what the server was asked.
fn upload(options: &[&str], replies: Vec<Reply>) -> (Output, Vec<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let mut requests = Vec::new();
        for reply in replies {
            let (mut stream, _) = listener.accept().unwrap();
            requests.push(read(&stream));
            if let Reply::Status(status, body) = reply {
                let len = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}"
                )
                .unwrap();
            }
            let _ = stream.shutdown(Shutdown::Both);
        }
        requests
    });
    let folder = tempfile::tempdir().unwrap();
    let path =
        Utf8PathBuf::from_path_buf(folder.path().join("guest-book-1.2.msdeploy.zip")).unwrap();
    fs::write(&path, EMPTY_ZIP).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_iiswsgi"))
        .args(["upload", path.as_str(), "-v", "--repository"])
        .arg(format!("http://jim:{PASSWORD}@127.0.0.1:{port}/up"))
        .args(options)
        .env("HOME", folder.path())
        .env("USERPROFILE", folder.path())
        .env("NO_COLOR", "1")
        .env_remove("TWINE_PASSWORD")
        .env_remove("TWINE_USERNAME")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        assert!(!text.contains(PASSWORD), "{text}");
        assert!(!text.contains("amltOn"), "the Authorization field: {text}");
    }
    (output, server.join().unwrap())
}

const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/// Its SHA-256.
const SHA256: &str = "8739c76e681f900923b900c9df0ef75cf421d39cabb54650c4b9ad19b6a76d85";

fn page(sha256: &str) -> Reply {
    ok(format!(
        "<a href=\"/files/guest-book-1.2.msdeploy.zip#sha256={sha256}\">x</a>"
    ))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_form_is_sent_and_what_arrived_is_checked() {
    let (output, requests) = upload(&["--format", "json"], vec![ok(""), page(SHA256)]);
    assert!(output.status.success(), "{}", said(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["files"][0]["outcome"], "uploaded");
    assert_eq!(report["files"][0]["checked"], true);
    assert_eq!(report["files"][0]["sha256"], SHA256);
    assert_eq!(requests[0].line, "POST /up/ HTTP/1.1");
    assert!(
        requests[0].headers.contains("Basic amltOn"),
        "{}",
        requests[0].headers
    );
    let body = String::from_utf8_lossy(&requests[0].body);
    for field in [
        "name=\":action\"\r\n\r\nfile_upload\r\n",
        "name=\"name\"\r\n\r\nguest-book\r\n",
        "name=\"version\"\r\n\r\n1.2\r\n",
        "name=\"filetype\"\r\n\r\nbdist_dumb\r\n",
        "name=\"content\"; filename=\"guest-book-1.2.msdeploy.zip\"",
    ] {
        assert!(body.contains(field), "{field} in {body}");
    }
    assert!(body.contains(&format!("name=\"sha256_digest\"\r\n\r\n{SHA256}\r\n")));
    assert_eq!(requests[1].line, "GET /up/simple/guest-book/ HTTP/1.1");
}

#[test]
fn broken_connections_and_server_errors_are_tried_again() {
    let busy = Reply::Status("503 Service Unavailable", "busy".to_owned());
    let too_many = Reply::Status("429 Too Many Requests\r\nRetry-After: 0", String::new());
    let (output, requests) = upload(&[], vec![busy, Reply::Cut, too_many, ok(""), page(SHA256)]);
    let message = said(&output);
    assert!(output.status.success(), "{message}");
    assert_eq!(requests.len(), 5);
    assert!(
        requests
            .iter()
            .take(4)
            .all(|request| request.body == requests[0].body),
        "each time from the beginning"
    );
    assert!(
        message.contains("503 Service Unavailable: busy; trying again in 0.5 s"),
        "{message}"
    );
    assert!(message.contains("trying again in 1 s"), "{message}");
    assert!(
        message.contains("429 Too Many Requests; trying again in 0 s"),
        "{message}"
    );
}

#[test]
fn no_more_often_than_is_asked_for() {
    let failing = Reply::Status("500 Internal Server Error", String::new());
    let (output, requests) = upload(&["--retries", "1"], vec![failing.clone(), failing]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(requests.len(), 2);
    assert!(said(&output).contains("cannot upload"), "{}", said(&output));
}

#[test]
fn what_is_refused_is_not_tried_again() {
    for (status, help) in [
        ("401 Unauthorized", "TWINE_PASSWORD"),
        ("403 Forbidden", "TWINE_PASSWORD"),
        ("404 Not Found", "--method put"),
        ("308 Permanent Redirect", "forwarded"),
    ] {
        // A server that shows what it was sent.
        let refusal = Reply::Status(status, format!("<p>\nnot with {PASSWORD}\n"));
        let none = Reply::Status("404 Not Found", String::new());
        let (output, requests) = upload(&[], vec![refusal, none.clone(), none]);
        let message = said(&output);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert_eq!(
            requests
                .iter()
                .filter(|request| request.line.starts_with("POST"))
                .count(),
            1
        );
        assert!(
            message.contains(&format!("{status}: not with ***")),
            "{message}"
        );
        assert!(message.contains(help), "{message}");
    }
}

#[test]
fn another_digest_is_an_error_and_the_same_file_is_none() {
    let other = SHA256.replace('8', "0");
    let (output, _) = upload(&[], vec![ok(""), page(&other)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("has not arrived as it is"),
        "{}",
        said(&output)
    );

    let conflict = Reply::Status("409 Conflict", "it exists".to_owned());
    let (output, _) = upload(&[], vec![conflict.clone(), page(SHA256)]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("the same file was there already"));

    let (output, _) = upload(&[], vec![conflict, page(&other)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("another version"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_check_that_is_not_possible_is_told() {
    let none = Reply::Status("404 Not Found", String::new());
    let replies = vec![ok(""), none.clone(), none];
    let (output, _) = upload(&[], replies.clone());
    assert!(
        output.status.success() && said(&output).contains("--check-url"),
        "{}",
        said(&output)
    );
    let (output, _) = upload(&["--strict"], replies);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}

#[test]
fn a_file_share_gets_the_file_itself() {
    let contents = String::from_utf8_lossy(EMPTY_ZIP).into_owned();
    let created = Reply::Status("201 Created", String::new());
    let (output, requests) = upload(&["--method", "put"], vec![created.clone(), ok(contents)]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        requests[0].line,
        "PUT /up/guest-book-1.2.msdeploy.zip HTTP/1.1"
    );
    assert_eq!(requests[0].body, EMPTY_ZIP);
    assert_eq!(
        requests[1].line,
        "GET /up/guest-book-1.2.msdeploy.zip HTTP/1.1"
    );
    let (output, _) = upload(&["--method", "put"], vec![created, ok("half")]);
    assert!(
        said(&output).contains("has not arrived as it is"),
        "{}",
        said(&output)
    );
}
