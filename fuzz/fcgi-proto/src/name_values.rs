//! [`name_values`] and [`Params`], compared with a plain reading and with each other.

use fcgi_proto::application::{Config, Connection, Event};
use fcgi_proto::{
    BeginRequest, Error, Flags, Frame, Limit, Limits, Params, RecordType, RequestId, Role, frames,
    name_value_len, name_values, write_name_value,
};

use crate::Input;

type Pairs<'a> = Vec<(&'a [u8], &'a [u8])>;

/// The same pairs as a plain reading finds, in one piece and through a machine whose records cut them anywhere.
pub fn check(input: &Input<'_>) {
    let (expected, truncated) = plain(input.octets);
    let mut found = Vec::new();
    let mut failed = None;
    for pair in name_values(input.octets) {
        assert!(failed.is_none(), "no item behind a failure");
        match pair {
            Ok(pair) => found.push(pair),
            Err(Error::PairTruncated { offset }) => failed = usize::try_from(offset).ok(),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(found, expected);
    assert_eq!(failed, truncated);
    check_encoding(&expected);
    check_machine(input, &expected, truncated.is_some());
}

/// What is written is read again.
fn check_encoding(pairs: &Pairs<'_>) {
    let mut octets = Vec::new();
    for (name, value) in pairs {
        let before = octets.len();
        write_name_value(name, value, &mut octets).expect("short names and values");
        assert_eq!(name_value_len(name, value), Ok(octets.len() - before));
    }
    let again: Result<Pairs<'_>, Error> = name_values(&octets).collect();
    assert_eq!(again.as_ref(), Ok(pairs));
    let params = Params::from_pairs(pairs.iter().copied()).expect("short names and values");
    assert_eq!(params.iter().collect::<Vec<_>>(), *pairs);
    assert!(params.iter().rev().eq(pairs.iter().rev().copied()));
    for (name, _) in pairs {
        let last = pairs.iter().rev().find(|(found, _)| found == name);
        assert_eq!(params.get(name), last.map(|(_, value)| *value));
    }
}

/// The octets as a PARAMS stream.
fn check_machine(input: &Input<'_>, expected: &Pairs<'_>, truncated: bool) {
    let limits = input.limits();
    let id = RequestId::MIN;
    let body = BeginRequest {
        role: Role::RESPONDER,
        flags: Flags::KEEP_CONN,
    };
    let mut octets = Vec::new();
    let mut write = |record_type, content: &[u8]| {
        frames(record_type, id, content).for_each(|frame: Frame<'_>| frame.write(&mut octets));
    };
    write(RecordType::BEGIN_REQUEST, &body.encode());
    for (_, piece) in input.pieces() {
        write(RecordType::PARAMS, piece);
    }
    octets.extend_from_slice(&[1, RecordType::PARAMS.0, 0, 1, 0, 0, 0, 0]);

    let mut conn = Connection::new(Config::default(), limits);
    let mut octets = &octets[..];
    let event = conn.handle_input(&mut octets);
    match event.expect("no fault of the connection") {
        Some(Event::Request { params, .. }) => {
            assert!(!truncated);
            assert_eq!(params.iter().collect::<Vec<_>>(), *expected);
            assert!(within(input.octets.len(), expected, &limits));
        }
        Some(Event::Refused {
            error: Error::PairTruncated { .. },
            ..
        }) => assert!(truncated),
        Some(Event::Refused {
            error: Error::LimitReached { limit, .. },
            ..
        }) => {
            assert_ne!(limit, Limit::Requests);
            // A pair that is not there as a whole may have been too long.
            assert!(truncated || !within(input.octets.len(), expected, &limits));
        }
        event => panic!("{event:?}"),
    }
}

fn within(len: usize, pairs: &Pairs<'_>, limits: &Limits) -> bool {
    len <= limits.params_len
        && pairs.len() <= limits.params_pairs
        && pairs
            .iter()
            .all(|(name, value)| name.len() <= limits.name_len && value.len() <= limits.value_len)
}

/// The complete pairs, and where the one begins that is not.
fn plain(octets: &[u8]) -> (Pairs<'_>, Option<usize>) {
    let (mut pairs, mut start) = (Vec::new(), 0);
    while start < octets.len() {
        let Some(end) = plain_pair(octets, start, &mut pairs) else {
            return (pairs, Some(start));
        };
        start = end;
    }
    (pairs, None)
}

/// Adds the pair at `start` to `pairs` and returns where it ends.
fn plain_pair<'a>(octets: &'a [u8], start: usize, pairs: &mut Pairs<'a>) -> Option<usize> {
    let (name_len, lengths) = plain_length(octets, start)?;
    let (value_len, name) = plain_length(octets, lengths)?;
    let value = name + name_len;
    let end = value + value_len;
    pairs.push((octets.get(name..value)?, octets.get(value..end)?));
    Some(end)
}

/// The length at `start`, and where it ends.
fn plain_length(octets: &[u8], start: usize) -> Option<(usize, usize)> {
    let first = usize::from(*octets.get(start)?);
    if first < 128 {
        return Some((first, start + 1));
    }
    let rest = octets.get(start + 1..start + 4)?;
    let len = rest
        .iter()
        .fold(first - 128, |len, octet| len * 256 + usize::from(*octet));
    Some((len, start + 4))
}
