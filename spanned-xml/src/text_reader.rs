//! The text of a file, piece by piece, decoded as [`Source::decode`](crate::Source::decode) does it.

use std::fmt;
use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult};

use crate::Problem;
use crate::source::{sniff, undecodable};

/// Octets that a byte order mark or an XML declaration lies in.
const SNIFFED: usize = 512;

/// Decodes what it reads, without ever having all of it.
///
/// ```
/// use spanned_xml::TextReader;
///
/// let mut reader = TextReader::new("a.xml", &b"\xEF\xBB\xBF<a/>"[..]);
/// let mut text = String::new();
/// while reader.read_to(&mut text)? {}
/// assert_eq!(text, "<a/>");
/// # Ok::<(), spanned_xml::ReadError>(())
/// ```
pub struct TextReader<R> {
    name: String,
    reader: R,
    decoder: Option<Decoder>,
    octets: Box<[u8]>,
    /// Octets that were taken before those in `octets`.
    offset: usize,
}

/// What can go wrong while text is read.
#[derive(Debug)]
pub enum ReadError {
    /// Reading has failed.
    Io(io::Error),
    /// What was read is not what was expected.
    Problem(Problem),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Problem(problem) => problem.fmt(f),
        }
    }
}

impl core::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Problem(problem) => Some(problem),
        }
    }
}

impl<R> fmt::Debug for TextReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextReader")
            .field("name", &self.name)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl<R: Read> TextReader<R> {
    /// Octets read at once.
    const PIECE: usize = 256 * 1024;

    /// A reader of a file that messages call `name`.
    pub fn new(name: impl Into<String>, reader: R) -> Self {
        Self {
            name: name.into(),
            reader,
            decoder: None,
            octets: vec![0; Self::PIECE].into(),
            offset: 0,
        }
    }

    /// What messages call the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Appends the next piece to `text`; `false` at the end of the file.
    ///
    /// # Errors
    ///
    /// Reading fails, or the octets are not text in the file's encoding.
    pub fn read_to(&mut self, text: &mut String) -> Result<bool, ReadError> {
        let mut len = self.read(0)?;
        let mut begin = 0;
        if self.decoder.is_none() {
            while len < SNIFFED {
                let more = self.read(len)?;
                if more == 0 {
                    break;
                }
                len += more;
            }
            let (encoding, bom_len) =
                sniff(self.octets.get(..len).unwrap_or_default()).map_err(|mut problem| {
                    problem.message = format!("`{}`: {}", self.name, problem.message);
                    ReadError::Problem(problem)
                })?;
            begin = bom_len;
            self.decoder = Some(encoding.new_decoder_without_bom_handling());
        }
        let Some(decoder) = &mut self.decoder else {
            return Ok(false);
        };
        let is_last = len == 0;
        let octets = self.octets.get(begin..len).unwrap_or_default();
        text.reserve(
            decoder
                .max_utf8_buffer_length_without_replacement(octets.len())
                .unwrap_or(octets.len()),
        );
        let (result, read) = decoder.decode_to_string_without_replacement(octets, text, is_last);
        if let DecoderResult::Malformed(bad, after) = result {
            let end = self.offset + begin + read;
            let encoding = decoder.encoding().name();
            let offset = end.saturating_sub(usize::from(bad) + usize::from(after));
            return Err(ReadError::Problem(undecodable(
                &self.name, encoding, offset,
            )));
        }
        self.offset += len;
        Ok(!is_last)
    }

    fn read(&mut self, begin: usize) -> Result<usize, ReadError> {
        let free = self.octets.get_mut(begin..).unwrap_or_default();
        loop {
            match self.reader.read(free) {
                Ok(len) => return Ok(len),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::Io(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    /// Hands out an octet at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, free: &mut [u8]) -> io::Result<usize> {
            let len = self.0.len().min(free.len()).min(1);
            let (now, later) = self.0.split_at(len);
            free[..len].copy_from_slice(now);
            self.0 = later;
            Ok(len)
        }
    }

    fn read(reader: impl Read) -> Result<String, ReadError> {
        let mut reader = TextReader::new("x", reader);
        let mut text = String::new();
        while reader.read_to(&mut text)? {}
        Ok(text)
    }

    #[test]
    fn it_decodes_as_a_source_does() {
        let utf16: Vec<u8> = "\u{FEFF}<a>é</a>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let long = "é€😀".repeat(100_000);
        for octets in [
            &b""[..],
            b"<a/>",
            "\u{FEFF}<a>é</a>".as_bytes(),
            &utf16,
            b"<?xml version='1.0' encoding='windows-1252'?><a>\xE9</a>",
            long.as_bytes(),
            &long.as_bytes()[..long.len() - 1],
            b"<a>\xE9</a>",
            b"<?xml version='1.0' encoding='klingon'?><a/>",
        ] {
            let expected = Source::decode("x", octets).map(|source| source.text().to_owned());
            for text in [read(octets), read(Slow(octets))] {
                match (&expected, text) {
                    (Ok(expected), Ok(text)) => assert!(*expected == text),
                    (Err(expected), Err(ReadError::Problem(problem))) => {
                        assert_eq!(*expected, problem);
                    }
                    (expected, text) => panic!("{expected:?} and {text:?}"),
                }
            }
        }
    }
}
