//! Checking, resolving, comparing and merging: they end, with places inside of the file.

use spanned_xml::Source;
use webpi_feed::{Feed, Machine, diff, installation_order, merge};

/// Products of a feed that are resolved.
const RESOLVED: usize = 8;

/// The input is a feed.
pub fn check(octets: &[u8]) {
    let Ok(source) = Source::decode("feed.xml", octets) else {
        return;
    };
    let Ok((feed, problems)) = Feed::read(&source) else {
        return;
    };
    for problem in &problems {
        let places = problem
            .span
            .iter()
            .chain(problem.related.iter().map(|(span, _)| span));
        for span in places {
            assert!(source.text().get(span.range()).is_some(), "{problem:?}");
        }
        assert!(problem.help.is_some(), "{problem:?}");
    }
    assert_eq!(webpi_feed::check(&source), problems);
    let streamed = webpi_feed::check_reader("feed.xml", || Ok(octets)).expect("it was read");
    assert_eq!(streamed.products, feed.entries.len());
    assert_eq!(streamed.problems.problems, problems);
    for problem in &problems {
        let start = problem.span.map_or(0, |span| span.start);
        let place = streamed.problems.source.line_column(start);
        assert!(problem.span.is_none() || place == source.line_column(start));
    }
    let same = diff(&feed, &feed);
    assert!(same.is_empty(), "a feed is like itself");
    // Nothing says of two products without an identifier that they are one.
    let named = |feed: &Feed| -> usize {
        let entries = feed.entries.iter();
        entries.filter(|entry| !entry.product_id.is_empty()).count()
    };
    let merged = merge(&[&feed, &feed]);
    assert!(named(&merged.feed) <= named(&feed));
    for entry in feed.entries.iter().take(RESOLVED) {
        let Ok(plan) = installation_order(&feed, &entry.product_id, &|_| false, &Machine::any())
        else {
            continue;
        };
        assert!(!plan.steps.is_empty(), "the product itself at least");
        assert!(plan.steps.len() <= feed.entries.len());
    }
}
