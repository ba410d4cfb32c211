//! From tokens to tree.

use crate::parser::{Limits, Parser, RawAttribute, Tag, Token};
use crate::{Attribute, Document, Element, Node, Problem, Span, Text};

/// `keep` says of an element, by the names on the way to it, whether its content is put into the tree; what is left out
/// is checked all the same.
pub(crate) fn parse(
    text: &str,
    limits: &Limits,
    keep: &dyn Fn(&[&str]) -> bool,
) -> Result<Document, Problem> {
    let mut parser = Parser::new(text, *limits)?;
    let mut builder = Builder::new(keep);
    while let Some(token) = parser.next_token()? {
        builder.add(token, parser.attributes());
    }
    let declaration = builder.declaration;
    builder
        .root
        .map(|root| Document { root, declaration })
        // The parser has seen one.
        .ok_or_else(|| Problem::error("xml-syntax", "there is no element in the file"))
}

impl Element {
    /// Reads the element that `tag`, the token read last, begins.
    ///
    /// # Errors
    ///
    /// As [`Parser::next_token`].
    pub fn read(parser: &mut Parser<'_>, tag: Tag<'_>) -> Result<Self, Problem> {
        let mut builder = Builder::new(&|_| true);
        builder.add(Token::Start(tag), parser.attributes());
        loop {
            if let Some(element) = builder.root {
                return Ok(element);
            }
            match parser.next_token()? {
                Some(token) => builder.add(token, parser.attributes()),
                None => return Ok(element(tag, &[])),
            }
        }
    }
}

struct Builder<'k> {
    keep: &'k dyn Fn(&[&str]) -> bool,
    open: Vec<Element>,
    /// Elements that are open and do not go into the tree, and the last of `open` where its content is left out.
    left_out: usize,
    root: Option<Element>,
    declaration: Option<Span>,
}

impl<'k> Builder<'k> {
    fn new(keep: &'k dyn Fn(&[&str]) -> bool) -> Self {
        Self {
            keep,
            open: Vec::new(),
            left_out: 0,
            root: None,
            declaration: None,
        }
    }

    fn add(&mut self, token: Token<'_>, attributes: &[RawAttribute<'_>]) {
        match token {
            Token::Declaration(span) => self.declaration = Some(span),
            Token::Start(tag) if self.left_out > 0 => self.left_out += usize::from(!tag.is_empty),
            Token::Start(tag) => {
                let element = element(tag, attributes);
                if tag.is_empty {
                    self.place(Node::Element(element));
                    return;
                }
                self.open.push(element);
                let path: Vec<&str> = self.open.iter().map(|open| open.name.as_str()).collect();
                self.left_out = usize::from(!(self.keep)(&path));
            }
            Token::End(span) => {
                self.left_out = self.left_out.saturating_sub(1);
                if self.left_out == 0
                    && let Some(mut element) = self.open.pop()
                {
                    element.span.end = span.end;
                    element.end_tag = Some(span);
                    self.place(Node::Element(element));
                }
            }
            _ if self.left_out > 0 => {}
            Token::Text(text) => self.place(Node::Text(owned(text.text(), text.span))),
            Token::CData(text) => self.place(Node::CData(owned(text.cdata(), text.span))),
            Token::Comment(text) => self.place(Node::Comment(owned(text.raw, text.span))),
            Token::ProcessingInstruction(text) => {
                self.place(Node::ProcessingInstruction(owned(text.raw, text.span)));
            }
        }
    }

    /// What stands outside the document element is not kept.
    fn place(&mut self, node: Node) {
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(node);
        } else if let Node::Element(element) = node {
            self.root = Some(element);
        }
    }
}

fn element(tag: Tag<'_>, attributes: &[RawAttribute<'_>]) -> Element {
    Element {
        name: tag.name.to_owned(),
        name_span: tag.name_span,
        span: tag.span,
        start_tag: tag.span,
        end_tag: None,
        attributes: attributes
            .iter()
            .map(|attribute| Attribute {
                name: attribute.name.to_owned(),
                name_span: attribute.name_span,
                value: attribute.value().into_owned(),
                value_span: attribute.value_span,
                span: attribute.span(),
            })
            .collect(),
        children: Vec::new(),
    }
}

