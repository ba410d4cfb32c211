//! The variables of a request, put together from a PARAMS stream (FastCGI Specification 1.0, sections 3.4 and 5.2).

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::name_value::write_name_value;
use crate::{Error, Length, Limit, Limits};

/// The variables of a request: pairs of octets in the order in which they came.
///
/// All of them lie in one buffer, with an index over it, so that a request costs two allocations, and none once
/// [`recycle`](crate::application::Connection::recycle) has given the buffers back. Names and values may hold any
/// octets and may repeat.
///
/// ```
/// use fcgi_proto::Params;
///
/// let params = Params::from_pairs([("REQUEST_METHOD", "GET"), ("PATH_INFO", "/caf\u{e9}")])?;
/// assert_eq!(params.get(b"REQUEST_METHOD"), Some(&b"GET"[..]));
/// assert_eq!(params.get(b"QUERY_STRING"), None);
/// for (name, value) in &params {
///     assert!(!name.is_empty() && !value.is_empty());
/// }
/// # Ok::<(), fcgi_proto::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Params {
    /// The PARAMS stream as it came, lengths included.
    octets: Vec<u8>,
    /// The complete pairs.
    index: Vec<Pair>,
    /// Where in `octets` the first incomplete pair begins.
    parsed: usize,
}

/// Where a pair lies; its value follows its name.
#[derive(Clone, Copy, Debug)]
struct Pair {
    name_start: u32,
    name_len: u32,
    value_len: u32,
}

impl Params {
    /// No variables, and no buffers yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            octets: Vec::new(),
            index: Vec::new(),
            parsed: 0,
        }
    }

    /// The variables of these pairs, for tests and for bridges that do not get them from a Web server.
    ///
    /// # Errors
    /// [`Error::NameValueTooLong`] if the protocol cannot express a length, [`Error::LimitReached`] if they take more
    /// than 4 GiB.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, Error>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut octets = Vec::new();
        for (name, value) in pairs {
            write_name_value(name.as_ref(), value.as_ref(), &mut octets)?;
        }
        let limits = Limits {
            params_len: usize::MAX,
            params_pairs: usize::MAX,
            name_len: usize::MAX,
            value_len: usize::MAX,
            ..Limits::default()
        };
        let mut params = Self::new();
        params.push(&octets, &limits, 0)?;
        Ok(params)
    }

    /// The number of pairs.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The value of the variable `name`. Of several, the last one counts, as it does in an environment that is
    /// filled in order.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let pairs = self.index.iter().rev();
        // Most names differ in their length.
        let mut likely = pairs.filter(|pair| pair.name_len as usize == name.len());
        likely.find_map(|pair| {
            let (found, value) = ParamsIter::pair(&self.octets, pair);
            (found == name).then_some(value)
        })
    }

    /// The pairs in the order in which they came.
    #[must_use]
    pub fn iter(&self) -> ParamsIter<'_> {
        ParamsIter {
            octets: &self.octets,
            index: self.index.iter(),
        }
    }

    /// Forgets the pairs and keeps the buffers.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.index.clear();
        self.parsed = 0;
    }

    /// Whether the stream may end here: no pair is incomplete.
    pub(crate) const fn is_complete(&self) -> bool {
        self.parsed == self.octets.len()
    }

    /// The octets that the buffers hold or could hold without another allocation.
    pub(crate) const fn capacity(&self) -> usize {
        self.octets.capacity() + self.index.capacity() * size_of::<Pair>()
    }

    /// Takes the next piece of the PARAMS stream, from the record at `offset` of the connection.
    ///
    /// The checks run in the order of the octets, never ahead of them, so that the result does not depend on how the
    /// stream was cut.
    pub(crate) fn push(&mut self, piece: &[u8], limits: &Limits, offset: u64) -> Result<(), Error> {
        // The index counts in 32 bits.
        let max = limits.params_len.min(u32::MAX as usize);
        let (fitting, beyond) = piece.split_at(piece.len().min(max - self.octets.len()));
        self.octets.extend_from_slice(fitting);
        let reached = |limit, max: usize| Error::LimitReached {
            limit,
            max: max as u64,
            offset,
        };
        while let rest = &self.octets[self.parsed..]
            && !rest.is_empty()
        {
            if self.index.len() == limits.params_pairs {
                return Err(reached(Limit::ParamsPairs, limits.params_pairs));
            }
            let Some((name, name_taken)) = Length::decode(rest) else {
                break;
            };
            if name.octets() as usize > limits.name_len {
                return Err(reached(Limit::NameLen, limits.name_len));
            }
            let Some((value, value_taken)) = Length::decode(&rest[name_taken..]) else {
                break;
            };
            if value.octets() as usize > limits.value_len {
                return Err(reached(Limit::ValueLen, limits.value_len));
            }
            let taken = name_taken + value_taken;
            let pair_len = taken as u64 + u64::from(name.octets()) + u64::from(value.octets());
            if self.parsed as u64 + pair_len > max as u64 {
                return Err(reached(Limit::ParamsLen, limits.params_len));
            }
            if pair_len > rest.len() as u64 {
                break;
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "at most `max`, which fits 32 bits"
            )]
            let name_start = (self.parsed + taken) as u32;
            let (name_len, value_len) = (name.octets(), value.octets());
            self.index.push(Pair {
                name_start,
                name_len,
                value_len,
            });
            self.parsed += taken + name_len as usize + value_len as usize;
        }
        if !beyond.is_empty() {
            return Err(reached(Limit::ParamsLen, limits.params_len));
        }
        Ok(())
    }
}

