//! What the model has no field for, kept so that a feed is written back with everything that was in it.
//!
//! "The entry element can contain user-defined elements", says the *Web Platform Installer Feed Reference*, and the other
//! elements have grown from version to version of the feed. Every element of the model has a [`Rest`] with the attributes
//! and elements that it does not know, and, unseen, the order and the comments of the file it came from.
//!
//! Processing instructions, and whatever stands outside the document element, are left out.

use std::collections::{HashMap, VecDeque};

use spanned_xml::{Element, Node, Span, XmlWriter};

/// An element as it stands in a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extension {
    /// Its name as written, prefix included.
    pub name: String,
    /// Its attributes, name and value, in order.
    pub attributes: Vec<(String, String)>,
    /// Its content, in order.
    pub children: Vec<ExtensionNode>,
}

/// A part of an [`Extension`]'s content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionNode {
    /// A child element.
    Element(Extension),
    /// Text, references resolved.
    Text(String),
    /// A comment.
    Comment(String),
}

impl Extension {
    /// An element without attributes and content.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The text directly inside the element, joined.
    #[must_use]
    pub fn text(&self) -> String {
        self.children
            .iter()
            .filter_map(|node| match node {
                ExtensionNode::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn leaf(name: &str, text: &str) -> Self {
        let mut leaf = Self::new(name);
        leaf.push_text(text);
        leaf
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.children.push(ExtensionNode::Text(text.to_owned()));
        }
    }

    pub(crate) fn push(&mut self, child: Self) {
        self.children.push(ExtensionNode::Element(child));
    }

    pub(crate) fn read(element: &Element) -> Self {
        let drop_blank = element
            .children
            .iter()
            .any(|node| !matches!(node, Node::Text(_) | Node::CData(_)));
        Self {
            name: element.name.clone(),
            attributes: element
                .attributes
                .iter()
                .map(|attribute| (attribute.name.clone(), attribute.value.clone()))
                .collect(),
            children: element
                .children
                .iter()
                .filter_map(|node| ExtensionNode::read(node, drop_blank))
                .collect(),
        }
    }

    pub(crate) fn write(&self, xml: &mut XmlWriter) {
        xml.start(&self.name);
        for (name, value) in &self.attributes {
            xml.attribute(name, value);
        }
        for child in &self.children {
            match child {
                ExtensionNode::Element(element) => element.write(xml),
                ExtensionNode::Text(text) => xml.text(text),
                ExtensionNode::Comment(text) => xml.comment(text),
            }
        }
        xml.end();
    }
}

impl ExtensionNode {
    /// `drop_blank`: white space between elements and comments is only layout.
    fn read(node: &Node, drop_blank: bool) -> Option<Self> {
        match node {
            Node::Element(element) => Some(Self::Element(Extension::read(element))),
            Node::Text(text) | Node::CData(text) => {
                (!drop_blank || !is_blank(&text.value)).then(|| Self::Text(text.value.clone()))
            }
            Node::Comment(text) => Some(Self::Comment(text.value.clone())),
            Node::ProcessingInstruction(_) => None,
        }
    }
}

/// Attributes and nodes of an element that the model has no field for.
///
/// It also remembers, unseen, where the element stood in its file, the order of its children and the comments between
/// them. Two values are equal whatever they remember.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Rest {
    /// Attributes, name and value, in order.
    pub attributes: Vec<(String, String)>,
    /// Elements and text, in order: unknown elements, the second of an element that may occur once, and elements whose
    /// content does not fit their field, a `fileSize` that is not a number for example.
    pub nodes: Vec<ExtensionNode>,
    origin: Option<Origin>,
}

#[derive(Clone, Debug)]
struct Origin {
    span: Span,
    slots: Vec<Slot>,
}

#[derive(Clone, Debug)]
enum Slot {
    /// A child element that a field has, with the attributes and comments of one that is only text in the model.
    Child {
        name: String,
        attributes: Vec<(String, String)>,
        comments: Vec<ExtensionNode>,
    },
    /// The element's own text, where a field has it.
    Text,
    /// An element in [`Rest::nodes`], or text there, whose name is empty.
    Unknown(String),
    Comment(String),
}

impl PartialEq for Rest {
    fn eq(&self, other: &Self) -> bool {
        self.attributes == other.attributes && self.nodes == other.nodes
    }
}

impl Eq for Rest {}

impl Rest {
    /// The element's place in the source it was read from.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.origin.as_ref().map(|origin| origin.span)
    }

