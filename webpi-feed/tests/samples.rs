//! Published feeds: read, written back and read again, nothing lost.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails the test")]

use std::collections::BTreeMap;

use spanned_xml::{Document, Element, Node, Source};
use webpi_feed::{Feed, Machine, check, installation_order};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/samples/webpi");

const FEEDS: [&str; 4] = [
    "WebApplicationList_v3.0_2012.xml",
    "iiswsgi_examples_web-pi_35b500e.xml",
    "kudu_KuduSetupCustomWebPiFeed.xml",
    "solidcp_SolidCPFeedTemplate.xml",
];

#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test reads its samples, and says where they are not"
)]
fn sample(name: &str) -> Option<Source> {
    match std::fs::read(format!("{SAMPLES}/{name}")) {
        Ok(octets) => Some(Source::decode(name, &octets).unwrap()),
        Err(error) => {
            eprintln!("left out: {SAMPLES}/{name}: {error}");
            None
        }
    }
}

/// A document as a list of its parts in order: names in lower case where WebPI took any case, text without white space
/// at its ends, comments included.
fn parts(source: &Source) -> Vec<String> {
    fn walk(element: &Element, path: &str, parts: &mut Vec<String>) {
        let path = format!("{path}/{}", element.name.replace("cmdLine", "cmdline"));
        parts.push(path.clone());
        for attribute in &element.attributes {
            parts.push(format!("{path}@{}={}", attribute.name, attribute.value));
        }
        for child in &element.children {
            match child {
                Node::Element(child) => walk(child, &path, parts),
                Node::Text(text) | Node::CData(text) => {
                    if !text.value.trim().is_empty() {
                        parts.push(format!("{path}={}", text.value.trim()));
                    }
                }
                Node::Comment(text) => parts.push(format!("{path}<!--{}-->", text.value)),
                Node::ProcessingInstruction(_) => {}
            }
        }
    }
    let document = Document::parse(source).unwrap();
    let mut parts = Vec::new();
    walk(document.root(), "", &mut parts);
    parts
}

#[test]
fn nothing_is_lost_and_the_order_stays() {
    for name in FEEDS {
        let Some(source) = sample(name) else { return };
        let (feed, _) = Feed::read(&source).unwrap();
        let written = Source::from_text("written", feed.write());
        assert_eq!(parts(&written), parts(&source), "{name}");
        let (again, _) = Feed::read(&written).unwrap();
        assert_eq!(again, feed, "{name}");
        assert_eq!(again.write(), written.text(), "{name}");
    }
}

