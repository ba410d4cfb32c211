//! The application's side, item by item: what the specification demands, what it leaves open, and what others got
//! wrong. The numbers are those of the project's conformance checklist, where 1, 2, 24 to 27 and 29 are about the
//! process, CGI headers and variables, which are not the machine's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod trace;

use fcgi_proto::application::{AfterRequest, Config, Connection};
use fcgi_proto::{Error, Limit, Limits, ProtocolStatus, RecordType, Role};
use trace::*;

const COMPLETE: ProtocolStatus = ProtocolStatus::REQUEST_COMPLETE;

/// Takes the machine's own replies.
fn replies(conn: &mut Connection) -> Vec<u8> {
    let mut out = Vec::new();
    conn.take_output(&mut out);
    assert_eq!(conn.pending_output(), []);
    out
}

/// Ends a request and returns what is written for it.
fn ended(conn: &mut Connection, number: u16, app_status: u32) -> (Vec<u8>, AfterRequest) {
    let mut out = Vec::new();
    let after = conn.end_request(id(number), app_status, &mut out).unwrap();
    (out, after)
}

#[test]
fn item_03_another_version_ends_the_connection_and_reserved_is_ignored() {
    for version in [0, 2, 255] {
        let mut octets = get(1, KEEP);
        let offset = octets.len() as u64;
        octets.extend([version, 5, 0, 1, 0, 0, 0, 0]);
        let mut conn = application();
        let told = feed(&mut conn, &octets);
        let error = Error::UnsupportedVersion {
            found: version,
            offset,
        };
        assert_eq!(told.last(), Some(&Told::Failed(error)));
    }
    let mut octets = get(1, KEEP);
    octets[7] = 0xff;
    assert_eq!(feed(&mut application(), &octets), told_get(1, KEEP));
}

#[test]
fn item_04_any_padding_is_skipped_and_output_is_padded_to_eight() {
    let octets = [
        padded(RecordType::BEGIN_REQUEST, 1, &[0, 1, 1, 0, 0, 0, 0, 0], 255),
        padded(RecordType::PARAMS, 1, b"\x01\x01AB", 1),
        padded(RecordType::PARAMS, 1, b"", 200),
        padded(RecordType::STDIN, 1, &vec![b'x'; 65_535], 255),
        padded(RecordType::STDIN, 1, b"", 7),
    ]
    .concat();
    let mut expected = told_get(1, KEEP);
    expected.insert(1, Told::Stdin(1, vec![b'x'; 65_535]));
    for piece in [1, 2, 7, 8, 9, 1000, octets.len()] {
        assert_eq!(feed_in_pieces(&mut application(), &octets, piece), expected);
    }
    let mut conn = application();
    feed(&mut conn, &octets);
    for len in [0, 1, 7, 8, 65_535, 65_536, 200_000] {
        let mut out = Vec::new();
        conn.stdout(id(1), &vec![b'x'; len], &mut out).unwrap();
        assert_eq!(out.len() % 8, 0);
        let outline = outline(&out);
        assert_eq!(
            outline
                .iter()
                .map(|(_, _, len)| usize::from(*len))
                .sum::<usize>(),
            len
        );
        assert!(
            outline.iter().all(|(_, _, len)| *len > 0),
            "an empty record would end the stream"
        );
    }
}

#[test]
fn item_05_every_id_can_be_active_from_begin_to_end() {
    let mut conn = application();
    for number in 1..=u16::MAX {
        assert_eq!(feed(&mut conn, &get(number, KEEP)), told_get(number, KEEP));
        assert_eq!(conn.active_requests().collect::<Vec<_>>(), [id(number)]);
        let (_, after) = ended(&mut conn, number, 0);
        assert_eq!(after, AfterRequest::KeepConnection);
        assert_eq!(conn.active_requests().count(), 0);
    }
    assert!(conn.is_idle());
}

#[test]
fn item_05_null_id_is_for_management_only() {
    let error = Error::NullRequestId {
        record_type: RecordType::BEGIN_REQUEST,
        offset: 0,
    };
    let told = feed(&mut application(), &begin(0, Role::RESPONDER, KEEP));
    assert_eq!(told, [Told::Failed(error)]);
}

#[test]
fn item_06_records_for_an_inactive_id_are_ignored() {
    let mut conn = application();
    for number in 1..=11 {
        let record_type = RecordType(number);
        if record_type != RecordType::BEGIN_REQUEST {
            assert_eq!(feed(&mut conn, &record(record_type, 9, b"12345678")), []);
        }
    }
    assert_eq!(replies(&mut conn), []);
    assert_eq!(feed(&mut conn, &get(9, KEEP)), told_get(9, KEEP));
}

#[test]
fn item_07_begin_for_an_active_id_ends_the_connection() {
    let octets = [
        begin(1, Role::RESPONDER, KEEP),
        begin(1, Role::RESPONDER, KEEP),
    ]
    .concat();
    for mut conn in [application(), multiplexing()] {
        let error = Error::RequestIdInUse {
            id: id(1),
            offset: 16,
        };
        assert_eq!(feed(&mut conn, &octets), [Told::Failed(error)]);
        assert_eq!(replies(&mut conn), []);
    }
}

