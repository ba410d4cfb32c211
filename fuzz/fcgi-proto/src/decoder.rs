//! [`Decoder`], compared with a decoder of whole records.

use fcgi_proto::{Chunk, Decoder, Error, Header};

use crate::Input;

/// The same records as a plain reading of the octets finds, for every cut; offsets that count octets.
pub fn check(input: &Input<'_>) {
    let (expected, complete) = plain(input.octets);
    let cut = decoded(input.pieces().map(|(_, piece)| piece));
    assert_eq!(cut.records, expected);
    assert_eq!(cut.failed, decoded([input.octets]).failed);
    match cut.failed {
        Some(error) => {
            let Error::UnsupportedVersion { found, offset } = error else {
                panic!("{error:?}");
            };
            let octet = usize::try_from(offset).map(|offset| input.octets[offset]);
            assert_eq!(octet, Ok(found));
            assert_ne!(found, 1);
        }
        None => assert_eq!(cut.complete, complete),
    }
}

#[derive(Debug)]
struct Decoded {
    records: Vec<(Header, Vec<u8>)>,
    complete: bool,
    failed: Option<Error>,
}

fn decoded<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut decoder = Decoder::new();
    let (mut records, mut failed) = (Vec::new(), None);
    let mut given = 0;
    for mut piece in pieces {
        given += piece.len() as u64;
        loop {
            let (before, left) = (decoder.offset(), piece.len());
            let result = decoder.next(&mut piece);
            assert_eq!(decoder.offset() - before, (left - piece.len()) as u64);
            assert!(decoder.record_offset() <= decoder.offset());
            match result {
                Ok(Some(Chunk::Header(header))) => {
                    assert_eq!(decoder.record_offset() + 8, decoder.offset());
                    records.push((header, Vec::new()));
                }
                Ok(Some(Chunk::Content(content))) => {
                    assert!(!content.is_empty());
                    let (_, found) = records.last_mut().expect("a header in front of content");
                    found.extend_from_slice(content);
                }
                Ok(Some(Chunk::End)) => {
                    let (header, found) = records.last().expect("a header in front of the end");
                    assert_eq!(usize::from(header.content_length), found.len());
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(&mut piece), Err(error), "failed for ever");
                    failed = Some(error);
                    break;
                }
            }
        }
        if failed.is_some() {
            break;
        }
        assert!(piece.is_empty());
        assert_eq!(decoder.offset(), given);
    }
    Decoded {
        records,
        complete: decoder.is_between_records(),
        failed,
    }
}

/// The records in `octets`, the last perhaps incomplete, and whether it is complete.
fn plain(octets: &[u8]) -> (Vec<(Header, Vec<u8>)>, bool) {
    let (mut records, mut rest) = (Vec::new(), octets);
    while let Some((octets, behind)) = rest.split_first_chunk() {
        let Ok(header) = Header::decode(*octets) else {
            return (records, false);
        };
        let content_len = usize::from(header.content_length);
        let record_len = content_len + usize::from(header.padding_length);
        records.push((header, behind[..content_len.min(behind.len())].to_vec()));
        if behind.len() < record_len {
            return (records, false);
        }
        rest = &behind[record_len..];
    }
    (records, rest.is_empty())
}
