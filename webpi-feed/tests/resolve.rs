//! Installation orders.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails the test")]

use spanned_xml::Source;
use webpi_feed::{Architecture, Error, Feed, Machine, installation_order};

const INSTALLERS: &str = "<installers><installer><id>1</id><msDeploy/></installer></installers>";

const X86_INSTALLERS: &str = "<installers><installer><id>1</id><architectures><x86/></architectures><msDeploy/></installer></installers>";

/// `A and B`, `A or B` and parentheses are written as elements: `all(A B)`, `any(A B)`, `@id`.
fn dependency(text: &str) -> String {
    fn parse(words: &mut std::vec::IntoIter<String>) -> String {
        let mut all = String::new();
        while let Some(word) = words.next() {
            let inner = match word.as_str() {
                ")" => return all,
                "all(" => format!("<dependency><and>{}</and></dependency>", parse(words)),
                "any(" => format!("<dependency><or>{}</or></dependency>", parse(words)),
                word => match word.strip_prefix('@') {
                    Some(idref) => format!("<dependency idref=\"{idref}\"/>"),
                    None => format!("<dependency><productId>{word}</productId></dependency>"),
                },
            };
            all.push_str(&inner);
        }
        all
    }
    let words: Vec<String> = text
        .replace('(', "( ")
        .replace(')', " )")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    parse(&mut words.into_iter())
}

fn feed(products: &[(&str, &str)], definitions: &[(&str, &str)]) -> Feed {
    let mut text = String::from("<feed xmlns=\"http://www.w3.org/2005/Atom\">");
    for (product_id, needs) in products {
        let (product_id, installers) = match product_id.strip_suffix("/x86") {
            Some(product_id) => (product_id, X86_INSTALLERS),
            None => (*product_id, INSTALLERS),
        };
        text.push_str(&format!(
            "<entry><productId>{product_id}</productId>{}{installers}</entry>",
            dependency(needs)
        ));
    }
    text.push_str("<dependencies>");
    for (id, needs) in definitions {
        text.push_str(&dependency(needs).replacen(
            "<dependency",
            &format!("<dependency id=\"{id}\""),
            1,
        ));
    }
    text.push_str("</dependencies></feed>");
    Feed::read(&Source::from_text("feed.xml", text)).unwrap().0
}

/// The order and, after `!`, what is missing and what needs it.
fn order(
    feed: &Feed,
    product_id: &str,
    installed: &[&str],
    machine: &Machine,
) -> Result<String, Error> {
    let is_installed = |id: &str| installed.iter().any(|known| known.eq_ignore_ascii_case(id));
    let plan = installation_order(feed, product_id, &is_installed, machine)?;
    let steps = plan.steps.iter().map(|step| step.entry.product_id.clone());
    let missing = plan
        .missing
        .iter()
        .map(|missing| format!("!{}<{}", missing.product_id, missing.needed_by));
    Ok(steps.chain(missing).collect::<Vec<_>>().join(" "))
}

#[test]
fn what_is_needed_comes_first() {
    let machine = Machine::any();
    let x64 = {
        let mut machine = Machine::any();
        machine.architecture = Some(Architecture::X64);
        machine
    };
    let check = |products: &[(&str, &str)],
                 definitions: &[(&str, &str)],
                 installed: &[&str],
                 expected: &str| {
        let feed = feed(products, definitions);
        assert_eq!(
            order(&feed, "A", installed, &machine).unwrap(),
            expected,
            "{products:?}"
        );
    };
    check(&[("A", "")], &[], &[], "A");
    check(&[("A", "B"), ("B", "C"), ("C", "")], &[], &[], "C B A");
    check(&[("A", "b"), ("B", "")], &[], &[], "B A");
    check(
        &[("A", "all(B C)"), ("B", "D"), ("C", "D"), ("D", "")],
        &[],
        &[],
        "D B C A",
    );
    check(&[("A", "B"), ("B", "C"), ("C", "")], &[], &["b"], "A");
    check(&[("A", "B"), ("B", "C"), ("C", "")], &[], &["C"], "B A");
    check(&[("A", "")], &[], &["A"], "A");
    // Not in the feed.
    check(&[("A", "all(X Y)")], &[], &["y"], "A !X<A");
    check(&[("A", "all(B X)"), ("B", "x")], &[], &[], "B A !x<B");
    // One of several.
    check(&[("A", "any(B C)"), ("B", ""), ("C", "")], &[], &[], "B A");
    check(&[("A", "any(B C)"), ("B", ""), ("C", "")], &[], &["C"], "A");
    check(&[("A", "any(X C)"), ("C", "")], &[], &[], "C A");
    check(&[("A", "any(X Y)")], &[], &[], "A !X<A");
    check(
        &[("A", "all(C any(B C))"), ("B", ""), ("C", "")],
        &[],
        &[],
        "C A",
    );
    check(
        &[
            ("A", "any(all(B X) all(C D))"),
            ("B", ""),
            ("C", ""),
            ("D", ""),
        ],
        &[],
        &[],
        "C D A",
    );
    check(
        &[("A", "any(all(B C) D)"), ("B", ""), ("C", ""), ("D", "")],
        &[],
        &["B"],
        "C A",
    );
    // Definitions.
    check(
        &[("A", "@d"), ("B", ""), ("C", "")],
        &[("d", "all(B C)")],
        &[],
        "B C A",
    );
    check(&[("A", "any(@d B)"), ("B", "")], &[("d", "X")], &[], "B A");
    check(
        &[("A", "all(@d @d)"), ("B", "")],
        &[("d", "@e"), ("e", "B")],
        &[],
        "B A",
    );
    // A circle that another branch leads out of.
    check(
        &[("A", "any(B C)"), ("B", "A"), ("C", "")],
        &[],
        &["C"],
        "A",
    );
    check(&[("A", "any(A C)"), ("C", "")], &[], &[], "C A");
    // Not for this machine.
    let feed = feed(
        &[("A", "any(B C)"), ("B/x86", ""), ("C", "D"), ("D/x86", "")],
        &[],
    );
    assert_eq!(order(&feed, "A", &[], &x64).unwrap(), "C A !D<C");
    assert_eq!(order(&feed, "A", &[], &machine).unwrap(), "B A");
}

