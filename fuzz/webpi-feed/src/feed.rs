//! [`Feed`] and [`FeedReader`]: a feed is the same in pieces, and what is read is written and read again.

use std::io::{self, Read};

use spanned_xml::{Problems, Source};
use webpi_feed::{Feed, FeedReadError, FeedReader};

/// The input is the length of the pieces, in an octet, and the feed.
pub fn check(octets: &[u8]) {
    let Some((&step, octets)) = octets.split_first() else {
        return;
    };
    let Ok(source) = Source::decode("feed.xml", octets) else {
        return;
    };
    let whole = Feed::parse(&source);
    let streamed = streamed(octets, usize::from(step).max(1));
    let (feed, streamed) = match (whole, streamed) {
        (Ok(whole), Ok(streamed)) => (whole, streamed),
        (Err(whole), Err(streamed)) => {
            let (whole, streamed) = (place(&whole), place(&streamed));
            // Of several faults, the one that is found first can be another in pieces.
            if streamed.1 == whole.1 {
                assert_eq!(streamed, whole);
            }
            return;
        }
        (whole, streamed) => panic!("{whole:?} and {streamed:?}"),
    };
    let written = feed.write();
    assert_eq!(streamed, feed);
    assert_eq!(streamed.write(), written, "order and comments too");
    let again = Feed::parse(&Source::from_text("written", written.as_str()));
    let again = again.expect("what is written reads");
    assert_eq!(again.write(), written);
    if comments_can_be_written(source.text()) {
        assert_eq!(again, feed);
    }
}

/// Whether no comment holds two hyphens or ends in one, which real feeds have, and which XML cannot write.
fn comments_can_be_written(text: &str) -> bool {
    text.split("<!--").skip(1).all(|rest| {
        rest.split_once("-->")
            .is_some_and(|(comment, _)| !comment.contains("--") && !comment.ends_with('-'))
    })
}

fn streamed(octets: &[u8], step: usize) -> Result<Feed, Problems> {
    let mut reader = FeedReader::new("feed.xml", Pieces(octets, step));
    let mut entries = Vec::new();
    loop {
        match reader.next_entry() {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => break,
            Err(FeedReadError::Problems(problems)) => return Err(problems),
            Err(error) => panic!("{error}"),
        }
    }
    let mut feed = reader.into_feed();
    feed.entries = entries;
    Ok(feed)
}

/// Code, message, line and column of the first problem.
fn place(problems: &Problems) -> (&'static str, &str, Option<String>) {
    let problem = problems.problems.first().expect("a problem");
    let line_column = |span: spanned_xml::Span| problems.source.line_column(span.start).to_string();
    (
        problem.code,
        &problem.message,
        problem.span.map(line_column),
    )
}

/// Hands out so many octets at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, free: &mut [u8]) -> io::Result<usize> {
        let len = self.0.len().min(free.len()).min(self.1);
        let (now, later) = self.0.split_at(len);
        free[..len].copy_from_slice(now);
        self.0 = later;
        Ok(len)
    }
}
