//! A feed of any length checked.

use std::io::{self, Read};

use spanned_xml::{Problems, ReadError, Source};

use super::Checker;
use crate::cycle::Need;
use crate::feed_reader::Pieces;
use crate::{Dependency, Feed, FeedReadError, FeedReader};

/// A feed that [`check_reader`] has checked.
#[derive(Debug)]
#[non_exhaustive]
pub struct CheckedFeed {
    /// What the feed has beside its products.
    pub feed: Feed,
    /// How many products it has.
    pub products: usize,
    /// Every fault in the order of the file. The source has the lines they are in.
    pub problems: Problems,
}

/// Checks a feed as [`check()`](crate::check()) does, without ever having all of it: it is read three times, for what its
/// products need, for the faults, and for the lines that the faults are in. The memory is that of the longest product, of the
/// products' names and dependencies, and of the problems.
///
/// ```
/// let xml = "<feed xmlns='http://www.w3.org/2005/Atom'><title>Ours</title><id>urn:ours</id>\n<entry/></feed>";
/// let checked = webpi_feed::check_reader("feed.xml", || Ok(xml.as_bytes()))?;
/// assert_eq!(checked.products, 1);
/// assert_eq!(checked.problems.problems[0].code, "webpi-product-id-missing");
/// assert_eq!(checked.problems.source.text(), "<entry/></feed>");
/// # Ok::<(), webpi_feed::FeedReadError>(())
/// ```
///
/// # Errors
///
/// As [`FeedReader::next_entry`], or `open` fails.
pub fn check_reader<R: Read>(
    name: &str,
    mut open: impl FnMut() -> io::Result<R>,
) -> Result<CheckedFeed, FeedReadError> {
    let mut open = || open().map_err(FeedReadError::Io);
    let mut reader = FeedReader::new(name, open()?);
    let mut products: Vec<(String, Option<Dependency>)> = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        products.push((entry.product_id, entry.dependency));
    }
    let feed = reader.into_feed();
    let needs: Vec<Need<'_>> = products
        .iter()
        .map(|(product_id, dependency)| Need {
            product_id,
            dependency: dependency.as_ref(),
        })
        .collect();
    let mut checker = Checker::new(&feed, &needs);
    Pieces::new(name, open()?).read_all(&mut checker)?;
    let problems = checker.finish();
    let places = problems.iter().flat_map(|problem| {
        problem
            .related
            .iter()
            .map(|(span, _)| *span)
            .chain(problem.span)
    });
    let source = Source::read_excerpts(name, open()?, places).map_err(|error| match error {
        ReadError::Io(error) => FeedReadError::Io(error),
        ReadError::Problem(problem) => {
            FeedReadError::Problems(problem.in_source(&Source::from_text(name, "")))
        }
    })?;
    Ok(CheckedFeed {
        feed,
        products: products.len(),
        problems: Problems { source, problems },
    })
}
