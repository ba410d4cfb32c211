//! Sections 5 to 7: requests, their ends, their streams, and the process.

use super::super::record::Octets;
use super::answer::{Answer, split_head};
use super::check::{CheckInfo, check, recommendation};
use super::link::{Link, Silence};
use super::trial::*;

/// The check after which the process has to have ended.
pub(super) const SIGTERM: &str = "sigterm";

pub(super) const CHECKS: [CheckInfo; 25] = [
    recommendation(
        14,
        "short-begin-body",
        "BEGIN_REQUEST with a body of three octets is not served",
        short_begin_body,
    ),
    check(
        15,
        "keep-conn",
        "with FCGI_KEEP_CONN a connection serves several requests",
        keep_conn,
    ),
    check(
        15,
        "close",
        "without FCGI_KEEP_CONN the application closes the connection",
        close,
    ),
    recommendation(15, "other-flags", "unknown flags are ignored", other_flags),
    check(
        16,
        "unknown-role",
        "role 999 is refused with UNKNOWN_ROLE, and the connection goes on",
        unknown_role,
    ),
    check(
        17,
        "second-request",
        "a second request is served or refused, and the first undisturbed",
        second_request,
    ),
    check(
        18,
        "many-begins",
        "2,000 requests that are only begun are refused beyond a limit",
        many_begins,
    ),
    check(
        19,
        "no-output-before-params-end",
        "nothing is written before the variables are complete",
        no_early_output,
    ),
    check(
        20,
        "abort",
        "an aborted request is ended, and the connection goes on",
        abort,
    ),
    check(
        21,
        "nothing-after-end",
        "nothing follows END_REQUEST",
        nothing_after_end,
    ),
    check(
        22,
        "end-body",
        "the body of END_REQUEST has eight octets",
        end_body,
    ),
    recommendation(
        22,
        "end-body-reserved",
        "the reserved octets of END_REQUEST are zeros",
        end_body_reserved,
    ),
    check(
        22,
        "app-status",
        "END_REQUEST carries the application's status",
        app_status,
    ),
    check(
        23,
        "stdout-ended-once",
        "STDOUT is ended once, before END_REQUEST",
        stdout_ended,
    ),
    check(
        23,
        "stderr-ended",
        "STDERR that was used is ended",
        stderr_ended,
    ),
    check(
        24,
        "cgi-headers",
        "the response begins with CGI headers, not with HTTP's",
        cgi_headers,
    ),
    recommendation(
        25,
        "early-output",
        "an answer may come before STDIN has ended",
        early_output,
    ),
    recommendation(
        25,
        "content-length-bounds",
        "no more than CONTENT_LENGTH octets of the body are read",
        content_length,
    ),
    check(
        26,
        "short-body",
        "a body shorter than CONTENT_LENGTH hangs nothing",
        short_body,
    ),
    check(
        27,
        "authorizer",
        "the role Authorizer is served or refused",
        authorizer,
    ),
    check(28, "filter", "the role Filter is served or refused", filter),
    check(29, SIGTERM, "SIGTERM ends the process", sigterm),
    recommendation(
        30,
        "end-inside-a-record",
        "an end of the input inside a record closes the connection, and no more",
        end_inside,
    ),
    recommendation(
        31,
        "unread-stdin",
        "STDIN that nobody reads is drained, and the connection goes on",
        unread_stdin,
    ),
    check(
        5,
        "ids-in-turn",
        "one connection serves different ids one after the other",
        ids_in_turn,
    ),
];

fn short_begin_body(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(
        &Octets::new()
            .record(BEGIN_REQUEST, 1, &[0, 1, KEEP])
            .stream(PARAMS, 1, &trial.params(&[], 0), 65_528)
            .record(STDIN, 1, b""),
    );
    link.finish();
    match Answer::read(&mut link, 1, limit).end {
        Some((_, COMPLETE)) => Err(Not::holding(
            "it is served, with flags and role from nowhere",
        )),
        _ => Ok(()),
    }
}

fn keep_conn(trial: &mut Trial<'_>) -> Outcome {
    let mut link = trial.connect()?;
    for _ in 0..3 {
        trial.serves_on(&mut link, 1)?;
    }
    Ok(())
}

fn ids_in_turn(trial: &mut Trial<'_>) -> Outcome {
    let mut link = trial.connect()?;
    for id in [1, 2, 1, 300] {
        trial.serves_on(&mut link, id)?;
    }
    Ok(())
}

