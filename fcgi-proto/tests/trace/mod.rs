//! Records by hand, and what the machines make of them, for the checklist tests.

#![allow(dead_code, reason = "each test binary uses its part")]

use fcgi_proto::application;
use fcgi_proto::web_server;
use fcgi_proto::{
    BeginRequest, Decoder, EndRequest, Error, Flags, Frames, Header, Limits, ProtocolStatus,
    RecordType, RequestId, Role, UnknownType, Values, frames,
};

pub(crate) const KEEP: Flags = Flags::KEEP_CONN;
pub(crate) const CLOSE: Flags = Flags(0);

pub(crate) fn id(number: u16) -> RequestId {
    RequestId::new(number).unwrap()
}

/// One record, with padding of its own choice.
pub(crate) fn padded(record_type: RecordType, id: u16, content: &[u8], padding: u8) -> Vec<u8> {
    let header = Header {
        record_type,
        request_id: RequestId::new(id),
        content_length: u16::try_from(content.len()).unwrap(),
        padding_length: padding,
    };
    [
        &header.encode()[..],
        content,
        &vec![0xaa; usize::from(padding)],
    ]
    .concat()
}

/// One record, padded to a multiple of eight octets.
pub(crate) fn record(record_type: RecordType, id: u16, content: &[u8]) -> Vec<u8> {
    let padding = (8 - content.len() % 8) % 8;
    let mut octets = padded(record_type, id, content, u8::try_from(padding).unwrap());
    let end = octets.len();
    octets[end - padding..].fill(0);
    octets
}

pub(crate) fn begin(id: u16, role: Role, flags: Flags) -> Vec<u8> {
    record(
        RecordType::BEGIN_REQUEST,
        id,
        &BeginRequest { role, flags }.encode(),
    )
}

pub(crate) fn end(id: u16, app_status: u32, protocol_status: ProtocolStatus) -> Vec<u8> {
    let body = EndRequest {
        app_status,
        protocol_status,
    };
    record(RecordType::END_REQUEST, id, &body.encode())
}

pub(crate) fn unknown_type(record_type: RecordType) -> Vec<u8> {
    record(
        RecordType::UNKNOWN_TYPE,
        0,
        &UnknownType { record_type }.encode(),
    )
}

/// `FCGI_BEGIN_REQUEST`, one variable, the end of PARAMS and of STDIN.
pub(crate) fn get(id: u16, flags: Flags) -> Vec<u8> {
    [
        begin(id, Role::RESPONDER, flags),
        record(RecordType::PARAMS, id, b"\x01\x01AB"),
        record(RecordType::PARAMS, id, b""),
        record(RecordType::STDIN, id, b""),
    ]
    .concat()
}

/// What [`get`] is told as.
pub(crate) fn told_get(number: u16, flags: Flags) -> Vec<Told> {
    vec![
        request(number, Role::RESPONDER, flags, &[("A", "B")]),
        Told::StdinEnd(number),
    ]
}

pub(crate) fn request(id: u16, role: Role, flags: Flags, params: &[(&str, &str)]) -> Told {
    let params = params
        .iter()
        .map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec()));
    Told::Request {
        id,
        begin: BeginRequest { role, flags },
        params: params.collect(),
    }
}

/// The octets of frames, and a check that they fit a vectored write.
pub(crate) fn written(frames: Frames<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    frames.write(&mut out);
    out
}

/// Records with `data` on a stream.
pub(crate) fn stream(record_type: RecordType, number: u16, data: &[u8]) -> Vec<u8> {
    written(frames(record_type, id(number), data))
}

/// An application's event that owns its data. Neighbouring pieces of a stream are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Request {
        id: u16,
        begin: BeginRequest,
        params: Vec<(Vec<u8>, Vec<u8>)>,
    },
    Stdin(u16, Vec<u8>),
    StdinEnd(u16),
    Data(u16, Vec<u8>),
    DataEnd(u16),
    Abort(u16),
    Refused(u16, Error),
    Stdout(u16, Vec<u8>),
    StdoutEnd(u16),
    Stderr(u16, Vec<u8>),
    StderrEnd(u16),
    End(u16, u32, ProtocolStatus),
    Values(Values),
    UnknownType(RecordType),
    Failed(Error),
}

/// Adds an event, or its data to the event in front of it.
pub(crate) fn tell(told: &mut Vec<Told>, event: Told) {
    match (told.last_mut(), event) {
        (Some(Told::Stdin(last, data)), Told::Stdin(id, more)) if *last == id => data.extend(more),
        (Some(Told::Data(last, data)), Told::Data(id, more)) if *last == id => data.extend(more),
        (Some(Told::Stdout(last, data)), Told::Stdout(id, more)) if *last == id => {
            data.extend(more);
        }
        (Some(Told::Stderr(last, data)), Told::Stderr(id, more)) if *last == id => {
            data.extend(more);
        }
        (_, event) => told.push(event),
    }
}

/// Feeds `octets` in pieces of `piece` and collects what an application is told.
pub(crate) fn feed_in_pieces(
    conn: &mut application::Connection,
    octets: &[u8],
    piece: usize,
) -> Vec<Told> {
    feed_all(conn, octets.chunks(piece))
}

