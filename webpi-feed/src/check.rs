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
mod reader;

use std::collections::{HashMap, HashSet};

use spanned_xml::{Element, Parser, Problem, Problems, RawAttribute, Source, Span, Tag, Tree};

pub use self::reader::{CheckedFeed, check_reader};
use crate::cycle::{self, Need};
use crate::feed_reader::Visit;
use crate::product_id::is_in_main_feed;
use crate::read::visit_source;
use crate::time::is_feed_time;
use crate::{ATOM_NAMESPACE, Feed};

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

/// Checks what `feed` was read from.
pub(crate) fn check_source(source: &Source, feed: &Feed) -> Result<Vec<Problem>, Problems> {
    let needs: Vec<Need<'_>> = feed.entries.iter().map(Need::of).collect();
    let mut checker = Checker::new(feed, &needs);
    visit_source(source, &mut checker)?;
    Ok(checker.finish())
}

/// Elements of a feed that may occur once.
const ONCE: [&str; 9] = [
    "id",
    "title",
    "languages",
    "resourcesList",
    "keywords",
    "dependencies",
    "discoveryHints",
    "oses",
    "osLists",
];

/// Checks a feed element by element, with what was read of all of it before.
struct Checker<'a> {
    problems: Vec<Problem>,
    /// The feed; its products are in `products`.
    feed: &'a Feed,
    /// Their identifiers, in lower case.
    products: HashSet<String>,
    /// The names that `idref` refers to, by element.
    definitions: HashMap<&'static str, HashSet<&'a str>>,
    keywords: HashSet<&'a str>,
    languages: HashSet<String>,
    /// Another feed is loaded together with this one, and may define what is not defined here.
    has_enclosure: bool,
    /// Names that have been reported as unknown: once is enough.
    reported: HashSet<String>,
    /// What was read so far, each with its place: elements of the feed that may occur once, definitions, products, and the
    /// `id`s of products and, marked so, of the feed.
    once: HashMap<&'static str, Span>,
    defined: HashMap<(&'static str, String), Span>,
    product_ids: HashMap<String, Span>,
    entry_ids: HashMap<String, (Span, bool)>,
}

