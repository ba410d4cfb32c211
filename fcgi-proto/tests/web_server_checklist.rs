//! The Web server's side, item by item. The numbers are those of the project's conformance checklist.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod trace;

use fcgi_proto::web_server::{Config, Connection};
use fcgi_proto::{Error, Limit, Limits, ProtocolStatus, RecordType, RequestId, Role, Values};
use trace::*;

const COMPLETE: ProtocolStatus = ProtocolStatus::REQUEST_COMPLETE;

/// Begins a request and sends its variables and no body.
fn sent(conn: &mut Connection, keep_conn: bool) -> RequestId {
    let mut out = Vec::new();
    let id = conn.begin(Role::RESPONDER, keep_conn, &mut out).unwrap();
    conn.params(id, [("A", "B")], &mut out).unwrap();
    conn.stdin_end(id, &mut out).unwrap();
    let flags = if keep_conn { KEEP } else { CLOSE };
    assert_eq!(out, get(id.number(), flags));
    id
}

fn multiplexing(max_reqs: u32) -> Connection {
    let mut conn = web_server();
    conn.set_values(Values {
        mpxs_conns: Some(true),
        max_reqs: Some(max_reqs),
        max_conns: None,
    });
    conn
}

#[test]
fn item_32_ids_are_small_and_free_again_only_after_the_end() {
    let mut conn = multiplexing(10);
    for number in 1..=3 {
        assert_eq!(sent(&mut conn, true), id(number));
    }
    receive(&mut conn, &record(RecordType::STDOUT, 2, b""));
    assert_eq!(sent(&mut conn, true), id(4));
    assert_eq!(
        receive(&mut conn, &end(2, 0, COMPLETE)),
        [Told::End(2, 0, COMPLETE)]
    );
    assert_eq!(sent(&mut conn, true), id(2));
    assert_eq!(sent(&mut conn, true), id(5));
    assert_eq!(
        conn.active_requests().collect::<Vec<_>>(),
        [1, 2, 3, 4, 5].map(id)
    );
}

#[test]
fn item_32_a_gap_among_many_ids_is_found() {
    let mut limits = Limits::default();
    limits.requests = usize::MAX;
    let mut conn = Connection::new(Config::default(), limits);
    conn.set_values(Values {
        mpxs_conns: Some(true),
        ..Values::default()
    });
    for number in 1..=2000 {
        let begun = conn.begin(Role::RESPONDER, true, &mut Vec::new());
        assert_eq!(begun.map(RequestId::number), Ok(number));
    }
    assert_eq!(receive(&mut conn, &end(1234, 0, COMPLETE)).len(), 1);
    let begun = conn.begin(Role::RESPONDER, true, &mut Vec::new());
    assert_eq!(begun.map(RequestId::number), Ok(1234));
}

#[test]
fn item_32_limits_of_the_application_are_respected() {
    let mut conn = web_server();
    assert_eq!(conn.max_requests(), 1);
    sent(&mut conn, true);
    let full = |in_flight| Err(Error::NoCapacity { in_flight });
    assert_eq!(conn.begin(Role::RESPONDER, true, &mut Vec::new()), full(1));

    let mut out = Vec::new();
    conn.get_values(&mut out);
    let query = b"\x0e\0FCGI_MAX_CONNS\x0d\0FCGI_MAX_REQS\x0f\0FCGI_MPXS_CONNS";
    assert_eq!(out, record(RecordType::GET_VALUES, 0, query));
    let result = b"\x0f\x01FCGI_MPXS_CONNS1\x0d\x01FCGI_MAX_REQS2\x01\x01AB";
    let values = Values {
        max_conns: None,
        max_reqs: Some(2),
        mpxs_conns: Some(true),
    };
    let told = receive(&mut conn, &record(RecordType::GET_VALUES_RESULT, 0, result));
    assert_eq!(told, [Told::Values(values)]);
    assert_eq!((conn.values(), conn.max_requests()), (values, 2));
    // What a later answer does not say is still known.
    let later = record(
        RecordType::GET_VALUES_RESULT,
        0,
        b"\x0e\x02FCGI_MAX_CONNS10",
    );
    let values = Values {
        max_conns: Some(10),
        ..values
    };
    assert_eq!(receive(&mut conn, &later), [Told::Values(values)]);
    sent(&mut conn, true);
    assert_eq!(conn.begin(Role::RESPONDER, true, &mut Vec::new()), full(2));

    // No more than our own limit, and never none.
    assert_eq!(multiplexing(1_000_000).max_requests(), 100);
    assert_eq!(multiplexing(0).max_requests(), 1);
}

