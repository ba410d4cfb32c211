//! How the elements of the model are read and written: each names its fields once, for both directions.

use spanned_xml::Element;

use crate::extension::{Extension, Fields, prose};
use crate::{List, Text};

/// An element with fields of its own.
pub(crate) trait Model: Sized {
    /// Its name where it stands in a list.
    const NAME: &'static str;
    fn read(element: &Element) -> Self;
    fn write(&self, name: &str) -> Extension;
}

/// What stands in a list.
pub(crate) trait Item: Sized {
    fn read_item(element: &Element) -> Option<Self>;
    fn write_item(&self) -> Extension;
}

impl<T: Model> Item for T {
    fn read_item(element: &Element) -> Option<Self> {
        element.is(T::NAME).then(|| T::read(element))
    }

    fn write_item(&self) -> Extension {
        self.write(T::NAME)
    }
}

/// A field that stands for one or more child elements of one name.
pub(crate) trait Field: Sized {
    fn take(fields: &mut Fields<'_>, name: &'static str) -> Self;
    fn put(&self, name: &'static str, tree: &mut Extension);
}

/// Absent and empty are the same here; an empty element stays among the unknown ones, so that it is not lost.
impl Field for String {
    fn take(fields: &mut Fields<'_>, name: &'static str) -> Self {
        fields
            .leaves(name, &[], 1, |element| {
                let text = element.text().trim().to_owned();
                (!text.is_empty()).then_some(text)
            })
            .pop()
            .unwrap_or_default()
    }

    fn put(&self, name: &'static str, tree: &mut Extension) {
        if !self.is_empty() {
            tree.push(Extension::leaf(name, self));
        }
    }
}

impl Field for Vec<String> {
    fn take(fields: &mut Fields<'_>, name: &'static str) -> Self {
        fields.leaves(name, &[], usize::MAX, |element| {
            Some(element.text().trim().to_owned())
        })
    }

    fn put(&self, name: &'static str, tree: &mut Extension) {
        for text in self {
            tree.push(Extension::leaf(name, text));
        }
    }
}

impl Field for Option<String> {
    fn take(fields: &mut Fields<'_>, name: &'static str) -> Self {
        fields
            .leaves(name, &[], 1, |element| {
                Some(element.text().trim().to_owned())
            })
            .pop()
    }

    fn put(&self, name: &'static str, tree: &mut Extension) {
        if let Some(text) = self {
            tree.push(Extension::leaf(name, text));
        }
    }
}

impl Field for Option<Text> {
    fn take(fields: &mut Fields<'_>, name: &'static str) -> Self {
        fields
            .leaves(name, &["resourceName"], 1, |element| {
                Some(Text {
                    value: prose(element),
                    resource_name: element
                        .attribute_ignore_case("resourceName")
                        .map(|attribute| attribute.value.clone()),
                })
            })
            .pop()
    }

    fn put(&self, name: &'static str, tree: &mut Extension) {
        if let Some(text) = self {
            let mut leaf = Extension::leaf(name, &text.value);
            if let Some(resource_name) = &text.resource_name {
                leaf.attributes
                    .push(("resourceName".to_owned(), resource_name.clone()));
            }
            tree.push(leaf);
        }
    }
}

/// A number that is not one stays among the unknown elements.
macro_rules! number_field {
    ($($number:ty)*) => {$(
        impl Field for Option<$number> {
            fn take(fields: &mut Fields<'_>, name: &'static str) -> Self {
                fields
                    .leaves(name, &[], 1, |element| element.text().trim().parse().ok())
                    .pop()
            }

            fn put(&self, name: &'static str, tree: &mut Extension) {
                if let Some(number) = self {
                    tree.push(Extension::leaf(name, &number.to_string()));
                }
            }
        }
    )*};
}

number_field!(u32 u64 i64);

/// An element that is there or not. One with text in it stays among the unknown ones.
impl Field for bool {
    fn take(fields: &mut Fields<'_>, name: &'static str) -> Self {
        !fields
            .leaves(name, &[], 1, |element| {
                element.text().trim().is_empty().then_some(())
            })
            .is_empty()
    }

    fn put(&self, name: &'static str, tree: &mut Extension) {
        if *self {
            tree.push(Extension::new(name));
        }
    }
}

impl<T: Model> Field for Option<T> {
    fn take(fields: &mut Fields<'_>, name: &'static str) -> Self {
        fields.whole(|element| element.is(name).then(|| T::read(element)))
    }

