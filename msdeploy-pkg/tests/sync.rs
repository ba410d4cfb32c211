//! Parameters and plans: what a sync reads, and that a second one changes nothing.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails the test")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Result, Seek, SeekFrom};
use std::rc::Rc;

use msdeploy_pkg::{
    ContentKind, ContentObject, ContentTree, Given, Operation, Origin, PackageLimits,
    PackageReader, PackageWriter, Parameters, Pattern, Plan, ReplaceRule, ResolvedParameters,
    SetParameters, SkipRule, SyncOptions, Timestamp, XPath,
};
use proptest::prelude::*;
use spanned_xml::{Source, escape_attribute};

fn resolve(xml: &str, given: &[(&str, &str)]) -> ResolvedParameters {
    let source = Source::from_text("Parameters.xml", format!("<parameters>{xml}</parameters>"));
    let (parameters, _) = Parameters::parse(&source).unwrap();
    let mut values = Given::new();
    for (name, value) in given {
        values.push(*name, *value, Origin::CommandLine);
    }
    parameters.resolve(&values).unwrap()
}

/// A reader that notes which octets were read.
struct Noting {
    inner: Cursor<Vec<u8>>,
    read: Rc<RefCell<Vec<(u64, u64)>>>,
}

impl Read for Noting {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let start = self.inner.position();
        let len = self.inner.read(buffer)?;
        self.read.borrow_mut().push((start, self.inner.position()));
        Ok(len)
    }
}

impl Seek for Noting {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn files_outside_of_every_scope_are_never_read() {
    // Content that deflate cannot shrink and that says which file it is of.
    let content = |number: u32| -> Vec<u8> {
        let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(1);
        let noise = (0..20_000).map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        });
        b"@NAME@".iter().copied().chain(noise).collect()
    };
    let name = |number: u32| match number {
        100 => "App/conf/app.ini".to_owned(),
        other => format!("App/data/{other:03}.bin"),
    };
    let mut writer = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
    writer
        .add("Manifest.xml", &mut &b"<m><iisApp path='App'/></m>"[..])
        .unwrap();
    for number in 0..200 {
        writer
            .add(&name(number), &mut content(number).as_slice())
            .unwrap();
    }
    let octets = writer.finish().unwrap().into_inner();
    let len = octets.len() as u64;
    let read = Rc::new(RefCell::new(Vec::new()));
    let noting = Noting {
        inner: Cursor::new(octets),
        read: Rc::clone(&read),
    };
    let mut package = PackageReader::open(noting, PackageLimits::default()).unwrap();
    let parameters = resolve(
        r"<parameter name='Name' defaultValue='x'>
            <parameterEntry kind='TextFile' scope='\\app\.ini$' match='@NAME@'/>
            <parameterEntry kind='TextFile' scope='\\web\.config$' match='@NAME@'/>
            <parameterEntry kind='XmlFile' scope='(?&lt;!data)\\\w+\.bin$' match='//@a'/>
          </parameter>",
        &[],
    );
    read.borrow_mut().clear();
    let mut edited = Vec::new();
    for entry in package.entries().to_vec() {
        if entry.is_directory || !parameters.applies_to(&entry.path) {
            continue;
        }
        let mut octets = Vec::new();
        package.read(&entry, &mut octets).unwrap();
        let edit = parameters.edit(&entry.path, &octets).unwrap();
        assert_eq!(edit.changes.len(), 1, "{:?}", entry);
        edited.push(entry.path);
    }
    assert_eq!(edited, ["App/conf/app.ini"]);
    let ranges = read.borrow();
    let first = ranges.iter().map(|range| range.0).min().unwrap();
    let last = ranges.iter().map(|range| range.1).max().unwrap();
    // The file has 20 KB in the middle of 4 MB; a buffer may read a little further.
    assert!(
        first > len / 3 && last < len * 2 / 3 && last - first < 200_000,
        "{first} to {last} of {len}"
    );
}

/// Carries a plan out over a destination that is a map; a file is its content and time.
fn carry_out(
    plan: &Plan,
    package: &BTreeMap<String, Vec<u8>>,
    destination: &mut BTreeMap<String, Option<Vec<u8>>>,
) {
    for operation in &plan.operations {
        match operation {
            Operation::Add {
                kind: ContentKind::Directory,
                to,
                ..
            } => {
                assert!(destination.insert(to.clone(), None).is_none());
            }
            Operation::Add { from, to, size, .. } | Operation::Update { from, to, size, .. } => {
                if let Some((parent, _)) = to.rsplit_once('/') {
                    assert_eq!(destination.get(parent), Some(&None), "a folder for {to}");
                }
                let content = package[from].clone();
                assert_eq!(content.len() as u64, *size);
                destination.insert(to.clone(), Some(content));
            }
            Operation::Delete { kind, to, .. } => {
                let inside = format!("{to}/");
                assert!(!destination.keys().any(|path| path.starts_with(&inside)));
                let old = destination.remove(to).expect("it is there");
                assert_eq!(old.is_none(), *kind == ContentKind::Directory);
            }
            _ => {}
        }
    }
}