#[test]
fn item_08_streams_mean_the_same_however_they_are_split() {
    let params = b"\x0b\x02SERVER_PORT80\x80\x00\x00\x0b\x80\x00\x00\x0eSERVER_ADDR199.170.183.42";
    let pairs = [("SERVER_PORT", "80"), ("SERVER_ADDR", "199.170.183.42")];
    for first in 1..params.len() {
        let octets = [
            begin(1, Role::RESPONDER, KEEP),
            record(RecordType::PARAMS, 1, &params[..first]),
            record(RecordType::PARAMS, 1, &params[first..]),
            record(RecordType::PARAMS, 1, b""),
            record(RecordType::STDIN, 1, b"body"),
            record(RecordType::STDIN, 1, b""),
        ]
        .concat();
        let expected = [
            request(1, Role::RESPONDER, KEEP, &pairs),
            Told::Stdin(1, b"body".to_vec()),
            Told::StdinEnd(1),
        ];
        for piece in [1, 3, octets.len()] {
            assert_eq!(feed_in_pieces(&mut application(), &octets, piece), expected);
        }
    }
}

#[test]
fn item_08_the_end_of_a_stream_may_be_repeated_but_not_taken_back() {
    let again = [
        record(RecordType::PARAMS, 1, b""),
        record(RecordType::STDIN, 1, b""),
    ]
    .concat();
    let mut conn = application();
    feed(&mut conn, &get(1, KEEP));
    assert_eq!(feed(&mut conn, &again), []);

    for record_type in [RecordType::PARAMS, RecordType::STDIN] {
        let mut octets = get(1, KEEP);
        let offset = octets.len() as u64;
        octets.extend(record(record_type, 1, b"\x01\x01CD"));
        let error = Error::StreamReopened {
            record_type,
            id: id(1),
            offset,
        };
        assert_eq!(
            feed(&mut application(), &octets).last(),
            Some(&Told::Failed(error))
        );
    }
}

#[test]
fn item_09_lengths_in_both_forms_and_any_octets_in_values() {
    let mut params = b"\x80\x00\x00\x01\x00A\x01\x80\x00\x00\x02B\x00\xff".to_vec();
    params.extend(b"\x01\x80\x00\x00\x80C");
    params.extend([b'c'; 128]);
    let octets = [
        begin(1, Role::RESPONDER, KEEP),
        record(RecordType::PARAMS, 1, &params),
        record(RecordType::PARAMS, 1, b""),
    ]
    .concat();
    let told = feed(&mut application(), &octets);
    let [Told::Request { params, .. }] = &told[..] else {
        panic!("{told:?}")
    };
    let expected = [
        (b"A".to_vec(), vec![]),
        (b"B".to_vec(), vec![0, 255]),
        (b"C".to_vec(), vec![b'c'; 128]),
    ];
    assert_eq!(params[..], expected);
}

#[test]
fn item_10_get_values_is_answered_with_what_is_asked_and_known() {
    let query =
        b"\x0f\x00FCGI_MPXS_CONNS\x03\x00FOO\x0e\x05FCGI_MAX_CONNSabcde\x0e\x00FCGI_MAX_CONNS";
    let answer = b"\x0e\x02FCGI_MAX_CONNS10\x0f\x01FCGI_MPXS_CONNS1";
    let octets = record(RecordType::GET_VALUES, 0, query);
    let expected = record(RecordType::GET_VALUES_RESULT, 0, answer);
    for piece in [1, 10, octets.len()] {
        let mut conn = multiplexing();
        assert_eq!(feed_in_pieces(&mut conn, &octets, piece), []);
        assert_eq!(replies(&mut conn), expected);
        // In the middle of a request too.
        feed(&mut conn, &begin(1, Role::RESPONDER, KEEP));
        feed(&mut conn, &octets);
        assert_eq!(replies(&mut conn), expected);
    }
    let mut conn = application();
    feed(
        &mut conn,
        &record(
            RecordType::GET_VALUES,
            0,
            b"\x0d\x00FCGI_MAX_REQS\x0f\x00FCGI_MPXS_CONNS",
        ),
    );
    let answer = b"\x0d\x01FCGI_MAX_REQS1\x0f\x01FCGI_MPXS_CONNS0";
    assert_eq!(
        replies(&mut conn),
        record(RecordType::GET_VALUES_RESULT, 0, answer)
    );
}

#[test]
fn item_10_a_query_that_ends_inside_a_pair_or_is_too_long_ends_the_connection() {
    let record_type = RecordType::GET_VALUES;
    let told = feed(&mut application(), &record(record_type, 0, b"\x0d\x00FCGI"));
    assert_eq!(
        told,
        [Told::Failed(Error::ValuesTruncated {
            record_type,
            offset: 0
        })]
    );

    let told = feed(&mut application(), &record(record_type, 0, &[0; 4097]));
    let limit = Limit::ManagementLen;
    assert_eq!(
        told,
        [Told::Failed(Error::LimitReached {
            limit,
            max: 4096,
            offset: 0
        })]
    );
}

