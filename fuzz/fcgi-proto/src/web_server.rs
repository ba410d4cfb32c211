//! [`Connection`] of a Web server, fed with anything.

use std::collections::BTreeSet;

use fcgi_proto::web_server::{Config, Connection, Event};
use fcgi_proto::{Error, Fate, ProtocolStatus, RecordType, RequestId, Role, Values};

use crate::Input;
use crate::allocation::peak_of;
use crate::input::{is_unread_limit, whole_records};
use crate::output::Output;

/// The same events for every cut, memory within the limits, and output that keeps the rules whatever the driver does.
pub fn check(input: &Input<'_>) {
    let whole = told(input, [input.octets]);
    let cut = told(input, input.pieces().map(|(_, piece)| piece));
    assert_eq!(cut, whole);
    check_memory(input);
    check_unread(input);
    check_driving(input);
}

/// Settings: bit 0 chooses the limits, bit 1 multiplexing, bit 2 asks for values, bits 3 and 4 how many requests begin,
/// bit 5 whether the last of them keeps the connection, bit 6 whether an ended request is followed by a new one.
fn connection(input: &Input<'_>) -> Connection {
    let mut conn = Connection::new(Config::default(), input.limits());
    if input.setting(1) {
        conn.set_values(Values {
            mpxs_conns: Some(true),
            ..Values::default()
        });
    }
    let mut output = Vec::new();
    if input.setting(2) {
        conn.get_values(&mut output);
    }
    let count = input.settings >> 3 & 3;
    for number in 0..count {
        let keep_conn = number + 1 < count || input.setting(5);
        if conn.begin(Role::FILTER, keep_conn, &mut output).is_err() {
            break;
        }
    }
    conn
}

/// What a driver sees of a connection.
#[derive(Debug, PartialEq)]
struct Told {
    events: Vec<Owned>,
    failed: Option<Error>,
    active: Vec<RequestId>,
    values: Values,
}

/// An event that owns its data; neighbouring pieces of a stream are one.
#[derive(Debug, PartialEq)]
enum Owned {
    Stdout(RequestId, Vec<u8>),
    StdoutEnd(RequestId),
    Stderr(RequestId, Vec<u8>),
    StderrEnd(RequestId),
    End(RequestId, u32, ProtocolStatus),
    Values(Values),
    UnknownType(RecordType),
}

fn told<'a>(input: &Input<'_>, pieces: impl IntoIterator<Item = &'a [u8]>) -> Told {
    let mut conn = connection(input);
    let (mut events, mut failed) = (Vec::new(), None);
    let mut given = 0;
    'pieces: for mut piece in pieces {
        let end = given + piece.len() as u64;
        loop {
            let result = conn.handle_input(&mut piece);
            assert_eq!(
                conn.offset(),
                end - piece.len() as u64,
                "offsets count octets"
            );
            assert!(conn.offset() >= given, "offsets never go back");
            given = conn.offset();
            match result {
                Ok(Some(event)) => {
                    if let Event::End { id, .. } = event {
                        assert!(!conn.active_requests().any(|active| active == id));
                        if input.setting(6) {
                            let _ = conn.begin(Role::RESPONDER, true, &mut Vec::new());
                        }
                    }
                    tell(&mut events, &event);
                }
                Ok(None) => break assert!(piece.is_empty(), "all input is consumed"),
                Err(error) => {
                    assert_eq!(error.fate(), Fate::Connection);
                    assert!(error.offset().is_some_and(|offset| offset <= conn.offset()));
                    assert_eq!(conn.handle_input(&mut piece), Err(error), "failed for ever");
                    assert!(conn.should_close());
                    failed = Some(error);
                    break 'pieces;
                }
            }
        }
        assert!(conn.active_requests().count() <= input.limits().requests.max(1));
    }
    check_ends(&events);
    Told {
        events,
        failed,
        active: conn.active_requests().collect(),
        values: conn.values(),
    }
}

/// Each stream ends at most once before its request does.
fn check_ends(events: &[Owned]) {
    let mut ended = BTreeSet::new();
    for event in events {
        match event {
            Owned::StdoutEnd(id) => assert!(ended.insert((*id, RecordType::STDOUT))),
            Owned::StderrEnd(id) => assert!(ended.insert((*id, RecordType::STDERR))),
            Owned::End(id, ..) => ended.retain(|(ended, _)| ended != id),
            _ => {}
        }
    }
}

