//! What the model has no field for, kept so that a feed is written back with everything that was in it.
//!
//! "The entry element can contain user-defined elements", says the *Web Platform Installer Feed Reference*, and the other
//! elements have grown from version to version of the feed. Every element of the model has a [`Rest`] with the attributes
//! and elements that it does not know, and, unseen, the order and the comments of the file it came from.
//!
//! Processing instructions, and whatever stands outside the document element, are left out.

use core::fmt;

use spanned_xml::{RawAttribute, Span, TreeElement, TreeNode, XmlWriter};

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

    /// What `write` writes.
    pub(crate) fn written(write: impl FnOnce(&mut dyn Sink)) -> Self {
        let mut sink = TreeSink::default();
        write(&mut sink);
        sink.root
    }

    fn read(element: TreeElement<'_, '_>) -> Self {
        let drop_blank = element
            .children()
            .any(|node| !matches!(node, TreeNode::Text(_) | TreeNode::CData(_)));
        let mut children = Vec::new();
        for node in element.children() {
            if let Some(node) = ExtensionNode::read(node, drop_blank) {
                push_joined(&mut children, node);
            }
        }
        Self {
            name: element.name().to_owned(),
            attributes: element.attributes().iter().map(pair).collect(),
            children,
        }
    }

    fn write(&self, out: &mut dyn Sink) {
        out.start(&self.name);
        write_attributes(&self.attributes, out);
        for child in &self.children {
            child.write(out);
        }
        out.end();
    }
}

impl ExtensionNode {
    /// `drop_blank`: white space between elements and comments is only layout.
    fn read(node: TreeNode<'_, '_>, drop_blank: bool) -> Option<Self> {
        let text = match node {
            TreeNode::Element(element) => return Some(Self::Element(Extension::read(element))),
            TreeNode::Comment(comment) => return Some(Self::Comment(comment.raw.to_owned())),
            TreeNode::ProcessingInstruction(_) => return None,
            TreeNode::Text(text) => text.text(),
            TreeNode::CData(text) => text.cdata(),
        };
        let is_dropped = text.is_empty() || drop_blank && is_blank(&text);
        (!is_dropped).then(|| Self::Text(text.into_owned()))
    }

    fn write(&self, out: &mut dyn Sink) {
        match self {
            Self::Element(element) => element.write(out),
            Self::Text(text) => out.text(text),
            Self::Comment(text) => out.comment(text),
        }
    }
}

/// Adds a node; text beside text is one, since it is read as one once it is written.
fn push_joined(nodes: &mut Vec<ExtensionNode>, node: ExtensionNode) {
    match (nodes.last_mut(), node) {
        (Some(ExtensionNode::Text(last)), ExtensionNode::Text(text)) => last.push_str(&text),
        (_, node) => nodes.push(node),
    }
}

/// What elements are written to.
pub(crate) trait Sink {
    fn start(&mut self, name: &str);
    /// Of the element started last, before its content.
    fn attribute(&mut self, name: &str, value: &str);
    fn text(&mut self, text: &str);
    fn comment(&mut self, text: &str);
    fn end(&mut self);
}

impl Sink for XmlWriter {
    fn start(&mut self, name: &str) {
        Self::start(self, name);
    }

    fn attribute(&mut self, name: &str, value: &str) {
        Self::attribute(self, name, value);
    }

    fn text(&mut self, text: &str) {
        Self::text(self, text);
    }

    fn comment(&mut self, text: &str) {
        Self::comment(self, text);
    }

    fn end(&mut self) {
        Self::end(self);
    }
}

/// Makes a tree of what is written.
#[derive(Debug, Default)]
struct TreeSink {
    open: Vec<Extension>,
    root: Extension,
}

impl TreeSink {
    fn push(&mut self, node: ExtensionNode) {
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(node);
        } else if let ExtensionNode::Element(element) = node {
            self.root = element;
        }
    }
}

impl Sink for TreeSink {
    fn start(&mut self, name: &str) {
        self.open.push(Extension::new(name));
    }

