//! What is different between two packages, or between a package and a folder.
//!
//! Web Deploy has no such operation; `-verb:sync -whatif` is the nearest. Compared are what manifests and parameters say,
//! not how they are written, and the content of each provider by length and CRC-32. Files are told apart by their path
//! below their provider's, so that two packages of different layout, or of an application whose folder has another name,
//! can be compared.
//!
//! Left out: times and attributes of files, and `systemInfo.xml`.

mod facts;

use core::fmt;
use core::hash::Hash;
use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::Serialize;

use crate::archive::{Layout, PackageEntry};
use crate::content_map::ContentMap;
use crate::manifest::Manifest;
use crate::parameters::Parameters;

use facts::{Fact, Thing};

/// One of the two packages.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PackageSide<'p> {
    /// Its manifest; `None` for the folder of an installed application, of which all files are the application's.
    pub manifest: Option<(Layout, &'p Manifest)>,
    /// Its parameters; `None` where it has none, or is no package.
    pub parameters: Option<&'p Parameters>,
    /// Its files.
    pub files: Vec<SideFile>,
}

/// A file of one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SideFile {
    /// The name of its entry, or its path below the folder, with forward slashes.
    pub path: String,
    /// Its length in octets.
    pub size: u64,
    /// The CRC-32 of its content; two files of one length count as the same where one of them has none.
    pub crc32: Option<u32>,
}

impl SideFile {
    /// A file.
    #[must_use]
    pub fn new(path: impl Into<String>, size: u64, crc32: Option<u32>) -> Self {
        Self {
            path: path.into(),
            size,
            crc32,
        }
    }
}

impl<'p> PackageSide<'p> {
    /// A package.
    #[must_use]
    pub fn package(
        layout: Layout,
        manifest: &'p Manifest,
        parameters: Option<&'p Parameters>,
        entries: &[PackageEntry],
    ) -> Self {
        Self {
            manifest: Some((layout, manifest)),
            parameters,
            files: entries
                .iter()
                .filter(|entry| !entry.is_directory)
                .map(|entry| SideFile::new(entry.path.clone(), entry.size, Some(entry.crc32)))
                .collect(),
        }
    }

    /// The folder of an installed application.
    #[must_use]
    pub fn application(files: Vec<SideFile>) -> Self {
        Self {
            manifest: None,
            parameters: None,
            files,
        }
    }

    /// The files by what tells them apart: the provider's name and the count of those of that name before it, then the
    /// path below it, in small letters. The application has no name. `only_application`: those of the application only.
    fn keyed(&self, only_application: bool) -> BTreeMap<(String, String), &SideFile> {
        let Some((layout, manifest)) = self.manifest else {
            let key = |file: &SideFile| (String::new(), file.path.to_lowercase());
            return self.files.iter().map(|file| (key(file), file)).collect();
        };
        let map = ContentMap::new(layout, manifest);
        let application = map.application().map(|root| root.provider);
        let owner = |provider: usize, name: &str| {
            let same = |root: &&crate::ContentRoot| root.name == name && root.provider < provider;
            format!("{name} {}", map.roots.iter().filter(same).count())
        };
        let xml_files = [layout.manifest_name(), "Parameters.xml", "systemInfo.xml"];
        let mut keyed = BTreeMap::new();
        for file in &self.files {
            let key = match map.locate(&file.path) {
                _ if xml_files
                    .iter()
                    .any(|name| file.path.eq_ignore_ascii_case(name)) =>
                {
                    continue;
                }
                Some((root, path)) if application == Some(root.provider) => (String::new(), path),
                _ if only_application => continue,
                Some((root, path)) => (owner(root.provider, root.name), path),
                None => ("entry".to_owned(), file.path.as_str()),
            };
            keyed.insert((key.0, key.1.to_lowercase()), file);
        }
        keyed
    }
}

/// What is different.
///
/// ```
/// use msdeploy_pkg::{Layout, Manifest, PackageDiff, PackageSide};
/// use spanned_xml::Source;
///
/// let manifest = |text: &str| Manifest::parse(&Source::from_text("Manifest.xml", text)).map(|(manifest, _)| manifest);
/// let old = manifest("<m><setAcl path='App' setAclAccess='Read' /></m>")?;
/// let new = manifest("<m><setAcl path='App' setAclAccess='Modify' /></m>")?;
/// let diff = PackageDiff::between(
///     &PackageSide::package(Layout::Gallery, &old, None, &[]),
///     &PackageSide::package(Layout::Gallery, &new, None, &[]),
/// );
/// assert_eq!(diff.to_string(), "changed provider setAcl App: setAclAccess `Read` → `Modify`\n1 difference\n");
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PackageDiff {
    /// Providers of the manifests.
    pub providers: Vec<Difference>,
    /// Parameters.
    pub parameters: Vec<Difference>,
    /// Files.
    pub files: Vec<Difference>,
}