    fn put(&self, name: &'static str, tree: &mut Extension) {
        if let Some(element) = self {
            tree.push(element.write(name));
        }
    }
}

/// Repeated children, without an element around them.
impl<T: Item> Field for Vec<T> {
    fn take(fields: &mut Fields<'_>, _name: &'static str) -> Self {
        fields.all(T::read_item, usize::MAX)
    }

    fn put(&self, _name: &'static str, tree: &mut Extension) {
        for item in self {
            tree.push(item.write_item());
        }
    }
}

impl<T: Item> Field for List<T> {
    fn take(fields: &mut Fields<'_>, name: &'static str) -> Self {
        fields
            .whole(|element| element.is(name).then(|| read_list(element)))
            .unwrap_or_default()
    }

    fn put(&self, name: &'static str, tree: &mut Extension) {
        if !self.is_empty() || self.rest.is_present() {
            tree.push(write_list(self, name));
        }
    }
}

/// A list whose element means something without items too.
impl<T: Item> Field for Option<List<T>> {
    fn take(fields: &mut Fields<'_>, name: &'static str) -> Self {
        fields.whole(|element| element.is(name).then(|| read_list(element)))
    }

    fn put(&self, name: &'static str, tree: &mut Extension) {
        if let Some(list) = self {
            tree.push(write_list(list, name));
        }
    }
}

/// Text in elements inside one around them: the name is `around/inside`.
impl Field for List<String> {
    fn take(fields: &mut Fields<'_>, name: &'static str) -> Self {
        let (around, inside) = name.split_once('/').unwrap_or((name, name));
        fields
            .whole(|element| {
                element.is(around).then(|| {
                    let mut fields = Fields::new(element);
                    let items = fields.leaves(inside, &[], usize::MAX, |element| {
                        Some(element.text().trim().to_owned())
                    });
                    Self {
                        items,
                        rest: fields.rest(),
                    }
                })
            })
            .unwrap_or_default()
    }

    fn put(&self, name: &'static str, tree: &mut Extension) {
        let (around, inside) = name.split_once('/').unwrap_or((name, name));
        if !self.is_empty() || self.rest.is_present() {
            let mut list = Extension::new(around);
            for text in self {
                list.push(Extension::leaf(inside, text));
            }
            tree.push(self.rest.arrange(list));
        }
    }
}

/// The items of a list, and what else its element has.
pub(crate) fn read_list<T: Item>(element: &Element) -> List<T> {
    let mut fields = Fields::new(element);
    let items = fields.all(T::read_item, usize::MAX);
    List {
        items,
        rest: fields.rest(),
    }
}

pub(crate) fn write_list<T: Item>(list: &List<T>, name: &str) -> Extension {
    let mut tree = Extension::new(name);
    for item in list {
        tree.push(item.write_item());
    }
    list.rest.arrange(tree)
}

pub(crate) fn put_attribute(value: Option<&str>, name: &str, tree: &mut Extension) {
    if let Some(value) = value {
        tree.attributes.push((name.to_owned(), value.to_owned()));
    }
}

/// `element!(Type, "name" { "attribute" => field, … } [ "child" => field, … ])`: the attributes and children of an element
/// in the order they are written where no file gave another.
macro_rules! element {
    ($type:ident, $element:literal { $($attribute:literal => $attribute_field:ident),* } [ $($child:literal => $field:ident),* $(,)? ]) => {
        impl crate::element::Model for $type {
            const NAME: &'static str = $element;

            fn read(element: &spanned_xml::Element) -> Self {
                let mut fields = crate::extension::Fields::new(element);
                $(let $attribute_field = fields.attribute($attribute);)*
                $(let $field = crate::element::Field::take(&mut fields, $child);)*
                Self { $($attribute_field,)* $($field,)* rest: fields.rest() }
            }

            fn write(&self, name: &str) -> crate::extension::Extension {
                #[allow(unused_mut, reason = "an element may have no fields")]
                let mut tree = crate::extension::Extension::new(name);
                $(crate::element::put_attribute(self.$attribute_field.as_deref(), $attribute, &mut tree);)*
                $(crate::element::Field::put(&self.$field, $child, &mut tree);)*
                self.rest.arrange(tree)
            }
        }
    };
}

pub(crate) use element;