pub(super) fn closed_after(trial: &mut Trial<'_>, flags: u8) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(&trial.request(1, flags, &[], b""));
    Answer::read(&mut link, 1, limit).complete()?;
    match link.next(limit) {
        Err(Silence::Closed | Silence::Reset) => Ok(()),
        Err(silence) => Err(Not::holding(format!("not closed: {}", silence.describe()))),
        Ok(_) => Err(Not::holding("a record follows END_REQUEST")),
    }
}

fn close(trial: &mut Trial<'_>) -> Outcome {
    closed_after(trial, CLOSE)
}

fn other_flags(trial: &mut Trial<'_>) -> Outcome {
    closed_after(trial, 0xfe)
}

fn unknown_role(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(
        &Octets::new()
            .begin(1, 999, KEEP)
            .stream(PARAMS, 1, &trial.params(&[], 0), 65_528)
            .record(STDIN, 1, b""),
    );
    Answer::read(&mut link, 1, limit).with_status(UNKNOWN_ROLE)?;
    trial.serves_on(&mut link, 2).map(drop)
}

/// Two requests, the records of the second inside of the first: the answers of both.
pub(super) fn interleaved(trial: &Trial<'_>, link: &mut Link) -> Result<(Answer, Answer), Not> {
    let params = trial.params(&[], 0);
    let (head, tail) = params.split_at(params.len() / 2);
    link.send(
        &Octets::new()
            .begin(1, RESPONDER, KEEP)
            .record(PARAMS, 1, head)
            .begin(2, RESPONDER, KEEP)
            .stream(PARAMS, 2, &params, 65_528)
            .record(STDIN, 2, b""),
    );
    let second = Answer::read(link, 2, trial.limit());
    link.send(
        &Octets::new()
            .record(PARAMS, 1, tail)
            .record(PARAMS, 1, b"")
            .record(STDIN, 1, b""),
    );
    let first = Answer::read(link, 1, trial.limit());
    Ok((first, second))
}

fn second_request(trial: &mut Trial<'_>) -> Outcome {
    let mut link = trial.connect()?;
    let (first, second) = interleaved(trial, &mut link)?;
    match (&second.end, &second.silence) {
        (Some((_, COMPLETE | CANT_MPX_CONN | OVERLOADED)), _) => {}
        (Some((_, status)), _) => {
            return Err(Not::holding(format!(
                "the second ended with protocolStatus {status}"
            )));
        }
        (None, silence) => {
            let silence = silence.as_ref().map(Silence::describe).unwrap_or_default();
            return Err(Not::holding(format!(
                "the second was not answered: {silence}"
            )));
        }
    }
    first.complete().map(drop)
}

fn many_begins(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    let mut octets = Octets::new();
    for id in 1..=2000 {
        let mut begin = Vec::new();
        super::super::record::RawRecord::new(BEGIN_REQUEST, id, &[0, 1, KEEP, 0, 0, 0, 0, 0])
            .write(&mut begin);
        octets = octets.raw("BEGIN_REQUEST with ids from 1", &begin);
    }
    link.send(&octets);
    match link.next(limit) {
        Ok(record) => match record.end() {
            Some((_, CANT_MPX_CONN | OVERLOADED)) => Ok(()),
            Some((_, status)) => Err(Not::holding(format!(
                "request {} is ended with protocolStatus {status}",
                record.id
            ))),
            None => Err(Not::holding(format!(
                "they are answered with {}({})",
                super::super::record::type_name(record.record_type),
                record.id
            ))),
        },
        Err(Silence::Closed | Silence::Reset) => {
            Err(Not::holding("the connection is closed without an answer"))
        }
        Err(silence) => Err(Not::holding(format!(
            "all are taken, or ignored without an answer: {}",
            silence.describe()
        ))),
    }
}

fn no_early_output(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(
        &Octets::new()
            .begin(1, RESPONDER, CLOSE)
            .record(PARAMS, 1, &trial.params(&[], 0)),
    );
    match link.next(QUIET) {
        Err(Silence::Late) => {}
        Err(silence) => return Err(Not::holding(silence.describe())),
        Ok(_) => return Err(Not::holding("a record comes before the end of PARAMS")),
    }
    link.send(&Octets::new().record(PARAMS, 1, b"").record(STDIN, 1, b""));
    Answer::read(&mut link, 1, limit).complete().map(drop)
}

