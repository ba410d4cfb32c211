//! What a product needs, in words and links.

use std::fmt::Write as _;

use webpi_feed::{Dependency, DependencyRule, Feed};

use crate::commands::webpi::installation::title;
use crate::commands::webpi::serve::html::Escaped;
use crate::commands::webpi::serve::served_feed::encode;

/// Definitions of dependencies that refer to others are followed so far.
const REFERENCE_DEPTH: usize = 8;

/// What a part of a dependency stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Joined {
    None,
    And,
    Or,
}

/// Writes a dependency: `A and (B or C)`.
pub(super) fn write_dependency(
    text: &mut String,
    feed: &Feed,
    dependency: &Dependency,
    around: Joined,
    depth: usize,
) {
    let (all, word, own) = match &dependency.rule {
        DependencyRule::Product(product_id) => {
            write_product(text, feed, product_id);
            return;
        }
        DependencyRule::IdRef(idref) => {
            match feed.dependency(idref) {
                Some(defined) if depth < REFERENCE_DEPTH => {
                    write_dependency(text, feed, defined, around, depth + 1);
                }
                _ => {
                    let _ = write!(text, "<code>{}</code>", Escaped(idref));
                }
            }
            return;
        }
        DependencyRule::And(all) => (all, " and ", Joined::And),
        DependencyRule::Or(all) => (all, " or ", Joined::Or),
        _ => return,
    };
    let in_brackets = around != Joined::None && around != own && all.len() > 1;
    if in_brackets {
        text.push('(');
    }
    for (index, part) in all.iter().enumerate() {
        if index > 0 {
            text.push_str(word);
        }
        write_dependency(text, feed, part, own, depth);
    }
    if in_brackets {
        text.push(')');
    }
}

/// A link to a product of the feed; a product of another feed by its identifier.
pub(super) fn write_product(text: &mut String, feed: &Feed, product_id: &str) {
    let _ = match feed.entry(product_id) {
        Some(entry) => write!(
            text,
            "<a href=\"/products/{}\">{}</a>",
            encode(&entry.product_id),
            Escaped(title(entry))
        ),
        None => write!(
            text,
            "<span class=\"other\" title=\"not in this feed\">{}</span>",
            Escaped(product_id)
        ),
    };
}
