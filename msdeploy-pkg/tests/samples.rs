//! Real files: manifests, parameters, provider options and packages that were published.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test reads its samples, says where they are not, and fails by panicking"
)]

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use msdeploy_pkg::{
    ContentMap, DeploymentObject, Given, Layout, LayoutContent, LayoutFile, Manifest, ObjectTree,
    Origin, PackageCheck, PackageDiff, PackageDump, PackageLayout, PackageLimits, PackageReader,
    PackageSide, Parameters, ProviderKind, ProviderOptions, SetParameters, SystemInfo, TypedValue,
    build_manifest,
};
use spanned_xml::{Problem, Source};

/// The samples' folder, which lies beside the workspace and is not part of it.
fn samples() -> Option<PathBuf> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/samples/msdeploy"
    ));
    if folder.is_dir() {
        Some(folder.to_owned())
    } else {
        eprintln!("NOT TESTED: there are no samples at {}", folder.display());
        None
    }
}

fn files(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if wanted(&path.file_name().unwrap().to_string_lossy().to_lowercase()) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn source(path: &Path) -> Source {
    Source::decode(path.display().to_string(), &fs::read(path).unwrap()).unwrap()
}

fn inflated(value: &str) -> Vec<u8> {
    let gzip = base64::engine::general_purpose::STANDARD
        .decode(value)
        .unwrap();
    let mut stream = Vec::new();
    flate2::read::GzDecoder::new(gzip.as_slice())
        .read_to_end(&mut stream)
        .unwrap();
    stream
}

#[test]
fn provider_options_of_real_packages() {
    let Some(folder) = samples() else { return };
    let text = fs::read_to_string(folder.join("provider-options.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    let mut same_characters = 0;
    for vector in vectors {
        let value = vector["value"].as_str().unwrap();
        let decoded = &vector["decoded"];
        let options = ProviderOptions::decode(value)
            .unwrap_or_else(|error| panic!("{}: {error}", vector["source"]));
        assert_eq!(options.provider_name, decoded["provider"].as_str().unwrap());
        assert_eq!(options.path, decoded["path"].as_str().unwrap());
        assert_eq!(options.library, decoded["library"].as_str().unwrap());
        let settings: Vec<(String, String)> = decoded["settings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| {
                let text = |i: usize| pair[i].as_str().unwrap().to_owned();
                (text(0), text(1))
            })
            .collect();
        assert_eq!(options.settings, settings);
        let encoded = options.encode();
        if vector["gzip"] == "zlib-level-6" {
            assert_eq!(encoded, value, "{}", vector["source"]);
            same_characters += 1;
        } else {
            assert_eq!(inflated(&encoded), inflated(value), "{}", vector["source"]);
        }
    }
    assert_eq!((vectors.len(), same_characters), (32, 19));
}

#[test]
fn manifests() {
    let Some(folder) = samples() else { return };
    let all = files(&folder, &|name| {
        name.ends_with("manifest.xml") || name == "archive.xml"
    });
    assert!(all.len() >= 15, "{} manifests", all.len());
    let mut with_options = 0;
    for path in all {
        let source = source(&path);
        let (manifest, problems) =
            Manifest::parse(&source).unwrap_or_else(|problems| panic!("{problems}"));
        with_options += manifest
            .providers
            .iter()
            .filter(|provider| provider.options.is_some())
            .count();
        let (built, _) = build_manifest(&source).unwrap();
        let plain = |problems: &[Problem]| {
            problems
                .iter()
                .any(|problem| problem.code == "run-command-plain-setting")
        };
        if plain(&problems) {
            let built = Source::from_text("Manifest.xml", built);
            let (again, problems) = Manifest::parse(&built).unwrap();
            assert!(!plain(&problems), "{}", path.display());
            let kinds = |manifest: &Manifest| -> Vec<ProviderKind> {
                manifest.providers.iter().map(|p| p.kind.clone()).collect()
            };
            assert_eq!(kinds(&again), kinds(&manifest));
        } else {
            assert_eq!(built, source.text(), "{}", path.display());
        }
    }
    assert!(with_options >= 2, "{with_options} providers with options");
}

#[test]
fn parameters() {
    let Some(folder) = samples() else { return };
    let all = files(&folder, &|name| {
        name.ends_with("parameters.xml") && !name.ends_with("setparameters.xml")
    });
    assert!(all.len() >= 10, "{} files", all.len());
    for path in all {
        let (parameters, problems) =
            Parameters::parse(&source(&path)).unwrap_or_else(|problems| panic!("{problems}"));
        for problem in &problems {
            assert_eq!(
                problem.code,
                "regex-unsupported",
                "{}: {problem}",
                path.display()
            );
        }
        let mut given = Given::new();
        for prompt in parameters.prompts() {
            given.push(prompt.name, "x", Origin::CommandLine);
        }
        // Values of one letter do for all that have no list to choose from.
        if parameters
            .prompts()
            .all(|prompt| prompt.allowed.is_none() && !prompt.boolean)
        {
            let resolved = parameters
                .resolve(&given)
                .unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
            for value in resolved.iter() {
                assert!(
                    !value.value.contains("{Application Path}"),
                    "{}",
                    value.value
                );
            }
        }
    }
    let set = files(&folder, &|name| name.ends_with("setparameters.xml"));
    assert!(!set.is_empty());
    for path in set {
        let (set, _) =
            SetParameters::parse(&source(&path)).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(!set.parameters.is_empty(), "{}", path.display());
    }
}

#[test]
fn packages() {
    let Some(folder) = samples() else { return };
    for (file, layout, manifest_name, providers) in [
        (
            "iisdocs-vacationpics/vacationpics.zip",
            Layout::Gallery,
            "manifest.xml",
            4,
        ),
        (
            "iisdocs-integrate-sample/package.zip",
            Layout::Package,
            "archive.xml",
            1,
        ),
    ] {
        let path = folder.join(file);
        let octets = fs::read(&path).unwrap();
        let mut package = PackageReader::open(Cursor::new(octets), PackageLimits::default())
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(package.layout(), layout);
        let source = package.manifest_source().unwrap();
        assert!(source.name().eq_ignore_ascii_case(manifest_name));
        // The file beside the zip was taken out of it.
        let beside = fs::read(path.with_file_name(manifest_name)).unwrap();
        assert_eq!(source.encode(source.text()).unwrap(), beside);
        let (manifest, _) = Manifest::parse(&source).unwrap();
        assert!(manifest.providers.len() >= providers, "{file}");
        assert_eq!(manifest.providers[0].kind, ProviderKind::IisApp, "{file}");
        let (parameters, _) =
            Parameters::parse(&package.parameters_source().unwrap().unwrap()).unwrap();
        let entries = package.entries().to_vec();
        for entry in &entries {
            let mut data = Vec::new();
            package
                .read(entry, &mut data)
                .unwrap_or_else(|error| panic!("{file}: {error}"));
        }
        let names: Vec<&str> = entries
            .iter()
            .filter(|entry| !entry.is_directory)
            .map(|entry| entry.path.as_str())
            .collect();
        let mut contents = |name: &str| {
            let entry = package.entry(name)?.clone();
            let mut data = Vec::new();
            package.read(&entry, &mut data).ok()?;
            Some(data)
        };
        let report = PackageCheck::new(layout, &manifest)
            .parameters(Some(&parameters))
            .files(&names)
            .run(&mut contents);
        for problem in report.iter() {
            assert!(!problem.is_error(), "{file}: {problem}");
        }
    }
}

#[test]
fn parameters_of_a_real_package_are_applied() {
    let Some(folder) = samples() else { return };
    let octets = fs::read(folder.join("iisdocs-vacationpics/vacationpics.zip")).unwrap();
    let mut package = PackageReader::open(Cursor::new(octets), PackageLimits::default()).unwrap();
    let (parameters, _) =
        Parameters::parse(&package.parameters_source().unwrap().unwrap()).unwrap();
    let mut given = Given::new();
    given.push("Application Path", "Site/pics", Origin::CommandLine);
    given.push("Database Password", "s3cr\"t&", Origin::CommandLine);
    given.push("Database Administrator Password", "x", Origin::CommandLine);
    let resolved = parameters
        .resolve(&given)
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(
        resolved.value("SetAclParameter1"),
        Some("Site/pics/App_Data")
    );
    assert_eq!(
        resolved.provider_path("setAcl", "Vacation Pictures/App_Data"),
        Ok(Some("Site/pics/App_Data"))
    );
    let mut changed = Vec::new();
    for entry in package.entries().to_vec() {
        if entry.is_directory || !resolved.applies_to(&entry.path) {
            continue;
        }
        let mut data = Vec::new();
        package.read(&entry, &mut data).unwrap();
        if let Some(new) = resolved
            .apply(&entry.path, &data)
            .unwrap_or_else(|problems| panic!("{problems}"))
        {
            changed.push((entry.path, String::from_utf8_lossy(&new).into_owned()));
        }
    }
    let text = |name: &str| {
        &changed
            .iter()
            .find(|(path, _)| path.to_lowercase().ends_with(name))
            .unwrap_or_else(|| {
                panic!(
                    "{name} unchanged; changed: {:?}",
                    changed.iter().map(|(p, _)| p).collect::<Vec<_>>()
                )
            })
            .1
    };
    let script = text("createdbanduser.sql");
    assert!(script.contains("VacPicDB") && !script.contains("PlaceHolderFor"));
    assert!(text("web.config").contains("password=s3cr&quot;t&amp;"));
}

/// The `package.zip` that msdeploy made, its tree and its manifest.
fn package_of_msdeploy(folder: &Path) -> (PackageReader<Cursor<Vec<u8>>>, ObjectTree, Manifest) {
    let octets = fs::read(folder.join("iisdocs-integrate-sample/package.zip")).unwrap();
    let mut package = PackageReader::open(Cursor::new(octets), PackageLimits::default()).unwrap();
    let source = package.manifest_source().unwrap();
    let (manifest, problems) = Manifest::parse(&source).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    (package, ObjectTree::parse(&source).unwrap(), manifest)
}

/// Octets as a git repository keeps them that takes them for text, where the sample comes from such a one.
fn as_in_sample(written: &[u8], sample: &[u8]) -> Vec<u8> {
    let mut written = written.to_vec();
    if !sample.contains(&b'\r') {
        written.retain(|&octet| octet != b'\r');
    }
    written
}

#[test]
fn files_of_msdeploy_are_written_with_the_same_octets() {
    let Some(folder) = samples() else { return };
    let mut count = 0;
    for path in files(&folder, &|name| name == "archive.xml") {
        let octets = fs::read(&path).unwrap();
        let tree = ObjectTree::parse(&source(&path)).unwrap();
        assert!(
            as_in_sample(&tree.encode(), &octets) == octets,
            "{}",
            path.display()
        );
        let application = &tree.root.children[0];
        let options = application.provider_options().unwrap().unwrap();
        assert_eq!(Some(options.path.as_str()), application.key());
        let create_app = &application.children[0];
        assert_eq!(create_app.typed("isDest"), Some(TypedValue::Boolean(false)));
        count += 1;
    }
    for path in files(&folder, &|name| name == "systeminfo.xml") {
        let octets = fs::read(&path).unwrap();
        let info = SystemInfo::parse(&source(&path)).unwrap();
        assert!(
            as_in_sample(&info.encode(), &octets) == octets,
            "{}",
            path.display()
        );
        let iis = info.iis.unwrap();
        assert!(iis.components.unwrap().len() >= 32);
        count += 1;
    }
    let text = r#"<m><iisApp path="x" /></m>"#;
    let manifest_source = Source::from_text("Manifest.xml", text);
    let (manifest, _) = Manifest::parse(&manifest_source).unwrap();
    for path in files(&folder, &|name| name == "parameters.xml") {
        let octets = fs::read(&path).unwrap();
        // Those of packages in msdeploy's own layout; the others were written by people.
        if path.with_file_name("archive.xml").exists() {
            let layout = PackageLayout::new(&manifest_source, &manifest).unwrap();
            let layout = layout.with_parameters(&source(&path)).unwrap();
            assert!(
                as_in_sample(&layout.parameters.unwrap(), &octets) == octets,
                "{}",
                path.display()
            );
            count += 1;
        }
    }
    assert_eq!(count, 6);
}

#[test]
fn every_manifest_keeps_its_objects_when_written_and_read() {
    let Some(folder) = samples() else { return };
    for path in files(&folder, &|name| name.ends_with("manifest.xml")) {
        let tree = ObjectTree::parse(&source(&path)).unwrap();
        let again = Source::decode("archive.xml", &tree.encode()).unwrap();
        assert_eq!(
            ObjectTree::parse(&again).unwrap(),
            tree,
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_package_is_laid_out_as_msdeploy_laid_it_out() {
    let Some(folder) = samples() else { return };
    let (package, tree, manifest) = package_of_msdeploy(&folder);
    let names = package.entries().iter().map(|entry| entry.path.as_str());
    assert_eq!(Layout::detect(names), Some(Layout::Package));
    let map = ContentMap::new(Layout::Package, &manifest);
    // The files in another order, by their names in a package of the gallery's layout.
    let mut files: Vec<LayoutFile> = package
        .entries()
        .iter()
        .filter(|entry| !entry.is_directory)
        .filter_map(|entry| {
            let (root, path) = map.locate(&entry.path)?;
            Some(LayoutFile::new(format!("{}/{path}", root.path)).with_attributes(entry.attributes))
        })
        .collect();
    files.reverse();
    assert_eq!(files.len(), 13);
    let source = Source::decode("archive.xml", &tree.encode()).unwrap();
    let layout = PackageLayout::new(&source, &manifest)
        .unwrap()
        .with_parameters(&Source::from_text("p", "<parameters/>"))
        .unwrap();
    let (entries, rest) = layout.entries(&files);
    assert!(rest.is_empty());
    let made: Vec<(&str, u32)> = entries
        .iter()
        .map(|entry| (entry.name.trim_end_matches('/'), entry.attributes))
        .collect();
    let real: Vec<(&str, u32)> = package
        .entries()
        .iter()
        .map(|entry| (entry.path.as_str(), entry.attributes))
        .collect();
    assert_eq!(made, real);
    for (entry, real) in entries.iter().zip(package.entries()) {
        let is_directory = entry.content == LayoutContent::Directory;
        assert_eq!(is_directory, real.is_directory, "{}", entry.name);
    }
    // And the tree, but for the provider options, which a release of 2009 wrote, and the root's name.
    assert_eq!(
        without_options(&layout.archive.root.children[0]),
        without_options(&tree.root.children[0])
    );
    assert_eq!(layout.archive.root.attributes, tree.root.attributes);
    let options = layout.archive.root.children[0]
        .provider_options()
        .unwrap()
        .unwrap();
    let mut real = tree.root.children[0].provider_options().unwrap().unwrap();
    real.library.clone_from(&options.library);
    assert_eq!(options, real);
}

fn without_options(object: &DeploymentObject) -> DeploymentObject {
    let mut object = object.clone();
    for (name, value) in &mut object.attributes {
        if name == "MSDeploy.MSDeployProviderOptions" {
            value.clear();
        }
    }
    object.children = object.children.iter().map(without_options).collect();
    object
}

#[test]
fn a_real_package_is_dumped_and_is_not_different_from_itself() {
    let Some(folder) = samples() else { return };
    let (package, tree, manifest) = package_of_msdeploy(&folder);
    let dump = PackageDump::new(Layout::Package, &tree, &manifest, package.entries());
    assert_eq!(
        dump.other_entries,
        ["archive.xml", "parameters.xml", "systemInfo.xml"]
    );
    let xml = dump.to_xml();
    let file = "<filePath path=\"Package.cs\" size=\"12532\" attributes=\"Archive\" lastWriteTime=\"08/07/2009 16:30:26\" />";
    assert!(xml.contains(file), "{xml}");
    assert_eq!(xml.matches("<filePath ").count(), 13);
    Source::decode("dump.xml", xml.as_bytes()).unwrap();
    let side = PackageSide::package(Layout::Package, &manifest, None, package.entries());
    assert!(PackageDiff::between(&side, &side).is_empty());
}
