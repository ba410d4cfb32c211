//! One application behind every Web server that speaks FastCGI: the same answers behind all of them.
//!
//! What a server cannot do, by what its own documentation says, is in the table [`EXCEPTIONS`] with the reason.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::time::Duration;

use fs_err as fs;
use iiswsgi_tests::site::{Site, agent, answer, listening};
use iiswsgi_tests::web_server::WebServer;
use iiswsgi_tests::{PATIENCE, Scratch, iiswsgi, root};
use sha1::{Digest as _, Sha1};

/// What is not checked behind a server, and why.
const EXCEPTIONS: [(WebServer, &str, &str); 1] = [(
    WebServer::ApacheProxy,
    "head length",
    "mod_proxy_fcgi reads the body of every answer, and Apache gives up the length of one that is empty",
)];

type Check = fn(&Site);

const CHECKS: [(&str, Check); 18] = [
    ("environ", the_environ_is_complete),
    ("path", the_path_is_what_the_client_asked_for),
    ("query", the_query_is_raw),
    ("headers in", headers_arrive_and_dangerous_ones_do_not),
    ("methods", methods_arrive),
    ("head", head_has_no_body),
    ("head length", head_has_the_length_of_the_body),
    ("headers out", status_and_repeated_headers_come_back),
    ("redirect", a_redirect_is_the_clients),
    ("latin", a_header_may_be_latin_1),
    ("body", bodies_of_every_size_arrive),
    ("chunked", a_body_without_a_length_arrives),
    ("many", many_small_blocks_arrive_in_order),
    ("fail", a_failure_says_nothing_of_the_application),
    ("fail late", a_failure_behind_the_headers_shows),
    ("events", events_arrive_one_by_one),
    ("together", requests_at_the_same_time_are_kept_apart),
    ("large", a_large_body_both_ways_costs_no_memory),
];

fn the_environ_is_complete(site: &Site) {
    let environ = site.strings("/some/page?a=b");
    for (name, value) in [
        ("REQUEST_METHOD", "GET"),
        ("SCRIPT_NAME", ""),
        ("PATH_INFO", "/some/page"),
        ("QUERY_STRING", "a=b"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("wsgi.url_scheme", "http"),
    ] {
        assert_eq!(environ.get(name).map(String::as_str), Some(value), "{name}");
    }
    let (host, port) = site.address.split_once(':').expect("a port");
    assert_eq!(environ["SERVER_PORT"], port);
    // Debian's nginx sends $host, which has no port.
    assert!([host, &site.address].contains(&&*environ["HTTP_HOST"]));
    assert!(!environ["SERVER_NAME"].is_empty());
    for absent in ["HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "REMOTE_USER"] {
        assert!(!environ.contains_key(absent), "{absent}");
    }
}

/// What an octet string looks like in an environ.
fn latin_1(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

fn the_path_is_what_the_client_asked_for(site: &Site) {
    for (target, path) in [
        ("/", "/"),
        ("/caf%C3%A9/%E6%97%A5", "/café/日"),
        ("/with%20blank", "/with blank"),
        ("/a%2Fb/c", "/a/b/c"),
        ("/double//slash", "/double//slash"),
        ("/per%25cent", "/per%cent"),
        ("/plus+sign", "/plus+sign"),
        ("/semi;colon=1", "/semi;colon=1"),
        ("/end/", "/end/"),
    ] {
        let environ = site.strings(target);
        let found = format!("{}{}", environ["SCRIPT_NAME"], environ["PATH_INFO"]);
        assert_eq!(found, latin_1(path), "{target}");
        assert_eq!(environ["SCRIPT_NAME"], "", "{target}");
    }
}

fn the_query_is_raw(site: &Site) {
    for query in ["", "a=%2F&b=%C3%A9", "a+b", "x=1&x=2", "a=b?c/d"] {
        let environ = site.strings(&format!("/?{query}"));
        assert_eq!(environ["QUERY_STRING"], query);
    }
}

fn headers_arrive_and_dangerous_ones_do_not(site: &Site) {
    let request = agent()
        .get(site.url("/"))
        .header("X-Custom", "value")
        .header("Cookie", "a=1; b=2")
        .header("Proxy", "http://evil.example");
    let environ: BTreeMap<String, String> =
        serde_json::from_slice(&answer(request.call()).body).expect("JSON");
    assert_eq!(environ["HTTP_X_CUSTOM"], "value");
    assert_eq!(environ["HTTP_COOKIE"], "a=1; b=2");
    assert!(!environ.contains_key("HTTP_PROXY"));
}

fn methods_arrive(site: &Site) {
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(site.url("/page"))
            .body("")
            .expect("a request");
        let agent = agent();
        let answer = answer(agent.run(request));
        let environ: BTreeMap<String, String> = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| panic!("{method}: {} {}", answer.status, answer.text()));
        assert_eq!(environ["REQUEST_METHOD"], method);
    }
}

