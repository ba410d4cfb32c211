//! A feed from plain values.
//!
//! What WebPI was strict about is done here once, whatever writes the feed: sizes in KB and never 0, SHA-1 always, times in
//! UTC and whole seconds, unique identifiers, keywords declared, Web Deploy among what a package depends on.

use std::collections::HashSet;

use serde::Serialize;

use crate::entry::APPLICATION;
use crate::product_id::{self, IIS_MANAGEMENT_CONSOLE, WEB_DEPLOY};
use crate::time::{feed_date, format_time};
use crate::{
    Architecture, Cmdline, Dependency, DiscoveryHint, Entry, Error, Feed, FeedInfo, FilePackage,
    Images, InstallCommand, Installer, InstallerFile, Keyword, Language, Link, List, MsDeploy,
    Package, Person, PipInstall, ProductInfo, RelatedProduct, Resources, Text, WebpiFile,
};

/// The version of the format that is written: that of WebPI 4.
const WEBPI_FILE_VERSION: &str = "4.0.1.0";

/// What a template is given: everything derived and checked.
#[derive(Debug, Serialize)]
pub(crate) struct Context {
    version: &'static str,
    title: String,
    id: String,
    link: Option<String>,
    author_name: Option<String>,
    author_url: Option<String>,
    updated: String,
    languages: Vec<LanguageContext>,
    keywords: Vec<String>,
    products: Vec<ProductContext>,
}

#[derive(Debug, Serialize)]
struct LanguageContext {
    id: String,
    name: String,
    default: bool,
}

#[derive(Debug, Serialize)]
struct ProductContext {
    product_id: String,
    id: String,
    title: String,
    summary: String,
    long_summary: Option<String>,
    version: String,
    home_page: Option<String>,
    author_name: Option<String>,
    author_url: Option<String>,
    license_url: Option<String>,
    display_url: Option<String>,
    help_url: Option<String>,
    updated: String,
    published: String,
    add_to_feed_date: Option<String>,
    icon_url: Option<String>,
    screenshot_urls: Vec<String>,
    discovery_file: Option<String>,
    /// The only dependency; none where there are none or more than one, which stand in an `and`.
    single_dependency: Option<String>,
    dependencies: Vec<String>,
    related: Vec<String>,
    keywords: Vec<String>,
    language_id: String,
    architectures: Vec<&'static str>,
    ms_deploy: Option<MsDeployContext>,
    pip: Option<PipContext>,
}

#[derive(Debug, Serialize)]
struct MsDeployContext {
    url: String,
    file_size: u64,
    sha1: String,
}

#[derive(Debug, Serialize)]
struct PipContext {
    exe: String,
    arguments: String,
    requirement: String,
}

impl Feed {
    /// A feed of these products.
    ///
    /// ```
    /// use webpi_feed::{Feed, FeedInfo, FilePackage, Package, ProductInfo};
    ///
    /// let package = Package::MsDeploy(FilePackage {
    ///     url: "https://example.org/sample-1.0.zip".to_owned(),
    ///     size_octets: 3000,
    ///     sha1: "eb36e73bcf3d5e6bdfe2e78fd68cf14fc3a45c7d".to_owned(),
    /// });
    /// let product = ProductInfo::new("Sample", "A sample", "1.0", 1_351_512_000, package);
    /// let info = FeedInfo::new("Our products", "https://example.org/feed", 1_351_512_000);
    /// let feed = Feed::build(&info, &[product])?;
    /// assert!(feed.write().contains("<fileSize>3</fileSize>"));
    /// # Ok::<(), webpi_feed::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No product; a title, version, URL or `id` that is empty; product identifiers that WebPI cannot use, or that two
    /// products have; a digest that is not one; a time outside the years 1 to 9999; dependencies that go in a circle.
    pub fn build(info: &FeedInfo, products: &[ProductInfo]) -> Result<Self, Error> {
        let feed = Context::new(info, products)?.feed();
        crate::cycle::refuse(&feed)?;
        Ok(feed)
    }
}

