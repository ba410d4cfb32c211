//! The server with applications in Rust, over real sockets; the peer is `fcgi_proto`'s Web server side.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod running;
mod web_server;

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use camino::Utf8PathBuf;
use fcgi_gateway::listener::{Listener, TcpSocket, Transport, UnixSocket, WebServerAddrs};
use fcgi_gateway::{Error, Limits, Request, Response, Server, ServerOptions, Shutdown};
use fcgi_proto::ProtocolStatus;
use running::{Run, Stop, echo, ok, options, with_server};
use web_server::{Client, End};

#[test]
fn nothing_but_a_pipe_of_windows_knows_the_user_of_a_request() {
    let mut options = ServerOptions::default();
    options.impersonate = true;
    let any_port = "127.0.0.1:0".parse().unwrap();
    let port = TcpSocket::bind(any_port, WebServerAddrs::any()).unwrap();
    let (stream, _other_end) = UnixStream::pair().unwrap();
    for server in [
        Server::listening(Box::new(port), options.clone()),
        Server::connected(Box::new(stream), options),
    ] {
        let error = server.unwrap_err();
        assert!(matches!(error, Error::NoImpersonation { .. }), "{error}");
    }
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    with_server(1, Limits::default(), echo, |connect, _| {
        let mut client = connect();
        for len in [0, 1, 8, 65_535, 1_000_000] {
            let body = vec![b'e'; len];
            let response = client.request(true, &[("REQUEST_METHOD", "POST")], &body);
            assert_eq!(response.body, body);
            assert_eq!(
                response.head_line("Content-Length"),
                Some(len.to_string().as_str())
            );
            assert_eq!(
                response.end,
                End {
                    app_status: 0,
                    protocol_status: ProtocolStatus::REQUEST_COMPLETE
                }
            );
        }
        client.request(false, &[], b"");
        assert!(client.at_end());
    });
}

#[test]
fn one_thread_runs_one_request_at_a_time() {
    let running = AtomicUsize::new(0);
    let application = |request: &mut Request<'_>, response: &mut Response| {
        assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
        echo(request, response)?;
        running.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    };
    with_server(1, Limits::default(), application, |connect, _| {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut client = connect();
                    for _ in 0..20 {
                        assert_eq!(client.request(true, &[], b"abc").body, b"abc");
                    }
                });
            }
        });
    });
}

#[test]
fn threads_run_requests_together() {
    let barrier = Barrier::new(4);
    let application = |request: &mut Request<'_>, response: &mut Response| {
        barrier.wait();
        echo(request, response)
    };
    with_server(4, Limits::default(), application, |connect, _| {
        let mut clients: Vec<_> = (0..4).map(|_| connect()).collect();
        for round in 0..5_u8 {
            for client in &mut clients {
                client.send(true, &[], &[round]);
            }
            for client in &mut clients {
                assert_eq!(client.receive().body, [round]);
            }
        }
    });
}

#[test]
fn many_connections_wait_without_a_thread() {
    with_server(2, Limits::default(), echo, |connect, _| {
        let mut clients: Vec<_> = (0..100).map(|_| connect()).collect();
        for _ in 0..3 {
            for client in &mut clients {
                assert_eq!(client.request(true, &[], b"x").body, b"x");
            }
        }
    });
}

#[test]
fn beyond_the_limit_connections_wait_in_the_queue() {
    let mut limits = Limits::default();
    limits.connections = 2;
    with_server(1, limits, echo, |connect, _| {
        let (mut one, mut two, mut three) = (connect(), connect(), connect());
        assert_eq!(one.request(true, &[], b"1").body, b"1");
        assert_eq!(two.request(true, &[], b"2").body, b"2");
        three.send(false, &[], b"3");
        assert_eq!(one.request(true, &[], b"still").body, b"still");
        drop(two);
        assert_eq!(three.receive().body, b"3");
    });
}

