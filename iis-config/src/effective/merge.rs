//! One level's section merged into what the levels above it give.

use spanned_xml::{Element, Problem, Source};

use super::element::{EffectiveElement, Setting};
use crate::schema::{Collection, ElementSchema};

/// Merges the sections of one file; a lock holds for everything merged after the element that sets it.
pub(super) struct Merge<'a> {
    pub(super) source: &'a Source,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Merge<'_> {
    pub(super) fn merge(
        &mut self,
        into: &mut EffectiveElement,
        schema: &ElementSchema,
        element: &Element,
    ) {
        for attribute in &element.attributes {
            if attribute.name.starts_with("lock") {
                continue;
            }
            if let Some(lock) = into.locks.attribute(&attribute.name) {
                self.problems.push(
                    Problem::error(
                        "iis-config-attribute-locked",
                        format!(
                            "`{}` is locked at a parent level, in {lock}: IIS answers 500.19 with 0x80070021",
                            attribute.name
                        ),
                    )
                    .at(attribute.span)
                    .help("remove it here, or have lockAttributes or lockItem removed above"),
                );
                continue;
            }
            into.attributes.insert(
                attribute.name.clone(),
                Setting {
                    value: attribute.value.clone(),
                    place: Some((self.source.name().to_owned(), attribute.value_span)),
                },
            );
        }
        // With mergeAppend="false" this level's entries come first, in their own order.
        let mut next = 0;
        for child in element.elements() {
            if let Some(lock) = into.locks.element(&child.name) {
                self.locked_element(child, lock);
            } else if let Some(declared) = schema.element(&child.name) {
                let place = into.elements.iter().position(|of| of.name == child.name);
                if let Some(below) = place.and_then(|place| into.elements.get_mut(place)) {
                    self.merge(below, declared, child);
                }
            } else if let Some(collection) = schema.collection.as_deref() {
                self.entry(into, collection, child, &mut next);
            }
        }
        into.locks.add(element, self.source);
    }

    fn entry(
        &mut self,
        into: &mut EffectiveElement,
        collection: &Collection,
        child: &Element,
        next: &mut usize,
    ) {
        if collection.clears(&child.name) {
            let mut locks = into
                .entries
                .iter()
                .filter_map(|entry| entry.locks.item.as_ref());
            if let Some(lock) = locks.next() {
                self.locked_element(child, lock);
            } else {
                into.entries.clear();
                into.entry_keys.clear();
                *next = 0;
            }
        } else if collection.removes(&child.name) {
            let keys = collection.entry.keys(child);
            let is_there = keys.iter().any(|key| into.entry_keys.contains_key(key));
            let found = is_there
                .then(|| {
                    into.entries
                        .iter()
                        .position(|entry| entry.keys.iter().any(|key| keys.contains(key)))
                })
                .flatten();
            // IIS takes the removal of what is not there without a word.
            let Some(place) = found else {
                return;
            };
            if let Some(lock) = &into.entries[place].locks.item {
                self.locked_element(child, lock);
                return;
            }
            for key in into.entries.remove(place).keys {
                if let Some(count) = into.entry_keys.get_mut(&key) {
                    *count -= 1;
                    if *count == 0 {
                        into.entry_keys.remove(&key);
                    }
                }
            }
            if place < *next {
                *next -= 1;
            }
        } else if collection.adds(&child.name) {
            let keys = collection.entry.keys(child);
            let twice = keys.iter().any(|key| into.entry_keys.contains_key(key));
            if twice && !collection.allow_duplicates {
                self.problems.push(
                    Problem::error(
                        "iis-config-entry-duplicate",
                        format!("an entry `{}` with the same key is inherited or stands above: IIS answers 500.19 with 0x800700b7", child.name),
                    )
                    .at(child.start_tag)
                    .help("put <remove …/> or <clear/> before it, or remove it"),
                );
                return;
            }
            let mut entry = EffectiveElement::of(&collection.entry, &child.name);
            self.merge(&mut entry, &collection.entry, child);
            for key in &keys {
                *into.entry_keys.entry(key.clone()).or_default() += 1;
            }
            entry.keys = keys;
            if collection.merge_append {
                into.entries.push(entry);
            } else {
                into.entries.insert(*next, entry);
                *next += 1;
            }
        }
    }

    fn locked_element(&mut self, element: &Element, lock: &str) {
        self.problems.push(
            Problem::error(
                "iis-config-element-locked",
                format!(
                    "`<{}>` is locked at a parent level, in {lock}: IIS answers 500.19 with 0x80070021",
                    element.name
                ),
            )
            .at(element.start_tag)
            .help("remove it here, or have lockElements or lockItem removed above"),
        );
    }
}

/// Fills in the defaults of collections, from the nearest element outwards that holds them.
pub(super) fn fill_defaults(
    element: &mut EffectiveElement,
    schema: &ElementSchema,
    outer: &[EffectiveElement],
) {
    let mut holders: Vec<EffectiveElement> = element
        .elements
        .iter()
        .filter(|of| {
            schema
                .element(&of.name)
                .is_some_and(|of| of.is_collection_default)
        })
        .cloned()
        .collect();
    holders.extend_from_slice(outer);
    for child in &mut element.elements {
        if let Some(schema) = schema.element(&child.name)
            && !schema.is_collection_default
        {
            fill_defaults(child, schema, &holders);
        }
    }
    let Some(collection) = schema.collection.as_deref() else {
        return;
    };
    for entry in &mut element.entries {
        // An entry's own holders are nearer than those around it.
        for holder in &holders {
            if collection.default_element.as_ref() == Some(&holder.name) {
                entry.take_defaults(holder);
            }
        }
        fill_defaults(entry, &collection.entry, &holders);
    }
}
