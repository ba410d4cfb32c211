//! What holds for every feed.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails the test")]

use proptest::prelude::*;
use spanned_xml::{Document, Element, Node, Problem, Source, XmlWriter};
use webpi_feed::{
    DEFAULT_TEMPLATE, Error, Feed, FeedInfo, FilePackage, Machine, Package, PipInstall,
    ProductInfo, check, expand_url_template, format_time, installation_order, parse_time,
    write_with_template,
};

/// An element to write.
#[derive(Clone, Debug)]
enum Tree {
    Element(&'static str, Vec<(&'static str, String)>, Vec<Self>),
    Text(String),
    Comment(String),
}

/// Names of the format, some of it only as unknown elements, where they mean nothing too.
const NAMES: &[&str] = &[
    "and",
    "architectures",
    "author",
    "cmdLine",
    "commandLineArguments",
    "culture",
    "dependencies",
    "dependency",
    "description",
    "discoveryHint",
    "discoveryHints",
    "entry",
    "exe",
    "external",
    "externalPackages",
    "externalPackage",
    "featured",
    "file",
    "filePath",
    "fileSize",
    "iisComponent",
    "icon",
    "id",
    "images",
    "installCommands",
    "installer",
    "installerFile",
    "installers",
    "installerURL",
    "keyPath",
    "keyword",
    "keywordId",
    "keywords",
    "language",
    "languageId",
    "languages",
    "link",
    "location",
    "logFiles",
    "mapping",
    "metadata",
    "minimumVersion",
    "msDeploy",
    "msi",
    "msiInstall",
    "msiProductCode",
    "name",
    "not",
    "or",
    "os",
    "oses",
    "osList",
    "osLists",
    "osMajorVersion",
    "osTypes",
    "productId",
    "registry",
    "related",
    "relatedProduct",
    "resources",
    "resourcesList",
    "returnCode",
    "returnCodeMappings",
    "screenshot",
    "searchExclude",
    "Server",
    "sha1",
    "startPage",
    "success",
    "summary",
    "tabs",
    "terms",
    "termsText",
    "title",
    "updated",
    "updates",
    "valueName",
    "version",
    "webpiFile",
    "x64",
    "x:unknown",
];

const ATTRIBUTES: &[&str] = &[
    "default",
    "href",
    "id",
    "idref",
    "rel",
    "resourceName",
    "type",
    "version",
    "x:unknown",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("P".to_owned()),
        Just("7".to_owned()),
        "[ -~]{0,12}",
        "[\\PC\n\t]{0,6}",
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        text().prop_map(Tree::Text),
        "[a-z ]{0,8}".prop_map(Tree::Comment),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        (
            prop::sample::select(NAMES),
            prop::collection::btree_map(prop::sample::select(ATTRIBUTES), text(), 0..3),
            prop::collection::vec(inner, 0..6),
        )
            .prop_map(|(name, attributes, children)| {
                Tree::Element(name, attributes.into_iter().collect(), children)
            })
    })
}

fn feed_text() -> impl Strategy<Value = String> {
    prop::collection::vec(tree(), 0..8).prop_map(|children| {
        let mut xml = XmlWriter::new("", "\n");
        xml.start("feed");
        xml.attribute("xmlns", "http://www.w3.org/2005/Atom");
        for child in &children {
            write(&mut xml, child);
        }
        xml.finish()
    })
}

/// A feed with every element that the model has, and others put in anywhere.
fn changed_feed() -> impl Strategy<Value = String> {
    let text = include_str!("whole.xml");
    let ends: Vec<usize> = text.match_indices("</").map(|(at, _)| at).collect();
    prop::collection::vec((prop::sample::select(ends), tree()), 1..6).prop_map(
        move |mut additions| {
            additions.sort_by_key(|(at, _)| *at);
            let mut changed = text.to_owned();
            for (at, tree) in additions.iter().rev() {
                let mut xml = XmlWriter::new("", "");
                xml.start("x");
                write(&mut xml, tree);
                let inner = xml.finish();
                let inner = inner
                    .strip_prefix("<x>")
                    .and_then(|inner| inner.strip_suffix("</x>"));
                changed.insert_str(*at, inner.unwrap_or_default());
            }
            changed
        },
    )
}

fn write(xml: &mut XmlWriter, tree: &Tree) {
    match tree {
        Tree::Text(text) => xml.text(text),
        Tree::Comment(text) => xml.comment(text),
        Tree::Element(name, attributes, children) => {
            xml.start(name);
            for (name, value) in attributes {
                xml.attribute(name, value);
            }
            for child in children {
                write(xml, child);
            }
            xml.end();
        }
    }
}

