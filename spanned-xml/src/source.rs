//! A file's name and text, decoded as XML 1.0 appendix F describes, and encoded back the same way.
//!
//! *Extensible Markup Language (XML) 1.0*, appendix F, "Autodetection of Character Encodings"
//! <https://www.w3.org/TR/xml/#sec-guessing>.

use core::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::{LineColumn, Problem, Span};

/// A file's name and decoded text. Cheap to clone.
///
/// The text never begins with a byte order mark: whether the file had one is remembered, and [`Source::encode`] writes
/// it back.
#[derive(Clone, Debug)]
pub struct Source {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    text: String,
    encoding: &'static Encoding,
    bom: bool,
    /// What of the file the text is: all of it, or parts in order, at least one.
    pieces: Vec<Piece>,
    /// Where its line ends are, once somebody asks for a line.
    newlines: OnceLock<Vec<usize>>,
}

impl fmt::Debug for Inner {
    /// Without the text, which may be long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("name", &self.name)
            .field("encoding", &self.encoding.name())
            .field("bom", &self.bom)
            .field("pieces", &self.pieces)
            .finish_non_exhaustive()
    }
}

/// Where a whole file begins.
const BEGINNING: LineColumn = LineColumn { line: 1, column: 1 };

/// A run of a text that belongs together in the file too.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Where it begins in the text.
    start: usize,
    /// Where it begins for whoever has spans: the octet, and line and column.
    offset: usize,
    first: LineColumn,
}

/// Some lines of a file: see [`Source::excerpts`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excerpt {
    /// Where they begin in the file's decoded text, in octets.
    pub offset: usize,
    /// Where they begin, as line and column.
    pub first: LineColumn,
    /// The lines.
    pub text: String,
}

