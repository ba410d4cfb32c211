//! What WebPI takes from Atom: text, links, persons.
//!
//! *The Atom Syndication Format*, RFC 4287 <https://www.rfc-editor.org/rfc/rfc4287>: sections 3.1, 3.2 and 4.2.7. The other
//! attributes of `link` and the types of text (`html`, `xhtml`) are not used in WebPI feeds.

use core::fmt;

use crate::Rest;
use crate::element::element;

/// The namespace of every element of a feed; WebPI has none of its own.
pub const ATOM_NAMESPACE: &str = "http://www.w3.org/2005/Atom";

/// Text that can be replaced by a translation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The text as written, white space at its ends included.
    pub value: String,
    /// `resourceName`: the name of its translation in a resource file; `Entry_<productId>_Title` by convention.
    pub resource_name: Option<String>,
}

impl Text {
    /// Text with the name of its translation.
    #[must_use]
    pub fn named(value: impl Into<String>, resource_name: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            resource_name: Some(resource_name.into()),
        }
    }

    /// The text without white space at its ends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.value.trim()
    }
}

impl From<&str> for Text {
    fn from(value: &str) -> Self {
        Self {
            value: value.to_owned(),
            resource_name: None,
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `link`: another document that belongs to this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// `rel`: `self`, or `enclosure` for a feed that is loaded together with this one.
    pub rel: Option<String>,
    /// `href`: its URL.
    pub href: Option<String>,
    /// `relativeHref`: its URL relative to the feed.
    pub relative_href: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Link, "link" { "rel" => rel, "href" => href, "relativeHref" => relative_href } []);

impl Link {
    /// A link without a relation.
    #[must_use]
    pub fn to(href: impl Into<String>) -> Self {
        Self {
            href: Some(href.into()),
            ..Self::default()
        }
    }

    /// Whether the feed it points to is loaded together with this one.
    #[must_use]
    pub fn is_enclosure(&self) -> bool {
        self.rel
            .as_deref()
            .is_some_and(|rel| rel.eq_ignore_ascii_case("enclosure"))
    }
}

/// `author`: a person or an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// `name`.
    pub name: Option<String>,
    /// `uri`: the person's home page.
    pub uri: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Person, "author" {} [ "name" => name, "uri" => uri, "email" => email ]);

impl Person {
    /// A person of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }
}
