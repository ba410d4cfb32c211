//! `dependency`: which products must be there before another one.
//!
//! *Web Platform Installer Feed Reference*, "dependency Element"
//! <https://learn.microsoft.com/en-us/previous-versions/ee424337(v=ws.10)>. There are no version ranges: another version is
//! another product.

use spanned_xml::TreeElement;

use crate::element::{Model, leaf_text, read_list, write_attribute, write_leaf, write_list};
use crate::extension::{LeafRest, Sink, Taken};
use crate::reference::Reference;
use crate::{List, Rest};

/// `dependency`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependency {
    /// `id`: the name that `idref` refers to; only in the feed's `dependencies`.
    pub id: Option<String>,
    /// What must be there.
    pub rule: DependencyRule,
    /// What the model has no field for.
    pub rest: Rest,
}

/// What a [`Dependency`] says; a `dependency` element has exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DependencyRule {
    /// None of the others: the element is malformed, and kept in [`Dependency::rest`].
    #[default]
    Malformed,
    /// `productId`: this product.
    Product(String),
    /// `and`: all of them.
    And(List<Dependency>),
    /// `or`: one of them; the first that is installed or can be.
    Or(List<Dependency>),
    /// `idref`: what the dependency of this `id` says.
    IdRef(String),
}

impl Dependency {
    /// A dependency on one product.
    #[must_use]
    pub fn on(product_id: impl Into<String>) -> Self {
        DependencyRule::Product(product_id.into()).into()
    }

    /// A dependency on all of these products: none for none, and no `and` around a single one.
    #[must_use]
    pub fn on_all<S: Into<String>>(product_ids: impl IntoIterator<Item = S>) -> Option<Self> {
        let mut all: Vec<Self> = product_ids.into_iter().map(Self::on).collect();
        match all.len() {
            0 => None,
            1 => all.pop(),
            _ => Some(DependencyRule::And(all.into()).into()),
        }
    }

    /// Every product named in it, in order, `idref` not followed.
    #[must_use]
    pub fn product_ids(&self) -> Vec<&str> {
        match &self.rule {
            DependencyRule::Product(product_id) => vec![product_id],
            DependencyRule::And(all) | DependencyRule::Or(all) => {
                all.iter().flat_map(Self::product_ids).collect()
            }
            DependencyRule::IdRef(_) | DependencyRule::Malformed => Vec::new(),
        }
    }
}

impl From<DependencyRule> for Dependency {
    fn from(rule: DependencyRule) -> Self {
        Self {
            rule,
            ..Self::default()
        }
    }
}

impl Model for Dependency {
    const NAME: &'static str = "dependency";

    fn read(element: TreeElement<'_, '_>) -> Self {
        let mut this = Self::default();
        let reference = Reference::of(element);
        let mut rest = reference.attributes(&mut this.id, element);
        if let Reference::To(idref) = &reference {
            this.rule = DependencyRule::IdRef(idref.clone());
        }
        rest.content(element, |child| match reference {
            Reference::Content => (0, this.rule.take(child)),
            Reference::To(_) | Reference::Malformed => (0, Taken::No),
        });
        this.rest = rest.finish();
        this
    }

    fn write(&self, name: &str, out: &mut dyn Sink) {
        out.start(name);
        write_attribute(self.id.as_deref(), "id", out);
        if let DependencyRule::IdRef(idref) = &self.rule {
            out.attribute("idref", idref);
        }
        self.rest.write_attributes(out);
        self.rest.write_content(
            out,
            |out| {
                self.rule.write(None, out);
            },
            &|field, n, leaf, out| field == 0 && n == 0 && self.rule.write(leaf, out),
        );
        out.end();
    }
}

impl DependencyRule {
    fn take(&mut self, child: TreeElement<'_, '_>) -> Taken {
        let (rule, taken) = if child.is("productId") {
            let product_id = leaf_text(child).filter(|text| !text.is_empty());
            (
                product_id.map(|text| Self::Product(text.into_owned())),
                Taken::Leaf(&[]),
            )
        } else if child.is("and") {
            (Some(Self::And(read_list(child))), Taken::Whole)
        } else if child.is("or") {
            (Some(Self::Or(read_list(child))), Taken::Whole)
        } else {
            (None, Taken::No)
        };
        match rule {
            Some(rule) => {
                *self = rule;
                taken
            }
            None => Taken::No,
        }
    }

    fn write(&self, leaf: Option<&LeafRest>, out: &mut dyn Sink) -> bool {
        match self {
            Self::Malformed | Self::IdRef(_) => return false,
            Self::Product(product_id) => write_leaf("productId", product_id, leaf, out),
            Self::And(all) => write_list(all, "and", out),
            Self::Or(all) => write_list(all, "or", out),
        }
        true
    }
}
