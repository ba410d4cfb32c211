//! The pages that show a feed's products: HTML that works without scripts, everything from the feed escaped.

use spanned_xml::Severity;
use webpi_feed::{Entry, Feed};

use crate::commands::webpi::installation::title;
use crate::commands::webpi::serve::html::{Escaped, Html};
use crate::commands::webpi::serve::query::Query;
use crate::commands::webpi::serve::served_feed::ServedFeed;

/// Products on one page.
const PAGE_LEN: usize = 60;

/// The page of all products, or of those that are asked for.
pub(crate) fn products(
    feed: &ServedFeed,
    query: &Query,
    base: &str,
    fault: Option<&str>,
) -> String {
    let found: Vec<&Entry> = feed
        .feed
        .entries
        .iter()
        .filter(|entry| query.matches(entry))
        .collect();
    let pages = found.len().div_ceil(PAGE_LEN).max(1);
    let page = query.page.min(pages - 1);
    let mut html = Html::new(feed, base, None);
    if let Some(fault) = fault {
        html.push(format_args!(
            "<p class=\"notice error\" role=\"alert\">The file has changed and cannot be read; these are the products from before. \
             {}</p>\n",
            Escaped(fault)
        ));
    }
    html.checks(feed);
    html.search(feed, query, found.len());
    if found.is_empty() {
        html.push(format_args!(
            "<p class=\"empty\">No product is like that. <a href=\"/\">Show all products</a></p>\n"
        ));
    } else {
        html.push(format_args!("<ul class=\"products\">\n"));
        for entry in found.iter().skip(page * PAGE_LEN).take(PAGE_LEN) {
            html.push(format_args!("<li>\n"));
            html.card(feed, entry, base, "h2");
            html.push(format_args!("</li>\n"));
        }
        html.push(format_args!("</ul>\n"));
    }
    if pages > 1 {
        html.push(format_args!("<nav class=\"pages\" aria-label=\"Pages\">\n"));
        if page > 0 {
            html.push(format_args!(
                "<a rel=\"prev\" href=\"{}\">Previous</a>\n",
                Escaped(&query.address(page - 1))
            ));
        }
        html.push(format_args!("<span>Page {} of {pages}</span>\n", page + 1));
        if page + 1 < pages {
            html.push(format_args!(
                "<a rel=\"next\" href=\"{}\">Next</a>\n",
                Escaped(&query.address(page + 1))
            ));
        }
        html.push(format_args!("</nav>\n"));
    }
    html.finish(feed)
}

/// The page of one product; none where the feed has no such product.
pub(crate) fn product(feed: &ServedFeed, product_id: &str, base: &str) -> Option<String> {
    let entry = feed.feed.entry(product_id)?;
    let mut html = Html::new(feed, base, Some(entry));
    html.push(format_args!(
        "<p class=\"back\"><a href=\"/\">← All products</a></p>\n"
    ));
    html.card(feed, entry, base, "h1");
    Some(html.finish(feed))
}

impl Html {
    fn new(feed: &ServedFeed, base: &str, product: Option<&Entry>) -> Self {
        let mut html = Self {
            text: String::new(),
        };
        let feed_title = feed_title(&feed.feed);
        let language = feed.feed.default_language();
        html.push(format_args!(
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>",
            Escaped(language)
        ));
        if let Some(entry) = product {
            html.push(format_args!("{} – ", Escaped(title(entry))));
        }
        html.push(format_args!(
            "{}</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n\
             <link rel=\"alternate\" type=\"application/atom+xml\" href=\"{}\" title=\"{}\">\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#products\">Skip to the products</a>\n<header>\n<div class=\"wide\">\n\
             <p class=\"kind\">Web Platform Installer feed</p>\n",
            Escaped(feed_title),
            Escaped(&feed.path),
            Escaped(feed_title)
        ));
        // A page has one h1: that of a product's page is the product.
        if product.is_some() {
            html.push(format_args!(
                "<p class=\"title\">{}</p>\n",
                Escaped(feed_title)
            ));
        } else {
            html.push(format_args!(
                "<h1 class=\"title\">{}</h1>\n",
                Escaped(feed_title)
            ));
        }
        let count = feed.feed.entries.len();
        html.push(format_args!(
            "<p class=\"facts\"><span>{count} {}</span>",
            if count == 1 { "product" } else { "products" }
        ));
        if let Some(author) = feed
            .feed
            .authors
            .first()
            .and_then(|author| author.name.as_deref())
        {
            html.push(format_args!("<span>by {}</span>", Escaped(author.trim())));
        }
        if let Some(updated) = &feed.feed.updated {
            let updated = updated.trim();
            html.push(format_args!(
                "<span>updated <time datetime=\"{}\">{}</time></span>",
                Escaped(updated),
                Escaped(updated.split('T').next().unwrap_or(updated))
            ));
        }
        html.push(format_args!(
            "</p>\n<p class=\"address\"><span id=\"feed-address\">Address of the feed, for WebPI’s options</span> \
             <a aria-describedby=\"feed-address\" href=\"{0}\"><code>{1}{0}</code></a></p>\n</div>\n</header>\n\
             <main id=\"products\" class=\"wide\">\n",
            Escaped(&feed.path),
            Escaped(base),
        ));
        html
    }

