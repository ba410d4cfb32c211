//! `XmlFile`: what a value does to the places that a path selects.
//!
//! *Parameterization improvements in Web Deploy V3*
//! <https://learn.microsoft.com/iis/publish/using-web-deploy/parameterization-improvements-in-web-deploy-v3> and *Web Deploy XML
//! File Parameterization* <https://blogs.iis.net/elliotth/web-deploy-xml-file-parameterization> name replacement, addition
//! and deletion, and show the first two: a selected `book` is replaced by the value `<book …/>`, and every element gets a
//! child where the value is `<newNode />`. So a fragment with an element of the selected element's name replaces it, and
//! any other fragment is added at its end. The empty value deletes a selected element. Any other text becomes its content;
//! to set a text to nothing, select `text()`.

use spanned_xml::{
    Attribute, Document, Element, Problem, Problems, Source, Span, Splices, escape_attribute,
    escape_text,
};

use super::remaining::source_line;
use crate::xpath::{Selected, XPath};

/// A file's new text and how many places changed; `None` where nothing does.
pub(crate) fn edit(
    source: &Source,
    path: &XPath,
    value: &str,
) -> Result<Option<(String, usize)>, Problems> {
    let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
    let selected = path.select(&document).map_err(|fault| {
        Problem::error("xpath-too-expensive", format!("`{}`: {fault}", path.text()))
            .help("name the elements on the way instead of `//` and `*`")
            .in_source(source)
    })?;
    let fragment = Fragment::parse(value);
    let mut edit = Edit {
        source,
        value,
        fragment: fragment.as_ref(),
        splices: Splices::new(),
        places: 0,
        gone_to: 0,
    };
    for node in selected {
        match node {
            Selected::Document => {}
            Selected::Attribute(attribute) => edit.attribute(attribute),
            Selected::Text(text, span) => {
                if span.start >= edit.gone_to && text != value {
                    edit.replace(span, escape_text(value));
                }
            }
            Selected::Element(element) => edit
                .element(element, &document)
                .map_err(|problem| problem.in_source(source))?,
        }
    }
    if edit.places == 0 {
        return Ok(None);
    }
    // The spans come from one parse of this text, and those inside of an element that goes were left out.
    let Some(text) = edit.splices.apply(source.text()) else {
        return Ok(None);
    };
    if fragment.is_some() {
        let new = Source::from_text(source.name(), text.as_str());
        Document::parse(&new).map_err(|mut problem| {
            problem.message = format!("with the new element: {}", problem.message);
            problem.in_source(&new)
        })?;
    }
    Ok(Some((text, edit.places)))
}

/// Whether the path selects anything; `None` where that cannot be told.
pub(crate) fn finds(source: &Source, path: &XPath) -> Option<bool> {
    let document = Document::parse(source).ok()?;
    Some(!path.select(&document).ok()?.is_empty())
}

/// A value that is XML with an element in it.
struct Fragment {
    source: Source,
    document: Document,
}

impl Fragment {
    fn parse(value: &str) -> Option<Self> {
        if !value.trim_start().starts_with('<') {
            return None;
        }
        let source = Source::from_text("value", format!("<value>{value}</value>"));
        let document = Document::parse(&source).ok()?;
        document.root().elements().next()?;
        Some(Self { source, document })
    }

    fn has(&self, name: &str) -> bool {
        self.document
            .root()
            .elements()
            .any(|element| element.name == name)
    }

    /// Whether all its elements stand in `parent` already.
    fn is_in(&self, parent: &Element, source: &Source) -> bool {
        self.document.root().elements().all(|element| {
            let text = self.source.slice(element.span);
            parent
                .elements()
                .any(|child| source.slice(child.span) == text)
        })
    }
}

struct Edit<'e> {
    source: &'e Source,
    value: &'e str,
    fragment: Option<&'e Fragment>,
    splices: Splices,
    places: usize,
    /// End of the last element that is replaced or deleted: what is inside of it goes with it.
    gone_to: usize,
}

impl Edit<'_> {
    fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.splices.replace(span, text);
        self.places += 1;
    }

    fn attribute(&mut self, attribute: &Attribute) {
        if attribute.span.start < self.gone_to || attribute.value == self.value {
            return;
        }
        let quote = self
            .source
            .slice(Span::new(attribute.value_span.end, attribute.span.end));
        let mut escaped = escape_attribute(self.value);
        if quote == "'" {
            escaped = escaped.replace('\'', "&apos;");
        }
        self.replace(attribute.value_span, escaped);
    }

    fn element(&mut self, element: &Element, document: &Document) -> Result<(), Problem> {
        if element.span.start < self.gone_to {
            return Ok(());
        }
        match self.fragment {
            Some(fragment) if fragment.has(&element.name) => {
                self.gone_to = element.span.end;
                if self.source.slice(element.span) != self.value {
                    self.replace(element.span, self.value);
                }
            }
            Some(fragment) => {
                if !fragment.is_in(element, self.source) {
                    self.add(element);
                }
            }
            None if self.value.is_empty() => {
                if core::ptr::eq(element, document.root()) {
                    return Err(Problem::error(
                        "xml-delete-root",
                        format!(
                            "the empty value would delete the whole of `{}`",
                            self.source.name()
                        ),
                    )
                    .at(element.name_span)
                    .help("select the elements inside of it, or an attribute"));
                }
                self.gone_to = element.span.end;
                self.replace(source_line(self.source.text(), element.span), "");
            }
            None => {
                self.gone_to = element.span.end;
                self.content(element);
            }
        }
        Ok(())
    }

    /// Puts the fragment at the end of an element, on a line of its own where its last child has one.
    fn add(&mut self, element: &Element) {
        let value = self.value.trim();
        if element.end_tag.is_none() {
            self.replace(element.start_tag, self.opened(element, value));
            return;
        }
        let text = self.source.text();
        if let Some(last) = element.elements().next_back() {
            let line = text[..last.span.start].rfind('\n').map_or(0, |at| at + 1);
            let indent = &text[line..last.span.start];
            if line > element.start_tag.start && indent.trim().is_empty() {
                let newline = self.source.line_ending();
                self.replace(Span::at(last.span.end), format!("{newline}{indent}{value}"));
                return;
            }
        }
        self.replace(Span::at(element.content_span().end), value);
    }

    fn content(&mut self, element: &Element) {
        let escaped = escape_text(self.value);
        if element.end_tag.is_none() {
            self.replace(element.start_tag, self.opened(element, &escaped));
        } else if self.source.slice(element.content_span()) != escaped {
            self.replace(element.content_span(), escaped);
        }
    }

    /// `<a b="c" />` as `<a b="c">content</a>`.
    fn opened(&self, element: &Element, content: &str) -> String {
        let tag = self.source.slice(element.start_tag);
        let open = tag.strip_suffix("/>").unwrap_or(tag).trim_end();
        format!("{open}>{content}</{}>", element.name)
    }
}
