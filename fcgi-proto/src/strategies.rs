//! Strategies for property tests: records, what a Web server sends on a connection, and the same with one fault.
//!
//! A program that speaks FastCGI can be tested with them against the specification rather than against this crate:
//! [`trace`] says what octets stand for, and [`mutated_trace`] which fault they hold.
//!
//! ```
//! use fcgi_proto::strategies::{trace, write_records};
//! use proptest::prelude::*;
//!
//! proptest!(|(trace in trace())| {
//!     let octets = write_records(&trace.records);
//!     // … feed the octets to a parser, and compare what it finds with `trace.requests`
//! #   prop_assert!(octets.len() >= trace.records.len() * 8);
//! });
//! ```

use alloc::vec::Vec;
use core::iter;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::consts::HEADER_LEN;
use crate::name_value::write_name_value;
use crate::{BeginRequest, Error, Flags, Header, RecordType, RequestId, Role};

/// One record with all that the Web server or the application is free to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its type.
    pub record_type: RecordType,
    /// Its request; `None` is the null request id.
    pub request_id: Option<RequestId>,
    /// Its content, at most 65,535 octets.
    pub content: Vec<u8>,
    /// How many octets of padding follow the content.
    pub padding_length: u8,
}

impl Record {
    /// Its header.
    ///
    /// # Panics
    /// If the content is longer than a record can hold.
    #[must_use]
    pub fn header(&self) -> Header {
        Header {
            record_type: self.record_type,
            request_id: self.request_id,
            content_length: u16::try_from(self.content.len()).expect("content that fits a record"),
            padding_length: self.padding_length,
        }
    }

    /// Appends its octets to `out`. The padding is not zero, as nothing says that it is.
    ///
    /// # Panics
    /// If the content is longer than a record can hold.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header().encode());
        out.extend_from_slice(&self.content);
        out.extend(iter::repeat_n(0xa5, usize::from(self.padding_length)));
    }

    fn len(&self) -> usize {
        HEADER_LEN + self.content.len() + usize::from(self.padding_length)
    }
}

/// The octets of records, one after the other.
///
/// # Panics
/// If a content is longer than a record can hold.
#[must_use]
pub fn write_records(records: &[Record]) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        record.write(&mut out);
    }
    out
}

/// Any request id, small ones most of the time.
pub fn request_id() -> impl Strategy<Value = RequestId> {
    prop_oneof![9 => 1..=4_u16, 1 => 1..=u16::MAX]
        .prop_map(|number| RequestId::new(number).unwrap_or(RequestId::MIN))
}

/// One of the specification's three roles.
pub fn role() -> impl Strategy<Value = Role> {
    select(&[Role::RESPONDER, Role::AUTHORIZER, Role::FILTER][..])
}

/// Any type, those that exist most of the time.
pub fn record_type() -> impl Strategy<Value = RecordType> {
    prop_oneof![9 => 1..=11_u8, 1 => any::<u8>()].prop_map(RecordType)
}

/// Any record with up to 300 octets of content, whether or not it has a place on a connection.
pub fn record() -> impl Strategy<Value = Record> {
    let content = prop_oneof![
        2 => Just(Vec::new()),
        2 => vec(any::<u8>(), 8),
        1 => vec(any::<u8>(), 0..300),
        2 => pairs().prop_map(|pairs| write_pairs(&pairs)),
    ];
    (
        record_type(),
        proptest::option::weighted(0.9, request_id()),
        content,
        any::<u8>(),
    )
        .prop_map(
            |(record_type, request_id, content, padding_length)| Record {
                record_type,
                request_id,
                content,
                padding_length,
            },
        )
}

/// Names with values, in both forms of lengths.
pub fn pairs() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    let octets = || prop_oneof![9 => vec(any::<u8>(), 0..20), 1 => vec(any::<u8>(), 120..140)];
    vec((octets(), octets()), 0..8)
}

fn write_pairs(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in pairs {
        write_name_value(name, value, &mut out).expect("short names and values");
    }
    out
}

/// What one request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the application is asked to be.
    pub role: Role,
    /// `FCGI_KEEP_CONN` and any bits that mean nothing.
    pub flags: Flags,
    /// The variables.
    pub params: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body.
    pub stdin: Vec<u8>,
    /// The file, of a Filter only; empty otherwise.
    pub data: Vec<u8>,
}

/// Any request whose connection is kept.
pub fn request() -> impl Strategy<Value = Request> {
    let body = || vec(any::<u8>(), 0..200);
    (role(), any::<u8>(), pairs(), body(), body()).prop_map(|(role, bits, params, stdin, data)| {
        let flags = Flags(bits | Flags::KEEP_CONN.0);
        let data = if role == Role::FILTER {
            data
        } else {
            Vec::new()
        };
        Request {
            role,
            flags,
            params,
            stdin,
            data,
        }
    })
}