    /// What the checks of the feed found.
    fn checks(&mut self, feed: &ServedFeed) {
        let count = |severity| {
            let of_it = feed.problems.iter();
            of_it.filter(|problem| problem.severity == severity).count()
        };
        let errors = count(Severity::Error);
        if feed.problems.is_empty() {
            return;
        }
        let class = if errors > 0 { "error" } else { "warning" };
        let counts: Vec<String> = [
            (errors, "error"),
            (count(Severity::Warning), "warning"),
            (count(Severity::Note), "note"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
        self.push(format_args!(
            "<details class=\"notice {class}\">\n<summary>The feed has {}</summary>\n<ul>\n",
            counts.join(", ")
        ));
        for problem in feed.problems.iter().take(50) {
            let line = problem
                .span
                .map(|span| feed.source.line_column(span.start).line);
            self.push(format_args!("<li>"));
            if let Some(line) = line {
                self.push(format_args!("<span class=\"line\">line {line}</span> "));
            }
            self.push(format_args!(
                "{} <code>{}</code></li>\n",
                Escaped(&problem.message),
                Escaped(problem.code)
            ));
        }
        self.push(format_args!(
            "</ul>\n<p><code>iiswsgi webpi check</code> says what to do about them.</p>\n</details>\n"
        ));
    }

    fn search(&mut self, feed: &ServedFeed, query: &Query, found: usize) {
        self.push(format_args!(
            "<form role=\"search\" action=\"/\">\n<label for=\"q\">Find a product</label>\n\
             <input id=\"q\" name=\"q\" type=\"search\" value=\"{}\">\n",
            Escaped(&query.words)
        ));
        let mut keywords: Vec<(&str, &str)> = feed
            .feed
            .keywords
            .iter()
            .filter_map(|keyword| Some((keyword.id.as_deref()?.trim(), keyword.name.trim())))
            .filter(|(id, _)| !id.is_empty())
            .collect();
        keywords.sort_by_key(|(_, name)| name.to_lowercase());
        if !keywords.is_empty() {
            self.push(format_args!(
                "<label for=\"keyword\">Keyword</label>\n<select id=\"keyword\" name=\"keyword\">\n<option value=\"\">any</option>\n"
            ));
            for (id, name) in keywords {
                let selected = if id.eq_ignore_ascii_case(&query.keyword) {
                    " selected"
                } else {
                    ""
                };
                let name = if name.is_empty() { id } else { name };
                self.push(format_args!(
                    "<option value=\"{}\"{selected}>{}</option>\n",
                    Escaped(id),
                    Escaped(name)
                ));
            }
            self.push(format_args!("</select>\n"));
        }
        self.push(format_args!("<button>Find</button>\n</form>\n"));
        if !query.words.is_empty() || !query.keyword.is_empty() {
            self.push(format_args!(
                "<p class=\"found\" role=\"status\">{found} of {} products. <a href=\"/\">Show all</a></p>\n",
                feed.feed.entries.len()
            ));
        }
    }

    fn finish(mut self, feed: &ServedFeed) -> String {
        self.push(format_args!("</main>\n<footer class=\"wide\">\n<p>"));
        if let Some(version) = feed.feed.version() {
            self.push(format_args!("WebPI feed format {}. ", Escaped(version)));
        }
        self.push(format_args!(
            "Served by iiswsgi.</p>\n</footer>\n</body>\n</html>\n"
        ));
        self.text
    }
}

fn feed_title(feed: &Feed) -> &str {
    feed.title
        .as_ref()
        .map(webpi_feed::Text::as_str)
        .filter(|title| !title.is_empty())
        .unwrap_or("Products")
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use spanned_xml::Source;

    use super::*;
    use crate::commands::webpi::feed_source::FeedSource;
    use crate::deploy::fetch::Location;

    fn served(entries: &str) -> ServedFeed {
        let feed = format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'><title>A &amp; B</title>{entries}</feed>"
        );
        let location = Location::parse("http://127.0.0.1/feed.xml", None).unwrap();
        let source = Source::from_text("feed.xml", feed);
        ServedFeed::new(
            FeedSource { location, source },
            SystemTime::UNIX_EPOCH,
            "http://h:1",
            false,
        )
        .unwrap()
    }

    fn page(entries: &str, query: &str) -> String {
        products(&served(entries), &Query::parse(query), "http://h:1", None)
    }

    #[test]
    fn nothing_of_the_feed_becomes_markup() {
        let attack = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&apos; onload=x";
        let entry = format!(
            "<entry><productId>{attack}</productId><title>{attack}</title><summary>{attack}</summary><version>{attack}</version>\
             <link href='javascript:alert(1)'/><images><icon>javascript:alert(2)</icon></images><author><name>{attack}</name></author>\
             <dependency><productId>{attack}x</productId></dependency><related><relatedProduct><productId>{attack}</productId>\
             </relatedProduct></related><installers><installer><id>{attack}</id><languageId>{attack}</languageId>\
             <eulaURL>data:text/html,x</eulaURL><installerFile><installerURL>javascript:alert(3)//{attack}</installerURL>\
             <sha1>{attack}</sha1></installerFile><msDeploy/></installer></installers></entry>\
             <keywords><keyword id='{attack}'>{attack}</keyword></keywords>"
        );
        let html = page(&entry, "q=%22%3E%3Cscript%3E&keyword=%22%3E%3Cb%3E");
        let all = page(&entry, "");
        for html in [&html, &all] {
            assert!(!html.contains("<script"), "{html}");
            assert!(!html.contains("href=\"javascript"), "{html}");
            assert!(!html.contains("src=\"javascript"), "{html}");
            assert!(!html.contains("href=\"data:"), "{html}");
        }
        // Whatever stands in quotes stays in them.
        assert!(all.contains("data-product=\"&lt;script&gt;"), "{all}");
        assert!(!all.contains("\"' onload"), "{all}");
        assert!(
            html.contains("value=\"&quot;&gt;&lt;script&gt;\""),
            "{html}"
        );
    }

    #[test]
    fn products_are_found_by_words_and_keywords() {
        let entries = "<entry><productId>Django</productId><title>Django site</title><keywords><keywordId>Py</keywordId></keywords></entry>\
             <entry><productId>Blog</productId><summary>A site in PHP</summary></entry><keywords><keyword id='Py'>Python</keyword></keywords>";
        for (query, expected) in [
            ("", &["Django", "Blog"][..]),
            ("q=SITE", &["Django", "Blog"]),
            ("q=site+php", &["Blog"]),
            ("keyword=py", &["Django"]),
            ("q=nothing", &[]),
            ("page=7", &["Django", "Blog"]),
        ] {
            let html = page(entries, query);
            let found: Vec<&str> = ["Django", "Blog"]
                .into_iter()
                .filter(|id| html.contains(&format!("data-product=\"{id}\"")))
                .collect();
            assert_eq!(found, expected, "{query}");
        }
    }

    #[test]
    fn many_products_are_on_several_pages() {
        let entries: String = (0..=PAGE_LEN)
            .map(|number| format!("<entry><productId>P{number}</productId></entry>"))
            .collect();
        let first = page(&entries, "");
        assert!(first.contains("Page 1 of 2") && first.contains("href=\"/?page=2\""));
        let second = page(&entries, "page=2&q=P");
        assert!(second.contains(&format!("data-product=\"P{PAGE_LEN}\"")));
        assert!(second.contains("href=\"/?q=P&amp;page=1\""));
    }

    #[test]
    fn dependencies_are_said_in_words() {
        let dependencies = "<dependency><and><dependency><productId>A</productId></dependency><dependency><or>\
             <dependency><productId>B</productId></dependency><dependency idref='c'/></or></dependency></and></dependency>";
        let entries = format!(
            "<entry><productId>P</productId>{dependencies}</entry><entry><productId>A</productId><title>The A</title></entry>\
             <dependencies><dependency id='c'><productId>C</productId></dependency><dependency id='d'><and>\
             <dependency idref='d'/><dependency idref='d'/></and></dependency></dependencies>\
             <entry><productId>Q</productId><dependency idref='d'/></entry>"
        );
        let feed = served(&entries);
        let html = product(&feed, "p", "http://h:1").unwrap();
        let text = html
            .replace("<span class=\"other\" title=\"not in this feed\">", "")
            .replace("</span>", "");
        assert!(
            text.contains(
                "<strong>Needs</strong> <a href=\"/products/A\">The A</a> and (B or C)</p>"
            ),
            "{html}"
        );
        assert!(product(&feed, "Q", "http://h:1").is_some(), "a circle ends");
        assert!(product(&feed, "none", "http://h:1").is_none());
    }
}
