//! XML with source positions, for files that people write and other programs believe.
//!
//! The crates of this workspace read four dialects of XML: Web Deploy manifests and parameters, WebPI feeds, IIS
//! configuration. All of them need three things that a serde reader cannot give: where in the file a value stands,
//! edits that leave every other byte alone, and output that is the same at every run. This crate is the only one that
//! uses quick-xml.
//!
//! - [`Source`]: a file's name and text, decoded by its byte order mark or declaration, and encoded back the same way.
//! - [`Document`]: the tree of [`Element`]s, [`Attribute`]s and text, each with its [`Span`] in the source.
//! - [`Parser`]: its tokens one after the other, for files that are too large for a tree; [`Tree`], a tree of one element that
//!   borrows its text.
//! - [`TextReader`]: a file's text, piece by piece.
//! - [`Problem`] and [`Problems`]: what is wrong with a file, where, and what to do about it.
//! - [`nearest()`]: which known word an unknown one was probably meant to be.
//! - [`Splices`]: replacements by position, applied at once.
//! - [`map_values`]: a template filled in after parsing, so that no value can break the XML.
//! - [`XmlWriter`]: a deterministic writer.
//!
//! ```
//! use spanned_xml::{Document, Source};
//!
//! let source = Source::decode("Manifest.xml", b"<iisApp path=\"a&amp;b\"/>")?;
//! let document = Document::parse(&source)?;
//! let path = document.root().attribute("path").unwrap();
//! assert_eq!(path.value, "a&b");
//! assert_eq!(source.slice(path.value_span), "a&amp;b");
//! # Ok::<(), spanned_xml::Problem>(())
//! ```
//!
//! # What is left out
//!
//! Document type declarations and the entities they define are refused, not expanded: none of the formats here uses
//! them, and they are how XML bombs are built. Namespaces are not resolved; names are kept as written, and
//! [`Element::local_name`] drops a prefix.

mod document;
mod excerpt;
mod nearest;
mod parse;
mod parser;
mod problem;
mod reference;
mod rule;
mod rules;
mod source;
mod span;
mod splice;
mod text_reader;
mod tree;
mod values;
mod write;

pub use document::{Attribute, Document, Element, Node, Text};
pub use nearest::nearest;
pub use parser::{Characters, Limits, Parser, RawAttribute, Tag, Token};
pub use problem::{Problem, Problems, Severity};
pub use rule::Rule;
pub use rules::RULES;
pub use source::{Excerpt, Source};
pub use span::{LineColumn, Span};
pub use splice::Splices;
pub use text_reader::{ReadError, TextReader};
pub use tree::{Tree, TreeElement, TreeNode};
pub use values::map_values;
pub use write::{XmlWriter, escape_attribute, escape_text};
