//! What a server shows of itself, and what it does with requests and connections that take too long.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod running;
mod web_server;

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use camino::Utf8PathBuf;
use fcgi_gateway::log::{LogFile, Rotation};
use fcgi_gateway::{
    AccessLog, AccessLogFormat, Error, Limits, Pages, Request, Response, Retire, Scoreboard,
    ServerOptions, Shutdown, WorkerState,
};
use running::{echo, ok, options, with_options, with_server};
use web_server::Client;

fn defaults(threads: usize) -> ServerOptions {
    options(threads, Limits::default(), &Shutdown::new().unwrap())
}

/// Reads a connection to its end.
fn at_end(client: &mut Client<running::Stream>) -> bool {
    let mut rest = Vec::new();
    client
        .stream
        .read_to_end(&mut rest)
        .is_ok_and(|_| rest.is_empty())
}

#[test]
fn a_head_that_does_not_come_costs_its_connection_and_no_other() {
    let mut limits = Limits::default();
    limits.header_timeout = Some(Duration::from_millis(30));
    for threads in [1, 3] {
        with_server(threads, limits, echo, |connect, _| {
            let mut kept = connect();
            assert_eq!(kept.request(true, &[], b"1").body, b"1");
            let mut silent = connect();
            let mut slow = connect();
            let octets = slow.encode(true, &[("A", "b")], b"");
            for octet in &octets[..20] {
                slow.stream.write_all(std::slice::from_ref(octet)).unwrap();
            }
            assert!(at_end(&mut slow));
            // Those that have not begun a request have all time.
            assert_eq!(kept.request(true, &[], b"2").body, b"2");
            assert_eq!(silent.request(true, &[], b"3").body, b"3");
        });
    }
}

#[test]
fn idle_connections_are_closed_where_that_is_wished() {
    let mut limits = Limits::default();
    limits.idle_timeout = Some(Duration::from_millis(30));
    for threads in [1, 3] {
        with_server(threads, limits, echo, |connect, _| {
            let mut client = connect();
            for _ in 0..3 {
                assert_eq!(client.request(true, &[], b"x").body, b"x");
            }
            assert!(at_end(&mut client));
        });
    }
}

#[test]
fn a_full_queue_says_so_at_once() {
    let mut options = defaults(2);
    options.limits.queue = Some(1);
    let (started, go) = (Barrier::new(3), Barrier::new(3));
    let application = |request: &mut Request<'_>, response: &mut Response| {
        if request.param("PATH_INFO") == Some(b"/busy") {
            started.wait();
            go.wait();
        }
        echo(request, response)
    };
    let board = Arc::new(Scoreboard::private());
    options.scoreboard = Arc::clone(&board);
    with_options(options, application, |connect, _| {
        let busy = [("PATH_INFO", "/busy")];
        let (mut one, mut two) = (connect(), connect());
        one.send(true, &busy, b"1");
        two.send(true, &busy, b"2");
        started.wait();
        // Both threads are busy: one request waits, as connections are accepted and read in their order.
        let mut waiting = connect();
        waiting.send(true, &[], b"waited");
        let mut refused = connect();
        let mut answer = connect().request(true, &[], b"");
        assert_eq!(answer.head_line("Status"), Some("503 Service Unavailable"));
        assert_eq!(answer.head_line("Retry-After"), Some("1"));
        // On a connection that is kept the same happens again, and a long body does not destroy the answer.
        for keep_conn in [true, false] {
            answer = refused.request(keep_conn, &[], &vec![b'x'; 2_000_000]);
            assert_eq!(answer.head_line("Status"), Some("503 Service Unavailable"));
        }
        assert!(at_end(&mut refused));
        go.wait();
        assert_eq!(one.receive().body, b"1");
        assert_eq!(two.receive().body, b"2");
        assert_eq!(waiting.receive().body, b"waited");
        assert_eq!(one.request(true, &[], b"free again").body, b"free again");
    });
    let found = board.own().read();
    assert_eq!((found.requests, found.errors, found.in_flight), (7, 3, 0));
    assert_eq!(found.state, WorkerState::Free);
}