#[test]
fn item_33_a_filter_gets_its_streams_in_order_and_each_ends_once() {
    let mut conn = web_server();
    let mut out = Vec::new();
    let id = conn.begin(Role::FILTER, true, &mut out).unwrap();
    let too_early = |record_type, after| {
        Err(Error::TooEarly {
            record_type,
            after,
            id,
        })
    };
    let (params, stdin, data) = (RecordType::PARAMS, RecordType::STDIN, RecordType::DATA);
    let before = out.clone();
    assert_eq!(conn.stdin(id, b"x", &mut out), too_early(stdin, params));
    assert_eq!(conn.stdin_end(id, &mut out), too_early(stdin, params));
    assert_eq!(conn.data(id, b"x", &mut out), too_early(data, stdin));
    assert_eq!(out, before);
    conn.params(id, [("A", "B")], &mut out).unwrap();
    assert_eq!(conn.data_end(id, &mut out), too_early(data, stdin));
    conn.stdin(id, b"body", &mut out).unwrap();
    conn.stdin(id, b"", &mut out).unwrap();
    conn.stdin_end(id, &mut out).unwrap();
    conn.data(id, b"file", &mut out).unwrap();
    conn.data_end(id, &mut out).unwrap();
    let ended = |record_type| Err(Error::StreamEnded { record_type, id });
    assert_eq!(conn.params(id, [("A", "B")], &mut out), ended(params));
    assert_eq!(conn.stdin(id, b"x", &mut out), ended(stdin));
    assert_eq!(conn.stdin_end(id, &mut out), ended(stdin));
    assert_eq!(conn.data(id, b"x", &mut out), ended(data));
    assert_eq!(conn.data_end(id, &mut out), ended(data));
    let expected = [
        begin(1, Role::FILTER, KEEP),
        record(params, 1, b"\x01\x01AB"),
        record(params, 1, b""),
        record(stdin, 1, b"body"),
        record(stdin, 1, b""),
        record(data, 1, b"file"),
        record(data, 1, b""),
    ];
    assert_eq!(out, expected.concat());
}

#[test]
fn item_33_only_a_filter_has_data() {
    for role in [Role::RESPONDER, Role::AUTHORIZER] {
        let mut conn = web_server();
        let mut out = Vec::new();
        let id = conn.begin(role, true, &mut out).unwrap();
        let error = Error::NotInRole {
            record_type: RecordType::DATA,
            id,
            role,
        };
        assert_eq!(conn.data(id, b"x", &mut out), Err(error));
        assert_eq!(conn.data_end(id, &mut out), Err(error));
    }
}

#[test]
fn item_33_all_variables_go_into_one_record_where_they_fit() {
    let pairs: Vec<_> = (0..1000)
        .map(|n| (format!("NAME_{n:04}"), "x".repeat(53)))
        .collect();
    let mut conn = web_server();
    let mut out = Vec::new();
    let id = conn.begin(Role::RESPONDER, true, &mut out).unwrap();
    out.clear();
    conn.params(id, pairs.iter().map(|(n, v)| (n, v)), &mut out)
        .unwrap();
    assert_eq!(
        outline(&out),
        [(RecordType::PARAMS, 1, 64_000), (RecordType::PARAMS, 1, 0)]
    );
}