impl Context {
    pub(crate) fn new(info: &FeedInfo, products: &[ProductInfo]) -> Result<Self, Error> {
        if products.is_empty() {
            return Err(Error::NoProducts);
        }
        let mut languages: Vec<LanguageContext> = Vec::new();
        let named = info.languages.iter().map(|(id, name)| (id, name));
        let used = products
            .iter()
            .map(|product| (&product.language_id, &product.language_id));
        for (id, name) in named.chain(used) {
            if !languages
                .iter()
                .any(|language| language.id.eq_ignore_ascii_case(id.trim()))
            {
                languages.push(LanguageContext {
                    id: filled(id, "the feed", "language")?,
                    name: filled(name, "the feed", "language name")?,
                    default: languages.is_empty(),
                });
            }
        }
        let mut keywords: Vec<String> = Vec::new();
        for keyword in products.iter().flat_map(|product| &product.keywords) {
            push_unique(&mut keywords, &filled(keyword, "the feed", "keyword")?);
        }
        let feed_id = filled(&info.id, "the feed", "id")?;
        let mut product_ids = HashSet::new();
        let mut ids = HashSet::from([feed_id.clone()]);
        let mut contexts = Vec::with_capacity(products.len());
        for product in products {
            let context = ProductContext::new(info, &feed_id, product)?;
            if !product_ids.insert(context.product_id.to_ascii_lowercase()) {
                return Err(Error::DuplicateProduct {
                    product_id: context.product_id,
                });
            }
            if !ids.insert(context.id.clone()) {
                return Err(Error::DuplicateId {
                    product_id: context.product_id,
                    id: context.id,
                });
            }
            contexts.push(context);
        }
        Ok(Self {
            version: WEBPI_FILE_VERSION,
            title: filled(&info.title, "the feed", "title")?,
            id: feed_id,
            link: optional(info.link.as_deref()),
            author_name: optional(info.author_name.as_deref()),
            author_url: optional(info.author_url.as_deref()),
            updated: format_time(info.updated)?,
            languages,
            keywords,
            products: contexts,
        })
    }

    pub(crate) fn feed(&self) -> Feed {
        Feed {
            webpi_file: Some(WebpiFile {
                version: Some(self.version.to_owned()),
                ..WebpiFile::default()
            }),
            title: Some(self.title.as_str().into()),
            links: self
                .link
                .iter()
                .map(|href| Link {
                    rel: Some("self".to_owned()),
                    ..Link::to(href)
                })
                .collect(),
            updated: Some(self.updated.clone()),
            authors: person(self.author_name.as_deref(), self.author_url.as_deref()),
            id: Some(self.id.clone()),
            resources: self
                .languages
                .iter()
                .filter(|language| language.default)
                .map(|language| Resources {
                    culture: language.id.clone(),
                    ..Resources::default()
                })
                .collect(),
            languages: self
                .languages
                .iter()
                .map(|language| Language {
                    default: language.default.then(|| "true".to_owned()),
                    id: language.id.clone(),
                    name: Some(language.name.as_str().into()),
                    ..Language::default()
                })
                .collect(),
            entries: self.products.iter().map(ProductContext::entry).collect(),
            keywords: self
                .keywords
                .iter()
                .map(|keyword| Keyword {
                    id: Some(keyword.clone()),
                    resource_name: Some(format!("Keyword_{keyword}")),
                    name: keyword.clone(),
                    ..Keyword::default()
                })
                .collect(),
            ..Feed::default()
        }
    }
}