#[test]
fn room_is_made_when_a_request_ends_its_connection() {
    let mut limits = Limits::default();
    limits.connections = 2;
    let barrier = Barrier::new(2);
    let application = |request: &mut Request<'_>, response: &mut Response| {
        if request.param("PATH_INFO") == Some(b"/wait") {
            barrier.wait();
        }
        echo(request, response)
    };
    // Two workers are busy, the third leads and cannot accept.
    with_server(3, limits, application, |connect, _| {
        let (mut one, mut two, mut three) = (connect(), connect(), connect());
        one.send(false, &[("PATH_INFO", "/wait")], b"1");
        two.send(false, &[("PATH_INFO", "/wait")], b"2");
        three.send(false, &[], b"3");
        for (client, body) in [(&mut one, b"1"), (&mut two, b"2"), (&mut three, b"3")] {
            assert_eq!(client.receive().body, body);
        }
    });
}

/// A listener that has no descriptors left the first time.
#[derive(Debug)]
struct Short(UnixSocket, AtomicUsize);

impl AsFd for Short {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Listener for Short {
    fn accept(&self) -> io::Result<Option<Box<dyn Transport>>> {
        match self.1.fetch_add(1, Ordering::SeqCst) {
            0 => Err(io::Error::from_raw_os_error(24)), // EMFILE
            _ => self.0.accept(),
        }
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

#[test]
fn a_shortage_of_descriptors_passes() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().join("s")).unwrap();
    let socket = UnixSocket::bind(&path, None, None, WebServerAddrs::any()).unwrap();
    let shutdown = Shutdown::new().unwrap();
    let listener = Box::new(Short(socket, AtomicUsize::new(0)));
    let server = Server::listening(listener, options(1, Limits::default(), &shutdown)).unwrap();
    thread::scope(|scope| {
        let running = scope.spawn(|| server.run(&Run(echo)));
        let stop = Stop(&shutdown);
        let mut client = Client::new(UnixStream::connect(&path).unwrap());
        assert_eq!(client.request(false, &[], b"at last").body, b"at last");
        drop(stop);
        running.join().unwrap().unwrap();
    });
}

#[test]
fn a_failure_before_the_headers_is_a_page_and_one_behind_them_a_status() {
    let application =
        |request: &mut Request<'_>, response: &mut Response| match request.param("PATH_INFO") {
            Some(b"/before") => Err(Error::Application {
                message: "secret".to_owned(),
            }),
            Some(b"/panic") => panic!("secret"),
            Some(b"/nothing") => Ok(()),
            _ => {
                response.start(ok())?;
                response.write(b"begun")?;
                Err(Error::Application {
                    message: "secret".to_owned(),
                })
            }
        };
    with_server(1, Limits::default(), application, |connect, _| {
        let mut client = connect();
        for path in ["/before", "/panic", "/nothing"] {
            let response = client.request(true, &[("PATH_INFO", path)], b"");
            assert_eq!(
                response.head_line("Status"),
                Some("500 Internal Server Error"),
                "{path}"
            );
            let page = String::from_utf8(response.body.clone()).unwrap();
            assert!(
                page.contains(response.head_line("X-Request-ID").unwrap())
                    && !page.contains("secret"),
                "{page}"
            );
            assert_eq!(response.end.app_status, 0);
        }
        let response = client.request(true, &[("PATH_INFO", "/behind")], b"");
        assert_eq!(
            (response.body.as_slice(), response.end.app_status),
            (&b"begun"[..], 1)
        );
    });
}

#[test]
fn content_length_is_kept_both_ways() {
    let application = |request: &mut Request<'_>, response: &mut Response| {
        let mut body = Vec::new();
        request.body().read_to_end(&mut body)?;
        response.start(ok().header("Content-Length", "4"))?;
        assert!(!response.is_complete());
        response.write(&body)
    };
    with_server(1, Limits::default(), application, |connect, _| {
        let mut client = connect();
        let cut = client.request(true, &[("CONTENT_LENGTH", "3")], b"abcdef");
        assert_eq!(cut.body, b"abc");
        let long = client.request(true, &[], b"abcdef");
        assert_eq!(
            (long.body.as_slice(), long.end.app_status),
            (&b"abcd"[..], 1)
        );
        let head = client.request(true, &[("REQUEST_METHOD", "HEAD")], b"abcd");
        assert_eq!(
            (head.body.as_slice(), head.head_line("Content-Length")),
            (&b""[..], Some("4"))
        );
    });
}