#[test]
fn item_34_an_aborted_request_gets_nothing_more_and_still_has_to_end() {
    let mut conn = web_server();
    let mut out = Vec::new();
    let id = conn.begin(Role::RESPONDER, true, &mut out).unwrap();
    conn.params(id, [("A", "B")], &mut out).unwrap();
    out.clear();
    conn.abort(id, &mut out).unwrap();
    conn.abort(id, &mut out).unwrap();
    assert_eq!(out, record(RecordType::ABORT_REQUEST, 1, b""));
    let record_type = RecordType::STDIN;
    assert_eq!(
        conn.stdin(id, b"x", &mut out),
        Err(Error::StreamEnded { record_type, id })
    );
    assert_eq!(
        conn.begin(Role::RESPONDER, true, &mut out),
        Err(Error::NoCapacity { in_flight: 1 })
    );
    receive(&mut conn, &end(1, 0, COMPLETE));
    assert_eq!(conn.abort(id, &mut out), Err(Error::NotActive { id }));
    assert_eq!(sent(&mut conn, true), id);
}

#[test]
fn item_35_stdout_and_stderr_in_any_interleave() {
    let octets = [
        record(RecordType::STDERR, 1, b"e1"),
        record(RecordType::STDOUT, 1, b"o1"),
        record(RecordType::STDERR, 1, b"e2"),
        record(RecordType::STDERR, 1, b""),
        record(RecordType::STDOUT, 1, b"o2"),
        record(RecordType::STDOUT, 1, b""),
        end(1, 7, COMPLETE),
    ]
    .concat();
    let expected = [
        Told::Stderr(1, b"e1".to_vec()),
        Told::Stdout(1, b"o1".to_vec()),
        Told::Stderr(1, b"e2".to_vec()),
        Told::StderrEnd(1),
        Told::Stdout(1, b"o2".to_vec()),
        Told::StdoutEnd(1),
        Told::End(1, 7, COMPLETE),
    ];
    for piece in [1, 2, 9, octets.len()] {
        let mut conn = web_server();
        sent(&mut conn, true);
        assert_eq!(receive_in_pieces(&mut conn, &octets, piece), expected);
    }
}

#[test]
fn item_35_php_never_ends_stdout() {
    let mut conn = web_server();
    sent(&mut conn, true);
    let octets = [record(RecordType::STDOUT, 1, b"page"), end(1, 0, COMPLETE)].concat();
    let expected = [Told::Stdout(1, b"page".to_vec()), Told::End(1, 0, COMPLETE)];
    assert_eq!(receive(&mut conn, &octets), expected);
}

#[test]
fn item_35_wfastcgi_ends_stdout_after_every_piece() {
    let mut conn = web_server();
    sent(&mut conn, true);
    let piece = [
        record(RecordType::STDOUT, 1, b"page"),
        record(RecordType::STDOUT, 1, b""),
    ]
    .concat();
    let octets = [piece.repeat(3), end(1, 0, COMPLETE)].concat();
    let page = Told::Stdout(1, b"page".to_vec());
    let told = receive(&mut conn, &octets);
    let merged = Told::Stdout(1, b"pagepage".to_vec());
    assert_eq!(
        told,
        [page, Told::StdoutEnd(1), merged, Told::End(1, 0, COMPLETE)]
    );
}

#[test]
fn item_36_an_end_before_the_input_was_read_stops_the_sending() {
    let mut conn = web_server();
    let mut out = Vec::new();
    let id = conn.begin(Role::RESPONDER, true, &mut out).unwrap();
    conn.params(id, [("A", "B")], &mut out).unwrap();
    conn.stdin(id, b"half", &mut out).unwrap();
    receive(&mut conn, &end(1, 0, COMPLETE));
    assert_eq!(
        conn.stdin(id, b"rest", &mut out),
        Err(Error::NotActive { id })
    );
    assert_eq!(sent(&mut conn, true), id);
}

#[test]
fn item_36_without_keep_conn_there_is_one_request() {
    let mut conn = multiplexing(10);
    sent(&mut conn, false);
    let mut out = Vec::new();
    assert_eq!(
        conn.begin(Role::RESPONDER, true, &mut out),
        Err(Error::ConnectionClosing)
    );
    assert!(!conn.should_close());
    receive(&mut conn, &end(1, 0, COMPLETE));
    assert!(conn.should_close());
    assert_eq!(
        conn.begin(Role::RESPONDER, true, &mut out),
        Err(Error::ConnectionClosing)
    );
    assert_eq!(out, []);
    assert_eq!(conn.handle_eof(), Ok(()));
}

