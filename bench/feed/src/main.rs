//! What `cargo xtask bench feed` runs: a long feed, read in several ways, and feeds of many products written.
//!
//! `feed make FILE OCTETS [SAMPLE]` writes a feed, of a sample's products or of ours. `feed read|model|stream|events|roxmltree FILE
//! RUNS` reads it, `feed write PRODUCTS RUNS` builds and writes one; both print the nanoseconds of each run, and at the end the most
//! memory that the process had, in KiB. `feed product` prints a feed of one product, of which a template can be made.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::time::Instant;

use quick_xml::Reader;
use quick_xml::events::Event;
use spanned_xml::Source;
use webpi_feed::{Feed, FeedInfo, FeedReader, FilePackage, Package, ProductInfo};

/// 2012-10-29, the day of the last release of iiswsgi 0.3.
const UPDATED: i64 = 1_351_512_000;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let threads = std::thread::available_parallelism()?.get();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", path, octets] => make(path, octets.parse()?, &of_one_product()?),
        ["make", path, octets, sample] => {
            let sample = std::fs::read_to_string(sample)?;
            make(path, octets.parse()?, &without_comments(&sample))
        }
        ["product"] => {
            print!("{}", of_one_product()?);
            Ok(())
        }
        ["build", count, runs] => {
            let products = products(count.parse()?);
            timed(runs.parse()?, || Ok(built(&products)?.write()))
        }
        ["write", count, runs] => {
            let feed = built(&products(count.parse()?))?;
            timed(runs.parse()?, || Ok(feed.write()))
        }
        ["read", path, runs] => timed(runs.parse()?, || {
            let source = Source::decode(path, &std::fs::read(path)?)?;
            let (feed, _) = Feed::read(&source)?;
            Ok(feed.entries.len())
        }),
        ["model", path, runs] => timed(runs.parse()?, || {
            let mut reader = FeedReader::new(path, File::open(path)?).threads(threads);
            let mut entries = Vec::new();
            while let Some(entry) = reader.next_entry()? {
                entries.push(entry);
            }
            let mut feed = reader.into_feed();
            feed.entries = entries;
            Ok(feed)
        }),
        ["stream", path, runs] => timed(runs.parse()?, || {
            let mut reader = FeedReader::new(path, File::open(path)?).threads(threads);
            let mut count = 0;
            while reader.next_entry()?.is_some() {
                count += 1;
            }
            Ok(count)
        }),
        ["events", path, runs] => timed(runs.parse()?, || events(&std::fs::read_to_string(path)?)),
        ["roxmltree", path, runs] => timed(runs.parse()?, || {
            let text = std::fs::read_to_string(path)?;
            Ok(roxmltree::Document::parse(&text)?.descendants().count())
        }),
        _ => Err(
            "make FILE OCTETS [SAMPLE], product, write|build PRODUCTS RUNS, or read|model|stream|events|roxmltree FILE RUNS"
                .into(),
        ),
    }
}

/// Prints what each run took, and the most memory.
fn timed<T>(runs: usize, run: impl Fn() -> Result<T>) -> Result<()> {
    for _ in 0..runs {
        let start = Instant::now();
        // What was read is let go of when the time has been taken, as it is for all of them.
        let read = black_box(run()?);
        println!("{}", start.elapsed().as_nanos());
        drop(read);
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    println!("peak {}", peak.ok_or("no VmHWM")?);
    Ok(())
}

/// A feed of as many products as go into the octets: those of a feed, again and again.
fn make(path: &str, octets: usize, feed: &str) -> Result<()> {
    let begin = feed.find("<entry").ok_or("no entry")?;
    let end = feed.rfind("</entry>").ok_or("no end of an entry")? + "</entry>".len();
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(feed[..begin].as_bytes())?;
    let mut written = feed.len();
    while written < octets {
        // A product on a line of its own each, as in the feed.
        out.write_all(feed[begin..end].as_bytes())?;
        out.write_all(b"\n  ")?;
        written += end - begin;
    }
    out.write_all(feed[begin..].as_bytes())?;
    Ok(out.flush()?)
}

/// roxmltree refuses two hyphens in a comment, which feeds have.
fn without_comments(feed: &str) -> String {
    let mut parts = feed.split("<!--");
    let first = parts.next().unwrap_or_default().to_owned();
    parts
        .filter_map(|part| part.split_once("-->"))
        .fold(first, |text, (_, rest)| text + rest)
}

fn of_one_product() -> Result<String> {
    Ok(built(&[product("PRODUCT")])?.write())
}

fn products(count: u32) -> Vec<ProductInfo> {
    let ids = (0..count).map(|number| format!("Product{number}"));
    ids.map(|id| product(&id)).collect()
}

fn built(products: &[ProductInfo]) -> Result<Feed> {
    let info = FeedInfo::new("Many products", "https://example.org/feed", UPDATED);
    Ok(Feed::build(&info, products)?)
}

/// A product with the fields that most have; every field that differs between products has the identifier in it.
fn product(id: &str) -> ProductInfo {
    let package = Package::MsDeploy(FilePackage {
        url: format!("https://example.org/packages/{id}-1.0.zip"),
        size_octets: 3_000_000,
        sha1: "eb36e73bcf3d5e6bdfe2e78fd68cf14fc3a45c7d".to_owned(),
    });
    let mut product = ProductInfo::new(id, format!("Title of {id}"), "1.0", UPDATED, package);
    product.summary = Some(format!("{id} in a sentence: what it does, and for whom"));
    product.long_summary = Some(format!("{id} at length. ").repeat(12));
    product.home_page = Some(format!("https://example.org/{id}"));
    product.author_name = Some("Example & Co".to_owned());
    product.author_url = Some("https://example.org/".to_owned());
    product.license_url = Some("https://example.org/licence".to_owned());
    product.icon_url = Some(format!("https://example.org/{id}.png"));
    product
}

/// quick-xml's events, with nothing done about them.
fn events(text: &str) -> Result<usize> {
    let mut reader = Reader::from_str(text);
    let mut count = 0;
    loop {
        match reader.read_event()? {
            Event::Eof => return Ok(count),
            event => count += usize::from(matches!(black_box(event), Event::Start(_))),
        }
    }
}
