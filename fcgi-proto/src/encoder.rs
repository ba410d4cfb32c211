//! Content to records, without copying it (FastCGI Specification 1.0, section 3.3).

use alloc::vec::Vec;
use core::iter::FusedIterator;

use crate::consts::{BODY_LEN, HEADER_LEN, STREAM_CONTENT_LEN};
use crate::{EndRequest, Header, RecordType, RequestId, UnknownType};

/// What padding is made of.
static PADDING: [u8; 7] = [0; 7];

/// One record, ready for a vectored write: `header`, `content` and `padding`, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'d> {
    /// The octets of the header.
    pub header: [u8; HEADER_LEN],
    /// The content, in the caller's buffer.
    pub content: &'d [u8],
    /// Zeros up to a multiple of eight octets.
    pub padding: &'static [u8],
}

impl<'d> Frame<'d> {
    /// A record with this content, of which at most [`STREAM_CONTENT_LEN`] octets are taken.
    fn new(record_type: RecordType, request_id: Option<RequestId>, content: &'d [u8]) -> Self {
        let content = &content[..content.len().min(STREAM_CONTENT_LEN)];
        #[expect(
            clippy::cast_possible_truncation,
            reason = "STREAM_CONTENT_LEN fits 16 bits"
        )]
        let header = Header::new(record_type, request_id, content.len() as u16);
        let padding = &PADDING[..usize::from(header.padding_length)];
        Self {
            header: header.encode(),
            content,
            padding,
        }
    }

    /// The octets of the record.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a record has a header and is never empty"
    )]
    pub const fn len(&self) -> usize {
        HEADER_LEN + self.content.len() + self.padding.len()
    }

    /// Appends the record to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header);
        out.extend_from_slice(self.content);
        out.extend_from_slice(self.padding);
    }
}

/// The records that carry some content of a stream. Made by [`frames`].
#[derive(Clone, Debug)]
pub struct Frames<'d> {
    record_type: RecordType,
    request_id: Option<RequestId>,
    rest: &'d [u8],
}

impl<'d> Iterator for Frames<'d> {
    type Item = Frame<'d>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'d>> {
        if self.rest.is_empty() {
            return None;
        }
        let frame = Frame::new(self.record_type, self.request_id, self.rest);
        self.rest = &self.rest[frame.content.len()..];
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.rest.len().div_ceil(STREAM_CONTENT_LEN);
        (len, Some(len))
    }
}

impl ExactSizeIterator for Frames<'_> {}
impl FusedIterator for Frames<'_> {}

impl Frames<'_> {
    /// The octets of all records that are still to come.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        // Full records need no padding, so only the last one is rounded up.
        self.len() * HEADER_LEN + self.rest.len().next_multiple_of(8)
    }

    /// Appends the records to `out`.
    pub fn write(self, out: &mut Vec<u8>) {
        out.reserve(self.encoded_len());
        for frame in self {
            frame.write(out);
        }
    }
}

/// The records that carry `content` on the stream `record_type`: none for no content, as an empty record would end
/// the stream; one for up to [`STREAM_CONTENT_LEN`] octets; and so on.
///
/// ```
/// use fcgi_proto::{RecordType, RequestId, frames};
///
/// let body = [b'x'; 100_000];
/// let mut records = frames(RecordType::STDOUT, RequestId::MIN, &body);
/// assert_eq!(records.len(), 2);
/// let record = records.next().unwrap();
/// assert_eq!(record.header, [1, 6, 0, 1, 0xff, 0xf8, 0, 0]);
/// assert!(std::ptr::eq(record.content, &body[..65_528])); // the body is not copied
/// ```
#[must_use]
pub const fn frames(record_type: RecordType, id: RequestId, content: &[u8]) -> Frames<'_> {
    Frames {
        record_type,
        request_id: Some(id),
        rest: content,
    }
}

/// Appends one record to `out`, for records that are no stream; of `content`, at most [`STREAM_CONTENT_LEN`] octets.
pub(crate) fn write_record(
    record_type: RecordType,
    request_id: Option<RequestId>,
    content: &[u8],
    out: &mut Vec<u8>,
) {
    Frame::new(record_type, request_id, content).write(out);
}

/// Appends the empty record that ends a stream.
pub(crate) fn write_stream_end(record_type: RecordType, id: RequestId, out: &mut Vec<u8>) {
    out.extend_from_slice(&Header::new(record_type, Some(id), 0).encode());
}

/// Appends `FCGI_END_REQUEST`.
pub(crate) fn write_end_request(id: RequestId, body: EndRequest, out: &mut Vec<u8>) {
    write_record(RecordType::END_REQUEST, Some(id), &body.encode(), out);
}

/// Appends `FCGI_UNKNOWN_TYPE`, §4.2.
pub(crate) fn write_unknown_type(record_type: RecordType, out: &mut Vec<u8>) {
    let body = UnknownType { record_type };
    write_record(RecordType::UNKNOWN_TYPE, None, &body.encode(), out);
}

/// The octets of a record with an eight-octet body.
pub(crate) const BODY_RECORD_LEN: usize = HEADER_LEN + BODY_LEN;

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    #[test]
    fn frames_split_and_pad() {
        // (octets of content, octets of content and padding of each record)
        let table: [(usize, &[(usize, usize)]); 8] = [
            (0, &[]),
            (1, &[(1, 7)]),
            (8, &[(8, 0)]),
            (65_527, &[(65_527, 1)]),
            (65_528, &[(65_528, 0)]),
            (65_529, &[(65_528, 0), (1, 7)]),
            (65_535, &[(65_528, 0), (7, 1)]),
            (131_060, &[(65_528, 0), (65_528, 0), (4, 4)]),
        ];
        for (len, expected) in table {
            let content = vec![7; len];
            let records = frames(RecordType::STDOUT, RequestId::MAX, &content);
            assert_eq!(records.len(), expected.len());
            let encoded_len = records.encoded_len();
            let mut out = Vec::new();
            for (frame, (content_len, padding_len)) in records.zip(expected) {
                assert_eq!(
                    (frame.content.len(), frame.padding.len()),
                    (*content_len, *padding_len)
                );
                let header = Header::decode(frame.header).unwrap();
                assert_eq!(usize::from(header.content_length), *content_len);
                assert_eq!(usize::from(header.padding_length), *padding_len);
                frame.write(&mut out);
            }
            assert_eq!(out.len(), encoded_len, "{len}");
        }
    }

    #[test]
    fn an_end_of_stream_is_eight_octets() {
        let mut out = Vec::new();
        write_stream_end(RecordType::STDOUT, RequestId::MIN, &mut out);
        assert_eq!(out, [1, 6, 0, 1, 0, 0, 0, 0]);
    }
}