    fn attribute(&mut self, name: &str, value: &str) {
        if let Some(element) = self.open.last_mut() {
            element.attributes.push((name.to_owned(), value.to_owned()));
        }
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(ExtensionNode::Text(text.to_owned()));
        }
    }

    fn comment(&mut self, text: &str) {
        self.push(ExtensionNode::Comment(text.to_owned()));
    }

    fn end(&mut self) {
        if let Some(element) = self.open.pop() {
            self.push(ExtensionNode::Element(element));
        }
    }
}

/// Attributes and nodes of an element that the model has no field for.
///
/// It also remembers, unseen, where the element stood in its file, the order of its children and the comments between
/// them. Two values are equal whatever they remember.
#[derive(Clone, Default)]
pub struct Rest {
    /// The element's place; nothing for one that was not read. In 32 bits, since a feed has thousands of them.
    place: (u32, u32),
    /// Most elements have nothing to remember.
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default)]
struct More {
    attributes: Vec<(String, String)>,
    nodes: Vec<ExtensionNode>,
    /// What the children were, in order: the number of a field, or one of the constants below. Empty where that is the
    /// order in which they are written anyway.
    order: Box<[u8]>,
    /// The comments of `order`.
    comments: Vec<String>,
    leaves: Vec<LeafRest>,
}

/// Attributes and comments of a child that is only text in the model.
#[derive(Clone, Debug)]
pub(crate) struct LeafRest {
    /// Which of `order` it is.
    slot: usize,
    attributes: Vec<(String, String)>,
    comments: Vec<String>,
}

/// No element has so many fields.
const FIELDS: u8 = 48;
/// The element's own text, where a field has it.
pub(crate) const TEXT: u8 = 253;
const COMMENT: u8 = 254;
/// The next of the nodes that no field has.
const UNKNOWN: u8 = 255;

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest")
            .field("attributes", &self.attributes())
            .field("nodes", &self.nodes())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Rest {
    fn eq(&self, other: &Self) -> bool {
        self.attributes() == other.attributes() && self.nodes() == other.nodes()
    }
}

impl Eq for Rest {}

impl Rest {
    /// The element's place in the source it was read from.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let (start, end) = self.place;
        let wide = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
        (start < end).then(|| Span::new(wide(start), wide(end)))
    }

    /// Attributes, name and value, in order.
    #[must_use]
    pub fn attributes(&self) -> &[(String, String)] {
        self.more.as_ref().map_or(&[], |more| &more.attributes)
    }

    /// Elements and text, in order: unknown elements, the second of an element that may occur once, and elements whose
    /// content does not fit their field, a `fileSize` that is not a number for example.
    #[must_use]
    pub fn nodes(&self) -> &[ExtensionNode] {
        self.more.as_ref().map_or(&[], |more| &more.nodes)
    }

    /// Adds a node, which is written behind the others.
    pub fn push(&mut self, node: ExtensionNode) {
        self.more.get_or_insert_default().nodes.push(node);
    }

    /// The first unknown element of this name, whatever the case of ASCII letters.
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&Extension> {
        self.nodes().iter().find_map(|node| match node {
            ExtensionNode::Element(element) if element.name.eq_ignore_ascii_case(name) => {
                Some(element)
            }
            _ => None,
        })
    }

    /// Whether the element was in a file, or has something in it that must be written.
    pub(crate) fn is_present(&self) -> bool {
        self.place != (0, 0) || !self.attributes().is_empty() || !self.nodes().is_empty()
    }

    pub(crate) fn write_attributes(&self, out: &mut dyn Sink) {
        write_attributes(self.attributes(), out);
    }

    /// Writes an element's content in the order it was read in, comments between it; what was not read comes last.
    ///
    /// `all` writes the children of all fields; `write` the n-th child of a field, or the element's own [`TEXT`], and says
    /// whether there is one.
    pub(crate) fn write_content(
        &self,
        out: &mut dyn Sink,
        all: impl FnOnce(&mut dyn Sink),
        write: &WriteChild<'_>,
    ) {
        let order: &[u8] = self.more.as_ref().map_or(&[], |more| &more.order);
        if order.is_empty() {
            all(out);
            self.nodes().iter().for_each(|node| node.write(out));
            return;
        }
        let mut done = [0_usize; FIELDS as usize + 1];
        let mut leaves = self.more.iter().flat_map(|more| &more.leaves).peekable();
        let mut comments = self.more.iter().flat_map(|more| &more.comments);
        let mut nodes = self.nodes().iter();
        for (slot, &code) in order.iter().enumerate() {
            match code {
                COMMENT => comments.by_ref().take(1).for_each(|text| out.comment(text)),
                UNKNOWN => nodes.by_ref().take(1).for_each(|node| node.write(out)),
                field => {
                    let leaf = leaves.next_if(|leaf| leaf.slot == slot);
                    let done = &mut done[usize::from(field.min(FIELDS))];
                    *done += usize::from(write(field, *done, leaf, out));
                }
            }
        }
        for field in (0..FIELDS).chain([TEXT]) {
            let done = &mut done[usize::from(field.min(FIELDS))];
            while write(field, *done, None, out) {
                *done += 1;
            }
        }
        nodes.for_each(|node| node.write(out));
    }
}

