//! A tree of one element, borrowed from its text.

use std::borrow::Cow;

use crate::parser::{Characters, Parser, RawAttribute, Tag, Token};
use crate::{Problem, Span};

/// An element with all that is in it, whose names and text are those of the source: nothing is copied, and the memory is
/// that of the element read before.
///
/// ```
/// use spanned_xml::{Limits, Parser, Token, Tree};
///
/// let mut parser = Parser::new("<list><a b='1'>x</a><a b='2'/></list>", Limits::default())?;
/// let mut tree = Tree::default();
/// let mut values = Vec::new();
/// while let Some(token) = parser.next_token()? {
///     if let Token::Start(tag) = token && tag.name == "a" {
///         tree.read(&mut parser, tag)?;
///         values.extend(tree.root().and_then(|a| a.attribute_ignore_case("B")).map(|b| b.value()));
///     }
/// }
/// assert_eq!(values, ["1", "2"]);
/// # Ok::<(), spanned_xml::Problem>(())
/// ```
#[derive(Debug, Default)]
pub struct Tree<'t> {
    nodes: Vec<FlatNode<'t>>,
    attributes: Vec<RawAttribute<'t>>,
}

/// A node; those inside of it follow it directly.
#[derive(Debug)]
struct FlatNode<'t> {
    kind: Kind,
    /// An element's name, else the characters as written.
    text: &'t str,
    is_plain: bool,
    span: Span,
    /// The node after it and all that is inside.
    next: usize,
    /// The first of its attributes, and the one after its last.
    attributes: (usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Element,
    Text,
    CData,
    Comment,
    ProcessingInstruction,
}

impl<'t> Tree<'t> {
    /// Reads the element that `tag`, the token read last, begins.
    ///
    /// # Errors
    ///
    /// As [`Parser::next_token`].
    pub fn read(&mut self, parser: &mut Parser<'t>, tag: Tag<'t>) -> Result<(), Problem> {
        self.nodes.clear();
        self.attributes.clear();
        let depth = parser.depth();
        self.start(parser, tag);
        // The elements that are open, by their place in `nodes`.
        let mut open = Vec::new();
        if !tag.is_empty {
            open.push(0);
        }
        while parser.depth() >= depth && !open.is_empty() {
            let Some(token) = parser.next_token()? else {
                break;
            };
            match token {
                Token::Start(tag) => {
                    if !tag.is_empty {
                        open.push(self.nodes.len());
                    }
                    self.start(parser, tag);
                }
                Token::End(span) => {
                    let after = self.nodes.len();
                    if let Some(node) = open.pop().and_then(|node| self.nodes.get_mut(node)) {
                        node.next = after;
                        node.span.end = span.end;
                    }
                }
                Token::Text(characters) => self.push(Kind::Text, characters),
                Token::CData(characters) => self.push(Kind::CData, characters),
                Token::Comment(characters) => self.push(Kind::Comment, characters),
                Token::ProcessingInstruction(characters) => {
                    self.push(Kind::ProcessingInstruction, characters);
                }
                Token::Declaration(_) => {}
            }
        }
        Ok(())
    }

    /// The element that was read.
    #[must_use]
    pub fn root(&self) -> Option<TreeElement<'_, 't>> {
        TreeElement::at(self, 0)
    }

    fn start(&mut self, parser: &Parser<'t>, tag: Tag<'t>) {
        let first = self.attributes.len();
        self.attributes.extend_from_slice(parser.attributes());
        self.nodes.push(FlatNode {
            kind: Kind::Element,
            text: tag.name,
            is_plain: true,
            span: tag.span,
            next: self.nodes.len() + 1,
            attributes: (first, self.attributes.len()),
        });
    }

    fn push(&mut self, kind: Kind, characters: Characters<'t>) {
        self.nodes.push(FlatNode {
            kind,
            text: characters.raw,
            is_plain: characters.is_plain,
            span: characters.span,
            next: self.nodes.len() + 1,
            attributes: (0, 0),
        });
    }
}

