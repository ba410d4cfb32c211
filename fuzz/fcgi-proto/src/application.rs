//! [`Connection`] of an application, fed with anything.

use std::collections::BTreeSet;

use fcgi_proto::application::{AfterRequest, Config, Connection, Event};
use fcgi_proto::{BeginRequest, Error, Fate, ProtocolStatus, RecordType, RequestId, Roles};

use crate::Input;
use crate::allocation::peak_of;
use crate::input::{is_unread_limit, whole_records};
use crate::output::Output;

/// The same events and replies for every cut, memory within the limits, and output that keeps the rules whatever the
/// driver does.
pub fn check(input: &Input<'_>) {
    let whole = told(input, [input.octets]);
    let cut = told(input, input.pieces().map(|(_, piece)| piece));
    assert_eq!(cut, whole);
    check_memory(input);
    check_unread(input);
    check_driving(input);
}

/// Settings: bit 0 chooses the limits, bit 1 multiplexing, bit 2 all roles, bits 3 and 4 when requests are ended.
fn connection(input: &Input<'_>) -> Connection {
    let mut config = Config::default();
    config.mpxs_conns = input.setting(1);
    if input.setting(2) {
        config.roles = Roles::ALL;
    }
    Connection::new(config, input.limits())
}

/// When the driver ends a request. It depends on events that are the same for every cut, so that all that follows is.
fn ends(input: &Input<'_>, event: &Event<'_>) -> Option<RequestId> {
    match event {
        // The even ids only, so that others are in flight at the same time.
        Event::Request { id, .. } if input.setting(3) && id.number().is_multiple_of(2) => Some(*id),
        Event::StdinEnd { id } if input.setting(4) => Some(*id),
        Event::DataEnd { id } | Event::Abort { id } => Some(*id),
        _ => None,
    }
}

/// What a driver sees of a connection.
#[derive(Debug, PartialEq)]
struct Told {
    events: Vec<Owned>,
    failed: Option<Error>,
    /// Its replies and the driver's own records.
    replies: Vec<u8>,
    output: Vec<u8>,
    active: Vec<RequestId>,
    at_end: Result<(), Error>,
}

/// An event that owns its data; neighbouring pieces of a stream are one.
#[derive(Debug, PartialEq)]
enum Owned {
    Request(RequestId, BeginRequest, Vec<(Vec<u8>, Vec<u8>)>),
    Stdin(RequestId, Vec<u8>),
    StdinEnd(RequestId),
    Data(RequestId, Vec<u8>),
    DataEnd(RequestId),
    Abort(RequestId),
    Refused(RequestId, Error),
}

fn told<'a>(input: &Input<'_>, pieces: impl IntoIterator<Item = &'a [u8]>) -> Told {
    let limits = input.limits();
    let mut conn = connection(input);
    let (mut events, mut failed, mut output) = (Vec::new(), None, Vec::new());
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
                    if let Event::Refused { error, .. } = &event {
                        assert_eq!(error.fate(), Fate::Request);
                        assert!(error.answer().is_some());
                        assert!(error.offset() <= Some(conn.offset()));
                    }
                    let ended = ends(input, &event);
                    tell(&mut events, event, &mut conn);
                    if let Some(id) = ended {
                        let after = conn.end_request(id, 7, &mut output).expect("it is active");
                        assert_eq!(after == AfterRequest::CloseConnection, conn.should_close());
                    }
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
        assert!(conn.pending_output().len() <= limits.replies_len);
        assert!(conn.active_requests().count() <= limits.requests.max(1));
    }
    Output::of_application().check(conn.pending_output());
    Output::of_application().check(&output);
    Told {
        events,
        failed,
        replies: conn.pending_output().to_vec(),
        output,
        active: conn.active_requests().collect(),
        at_end: conn.handle_eof(),
    }
}

fn tell(events: &mut Vec<Owned>, event: Event<'_>, conn: &mut Connection) {
    let owned = match event {
        Event::Request { id, begin, params } => {
            let pairs = params.iter().map(|(n, v)| (n.to_vec(), v.to_vec()));
            let owned = Owned::Request(id, begin, pairs.collect());
            conn.recycle(params);
            owned
        }
        Event::Stdin { id, data } => {
            assert!(!data.is_empty());
            if let Some(Owned::Stdin(last, found)) = events.last_mut()
                && *last == id
            {
                return found.extend_from_slice(data);
            }
            Owned::Stdin(id, data.to_vec())
        }
        Event::StdinEnd { id } => Owned::StdinEnd(id),
        Event::Data { id, data } => {
            assert!(!data.is_empty());
            if let Some(Owned::Data(last, found)) = events.last_mut()
                && *last == id
            {
                return found.extend_from_slice(data);
            }
            Owned::Data(id, data.to_vec())
        }
        Event::DataEnd { id } => Owned::DataEnd(id),
        Event::Abort { id } => Owned::Abort(id),
        Event::Refused { id, error } => Owned::Refused(id, error),
        event => panic!("{event:?}"),
    };
    events.push(owned);
}

