//! From text to tree.
//!
//! quick-xml finds the markup; what it leaves open is checked here: one document element, names, white space between
//! attributes, references, characters that XML 1.0 does not allow, and limits.

use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event, attributes::AttrError};
use quick_xml::reader::Reader;

use crate::write::is_xml_char;
use crate::{Attribute, Document, Element, Node, Problem, Span, Text};

/// What a document may cost to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of decoded text; 256 MiB by default.
    pub text_len: usize,
    /// Elements inside each other; 256 by default.
    pub depth: usize,
    /// Attributes of one element; 4,096 by default.
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_len: 256 << 20,
            depth: 256,
            attributes: 4096,
        }
    }
}

/// `keep` says of an element, by the names on the way to it, whether its content is put into the tree; what is left out
/// is checked all the same.
pub(crate) fn parse(
    text: &str,
    limits: &Limits,
    keep: &dyn Fn(&[&str]) -> bool,
) -> Result<Document, Problem> {
    if text.len() > limits.text_len {
        return Err(limit(format!(
            "{} octets of XML are more than the {} allowed",
            text.len(),
            limits.text_len
        )));
    }
    if let Some((offset, character)) = not_xml(text) {
        return Err(
            syntax(format!("the character {character:?} is not allowed in XML"))
                .at(Span::new(offset, offset + character.len_utf8()))
                .help("remove it; not even a character reference can stand for it"),
        );
    }
    let mut builder = Builder {
        text,
        limits,
        keep,
        open: Vec::new(),
        left_out: Vec::new(),
        root: None,
        declaration: None,
        pending: None,
    };
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true; // found again in `resolve`, which knows the place and the help
    config.check_end_names = false; // `end` compares the names, and can show the start tag
    config.allow_unmatched_ends = true;
    loop {
        let start = offset(reader.buffer_position());
        let event = reader
            .read_event()
            .map_err(|error| builder.syntax_error(&error, offset(reader.error_position())))?;
        let span = Span::new(start, offset(reader.buffer_position()));
        match event {
            Event::Text(_) | Event::GeneralRef(_) => {
                let begin = builder.pending.map_or(start, |pending| pending.start);
                builder.pending = Some(Span::new(begin, span.end));
                continue;
            }
            Event::Eof => break,
            _ => builder.flush_text()?,
        }
        match event {
            Event::Start(tag) => builder.start(&tag, span)?,
            Event::Empty(tag) => builder.empty(&tag, span)?,
            Event::End(_) => builder.end(span)?,
            Event::CData(content) => {
                if builder.open.is_empty() {
                    return Err(outside(span));
                }
                if builder.keeps_content() {
                    builder.place(Node::CData(Text {
                        value: normalize_line_ends(&content),
                        span,
                    }))?;
                }
            }
            Event::Comment(_) | Event::PI(_) if !builder.keeps_content() => {}
            Event::Comment(content) => builder.place(Node::Comment(Text {
                value: content.to_string(),
                span,
            }))?,
            Event::PI(content) => builder.place(Node::ProcessingInstruction(Text {
                value: content.to_string(),
                span,
            }))?,
            Event::Decl(_) => {
                if start != 0 {
                    return Err(syntax(
                        "an XML declaration that is not at the very beginning".to_owned(),
                    )
                    .at(span)
                    .help("remove what stands before it, or remove it"));
                }
                builder.declaration = Some(span);
            }
            Event::DocType(_) => {
                return Err(Problem::error("xml-doctype", "a document type declaration")
                    .at(span)
                    .help("remove it: the formats that IIS, Web Deploy and WebPI read do without, and entities of one's own are not expanded"));
            }
            Event::Text(_) | Event::GeneralRef(_) | Event::Eof => {}
        }
    }
    builder.flush_text()?;
    builder.finish()
}

