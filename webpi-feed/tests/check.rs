//! Every rule: a feed that breaks it, the code, and the place that is named.

use std::collections::BTreeSet;

use spanned_xml::{Severity, Source};
use webpi_feed::{Feed, check};

/// Where the rules are written; each code in them must have a case here.
const RULES: [&str; 7] = [
    include_str!("../src/check.rs"),
    include_str!("../src/check/dependency.rs"),
    include_str!("../src/check/discovery_hint.rs"),
    include_str!("../src/check/entry.rs"),
    include_str!("../src/check/installer.rs"),
    include_str!("../src/check/os.rs"),
    include_str!("../src/feed_reader.rs"),
];

const LANGUAGES: &str = r#"<languages><language default="true"><languageId>en</languageId><name>English</name></language></languages>"#;

const FILE: &str = "<installerFile><fileSize>3</fileSize><installerURL>https://e.org/a.zip</installerURL><sha1>eb36e73bcf3d5e6bdfe2e78fd68cf14fc3a45c7d</sha1></installerFile>";

/// A feed without faults, with `inner` added to the feed.
fn feed(inner: &str) -> String {
    format!(
        r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>urn:feed</id>{LANGUAGES}<keywords><keyword id="K">K</keyword></keywords>{inner}{}</feed>"#,
        product("P", "")
    )
}

fn product(product_id: &str, inner: &str) -> String {
    format!(
        "<entry><productId>{product_id}</productId><title>t</title><version>1</version>{inner}<installers><installer><id>1</id>{FILE}<msDeploy/></installer></installers></entry>"
    )
}

/// A feed without faults, with `inner` added to a product.
fn entry(inner: &str) -> String {
    feed(&product("Q", inner))
}

/// A feed without faults but for a product with this installer.
fn installer(inner: &str) -> String {
    feed(&format!(
        "<entry><productId>Q</productId><title>t</title><version>1</version><installers><installer>{inner}</installer></installers></entry>"
    ))
}

fn commands(inner: &str) -> String {
    installer(&format!(
        "<id>1</id><installCommands>{inner}</installCommands>"
    ))
}

