//! SHA-1 of a package, as WebPI feeds carry it.
//!
//! *FIPS 180-4, Secure Hash Standard*. SHA-1 does not protect against a forger; it is what the feed's format has.

use core::fmt;
use core::str::FromStr;
use std::io::{self, Read, Write};

use sha1::Digest as _;

use crate::Error;

/// A SHA-1 digest; written as 40 lower-case hexadecimal digits, read in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 20]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fault = || Error::Digest {
            text: text.to_owned(),
        };
        let digits = text.trim();
        if digits.len() != 40 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(fault());
        }
        let mut digest = [0; 20];
        for (i, octet) in digest.iter_mut().enumerate() {
            *octet = u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).map_err(|_| fault())?;
        }
        Ok(Self(digest))
    }
}

/// Passes on what is written to it and keeps its digest and length.
#[derive(Clone, Debug)]
pub struct Sha1Writer<W> {
    inner: W,
    sha1: sha1::Sha1,
    len: u64,
}

impl<W: Write> Sha1Writer<W> {
    /// A writer around another.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            sha1: sha1::Sha1::new(),
            len: 0,
        }
    }

    /// The inner writer, the digest of all that was written, and its length in octets.
    pub fn finish(self) -> (W, Digest, u64) {
        (self.inner, Digest(self.sha1.finalize().into()), self.len)
    }
}

impl<W: Write> Write for Sha1Writer<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(octets)?;
        self.sha1.update(&octets[..written]);
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Digest and length in octets of all that a reader gives.
///
/// ```
/// let (digest, len) = msdeploy_pkg::sha1(&b"abc"[..])?;
/// assert_eq!(digest.to_string(), "a9993e364706816aba3e25717850c26c9cd0d89d");
/// assert_eq!(len, 3);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Those of the reader.
pub fn sha1(mut reader: impl Read) -> io::Result<(Digest, u64)> {
    let mut writer = Sha1Writer::new(io::sink());
    io::copy(&mut reader, &mut writer)?;
    let (_, digest, len) = writer.finish();
    Ok((digest, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form() {
        let empty = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        let (digest, len) = sha1(io::empty()).unwrap();
        assert_eq!((digest.to_string().as_str(), len), (empty, 0));
        assert_eq!(empty.to_uppercase().parse::<Digest>().unwrap(), digest);
        assert_eq!(format!(" {empty}\n").parse::<Digest>().unwrap(), digest);
        for bad in [
            "",
            &empty[1..],
            &format!("{empty}0"),
            &empty.replace('d', "g"),
            "é".repeat(20).as_str(),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn writer_digests_what_the_inner_one_took() {
        let mut short = [0; 2];
        let mut writer = Sha1Writer::new(&mut short[..]);
        assert_eq!(writer.write(b"abc").unwrap(), 2);
        let (_, digest, len) = writer.finish();
        assert_eq!(len, 2);
        assert_eq!(digest, sha1(&b"ab"[..]).unwrap().0);
    }
}
