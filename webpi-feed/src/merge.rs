//! Several feeds made one.

use crate::{Feed, Link, List};

/// Feeds made one, and where they do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// The feed: title, author and `id` are those of the first.
    pub feed: Feed,
    /// What the feeds define differently; the definition of the first of them that has one is in [`Merged::feed`].
    pub conflicts: Vec<MergeConflict>,
}

/// Two feeds define the same name differently.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MergeConflict {
    /// The element: `entry`, `keyword`, `language`, `dependency`, `discoveryHint`, `os` or `osList`.
    pub element: &'static str,
    /// Its `productId` or `id`.
    pub id: String,
    /// The feed whose definition is kept, counted from 0.
    pub kept: usize,
    /// The feed whose definition is left out.
    pub dropped: usize,
}

/// Makes one feed of several: every product, keyword, language and definition once, in the order of the feeds.
///
/// Product identifiers are compared without regard to the case of letters, other names exactly. Links to feeds that are loaded
/// together with one of them are kept; `updated` is that of the feed that was changed last. What is no part of the model, tabs
/// for example, is kept too, from every feed.
///
/// ```
/// use spanned_xml::Source;
/// use webpi_feed::{Feed, merge};
///
/// let read = |text| Feed::read(&Source::from_text("feed.xml", text)).map(|(feed, _)| feed);
/// let one = read("<feed><entry><productId>A</productId></entry></feed>")?;
/// let two = read("<feed><entry><productId>a</productId><title>Other</title></entry><entry><productId>B</productId></entry></feed>")?;
/// let merged = merge(&[&one, &two]);
/// assert_eq!(merged.feed.entries.len(), 2);
/// assert_eq!(merged.conflicts[0].id, "a");
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
#[must_use]
pub fn merge(feeds: &[&Feed]) -> Merged {
    let mut merged = Merger::default();
    for (number, feed) in feeds.iter().enumerate() {
        merged.add(number, feed);
    }
    Merged {
        feed: merged.feed,
        conflicts: merged.conflicts,
    }
}

#[derive(Default)]
struct Merger {
    feed: Feed,
    conflicts: Vec<MergeConflict>,
    /// Which feed each definition came from: element, name, feed.
    origins: Vec<(&'static str, String, usize)>,
}

impl Merger {
    fn add(&mut self, number: usize, feed: &Feed) {
        if number == 0 {
            self.feed = Feed {
                entries: Vec::new(),
                resources: List::default(),
                languages: List::default(),
                keywords: List::default(),
                oses: List::default(),
                os_lists: List::default(),
                dependencies: List::default(),
                discovery_hints: List::default(),
                featured: List::default(),
                ..feed.clone()
            };
        } else {
            if later(feed.updated.as_deref(), self.feed.updated.as_deref()) {
                self.feed.updated.clone_from(&feed.updated);
            }
            let links = feed
                .enclosures()
                .filter(|link| !self.feed.links.contains(link));
            let links: Vec<Link> = links.cloned().collect();
            self.feed.links.extend(links);
            for node in feed.rest.nodes() {
                if !self.feed.rest.nodes().contains(node) {
                    self.feed.rest.push(node.clone());
                }
            }
        }
        macro_rules! merge_list {
            ($field:ident, $element:literal, $id:expr) => {
                let mut list = core::mem::take(&mut self.feed.$field);
                for item in feed.$field.iter() {
                    self.merge_item(&mut list, item, $element, &$id, number);
                }
                self.feed.$field = list;
            };
        }
        merge_list!(entries, "entry", |entry: &crate::Entry| Some(
            entry.product_id.to_lowercase()
        ));
        merge_list!(languages, "language", |language: &crate::Language| Some(
            language.id.to_lowercase()
        ));
        merge_list!(keywords, "keyword", |keyword: &crate::Keyword| keyword
            .id
            .clone());
        merge_list!(oses, "os", |os: &crate::Os| os.id.clone());
        merge_list!(os_lists, "osList", |list: &crate::OsList| list.id.clone());
        merge_list!(
            dependencies,
            "dependency",
            |dependency: &crate::Dependency| { dependency.id.clone() }
        );
        merge_list!(
            discovery_hints,
            "discoveryHint",
            |hint: &crate::DiscoveryHint| { hint.id.clone() }
        );
        // Translations of one culture stand in several files, and products may be featured by several feeds.
        for resources in &feed.resources {
            if !self.feed.resources.contains(resources) {
                self.feed.resources.push(resources.clone());
            }
        }
        for product_id in &feed.featured {
            if !self.feed.featured.contains(product_id) {
                self.feed.featured.push(product_id.clone());
            }
        }
    }