#[test]
fn item_11_management_replies_are_single_records() {
    let mut conn = application();
    feed(&mut conn, &record(RecordType::GET_VALUES, 0, b""));
    feed(&mut conn, &record(RecordType(99), 0, b"what"));
    let expected = [
        (RecordType::GET_VALUES_RESULT, 0, 0),
        (RecordType::UNKNOWN_TYPE, 0, 8),
    ];
    assert_eq!(outline(&replies(&mut conn)), expected);
}

#[test]
fn item_12_unknown_management_records_are_answered() {
    for number in (0..=255).map(RecordType) {
        let mut conn = application();
        feed(&mut conn, &get(1, KEEP));
        match number {
            RecordType::BEGIN_REQUEST | RecordType::GET_VALUES => continue,
            RecordType::GET_VALUES_RESULT | RecordType::UNKNOWN_TYPE => {
                // An answer to an answer could go on for ever.
                assert_eq!(feed(&mut conn, &record(number, 0, &[0; 8])), []);
                assert_eq!(replies(&mut conn), []);
            }
            _ => {
                assert_eq!(feed(&mut conn, &record(number, 0, b"content")), []);
                assert_eq!(replies(&mut conn), unknown_type(number));
            }
        }
    }
}

#[test]
fn item_13_unknown_records_of_a_request_are_ignored() {
    let mut conn = application();
    feed(&mut conn, &begin(1, Role::RESPONDER, KEEP));
    for number in [0, 9, 10, 11, 12, 255] {
        assert_eq!(
            feed(&mut conn, &record(RecordType(number), 1, b"content")),
            []
        );
    }
    assert_eq!(replies(&mut conn), []);
    let rest = &get(1, KEEP)[16..];
    assert_eq!(feed(&mut conn, rest), told_get(1, KEEP));
}

#[test]
fn item_14_a_begin_body_of_another_length_ends_the_connection() {
    for len in [0, 1, 7, 9, 65_535] {
        let octets = record(RecordType::BEGIN_REQUEST, 1, &vec![0; len]);
        let record_type = RecordType::BEGIN_REQUEST;
        let found = u16::try_from(len).unwrap();
        let error = Error::BodyLength {
            record_type,
            expected: 8,
            found,
            offset: 0,
        };
        assert_eq!(feed(&mut application(), &octets), [Told::Failed(error)]);
    }
}

#[test]
fn item_15_keep_conn_decides_who_closes_and_other_flags_are_ignored() {
    for bits in 0..=255 {
        let flags = fcgi_proto::Flags(bits);
        let mut conn = application();
        assert_eq!(feed(&mut conn, &get(1, flags)), told_get(1, flags));
        let (_, after) = ended(&mut conn, 1, 0);
        let keep = bits & 1 == 1;
        assert_eq!(after == AfterRequest::KeepConnection, keep);
        assert_eq!(conn.should_close(), !keep);
    }
}

#[test]
fn item_15_nothing_is_begun_behind_a_last_request() {
    let mut conn = application();
    feed(&mut conn, &get(1, CLOSE));
    let _close = ended(&mut conn, 1, 0);
    let offset = conn.offset();
    let told = feed(&mut conn, &get(2, KEEP));
    assert_eq!(
        told,
        [Told::Refused(
            2,
            Error::AfterLastRequest { id: id(2), offset }
        )]
    );
    assert_eq!(replies(&mut conn), end(2, 0, ProtocolStatus::OVERLOADED));
    assert!(conn.should_close());
}

#[test]
fn item_15_a_multiplexed_connection_closes_after_all_of_its_requests() {
    let mut conn = multiplexing();
    feed(&mut conn, &get(1, CLOSE));
    let mut late = multiplexing();
    feed(&mut late, &[get(1, CLOSE), get(2, KEEP)].concat());
    assert_eq!(ended(&mut late, 1, 0).1, AfterRequest::KeepConnection);
    assert!(!late.should_close());
    assert_eq!(ended(&mut late, 2, 0).1, AfterRequest::CloseConnection);
    assert_eq!(ended(&mut conn, 1, 0).1, AfterRequest::CloseConnection);
}

#[test]
fn item_16_an_unknown_role_is_refused_and_the_connection_goes_on() {
    for role in [0, 2, 3, 4, 999].map(Role) {
        let mut conn = application();
        let octets = [
            begin(1, role, KEEP),
            record(RecordType::PARAMS, 1, b"\x01\x01AB"),
            record(RecordType::PARAMS, 1, b""),
            record(RecordType::STDIN, 1, b"body"),
            record(RecordType::STDIN, 1, b""),
        ]
        .concat();
        let error = Error::UnknownRole {
            id: id(1),
            role,
            offset: 0,
        };
        assert_eq!(feed(&mut conn, &octets), [Told::Refused(1, error)]);
        assert_eq!(replies(&mut conn), end(1, 0, ProtocolStatus::UNKNOWN_ROLE));
        assert!(!conn.should_close());
        assert_eq!(feed(&mut conn, &get(1, KEEP)), told_get(1, KEEP));
    }
}