struct Builder<'t> {
    text: &'t str,
    limits: &'t Limits,
    keep: &'t dyn Fn(&[&str]) -> bool,
    open: Vec<Element>,
    /// Below the last of `open`: elements that do not go into the tree, by the places of start tag and name. The first
    /// is that last element itself, whose content is left out.
    left_out: Vec<(Span, Span)>,
    root: Option<Element>,
    declaration: Option<Span>,
    /// Text and references read so far that belong to one run.
    pending: Option<Span>,
}

impl<'t> Builder<'t> {
    fn slice(&self, span: Span) -> &'t str {
        self.text.get(span.range()).unwrap_or_default()
    }

    fn keeps_content(&self) -> bool {
        self.left_out.is_empty()
    }

    /// Whether the content of the element opened last goes into the tree.
    fn asks_for_content(&self) -> bool {
        let path: Vec<&str> = self.open.iter().map(|open| open.name.as_str()).collect();
        (self.keep)(&path)
    }

    fn flush_text(&mut self) -> Result<(), Problem> {
        let Some(span) = self.pending.take() else {
            return Ok(());
        };
        let raw = self.slice(span);
        if self.open.is_empty() {
            return if raw.chars().all(is_white_space) {
                Ok(())
            } else {
                Err(outside(span))
            };
        }
        if !self.keeps_content() {
            return check_references(raw, span.start, false);
        }
        let value = resolve(raw, span.start, false)?;
        self.place(Node::Text(Text { value, span }))
    }

    fn place(&mut self, node: Node) -> Result<(), Problem> {
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(node);
        } else if let Node::Element(element) = node {
            if let Some(root) = &self.root {
                return Err(syntax(format!(
                    "`<{}>` stands after the end of the document element",
                    element.name
                ))
                .at(element.start_tag)
                .related(root.start_tag, "the document element")
                .help("an XML file has one outermost element; put this one inside it"));
            }
            self.root = Some(element);
        }
        Ok(())
    }

    fn start(&mut self, tag: &BytesStart<'_>, span: Span) -> Result<(), Problem> {
        let depth = self.open.len() + self.left_out.len().saturating_sub(1);
        if depth >= self.limits.depth {
            return Err(limit(format!(
                "elements are nested deeper than the {} levels allowed",
                self.limits.depth
            ))
            .at(span));
        }
        if !self.keeps_content() {
            let name_span = self.check_tag(tag, span)?;
            self.left_out.push((span, name_span));
            return Ok(());
        }
        let element = self.element(tag, span)?;
        let name_span = element.name_span;
        self.open.push(element);
        if !self.asks_for_content() {
            self.left_out.push((span, name_span));
        }
        Ok(())
    }

    fn empty(&mut self, tag: &BytesStart<'_>, span: Span) -> Result<(), Problem> {
        if !self.keeps_content() {
            return self.check_tag(tag, span).map(|_| ());
        }
        let element = self.element(tag, span)?;
        self.place(Node::Element(element))
    }

    fn end(&mut self, span: Span) -> Result<(), Problem> {
        // Between `</` and `>`.
        let name = self
            .slice(Span::new(span.start + 2, span.end.saturating_sub(1)))
            .trim_end();
        let innermost = self.left_out.last().copied().or_else(|| {
            let element = self.open.last()?;
            Some((element.start_tag, element.name_span))
        });
        let Some((start_tag, opened)) = innermost else {
            return Err(syntax(format!("the end tag `</{name}>` has no start tag"))
                .at(span)
                .help("remove it, or add its start tag"));
        };
        let opened = self.slice(opened);
        if opened != name {
            return Err(syntax(format!(
                "the end tag `</{name}>` does not match the start tag `<{opened}>`"
            ))
            .at(span)
            .related(start_tag, "opened here")
            .help(format!(
                "write `</{opened}>`, or close the elements in between first"
            )));
        }
        self.left_out.pop();
        if !self.left_out.is_empty() {
            return Ok(());
        }
        if let Some(mut element) = self.open.pop() {
            element.span.end = span.end;
            element.end_tag = Some(span);
            self.place(Node::Element(element))?;
        }
        Ok(())
    }

    fn element(&self, tag: &BytesStart<'_>, span: Span) -> Result<Element, Problem> {
        let content = span.start + 1; // after `<`
        let name = tag.name().as_ref().to_owned();
        let name_span = Span::new(content, content + name.len());
        check_name(&name, name_span)?;
        let attributes = self.attributes(tag, span)?;
        Ok(Element {
            name,
            name_span,
            span,
            start_tag: span,
            end_tag: None,
            attributes,
            children: Vec::new(),
        })
    }

    /// Checks a tag that does not go into the tree, and gives its name's place.
    fn check_tag(&self, tag: &BytesStart<'_>, span: Span) -> Result<Span, Problem> {
        let content = span.start + 1;
        let name_span = Span::new(content, content + tag.name().as_ref().len());
        check_name(self.slice(name_span), name_span)?;
        let mut names: Vec<Span> = Vec::new();
        self.scan_attributes(tag, span, |name_span, value_span| {
            let name = self.slice(name_span);
            if let Some(first) = names.iter().find(|first| self.slice(**first) == name) {
                return Err(duplicate(name, name_span, *first));
            }
            names.push(name_span);
            check_references(self.slice(value_span), value_span.start, true)
        })?;
        Ok(name_span)
    }

    fn attributes(&self, tag: &BytesStart<'_>, span: Span) -> Result<Vec<Attribute>, Problem> {
        let mut attributes: Vec<Attribute> = Vec::new();
        self.scan_attributes(tag, span, |name_span, value_span| {
            let name = self.slice(name_span);
            if let Some(first) = attributes.iter().find(|first| first.name == name) {
                return Err(duplicate(name, name_span, first.span));
            }
            attributes.push(Attribute {
                name: name.to_owned(),
                name_span,
                value: resolve(self.slice(value_span), value_span.start, true)?,
                value_span,
                span: Span::new(name_span.start, value_span.end + 1),
            });
            Ok(())
        })?;
        Ok(attributes)
    }

    /// Calls `found` with the places of each attribute's name and value, which are checked but for references and
    /// duplicates.
    fn scan_attributes(
        &self,
        tag: &BytesStart<'_>,
        span: Span,
        mut found: impl FnMut(Span, Span) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let raw: &str = tag;
        let content = span.start + 1;
        // Attribute names and values are slices of the tag's own text, so that their distance from its beginning is
        // their place.
        let place =
            |part: &str| content + (part.as_ptr() as usize).saturating_sub(raw.as_ptr() as usize);
        for (count, attribute) in tag.attributes().with_checks(false).enumerate() {
            let attribute = attribute.map_err(|error| attribute_error(&error, content, span))?;
            if count >= self.limits.attributes {
                return Err(limit(format!(
                    "more than the {} attributes allowed in one element",
                    self.limits.attributes
                ))
                .at(span));
            }
            let name = attribute.key.as_ref();
            let name_span = Span::new(place(name), place(name) + name.len());
            check_name(name, name_span)?;
            if !self
                .slice(Span::new(name_span.start - 1, name_span.start))
                .starts_with(is_white_space)
            {
                return Err(syntax(format!(
                    "there is no white space before the attribute `{name}`"
                ))
                .at(name_span)
                .help("put a blank before it"));
            }
            let value = attribute.value.as_ref();
            let value_span = Span::new(place(value), place(value) + value.len());
            if let Some(less_than) = value.find('<') {
                return Err(syntax(format!("`<` inside the value of `{name}`"))
                    .at(Span::at(value_span.start + less_than))
                    .help("write `&lt;`"));
            }
            found(name_span, value_span)?;
        }
        Ok(())
    }

    fn syntax_error(&self, error: &Error, offset: usize) -> Problem {
        let (message, help) = match error {
            Error::Syntax(SyntaxError::UnclosedTag) => {
                ("a tag that is not closed by `>`", "close it")
            }
            Error::Syntax(SyntaxError::UnclosedComment) => {
                ("a comment that is not closed by `-->`", "close it")
            }
            Error::Syntax(SyntaxError::UnclosedCData) => {
                ("a CDATA section that is not closed by `]]>`", "close it")
            }
            Error::Syntax(
                SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) => (
                "an attribute value without its closing quote",
                "close the quote",
            ),
            Error::IllFormed(
                IllFormedError::MissingDeclVersion(_) | IllFormedError::UnknownVersion,
            ) => (
                "an XML declaration without a version it can have",
                "write `<?xml version=\"1.0\" encoding=\"utf-8\"?>`",
            ),
            other => {
                return syntax(other.to_string())
                    .at(self.character(offset))
                    .help("correct the markup here");
            }
        };
        syntax(message.to_owned())
            .at(self.character(offset))
            .help(help)
    }

    /// The span of the character at `offset`.
    fn character(&self, offset: usize) -> Span {
        let offset = offset.min(self.text.len());
        Span::new(
            offset,
            offset
                + self
                    .text
                    .get(offset..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(0, char::len_utf8),
        )
    }

    fn finish(self) -> Result<Document, Problem> {
        let open = self.open.last();
        let innermost = open.map(|open| (open.start_tag, open.name_span));
        if let Some((start_tag, name)) = self.left_out.last().copied().or(innermost) {
            let name = self.slice(name);
            return Err(syntax(format!("the element `<{name}>` is not closed"))
                .at(start_tag)
                .help(format!("add `</{name}>`")));
        }
        let declaration = self.declaration;
        self.root
            .map(|root| Document { root, declaration })
            .ok_or_else(|| {
                syntax("there is no element in the file".to_owned())
                    .at(Span::at(self.text.len()))
                    .help("an XML file has one outermost element")
            })
    }
}

