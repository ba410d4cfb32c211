//! The part of XPath that `XmlFile` entries and skip rules use.
//!
//! *XML Path Language (XPath) Version 1.0* <https://www.w3.org/TR/1999/REC-xpath-19991116/>: location paths, in full and
//! abbreviated, over all axes but three, unions, predicates, the operators of section 3 and the functions of section 4.
//!
//! Web Deploy binds no namespace prefix: a plain name selects elements without a namespace only, and
//! `*[local-name()='name']` selects the others. A name with a prefix is refused, as there.
//!
//! Left out: the axes `following`, `preceding` and `namespace`, `comment()` and `processing-instruction()`, the functions
//! `id()`, `lang()` and `namespace-uri()`, and variables. Each is an error that says where, so that no expression selects
//! something else than it should. An expression that visits millions of nodes is given up.

mod evaluate;
mod function;
mod parse;
mod path;
mod value;

pub(crate) use path::Selected;
pub use path::{XPath, XPathFault};