impl<'a> Checker<'a> {
    /// `needs`: its products.
    fn new(feed: &'a Feed, needs: &[Need<'_>]) -> Self {
        let ids = |ids: &mut dyn Iterator<Item = &'a Option<String>>| -> HashSet<&'a str> {
            ids.filter_map(|id| id.as_deref()).collect()
        };
        let definitions = HashMap::from([
            (
                "dependency",
                ids(&mut feed.dependencies.iter().map(|definition| &definition.id)),
            ),
            (
                "discoveryHint",
                ids(&mut feed.discovery_hints.iter().map(|hint| &hint.id)),
            ),
            ("os", ids(&mut feed.oses.iter().map(|os| &os.id))),
            (
                "osList",
                ids(&mut feed.os_lists.iter().map(|list| &list.id)),
            ),
        ]);
        let mut checker = Self {
            problems: Vec::new(),
            feed,
            products: needs
                .iter()
                .map(|need| need.product_id.to_ascii_lowercase())
                .collect(),
            definitions,
            keywords: ids(&mut feed.keywords.iter().map(|keyword| &keyword.id)),
            languages: feed
                .languages
                .iter()
                .map(|language| language.id.to_ascii_lowercase())
                .collect(),
            has_enclosure: feed.enclosures().next().is_some(),
            reported: HashSet::new(),
            once: HashMap::new(),
            defined: HashMap::new(),
            product_ids: HashMap::new(),
            entry_ids: HashMap::new(),
        };
        checker.cycles(needs);
        checker
    }

    /// The problems in the order of the file.
    fn finish(mut self) -> Vec<Problem> {
        self.problems
            .sort_by_key(|problem| problem.span.map(|span| span.start));
        self.problems
    }

    fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A child of the document element.
    fn feed_child(&mut self, element: &Element) {
        self.feed_once(element);
        match element.name.to_ascii_lowercase().as_str() {
            "entry" => self.entry(element),
            "id" => self.feed_id(element),
            "updated" | "published" => self.time(element),
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

    fn feed_once(&mut self, element: &Element) {
        let Some(name) = ONCE.into_iter().find(|name| element.is(name)) else {
            return;
        };
        match self.once.get(name) {
            Some(first) => self.push(repeated("feed", name, *first, element.name_span)),
            None => {
                self.once.insert(name, element.name_span);
            }
        }
    }

    fn feed_id(&mut self, element: &Element) {
        let id = value(element);
        let is_first = self.once.get("id") == Some(&element.name_span);
        if is_first && !id.is_empty() {
            self.entry_id(id, content(element), true);
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
                    let first = self.first_definition("keyword", &id.value, id.value_span);
                    if let Some(first) = first {
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
    fn definitions(&mut self, list: &Element, name: &'static str) {
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
            if let Some(first) = self.first_definition(name, &id.value, id.value_span) {
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

    /// Where the first definition of the name stands, unless this is it.
    fn first_definition(&mut self, name: &'static str, id: &str, span: Span) -> Option<Span> {
        let first = *self
            .defined
            .entry((name, id.trim().to_owned()))
            .or_insert(span);
        (first != span).then_some(first)
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
        let is_defined = self
            .definitions
            .get(name)
            .is_some_and(|ids| ids.contains(idref.value.trim()));
        if !is_defined {
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
        if self.products.contains(&product_id.to_ascii_lowercase())
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

    fn cycles(&mut self, needs: &[Need<'_>]) {
        for cycle in cycle::find(needs, &self.feed.dependencies) {
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
                self.time(time);
            }
        }
    }

    fn time(&mut self, element: &Element) {
        let text = value(element);
        if !is_feed_time(&text) {
            self.push(
                Problem::warning(
                    "webpi-time-format",
                    format!("`{text}` is not a time in the form `YYYY-MM-DDThh:mm:ssZ`"),
                )
                .at(content(element))
                .help(
                    "write it in UTC, with two digits each for month, day, hour, minute and second",
                ),
            );
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
                self.push(repeated(
                    &parent.name,
                    name,
                    first.name_span,
                    other.name_span,
                ));
            }
        }
    }
}

impl Visit for Checker<'_> {
    fn start(&mut self, tag: Tag<'_>, attributes: &[RawAttribute<'_>]) -> Result<(), Problem> {
        let namespace = attributes
            .iter()
            .find(|attribute| attribute.name == "xmlns");
        if namespace.is_none_or(|namespace| namespace.value() != ATOM_NAMESPACE) {
            self.push(
                Problem::warning(
                    "webpi-namespace",
                    "the elements are not in Atom's namespace",
                )
                .at(tag.name_span)
                .help(format!("write `<feed xmlns=\"{ATOM_NAMESPACE}\">`")),
            );
        }
        let title = self.feed.title.as_ref().map(|title| title.value.as_str());
        for (name, text, code, help) in [
            (
                "title",
                title,
                "webpi-feed-title-missing",
                "add `<title>`: it is how people tell feeds apart",
            ),
            (
                "id",
                self.feed.id.as_deref(),
                "webpi-feed-id-missing",
                "add `<id>` with a URI that stays the same: cached copies are recognised by it",
            ),
        ] {
            if text.is_none_or(|text| text.trim().is_empty()) {
                self.push(
                    Problem::warning(code, format!("the feed has no `{name}`"))
                        .at(tag.name_span)
                        .help(help),
                );
            }
        }
        if self.products.is_empty() && !self.has_enclosure {
            self.push(
                Problem::error("webpi-no-products", "the feed lists no products")
                    .at(tag.name_span)
                    .help("add an `<entry>` for each product"),
            );
        }
        Ok(())
    }

    fn child<'t>(
        &mut self,
        parser: &mut Parser<'t>,
        tag: Tag<'t>,
        _: &mut Tree<'t>,
    ) -> Result<(), Problem> {
        let element = Element::read(parser, tag)?;
        self.feed_child(&element);
        Ok(())
    }
}

fn repeated(parent: &str, name: &str, first: Span, other: Span) -> Problem {
    Problem::warning(
        "webpi-duplicate-element",
        format!("`{parent}` has more than one `{name}`; the first counts"),
    )
    .at(other)
    .related(first, "the first")
    .help("remove one of them")
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
