//! The part of XPath that `XmlFile` entries use.
//!
//! *XML Path Language (XPath) Version 1.0* <https://www.w3.org/TR/1999/REC-xpath-19991116/>: location paths over the
//! child, attribute, descendant-or-self and self axes in abbreviated form, the tests NAME, `*`, `text()` and `node()`,
//! and predicates of paths, literals, numbers, `=`, `!=`, `and`, `or`, `not()`, `contains()`, `starts-with()`,
//! `local-name()`, `name()`, `position()` and `last()`.
//!
//! Web Deploy binds no namespace prefix: a plain name selects elements without a namespace only, and
//! `*[local-name()='name']` selects the others. A name with a prefix is refused, as there.
//!
//! Left out: axes by name, `..`, unions, arithmetic, comparison by size, every other function. Each is an error that
//! says where, so that no expression selects something else than it should.

mod evaluate;
mod parse;
mod path;

pub(crate) use path::Selected;
pub use path::{XPath, XPathFault};
