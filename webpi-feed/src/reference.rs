//! What `dependency` and `discoveryHint` have in common: exactly one child, or the name of a definition in `idref`.

use spanned_xml::TreeElement;

use crate::extension::RestReader;

/// What such an element says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// What its one child says.
    Content,
    /// What the definition of this `id` says.
    To(String),
    /// No child or several, or a child beside `idref`.
    Malformed,
}

impl Reference {
    pub(crate) fn of(element: TreeElement<'_, '_>) -> Self {
        let mut children = element.elements();
        let (first, second) = (children.next(), children.next());
        match element.attribute_ignore_case("idref") {
            Some(idref) if first.is_none() => Self::To(idref.value().trim().to_owned()),
            None if first.is_some() && second.is_none() => Self::Content,
            _ => Self::Malformed,
        }
    }

    /// Reads the element's attributes: its own `id`, an `idref` that is understood, and those that are kept.
    pub(crate) fn attributes(
        &self,
        id: &mut Option<String>,
        element: TreeElement<'_, '_>,
    ) -> RestReader {
        let mut rest = RestReader::new(element.span());
        let mut needs_idref = matches!(self, Self::To(_));
        for attribute in element.attributes() {
            if id.is_none() && attribute.name.eq_ignore_ascii_case("id") {
                *id = Some(attribute.value().trim().to_owned());
            } else if needs_idref && attribute.name.eq_ignore_ascii_case("idref") {
                needs_idref = false;
            } else {
                rest.attribute(attribute);
            }
        }
        rest
    }
}
