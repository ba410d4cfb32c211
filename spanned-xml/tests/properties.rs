//! Properties of reading, writing and splicing.

use proptest::prelude::*;
use spanned_xml::{Document, Source, Span, Splices, XmlWriter, map_values};

/// Text that XML can carry: a reader turns `\r` into `\n` only where it is not escaped, and ours escapes it.
fn xml_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just('<'),
            Just('&'),
            Just('"'),
            Just('\''),
            Just('\r'),
            Just('\n'),
            Just(']'),
            Just('>'),
            any::<char>()
        ],
        0..40,
    )
    .prop_map(|characters| {
        characters
            .into_iter()
            .filter(|&c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..))
            .collect()
    })
}

proptest! {
    #[test]
    fn parsing_noise_never_panics(text in "\\PC{0,200}|[<>/&;'\"=!\\[\\]a-z? -]{0,120}") {
        if let Err(problem) = Document::parse(&Source::from_text("x", text.clone())) {
            let span = problem.span.expect("a fault of a text has a place");
            prop_assert!(text.get(span.range()).is_some(), "{span:?} is not inside the text");
        }
    }

    #[test]
    fn decoding_noise_never_panics(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(source) = Source::decode("x", &octets) {
            prop_assert_eq!(source.encode(source.text()).is_ok(), true);
        }
    }

    #[test]
    fn what_is_written_reads_back(values in proptest::collection::vec((xml_text(), xml_text()), 0..8)) {
        let mut xml = XmlWriter::new(" ", "\n");
        xml.start("root");
        for (attribute, text) in &values {
            xml.element("e", &[("a", attribute)], text);
        }
        let source = Source::from_text("x", xml.finish());
        let document = Document::parse(&source).unwrap();
        let read: Vec<(String, String)> = document.root().elements().map(|e| (e.value("a").unwrap().to_owned(), e.text())).collect();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn a_value_put_in_its_place_reads_back(value in xml_text(), quote in prop_oneof![Just('"'), Just('\'')]) {
        let source = Source::from_text("x", format!("<a b={quote}V{quote}>V<c/></a>"));
        let document = Document::parse(&source).unwrap();
        let text = map_values(&source, &document, |_, _| Ok(Some(value.clone()))).unwrap();
        let again = Document::parse(&Source::from_text("x", text)).unwrap();
        prop_assert_eq!(again.root().value("b"), Some(value.as_str()));
        prop_assert_eq!(again.root().text(), value);
    }

    #[test]
    fn splicing_keeps_every_other_byte(text in "[a-zé]{0,30}", at in 0usize..30, len in 0usize..10, new in "[A-Z]{0,5}") {
        let mut splices = Splices::new();
        splices.replace(Span::new(at, at + len), new.clone());
        let expected = match (text.get(..at), text.get(at + len..)) {
            (Some(before), Some(after)) => Some(format!("{before}{new}{after}")),
            _ => None,
        };
        prop_assert_eq!(splices.apply(&text), expected);
    }
}