fn head_has_no_body(site: &Site) {
    let answer = answer(agent().head(site.url("/download?1000")).call());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, b"");
    assert_eq!(site.get("/download?10").body, b"dddddddddd");
}

fn head_has_the_length_of_the_body(site: &Site) {
    let answer = answer(agent().head(site.url("/download?1000")).call());
    assert_eq!(answer.values("Content-Length"), ["1000"]);
}

fn status_and_repeated_headers_come_back(site: &Site) {
    let answer = site.get("/cookies");
    assert_eq!(answer.status, 201);
    assert_eq!(answer.values("Set-Cookie"), ["a=1; Path=/", "b=2; Path=/"]);
    assert_eq!(answer.text(), "made");
}

fn a_redirect_is_the_clients(site: &Site) {
    for (query, status) in [
        ("", 302),
        ("?301+Moved+Permanently", 301),
        ("?303+See+Other", 303),
        ("?307+Temporary+Redirect", 307),
        ("?308+Permanent+Redirect", 308),
        ("?201+Created", 201),
    ] {
        let answer = site.get(&format!("/redirect{query}"));
        assert_eq!(answer.status, status);
        let expected = ["https://example.org/elsewhere?a=b"];
        assert_eq!(answer.values("Location"), expected, "{status}");
    }
}

fn a_header_may_be_latin_1(site: &Site) {
    assert_eq!(site.get("/latin").values("X-Name"), ["Jürgen"]);
}

fn bodies_of_every_size_arrive(site: &Site) {
    for len in [0, 1, 8192, 65_535, 65_536, 1_000_003] {
        let body: Vec<u8> = (0..len)
            .map(|n| u8::try_from(n % 251).expect("below 251"))
            .collect();
        let answer = site.post("/digest", &body);
        assert_eq!(answer.text(), digest(&body), "{len} octets");
    }
    assert_eq!(site.post("/lines", b"one\ntwo\nthree").text(), "3");
}

/// What `/digest` answers.
fn digest(body: &[u8]) -> String {
    let hex: String = Sha1::digest(body)
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    format!("{} {hex}", body.len())
}

fn a_body_without_a_length_arrives(site: &Site) {
    let mut stream = TcpStream::connect(&site.address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let head = format!(
        "POST /digest HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        site.address
    );
    stream.write_all(head.as_bytes()).expect("a request");
    for piece in ["5\r\nhello\r\n", "7\r\n, world\r\n", "0\r\n\r\n"] {
        stream.write_all(piece.as_bytes()).expect("a chunk");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains(&digest(b"hello, world")), "{answer}");
}

fn many_small_blocks_arrive_in_order(site: &Site) {
    let expected: String = (0..1000).map(|number| format!("{number:04}\n")).collect();
    assert_eq!(site.get("/many").text(), expected);
}

fn a_failure_says_nothing_of_the_application(site: &Site) {
    let answer = site.get("/fail");
    assert_eq!(answer.status, 500);
    let text = answer.text();
    assert!(text.contains("500 Internal Server Error"), "{text}");
    assert!(
        !text.contains("secret") && !text.contains("Traceback"),
        "{text}"
    );
    assert_eq!(answer.values("X-Request-ID").len(), 1);
}

fn a_failure_behind_the_headers_shows(site: &Site) {
    let answer = site.get("/fail-late");
    assert!(!answer.text().contains("secret"));
    // The next one is served as if nothing had been.
    assert_eq!(site.get("/cookies").status, 201);
}

fn events_arrive_one_by_one(site: &Site) {
    let mut stream = TcpStream::connect(&site.address).expect("a connection");
    let patience = Duration::from_secs(20);
    stream.set_read_timeout(Some(patience)).expect("a timeout");
    let request = format!(
        "GET /events?{} HTTP/1.1\r\nHost: {}\r\n\r\n",
        site.folder, site.address
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let mut seen = String::new();
    for number in 0..5 {
        let event = format!("data: {number}\n\n");
        while !seen.contains(&event) {
            let mut buffer = [0; 4096];
            let len = stream
                .read(&mut buffer)
                .unwrap_or_else(|error| panic!("event {number}: {error}; so far: {seen}"));
            assert_ne!(len, 0, "event {number} did not come; so far: {seen}");
            seen.push_str(&String::from_utf8_lossy(&buffer[..len]));
        }
        // The application makes the next one only now.
        fs::write(site.folder.join((number + 1).to_string()), "").expect("a file");
    }
}

fn requests_at_the_same_time_are_kept_apart(site: &Site) {
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for number in 0..20 {
                    let query = format!("{thread}-{number}");
                    let environ = site.strings(&format!("/page?{query}"));
                    assert_eq!(environ["QUERY_STRING"], query);
                }
            });
        }
    });
}