/// The examples of the documentation are parts of feeds: each is read where it belongs.
#[test]
fn the_parts_in_the_documentation_have_fields() {
    let entry = |part: &str| format!("<entry><productId>P</productId>{part}</entry>");
    for (name, in_feed) in [
        ("iis-docs/sample19.html", true),
        ("iis-docs/sample20.xml", false),
        ("iis-docs/sample21.xml", false),
        ("iis-docs/sample22.xml", false),
        ("iis-docs/sample23.xml", false),
        ("iis-docs/sample26.xml", false),
    ] {
        let Some(sample) = sample(name) else { return };
        let part = sample.text().trim();
        let inside = if in_feed {
            part.to_owned()
        } else {
            entry(part)
        };
        let source = Source::from_text(
            name,
            format!(r#"<feed xmlns="http://www.w3.org/2005/Atom">{inside}</feed>"#),
        );
        let feed = Feed::parse(&source).unwrap();
        let shown = format!("{feed:?}");
        assert_eq!(
            shown.matches("Rest { attributes: [], nodes: []").count(),
            shown.matches("Rest {").count(),
            "{name}: everything in it has a field: {feed:#?}"
        );
        let written = Source::from_text("written", feed.write());
        assert_eq!(parts(&written), parts(&source), "{name}");
    }
}

/// A feed with parts left out, its end among them.
#[test]
fn the_feed_in_the_documentation_has_no_end() {
    let name = "iis-docs/sample16.html";
    let Some(source) = sample(name) else {
        return;
    };
    let problems = Feed::parse(&source).unwrap_err();
    assert_eq!(problems.problems[0].code, "xml-syntax");
    let source = Source::from_text(name, format!("{}</feed>", source.text()));
    let feed = Feed::parse(&source).unwrap();
    assert_eq!(feed.version(), Some("2.0.1.0"));
    assert!(feed.entry("BlogEngineNET").is_some());
    let written = Source::from_text("written", feed.write());
    assert_eq!(parts(&written), parts(&source));
}

#[test]
fn the_model_has_what_the_feeds_say() {
    let Some(source) = sample("WebApplicationList_v3.0_2012.xml") else {
        return;
    };
    let (feed, _) = Feed::read(&source).unwrap();
    assert_eq!(feed.version(), Some("3.0.0.0"));
    assert_eq!(feed.entries.len(), 99);
    assert_eq!(feed.resources.len(), 17);
    assert_eq!(feed.keywords.len(), 16);
    assert_eq!(feed.dependencies.len(), 21);
    assert_eq!(feed.featured.len(), 6);
    assert_eq!(feed.default_language(), "en");
    assert_eq!(
        feed.rest.nodes(),
        [],
        "every element of the feed has a field"
    );
    assert!(feed.entries.iter().all(|entry| entry.is_application()));
    let installers: usize = feed
        .entries
        .iter()
        .map(|entry| entry.installers.len())
        .sum();
    assert_eq!(installers, 106);
    let entry = feed.entry("cmsaspnet").unwrap();
    assert_eq!(entry.title().unwrap().as_str(), "CMS ASP NET");
    assert_eq!(entry.images().unwrap().screenshots.len(), 3);
    let file = entry.installers[0].installer_file.as_ref().unwrap();
    assert!(file.file_size.is_some() && file.sha1.is_some());

    let Some(source) = sample("kudu_KuduSetupCustomWebPiFeed.xml") else {
        return;
    };
    let (feed, _) = Feed::read(&source).unwrap();
    let entry = feed.entry("Hg_3_2_4").unwrap();
    assert!(entry.title.is_none(), "the title stands in `metadata`");
    assert_eq!(
        entry.title().unwrap().as_str(),
        "Mercurial for Windows (x64)"
    );
    assert_eq!(entry.version().unwrap(), "3.2.3");
    assert_eq!(entry.author().unwrap().name.as_deref(), Some("mercurial"));
    assert_eq!(entry.link(), Some("http://mercurial.selenic.com/"));
    assert_eq!(feed.rest.element("version").unwrap().text(), "1.0.1");
}

/// The samples' faults, by code: what real feeds have, and nothing else.
#[test]
fn the_faults_of_the_samples() {
    for (name, expected) in [
        (
            "WebApplicationList_v3.0_2012.xml",
            "note[webpi-installer-language-undeclared] 48, warning[webpi-duplicate-element] 1, warning[webpi-entry-id-duplicate] 2, warning[webpi-keyword-undeclared] 1, warning[webpi-product-unknown] 17, warning[webpi-time-format] 4, warning[webpi-url] 14",
        ),
        (
            "iiswsgi_examples_web-pi_35b500e.xml",
            "warning[webpi-keyword-undeclared] 2, warning[webpi-time-format] 3",
        ),
        (
            "kudu_KuduSetupCustomWebPiFeed.xml",
            "note[webpi-cmdline-case] 1, warning[webpi-file-size-unit] 3, warning[webpi-keyword-undeclared] 1, warning[webpi-product-unknown] 1, warning[webpi-sha1-missing] 2, warning[webpi-time-format] 10",
        ),
        (
            "solidcp_SolidCPFeedTemplate.xml",
            "error[webpi-file-size] 2, error[webpi-sha1] 2, note[webpi-cmdline-case] 4, warning[webpi-keyword-undeclared] 2, warning[webpi-time-format] 3, warning[webpi-url] 2",
        ),
    ] {
        let Some(source) = sample(name) else { return };
        let problems = check(&source);
        let mut codes: BTreeMap<String, usize> = BTreeMap::new();
        for problem in &problems {
            assert!(
                problem.span.is_some() && problem.help.is_some(),
                "{problem:?}"
            );
            *codes
                .entry(format!("{}[{}]", problem.severity, problem.code))
                .or_default() += 1;
        }
        let codes: Vec<String> = codes
            .into_iter()
            .map(|(code, count)| format!("{code} {count}"))
            .collect();
        assert_eq!(codes.join(", "), expected, "{name}");
    }
}

#[test]
fn every_product_of_a_published_feed_resolves() {
    let Some(source) = sample("WebApplicationList_v3.0_2012.xml") else {
        return;
    };
    let (feed, _) = Feed::read(&source).unwrap();
    let machine = Machine::any();
    for entry in &feed.entries {
        let plan = installation_order(&feed, &entry.product_id, &|_| false, &machine).unwrap();
        assert_eq!(
            plan.steps.last().unwrap().entry.product_id,
            entry.product_id
        );
        assert!(
            !plan.missing.is_empty(),
            "Web Deploy at least is in another feed"
        );
        let plan = installation_order(&feed, &entry.product_id, &|_| true, &machine).unwrap();
        assert_eq!((plan.steps.len(), plan.missing.len()), (1, 0));
    }
}