fn abort(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(
        &Octets::new()
            .begin(1, RESPONDER, KEEP)
            .stream(PARAMS, 1, &trial.params(&[], 1000), 65_528)
            .record(STDIN, 1, b"half")
            .record(ABORT_REQUEST, 1, b""),
    );
    Answer::read(&mut link, 1, limit).with_status(COMPLETE)?;
    trial.serves_on(&mut link, 2).map(drop)
}

fn nothing_after_end(trial: &mut Trial<'_>) -> Outcome {
    let mut link = trial.connect()?;
    trial.serves_on(&mut link, 1)?;
    match link.next(QUIET) {
        Ok(_) => Err(Not::holding("a record follows END_REQUEST")),
        Err(Silence::Malformed(what)) => Err(Not::holding(what)),
        Err(_) => Ok(()),
    }
}

fn end_body(trial: &mut Trial<'_>) -> Outcome {
    let octets = trial.request(1, CLOSE, &[], b"");
    match trial.ask(&octets, 1)?.end_body.len() {
        8 => Ok(()),
        len => Err(Not::holding(format!("it has {len}"))),
    }
}

fn end_body_reserved(trial: &mut Trial<'_>) -> Outcome {
    // What is not set is whatever was there before: several requests are more likely to show it.
    for body in [
        &b""[..],
        b"body",
        &[b'x'; 3000],
        &[b'y'; 2999],
        b"another body",
    ] {
        let octets = trial.request(1, CLOSE, &[], body);
        match trial.ask(&octets, 1)?.end_body.get(5..) {
            Some([0, 0, 0]) => {}
            found => {
                let found = found.unwrap_or_default();
                return Err(Not::holding(format!("they are {found:02x?}")));
            }
        }
    }
    Ok(())
}

fn app_status(trial: &mut Trial<'_>) -> Outcome {
    trial.needs("status")?;
    for status in [0, 1, 42] {
        let text = status.to_string();
        let octets = trial.request(1, CLOSE, &[("ECHO_STATUS", text.as_bytes())], b"");
        let found = trial.ask(&octets, 1)?.end;
        if found != Some((status, COMPLETE)) {
            return Err(Not::holding(format!(
                "expected the status {status}, found {found:?}"
            )));
        }
    }
    Ok(())
}

fn stdout_ended(trial: &mut Trial<'_>) -> Outcome {
    let octets = trial.request(1, CLOSE, &[], b"");
    let answer = trial.ask(&octets, 1)?;
    match answer.stdout_ends {
        _ if answer.reopened => Err(Not::holding("a stream goes on behind its end")),
        1 => Ok(()),
        0 => Err(Not::holding("STDOUT is not ended before END_REQUEST")),
        ends => Err(Not::holding(format!("STDOUT is ended {ends} times"))),
    }
}

fn stderr_ended(trial: &mut Trial<'_>) -> Outcome {
    trial.needs("stderr")?;
    let octets = trial.request(1, CLOSE, &[("ECHO_STDERR", b"a word")], b"");
    let answer = trial.ask(&octets, 1)?;
    let said = String::from_utf8_lossy(&answer.stderr).into_owned();
    match answer.stderr_ends {
        _ if !said.contains("a word") => Err(Not::holding(format!("STDERR says `{said}`"))),
        1 => Ok(()),
        ends => Err(Not::holding(format!("STDERR is ended {ends} times"))),
    }
}

fn cgi_headers(trial: &mut Trial<'_>) -> Outcome {
    let octets = trial.request(1, CLOSE, &[], b"");
    let answer = trial.ask(&octets, 1)?;
    let Some((head, _)) = split_head(&answer.stdout) else {
        return Err(Not::holding("no blank line ends the headers"));
    };
    let head = String::from_utf8_lossy(head).into_owned();
    let first = head.lines().next().unwrap_or_default();
    if first.starts_with("HTTP/") {
        return Err(Not::holding(format!("the first line is `{first}`")));
    }
    let known = ["content-type:", "status:", "location:"];
    let is_known = |line: &str| {
        let line = line.to_ascii_lowercase();
        known.iter().any(|name| line.starts_with(name))
    };
    if head.lines().any(is_known) {
        return Ok(());
    }
    Err(Not::holding(
        "there is none of Content-Type, Status and Location",
    ))
}