impl Source {
    /// A source whose text is at hand; it counts as UTF-8 without a byte order mark.
    #[must_use]
    pub fn from_text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::part(name, text, BEGINNING)
    }

    /// A part of a file, which begins at `first`: spans count from the beginning of the part, lines and columns from that
    /// of the file.
    #[must_use]
    pub fn part(name: impl Into<String>, text: impl Into<String>, first: LineColumn) -> Self {
        let piece = Piece {
            start: 0,
            offset: 0,
            first,
        };
        Self::new(name.into(), text.into(), (UTF_8, false), vec![piece])
    }

    /// Parts of a file, in the order of the file: spans, lines and columns count from the beginning of the file.
    #[must_use]
    pub fn excerpts(name: impl Into<String>, excerpts: impl IntoIterator<Item = Excerpt>) -> Self {
        let (mut text, mut pieces) = (String::new(), Vec::new());
        for excerpt in excerpts {
            pieces.push(Piece {
                start: text.len(),
                offset: excerpt.offset,
                first: excerpt.first,
            });
            text.push_str(&excerpt.text);
        }
        if pieces.is_empty() {
            return Self::from_text(name, text);
        }
        Self::new(name.into(), text, (UTF_8, false), pieces)
    }

    fn new(
        name: String,
        text: String,
        (encoding, bom): (&'static Encoding, bool),
        pieces: Vec<Piece>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                name,
                text,
                encoding,
                bom,
                pieces,
                newlines: OnceLock::new(),
            }),
        }
    }

    /// Decodes a file: by its byte order mark, else by the encoding its XML declaration names, else as UTF-8.
    ///
    /// `name` is what messages call the file.
    ///
    /// # Errors
    ///
    /// A [`Problem`] where the octets are not text in that encoding, or the declared encoding is unknown.
    pub fn decode(name: impl Into<String>, octets: &[u8]) -> Result<Self, Problem> {
        let name = name.into();
        let (encoding, bom_len) = sniff(octets).map_err(|problem| locate(problem, &name))?;
        let body = octets.get(bom_len..).unwrap_or_default();
        let text = if encoding == UTF_8 {
            core::str::from_utf8(body)
                .map(str::to_owned)
                .map_err(|error| undecodable(&name, "UTF-8", bom_len + error.valid_up_to()))?
        } else {
            encoding
                .decode_without_bom_handling_and_without_replacement(body)
                .map(|text| text.into_owned())
                .ok_or_else(|| undecodable(&name, encoding.name(), bom_len))?
        };
        let whole = Piece {
            start: 0,
            offset: 0,
            first: BEGINNING,
        };
        let encoding = (encoding, bom_len > 0);
        Ok(Self::new(name, text, encoding, vec![whole]))
    }

    /// Encodes `text` as this file was: same encoding, same byte order mark or none.
    ///
    /// # Errors
    ///
    /// A [`Problem`] where the file's encoding cannot hold a character of `text`.
    pub fn encode(&self, text: &str) -> Result<Vec<u8>, Problem> {
        let Inner {
            encoding,
            bom,
            name,
            ..
        } = &*self.inner;
        let mut octets = Vec::with_capacity(text.len() + 3);
        if *encoding == UTF_16LE || *encoding == UTF_16BE {
            let order = if *encoding == UTF_16LE {
                u16::to_le_bytes
            } else {
                u16::to_be_bytes
            };
            let mark = if *bom { Some(0xFEFF) } else { None };
            octets.extend(mark.into_iter().chain(text.encode_utf16()).flat_map(order));
        } else {
            if *bom {
                octets.extend([0xEF, 0xBB, 0xBF]);
            }
            let (encoded, _, unmappable) = encoding.encode(text);
            if unmappable {
                return Err(Problem::error(
                    "encoding-cannot-hold-character",
                    format!("`{name}` is written in {}, which cannot hold every character of the new text", encoding.name()),
                )
                .help("save the file as UTF-8 first"));
            }
            octets.extend_from_slice(&encoded);
        }
        Ok(octets)
    }

    /// What messages call the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The decoded text, without a byte order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The encoding's name, for example `UTF-8` or `UTF-16LE`.
    #[must_use]
    pub fn encoding_name(&self) -> &'static str {
        self.inner.encoding.name()
    }

    /// Whether the file began with a byte order mark.
    #[must_use]
    pub fn has_bom(&self) -> bool {
        self.inner.bom
    }

    /// The text that `span` covers; empty where the span is not one of this text.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        let (piece, end) = self.piece(span.start);
        let Some(from) = span.start.checked_sub(piece.offset) else {
            return "";
        };
        let range = piece.start + from..piece.start + from + span.len();
        if range.end > end {
            return "";
        }
        self.text().get(range).unwrap_or_default()
    }

    /// The octets around `offset`, or nearest to it, that can be sliced: all of the text, but for [`Source::excerpts`].
    #[must_use]
    pub fn at_hand(&self, offset: usize) -> Range<usize> {
        let (piece, end) = self.piece(offset);
        piece.offset..piece.offset + (end - piece.start)
    }

    /// The last piece that begins at the offset or before it, and where it ends in the text.
    fn piece(&self, offset: usize) -> (Piece, usize) {
        let pieces = &self.inner.pieces;
        let after = pieces
            .partition_point(|piece| piece.offset <= offset)
            .max(1);
        let whole = Piece {
            start: 0,
            offset: 0,
            first: BEGINNING,
        };
        let end = pieces
            .get(after)
            .map_or_else(|| self.text().len(), |next| next.start);
        (pieces.get(after - 1).copied().unwrap_or(whole), end)
    }

    /// Where the text begins: line 1 and column 1 but for a [`Source::part`].
    #[must_use]
    pub fn first(&self) -> LineColumn {
        self.piece(0).0.first
    }

    /// Line and column of a byte offset; an offset past the end counts as the end.
    #[must_use]
    pub fn line_column(&self, offset: usize) -> LineColumn {
        let text = self.text();
        let (piece, end) = self.piece(offset);
        let mut offset = (piece.start + offset.saturating_sub(piece.offset)).min(end);
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let newlines = self
            .inner
            .newlines
            .get_or_init(|| memchr::memchr_iter(b'\n', text.as_bytes()).collect());
        let before = |end: usize| newlines.partition_point(|&newline| newline < end);
        let lines = before(offset) - before(piece.start);
        let line_start = match before(offset).checked_sub(1).filter(|_| lines > 0) {
            Some(last) => newlines.get(last).map_or(0, |newline| newline + 1),
            None => piece.start,
        };
        let line = text.get(line_start..offset).unwrap_or_default();
        let column = line.chars().count();
        LineColumn {
            line: piece.first.line + lines,
            column: column + if lines == 0 { piece.first.column } else { 1 },
        }
    }

    /// The line ending the file uses: `\r\n` where its first line ends so, else `\n`.
    #[must_use]
    pub fn line_ending(&self) -> &'static str {
        match self.text().find('\n') {
            Some(newline) if self.text()[..newline].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}

