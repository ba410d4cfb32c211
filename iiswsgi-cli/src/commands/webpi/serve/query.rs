//! What a page is asked for in its address.

use webpi_feed::Entry;

use crate::commands::webpi::installation::title;

/// What is asked for in the address.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(super) words: String,
    pub(super) keyword: String,
    pub(super) page: usize,
}

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        let mut parsed = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "q" => value.trim().clone_into(&mut parsed.words),
                "keyword" => value.trim().clone_into(&mut parsed.keyword),
                "page" => parsed.page = value.parse::<usize>().unwrap_or(1).saturating_sub(1),
                _ => {}
            }
        }
        parsed
    }

    pub(super) fn matches(&self, entry: &Entry) -> bool {
        let has_keyword = self.keyword.is_empty()
            || entry
                .keyword_ids()
                .iter()
                .any(|id| id.eq_ignore_ascii_case(&self.keyword));
        let text = format!(
            "{} {} {}",
            entry.product_id,
            title(entry),
            entry.summary().map_or("", |summary| summary.as_str()),
        )
        .to_lowercase();
        has_keyword
            && self
                .words
                .to_lowercase()
                .split_whitespace()
                .all(|word| text.contains(word))
    }

    /// The address of another page of the same products.
    pub(super) fn address(&self, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("q", &self.words), ("keyword", &self.keyword)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.append_pair("page", &(page + 1).to_string());
        format!("/?{}", query.finish())
    }
}
