//! What is wrong with a feed.
//!
//! The rules are those that WebPI applied, and said in its log without a place, and those of its reference; further rules are
//! about what it would have taken otherwise than it was meant. Faults that made WebPI refuse an element or a feed are errors,
//! the others warnings. URLs are not followed.

mod dependency;
mod discovery_hint;
mod entry;
mod installer;
mod os;

use std::collections::{HashMap, HashSet};

use spanned_xml::{Document, Element, Problem, Source, Span};

use crate::product_id::is_in_main_feed;
use crate::time::is_feed_time;
use crate::{ATOM_NAMESPACE, Feed, cycle};

/// Checks a feed: every fault that is found, in the order of the file, each with its place and what to do.
///
/// A text that is not XML, or not a feed, has that one fault.
///
/// ```
/// use spanned_xml::Source;
///
/// let source = Source::from_text("feed.xml", "<feed xmlns='http://www.w3.org/2005/Atom'><entry/></feed>");
/// let problems = webpi_feed::check(&source);
/// assert!(problems.iter().any(|problem| problem.code == "webpi-product-id-missing"));
/// ```
#[must_use]
pub fn check(source: &Source) -> Vec<Problem> {
    match Feed::read(source) {
        Ok((_, problems)) => problems,
        Err(problems) => problems.problems,
    }
}

/// Checks the document that `feed` was read from.
pub(crate) fn check_feed(document: &Document, feed: &Feed) -> Vec<Problem> {
    let mut checker = Checker::new(document.root(), feed);
    checker.feed(document.root());
    checker.cycles(feed);
    let mut problems = checker.problems;
    problems.sort_by_key(|problem| problem.span.map(|span| span.start));
    problems
}

/// What the rules need to know of the whole feed.
struct Checker<'a> {
    problems: Vec<Problem>,
    /// The products, by identifier in lower case, each with the place of its first identifier.
    products: HashMap<String, Span>,
    keywords: HashMap<&'a str, Span>,
    dependencies: HashMap<&'a str, Span>,
    discovery_hints: HashMap<&'a str, Span>,
    oses: HashMap<&'a str, Span>,
    os_lists: HashMap<&'a str, Span>,
    languages: HashSet<String>,
    /// Names that have been reported as unknown: once is enough.
    reported: HashSet<String>,
    /// Another feed is loaded together with this one, and may define what is not defined here.
    has_enclosure: bool,
}

impl<'a> Checker<'a> {
    fn new(root: &'a Element, feed: &Feed) -> Self {
        let mut products = HashMap::new();
        for entry in root.elements().filter(|element| element.is("entry")) {
            if let Some(product_id) = entry.child("productId") {
                products
                    .entry(value(product_id).to_ascii_lowercase())
                    .or_insert_with(|| content(product_id));
            }
        }
        let ids = |around: &str, inside: &str| {
            let mut ids = HashMap::new();
            for list in root.elements().filter(|element| element.is(around)) {
                for element in list.elements().filter(|element| element.is(inside)) {
                    if let Some(id) = element.attribute_ignore_case("id") {
                        ids.entry(id.value.as_str()).or_insert(id.value_span);
                    }
                }
            }
            ids
        };
        Self {
            problems: Vec::new(),
            products,
            keywords: ids("keywords", "keyword"),
            dependencies: ids("dependencies", "dependency"),
            discovery_hints: ids("discoveryHints", "discoveryHint"),
            oses: ids("oses", "os"),
            os_lists: ids("osLists", "osList"),
            languages: feed
                .languages
                .iter()
                .map(|language| language.id.to_ascii_lowercase())
                .collect(),
            reported: HashSet::new(),
            has_enclosure: feed.enclosures().next().is_some(),
        }
    }

    fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn feed(&mut self, root: &'a Element) {
        if root.value("xmlns") != Some(ATOM_NAMESPACE) {
            self.push(
                Problem::warning(
                    "webpi-namespace",
                    "the elements are not in Atom's namespace",
                )
                .at(root.name_span)
                .help(format!("write `<feed xmlns=\"{ATOM_NAMESPACE}\">`")),
            );
        }
        for (name, code, help) in [
            (
                "title",
                "webpi-feed-title-missing",
                "add `<title>`: it is how people tell feeds apart",
            ),
            (
                "id",
                "webpi-feed-id-missing",
                "add `<id>` with a URI that stays the same: cached copies are recognised by it",
            ),
        ] {
            if filled(root, name).is_none() {
                self.push(
                    Problem::warning(code, format!("the feed has no `{name}`"))
                        .at(root.name_span)
                        .help(help),
                );
            }
        }
        let no_products = root.child("entry").is_none();
        if no_products && !self.has_enclosure {
            self.push(
                Problem::error("webpi-no-products", "the feed lists no products")
                    .at(root.name_span)
                    .help("add an `<entry>` for each product"),
            );
        }
        self.times(root);
        self.duplicate_children(
            root,
            &[
                "id",
                "title",
                "languages",
                "resourcesList",
                "keywords",
                "dependencies",
                "discoveryHints",
                "oses",
                "osLists",
            ],
        );
        let mut entry_ids = HashMap::new();
        if let Some((id, _)) = filled(root, "id") {
            entry_ids.insert(value(id), (content(id), true));
        }
        for element in root.elements() {
            match element.name.to_ascii_lowercase().as_str() {
                "entry" => self.entry(element, &mut entry_ids),
                "link" => self.feed_link(element),
                "languages" => self.feed_languages(element),
                "resourceslist" => self.resources(element),
                "keywords" => self.feed_keywords(element),
                "dependencies" => {
                    self.definitions(element, "dependency");
                    for dependency in children(element, "dependency") {
                        self.dependency(dependency);
                    }
                }
                "discoveryhints" => {
                    self.definitions(element, "discoveryHint");
                    for hint in children(element, "discoveryHint") {
                        self.discovery_hint(hint);
                    }
                }
                "oses" => {
                    self.definitions(element, "os");
                    for os in children(element, "os") {
                        self.os(os);
                    }
                }
                "oslists" => {
                    self.definitions(element, "osList");
                    for list in children(element, "osList") {
                        self.os_list(list);
                    }
                }
                "featured" => {
                    for product_id in children(element, "productId") {
                        self.known_product(product_id, "featured");
                    }
                }
                _ => {}
            }
        }
    }

    fn feed_link(&mut self, link: &Element) {
        let is = |name: &str| link.attribute_ignore_case(name);
        let is_enclosure =
            is("rel").is_some_and(|rel| rel.value.trim().eq_ignore_ascii_case("enclosure"));
        let address = is("href").or_else(|| is("relativeHref"));
        if is_enclosure && address.is_none_or(|address| address.value.trim().is_empty()) {
            self.push(
                Problem::error(
                    "webpi-enclosure-without-address",
                    "the link to another feed has no address",
                )
                .at(link.start_tag)
                .help("add `href` with the feed's URL"),
            );
        }
    }

    fn feed_languages(&mut self, languages: &Element) {
        let mut default: Option<Span> = None;
        let mut any = false;
        for language in children(languages, "language") {
            any = true;
            for (name, code) in [
                ("languageId", "webpi-language-id-missing"),
                ("name", "webpi-language-name-missing"),
            ] {
                self.required(language, name, code);
            }
            let is_default = language
                .attribute_ignore_case("default")
                .filter(|default| default.value.trim().eq_ignore_ascii_case("true"));
            if let Some(attribute) = is_default {
                match default {
                    None => default = Some(attribute.span),
                    Some(first) => self.push(
                        Problem::error(
                            "webpi-default-language-duplicate",
                            "more than one language is the default",
                        )
                        .at(attribute.span)
                        .related(first, "the first default")
                        .help("keep `default=\"true\"` on one language"),
                    ),
                }
            }
        }
        if any && default.is_none() {
            self.push(
                Problem::warning(
                    "webpi-default-language-missing",
                    "no language is the default",
                )
                .at(languages.name_span)
                .help("add `default=\"true\"` to one `language`"),
            );
        }
    }

