//! One connection to the application: octets out in the background, records in with a time limit.

use std::cell::RefCell;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use fcgi_proto::{Chunk, Decoder, RequestId};

use super::super::record::{Octets, type_name};
use super::dial::Stream;

/// What was sent and what came back, over all connections of a check.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) sent: Vec<String>,
    received: Vec<(String, usize)>,
}

impl Log {
    fn note(&mut self, what: String) {
        match self.received.last_mut() {
            Some((last, times)) if *last == what => *times += 1,
            _ => self.received.push((what, 1)),
        }
    }

    pub(super) fn sent(&self) -> String {
        shortened(&self.sent.join("; "))
    }

    pub(super) fn received(&self) -> String {
        let words = self.received.iter().map(|(what, times)| match times {
            1 => what.clone(),
            _ => format!("{what} ×{times}"),
        });
        shortened(&words.collect::<Vec<_>>().join(", "))
    }
}

fn shortened(text: &str) -> String {
    const LEN: usize = 400;
    match text.char_indices().nth(LEN) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// A record that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) record_type: u8,
    pub(super) id: u16,
    pub(super) content: Vec<u8>,
    pub(super) padding: u8,
}

impl Received {
    pub(super) fn end(&self) -> Option<(u32, u8)> {
        match self.content[..] {
            [a, b, c, d, status, ..] if self.record_type == 3 => {
                Some((u32::from_be_bytes([a, b, c, d]), status))
            }
            _ => None,
        }
    }
}

/// Why no record came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The application has closed the connection.
    Closed,
    /// The connection was reset.
    Reset,
    /// Nothing came in time.
    Late,
    /// What came is no record.
    Malformed(String),
}

impl Silence {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Closed => "the connection was closed".to_owned(),
            Self::Reset => "the connection was reset".to_owned(),
            Self::Late => "nothing more came in time".to_owned(),
            Self::Malformed(what) => format!("what came is no record: {what}"),
        }
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct Link {
    stream: Stream,
    writer: Option<mpsc::Sender<Vec<u8>>>,
    decoder: Decoder,
    buffer: Vec<u8>,
    record: Option<Received>,
    /// Everything that came.
    raw: Vec<u8>,
    log: Rc<RefCell<Log>>,
}

impl Link {
    pub(super) fn new(stream: Stream, log: Rc<RefCell<Log>>) -> Result<Self, String> {
        let mut output = stream.try_clone().map_err(|error| error.to_string())?;
        let (writer, octets) = mpsc::channel::<Vec<u8>>();
        // An application may answer before it reads: writing must not wait for it. The thread ends with the connection.
        thread::spawn(move || {
            for octets in octets {
                if output.write_all(&octets).is_err() {
                    return;
                }
            }
            output.shutdown(Shutdown::Write);
        });
        Ok(Self {
            stream,
            writer: Some(writer),
            decoder: Decoder::new(),
            buffer: Vec::new(),
            record: None,
            raw: Vec::new(),
            log,
        })
    }

    pub(super) fn send(&self, octets: &Octets) {
        self.log.borrow_mut().sent.push(octets.description());
        if let Some(writer) = &self.writer {
            // An application that has closed the connection takes nothing more; what it said is still read.
            let _ = writer.send(octets.bytes().to_vec());
        }
    }

    /// Ends the input when all is written.
    pub(super) fn finish(&mut self) {
        self.log.borrow_mut().sent.push("end of input".to_owned());
        self.writer = None;
    }

    /// The next record.
    pub(super) fn next(&mut self, limit: Duration) -> Result<Received, Silence> {
        let result = self.read(Instant::now() + limit);
        let what = match &result {
            Ok(record) => match record.end() {
                Some((app_status, status)) => format!(
                    "END_REQUEST({}) appStatus {app_status} protocolStatus {status}",
                    record.id
                ),
                None => format!(
                    "{}({}) {}",
                    type_name(record.record_type),
                    record.id,
                    match record.content.len() {
                        0 => "empty".to_owned(),
                        len => format!("{len} octets"),
                    }
                ),
            },
            Err(silence) => silence.describe(),
        };
        self.log.borrow_mut().note(what);
        result
    }

    /// Padding that came and is not zeros.
    pub(super) fn dirty_padding(&self) -> Option<&[u8]> {
        let mut rest = &self.raw[..];
        while let [_, _, _, _, high, low, padding, _, tail @ ..] = rest {
            let content = usize::from(u16::from_be_bytes([*high, *low]));
            let (padding, next) = tail.get(content..)?.split_at_checked((*padding).into())?;
            if padding.iter().any(|octet| *octet != 0) {
                return Some(padding);
            }
            rest = next;
        }
        None
    }

    fn read(&mut self, deadline: Instant) -> Result<Received, Silence> {
        loop {
            let mut input = &self.buffer[..];
            let found = decode(&mut self.decoder, &mut input, &mut self.record);
            let used = self.buffer.len() - input.len();
            self.buffer.drain(..used);
            if let Some(record) = found? {
                return Ok(record);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.set_read_timeout(left).is_err() {
                return Err(Silence::Late);
            }
            let mut octets = [0; 65_536];
            match self.stream.read(&mut octets) {
                Ok(0) if self.decoder.is_between_records() => return Err(Silence::Closed),
                Ok(0) => return Err(Silence::Malformed("it ends inside a record".to_owned())),
                Ok(len) => {
                    self.buffer.extend_from_slice(&octets[..len]);
                    self.raw.extend_from_slice(&octets[..len]);
                }
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Err(Silence::Late),
                    _ => return Err(Silence::Reset),
                },
            }
        }
    }
}

fn decode(
    decoder: &mut Decoder,
    input: &mut &[u8],
    record: &mut Option<Received>,
) -> Result<Option<Received>, Silence> {
    let malformed = |error: fcgi_proto::Error| Silence::Malformed(error.to_string());
    while let Some(chunk) = decoder.next(input).map_err(malformed)? {
        match chunk {
            Chunk::Header(header) => {
                *record = Some(Received {
                    record_type: header.record_type.0,
                    id: header.request_id.map_or(0, RequestId::number),
                    content: Vec::new(),
                    padding: header.padding_length,
                });
            }
            Chunk::Content(content) => {
                if let Some(record) = record {
                    record.content.extend_from_slice(content);
                }
            }
            Chunk::End => return Ok(record.take()),
        }
    }
    Ok(None)
}

impl Drop for Link {
    fn drop(&mut self) {
        // This also ends the thread that writes.
        self.stream.shutdown(Shutdown::Both);
    }
}
