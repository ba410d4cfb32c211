//! The whole model: a feed with every element that has a field.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails the test")]

use spanned_xml::Source;
use webpi_feed::{DependencyRule, DiscoveryRule, ExtensionNode, Feed, InstallCommand};

const WHOLE: &str = include_str!("whole.xml");

fn read(text: &str) -> Feed {
    Feed::read(&Source::from_text("feed.xml", text)).unwrap().0
}

/// `Debug` of a feed shows every `Rest`: one that is not empty has something between its brackets.
#[test]
fn every_element_has_a_field() {
    let (feed, problems) = Feed::read(&Source::from_text("whole.xml", WHOLE)).unwrap();
    let shown = format!("{feed:?}");
    assert!(shown.matches("Rest {").count() > 100);
    assert_eq!(
        shown.matches("Rest { attributes: [], nodes: []").count(),
        shown.matches("Rest {").count(),
        "{feed:#?}"
    );
    assert_eq!(problems, []);
}

/// The file is in the order that is written where no file gave another.
#[test]
fn the_order_that_is_written() {
    assert_eq!(read(WHOLE).write(), WHOLE);
    // The order does not come from the file alone: the document is the same with its children turned round.
    let feed = read(WHOLE);
    let mut entry = webpi_feed::Entry::default();
    entry.product_id = "App".to_owned();
    entry.page_name = Some("App".to_owned());
    entry.title = Some("x".into());
    let mut other = Feed::default();
    other.id.clone_from(&feed.id);
    other.title = Some("t".into());
    other.entries.push(entry);
    assert_eq!(
        other.write(),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n  <title>t</title>\n  <id>https://example.org/feed</id>\n  <entry>\n    <productId>App</productId>\n    <title>x</title>\n    <pageName>App</pageName>\n  </entry>\n</feed>\n"
    );
}

#[test]
fn what_the_fields_hold() {
    let feed = read(WHOLE);
    assert_eq!(feed.enclosures().count(), 1);
    let app = feed.entry("APP").unwrap();
    let Some(DiscoveryRule::Or(hints)) = app.discovery_hint.as_ref().map(|hint| &hint.rule) else {
        panic!("{:?}", app.discovery_hint);
    };
    let kinds: Vec<&str> = hints
        .iter()
        .map(|hint| match &hint.rule {
            DiscoveryRule::And(_) => "and",
            DiscoveryRule::Not(_) => "not",
            DiscoveryRule::MsiProductCode(_) => "msiProductCode",
            DiscoveryRule::MsiPatchCode(_) => "msiPatchCode",
            DiscoveryRule::IdRef(id) if feed.discovery_hint(id).is_some() => "idref",
            _ => "?",
        })
        .collect();
    assert_eq!(
        kinds,
        ["and", "not", "msiProductCode", "msiPatchCode", "idref"]
    );
    assert_eq!(app.dependency.as_ref().unwrap().product_ids(), ["Tool"]);
    assert_eq!(
        feed.dependency("Python").unwrap().product_ids(),
        ["Python27", "CGI"]
    );
    assert!(app.search_exclude && app.supports_mu && app.no_display_default);
    assert_eq!(app.related_products().collect::<Vec<_>>(), ["Tool"]);
    assert_eq!(app.external_packages[0].package_id.as_deref(), Some("app"));

    let tool = feed.entry("Tool").unwrap();
    assert_eq!(tool.summary().unwrap().as_str(), "A tool.");
    assert_eq!(
        tool.long_summary().unwrap().to_string(),
        "A tool, at length."
    );
    assert_eq!(tool.id().unwrap(), "https://example.org/tool");
    assert_eq!(tool.published().unwrap(), "2012-10-28T12:00:00Z");
    assert_eq!(tool.updated().unwrap(), "2012-10-29T12:00:00Z");
    assert_eq!(tool.keyword_ids(), ["Python"]);
    assert_eq!(tool.link(), Some("https://example.org/tool"));
    let commands = tool.installers[0].install_commands.as_ref().unwrap();
    let kinds: Vec<&str> = commands
        .iter()
        .map(|command| match command {
            InstallCommand::Unzip(_) => "unzip",
            InstallCommand::Cmdline(command) => {
                let codes: Vec<Option<i64>> = command
                    .return_code_mappings
                    .iter()
                    .map(|mapping| mapping.return_code)
                    .collect();
                assert_eq!(codes, [Some(0), Some(-1), Some(3010), Some(3011)]);
                "cmdline"
            }
            InstallCommand::MsuInstall(_) => "msuInstall",
            InstallCommand::MsiInstall(_) => "msiInstall",
            _ => "?",
        })
        .collect();
    assert_eq!(kinds, ["unzip", "cmdline", "msuInstall", "msiInstall"]);
}