/// Something that only one of the two has, or that is different in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Which of these.
    pub kind: DifferenceKind,
    /// What it is: `setAcl App/data`, a parameter's name, a file's path in the second of the two, where it has it.
    pub subject: String,
    /// In words, what is different in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// How something is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum DifferenceKind {
    /// Only the first has it.
    Removed,
    /// Only the second has it.
    Added,
    /// Both have it.
    Changed,
}

impl PackageDiff {
    /// Compares two sides. Where one is an installed application, only the application's files are compared.
    #[must_use]
    pub fn between(first: &PackageSide<'_>, second: &PackageSide<'_>) -> Self {
        let (Some((_, a)), Some((_, b))) = (first.manifest, second.manifest) else {
            return Self {
                files: files(&first.keyed(true), &second.keyed(true)),
                ..Self::default()
            };
        };
        let parameters = |side: &PackageSide<'_>| {
            let parameters = side.parameters.into_iter();
            let parameters = parameters.flat_map(|parameters| &parameters.parameters);
            parameters.map(Thing::of_parameter).collect()
        };
        let providers =
            |manifest: &Manifest| manifest.providers.iter().map(Thing::of_provider).collect();
        Self {
            providers: compare(providers(a), providers(b)),
            parameters: compare(parameters(first), parameters(second)),
            files: files(&first.keyed(false), &second.keyed(false)),
        }
    }

    /// Whether nothing is different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many differences there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.providers.len() + self.parameters.len() + self.files.len()
    }
}

impl fmt::Display for PackageDiff {
    /// A difference a line, then how many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = [
            ("provider", &self.providers),
            ("parameter", &self.parameters),
            ("file", &self.files),
        ];
        for (what, differences) in groups {
            for Difference {
                kind,
                subject,
                details,
            } in differences
            {
                let kind = match kind {
                    DifferenceKind::Removed => "removed",
                    DifferenceKind::Added => "added",
                    DifferenceKind::Changed => "changed",
                };
                write!(f, "{kind} {what} {subject}")?;
                if !details.is_empty() {
                    write!(f, ": {}", details.join("; "))?;
                }
                writeln!(f)?;
            }
        }
        match self.len() {
            0 => writeln!(f, "no differences"),
            1 => writeln!(f, "1 difference"),
            count => writeln!(f, "{count} differences"),
        }
    }
}

/// Pairs what is known by one subject, in order, then of what is left what is of one kind, and compares the facts.
fn compare(first: Vec<Thing>, second: Vec<Thing>) -> Vec<Difference> {
    let key = |thing: &Thing| thing.subject.to_lowercase();
    let mut places = Places::new(first.iter().map(key).enumerate());
    let mut pairs: Vec<Option<usize>> = second.iter().map(|new| places.take(&key(new))).collect();
    let mut unpaired: Vec<Option<Thing>> = first.into_iter().map(Some).collect();
    let mut is_paired = vec![false; unpaired.len()];
    for place in pairs.iter().flatten() {
        is_paired[*place] = true;
    }
    let left = unpaired
        .iter()
        .enumerate()
        .filter(|(place, _)| !is_paired[*place]);
    let kinds = left.filter_map(|(place, old)| Some((place, old.as_ref()?.kind?)));
    let mut places = Places::new(kinds);
    for (pair, new) in pairs.iter_mut().zip(&second) {
        if pair.is_none() {
            *pair = new.kind.and_then(|kind| places.take(&kind));
        }
    }
    let mut differences = Vec::new();
    let mut last_place = 0;
    for (pair, new) in pairs.into_iter().zip(second) {
        let old = pair.and_then(|place| Some((place, unpaired[place].take()?)));
        let Some((place, old)) = old else {
            differences.push(difference(DifferenceKind::Added, new.subject, Vec::new()));
            continue;
        };
        let mut details = fact_changes(old.facts, new.facts);
        if place < last_place {
            details.push("comes later than before".to_owned());
        }
        last_place = last_place.max(place);
        if !details.is_empty() {
            differences.push(difference(DifferenceKind::Changed, new.subject, details));
        }
    }
    let removed = unpaired.into_iter().flatten();
    removed
        .map(|old| difference(DifferenceKind::Removed, old.subject, Vec::new()))
        .chain(differences)
        .collect()
}

fn difference(kind: DifferenceKind, subject: String, details: Vec<String>) -> Difference {
    Difference {
        kind,
        subject,
        details,
    }
}