fn crc(content: &[u8]) -> u32 {
    // Any function of the content does for a comparison.
    content.iter().fold(17, |sum: u32, &octet| {
        sum.wrapping_mul(31) ^ u32::from(octet)
    })
}

fn plan(
    package: &BTreeMap<String, Vec<u8>>,
    destination: &BTreeMap<String, Option<Vec<u8>>>,
    options: &SyncOptions,
) -> std::result::Result<Plan, Vec<spanned_xml::Problem>> {
    let file = |path: &String, content: &Vec<u8>| {
        ContentObject::file(path, content.len() as u64, None).with_crc32(crc(content))
    };
    let mut tree = ContentTree::new("iisApp", "Site/app");
    tree.source = package
        .iter()
        .map(|(path, content)| file(path, content))
        .collect();
    tree.destination = destination
        .iter()
        .map(|(path, content)| match content {
            Some(content) => file(path, content),
            None => ContentObject::directory(path),
        })
        .collect();
    Plan::new(&[tree], &[], options)
}

/// Paths of which none lies inside of another that is a file.
fn files() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    prop::collection::btree_map(
        "[ab]{1,2}(/[abc]{1,2}){0,2}",
        prop::collection::vec(any::<u8>(), 0..3),
        0..8,
    )
    .prop_map(|files| {
        let folders: Vec<String> = files.keys().cloned().collect();
        files
            .into_iter()
            .filter(|(path, _)| {
                !folders
                    .iter()
                    .any(|other| other.starts_with(&format!("{path}/")))
            })
            .collect()
    })
}

fn rules() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(
        prop::sample::select(vec![
            r"objectName=filePath,absolutePath=b$,skipAction=Delete",
            r"objectName=dirPath,absolutePath=\\a$,skipAction=Delete",
            r"absolutePath=\\ab,skipAction=AddChild",
            r"objectName=filePath,absolutePath=a$,skipAction=Update",
            r"objectName=dirPath,absolutePath=\\b$",
            r"xPath=//dirPath[@path='a']/filePath,skipAction=Delete",
            r"objectName=filePath,match=^c$,replace=z",
        ]),
        0..3,
    )
}