fn tell(events: &mut Vec<Owned>, event: &Event<'_>) {
    let owned = match *event {
        Event::Stdout { id, data } => {
            assert!(!data.is_empty());
            if let Some(Owned::Stdout(last, found)) = events.last_mut()
                && *last == id
            {
                return found.extend_from_slice(data);
            }
            Owned::Stdout(id, data.to_vec())
        }
        Event::StdoutEnd { id } => Owned::StdoutEnd(id),
        Event::Stderr { id, data } => {
            assert!(!data.is_empty());
            if let Some(Owned::Stderr(last, found)) = events.last_mut()
                && *last == id
            {
                return found.extend_from_slice(data);
            }
            Owned::Stderr(id, data.to_vec())
        }
        Event::StderrEnd { id } => Owned::StderrEnd(id),
        Event::End {
            id,
            app_status,
            protocol_status,
        } => Owned::End(id, app_status, protocol_status),
        Event::Values(values) => Owned::Values(values),
        Event::UnknownType(record_type) => Owned::UnknownType(record_type),
        ref event => panic!("{event:?}"),
    };
    events.push(owned);
}

/// A driver that keeps nothing.
fn check_memory(input: &Input<'_>) {
    let peak = peak_of(|| {
        let mut conn = connection(input);
        for (_, mut piece) in input.pieces() {
            while let Ok(Some(_)) = conn.handle_input(&mut piece) {}
        }
    });
    assert!(peak <= input.memory_bound(&input.limits()), "{peak} octets");
}

/// A driver that begins no further request, fed with one record at a time.
///
/// What is dropped is at least what is for an id that was not in flight when its record came, and at most all that came.
/// The connection fails for it somewhere between the two.
fn check_unread(input: &Input<'_>) {
    let max = input.limits().unread_len;
    let mut conn = connection(input);
    let (mut least, mut most) = (0, 0);
    for record in whole_records(input.octets) {
        let active = |id| conn.active_requests().any(|active| active == id);
        if record.id.is_some_and(|id| !active(id)) {
            least += record.counted;
        }
        most += record.octets.len() as u64;
        let mut octets = record.octets;
        loop {
            match conn.handle_input(&mut octets) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    assert!(!is_unread_limit(error) || most > max, "failed after {most}");
                    return;
                }
            }
        }
        assert!(least <= max, "{least} octets dropped");
    }
}

/// A driver that does something between the pieces, chosen by the cuts.
fn check_driving(input: &Input<'_>) {
    let mut conn = Connection::new(Config::default(), input.limits());
    conn.set_values(Values {
        mpxs_conns: Some(input.setting(1)),
        ..Values::default()
    });
    let (mut output, mut rules) = (Vec::new(), Output::of_web_server());
    for (cut, mut piece) in input.pieces() {
        while let Ok(Some(_)) = conn.handle_input(&mut piece) {}
        let before = output.len();
        let active: Vec<_> = conn.active_requests().collect();
        let id = RequestId::new(u16::from(cut >> 5) + 1).unwrap_or(RequestId::MIN);
        let data = &[b'd'; 9][..usize::from(cut % 9)];
        let begins = |role, conn: &mut Connection, output: &mut Vec<u8>| {
            let id = conn.begin(role, cut >> 5 != 0, output)?;
            assert!(!active.contains(&id), "an id in flight is given again");
            Ok(())
        };
        let result = match cut & 15 {
            0 => begins(Role::RESPONDER, &mut conn, &mut output),
            1 => begins(Role::FILTER, &mut conn, &mut output),
            2 | 3 => conn.params(id, [("NAME", data)], &mut output),
            4 => conn.stdin(id, data, &mut output),
            5 => conn.stdin_end(id, &mut output),
            6 => conn.data(id, data, &mut output),
            7 => conn.data_end(id, &mut output),
            8 => conn.abort(id, &mut output),
            9 => {
                conn.get_values(&mut output);
                Ok(())
            }
            _ => Ok(()),
        };
        if result.is_err() {
            assert_eq!(output.len(), before, "nothing is written");
        } else if (2..=8).contains(&(cut & 15)) {
            assert!(active.contains(&id));
        }
    }
    rules.check(&output);
}
