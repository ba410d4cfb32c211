//! Reading a feed.

use spanned_xml::{Document, Problem, Problems, Source};

use crate::check::check_feed;
use crate::element::Model;
use crate::{ATOM_NAMESPACE, Feed};

impl Feed {
    /// Reads a feed, and says what is wrong with it.
    ///
    /// Names of elements and attributes are compared without regard to case, as WebPI did. Whatever has no place in the
    /// model is kept and written back by [`Feed::write`].
    ///
    /// A feed with faults can often still be used, as WebPI used what it understood of a feed: the problems, all that
    /// [`check()`](crate::check()) finds, are returned beside it, errors too. Those of one product lie inside its
    /// [`Rest::span`](crate::Rest::span).
    ///
    /// ```
    /// use spanned_xml::Source;
    /// use webpi_feed::Feed;
    ///
    /// let source = Source::from_text(
    ///     "feed.xml",
    ///     r#"<feed xmlns="http://www.w3.org/2005/Atom">
    ///          <entry><productId>Sample</productId><title>A sample</title></entry>
    ///        </feed>"#,
    /// );
    /// let (feed, problems) = Feed::read(&source)?;
    /// assert_eq!(feed.entry("sample").and_then(|entry| entry.title()).map(|title| title.as_str()), Some("A sample"));
    /// assert!(problems.iter().any(|problem| problem.code == "webpi-no-installers"));
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text is not well-formed XML, its document element is not `feed`, or one of `spanned-xml`'s limits was reached.
    pub fn read(source: &Source) -> Result<(Self, Vec<Problem>), Problems> {
        let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
        let feed = Self::from_document(&document).map_err(|problem| problem.in_source(source))?;
        let problems = check_feed(&document, &feed);
        Ok((feed, problems))
    }

    /// Reads a feed from a document, without checking it.
    ///
    /// # Errors
    ///
    /// The document element is not `feed`.
    pub fn from_document(document: &Document) -> Result<Self, Problem> {
        let root = document.root();
        if !root.is("feed") {
            return Err(Problem::error(
                "webpi-not-a-feed",
                format!("the document element is `{}`, not `feed`", root.name),
            )
            .at(root.name_span)
            .help(if root.local_name().eq_ignore_ascii_case("feed") {
                "make the Atom namespace the default one: `<feed xmlns=\"http://www.w3.org/2005/Atom\">`"
            } else {
                "this is not a WebPI feed; is the address right?"
            }));
        }
        let mut feed = <Self as Model>::read(root);
        feed.rest
            .attributes
            .retain(|(name, value)| name != "xmlns" || value != ATOM_NAMESPACE);
        Ok(feed)
    }
}