    /// The first unknown element of this name, whatever the case of ASCII letters.
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&Extension> {
        self.nodes.iter().find_map(|node| match node {
            ExtensionNode::Element(element) if element.name.eq_ignore_ascii_case(name) => {
                Some(element)
            }
            _ => None,
        })
    }

    /// Whether the element was in a file, or has something in it that must be written.
    pub(crate) fn is_present(&self) -> bool {
        self.origin.is_some() || !self.attributes.is_empty() || !self.nodes.is_empty()
    }

    /// Adds the unknown parts to `tree`, and brings its children into the order they were read in, comments between them.
    /// What was not read comes last.
    pub(crate) fn arrange(&self, mut tree: Extension) -> Extension {
        tree.attributes.extend(self.attributes.iter().cloned());
        let Some(origin) = &self.origin else {
            tree.children.extend(self.nodes.iter().cloned());
            return tree;
        };
        let mut known = Pending::new(tree.children);
        let mut unknown = Pending::new(self.nodes.clone());
        let mut children = Vec::with_capacity(origin.slots.len());
        for slot in &origin.slots {
            match slot {
                Slot::Comment(text) => children.push(ExtensionNode::Comment(text.clone())),
                Slot::Text => children.extend(known.take("")),
                Slot::Unknown(name) => children.extend(unknown.take(name)),
                Slot::Child {
                    name,
                    attributes,
                    comments,
                } => {
                    if let Some(ExtensionNode::Element(mut element)) = known.take(name) {
                        element.attributes.extend(attributes.iter().cloned());
                        element.children.extend(comments.iter().cloned());
                        children.push(ExtensionNode::Element(element));
                    }
                }
            }
        }
        children.extend(known.rest());
        children.extend(unknown.rest());
        tree.children = children;
        tree
    }
}

/// Nodes that wait for their slots. They are matched by name; text has the empty name.
struct Pending {
    nodes: Vec<Option<ExtensionNode>>,
    by_name: HashMap<String, VecDeque<usize>>,
}

impl Pending {
    fn new(nodes: Vec<ExtensionNode>) -> Self {
        let mut by_name: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (i, node) in nodes.iter().enumerate() {
            let name = match node {
                ExtensionNode::Element(element) => element.name.to_ascii_lowercase(),
                _ => String::new(),
            };
            by_name.entry(name).or_default().push_back(i);
        }
        Self {
            nodes: nodes.into_iter().map(Some).collect(),
            by_name,
        }
    }

    fn take(&mut self, name: &str) -> Option<ExtensionNode> {
        let next = self.by_name.get_mut(name)?.pop_front()?;
        self.nodes.get_mut(next)?.take()
    }

    fn rest(self) -> impl Iterator<Item = ExtensionNode> {
        self.nodes.into_iter().flatten()
    }
}

/// Reads an element's attributes and children field by field, and collects what no field took.
pub(crate) struct Fields<'a> {
    element: &'a Element,
    children: Vec<Taken>,
    attributes: Vec<bool>,
    text: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    No,
    /// By a field that has a `Rest` of its own.
    Whole,
    /// By a field that holds the text and the attributes of these names.
    Leaf(&'static [&'static str]),
}

impl<'a> Fields<'a> {
    pub(crate) fn new(element: &'a Element) -> Self {
        Self {
            element,
            children: vec![Taken::No; element.children.len()],
            attributes: vec![false; element.attributes.len()],
            text: false,
        }
    }

    /// The value of an attribute, which counts as read.
    pub(crate) fn attribute(&mut self, name: &str) -> Option<String> {
        let index = self
            .element
            .attributes
            .iter()
            .position(|attribute| attribute.name.eq_ignore_ascii_case(name))?;
        self.attributes[index] = true;
        Some(self.element.attributes[index].value.trim().to_owned())
    }

