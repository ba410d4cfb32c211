//! A deterministic XML writer: the same calls give the same octets.

/// Escapes character data: `&`, `<`, `>`, and the carriage return that a reader would otherwise change.
///
/// Characters that XML 1.0 cannot carry at all, not even as references, become U+FFFD.
#[must_use]
pub fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    push_escaped(text, false, &mut escaped);
    escaped
}

/// Escapes an attribute value for double quotes: `&`, `<`, `>`, `"`, and the white space that a reader would otherwise
/// turn into spaces.
///
/// Characters that XML 1.0 cannot carry become U+FFFD here too.
#[must_use]
pub fn escape_attribute(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    push_escaped(value, true, &mut escaped);
    escaped
}

/// Whether text cannot just be copied at an octet: one that is escaped, a control character, or the first of U+FFFE and
/// U+FFFF.
const fn is_stop(octet: u8) -> bool {
    octet < 0x20 || matches!(octet, b'&' | b'<' | b'>' | b'"' | 0xEF)
}

/// The first octet at which text cannot just be copied.
fn next_stop(octets: &[u8]) -> Option<usize> {
    /// Octets looked at together, without a way out of them, which the compiler makes vector instructions of.
    const BLOCK: usize = 32;
    let has_stop = |block: &[u8]| {
        block
            .iter()
            .fold(false, |found, octet| found | is_stop(*octet))
    };
    let mut start = 0;
    for block in octets.chunks(BLOCK) {
        if has_stop(block) {
            let within = block.iter().position(|octet| is_stop(*octet));
            return within.map(|within| start + within);
        }
        start += BLOCK;
    }
    None
}

