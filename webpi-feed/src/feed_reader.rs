//! Reading a feed entry by entry, whatever its length.

use std::collections::VecDeque;
use std::io::Read;

use spanned_xml::{
    Limits, LineColumn, Parser, Problem, Problems, RawAttribute, ReadError, Source, Span, Tag,
    TextReader, Token, Tree, TreeNode,
};

use crate::extension::RestReader;
use crate::{ATOM_NAMESPACE, Entry, Feed};

/// Reads the products of a feed one after the other, in a memory that depends on the longest of them and not on their
/// number.
///
/// ```
/// use webpi_feed::FeedReader;
///
/// let xml = "<feed xmlns='http://www.w3.org/2005/Atom'><title>Ours</title><entry><productId>A</productId></entry></feed>";
/// let mut reader = FeedReader::new("feed.xml", xml.as_bytes());
/// let mut products = Vec::new();
/// while let Some(entry) = reader.next_entry()? {
///     products.push(entry.product_id);
/// }
/// let feed = reader.into_feed();
/// assert_eq!(products, ["A"]);
/// assert_eq!(feed.title.as_ref().map(|title| title.as_str()), Some("Ours"));
/// assert!(feed.entries.is_empty(), "they were handed out");
/// # Ok::<(), webpi_feed::FeedReadError>(())
/// ```
#[derive(Debug)]
pub struct FeedReader<R> {
    input: TextReader<R>,
    /// The piece of the text that is at hand.
    window: String,
    /// Octets of it that were read.
    done: usize,
    /// Where it begins in the feed's text: octets, line and column.
    base: usize,
    first: LineColumn,
    /// Whether nothing follows it.
    is_last: bool,
    /// The tag of the document element, once it was read.
    root: Option<Root>,
    head: FeedHead,
    entries: VecDeque<Entry>,
}

impl<R: Read> FeedReader<R> {
    /// A reader of the feed that messages call `name`.
    pub fn new(name: impl Into<String>, reader: R) -> Self {
        Self {
            input: TextReader::new(name, reader),
            window: String::new(),
            done: 0,
            base: 0,
            first: LineColumn { line: 1, column: 1 },
            is_last: false,
            root: None,
            head: FeedHead::new(),
            entries: VecDeque::new(),
        }
    }

    /// The next product; none at the end of the feed.
    ///
    /// # Errors
    ///
    /// Reading fails, the octets are not text, the text is not well-formed XML, its document element is not `feed`, or one
    /// of `spanned-xml`'s limits was reached: a product has at most 256 MiB of text. Nothing can be read after it.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, FeedReadError> {
        loop {
            if let Some(entry) = self.entries.pop_front() {
                return Ok(Some(entry));
            }
            if self.is_last && self.done == self.window.len() {
                return Ok(None);
            }
            self.fill()?;
            self.read_window()?;
        }
    }

    /// What the feed has beside its products. It is whole once [`FeedReader::next_entry`] has given none.
    #[must_use]
    pub fn into_feed(self) -> Feed {
        self.head.finish()
    }

    /// Lets go of what was read, and reads on.
    fn fill(&mut self) -> Result<(), FeedReadError> {
        let read = self.window.get(..self.done).unwrap_or_default();
        self.first = after(self.first, read);
        self.base += self.done;
        self.window.drain(..self.done);
        self.done = 0;
        // Twice as much as was not enough the last time.
        let wanted = self.window.len() * 2;
        loop {
            match self.input.read_to(&mut self.window) {
                Ok(true) if self.window.len() < wanted => {}
                Ok(more) => {
                    self.is_last = !more;
                    break;
                }
                Err(ReadError::Io(error)) => return Err(FeedReadError::Io(error)),
                Err(ReadError::Problem(problem)) => return Err(self.failed(problem)),
            }
        }
        Ok(())
    }

    fn read_window(&mut self) -> Result<(), FeedReadError> {
        let limits = Limits::default();
        let known = self.root.take();
        let parser = match &known {
            None => Parser::new(&self.window, limits),
            Some(root) => {
                let root = Tag {
                    name: &root.name,
                    name_span: root.name_span,
                    span: root.span,
                    is_empty: false,
                };
                Parser::resume(root, !self.head.is_closed, &self.window, self.base, limits)
            }
        };
        let mut end = self.base;
        let outcome = parser.and_then(|mut parser| {
            let read = self.head.read(&mut parser, self.is_last, &mut end);
            if let Some(root) = parser.root().filter(|_| known.is_none() && end > 0) {
                // It is in the first piece.
                let before = self.window.get(..root.span.start).unwrap_or_default();
                self.root = Some(Root {
                    name: root.name.to_owned(),
                    name_span: root.name_span,
                    span: root.span,
                    text: self
                        .window
                        .get(root.span.range())
                        .unwrap_or_default()
                        .to_owned(),
                    first: after(self.first, before),
                });
            }
            read.or_else(|problem| {
                let is_cut = parser.is_cut() && !self.is_last;
                if is_cut { Ok(()) } else { Err(problem) }
            })
        });
        self.root = self.root.take().or(known);
        self.entries.extend(self.head.feed.entries.drain(..));
        // What stands before the document element is read again with it: it is found from the beginning of the text.
        self.done = match self.root {
            Some(_) => end - self.base,
            None => 0,
        };
        outcome.map_err(|problem| self.failed(problem))?;
        if self.is_last {
            self.done = self.window.len();
        }
        Ok(())
    }

    /// The problem with the part of the text in which it is: what is at hand, or the document element's tag.
    fn failed(&self, mut problem: Problem) -> FeedReadError {
        let root = self
            .root
            .as_ref()
            .filter(|_| problem.span.is_some_and(|span| span.start < self.base));
        let (text, base, first) = match root {
            Some(root) => (root.text.as_str(), root.span.start, root.first),
            None => (self.window.as_str(), self.base, self.first),
        };
        let local = |span: Span| {
            Span::new(
                span.start.saturating_sub(base),
                span.end.saturating_sub(base),
            )
        };
        problem.span = problem.span.map(local);
        problem.related.retain(|(span, _)| span.start >= base);
        for (span, _) in &mut problem.related {
            *span = local(*span);
        }
        let source = Source::part(self.input.name(), text, first);
        FeedReadError::Problems(problem.in_source(&source))
    }
}