/// What a Web server sends on one multiplexed connection: complete requests whose records are interleaved, with streams
/// cut anywhere and any padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The requests.
    pub requests: Vec<(RequestId, Request)>,
    /// Their records.
    pub records: Vec<Record>,
}

/// Any trace of one to four requests.
pub fn trace() -> impl Strategy<Value = Trace> {
    let cuts = || vec((1..60_usize, any::<u8>()), 1..5);
    vec((request(), cuts()), 1..=4).prop_flat_map(|requests| {
        let queues: Vec<(RequestId, Request, Vec<Record>)> = requests
            .into_iter()
            .zip((1..=u16::MAX).filter_map(RequestId::new))
            .map(|((request, cuts), id)| {
                let records = records(id, &request, &cuts);
                (id, request, records)
            })
            .collect();
        let turns: Vec<usize> = queues
            .iter()
            .enumerate()
            .flat_map(|(queue, (_, _, records))| iter::repeat_n(queue, records.len()))
            .collect();
        (Just(queues), Just(turns).prop_shuffle()).prop_map(|(queues, turns)| {
            let mut rest: Vec<_> = queues
                .iter()
                .map(|(_, _, records)| records.iter().cloned())
                .collect();
            let records = turns
                .iter()
                .filter_map(|queue| rest[*queue].next())
                .collect();
            let requests = queues
                .into_iter()
                .map(|(id, request, _)| (id, request))
                .collect();
            Trace { requests, records }
        })
    })
}

/// The records of one request: its streams are cut, and its records padded, as the numbers in `cuts` say in turn.
fn records(id: RequestId, request: &Request, cuts: &[(usize, u8)]) -> Vec<Record> {
    let mut cuts = cuts.iter().cycle().copied();
    let mut records = Vec::new();
    let mut push = |record_type, mut stream: &[u8]| {
        loop {
            let (len, padding_length) = cuts.next().unwrap_or((1, 0));
            let (content, rest) = stream.split_at(len.min(stream.len()));
            let (request_id, content) = (Some(id), content.to_vec());
            records.push(Record {
                record_type,
                request_id,
                content,
                padding_length,
            });
            if stream.is_empty() {
                break;
            }
            stream = rest;
        }
    };
    push(RecordType::PARAMS, &write_pairs(&request.params));
    push(RecordType::STDIN, &request.stdin);
    if request.role == Role::FILTER {
        push(RecordType::DATA, &request.data);
    }
    let begin = BeginRequest {
        role: request.role,
        flags: request.flags,
    };
    records.insert(0, plain(RecordType::BEGIN_REQUEST, id, &begin.encode()));
    records
}

fn plain(record_type: RecordType, id: RequestId, content: &[u8]) -> Record {
    Record {
        record_type,
        request_id: Some(id),
        content: content.to_vec(),
        padding_length: 0,
    }
}

/// A [`Trace`] with one fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutatedTrace {
    /// What was meant.
    pub trace: Trace,
    /// What is sent.
    pub octets: Vec<u8>,
    /// The request with the fault, if it is the fault of a request.
    pub request_id: Option<RequestId>,
    /// The fault, as an application that serves all roles and multiplexes finds it. Its [`Error::fate`] and
    /// [`Error::answer`] say what follows.
    pub error: Error,
}

/// Any trace with any one of the faults that a Web server can commit.
pub fn mutated_trace() -> impl Strategy<Value = MutatedTrace> {
    let faults = select(&Fault::ALL[..]);
    (trace(), faults, any::<Index>(), any::<Index>(), any::<u8>()).prop_filter_map(
        "no variables to cut",
        |(trace, fault, which, place, octet)| mutate(trace, fault, which, place, octet),
    )
}

/// What is done to a trace.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Version,
    Truncated,
    BeginLength,
    BeginNullId,
    BeginAgain,
    UnknownRole,
    PairTruncated,
    BodyBeforeParamsEnd,
    ParamsReopened,
    StdinReopened,
    WrongDirection,
}

impl Fault {
    const ALL: [Self; 11] = [
        Self::Version,
        Self::Truncated,
        Self::BeginLength,
        Self::BeginNullId,
        Self::BeginAgain,
        Self::UnknownRole,
        Self::PairTruncated,
        Self::BodyBeforeParamsEnd,
        Self::ParamsReopened,
        Self::StdinReopened,
        Self::WrongDirection,
    ];
}

