//! What has changed from one feed to another.
//!
//! Feeds are compared as they would be written, so that nothing is overlooked, what the model has no field for included. The
//! order of elements and comments do not count.

use core::fmt;
use std::collections::BTreeMap;

use crate::element::Model;
use crate::extension::{Extension, ExtensionNode};
use crate::{Entry, Feed};

/// The differences of two feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diff {
    /// What has changed outside the entries.
    pub feed: Vec<Change>,
    /// Identifiers of products that only the new feed has.
    pub added: Vec<String>,
    /// Identifiers of products that only the old feed has.
    pub removed: Vec<String>,
    /// Products that both have, and that are not the same.
    pub changed: Vec<ProductChange>,
}

/// A product that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProductChange {
    /// Its identifier in the new feed.
    pub product_id: String,
    /// What has changed, sorted by field.
    pub changes: Vec<Change>,
}

/// A value that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The path of elements to it, `installers/installer[1]/installerFile/sha1` for example; an attribute with `@`. In
    /// brackets is an `id`, or the place among elements that have none.
    pub field: String,
    /// None where it is new.
    pub before: Option<String>,
    /// None where it is gone.
    pub after: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{field}: `{before}` is now `{after}`"),
            (None, Some(after)) => write!(f, "{field}: `{after}` is new"),
            (Some(before), None) => write!(f, "{field}: `{before}` is gone"),
            (None, None) => f.write_str(field),
        }
    }
}

impl Diff {
    /// Whether the feeds are the same.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.feed.is_empty()
            && self.added.is_empty()
            && self.removed.is_empty()
            && self.changed.is_empty()
    }
}

/// What has changed from `old` to `new`; products are told apart by their identifiers, whatever the case of letters.
///
/// ```
/// use spanned_xml::Source;
/// use webpi_feed::{Feed, diff};
///
/// let read = |text| Feed::read(&Source::from_text("feed.xml", text)).map(|(feed, _)| feed);
/// let old = read("<feed><entry><productId>A</productId><version>1</version></entry></feed>")?;
/// let new = read("<feed><entry><productId>A</productId><version>2</version></entry></feed>")?;
/// let diff = diff(&old, &new);
/// assert_eq!(diff.changed[0].changes[0].to_string(), "version: `1` is now `2`");
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
#[must_use]
pub fn diff(old: &Feed, new: &Feed) -> Diff {
    let before = by_id(old);
    let after = by_id(new);
    let mut diff = Diff {
        feed: changes(&tree(&without_entries(old)), &tree(&without_entries(new))),
        ..Diff::default()
    };
    for (id, entry) in &before {
        match after.get(id) {
            None => diff.removed.push(entry.product_id.clone()),
            Some(now) if now != entry => diff.changed.push(ProductChange {
                product_id: now.product_id.clone(),
                changes: changes(&tree(*entry), &tree(*now)),
            }),
            Some(_) => {}
        }
    }
    diff.changed.retain(|product| !product.changes.is_empty());
    for (id, entry) in &after {
        if !before.contains_key(id) {
            diff.added.push(entry.product_id.clone());
        }
    }
    diff
}

/// The entries by identifier; of duplicates the first, which is the one that is used.
fn by_id(feed: &Feed) -> BTreeMap<String, &Entry> {
    let mut entries = BTreeMap::new();
    for entry in &feed.entries {
        entries
            .entry(entry.product_id.to_lowercase())
            .or_insert(entry);
    }
    entries
}

fn without_entries(feed: &Feed) -> Feed {
    Feed {
        entries: Vec::new(),
        ..feed.clone()
    }
}

fn changes(before: &Extension, after: &Extension) -> Vec<Change> {
    let mut old = BTreeMap::new();
    let mut new = BTreeMap::new();
    collect(before, "", &mut old);
    collect(after, "", &mut new);
    let fields = old
        .keys()
        .chain(new.keys().filter(|field| !old.contains_key(*field)));
    let mut changes: Vec<Change> = fields
        .filter(|field| old.get(*field) != new.get(*field))
        .map(|field| Change {
            field: field.clone(),
            before: old.get(field).map(|values| values.join(", ")),
            after: new.get(field).map(|values| values.join(", ")),
        })
        .collect();
    changes.sort_by(|one, other| one.field.cmp(&other.field));
    changes
}

