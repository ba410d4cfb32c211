//! The codes of this crate.

use crate::Rule;

/// Every code that reading and writing a file reports, sorted.
pub const RULES: &[Rule] = &[
    Rule::new(
        "encoding-cannot-hold-character",
        "The file's own encoding has no octets for a character of the new text. Nothing is written.",
        "XML 1.0 §4.3.3",
    ),
    Rule::new(
        "encoding-unknown",
        "The XML declaration names an encoding that is not known, so the file cannot be read.",
        "XML 1.0 §4.3.3; WHATWG Encoding Standard",
    ),
    Rule::new(
        "not-text",
        "An octet does not belong to the encoding that the byte order mark or the XML declaration names.",
        "XML 1.0 §4.3.3",
    ),
    Rule::new(
        "xml-bare-ampersand",
        "An `&` that does not begin a reference.",
        "XML 1.0 §2.4",
    ),
    Rule::new(
        "xml-doctype",
        "A document type declaration. None of the formats uses one, and the entities that it can define are how a small file \
         becomes a huge one or reads another.",
        "our limit; XML 1.0 §2.8",
    ),
    Rule::new(
        "xml-duplicate-attribute",
        "An element has two attributes of the same name.",
        "XML 1.0 §3.1",
    ),
    Rule::new(
        "xml-limit",
        "The file is larger, or its elements are nested deeper, than a reader takes.",
        "our limit",
    ),
    Rule::new(
        "xml-syntax",
        "The file is not well-formed XML.",
        "XML 1.0 §2.1",
    ),
    Rule::new(
        "xml-unknown-entity",
        "A reference to an entity other than `lt`, `gt`, `amp`, `apos` and `quot`.",
        "XML 1.0 §4.6",
    ),
];
