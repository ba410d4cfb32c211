//! Requests and responses.

use std::io::Write as _;

use iis_config::{FastCgiApplication, StderrMode};

use crate::client::{Client, get, request};
use crate::site::{Folder, Gate, Served, echo_application};

#[test]
fn an_answer_comes_with_status_reason_and_headers() {
    let site = Served::echo();
    let response = get(site.address, "/status?418%20Short%20and%20stout");
    assert_eq!(
        response.status,
        502,
        "an encoded blank is no blank: {}",
        response.text()
    );
    let response = request(
        site.address,
        "POST",
        "/raw",
        "",
        b"Status: 418 Short and stout\nX-A: 1\n\nbody",
    );
    assert_eq!(
        (response.status, response.reason.as_str()),
        (418, "Short and stout")
    );
    assert_eq!(response.header("x-a"), Some("1"));
    assert!(
        response
            .header("server")
            .unwrap()
            .starts_with("iiswsgi-dev/")
    );
    assert_eq!(response.body, b"body");
    assert!(response.complete);
}

#[test]
fn a_location_alone_redirects() {
    let site = Served::echo();
    let response = request(
        site.address,
        "POST",
        "/raw",
        "",
        b"Location: http://example.com/\r\n\r\n",
    );
    assert_eq!(
        (response.status, response.header("location")),
        (302, Some("http://example.com/"))
    );
}

#[test]
fn the_application_gets_what_iis_sends() {
    let site = Served::echo();
    let target = "/caf%C3%A9%20x/params?q=%C3%A9&a=b+c";
    let text = get(site.address, target).text();
    let line = |expected: &str| {
        assert!(
            text.lines().any(|line| line == expected),
            "no `{expected}` in:\n{text}"
        );
    };
    line("SCRIPT_NAME=/café x/params");
    line("PATH_INFO=/café x/params");
    line("QUERY_STRING=q=%C3%A9&a=b+c");
    line(&format!("REQUEST_URI={target}"));
    line("CONTENT_LENGTH=0");
    line("REQUEST_METHOD=GET");
    line("SERVER_PROTOCOL=HTTP/1.1");
    line("SERVER_NAME=localhost");
    line(&format!("SERVER_PORT={}", site.address.port()));
    line("APPL_MD_PATH=/LM/W3SVC/1/ROOT");
    line(&format!("APPL_PHYSICAL_PATH={}/app/", site.folder.root));
    line(&format!(
        "SCRIPT_FILENAME={}/app/café x/params",
        site.folder.root
    ));
}

#[test]
fn octets_that_are_not_utf8_reach_the_application() {
    let site = Served::echo();
    let response = get(site.address, "/%FF%FE/params?%FF");
    let octets = response.body;
    let expected: &[u8] = b"PATH_INFO=/\xff\xfe/params\n";
    assert!(
        octets
            .windows(expected.len())
            .any(|window| window == expected)
    );
    let expected: &[u8] = b"QUERY_STRING=%FF\n";
    assert!(
        octets
            .windows(expected.len())
            .any(|window| window == expected)
    );
}

#[test]
fn ten_megabytes_pass_in_both_directions() {
    let site = Served::echo();
    let body: Vec<u8> = (0..10_000_000_u32).map(|i| (i % 251) as u8).collect();
    let response = request(
        site.address,
        "POST",
        "/echo",
        "Content-Type: x/y\r\n",
        &body,
    );
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("x/y"));
    assert!(response.complete);
    assert!(
        response.body == body,
        "{} octets came back",
        response.body.len()
    );
    let response = get(site.address, "/bytes?10000000");
    assert!(response.complete);
    assert_eq!(response.body.len(), 10_000_000);
}