/// The first character that XML 1.0 does not allow. Nearly all text has none of the octets that such one can begin with.
fn not_xml(text: &str) -> Option<(usize, char)> {
    let odd =
        |octet: &u8| (*octet < 0x20 && !matches!(octet, b'\t' | b'\n' | b'\r')) || *octet == 0xEF;
    // Whole blocks without a way out of them, which the compiler makes vector instructions of.
    let is_odd = |block: &[u8]| block.iter().fold(false, |found, octet| found | odd(octet));
    if !text.as_bytes().chunks(4096).any(is_odd) {
        return None;
    }
    text.char_indices()
        .find(|&(_, character)| !is_xml_char(character))
}

fn duplicate(name: &str, place: Span, first: Span) -> Problem {
    Problem::error(
        "xml-duplicate-attribute",
        format!("the attribute `{name}` is given twice"),
    )
    .at(place)
    .related(first, "given here first")
    .help("remove one of the two")
}

/// Whether every reference stands for something; nothing is allocated where there is none.
fn check_references(raw: &str, base: usize, attribute: bool) -> Result<(), Problem> {
    if raw.as_bytes().contains(&b'&') {
        resolve(raw, base, attribute)?;
    }
    Ok(())
}

/// Resolves the references of character data or an attribute value, with line ends and white space as XML 1.0 sections
/// 2.11 and 3.3.3 say. `base` is the place of `raw` in the source.
fn resolve(raw: &str, base: usize, attribute: bool) -> Result<String, Problem> {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(found) = rest.find(['&', '\r', '\n', '\t']) {
        let at = base + (raw.len() - rest.len()) + found;
        value.push_str(&rest[..found]);
        let special = rest.as_bytes()[found];
        rest = &rest[found + 1..];
        if special == b'&' {
            let (character, len) = reference(rest, at)?;
            value.push(character);
            rest = &rest[len..];
        } else {
            if special == b'\r' {
                rest = rest.strip_prefix('\n').unwrap_or(rest);
            }
            value.push(match special {
                _ if attribute => ' ',
                b'\t' => '\t',
                _ => '\n',
            });
        }
    }
    value.push_str(rest);
    Ok(value)
}

