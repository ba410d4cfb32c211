//! Sections 2 to 4 and 8: how the application gets its connections, records, streams, pairs, management records.

use super::super::record::{Octets, RawRecord, pairs, write_pair};
use super::answer::Answer;
use super::check::{CheckInfo, check, recommendation};
use super::dial::Started;
use super::link::{Link, Silence};
use super::trial::*;

pub(super) const CHECKS: [CheckInfo; 20] = [
    check(
        1,
        "socket-on-descriptor-0",
        "serves a listening socket on file descriptor 0",
        descriptor_0,
    ),
    check(
        2,
        "web-server-addrs",
        "closes connections of peers that FCGI_WEB_SERVER_ADDRS does not name",
        web_server_addrs,
    ),
    recommendation(
        3,
        "other-version",
        "a record of version 2 ends the connection",
        other_version,
    ),
    check(
        3,
        "reserved-octet",
        "the reserved octet of a header is ignored",
        reserved_octet,
    ),
    check(
        4,
        "padding-of-255",
        "padding is skipped, however much",
        padding,
    ),
    check(
        4,
        "content-of-65535",
        "a record of 65,535 octets and 255 of padding",
        content_65535,
    ),
    recommendation(
        4,
        "output-is-padded",
        "records that are sent are multiples of eight octets",
        output_is_padded,
    ),
    check(
        5,
        "request-ids",
        "the ids 1, 255, 256 and 65,535",
        request_ids,
    ),
    check(
        6,
        "inactive-id",
        "records for an inactive id are ignored",
        inactive_id,
    ),
    recommendation(
        7,
        "begin-twice",
        "BEGIN_REQUEST for an active id is answered or ends the connection",
        begin_twice,
    ),
    check(
        8,
        "params-one-octet-a-record",
        "variables in records of one octet",
        params_cut,
    ),
    check(
        8,
        "stdin-one-octet-a-record",
        "a body in records of one octet",
        stdin_cut,
    ),
    check(
        9,
        "long-lengths",
        "lengths of four octets for short names and values",
        long_lengths,
    ),
    check(
        9,
        "value-lengths",
        "values of 0, 127, 128, 255, 256 and 4,000 octets",
        value_lengths,
    ),
    check(
        9,
        "any-octets",
        "values with any octets but NUL",
        any_octets,
    ),
    check(
        10,
        "get-values",
        "GET_VALUES is answered with known names and decimal values",
        get_values,
    ),
    check(
        10,
        "get-values-unknown-names",
        "unknown names in GET_VALUES are left out of the answer",
        get_values_unknown,
    ),
    check(
        11,
        "management-single-record",
        "GET_VALUES has an answer of one record",
        single_record,
    ),
    check(
        12,
        "unknown-management-type",
        "an unknown management record is answered with UNKNOWN_TYPE",
        unknown_management,
    ),
    recommendation(
        13,
        "unknown-type-of-request",
        "an unknown record of a request does no harm",
        unknown_of_request,
    ),
];

fn descriptor_0(trial: &mut Trial<'_>) -> Outcome {
    if trial.dialer.command().is_none() {
        return Err(Not::applicable(
            "the application has made its socket itself",
        ));
    }
    let octets = trial.request(1, CLOSE, &[], b"");
    trial.ask(&octets, 1).map(drop)
}

fn web_server_addrs(trial: &mut Trial<'_>) -> Outcome {
    const NAME: &str = "FCGI_WEB_SERVER_ADDRS";
    let Some(command) = trial.dialer.command().map(str::to_owned) else {
        let reason = "the environment of the application is not ours to set";
        return Err(Not::applicable(reason));
    };
    let answer = |addresses: &str| -> Result<Answer, Not> {
        let started =
            Started::on_tcp_socket(&command, &[(NAME, addresses)]).map_err(Not::Applicable)?;
        let stream = started.connect().map_err(Not::Holding)?;
        let mut link = Link::new(stream, trial.log.clone()).map_err(Not::Holding)?;
        link.send(&trial.request(1, CLOSE, &[], b""));
        Ok(Answer::read(&mut link, 1, trial.limit()))
    };
    if answer("192.0.2.1,127.0.0.1")?.complete().is_err() {
        let reason = "the application serves no TCP socket on file descriptor 0";
        return Err(Not::applicable(reason));
    }
    let refused = answer("192.0.2.1,192.0.2.2")?;
    match (refused.records.len(), refused.silence) {
        (0, Some(Silence::Closed | Silence::Reset)) => Ok(()),
        (0, _) => Err(Not::holding("the connection of a stranger stays open")),
        _ => Err(Not::holding("a stranger is served")),
    }
}

