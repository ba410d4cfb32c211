//! `lockItem`, `lockAttributes`, `lockElements` and their `…Except` forms: what deeper files must leave alone.

use spanned_xml::Element;

/// The locks on one element, gathered from all levels above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Locks {
    /// `lockItem`.
    pub(super) item: bool,
    attributes: Names,
    elements: Names,
}

/// Names that are locked: those listed, and where there is an exception list all that is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    listed: Vec<String>,
    all_except: Option<Vec<String>>,
}

impl Names {
    fn hold(&self, name: &str) -> bool {
        self.listed.iter().any(|of| of == name || of == "*")
            || self
                .all_except
                .as_ref()
                .is_some_and(|except| !except.iter().any(|of| of == name))
    }

    fn add(&mut self, element: &Element, list: &str, all_except: &str) {
        if let Some(names) = element.value(list) {
            self.listed.extend(split(names));
        }
        if let Some(names) = element.value(all_except) {
            self.all_except = Some(split(names).collect());
        }
    }
}

fn split(names: &str) -> impl Iterator<Item = String> + '_ {
    names
        .split([',', ' '])
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

impl Locks {
    /// Adds the locks that `element` sets for the levels below its own.
    pub(super) fn add(&mut self, element: &Element) {
        self.item |= element
            .value("lockItem")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        self.attributes
            .add(element, "lockAttributes", "lockAllAttributesExcept");
        self.elements
            .add(element, "lockElements", "lockAllElementsExcept");
    }

    /// Whether a deeper file may not set the attribute.
    pub(super) fn attribute(&self, name: &str) -> bool {
        self.item || self.attributes.hold(name)
    }

    /// Whether a deeper file may not write the element.
    pub(super) fn element(&self, name: &str) -> bool {
        self.item || self.elements.hold(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spanned_xml::{Document, Source};

    #[test]
    fn locks_hold_what_they_name() {
        for (locks, attribute, element) in [
            ("", false, false),
            ("lockItem='true'", true, true),
            ("lockItem='false'", false, false),
            ("lockAttributes='x,a'", true, false),
            ("lockAttributes='*'", true, false),
            ("lockAllAttributesExcept='a'", false, false),
            ("lockAllAttributesExcept='b'", true, false),
            ("lockElements='e'", false, true),
            ("lockAllElementsExcept='e'", false, false),
            ("lockAllElementsExcept='f'", false, true),
        ] {
            let source = Source::from_text("x", format!("<s {locks}/>"));
            let mut set = Locks::default();
            set.add(Document::parse(&source).unwrap().root());
            assert_eq!(
                (set.attribute("a"), set.element("e")),
                (attribute, element),
                "{locks}"
            );
        }
    }
}