#[test]
fn a_queue_serves_like_no_queue() {
    let mut options = defaults(3);
    options.limits.queue = Some(1000);
    with_options(options, echo, |connect, shutdown| {
        std::thread::scope(|scope| {
            for number in 0..6_u8 {
                scope.spawn(move || {
                    let mut client = connect();
                    for round in 0..50_u8 {
                        let body = vec![number ^ round; 40_000];
                        assert_eq!(client.request(true, &[], &body).body, body);
                    }
                    assert_eq!(connect().request(false, &[], b"x").body, b"x");
                });
            }
        });
        let mut idle = connect();
        assert_eq!(idle.request(true, &[], b"x").body, b"x");
        shutdown.request();
        assert!(at_end(&mut idle));
    });
}

#[test]
fn a_request_that_has_arrived_is_answered_at_the_end() {
    let (started, go) = (Barrier::new(2), Barrier::new(2));
    let application = |request: &mut Request<'_>, response: &mut Response| {
        if request.param("PATH_INFO") == Some(b"/busy") {
            started.wait();
            go.wait();
        }
        echo(request, response)
    };
    with_options(defaults(1), application, |connect, shutdown| {
        let (mut kept, mut busy) = (connect(), connect());
        assert_eq!(kept.request(true, &[], b"x").body, b"x");
        busy.send(true, &[("PATH_INFO", "/busy")], b"busy");
        started.wait();
        kept.send(true, &[], b"just in time");
        shutdown.request();
        go.wait();
        assert_eq!(busy.receive().body, b"busy");
        assert_eq!(kept.receive().body, b"just in time");
        assert!(at_end(&mut kept));
    });
}

static ENDED_WITH: AtomicU8 = AtomicU8::new(0);

#[test]
fn what_takes_too_long_is_answered_and_ends_the_process() {
    let mut options = defaults(3);
    options.watch.request_timeout = Some(Duration::from_millis(50));
    options.watch.end = |status| ENDED_WITH.store(status, Ordering::SeqCst);
    let board = Arc::new(Scoreboard::private());
    options.scoreboard = Arc::clone(&board);
    let (go, hang) = mpsc::channel::<()>();
    let hang = std::sync::Mutex::new(hang);
    let lasts = Barrier::new(2);
    let application = |request: &mut Request<'_>, response: &mut Response| {
        match request.param("PATH_INFO") {
            Some(b"/hang") => {
                hang.lock().unwrap().recv().unwrap();
                response.start(ok())?;
                let late = response.write_last(&[b"late"]);
                assert!(late.as_ref().is_err_and(Error::is_disconnected));
                return late;
            }
            Some(b"/begun") => {
                response.start(ok())?;
                response.write(b"begun")?;
                lasts.wait();
                return Ok(());
            }
            _ => {}
        }
        echo(request, response)
    };
    with_options(options, application, |connect, _| {
        let (mut hanging, mut begun) = (connect(), connect());
        hanging.send(true, &[("PATH_INFO", "/hang")], b"");
        begun.send(true, &[("PATH_INFO", "/begun")], b"");
        let answer = hanging.receive();
        assert_eq!(answer.head_line("Status"), Some("504 Gateway Timeout"));
        assert_eq!(answer.end.app_status, 1);
        let answer = begun.receive();
        assert_eq!(
            (&answer.body[..], answer.end.app_status),
            (&b"begun"[..], 1)
        );
        lasts.wait();
        go.send(()).unwrap();
    });
    assert_eq!(ENDED_WITH.load(Ordering::SeqCst), 75);
    let found = board.own().read();
    assert_eq!((found.requests, found.errors, found.in_flight), (2, 2, 0));
}

