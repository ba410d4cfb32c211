//! The variables by which a Web server learns what an application can do (FastCGI Specification 1.0, section 4.1).

use alloc::vec::Vec;

use crate::consts::{FCGI_MAX_CONNS, FCGI_MAX_REQS, FCGI_MPXS_CONNS, HEADER_LEN};
use crate::name_value::{name_values, write_name_value};
use crate::{Error, Header, RecordType};

/// The values of `FCGI_GET_VALUES_RESULT`. `None` means that the application did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Values {
    /// `FCGI_MAX_CONNS`: the most concurrent connections.
    pub max_conns: Option<u32>,
    /// `FCGI_MAX_REQS`: the most concurrent requests.
    pub max_reqs: Option<u32>,
    /// `FCGI_MPXS_CONNS`: whether connections are multiplexed.
    pub mpxs_conns: Option<bool>,
}

impl Values {
    /// Those of `self`, except where `newer` says something.
    #[must_use]
    pub(crate) fn updated(self, newer: Self) -> Self {
        Self {
            max_conns: newer.max_conns.or(self.max_conns),
            max_reqs: newer.max_reqs.or(self.max_reqs),
            mpxs_conns: newer.mpxs_conns.or(self.mpxs_conns),
        }
    }

    /// Reads the content of `FCGI_GET_VALUES_RESULT`. What is no known name with a decimal number is as good as not
    /// there; a number above 2³² − 1 counts as that.
    pub(crate) fn decode(content: &[u8]) -> Result<Self, Error> {
        let mut values = Self::default();
        for pair in name_values(content) {
            let (name, value) = pair?;
            match name {
                FCGI_MAX_CONNS => values.max_conns = decimal(value),
                FCGI_MAX_REQS => values.max_reqs = decimal(value),
                FCGI_MPXS_CONNS => {
                    values.mpxs_conns = match value {
                        b"0" => Some(false),
                        b"1" => Some(true),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        Ok(values)
    }

    /// Those that `query`, the content of `FCGI_GET_VALUES`, asks for. Names that repeat ask once, unknown names and
    /// the values in a query mean nothing.
    pub(crate) fn asked_for(self, query: &[u8]) -> Result<Self, Error> {
        let mut asked = Self::default();
        for pair in name_values(query) {
            match pair?.0 {
                FCGI_MAX_CONNS => asked.max_conns = self.max_conns,
                FCGI_MAX_REQS => asked.max_reqs = self.max_reqs,
                FCGI_MPXS_CONNS => asked.mpxs_conns = self.mpxs_conns,
                _ => {}
            }
        }
        Ok(asked)
    }

    /// Appends `FCGI_GET_VALUES_RESULT` with the values that are `Some`.
    pub(crate) fn write_result(self, out: &mut Vec<u8>) {
        let mut digits = [0; DIGITS];
        write_pairs_record(RecordType::GET_VALUES_RESULT, out, |write| {
            if let Some(number) = self.max_conns {
                write(FCGI_MAX_CONNS, to_decimal(number, &mut digits));
            }
            if let Some(number) = self.max_reqs {
                write(FCGI_MAX_REQS, to_decimal(number, &mut digits));
            }
            if let Some(mpxs_conns) = self.mpxs_conns {
                write(FCGI_MPXS_CONNS, if mpxs_conns { b"1" } else { b"0" });
            }
        });
    }
}

/// The most octets that [`Values::write_result`] appends: header, three pairs, padding.
pub(crate) const MAX_RESULT_LEN: usize = (HEADER_LEN
    + 3 * 2
    + FCGI_MAX_CONNS.len()
    + FCGI_MAX_REQS.len()
    + FCGI_MPXS_CONNS.len()
    + 2 * DIGITS
    + 1)
.next_multiple_of(8);

/// Appends the `FCGI_GET_VALUES` that asks for all three variables.
pub(crate) fn write_get_values(out: &mut Vec<u8>) {
    write_pairs_record(RecordType::GET_VALUES, out, |write| {
        for name in [FCGI_MAX_CONNS, FCGI_MAX_REQS, FCGI_MPXS_CONNS] {
            write(name, b"");
        }
    });
}

/// Appends a management record of the pairs that `pairs` writes: known names and short values, so they fit.
fn write_pairs_record(
    record_type: RecordType,
    out: &mut Vec<u8>,
    pairs: impl FnOnce(&mut dyn FnMut(&[u8], &[u8])),
) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_LEN]);
    pairs(&mut |name, value| {
        let written = write_name_value(name, value, out);
        debug_assert!(written.is_ok(), "names and values of this module are short");
    });
    let content_len = out.len() - start - HEADER_LEN;
    #[expect(clippy::cast_possible_truncation, reason = "less than MAX_RESULT_LEN")]
    let header = Header::new(record_type, None, content_len as u16);
    out[start..][..HEADER_LEN].copy_from_slice(&header.encode());
    out.resize(out.len() + usize::from(header.padding_length), 0);
}

/// The most digits of a 32-bit number.
const DIGITS: usize = 10;

fn to_decimal(mut number: u32, digits: &mut [u8; DIGITS]) -> &[u8] {
    let mut start = DIGITS;
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        if number == 0 {
            return &digits[start..];
        }
    }
}

