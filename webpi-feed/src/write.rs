//! Writing a feed.

use spanned_xml::XmlWriter;

use crate::element::Model;
use crate::{ATOM_NAMESPACE, Feed};

impl Feed {
    /// The feed as XML: UTF-8, two spaces a level, `\n` line ends. The same feed gives the same text.
    ///
    /// Elements that were read come in the order they were read in, with the comments between them; what was added
    /// comes after them. Names that were read in another case are written as WebPI documents them: `cmdline`.
    ///
    /// ```
    /// use webpi_feed::Feed;
    ///
    /// let mut feed = Feed::default();
    /// feed.title = Some("Our products".into());
    /// assert!(feed.write().contains("<title>Our products</title>"));
    /// ```
    #[must_use]
    pub fn write(&self) -> String {
        let mut tree = Model::write(self, "feed");
        if !tree.attributes.iter().any(|(name, _)| name == "xmlns") {
            tree.attributes
                .insert(0, ("xmlns".to_owned(), ATOM_NAMESPACE.to_owned()));
        }
        let mut xml = XmlWriter::new("  ", "\n");
        xml.declaration();
        tree.write(&mut xml);
        xml.finish()
    }
}