/// An element of a [`Tree`].
#[derive(Clone, Copy, Debug)]
pub struct TreeElement<'a, 't> {
    tree: &'a Tree<'t>,
    index: usize,
    node: &'a FlatNode<'t>,
}

/// A part of an element's content.
#[derive(Clone, Copy, Debug)]
pub enum TreeNode<'a, 't> {
    /// A child element.
    Element(TreeElement<'a, 't>),
    /// Character data; its [`Characters::text`] has the references resolved.
    Text(Characters<'t>),
    /// A CDATA section; see [`Characters::cdata`].
    CData(Characters<'t>),
    /// A comment.
    Comment(Characters<'t>),
    /// A processing instruction.
    ProcessingInstruction(Characters<'t>),
}

impl<'a, 't> TreeElement<'a, 't> {
    fn at(tree: &'a Tree<'t>, index: usize) -> Option<Self> {
        let node = tree.nodes.get(index)?;
        (node.kind == Kind::Element).then_some(Self { tree, index, node })
    }

    /// Its name as written, prefix included.
    #[must_use]
    pub fn name(&self) -> &'t str {
        self.node.text
    }

    /// Whether the name is `name`, whatever the case of ASCII letters.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.node.text.eq_ignore_ascii_case(name)
    }

    /// From the `<` of the start tag to the `>` of the end tag.
    #[must_use]
    pub fn span(&self) -> Span {
        self.node.span
    }

    /// Its attributes, in order.
    #[must_use]
    pub fn attributes(&self) -> &'a [RawAttribute<'t>] {
        let (first, end) = self.node.attributes;
        self.tree.attributes.get(first..end).unwrap_or_default()
    }

    /// The attribute of this name, whatever the case of ASCII letters.
    #[must_use]
    pub fn attribute_ignore_case(&self, name: &str) -> Option<&'a RawAttribute<'t>> {
        self.attributes()
            .iter()
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// Its content, in order.
    pub fn children(&self) -> impl Iterator<Item = TreeNode<'a, 't>> + use<'a, 't> {
        let (tree, end) = (self.tree, self.node.next);
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let (index, node) = (next, tree.nodes.get(next)?);
            next = node.next;
            let characters = Characters {
                raw: node.text,
                span: node.span,
                is_plain: node.is_plain,
            };
            Some(match node.kind {
                Kind::Element => TreeNode::Element(TreeElement { tree, index, node }),
                Kind::Text => TreeNode::Text(characters),
                Kind::CData => TreeNode::CData(characters),
                Kind::Comment => TreeNode::Comment(characters),
                Kind::ProcessingInstruction => TreeNode::ProcessingInstruction(characters),
            })
        })
    }

    /// The child elements, in order.
    pub fn elements(&self) -> impl Iterator<Item = Self> + use<'a, 't> {
        self.children().filter_map(|node| match node {
            TreeNode::Element(element) => Some(element),
            _ => None,
        })
    }

    /// The text directly inside the element, joined; that of child elements is not part of it.
    #[must_use]
    pub fn text(&self) -> Cow<'t, str> {
        let mut joined = Cow::Borrowed("");
        for node in self.children() {
            let text = match node {
                TreeNode::Text(characters) => characters.text(),
                TreeNode::CData(characters) => characters.cdata(),
                _ => continue,
            };
            if joined.is_empty() {
                joined = text;
            } else {
                joined.to_mut().push_str(&text);
            }
        }
        joined
    }

    /// The text of an element without child elements.
    #[must_use]
    pub fn only_text(&self) -> Option<Cow<'t, str>> {
        let inside = self.tree.nodes.get(self.index + 1..self.node.next);
        let has_elements = inside
            .unwrap_or_default()
            .iter()
            .any(|node| node.kind == Kind::Element);
        (!has_elements).then(|| self.text())
    }
}
