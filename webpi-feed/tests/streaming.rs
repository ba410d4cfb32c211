//! [`FeedReader`] reads what [`Feed::parse`] reads, however little of the feed it gets at a time.

use std::io::Read;

use proptest::prelude::*;
use spanned_xml::{Problem, Source};
use webpi_feed::{Feed, FeedReadError, FeedReader, check_reader};

const WHOLE: &str = include_str!("whole.xml");

/// Hands out so many octets at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, free: &mut [u8]) -> std::io::Result<usize> {
        let len = self.0.len().min(free.len()).min(self.1);
        let (now, later) = self.0.split_at(len);
        free[..len].copy_from_slice(now);
        self.0 = later;
        Ok(len)
    }
}

/// The feed, or its problem with line and column.
type Outcome = Result<Feed, Box<(Problem, Option<String>)>>;

fn streamed(text: &str, step: usize) -> Outcome {
    let mut reader = FeedReader::new("feed.xml", Slow(text.as_bytes(), step));
    let mut entries = Vec::new();
    loop {
        match reader.next_entry() {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => break,
            Err(FeedReadError::Problems(problems)) => return Err(first(problems)),
            Err(error) => panic!("{error}"),
        }
    }
    let mut feed = reader.into_feed();
    assert!(feed.entries.is_empty());
    feed.entries = entries;
    Ok(feed)
}

fn whole(text: &str) -> Outcome {
    Feed::parse(&Source::from_text("feed.xml", text)).map_err(first)
}

fn first(problems: spanned_xml::Problems) -> Box<(Problem, Option<String>)> {
    let source = problems.source;
    let mut problem = problems.problems.into_iter().next().expect("a problem");
    let place = problem.span.take();
    // A place that is no longer at hand is not told.
    problem.related.clear();
    let place = place.map(|span| source.line_column(span.start).to_string());
    Box::new((problem, place))
}

/// Also the order and the comments, which equality leaves out.
fn check(text: &str, step: usize) {
    match (whole(text), streamed(text, step)) {
        (Ok(whole), Ok(streamed)) => {
            assert_eq!(streamed, whole, "{step}: {text}");
            assert_eq!(streamed.write(), whole.write(), "{step}: {text}");
            let spans = |feed: &Feed| -> Vec<_> {
                feed.entries.iter().map(|entry| entry.rest.span()).collect()
            };
            assert_eq!(spans(&streamed), spans(&whole), "{step}: {text}");
        }
        (whole, streamed) => assert_eq!(
            streamed.map(|feed| feed.write()),
            whole.map(|feed| feed.write()),
            "{step}: {text}"
        ),
    }
}

/// The same problems, and of the text the lines that they are in.
#[test]
fn a_feed_is_checked_the_same_in_pieces() {
    let entry = "<entry><productId>a b</productId><updated>now</updated>\n<keywords><keywordId>k\u{e9}</keywordId></keywords></entry>\n";
    let faulty = WHOLE.replace("</feed>", &format!("{}</feed>", entry.repeat(300)));
    for text in [WHOLE, &faulty, "<feed/>", "<feed><id/><id>x</id></feed>"] {
        let source = Source::from_text("feed.xml", text);
        let problems = webpi_feed::check(&source);
        assert_eq!(problems.len() > 600, text.len() == faulty.len());
        for step in [100, usize::MAX] {
            let checked = check_reader("feed.xml", || Ok(Slow(text.as_bytes(), step))).unwrap();
            assert_eq!(checked.problems.problems, problems);
            assert_eq!(checked.products, whole(text).unwrap().entries.len());
            let lines = &checked.problems.source;
            for span in problems.iter().filter_map(|problem| problem.span) {
                assert_eq!(lines.slice(span), source.slice(span));
                assert_eq!(
                    lines.line_column(span.start),
                    source.line_column(span.start)
                );
            }
        }
    }
}

#[test]
fn a_feed_is_the_same_in_pieces() {
    let turned_round = WHOLE.replace("<entry", "<!-- <entry> --><?x y?>\n<entry");
    let utf = WHOLE.replace("App", "Äpp€😀");
    for text in [WHOLE, &turned_round, &utf] {
        assert!(whole(text).is_ok());
        for step in [1, 7, 100, 1000, usize::MAX] {
            check(text, step);
        }
    }
}

/// More than is read at a time.
#[test]
fn the_document_element_may_come_late() {
    let text = format!(
        "<?xml version='1.0'?>\n<!-- {} -->\n<feed>\n<entry><productId>p</productId></entry></feed>",
        "long ".repeat(100_000)
    );
    assert_eq!(whole(&text).map(|feed| feed.entries.len()), Ok(1));
    check(&text, usize::MAX);
    check(&text.replace("</feed>", "<x></feed>"), usize::MAX);
    check("<?xml version='1.0'?>\n<feed a=\"</feed>\n", 1);
}

#[test]
fn a_fault_is_at_the_same_place() {
    let entry = "<entry><productId>p</productId></entry>\n".repeat(50);
    for text in [
        String::new(),
        "  ".to_owned(),
        "<feed".to_owned(),
        "<feed>".to_owned(),
        "<feeds/>".to_owned(),
        "<a:feed/>".to_owned(),
        format!("<feed>\n{entry}"),
        format!("<feed>\n{entry}</feeds>"),
        format!("<feed>\n{entry}<entry></feed>"),
        format!("<feed>\n{entry}&nope;</feed>"),
        format!("<feed>\n{entry}a & b</feed>"),
        format!("<feed>\n{entry}<a b='1' b='2'/></feed>"),
        format!("<feed>\n{entry}\u{1}</feed>"),
        format!("<feed>\n{entry}</feed>\n<feed/>"),
        format!("<feed>\n{entry}</feed>\ntext"),
        format!("<feed>\n{entry}</feed>text></feed>"),
        // The end of the document element, and behind it text whose own end is cut.
        format!("<feed>\n</feed>text{}</feed>", "<!-- -->".repeat(100)),
        format!("<feed>\n{entry}<!-- </feed>"),
        format!("<feed>\n{entry}<![CDATA[ </feed>"),
        format!("<feed>\n{entry}<?xml version='1.0'?></feed>"),
        format!("<!DOCTYPE feed [<!ENTITY a 'b'>]><feed>\n{entry}</feed>"),
        format!("<feed>{}{}</feed>", "<a>".repeat(300), "</a>".repeat(300)),
    ] {
        assert!(whole(&text).is_err(), "{text}");
        for step in [1, 3, 13, 1000] {
            check(&text, step);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Pieces of feeds and of no feeds, put together at random.
    #[test]
    fn any_text_is_the_same_in_pieces(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<entry><productId>p</productId></entry>", "<entry/>", "<title>t</title>", "\n  ", "text", "&amp;", "&", "<![CDATA[<]]>",
            "<!-- <entry> -->", "<?pi?>", "é", "\u{FEFF}", "<x a='1'>", "</x>", "<", "</feed>", "\u{1}", "<oses><os id='o'/></oses>",
        ]), 0..24),
        step in 1_usize..40,
        closed: bool,
    ) {
        let end = if closed { "</feed>" } else { "" };
        check(&format!("<?xml version='1.0'?>\n<feed xmlns='http://www.w3.org/2005/Atom'>{}{end}\n", parts.concat()), step);
    }
}