fn other_version(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    let mut begin = Vec::new();
    let mut record = RawRecord::new(BEGIN_REQUEST, 1, &[0, 1, KEEP, 0, 0, 0, 0, 0]);
    record.version = 2;
    record.write(&mut begin);
    link.send(&Octets::new().raw("BEGIN_REQUEST(1) of version 2", &begin));
    link.send(
        &Octets::new()
            .stream(PARAMS, 1, &trial.params(&[], 0), 65_528)
            .record(STDIN, 1, b""),
    );
    match link.next(limit) {
        Err(Silence::Closed | Silence::Reset) => Ok(()),
        Err(silence) => Err(Not::holding(silence.describe())),
        Ok(record) if record.end().is_some_and(|(_, status)| status != COMPLETE) => Ok(()),
        Ok(_) => Err(Not::holding("it is served as if it were version 1")),
    }
}

fn reserved_octet(trial: &mut Trial<'_>) -> Outcome {
    let params = trial.params(&[], 0);
    let mut octets = Vec::new();
    for (record_type, content) in [
        (BEGIN_REQUEST, &[0, 1, CLOSE, 9, 9, 9, 9, 9][..]),
        (PARAMS, &params),
        (PARAMS, b""),
        (STDIN, b""),
    ] {
        let mut record = RawRecord::new(record_type, 1, content);
        record.reserved = 0xff;
        record.write(&mut octets);
    }
    let octets = Octets::new().raw("a request whose reserved octets are not zero", &octets);
    trial.ask(&octets, 1).map(drop)
}

fn padding(trial: &mut Trial<'_>) -> Outcome {
    let params = trial.params(&[("HTTP_X_A", b"value")], 4);
    let octets = Octets::new()
        .padded(BEGIN_REQUEST, 1, &[0, 1, CLOSE, 0, 0, 0, 0, 0], 255)
        .padded(PARAMS, 1, &params, 255)
        .padded(PARAMS, 1, b"", 255)
        .padded(STDIN, 1, b"body", 255)
        .padded(STDIN, 1, b"", 255);
    let answer = trial.ask(&octets, 1)?;
    trial.check_echo(&answer, |echo| {
        echo.check_variable("HTTP_X_A", b"value")?;
        echo.check_stdin(b"body")
    })
}

fn content_65535(trial: &mut Trial<'_>) -> Outcome {
    let body = vec![b'x'; 65_535];
    let octets = Octets::new()
        .begin(1, RESPONDER, CLOSE)
        .stream(PARAMS, 1, &trial.params(&[], body.len()), 65_528)
        .padded(STDIN, 1, &body, 255)
        .record(STDIN, 1, b"");
    let answer = trial.ask(&octets, 1)?;
    trial.check_echo(&answer, |echo| echo.check_stdin(&body))
}

fn output_is_padded(trial: &mut Trial<'_>) -> Outcome {
    let octets = trial.request(1, CLOSE, &[], b"12345");
    let answer = trial.ask(&octets, 1)?;
    let odd = |len: usize| !len.is_multiple_of(8);
    let mut records = answer.records.iter();
    match records.find(|record| odd(record.content.len() + usize::from(record.padding))) {
        None => Ok(()),
        Some(record) => Err(Not::holding(format!(
            "a record has {} octets of content and {} of padding",
            record.content.len(),
            record.padding
        ))),
    }
}