fn cases() -> Vec<(&'static str, Severity, String, &'static str)> {
    use Severity::{Error, Note, Warning};
    vec![
        // read
        ("webpi-not-a-feed", Error, "<rss/>".to_owned(), "rss"),
        ("webpi-not-a-feed", Error, r#"<a:feed xmlns:a="http://www.w3.org/2005/Atom"/>"#.to_owned(), "a:feed"),
        // feed
        ("webpi-namespace", Warning, feed("").replace("2005/Atom", "2005/atom"), "feed"),
        ("webpi-feed-title-missing", Warning, feed("").replace("<title>T</title>", ""), "feed"),
        ("webpi-feed-id-missing", Warning, feed("").replace("<id>urn:feed</id>", "<id> </id>"), "feed"),
        ("webpi-no-products", Error, r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>i</id></feed>"#.to_owned(), "feed"),
        ("webpi-time-format", Warning, feed("<updated>2009-1-13T18:30:02Z</updated>"), "2009-1-13T18:30:02Z"),
        ("webpi-duplicate-element", Warning, feed("<id>urn:other</id>"), "id"),
        ("webpi-language-id-missing", Error, feed("").replace("<languageId>en</languageId>", ""), r#"<language default="true">"#),
        ("webpi-language-name-missing", Error, feed("").replace("<name>English</name>", "<name/>"), "<name/>"),
        ("webpi-default-language-missing", Warning, feed("").replace(r#" default="true""#, ""), "languages"),
        (
            "webpi-default-language-duplicate",
            Error,
            feed("").replace("</languages>", r#"<language default="true"><languageId>de</languageId><name>Deutsch</name></language></languages>"#),
            r#"default="true""#,
        ),
        ("webpi-resources-culture-missing", Error, feed("<resourcesList><resources/></resourcesList>"), "<resources/>"),
        (
            "webpi-resources-url-missing",
            Error,
            feed("<resourcesList><resources><culture>en</culture></resources><resources><culture>de</culture></resources></resourcesList>"),
            "resources",
        ),
        ("webpi-keyword-id-missing", Error, feed("").replace(r#" id="K""#, ""), "<keyword>"),
        ("webpi-keyword-duplicate", Warning, feed("").replace("</keywords>", r#"<keyword id="K">L</keyword></keywords>"#), "K"),
        ("webpi-definition-without-id", Error, feed("<dependencies><dependency><productId>P</productId></dependency></dependencies>"), "<dependency>"),
        (
            "webpi-definition-duplicate",
            Error,
            feed(r#"<oses><os id="o"><minimumVersion><osMajorVersion>6</osMajorVersion></minimumVersion></os><os id="o"/></oses>"#),
            "o",
        ),
        (
            "webpi-definition-duplicate",
            Error,
            feed(r#"<discoveryHints><discoveryHint id="h"><file><filePath>f</filePath></file></discoveryHint><discoveryHint id="h"><file><filePath>f</filePath></file></discoveryHint></discoveryHints>"#),
            "h",
        ),
        (
            "webpi-enclosure-without-address",
            Error,
            feed(r#"<link rel="enclosure" href=""/>"#),
            r#"<link rel="enclosure" href=""/>"#,
        ),
        // references
        ("webpi-idref-unknown", Error, entry(r#"<dependency idref="x"/>"#), "x"),
        ("webpi-idref-unknown", Error, entry(r#"<discoveryHint idref="x"/>"#), "x"),
        (
            "webpi-idref-unknown",
            Warning,
            feed(r#"<link rel="enclosure" href="https://e.org/other.xml"/>"#).replace("<productId>P</productId>", r#"<productId>P</productId><dependency idref="x"/>"#),
            "x",
        ),
        ("webpi-idref-unknown", Error, feed(r#"<osLists><osList id="l"><os idref="x"/></osList></osLists>"#), "x"),
        (
            "webpi-idref-and-content",
            Error,
            feed(r#"<dependencies><dependency id="d"><productId>P</productId></dependency></dependencies>"#)
                .replace("<productId>P</productId><title>", r#"<productId>P</productId><dependency idref="d"><productId>WDeploy</productId></dependency><title>"#),
            r#"idref="d""#,
        ),
        // products
        ("webpi-product-id-missing", Error, feed("<entry/>"), "<entry/>"),
        ("webpi-product-id-missing", Error, feed("<entry><productId> </productId></entry>"), "<productId> </productId>"),
        ("webpi-product-id", Warning, feed(&product("a b", "")), "a b"),
        ("webpi-product-duplicate", Error, feed(&product("p", "")), "P"),
        ("webpi-title-missing", Warning, feed("<entry><productId>Q</productId></entry>"), "entry"),
        ("webpi-version-missing", Warning, feed("<entry><productId>Q</productId></entry>"), "entry"),
        ("webpi-no-installers", Warning, feed("<entry><productId>Q</productId></entry>"), "entry"),
        ("webpi-entry-id-duplicate", Warning, entry("<id>urn:feed</id>"), "urn:feed"),
        ("webpi-entry-id-duplicate", Warning, feed(&(product("Q", "<id>urn:q</id>") + &product("R", "<id>urn:q</id>"))), "urn:q"),
        ("webpi-metadata-overrides", Warning, entry("<metadata><title>u</title></metadata>"), "title"),
        ("webpi-keyword-undeclared", Warning, entry("<keywords><keywordId>L</keywordId></keywords>"), "L"),
        ("webpi-update-without-dependency", Error, entry("<updates><productId>P</productId></updates>"), "P"),
        ("webpi-external-incomplete", Error, entry("<external/><link href='https://e.org'/>"), "external"),
        ("webpi-terms-incomplete", Error, entry("<terms><termsText>t</termsText><termsLink>https://e.org</termsLink></terms>"), "<terms>"),
        ("webpi-product-unknown", Warning, entry("<related><relatedProduct><productId>X</productId></relatedProduct></related>"), "X"),
        ("webpi-product-unknown", Warning, feed("<featured><productId>X</productId></featured>"), "X"),
        ("webpi-product-reference-empty", Error, entry("<related><relatedProduct><productId/></relatedProduct></related>"), "<productId/>"),
        ("webpi-url", Warning, entry("<images><icon>a b</icon></images>"), "a b"),
        ("webpi-url", Warning, entry("<images><icon>icon.png</icon></images>"), "icon.png"),
        // dependencies
        ("webpi-dependency-empty", Error, entry("<dependency/>"), "<dependency/>"),
        (
            "webpi-dependency-children",
            Error,
            entry("<dependency><productId>P</productId><productId>WDeploy</productId></dependency>"),
            "<productId>WDeploy</productId>",
        ),
        ("webpi-dependency-unexpected", Error, entry("<dependency><product>P</product></dependency>"), "product"),
        ("webpi-dependency-unexpected", Error, entry("<dependency><and><productId>P</productId></and></dependency>"), "productId"),
        ("webpi-dependency-too-few", Error, entry("<dependency><or><dependency><productId>P</productId></dependency></or></dependency>"), "or"),
        ("webpi-product-unknown", Warning, entry("<dependency><productId>X</productId></dependency>"), "X"),
        ("webpi-product-reference-empty", Error, entry("<dependency><productId> </productId></dependency>"), "<productId> </productId>"),
        ("webpi-dependency-cycle", Error, entry("<dependency><productId>q</productId></dependency>"), "<dependency><productId>q</productId></dependency>"),
        (
            "webpi-dependency-cycle",
            Warning,
            entry("<dependency><or><dependency><productId>Q</productId></dependency><dependency><productId>P</productId></dependency></or></dependency>"),
            "<dependency><productId>Q</productId></dependency>",
        ),
        // discovery hints
        ("webpi-hint-empty", Error, entry("<discoveryHint/>"), "<discoveryHint/>"),
        (
            "webpi-hint-children",
            Error,
            entry("<discoveryHint><file><filePath>f</filePath></file><file/></discoveryHint>"),
            "<file/>",
        ),
        ("webpi-hint-unexpected", Error, entry("<discoveryHint><files/></discoveryHint>"), "files"),
        ("webpi-hint-unexpected", Error, entry("<discoveryHint><or><file/></or></discoveryHint>"), "file"),
        ("webpi-hint-too-few", Error, entry("<discoveryHint><and/></discoveryHint>"), "and"),
        ("webpi-hint-too-few", Error, entry("<discoveryHint><not/></discoveryHint>"), "not"),
        ("webpi-hint-file-path-missing", Error, entry("<discoveryHint><file/></discoveryHint>"), "<file/>"),
        ("webpi-hint-key-path-missing", Error, entry("<discoveryHint><registry/></discoveryHint>"), "<registry/>"),
        (
            "webpi-hint-key-path-root",
            Error,
            entry(r"<discoveryHint><registry><keyPath>HKLM\SOFTWARE</keyPath></registry></discoveryHint>"),
            r"HKLM\SOFTWARE",
        ),
        (
            "webpi-hint-value-name-missing",
            Warning,
            entry(r"<discoveryHint><registry><keyPath>HKEY_USERS\x</keyPath><valueValue>1</valueValue></registry></discoveryHint>"),
            "valueValue",
        ),
        (
            "webpi-hint-version",
            Warning,
            entry("<relatedDiscovery><relatedDiscoveryHint><id>r</id><discoveryHint><file><filePath>f</filePath><minimumVersion>1.x</minimumVersion></file></discoveryHint></relatedDiscoveryHint></relatedDiscovery>"),
            "1.x",
        ),
        ("webpi-hint-msi-code", Error, entry("<discoveryHint><msiProductCode>1234</msiProductCode></discoveryHint>"), "1234"),
        // operating systems
        ("webpi-os-list-empty", Error, installer(&format!("<id>1</id><osList/>{FILE}<msDeploy/>")), "<osList/>"),
        (
            "webpi-os-major-version-missing",
            Error,
            feed(r#"<oses><os id="o"><maximumVersion><osMinorVersion>1</osMinorVersion></maximumVersion></os></oses>"#),
            "<maximumVersion>",
        ),
        (
            "webpi-os-version-number",
            Error,
            feed(r#"<oses><os id="o"><minimumVersion><osMajorVersion>6</osMajorVersion><spMajorVersion>-1</spMajorVersion></minimumVersion></os></oses>"#),
            "-1",
        ),
        ("webpi-os-type", Warning, feed(r#"<oses><os id="o"><osTypes><Starter/></osTypes></os></oses>"#), "Starter"),
        // installers
        ("webpi-installer-id-missing", Error, installer(&format!("{FILE}<msDeploy/>")), "<installer>"),
        (
            "webpi-installer-id-duplicate",
            Warning,
            installer(&format!("<id>1</id>{FILE}<msDeploy/></installer><installer><id>1</id>{FILE}<msDeploy/>")),
            "1",
        ),
        ("webpi-installer-language-empty", Error, installer(&format!("<id>1</id><languageId/>{FILE}<msDeploy/>")), "<languageId/>"),
        ("webpi-installer-language-undeclared", Note, installer(&format!("<id>1</id><languageId>de</languageId>{FILE}<msDeploy/>")), "de"),
        ("webpi-architecture", Error, installer(&format!("<id>1</id><architectures><ia64/></architectures>{FILE}<msDeploy/>")), "ia64"),
        ("webpi-installer-without-method", Error, installer(&format!("<id>1</id>{FILE}")), "<installer>"),
        (
            "webpi-installer-two-methods",
            Error,
            installer(&format!("<id>1</id>{FILE}<msDeploy/><installCommands><msuInstall><msu>m</msu></msuInstall></installCommands>")),
            "msDeploy",
        ),
        ("webpi-msdeploy-without-file", Error, installer("<id>1</id><msDeploy/>"), "msDeploy"),
        ("webpi-installer-url-missing", Error, feed("").replace("<installerURL>https://e.org/a.zip</installerURL>", ""), "<installerFile>"),
        ("webpi-file-size", Error, feed("").replace("<fileSize>3<", "<fileSize>3 KB<"), "3 KB"),
        ("webpi-file-size-unit", Warning, feed("").replace("<fileSize>3<", "<fileSize>17811112<"), "17811112"),
        ("webpi-sha1-missing", Warning, feed("").replace("<sha1>eb36e73bcf3d5e6bdfe2e78fd68cf14fc3a45c7d</sha1>", ""), "<installerFile>"),
        ("webpi-sha1", Error, feed("").replace("eb36e73bcf3d5e6bdfe2e78fd68cf14fc3a45c7d", "eb36"), "eb36"),
        ("webpi-trust-verified", Error, feed("").replace("</installerFile>", "<trustVerified>yes</trustVerified></installerFile>"), "yes"),
        ("webpi-commands-empty", Warning, commands(""), "<installCommands></installCommands>"),
        ("webpi-command-unknown", Error, commands("<run/>"), "run"),
        ("webpi-cmdline-case", Note, commands("<cmdLine><exe>x</exe></cmdLine>"), "cmdLine"),
        ("webpi-cmdline-exe-missing", Error, commands("<cmdline><exe/></cmdline>"), "<exe/>"),
        ("webpi-msi-missing", Error, commands("<msiInstall/>"), "<msiInstall/>"),
        ("webpi-msu-missing", Error, commands("<msuInstall><msu/></msuInstall>"), "<msu/>"),
        ("webpi-unzip-incomplete", Error, commands("<unzip><zipFile>z</zipFile></unzip>"), "<unzip>"),
        (
            "webpi-mapping-outcome",
            Error,
            commands("<cmdline><exe>x</exe><returnCodeMappings><mapping><returnCode>0</returnCode></mapping></returnCodeMappings></cmdline>"),
            "<mapping>",
        ),
        (
            "webpi-mapping-outcome",
            Error,
            commands("<cmdline><exe>x</exe><returnCodeMappings><mapping><returnCode>0</returnCode><success/><failure/></mapping></returnCodeMappings></cmdline>"),
            "failure",
        ),
        (
            "webpi-return-code",
            Error,
            commands("<msiInstall><msi>m</msi><returnCodeMappings><mapping><returnCode>x</returnCode><success/></mapping></returnCodeMappings></msiInstall>"),
            "x",
        ),
        (
            "webpi-return-code",
            Error,
            commands("<msiInstall><msi>m</msi><returnCodeMappings><mapping><success/></mapping></returnCodeMappings></msiInstall>"),
            "<mapping>",
        ),
    ]
}

fn problems(text: &str) -> (Source, Vec<spanned_xml::Problem>) {
    let source = Source::from_text("feed.xml", text);
    let problems = check(&source);
    (source, problems)
}

#[test]
fn a_feed_without_faults_has_none() {
    for text in [
        feed(""),
        entry("<dependency><productId>WDeploy</productId></dependency>"),
        entry(
            "<updated>2012-03-25T13:22:48Z</updated><keywords><keywordId>K</keywordId></keywords>",
        ),
        entry(
            r"<discoveryHint><or><discoveryHint><msiProductCode>{01234567-89AB-cdef-0123-456789abcdef}</msiProductCode></discoveryHint><discoveryHint><registry><keyPath>hkey_local_machine\SOFTWARE</keyPath><valueName>V</valueName><minimumVersion>1.2.3.4</minimumVersion></registry></discoveryHint></or></discoveryHint>",
        ),
        entry(
            "<updates><productId>P</productId></updates><dependency><and><dependency><productId>p</productId></dependency><dependency><productId>WDeploy</productId></dependency></and></dependency>",
        ),
        installer(
            "<id>1</id><languageId>EN</languageId><architectures><x86/><x64/></architectures><iisComponent><iis70ComponentName>IIS-CGI</iis70ComponentName></iisComponent>",
        ),
        commands(
            "<cmdline><exe>%InstallerFile%</exe></cmdline><done/><unzip><zipFile>z</zipFile><targetDirectory>t</targetDirectory></unzip>",
        ),
        feed("").replace("https://e.org/a.zip", r"C:\packages\a.zip"),
        feed("").replace("https://e.org/a.zip", "file:///C:/packages/a.zip"),
        feed("").replace("https://e.org/a.zip", r"\\server\share\a.zip"),
    ] {
        let (source, problems) = problems(&text);
        assert_eq!(problems, [], "{}", source.text());
    }
}

#[test]
fn every_fault_is_found_at_its_place() {
    for (code, severity, text, place) in cases() {
        let (source, problems) = problems(&text);
        let found: Vec<_> = problems
            .iter()
            .filter(|problem| problem.code == code)
            .collect();
        assert!(!found.is_empty(), "{code} not found in {text}");
        let problem = found
            .iter()
            .find(|problem| problem.span.is_some_and(|span| source.slice(span) == place))
            .unwrap_or_else(|| panic!("{code}: {found:?} is not at `{place}` in {text}"));
        assert_eq!(problem.severity, severity, "{problem:?}");
        assert!(
            problem.help.as_deref().is_some_and(|help| !help.is_empty()),
            "{problem:?}"
        );
        assert!(!problem.message.ends_with('.'), "{problem:?}");
        for (span, _) in &problem.related {
            assert!(!source.slice(*span).is_empty(), "{problem:?}");
        }
    }
}

/// The findings as people read them, for each case: where, what, what to do. `SNAPSHOTS=overwrite` writes them anew.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the snapshot is written; the crate does no I/O"
)]
fn the_findings_read_as_before() {
    let mut text = String::new();
    for (code, _, feed, _) in cases() {
        let (source, problems) = problems(&feed);
        for problem in problems.iter().filter(|problem| problem.code == code) {
            let place = problem.span.map_or("", |span| source.slice(span));
            let help = problem.help.as_deref().unwrap_or_default();
            text += &format!(
                "{}[{code}]: {}\n  at {place:?}\n",
                problem.severity, problem.message
            );
            for (span, label) in &problem.related {
                text += &format!("  {label}: {:?}\n", source.slice(*span));
            }
            text += &format!("  help: {help}\n\n");
        }
    }
    if std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/findings.txt");
        std::fs::write(path, text).expect("the snapshot");
        return;
    }
    for (found, expected) in text
        .split("\n\n")
        .zip(include_str!("findings.txt").split("\n\n"))
    {
        assert_eq!(found, expected);
    }
    assert_eq!(text.len(), include_str!("findings.txt").len());
}

#[test]
fn every_rule_has_a_case() {
    let mut codes = BTreeSet::new();
    for source in RULES {
        for (i, _) in source.match_indices("\"webpi-") {
            codes.insert(source[i + 1..].split('"').next().unwrap());
        }
    }
    let tested: BTreeSet<&str> = cases().into_iter().map(|(code, ..)| code).collect();
    assert_eq!(codes, tested);
}

#[test]
fn all_faults_come_at_once_in_the_order_of_the_file() {
    let text = feed("<entry><productId>p</productId></entry><entry/>");
    let (_, problems) = problems(&text);
    assert!(problems.len() >= 7, "{problems:?}");
    assert!(problems.is_sorted_by_key(|problem| problem.span));
}

#[test]
fn a_name_that_is_unknown_is_reported_once() {
    let text = feed(
        &(product("Q", "<dependency><productId>X</productId></dependency>")
            + &product("R", "<dependency><productId>x</productId></dependency>")),
    );
    let (_, problems) = problems(&text);
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn what_is_not_a_feed_cannot_be_read() {
    for (text, expected) in [
        ("", "feed.xml"),
        ("<feed>", "feed.xml:1:"),
        (
            "<html/>",
            "feed.xml:1:2: error[webpi-not-a-feed]: the document element is `html`, not `feed`",
        ),
        (
            "<!DOCTYPE feed [<!ENTITY a 'b'>]><feed/>",
            "feed.xml:1:1: error[",
        ),
        ("<feed>&unknown;</feed>", "feed.xml:1:7: error["),
    ] {
        let problems = Feed::read(&Source::from_text("feed.xml", text)).unwrap_err();
        assert!(problems.has_errors());
        assert!(
            problems.to_string().starts_with(expected) || expected.contains("no-root"),
            "{problems}"
        );
    }
}