fn early_output(trial: &mut Trial<'_>) -> Outcome {
    trial.needs("early")?;
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(
        &Octets::new()
            .begin(1, RESPONDER, CLOSE)
            .stream(
                PARAMS,
                1,
                &trial.params(&[("ECHO_EARLY", b"1")], 100),
                65_528,
            )
            .record(STDIN, 1, b"some"),
    );
    Answer::read(&mut link, 1, limit).complete().map(drop)
}

fn content_length(trial: &mut Trial<'_>) -> Outcome {
    trial.needs_echo()?;
    let octets = Octets::new()
        .begin(1, RESPONDER, CLOSE)
        .stream(PARAMS, 1, &trial.params(&[], 4), 65_528)
        .stream(STDIN, 1, b"bodyandmore", 65_528);
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(&octets);
    let answer = Answer::read(&mut link, 1, limit).complete()?;
    match answer.echo() {
        // An application that refuses it does not read it either.
        None => Ok(()),
        Some(echo) if echo.stdin_len() <= 4 => Ok(()),
        Some(echo) => Err(Not::holding(format!(
            "the application was given {} octets of a body of 4",
            echo.stdin_len()
        ))),
    }
}

fn short_body(trial: &mut Trial<'_>) -> Outcome {
    let octets = Octets::new()
        .begin(1, RESPONDER, CLOSE)
        .stream(PARAMS, 1, &trial.params(&[], 10), 65_528)
        .stream(STDIN, 1, b"body", 65_528);
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(&octets);
    match Answer::read(&mut link, 1, limit).silence {
        Some(Silence::Late) => Err(Not::holding("it hangs")),
        _ => Ok(()),
    }
}

fn served_or_refused(trial: &mut Trial<'_>, role: u16) -> Outcome {
    let limit = trial.limit();
    let mut octets = Octets::new()
        .begin(1, role, KEEP)
        .stream(
            PARAMS,
            1,
            &trial.params(&[("FCGI_DATA_LENGTH", b"4")], 0),
            65_528,
        )
        .record(STDIN, 1, b"");
    if role == 3 {
        octets = octets.stream(DATA, 1, b"file", 65_528);
    }
    let mut link = trial.connect()?;
    link.send(&octets);
    let answer = Answer::read(&mut link, 1, limit);
    match answer.end {
        Some((_, COMPLETE | UNKNOWN_ROLE)) => Ok(()),
        Some((_, status)) => Err(Not::holding(format!(
            "it ends with protocolStatus {status}"
        ))),
        None => {
            let silence = answer
                .silence
                .as_ref()
                .map(Silence::describe)
                .unwrap_or_default();
            Err(Not::holding(format!(
                "neither served nor refused: {silence}"
            )))
        }
    }
}

fn authorizer(trial: &mut Trial<'_>) -> Outcome {
    served_or_refused(trial, 2)
}

fn filter(trial: &mut Trial<'_>) -> Outcome {
    served_or_refused(trial, 3)
}

fn sigterm(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    if trial.dialer.command().is_none() {
        return Err(Not::applicable("the process is not ours to stop"));
    }
    // Whatever runs by now must have answered once: its handlers are set up.
    let octets = trial.request(1, CLOSE, &[], b"");
    trial.ask(&octets, 1)?;
    match trial.dialer.terminate(limit) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Not::holding("it runs on")),
        Err(fault) => Err(Not::Applicable(fault)),
    }
}

fn end_inside(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let whole = trial.request(1, CLOSE, &[], b"body");
    for len in [3, 8, 12, 20, 30] {
        let mut link = trial.connect()?;
        link.send(&Octets::new().raw("the start of a request", &whole.bytes()[..len]));
        link.finish();
        match link.next(limit) {
            Err(Silence::Closed | Silence::Reset) => {}
            Err(silence) => {
                return Err(Not::holding(format!(
                    "after {len} octets: {}",
                    silence.describe()
                )));
            }
            Ok(_) => return Err(Not::holding(format!("after {len} octets a record comes"))),
        }
    }
    Ok(())
}

fn unread_stdin(trial: &mut Trial<'_>) -> Outcome {
    trial.needs("early")?;
    let limit = trial.limit();
    let body = vec![b'x'; 1_000_000];
    let mut link = trial.connect()?;
    link.send(&trial.request(1, KEEP, &[("ECHO_EARLY", b"1")], &body));
    Answer::read(&mut link, 1, limit).complete()?;
    trial.serves_on(&mut link, 2).map(drop)
}