    fn resources(&mut self, list: &Element) {
        let mut inline: Option<Span> = None;
        for resources in children(list, "resources") {
            self.required(resources, "culture", "webpi-resources-culture-missing");
            if filled(resources, "url").is_none() && filled(resources, "relativeUrl").is_none() {
                match inline {
                    None => inline = Some(resources.name_span),
                    Some(first) => self.push(
                        Problem::error(
                            "webpi-resources-url-missing",
                            "a translation has no URL, and another has none either",
                        )
                        .at(resources.name_span)
                        .related(first, "this one stands in the feed itself")
                        .help("add `<url>` with the address of its resource file"),
                    ),
                }
            }
            if let Some((url, _)) = filled(resources, "url") {
                self.url(url);
            }
        }
    }

    fn feed_keywords(&mut self, keywords: &Element) {
        for keyword in children(keywords, "keyword") {
            match keyword.attribute_ignore_case("id") {
                Some(id) if !id.value.trim().is_empty() => {
                    if let Some(&first) = self.keywords.get(id.value.as_str())
                        && first != id.value_span
                    {
                        self.push(
                            Problem::warning(
                                "webpi-keyword-duplicate",
                                format!("keyword `{}` is declared twice", id.value),
                            )
                            .at(id.value_span)
                            .related(first, "first declared here")
                            .help("remove one of them"),
                        );
                    }
                }
                _ => self.push(
                    Problem::error("webpi-keyword-id-missing", "the keyword has no `id`")
                        .at(keyword.start_tag)
                        .help("add `id=\"…\"`, which `keywordId` in entries refers to"),
                ),
            }
        }
    }

    /// Definitions that `idref` refers to need an `id` each, of their own.
    fn definitions(&mut self, list: &'a Element, name: &'static str) {
        for definition in children(list, name) {
            let Some(id) = definition
                .attribute_ignore_case("id")
                .filter(|id| !id.value.trim().is_empty())
            else {
                self.push(
                    Problem::error(
                        "webpi-definition-without-id",
                        format!("`{name}` in `{}` has no `id`", list.name),
                    )
                    .at(definition.start_tag)
                    .help("add an `id`: without one nothing can refer to it"),
                );
                continue;
            };
            let first = self.definition(name, &id.value);
            if let Some(first) = first.filter(|first| *first != id.value_span) {
                self.push(
                    Problem::error(
                        "webpi-definition-duplicate",
                        format!("`{name}` with the id `{}` is defined twice", id.value),
                    )
                    .at(id.value_span)
                    .related(first, "first defined here")
                    .help("rename or remove one of them"),
                );
            }
        }
    }

    fn definition(&self, name: &str, id: &str) -> Option<Span> {
        let definitions = match name {
            "dependency" => &self.dependencies,
            "discoveryHint" => &self.discovery_hints,
            "os" => &self.oses,
            _ => &self.os_lists,
        };
        definitions.get(id).copied()
    }

    /// Checks `idref`, and says whether the element has one.
    fn reference(&mut self, element: &Element, name: &'static str) -> bool {
        let Some(idref) = element.attribute_ignore_case("idref") else {
            return false;
        };
        if let Some(child) = element.elements().next() {
            self.push(
                Problem::error(
                    "webpi-idref-and-content",
                    format!("`{name}` has both `idref` and content"),
                )
                .at(idref.span)
                .related(child.span, "the content")
                .help("keep one of the two"),
            );
        }
        if self.definition(name, &idref.value).is_none() {
            let message = format!(
                "`{name}` refers to `{}`, which this feed does not define",
                idref.value
            );
            self.push(
                if self.has_enclosure {
                    Problem::warning("webpi-idref-unknown", message)
                } else {
                    Problem::error("webpi-idref-unknown", message)
                }
                .at(idref.value_span)
                .help("define it, or correct the name; letter case counts"),
            );
        }
        true
    }

    /// A product that is named must be in a feed.
    fn known_product(&mut self, element: &Element, role: &str) {
        let product_id = value(element);
        if product_id.is_empty() {
            self.push(
                Problem::error(
                    "webpi-product-reference-empty",
                    format!("`{}` is empty", element.name),
                )
                .at(element.span)
                .help("name a product by its `productId`"),
            );
            return;
        }
        if self.products.contains_key(&product_id.to_ascii_lowercase())
            || is_in_main_feed(&product_id)
            || !self.reported.insert(product_id.to_ascii_lowercase())
        {
            return;
        }
        let message = format!("{role} product `{product_id}` is not in this feed");
        self.push(
            if self.has_enclosure {
                Problem::note("webpi-product-unknown", message)
                    .help("it must then be in one of the feeds loaded together with this one")
            } else {
                Problem::warning("webpi-product-unknown", message)
                    .help("add it to the feed, or correct the name; it can also come from a feed that is loaded beside this one")
            }
            .at(content(element)),
        );
    }