fn decimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |number: u32, digit: &u8| {
        number
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    };
    Some(digits.iter().fold(0, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Values = Values {
        max_conns: Some(10),
        max_reqs: Some(u32::MAX),
        mpxs_conns: Some(true),
    };

    fn result(query: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        ALL.asked_for(query).unwrap().write_result(&mut out);
        assert!(out.len() <= MAX_RESULT_LEN);
        assert_eq!(out.len() % 8, 0);
        out
    }

    #[test]
    fn a_query_is_answered_with_known_names_only() {
        let out = result(b"\x0e\x00FCGI_MAX_CONNS\x05\x00FOO_X\x0f\x03FCGI_MPXS_CONNSxyz");
        assert_eq!(out[..8], [1, 10, 0, 0, 0, 36, 4, 0]);
        assert_eq!(
            &out[8..44],
            b"\x0e\x02FCGI_MAX_CONNS10\x0f\x01FCGI_MPXS_CONNS1"
        );
        assert_eq!(result(b""), [1, 10, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn repeated_names_are_answered_once() {
        // libfcgi formats each repetition into 64 octets of stack.
        let mut query = Vec::new();
        for _ in 0..100 {
            query.extend(b"\x0d\x00FCGI_MAX_REQS");
        }
        assert_eq!(result(&query), result(b"\x0d\x00FCGI_MAX_REQS"));
    }

    #[test]
    fn a_truncated_query_is_an_error() {
        assert_eq!(
            ALL.asked_for(b"\x0d\x00FCGI"),
            Err(Error::PairTruncated { offset: 0 })
        );
    }

    #[test]
    fn all_values_fit_the_announced_length() {
        let mut out = Vec::new();
        Values {
            max_conns: Some(u32::MAX),
            ..ALL
        }
        .write_result(&mut out);
        assert_eq!(out.len(), MAX_RESULT_LEN);
    }

    #[test]
    fn results_survive_and_nonsense_is_unknown() {
        let mut out = Vec::new();
        ALL.write_result(&mut out);
        let content_len = usize::from(out[5]);
        assert_eq!(Values::decode(&out[8..][..content_len]), Ok(ALL));
        let table: [(&[u8], Option<u32>); 6] = [
            (b"0", Some(0)),
            (b"007", Some(7)),
            (b"", None),
            (b"-1", None),
            (b"1 ", None),
            (b"99999999999999999999", Some(u32::MAX)),
        ];
        for (digits, expected) in table {
            assert_eq!(decimal(digits), expected);
        }
    }

    #[test]
    fn the_query_asks_for_all_three() {
        let mut out = Vec::new();
        write_get_values(&mut out);
        let content = &out[8..][..usize::from(out[5])];
        assert_eq!(ALL.asked_for(content), Ok(ALL));
    }
}