/// Where things of one key stand, the first of them first.
#[derive(Debug)]
struct Places<K>(HashMap<K, VecDeque<usize>>);

impl<K: Eq + Hash> Places<K> {
    fn new(keys: impl Iterator<Item = (usize, K)>) -> Self {
        let mut places: HashMap<K, VecDeque<usize>> = HashMap::new();
        for (place, key) in keys {
            places.entry(key).or_default().push_back(place);
        }
        Self(places)
    }

    fn take(&mut self, key: &K) -> Option<usize> {
        self.0.get_mut(key)?.pop_front()
    }
}

fn fact_changes(old: Vec<Fact>, new: Vec<Fact>) -> Vec<String> {
    let key = |fact: &Fact| (fact.name.to_ascii_lowercase(), fact.value.clone());
    let mut same = Places::new(old.iter().map(key).enumerate());
    let mut come = Vec::new();
    let mut kept = vec![false; old.len()];
    for fact in new {
        match same.take(&key(&fact)) {
            Some(place) => kept[place] = true,
            None => come.push(fact),
        }
    }
    let name = |fact: &Fact| fact.name.to_ascii_lowercase();
    let mut come_places = Places::new(come.iter().map(name).enumerate());
    let mut come: Vec<Option<Fact>> = come.into_iter().map(Some).collect();
    let gone = old.into_iter().zip(kept).filter(|(_, kept)| !kept);
    let mut changes: Vec<String> = gone
        .map(|(old, _)| {
            let place = come_places.take(&name(&old));
            match place.and_then(|place| come[place].take()) {
                Some(new) => format!("{old} → `{}`", new.shown()),
                None => format!("no longer {old}"),
            }
        })
        .collect();
    let come = come.into_iter().flatten();
    changes.extend(come.map(|new| format!("now {new}")));
    changes
}

fn files(
    first: &BTreeMap<(String, String), &SideFile>,
    second: &BTreeMap<(String, String), &SideFile>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut push = |kind, file: &SideFile, details| {
        differences.push(difference(kind, file.path.clone(), details));
    };
    for (key, old) in first {
        match second.get(key) {
            None => push(DifferenceKind::Removed, old, Vec::new()),
            Some(new) => {
                let details = file_changes(old, new);
                if !details.is_empty() {
                    push(DifferenceKind::Changed, new, details);
                }
            }
        }
    }
    for (key, new) in second {
        if !first.contains_key(key) {
            push(DifferenceKind::Added, new, vec![octets(new.size)]);
        }
    }
    differences.sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
    differences
}

fn octets(count: u64) -> String {
    format!("{count} octet{}", if count == 1 { "" } else { "s" })
}