/// Long bodies are read to where they are wanted, past the headers and the padding of the records between.
#[test]
fn a_long_body_arrives_whole_however_it_is_read() {
    let application = |request: &mut Request<'_>, response: &mut Response| {
        let text = std::str::from_utf8(request.param("BUFFER").unwrap()).unwrap();
        let mut buffer = vec![0; text.parse().unwrap()];
        let mut received = Vec::new();
        let mut body = request.body();
        loop {
            match body.read(&mut buffer)? {
                0 => break,
                len => received.extend_from_slice(&buffer[..len]),
            }
        }
        response.start(ok())?;
        response.write_last(&[&received])
    };
    with_server(1, Limits::default(), application, |connect, _| {
        let mut client = connect();
        for len in [0_usize, 4096, 16_384, 65_536, 300_001] {
            let body: Vec<u8> = (0..=250).cycle().take(len).collect();
            for buffer in ["100", "4096", "5000", "70000", "1000000"] {
                for announced in [len, len / 2] {
                    let length = announced.to_string();
                    let params = [("BUFFER", buffer), ("CONTENT_LENGTH", &length)];
                    let answer = client.request(true, &params, &body);
                    assert!(
                        answer.body == body[..announced],
                        "{announced} of {len} octets by {buffer}"
                    );
                }
                let answer = client.request(true, &[("BUFFER", buffer)], &body);
                assert!(answer.body == body, "{len} octets by {buffer}");
            }
        }
    });
}

#[test]
fn too_long_a_body_is_413() {
    let mut limits = Limits::default();
    limits.body_len = Some(10);
    with_server(1, limits, echo, |connect, _| {
        let mut client = connect();
        assert_eq!(
            client
                .request(true, &[("CONTENT_LENGTH", "10")], b"0123456789")
                .body,
            b"0123456789"
        );
        for params in [&[("CONTENT_LENGTH", "11")][..], &[]] {
            let response = client.request(true, params, b"0123456789X");
            assert_eq!(
                response.head_line("Status"),
                Some("413 Content Too Large"),
                "{params:?}"
            );
        }
        assert_eq!(
            client.request(false, &[], b"0123456789").body,
            b"0123456789"
        );
    });
}

#[test]
fn an_abort_reaches_whoever_reads_or_writes() {
    let outcomes = std::sync::Mutex::new(Vec::new());
    let application = |request: &mut Request<'_>, _: &mut Response| {
        let mut body = Vec::new();
        let outcome = request.body().read_up_to(usize::MAX, &mut body);
        outcomes
            .lock()
            .unwrap()
            .push(outcome.as_ref().is_err_and(Error::is_disconnected));
        outcome
    };
    with_server(1, Limits::default(), application, |connect, _| {
        let mut client = connect();
        client.begin(true, &[]);
        client.abort();
        // §5.4: the application answers with END_REQUEST.
        assert_eq!(client.receive().end.app_status, 1);
        client.begin(true, &[]);
        drop(client);
        // One thread: this request runs after the other's end.
        let mut other = connect();
        other.begin(true, &[]);
        other.abort();
        other.receive();
    });
    assert_eq!(*outcomes.lock().unwrap(), [true, true, true]);
}

#[test]
fn noise_ends_a_connection_and_nothing_else() {
    with_server(1, Limits::default(), echo, |connect, _| {
        let mut kept = connect();
        assert_eq!(kept.request(true, &[], b"x").body, b"x");
        for noise in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            &[0; 64],
            &[1, 1, 0, 0, 0, 8, 0, 0],
        ] {
            let mut client = connect();
            client.stream.write_all(noise).unwrap();
            assert!(client.at_end(), "{noise:?}");
        }
        drop(connect());
        assert_eq!(kept.request(true, &[], b"x").body, b"x");
    });
}

#[test]
fn a_web_server_that_stalls_costs_its_request_only() {
    let mut limits = Limits::default();
    limits.read_timeout = Some(Duration::from_millis(20));
    with_server(1, limits, echo, |connect, _| {
        let mut stalled = connect();
        stalled.begin(true, &[("CONTENT_LENGTH", "10")]);
        assert!(stalled.at_end());
        // Without a request there is no hurry.
        let mut slow = connect();
        let octets = slow.encode(false, &[], b"slow");
        let (first, rest) = octets.split_at(13);
        slow.stream.write_all(first).unwrap();
        assert_eq!(connect().request(false, &[], b"other").body, b"other");
        slow.stream.write_all(rest).unwrap();
        assert_eq!(slow.receive().body, b"slow");
    });
}