impl ProductContext {
    fn new(info: &FeedInfo, feed_id: &str, product: &ProductInfo) -> Result<Self, Error> {
        let product_id = checked_id(&product.product_id)?;
        let owner = format!("product `{product_id}`");
        let mut dependencies = Vec::new();
        for dependency in &product.dependencies {
            push_unique(&mut dependencies, &checked_id(dependency)?);
        }
        let mut related = Vec::new();
        for other in &product.related {
            push_unique(&mut related, &checked_id(other)?);
        }
        let mut keywords = Vec::new();
        for keyword in &product.keywords {
            push_unique(&mut keywords, keyword.trim());
        }
        let (ms_deploy, pip) = match &product.package {
            Package::MsDeploy(package) => {
                if info.require_web_deploy {
                    let has_web_deploy = dependencies.iter().any(|dependency: &String| {
                        dependency
                            .to_ascii_lowercase()
                            .starts_with(&WEB_DEPLOY.to_ascii_lowercase())
                    });
                    if !has_web_deploy && !product_id.eq_ignore_ascii_case(WEB_DEPLOY) {
                        dependencies.push(WEB_DEPLOY.to_owned());
                    }
                    if !product_id.eq_ignore_ascii_case(IIS_MANAGEMENT_CONSOLE) {
                        push_unique(&mut dependencies, IIS_MANAGEMENT_CONSOLE);
                    }
                }
                (
                    Some(MsDeployContext::new(&product_id, &owner, package)?),
                    None,
                )
            }
            Package::Pip(install) => (None, Some(PipContext::new(&owner, install)?)),
        };
        let updated = format_time(product.updated)?;
        let published = product
            .published
            .map_or_else(|| Ok(updated.clone()), format_time)?;
        let separator = if feed_id.contains('#') { '/' } else { '#' };
        let title = filled(&product.title, &owner, "title")?;
        Ok(Self {
            id: optional(product.id.as_deref())
                .unwrap_or_else(|| format!("{feed_id}{separator}{product_id}")),
            summary: optional(product.summary.as_deref()).unwrap_or_else(|| title.clone()),
            title,
            long_summary: optional(product.long_summary.as_deref()),
            version: filled(&product.version, &owner, "version")?,
            home_page: optional(product.home_page.as_deref()),
            author_name: optional(product.author_name.as_deref()),
            author_url: optional(product.author_url.as_deref()),
            license_url: optional(product.license_url.as_deref()),
            display_url: optional(product.display_url.as_deref()),
            help_url: optional(product.help_url.as_deref()),
            add_to_feed_date: feed_date(&published),
            updated,
            published,
            icon_url: optional(product.icon_url.as_deref()),
            screenshot_urls: product
                .screenshot_urls
                .iter()
                .filter_map(|url| optional(Some(url)))
                .collect(),
            discovery_file: optional(product.discovery_file.as_deref()),
            single_dependency: match dependencies.as_slice() {
                [single] => Some(single.clone()),
                _ => None,
            },
            dependencies,
            related,
            keywords,
            language_id: filled(&product.language_id, &owner, "language")?,
            architectures: Architecture::ALL
                .into_iter()
                .filter(|architecture| product.architectures.contains(architecture))
                .map(Architecture::name)
                .collect(),
            ms_deploy,
            pip,
            product_id,
        })
    }

    fn entry(&self) -> Entry {
        let text = |value: &str, part: &str| {
            Text::named(value, format!("Entry_{}_{part}", self.product_id))
        };
        let images = Images {
            icon: self.icon_url.clone(),
            screenshots: self.screenshot_urls.clone(),
            ..Images::default()
        };
        Entry {
            entry_type: self.ms_deploy.is_some().then(|| APPLICATION.to_owned()),
            product_id: self.product_id.clone(),
            title: Some(text(&self.title, "Title")),
            id: Some(self.id.clone()),
            summary: Some(text(&self.summary, "Summary")),
            version: Some(self.version.clone()),
            updated: Some(self.updated.clone()),
            published: Some(self.published.clone()),
            long_summary: self
                .long_summary
                .as_deref()
                .map(|summary| text(summary, "LongSummary")),
            links: self.home_page.iter().map(Link::to).collect(),
            images: (images != Images::default()).then_some(images),
            authors: person(self.author_name.as_deref(), self.author_url.as_deref()),
            keywords: self.keywords.iter().cloned().collect(),
            discovery_hint: self.discovery_file.as_ref().map(DiscoveryHint::file),
            dependency: Dependency::on_all(&self.dependencies),
            related: self
                .related
                .iter()
                .map(|product_id| RelatedProduct::from(product_id.as_str()))
                .collect(),
            installers: List::from(vec![self.installer()]),
            add_to_feed_date: self.add_to_feed_date.clone(),
            page_name: Some(self.product_id.clone()),
            ..Entry::default()
        }
    }

