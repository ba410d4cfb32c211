//! Responses of many blocks: nothing is kept back, nothing is lost, whoever writes it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod running;
mod web_server;

use std::io::Read as _;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use fcgi_gateway::{Error, Limits, Request, Response};
use running::{echo, ok, with_server};

/// Longer than what makes the server use its sender.
const BLOCKS: u32 = 20_000;

fn blocks(_: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
    response.start(ok())?;
    (0..BLOCKS).try_for_each(|number| response.write(format!("{number} ").as_bytes()))
}

#[test]
fn fast_blocks_arrive_whole_and_in_order() {
    let expected: String = (0..BLOCKS).map(|number| format!("{number} ")).collect();
    with_server(2, Limits::default(), blocks, |connect, _| {
        let mut client = connect();
        for _ in 0..5 {
            let answer = client.request(true, &[], b"");
            assert_eq!(answer.body, expected.as_bytes());
            assert_eq!(answer.end.app_status, 0);
        }
    });
}

#[test]
fn requests_with_and_without_a_sender_take_turns() {
    let application = |request: &mut Request<'_>, response: &mut Response| {
        if request.param("REQUEST_METHOD") == Some(b"POST") {
            echo(request, response)
        } else {
            blocks(request, response)
        }
    };
    with_server(1, Limits::default(), application, |connect, _| {
        let (mut one, mut two) = (connect(), connect());
        for round in 0..10_u8 {
            let len = one.request(true, &[], b"").body.len();
            assert_eq!(len, two.request(true, &[], b"").body.len());
            let echoed = two.request(true, &[("REQUEST_METHOD", "POST")], &[round; 100]);
            assert_eq!(echoed.body, [round; 100]);
        }
    });
}

#[test]
fn a_block_is_there_before_the_next_one_is_made() {
    let (allow, allowed) = channel::<()>();
    let allowed = Mutex::new(allowed);
    let application = |_: &mut Request<'_>, response: &mut Response| {
        response.start(ok())?;
        // Fast ones in front, so that a sender is at work.
        for _ in 0..1000 {
            response.write(b".")?;
        }
        for _ in 0..20 {
            response.write(b"event\n")?;
            // Nothing more comes until the client has seen it.
            allowed.lock().unwrap().recv().unwrap();
        }
        Ok(())
    };
    with_server(1, Limits::default(), application, |connect, _| {
        let mut client = connect();
        client.send(true, &[], b"");
        let patience = Some(Duration::from_secs(20));
        client.stream.set_read_timeout(patience).unwrap();
        let mut seen = Vec::new();
        for number in 1..=20 {
            while seen
                .windows(6)
                .filter(|octets| octets == b"event\n")
                .count()
                < number
            {
                let mut buffer = [0; 4096];
                let len = client.stream.read(&mut buffer).unwrap();
                assert_ne!(len, 0);
                seen.extend_from_slice(&buffer[..len]);
            }
            allow.send(()).unwrap();
        }
    });
}

#[test]
fn a_client_that_goes_ends_the_application_and_spoils_nothing() {
    let (report, reported) = channel();
    let report = Mutex::new(report);
    let application = |request: &mut Request<'_>, response: &mut Response| {
        if request.param("PATH_INFO") != Some(b"/endless") {
            return blocks(request, response);
        }
        response.start(ok())?;
        loop {
            if let Err(error) = response.write(b"on and on") {
                report
                    .lock()
                    .unwrap()
                    .send(error.is_disconnected())
                    .unwrap();
                return Err(error);
            }
        }
    };
    with_server(1, Limits::default(), application, |connect, _| {
        for _ in 0..3 {
            let mut gone = connect();
            gone.send(true, &[("PATH_INFO", "/endless")], b"");
            gone.stream.read_exact(&mut [0; 100_000]).unwrap();
            drop(gone);
            let disconnected = reported.recv_timeout(Duration::from_secs(20));
            assert_eq!(disconnected, Ok(true));
            let whole = connect().request(true, &[], b"");
            assert!(whole.body.ends_with(b" 19999 "));
        }
    });
}

#[test]
fn an_application_that_fails_behind_fast_blocks_has_sent_them() {
    let application = |request: &mut Request<'_>, response: &mut Response| {
        blocks(request, response)?;
        Err(Error::Application {
            message: "on demand".to_owned(),
        })
    };
    with_server(1, Limits::default(), application, |connect, _| {
        let mut client = connect();
        let answer = client.request(true, &[], b"");
        assert!(answer.body.ends_with(b" 19999 "));
        assert_eq!(answer.end.app_status, 1);
        assert_eq!(client.request(true, &[], b"").end.app_status, 1);
    });
}

#[test]
fn a_body_is_read_behind_what_was_written_before() {
    // The client sends the rest of its body only when it has seen the first part of the answer.
    let application = |request: &mut Request<'_>, response: &mut Response| {
        response.start(ok())?;
        for _ in 0..1000 {
            response.write(b"x")?;
        }
        let mut body = Vec::new();
        request.body().read_to_end(&mut body)?;
        response.write(&body)
    };
    with_server(1, Limits::default(), application, |connect, _| {
        let mut client = connect();
        let patience = Some(Duration::from_secs(20));
        client.stream.set_read_timeout(patience).unwrap();
        client.begin(true, &[]);
        let (start, mut seen) = (Instant::now(), 0);
        while seen < 1000 {
            let mut buffer = [0; 64 * 1024];
            let len = client.stream.read(&mut buffer).unwrap();
            assert_ne!(len, 0, "after {:?}", start.elapsed());
            seen += buffer[..len].iter().filter(|octet| **octet == b'x').count();
        }
        client.finish(b"the body");
        let mut end = Vec::new();
        while !end.windows(8).any(|octets| octets == b"the body") {
            let mut buffer = [0; 4096];
            let len = client.stream.read(&mut buffer).unwrap();
            assert_ne!(len, 0);
            end.extend_from_slice(&buffer[..len]);
        }
    });
}