#[test]
fn what_cannot_be_resolved_says_why() {
    let check =
        |products: &[(&str, &str)], definitions: &[(&str, &str)], wanted: &str, expected: &str| {
            let feed = feed(products, definitions);
            let error = order(&feed, wanted, &[], &Machine::any()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
    check(
        &[("Pyramid", ""), ("Django", "")],
        &[],
        "pyramd",
        "the feed has no product `pyramd` (help: it has `Pyramid`)",
    );
    check(
        &[("A", "")],
        &[],
        "nothing like it",
        "the feed has no product `nothing like it`",
    );
    check(
        &[("A", "B"), ("B", "C"), ("C", "b")],
        &[],
        "A",
        "the dependencies go in a circle: B needs C needs B",
    );
    // Another branch would lead out of it, but the first that can be installed is taken.
    check(
        &[("A", "any(B C)"), ("B", "A"), ("C", "")],
        &[],
        "A",
        "the dependencies go in a circle: A needs B needs A",
    );
    check(
        &[("A", "@d")],
        &[("d", "@e"), ("e", "A")],
        "A",
        "the dependencies go in a circle: A needs d needs e needs A",
    );
    check(
        &[("A", "@d")],
        &[],
        "A",
        "product `A` needs the dependency with the id `d`, which the feed does not define",
    );
}

#[test]
fn an_installer_for_the_machine_must_be_there() {
    let feed = feed(&[("A/x86", "")], &[]);
    let mut machine = Machine::any();
    machine.architecture = Some(Architecture::X64);
    assert_eq!(
        order(&feed, "A", &[], &machine).unwrap_err().to_string(),
        "no installer of product `A` is for x64 (help: it has installers for installer `1`: x86)"
    );
}

#[test]
fn a_malformed_dependency_is_not_passed_over() {
    let text = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><productId>A</productId><dependency><productId/></dependency><installers><installer><id>1</id><msDeploy/></installer></installers></entry></feed>";
    let (feed, _) = Feed::read(&Source::from_text("feed.xml", text)).unwrap();
    let error = order(&feed, "A", &[], &Machine::any()).unwrap_err();
    assert!(matches!(error, Error::MalformedDependency { product_id } if product_id == "A"));
}

#[test]
fn long_chains_end_in_an_error_not_in_a_crash() {
    let names: Vec<String> = (0..5_000).map(|i| format!("P{i}")).collect();
    let products: Vec<(&str, &str)> = names
        .iter()
        .zip(names.iter().skip(1).map(String::as_str).chain([""]))
        .map(|(name, next)| (name.as_str(), next))
        .collect();
    let long = feed(&products, &[]);
    let error = order(&long, "P0", &[], &Machine::any()).unwrap_err();
    assert!(
        matches!(error, Error::TooDeep { limit: 400, .. }),
        "{error}"
    );
    assert!(
        order(&long, "P4700", &[], &Machine::any())
            .unwrap()
            .starts_with("P4999 P4998")
    );
}

/// Each definition refers to the next one twice: 2^40 ways, looked at once each.
#[test]
fn references_to_references_do_not_multiply() {
    let ids: Vec<(String, String)> = (0..40)
        .map(|i| (format!("d{i}"), format!("any(@d{0} @d{0})", i + 1)))
        .chain([("d40".to_owned(), "any(X B)".to_owned())])
        .collect();
    let definitions: Vec<(&str, &str)> = ids
        .iter()
        .map(|(id, needs)| (id.as_str(), needs.as_str()))
        .collect();
    let feed = feed(&[("A", "any(@d0 X)"), ("B", "")], &definitions);
    assert_eq!(order(&feed, "A", &[], &Machine::any()).unwrap(), "B A");
}

/// Nested as deep as the XML may be.
#[test]
fn deep_nesting_is_read_written_and_resolved() {
    let depth = 120;
    let text = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><productId>A</productId>{}<dependency><productId>B</productId></dependency>{}<installers><installer><id>1</id><msDeploy/></installer></installers></entry><entry><productId>B</productId>{INSTALLERS}</entry></feed>",
        "<dependency><and>".repeat(depth),
        "</and></dependency>".repeat(depth),
    );
    let (feed, _) = Feed::read(&Source::from_text("feed.xml", text)).unwrap();
    assert_eq!(order(&feed, "A", &[], &Machine::any()).unwrap(), "B A");
    let (again, _) = Feed::read(&Source::from_text("again.xml", feed.write())).unwrap();
    assert_eq!(again, feed);
}
