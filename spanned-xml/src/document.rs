//! The tree of a document, every part with its place in the source.

use crate::{Limits, Problem, Source, Span, parse};

/// A well-formed XML document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub(crate) root: Element,
    pub(crate) declaration: Option<Span>,
}

impl Document {
    /// Parses a source with the default [`Limits`].
    ///
    /// # Errors
    ///
    /// The first fault against XML's grammar, a document type declaration, an entity that is not one of the five
    /// predefined ones, or a limit that was reached.
    pub fn parse(source: &Source) -> Result<Self, Problem> {
        Self::parse_with(source, &Limits::default())
    }

    /// Parses a source within `limits`.
    ///
    /// # Errors
    ///
    /// As [`Document::parse`].
    pub fn parse_with(source: &Source, limits: &Limits) -> Result<Self, Problem> {
        parse::parse(source.text(), limits, &|_| true)
    }

    /// Parses a source with the default [`Limits`], without the content that nobody wants: `keep` is asked for each
    /// element that has a start and an end tag, with the names on the way to it, its own last. Where it says no, the
    /// element is in the tree without its children; what is left out is checked as all else.
    ///
    /// # Errors
    ///
    /// As [`Document::parse`].
    pub fn parse_parts(source: &Source, keep: impl Fn(&[&str]) -> bool) -> Result<Self, Problem> {
        parse::parse(source.text(), &Limits::default(), &keep)
    }

    /// The document element.
    #[must_use]
    pub fn root(&self) -> &Element {
        &self.root
    }

    /// The XML declaration's place, `<?xml … ?>`, where there is one.
    #[must_use]
    pub fn declaration(&self) -> Option<Span> {
        self.declaration
    }
}

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its name as written, prefix included.
    pub name: String,
    /// The name's place in the start tag.
    pub name_span: Span,
    /// From the `<` of the start tag to the `>` of the end tag.
    pub span: Span,
    /// The start tag, or the whole empty-element tag.
    pub start_tag: Span,
    /// The end tag; none for an empty-element tag (`<a/>`).
    pub end_tag: Option<Span>,
    /// Its attributes, in order.
    pub attributes: Vec<Attribute>,
    /// Its content, in order.
    pub children: Vec<Node>,
}

impl Element {
    /// The name without a prefix.
    #[must_use]
    pub fn local_name(&self) -> &str {
        self.name
            .rsplit_once(':')
            .map_or(self.name.as_str(), |(_, local)| local)
    }

    /// Whether the name is `name`, whatever the case of ASCII letters: Web Deploy and WebPI compare so.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The attribute of exactly this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// The attribute of this name, whatever the case of ASCII letters.
    #[must_use]
    pub fn attribute_ignore_case(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// The value of the attribute of exactly this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.attribute(name)
            .map(|attribute| attribute.value.as_str())
    }

    /// The child elements, in order.
    pub fn elements(&self) -> impl DoubleEndedIterator<Item = &Self> + '_ {
        self.children.iter().filter_map(Node::as_element)
    }

    /// The first child element of this name, whatever the case of ASCII letters.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.is(name))
    }

    /// This element and all below it, in document order.
    pub fn descendants(&self) -> impl Iterator<Item = &Self> + '_ {
        let mut stack = vec![self];
        core::iter::from_fn(move || {
            let next = stack.pop()?;
            stack.extend(next.elements().rev());
            Some(next)
        })
    }

    /// The text directly inside the element, joined; that of child elements is not part of it.
    #[must_use]
    pub fn text(&self) -> String {
        self.children
            .iter()
            .filter_map(|node| match node {
                Node::Text(text) | Node::CData(text) => Some(text.value.as_str()),
                _ => None,
            })
            .collect()
    }

    /// From after the start tag to before the end tag; an empty span after an empty-element tag.
    #[must_use]
    pub fn content_span(&self) -> Span {
        self.end_tag.map_or_else(
            || Span::at(self.start_tag.end),
            |end_tag| Span::new(self.start_tag.end, end_tag.start),
        )
    }
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name as written, prefix included.
    pub name: String,
    /// The name's place.
    pub name_span: Span,
    /// Its value: references resolved and white space normalised, XML 1.0 section 3.3.3.
    pub value: String,
    /// Place of the value as written, between the quotes.
    pub value_span: Span,
    /// From the name to the closing quote.
    pub span: Span,
}

/// A part of an element's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Character data, references resolved and line ends normalised.
    Text(Text),
    /// A CDATA section's content.
    CData(Text),
    /// A comment's content.
    Comment(Text),
    /// A processing instruction's content.
    ProcessingInstruction(Text),
}

impl Node {
    /// The element, where the node is one.
    #[must_use]
    pub fn as_element(&self) -> Option<&Element> {
        match self {
            Self::Element(element) => Some(element),
            _ => None,
        }
    }

    /// The node's place, markup included.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Element(element) => element.span,
            Self::Text(text)
            | Self::CData(text)
            | Self::Comment(text)
            | Self::ProcessingInstruction(text) => text.span,
        }
    }
}

/// A piece of text and its place, markup included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub value: String,
    /// Its place in the source.
    pub span: Span,
}
