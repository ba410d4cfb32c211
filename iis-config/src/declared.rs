//! An entry of a configuration file together with its place in it.

use core::hash::Hash;
use core::ops::Deref;
use std::collections::HashMap;

use spanned_xml::{Element, Span};

/// An entry and where the file declares it.
///
/// It dereferences to the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared<T> {
    /// The entry.
    pub value: T,
    /// Its start tag.
    pub span: Span,
    attributes: Vec<(String, Span)>,
}

impl<T> Declared<T> {
    pub(crate) fn new(value: T, element: &Element) -> Self {
        Self {
            value,
            span: element.start_tag,
            attributes: element
                .attributes
                .iter()
                .map(|attribute| (attribute.name.clone(), attribute.value_span))
                .collect(),
        }
    }

    /// The place of an attribute's value, between its quotes; of the start tag where the attribute is not written.
    #[must_use]
    pub fn attribute_span(&self, name: &str) -> Span {
        self.attributes
            .iter()
            .find(|(attribute, _)| attribute == name)
            .map_or(self.span, |&(_, span)| span)
    }
}

impl<T> Deref for Declared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The keys of a collection and where each was declared first, to find duplicates.
#[derive(Clone, Debug)]
pub(crate) struct Keys<K> {
    first: HashMap<K, Span>,
}

impl<K: Eq + Hash> Keys<K> {
    pub(crate) fn new() -> Self {
        Self {
            first: HashMap::new(),
        }
    }

    /// Where `key` was declared before; remembers `span` where it was not.
    pub(crate) fn declared_before(&mut self, key: K, span: Span) -> Option<Span> {
        match self.first.entry(key) {
            std::collections::hash_map::Entry::Occupied(first) => Some(*first.get()),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(span);
                None
            }
        }
    }

    /// Forgets a key that was removed again.
    pub(crate) fn forget<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: core::borrow::Borrow<Q>,
    {
        self.first.remove(key);
    }
}
