//! Writing a feed.

use spanned_xml::XmlWriter;

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
        let mut xml = XmlWriter::new("  ", "\n");
        xml.declaration();
        xml.start("feed");
        let has_namespace = |(name, _): &(String, String)| name == "xmlns";
        if !self.rest.attributes().iter().any(has_namespace) {
            xml.attribute("xmlns", ATOM_NAMESPACE);
        }
        self.write_rest(&mut xml);
        xml.end();
        xml.finish()
    }
}