/// Everything in a document but white space, the case of names and zeros before numbers, in no order.
fn parts(source: &Source) -> Vec<String> {
    fn walk(element: &Element, path: &str, parts: &mut Vec<String>) {
        let path = format!("{path}/{}", element.name.to_ascii_lowercase());
        let words: Vec<String> = element
            .text()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        // `07` is the number 7.
        let text = words.concat();
        let text = text
            .parse::<i128>()
            .map_or(text, |number| number.to_string());
        parts.push(format!("{path}={text}"));
        for attribute in &element.attributes {
            parts.push(format!(
                "{path}@{}={}",
                attribute.name,
                attribute.value.trim()
            ));
        }
        for child in &element.children {
            match child {
                Node::Element(child) => walk(child, &path, parts),
                Node::Comment(text) => parts.push(format!("{path}<!--{}", text.value)),
                _ => {}
            }
        }
    }
    let mut parts = Vec::new();
    walk(Document::parse(source).unwrap().root(), "", &mut parts);
    parts.sort();
    parts
}

/// Text that may be empty, have markup in it, or characters that XML cannot hold.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![text(), any::<String>(), "[<>&\"'{}]{1,6}"]
}

fn product(number: usize) -> impl Strategy<Value = ProductInfo> {
    let package = prop_oneof![
        (any_text(), any::<u64>(), "[0-9a-fA-F]{40}").prop_map(|(url, size_octets, sha1)| {
            Package::MsDeploy(FilePackage {
                url,
                size_octets,
                sha1,
            })
        }),
        any_text().prop_map(|requirement| Package::Pip(PipInstall::new(requirement))),
    ];
    let texts = prop::collection::vec(any_text(), 12);
    let lists = (
        prop::collection::vec(prop_oneof!["P[0-9]", "[A-Z]{1,9}"], 0..4),
        prop::collection::vec(any_text(), 0..3),
    );
    (texts, lists, package, -70_000_000_000_i64..260_000_000_000).prop_map(
        move |(texts, (dependencies, keywords), package, updated)| {
            let text = |i: usize| Some(texts[i].clone());
            let title = format!("t{}", texts[0]);
            let mut product = ProductInfo::new(
                format!("P{number}"),
                title,
                format!("1{}", texts[1]),
                updated,
                package,
            );
            product.summary = text(2);
            product.long_summary = text(3);
            product.home_page = text(4);
            product.author_name = text(5);
            product.author_url = text(6);
            product.license_url = text(7);
            product.display_url = text(8);
            product.help_url = text(9);
            product.icon_url = text(10);
            product.discovery_file = text(11);
            product.screenshot_urls.clone_from(&keywords);
            product.dependencies = dependencies;
            product.keywords = keywords;
            product
        },
    )
}