/// A driver that keeps nothing and takes no replies.
fn check_memory(input: &Input<'_>) {
    let limits = input.limits();
    let peak = peak_of(|| {
        let mut conn = connection(input);
        for (_, mut piece) in input.pieces() {
            while let Ok(Some(event)) = conn.handle_input(&mut piece) {
                if let Event::Request { params, .. } = event {
                    conn.recycle(params);
                }
            }
        }
    });
    assert!(peak <= input.memory_bound(&limits), "{peak} octets");
}

/// A driver that ends each request as it comes, so that its body is unread, fed with one record at a time.
///
/// What is dropped is at least what is for an id that was not in flight when its record came, and at most all that came
/// since the last request was taken. The connection fails for it somewhere between the two.
fn check_unread(input: &Input<'_>) {
    let max = input.limits().unread_len;
    let mut conn = connection(input);
    let (mut least, mut most) = (0, 0);
    // Those whose variables may be arriving.
    let mut begun = BTreeSet::new();
    for record in whole_records(input.octets) {
        let before: Vec<_> = conn.active_requests().collect();
        most += record.octets.len() as u64;
        match record.record_type {
            RecordType::BEGIN_REQUEST => {
                begun.extend(record.id);
                least = 0;
            }
            RecordType::ABORT_REQUEST
            | RecordType::PARAMS
            | RecordType::STDIN
            | RecordType::DATA
                if record
                    .id
                    .is_some_and(|id| !before.contains(&id) && !begun.contains(&id)) =>
            {
                least += record.counted;
            }
            _ => {}
        }
        let mut octets = record.octets;
        let mut refused = false;
        loop {
            match conn.handle_input(&mut octets) {
                Ok(Some(Event::Request { id, .. })) => {
                    begun.remove(&id);
                    let _ = conn
                        .end_request(id, 0, &mut Vec::new())
                        .expect("it is active");
                }
                Ok(Some(Event::Refused { id, .. })) => {
                    begun.remove(&id);
                    refused = true;
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    assert!(!is_unread_limit(error) || most > max, "failed after {most}");
                    return;
                }
            }
        }
        assert!(least <= max, "{least} octets dropped");
        conn.take_output(&mut Vec::new());
        if record.record_type == RecordType::BEGIN_REQUEST && !refused {
            most = 0;
        }
    }
}

/// A driver that does something between the pieces, chosen by the cuts.
fn check_driving(input: &Input<'_>) {
    let mut conn = connection(input);
    let (mut output, mut rules) = (Vec::new(), Output::of_application());
    let mut known: Vec<RequestId> = Vec::new();
    for (cut, mut piece) in input.pieces() {
        while let Ok(Some(event)) = conn.handle_input(&mut piece) {
            match event {
                Event::Request { id, params, .. } => {
                    assert!(!known.contains(&id), "begun twice");
                    known.push(id);
                    conn.recycle(params);
                }
                Event::Stdin { id, .. }
                | Event::StdinEnd { id }
                | Event::Data { id, .. }
                | Event::DataEnd { id }
                | Event::Abort { id } => assert!(known.contains(&id), "told of a stranger"),
                _ => {}
            }
        }
        let mut active: Vec<_> = conn.active_requests().collect();
        known.sort_unstable();
        assert_eq!(active, known);
        let number = u16::from(cut >> 4) + 1;
        let id = RequestId::new(number).unwrap_or(RequestId::MIN);
        let is_active = active.contains(&id);
        assert_eq!(conn.begin_request(id).is_some(), is_active);
        let before = output.len();
        let result = match cut & 7 {
            0 => conn.stdout(id, piece_of(cut), &mut output),
            1 => conn.stderr(id, piece_of(cut), &mut output),
            2 => conn.end_request(id, 0, &mut output).map(drop),
            3 => conn
                .reject_request(id, ProtocolStatus::OVERLOADED, &mut output)
                .map(drop),
            4 => {
                conn.take_output(&mut output);
                Ok(())
            }
            _ => Ok(()),
        };
        match result {
            Ok(()) if cut & 6 == 2 => {
                assert!(is_active);
                active.retain(|found| *found != id);
                known = active;
            }
            Ok(()) => {}
            Err(error) => {
                assert_eq!(output.len(), before, "nothing is written");
                let expected = Error::NotActive { id };
                assert!(is_active != (error == expected), "{error:?}");
            }
        }
    }
    conn.take_output(&mut output);
    assert_eq!(conn.pending_output(), b"");
    rules.check(&output);
}

/// Something to write, perhaps nothing.
fn piece_of(cut: u8) -> &'static [u8] {
    &[b'o'; 9][..usize::from(cut % 9)]
}