#[test]
fn item_16_a_refused_request_without_keep_conn_is_the_last() {
    let mut conn = application();
    feed(&mut conn, &begin(1, Role::FILTER, CLOSE));
    assert!(conn.should_close());
    let told = feed(&mut conn, &begin(2, Role::RESPONDER, KEEP));
    assert_eq!(
        told,
        [Told::Refused(
            2,
            Error::AfterLastRequest {
                id: id(2),
                offset: 16
            }
        )]
    );
}

#[test]
fn item_17_a_second_request_is_refused_without_multiplexing() {
    let mut conn = application();
    let octets = get(1, KEEP);
    let (head, tail) = octets.split_at(32);
    feed(&mut conn, head);
    let offset = conn.offset();
    let told = feed(&mut conn, &get(2, KEEP));
    assert_eq!(
        told,
        [Told::Refused(2, Error::CantMultiplex { id: id(2), offset })]
    );
    assert_eq!(replies(&mut conn), end(2, 0, ProtocolStatus::CANT_MPX_CONN));
    // The first one is undisturbed.
    assert_eq!(feed(&mut conn, tail), told_get(1, KEEP));
    let (out, after) = ended(&mut conn, 1, 0);
    assert_eq!(after, AfterRequest::KeepConnection);
    assert_eq!(
        out,
        [record(RecordType::STDOUT, 1, b""), end(1, 0, COMPLETE)].concat()
    );
}

#[test]
fn item_18_a_flood_of_begins_is_answered_with_overloaded() {
    let mut limits = Limits::default();
    limits.requests = 3;
    let mut conn = Connection::new(multiplexing_config(), limits);
    let octets: Vec<u8> = (1..=5)
        .flat_map(|number| begin(number, Role::RESPONDER, KEEP))
        .collect();
    let told = feed(&mut conn, &octets);
    let refused = |number, offset| {
        Told::Refused(
            number,
            Error::LimitReached {
                limit: Limit::Requests,
                max: 3,
                offset,
            },
        )
    };
    assert_eq!(told, [refused(4, 48), refused(5, 64)]);
    let status = ProtocolStatus::OVERLOADED;
    assert_eq!(
        replies(&mut conn),
        [end(4, 0, status), end(5, 0, status)].concat()
    );
}

#[test]
fn item_18_variables_beyond_the_limits_are_answered_with_overloaded() {
    let mut limits = Limits::default();
    limits.params_len = 20;
    limits.params_pairs = 2;
    limits.name_len = 5;
    limits.value_len = 7;
    let table: [(&[u8], Limit, u64); 4] = [
        (
            b"\x05\x07NAME1VALUE_1\x05\x07NAME2VALUE_2",
            Limit::ParamsLen,
            20,
        ),
        (b"\x01\x01AB\x01\x01CD\x01\x01EF", Limit::ParamsPairs, 2),
        (b"\xff\xff\xff\xff", Limit::NameLen, 5),
        (b"\x01\x08A", Limit::ValueLen, 7),
    ];
    for (params, limit, max) in table {
        let octets = [
            begin(1, Role::RESPONDER, KEEP),
            record(RecordType::PARAMS, 1, params),
            record(RecordType::PARAMS, 1, b"more"),
            record(RecordType::PARAMS, 1, b""),
            record(RecordType::STDIN, 1, b"body"),
            record(RecordType::STDIN, 1, b""),
            get(1, KEEP),
        ]
        .concat();
        for piece in [1, 17, octets.len()] {
            let mut conn = Connection::new(Config::default(), limits);
            let error = Error::LimitReached {
                limit,
                max,
                offset: 16,
            };
            let mut expected = vec![Told::Refused(1, error)];
            expected.extend(told_get(1, KEEP));
            assert_eq!(feed_in_pieces(&mut conn, &octets, piece), expected);
            assert_eq!(replies(&mut conn), end(1, 0, ProtocolStatus::OVERLOADED));
        }
    }
}

#[test]
fn item_18_an_application_that_is_full_refuses_by_itself() {
    let mut conn = application();
    feed(&mut conn, &get(1, KEEP));
    let mut out = Vec::new();
    let after = conn
        .reject_request(id(1), ProtocolStatus::OVERLOADED, &mut out)
        .unwrap();
    assert_eq!(after, AfterRequest::KeepConnection);
    assert_eq!(out, end(1, 0, ProtocolStatus::OVERLOADED));
}

#[test]
fn item_18_a_refusal_ends_a_stdout_that_has_begun() {
    let mut conn = application();
    feed(&mut conn, &get(1, KEEP));
    let mut out = Vec::new();
    conn.stdout(id(1), b"begun", &mut out).unwrap();
    out.clear();
    let after = conn
        .reject_request(id(1), ProtocolStatus::OVERLOADED, &mut out)
        .unwrap();
    assert_eq!(after, AfterRequest::KeepConnection);
    let expected = [
        record(RecordType::STDOUT, 1, b""),
        end(1, 0, ProtocolStatus::OVERLOADED),
    ]
    .concat();
    assert_eq!(out, expected);
}

