//! [`Manifest`], [`build_manifest`] and [`PackageLayout`]: what a template says stays said.

use msdeploy_pkg::{
    ContentMap, Layout, LayoutFile, Manifest, PackageLayout, Provider, ProviderKind, build_manifest,
};
use spanned_xml::{Problems, Source};

/// The input is a `Manifest.xml.in` whose variables are expanded.
pub fn check(octets: &[u8]) {
    let Ok(source) = Source::decode("Manifest.xml.in", octets) else {
        return;
    };
    let (manifest, _) = match Manifest::parse(&source) {
        Ok(found) => found,
        Err(problems) => return check_problems(&source, &problems),
    };
    for provider in &manifest.providers {
        assert!(source.text().get(provider.span.range()).is_some());
        for attribute in &provider.attributes {
            assert!(source.slice(attribute.span).starts_with(&attribute.name));
        }
    }
    let (built, _) = build_manifest(&source).expect("a manifest that reads builds");
    let built = Source::from_text("Manifest.xml", built);
    let (again, _) = Manifest::parse(&built).expect("what is built reads");
    assert_eq!(again.root_name, manifest.root_name);
    assert_eq!(again.providers.len(), manifest.providers.len());
    for (before, after) in manifest.providers.iter().zip(&again.providers) {
        assert_eq!(before.path, after.path);
        if before.options.is_none() {
            assert_eq!(before.kind, after.kind);
        } else if matches!(before.kind, ProviderKind::RunCommand(_)) {
            check_amended(before, after);
        }
        assert_eq!(before.kind.name(), after.kind.name());
    }
    let (twice, _) = build_manifest(&built).expect("what is built builds");
    assert_eq!(twice, built.text());
    check_layout(&source, &manifest);
}

/// Of a setting that is both in the options and an attribute, the attribute says what is wanted now.
fn check_amended(before: &Provider, after: &Provider) {
    for attribute in &before.attributes {
        assert_eq!(after.setting(&attribute.name), Some(&*attribute.value));
    }
    let kept = before.options.iter().flat_map(|options| &options.settings);
    for (name, value) in kept {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        if !before
            .attributes
            .iter()
            .any(|attribute| is(&attribute.name))
        {
            let mut after = after.options.iter().flat_map(|options| &options.settings);
            assert!(after.any(|(other, kept)| is(other) && kept == value));
        }
    }
}

/// A package in msdeploy's own layout has the manifest's providers, and every file where its map says.
fn check_layout(source: &Source, manifest: &Manifest) {
    let Ok(layout) = PackageLayout::new(source, manifest) else {
        return;
    };
    let archive = Source::decode("archive.xml", &layout.archive.encode()).expect("UTF-8");
    let (read, _) = Manifest::parse(&archive).expect("what is written reads");
    for (before, after) in manifest.providers.iter().zip(&read.providers) {
        assert_eq!(before.kind.name(), after.kind.name());
        assert_eq!(before.path, after.path);
    }
    let (from, to) = (
        ContentMap::new(Layout::Gallery, manifest),
        ContentMap::new(Layout::Package, manifest),
    );
    for root in &from.roots {
        let file = LayoutFile::new(root.entry_name("x/y"));
        let Some((owner, path)) = from.locate(&file.path) else {
            panic!("a root has what is below it");
        };
        let (entries, rest) = layout.entries(core::slice::from_ref(&file));
        assert!(rest.is_empty());
        let owner = to.roots.iter().find(|to| to.provider == owner.provider);
        let name = owner
            .expect("both maps have the same roots")
            .entry_name(path);
        assert!(entries.iter().any(|entry| entry.name == name), "{name}");
    }
}

/// Problems are about places inside of the file, and can be shown.
fn check_problems(source: &Source, problems: &Problems) {
    assert!(problems.has_errors());
    for problem in &problems.problems {
        if let Some(span) = problem.span {
            assert!(source.text().get(span.range()).is_some());
        }
    }
    assert!(!problems.to_string().is_empty());
}