proptest! {
    /// Whatever stands in a feed is written back, and reads the same.
    #[test]
    fn nothing_is_lost(text in prop_oneof![feed_text(), changed_feed()]) {
        let source = Source::from_text("feed.xml", text);
        let (feed, problems) = Feed::read(&source).unwrap();
        let written = Source::from_text("written.xml", feed.write());
        prop_assert_eq!(parts(&written), parts(&source), "{}", written.text());
        let (again, _) = Feed::read(&written).unwrap();
        prop_assert_eq!(&again, &feed, "{}", written.text());
        prop_assert_eq!(again.write(), written.text());
        for problem in problems {
            let span = problem.span.unwrap();
            prop_assert!(source.text().get(span.range()).is_some(), "{:?}", problem);
        }
    }

    /// Any text at all is read or refused.
    #[test]
    fn no_text_panics(text in prop_oneof!["\\PC{0,60}", "[<>/a-z \"=!\\[\\]?&;-]{0,60}", feed_text()], cut in 0_usize..200) {
        let mut cut = cut.min(text.len());
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let _ = Feed::read(&Source::from_text("feed.xml", &text[..cut]));
    }

    /// Every product of every feed resolves or says why not.
    #[test]
    fn no_feed_panics_when_it_is_resolved(text in prop_oneof![feed_text(), changed_feed()]) {
        let (feed, _) = Feed::read(&Source::from_text("feed.xml", text)).unwrap();
        for entry in &feed.entries {
            let _ = installation_order(&feed, &entry.product_id, &|id| id == "7", &Machine::any());
        }
    }

    /// What is built has no errors, reads as it was built, and the template gives the same.
    #[test]
    fn what_is_built_is_a_feed(
        title in any_text(),
        products in (product(0), product(1), product(2)).prop_map(|(a, b, c)| vec![a, b, c]),
    ) {
        let info = FeedInfo::new(title, "https://example.org/feed", 0);
        match Feed::build(&info, &products) {
            Err(error) => {
                let template = write_with_template(&info, &products, None).unwrap_err();
                prop_assert_eq!(template.to_string(), error.to_string());
            }
            Ok(built) => {
                let source = Source::from_text("feed.xml", built.write());
                let problems = check(&source);
                prop_assert!(!problems.iter().any(Problem::is_error), "{:?}", problems);
                let template = write_with_template(&info, &products, None).unwrap();
                let (from_template, _) = Feed::read(&Source::from_text("feed.xml", template)).unwrap();
                let (from_builder, _) = Feed::read(&source).unwrap();
                prop_assert_eq!(from_template, from_builder);
            }
        }
    }

    /// Any template renders a feed or says why not.
    #[test]
    fn no_template_panics(text in "(\\{\\{|\\}\\}|[{}#/^>~().a-z \\[\\]\"=@|-]){0,40}", from in 0_usize..4_000, len in 0_usize..40) {
        let info = FeedInfo::new("t", "urn:feed", 0);
        let products = [ProductInfo::new("P", "t", "1", 0, Package::Pip(PipInstall::new("x")))];
        let _ = write_with_template(&info, &products, Some(&text));
        // The shipped template with a part of it replaced; it is ASCII.
        let mut changed = DEFAULT_TEMPLATE.to_owned();
        let from = from.min(changed.len());
        let to = (from + len).min(changed.len());
        changed.replace_range(from..to, &text);
        let _ = write_with_template(&info, &products, Some(&changed));
    }

    /// Products come after what they need, each once.
    #[test]
    fn what_is_needed_comes_before(needs in prop::collection::vec(prop::collection::vec(0_usize..30, 0..4), 1..30)) {
        // Each product needs only later ones, so there is no circle.
        let mut text = String::from("<feed xmlns=\"http://www.w3.org/2005/Atom\">");
        let needs: Vec<Vec<usize>> = needs
            .iter()
            .enumerate()
            .map(|(i, all)| all.iter().map(|step| i + 1 + step).filter(|&other| other < needs.len()).collect())
            .collect();
        for (i, all) in needs.iter().enumerate() {
            let inner: String = all.iter().map(|other| format!("<dependency><productId>P{other}</productId></dependency>")).collect();
            text.push_str(&format!("<entry><productId>P{i}</productId><dependency><and>{inner}</and></dependency><installers><installer><id>1</id><msDeploy/></installer></installers></entry>"));
        }
        text.push_str("</feed>");
        let (feed, _) = Feed::read(&Source::from_text("feed.xml", text)).unwrap();
        let plan = installation_order(&feed, "P0", &|_| false, &Machine::any()).unwrap();
        prop_assert!(plan.missing.is_empty());
        let order: Vec<usize> = plan.steps.iter().map(|step| step.entry.product_id[1..].parse().unwrap()).collect();
        prop_assert_eq!(order.last(), Some(&0));
        for (at, product) in order.iter().enumerate() {
            for other in &needs[*product] {
                prop_assert!(order[..at].contains(other), "{:?}", order);
            }
            prop_assert!(!order[..at].contains(product), "{:?}", order);
        }
    }

    #[test]
    fn times_survive(seconds in -62_135_596_800_i64..=253_402_300_799) {
        let text = format_time(seconds).unwrap();
        prop_assert_eq!(text.len(), 20);
        prop_assert_eq!(parse_time(&text).unwrap(), seconds);
    }

    #[test]
    fn no_time_panics(text in any::<String>(), seconds in any::<i64>()) {
        let _ = parse_time(&text);
        let _ = format_time(seconds);
    }

    /// Escaped text comes out as it was; anything else comes out or says why not.
    #[test]
    fn url_templates(text in any::<String>(), value in any::<String>()) {
        let escaped = text.replace('{', "{{").replace('}', "}}");
        prop_assert_eq!(expand_url_template(&escaped, &[]).unwrap(), text.as_str());
        let with_field = format!("{escaped}{{name}}");
        prop_assert_eq!(expand_url_template(&with_field, &[("name", &value)]).unwrap(), text.clone() + &value);
        match expand_url_template(&text, &[("name", &value)]) {
            Ok(_) | Err(Error::UrlTemplate { .. } | Error::UrlTemplateField { .. }) => {}
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
