//! Rules for `entry`.

use std::collections::{HashMap, HashSet};

use spanned_xml::{Element, Problem, Span};

use super::{Checker, children, content, filled, value};
use crate::product_id;

/// What may stand both in an entry and in its `metadata`.
const METADATA: [&str; 11] = [
    "title",
    "id",
    "version",
    "updated",
    "published",
    "summary",
    "longSummary",
    "link",
    "author",
    "images",
    "keywords",
];

impl Checker<'_> {
    /// Checks a product.
    pub(super) fn entry(&mut self, entry: &Element) {
        self.product_id(entry);
        self.duplicate_children(
            entry,
            &[
                "productId",
                "metadata",
                "title",
                "version",
                "discoveryHint",
                "dependency",
                "installers",
                "terms",
            ],
        );
        let metadata = entry.child("metadata");
        let found = |name: &str| {
            metadata
                .and_then(|metadata| filled(metadata, name))
                .or_else(|| filled(entry, name))
        };
        for (name, code) in [
            ("title", "webpi-title-missing"),
            ("version", "webpi-version-missing"),
        ] {
            if found(name).is_none() {
                self.push(
                    Problem::warning(code, format!("the product has no `{name}`"))
                        .at(entry.name_span)
                        .help(format!("add `<{name}>…</{name}>`")),
                );
            }
        }
        if let Some((id, text)) = found("id") {
            self.entry_id(text, content(id), false);
        }
        self.times(entry);
        if let Some(metadata) = metadata {
            self.times(metadata);
            for name in METADATA {
                if let (Some(outer), Some(inner)) = (entry.child(name), metadata.child(name)) {
                    self.push(
                        Problem::warning(
                            "webpi-metadata-overrides",
                            format!(
                                "`{name}` stands in the product and in its `metadata`, which counts"
                            ),
                        )
                        .at(outer.name_span)
                        .related(inner.name_span, "this one counts")
                        .help("remove one of them"),
                    );
                }
            }
        }
        for parent in core::iter::once(entry).chain(metadata) {
            for keyword in
                children(parent, "keywords").flat_map(|keywords| children(keywords, "keywordId"))
            {
                self.keyword(keyword);
            }
            for image in children(parent, "images").flat_map(Element::elements) {
                if !value(image).is_empty() {
                    self.url(image);
                }
            }
        }
        for hint in children(entry, "discoveryHint") {
            self.discovery_hint(hint);
        }
        for hint in children(entry, "relatedDiscovery")
            .flat_map(|related| children(related, "relatedDiscoveryHint"))
            .flat_map(|related| children(related, "discoveryHint"))
        {
            self.discovery_hint(hint);
        }
        for dependency in children(entry, "dependency") {
            self.dependency(dependency);
        }
        for product_id in children(entry, "related")
            .flat_map(|related| children(related, "relatedProduct"))
            .flat_map(|related| children(related, "productId"))
        {
            self.known_product(product_id, "related");
        }
        self.updates(entry);
        self.terms(entry, metadata);
        self.installers(entry);
    }

    /// Checks that an `id`, the feed's or a product's, was not used before.
    pub(super) fn entry_id(&mut self, id: String, span: Span, is_feed: bool) {
        let Some((first, was_feed)) = self.entry_ids.get(&id).copied() else {
            self.entry_ids.insert(id, (span, is_feed));
            return;
        };
        let whose = if was_feed {
            "the feed"
        } else {
            "another product"
        };
        self.push(
            Problem::warning(
                "webpi-entry-id-duplicate",
                format!("`{id}` is the id of {whose} already"),
            )
            .at(span)
            .related(first, "first used here")
            .help("give each product an `id` of its own"),
        );
    }

    fn product_id(&mut self, entry: &Element) {
        let Some((element, product_id)) = filled(entry, "productId") else {
            let at = entry
                .child("productId")
                .map_or(entry.start_tag, |element| element.span);
            self.push(
                Problem::error("webpi-product-id-missing", "the entry has no `productId`")
                    .at(at)
                    .help("add `<productId>`: it is what the product is installed by"),
            );
            return;
        };
        let span = content(element);
        let first = *self
            .product_ids
            .entry(product_id.to_ascii_lowercase())
            .or_insert(span);
        if first != span {
            self.push(
                Problem::error(
                    "webpi-product-duplicate",
                    format!("more than one product has the identifier `{product_id}`"),
                )
                .at(span)
                .related(first, "first used here")
                .help("rename one of them; letter case does not count"),
            );
        }
        if let Some(reason) = product_id::fault(&product_id) {
            self.push(
                Problem::warning(
                    "webpi-product-id",
                    format!("`{product_id}` is not a good product identifier"),
                )
                .at(span)
                .help(reason),
            );
        }
    }

    fn keyword(&mut self, keyword: &Element) {
        let id = value(keyword);
        if !self.keywords.contains(id.as_str()) && self.reported.insert(format!("keyword {id}")) {
            self.push(
                Problem::warning(
                    "webpi-keyword-undeclared",
                    format!("keyword `{id}` is not declared"),
                )
                .at(content(keyword))
                .help(format!(
                    "add `<keyword id=\"{id}\">` to the feed's `keywords`"
                )),
            );
        }
    }

    fn updates(&mut self, entry: &Element) {
        let mut updated = children(entry, "updates")
            .flat_map(|updates| children(updates, "productId"))
            .peekable();
        if updated.peek().is_none() {
            return;
        }
        let mut needed = HashSet::new();
        for element in children(entry, "dependency").flat_map(Element::descendants) {
            if element.attribute_ignore_case("idref").is_some() {
                // What is referred to may be a dependency on the product.
                return;
            }
            if element.is("productId") {
                needed.insert(value(element).to_ascii_lowercase());
            }
        }
        for element in updated {
            let product_id = value(element);
            if !needed.contains(&product_id.to_ascii_lowercase()) {
                self.push(
                    Problem::error(
                        "webpi-update-without-dependency",
                        format!("the product updates `{product_id}`, but does not depend on it"),
                    )
                    .at(content(element))
                    .help(format!(
                        "add `<dependency><productId>{product_id}</productId></dependency>`"
                    )),
                );
            }
        }
    }

    fn terms(&mut self, entry: &Element, metadata: Option<&Element>) {
        if let Some(external) = entry.child("external") {
            let has = |name: &str| {
                entry.child(name).is_some()
                    || metadata.is_some_and(|metadata| metadata.child(name).is_some())
            };
            for name in ["longSummary", "link"] {
                if !has(name) {
                    self.push(
                        Problem::error(
                            "webpi-external-incomplete",
                            format!("the product is external, and has no `{name}`"),
                        )
                        .at(external.name_span)
                        .help(format!(
                            "add `<{name}>`: it is all that people get of an external product"
                        )),
                    );
                }
            }
        }
        for terms in children(entry, "terms") {
            for name in ["termsText", "termsLink", "termsLinkText"] {
                self.required(terms, name, "webpi-terms-incomplete");
            }
        }
    }

    fn installers(&mut self, entry: &Element) {
        let mut installers = children(entry, "installers")
            .flat_map(|installers| children(installers, "installer"))
            .peekable();
        if installers.peek().is_none() && entry.child("external").is_none() {
            self.push(
                Problem::warning("webpi-no-installers", "the product has no installer")
                    .at(entry.name_span)
                    .help("add `<installers>` with an `<installer>` for each language and architecture"),
            );
        }
        let mut ids: HashMap<String, Span> = HashMap::new();
        for installer in installers {
            if let Some((element, id)) = filled(installer, "id") {
                let span = content(element);
                if let Some(first) = ids.get(&id) {
                    self.push(
                        Problem::warning(
                            "webpi-installer-id-duplicate",
                            format!("two installers of the product have the id `{id}`"),
                        )
                        .at(span)
                        .related(*first, "first used here")
                        .help("number the installers"),
                    );
                } else {
                    ids.insert(id, span);
                }
            }
            self.installer(installer);
        }
    }
}
