//! How the elements of the model are read and written: each names its fields once, for both directions.

use std::borrow::Cow;

use spanned_xml::TreeElement;

use crate::extension::{LeafRest, RestReader, Sink, Taken, is_blank};
use crate::{List, Text};

/// An element with fields of its own.
pub(crate) trait Model: Sized {
    /// Its name where it stands in a list.
    const NAME: &'static str;
    fn read(element: TreeElement<'_, '_>) -> Self;
    fn write(&self, name: &str, out: &mut dyn Sink);
}

/// An element that most others do without, and that takes no room in them.
impl<T: Model> Model for Box<T> {
    const NAME: &'static str = T::NAME;

    fn read(element: TreeElement<'_, '_>) -> Self {
        Self::new(T::read(element))
    }

    fn write(&self, name: &str, out: &mut dyn Sink) {
        T::write(self, name, out);
    }
}

/// What stands in a list.
pub(crate) trait Item: Sized {
    fn read_item(element: TreeElement<'_, '_>) -> Option<Self>;
    fn write_item(&self, out: &mut dyn Sink);
}

impl<T: Model> Item for T {
    fn read_item(element: TreeElement<'_, '_>) -> Option<Self> {
        element.is(T::NAME).then(|| T::read(element))
    }

    fn write_item(&self, out: &mut dyn Sink) {
        self.write(T::NAME, out);
    }
}

/// A field that stands for one or more child elements of one name.
pub(crate) trait Field {
    /// Takes the child, if it has the name and the field still has room for it.
    fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken;

    /// Writes the `n`-th of the children, with what is kept of it beside the field; `false` where there is none.
    fn write(
        &self,
        n: usize,
        name: &'static str,
        leaf: Option<&LeafRest>,
        out: &mut dyn Sink,
    ) -> bool;
}

/// The text of an element that has no others inside, without white space at its ends.
pub(crate) fn leaf_text<'t>(child: TreeElement<'_, 't>) -> Option<Cow<'t, str>> {
    Some(match child.only_text()? {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    })
}

pub(crate) fn write_leaf(name: &str, text: &str, leaf: Option<&LeafRest>, out: &mut dyn Sink) {
    out.start(name);
    LeafRest::write(leaf, text, out);
    out.end();
}

