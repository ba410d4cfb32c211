//! The named pipe of IIS: this program is IIS, and the example `probe` is what it starts.

#![cfg(windows)]
#![expect(
    unsafe_code,
    reason = "std makes neither pipes nor events for another process"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod iis;
mod web_server;

use std::io::{Read as _, Write as _};

use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;

use crate::iis::{KINDS, Process, Start, echo};
use crate::web_server::Client;

fn start(kind: u32) -> Process {
    Process::start(&Start::of(kind))
}

#[test]
fn a_thousand_requests_on_one_pipe() {
    for kind in KINDS {
        let mut process = start(kind);
        for number in 0..1000_u32 {
            process.echo(&number.to_le_bytes());
        }
        assert_eq!(process.leave().0, 0, "kind {kind:#x}");
    }
}

#[test]
fn long_bodies_both_ways() {
    for kind in KINDS {
        let mut process = start(kind);
        for len in [0, 1, 8191, 8192, 65_535, 65_536, 5_000_000] {
            let body: Vec<u8> = (0..=250).cycle().take(len).collect();
            process.echo(&body);
        }
        assert_eq!(process.leave().0, 0, "kind {kind:#x}");
    }
}

#[test]
fn a_request_that_has_arrived_is_answered_before_the_process_ends() {
    for kind in KINDS {
        for round in 0..25_u32 {
            let mut process = start(kind);
            process.echo(b"first");
            let client = process.client();
            let octets = client.encode(true, &[("REQUEST_METHOD", "POST")], &round.to_le_bytes());
            client.stream.write_all(&octets).unwrap();
            process.tell_to_end();
            let client = process.client();
            assert_eq!(client.receive().body, round.to_le_bytes());
            // Nothing more comes: the process has ended.
            let mut rest = Vec::new();
            let end = client.stream.read_to_end(&mut rest);
            assert!(end.is_err() || rest.is_empty());
            assert_eq!(process.end().0, 0, "kind {kind:#x}");
        }
    }
}

#[test]
fn an_idle_process_ends_when_it_is_told_to() {
    for kind in KINDS {
        let mut process = start(kind);
        process.echo(b"one");
        process.tell_to_end();
        let (code, log) = process.end();
        assert_eq!(code, 0);
        assert!(log.contains("told to end by the Web server"), "{log}");
    }
}

#[test]
fn a_process_that_hangs_is_ended_after_its_grace() {
    for kind in KINDS {
        let mut process = Process::start(&Start {
            variables: &[("PROBE_GRACE", "50")],
            ..Start::of(kind)
        });
        process.client().send(true, &[("PATH_INFO", "/hang")], b"");
        process.tell_to_end();
        let (code, log) = process.end();
        assert_eq!(code, 75, "{log}");
        assert!(
            log.contains("still runs 50ms after it was told to end"),
            "{log}"
        );
    }
}

#[test]
fn a_client_that_leaves_is_noticed_while_the_application_runs() {
    for kind in KINDS {
        // The connection's end, and the Web server's word for it.
        for aborts in [false, true] {
            let mut process = start(kind);
            process.client().send(true, &[("PATH_INFO", "/wait")], b"");
            if aborts {
                process.client().abort();
                process.wait_for_log("the client has left");
                // An aborted request is ended all the same.
                assert_eq!(process.client().receive().end.app_status, 1);
                process.echo(b"the next one");
            }
            let (code, log) = process.leave();
            assert_eq!(code, 0, "{log}");
            assert!(log.contains("the client has left"), "{log}");
            assert!(log.contains("request given up"), "{log}");
        }
    }
}

#[test]
fn an_endless_response_ends_with_the_web_server() {
    for kind in KINDS {
        let mut process = start(kind);
        let client = process.client();
        client.send(true, &[("PATH_INFO", "/endless")], b"");
        client.stream.read_exact(&mut [0; 100_000]).unwrap();
        let (code, log) = process.leave();
        assert_eq!(code, 0, "{log}");
        assert!(log.contains("request given up"), "{log}");
    }
}