    fn cycles(&mut self, feed: &Feed) {
        for cycle in cycle::find(feed) {
            let path: Vec<String> = cycle.path.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("the dependencies go in a circle: {}", path.join(" needs "));
            let mut problem = if cycle.has_way_out {
                Problem::warning("webpi-dependency-cycle", message)
                    .help("only another branch of an `or` leads out of it; remove one of the dependencies")
            } else {
                Problem::error("webpi-dependency-cycle", message)
                    .help("none of them can be installed; remove one of the dependencies")
            };
            problem.span = cycle.span;
            self.push(problem);
        }
    }

    /// `updated` and `published`.
    fn times(&mut self, element: &Element) {
        for name in ["updated", "published"] {
            for time in children(element, name) {
                let text = value(time);
                if !is_feed_time(&text) {
                    self.push(
                        Problem::warning("webpi-time-format", format!("`{text}` is not a time in the form `YYYY-MM-DDThh:mm:ssZ`"))
                            .at(content(time))
                            .help("write it in UTC, with two digits each for month, day, hour, minute and second"),
                    );
                }
            }
        }
    }

    fn url(&mut self, element: &Element) {
        let text = value(element);
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        let problem = if text
            .chars()
            .any(|character| character.is_whitespace() || character.is_control())
        {
            "has white space in it"
        } else {
            match scheme {
                Some(scheme) if scheme.len() == 1 => return,
                Some(scheme)
                    if ["http", "https", "file"]
                        .iter()
                        .any(|known| scheme.eq_ignore_ascii_case(known)) =>
                {
                    return;
                }
                _ if text.starts_with(r"\\") => return,
                _ => "is neither an `http:`, `https:` or `file:` URL nor an absolute Windows path",
            }
        };
        self.push(
            Problem::warning("webpi-url", format!("`{text}` {problem}"))
                .at(content(element))
                .help("write an absolute URL, with `%20` for spaces"),
        );
    }

    /// An element that must be there and not be empty.
    fn required(&mut self, parent: &Element, name: &str, code: &'static str) {
        if filled(parent, name).is_none() {
            let at = parent
                .child(name)
                .map_or(parent.start_tag, |element| element.span);
            self.push(
                Problem::error(code, format!("`{}` has no `{name}`", parent.name))
                    .at(at)
                    .help(format!("add `<{name}>…</{name}>`")),
            );
        }
    }

    /// Elements that may occur once.
    fn duplicate_children(&mut self, parent: &Element, names: &[&str]) {
        for name in names {
            let mut all = children(parent, name);
            let Some(first) = all.next() else { continue };
            for other in all {
                self.push(
                    Problem::warning(
                        "webpi-duplicate-element",
                        format!(
                            "`{}` has more than one `{name}`; the first counts",
                            parent.name
                        ),
                    )
                    .at(other.name_span)
                    .related(first.name_span, "the first")
                    .help("remove one of them"),
                );
            }
        }
    }
}

/// The child elements of this name.
fn children<'e>(element: &'e Element, name: &str) -> impl Iterator<Item = &'e Element> {
    element.elements().filter(move |child| child.is(name))
}

/// An element's text without white space at its ends.
fn value(element: &Element) -> String {
    element.text().trim().to_owned()
}

/// The place of an element's content, or of the whole element where it has none.
fn content(element: &Element) -> Span {
    let span = element.content_span();
    if span.is_empty() { element.span } else { span }
}

/// The first child of this name, where it has text in it.
fn filled<'e>(element: &'e Element, name: &str) -> Option<(&'e Element, String)> {
    let child = element.child(name)?;
    let text = value(child);
    (!text.is_empty()).then_some((child, text))
}