#[test]
fn names_are_read_in_any_case() {
    let shouting = |text: &str| -> String {
        // Names only: what follows `<` or `</`, up to white space, `/` or `>`.
        let mut in_name = false;
        text.chars()
            .map(|character| match character {
                '<' => {
                    in_name = true;
                    character
                }
                '/' if in_name => character,
                _ if in_name && character.is_ascii_alphanumeric() => character.to_ascii_uppercase(),
                _ => {
                    in_name = false;
                    character
                }
            })
            .collect()
    };
    let body = WHOLE.split_once('\n').unwrap().1;
    assert_eq!(read(&shouting(body)).write(), WHOLE);
}

/// What has no field is kept where it stood; what was added comes last.
#[test]
fn unknown_parts_are_kept_and_edits_leave_them_alone() {
    let text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n  <tabs>\n    <tab id=\"x\">\n      <groupTab />\n      <pillarTab>\n        <!-- alone -->\n      </pillarTab>\n    </tab>\n  </tabs>\n  <!-- before -->\n  <title lang=\"en\">t<!-- inside --></title>\n  <entry new=\"1\">\n    <version>1</version>\n    <!-- between -->\n    <productId>P</productId>\n    <newCategory resourceName=\"c\">c</newCategory>\n    <version>2</version>\n    <searchExclude>yes</searchExclude>\n    <installers>\n      <installer>\n        <installerFile>\n          <fileSize>${size}</fileSize>\n        </installerFile>\n      </installer>\n    </installers>\n  </entry>\n</feed>\n";
    let mut feed = read(text);
    assert_eq!(feed.write(), text);
    assert_eq!(
        feed.rest.attributes(),
        [("xml:lang".to_owned(), "en".to_owned())]
    );
    assert!(feed.rest.element("TABS").is_some());
    let entry = &mut feed.entries[0];
    assert_eq!(entry.version().unwrap(), "1");
    assert!(!entry.search_exclude, "an element with text is not a flag");
    assert_eq!(entry.rest.nodes().len(), 3);
    let file = entry.installers[0].installer_file.as_ref().unwrap();
    assert_eq!(file.file_size, None);
    assert_eq!(file.rest.element("fileSize").unwrap().text(), "${size}");

    entry.version = Some("3".to_owned());
    entry.page_name = Some("P".to_owned());
    let expected = text.replacen("<version>1<", "<version>3<", 1).replace(
        "    </installers>\n",
        "    </installers>\n    <pageName>P</pageName>\n",
    );
    assert_eq!(feed.write(), expected);
}

#[test]
fn malformed_rules_are_kept_as_they_are() {
    for inner in [
        "<dependency />",
        "<dependency idref=\"x\">\n      <productId>P</productId>\n    </dependency>",
        "<dependency>\n      <productId>P</productId>\n      <productId>Q</productId>\n    </dependency>",
        "<dependency>\n      <productId />\n    </dependency>",
        "<dependency>\n      <nor />\n    </dependency>",
    ] {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n  <entry>\n    {inner}\n  </entry>\n</feed>\n"
        );
        let feed = read(&text);
        let dependency = feed.entries[0].dependency.as_ref().unwrap();
        assert_eq!(dependency.rule, DependencyRule::Malformed);
        assert_eq!(feed.write(), text);
        let hint = text
            .replace("dependency", "discoveryHint")
            .replace("productId", "file");
        let feed = read(&hint);
        let rule = feed.entries[0]
            .discovery_hint
            .as_ref()
            .map(|hint| &hint.rule);
        assert!(matches!(
            rule,
            Some(DiscoveryRule::Malformed | DiscoveryRule::File(_))
        ));
        assert_eq!(feed.write(), hint);
    }
}