fn owned(value: impl Into<String>, span: Span) -> Text {
    Text {
        value: value.into(),
        span,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn parse_text(text: &str) -> Result<Document, Problem> {
        Document::parse(&Source::from_text("x", text))
    }

    #[test]
    fn every_part_has_its_place() {
        let text = "<?xml version=\"1.0\"?>\r\n<!-- c --><a b = 'x &lt; y' ns:c=\"1\n2\">t&#x41;<![CDATA[<z>]]><d /></a >\n";
        let document = parse_text(text).unwrap();
        let root = document.root();
        let at = |span: Span| &text[span.range()];
        assert_eq!(
            at(document.declaration().unwrap()),
            "<?xml version=\"1.0\"?>"
        );
        assert_eq!(at(root.name_span), "a");
        assert_eq!(at(root.start_tag), "<a b = 'x &lt; y' ns:c=\"1\n2\">");
        assert_eq!(at(root.end_tag.unwrap()), "</a >");
        assert_eq!(at(root.span), &text[33..text.len() - 1]);
        assert_eq!(at(root.content_span()), "t&#x41;<![CDATA[<z>]]><d />");
        let b = root.attribute("b").unwrap();
        assert_eq!(
            (
                b.value.as_str(),
                at(b.value_span),
                at(b.name_span),
                at(b.span)
            ),
            ("x < y", "x &lt; y", "b", "b = 'x &lt; y'")
        );
        assert_eq!(root.value("ns:c"), Some("1 2"));
        assert_eq!(root.text(), "tA<z>");
        assert_eq!(root.children.len(), 3);
        assert_eq!(at(root.children[0].span()), "t&#x41;");
        assert_eq!(at(root.children[2].span()), "<d />");
        assert_eq!(root.child("D").unwrap().local_name(), "d");
        assert_eq!(root.descendants().count(), 2);
    }

    #[test]
    fn every_fault_has_its_code_and_place() {
        for (text, code, place) in [
            ("", "xml-syntax", ""),
            ("  text", "xml-syntax", "  text"),
            ("<a>", "xml-syntax", "<a>"),
            ("<a></b>", "xml-syntax", "</b>"),
            ("</a>", "xml-syntax", "</a>"),
            ("<a/><b/>", "xml-syntax", "<b/>"),
            ("<a/>x", "xml-syntax", "x"),
            ("<a/><![CDATA[x]]>", "xml-syntax", "<![CDATA[x]]>"),
            (
                " <?xml version='1.0'?><a/>",
                "xml-syntax",
                "<?xml version='1.0'?>",
            ),
            ("<a b='1' b='2'/>", "xml-duplicate-attribute", "b"),
            ("<a b='1'c='2'/>", "xml-syntax", "c"),
            ("<a b/>", "xml-syntax", ""),
            ("<a b=1/>", "xml-syntax", ""),
            ("<a b='<'/>", "xml-syntax", ""),
            ("<1/>", "xml-syntax", "1"),
            ("<a>R&D</a>", "xml-bare-ampersand", "&D"),
            ("<a b='x & y'/>", "xml-bare-ampersand", "&"),
            ("<a>&nbsp;</a>", "xml-unknown-entity", "&nbsp"),
            ("<a>&#0;</a>", "xml-unknown-entity", "&#0"),
            ("<a>&#x110000;</a>", "xml-unknown-entity", "&#x110000"),
            ("<a>&#+65;</a>", "xml-bare-ampersand", "&#"),
            (
                "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
                "xml-doctype",
                "<!DOCTYPE a [<!ENTITY b 'c'>]>",
            ),
            ("<a>\u{1}</a>", "xml-syntax", "\u{1}"),
            ("<a", "xml-syntax", "<"),
            ("<a><!-- x</a>", "xml-syntax", "<"),
        ] {
            let problem = parse_text(text).expect_err(text);
            assert_eq!(problem.code, code, "{text}: {problem}");
            assert_eq!(
                &text[problem.span.unwrap().range()],
                place,
                "{text}: {problem}"
            );
            assert!(problem.help.is_some(), "{text}");
        }
    }

    #[test]
    fn a_second_byte_order_mark_is_text() {
        let mark = '\u{FEFF}';
        for (text, place) in [
            (format!("{mark}<a><b</a>"), "\u{FEFF}"),
            (format!("{mark}{mark}<a/>"), "\u{FEFF}\u{FEFF}"),
        ] {
            let problem = parse_text(&text).unwrap_err();
            assert_eq!(&text[problem.span.unwrap().range()], place);
        }
        let text = format!("<a>{mark}</a>");
        assert_eq!(parse_text(&text).unwrap().root().text(), mark.to_string());
        let twice = [b"\xEF\xBB\xBF\xEF\xBB\xBF".as_slice(), b"<a/>"].concat();
        let source = Source::decode("x", &twice).unwrap();
        assert_eq!(Document::parse(&source).unwrap_err().code, "xml-syntax");
    }

    #[test]
    fn what_is_left_out_is_checked() {
        let at_most = |text: &str| {
            let source = Source::from_text("x", text);
            Document::parse_parts(&source, |path| path != ["a", "b"])
        };
        let text = "<a><b c='1'>t<d/><!-- x --><e></e></b><f>u</f></a>";
        let document = at_most(text).unwrap();
        let b = document.root().child("b").unwrap();
        assert_eq!((b.value("c"), b.children.len()), (Some("1"), 0));
        let whole = parse_text(text).unwrap();
        assert_eq!(b.span, whole.root().child("b").unwrap().span);
        assert_eq!(b.end_tag, whole.root().child("b").unwrap().end_tag);
        assert_eq!(document.root().child("f"), whole.root().child("f"));
        for text in [
            "<a><b><d></b></a>",
            "<a><b><d></e></b></a>",
            "<a><b><d>",
            "<a><b>",
            "<a><b></a>",
            "<a><b><d x='1' x='2'/></b></a>",
            "<a><b><d x='&y;'/></b></a>",
            "<a><b>&y;</b></a>",
            "<a><b><1/></b></a>",
            "<a><b><d x='<'/></b></a>",
        ] {
            let (left_out, whole) = (
                at_most(text).expect_err(text),
                parse_text(text).unwrap_err(),
            );
            assert_eq!(
                (left_out.code, left_out.span),
                (whole.code, whole.span),
                "{text}"
            );
            assert_eq!(left_out.message, whole.message, "{text}");
        }
        let deep = format!("<a><b>{}{}</b></a>", "<a>".repeat(300), "</a>".repeat(300));
        assert_eq!(at_most(&deep).unwrap_err().code, "xml-limit");
    }

    #[test]
    fn limits_are_kept() {
        let deep = "<a>".repeat(300) + &"</a>".repeat(300);
        assert_eq!(parse_text(&deep).unwrap_err().code, "xml-limit");
        let limits = Limits {
            text_len: 3,
            ..Limits::default()
        };
        assert_eq!(
            parse("<a/>", &limits, &|_| true).unwrap_err().code,
            "xml-limit"
        );
        let limits = Limits {
            attributes: 1,
            ..Limits::default()
        };
        assert_eq!(
            parse("<a b='' c=''/>", &limits, &|_| true)
                .unwrap_err()
                .code,
            "xml-limit"
        );
    }
}