impl LeafRest {
    pub(crate) fn write(leaf: Option<&Self>, text: &str, out: &mut dyn Sink) {
        if let Some(leaf) = leaf {
            write_attributes(&leaf.attributes, out);
        }
        out.text(text);
        for comment in leaf.iter().flat_map(|leaf| &leaf.comments) {
            out.comment(comment);
        }
    }
}

/// Writes the n-th child of the field of a number, with what is kept of it; `false` where there is none.
pub(crate) type WriteChild<'a> = dyn Fn(u8, usize, Option<&LeafRest>, &mut dyn Sink) -> bool + 'a;

/// What a field makes of a child.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Taken {
    /// It is not the field's.
    No,
    /// It has a [`Rest`] of its own.
    Whole,
    /// The field holds its text, and the attributes of these names.
    Leaf(&'static [&'static str]),
}

/// Collects what no field takes, and the order of it all.
#[derive(Debug)]
pub(crate) struct RestReader {
    rest: Rest,
    order: Order,
    comments: bool,
}

impl RestReader {
    pub(crate) fn new(span: Span) -> Self {
        Self {
            rest: Rest {
                place: place(span),
                more: None,
            },
            order: Order::default(),
            comments: false,
        }
    }

    /// Where the element is, as far as it is known.
    pub(crate) fn set_span(&mut self, span: Span) {
        self.rest.place = place(span);
    }

    pub(crate) fn set_end(&mut self, end: usize) {
        self.rest.place.1 = place(Span::at(end)).1;
    }

    /// An attribute that no field takes.
    pub(crate) fn attribute(&mut self, attribute: &RawAttribute<'_>) {
        self.more().attributes.push(pair(attribute));
    }

    /// The content of an element. `take` gives a child to the fields, and says which has taken it.
    pub(crate) fn content(
        &mut self,
        element: TreeElement<'_, '_>,
        mut take: impl FnMut(TreeElement<'_, '_>) -> (u8, Taken),
    ) {
        for node in element.children() {
            match node {
                TreeNode::Element(child) => {
                    let (field, taken) = take(child);
                    self.child(child, field, taken);
                }
                node => self.other(node, false),
            }
        }
    }

    /// A child that the field of this number has taken, or none has.
    pub(crate) fn child(&mut self, child: TreeElement<'_, '_>, field: u8, taken: Taken) {
        match taken {
            Taken::No => {
                self.order.push(UNKNOWN);
                let node = ExtensionNode::Element(Extension::read(child));
                self.more().nodes.push(node);
            }
            Taken::Whole => self.order.push(field),
            Taken::Leaf(known) => {
                self.leaf(child, known);
                self.order.push(field);
            }
        }
    }

    /// So many children that the field of this number has taken whole.
    pub(crate) fn children(&mut self, field: u8, count: usize) {
        for _ in 0..count {
            self.order.push(field);
        }
    }

