//! Where new text goes and how it is laid out: the neighbours' indentation, line ends and attribute columns.

use spanned_xml::{Attribute, Element, Node, Source, Span, Splices, escape_attribute};

use crate::attribute::AttributeValue;

/// A new element, to be laid out where it is put.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    name: &'static str,
    attributes: Vec<(String, String)>,
    children: Vec<Self>,
}

impl Fragment {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            children: Vec::new(),
        }
    }

    #[must_use]
    pub(crate) fn attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds the attributes that differ from their defaults.
    #[must_use]
    pub(crate) fn attributes(self, attributes: &[AttributeValue]) -> Self {
        attributes
            .iter()
            .filter(|attribute| !attribute.is_default())
            .fold(self, |fragment, attribute| {
                fragment.attribute(attribute.name, &attribute.value)
            })
    }

    #[must_use]
    pub(crate) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub(crate) fn children(&self) -> &[Self] {
        &self.children
    }

    fn write(&self, text: &mut String, layout: &Layout<'_>, indent: &str) {
        text.push('<');
        text.push_str(self.name);
        for (name, value) in &self.attributes {
            text.push(' ');
            text.push_str(name);
            text.push_str("=\"");
            text.push_str(&escape_attribute(value));
            text.push('"');
        }
        if self.children.is_empty() {
            text.push_str(" />");
            return;
        }
        text.push('>');
        let child_indent = format!("{indent}{}", layout.unit);
        for child in &self.children {
            text.push_str(layout.line_ending);
            text.push_str(&child_indent);
            child.write(text, layout, &child_indent);
        }
        text.push_str(layout.line_ending);
        text.push_str(indent);
        text.push_str("</");
        text.push_str(self.name);
        text.push('>');
    }
}

/// Before or after which child of its parent a new element goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    Before(&'a Element),
    After(&'a Element),
    Last,
}

/// How a file is laid out, and the splices gathered so far.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    source: &'a Source,
    line_ending: &'static str,
    unit: String,
    pub(crate) splices: Splices,
}

impl<'a> Layout<'a> {
    pub(crate) fn new(source: &'a Source, root: &Element) -> Self {
        let text = source.text();
        // The indentation of the root's first child is the file's unit; IIS itself writes four spaces.
        let unit = root
            .elements()
            .filter_map(|child| own_line_indent(text, child.span.start))
            .find(|indent| !indent.is_empty())
            .unwrap_or("    ");
        Self {
            source,
            line_ending: source.line_ending(),
            unit: unit.to_owned(),
            splices: Splices::new(),
        }
    }

    /// Puts new elements into `parent`, all at one place. To be called once for each parent: an empty-element tag can
    /// be opened only once.
    pub(crate) fn insert(&mut self, parent: &Element, place: Place<'_>, fragments: &[Fragment]) {
        let text = self.source.text();
        if parent.end_tag.is_none() {
            self.open_and_fill(parent, fragments);
            return;
        }
        match place {
            Place::Before(sibling) => {
                let (separator, indent) = separator_before(text, sibling.span.start);
                let mut new = String::new();
                for fragment in fragments {
                    fragment.write(&mut new, self, indent);
                    new.push_str(separator);
                }
                self.splices.insert(sibling.span.start, new);
            }
            Place::After(sibling) => {
                let (separator, indent) = separator_before(text, sibling.span.start);
                let mut new = String::new();
                for fragment in fragments {
                    new.push_str(separator);
                    fragment.write(&mut new, self, indent);
                }
                self.splices.insert(end_of_line_of(parent, sibling), new);
            }
            Place::Last => match parent.elements().next_back() {
                Some(sibling) => self.insert(parent, Place::After(sibling), fragments),
                None => self.fill(parent, fragments),
            },
        }
    }

    /// The elements, each on a line of its own.
    fn lines(&self, fragments: &[Fragment], indent: &str) -> String {
        let mut new = String::new();
        for fragment in fragments {
            new.push_str(self.line_ending);
            new.push_str(indent);
            fragment.write(&mut new, self, indent);
        }
        new
    }

    /// Puts the first elements into a parent that has tags and no elements.
    fn fill(&mut self, parent: &Element, fragments: &[Fragment]) {
        let text = self.source.text();
        let content = parent.content_span();
        let outer = line_indent(text, parent.span.start);
        let mut new = self.lines(fragments, &format!("{outer}{}", self.unit));
        // After the last comment or text, before the white space that leads to the end tag.
        let kept = self.source.slice(content).trim_end().len();
        let tail = &text[content.start + kept..content.end];
        if !tail.contains('\n') {
            new.push_str(self.line_ending);
            new.push_str(outer);
        }
        self.splices.insert(content.start + kept, new);
    }