/// The tag of the document element.
#[derive(Debug)]
struct Root {
    name: String,
    name_span: Span,
    span: Span,
    text: String,
    first: LineColumn,
}

/// What keeps a feed from being read.
#[derive(Debug)]
#[non_exhaustive]
pub enum FeedReadError {
    /// Reading has failed.
    Io(std::io::Error),
    /// It is not a feed. The source is the part of it that was read last.
    Problems(Problems),
}

impl core::fmt::Display for FeedReadError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Problems(problems) => problems.fmt(f),
        }
    }
}

impl core::error::Error for FeedReadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Problems(problems) => Some(problems),
        }
    }
}

/// The document element as far as it was read.
#[derive(Debug)]
pub(crate) struct FeedHead {
    feed: Feed,
    rest: RestReader,
    /// Whether it has ended.
    is_closed: bool,
}

impl FeedHead {
    pub(crate) fn new() -> Self {
        Self {
            feed: Feed::default(),
            rest: RestReader::new(Span::default()),
            is_closed: false,
        }
    }

    fn start(&mut self, tag: Tag<'_>, attributes: &[RawAttribute<'_>]) -> Result<(), Problem> {
        if !tag.name.eq_ignore_ascii_case("feed") {
            let local = tag.name.rsplit(':').next().unwrap_or(tag.name);
            return Err(Problem::error(
                "webpi-not-a-feed",
                format!("the document element is `{}`, not `feed`", tag.name),
            )
            .at(tag.name_span)
            .help(if local.eq_ignore_ascii_case("feed") {
                "make the Atom namespace the default one: `<feed xmlns=\"http://www.w3.org/2005/Atom\">`"
            } else {
                "this is not a WebPI feed; is the address right?"
            }));
        }
        for attribute in attributes {
            if attribute.name != "xmlns" || attribute.value() != ATOM_NAMESPACE {
                self.rest.attribute(attribute);
            }
        }
        self.rest.set_span(tag.span);
        Ok(())
    }

    /// Reads the document element as far as `parser` goes. `end` is where the last whole part of it ends.
    pub(crate) fn read(
        &mut self,
        parser: &mut Parser<'_>,
        is_last: bool,
        end: &mut usize,
    ) -> Result<(), Problem> {
        let mut tree = Tree::default();
        while let Some(token) = parser.next_token()? {
            let inside = parser.depth() > 0;
            match token {
                Token::Start(tag) if self.rest.is_unread() => {
                    self.start(tag, parser.attributes())?;
                    self.is_closed = tag.is_empty;
                }
                Token::Start(tag) => {
                    tree.read(parser, tag)?;
                    if let Some(child) = tree.root() {
                        let (field, taken) = self.feed.take_child(child);
                        self.rest.child(child, field, taken);
                    }
                }
                Token::End(span) => {
                    self.rest.set_end(span.end);
                    self.is_closed = true;
                }
                // The rest of the text may be in the next piece.
                Token::Text(_) if !is_last && parser.is_at_end() => break,
                Token::Text(text) if inside => self.rest.other(TreeNode::Text(text), false),
                Token::CData(text) if inside => self.rest.other(TreeNode::CData(text), false),
                Token::Comment(text) if inside => self.rest.other(TreeNode::Comment(text), false),
                _ => {}
            }
            *end = parser.position();
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Feed {
        Feed {
            rest: self.rest.finish(),
            ..self.feed
        }
    }
}

/// The place behind a text that begins at `first`.
fn after(first: LineColumn, text: &str) -> LineColumn {
    match text.rfind('\n') {
        Some(newline) => LineColumn {
            line: first.line + newlines(text),
            column: text[newline + 1..].chars().count() + 1,
        },
        None => LineColumn {
            line: first.line,
            column: first.column + text.chars().count(),
        },
    }
}

/// In short blocks, so that the compiler makes vector instructions of it.
fn newlines(text: &str) -> usize {
    let is_newline = |octet: &u8| u8::from(*octet == b'\n');
    let blocks = text.as_bytes().chunks(255);
    blocks
        .map(|block| usize::from(block.iter().map(is_newline).sum::<u8>()))
        .sum()
}
