//! Properties: what is written reads back, nothing that is read panics.

use std::io::Cursor;

use msdeploy_pkg::{
    ContentMap, DeploymentObject, Given, Layout, LayoutContent, LayoutFile, Manifest, NameFault,
    ObjectTree, Origin, PROVIDERS, PackageDiff, PackageLayout, PackageLimits, PackageReader,
    PackageSide, PackageWriter, Parameters, Pattern, ProviderDescription, ProviderOptions,
    SetParameters, SideFile, SystemInfo, Timestamp, XPath, build_manifest, check_entry_name,
};
use proptest::prelude::*;
use spanned_xml::{Document, Source, escape_attribute};

fn options() -> impl Strategy<Value = ProviderOptions> {
    (
        any::<String>(),
        any::<String>(),
        prop::collection::vec((any::<String>(), any::<String>()), 0..12),
    )
        .prop_map(|(provider, path, settings)| {
            let mut options = ProviderOptions::new(provider, path);
            options.settings = settings;
            options
        })
}

/// Text that looks like a regular expression, an XPath or a manifest more often than chance would have it.
fn dense(alphabet: &'static str) -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(alphabet.chars().collect::<Vec<_>>()),
        0..40,
    )
    .prop_map(|characters| characters.into_iter().collect())
}

/// Text that XML can hold in an attribute.
fn xml_text() -> impl Strategy<Value = String> {
    "[ -~\u{e9}\u{20ac}\u{1f600}]{0,30}"
}

/// A tree of objects as an `archive.xml` has them: names of XML, attributes that differ in more than letter case.
fn objects() -> impl Strategy<Value = DeploymentObject> {
    let attributes =
        prop::collection::btree_map("[a-z]{1,6}(\\.[a-z]{1,4})?", xml_text(), 0..4).boxed();
    let object = |name: String, attributes: std::collections::BTreeMap<String, String>| {
        let mut object = DeploymentObject::new(name);
        object.attributes = attributes.into_iter().collect();
        object
    };
    let leaf = ("[a-zA-Z.]{1,8}", attributes.clone(), "( [a-z<&>]{1,8})?").prop_map(
        move |(name, attributes, text)| {
            let mut object = object(format!("a{name}"), attributes);
            object.text = text;
            object
        },
    );
    leaf.prop_recursive(4, 24, 4, move |inner| {
        (
            "[a-zA-Z.]{1,8}",
            attributes.clone(),
            prop::collection::vec(inner, 0..4),
        )
            .prop_map(move |(name, attributes, children)| {
                let mut object = object(format!("a{name}"), attributes);
                object.children = children;
                object
            })
    })
}