/// The encoding that a file's first octets show, and how many of them are a byte order mark.
pub(crate) fn sniff(octets: &[u8]) -> Result<(&'static Encoding, usize), Problem> {
    Ok(match octets {
        [0xEF, 0xBB, 0xBF, ..] => (UTF_8, 3),
        [0xFF, 0xFE, ..] => (UTF_16LE, 2),
        [0xFE, 0xFF, ..] => (UTF_16BE, 2),
        [b'<', 0, ..] => (UTF_16LE, 0),
        [0, b'<', ..] => (UTF_16BE, 0),
        _ => (declared_encoding(octets)?, 0),
    })
}

pub(crate) fn undecodable(name: &str, encoding: &str, offset: usize) -> Problem {
    Problem::error(
        "not-text",
        format!("`{name}` is not {encoding} text: octet {offset} does not belong to it"),
    )
    .help("save the file as UTF-8, or name its encoding in the XML declaration")
}

fn locate(mut problem: Problem, name: &str) -> Problem {
    problem.message = format!("`{name}`: {}", problem.message);
    problem
}

/// The encoding that an XML declaration in ASCII-compatible octets names; UTF-8 where there is none.
fn declared_encoding(octets: &[u8]) -> Result<&'static Encoding, Problem> {
    let Some(declaration) = octets.strip_prefix(b"<?xml") else {
        return Ok(UTF_8);
    };
    let declaration: String = declaration
        .iter()
        .take(256)
        .take_while(|&&octet| octet != b'>')
        .map(|&octet| char::from(octet))
        .collect();
    let Some((_, rest)) = declaration.split_once("encoding") else {
        return Ok(UTF_8);
    };
    let rest = rest
        .trim_start()
        .strip_prefix('=')
        .unwrap_or_default()
        .trim_start();
    let Some(quote) = rest
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))
    else {
        return Ok(UTF_8);
    };
    let label = rest[1..].split(quote).next().unwrap_or_default();
    match Encoding::for_label(label.as_bytes()) {
        // The declaration was read octet by octet, so the file is not UTF-16 whatever it says; .NET's own tools
        // write such declarations into UTF-8 files.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8),
        Some(encoding) => Ok(encoding),
        None => Err(Problem::error(
            "encoding-unknown",
            format!("the XML declaration names the encoding `{label}`, which is not known"),
        )
        .help("save the file as UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_and_encodes_back() {
        let utf16 = |text: &str| -> Vec<u8> {
            [0xFF, 0xFE]
                .into_iter()
                .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
                .collect()
        };
        for (octets, text, encoding, bom) in [
            (b"<a/>".to_vec(), "<a/>", "UTF-8", false),
            (b"\xEF\xBB\xBF<a/>".to_vec(), "<a/>", "UTF-8", true),
            (utf16("<a>é</a>"), "<a>é</a>", "UTF-16LE", true),
            (
                b"<?xml version='1.0' encoding='windows-1252'?><a>\xE9</a>".to_vec(),
                "<?xml version='1.0' encoding='windows-1252'?><a>é</a>",
                "windows-1252",
                false,
            ),
            (
                b"<?xml version='1.0' encoding='utf-16'?><a/>".to_vec(),
                "<?xml version='1.0' encoding='utf-16'?><a/>",
                "UTF-8",
                false,
            ),
            (Vec::new(), "", "UTF-8", false),
        ] {
            let source = Source::decode("x", &octets).unwrap();
            assert_eq!(
                (source.text(), source.encoding_name(), source.has_bom()),
                (text, encoding, bom)
            );
            assert_eq!(source.encode(text).unwrap(), octets);
        }
    }

    #[test]
    fn says_what_cannot_be_read_or_written() {
        assert_eq!(Source::decode("x", b"a\xFFb").unwrap_err().code, "not-text");
        assert_eq!(
            Source::decode("x", b"<?xml encoding=\"klingon\"?>")
                .unwrap_err()
                .code,
            "encoding-unknown"
        );
        let latin = Source::decode("x", b"<?xml encoding='windows-1252'?>").unwrap();
        assert_eq!(
            latin.encode("日").unwrap_err().code,
            "encoding-cannot-hold-character"
        );
    }

    #[test]
    fn counts_lines_and_characters() {
        let source = Source::from_text("x", "ab\r\né日c");
        for (offset, line, column) in [
            (0, 1, 1),
            (3, 1, 4),
            (4, 2, 1),
            (6, 2, 2),
            (5, 2, 1),
            (9, 2, 3),
            (99, 2, 4),
        ] {
            assert_eq!(
                source.line_column(offset),
                LineColumn { line, column },
                "{offset}"
            );
        }
        assert_eq!(source.line_ending(), "\r\n");
    }
}