#[test]
fn item_18_the_rest_of_a_refused_record_is_not_counted_as_unread() {
    // How much of it there is depends on how the input was cut, and the outcome must not.
    let mut limits = Limits::default();
    limits.params_len = 20;
    limits.unread_len = 100;
    let octets = [
        begin(1, Role::RESPONDER, KEEP),
        record(RecordType::PARAMS, 1, &[0; 500]),
        get(1, KEEP),
    ]
    .concat();
    let whole = feed(&mut Connection::new(Config::default(), limits), &octets);
    assert_eq!(whole.len(), 3);
    for piece in 1..100 {
        let mut conn = Connection::new(Config::default(), limits);
        assert_eq!(feed_in_pieces(&mut conn, &octets, piece), whole);
    }
}

#[test]
fn item_19_the_application_hears_of_a_request_when_its_variables_are_complete() {
    let mut conn = application();
    let octets = get(1, KEEP);
    let before_params_end = octets.len() - 16;
    for piece in octets[..before_params_end].chunks(1) {
        assert_eq!(feed(&mut conn, piece), []);
    }
    assert_eq!(conn.active_requests().count(), 0);
    assert_eq!(conn.begin_request(id(1)), None);
    // It cannot write before (§6.2).
    assert_eq!(
        conn.stdout_frames(id(1), b"x").unwrap_err(),
        Error::NotActive { id: id(1) }
    );
    assert_eq!(
        conn.end_request(id(1), 0, &mut Vec::new()),
        Err(Error::NotActive { id: id(1) })
    );
    assert_eq!(
        feed(&mut conn, &octets[before_params_end..]),
        told_get(1, KEEP)
    );
}

#[test]
fn item_19_a_body_before_the_variables_ends_the_connection() {
    for record_type in [RecordType::STDIN, RecordType::DATA] {
        for content in [&b""[..], b"body"] {
            let octets = [
                begin(1, Role::FILTER, KEEP),
                record(record_type, 1, content),
            ]
            .concat();
            let error = Error::BeforeParamsEnd {
                record_type,
                id: id(1),
                offset: 16,
            };
            assert_eq!(feed(&mut multiplexing(), &octets), [Told::Failed(error)]);
        }
    }
}

#[test]
fn item_19_variables_that_end_inside_a_pair_end_the_request() {
    for content in [
        &b"\x01"[..],
        b"\x80",
        b"\x80\0\0",
        b"\x01\x80\0\0",
        b"\x01\x01",
        b"\x01\x01A",
    ] {
        let octets = [
            begin(1, Role::RESPONDER, KEEP),
            record(RecordType::PARAMS, 1, content),
            record(RecordType::PARAMS, 1, b""),
            get(1, KEEP),
        ]
        .concat();
        let mut expected = vec![Told::Refused(1, Error::PairTruncated { offset: 32 })];
        expected.extend(told_get(1, KEEP));
        let mut conn = application();
        assert_eq!(feed(&mut conn, &octets), expected);
        assert_eq!(replies(&mut conn), end(1, 1, COMPLETE));
    }
}

#[test]
fn item_20_an_abort_is_told_once_and_the_application_ends_the_request() {
    let mut conn = application();
    let abort = record(RecordType::ABORT_REQUEST, 1, b"");
    feed(&mut conn, &get(1, KEEP)[..40]);
    assert_eq!(
        feed(&mut conn, &record(RecordType::STDIN, 1, b"body")).len(),
        1
    );
    assert_eq!(feed(&mut conn, &abort), [Told::Abort(1)]);
    // Nothing follows.
    let rest = [
        abort.clone(),
        record(RecordType::STDIN, 1, b"rest"),
        record(RecordType::STDIN, 1, b""),
    ];
    assert_eq!(feed(&mut conn, &rest.concat()), []);
    let (out, _) = ended(&mut conn, 1, 3);
    assert_eq!(
        out,
        [record(RecordType::STDOUT, 1, b""), end(1, 3, COMPLETE)].concat()
    );
    // Of a finished request it means nothing.
    assert_eq!(feed(&mut conn, &abort), []);
    assert_eq!(replies(&mut conn), []);
}

#[test]
fn item_20_nothing_is_wrong_with_streams_of_an_aborted_request() {
    let mut conn = application();
    feed(&mut conn, &get(1, KEEP));
    let octets = [
        record(RecordType::ABORT_REQUEST, 1, b""),
        record(RecordType::PARAMS, 1, b"late"),
        record(RecordType::STDIN, 1, b"late"),
    ];
    assert_eq!(feed(&mut conn, &octets.concat()), [Told::Abort(1)]);
}

