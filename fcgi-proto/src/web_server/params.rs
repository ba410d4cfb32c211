//! The PARAMS stream of a request (FastCGI Specification 1.0, section 5.2).

use alloc::vec::Vec;

use crate::consts::HEADER_LEN;
use crate::encoder::write_stream_end;
use crate::name_value::encode_lengths;
use crate::{Error, Header, RecordType, RequestId};

/// Writes pairs into PARAMS records of at most `max` content octets.
struct ParamsWriter<'o> {
    id: RequestId,
    max: usize,
    out: &'o mut Vec<u8>,
    /// Where the header of the open record is in `out`.
    header: usize,
}

/// Appends the whole PARAMS stream, its end included. If it fails, `out` is as before.
pub(super) fn write_params<N, V>(
    id: RequestId,
    pairs: impl IntoIterator<Item = (N, V)>,
    max: usize,
    out: &mut Vec<u8>,
) -> Result<(), Error>
where
    N: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let start = out.len();
    let mut writer = ParamsWriter::new(id, max, out);
    for (name, value) in pairs {
        if let Err(error) = writer.write_pair(name.as_ref(), value.as_ref()) {
            out.truncate(start);
            return Err(error);
        }
    }
    writer.finish();
    Ok(())
}

impl<'o> ParamsWriter<'o> {
    fn new(id: RequestId, max: usize, out: &'o mut Vec<u8>) -> Self {
        let header = out.len();
        out.extend_from_slice(&[0; HEADER_LEN]);
        Self {
            id,
            max,
            out,
            header,
        }
    }

    fn write_pair(&mut self, name: &[u8], value: &[u8]) -> Result<(), Error> {
        let (lengths, lengths_len) = encode_lengths(name, value)?;
        let len = lengths_len + name.len() + value.len();
        if len > self.free() && len <= self.max {
            self.next_record();
        }
        for part in [&lengths[..lengths_len], name, value] {
            self.write(part);
        }
        Ok(())
    }

    fn write(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            if self.free() == 0 {
                self.next_record();
            }
            let (fitting, rest) = octets.split_at(octets.len().min(self.free()));
            self.out.extend_from_slice(fitting);
            octets = rest;
        }
    }

    fn finish(mut self) {
        if self.content_len() == 0 {
            // A record without content would be the end of the stream, which comes now anyway.
            self.out.truncate(self.header);
        } else {
            self.end_record();
        }
        write_stream_end(RecordType::PARAMS, self.id, self.out);
    }

    fn content_len(&self) -> usize {
        self.out.len() - self.header - HEADER_LEN
    }

    fn free(&self) -> usize {
        self.max - self.content_len()
    }

    fn next_record(&mut self) {
        self.end_record();
        self.header = self.out.len();
        self.out.extend_from_slice(&[0; HEADER_LEN]);
    }

    /// Writes the header over its place, and the padding.
    fn end_record(&mut self) {
        #[expect(clippy::cast_possible_truncation, reason = "`max` fits 16 bits")]
        let content_length = self.content_len() as u16;
        let header = Header::new(RecordType::PARAMS, Some(self.id), content_length);
        self.out[self.header..][..HEADER_LEN].copy_from_slice(&header.encode());
        self.out
            .resize(self.out.len() + usize::from(header.padding_length), 0);
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::{Chunk, Decoder, name_values};

    /// The content of each record.
    fn records(pairs: &[(&str, Vec<u8>)], max: usize) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        write_params(
            RequestId::MIN,
            pairs.iter().map(|(n, v)| (n, v)),
            max,
            &mut out,
        )
        .unwrap();
        let (mut input, mut decoder, mut records) = (&out[..], Decoder::new(), Vec::new());
        while let Some(chunk) = decoder.next(&mut input).unwrap() {
            match chunk {
                Chunk::Header(header) => {
                    assert_eq!(header.record_type, RecordType::PARAMS);
                    assert_eq!(header.request_id, Some(RequestId::MIN));
                    records.push(Vec::new());
                }
                Chunk::Content(content) => records.last_mut().unwrap().extend(content),
                Chunk::End => {}
            }
        }
        assert!(input.is_empty());
        assert_eq!(records.pop().unwrap(), [], "the end of the stream");
        records
    }

    /// The lengths of the records, all of which hold at least one octet and together hold the pairs.
    fn check(pairs: &[(&str, Vec<u8>)], max: usize, expected: &[usize]) {
        let records = records(pairs, max);
        assert_eq!(records.iter().map(Vec::len).collect::<Vec<_>>(), expected);
        let stream = records.concat();
        let found: Vec<_> = name_values(&stream).map(Result::unwrap).collect();
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_bytes(), &v[..])).collect();
        assert_eq!(found, pairs);
    }

    #[test]
    fn pairs_share_a_record_and_are_cut_only_if_they_must() {
        check(&[], 100, &[]);
        check(&[("A", vec![0; 5]), ("B", vec![0; 5])], 100, &[16]);
        check(&[("A", vec![0; 5]), ("B", vec![0; 5])], 16, &[16]);
        check(&[("A", vec![0; 5]), ("B", vec![0; 5])], 15, &[8, 8]);
        check(&[("A", vec![0; 30])], 10, &[10, 10, 10, 3]);
        check(
            &[("A", vec![0; 5]), ("B", vec![0; 30]), ("C", vec![0; 1])],
            10,
            &[10, 10, 10, 10, 5],
        );
        check(&[("A", vec![0; 100_000])], 65_528, &[65_528, 34_478]);
    }

    #[test]
    fn a_value_that_is_too_long_leaves_nothing_behind() {
        // The system hands out zeros without storing them.
        let value = vec![0; 0x8000_0000];
        let mut out = vec![1, 2, 3];
        let pairs: [(&str, &[u8]); 2] = [("A", b"B"), ("C", &value)];
        let result = write_params(RequestId::MIN, pairs, 100, &mut out);
        assert_eq!(result, Err(Error::NameValueTooLong { found: 0x8000_0000 }));
        assert_eq!(out, [1, 2, 3]);
    }
}
