//! The messages that WebPI gave about a feed, each with the code that stands for it here: a feed that it refused, the place,
//! and one that it took. The table is that of `docs/feeds.md`.

use std::fmt::Write as _;

use spanned_xml::Source;
use webpi_feed::check;

const FEEDS_PAGE: &str = include_str!("../../docs/feeds.md");

/// One message of WebPI.
struct Message {
    /// How it begins.
    text: &'static str,
    code: &'static str,
    /// A feed with the fault, and where the fault is.
    wrong: String,
    place: &'static str,
    /// The same without it.
    right: String,
}

/// The parts in which the two feeds differ, and what is around them.
fn message(
    text: &'static str,
    code: &'static str,
    around: fn(&str) -> String,
    (wrong, place): (&str, &'static str),
    right: &str,
) -> Message {
    Message {
        text,
        code,
        wrong: around(wrong),
        place,
        right: around(right),
    }
}

const FILE: &str = "<installerFile><fileSize>3</fileSize><installerURL>https://e.org/a.zip</installerURL><sha1>eb36e73bcf3d5e6bdfe2e78fd68cf14fc3a45c7d</sha1></installerFile>";

fn feed(inner: &str) -> String {
    format!(
        r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>urn:feed</id>{inner}{}</feed>"#,
        product("P", "")
    )
}

fn product(product_id: &str, inner: &str) -> String {
    format!(
        "<entry><productId>{product_id}</productId><title>t</title><version>1</version>{inner}<installers><installer><id>1</id>{FILE}<msDeploy/></installer></installers></entry>"
    )
}

fn entry(inner: &str) -> String {
    feed(&product("Q", inner))
}

/// A product that needs something.
fn dependency(inner: &str) -> String {
    entry(&format!("<dependency>{inner}</dependency>"))
}

fn hint(inner: &str) -> String {
    entry(&format!("<discoveryHint>{inner}</discoveryHint>"))
}

fn hints(inner: &str) -> String {
    feed(&format!("<discoveryHints>{inner}</discoveryHints>"))
}

/// The whole content of an installer.
fn installer(inner: &str) -> String {
    feed(&format!(
        "<entry><productId>Q</productId><title>t</title><version>1</version><installers><installer>{inner}</installer></installers></entry>"
    ))
}

fn file(inner: &str) -> String {
    installer(&format!(
        "<id>1</id><installerFile>{inner}<sha1>eb36e73bcf3d5e6bdfe2e78fd68cf14fc3a45c7d</sha1></installerFile><msDeploy/>"
    ))
}

fn commands(inner: &str) -> String {
    installer(&format!(
        "<id>1</id><installCommands>{inner}</installCommands>"
    ))
}

/// What stands in a mapping of return codes.
fn mapping(inner: &str) -> String {
    commands(&format!(
        "<cmdline><exe>x</exe><returnCodeMappings><mapping>{inner}</mapping></returnCodeMappings></cmdline>"
    ))
}

fn os(inner: &str) -> String {
    feed(&format!(r#"<oses><os id="o">{inner}</os></oses>"#))
}

fn languages(inner: &str) -> String {
    feed(&format!(
        "<languages><language default=\"true\">{inner}</language></languages>"
    ))
}

fn resources(inner: &str) -> String {
    feed(&format!(
        "<resourcesList><resources><culture>en</culture></resources><resources><culture>de</culture>{inner}</resources></resourcesList>"
    ))
}

fn terms(inner: &str) -> String {
    entry(&format!("<terms>{inner}</terms>"))
}

fn document(inner: &str) -> String {
    inner.to_owned()
}

fn messages() -> Vec<Message> {
    let one = "<dependency><productId>P</productId></dependency>";
    let other = "<dependency><productId>WDeploy</productId></dependency>";
    let found = "<discoveryHint><file><filePath>f</filePath></file></discoveryHint>";
    let key = r"<registry><keyPath>HKEY_LOCAL_MACHINE\SOFTWARE\x</keyPath></registry>";
    let empty = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>i</id></feed>"#;
    let both = |name: &str| format!("<{name}>{one}{other}</{name}>");
    let with = |around: &str, inner: &str| format!("<{around}>{inner}</{around}>");
    let definition =
        r#"<dependencies><dependency id="d"><productId>P</productId></dependency></dependencies>"#;
    let referring = |inner: &str| feed(&format!("{definition}{}", product("Q", inner)));
    let oses = r#"<oses><os id="o"><minimumVersion><osMajorVersion>6</osMajorVersion></minimumVersion></os></oses>"#;
    let list = |inner: &str| feed(&format!("{oses}<osLists>{inner}</osLists>"));
    let listed = |inner: &str| list(&format!(r#"<osList id="l">{inner}</osList>"#));
    let two_lists = |inner: &str| {
        list(&format!(
            r#"<osList id="l"><os idref="o"/></osList><osList idref="l" id="m">{inner}</osList>"#
        ))
    };
    let mut all = vec![
        message(
            "An and element must include two or more child dependency elements",
            "webpi-dependency-too-few",
            dependency,
            (&with("and", one), "and"),
            &both("and"),
        ),
        message(
            "An or element must include two or more dependency elements",
            "webpi-dependency-too-few",
            dependency,
            (&with("or", one), "or"),
            &both("or"),
        ),
        message(
            "A dependency element cannot contain more than one child element",
            "webpi-dependency-children",
            dependency,
            (
                "<productId>P</productId><productId>WDeploy</productId>",
                "<productId>WDeploy</productId>",
            ),
            "<productId>P</productId>",
        ),
        message(
            "A dependency element is missing a required child element",
            "webpi-dependency-empty",
            entry,
            ("<dependency/>", "<dependency/>"),
            one,
        ),
        Message {
            text: "Dependency element has both an idref attribute and inner xml defined",
            code: "webpi-idref-and-content",
            wrong: referring(r#"<dependency idref="d"><productId>P</productId></dependency>"#),
            place: r#"idref="d""#,
            right: referring(r#"<dependency idref="d"/>"#),
        },
        Message {
            text: "The value for the idref attribute for this dependency element is not valid",
            code: "webpi-idref-unknown",
            wrong: referring(r#"<dependency idref="x"/>"#),
            place: "x",
            right: referring(r#"<dependency idref="d"/>"#),
        },
        message(
            "The value for the child productId element is not valid",
            "webpi-product-unknown",
            dependency,
            ("<productId>X</productId>", "X"),
            "<productId>P</productId>",
        ),
        message(
            "An and element within a discoveryHint element must contain two or more child elements",
            "webpi-hint-too-few",
            hint,
            (&with("and", found), "and"),
            &with("and", &found.repeat(2)),
        ),
        message(
            "An or element within a discoveryHint element must contain two or more child elements",
            "webpi-hint-too-few",
            hint,
            (&with("or", found), "or"),
            &with("or", &found.repeat(2)),
        ),
        message(
            "A discoveryHint element cannot include more than one child element",
            "webpi-hint-children",
            hint,
            (
                &format!("<file><filePath>f</filePath></file>{key}"),
                r"<registry><keyPath>HKEY_LOCAL_MACHINE\SOFTWARE\x</keyPath></registry>",
            ),
            key,
        ),
        message(
            "discoveryHint without 'id' attribute under discoveryHints element is invalid",
            "webpi-definition-without-id",
            hints,
            (found, "<discoveryHint>"),
            r#"<discoveryHint id="h"><file><filePath>f</filePath></file></discoveryHint>"#,
        ),
        message(
            "discoveryHint with this id is already defined",
            "webpi-definition-duplicate",
            hints,
            (
                &r#"<discoveryHint id="h"><file><filePath>f</filePath></file></discoveryHint>"#
                    .repeat(2),
                "h",
            ),
            r#"<discoveryHint id="h"><file><filePath>f</filePath></file></discoveryHint>"#,
        ),
        message(
            "The registry key defined in this discoveryHint element is not valid",
            "webpi-hint-key-path-root",
            hint,
            (
                r"<registry><keyPath>HKLM\SOFTWARE\x</keyPath></registry>",
                r"HKLM\SOFTWARE\x",
            ),
            key,
        ),
        message(
            "The value for the keyPath element is missing",
            "webpi-hint-key-path-missing",
            hint,
            ("<registry><keyPath/></registry>", "<keyPath/>"),
            key,
        ),
        message(
            "The value for the msiProductCode element is missing",
            "webpi-hint-msi-code",
            hint,
            ("<msiProductCode/>", "<msiProductCode/>"),
            "<msiProductCode>{0A4D55A8-D778-E502-2FAB-701977C5D840}</msiProductCode>",
        ),
        message(
            "An installer element must contain either a child iisComponent element, an installCommands element or an msDeploy element",
            "webpi-installer-without-method",
            installer,
            (&format!("<id>1</id>{FILE}"), "<installer>"),
            &format!("<id>1</id>{FILE}<msDeploy/>"),
        ),
        message(
            "An installer element is missing a required child id element",
            "webpi-installer-id-missing",
            installer,
            (&format!("{FILE}<msDeploy/>"), "<installer>"),
            &format!("<id>1</id>{FILE}<msDeploy/>"),
        ),
        message(
            "The installer element contains an child languageId element with a missing languageId",
            "webpi-installer-language-empty",
            installer,
            (
                &format!("<id>1</id><languageId/>{FILE}<msDeploy/>"),
                "<languageId/>",
            ),
            &format!("<id>1</id><languageId>en</languageId>{FILE}<msDeploy/>"),
        ),
        message(
            "The value of the architecture element is not valid",
            "webpi-architecture",
            installer,
            (
                &format!("<id>1</id><architectures><arm/></architectures>{FILE}<msDeploy/>"),
                "arm",
            ),
            &format!("<id>1</id><architectures><x64/></architectures>{FILE}<msDeploy/>"),
        ),
        message(
            "An installCommands element contains an unrecognized child element",
            "webpi-command-unknown",
            commands,
            ("<run/>", "run"),
            "<cmdline><exe>x</exe></cmdline>",
        ),
        message(
            "An installerFile element is missing a required child installerURL element",
            "webpi-installer-url-missing",
            file,
            ("<fileSize>1</fileSize>", "<installerFile>"),
            "<fileSize>1</fileSize><installerURL>https://e.org/a</installerURL>",
        ),
        message(
            "Could not parse fileSize into integer",
            "webpi-file-size",
            file,
            (
                "<fileSize>1.5</fileSize><installerURL>https://e.org/a</installerURL>",
                "1.5",
            ),
            "<fileSize>2</fileSize><installerURL>https://e.org/a</installerURL>",
        ),
        message(
            "Unable to parse trustVerified element of installerFile",
            "webpi-trust-verified",
            file,
            (
                "<fileSize>1</fileSize><installerURL>https://e.org/a</installerURL><trustVerified>yes</trustVerified>",
                "yes",
            ),
            "<fileSize>1</fileSize><installerURL>https://e.org/a</installerURL><trustVerified>true</trustVerified>",
        ),
        message(
            "An exe child element within a cmdline element cannot be empty",
            "webpi-cmdline-exe-missing",
            commands,
            ("<cmdline><exe> </exe></cmdline>", "<exe> </exe>"),
            "<cmdline><exe>x</exe></cmdline>",
        ),
        message(
            "The msu element cannot be empty",
            "webpi-msu-missing",
            commands,
            ("<msuInstall><msu/></msuInstall>", "<msu/>"),
            "<msuInstall><msu>x</msu></msuInstall>",
        ),
        message(
            "The unzip element is missing a child targetDirectory element",
            "webpi-unzip-incomplete",
            commands,
            ("<unzip><zipFile>z</zipFile></unzip>", "<unzip>"),
            "<unzip><zipFile>z</zipFile><targetDirectory>t</targetDirectory></unzip>",
        ),
        message(
            "The unzip element is missing a child zipFile element",
            "webpi-unzip-incomplete",
            commands,
            (
                "<unzip><targetDirectory>t</targetDirectory></unzip>",
                "<unzip>",
            ),
            "<unzip><zipFile>z</zipFile><targetDirectory>t</targetDirectory></unzip>",
        ),
        message(
            "A mapping element requires either a child success element or a child failure element",
            "webpi-mapping-outcome",
            mapping,
            ("<returnCode>1</returnCode>", "<mapping>"),
            "<returnCode>1</returnCode><failure/>",
        ),
        message(
            "A mapping element cannot contain more than one child element",
            "webpi-mapping-outcome",
            mapping,
            ("<returnCode>1</returnCode><success/><failure/>", "failure"),
            "<returnCode>1</returnCode><success/>",
        ),
        message(
            "Invalid integer specified for return code",
            "webpi-return-code",
            mapping,
            ("<returnCode>0x1</returnCode><success/>", "0x1"),
            "<returnCode>-1</returnCode><success/>",
        ),
        Message {
            text: "The osList element requires an os child element",
            code: "webpi-os-list-empty",
            wrong: listed(""),
            place: r#"<osList id="l"></osList>"#,
            right: listed(r#"<os idref="o"/>"#),
        },
        Message {
            text: "The os element has both an idref attribute and inner xml defined",
            code: "webpi-idref-and-content",
            wrong: listed(r#"<os idref="o"><osTypes><Server/></osTypes></os>"#),
            place: r#"idref="o""#,
            right: listed(r#"<os idref="o"/>"#),
        },
        Message {
            text: "The osList element has both an idref attribute and inner xml defined",
            code: "webpi-idref-and-content",
            wrong: two_lists(r#"<os idref="o"/>"#),
            place: r#"idref="l""#,
            right: two_lists(""),
        },
        message(
            "More than one product with productId",
            "webpi-product-duplicate",
            feed,
            (&product("p", ""), "P"),
            &product("Q", ""),
        ),
        message(
            "XML file contained no products",
            "webpi-no-products",
            document,
            (empty, "feed"),
            &feed(""),
        ),
        message(
            "Invalid XML file",
            "webpi-not-a-feed",
            document,
            ("<rss/>", "rss"),
            &feed(""),
        ),
        message(
            "An error occurred creating the installation order",
            "webpi-dependency-cycle",
            dependency,
            (
                "<productId>Q</productId>",
                "<dependency><productId>Q</productId></dependency>",
            ),
            "<productId>P</productId>",
        ),
        message(
            "The language element requires an child languageId element",
            "webpi-language-id-missing",
            languages,
            ("<name>English</name>", r#"<language default="true">"#),
            "<languageId>en</languageId><name>English</name>",
        ),
        message(
            "The language element requires an child name element",
            "webpi-language-name-missing",
            languages,
            (
                "<languageId>en</languageId>",
                r#"<language default="true">"#,
            ),
            "<languageId>en</languageId><name>English</name>",
        ),
        message(
            "The keyword element is missing a required child id element",
            "webpi-keyword-id-missing",
            feed,
            ("<keywords><keyword>K</keyword></keywords>", "<keyword>"),
            r#"<keywords><keyword id="K">K</keyword></keywords>"#,
        ),
        message(
            "The resource language {0} is missing a URL",
            "webpi-resources-url-missing",
            resources,
            ("", "resources"),
            "<url>https://e.org/de.xml</url>",
        ),
        message(
            "The update product with productId {0} is missing a dependency on the product it updates",
            "webpi-update-without-dependency",
            entry,
            ("<updates><productId>P</productId></updates>", "P"),
            &format!("<updates><productId>P</productId></updates>{one}"),
        ),
        message(
            "The entry element with child external element requires both a longSummary child element and a link child element",
            "webpi-external-incomplete",
            entry,
            ("<external/>", "external"),
            r#"<external/><longSummary>s</longSummary><link href="https://e.org/"/>"#,
        ),
    ];
    for (text, name) in [
        (
            "The terms element requires a termsText element",
            "termsText",
        ),
        (
            "The terms element requires a termsLink element",
            "termsLink",
        ),
        (
            "The terms element requires a termsLinkText element",
            "termsLinkText",
        ),
    ] {
        let parts = [
            ("termsText", "<termsText>t</termsText>"),
            ("termsLink", "<termsLink>https://e.org/</termsLink>"),
            ("termsLinkText", "<termsLinkText>l</termsLinkText>"),
        ];
        let join = |left_out: &str| -> String {
            let kept = parts.iter().filter(|(part, _)| *part != left_out);
            kept.map(|(_, text)| *text).collect()
        };
        all.push(message(
            text,
            "webpi-terms-incomplete",
            terms,
            (&join(name), "<terms>"),
            &join(""),
        ));
    }
    for version in ["minimumVersion", "maximumVersion"] {
        let around = |inner: &str| os(&with(version, inner));
        let (text, place) = match version {
            "minimumVersion" => (
                "The minimumVersion element requires a child osMajorVersion element with an integer value",
                "<minimumVersion>",
            ),
            _ => (
                "The maximumVersion element requires a child osMajorVersion element with an integer value",
                "<maximumVersion>",
            ),
        };
        let right = around("<osMajorVersion>6</osMajorVersion>");
        all.push(Message {
            text,
            code: "webpi-os-major-version-missing",
            wrong: around(""),
            place,
            right,
        });
        for part in [
            "osMajorVersion",
            "osMinorVersion",
            "spMajorVersion",
            "spMinorVersion",
        ] {
            let first = if part == "osMajorVersion" {
                ""
            } else {
                "<osMajorVersion>6</osMajorVersion>"
            };
            let number = |value: &str| around(&format!("{first}{}", with(part, value)));
            all.push(Message {
                text: "The minimumVersion or maximumVersion element requires a child element with an integer value",
                code: "webpi-os-version-number",
                wrong: number("six"),
                place: "six",
                right: number("6"),
            });
        }
    }
    all
}

#[test]
fn what_webpi_refused_has_a_code_and_a_place() {
    for message in messages() {
        let found = |text: &str| -> Vec<String> {
            let source = Source::from_text("feed.xml", text);
            let problems = check(&source).into_iter();
            problems
                .filter(|problem| problem.code == message.code)
                .map(|problem| {
                    let span = problem.span.expect("a place");
                    source.slice(span).to_owned()
                })
                .collect()
        };
        let (text, code) = (message.text, message.code);
        let wrong = found(&message.wrong);
        assert!(
            wrong.iter().any(|at| at == message.place),
            "{text}: {code} at {wrong:?} of {}",
            message.wrong
        );
        assert_eq!(
            found(&message.right),
            [""; 0],
            "{text}: {code} of {}",
            message.right
        );
    }
}

/// One of our codes stands beside each of WebPI's messages in the documentation.
#[test]
fn the_documentation_has_the_same_table() {
    let mut table = String::from("| WebPI's message | here |\n|---|---|\n");
    for message in messages() {
        if !table.contains(message.text) {
            let _ = writeln!(table, "| {} | `{}` |", message.text, message.code);
        }
    }
    assert!(
        FEEDS_PAGE.contains(&table),
        "docs/feeds.md must have this table:\n{table}"
    );
}