#[test]
fn pages_are_answered_without_the_application() {
    let mut options = defaults(1);
    let mut pages = Pages::default();
    pages.ping = Some("/ping".to_owned());
    pages.status = Some("/status".to_owned());
    options.pages = pages;
    let calls = AtomicUsize::new(0);
    let application = |request: &mut Request<'_>, response: &mut Response| {
        calls.fetch_add(1, Ordering::SeqCst);
        echo(request, response)
    };
    with_options(options, application, |connect, _| {
        let mut client = connect();
        let mut get = |uri: &str| {
            let path = uri.split('?').next().unwrap();
            client.request(true, &[("REQUEST_URI", uri), ("PATH_INFO", path)], b"")
        };
        assert_eq!(get("/ping").body, b"pong\n");
        assert_eq!(get("/other").body, b"");
        let answer = get("/status?format=json");
        assert_eq!(answer.head_line("Content-Type"), Some("application/json"));
        let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            (&json["requests"], &json["in_flight"]),
            (&2.into(), &1.into())
        );
        assert_eq!(json["workers"][0]["pid"], std::process::id());
        let answer = get("/status?format=prometheus");
        assert!(
            String::from_utf8(answer.body)
                .unwrap()
                .contains("iiswsgi_requests_total 3\n")
        );
        let answer = get("/status");
        assert_eq!(answer.head_line("Cache-Control"), Some("no-store"));
        assert!(answer.body.starts_with(b"<!DOCTYPE html>"));
    });
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn the_access_log_has_every_request_with_its_given_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().join("access.log")).unwrap();
    let file = LogFile::open(&path, Rotation::default()).unwrap();
    let mut options = defaults(1);
    options.access_log = Some(Arc::new(AccessLog::new(file, AccessLogFormat::Json)));
    options.request_id_header = Some("X-Request-ID".to_owned());
    let application = |request: &mut Request<'_>, response: &mut Response| {
        if request.param("PATH_INFO") == Some(b"/fail") {
            return Err(Error::Application {
                message: "on demand".to_owned(),
            });
        }
        echo(request, response)
    };
    let ids = [
        "made-by-nginx",
        "",
        "two words",
        &"x".repeat(129),
        "line\nfeed",
    ];
    with_options(options, application, |connect, _| {
        let mut client = connect();
        for id in ids {
            let params = [("HTTP_X_REQUEST_ID", id), ("REQUEST_URI", "/echo")];
            client.request(true, &params, b"12345");
        }
        let params = [("HTTP_X_REQUEST_ID", "failed"), ("PATH_INFO", "/fail")];
        let answer = client.request(true, &params, b"");
        assert_eq!(answer.head_line("X-Request-ID"), Some("failed"));
        let params = [("REQUEST_METHOD", "HEAD")];
        client.request(false, &params, b"");
        assert!(at_end(&mut client));
    });
    let text = fs_err::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[0]["request"], "made-by-nginx");
    for line in &lines[1..5] {
        let id = line["request"].as_str().unwrap();
        assert!(
            id.bytes().filter(|octet| *octet == b'-').count() == 2,
            "{id}"
        );
        assert_eq!((&line["status"], &line["octets"]), (&200.into(), &5.into()));
    }
    assert_eq!(
        (&lines[5]["request"], &lines[5]["status"]),
        (&"failed".into(), &500.into())
    );
    assert_eq!(
        (&lines[6]["method"], &lines[6]["octets"]),
        (&"HEAD".into(), &0.into())
    );
}

#[test]
fn an_application_sees_that_its_client_has_left_and_sets_its_status() {
    let (sender, seen) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let application = |request: &mut Request<'_>, response: &mut Response| {
        response.start(ok())?;
        response.set_app_status(7);
        if request.param("PATH_INFO") == Some(b"/wait") {
            request.body().read_up_to(usize::MAX, &mut Vec::new())?;
            sender
                .lock()
                .unwrap()
                .send(response.is_disconnected())
                .unwrap();
            while !response.is_disconnected() {
                std::thread::yield_now();
            }
            sender.lock().unwrap().send(true).unwrap();
        }
        response.write_last(&[b"x"])
    };
    with_server(1, Limits::default(), application, |connect, _| {
        let mut client = connect();
        assert_eq!(client.request(true, &[], b"").end.app_status, 7);
        client.send(true, &[("PATH_INFO", "/wait")], b"body");
        assert!(!seen.recv().unwrap());
        client.abort();
        assert!(seen.recv().unwrap());
        assert_eq!(client.receive().end.app_status, 1);
        let mut client = connect();
        client.send(true, &[("PATH_INFO", "/wait")], b"body");
        assert!(!seen.recv().unwrap());
        drop(client);
        assert!(seen.recv().unwrap());
    });
}

#[test]
fn after_so_many_requests_somebody_is_told_once() {
    let told = Arc::new(AtomicUsize::new(0));
    let mut options = defaults(2);
    let counted = Arc::clone(&told);
    options.retire = Some(Retire {
        requests: 3,
        then: Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        }),
    });
    with_options(options, echo, |connect, _| {
        let mut client = connect();
        for _ in 0..5 {
            client.request(true, &[], b"");
        }
    });
    assert_eq!(told.load(Ordering::SeqCst), 1);
}
