//! Octets to records, without copying content (FastCGI Specification 1.0, section 3.3).
//!
//! The decoder knows nothing of requests and streams; [`application`](crate::application) and
//! [`web_server`](crate::web_server) do.

use crate::consts::HEADER_LEN;
use crate::{Error, Header};

/// What a [`Decoder`] finds next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'i> {
    /// A record begins.
    Header(Header),
    /// Some of its content, never empty, in the caller's buffer.
    Content(&'i [u8]),
    /// Its content is complete. The padding behind it is dropped without a further word.
    End,
}

/// Cuts a stream of octets into records.
///
/// ```
/// use fcgi_proto::{Chunk, Decoder, Header, RecordType, RequestId};
///
/// let octets = [1, 5, 0, 1, 0, 2, 1, 0, b'h', b'i', 0, 1, 5];
/// let mut input = &octets[..];
/// let mut decoder = Decoder::new();
/// let (record_type, request_id) = (RecordType::STDIN, RequestId::new(1));
/// let header = Header { record_type, request_id, content_length: 2, padding_length: 1 };
/// assert_eq!(decoder.next(&mut input)?, Some(Chunk::Header(header)));
/// assert_eq!(decoder.next(&mut input)?, Some(Chunk::Content(b"hi")));
/// assert_eq!(decoder.next(&mut input)?, Some(Chunk::End));
/// assert_eq!(decoder.next(&mut input)?, None); // two octets of the next header are not a header
/// assert!(input.is_empty());
/// # Ok::<(), fcgi_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    /// The first octets of a header that arrived in pieces.
    header: [u8; HEADER_LEN],
    /// How many of them there are.
    header_filled: usize,
    /// Content octets of the current record that are still to come.
    content_left: usize,
    /// Padding octets of the current record that are still to come.
    padding_left: usize,
    /// Octets consumed since the start.
    offset: u64,
    /// The `offset` at which the current record begins.
    record_offset: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// In a header, or in the padding in front of it.
    Header,
    Content,
    /// A header was of this version.
    Failed(u8),
}