proptest! {
    #[test]
    fn object_trees_round_trip(root in objects()) {
        let mut tree = ObjectTree::new("m");
        tree.root = root;
        let octets = tree.encode();
        let read = ObjectTree::parse(&Source::decode("archive.xml", &octets).unwrap()).unwrap();
        prop_assert_eq!(&read, &tree);
        prop_assert_eq!(read.encode(), octets);
    }

    #[test]
    fn settings_of_every_provider_survive_the_options(
        provider in prop::sample::select(PROVIDERS).prop_filter("the key is a setting", |provider| provider.key_attribute == "path"),
        values in prop::collection::vec(xml_text(), 0..16),
        path in xml_text(),
    ) {
        let provider: &ProviderDescription = &provider;
        let mut options = ProviderOptions::new(provider.name, path.as_str());
        let settings = provider.settings.iter().zip(values);
        options.settings = settings.map(|(setting, value)| (setting.name.to_owned(), value)).collect();
        let value = options.encode();
        prop_assert_eq!(&ProviderOptions::decode(&value).unwrap(), &options);
        let text = format!(
            "<m><{name} {key}=\"{path}\" MSDeploy.MSDeployKeyAttributeName=\"path\" MSDeploy.MSDeployProviderOptions=\"{value}\"/></m>",
            name = provider.name.to_uppercase(),
            key = provider.key_attribute,
            path = escape_attribute(&path),
        );
        let parsed = Manifest::parse(&Source::from_text("m", text));
        let all_fit = options.settings.iter().all(|(name, value)| provider.setting(name).unwrap().value.accepts(value));
        match parsed {
            Ok((manifest, problems)) => {
                prop_assert_eq!(problems.is_empty(), all_fit);
                prop_assert_eq!(manifest.providers[0].settings(), options.settings);
            }
            // Only the settings of `runCommand` are errors.
            Err(_) => prop_assert!(provider.name == "runCommand" && !all_fit),
        }
    }

    #[test]
    fn entries_of_a_layout_are_whole(paths in prop::collection::btree_set("[a-cA-C._]{1,3}(/[a-c]{1,2}){0,3}", 0..12)) {
        let source = Source::from_text("m", "<m><iisApp path='Site/x'/><contentPath path='C:\\y'/></m>");
        let (manifest, _) = Manifest::parse(&source).unwrap();
        let layout = PackageLayout::new(&source, &manifest).unwrap();
        let files: Vec<LayoutFile> = paths.iter().map(|path| LayoutFile::new(format!("Site/x/{path}"))).collect();
        let (entries, rest) = layout.entries(&files);
        prop_assert!(rest.is_empty());
        let map = ContentMap::new(Layout::Package, &manifest);
        // As Windows compares names.
        let mut folders = vec![String::from("content/site/")];
        for entry in &entries[1..entries.len() - 1] {
            let parent = entry.name.trim_end_matches('/').rsplit_once('/').map(|(parent, _)| format!("{}/", parent.to_lowercase()));
            prop_assert!(folders.contains(&parent.unwrap()), "{} comes before its folder", entry.name);
            match entry.content {
                LayoutContent::Directory => {
                    prop_assert!(!folders.contains(&entry.name.to_lowercase()), "{} twice", entry.name);
                    folders.push(entry.name.to_lowercase());
                }
                LayoutContent::File(index) => {
                    let (root, path) = map.locate(&entry.name).unwrap();
                    prop_assert_eq!(format!("{}/{path}", root.path), files[index].path.as_str());
                    prop_assert_eq!(root.entry_name(path), entry.name.as_str());
                }
                _ => prop_assert!(false, "{} is content", entry.name),
            }
        }
        let count = entries.iter().filter(|entry| matches!(entry.content, LayoutContent::File(_))).count();
        prop_assert_eq!(count, files.len());
    }

    #[test]
    fn differences_are_those_that_were_made(
        files in prop::collection::btree_map("[a-z]{1,3}(/[a-z]{1,2}){0,2}", 0..4_u64, 0..12),
        other in prop::collection::btree_map("[a-z]{1,3}(/[a-z]{1,2}){0,2}", 0..4_u64, 0..12),
    ) {
        let side = |files: &std::collections::BTreeMap<String, u64>| {
            PackageSide::application(files.iter().map(|(path, size)| SideFile::new(path.as_str(), *size, None)).collect())
        };
        let diff = PackageDiff::between(&side(&files), &side(&other));
        let mut expected: Vec<&String> = files.keys().chain(other.keys()).filter(|path| files.get(*path) != other.get(*path)).collect();
        expected.sort();
        expected.dedup();
        let mut found: Vec<&String> = diff.files.iter().map(|difference| &difference.subject).collect();
        found.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn provider_options_round_trip(options in options()) {
        prop_assert_eq!(ProviderOptions::decode(&options.encode()).unwrap(), options);
    }

    #[test]
    fn provider_options_never_panic(text in any::<String>(), octets in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), with in any::<u8>(), options in options()) {
        let _ = ProviderOptions::decode(&text);
        let _ = Manifest::parse(&Source::from_text("m", format!("<m><a path='' MSDeploy.MSDeployProviderOptions=\"{}\"/></m>", escape_attribute(&text))));
        // One character of a good value changed.
        let mut value = options.encode().into_bytes();
        let at = at.index(value.len());
        value[at] = with;
        let _ = ProviderOptions::decode(&String::from_utf8_lossy(&value));
        let _ = ProviderOptions::decode(&String::from_utf8_lossy(&octets));
    }

    #[test]
    fn parsers_never_panic(text in dense("<>/='\" &;amp-!?[]parmetsxnconficguRCd\n")) {
        let source = Source::from_text("x", text);
        let _ = Manifest::parse(&source);
        let _ = build_manifest(&source);
        let _ = Parameters::parse(&source);
        let _ = SetParameters::parse(&source);
        let _ = ObjectTree::parse(&source);
        let _ = SystemInfo::parse(&source);
    }

    #[test]
    fn building_twice_changes_nothing(path in xml_text(), attempts in 0..100_u32, codes in prop::collection::vec(any::<u32>(), 1..4)) {
        let codes: Vec<String> = codes.iter().map(|code| format!("{code:#x}")).collect();
        let text = format!(
            "<m>\n  <!-- waitAttempts=\"1\" -->\n  <runCommand waitAttempts=\"{attempts}\" path=\"{}\"\n     successReturnCodes='{}' /></m>",
            escape_attribute(&path),
            codes.join(";")
        );
        let (once, _) = build_manifest(&Source::from_text("Manifest.xml.in", text.as_str())).unwrap();
        let (twice, _) = build_manifest(&Source::from_text("Manifest.xml", once.as_str())).unwrap();
        prop_assert_eq!(&once, &twice);
        // What the template says as plain attributes is what the manifest says in Web Deploy's way.
        let read = |text: &str| Manifest::parse(&Source::from_text("m", text)).unwrap().0.providers.remove(0).kind;
        prop_assert_eq!(read(&text), read(&once));
    }

    #[test]
    fn patterns_never_panic(pattern in dense("ab\\()[]{}^$.|*+?-<>=!:imnsx12,&~#\n"), text in dense("ab\\()[]1 \n")) {
        let compiled = Pattern::new(&pattern);
        let replaced = compiled.replace_all(&text, "");
        prop_assert_eq!(compiled.is_match(&text).is_ok(), compiled.fault().is_none());
        if let Ok(matched) = compiled.is_match(&text) {
            prop_assert_eq!(replaced.unwrap().is_some(), matched);
        }
    }

    #[test]
    fn escaped_patterns_match_themselves(text in any::<String>()) {
        // `\` before anything but a letter, digit or underscore makes it literal in .NET.
        let pattern: String = text
            .chars()
            .map(|c| if c.is_alphanumeric() || c == '_' { c.to_string() } else { format!("\\{c}") })
            .collect();
        let compiled = Pattern::new(&pattern);
        prop_assert!(compiled.fault().is_none(), "{:?}", compiled.fault());
        prop_assert!(compiled.is_match(&text).unwrap());
    }

    #[test]
    fn xpaths_never_panic(text in dense("ab/@*[]()'\"=! .,12ndotrl-amex")) {
        let _ = XPath::parse(&text);
        let _ = XPath::parse(&format!("//a[{text}]"));
    }

    #[test]
    fn a_value_never_breaks_an_xml_file(value in xml_text(), quote in prop::sample::select(vec!['"', '\''])) {
        let xml = "<parameters><parameter name='P'><parameterEntry kind='XmlFile' scope='x' match='//b/@c'/></parameter></parameters>";
        let (parameters, _) = Parameters::parse(&Source::from_text("Parameters.xml", xml)).unwrap();
        let mut given = Given::new();
        given.push("P", value.as_str(), Origin::CommandLine);
        let resolved = parameters.resolve(&given).unwrap();
        let before = format!("<a>\r\n <!-- x --><b  c={quote}old{quote} d='1'>t</b></a>");
        let after = resolved.apply("x", before.as_bytes()).unwrap();
        let after = after.map_or_else(|| before.clone(), |after| String::from_utf8(after).unwrap());
        let document = Document::parse(&Source::from_text("x", after.as_str())).unwrap();
        let element = document.root().child("b").unwrap();
        prop_assert_eq!(element.value("c").unwrap(), value);
        // Applying once more changes nothing.
        prop_assert_eq!(resolved.apply("x", after.as_bytes()).unwrap(), None);
        // All else is as it was.
        let value_span = element.attribute("c").unwrap().value_span;
        prop_assert_eq!(format!("{}old{}", &after[..value_span.start], &after[value_span.end..]), before);
    }

    #[test]
    fn resolving_never_panics(defaults in prop::collection::vec(dense("{}ABC x"), 1..4)) {
        let xml: String = defaults
            .iter()
            .zip(["A", "B", "C"])
            .map(|(default, name)| format!("<parameter name='{name}' defaultValue='{default}'/>"))
            .collect();
        let (parameters, _) = Parameters::parse(&Source::from_text("p", format!("<parameters>{xml}</parameters>"))).unwrap();
        if let Err(problems) = parameters.resolve(&Given::new()) {
            prop_assert!(problems.iter().all(|problem| problem.code == "parameter-cycle"));
        }
    }

    #[test]
    fn packages_round_trip(files in prop::collection::btree_map("[a-z]{1,8}(/[a-z]{1,8}){0,2}", any::<Vec<u8>>(), 0..8)) {
        let mut writer = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
        writer.add("Manifest.xml", &mut &b"<m><iisApp path='a'/></m>"[..]).unwrap();
        let mut written = Vec::new();
        for (name, data) in &files {
            // Names of the random kind may be Windows devices or lie below another file.
            if writer.add(name, &mut data.as_slice()).is_ok() {
                written.push((name.as_str(), data));
            }
        }
        let octets = writer.finish().unwrap().into_inner();
        let mut package = PackageReader::open(Cursor::new(octets), PackageLimits::default()).unwrap();
        let entries = package.entries()[1..].to_vec();
        prop_assert_eq!(entries.len(), written.len());
        for (entry, (name, data)) in entries.iter().zip(written) {
            let mut read = Vec::new();
            package.read(entry, &mut read).unwrap();
            prop_assert_eq!((entry.path.as_str(), &read), (name, data));
        }
    }

    #[test]
    fn damaged_packages_never_panic(at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut writer = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
        writer.add("Manifest.xml", &mut &b"<m><iisApp path='a'/></m>"[..]).unwrap();
        writer.add("a/b", &mut &b"0123456789".repeat(20)[..]).unwrap();
        let octets = writer.finish().unwrap().into_inner();
        let mut damaged = octets.clone();
        let at = at.index(damaged.len());
        damaged[at] = with;
        let cut = octets[..cut.index(octets.len())].to_vec();
        for octets in [damaged, cut] {
            if let Ok(mut package) = PackageReader::open(Cursor::new(octets), PackageLimits::default()) {
                let _ = package.manifest_source();
                for entry in package.entries().to_vec() {
                    let mut data = Vec::new();
                    if package.read(&entry, &mut data).is_ok() {
                        prop_assert_eq!(data.len() as u64, entry.size);
                    }
                }
            }
        }
    }

    #[test]
    fn a_good_name_stays_inside(name in dense("a./\\:C \u{0}?*u")) {
        match check_entry_name(&name) {
            Ok(()) => {
                prop_assert!(!name.starts_with('/') && !name.contains(['\\', ':', '\0']));
                prop_assert!(name.split('/').all(|part| part.trim() != ".."));
            }
            Err(fault) => prop_assert!(!fault.is_windows_only() || !matches!(fault, NameFault::Dots)),
        }
    }
}
