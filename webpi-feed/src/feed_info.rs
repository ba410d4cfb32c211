//! What a feed is built from, besides its products.

#[cfg(doc)]
use crate::{IIS_MANAGEMENT_CONSOLE, WEB_DEPLOY};

/// What a feed says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedInfo {
    /// Its title.
    pub title: String,
    /// Its `id`: a URI that stays the same when the feed moves or changes; the project's home page for example.
    pub id: String,
    /// Where the feed will be.
    pub link: Option<String>,
    /// Its author's name.
    pub author_name: Option<String>,
    /// Its author's home page.
    pub author_url: Option<String>,
    /// When it changed last, in seconds since 1970-01-01T00:00:00Z.
    pub updated: i64,
    /// Identifiers and names of the languages that products are offered in, the default first; English by default. The
    /// languages of products are added where they are missing.
    pub languages: Vec<(String, String)>,
    /// Adds [`WEB_DEPLOY`] and [`IIS_MANAGEMENT_CONSOLE`] to what packages depend on, where they are not named; by default
    /// it does. Without the first, WebPI on IIS fails to load `Microsoft.Web.Deployment`; without the second, a class of
    /// IIS's configuration is not registered.
    pub require_web_deploy: bool,
}

impl FeedInfo {
    /// A feed of this title and `id`, in English.
    #[must_use]
    pub fn new(title: impl Into<String>, id: impl Into<String>, updated: i64) -> Self {
        Self {
            title: title.into(),
            id: id.into(),
            link: None,
            author_name: None,
            author_url: None,
            updated,
            languages: vec![("en".to_owned(), "English".to_owned())],
            require_web_deploy: true,
        }
    }
}