impl Decoder {
    /// A decoder at the start of a connection.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Header,
            header: [0; HEADER_LEN],
            header_filled: 0,
            content_left: 0,
            padding_left: 0,
            offset: 0,
            record_offset: 0,
        }
    }

    /// Consumes octets from `input` up to the next event; `None` means that it wants more than there is.
    ///
    /// # Errors
    /// [`Error::UnsupportedVersion`], for ever: behind it no record border is known.
    #[inline]
    pub fn next<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Chunk<'i>>, Error> {
        match self.state {
            State::Header => self
                .next_header(input)
                .map(|header| header.map(Chunk::Header)),
            State::Content if self.content_left == 0 => {
                self.state = State::Header;
                Ok(Some(Chunk::End))
            }
            State::Content if input.is_empty() => Ok(None),
            State::Content => {
                let len = self.content_left.min(input.len());
                self.content_left -= len;
                Ok(Some(Chunk::Content(self.take(input, len))))
            }
            State::Failed(found) => Err(Error::UnsupportedVersion {
                found,
                offset: self.record_offset,
            }),
        }
    }

    /// Octets of the current record's content that are still to come; 0 between records.
    #[must_use]
    pub const fn content_left(&self) -> usize {
        match self.state {
            State::Content => self.content_left,
            State::Header | State::Failed(_) => 0,
        }
    }

    /// Octets consumed since the start.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the current record begins, in octets since the start.
    #[must_use]
    pub const fn record_offset(&self) -> u64 {
        self.record_offset
    }

    /// Whether the input may end here: no record is incomplete.
    #[must_use]
    pub const fn is_between_records(&self) -> bool {
        matches!(self.state, State::Header) && self.header_filled == 0 && self.padding_left == 0
    }

    fn next_header(&mut self, input: &mut &[u8]) -> Result<Option<Header>, Error> {
        if self.padding_left > 0 {
            let len = self.padding_left.min(input.len());
            self.padding_left -= len;
            self.take(input, len);
            if self.padding_left > 0 {
                return Ok(None);
            }
        }
        let octets = match input.split_first_chunk() {
            Some((octets, rest)) if self.header_filled == 0 => {
                *input = rest;
                self.offset += HEADER_LEN as u64;
                *octets
            }
            _ => {
                let len = (HEADER_LEN - self.header_filled).min(input.len());
                let piece = self.take(input, len);
                self.header[self.header_filled..][..len].copy_from_slice(piece);
                self.header_filled += len;
                if self.header_filled < HEADER_LEN {
                    return Ok(None);
                }
                self.header_filled = 0;
                self.header
            }
        };
        self.record_offset = self.offset - HEADER_LEN as u64;
        match Header::decode(octets) {
            Ok(header) => {
                self.state = State::Content;
                self.content_left = usize::from(header.content_length);
                self.padding_left = usize::from(header.padding_length);
                Ok(Some(header))
            }
            Err(found) => {
                self.state = State::Failed(found);
                Err(Error::UnsupportedVersion {
                    found,
                    offset: self.record_offset,
                })
            }
        }
    }

    #[inline]
    fn take<'i>(&mut self, input: &mut &'i [u8], len: usize) -> &'i [u8] {
        let (taken, rest) = input.split_at(len);
        *input = rest;
        self.offset += len as u64;
        taken
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::{RecordType, RequestId};

    /// The records in `octets`, given in pieces of `piece` octets: header and content each.
    fn records(octets: &[u8], piece: usize) -> Result<Vec<(Header, Vec<u8>)>, Error> {
        let mut decoder = Decoder::new();
        let mut records = Vec::new();
        for mut input in octets.chunks(piece) {
            while let Some(chunk) = decoder.next(&mut input)? {
                match chunk {
                    Chunk::Header(header) => records.push((header, Vec::new())),
                    Chunk::Content(content) => {
                        assert!(!content.is_empty());
                        records.last_mut().unwrap().1.extend_from_slice(content);
                    }
                    Chunk::End => {
                        let (header, content) = records.last().unwrap();
                        assert_eq!(usize::from(header.content_length), content.len());
                    }
                }
            }
            assert!(input.is_empty());
        }
        assert_eq!(decoder.offset(), octets.len() as u64);
        assert!(decoder.is_between_records());
        Ok(records)
    }

    #[test]
    fn what_is_left_of_the_content_is_known() {
        let octets = [1, 5, 0, 1, 0, 3, 1, 0, b'a', b'b', b'c', 0];
        let mut decoder = Decoder::new();
        // (octets given, what is left behind them)
        for (range, left) in [(0..4, 0), (4..8, 3), (8..10, 1), (10..11, 0), (11..12, 0)] {
            let mut input = &octets[range.clone()];
            while decoder.next(&mut input).unwrap().is_some() {}
            assert_eq!(decoder.content_left(), left, "{range:?}");
        }
    }

    #[test]
    fn every_way_of_cutting_gives_the_same_records() {
        let mut octets = Vec::new();
        for (content_length, padding_length) in [(0, 0), (5, 3), (0, 255), (1, 0), (300, 7)] {
            let record_type = RecordType::STDIN;
            let request_id = RequestId::new(7);
            let header = Header {
                record_type,
                request_id,
                content_length,
                padding_length,
            };
            octets.extend(header.encode());
            octets.extend((0..content_length).map(|n| n.to_le_bytes()[0]));
            octets.extend((0..padding_length).map(|_| 0xee));
        }
        let whole = records(&octets, octets.len()).unwrap();
        assert_eq!(whole.len(), 5);
        for piece in 1..octets.len() {
            assert_eq!(records(&octets, piece).unwrap(), whole, "pieces of {piece}");
        }
    }

    #[test]
    fn another_version_ends_the_decoding_for_ever() {
        let octets = [
            1, 5, 0, 1, 0, 0, 0, 0, 2, 5, 0, 1, 0, 0, 0, 0, 1, 5, 0, 1, 0, 0, 0, 0,
        ];
        let mut input = &octets[..];
        let mut decoder = Decoder::new();
        assert!(matches!(
            decoder.next(&mut input),
            Ok(Some(Chunk::Header(_)))
        ));
        assert_eq!(decoder.next(&mut input), Ok(Some(Chunk::End)));
        for _ in 0..3 {
            assert_eq!(
                decoder.next(&mut input),
                Err(Error::UnsupportedVersion {
                    found: 2,
                    offset: 8
                })
            );
        }
        assert_eq!(input.len(), 8);
    }

    #[test]
    fn the_end_of_a_record_does_not_wait_for_its_padding() {
        let mut decoder = Decoder::new();
        let mut input = &[1, 5, 0, 1, 0, 0, 9, 0][..];
        assert!(matches!(
            decoder.next(&mut input),
            Ok(Some(Chunk::Header(_)))
        ));
        assert_eq!(decoder.next(&mut input), Ok(Some(Chunk::End)));
        assert!(!decoder.is_between_records());
    }
}
