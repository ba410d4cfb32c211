//! Reading a feed entry by entry, whatever its length.

mod ahead;

use std::collections::VecDeque;
use std::io::Read;
use std::thread;

use spanned_xml::{
    Limits, LineColumn, Parser, Problem, Problems, RawAttribute, ReadError, Source, Span, Tag,
    TextReader, Token, Tree, TreeNode,
};

use self::ahead::Run;
use crate::extension::RestReader;
use crate::{ATOM_NAMESPACE, Entry, Feed};

/// Octets of text that are worth a thread.
const PART_LEN: usize = 512 << 10;

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
    window: Window,
    /// The tag of the document element, once it was read.
    root: Option<Root>,
    head: FeedHead,
    entries: VecDeque<Entry>,
    threads: usize,
    /// Octets of the window for each of the threads.
    part_len: usize,
}

/// The piece of a feed's text that is at hand.
#[derive(Debug)]
struct Window {
    text: String,
    /// Octets of it that were read.
    done: usize,
    /// Where it begins in the feed's text: octets, line and column.
    base: usize,
    first: LineColumn,
    /// Whether nothing follows it.
    is_last: bool,
}

impl<R: Read> FeedReader<R> {
    /// A reader of the feed that messages call `name`.
    pub fn new(name: impl Into<String>, reader: R) -> Self {
        Self {
            input: TextReader::new(name, reader),
            window: Window {
                text: String::new(),
                done: 0,
                base: 0,
                first: LineColumn { line: 1, column: 1 },
                is_last: false,
            },
            root: None,
            head: FeedHead::new(),
            entries: VecDeque::new(),
            threads: 1,
            part_len: PART_LEN,
        }
    }

