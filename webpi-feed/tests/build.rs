//! Feeds from plain values, with and without a template.

use spanned_xml::Source;
use webpi_feed::{
    Architecture, DEFAULT_TEMPLATE, DependencyRule, Error, Feed, FeedInfo, FilePackage,
    InstallCommand, Package, PipInstall, ProductInfo, check, write_with_template,
};

const SHA1: &str = "EB36E73BCF3D5E6BDFE2E78FD68CF14FC3A45C7D";

fn info() -> FeedInfo {
    FeedInfo::new(
        "Feed <&> \"quoted\"",
        "https://example.org/feed",
        1_351_512_000,
    )
}

fn ms_deploy(size_octets: u64) -> Package {
    Package::MsDeploy(FilePackage {
        url: "https://example.org/p.zip?a=1&b=2".to_owned(),
        size_octets,
        sha1: SHA1.to_owned(),
    })
}

fn product(product_id: &str) -> ProductInfo {
    ProductInfo::new(product_id, "A title", "1.0", 1_351_512_000, ms_deploy(3000))
}

/// A product with every field filled.
fn full() -> ProductInfo {
    let some = |text: &str| Some(text.to_owned());
    let mut product = product("Full");
    product.id = some("urn:full");
    product.title = "Résumé <&> \"x\" 'y' {{z}}".to_owned();
    product.summary = some("One sentence.");
    product.long_summary = some("Lines\n  of a\ttext & more.");
    product.home_page = some("https://example.org/");
    product.author_name = some("Ada <ada@example.org>");
    product.author_url = some("https://example.org/ada");
    product.license_url = some("https://example.org/licence");
    product.display_url = some("https://example.org/display");
    product.help_url = some("https://example.org/help?a&b");
    product.published = Some(0);
    product.icon_url = some("https://example.org/icon.png");
    product.screenshot_urls = vec![
        "https://example.org/1.png".to_owned(),
        "https://example.org/2.png".to_owned(),
    ];
    product.discovery_file = some(r"%ProgramFiles%\x\y.exe");
    product.dependencies = vec!["Python27".to_owned(), "Other".to_owned()];
    product.related = vec!["PythonToolsForVS".to_owned()];
    product.keywords = vec!["Python".to_owned(), "R&D".to_owned()];
    product.architectures = vec![Architecture::X64, Architecture::X86];
    product
}

fn egg() -> ProductInfo {
    ProductInfo::new(
        "Other",
        "An egg",
        "0.4",
        1_351_512_000,
        Package::Pip(PipInstall::new("iiswsgi>=0.4; python_version < \"4\"")),
    )
}

#[test]
fn the_template_gives_what_the_builder_gives() {
    let mut described = info();
    described.link = Some("https://example.org/feed.xml?x&y".to_owned());
    described.author_name = Some("Ada".to_owned());
    let mut author_without_name = info();
    author_without_name.author_url = Some("https://example.org/ada".to_owned());
    let mut german = egg();
    german.language_id = "de".to_owned();
    german.dependencies = vec!["CGI".to_owned()];
    let mut with_url = egg();
    with_url.author_url = Some("https://example.org/ada".to_owned());
    for (info, products) in [
        (described, vec![full(), egg()]),
        (author_without_name, vec![with_url]),
        (info(), vec![german]),
        (info(), vec![product("A"), egg()]),
    ] {
        let built = Feed::build(&info, &products).unwrap();
        for template in [None, Some(DEFAULT_TEMPLATE)] {
            let text = write_with_template(&info, &products, template).unwrap();
            let (read, problems) = Feed::read(&Source::from_text("t", text.as_str())).unwrap();
            assert_eq!(read, built, "{text}");
            assert_eq!(problems, [], "{text}");
        }
        let written = Source::from_text("w", built.write());
        assert_eq!(check(&written), []);
        assert_eq!(Feed::read(&written).unwrap().0, built);
    }
}