#[test]
fn item_20_an_aborted_filter_may_write_before_the_end_of_stdin() {
    let mut conn = multiplexing();
    feed(
        &mut conn,
        &[
            begin(1, Role::FILTER, KEEP),
            record(RecordType::PARAMS, 1, b""),
        ]
        .concat(),
    );
    assert!(conn.stderr_frames(id(1), b"gone").is_err());
    assert_eq!(
        feed(&mut conn, &record(RecordType::ABORT_REQUEST, 1, b"")),
        [Told::Abort(1)]
    );
    assert!(conn.stderr_frames(id(1), b"gone").is_ok());
}

#[test]
fn item_20_the_machine_ends_a_request_that_is_aborted_before_it_is_known() {
    let mut conn = application();
    let octets = [
        begin(1, Role::RESPONDER, KEEP),
        record(RecordType::ABORT_REQUEST, 1, b""),
    ]
    .concat();
    assert_eq!(feed(&mut conn, &octets), []);
    assert_eq!(replies(&mut conn), end(1, 0, COMPLETE));
    assert_eq!(feed(&mut conn, &get(1, KEEP)), told_get(1, KEEP));
}

#[test]
fn item_21_nothing_can_be_written_after_the_end() {
    let mut conn = application();
    feed(&mut conn, &get(1, KEEP));
    let _keep = ended(&mut conn, 1, 0);
    let mut out = Vec::new();
    let error = Err(Error::NotActive { id: id(1) });
    assert_eq!(conn.stdout(id(1), b"x", &mut out), error);
    assert_eq!(conn.stderr(id(1), b"x", &mut out), error);
    assert_eq!(
        conn.end_request(id(1), 0, &mut out),
        Err(Error::NotActive { id: id(1) })
    );
    assert_eq!(out, []);
}

#[test]
fn item_22_the_end_carries_the_application_status() {
    for app_status in [0, 1, 938, u32::MAX] {
        let mut conn = application();
        feed(&mut conn, &get(7, KEEP));
        let (out, _) = ended(&mut conn, 7, app_status);
        let [b3, b2, b1, b0] = app_status.to_be_bytes();
        assert_eq!(
            out[out.len() - 16..],
            [1, 3, 0, 7, 0, 8, 0, 0, b3, b2, b1, b0, 0, 0, 0, 0]
        );
    }
}

#[test]
fn item_23_stdout_ends_once_even_if_empty_and_stderr_only_if_used() {
    // (STDOUT written, STDERR written, types of the records at the end)
    let (stdout, stderr) = (RecordType::STDOUT, RecordType::STDERR);
    let table = [
        (false, false, vec![stdout]),
        (true, false, vec![stdout]),
        (false, true, vec![stdout, stderr]),
        (true, true, vec![stdout, stderr]),
    ];
    for (write_stdout, write_stderr, mut expected) in table {
        let mut conn = application();
        feed(&mut conn, &get(1, KEEP));
        let mut out = Vec::new();
        for _ in 0..2 {
            if write_stdout {
                conn.stdout(id(1), b"out", &mut out).unwrap();
            }
            if write_stderr {
                conn.stderr(id(1), b"err", &mut out).unwrap();
            }
        }
        assert!(outline(&out).iter().all(|(_, _, len)| *len == 3));
        let (out, _) = ended(&mut conn, 1, 0);
        expected.push(RecordType::END_REQUEST);
        assert_eq!(
            outline(&out).iter().map(|(t, _, _)| *t).collect::<Vec<_>>(),
            expected
        );
    }
}

#[test]
fn item_23_writing_nothing_does_not_use_a_stream() {
    // Found by the vector `empty-writes`: an empty write to STDERR had its end sent.
    let mut conn = application();
    feed(&mut conn, &get(1, KEEP));
    let mut out = Vec::new();
    conn.stdout(id(1), b"", &mut out).unwrap();
    conn.stderr(id(1), b"", &mut out).unwrap();
    let after = conn
        .reject_request(id(1), ProtocolStatus::OVERLOADED, &mut out)
        .unwrap();
    assert_eq!(after, AfterRequest::KeepConnection);
    assert_eq!(out, end(1, 0, ProtocolStatus::OVERLOADED));
}

#[test]
fn item_25_output_may_come_before_the_end_of_stdin() {
    let mut conn = application();
    feed(&mut conn, &get(1, KEEP)[..40]);
    conn.stdout(id(1), b"early", &mut Vec::new()).unwrap();
    assert_eq!(
        feed(&mut conn, &record(RecordType::STDIN, 1, b"x")),
        [Told::Stdin(1, b"x".to_vec())]
    );
}