/// The character that a reference stands for, and the length of what follows its `&` (at `at`), semicolon included.
fn reference(rest: &str, at: usize) -> Result<(char, usize), Problem> {
    let name = rest
        .split(|character: char| {
            !(character.is_alphanumeric() || matches!(character, '#' | '_' | '-' | '.' | ':'))
        })
        .next()
        .unwrap_or_default();
    let span = Span::new(at, at + 1 + name.len());
    if name.is_empty() || !rest[name.len()..].starts_with(';') {
        return Err(
            Problem::error("xml-bare-ampersand", "`&` that does not begin a reference")
                .at(span)
                .help("write `&amp;` for the character itself"),
        );
    }
    let character = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#').and_then(|number| {
                number.strip_prefix('x').map_or_else(
                    || number.parse().ok(),
                    |hexadecimal| u32::from_str_radix(hexadecimal, 16).ok(),
                )
            });
            number
                .filter(|_| !name.contains('+'))
                .and_then(char::from_u32)
                .filter(|&character| is_xml_char(character))
        }
    };
    character.map(|character| (character, name.len() + 1)).ok_or_else(|| {
        let help = if name.starts_with('#') { "use a character that XML allows" } else { "only `&amp;`, `&lt;`, `&gt;`, `&quot;` and `&apos;` are known; write the character itself" };
        Problem::error("xml-unknown-entity", format!("the reference `&{name};` stands for nothing")).at(span).help(help)
    })
}

