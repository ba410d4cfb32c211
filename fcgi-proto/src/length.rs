//! The length of a name or a value, in one octet or in four (FastCGI Specification 1.0, section 3.4).

use crate::Error;
use crate::consts::MAX_NAME_VALUE_LEN;

/// A length of at most 2³¹ − 1 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Length(u32);

impl Length {
    /// The length of something of `len` octets.
    ///
    /// # Errors
    /// [`Error::NameValueTooLong`] if the protocol cannot express it.
    pub fn new(len: usize) -> Result<Self, Error> {
        match u32::try_from(len) {
            Ok(number) if number <= MAX_NAME_VALUE_LEN => Ok(Self(number)),
            _ => Err(Error::NameValueTooLong { found: len }),
        }
    }

    /// The number of octets.
    #[must_use]
    pub const fn octets(self) -> u32 {
        self.0
    }

    /// How many octets [`encode`](Self::encode) needs: 1 or 4.
    #[must_use]
    pub const fn encoded_len(self) -> usize {
        if self.0 < 0x80 { 1 } else { 4 }
    }

    /// The length in its shortest form: the octets, of which the first [`encoded_len`](Self::encoded_len) count.
    #[must_use]
    pub const fn encode(self) -> [u8; 4] {
        if self.0 < 0x80 {
            let [octet, ..] = self.0.to_le_bytes();
            [octet, 0, 0, 0]
        } else {
            // "lengths of 128 octets and more are encoded in four octets", the top bit says so.
            (self.0 | 0x8000_0000).to_be_bytes()
        }
    }

    /// Reads a length from the front of `octets`: the length and the number of octets it took, or `None` if there
    /// are too few. The four-octet form of a small number is accepted.
    #[must_use]
    #[inline]
    pub const fn decode(octets: &[u8]) -> Option<(Self, usize)> {
        match octets {
            [first, ..] if *first < 0x80 => Some((Self(*first as u32), 1)),
            [b3, b2, b1, b0, ..] => {
                Some((Self(u32::from_be_bytes([*b3 & 0x7f, *b2, *b1, *b0])), 4))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_at_the_borders_of_the_forms() {
        let table: [(usize, &[u8]); 8] = [
            (0, &[0]),
            (1, &[1]),
            (127, &[127]),
            (128, &[0x80, 0, 0, 128]),
            (1000, &[0x80, 0, 3, 0xe8]),
            (65_536, &[0x80, 1, 0, 0]),
            (33_554_431, &[0x81, 0xff, 0xff, 0xff]),
            (0x7fff_ffff, &[0xff, 0xff, 0xff, 0xff]),
        ];
        for (len, octets) in table {
            let length = Length::new(len).unwrap();
            assert_eq!(&length.encode()[..length.encoded_len()], octets, "{len}");
            assert_eq!(
                Length::decode(octets),
                Some((length, octets.len())),
                "{len}"
            );
            for cut in 0..octets.len() {
                assert_eq!(Length::decode(&octets[..cut]), None, "{len} cut at {cut}");
            }
        }
        assert_eq!(
            Length::new(0x8000_0000),
            Err(Error::NameValueTooLong { found: 0x8000_0000 })
        );
    }

    #[test]
    fn a_small_length_in_four_octets_is_accepted() {
        for len in 0..128_u8 {
            let (length, taken) = Length::decode(&[0x80, 0, 0, len]).unwrap();
            assert_eq!((length.octets(), taken), (u32::from(len), 4));
        }
    }
}
