//! What is made to harm a reader is refused, with the place and what to do, whole and in pieces.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails the test")]

use spanned_xml::{Problem, Source};
use webpi_feed::{Feed, FeedReadError, FeedReader, check};

/// The one problem that keeps the text from being read, and what stands at its place.
fn refused(text: &str) -> (Problem, String) {
    let source = Source::from_text("feed.xml", text);
    let problems = Feed::parse(&source).unwrap_err().problems;
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}")
    };
    assert_eq!(check(&source), problems, "checking says the same");
    let mut reader = FeedReader::new("feed.xml", text.as_bytes());
    let error = loop {
        match reader.next_entry() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it was read in pieces"),
            Err(error) => break error,
        }
    };
    let FeedReadError::Problems(streamed) = error else {
        panic!("{error}")
    };
    let [in_pieces] = streamed.problems.as_slice() else {
        panic!("{streamed:?}")
    };
    assert_eq!(in_pieces.code, problem.code);
    assert_eq!(in_pieces.message, problem.message);
    let at = problem.span.map_or("", |span| source.slice(span));
    (problem.clone(), at.to_owned())
}

/// Nine levels of ten references each: a thousand million letters, were they put in.
fn bomb() -> String {
    let mut entities = "<!ENTITY a0 \"ha\">".to_owned();
    for level in 1..=9 {
        let inside = format!("&a{};", level - 1).repeat(10);
        entities += &format!("<!ENTITY a{level} \"{inside}\">");
    }
    format!("<!DOCTYPE feed [{entities}]><feed><title>&a9;</title></feed>")
}

#[test]
fn document_types_are_refused() {
    for text in [
        bomb(),
        r#"<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]><feed><title>&x;</title></feed>"#
            .to_owned(),
        r#"<!DOCTYPE feed [<!ENTITY % x SYSTEM "https://example.org/x.dtd">%x;]><feed/>"#.to_owned(),
        r#"<!DOCTYPE feed SYSTEM "https://example.org/feed.dtd"><feed/>"#.to_owned(),
        r#"<!DOCTYPE feed PUBLIC "-//X//Y" "feed.dtd"><feed/>"#.to_owned(),
        "<!DOCTYPE feed><feed/>".to_owned(),
    ] {
        let (problem, at) = refused(&text);
        assert_eq!(problem.code, "xml-doctype", "{text}");
        assert!(at.starts_with("<!DOCTYPE feed"), "{at}");
        assert!(problem.help.unwrap().contains("remove it"));
    }
}

/// Without a document type there are only XML's own entities.
#[test]
fn entities_of_ones_own_are_refused() {
    let (problem, at) = refused("<feed><entry><title>a &x; b</title></entry></feed>");
    assert!(problem.message.contains("`&x;`"), "{problem:?}");
    assert_eq!(at, "&x");
}

#[test]
fn elements_inside_each_other_are_limited() {
    let nested = |count: usize| {
        format!(
            "<feed><entry>{}{}</entry></feed>",
            "<a>".repeat(count),
            "</a>".repeat(count)
        )
    };
    assert!(Feed::parse(&Source::from_text("feed.xml", nested(254))).is_ok());
    for count in [255, 100_000] {
        let (problem, at) = refused(&nested(count));
        assert_eq!(problem.code, "xml-limit", "{problem:?}");
        assert!(problem.message.contains("256"), "{problem:?}");
        assert!(at.starts_with("<a") || at == "a", "{at}");
    }
}

#[test]
fn attributes_are_limited() {
    let with = |count: usize| {
        let attributes: String = (0..count).map(|n| format!(" a{n}=''")).collect();
        format!("<feed><entry><x{attributes}/></entry></feed>")
    };
    let feed = Feed::parse(&Source::from_text("feed.xml", with(4096))).unwrap();
    let kept = feed.entries[0].rest.element("x").unwrap();
    assert_eq!(kept.attributes.len(), 4096);
    let (problem, _) = refused(&with(4097));
    assert_eq!(problem.code, "xml-limit", "{problem:?}");
    assert!(problem.message.contains("4096"), "{problem:?}");
}