/// Every text and attribute below an element, by its path; elements of one name that have only text are one list.
fn collect(element: &Extension, path: &str, values: &mut BTreeMap<String, Vec<String>>) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        }
    };
    for (name, value) in &element.attributes {
        values
            .entry(below(&format!("@{name}")))
            .or_default()
            .push(value.trim().to_owned());
    }
    let children: Vec<&Extension> = element
        .children
        .iter()
        .filter_map(|node| match node {
            ExtensionNode::Element(child) => Some(child),
            _ => None,
        })
        .collect();
    let text = element.text();
    // An empty element says something too: `<msDeploy/>`, `<x86/>`.
    let is_empty_leaf = children.is_empty() && element.attributes.is_empty();
    if !path.is_empty() && (!text.trim().is_empty() || is_empty_leaf) {
        values
            .entry(path.to_owned())
            .or_default()
            .push(text.trim().to_owned());
    }
    for (index, child) in children.iter().enumerate() {
        let is_leaf = |child: &Extension| {
            child.attributes.is_empty()
                && !child
                    .children
                    .iter()
                    .any(|node| matches!(node, ExtensionNode::Element(_)))
        };
        let same: Vec<&&Extension> = children
            .iter()
            .filter(|other| other.name == child.name)
            .collect();
        // An installer is one of several even where it is the only one now.
        let is_single = same.len() == 1 && child.name != "installer";
        let name = if is_single || is_leaf(child) {
            child.name.clone()
        } else {
            let id = id_of(child).unwrap_or_else(|| {
                let before = children[..index].iter();
                (before.filter(|other| other.name == child.name).count() + 1).to_string()
            });
            format!("{}[{id}]", child.name)
        };
        collect(child, &below(&name), values);
    }
}

fn tree<T: Model>(element: &T) -> Extension {
    Extension::written(|out| element.write(T::NAME, out))
}

/// What tells an element from others of its name.
fn id_of(element: &Extension) -> Option<String> {
    let attribute = element
        .attributes
        .iter()
        .find(|(name, _)| name == "id" || name == "idref")
        .map(|(_, value)| value.clone());
    let child = || {
        element.children.iter().find_map(|node| match node {
            ExtensionNode::Element(child)
                if ["id", "productId", "languageId", "culture"].contains(&child.name.as_str()) =>
            {
                Some(child.text().trim().to_owned())
            }
            _ => None,
        })
    };
    attribute.or_else(child).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use super::*;

    fn read(content: &str) -> Feed {
        let text = format!("<feed xmlns='http://www.w3.org/2005/Atom'>{content}</feed>");
        Feed::read(&Source::from_text("feed.xml", text)).unwrap().0
    }

    fn entry(content: &str) -> String {
        format!("<entry><productId>P</productId>{content}</entry>")
    }

    #[test]
    fn changes_of_a_product_are_said_in_words() {
        for (before, after, expected) in [
            (
                "<version>1</version>",
                "<version> 1 </version><!-- same -->",
                &[][..],
            ),
            (
                "<version>1</version>",
                "<version>2</version>",
                &["version: `1` is now `2`"],
            ),
            ("", "<summary>S</summary>", &["summary: `S` is new"]),
            ("<searchExclude/>", "", &["searchExclude: `` is gone"]),
            (
                "<mine a='1'>x</mine>",
                "<mine a='2'>x</mine>",
                &["mine/@a: `1` is now `2`"],
            ),
            (
                "<keywords><keywordId>a</keywordId><keywordId>b</keywordId></keywords>",
                "<keywords><keywordId>a</keywordId></keywords>",
                &["keywords/keywordId: `a, b` is now `a`"],
            ),
            (
                "<installers><installer><id>1</id><installerFile><sha1>aa</sha1></installerFile></installer></installers>",
                "<installers><installer><id>2</id></installer><installer><id>1</id><installerFile><sha1>bb</sha1></installerFile>\
                 </installer></installers>",
                &[
                    "installers/installer[1]/installerFile/sha1: `aa` is now `bb`",
                    "installers/installer[2]/id: `2` is new",
                ],
            ),
            (
                "<dependency><productId>A</productId></dependency>",
                "<dependency><and><dependency><productId>A</productId></dependency><dependency><productId>B</productId></dependency>\
                 </and></dependency>",
                &[
                    "dependency/and/dependency[A]/productId: `A` is new",
                    "dependency/and/dependency[B]/productId: `B` is new",
                    "dependency/productId: `A` is gone",
                ],
            ),
        ] {
            let diff = diff(&read(&entry(before)), &read(&entry(after)));
            let found: Vec<String> = diff
                .changed
                .iter()
                .flat_map(|product| &product.changes)
                .map(ToString::to_string)
                .collect();
            assert_eq!(found, expected, "{before} -> {after}");
            assert!(diff.added.is_empty() && diff.removed.is_empty() && diff.feed.is_empty());
        }
    }

    #[test]
    fn products_come_and_go() {
        let old = read(
            "<title>Old</title><entry><productId>A</productId></entry><entry><productId>B</productId></entry>",
        );
        let new = read(
            "<title>New</title><entry><productId>b</productId></entry><entry><productId>C</productId></entry>",
        );
        let diff = diff(&old, &new);
        assert_eq!(
            (diff.added.as_slice(), diff.removed.as_slice()),
            (&["C".to_owned()][..], &["A".to_owned()][..])
        );
        assert_eq!(diff.feed[0].to_string(), "title: `Old` is now `New`");
        assert_eq!(
            diff.changed[0].changes[0].to_string(),
            "productId: `B` is now `b`"
        );
        assert!(!diff.is_empty());
        assert!(super::diff(&old, &old).is_empty());
    }
}
