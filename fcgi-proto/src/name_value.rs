//! Name-value pairs (FastCGI Specification 1.0, section 3.4).
//!
//! This is the form of pairs that lie in memory as a whole. Pairs that arrive in pieces are put together by
//! [`Params`](crate::Params).

use alloc::vec::Vec;
use core::iter::FusedIterator;

use crate::{Error, Length};

/// The pairs in `octets`, each as name and value.
///
/// ```
/// let octets = b"\x0b\x02SERVER_PORT80\x05\x00HTTPS";
/// let pairs: Result<Vec<_>, _> = fcgi_proto::name_values(octets).collect();
/// assert_eq!(pairs?, [(&b"SERVER_PORT"[..], &b"80"[..]), (b"HTTPS", b"")]);
/// # Ok::<(), fcgi_proto::Error>(())
/// ```
#[must_use]
pub const fn name_values(octets: &[u8]) -> NameValues<'_> {
    NameValues {
        rest: octets,
        offset: 0,
    }
}

/// An iterator over name-value pairs. Made by [`name_values`].
///
/// An item is [`Error::PairTruncated`] if the octets end inside a pair, with the place where that pair begins in
/// these octets as its offset; no item follows it.
#[derive(Clone, Debug)]
pub struct NameValues<'a> {
    rest: &'a [u8],
    offset: u64,
}

impl<'a> Iterator for NameValues<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match split_pair(self.rest) {
            Some((name, value, rest)) => {
                self.offset += (self.rest.len() - rest.len()) as u64;
                self.rest = rest;
                Some(Ok((name, value)))
            }
            None => {
                self.rest = &[];
                Some(Err(Error::PairTruncated {
                    offset: self.offset,
                }))
            }
        }
    }
}

impl FusedIterator for NameValues<'_> {}

/// The first pair in `octets` and what follows it.
fn split_pair(octets: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let lengths = PairLengths::decode(octets)?;
    let (_, rest) = octets.split_at(lengths.encoded_len);
    // Each length is compared with the octets that are there; their sum is never made.
    let (name, rest) = rest.split_at_checked(usize::try_from(lengths.name.octets()).ok()?)?;
    let (value, rest) = rest.split_at_checked(usize::try_from(lengths.value.octets()).ok()?)?;
    Some((name, value, rest))
}

/// The two lengths in front of a pair.
#[derive(Clone, Copy, Debug)]
struct PairLengths {
    name: Length,
    value: Length,
    encoded_len: usize,
}

impl PairLengths {
    fn decode(octets: &[u8]) -> Option<Self> {
        let (name, name_taken) = Length::decode(octets)?;
        let (value, value_taken) = Length::decode(&octets[name_taken..])?;
        Some(Self {
            name,
            value,
            encoded_len: name_taken + value_taken,
        })
    }
}

/// The octets that a pair takes.
///
/// # Errors
/// [`Error::NameValueTooLong`] if the protocol cannot express a length.
pub fn name_value_len(name: &[u8], value: &[u8]) -> Result<usize, Error> {
    let name_length = Length::new(name.len())?;
    let value_length = Length::new(value.len())?;
    Ok(name_length.encoded_len() + value_length.encoded_len() + name.len() + value.len())
}

/// Appends a pair to `out`.
///
/// # Errors
/// [`Error::NameValueTooLong`] if the protocol cannot express a length; nothing is written then.
pub fn write_name_value(name: &[u8], value: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let (lengths, lengths_len) = encode_lengths(name, value)?;
    out.extend_from_slice(&lengths[..lengths_len]);
    out.extend_from_slice(name);
    out.extend_from_slice(value);
    Ok(())
}

/// The octets in front of a pair, and how many of them count.
pub(crate) fn encode_lengths(name: &[u8], value: &[u8]) -> Result<([u8; 8], usize), Error> {
    let name_length = Length::new(name.len())?;
    let value_length = Length::new(value.len())?;
    let mut octets = [0; 8];
    let name_len = name_length.encoded_len();
    let len = name_len + value_length.encoded_len();
    octets[..name_len].copy_from_slice(&name_length.encode()[..name_len]);
    octets[name_len..len].copy_from_slice(&value_length.encode()[..len - name_len]);
    Ok((octets, len))
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    #[test]
    fn pairs_of_all_four_forms() {
        for (name_len, value_len) in [
            (0, 0),
            (1, 0),
            (127, 127),
            (127, 128),
            (128, 127),
            (128, 70_000),
        ] {
            let (name, value) = (vec![b'n'; name_len], vec![b'v'; value_len]);
            let mut octets = Vec::new();
            write_name_value(&name, &value, &mut octets).unwrap();
            assert_eq!(name_value_len(&name, &value), Ok(octets.len()));
            let mut pairs = name_values(&octets);
            assert_eq!(pairs.next(), Some(Ok((&name[..], &value[..]))));
            assert_eq!(pairs.next(), None);
        }
    }

    #[test]
    fn a_pair_that_is_cut_anywhere_is_truncated() {
        let mut octets = Vec::new();
        write_name_value(b"A", b"1", &mut octets).unwrap();
        let border = octets.len();
        write_name_value(b"NAME", &[b'v'; 200], &mut octets).unwrap();
        for len in border + 1..octets.len() {
            let mut pairs = name_values(&octets[..len]);
            assert_eq!(pairs.next(), Some(Ok((&b"A"[..], &b"1"[..]))));
            assert_eq!(
                pairs.next(),
                Some(Err(Error::PairTruncated {
                    offset: border as u64
                }))
            );
            assert_eq!(pairs.next(), None);
        }
    }

    #[test]
    fn lengths_that_would_overflow_when_added_are_only_too_long() {
        // CVE-2025-23016 and its kin: two lengths near the maximum, hardly any octets.
        let octets = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, b'x'];
        assert_eq!(
            name_values(&octets).next(),
            Some(Err(Error::PairTruncated { offset: 0 }))
        );
    }
}