/// Takes a child into an empty field, where `read` makes something of its text.
fn take_leaf<T>(
    field: &mut T,
    is_empty: bool,
    name: &'static str,
    child: TreeElement<'_, '_>,
    read: impl FnOnce(Cow<'_, str>) -> Option<T>,
) -> Taken {
    if !child.is(name) || !is_empty {
        return Taken::No;
    }
    match leaf_text(child).and_then(read) {
        Some(value) => {
            *field = value;
            Taken::Leaf(&[])
        }
        None => Taken::No,
    }
}

/// Absent and empty are the same here; an empty element stays among the unknown ones, so that it is not lost.
impl Field for String {
    fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken {
        take_leaf(self, self.is_empty(), name, child, |text| {
            (!text.is_empty()).then(|| text.into_owned())
        })
    }

    fn write(
        &self,
        n: usize,
        name: &'static str,
        leaf: Option<&LeafRest>,
        out: &mut dyn Sink,
    ) -> bool {
        let is_there = n == 0 && !self.is_empty();
        if is_there {
            write_leaf(name, self, leaf, out);
        }
        is_there
    }
}

impl Field for Option<String> {
    fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken {
        take_leaf(self, self.is_none(), name, child, |text| {
            Some(Some(text.into_owned()))
        })
    }

    fn write(
        &self,
        n: usize,
        name: &'static str,
        leaf: Option<&LeafRest>,
        out: &mut dyn Sink,
    ) -> bool {
        let text = self.as_ref().filter(|_| n == 0);
        if let Some(text) = text {
            write_leaf(name, text, leaf, out);
        }
        text.is_some()
    }
}

impl Field for Vec<String> {
    fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken {
        if child.is(name)
            && let Some(text) = leaf_text(child)
        {
            self.push(text.into_owned());
            return Taken::Leaf(&[]);
        }
        Taken::No
    }

    fn write(
        &self,
        n: usize,
        name: &'static str,
        leaf: Option<&LeafRest>,
        out: &mut dyn Sink,
    ) -> bool {
        let text = self.get(n);
        if let Some(text) = text {
            write_leaf(name, text, leaf, out);
        }
        text.is_some()
    }
}

impl Field for Option<Text> {
    fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken {
        if !child.is(name) || self.is_some() {
            return Taken::No;
        }
        let Some(text) = child.only_text() else {
            return Taken::No;
        };
        *self = Some(Text {
            // White space alone is only layout, around a comment for example.
            value: if is_blank(&text) {
                String::new()
            } else {
                text.into_owned()
            },
            resource_name: child
                .attribute_ignore_case("resourceName")
                .map(|attribute| attribute.value().into_owned()),
        });
        Taken::Leaf(&["resourceName"])
    }

    fn write(
        &self,
        n: usize,
        name: &'static str,
        leaf: Option<&LeafRest>,
        out: &mut dyn Sink,
    ) -> bool {
        let text = self.as_ref().filter(|_| n == 0);
        if let Some(text) = text {
            out.start(name);
            write_attribute(text.resource_name.as_deref(), "resourceName", out);
            LeafRest::write(leaf, &text.value, out);
            out.end();
        }
        text.is_some()
    }
}

/// A number that is not one stays among the unknown elements.
macro_rules! number_field {
    ($($number:ty)*) => {$(
        impl Field for Option<$number> {
            fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken {
                take_leaf(self, self.is_none(), name, child, |text| text.parse().ok().map(Some))
            }

            fn write(
                &self,
                n: usize,
                name: &'static str,
                leaf: Option<&LeafRest>,
                out: &mut dyn Sink,
            ) -> bool {
                let number = self.filter(|_| n == 0);
                if let Some(number) = number {
                    write_leaf(name, &number.to_string(), leaf, out);
                }
                number.is_some()
            }
        }
    )*};
}

number_field!(u32 u64 i64);

/// An element that is there or not. One with text in it stays among the unknown ones.
impl Field for bool {
    fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken {
        take_leaf(self, !*self, name, child, |text| {
            text.is_empty().then_some(true)
        })
    }

    fn write(
        &self,
        n: usize,
        name: &'static str,
        leaf: Option<&LeafRest>,
        out: &mut dyn Sink,
    ) -> bool {
        let is_there = n == 0 && *self;
        if is_there {
            write_leaf(name, "", leaf, out);
        }
        is_there
    }
}

impl<T: Model> Field for Option<T> {
    fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken {
        if !child.is(name) || self.is_some() {
            return Taken::No;
        }
        *self = Some(T::read(child));
        Taken::Whole
    }

    fn write(
        &self,
        n: usize,
        name: &'static str,
        _: Option<&LeafRest>,
        out: &mut dyn Sink,
    ) -> bool {
        let element = self.as_ref().filter(|_| n == 0);
        if let Some(element) = element {
            element.write(name, out);
        }
        element.is_some()
    }
}

/// Repeated children, without an element around them.
impl<T: Item> Field for Vec<T> {
    fn take(&mut self, _: &'static str, child: TreeElement<'_, '_>) -> Taken {
        match T::read_item(child) {
            Some(item) => {
                self.push(item);
                Taken::Whole
            }
            None => Taken::No,
        }
    }

    fn write(&self, n: usize, _: &'static str, _: Option<&LeafRest>, out: &mut dyn Sink) -> bool {
        let item = self.get(n);
        if let Some(item) = item {
            item.write_item(out);
        }
        item.is_some()
    }
}

impl<T: Item> Field for List<T> {
    fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken {
        if !child.is(name) || self.rest.is_present() {
            return Taken::No;
        }
        *self = read_list(child);
        Taken::Whole
    }

    fn write(
        &self,
        n: usize,
        name: &'static str,
        _: Option<&LeafRest>,
        out: &mut dyn Sink,
    ) -> bool {
        let is_there = n == 0 && (!self.is_empty() || self.rest.is_present());
        if is_there {
            write_list(self, name, out);
        }
        is_there
    }
}

/// A list whose element means something without items too.
impl<T: Item> Field for Option<List<T>> {
    fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken {
        if !child.is(name) || self.is_some() {
            return Taken::No;
        }
        *self = Some(read_list(child));
        Taken::Whole
    }

    fn write(
        &self,
        n: usize,
        name: &'static str,
        _: Option<&LeafRest>,
        out: &mut dyn Sink,
    ) -> bool {
        let list = self.as_ref().filter(|_| n == 0);
        if let Some(list) = list {
            write_list(list, name, out);
        }
        list.is_some()
    }
}

/// Text in elements inside one around them: the name is `around/inside`.
impl Field for List<String> {
    fn take(&mut self, name: &'static str, child: TreeElement<'_, '_>) -> Taken {
        let len = child.name().len();
        let is_around = name.as_bytes().get(len) == Some(&b'/')
            && name
                .get(..len)
                .is_some_and(|around| child.name().eq_ignore_ascii_case(around));
        if !is_around || self.rest.is_present() {
            return Taken::No;
        }
        let inside = name.get(len + 1..).unwrap_or_default();
        let mut rest = RestReader::new(child.span());
        for attribute in child.attributes() {
            rest.attribute(attribute);
        }
        let items = &mut self.items;
        rest.content(child, |child| (0, Field::take(items, inside, child)));
        self.rest = rest.finish();
        Taken::Whole
    }

    fn write(
        &self,
        n: usize,
        name: &'static str,
        _: Option<&LeafRest>,
        out: &mut dyn Sink,
    ) -> bool {
        let is_there = n == 0 && (!self.is_empty() || self.rest.is_present());
        if is_there {
            let (around, inside) = name.split_once('/').unwrap_or((name, name));
            out.start(around);
            self.rest.write_attributes(out);
            self.rest.write_content(
                out,
                |out| write_all(&self.items, inside, out),
                &|field, n, leaf, out| {
                    field == 0 && Field::write(&self.items, n, inside, leaf, out)
                },
            );
            out.end();
        }
        is_there
    }
}

/// The items of a list, and what else its element has.
pub(crate) fn read_list<T: Item>(element: TreeElement<'_, '_>) -> List<T> {
    let mut rest = RestReader::new(element.span());
    for attribute in element.attributes() {
        rest.attribute(attribute);
    }
    let mut items = Vec::new();
    rest.content(element, |child| (0, Field::take(&mut items, "", child)));
    List {
        items,
        rest: rest.finish(),
    }
}

pub(crate) fn write_list<T: Item>(list: &List<T>, name: &str, out: &mut dyn Sink) {
    out.start(name);
    list.rest.write_attributes(out);
    list.rest.write_content(
        out,
        |out| write_all(&list.items, "", out),
        &|field, n, leaf, out| field == 0 && Field::write(&list.items, n, "", leaf, out),
    );
    out.end();
}

/// Writes every child that a field stands for.
pub(crate) fn write_all(field: &impl Field, name: &'static str, out: &mut dyn Sink) {
    let mut n = 0;
    while field.write(n, name, None, out) {
        n += 1;
    }
}

pub(crate) fn write_attribute(value: Option<&str>, name: &str, out: &mut dyn Sink) {
    if let Some(value) = value {
        out.attribute(name, value);
    }
}

/// `element!(Type, "name" { "attribute" => field, … } [ "child" => field, … ])`: the attributes and children of an element
/// in the order they are written where no file gave another.
macro_rules! element {
    ($type:ident, $element:literal { $($attribute:literal => $attribute_field:ident),* } [ $($child:literal => $field:ident),* $(,)? ]) => {
        impl $type {
            /// Gives a child to the fields, and says which has taken it.
            #[allow(unused_variables, unused_mut, reason = "an element may have no fields")]
            pub(crate) fn take_child(&mut self, child: spanned_xml::TreeElement<'_, '_>) -> (u8, crate::extension::Taken) {
                let mut field = 0;
                $(
                    match crate::element::Field::take(&mut self.$field, $child, child) {
                        crate::extension::Taken::No => field += 1,
                        taken => return (field, taken),
                    }
                )*
                (field, crate::extension::Taken::No)
            }

            /// Gives an attribute to the fields, and says whether one has taken it.
            #[allow(unused_variables, reason = "an element may have no attributes")]
            fn take_attribute(&mut self, attribute: &spanned_xml::RawAttribute<'_>) -> bool {
                $(
                    if self.$attribute_field.is_none() && attribute.name.eq_ignore_ascii_case($attribute) {
                        self.$attribute_field = Some(attribute.value().trim().to_owned());
                        return true;
                    }
                )*
                false
            }

            /// Writes the attributes that are not fields, and the content.
            #[allow(unused_variables, reason = "an element may have no fields")]
            pub(crate) fn write_rest(&self, out: &mut dyn crate::extension::Sink) {
                self.rest.write_attributes(out);
                self.rest.write_content(
                    out,
                    |out| {
                        $(crate::element::write_all(&self.$field, $child, out);)*
                    },
                    &|field, n, leaf, out| self.write_child(field, n, leaf, out),
                );
            }

            #[allow(unused_variables, unused_mut, unused_assignments, reason = "an element may have no fields")]
            fn write_child(
                &self,
                field: u8,
                n: usize,
                leaf: Option<&crate::extension::LeafRest>,
                out: &mut dyn crate::extension::Sink,
            ) -> bool {
                let mut this = 0;
                $(
                    if field == this {
                        return crate::element::Field::write(&self.$field, n, $child, leaf, out);
                    }
                    this += 1;
                )*
                false
            }
        }

        impl crate::element::Model for $type {
            const NAME: &'static str = $element;

            fn read(element: spanned_xml::TreeElement<'_, '_>) -> Self {
                let mut this = Self::default();
                let mut rest = crate::extension::RestReader::new(element.span());
                for attribute in element.attributes() {
                    if !this.take_attribute(attribute) {
                        rest.attribute(attribute);
                    }
                }
                rest.content(element, |child| this.take_child(child));
                this.rest = rest.finish();
                this
            }

            fn write(&self, name: &str, out: &mut dyn crate::extension::Sink) {
                out.start(name);
                $(crate::element::write_attribute(self.$attribute_field.as_deref(), $attribute, out);)*
                self.write_rest(out);
                out.end();
            }
        }
    };
}

pub(crate) use element;