proptest! {
    #[test]
    fn a_second_sync_changes_nothing(package in files(), there in files(), rules in rules()) {
        let mut options = SyncOptions::default();
        options.rules.switch("BlockHarmfulDeleteOperations", false).unwrap();
        for rule in rules {
            if rule.contains("replace=") {
                options.replace.push(ReplaceRule::parse(rule).unwrap());
            } else {
                options.skip.push(SkipRule::parse(rule).unwrap());
            }
        }
        let mut destination: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();
        for (path, content) in there {
            let mut above = path.as_str();
            while let Some((parent, _)) = above.rsplit_once('/') {
                above = parent;
                destination.insert(parent.to_owned(), None);
            }
            destination.insert(path, Some(content));
        }
        let Ok(first) = plan(&package, &destination, &options) else {
            // A rule keeps what stands in the way.
            return Ok(());
        };
        carry_out(&first, &package, &mut destination);
        let second = plan(&package, &destination, &options).unwrap();
        prop_assert!(second.changes_nothing(), "{}\nthen\n{}", first, second);
        if options.skip.is_empty() && options.replace.is_empty() {
            let found: BTreeMap<&String, &Vec<u8>> = destination
                .iter()
                .filter_map(|(path, content)| Some((path, content.as_ref()?)))
                .collect();
            prop_assert_eq!(found, package.iter().collect::<BTreeMap<_, _>>());
        }
    }

    #[test]
    fn applying_twice_changes_nothing_the_second_time(
        value in "[ -~é]{0,12}",
        kind in prop::sample::select(vec![
            ("TextFile", "@[a-z]+@"), ("XmlFile", "//b"), ("XmlFile", "//b/@c"), ("XmlFile", "//d/text()"), ("XmlFile", "/a/e"),
        ]),
        fragment in any::<bool>(),
    ) {
        // A value in which the match matches would be replaced once more.
        prop_assume!(!value.contains('@'));
        let value = if fragment { format!("<b c=\"{}\"/>", escape_attribute(&value)) } else { value };
        let entry = format!(
            "<parameter name='P'><parameterEntry kind='{}' scope='x' match='{}'/></parameter>",
            kind.0, kind.1
        );
        let parameters = resolve(&entry, &[("P", &value)]);
        let before = "<a>\r\n  <b c='1'>t</b>\r\n  <b/>\r\n  <d>@name@</d>\r\n  <e />\r\n</a>\r\n";
        let Ok(first) = parameters.edit("x", before.as_bytes()) else {
            return Ok(());
        };
        let after = first.octets.unwrap_or_else(|| before.as_bytes().to_vec());
        // Text in place of markup may make XML of it that is none.
        if let Ok(second) = parameters.edit("x", &after) {
            prop_assert_eq!(second.octets, None, "{:?}", String::from_utf8_lossy(&after));
            prop_assert_eq!(second.changes, []);
        }
    }

    #[test]
    fn interpolation_ends(
        defaults in prop::collection::vec(prop::collection::vec(prop::sample::select(vec!["{A}", "{b}", "{C}", "{D}", "{", "}", "x"]), 0..6), 1..5),
    ) {
        let xml: String = defaults
            .iter()
            .zip(["A", "B", "C", "D"])
            .map(|(default, name)| format!("<parameter name='{name}' defaultValue='{}'/>", default.concat()))
            .collect();
        let (parameters, _) =
            Parameters::parse(&Source::from_text("p", format!("<parameters>{xml}</parameters>"))).unwrap();
        match parameters.resolve(&Given::new()) {
            Ok(resolved) => {
                for parameter in resolved.iter() {
                    prop_assert_eq!(
                        parameters.default_of(&parameter.parameter.name, &Given::new()),
                        Some(parameter.value.clone())
                    );
                }
            }
            Err(problems) => prop_assert!(problems.iter().all(|problem| problem.code == "parameter-cycle")),
        }
    }

    #[test]
    fn set_parameters_round_trip(values in prop::collection::vec(("[ -~é\u{20ac}]{1,8}", "[ -~\t\n\réß]{0,8}"), 0..5)) {
        let mut set = SetParameters::default();
        for (number, (name, value)) in values.iter().enumerate() {
            let source = Source::from_text("s", format!(
                "<parameters><setParameter name=\"{number}{}\" value=\"{}\"/></parameters>",
                escape_attribute(name), escape_attribute(value)
            ));
            set.parameters.extend(SetParameters::parse(&source).unwrap().0.parameters);
        }
        let (read, problems) = SetParameters::parse(&Source::from_text("s", set.write())).unwrap();
        prop_assert_eq!(problems, []);
        let pairs = |set: &SetParameters| -> Vec<(String, String)> {
            set.parameters.iter().map(|p| (p.name.clone(), p.value.clone())).collect()
        };
        prop_assert_eq!(pairs(&read), pairs(&set));
    }

    #[test]
    fn rules_never_panic(text in "[-a-zA-Z=,.'\"()\\[\\]/@: é]{0,40}") {
        for prefix in ["", "-skip:objectName=", "absolutePath=", "xPath=//", "-replace:match="] {
            let text = format!("{prefix}{text}");
            for problems in [SkipRule::parse(&text).err(), ReplaceRule::parse(&text).err()].into_iter().flatten() {
                for problem in &problems.problems {
                    let place = problem.span.and_then(|span| problems.source.text().get(span.range()));
                    prop_assert!(place.is_some(), "{problem:?}");
                }
            }
        }
    }

    #[test]
    fn whatever_a_pattern_is_it_ends(pattern in "[ab()\\[\\]{}|*+?^$.\\\\<>=!:#-k1,é😀]{0,16}", text in "[ab\\\\é😀\n1]{0,12}", with in "[$01a{}&]{0,6}") {
        let compiled = Pattern::new(&pattern);
        match compiled.fault() {
            Some(fault) => prop_assert!(pattern.get(fault.place.range()).is_some(), "{:?}", fault),
            None => {
                let found = compiled.is_match(&text);
                let _ = compiled.replace_all_with(&text, &with);
                if let (Ok(found), Ok(replaced)) = (found, compiled.replace_all(&text, "x")) {
                    prop_assert_eq!(found, replaced.is_some());
                }
            }
        }
        let _ = XPath::parse(&pattern);
    }
}
