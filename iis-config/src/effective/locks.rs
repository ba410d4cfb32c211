//! `lockItem`, `lockAttributes`, `lockElements` and their `…Except` forms: what deeper files must leave alone.

use spanned_xml::{Element, Source, Span};

/// The locks on one element, gathered from all levels above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Locks {
    /// `lockItem`, and where it stands.
    pub(super) item: Option<String>,
    attributes: Names,
    elements: Names,
}

/// Names that are locked: those listed, and where there is an exception list all that is not in it. Each with the place
/// of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    listed: Vec<(String, String)>,
    all_except: Option<(Vec<String>, String)>,
}

impl Names {
    /// The place of what locks `name`.
    fn hold(&self, name: &str) -> Option<&str> {
        let listed = self.listed.iter();
        let mut listing = listed.filter(|(of, _)| of == name || of == "*");
        if let Some((_, place)) = listing.next() {
            return Some(place);
        }
        let (except, place) = self.all_except.as_ref()?;
        (!except.iter().any(|of| of == name)).then_some(place)
    }

    fn add(&mut self, element: &Element, source: &Source, list: &str, all_except: &str) {
        if let Some(attribute) = element.attribute(list) {
            let place = place(source, attribute.span);
            let names = split(&attribute.value).map(|name| (name, place.clone()));
            self.listed.extend(names);
        }
        if let Some(attribute) = element.attribute(all_except) {
            let names = split(&attribute.value).collect();
            self.all_except = Some((names, place(source, attribute.span)));
        }
    }
}

fn split(names: &str) -> impl Iterator<Item = String> + '_ {
    names
        .split([',', ' '])
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

/// A place in a file, for people.
pub(super) fn place(source: &Source, span: Span) -> String {
    let place = source.line_column(span.start);
    format!("{}:{}:{}", source.name(), place.line, place.column)
}

impl Locks {
    /// Adds the locks that `element` of `source` sets for the levels below its own.
    pub(super) fn add(&mut self, element: &Element, source: &Source) {
        if let Some(attribute) = element.attribute("lockItem")
            && attribute.value.eq_ignore_ascii_case("true")
        {
            self.item = Some(place(source, attribute.span));
        }
        self.attributes
            .add(element, source, "lockAttributes", "lockAllAttributesExcept");
        self.elements
            .add(element, source, "lockElements", "lockAllElementsExcept");
    }

    /// What keeps a deeper file from setting the attribute: the place of the lock.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.item.as_deref().or_else(|| self.attributes.hold(name))
    }

    /// What keeps a deeper file from writing the element: the place of the lock.
    pub(super) fn element(&self, name: &str) -> Option<&str> {
        self.item.as_deref().or_else(|| self.elements.hold(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spanned_xml::Document;

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
            set.add(Document::parse(&source).unwrap().root(), &source);
            let place = |locked| if locked { Some("x:1:4") } else { None };
            assert_eq!(
                (set.attribute("a"), set.element("e")),
                (place(attribute), place(element)),
                "{locks}"
            );
        }
    }
}