fn normalize_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// XML 1.0 section 2.3, `Name`, with every character beyond ASCII allowed.
fn check_name(name: &str, span: Span) -> Result<(), Problem> {
    let start = |character: char| {
        character.is_ascii_alphabetic() || matches!(character, '_' | ':') || !character.is_ascii()
    };
    let plain =
        |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b':' | b'-' | b'.');
    if name.bytes().all(plain) && name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Ok(());
    }
    let mut characters = name.chars();
    if characters.next().is_some_and(start)
        && characters.all(|character| {
            start(character) || character.is_ascii_digit() || matches!(character, '-' | '.')
        })
    {
        Ok(())
    } else {
        Err(syntax(format!("`{name}` is not a name that XML allows"))
            .at(span)
            .help("a name begins with a letter or `_`, without blanks or quotes"))
    }
}

fn attribute_error(error: &AttrError, content: usize, tag: Span) -> Problem {
    let (offset, message, help) = match *error {
        AttrError::ExpectedEq(offset) => (
            offset,
            "an attribute without a value",
            "write `name=\"value\"`",
        ),
        AttrError::ExpectedValue(offset) => (
            offset,
            "an attribute without a value after `=`",
            "write `name=\"value\"`",
        ),
        AttrError::UnquotedValue(offset) => (
            offset,
            "an attribute value without quotes",
            "put it into quotes",
        ),
        AttrError::ExpectedQuote(offset, _) => (
            offset,
            "an attribute value without its closing quote",
            "close the quote",
        ),
        AttrError::Duplicated(offset, _) => (
            offset,
            "an attribute that is given twice",
            "remove one of the two",
        ),
    };
    syntax(message.to_owned())
        .at(Span::at((content + offset).min(tag.end)))
        .help(help)
}

fn outside(span: Span) -> Problem {
    syntax("text outside the document element".to_owned())
        .at(span)
        .help("an XML file has one outermost element, and text only inside it")
}

fn syntax(message: String) -> Problem {
    Problem::error("xml-syntax", message)
}

fn limit(message: String) -> Problem {
    Problem::error("xml-limit", message)
        .help("the file is larger or deeper than any real one; check where it comes from")
}

/// Positions come from a text in memory and so fit.
fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
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