#[test]
fn what_webpi_was_strict_about() {
    let feed = Feed::build(&info(), &[full(), egg()]).unwrap();
    assert_eq!(feed.updated.as_deref(), Some("2012-10-29T12:00:00Z"));
    let entry = feed.entry("full").unwrap();
    assert!(entry.is_application());
    assert_eq!(entry.published.as_deref(), Some("1970-01-01T00:00:00Z"));
    assert_eq!(entry.add_to_feed_date.as_deref(), Some("01-01-1970"));
    assert_eq!(
        entry.dependency.as_ref().unwrap().product_ids(),
        ["Python27", "Other", "WDeploy", "IISManagementConsole"]
    );
    let installer = &entry.installers[0];
    let file = installer.installer_file.as_ref().unwrap();
    assert_eq!(file.file_size, Some(3));
    assert_eq!(file.sha1.as_deref(), Some(SHA1.to_lowercase().as_str()));
    assert!(installer.ms_deploy.is_some() && installer.install_commands.is_none());
    let keywords: Vec<&str> = feed
        .keywords
        .iter()
        .filter_map(|keyword| keyword.id.as_deref())
        .collect();
    assert_eq!(keywords, ["Python", "R&D"]);

    let entry = feed.entry("Other").unwrap();
    assert!(!entry.is_application());
    assert_eq!(entry.dependency, None, "pip does not need Web Deploy");
    let installer = &entry.installers[0];
    assert!(installer.ms_deploy.is_none() && installer.installer_file.is_none());
    let [InstallCommand::Cmdline(command)] =
        installer.install_commands.as_ref().unwrap().as_slice()
    else {
        panic!("{installer:?}");
    };
    assert_eq!(command.exe, r"%SystemRoot%\py.exe");
    assert_eq!(
        command.command_line_arguments.as_deref(),
        Some(r#"-m pip install "iiswsgi>=0.4; python_version < \"4\"""#)
    );
    assert!(feed.write().contains("<cmdline>"));
}

#[test]
fn web_deploy_is_added_once_or_not_at_all() {
    let check = |dependencies: &[&str], require: bool, expected: &[&str]| {
        let mut product = product("A");
        product.dependencies = dependencies.iter().map(|id| (*id).to_owned()).collect();
        let mut info = info();
        info.require_web_deploy = require;
        let feed = Feed::build(&info, &[product]).unwrap();
        let found = feed.entries[0]
            .dependency
            .as_ref()
            .map(|dependency| dependency.product_ids());
        assert_eq!(found.unwrap_or_default(), expected);
    };
    check(&[], true, &["WDeploy", "IISManagementConsole"]);
    check(&[], false, &[]);
    check(&["CGI"], false, &["CGI"]);
    check(
        &["WDeployNoSMO"],
        true,
        &["WDeployNoSMO", "IISManagementConsole"],
    );
    check(
        &["iismanagementconsole", "wdeploy"],
        true,
        &["iismanagementconsole", "wdeploy"],
    );
    check(&["CGI", " cgi "], false, &["CGI"]);
    let mut info = info();
    info.require_web_deploy = false;
    let mut single = product("A");
    single.dependencies = vec!["CGI".to_owned()];
    let feed = Feed::build(&info, &[single]).unwrap();
    assert_eq!(
        feed.entries[0].dependency.as_ref().unwrap().rule,
        DependencyRule::Product("CGI".to_owned()),
        "no `and` around a single one"
    );
}

#[test]
fn sizes_are_in_kb_rounded_up_and_never_0() {
    for (octets, expected) in [(0, 1), (1, 1), (1024, 1), (1025, 2), (u64::MAX, 1 << 54)] {
        let mut product = product("A");
        product.package = ms_deploy(octets);
        let feed = Feed::build(&info(), &[product]).unwrap();
        let file = feed.entries[0].installers[0]
            .installer_file
            .as_ref()
            .unwrap();
        assert_eq!(file.file_size, Some(expected), "{octets}");
        assert!(file.size_agrees(octets));
    }
}

#[test]
fn what_cannot_be_built_says_why() {
    let check = |change: &dyn Fn(&mut FeedInfo, &mut Vec<ProductInfo>), expected: &str| {
        let mut info = info();
        let mut products = vec![product("A"), product("B")];
        change(&mut info, &mut products);
        let error = Feed::build(&info, &products).unwrap_err();
        assert_eq!(error.to_string(), expected);
        let error = write_with_template(&info, &products, None).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(
        &|_, products| products.clear(),
        "a feed needs at least one product",
    );
    check(
        &|info, _| info.title = " ".to_owned(),
        "`title` of the feed is empty",
    );
    check(&|info, _| info.id.clear(), "`id` of the feed is empty");
    check(
        &|_, products| products[1].version.clear(),
        "`version` of product `B` is empty",
    );
    check(
        &|_, products| products[1].product_id = "a".to_owned(),
        "more than one product has the identifier `a`",
    );
    check(
        &|_, products| products[0].product_id = "A B".to_owned(),
        "`A B` cannot be a product identifier: it has white space in it; use letters, digits, `_`, `-` and `.`",
    );
    check(
        &|_, products| products[0].dependencies.push("a,b".to_owned()),
        "`a,b` cannot be a product identifier: it has a character in it that cannot be in a folder's name or a list; use letters, digits, `_`, `-` and `.`",
    );
    check(
        &|_, products| products[0].id = Some("https://example.org/feed".to_owned()),
        "the id `https://example.org/feed` of product `A` is that of the feed or of another product",
    );
    check(
        &|_, products| {
            products[0].package = Package::MsDeploy(FilePackage {
                url: "https://example.org/a.zip".to_owned(),
                size_octets: 1,
                sha1: "abc".to_owned(),
            });
        },
        "the SHA-1 digest of product `A` is `abc`, expected 40 hexadecimal digits",
    );
    check(
        &|_, products| products[0].package = Package::Pip(PipInstall::new(" ")),
        "`requirement` of product `A` is empty",
    );
    check(
        &|_, products| products[0].updated = i64::MAX,
        "9223372036854775807 seconds since 1970 are not in the years 1 to 9999",
    );
    check(
        &|_, products| {
            products[0].dependencies.push("b".to_owned());
            products[1].dependencies.push("A".to_owned());
        },
        "the dependencies go in a circle: A needs B needs A",
    );
}

#[test]
fn templates_of_the_user() {
    let render = |template: &str| write_with_template(&info(), &[product("A")], Some(template));
    let minimal = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>{{title}}</title><id>{{id}}</id>{{#each products}}<entry><productId>{{product_id}}</productId><title>{{title}}</title><version>{{version}}</version><link href="{{ms_deploy.url}}"/><external/><longSummary>x</longSummary></entry>{{/each}}</feed>"#;
    let text = render(minimal).unwrap();
    let (feed, _) = Feed::read(&Source::from_text("t", text.as_str())).unwrap();
    assert_eq!(
        feed.title.unwrap().as_str(),
        info().title,
        "values are escaped"
    );
    assert_eq!(
        feed.entries[0].link(),
        Some("https://example.org/p.zip?a=1&b=2")
    );

    let check = |template: &str, expected: &str| {
        let error = render(template).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("<feed>\n  {{titel}}</feed>", "feed template:2:");
    check("<feed>\n  {{titel}}</feed>", "titel");
    check(
        "<feed>\n  {{titel}}</feed>",
        "there is no value `titel` here",
    );
    check(
        "<feed>{{lookup products 9}}</feed>",
        "there is no such value",
    );
    check("<feed>{{shout title}}</feed>", "there is no helper `shout`");
    check(
        "<feed>\n {{#if title}}{{> x}}{{/if}}</feed>",
        "feed template:2:15: partials are not supported",
    );
    check(
        "{{#*inline \"x\"}}{{> x}}{{/inline}}{{> x}}",
        "partials are not supported",
    );
    check("<feed>{{#if}}</feed>", "feed template");
    check("<feed>{{#each products}}</feed>", "feed template:1");
    check("<feed>", "gives a feed with errors");
    check("<html></html>", "webpi-not-a-feed");
    check(
        &minimal.replace("<productId>{{product_id}}</productId>", ""),
        "webpi-product-id-missing",
    );
    let error = render(&minimal.replace("<external/>", "<dependency/>")).unwrap_err();
    let Error::TemplateOutput(problems) = error else {
        panic!("{error}");
    };
    assert!(problems.problems.iter().all(spanned_xml::Problem::is_error));
}

/// Handlebars parses and renders by recursion.
#[test]
fn deep_templates_end_in_an_error_not_in_a_crash() {
    let render = |template: &str| write_with_template(&info(), &[product("A")], Some(template));
    let blocks = |depth: usize| {
        format!(
            "{}{}",
            "{{#if title}}".repeat(depth),
            "{{/if}}".repeat(depth)
        )
    };
    let elses = |depth: usize| {
        format!(
            "{{{{#if link}}}}{}{{{{/if}}}}",
            "{{else if link}}".repeat(depth)
        )
    };
    let brackets = |depth: usize| {
        format!(
            "{{{{not {}title{}}}}}",
            "(not ".repeat(depth),
            ")".repeat(depth)
        )
    };
    for template in [blocks(100), elses(99), brackets(100)] {
        let error = render(&template).unwrap_err().to_string();
        assert!(!error.contains("nested more than"), "{error}");
    }
    for template in [
        blocks(101),
        blocks(100_000),
        elses(100),
        elses(100_000),
        brackets(101),
        brackets(100_000),
    ] {
        let error = render(&template).unwrap_err().to_string();
        assert!(error.contains("nested more than 100 deep"), "{error}");
    }
    // Blocks beside each other are not in each other.
    let beside = "{{#if link}}x{{else}}y{{/if}}".repeat(1_000);
    assert!(
        render(&beside)
            .unwrap_err()
            .to_string()
            .contains("feed with errors")
    );
}
