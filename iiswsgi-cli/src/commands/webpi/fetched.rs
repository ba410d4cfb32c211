//! Every address of a feed fetched, and compared with what the feed says of it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use msdeploy_pkg::Sha1Writer;
use spanned_xml::{Document, Element, Problem, Span};

use crate::context::Context;
use crate::deploy::fetch::Location;
use crate::error::Error;

/// Fetches that go on at once.
const WORKERS: usize = 8;
/// Web Deploy reads no larger package.
const PACKAGE_LIMIT: u64 = 0x7FFF_FFFF;
/// Pictures and pages.
const PAGE_LIMIT: u64 = 64 << 20;

/// Elements whose text is the address of a page or a picture.
const PAGES: [&str; 7] = [
    "icon",
    "screenshot",
    "eulaURL",
    "helpLink",
    "termsLink",
    "uri",
    "url",
];

/// An address in a feed.
#[derive(Debug)]
struct Address<'a> {
    span: Span,
    /// None for a page or a picture.
    file: Option<&'a Element>,
}

/// What is at an address.
type Answer = Result<(String, u64), Error>;

/// Fetches every address of a feed, each once, and says where the feed is wrong. Returns the problems, in the order of the
/// feed, and how many addresses there are.
pub(crate) fn check(
    document: &Document,
    base: &Location,
    context: &Context,
) -> (Vec<Problem>, usize) {
    let mut addresses: BTreeMap<String, Vec<Address<'_>>> = BTreeMap::new();
    for element in document.root().descendants() {
        let (text, address) = if element.is("installerFile") {
            let Some(url) = ["installerURL", "relativeInstallerURL"]
                .into_iter()
                .filter_map(|name| element.child(name))
                .find(|child| !child.text().trim().is_empty())
            else {
                continue;
            };
            let span = url.content_span();
            let file = Some(element);
            (url.text(), Address { span, file })
        } else if PAGES.iter().any(|name| element.is(name)) {
            let span = element.content_span();
            (element.text(), Address { span, file: None })
        } else if element.is("link")
            && let Some(href) = element.attribute_ignore_case("href")
        {
            let span = href.value_span;
            (href.value.clone(), Address { span, file: None })
        } else {
            continue;
        };
        let text = text.trim();
        if !text.is_empty() {
            addresses.entry(text.to_owned()).or_default().push(address);
        }
    }

    let wanted: Vec<(&str, bool)> = addresses
        .iter()
        .map(|(url, uses)| (url.as_str(), uses.iter().any(|used| used.file.is_some())))
        .collect();
    let answers = fetch_all(&wanted, base, context);
    let mut problems = Vec::new();
    for ((url, uses), answer) in addresses.iter().zip(&answers) {
        for used in uses {
            match answer {
                Some(Ok((sha1, len))) => {
                    if let Some(file) = used.file {
                        compare(url, file, sha1, *len, &mut problems);
                    }
                }
                Some(Err(error)) => problems.push(unreachable(url, used, error)),
                None => {}
            }
        }
    }
    problems.sort_by_key(|problem| problem.span.map(|span| span.start));
    (problems, wanted.len())
}

/// The answers, in the order of the addresses.
fn fetch_all(wanted: &[(&str, bool)], base: &Location, context: &Context) -> Vec<Option<Answer>> {
    let answers: Vec<Mutex<Option<Answer>>> = wanted.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS.min(wanted.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some((url, is_package)), Some(answer)) =
                        (wanted.get(index), answers.get(index))
                    else {
                        return;
                    };
                    context.detail(format_args!("fetching `{url}`"));
                    let fetched = fetch(url, *is_package, base, context);
                    if let Ok(mut answer) = answer.lock() {
                        *answer = Some(fetched);
                    }
                }
            });
        }
    });
    answers
        .into_iter()
        .map(|answer| answer.into_inner().unwrap_or_default())
        .collect()
}

fn fetch(url: &str, is_package: bool, base: &Location, context: &Context) -> Answer {
    let location = Location::parse(url, Some(base))?;
    let mut sink = Sha1Writer::new(io::sink());
    let limit = if is_package {
        PACKAGE_LIMIT
    } else {
        PAGE_LIMIT
    };
    location.fetch(&mut sink, limit, context)?;
    let (_, digest, len) = sink.finish();
    Ok((digest.to_string(), len))
}

fn unreachable(url: &str, used: &Address<'_>, error: &Error) -> Problem {
    let message = format!("`{url}` cannot be fetched: {error}");
    // Without its package a product cannot be installed; without a picture it can.
    let problem = if used.file.is_some() {
        Problem::error("webpi-package-unreachable", message)
    } else {
        Problem::warning("webpi-address-unreachable", message)
    };
    problem
        .at(used.span)
        .help("publish the file there, or change the address")
}

fn compare(url: &str, file: &Element, sha1: &str, len: u64, problems: &mut Vec<Problem>) {
    let filled = |name: &str| {
        file.child(name)
            .filter(|child| !child.text().trim().is_empty())
    };
    match filled("sha1") {
        Some(expected) if !expected.text().trim().eq_ignore_ascii_case(sha1) => problems.push(
            Problem::error(
                "webpi-package-sha1",
                format!("the SHA-1 of `{url}` is {sha1}"),
            )
            .at(expected.content_span())
            .help("WebPI would say that the file may have been tampered with: write the feed again with the package that is published"),
        ),
        Some(_) => {}
        None => problems.push(
            Problem::note("webpi-package-sha1-missing", format!("the SHA-1 of `{url}` is {sha1}"))
                .at(file.name_span)
                .help(format!("add `<sha1>{sha1}</sha1>`")),
        ),
    }
    if let Some(size) = filled("fileSize") {
        let kilobytes = len.div_ceil(1024).max(1);
        let written = size.text().trim().parse::<u64>();
        let agrees = written
            .is_ok_and(|written| written == 0 || written == kilobytes || written == len / 1024);
        if !agrees {
            problems.push(
                Problem::warning("webpi-package-size", format!("`{url}` has {len} octets"))
                    .at(size.content_span())
                    .help(format!("write {kilobytes}: the size is in KB, rounded up")),
            );
        }
    }
}