#[test]
fn item_28_a_filter_reads_stdin_before_it_writes_and_data_while_it_writes() {
    let mut conn = multiplexing();
    let params = [
        record(RecordType::PARAMS, 1, b"\x01\x01AB"),
        record(RecordType::PARAMS, 1, b""),
    ];
    feed(
        &mut conn,
        &[begin(1, Role::FILTER, KEEP), params.concat()].concat(),
    );
    for record_type in [RecordType::STDOUT, RecordType::STDERR] {
        let found = match record_type {
            RecordType::STDOUT => conn.stdout_frames(id(1), b"x").unwrap_err(),
            _ => conn.stderr_frames(id(1), b"x").unwrap_err(),
        };
        assert_eq!(
            found,
            Error::TooEarly {
                record_type,
                after: RecordType::STDIN,
                id: id(1)
            }
        );
    }
    feed(&mut conn, &record(RecordType::STDIN, 1, b""));
    conn.stdout(id(1), b"x", &mut Vec::new()).unwrap();
    let data = [
        record(RecordType::DATA, 1, b"file"),
        record(RecordType::DATA, 1, b""),
    ]
    .concat();
    assert_eq!(
        feed(&mut conn, &data),
        [Told::Data(1, b"file".to_vec()), Told::DataEnd(1)]
    );
    let offset = conn.offset();
    let error = Error::StreamReopened {
        record_type: RecordType::DATA,
        id: id(1),
        offset,
    };
    assert_eq!(
        feed(&mut conn, &record(RecordType::DATA, 1, b"x")),
        [Told::Failed(error)]
    );
}

#[test]
fn item_28_data_without_a_filter_is_ignored() {
    let mut conn = application();
    feed(&mut conn, &get(1, KEEP));
    let data = [
        record(RecordType::DATA, 1, b"file"),
        record(RecordType::DATA, 1, b""),
    ]
    .concat();
    assert_eq!(feed(&mut conn, &data), []);
}

#[test]
fn item_30_the_input_may_end_between_records_only() {
    let octets = get(1, KEEP);
    let borders = [0, 16, 32, 40, 48];
    for len in 0..=octets.len() {
        let mut conn = application();
        feed(&mut conn, &octets[..len]);
        let expected = if borders.contains(&len) {
            Ok(())
        } else {
            Err(Error::UnexpectedEof { offset: len as u64 })
        };
        assert_eq!(conn.handle_eof(), expected, "{len}");
        assert_eq!(replies(&mut conn), []);
    }
}

#[test]
fn item_31_unread_stdin_of_an_ended_request_is_dropped() {
    let mut conn = application();
    feed(&mut conn, &get(1, KEEP)[..40]);
    let body = stream(RecordType::STDIN, 1, &[b'x'; 100_000]);
    // The driver ends the request in the middle of a record.
    assert_eq!(feed(&mut conn, &body[..1000]).len(), 1);
    let _keep = ended(&mut conn, 1, 0);
    assert_eq!(feed(&mut conn, &body[1000..]), []);
    assert_eq!(feed(&mut conn, &record(RecordType::STDIN, 1, b"")), []);
    assert_eq!(feed(&mut conn, &get(1, KEEP)), told_get(1, KEEP));
}

#[test]
fn item_31_not_without_limit() {
    let mut limits = Limits::default();
    limits.unread_len = 1000;
    let mut conn = Connection::new(Config::default(), limits);
    let waste = record(RecordType::STDIN, 5, &[0; 92]);
    for _ in 0..2 {
        // A new request begins the count again.
        feed(&mut conn, &get(1, KEEP));
        assert_eq!(feed(&mut conn, &waste.repeat(10)), []);
        let _keep = ended(&mut conn, 1, 0);
    }
    let offset = conn.offset();
    let error = Error::LimitReached {
        limit: Limit::UnreadLen,
        max: 1000,
        offset,
    };
    assert_eq!(feed(&mut conn, &waste), [Told::Failed(error)]);
}

#[test]
fn a_peer_that_asks_and_does_not_read_is_cut_off() {
    let mut limits = Limits::default();
    limits.replies_len = 160;
    let mut conn = Connection::new(Config::default(), limits);
    let question = record(RecordType(77), 0, b"");
    assert_eq!(feed(&mut conn, &question.repeat(10)), []);
    // What it reads makes room, also half a record.
    conn.consume_output(20);
    assert_eq!(feed(&mut conn, &question), []);
    assert_eq!(conn.pending_output().len(), 156);
    assert_eq!(
        conn.pending_output()[..12],
        unknown_type(RecordType(77))[4..]
    );
    let offset = conn.offset();
    let error = Error::LimitReached {
        limit: Limit::RepliesLen,
        max: 160,
        offset,
    };
    assert_eq!(feed(&mut conn, &question), [Told::Failed(error)]);
    // Those that are there can still be written.
    assert_eq!(conn.pending_output().len(), 156);
}

#[test]
fn records_that_only_an_application_sends_end_the_connection() {
    for record_type in [
        RecordType::END_REQUEST,
        RecordType::STDOUT,
        RecordType::STDERR,
    ] {
        let mut octets = get(1, KEEP);
        let offset = octets.len() as u64;
        octets.extend(record(record_type, 1, &[0; 8]));
        let error = Error::WrongDirection {
            record_type,
            id: id(1),
            offset,
        };
        assert_eq!(
            feed(&mut application(), &octets).last(),
            Some(&Told::Failed(error))
        );
    }
}

/// What the specification shows as "...".
const PARAMS: &[u8] = b"\x0b\x02SERVER_PORT80\x0b\x0eSERVER_ADDR199.170.183.42";
const PAIRS: [(&str, &str); 2] = [("SERVER_PORT", "80"), ("SERVER_ADDR", "199.170.183.42")];
const PAGE: &[u8] = b"Content-type: text/html\r\n\r\n<html>\n<head>";