#[test]
fn item_36_a_connection_that_ends_early_leaves_its_requests() {
    let mut conn = web_server();
    sent(&mut conn, true);
    receive(&mut conn, &record(RecordType::STDOUT, 1, b"half"));
    assert_eq!(conn.handle_eof(), Ok(()));
    assert_eq!(conn.active_requests().collect::<Vec<_>>(), [id(1)]);
    receive(&mut conn, &record(RecordType::STDOUT, 1, b"half")[..9]);
    assert_eq!(conn.handle_eof(), Err(Error::UnexpectedEof { offset: 25 }));
}

#[test]
fn item_37_a_refusal_is_told_as_such() {
    for number in 1..=255 {
        let mut conn = web_server();
        sent(&mut conn, true);
        let status = ProtocolStatus(number);
        assert_eq!(
            receive(&mut conn, &end(1, 0, status)),
            [Told::End(1, 0, status)]
        );
    }
}

#[test]
fn item_39_management_records_and_unknown_ones() {
    let mut conn = web_server();
    sent(&mut conn, true);
    let unknown = unknown_type(RecordType(99));
    assert_eq!(
        receive(&mut conn, &unknown),
        [Told::UnknownType(RecordType(99))]
    );
    for octets in [
        record(RecordType(99), 1, b"content"),
        record(RecordType(99), 0, b"content"),
        record(RecordType::GET_VALUES, 0, b""),
        record(RecordType::GET_VALUES_RESULT, 1, b"content"),
        record(RecordType::UNKNOWN_TYPE, 1, b""),
        record(RecordType::STDOUT, 0, b"content"),
        record(RecordType::STDOUT, 2, b"content"),
        record(RecordType::END_REQUEST, 2, b""),
    ] {
        assert_eq!(receive(&mut conn, &octets), []);
    }
    assert_eq!(
        receive(&mut conn, &end(1, 0, COMPLETE)),
        [Told::End(1, 0, COMPLETE)]
    );
}

#[test]
fn item_39_an_empty_result_answers_one_question() {
    let mut conn = web_server();
    let empty = record(RecordType::GET_VALUES_RESULT, 0, b"");
    assert_eq!(receive(&mut conn, &empty), []);
    conn.get_values(&mut Vec::new());
    let told = receive(&mut conn, &[empty.clone(), empty].concat());
    assert_eq!(told, [Told::Values(Values::default())]);
}

#[test]
fn item_39_an_application_without_get_values_says_so() {
    let mut conn = web_server();
    conn.get_values(&mut Vec::new());
    let unknown = unknown_type(RecordType::GET_VALUES);
    assert_eq!(
        receive(&mut conn, &unknown),
        [Told::UnknownType(RecordType::GET_VALUES)]
    );
    // That was the answer.
    assert_eq!(
        receive(&mut conn, &record(RecordType::GET_VALUES_RESULT, 0, b"")),
        []
    );
}

#[test]
fn item_39_malformed_records_end_the_connection() {
    let (end_request, unknown_type) = (RecordType::END_REQUEST, RecordType::UNKNOWN_TYPE);
    let body = |record_type, found| Error::BodyLength {
        record_type,
        expected: 8,
        found,
        offset: 0,
    };
    let result = RecordType::GET_VALUES_RESULT;
    let table = [
        (record(end_request, 1, b"1234567"), body(end_request, 7)),
        (record(end_request, 1, b""), body(end_request, 0)),
        (record(unknown_type, 0, b"123456789"), body(unknown_type, 9)),
        (
            record(result, 0, b"\x0f"),
            Error::ValuesTruncated {
                record_type: result,
                offset: 0,
            },
        ),
        (
            record(result, 0, &[0; 4098]),
            Error::LimitReached {
                limit: Limit::ManagementLen,
                max: 4096,
                offset: 0,
            },
        ),
        (
            vec![b'H'; 8],
            Error::UnsupportedVersion {
                found: b'H',
                offset: 0,
            },
        ),
        (
            record(RecordType::STDIN, 1, b"x"),
            Error::WrongDirection {
                record_type: RecordType::STDIN,
                id: id(1),
                offset: 0,
            },
        ),
    ];
    for (octets, error) in table {
        let mut conn = web_server();
        sent(&mut conn, true);
        assert_eq!(receive(&mut conn, &octets), [Told::Failed(error)]);
        assert_eq!(
            conn.begin(Role::RESPONDER, true, &mut Vec::new()),
            Err(error)
        );
    }
}