    fn merge_item<T: Clone + PartialEq>(
        &mut self,
        list: &mut Vec<T>,
        item: &T,
        element: &'static str,
        id: &dyn Fn(&T) -> Option<String>,
        number: usize,
    ) {
        let name = id(item).unwrap_or_default();
        // Without a name it cannot be referred to, so that two of them are two.
        let known = list
            .iter()
            .find(|known| !name.is_empty() && id(known).as_ref() == Some(&name));
        match known {
            Some(known) if known == item => {}
            Some(_) => {
                let origin = self
                    .origins
                    .iter()
                    .find(|(kind, known, _)| *kind == element && *known == name);
                self.conflicts.push(MergeConflict {
                    element,
                    id: name.clone(),
                    kept: origin.map_or(0, |(_, _, feed)| *feed),
                    dropped: number,
                });
            }
            None => {
                list.push(item.clone());
                self.origins.push((element, name, number));
            }
        }
    }
}

/// Whether a time is later than another; one that cannot be read is earlier than any.
fn later(time: Option<&str>, other: Option<&str>) -> bool {
    let seconds = |time: Option<&str>| time.and_then(|time| crate::parse_time(time.trim()).ok());
    seconds(time) > seconds(other)
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use super::*;

    fn read(content: &str) -> Feed {
        let text = format!("<feed xmlns='http://www.w3.org/2005/Atom'>{content}</feed>");
        Feed::read(&Source::from_text("feed.xml", text)).unwrap().0
    }

    #[test]
    fn every_name_is_defined_once() {
        let one = read(
            "<title>One</title><id>urn:one</id><updated>2026-01-02T00:00:00Z</updated><link rel='self' href='http://x/1'/>\
             <entry><productId>A</productId><title>A</title></entry><keywords><keyword id='k'>K</keyword></keywords>\
             <featured><productId>A</productId></featured><tabs><tab><id>t</id></tab></tabs>",
        );
        let two = read(
            "<title>Two</title><id>urn:two</id><updated>2026-03-02T00:00:00Z</updated><link rel='self' href='http://x/2'/>\
             <link rel='enclosure' href='http://x/3'/><entry><productId>a</productId><title>A</title></entry>\
             <entry><productId>B</productId></entry><entry><productId/></entry><entry><productId/></entry>\
             <keywords><keyword id='k'>Other</keyword><keyword id='l'>L</keyword></keywords>\
             <languages><language><languageId>de</languageId><name>Deutsch</name></language></languages>\
             <featured><productId>A</productId></featured><tabs><tab><id>u</id></tab></tabs>",
        );
        let merged = merge(&[&one, &two]);
        let feed = &merged.feed;
        let ids: Vec<&str> = feed
            .entries
            .iter()
            .map(|entry| entry.product_id.as_str())
            .collect();
        assert_eq!(ids, ["A", "B", "", ""]);
        assert_eq!(feed.id.as_deref(), Some("urn:one"));
        assert_eq!(feed.updated.as_deref(), Some("2026-03-02T00:00:00Z"));
        assert_eq!(feed.links.len(), 2);
        assert_eq!(feed.keywords.len(), 2);
        assert_eq!(feed.languages.len(), 1);
        assert_eq!(feed.featured.items, ["A"]);
        assert_eq!(feed.rest.nodes().len(), 2);
        let conflicts: Vec<(&str, &str)> = merged
            .conflicts
            .iter()
            .map(|conflict| (conflict.element, conflict.id.as_str()))
            .collect();
        // `A` and `a` differ in how their identifier is written.
        assert_eq!(conflicts, [("entry", "a"), ("keyword", "k")]);
        assert!(
            merged
                .conflicts
                .iter()
                .all(|conflict| (conflict.kept, conflict.dropped) == (0, 1))
        );
    }

    #[test]
    fn a_feed_merged_with_itself_is_itself() {
        let feed = read(
            "<title>One</title><entry><productId>A</productId></entry><entry><productId>B</productId></entry>\
             <keywords><keyword id='k'>K</keyword></keywords><dependencies><dependency id='d'><productId>A</productId></dependency>\
             </dependencies><unknown/>",
        );
        let merged = merge(&[&feed, &feed]);
        assert_eq!(merged.feed, feed);
        assert_eq!(merged.conflicts, []);
        assert_eq!(merge(&[]).feed, Feed::default());
    }
}
