//! `dependency`: which products must be there before another one.
//!
//! *Web Platform Installer Feed Reference*, "dependency Element"
//! <https://learn.microsoft.com/en-us/previous-versions/ee424337(v=ws.10)>. There are no version ranges: another version is
//! another product.

use spanned_xml::Element;

use crate::element::{Model, put_attribute, read_list, write_list};
use crate::extension::{Extension, Fields};
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

    fn read(element: &Element) -> Self {
        let mut fields = Fields::new(element);
        let id = fields.attribute("id");
        let idref = element.attribute_ignore_case("idref").is_some();
        let single = element.elements().count() == 1;
        let mut rule = DependencyRule::Malformed;
        if idref {
            if element.elements().next().is_none() {
                rule = DependencyRule::IdRef(fields.attribute("idref").unwrap_or_default());
            }
        } else if single {
            if let Some(product_id) = fields
                .leaves("productId", &[], 1, |child| {
                    let text = child.text().trim().to_owned();
                    (!text.is_empty()).then_some(text)
                })
                .pop()
            {
                rule = DependencyRule::Product(product_id);
            } else if let Some(list) = fields.whole(|child| {
                if child.is("and") {
                    Some(DependencyRule::And(read_list(child)))
                } else if child.is("or") {
                    Some(DependencyRule::Or(read_list(child)))
                } else {
                    None
                }
            }) {
                rule = list;
            }
        }
        Self {
            id,
            rule,
            rest: fields.rest(),
        }
    }

    fn write(&self, name: &str) -> Extension {
        let mut tree = Extension::new(name);
        put_attribute(self.id.as_deref(), "id", &mut tree);
        match &self.rule {
            DependencyRule::Malformed => {}
            DependencyRule::Product(product_id) => {
                tree.push(Extension::leaf("productId", product_id));
            }
            DependencyRule::And(all) => tree.push(write_list(all, "and")),
            DependencyRule::Or(all) => tree.push(write_list(all, "or")),
            DependencyRule::IdRef(idref) => put_attribute(Some(idref), "idref", &mut tree),
        }
        self.rest.arrange(tree)
    }
}