#[test]
fn an_application_that_babbles_is_cut_off() {
    let mut limits = Limits::default();
    limits.unread_len = 100;
    let mut conn = Connection::new(Config::default(), limits);
    let waste = record(RecordType::STDOUT, 9, &[0; 42]);
    assert_eq!(receive(&mut conn, &waste.repeat(2)), []);
    let error = Error::LimitReached {
        limit: Limit::UnreadLen,
        max: 100,
        offset: 112,
    };
    assert_eq!(receive(&mut conn, &waste), [Told::Failed(error)]);
}

#[test]
fn item_40_appendix_b_example_3() {
    let mut conn = web_server();
    let mut out = Vec::new();
    let id = conn.begin(Role::RESPONDER, false, &mut out).unwrap();
    let pairs = [("SERVER_PORT", "80"), ("SERVER_ADDR", "199.170.183.42")];
    conn.params(id, pairs, &mut out).unwrap();
    conn.stdin_end(id, &mut out).unwrap();
    let params = b"\x0b\x02SERVER_PORT80\x0b\x0eSERVER_ADDR199.170.183.42";
    let expected = [
        begin(1, Role::RESPONDER, CLOSE),
        record(RecordType::PARAMS, 1, params),
        record(RecordType::PARAMS, 1, b""),
        record(RecordType::STDIN, 1, b""),
    ];
    assert_eq!(out, expected.concat());

    let octets = [
        record(RecordType::STDOUT, 1, b"Content-type: text/html\r\n\r\n<ht"),
        record(RecordType::STDERR, 1, b"config error: missing SI_UID\n"),
        record(RecordType::STDOUT, 1, b"ml>\n<head>"),
        record(RecordType::STDOUT, 1, b""),
        record(RecordType::STDERR, 1, b""),
        end(1, 938, COMPLETE),
    ]
    .concat();
    let expected = [
        Told::Stdout(1, b"Content-type: text/html\r\n\r\n<ht".to_vec()),
        Told::Stderr(1, b"config error: missing SI_UID\n".to_vec()),
        Told::Stdout(1, b"ml>\n<head>".to_vec()),
        Told::StdoutEnd(1),
        Told::StderrEnd(1),
        Told::End(1, 938, COMPLETE),
    ];
    assert_eq!(receive(&mut conn, &octets), expected);
    assert!(conn.should_close());
}

#[test]
fn item_40_appendix_b_example_4() {
    let mut conn = multiplexing(2);
    sent(&mut conn, true);
    sent(&mut conn, true);
    let octets = [
        record(RecordType::STDOUT, 1, b"Content-type: text/html\r\n\r\n"),
        record(
            RecordType::STDOUT,
            2,
            b"Content-type: text/html\r\n\r\n<html>",
        ),
        record(RecordType::STDOUT, 2, b""),
        end(2, 0, COMPLETE),
        record(RecordType::STDOUT, 1, b"<html>"),
        record(RecordType::STDOUT, 1, b""),
        end(1, 0, COMPLETE),
    ]
    .concat();
    let expected = [
        Told::Stdout(1, b"Content-type: text/html\r\n\r\n".to_vec()),
        Told::Stdout(2, b"Content-type: text/html\r\n\r\n<html>".to_vec()),
        Told::StdoutEnd(2),
        Told::End(2, 0, COMPLETE),
        Told::Stdout(1, b"<html>".to_vec()),
        Told::StdoutEnd(1),
        Told::End(1, 0, COMPLETE),
    ];
    assert_eq!(receive(&mut conn, &octets), expected);
    assert!(!conn.should_close());
}
