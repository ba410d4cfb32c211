//! Reading a feed entry by entry, whatever its length.

mod ahead;
mod pieces;

use std::collections::VecDeque;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{thread, vec};

use spanned_xml::{Parser, Problem, Problems, RawAttribute, Span, Tag, Tree, TreeNode};

use self::ahead::Run;
pub(crate) use self::pieces::{Pieces, Progress, Visit, visit};
use crate::extension::RestReader;
use crate::{ATOM_NAMESPACE, Entry, Feed};

/// Octets of text that a thread takes at once.
const PART_LEN: usize = 128 << 10;

/// Parts for each thread: so many that none waits long for the others.
const PARTS: usize = 8;

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
    /// Products that were read, and are to be handed out.
    ready: VecDeque<vec::IntoIter<Entry>>,
    threads: usize,
    /// Octets of text that a thread takes at once.
    part_len: usize,
}

impl<R: Read> FeedReader<R> {
    /// A reader of the feed that messages call `name`.
    pub fn new(name: impl Into<String>, reader: R) -> Self {
        Self {
            pieces: Pieces::new(name, reader),
            head: FeedHead::new(),
            ready: VecDeque::new(),
            threads: 1,
            part_len: PART_LEN,
        }
    }

    /// How many threads read at once: 1 by default. Each takes about 8 MiB.
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
            while let Some(batch) = self.ready.front_mut() {
                if let Some(entry) = batch.next() {
                    return Ok(Some(entry));
                }
                self.ready.pop_front();
            }
            if self.pieces.is_done() {
                return Ok(None);
            }
            self.pieces.fill(self.window_len())?;
            self.read_window()
                .map_err(|problem| self.pieces.failed(problem))?;
        }
    }

    /// What the feed has beside its products. It is whole once [`FeedReader::next_entry`] has given none.
    #[must_use]
    pub fn into_feed(self) -> Feed {
        self.head.finish()
    }

    /// Octets of text that are read together.
    const fn window_len(&self) -> usize {
        if self.threads > 1 {
            self.threads * PARTS * self.part_len
        } else {
            0
        }
    }

    fn read_window(&mut self) -> Result<(), Problem> {
        self.read_parts()?;
        self.pieces.read_window(&mut self.head)?;
        self.take_entries();
        Ok(())
    }

    fn take_entries(&mut self) {
        let entries = std::mem::take(&mut self.head.feed.entries);
        self.ready.push_back(entries.into_iter());
    }

    /// Reads as much of the window as several threads can: the first part as ever, and in the others the products that seem
    /// to be there. Meanwhile the text of the next window is read.
    fn read_parts(&mut self) -> Result<(), Problem> {
        let window_len = self.window_len();
        let Pieces {
            input,
            window,
            next,
            root,
            progress,
        } = &mut self.pieces;
        let cuts = ahead::cuts(&window.text, self.threads * PARTS, self.part_len);
        let (Some(known), Some(&first)) = (root.clone(), cuts.first()) else {
            return Ok(());
        };
        let shared = &*window;
        let ends = cuts.iter().skip(1).copied().chain([shared.text.len()]);
        let parts: Vec<(usize, usize)> = cuts.iter().copied().zip(ends).collect();
        let taken = AtomicUsize::new(0);
        let read_some = || {
            let mut runs = Vec::new();
            loop {
                let number = taken.fetch_add(1, Ordering::Relaxed);
                let Some(&(begin, end)) = parts.get(number) else {
                    return runs;
                };
                let text = shared.text.get(begin..end).unwrap_or_default();
                runs.push((number, Run::read(known.tag(), text, shared.base + begin)));
            }
        };
        let (done, mut read) = thread::scope(|scope| {
            let start = |_| thread::Builder::new().spawn_scoped(scope, read_some);
            let threads: Vec<_> = (1..self.threads).map(start).collect();
            if !shared.is_last {
                next.fill(input, window_len);
            }
            let done = shared.read(first, root, progress, &mut self.head);
            let mut read = read_some();
            for thread in threads {
                // What a thread could not do is done without it.
                read.extend(
                    thread
                        .ok()
                        .and_then(|thread| thread.join().ok())
                        .into_iter()
                        .flatten(),
                );
            }
            (done, read)
        });
        read.sort_unstable_by_key(|(number, _)| *number);
        window.done = done?;
        self.take_entries();
        for (number, run) in read {
            // Where the part before does not end there, this one begins in the middle of something.
            let is_next = parts
                .get(number)
                .is_some_and(|(begin, _)| *begin == self.pieces.window.done);
            if !is_next || self.pieces.progress.is_closed {
                break;
            }
            self.pieces.window.done = run.end - self.pieces.window.base;
            self.head.rest.children(run.field, run.entries.len());
            self.ready.push_back(run.entries.into_iter());
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

    /// The text of the next window is read before this one's products are handed out, and its faults come after them.
    #[test]
    fn octets_that_are_no_text_are_found_in_their_place() {
        let entry = "<entry><productId>A</productId></entry>\n";
        let head = format!("<feed xmlns='{ATOM_NAMESPACE}'>");
        let mut octets = [head.as_str(), &entry.repeat(20_000)].concat().into_bytes();
        octets.push(0xFF);
        octets.extend_from_slice(entry.as_bytes());
        let outcome = |threads| {
            let mut reader = FeedReader::new("feed.xml", octets.as_slice()).threads(threads);
            reader.part_len = 16 << 10;
            let mut count = 0;
            loop {
                match reader.next_entry() {
                    Ok(Some(_)) => count += 1,
                    Ok(None) => panic!("no fault was found"),
                    Err(error) => return (count > 0, error.to_string()),
                }
            }
        };
        let one = outcome(1);
        assert!(one.0, "products come first");
        assert!(one.1.contains("UTF-8"), "{}", one.1);
        assert_eq!(outcome(3), one);
    }

    fn entry_count(text: &str) -> usize {
        text.matches("<productId>").count()
    }
}