#[test]
fn item_40_appendix_b_example_1() {
    let octets = [
        begin(1, Role::RESPONDER, CLOSE),
        record(RecordType::PARAMS, 1, PARAMS),
        record(RecordType::PARAMS, 1, b""),
        record(RecordType::STDIN, 1, b""),
    ]
    .concat();
    let mut conn = application();
    let told = feed(&mut conn, &octets);
    assert_eq!(
        told,
        [
            request(1, Role::RESPONDER, CLOSE, &PAIRS),
            Told::StdinEnd(1)
        ]
    );
    let mut out = Vec::new();
    conn.stdout(id(1), PAGE, &mut out).unwrap();
    assert_eq!(
        conn.end_request(id(1), 0, &mut out),
        Ok(AfterRequest::CloseConnection)
    );
    let expected = [
        record(RecordType::STDOUT, 1, PAGE),
        record(RecordType::STDOUT, 1, b""),
        end(1, 0, COMPLETE),
    ];
    assert_eq!(out, expected.concat());
}

#[test]
fn item_40_appendix_b_example_2() {
    let octets = [
        begin(1, Role::RESPONDER, CLOSE),
        record(RecordType::PARAMS, 1, &PARAMS[..20]),
        record(RecordType::PARAMS, 1, &PARAMS[20..]),
        record(RecordType::PARAMS, 1, b""),
        record(RecordType::STDIN, 1, b"quantity=100&item=3047936"),
        record(RecordType::STDIN, 1, b""),
    ]
    .concat();
    let expected = [
        request(1, Role::RESPONDER, CLOSE, &PAIRS),
        Told::Stdin(1, b"quantity=100&item=3047936".to_vec()),
        Told::StdinEnd(1),
    ];
    assert_eq!(&PARAMS[17..20], b"SER");
    assert_eq!(feed(&mut application(), &octets), expected);
}

#[test]
fn item_40_appendix_b_example_3() {
    let mut conn = application();
    feed(&mut conn, &get(1, CLOSE));
    let mut out = Vec::new();
    conn.stdout(id(1), &PAGE[..32], &mut out).unwrap();
    conn.stderr(id(1), b"config error: missing SI_UID\n", &mut out)
        .unwrap();
    conn.stdout(id(1), &PAGE[32..], &mut out).unwrap();
    assert_eq!(
        conn.end_request(id(1), 938, &mut out),
        Ok(AfterRequest::CloseConnection)
    );
    let expected = [
        record(RecordType::STDOUT, 1, &PAGE[..32]),
        record(RecordType::STDERR, 1, b"config error: missing SI_UID\n"),
        record(RecordType::STDOUT, 1, &PAGE[32..]),
        record(RecordType::STDOUT, 1, b""),
        record(RecordType::STDERR, 1, b""),
        end(1, 938, COMPLETE),
    ];
    assert_eq!(out, expected.concat());
}

#[test]
fn item_40_appendix_b_example_4() {
    let mut conn = multiplexing();
    let mut out = Vec::new();
    let octets = [
        begin(1, Role::RESPONDER, KEEP),
        record(RecordType::PARAMS, 1, PARAMS),
        record(RecordType::PARAMS, 1, b""),
        begin(2, Role::RESPONDER, KEEP),
        record(RecordType::PARAMS, 2, PARAMS),
        record(RecordType::STDIN, 1, b""),
    ]
    .concat();
    let told = feed(&mut conn, &octets);
    assert_eq!(
        told,
        [request(1, Role::RESPONDER, KEEP, &PAIRS), Told::StdinEnd(1)]
    );
    conn.stdout(id(1), &PAGE[..27], &mut out).unwrap();
    let octets = [
        record(RecordType::PARAMS, 2, b""),
        record(RecordType::STDIN, 2, b""),
    ]
    .concat();
    let told = feed(&mut conn, &octets);
    assert_eq!(
        told,
        [request(2, Role::RESPONDER, KEEP, &PAIRS), Told::StdinEnd(2)]
    );
    conn.stdout(id(2), PAGE, &mut out).unwrap();
    assert_eq!(
        conn.end_request(id(2), 0, &mut out),
        Ok(AfterRequest::KeepConnection)
    );
    conn.stdout(id(1), &PAGE[27..], &mut out).unwrap();
    assert_eq!(
        conn.end_request(id(1), 0, &mut out),
        Ok(AfterRequest::KeepConnection)
    );
    let expected = [
        record(RecordType::STDOUT, 1, &PAGE[..27]),
        record(RecordType::STDOUT, 2, PAGE),
        record(RecordType::STDOUT, 2, b""),
        end(2, 0, COMPLETE),
        record(RecordType::STDOUT, 1, &PAGE[27..]),
        record(RecordType::STDOUT, 1, b""),
        end(1, 0, COMPLETE),
    ];
    assert_eq!(out, expected.concat());
    assert!(conn.is_idle());
}