    /// Text, comments and the like; `has_text`: the element's own text has a field.
    pub(crate) fn other(&mut self, node: TreeNode<'_, '_>, has_text: bool) {
        let text = match node {
            TreeNode::Comment(comment) => {
                self.order.push(COMMENT);
                self.comments = true;
                self.more().comments.push(comment.raw.to_owned());
                return;
            }
            TreeNode::Text(text) if is_blank(text.raw) => return,
            TreeNode::Text(text) => text.text(),
            TreeNode::CData(text) => text.cdata(),
            TreeNode::Element(_) | TreeNode::ProcessingInstruction(_) => return,
        };
        if is_blank(&text) {
            return;
        }
        if has_text {
            self.order.push(TEXT);
            return;
        }
        let node = ExtensionNode::Text(text.into_owned());
        let follows_text = self.order.last() == Some(UNKNOWN)
            && matches!(self.more().nodes.last(), Some(ExtensionNode::Text(_)));
        if follows_text {
            push_joined(&mut self.more().nodes, node);
        } else {
            self.order.push(UNKNOWN);
            self.more().nodes.push(node);
        }
    }

    pub(crate) fn finish(mut self) -> Rest {
        let has_leaves = self
            .rest
            .more
            .as_ref()
            .is_some_and(|more| !more.leaves.is_empty());
        if self.comments || has_leaves || !self.order.is_sorted() {
            self.rest.more.get_or_insert_default().order = self.order.into_boxed();
        }
        self.rest
    }

    fn more(&mut self) -> &mut More {
        self.rest.more.get_or_insert_default()
    }

    fn leaf(&mut self, child: TreeElement<'_, '_>, known: &[&str]) {
        let is_known = |name: &str| known.iter().any(|known| known.eq_ignore_ascii_case(name));
        let has_comment = child
            .children()
            .any(|node| matches!(node, TreeNode::Comment(_)));
        if !has_comment && child.attributes().iter().all(|a| is_known(a.name)) {
            return;
        }
        let leaf = LeafRest {
            slot: self.order.len(),
            attributes: child
                .attributes()
                .iter()
                .filter(|attribute| !is_known(attribute.name))
                .map(pair)
                .collect(),
            comments: child
                .children()
                .filter_map(|node| match node {
                    TreeNode::Comment(comment) => Some(comment.raw.to_owned()),
                    _ => None,
                })
                .collect(),
        };
        self.more().leaves.push(leaf);
    }
}

/// Codes of children, on the stack as long as they are few.
#[derive(Debug)]
struct Order {
    few: [u8; 40],
    len: usize,
    /// All of them, once they are many.
    many: Vec<u8>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            few: [0; 40],
            len: 0,
            many: Vec::new(),
        }
    }
}

impl Order {
    fn push(&mut self, code: u8) {
        match self.few.get_mut(self.len) {
            Some(slot) => *slot = code,
            None => {
                if self.many.is_empty() {
                    self.many.extend_from_slice(&self.few);
                }
                self.many.push(code);
            }
        }
        self.len += 1;
    }

    fn len(&self) -> usize {
        self.len
    }

    fn last(&self) -> Option<u8> {
        self.codes().last().copied()
    }

    fn codes(&self) -> &[u8] {
        self.few.get(..self.len).unwrap_or(&self.many)
    }

    fn is_sorted(&self) -> bool {
        self.codes().is_sorted()
    }

    fn into_boxed(self) -> Box<[u8]> {
        self.codes().into()
    }
}

fn place(span: Span) -> (u32, u32) {
    let narrow = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
    (narrow(span.start), narrow(span.end))
}

fn pair(attribute: &RawAttribute<'_>) -> (String, String) {
    (attribute.name.to_owned(), attribute.value().into_owned())
}

fn write_attributes(attributes: &[(String, String)], out: &mut dyn Sink) {
    for (name, value) in attributes {
        out.attribute(name, value);
    }
}

pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_whitespace())
}