#[test]
fn web_servers_that_connect_later_are_accepted_one_after_the_other() {
    for kind in KINDS {
        let process = Process::start(&Start {
            connects: false,
            ..Start::of(kind)
        });
        for round in 0..20_u8 {
            let mut client = process.connect();
            echo(&mut client, &[round]);
            echo(&mut client, &[round + 1]);
        }
        // Without FCGI_KEEP_CONN the process ends the connection, and nothing of the answer is lost.
        let body: Vec<u8> = (0..=250).cycle().take(300_000).collect();
        for _ in 0..20 {
            let mut client = process.connect();
            let answer = client.request(false, &[("REQUEST_METHOD", "POST")], &body);
            assert!(answer.body == body);
            assert!(!matches!(client.stream.read(&mut [0]), Ok(1..)));
        }
        let mut client = process.connect();
        echo(&mut client, b"last");
        process.tell_to_end();
        let (code, log) = process.end();
        assert_eq!(code, 0, "{log}");
        assert!(log.contains("told to end by the Web server"), "{log}");
    }
}

#[test]
fn an_answer_is_not_lost_with_the_connection_that_the_process_ends() {
    for kind in KINDS {
        let process = Process::start(&Start {
            connects: false,
            ..Start::of(kind)
        });
        let mut client = process.connect();
        client.send(false, &[("REQUEST_METHOD", "POST")], b"read later");
        // So long that the process would have disconnected the pipe.
        let mut other = start(kind);
        other.echo(b"meanwhile");
        assert_eq!(other.leave().0, 0);
        assert_eq!(client.receive().body, b"read later");
        process.tell_to_end();
        assert_eq!(process.end().0, 0);
    }
}

#[test]
fn a_web_server_that_has_left_before_it_was_accepted_is_no_matter() {
    for kind in KINDS {
        let process = Process::start(&Start {
            connects: false,
            has_visitor: true,
            ..Start::of(kind)
        });
        echo(&mut process.connect(), b"another one");
        process.tell_to_end();
        let (code, log) = process.end();
        assert_eq!(code, 0, "{log}");
        assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    }
}

#[test]
fn a_process_that_nobody_has_connected_to_ends_when_it_is_told_to() {
    for kind in KINDS {
        for connects_first in [false, true] {
            let process = Process::start(&Start {
                connects: false,
                ..Start::of(kind)
            });
            if connects_first {
                echo(&mut process.connect(), b"one");
            } else {
                process.wait_for_log("serving");
            }
            process.tell_to_end();
            assert_eq!(process.end().0, 0, "kind {kind:#x}");
        }
    }
}

#[test]
fn a_web_server_that_does_not_read_keeps_no_process() {
    for kind in KINDS {
        let process = Process::start(&Start {
            connects: false,
            ..Start::of(kind)
        });
        let mut client = process.connect();
        // The answer fits into the pipe, and the process waits for it to be read before it accepts somebody else.
        let octets = client.encode(false, &[("REQUEST_METHOD", "POST")], b"unread");
        client.stream.write_all(&octets).unwrap();
        let mut next = process.connect();
        echo(&mut next, b"the next one");
        process.tell_to_end();
        assert_eq!(process.end().0, 0, "kind {kind:#x}");
    }
}

#[test]
fn a_process_ends_with_the_web_server_that_it_had() {
    for kind in KINDS {
        let process = Process::start(&Start {
            connects: false,
            ..Start::of(kind)
        });
        process.wait_for_log("serving");
        // Another process connects, sends what is no FastCGI, and ends.
        let script = format!("echo no FastCGI > {}", process.name());
        let mut command = std::process::Command::new("cmd");
        assert!(command.args(["/c", &script]).status().unwrap().success());
        let (code, log) = process.end();
        assert_eq!(code, 0, "{log}");
        assert!(log.contains("the Web server's process has ended"), "{log}");
    }
}

