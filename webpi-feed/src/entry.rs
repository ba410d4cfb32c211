//! `entry`: a product.
//!
//! *Web Platform Installer Feed Reference*, "entry Element"
//! <https://learn.microsoft.com/en-us/previous-versions/ee424362(v=ws.10)>: "can contain user-defined elements", which are
//! kept in [`Entry::rest`].

use crate::element::element;
use crate::{Dependency, DiscoveryHint, Installer, Link, List, Person, Rest, Text};

/// A product.
///
/// A feed may put a product's title and the like into `metadata`, which overrides what stands in the entry itself: the
/// methods of the same names look there first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// `type`: `application` for what is installed into a site; other products have none.
    pub entry_type: Option<String>,
    /// `productId`: unique in the feed; empty where it is missing.
    pub product_id: String,
    /// `metadata`, which overrides the fields of the same names.
    pub metadata: Option<Box<Metadata>>,
    /// `title`.
    pub title: Option<Text>,
    /// `id`: a URI, unique in the feed.
    pub id: Option<String>,
    /// `summary`: one sentence.
    pub summary: Option<Text>,
    /// `version`: free text.
    pub version: Option<String>,
    /// `updated`: `YYYY-MM-DDThh:mm:ssZ`.
    pub updated: Option<String>,
    /// `published`: `YYYY-MM-DDThh:mm:ssZ`.
    pub published: Option<String>,
    /// `longSummary`: a paragraph.
    pub long_summary: Option<Text>,
    /// `link`: the product's home page.
    pub links: Vec<Link>,
    /// `images`.
    pub images: Option<Images>,
    /// `author`.
    pub authors: Vec<Person>,
    /// `keywords`: identifiers that the feed's `keywords` declare.
    pub keywords: List<String>,
    /// `productFamily`: a heading that products are grouped under.
    pub product_family: Option<Text>,
    /// `discoveryHint`: how to see whether the product is installed already.
    pub discovery_hint: Option<DiscoveryHint>,
    /// `relatedDiscovery`: further hints that others refer to.
    pub related_discovery: List<RelatedDiscoveryHint>,
    /// `dependency`: what must be installed before.
    pub dependency: Option<Dependency>,
    /// `incompatibilities`: what must not be there.
    pub incompatibilities: Option<Incompatibilities>,
    /// `related`: products that go well with this one.
    pub related: List<RelatedProduct>,
    /// `updates`: the product that this one is an update of.
    pub updates: Option<Updates>,
    /// `externalPackages`: packages of other package managers.
    pub external_packages: List<ExternalPackage>,
    /// `terms` of use.
    pub terms: Option<Box<Terms>>,
    /// `installers`.
    pub installers: List<Installer>,
    /// `addToFeedDate`: `MM-DD-YYYY`.
    pub add_to_feed_date: Option<String>,
    /// `pageName`: the name of the product's page in the gallery.
    pub page_name: Option<String>,
    /// `searchExclude`: not found by searching.
    pub search_exclude: bool,
    /// `summaryExclude`: not shown in the summary of an installation.
    pub summary_exclude: bool,
    /// `noUpgrade`: not offered as an upgrade.
    pub no_upgrade: bool,
    /// `featured`: shown first.
    pub featured: bool,
    /// `hideDownloadLink`.
    pub hide_download_link: bool,
    /// `offlineExclude`: left out of offline copies.
    pub offline_exclude: bool,
    /// `supportsMU`: updated by Microsoft Update.
    pub supports_mu: bool,
    /// `external`: only described; a link leads to its own installer.
    pub external: bool,
    /// `noDisplayDefault`.
    pub no_display_default: bool,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Entry, "entry" { "type" => entry_type } [
    "productId" => product_id,
    "metadata" => metadata,
    "title" => title,
    "id" => id,
    "summary" => summary,
    "version" => version,
    "updated" => updated,
    "published" => published,
    "longSummary" => long_summary,
    "link" => links,
    "images" => images,
    "author" => authors,
    "keywords/keywordId" => keywords,
    "productFamily" => product_family,
    "discoveryHint" => discovery_hint,
    "relatedDiscovery" => related_discovery,
    "dependency" => dependency,
    "incompatibilities" => incompatibilities,
    "related" => related,
    "updates" => updates,
    "externalPackages" => external_packages,
    "terms" => terms,
    "installers" => installers,
    "addToFeedDate" => add_to_feed_date,
    "pageName" => page_name,
    "searchExclude" => search_exclude,
    "summaryExclude" => summary_exclude,
    "noUpgrade" => no_upgrade,
    "featured" => featured,
    "hideDownloadLink" => hide_download_link,
    "offlineExclude" => offline_exclude,
    "supportsMU" => supports_mu,
    "external" => external,
    "noDisplayDefault" => no_display_default,
]);

/// `type` of an entry that is installed into a site.
pub const APPLICATION: &str = "application";