    /// The element's own text without white space at its ends, which counts as read.
    pub(crate) fn own_text(&mut self) -> String {
        self.text = true;
        self.element.text().trim().to_owned()
    }

    /// The first child that no field took yet and that `read` makes something of; it has a `Rest` of its own.
    pub(crate) fn whole<T>(&mut self, read: impl Fn(&'a Element) -> Option<T>) -> Option<T> {
        self.all(read, 1).pop()
    }

    /// Every child that no field took yet and that `read` makes something of, up to `limit` of them.
    pub(crate) fn all<T>(
        &mut self,
        read: impl Fn(&'a Element) -> Option<T>,
        limit: usize,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for (node, taken) in self.element.children.iter().zip(&mut self.children) {
            if found.len() == limit {
                break;
            }
            if let (Node::Element(child), Taken::No) = (node, *taken)
                && let Some(value) = read(child)
            {
                *taken = Taken::Whole;
                found.push(value);
            }
        }
        found
    }

    /// As [`Fields::all`], for elements that hold only text and the attributes named.
    pub(crate) fn leaves<T>(
        &mut self,
        name: &str,
        attributes: &'static [&'static str],
        limit: usize,
        read: impl Fn(&'a Element) -> Option<T>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for (node, taken) in self.element.children.iter().zip(&mut self.children) {
            if found.len() == limit {
                break;
            }
            if let (Node::Element(child), Taken::No) = (node, *taken)
                && child.is(name)
                && child.elements().next().is_none()
                && let Some(value) = read(child)
            {
                *taken = Taken::Leaf(attributes);
                found.push(value);
            }
        }
        found
    }

    /// What no field took, with the order of it all.
    pub(crate) fn rest(self) -> Rest {
        let mut rest = Rest {
            attributes: self
                .element
                .attributes
                .iter()
                .zip(&self.attributes)
                .filter(|(_, taken)| !**taken)
                .map(|(attribute, _)| (attribute.name.clone(), attribute.value.clone()))
                .collect(),
            ..Rest::default()
        };
        let mut slots = Vec::with_capacity(self.element.children.len() / 2 + 1);
        for (node, taken) in self.element.children.iter().zip(&self.children) {
            match node {
                Node::Element(child) => {
                    let name = child.name.to_ascii_lowercase();
                    let mut attributes = Vec::new();
                    let mut comments = Vec::new();
                    match taken {
                        Taken::No => {
                            rest.nodes
                                .push(ExtensionNode::Element(Extension::read(child)));
                            slots.push(Slot::Unknown(name));
                            continue;
                        }
                        Taken::Whole => {}
                        Taken::Leaf(known) => {
                            let is_known = |name: &str| {
                                known.iter().any(|known| known.eq_ignore_ascii_case(name))
                            };
                            attributes.extend(
                                child
                                    .attributes
                                    .iter()
                                    .filter(|attribute| !is_known(&attribute.name))
                                    .map(|attribute| {
                                        (attribute.name.clone(), attribute.value.clone())
                                    }),
                            );
                            comments.extend(child.children.iter().filter_map(|node| match node {
                                Node::Comment(text) => {
                                    Some(ExtensionNode::Comment(text.value.clone()))
                                }
                                _ => None,
                            }));
                        }
                    }
                    slots.push(Slot::Child {
                        name,
                        attributes,
                        comments,
                    });
                }
                Node::Text(text) | Node::CData(text) if !is_blank(&text.value) => {
                    if self.text {
                        slots.push(Slot::Text);
                    } else {
                        slots.push(Slot::Unknown(String::new()));
                        rest.nodes.push(ExtensionNode::Text(text.value.clone()));
                    }
                }
                Node::Comment(text) => slots.push(Slot::Comment(text.value.clone())),
                Node::Text(_) | Node::CData(_) | Node::ProcessingInstruction(_) => {}
            }
        }
        rest.origin = Some(Origin {
            span: self.element.span,
            slots,
        });
        rest
    }
}

/// An element's text as written; white space alone is only layout, around a comment for example.
pub(crate) fn prose(element: &Element) -> String {
    let text = element.text();
    if is_blank(&text) { String::new() } else { text }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_whitespace())
}