fn push_escaped(text: &str, attribute: bool, out: &mut String) {
    let mut rest = text;
    while let Some(stop) = next_stop(rest.as_bytes()) {
        let (plain, special) = rest.split_at(stop);
        out.push_str(plain);
        let mut characters = special.chars();
        match characters.next() {
            Some('&') => out.push_str("&amp;"),
            Some('<') => out.push_str("&lt;"),
            Some('>') => out.push_str("&gt;"),
            Some('\r') => out.push_str("&#xD;"),
            Some('"') if attribute => out.push_str("&quot;"),
            Some('\n') if attribute => out.push_str("&#xA;"),
            Some('\t') if attribute => out.push_str("&#x9;"),
            Some(character) if is_xml_char(character) => out.push(character),
            Some(_) => out.push('\u{FFFD}'),
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

/// XML 1.0 section 2.2, production `Char`.
pub(crate) fn is_xml_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Writes a document element by element, indented, attributes in the order given.
///
/// ```
/// use spanned_xml::XmlWriter;
///
/// let mut xml = XmlWriter::new("  ", "\n");
/// xml.declaration();
/// xml.start("parameters");
/// xml.empty("setParameter", &[("name", "a"), ("value", "1 < 2")]);
/// xml.element("note", &[], "done");
/// xml.end();
/// assert_eq!(
///     xml.finish(),
///     "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<parameters>\n  <setParameter name=\"a\" value=\"1 &lt; 2\" />\n  <note>done</note>\n</parameters>\n"
/// );
/// ```
#[derive(Clone, Debug)]
pub struct XmlWriter {
    text: String,
    open: Vec<Open>,
    indent: String,
    line_ending: &'static str,
    /// A line end and the indentation of the deepest line so far, of which each line takes its part.
    new_line: String,
}

#[derive(Clone, Debug)]
struct Open {
    /// Where its name is in the text.
    name: (usize, usize),
    /// The start tag has not been closed by `>` yet.
    in_tag: bool,
    /// The content has text in it, so that indentation would change it.
    mixed: bool,
}

impl XmlWriter {
    /// A writer that indents by `indent` a level and ends lines by `line_ending`.
    #[must_use]
    pub fn new(indent: impl Into<String>, line_ending: &'static str) -> Self {
        Self {
            text: String::new(),
            open: Vec::new(),
            indent: indent.into(),
            line_ending,
            new_line: line_ending.to_owned(),
        }
    }

    /// Writes `<?xml version="1.0" encoding="utf-8"?>` and a line end.
    pub fn declaration(&mut self) {
        self.text
            .push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
        self.text.push_str(self.line_ending);
    }

    /// Opens an element; attributes follow by [`XmlWriter::attribute`].
    pub fn start(&mut self, name: &str) {
        self.begin_child();
        self.text.push('<');
        let start = self.text.len();
        self.text.push_str(name);
        self.open.push(Open {
            name: (start, self.text.len()),
            in_tag: true,
            mixed: false,
        });
    }

    /// Writes an attribute of the element just opened; ignored once the element has content.
    pub fn attribute(&mut self, name: &str, value: &str) {
        if self.open.last().is_some_and(|open| open.in_tag) {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            push_escaped(value, true, &mut self.text);
            self.text.push('"');
        }
    }

    /// Writes character data into the open element, which is not indented from then on.
    pub fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.close_tag();
        if let Some(open) = self.open.last_mut() {
            open.mixed = true;
        }
        push_escaped(text, false, &mut self.text);
    }

    /// Writes a comment. A blank comes behind each hyphen that another follows, or the end: XML cannot hold them otherwise.
    pub fn comment(&mut self, text: &str) {
        self.begin_child();
        self.text.push_str("<!--");
        let mut rest = text;
        while let Some(hyphen) = rest.find('-') {
            let (before, behind) = rest.split_at(hyphen + 1);
            self.text.push_str(before);
            if behind.is_empty() || behind.starts_with('-') {
                self.text.push(' ');
            }
            rest = behind;
        }
        self.text.push_str(rest);
        self.text.push_str("-->");
        self.end_line_at_top();
    }

    /// Closes the element opened last; one without content becomes an empty-element tag.
    pub fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        if open.in_tag {
            self.text.push_str(" />");
        } else {
            if !open.mixed {
                self.new_line();
            }
            self.text.push_str("</");
            self.text.extend_from_within(open.name.0..open.name.1);
            self.text.push('>');
        }
        self.end_line_at_top();
    }

    /// Writes an element without content.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name);
        for (name, value) in attributes {
            self.attribute(name, value);
        }
        self.end();
    }

    /// Writes an element that holds only text.
    pub fn element(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.start(name);
        for (name, value) in attributes {
            self.attribute(name, value);
        }
        self.text(text);
        self.end();
    }

    /// The document, with every open element closed.
    #[must_use]
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.text
    }

    fn close_tag(&mut self) {
        if let Some(open) = self.open.last_mut()
            && open.in_tag
        {
            open.in_tag = false;
            self.text.push('>');
        }
    }

    fn begin_child(&mut self) {
        self.close_tag();
        if self.open.last().is_some_and(|open| !open.mixed) {
            self.new_line();
        }
    }

    fn new_line(&mut self) {
        let len = self.line_ending.len() + self.open.len() * self.indent.len();
        while self.new_line.len() < len {
            self.new_line.push_str(&self.indent);
        }
        self.text
            .push_str(self.new_line.get(..len).unwrap_or_default());
    }

    fn end_line_at_top(&mut self) {
        if self.open.is_empty() {
            self.text.push_str(self.line_ending);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Source};

    #[test]
    fn what_is_escaped_reads_back() {
        let value = "a<b>&\"c\"\r\n\t'é";
        let mut xml = XmlWriter::new("\t", "\r\n");
        xml.declaration();
        xml.start("a");
        xml.attribute("v", value);
        xml.element("b", &[("x", "1")], "t<>&\r");
        xml.comment("one -- two");
        xml.start("c");
        xml.text("mixed");
        xml.empty("d", &[]);
        let text = xml.finish();
        assert!(text.ends_with("<c>mixed<d /></c>\r\n</a>\r\n"), "{text}");
        let document = Document::parse(&Source::from_text("x", text)).unwrap();
        assert_eq!(document.root().value("v"), Some(value));
        assert_eq!(document.root().child("b").unwrap().text(), "t<>&\r");
    }

    #[test]
    fn comments_have_no_two_hyphens() {
        for (text, written) in [
            ("", "<!---->"),
            (" a - b ", "<!-- a - b -->"),
            ("a--b", "<!--a- -b-->"),
            ("a---b-", "<!--a- - -b- -->"),
            ("--", "<!--- - -->"),
        ] {
            let mut xml = XmlWriter::new("", "\n");
            xml.start("a");
            xml.comment(text);
            let text = xml.finish();
            assert_eq!(text, format!("<a>\n{written}\n</a>\n"));
            assert!(Document::parse(&Source::from_text("x", text)).is_ok());
        }
    }

    #[test]
    fn characters_that_xml_cannot_hold_are_replaced() {
        assert_eq!(escape_text("a\0b\u{FFFF}"), "a\u{FFFD}b\u{FFFD}");
    }
}