    /// Turns an empty-element tag into a start tag, the elements and an end tag.
    fn open_and_fill(&mut self, parent: &Element, fragments: &[Fragment]) {
        let text = self.source.text();
        let outer = line_indent(text, parent.span.start);
        let mut new = String::from(">");
        new.push_str(&self.lines(fragments, &format!("{outer}{}", self.unit)));
        new.push_str(self.line_ending);
        new.push_str(outer);
        new.push_str("</");
        new.push_str(&parent.name);
        new.push('>');
        let inside_tag = parent
            .attributes
            .last()
            .map_or(parent.name_span.end, |attribute| attribute.span.end);
        self.splices
            .replace(Span::new(inside_tag, parent.start_tag.end), new);
    }

    /// Writes an attribute: over its old value, or after the last attribute in the same column.
    pub(crate) fn set_attribute(&mut self, element: &Element, name: &str, value: &str) {
        let text = self.source.text();
        if let Some(attribute) = element.attribute(name) {
            let mut escaped = escape_attribute(value);
            if text[..attribute.value_span.start].ends_with('\'') {
                escaped = escaped.replace('\'', "&apos;");
            }
            self.splices.replace(attribute.value_span, escaped);
            return;
        }
        let (end, separator) = match element.attributes.last() {
            Some(last) => (last.span.end, attribute_separator(text, last)),
            None => (element.name_span.end, " "),
        };
        self.splices.insert(
            end,
            format!("{separator}{name}=\"{}\"", escape_attribute(value)),
        );
    }

    /// Removes an element, with its line where it stands on one alone, else with the blanks before it.
    pub(crate) fn remove(&mut self, element: &Element) {
        let text = self.source.text();
        let mut span = element.span;
        let before = &text[..span.start];
        let margin = before.trim_end_matches([' ', '\t']);
        // An element or a comment that follows on the same line needs the line; nothing else does.
        let after = text[span.end..].trim_start_matches([' ', '\t']);
        let needs_line = after.starts_with('<')
            && !["</", "<?", "<!["]
                .iter()
                .any(|next| after.starts_with(next));
        if !margin.ends_with('\n') {
            span.start = margin.len();
        } else if !needs_line {
            let line = margin.strip_suffix('\n').unwrap_or(margin);
            span.start = line.strip_suffix('\r').unwrap_or(line).len();
        }
        self.splices.remove(span);
    }
}

/// The blanks before `offset`, with the line end before them where there is one, and the indentation of new lines.
fn separator_before(text: &str, offset: usize) -> (&str, &str) {
    let before = &text[..offset];
    let above = before.trim_end_matches([' ', '\t']);
    let blanks = &before[above.len()..];
    match above.strip_suffix('\n') {
        Some(line) => {
            let start = line.strip_suffix('\r').unwrap_or(line).len();
            (&before[start..], blanks)
        }
        None => (blanks, line_indent(text, offset)),
    }
}

/// The indentation of the line that `offset` is on.
fn line_indent(text: &str, offset: usize) -> &str {
    let before = &text[..offset];
    let line = &before[before.rfind('\n').map_or(0, |newline| newline + 1)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The indentation before `offset`, where nothing else is before it on its line.
fn own_line_indent(text: &str, offset: usize) -> Option<&str> {
    let indent = line_indent(text, offset);
    let above = text[..offset].strip_suffix(indent)?;
    above.ends_with('\n').then_some(indent)
}

/// The end of `sibling`, with a comment that follows it on the same line.
fn end_of_line_of(parent: &Element, sibling: &Element) -> usize {
    let mut end = sibling.span.end;
    for node in &parent.children {
        if node.span().start < sibling.span.end {
            continue;
        }
        match node {
            Node::Comment(comment) => end = comment.span.end,
            Node::Text(text) if text.value.chars().all(|c| matches!(c, ' ' | '\t')) => {}
            _ => break,
        }
    }
    end
}

/// The white space before the last attribute: a new line where attributes stand below each other.
fn attribute_separator<'a>(text: &'a str, last: &Attribute) -> &'a str {
    let before = &text[..last.span.start];
    let white_space = &before[before.trim_end().len()..];
    if white_space.is_empty() {
        " "
    } else {
        white_space
    }
}