/// The first `id` has no place in the model, the second has: each keeps what is in it.
#[test]
fn elements_of_one_name_are_not_mixed_up() {
    let text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n  <id>\n    <and />\n  </id>\n  <id>x<!-- y --></id>\n</feed>\n";
    let feed = read(text);
    assert_eq!(feed.id.as_deref(), Some("x"));
    assert_eq!(feed.write(), text);
}

#[test]
fn white_space_around_a_comment_is_not_text() {
    let text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n  <title>\n    <!-- later -->\n  </title>\n  <keywords>\n    <keyword id=\"K\">\n      <!-- later -->\n    </keyword>\n  </keywords>\n</feed>\n";
    let feed = read(text);
    assert_eq!(feed.title.as_ref().unwrap().value, "");
    assert_eq!(feed.keywords[0].name, "");
    assert_eq!(feed.write(), text);
}

/// Once it is written nobody can tell where the one ended.
#[test]
fn text_beside_text_is_one() {
    for (text, expected) in [
        ("<feed><entry/>&#65;<![CDATA[x]]></feed>", "Ax"),
        ("<feed>a<?pi?>b</feed>", "ab"),
    ] {
        let feed = read(text);
        assert_eq!(
            feed.rest.nodes(),
            [ExtensionNode::Text(expected.to_owned())]
        );
        assert_eq!(read(&feed.write()), feed, "{text}");
    }
    for (text, expected) in [
        ("<feed><x>a<![CDATA[ ]]>b</x></feed>", "a b"),
        ("<feed><x>a<?pi?>b</x></feed>", "ab"),
        ("<feed><x><![CDATA[]]></x></feed>", ""),
    ] {
        let feed = read(text);
        let element = feed.rest.element("x").unwrap();
        assert_eq!(element.text(), expected);
        assert!(element.children.len() <= 1, "{element:?}");
        assert_eq!(read(&feed.write()), feed, "{text}");
    }
}

/// What only WebPI's window used and what only the names are known of has no field, and is neither lost nor moved.
#[test]
fn every_version_of_the_feed_is_read_and_written() {
    for (version, parts) in [
        (
            "2.0.1.3",
            "<newVersionAvailable><caption>c</caption><text>t</text></newVersionAvailable>",
        ),
        (
            "3.0.0.0",
            r#"<tabs><tab><id>t</id><groupTab><id>g</id></groupTab></tab></tabs><groupings><grouping installed="true"><id>g</id><attribute>productFamily</attribute><include><item>i</item></include></grouping></groupings>"#,
        ),
        (
            "4.2.0.0",
            "<newVersionAvailable><entry><product>WebPI</product><Summary>s</Summary></entry></newVersionAvailable><templates><template><id>t</id></template></templates><productVersionsAvailable><productVersionAvailable>1</productVersionAvailable></productVersionsAvailable><miscellaneousProperties><p>1</p></miscellaneousProperties>",
        ),
        (
            "5.0.0.0",
            "<preferences><p>1</p></preferences><quickStart><quickStartGroup>g</quickStartGroup></quickStart><blocked><domain>example.org</domain></blocked>",
        ),
    ] {
        let entry = "<entry><productId>P</productId><title>t</title><newCategory>c</newCategory><frameworkFamily>f</frameworkFamily><displayURL>https://example.org/</displayURL><productVersions><productVersion>1</productVersion></productVersions><installers><installer><id>1</id></installer></installers></entry>";
        let text = format!(
            r#"<feed xmlns="http://www.w3.org/2005/Atom"><webpiFile version="{version}"/><title>T</title>{entry}{parts}</feed>"#
        );
        let feed = read(&text);
        assert_eq!(feed.version(), Some(version));
        assert_eq!(feed.entries.len(), 1);
        let kept = &feed.entries[0].rest;
        for name in ["newCategory", "frameworkFamily", "displayURL"] {
            assert!(kept.element(name).is_some(), "{name}");
        }
        let versions = kept.element("productVersions").unwrap();
        assert_eq!(versions.children.len(), 1);
        let written = feed.write();
        let without_layout: String = written.lines().skip(1).map(str::trim).collect();
        assert_eq!(without_layout.replace(" />", "/>"), text);
        assert_eq!(read(&written), feed);
    }
}
