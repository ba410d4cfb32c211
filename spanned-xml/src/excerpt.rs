//! The lines of a long file that messages are about.

use std::io::Read;

use crate::{Excerpt, LineColumn, ReadError, Source, Span, TextReader};

impl Source {
    /// Reads a file for the lines in which `spans` are, and keeps no others: lines and columns of the spans are those of the
    /// file. The memory is that of the lines, and of the longest line of the file.
    ///
    /// ```
    /// use spanned_xml::{Source, Span};
    ///
    /// let file = "one\ntwo\nthree\n";
    /// let source = Source::read_excerpts("a.xml", file.as_bytes(), [Span::new(8, 10)])?;
    /// assert_eq!(source.text(), "three\n");
    /// assert_eq!(source.slice(Span::new(8, 10)), "th");
    /// assert_eq!(source.line_column(8).line, 3);
    /// # Ok::<(), spanned_xml::ReadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Reading fails, or the octets are not text in the file's encoding.
    pub fn read_excerpts(
        name: impl Into<String>,
        reader: impl Read,
        spans: impl IntoIterator<Item = Span>,
    ) -> Result<Self, ReadError> {
        let mut spans: Vec<Span> = spans.into_iter().collect();
        spans.sort_unstable_by_key(|span| (span.start, span.end));
        let mut reader = TextReader::new(name, reader);
        let mut wanted = Wanted {
            spans: spans.into_iter().peekable(),
            end: 0,
            excerpts: Vec::new(),
        };
        let (mut text, mut offset, mut line) = (String::new(), 0, 1);
        loop {
            let more = reader.read_to(&mut text)?;
            let mut done = 0;
            let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1);
            for end in ends.chain((!more).then_some(text.len())) {
                let content = text.get(done..end).unwrap_or_default();
                wanted.take(offset + done, line, content, !more && end == text.len());
                done = end;
                line += 1;
            }
            offset += done;
            text.drain(..done);
            if !more {
                return Ok(Self::excerpts(reader.name(), wanted.excerpts));
            }
        }
    }
}

/// The spans that were not come to yet, and what was kept for the others.
struct Wanted<S: Iterator<Item = Span>> {
    spans: std::iter::Peekable<S>,
    /// Where the last of the spans ends that began already.
    end: usize,
    excerpts: Vec<Excerpt>,
}

impl<S: Iterator<Item = Span>> Wanted<S> {
    /// Keeps the line that begins at `start` if a span touches it.
    fn take(&mut self, start: usize, line: usize, content: &str, is_last: bool) {
        let end = start + content.len();
        let mut is_wanted = self.end > start;
        while let Some(span) = self
            .spans
            .next_if(|span| span.start < end || is_last && span.start <= end)
        {
            is_wanted = true;
            self.end = self.end.max(span.end);
        }
        if !is_wanted {
            return;
        }
        match self.excerpts.last_mut() {
            Some(last) if last.offset + last.text.len() == start => last.text.push_str(content),
            _ => self.excerpts.push(Excerpt {
                offset: start,
                first: LineColumn { line, column: 1 },
                text: content.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_spans_are_kept() {
        let text = "α\nbb\n\ncc dd\ne\nf\r\ng";
        let whole = Source::from_text("x", text);
        let spans = |at: &[(usize, usize)]| -> Vec<Span> {
            at.iter().map(|&(a, b)| Span::new(a, b)).collect()
        };
        for (at, kept) in [
            (&[][..], ""),
            (&[(0, 2)], "α\n"),
            (&[(3, 3)], "bb\n"),
            (&[(6, 6), (0, 0)], "α\n\n"),
            (&[(4, 8), (16, 16)], "bb\n\ncc dd\nf\r\n"),
            (&[(18, 19)], "g"),
            (&[(19, 19)], "g"),
            (&[(3, 19)], "bb\n\ncc dd\ne\nf\r\ng"),
        ] {
            let spans = spans(at);
            let source = Source::read_excerpts("x", text.as_bytes(), spans.clone()).unwrap();
            assert_eq!(source.text(), kept, "{at:?}");
            for span in spans {
                assert_eq!(source.slice(span), whole.slice(span), "{span:?}");
                assert_eq!(
                    source.line_column(span.start),
                    whole.line_column(span.start)
                );
                assert!(source.at_hand(span.start).contains(&span.start) || span.is_empty());
            }
        }
    }
}