/// Values may be secrets (cookies, `HTTP_AUTHORIZATION`), so only their lengths are shown.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Octets(usize);

        impl fmt::Debug for Octets {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} octets", self.0)
            }
        }

        fn name(octets: &[u8]) -> Cow<'_, str> {
            String::from_utf8_lossy(octets)
        }

        f.debug_map()
            .entries(self.iter().map(|(n, v)| (name(n), Octets(v.len()))))
            .finish()
    }
}

impl PartialEq for Params {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other)
    }
}

impl Eq for Params {}

impl<'p> IntoIterator for &'p Params {
    type Item = (&'p [u8], &'p [u8]);
    type IntoIter = ParamsIter<'p>;

    fn into_iter(self) -> ParamsIter<'p> {
        self.iter()
    }
}

/// An iterator over the pairs of [`Params`].
#[derive(Clone, Debug)]
pub struct ParamsIter<'p> {
    octets: &'p [u8],
    index: core::slice::Iter<'p, Pair>,
}

impl<'p> ParamsIter<'p> {
    fn pair(octets: &'p [u8], pair: &Pair) -> (&'p [u8], &'p [u8]) {
        octets[pair.name_start as usize..][..pair.name_len as usize + pair.value_len as usize]
            .split_at(pair.name_len as usize)
    }
}

impl<'p> Iterator for ParamsIter<'p> {
    type Item = (&'p [u8], &'p [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.index.next().map(|pair| Self::pair(self.octets, pair))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.index.size_hint()
    }
}

impl DoubleEndedIterator for ParamsIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.index
            .next_back()
            .map(|pair| Self::pair(self.octets, pair))
    }
}

