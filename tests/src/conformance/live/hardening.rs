//! Known bugs of other implementations, as far as a connection can show them.

use super::super::record::{Octets, RawRecord, pairs};
use super::answer::Answer;
use super::check::{CheckInfo, bug};
use super::link::Silence;
use super::trial::*;

pub(super) const CHECKS: [CheckInfo; 9] = [
    bug(
        "3.4",
        "length-overflow",
        "lengths whose sum overflows 32 bits (CVE-2025-23016)",
        length_overflow,
    ),
    bug(
        "3.4",
        "value-never-sent",
        "a length of 2³¹ − 1 and an end of PARAMS",
        value_never_sent,
    ),
    bug(
        "4.1",
        "get-values-repeated",
        "a name that GET_VALUES repeats is answered once (libfcgi's 64 octets on the stack)",
        get_values_repeated,
    ),
    bug(
        "3.4",
        "empty-path-info",
        "an empty PATH_INFO (CVE-2019-11043)",
        empty_path_info,
    ),
    bug(
        "3.3",
        "record-in-content",
        "content that looks like records (HAProxy's smuggling)",
        record_in_content,
    ),
    bug(
        "5.2",
        "endless-params",
        "4 MiB of variables are refused before they end (Go has no limit)",
        endless_params,
    ),
    bug(
        "3.3",
        "half-closed",
        "40 connections that end inside a record leave nothing behind (CVE-2022-41556)",
        half_closed,
    ),
    bug(
        "3.3",
        "unread-response",
        "a peer that goes away and does not read the response",
        unread_response,
    ),
    bug(
        "3.3",
        "padding-is-zeros",
        "padding that is sent is zeros, and not memory (libfcgi's stack)",
        padding_is_zeros,
    ),
];

/// That a malformed request has an end, or ends the connection.
fn refused(answer: &Answer) -> Outcome {
    match (&answer.end, &answer.silence) {
        (Some((0, COMPLETE)), _) if !answer.stdout.is_empty() => {
            Err(Not::holding("it is served as if nothing were wrong"))
        }
        (Some(_), _) | (None, Some(Silence::Closed | Silence::Reset)) => Ok(()),
        (None, silence) => {
            let silence = silence.as_ref().map(Silence::describe).unwrap_or_default();
            Err(Not::holding(format!(
                "neither refused nor closed: {silence}"
            )))
        }
    }
}

fn malformed_params(trial: &mut Trial<'_>, params: &[u8]) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(
        &Octets::new()
            .begin(1, RESPONDER, KEEP)
            .record(PARAMS, 1, params)
            .record(PARAMS, 1, b"")
            .record(STDIN, 1, b""),
    );
    link.finish();
    refused(&Answer::read(&mut link, 1, limit))
}

fn length_overflow(trial: &mut Trial<'_>) -> Outcome {
    let mut params = vec![0xff; 8];
    params.extend([b'A'; 2000]);
    malformed_params(trial, &params)
}

fn value_never_sent(trial: &mut Trial<'_>) -> Outcome {
    malformed_params(trial, b"\x04\xff\xff\xff\xffNAMEvalue")
}

fn get_values_repeated(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    for times in [2, 5, 20, 1000] {
        let mut link = trial.connect()?;
        let query = pairs(&[("FCGI_MAX_CONNS", "")]).repeat(times);
        // libfcgi answers only a question that is padded.
        link.send(&Octets::new().padded(GET_VALUES, 0, &query, 8));
        match link.next(limit) {
            Ok(record) if record.record_type == GET_VALUES_RESULT => {
                match super::super::fields::split_pairs(&record.content) {
                    Some(found) if found.len() <= 1 => {}
                    Some(found) => {
                        let answered = found.len();
                        let reason =
                            format!("asked {times} times, it is answered {answered} times");
                        // What more of it does is known when the process is gone.
                        link.send(&Octets::new().padded(
                            GET_VALUES,
                            0,
                            &pairs(&[("FCGI_MAX_CONNS", "")]).repeat(1000),
                            8,
                        ));
                        let _ = link.next(limit);
                        return Err(Not::Holding(reason));
                    }
                    None => return Err(Not::holding("the pairs of the answer are cut off")),
                }
            }
            Ok(_) | Err(Silence::Closed | Silence::Reset | Silence::Late) => {}
            Err(silence) => return Err(Not::holding(silence.describe())),
        }
    }
    Ok(())
}

fn padding_is_zeros(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    for octets in [
        Octets::new().padded(GET_VALUES, 0, &pairs(&[("FCGI_MAX_CONNS", "")]), 8),
        trial.request(1, CLOSE, &[], b"12345"),
        trial.request(1, CLOSE, &[], b"12"),
    ] {
        let mut link = trial.connect()?;
        link.send(&octets);
        link.finish();
        // Until nothing more comes: padding may come behind the record.
        while link.next(limit).is_ok() {}
        if let Some(padding) = link.dirty_padding() {
            return Err(Not::holding(format!("it is {padding:02x?}")));
        }
    }
    Ok(())
}

fn empty_path_info(trial: &mut Trial<'_>) -> Outcome {
    let extra: [(&str, &[u8]); 2] = [("PATH_INFO", b""), ("REQUEST_URI", b"/echo?a%0Ab")];
    let octets = trial.request(1, CLOSE, &extra, b"");
    let answer = trial.ask(&octets, 1)?;
    trial.check_echo(&answer, |echo| {
        echo.check_variable("REQUEST_URI", b"/echo?a%0Ab")
    })
}

fn record_in_content(trial: &mut Trial<'_>) -> Outcome {
    let mut body = Vec::new();
    RawRecord::new(END_REQUEST, 1, &[0; 8]).write(&mut body);
    RawRecord::new(BEGIN_REQUEST, 2, &[0, 1, 0, 0, 0, 0, 0, 0]).write(&mut body);
    let octets = trial.request(1, CLOSE, &[], &body);
    let answer = trial.ask(&octets, 1)?;
    trial.check_echo(&answer, |echo| echo.check_stdin(&body))
}

fn endless_params(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    let value = "v".repeat(60_000);
    let mut octets = Octets::new().begin(1, RESPONDER, KEEP);
    for number in 0..70 {
        let pair = pairs(&[(format!("HTTP_X_{number:04}"), &value)]);
        octets = octets.record(PARAMS, 1, &pair);
    }
    link.send(&octets);
    let answer = Answer::read(&mut link, 1, limit);
    match (&answer.end, &answer.silence) {
        (Some(_), _) | (None, Some(Silence::Closed | Silence::Reset)) => Ok(()),
        _ => Err(Not::holding(
            "they are neither refused, nor is the connection closed",
        )),
    }
}

fn half_closed(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let start = trial.request(1, KEEP, &[], b"");
    let mut links = Vec::new();
    for _ in 0..40 {
        let mut link = trial.connect()?;
        link.send(&Octets::new().raw("the start of a request", &start.bytes()[..30]));
        link.finish();
        links.push(link);
    }
    for link in &mut links {
        match link.next(limit) {
            Err(Silence::Closed | Silence::Reset) => {}
            Err(silence) => return Err(Not::holding(silence.describe())),
            Ok(_) => return Err(Not::holding("a record comes")),
        }
    }
    Ok(())
}

fn unread_response(trial: &mut Trial<'_>) -> Outcome {
    let body = vec![b'x'; 200_000];
    for _ in 0..3 {
        let link = trial.connect()?;
        link.send(&trial.request(1, KEEP, &[], &body));
        // It goes away without reading. The runner asks afterwards whether the application is still there.
        drop(link);
    }
    Ok(())
}