fn file_changes(old: &SideFile, new: &SideFile) -> Vec<String> {
    if old.size != new.size {
        return vec![format!("{} → {}", old.size, octets(new.size))];
    }
    match (old.crc32, new.crc32) {
        (Some(old), Some(new)) if old != new => vec![format!("CRC-32 {old:08x} → {new:08x}")],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use super::*;

    fn manifest(text: &str) -> Manifest {
        Manifest::parse(&Source::from_text("m", text)).unwrap().0
    }

    fn parameters(text: &str) -> Parameters {
        let text = format!("<parameters>{text}</parameters>");
        Parameters::parse(&Source::from_text("p", text)).unwrap().0
    }

    fn side<'p>(
        layout: Layout,
        manifest: &'p Manifest,
        parameters: Option<&'p Parameters>,
        files: &[(&str, u64, u32)],
    ) -> PackageSide<'p> {
        PackageSide {
            manifest: Some((layout, manifest)),
            parameters,
            files: files
                .iter()
                .map(|&(path, size, crc)| SideFile::new(path, size, Some(crc)))
                .collect(),
        }
    }

    #[test]
    fn manifests_and_parameters_in_words() {
        let a = manifest(
            "<m><iisApp path='App'/><setAcl path='App' setAclAccess='Read'/><runCommand path='x'/></m>",
        );
        let b = manifest(
            "<m><setAcl path='App' setaclaccess='Write' setAclUser='u'/><iisapp path='App'/><dbMySql path='y'/></m>",
        );
        let p = parameters(
            "<parameter name='A' defaultValue='1' tags='New,SQL'><parameterEntry kind='TextFile' scope='x' match='y'/></parameter><parameter name='B'/>",
        );
        let q = parameters(
            "<parameter name='a' defaultValue='2' tags='new,sql'><parameterValidation kind='Boolean'/><parameterEntry kind='TextFile' scope='x' match='z'/></parameter>\
             <parameter name='C'/>",
        );
        let diff = PackageDiff::between(
            &side(Layout::Gallery, &a, Some(&p), &[]),
            &side(Layout::Gallery, &b, Some(&q), &[]),
        );
        assert_eq!(
            diff.to_string(),
            "removed provider runCommand x\n\
             changed provider setAcl App: setAclAccess `Read` → `Write`; now setAclUser `u`\n\
             changed provider iisApp App: comes later than before\n\
             added provider dbMySql y\n\
             removed parameter B\n\
             changed parameter a: defaultValue `1` → `2`; parameterEntry `kind=TextFile scope=x match=y` → `kind=TextFile scope=x match=z`; now parameterValidation `Boolean`\n\
             added parameter C\n\
             7 differences\n"
        );
        let json = serde_json::to_value(&diff).unwrap();
        assert_eq!(json["providers"][0]["kind"], "removed");
        let same = PackageDiff::between(
            &side(Layout::Gallery, &a, Some(&p), &[]),
            &side(Layout::Gallery, &a, Some(&p), &[]),
        );
        assert!(same.is_empty());
        assert_eq!(same.to_string(), "no differences\n");
    }

    #[test]
    fn passwords_are_compared_and_not_shown() {
        let a = manifest("<m><iisApp path='A' password='old-secret'/></m>");
        let b = manifest("<m><iisApp path='A' password='new-secret'/></m>");
        let p = parameters("<parameter name='P' tags='Password' defaultValue='old-secret'/>");
        let q = parameters("<parameter name='P' tags='Password' defaultValue='new-secret'/>");
        let diff = PackageDiff::between(
            &side(Layout::Gallery, &a, Some(&p), &[]),
            &side(Layout::Gallery, &b, Some(&q), &[]),
        );
        assert_eq!(
            diff.to_string(),
            "changed provider iisApp A: password `********` → `********`\n\
             changed parameter P: defaultValue `********` → `********`\n\
             2 differences\n"
        );
    }

    #[test]
    fn a_provider_that_goes_elsewhere_is_the_same_one() {
        let a = manifest(
            "<m><iisApp path='App'/><setAcl path='App'/><setAcl path='App/data'/><x path='1'/></m>",
        );
        let b = manifest(
            "<m><iisApp path='Site/app' skipAppCreation='true'/><setAcl path='App/data'/><x path='2'/></m>",
        );
        let diff = PackageDiff::between(
            &side(Layout::Gallery, &a, None, &[]),
            &side(Layout::Package, &b, None, &[]),
        );
        assert_eq!(
            diff.to_string(),
            "removed provider setAcl App\n\
             removed provider x 1\n\
             changed provider iisApp Site/app: path `App` → `Site/app`; now skipAppCreation `true`\n\
             added provider x 2\n\
             4 differences\n"
        );
    }

    #[test]
    fn files_are_told_apart_by_their_place_in_the_application() {
        let a = manifest("<m><iisApp path='App'/><dbMySql path='a.sql'/></m>");
        let b = manifest("<m><iisApp path='Site/app'/><dbMySql path='a.sql'/></m>");
        let first = side(
            Layout::Gallery,
            &a,
            None,
            &[
                ("Manifest.xml", 1, 1),
                ("App/x", 1, 1),
                ("App/y", 2, 2),
                ("App/z", 3, 3),
                ("a.sql", 4, 4),
                ("readme", 1, 1),
            ],
        );
        let second = side(
            Layout::Package,
            &b,
            None,
            &[
                ("archive.xml", 9, 9),
                ("Content/Site/app/X", 1, 1),
                ("Content/Site/app/y", 2, 9),
                ("Content/Site/app/new", 5, 5),
                ("Content/a.sql", 5, 5),
            ],
        );
        let diff = PackageDiff::between(&first, &second);
        let lines: Vec<String> = diff
            .files
            .iter()
            .map(|d| format!("{:?} {} {}", d.kind, d.subject, d.details.join(";")))
            .collect();
        assert_eq!(
            lines,
            [
                "Removed App/z ",
                "Removed readme ",
                "Added Content/Site/app/new 5 octets",
                "Changed Content/Site/app/y CRC-32 00000002 → 00000009",
                "Changed Content/a.sql 4 → 5 octets",
            ]
        );
        let folder = PackageSide::application(vec![
            SideFile::new("x", 1, None),
            SideFile::new("y", 2, Some(2)),
            SideFile::new("log", 1, None),
        ]);
        let diff = PackageDiff::between(&first, &folder);
        assert_eq!(
            diff.to_string(),
            "removed file App/z\nadded file log: 1 octet\n2 differences\n"
        );
    }
}
