//! `feed`: the document element.
//!
//! *Web Platform Installer Feed Reference*, "feed Element"
//! <https://learn.microsoft.com/en-us/previous-versions/ee424350(v=ws.10)>, and feeds of the versions 2.0 to 5.0.
//!
//! What only WebPI's window used (`tabs`, `groupings`, `preferences`, `quickStart`, `newVersionAvailable`, `blocked`) and
//! the feed templates of its version 4 have no fields: they are kept in [`Feed::rest`] and written back.

use spanned_xml::{TreeElement, TreeNode};

use crate::element::{Model, element, write_attribute};
use crate::extension::{RestReader, Sink, TEXT, Taken};
use crate::{Dependency, DiscoveryHint, Entry, Link, List, Os, OsList, Person, Rest, Text};

/// A WebPI feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Feed {
    /// `webpiFile`: the version of the format.
    pub webpi_file: Option<WebpiFile>,
    /// `title`.
    pub title: Option<Text>,
    /// `link`: the feed itself, and the feeds that are loaded together with it.
    pub links: Vec<Link>,
    /// `updated`: time of the last change, `YYYY-MM-DDThh:mm:ssZ`.
    pub updated: Option<String>,
    /// `author`.
    pub authors: Vec<Person>,
    /// `id`: a URI that stays the same for ever; WebPI's cached copies of the feed are recognised by it.
    pub id: Option<String>,
    /// `resourcesList`: translations.
    pub resources: List<Resources>,
    /// `languages`: the languages that products are offered in.
    pub languages: List<Language>,
    /// `entry`: the products, in order.
    pub entries: Vec<Entry>,
    /// `keywords`: the keywords that entries use.
    pub keywords: List<Keyword>,
    /// `oses`: operating systems that `os idref` refers to.
    pub oses: List<Os>,
    /// `osLists`: lists of them that `osList idref` refers to.
    pub os_lists: List<OsList>,
    /// `dependencies`: dependencies that `dependency idref` refers to.
    pub dependencies: List<Dependency>,
    /// `discoveryHints`: hints that `discoveryHint idref` refers to.
    pub discovery_hints: List<DiscoveryHint>,
    /// `featured`: identifiers of products to show first.
    pub featured: List<String>,
    /// What the model has no field for. The Atom namespace is not part of it: it is always written.
    pub rest: Rest,
}

element!(Feed, "feed" {} [
    "webpiFile" => webpi_file,
    "title" => title,
    "link" => links,
    "updated" => updated,
    "author" => authors,
    "id" => id,
    "resourcesList" => resources,
    "languages" => languages,
    "entry" => entries,
    "keywords" => keywords,
    "oses" => oses,
    "osLists" => os_lists,
    "dependencies" => dependencies,
    "discoveryHints" => discovery_hints,
    "featured/productId" => featured,
]);

impl Feed {
    /// The version of the format, `4.2.0.0` for example; a feed without `webpiFile` has none.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.webpi_file.as_ref()?.version.as_deref()
    }

    /// The product of this identifier, whatever the case of ASCII letters.
    #[must_use]
    pub fn entry(&self, product_id: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.product_id.eq_ignore_ascii_case(product_id))
    }

    /// The feeds that are loaded together with this one: `link rel="enclosure"`.
    pub fn enclosures(&self) -> impl Iterator<Item = &Link> + '_ {
        self.links.iter().filter(|link| link.is_enclosure())
    }

    /// The language that is marked as the default, or `en`.
    #[must_use]
    pub fn default_language(&self) -> &str {
        self.languages
            .iter()
            .find(|language| language.is_default())
            .map_or("en", |language| language.id.as_str())
    }

    /// The dependency that `idref` names.
    #[must_use]
    pub fn dependency(&self, id: &str) -> Option<&Dependency> {
        self.dependencies
            .iter()
            .find(|dependency| dependency.id.as_deref() == Some(id))
    }

    /// The discovery hint that `idref` names.
    #[must_use]
    pub fn discovery_hint(&self, id: &str) -> Option<&DiscoveryHint> {
        self.discovery_hints
            .iter()
            .find(|hint| hint.id.as_deref() == Some(id))
    }

    /// The list of operating systems that `idref` names.
    #[must_use]
    pub fn os_list(&self, id: &str) -> Option<&OsList> {
        self.os_lists
            .iter()
            .find(|list| list.id.as_deref() == Some(id))
    }

    /// The operating system that `idref` names.
    #[must_use]
    pub fn os(&self, id: &str) -> Option<&Os> {
        self.oses.iter().find(|os| os.id.as_deref() == Some(id))
    }
}

/// `webpiFile`: the version of the format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebpiFile {
    /// `version`, four numbers.
    pub version: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(WebpiFile, "webpiFile" { "version" => version } []);

/// `resources`: the translation of a feed's texts into one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resources {
    /// `culture`: `en`, `pt-br`, …
    pub culture: String,
    /// `url` of the resource file; without it the texts are those in the feed.
    pub url: Option<String>,
    /// `relativeUrl` of the resource file.
    pub relative_url: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Resources, "resources" {} [ "culture" => culture, "url" => url, "relativeUrl" => relative_url ]);

/// `language`: a language that products are offered in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Language {
    /// `default`: `true` for exactly one language of a feed.
    pub default: Option<String>,
    /// `languageId`: `en`, `pt-br`, …
    pub id: String,
    /// `name`, for people.
    pub name: Option<Text>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Language, "language" { "default" => default } [ "languageId" => id, "name" => name ]);

impl Language {
    /// Whether it is marked as the feed's default.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.default
            .as_deref()
            .is_some_and(|default| default.eq_ignore_ascii_case("true"))
    }
}

/// `keyword`: what `keywordId` in an entry refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keyword {
    /// `id`.
    pub id: Option<String>,
    /// `resourceName`: the name of the text's translation.
    pub resource_name: Option<String>,
    /// The keyword as people see it.
    pub name: String,
    /// What the model has no field for.
    pub rest: Rest,
}

impl Model for Keyword {
    const NAME: &'static str = "keyword";

    fn read(element: TreeElement<'_, '_>) -> Self {
        let mut this = Self {
            name: element.text().trim().to_owned(),
            ..Self::default()
        };
        let mut rest = RestReader::new(element.span());
        for attribute in element.attributes() {
            let field = if attribute.name.eq_ignore_ascii_case("id") {
                &mut this.id
            } else if attribute.name.eq_ignore_ascii_case("resourceName") {
                &mut this.resource_name
            } else {
                rest.attribute(attribute);
                continue;
            };
            if field.is_none() {
                *field = Some(attribute.value().trim().to_owned());
            } else {
                rest.attribute(attribute);
            }
        }
        for node in element.children() {
            match node {
                TreeNode::Element(child) => rest.child(child, 0, Taken::No),
                node => rest.other(node, true),
            }
        }
        this.rest = rest.finish();
        this
    }

    fn write(&self, name: &str, out: &mut dyn Sink) {
        out.start(name);
        write_attribute(self.id.as_deref(), "id", out);
        write_attribute(self.resource_name.as_deref(), "resourceName", out);
        self.rest.write_attributes(out);
        self.rest
            .write_content(out, |out| out.text(&self.name), &|field, n, _, out| {
                let is_there = field == TEXT && n == 0 && !self.name.is_empty();
                if is_there {
                    out.text(&self.name);
                }
                is_there
            });
        out.end();
    }
}