    fn installer(&self) -> Installer {
        Installer {
            id: "1".to_owned(),
            language_id: Some(self.language_id.clone()),
            architectures: Architecture::ALL
                .into_iter()
                .filter(|architecture| self.architectures.contains(&architecture.name()))
                .collect(),
            eula_url: self.license_url.clone(),
            installer_file: self.ms_deploy.as_ref().map(|package| InstallerFile {
                file_size: Some(package.file_size),
                installer_url: package.url.clone(),
                display_url: self.display_url.clone(),
                sha1: Some(package.sha1.clone()),
                ..InstallerFile::default()
            }),
            install_commands: self.pip.as_ref().map(|pip| {
                List::from(vec![InstallCommand::Cmdline(Cmdline {
                    exe: pip.exe.clone(),
                    command_line_arguments: Some(pip.arguments.clone()),
                    ..Cmdline::default()
                })])
            }),
            ms_deploy: self.ms_deploy.as_ref().map(|_| MsDeploy::default()),
            help_link: self.help_url.clone(),
            ..Installer::default()
        }
    }
}

impl MsDeployContext {
    fn new(product_id: &str, owner: &str, package: &FilePackage) -> Result<Self, Error> {
        let sha1 = package.sha1.trim().to_ascii_lowercase();
        if !is_sha1(&sha1) {
            return Err(Error::Sha1 {
                product_id: product_id.to_owned(),
                found: package.sha1.clone(),
            });
        }
        Ok(Self {
            url: filled(&package.url, owner, "package URL")?,
            file_size: package.size_octets.div_ceil(1024).max(1),
            sha1,
        })
    }
}

impl PipContext {
    fn new(owner: &str, install: &PipInstall) -> Result<Self, Error> {
        let requirement = filled(&install.requirement, owner, "requirement")?;
        Ok(Self {
            exe: filled(&install.python, owner, "Python")?,
            arguments: format!("-m pip install {}", quote_argument(&requirement)),
            requirement,
        })
    }
}

/// Whether a text is a SHA-1 digest in hexadecimal.
pub(crate) fn is_sha1(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|octet| octet.is_ascii_hexdigit())
}

fn person(name: Option<&str>, uri: Option<&str>) -> Vec<Person> {
    if name.is_none() && uri.is_none() {
        return Vec::new();
    }
    vec![Person {
        name: name.or(uri).map(str::to_owned),
        uri: uri.map(str::to_owned),
        ..Person::default()
    }]
}

/// In quotes for a Windows command line: quotes inside are escaped by backslashes, and backslashes before a quote doubled.
///
/// *Parsing C Command-Line Arguments* <https://learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments>.
fn quote_argument(argument: &str) -> String {
    let mut quoted = String::from("\"");
    let mut backslashes = 0;
    for character in argument.chars() {
        match character {
            '\\' => backslashes += 1,
            '"' => {
                quoted.extend(core::iter::repeat_n('\\', backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        quoted.push(character);
    }
    quoted.extend(core::iter::repeat_n('\\', backslashes));
    quoted.push('"');
    quoted
}

fn checked_id(product_id: &str) -> Result<String, Error> {
    let product_id = product_id.trim();
    match product_id::fault(product_id) {
        Some(reason) => Err(Error::ProductId {
            product_id: product_id.to_owned(),
            reason,
        }),
        None => Ok(product_id.to_owned()),
    }
}

fn filled(text: &str, owner: &str, field: &'static str) -> Result<String, Error> {
    optional(Some(text)).ok_or_else(|| Error::Empty {
        owner: owner.to_owned(),
        field,
    })
}

fn optional(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn push_unique(list: &mut Vec<String>, text: &str) {
    if !list.iter().any(|known| known.eq_ignore_ascii_case(text)) {
        list.push(text.to_owned());
    }
}