    /// How many threads read at once: 1 by default. Each takes about 3 MiB.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
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
            if self.window.is_last && self.window.done == self.window.text.len() {
                return Ok(None);
            }
            self.fill()?;
            self.read_window().map_err(|problem| self.failed(problem))?;
        }
    }

    /// What the feed has beside its products. It is whole once [`FeedReader::next_entry`] has given none.
    #[must_use]
    pub fn into_feed(self) -> Feed {
        self.head.finish()
    }

    /// Lets go of what was read, and reads on.
    fn fill(&mut self) -> Result<(), FeedReadError> {
        let window = &mut self.window;
        window.let_go();
        // Twice as much as was not enough the last time.
        let mut wanted = window.text.len() * 2;
        if self.threads > 1 {
            wanted = wanted.max(self.threads * self.part_len);
        }
        loop {
            match self.input.read_to(&mut window.text) {
                Ok(true) if window.text.len() < wanted => {}
                Ok(more) => {
                    window.is_last = !more;
                    break;
                }
                Err(ReadError::Io(error)) => return Err(FeedReadError::Io(error)),
                Err(ReadError::Problem(problem)) => return Err(self.failed(problem)),
            }
        }
        Ok(())
    }

    fn read_window(&mut self) -> Result<(), Problem> {
        self.read_parts()?;
        let end = self.window.text.len();
        self.window.done = self.window.read(end, &mut self.root, &mut self.head)?;
        self.entries.extend(self.head.feed.entries.drain(..));
        Ok(())
    }

    /// Reads as much of the window as several threads can: the first part as ever, and in the others the products that seem
    /// to be there.
    fn read_parts(&mut self) -> Result<(), Problem> {
        let cuts = ahead::cuts(&self.window.text, self.threads, self.part_len);
        let (Some(known), Some(&first)) = (self.root.clone(), cuts.first()) else {
            return Ok(());
        };
        let window = &self.window;
        let (done, runs) = thread::scope(|scope| {
            let ends = cuts.iter().skip(1).copied().chain([window.text.len()]);
            let threads: Vec<_> = cuts
                .iter()
                .zip(ends)
                .map(|(&begin, end)| {
                    let text = window.text.get(begin..end).unwrap_or_default();
                    let (root, base) = (known.tag(), window.base + begin);
                    thread::Builder::new().spawn_scoped(scope, move || Run::read(root, text, base))
                })
                .collect();
            let done = window.read(first, &mut self.root, &mut self.head);
            // What a thread could not do is done without it.
            let join = |thread: std::io::Result<thread::ScopedJoinHandle<'_, Run>>| {
                thread.ok()?.join().ok()
            };
            let runs: Vec<Option<Run>> = threads.into_iter().map(join).collect();
            (done, runs)
        });
        self.window.done = done?;
        self.entries.extend(self.head.feed.entries.drain(..));
        for (&begin, run) in cuts.iter().zip(runs) {
            // Where the part before does not end there, this one begins in the middle of something.
            let is_next = self.window.done == begin && !self.head.is_closed;
            let Some(run) = run.filter(|_| is_next) else {
                break;
            };
            self.window.done = run.end - self.window.base;
            self.head.rest.children(run.field, run.entries.len());
            self.entries.extend(run.entries);
        }
        Ok(())
    }

    /// The problem with the part of the text in which it is: what is at hand, or the document element's tag.
    fn failed(&self, mut problem: Problem) -> FeedReadError {
        let root = self.root.as_ref().filter(|_| {
            problem
                .span
                .is_some_and(|span| span.start < self.window.base)
        });
        let (text, base, first) = match root {
            Some(root) => (root.text.as_str(), root.span.start, root.first),
            None => (
                self.window.text.as_str(),
                self.window.base,
                self.window.first,
            ),
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

impl Window {
    /// Lets go of what was read.
    fn let_go(&mut self) {
        let read = self.text.get(..self.done).unwrap_or_default();
        self.first = after(self.first, read);
        self.base += self.done;
        self.text.drain(..self.done);
        self.done = 0;
    }

    /// Reads from where it was read up to the octet `to`, and says how far that went: as far as there are whole parts.
    fn read(
        &self,
        to: usize,
        root: &mut Option<Root>,
        head: &mut FeedHead,
    ) -> Result<usize, Problem> {
        let limits = Limits::default();
        let text = self.text.get(self.done..to).unwrap_or_default();
        let base = self.base + self.done;
        let is_last = self.is_last && to == self.text.len();
        let known = root.clone();
        let mut parser = match &known {
            None => Parser::new(text, limits)?,
            Some(root) => Parser::resume(root.tag(), !head.is_closed, text, base, limits)?,
        };
        let mut end = base;
        let read = head.read(&mut parser, is_last, &mut end);
        let found = parser.root().filter(|_| end > 0);
        if let (None, Some(tag)) = (&known, found) {
            // It is in the first piece.
            *root = Some(self.root(tag));
        }
        if let Err(problem) = read
            && (is_last || !parser.is_cut())
        {
            return Err(problem);
        }
        Ok(match root {
            Some(_) if is_last => to,
            Some(_) => end - self.base,
            // What stands before the document element is read again with it: it is found from the beginning of the text.
            None => 0,
        })
    }

    fn root(&self, tag: Tag<'_>) -> Root {
        let before = self.text.get(..tag.span.start).unwrap_or_default();
        let text = self.text.get(tag.span.range()).unwrap_or_default();
        Root {
            name: tag.name.to_owned(),
            name_span: tag.name_span,
            span: tag.span,
            text: text.to_owned(),
            first: after(self.first, before),
        }
    }
}

/// The tag of the document element.
#[derive(Clone, Debug)]
struct Root {
    name: String,
    name_span: Span,
    span: Span,
    text: String,
    first: LineColumn,
}

impl Root {
    fn tag(&self) -> Tag<'_> {
        Tag {
            name: &self.name,
            name_span: self.name_span,
            span: self.span,
            is_empty: false,
        }
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, threads: usize) -> Result<Feed, FeedReadError> {
        let mut reader = FeedReader::new("feed.xml", text.as_bytes()).threads(threads);
        reader.part_len = 64;
        let mut entries = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            entries.push(entry);
        }
        let mut feed = reader.into_feed();
        feed.entries = entries;
        Ok(feed)
    }

    /// What can stand in a feed, and much of it where a cut will be.
    const PARTS: &[&str] = &[
        "<entry><productId>A</productId><title>x</title></entry>",
        "<entry><productId>B</productId></entry>\n  ",
        "<Entry><productId>C</productId></Entry>",
        "<entry/>",
        "<entry><note><entry>not a product</entry></note></entry>",
        "<entry><summary><![CDATA[ </entry> ]]></summary></entry>",
        "<!-- <entry><productId>no</productId></entry> </entry> -->",
        "<!-- between -->",
        "text </entry_> ",
        " words ",
        "<x:entry>other</x:entry>",
        "<keywords><keyword id='k'>K</keyword></keywords>",
        "<entry a='</entry>'/>",
        "</feed>",
        "</entry>",
        "&amp;",
        "&#1;",
        "<",
    ];

    proptest! {
        #[test]
        fn threads_read_what_one_reads(parts in prop::collection::vec(prop::sample::select(PARTS), 0..40), threads in 2..5_usize) {
            let text = format!("<feed xmlns='{ATOM_NAMESPACE}'>{}</feed>", parts.concat());
            match (read(&text, 1), read(&text, threads)) {
                (Ok(one), Ok(many)) => {
                    prop_assert_eq!(&one, &many);
                    prop_assert_eq!(one.write(), many.write());
                }
                (Err(one), Err(many)) => prop_assert_eq!(one.to_string(), many.to_string()),
                (one, many) => prop_assert!(false, "{:?} and {:?}", one, many),
            }
        }
    }

    #[test]
    fn several_threads_have_read() {
        let entry = "<entry><productId>A</productId></entry>\n";
        let text = format!(
            "<feed xmlns='{ATOM_NAMESPACE}'>{}</feed>",
            entry.repeat(100)
        );
        let cuts = ahead::cuts(&text, 4, 64);
        assert_eq!(cuts.len(), 3);
        assert!(cuts.iter().all(|&cut| text[..cut].ends_with("</entry>")));
        assert_eq!(read(&text, 4).unwrap().entries.len(), 100);
        let root = Parser::new(&text, Limits::default())
            .unwrap()
            .next_token()
            .unwrap();
        let Some(Token::Start(root)) = root else {
            panic!("{root:?}")
        };
        let run = Run::read(root, &text[cuts[0]..cuts[1]], cuts[0]);
        assert_eq!(
            (run.end, run.entries.len()),
            (cuts[1], entry_count(&text[cuts[0]..cuts[1]]))
        );
    }

    fn entry_count(text: &str) -> usize {
        text.matches("<productId>").count()
    }
}
