//! A merged element.

use std::collections::BTreeMap;

use spanned_xml::{Attribute, Element, Node, Span};

use super::locks::Locks;
use crate::schema::ElementSchema;

/// A value and the file that set it last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// The value, as written.
    pub value: String,
    /// The name of the file, and the place of the value in it; none for the schema's default.
    pub place: Option<(String, Span)>,
}

/// A section, an element in it or an entry of a collection, merged from all levels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EffectiveElement {
    /// The element's name.
    pub name: String,
    /// The attributes by name, with the schema's defaults.
    pub attributes: BTreeMap<String, Setting>,
    /// The elements, in the schema's order.
    pub elements: Vec<Self>,
    /// The entries, where it is a collection.
    pub entries: Vec<Self>,
    pub(super) keys: Vec<String>,
    /// How many entries have each key.
    pub(super) entry_keys: BTreeMap<String, usize>,
    pub(super) locks: Locks,
}

impl EffectiveElement {
    /// An element as it is where no file says anything.
    pub(super) fn of(schema: &ElementSchema, name: &str) -> Self {
        let default = |value: &String| Setting {
            value: value.clone(),
            place: None,
        };
        Self {
            name: name.to_owned(),
            attributes: schema
                .attributes
                .iter()
                .filter_map(|of| Some((of.name.clone(), default(of.default_value.as_ref()?))))
                .collect(),
            elements: schema
                .elements
                .iter()
                .map(|element| Self::of(element, &element.name))
                .collect(),
            ..Self::default()
        }
    }

    /// The attribute's value: set, or the default.
    #[must_use]
    pub fn value(&self, attribute: &str) -> Option<&str> {
        self.attributes
            .get(attribute)
            .map(|setting| setting.value.as_str())
    }

    /// The element of this name.
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&Self> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// The first entry whose attribute has this value; letter case does not count, as in IIS's own names.
    #[must_use]
    pub fn entry(&self, attribute: &str, value: &str) -> Option<&Self> {
        let folded = value.to_lowercase();
        self.entries.iter().find(|entry| {
            entry
                .value(attribute)
                .is_some_and(|value| value.to_lowercase() == folded)
        })
    }

    /// Takes what `defaults` has set and this element has not: `applicationPoolDefaults` and its kin.
    pub(super) fn take_defaults(&mut self, defaults: &Self) {
        for (name, setting) in &defaults.attributes {
            let is_set = |setting: &Setting| setting.place.is_some();
            if is_set(setting) && !self.attributes.get(name).is_some_and(is_set) {
                self.attributes.insert(name.clone(), setting.clone());
            }
        }
        for element in &mut self.elements {
            if let Some(defaults) = defaults.element(&element.name) {
                element.take_defaults(defaults);
            }
        }
    }

    /// As an element of a file with what was set, for the readers of typed values.
    pub(super) fn to_element(&self) -> Element {
        let nowhere = Span::at(0);
        let children = self.elements.iter().chain(&self.entries);
        Element {
            name: self.name.clone(),
            name_span: nowhere,
            span: nowhere,
            start_tag: nowhere,
            end_tag: None,
            attributes: self
                .attributes
                .iter()
                .filter(|(_, setting)| setting.place.is_some())
                .map(|(name, setting)| Attribute {
                    name: name.clone(),
                    name_span: nowhere,
                    value: setting.value.clone(),
                    value_span: nowhere,
                    span: nowhere,
                })
                .collect(),
            children: children
                .map(|child| Node::Element(child.to_element()))
                .collect(),
        }
    }
}