macro_rules! overridden {
    ($(#[doc = $doc:literal] $name:ident: $type:ty;)*) => {
        impl Entry {$(
            #[doc = $doc]
            #[must_use]
            pub fn $name(&self) -> Option<&$type> {
                self.metadata
                    .as_ref()
                    .and_then(|metadata| metadata.$name.as_ref())
                    .or(self.$name.as_ref())
            }
        )*}
    };
}

overridden! {
    #[doc = "The title, that of `metadata` first."]
    title: Text;
    #[doc = "The summary, that of `metadata` first."]
    summary: Text;
    #[doc = "The long summary, that of `metadata` first."]
    long_summary: Text;
    #[doc = "The identifier, that of `metadata` first."]
    id: String;
    #[doc = "The version, that of `metadata` first."]
    version: String;
    #[doc = "The time of the last change, that of `metadata` first."]
    updated: String;
    #[doc = "The time of publication, that of `metadata` first."]
    published: String;
    #[doc = "The images, those of `metadata` first."]
    images: Images;
}

impl Entry {
    /// The home page, that of `metadata` first.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        let first = |links: &[Link]| links.iter().position(|link| link.href.is_some());
        let links = match &self.metadata {
            Some(metadata) if first(&metadata.links).is_some() => &metadata.links,
            _ => &self.links,
        };
        links.iter().find_map(|link| link.href.as_deref())
    }

    /// The first author, that of `metadata` first.
    #[must_use]
    pub fn author(&self) -> Option<&Person> {
        self.metadata
            .as_ref()
            .and_then(|metadata| metadata.authors.first())
            .or_else(|| self.authors.first())
    }

    /// The keywords' identifiers, those of `metadata` first.
    #[must_use]
    pub fn keyword_ids(&self) -> &[String] {
        match &self.metadata {
            Some(metadata) if !metadata.keywords.is_empty() => &metadata.keywords,
            _ => &self.keywords,
        }
    }

    /// Whether the product is installed into a site.
    #[must_use]
    pub fn is_application(&self) -> bool {
        self.entry_type
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case(APPLICATION))
    }

    /// Identifiers of the products that go well with this one.
    pub fn related_products(&self) -> impl Iterator<Item = &str> + '_ {
        self.related
            .iter()
            .map(|related| related.product_id.as_str())
    }
}

/// `metadata`: an entry's title and the like; overrides those of the entry itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// `title`.
    pub title: Option<Text>,
    /// `id`.
    pub id: Option<String>,
    /// `version`.
    pub version: Option<String>,
    /// `updated`.
    pub updated: Option<String>,
    /// `published`.
    pub published: Option<String>,
    /// `summary`.
    pub summary: Option<Text>,
    /// `longSummary`.
    pub long_summary: Option<Text>,
    /// `link`.
    pub links: Vec<Link>,
    /// `author`.
    pub authors: Vec<Person>,
    /// `images`.
    pub images: Option<Images>,
    /// `keywords`.
    pub keywords: List<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Metadata, "metadata" {} [
    "title" => title,
    "id" => id,
    "version" => version,
    "updated" => updated,
    "published" => published,
    "summary" => summary,
    "longSummary" => long_summary,
    "link" => links,
    "author" => authors,
    "images" => images,
    "keywords/keywordId" => keywords,
]);

/// `images`: URLs of pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Images {
    /// `icon`.
    pub icon: Option<String>,
    /// `screenshot`, up to seven in published feeds.
    pub screenshots: Vec<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Images, "images" {} [ "icon" => icon, "screenshot" => screenshots ]);

/// `relatedDiscoveryHint`: a hint with a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelatedDiscoveryHint {
    /// `id`.
    pub id: Option<String>,
    /// `discoveryHint`.
    pub discovery_hint: Option<DiscoveryHint>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(RelatedDiscoveryHint, "relatedDiscoveryHint" {} [ "id" => id, "discoveryHint" => discovery_hint ]);

/// `incompatibilities`: what must not be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incompatibilities {
    /// `incompatibleProduct`: products that must not be installed.
    pub products: Vec<String>,
    /// `incompatibleProcess`: programs that must not be running.
    pub processes: Vec<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Incompatibilities, "incompatibilities" {} [
    "incompatibleProduct" => products,
    "incompatibleProcess" => processes,
]);

/// `relatedProduct`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelatedProduct {
    /// `productId`.
    pub product_id: String,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(RelatedProduct, "relatedProduct" {} [ "productId" => product_id ]);

impl From<&str> for RelatedProduct {
    fn from(product_id: &str) -> Self {
        Self {
            product_id: product_id.to_owned(),
            rest: Rest::default(),
        }
    }
}

/// `updates`: the product that this one is an update of, which must also be a dependency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Updates {
    /// `productId`.
    pub product_id: String,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Updates, "updates" {} [ "productId" => product_id ]);

/// `externalPackage`: the product in another package manager; since version 5 of the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExternalPackage {
    /// `packageid`.
    pub package_id: Option<String>,
    /// `packageType`.
    pub package_type: Option<String>,
    /// `version`.
    pub version: Option<String>,
    /// `feedURL`.
    pub feed_url: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(ExternalPackage, "externalPackage" {} [
    "packageid" => package_id,
    "packageType" => package_type,
    "version" => version,
    "feedURL" => feed_url,
]);

/// `terms` of use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// `termsText`.
    pub text: Option<Text>,
    /// `termsLink`.
    pub link: Option<String>,
    /// `termsLinkText`.
    pub link_text: Option<Text>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Terms, "terms" {} [ "termsText" => text, "termsLink" => link, "termsLinkText" => link_text ]);