fn a_large_body_both_ways_costs_no_memory(site: &Site) {
    const LEN: usize = 100_000_000;
    let memory = || site.gateway().map_or(0, memory_kib);
    let before = memory();
    let body = vec![b'u'; LEN];
    let expected = digest(&body);
    assert_eq!(site.post("/digest", &body).text(), expected);
    drop(body);
    let mut response = agent()
        .get(site.url(&format!("/download?{LEN}")))
        .call()
        .expect("an answer");
    let mut reader = response.body_mut().with_config().limit(u64::MAX).reader();
    let (mut len, mut buffer) = (0, vec![0; 65_536]);
    loop {
        match reader.read(&mut buffer).expect("a body") {
            0 => break,
            read => len += read,
        }
    }
    assert_eq!(len, LEN);
    let grown = memory().saturating_sub(before);
    assert!(grown < 8 * 1024, "the gateway has grown by {grown} KiB");
}

/// The most memory that a process has had at once.
fn memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("a size")
}

/// `iiswsgi serve` with the application, and the options that all have in common.
fn gateway() -> Command {
    let mut command = iiswsgi();
    let folder = root().join("tests/applications");
    command
        .args(["serve", "probe:application", "--threads", "4"])
        .args(["--chdir", folder.as_str()]);
    command
}

fn run(web_server: WebServer) {
    let site = Site::start(web_server, gateway());
    let (mut failed, mut notes) = (Vec::new(), Vec::new());
    for (name, check) in CHECKS {
        let mut exceptions = EXCEPTIONS.iter();
        let exception =
            exceptions.find(|(server, check, _)| *server == site.web_server && *check == name);
        if let Some((_, _, reason)) = exception {
            notes.push(format!("{name} is not checked: {reason}"));
        } else if catch_unwind(AssertUnwindSafe(|| check(&site))).is_err() {
            failed.push(name);
        }
    }
    assert!(
        failed.is_empty(),
        "behind {web_server:?}: {failed:?}, {notes:?}\n{}",
        site.logs()
    );
    site.stop();
}

/// The development kit's bridge from CGI, which any Web server can start.
#[test]
fn cgi_fcgi() {
    let scratch = Scratch::new();
    let (gateway, socket) = listening(scratch.path(), gateway());
    let body = b"one\ntwo\n";
    let mut bridge = Command::new("cgi-fcgi")
        .args(["-bind", "-connect", socket.as_str()])
        .env_clear()
        .env("REQUEST_METHOD", "POST")
        .env("SCRIPT_NAME", "")
        .env("PATH_INFO", "/digest")
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cgi-fcgi is installed");
    let mut input = bridge.stdin.take().expect("standard input");
    input.write_all(body).expect("a body");
    drop(input);
    let output = bridge.wait_with_output().expect("an answer");
    let answer = String::from_utf8(output.stdout).expect("text");
    assert!(answer.starts_with("Status: 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(&digest(body)), "{answer}");
    assert!(output.status.success());
    gateway.stop();
}

#[test]
fn nginx() {
    run(WebServer::Nginx);
}

#[test]
fn apache_with_mod_proxy_fcgi() {
    run(WebServer::ApacheProxy);
}

#[test]
fn apache_with_mod_fcgid() {
    run(WebServer::ApacheFcgid);
}

#[test]
fn lighttpd() {
    run(WebServer::Lighttpd);
}

#[test]
fn lighttpd_that_starts_the_gateway() {
    run(WebServer::LighttpdSpawn);
}

#[test]
fn haproxy() {
    run(WebServer::Haproxy);
}

#[test]
fn caddy() {
    run(WebServer::Caddy);
}