/// `which` chooses the request, `place` a record or an octet, `octet` a wrong value.
fn mutate(
    trace: Trace,
    fault: Fault,
    which: Index,
    place: Index,
    octet: u8,
) -> Option<MutatedTrace> {
    let mut records = trace.records.clone();
    let (id, request) = which.get(&trace.requests).clone();
    let is_own = |record: &Record, record_type| {
        record.request_id == Some(id) && record.record_type == record_type
    };
    let begin = records
        .iter()
        .position(|r| is_own(r, RecordType::BEGIN_REQUEST))?;
    let end_of = |records: &[Record], record_type| {
        records
            .iter()
            .position(|r| is_own(r, record_type) && r.content.is_empty())
    };
    let offset_of = |records: &[Record], index: usize| {
        records[..index]
            .iter()
            .map(|record| record.len() as u64)
            .sum::<u64>()
    };
    // Somewhere behind the record at `index`.
    let behind = |index: usize| index + 1 + place.index(records.len() - index);
    let mut request_id = None;
    let error = match fault {
        Fault::Version => {
            let index = place.index(records.len());
            let offset = offset_of(&records, index);
            let found = if octet == 1 { 2 } else { octet };
            let mut octets = write_records(&records);
            octets[usize::try_from(offset).ok()?] = found;
            let error = Error::UnsupportedVersion { found, offset };
            return Some(MutatedTrace {
                trace,
                octets,
                request_id,
                error,
            });
        }
        Fault::Truncated => {
            let index = place.index(records.len());
            let inside = 1 + usize::from(octet) % (records[index].len() - 1);
            let offset = offset_of(&records, index) + inside as u64;
            let mut octets = write_records(&records);
            octets.truncate(usize::try_from(offset).ok()?);
            let error = Error::UnexpectedEof { offset };
            return Some(MutatedTrace {
                trace,
                octets,
                request_id,
                error,
            });
        }
        Fault::BeginLength => {
            let found = if octet == 8 { 9 } else { u16::from(octet) };
            records[begin].content.resize(usize::from(found), 0);
            let (record_type, offset) = (RecordType::BEGIN_REQUEST, offset_of(&records, begin));
            Error::BodyLength {
                record_type,
                expected: 8,
                found,
                offset,
            }
        }
        Fault::BeginNullId => {
            records[begin].request_id = None;
            let (record_type, offset) = (RecordType::BEGIN_REQUEST, offset_of(&records, begin));
            Error::NullRequestId {
                record_type,
                offset,
            }
        }
        Fault::BeginAgain => {
            let (index, record) = (behind(begin), records[begin].clone());
            records.insert(index, record);
            Error::RequestIdInUse {
                id,
                offset: offset_of(&records, index),
            }
        }
        Fault::UnknownRole => {
            let role = if (1..=3).contains(&octet) {
                Role(0x0100)
            } else {
                Role(u16::from(octet))
            };
            let flags = request.flags;
            records[begin].content = BeginRequest { role, flags }.encode().to_vec();
            request_id = Some(id);
            Error::UnknownRole {
                id,
                role,
                offset: offset_of(&records, begin),
            }
        }
        Fault::PairTruncated => {
            let end = end_of(&records, RecordType::PARAMS)?;
            let last = records[..end]
                .iter()
                .rposition(|r| is_own(r, RecordType::PARAMS))?;
            records[last].content.pop();
            request_id = Some(id);
            // A record that has become empty is the new end.
            let end = end_of(&records, RecordType::PARAMS)?;
            Error::PairTruncated {
                offset: offset_of(&records, end),
            }
        }
        Fault::BodyBeforeParamsEnd => {
            let record_type = if octet.is_multiple_of(2) {
                RecordType::STDIN
            } else {
                RecordType::DATA
            };
            let index = begin + 1;
            records.insert(index, plain(record_type, id, &vec_of(octet)));
            Error::BeforeParamsEnd {
                record_type,
                id,
                offset: offset_of(&records, index),
            }
        }
        Fault::ParamsReopened | Fault::StdinReopened => {
            let record_type = match fault {
                Fault::ParamsReopened => RecordType::PARAMS,
                _ => RecordType::STDIN,
            };
            let index = behind(end_of(&records, record_type)?);
            records.insert(index, plain(record_type, id, b"again"));
            Error::StreamReopened {
                record_type,
                id,
                offset: offset_of(&records, index),
            }
        }
        Fault::WrongDirection => {
            let types = [
                RecordType::END_REQUEST,
                RecordType::STDOUT,
                RecordType::STDERR,
            ];
            let record_type = types[usize::from(octet) % types.len()];
            let index = behind(begin);
            records.insert(index, plain(record_type, id, &vec_of(octet)));
            Error::WrongDirection {
                record_type,
                id,
                offset: offset_of(&records, index),
            }
        }
    };
    Some(MutatedTrace {
        trace,
        octets: write_records(&records),
        request_id,
        error,
    })
}

/// Some content, possibly none.
fn vec_of(octet: u8) -> Vec<u8> {
    iter::repeat_n(octet, usize::from(octet / 8)).collect()
}