#[test]
fn standard_output_and_error_may_be_missing() {
    for kind in KINDS {
        for output in [INVALID_HANDLE_VALUE, std::ptr::null_mut()] {
            let mut process = Process::start(&Start {
                output,
                ..Start::of(kind)
            });
            let answer = process.get("/print");
            assert_eq!(
                answer.head_line("Status"),
                Some("500 Internal Server Error")
            );
            process.echo(b"goes on");
            let (code, log) = process.leave();
            assert_eq!(code, 0, "{log}");
            assert!(log.contains("a panic"), "{log}");
        }
    }
}

#[test]
fn requests_run_as_their_users_where_that_is_wished() {
    for kind in KINDS {
        for (variables, expected) in [
            (&[][..], "false"),
            (&[("PROBE_IMPERSONATE", "1")][..], "true"),
        ] {
            let mut process = Process::start(&Start {
                variables,
                ..Start::of(kind)
            });
            for _ in 0..3 {
                assert_eq!(process.get("/user").body, expected.as_bytes());
            }
            assert_eq!(process.leave().0, 0);
        }
    }
}

#[test]
fn the_event_ends_a_server_on_a_port_too() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let process = Process::start(&Start {
        address: Some(&address.to_string()),
        ..Start::of(0)
    });
    process.wait_for_log("serving");
    let mut client = Client::new(std::net::TcpStream::connect(address).unwrap());
    client.send(true, &[("REQUEST_METHOD", "POST")], b"");
    client.receive();
    client.begin(true, &[("REQUEST_METHOD", "POST")]);
    process.tell_to_end();
    process.wait_for_log("told to end by the Web server");
    client.finish(b"still answered");
    assert_eq!(client.receive().body, b"still answered");
    let (code, log) = process.end();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("stopped"), "{log}");
}

#[test]
fn a_request_cannot_run_as_its_user_on_a_port() {
    let process = Process::start(&Start {
        address: Some("127.0.0.1:0"),
        variables: &[("PROBE_IMPERSONATE", "1")],
        ..Start::of(0)
    });
    let (code, log) = process.end();
    assert_eq!(code, 1);
    assert!(
        log.contains("only where IIS hands over its named pipe"),
        "{log}"
    );
}

#[test]
fn an_event_that_is_none_keeps_nothing_from_being_served() {
    for kind in KINDS {
        for event in ["", "event", "0", "4294967300", "-1"] {
            let mut process = Process::start(&Start {
                event: Some(event),
                ..Start::of(kind)
            });
            process.echo(b"served");
            let (code, log) = process.leave();
            assert_eq!(code, 0, "{event}");
            let line = format!("_FCGI_SHUTDOWN_EVENT_={event} is no handle of an event");
            assert!(log.contains(&line), "{log}");
        }
    }
}

#[test]
fn what_is_no_fastcgi_is_logged_and_ends_the_process() {
    let begin_and_half_a_record = b"\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x01\0\0\0\0\0\x01\x04";
    for kind in KINDS {
        for (octets, closes, expected) in [
            // The process ends the connection by itself.
            (&b"GET / HTTP/1.1\r\n\r\n"[..], false, "version 71"),
            (b"\x01\x01\x00\x01\x00\x08", true, "inside a record"),
            (begin_and_half_a_record, true, "inside a record"),
        ] {
            let mut process = start(kind);
            process.client().stream.write_all(octets).unwrap();
            if closes {
                process.client = None;
            }
            let (code, log) = process.end();
            assert_eq!(code, 0, "{log}");
            let line = log.lines().find(|line| line.contains("connection closed"));
            let line = line.unwrap_or_else(|| panic!("{octets:?}: {log}"));
            assert!(line.contains("WARN") && line.contains(expected), "{line}");
        }
        // A Web server that has nothing to say is no fault.
        let (code, log) = start(kind).leave();
        assert_eq!(code, 0);
        assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    }
}

#[test]
fn five_hundred_starts_do_not_fail() {
    // Several at once, as a Web server starts them.
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                for round in 0..50 {
                    for kind in KINDS {
                        let mut process = start(kind);
                        process.echo(b"hello");
                        assert_eq!(process.leave().0, 0, "round {round}, kind {kind:#x}");
                    }
                }
            });
        }
    });
}