impl ExactSizeIterator for ParamsIter<'_> {}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::{assert_eq, format};

    use super::*;

    fn pushed(octets: &[u8], limits: &Limits, piece: usize) -> Result<Params, Error> {
        let mut params = Params::new();
        for piece in octets.chunks(piece) {
            params.push(piece, limits, 99)?;
        }
        Ok(params)
    }

    /// Every way of cutting gives this result.
    fn check(octets: &[u8], limits: &Limits, expected: Result<&[(&str, &str)], Limit>) {
        for piece in 1..=octets.len() {
            match (pushed(octets, limits, piece), expected) {
                (Ok(params), Ok(expected)) => {
                    assert!(params.is_complete());
                    assert_eq!(
                        params,
                        Params::from_pairs(expected.iter().copied()).unwrap()
                    );
                }
                (
                    Err(Error::LimitReached {
                        limit, offset: 99, ..
                    }),
                    Err(expected),
                ) => {
                    assert_eq!(limit, expected, "pieces of {piece}");
                }
                (found, expected) => panic!("pieces of {piece}: {found:?} but {expected:?}"),
            }
        }
    }

    #[test]
    fn a_pair_may_be_cut_anywhere() {
        let limits = Limits::default();
        check(
            b"\x0b\x02SERVER_PORT80",
            &limits,
            Ok(&[("SERVER_PORT", "80")]),
        );
        check(
            b"\x80\0\0\x01\x80\0\0\x02ABC\0\0\x01\0D",
            &limits,
            Ok(&[("A", "BC"), ("", ""), ("D", "")]),
        );
    }

    #[test]
    fn each_limit_is_inclusive_and_independent_of_cuts() {
        let octets = b"\x02\x03ABxyz\x01\x02Qpq";
        let all = Ok(&[("AB", "xyz"), ("Q", "pq")][..]);
        let default = Limits::default();
        check(
            octets,
            &Limits {
                params_len: 12,
                ..default
            },
            all,
        );
        check(
            octets,
            &Limits {
                params_len: 11,
                ..default
            },
            Err(Limit::ParamsLen),
        );
        check(
            octets,
            &Limits {
                params_len: 7,
                ..default
            },
            Err(Limit::ParamsLen),
        );
        check(
            octets,
            &Limits {
                params_len: 0,
                ..default
            },
            Err(Limit::ParamsLen),
        );
        check(
            octets,
            &Limits {
                params_pairs: 2,
                ..default
            },
            all,
        );
        check(
            octets,
            &Limits {
                params_pairs: 1,
                ..default
            },
            Err(Limit::ParamsPairs),
        );
        check(
            octets,
            &Limits {
                name_len: 2,
                value_len: 3,
                ..default
            },
            all,
        );
        check(
            octets,
            &Limits {
                name_len: 1,
                ..default
            },
            Err(Limit::NameLen),
        );
        check(
            octets,
            &Limits {
                value_len: 2,
                ..default
            },
            Err(Limit::ValueLen),
        );
        // Two limits at once: the one that comes first in the stream.
        check(
            octets,
            &Limits {
                value_len: 2,
                params_len: 3,
                ..default
            },
            Err(Limit::ValueLen),
        );
    }

    #[test]
    fn announced_lengths_allocate_nothing() {
        let mut params = Params::new();
        let limits = Limits {
            name_len: usize::MAX,
            value_len: usize::MAX,
            ..Limits::default()
        };
        let error = params.push(&[0xff; 8], &limits, 0).unwrap_err();
        assert!(matches!(
            error,
            Error::LimitReached {
                limit: Limit::ParamsLen,
                ..
            }
        ));
        assert!(params.capacity() <= 64);
    }

    #[test]
    fn of_several_values_the_last_counts() {
        let params = Params::from_pairs([("A", "1"), ("B", "2"), ("A", "3")]).unwrap();
        assert_eq!(params.get(b"A"), Some(&b"3"[..]));
        assert_eq!(params.len(), 3);
    }

    #[test]
    fn debug_shows_no_value() {
        let params = Params::from_pairs([("HTTP_COOKIE", "secret")]).unwrap();
        assert_eq!(format!("{params:?}"), r#"{"HTTP_COOKIE": 6 octets}"#);
    }

    #[test]
    fn cleared_params_keep_their_buffers() {
        let mut params = Params::from_pairs([("NAME", vec![0; 1000])]).unwrap();
        let capacity = params.capacity();
        params.clear();
        assert!(params.is_empty() && params.is_complete());
        assert_eq!(params.capacity(), capacity);
    }
}