#[test]
fn stopping_finishes_what_runs_and_closes_what_waits() {
    let started = Barrier::new(2);
    let finish = Barrier::new(2);
    let application = |request: &mut Request<'_>, response: &mut Response| {
        if request.param("PATH_INFO") == Some(b"/long") {
            started.wait();
            finish.wait();
        }
        echo(request, response)
    };
    with_server(2, Limits::default(), application, |connect, shutdown| {
        let (mut idle, mut busy) = (connect(), connect());
        assert_eq!(idle.request(true, &[], b"x").body, b"x");
        busy.send(true, &[("PATH_INFO", "/long")], b"finished");
        started.wait();
        shutdown.request();
        assert!(idle.at_end());
        finish.wait();
        assert_eq!(busy.receive().body, b"finished");
        assert!(busy.at_end());
    });
}

/// A connection that a Web server had made, but not used yet, was closed by a server that stopped at that moment.
#[test]
fn whoever_has_connected_is_answered_when_stopping() {
    for threads in [1, 3] {
        with_server(threads, Limits::default(), echo, |connect, shutdown| {
            let mut early = connect();
            // They are taken in their order, so that the first was taken when the second has its answer.
            assert_eq!(connect().request(false, &[], b"second").body, b"second");
            shutdown.request();
            assert_eq!(early.request(true, &[], b"first").body, b"first");
            assert!(early.at_end());
        });
    }
}

#[test]
fn a_connected_stream_is_served_to_its_end() {
    for keep_conn in [true, false] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let server = Server::connected(Box::new(theirs), ServerOptions::default()).unwrap();
        thread::scope(|scope| {
            let running = scope.spawn(|| server.run(&Run(echo)));
            let mut client = Client::new(ours);
            for _ in 0..3 {
                let body = vec![b'p'; 200_000];
                assert_eq!(
                    client
                        .request(keep_conn, &[("CONTENT_LENGTH", "3")], &body)
                        .body,
                    b"ppp",
                    "{keep_conn}"
                );
            }
            drop(client);
            running.join().unwrap().unwrap();
        });
    }
}

#[test]
fn tcp_is_served_too() {
    let socket = TcpSocket::bind("127.0.0.1:0".parse().unwrap(), WebServerAddrs::any()).unwrap();
    let address = socket.local_addr().unwrap();
    let shutdown = Shutdown::new().unwrap();
    let server =
        Server::listening(Box::new(socket), options(1, Limits::default(), &shutdown)).unwrap();
    assert_eq!(server.describe(), format!("tcp:{address}"));
    thread::scope(|scope| {
        let running = scope.spawn(|| server.run(&Run(echo)));
        let body = vec![b't'; 500_000];
        let mut client = Client::new(TcpStream::connect(address).unwrap());
        assert_eq!(client.request(false, &[], &body).body, body);
        assert!(client.at_end());
        shutdown.request();
        running.join().unwrap().unwrap();
    });
}

#[test]
fn an_unread_body_does_not_destroy_the_answer() {
    let application = |_: &mut Request<'_>, response: &mut Response| {
        response.start(ok())?;
        response.write_last(&[b"no, thanks"])
    };
    with_server(1, Limits::default(), application, |connect, _| {
        for keep_conn in [true, false] {
            let mut client = connect();
            let body = vec![b'u'; 3_000_000];
            assert_eq!(client.request(keep_conn, &[], &body).body, b"no, thanks");
        }
    });
}

#[test]
fn what_outlives_its_request_reads_nothing() {
    let kept = std::sync::Mutex::new(None);
    let application = |request: &mut Request<'_>, response: &mut Response| {
        let before = kept.lock().unwrap().replace(request.body());
        if let Some(body) = before {
            assert!(matches!(
                body.read_up_to(1, &mut Vec::new()),
                Err(Error::Order(_))
            ));
        }
        echo(request, response)
    };
    with_server(1, Limits::default(), application, |connect, _| {
        let mut client = connect();
        for body in [b"one", b"two"] {
            let response = client.request(true, &[], body);
            assert_eq!(
                (response.body.as_slice(), response.end.app_status),
                (&body[..], 0)
            );
        }
    });
}