fn request_ids(trial: &mut Trial<'_>) -> Outcome {
    for id in [1, 255, 256, 65_535] {
        let octets = trial.request(id, CLOSE, &[], b"");
        trial.ask(&octets, id)?;
    }
    Ok(())
}

fn inactive_id(trial: &mut Trial<'_>) -> Outcome {
    let mut link = trial.connect()?;
    link.send(
        &Octets::new()
            .record(STDIN, 7, b"body")
            .record(ABORT_REQUEST, 7, b"")
            .record(PARAMS, 7, b"\x01\x01AB")
            .record(DATA, 7, b""),
    );
    trial.serves_on(&mut link, 1).map(drop)
}

fn begin_twice(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(&Octets::new().begin(1, RESPONDER, KEEP));
    link.send(&trial.request(1, KEEP, &[], b""));
    let answer = Answer::read(&mut link, 1, limit);
    match answer.silence {
        Some(Silence::Late | Silence::Malformed(_)) => Err(Not::holding(
            "the connection hangs: no END_REQUEST, and not closed",
        )),
        _ => Ok(()),
    }
}

fn params_cut(trial: &mut Trial<'_>) -> Outcome {
    let value = [b'v'; 200];
    let params = trial.params(&[("HTTP_X_LONG", &value)], 0);
    let octets = Octets::new()
        .begin(1, RESPONDER, CLOSE)
        .stream(PARAMS, 1, &params, 1)
        .record(STDIN, 1, b"");
    let answer = trial.ask(&octets, 1)?;
    trial.check_echo(&answer, |echo| {
        echo.check_variable("HTTP_X_LONG", &value)?;
        echo.check_variable("SCRIPT_NAME", b"/echo")
    })
}

fn stdin_cut(trial: &mut Trial<'_>) -> Outcome {
    let body = b"quantity=100&item=3047936";
    let octets = Octets::new()
        .begin(1, RESPONDER, CLOSE)
        .stream(PARAMS, 1, &trial.params(&[], body.len()), 65_528)
        .stream(STDIN, 1, body, 1);
    let answer = trial.ask(&octets, 1)?;
    trial.check_echo(&answer, |echo| echo.check_stdin(body))
}

fn long_lengths(trial: &mut Trial<'_>) -> Outcome {
    let mut params = Vec::new();
    for (name, value) in trial.variables(&[("HTTP_X_A", b"B"), ("HTTP_X_EMPTY", b"")], 0) {
        write_pair(name.as_bytes(), &value, true, &mut params);
    }
    let octets = Octets::new()
        .begin(1, RESPONDER, CLOSE)
        .stream(PARAMS, 1, &params, 65_528)
        .record(STDIN, 1, b"");
    let answer = trial.ask(&octets, 1)?;
    trial.check_echo(&answer, |echo| {
        echo.check_variable("HTTP_X_A", b"B")?;
        echo.check_variable("HTTP_X_EMPTY", b"")
    })
}

fn value_lengths(trial: &mut Trial<'_>) -> Outcome {
    let values = [0, 127, 128, 255, 256, 4000].map(|len| vec![b'v'; len]);
    let names = values
        .each_ref()
        .map(|value| format!("HTTP_X_{}", value.len()));
    let extra: Vec<(&str, &[u8])> = names
        .iter()
        .map(String::as_str)
        .zip(values.iter().map(Vec::as_slice))
        .collect();
    let octets = trial.request(1, CLOSE, &extra, b"");
    let answer = trial.ask(&octets, 1)?;
    trial.check_echo(&answer, |echo| {
        extra
            .iter()
            .try_for_each(|(name, value)| echo.check_variable(name, value))
    })
}

fn any_octets(trial: &mut Trial<'_>) -> Outcome {
    trial.needs_echo()?;
    let value: Vec<u8> = (1..=255).collect();
    let octets = trial.request(1, CLOSE, &[("HTTP_X_OCTETS", &value)], b"");
    let answer = trial.ask(&octets, 1)?;
    trial.check_echo(&answer, |echo| echo.check_variable("HTTP_X_OCTETS", &value))
}

