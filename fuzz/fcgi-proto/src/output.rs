//! Whether what a machine writes keeps the rules of the specification.

use std::collections::{BTreeMap, BTreeSet};

use fcgi_proto::{Chunk, Decoder, Header, RecordType, RequestId};

/// The records of one direction of a connection.
#[derive(Debug)]
pub(crate) struct Output {
    side: Side,
    decoder: Decoder,
    /// The streams that each request in flight has used and not ended, and those that it has ended.
    used: BTreeSet<(RequestId, RecordType)>,
    ended: BTreeMap<RequestId, Vec<RecordType>>,
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Application,
    WebServer,
}

impl Side {
    const fn streams(self) -> &'static [RecordType] {
        match self {
            Self::Application => &[RecordType::STDOUT, RecordType::STDERR],
            Self::WebServer => &[RecordType::PARAMS, RecordType::STDIN, RecordType::DATA],
        }
    }

    const fn management(self) -> &'static [RecordType] {
        match self {
            Self::Application => &[RecordType::GET_VALUES_RESULT, RecordType::UNKNOWN_TYPE],
            Self::WebServer => &[RecordType::GET_VALUES],
        }
    }
}

impl Output {
    const fn new(side: Side) -> Self {
        Self {
            side,
            decoder: Decoder::new(),
            used: BTreeSet::new(),
            ended: BTreeMap::new(),
        }
    }

    /// What an application writes.
    pub(crate) const fn of_application() -> Self {
        Self::new(Side::Application)
    }

    /// What a Web server writes.
    pub(crate) const fn of_web_server() -> Self {
        Self::new(Side::WebServer)
    }

    /// Checks whole records: their types and ids fit the direction, and no stream goes on behind its end.
    pub(crate) fn check(&mut self, mut octets: &[u8]) {
        while let Some(chunk) = self.decoder.next(&mut octets).expect("version 1") {
            if let Chunk::Header(header) = chunk {
                self.check_header(header);
            }
        }
        assert!(self.decoder.is_between_records(), "whole records");
    }

    fn check_header(&mut self, header: Header) {
        let Header {
            record_type,
            request_id,
            content_length,
            padding_length,
        } = header;
        let octets = usize::from(content_length) + usize::from(padding_length);
        assert_eq!(octets % 8, 0, "{header:?}");
        let Some(id) = request_id else {
            return assert!(self.side.management().contains(&record_type), "{header:?}");
        };
        match (self.side, record_type) {
            (Side::Application, RecordType::END_REQUEST) => {
                assert_eq!(content_length, 8);
                self.ended.remove(&id);
            }
            (Side::WebServer, RecordType::BEGIN_REQUEST) => {
                assert_eq!(content_length, 8);
                self.ended.insert(id, Vec::new());
            }
            (Side::WebServer, RecordType::ABORT_REQUEST) => {
                // Nothing more is said of the request.
                assert_eq!(content_length, 0);
                self.ended.insert(id, self.side.streams().to_vec());
            }
            _ => {
                assert!(self.side.streams().contains(&record_type), "{header:?}");
                let ended = self.ended.entry(id).or_default();
                assert!(!ended.contains(&record_type), "behind the end: {header:?}");
                if content_length > 0 {
                    self.used.insert((id, record_type));
                } else {
                    // An application that never wrote to STDERR does not end it either.
                    let used = self.used.remove(&(id, record_type));
                    assert!(used || record_type != RecordType::STDERR, "{header:?}");
                    ended.push(record_type);
                }
            }
        }
    }
}
