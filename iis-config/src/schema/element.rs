//! Sections, elements and collections of a schema.

use std::collections::BTreeMap;

use spanned_xml::Element;

use super::attribute::AttributeSchema;

/// The sections of one or more schema files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    pub(super) sections: BTreeMap<String, ElementSchema>,
}

impl Schema {
    /// A schema without sections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The section of this path, such as `system.webServer/fastCgi`.
    #[must_use]
    pub fn section(&self, path: &str) -> Option<&ElementSchema> {
        self.sections.get(path)
    }

    /// The paths of all sections, sorted.
    pub fn section_paths(&self) -> impl Iterator<Item = &str> + '_ {
        self.sections.keys().map(String::as_str)
    }

    /// Whether `path` is a group with sections below it.
    pub(super) fn is_group(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.sections
            .range(below.clone()..)
            .next()
            .is_some_and(|(section, _)| section.starts_with(&below))
    }
}

/// `sectionSchema`, `element`, or the entry of a `collection`: attributes, elements and a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElementSchema {
    /// `name`; the whole path for a section, empty for a collection's entry.
    pub name: String,
    /// `isCollectionDefault`: holds defaults for the entries of a collection, so that nothing in it is required.
    pub is_collection_default: bool,
    /// The attributes, in order.
    pub attributes: Vec<AttributeSchema>,
    /// The elements, in order.
    pub elements: Vec<Self>,
    /// The collection, where it is one.
    pub collection: Option<Box<Collection>>,
}

impl ElementSchema {
    /// The attribute of exactly this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&AttributeSchema> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// The element of exactly this name.
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&Self> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// The keys of `entry`, an element that this schema describes: each attribute with `isUniqueKey` is one, all with
    /// `isCombinedKey` are one together. Defaults count where an attribute is not written; letter case counts only where
    /// the schema says so.
    #[must_use]
    pub fn keys(&self, entry: &Element) -> Vec<String> {
        let value = |attribute: &AttributeSchema| {
            let written = entry.value(&attribute.name);
            let value = written.or(attribute.default_value.as_deref());
            let value = value.unwrap_or_default();
            if attribute.case_sensitive {
                value.to_owned()
            } else {
                value.to_lowercase()
            }
        };
        let unique = |attribute: &&AttributeSchema| attribute.is_unique_key;
        let mut keys: Vec<String> = self
            .attributes
            .iter()
            .filter(unique)
            // A removal may name one of several keys; what is not written is then no key.
            .filter(|attribute| entry.attribute(&attribute.name).is_some())
            .map(|attribute| format!("{}\u{1}{}", attribute.name, value(attribute)))
            .collect();
        let combined: Vec<String> = self
            .attributes
            .iter()
            .filter(|attribute| attribute.is_combined_key)
            .map(value)
            .collect();
        if !combined.is_empty() {
            keys.push(combined.join("\u{1}"));
        }
        keys
    }

    /// Adds what another schema file says about the same section.
    pub(super) fn extend(&mut self, other: Self) {
        self.attributes.extend(other.attributes);
        self.elements.extend(other.elements);
        if other.collection.is_some() {
            self.collection = other.collection;
        }
    }
}

/// `collection`: entries that levels of configuration add, remove and clear.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collection {
    /// `addElement`: the names of elements that add an entry.
    pub add_elements: Vec<String>,
    /// `removeElement`, where removing is supported.
    pub remove_element: Option<String>,
    /// `clearElement`, where clearing is supported.
    pub clear_element: Option<String>,
    /// `defaultElement`: the element beside the entries that holds their defaults.
    pub default_element: Option<String>,
    /// `mergeAppend`: entries of deeper levels come after those of shallower ones, the default; else before.
    pub merge_append: bool,
    /// `allowDuplicates`: several entries may have one key.
    pub allow_duplicates: bool,
    /// `allowUnrecognizedAttributes`: entries may have attributes beyond the schema's.
    pub allow_unrecognized_attributes: bool,
    /// What an entry holds.
    pub entry: ElementSchema,
}

impl Collection {
    /// Whether an element of this name adds an entry.
    #[must_use]
    pub fn adds(&self, name: &str) -> bool {
        self.add_elements.iter().any(|add| add == name)
    }

    /// Whether an element of this name removes an entry.
    #[must_use]
    pub fn removes(&self, name: &str) -> bool {
        self.remove_element.as_deref() == Some(name)
    }

    /// Whether an element of this name removes all entries.
    #[must_use]
    pub fn clears(&self, name: &str) -> bool {
        self.clear_element.as_deref() == Some(name)
    }
}