const NAMES: [&str; 3] = ["FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"];

/// Asks, and returns the pairs of the answer.
fn values(trial: &Trial<'_>, link: &mut Link, query: &[u8]) -> Result<Vec<(String, String)>, Not> {
    link.send(&Octets::new().record(GET_VALUES, 0, query));
    match link.next(trial.limit()) {
        Ok(record) if record.record_type == GET_VALUES_RESULT && record.id == 0 => {
            let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
            super::super::fields::split_pairs(&record.content)
                .map(|pairs| pairs.into_iter().map(|(n, v)| (text(n), text(v))).collect())
                .ok_or_else(|| Not::holding("the pairs of the answer are cut off"))
        }
        Ok(_) => Err(Not::holding("it is answered with something else")),
        Err(silence) => Err(Not::holding(format!("no answer: {}", silence.describe()))),
    }
}

fn get_values(trial: &mut Trial<'_>) -> Outcome {
    let mut link = trial.connect()?;
    let found = values(trial, &mut link, &pairs(&NAMES.map(|name| (name, ""))))?;
    if found.is_empty() {
        return Err(Not::holding(
            "the answer is empty, though all known names were asked for",
        ));
    }
    for (name, value) in &found {
        let decimal = !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit());
        let flag = name != "FCGI_MPXS_CONNS" || value == "0" || value == "1";
        if !NAMES.contains(&name.as_str()) || !decimal || !flag {
            return Err(Not::holding(format!("the answer has `{name}` = `{value}`")));
        }
    }
    Ok(())
}

fn get_values_unknown(trial: &mut Trial<'_>) -> Outcome {
    let mut link = trial.connect()?;
    let query = pairs(&[("FCGI_MPXS_CONNS", ""), ("FCGI_NONSENSE", "1"), ("", "")]);
    let found = values(trial, &mut link, &query)?;
    match found.iter().find(|(name, _)| name != "FCGI_MPXS_CONNS") {
        None => Ok(()),
        Some((name, value)) => Err(Not::holding(format!("the answer has `{name}` = `{value}`"))),
    }
}

fn single_record(trial: &mut Trial<'_>) -> Outcome {
    let mut link = trial.connect()?;
    values(trial, &mut link, &pairs(&[("FCGI_MPXS_CONNS", "")]))?;
    match link.next(QUIET) {
        Err(Silence::Late | Silence::Closed) => Ok(()),
        Err(silence) => Err(Not::holding(silence.describe())),
        Ok(_) => Err(Not::holding("another record follows the answer")),
    }
}

fn unknown_management(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(&Octets::new().record(99, 0, b"what"));
    match link.next(limit) {
        Ok(record) if record.record_type == UNKNOWN_TYPE && record.id == 0 => {
            if record.content == [99, 0, 0, 0, 0, 0, 0, 0] {
                trial.serves_on(&mut link, 1).map(drop)
            } else {
                Err(Not::holding(
                    "the body of UNKNOWN_TYPE is not the type and seven zeros",
                ))
            }
        }
        Ok(_) => Err(Not::holding("it is answered with something else")),
        Err(silence) => Err(Not::holding(format!("no answer: {}", silence.describe()))),
    }
}

fn unknown_of_request(trial: &mut Trial<'_>) -> Outcome {
    let limit = trial.limit();
    let mut link = trial.connect()?;
    link.send(
        &Octets::new()
            .begin(1, RESPONDER, CLOSE)
            .record(99, 1, b"what")
            .stream(PARAMS, 1, &trial.params(&[], 0), 65_528)
            .record(STDIN, 1, b""),
    );
    let mut answer = Answer::read(&mut link, 1, limit);
    // Ignoring it and answering it are both right.
    answer
        .others
        .retain(|record| record.record_type != UNKNOWN_TYPE);
    answer.complete().map(drop)
}
