//! Reading a feed entry by entry, whatever its length.

mod ahead;
mod pieces;

use std::collections::VecDeque;
use std::io::Read;
use std::thread;

use spanned_xml::{Parser, Problem, Problems, RawAttribute, Span, Tag, Tree, TreeNode};

use self::ahead::Run;
pub(crate) use self::pieces::{Pieces, Progress, Visit, visit};
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
    pieces: Pieces<R>,
    head: FeedHead,
    entries: VecDeque<Entry>,
    threads: usize,
    /// Octets of text for each of the threads.
    part_len: usize,
}

impl<R: Read> FeedReader<R> {
    /// A reader of the feed that messages call `name`.
    pub fn new(name: impl Into<String>, reader: R) -> Self {
        Self {
            pieces: Pieces::new(name, reader),
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
            if self.pieces.is_done() {
                return Ok(None);
            }
            let least = if self.threads > 1 {
                self.threads * self.part_len
            } else {
                0
            };
            self.pieces.fill(least)?;
            self.read_window()
                .map_err(|problem| self.pieces.failed(problem))?;
        }
    }

    /// What the feed has beside its products. It is whole once [`FeedReader::next_entry`] has given none.
    #[must_use]
    pub fn into_feed(self) -> Feed {
        self.head.finish()
    }

    fn read_window(&mut self) -> Result<(), Problem> {
        self.read_parts()?;
        self.pieces.read_window(&mut self.head)?;
        self.entries.extend(self.head.feed.entries.drain(..));
        Ok(())
    }

    /// Reads as much of the window as several threads can: the first part as ever, and in the others the products that seem
    /// to be there.
    fn read_parts(&mut self) -> Result<(), Problem> {
        let Pieces {
            window,
            root,
            progress,
            ..
        } = &mut self.pieces;
        let cuts = ahead::cuts(&window.text, self.threads, self.part_len);
        let (Some(known), Some(&first)) = (root.clone(), cuts.first()) else {
            return Ok(());
        };
        let shared = &*window;
        let (done, runs) = thread::scope(|scope| {
            let ends = cuts.iter().skip(1).copied().chain([shared.text.len()]);
            let threads: Vec<_> = cuts
                .iter()
                .zip(ends)
                .map(|(&begin, end)| {
                    let text = shared.text.get(begin..end).unwrap_or_default();
                    let (root, base) = (known.tag(), shared.base + begin);
                    thread::Builder::new().spawn_scoped(scope, move || Run::read(root, text, base))
                })
                .collect();
            let done = shared.read(first, root, progress, &mut self.head);
            // What a thread could not do is done without it.
            let join = |thread: std::io::Result<thread::ScopedJoinHandle<'_, Run>>| {
                thread.ok()?.join().ok()
            };
            let runs: Vec<Option<Run>> = threads.into_iter().map(join).collect();
            (done, runs)
        });
        window.done = done?;
        self.entries.extend(self.head.feed.entries.drain(..));
        for (&begin, run) in cuts.iter().zip(runs) {
            // Where the part before does not end there, this one begins in the middle of something.
            let is_next = window.done == begin && !progress.is_closed;
            let Some(run) = run.filter(|_| is_next) else {
                break;
            };
            window.done = run.end - window.base;
            self.head.rest.children(run.field, run.entries.len());
            self.entries.extend(run.entries);
        }
        Ok(())
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
}

impl FeedHead {
    pub(crate) fn new() -> Self {
        Self {
            feed: Feed::default(),
            rest: RestReader::new(Span::default()),
        }
    }

    pub(crate) fn finish(self) -> Feed {
        Feed {
            rest: self.rest.finish(),
            ..self.feed
        }
    }
}

impl Visit for FeedHead {
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

    fn child<'t>(
        &mut self,
        parser: &mut Parser<'t>,
        tag: Tag<'t>,
        tree: &mut Tree<'t>,
    ) -> Result<(), Problem> {
        tree.read(parser, tag)?;
        if let Some(child) = tree.root() {
            let (field, taken) = self.feed.take_child(child);
            self.rest.child(child, field, taken);
        }
        Ok(())
    }

    fn between(&mut self, node: TreeNode<'_, '_>) {
        self.rest.other(node, false);
    }

    fn end(&mut self, end: usize) {
        self.rest.set_end(end);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use spanned_xml::{Limits, Token};

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