#[test]
fn a_chunked_body_is_given_a_length() {
    let site = Served::echo();
    let mut client = Client::connect(site.address);
    client.send("POST /params HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
    let text = client.response(false).text();
    assert!(text.contains("CONTENT_LENGTH=11\n"), "{text}");
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
    assert_eq!(client.response(false).text(), "hello world");
}

#[test]
fn a_connection_serves_several_requests() {
    let site = Served::echo();
    let mut client = Client::connect(site.address);
    let mut pids = Vec::new();
    for _ in 0..3 {
        client.send("GET /pid HTTP/1.1\r\nHost: h\r\n\r\n");
        pids.push(client.response(false).text());
    }
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
}

#[test]
fn head_has_the_headers_and_no_body() {
    let site = Served::echo();
    let mut client = Client::connect(site.address);
    client.send("HEAD /bytes?12345 HTTP/1.1\r\nHost: h\r\n\r\n");
    let response = client.response(true);
    assert_eq!(
        (response.status, response.header("content-length")),
        (200, Some("12345"))
    );
    client.send("GET /pid HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(
        client.response(false).status,
        200,
        "the process and the connection live on"
    );
}

#[test]
fn a_response_is_passed_on_as_it_comes() {
    let site = Served::echo();
    let gate = Gate::new();
    let mut client = Client::connect(site.address);
    client.send(format!(
        "GET /until-abort?{} HTTP/1.1\r\nHost: h\r\n\r\n",
        gate.address()
    ));
    while !client.line().is_empty() {}
    assert_eq!(
        client.line(),
        "6",
        "the first chunk is here while the application goes on"
    );
    assert_eq!(client.line(), "begun");
    // The client leaves; the application is told.
    drop(client);
    assert_eq!(gate.arrival().report, "aborted");
    assert_eq!(get(site.address, "/pid").status, 200);
}

#[test]
fn a_client_that_leaves_before_the_answer_does_not_cost_a_process() {
    let site = Served::with(|application| application.max_instances = 1);
    let gate = Gate::new();
    let mut client = Client::connect(site.address);
    client.send(format!(
        "GET /wait?{} HTTP/1.1\r\nHost: h\r\n\r\n",
        gate.address()
    ));
    let waiting = gate.arrival();
    drop(client);
    let pid = waiting.report.clone();
    waiting.open("go on");
    assert_eq!(get(site.address, "/pid").text(), pid);
}

#[test]
fn a_client_that_leaves_in_its_request_does_not_cost_a_process() {
    let site = Served::with(|application| application.max_instances = 1);
    let pid = get(site.address, "/pid").text();
    let mut client = Client::connect(site.address);
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nfirst");
    while !client.line().is_empty() {}
    assert_eq!(client.line(), "5");
    drop(client);
    assert_eq!(get(site.address, "/pid").text(), pid);
}

#[test]
fn faults_in_the_head_are_explained() {
    let site = Served::echo();
    let table = [
        ("no header\n\nbody", "has no colon"),
        ("HTTP/1.1 200 OK\r\nX: 1\r\n\r\n", "HTTP status line"),
        ("Status: none\n\n", "is not a number"),
        ("Content-Type: text/plain\n", "before the blank line"),
    ];
    for (octets, expected) in table {
        let response = request(site.address, "POST", "/raw", "", octets.as_bytes());
        let text = response.text();
        assert_eq!(response.status, 502, "{octets}");
        assert!(text.contains(expected), "{octets}: {text}");
        assert!(text.contains("not a CGI response") && text.contains("<!DOCTYPE html>"));
    }
    assert_eq!(get(site.address, "/pid").status, 200);
}

#[test]
fn a_page_is_json_for_who_asks_for_it() {
    let site = Served::echo();
    let accept = "Accept: application/json\r\n";
    let response = request(site.address, "POST", "/raw", accept, b"no header\n\n");
    assert_eq!(response.header("content-type"), Some("application/json"));
    let value: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(value["status"], 502);
    assert_eq!(
        value["title"],
        "The application's answer is not a CGI response"
    );
}

#[test]
fn what_is_not_fastcgi_is_told_apart() {
    let site = Served::echo();
    let response = get(site.address, "/garbage");
    assert_eq!(response.status, 502);
    assert!(
        response.text().contains("is not FastCGI"),
        "{}",
        response.text()
    );
}

#[test]
fn a_response_that_breaks_off_is_not_made_whole() {
    let site = Served::echo();
    let response = get(site.address, "/half");
    assert_eq!(response.status, 200);
    assert!(!response.complete);
    assert_eq!(response.text(), "half of it");
}

#[test]
fn the_error_stream_does_what_stderr_mode_says() {
    let answer = |mode: StderrMode| {
        let site = Served::with(|application| application.stderr_mode = mode);
        let response = get(site.address, "/error");
        assert!(
            site.folder.logs().contains("it went wrong"),
            "{mode:?}: not in the log"
        );
        (response.status, response.text())
    };
    let (status, text) = answer(StderrMode::ReturnStdErrIn500);
    assert_eq!(status, 500);
    assert!(text.contains("<pre>it went wrong</pre>"), "{text}");
    let (status, text) = answer(StderrMode::ReturnGeneric500);
    assert_eq!(status, 500);
    assert!(text.contains("IIS would not show the text"), "{text}");
    assert_eq!(
        answer(StderrMode::IgnoreAndReturn200),
        (200, "but here is an answer".to_owned())
    );
    let (status, text) = answer(StderrMode::TerminateProcess);
    assert_eq!(status, 500);
    assert!(text.contains("TerminateProcess"), "{text}");
}

#[test]
fn a_body_beyond_the_limit_is_refused_before_the_application_sees_it() {
    let site = Served::echo();
    let mut client = Client::connect(site.address);
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 30000001\r\n\r\n");
    let response = client.response(false);
    assert_eq!(response.status, 413);
    assert!(response.text().contains("404.13"));
    let mut client = Client::connect(site.address);
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut writer = client.writer();
    let writing = std::thread::spawn(move || {
        let chunk = [b"186a0\r\n".as_slice(), &[b'x'; 100_000], b"\r\n"].concat();
        // The server stops reading at the limit.
        for _ in 0..301 {
            if writer.write_all(&chunk).is_err() {
                return;
            }
        }
    });
    assert_eq!(client.response(false).status, 413);
    drop(client);
    writing.join().unwrap();
}

#[test]
fn sub_applications_are_told_where_they_are() {
    let mut folder = Folder::new();
    let application = echo_application();
    folder.register(&application);
    folder.mount("/shop", "shop folder");
    folder.web_config("shop folder", &application);
    let site = Served::folder(folder);
    let text = get(site.address, "/SHOP/x/params").text();
    for expected in [
        "SCRIPT_NAME=/SHOP/x/params".to_owned(),
        "PATH_INFO=/SHOP/x/params".to_owned(),
        "APPL_MD_PATH=/LM/W3SVC/1/ROOT/shop".to_owned(),
        format!("APPL_PHYSICAL_PATH={}/shop folder/", site.folder.root),
        format!("PATH_TRANSLATED={}/shop folder/x/params", site.folder.root),
        format!("DOCUMENT_ROOT={}/app", site.folder.root),
    ] {
        assert!(
            text.lines().any(|line| line == expected),
            "no `{expected}` in:\n{text}"
        );
    }
    assert_eq!(
        get(site.address, "/shopping").status,
        404,
        "segments count as a whole"
    );
}

#[test]
fn a_handler_without_an_application_is_compared_with_those_there_are() {
    let mut folder = Folder::new();
    let registered = FastCgiApplication::new("/opt/python/bin/python", "-m iiswsgi");
    folder.register(&registered);
    folder.web_config(
        "app",
        &FastCgiApplication::new("/opt/Python/bin/python", "-m iiswsgi"),
    );
    let configuration = folder.load();
    let warning = configuration.warnings[0].to_string();
    assert!(
        warning.contains("web.config:2:") && warning.contains("iis-handler-unregistered"),
        "{warning}"
    );
    let site = Served::start(folder, configuration);
    let response = get(site.address, "/");
    let text = response.text();
    assert_eq!(response.status, 500);
    assert!(
        text.contains("differs only in the case of letters"),
        "{text}"
    );
    assert!(text.contains("0x80070585"), "{text}");
}

#[test]
fn request_filtering_comes_before_the_application() {
    let site = Served::echo();
    for (target, expected) in [
        ("/bin/echo", "404.8"),
        ("/web.config", "404.8"),
        ("/x.config", "404.7"),
        ("/a+b", "404.11"),
        ("/%2541", "404.11"),
    ] {
        let response = get(site.address, target);
        assert_eq!(response.status, 404, "{target}");
        assert!(
            response.text().contains(expected),
            "{target}: {}",
            response.text()
        );
    }
    for target in ["/../x", "/%2e%2e/x", "/a%00b"] {
        assert_eq!(get(site.address, target).status, 400, "{target}");
    }
}

#[test]
fn a_body_is_asked_for_when_it_is_wanted() {
    let site = Served::echo();
    let mut client = Client::connect(site.address);
    client.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(client.line(), "HTTP/1.1 100 Continue");
    assert_eq!(client.line(), "");
    client.send("hello");
    assert_eq!(client.response(false).text(), "hello");
}

#[test]
fn a_page_arrives_although_the_body_was_not_read() {
    let site = Served::echo();
    let response = request(site.address, "POST", "/exit?9", "", &vec![b'x'; 5_000_000]);
    assert_eq!(response.status, 502);
    assert!(
        response.text().contains("exited with status 9"),
        "{}",
        response.text()
    );
}
