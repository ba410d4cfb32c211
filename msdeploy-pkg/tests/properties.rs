//! Properties: what is written reads back, nothing that is read panics.

use std::io::Cursor;

use msdeploy_pkg::{
    Given, Manifest, NameFault, Origin, PackageLimits, PackageReader, PackageWriter, Parameters,
    Pattern, ProviderOptions, SetParameters, Timestamp, XPath, build_manifest, check_entry_name,
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

proptest! {
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
