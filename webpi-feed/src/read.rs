//! Reading a feed.

use spanned_xml::{Limits, Parser, Problem, Problems, Source};

use crate::Feed;
use crate::check::check_source;
use crate::feed_reader::{FeedHead, Progress, Visit, visit};

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
        let feed = Self::parse(source)?;
        let problems = check_source(source, &feed)?;
        Ok((feed, problems))
    }

    /// Reads a feed as [`Feed::read`] does, without checking it.
    ///
    /// # Errors
    ///
    /// As [`Feed::read`].
    pub fn parse(source: &Source) -> Result<Self, Problems> {
        let mut head = FeedHead::new();
        visit_source(source, &mut head)?;
        Ok(head.finish())
    }
}

/// Gives all of a source to `visitor`.
pub(crate) fn visit_source(source: &Source, visitor: &mut impl Visit) -> Result<(), Problems> {
    Parser::new(source.text(), Limits::default())
        .and_then(|mut parser| visit(&mut parser, visitor, &mut Progress::default(), true, &mut 0))
        .map_err(|problem| problem.in_source(source))
}