/// Feeds pieces of input and collects what is told.
pub(crate) fn feed_all<'i>(
    conn: &mut application::Connection,
    pieces: impl IntoIterator<Item = &'i [u8]>,
) -> Vec<Told> {
    use application::Event;
    let mut told = Vec::new();
    for mut input in pieces {
        loop {
            let event = match conn.handle_input(&mut input) {
                Ok(Some(event)) => event,
                Ok(None) => break assert!(input.is_empty(), "all input is consumed"),
                Err(error) => {
                    assert_eq!(conn.handle_input(&mut input), Err(error), "failed for ever");
                    assert!(conn.should_close());
                    tell(&mut told, Told::Failed(error));
                    return told;
                }
            };
            let event = match event {
                Event::Request { id, begin, params } => {
                    let pairs = params
                        .iter()
                        .map(|(n, v)| (n.to_vec(), v.to_vec()))
                        .collect();
                    conn.recycle(params);
                    Told::Request {
                        id: id.number(),
                        begin,
                        params: pairs,
                    }
                }
                Event::Stdin { id, data } => {
                    assert!(!data.is_empty());
                    Told::Stdin(id.number(), data.to_vec())
                }
                Event::StdinEnd { id } => Told::StdinEnd(id.number()),
                Event::Data { id, data } => Told::Data(id.number(), data.to_vec()),
                Event::DataEnd { id } => Told::DataEnd(id.number()),
                Event::Abort { id } => Told::Abort(id.number()),
                Event::Refused { id, error } => Told::Refused(id.number(), error),
                other => panic!("unknown event {other:?}"),
            };
            tell(&mut told, event);
        }
    }
    told
}

/// Feeds `octets` at once.
pub(crate) fn feed(conn: &mut application::Connection, octets: &[u8]) -> Vec<Told> {
    feed_in_pieces(conn, octets, octets.len().max(1))
}

/// Feeds `octets` to a Web server's machine in pieces of `piece` and collects what it is told.
pub(crate) fn receive_in_pieces(
    conn: &mut web_server::Connection,
    octets: &[u8],
    piece: usize,
) -> Vec<Told> {
    receive_all(conn, octets.chunks(piece))
}

/// Feeds pieces of input and collects what is told.
pub(crate) fn receive_all<'i>(
    conn: &mut web_server::Connection,
    pieces: impl IntoIterator<Item = &'i [u8]>,
) -> Vec<Told> {
    use web_server::Event;
    let mut told = Vec::new();
    for mut input in pieces {
        loop {
            let event = match conn.handle_input(&mut input) {
                Ok(Some(event)) => event,
                Ok(None) => break assert!(input.is_empty(), "all input is consumed"),
                Err(error) => {
                    assert_eq!(conn.handle_input(&mut input), Err(error), "failed for ever");
                    assert!(conn.should_close());
                    tell(&mut told, Told::Failed(error));
                    return told;
                }
            };
            let event = match event {
                Event::Stdout { id, data } => {
                    assert!(!data.is_empty());
                    Told::Stdout(id.number(), data.to_vec())
                }
                Event::StdoutEnd { id } => Told::StdoutEnd(id.number()),
                Event::Stderr { id, data } => Told::Stderr(id.number(), data.to_vec()),
                Event::StderrEnd { id } => Told::StderrEnd(id.number()),
                Event::End {
                    id,
                    app_status,
                    protocol_status,
                } => Told::End(id.number(), app_status, protocol_status),
                Event::Values(values) => Told::Values(values),
                Event::UnknownType(record_type) => Told::UnknownType(record_type),
                other => panic!("unknown event {other:?}"),
            };
            tell(&mut told, event);
        }
    }
    told
}

/// Feeds `octets` to a Web server's machine at once.
pub(crate) fn receive(conn: &mut web_server::Connection, octets: &[u8]) -> Vec<Told> {
    receive_in_pieces(conn, octets, octets.len().max(1))
}

/// An application with one request at a time.
pub(crate) fn application() -> application::Connection {
    application::Connection::new(application::Config::default(), Limits::default())
}

/// An application with all roles, multiplexed.
pub(crate) fn multiplexing() -> application::Connection {
    application::Connection::new(multiplexing_config(), Limits::default())
}

pub(crate) fn multiplexing_config() -> application::Config {
    let mut config = application::Config::default();
    config.roles = fcgi_proto::Roles::ALL;
    config.mpxs_conns = true;
    config.max_conns = 10;
    config.max_reqs = 200;
    config
}

pub(crate) fn web_server() -> web_server::Connection {
    web_server::Connection::new(web_server::Config::default(), Limits::default())
}

/// The types of the records in `octets`, each with its id and content length.
pub(crate) fn outline(octets: &[u8]) -> Vec<(RecordType, u16, u16)> {
    let (mut decoder, mut input, mut outline) = (Decoder::new(), octets, Vec::new());
    while let Some(chunk) = decoder.next(&mut input).unwrap() {
        if let fcgi_proto::Chunk::Header(header) = chunk {
            let id = header.request_id.map_or(0, RequestId::number);
            outline.push((header.record_type, id, header.content_length));
        }
    }
    assert!(decoder.is_between_records(), "whole records");
    outline
}
