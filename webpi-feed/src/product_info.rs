//! What a product's entry is built from.

use crate::Architecture;

/// What a feed says of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProductInfo {
    /// `productId`: unique in the feed, without white space, and fit for a folder's name.
    pub product_id: String,
    /// Its `id`, a URI unique in the feed; by default the feed's `id`, `#` and the product identifier.
    pub id: Option<String>,
    /// Its title, as people see it.
    pub title: String,
    /// One sentence on it; the title by default.
    pub summary: Option<String>,
    /// A paragraph on it.
    pub long_summary: Option<String>,
    /// Its version.
    pub version: String,
    /// Its home page.
    pub home_page: Option<String>,
    /// Its author's name.
    pub author_name: Option<String>,
    /// Its author's home page.
    pub author_url: Option<String>,
    /// The licence, which people are asked to accept.
    pub license_url: Option<String>,
    /// What people are shown as the place it comes from.
    pub display_url: Option<String>,
    /// Where its users find help.
    pub help_url: Option<String>,
    /// When this version changed last, in seconds since 1970-01-01T00:00:00Z.
    pub updated: i64,
    /// When it was published, in seconds since 1970-01-01T00:00:00Z; `updated` by default.
    pub published: Option<i64>,
    /// Its icon.
    pub icon_url: Option<String>,
    /// Its screenshots.
    pub screenshot_urls: Vec<String>,
    /// A file that shows that it is installed: `%ProgramFiles%\…`.
    pub discovery_file: Option<String>,
    /// `productId`s of what must be installed before.
    pub dependencies: Vec<String>,
    /// `productId`s of what goes well with it.
    pub related: Vec<String>,
    /// Its keywords; the feed declares them.
    pub keywords: Vec<String>,
    /// Its language, `en` by default.
    pub language_id: String,
    /// What it can be installed on; empty, the default, for anything.
    pub architectures: Vec<Architecture>,
    /// How it is installed.
    pub package: Package,
}

impl ProductInfo {
    /// A product in English that can be installed anywhere and depends on nothing of its own.
    #[must_use]
    pub fn new(
        product_id: impl Into<String>,
        title: impl Into<String>,
        version: impl Into<String>,
        updated: i64,
        package: Package,
    ) -> Self {
        Self {
            product_id: product_id.into(),
            id: None,
            title: title.into(),
            summary: None,
            long_summary: None,
            version: version.into(),
            home_page: None,
            author_name: None,
            author_url: None,
            license_url: None,
            display_url: None,
            help_url: None,
            updated,
            published: None,
            icon_url: None,
            screenshot_urls: Vec::new(),
            discovery_file: None,
            dependencies: Vec::new(),
            related: Vec::new(),
            keywords: Vec::new(),
            language_id: "en".to_owned(),
            architectures: Vec::new(),
            package,
        }
    }
}

/// How a product is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Package {
    /// By Web Deploy, into a site.
    MsDeploy(FilePackage),
    /// By pip, into the machine's Python.
    Pip(PipInstall),
}

/// A Web Deploy package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePackage {
    /// Where it is.
    pub url: String,
    /// Its size in octets.
    pub size_octets: u64,
    /// SHA-1 of its octets, 40 hexadecimal digits.
    pub sha1: String,
}

/// What pip installs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipInstall {
    /// The requirement, PEP 508: `iiswsgi==0.4`.
    pub requirement: String,
    /// The Python to install into; the Python launcher by default.
    pub python: String,
}

impl PipInstall {
    /// The Python launcher, where it is installed for all users.
    pub const PYTHON_LAUNCHER: &'static str = r"%SystemRoot%\py.exe";

    /// A requirement to install through the Python launcher.
    #[must_use]
    pub fn new(requirement: impl Into<String>) -> Self {
        Self {
            requirement: requirement.into(),
            python: Self::PYTHON_LAUNCHER.to_owned(),
        }
    }
}
