//! The files that are no modules and that setuptools puts into every distribution all the same.
//!
//! Models `package_data`, `exclude_package_data`, `data_files` and `scripts`
//! (<https://setuptools.pypa.io/en/latest/userguide/datafiles.html>) as `[tool.setuptools]` and
//! setup.cfg spell them. `include_package_data` is left out: it says which of the distributed files
//! are installed, not which are distributed.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest_in::{DefaultRule, Tree};

/// What every package has without being asked, since setuptools 69: type stubs and their marker.
const IMPLICIT: [&str; 2] = ["*.pyi", "py.typed"];

/// Globs of the files that come with the modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataFiles {
    /// Globs below a package's folder, by the package's dotted name; under `*` or the empty name,
    /// below the folder of each package.
    pub package_data: BTreeMap<String, Vec<String>>,
    /// Globs of what `package_data` is not to take, by package in the same way.
    pub exclude_package_data: BTreeMap<String, Vec<String>>,
    /// Globs below the project's folder.
    pub data_files: Vec<String>,
    /// Scripts, below the project's folder.
    pub scripts: Vec<String>,
}

impl DataFiles {
    /// The files among a project's, each with the rule that takes it in. `packages` are the
    /// packages' folders with their names.
    pub(crate) fn files(
        &self,
        tree: &Tree,
        packages: &BTreeMap<String, String>,
        implicit: bool,
    ) -> Vec<(String, DefaultRule)> {
        let mut found = Vec::new();
        for (folder, package) in packages.iter().filter(|(_, package)| !package.is_empty()) {
            let below = |patterns: &mut dyn Iterator<Item = &str>| -> BTreeSet<String> {
                patterns
                    .flat_map(|pattern| tree.glob(&format!("{folder}/{pattern}"), true))
                    .collect()
            };
            let implicit: &[&str] = if implicit { &IMPLICIT } else { &[] };
            let taken = below(
                &mut patterns_of(&self.package_data, package).chain(implicit.iter().copied()),
            );
            let excluded = below(&mut patterns_of(&self.exclude_package_data, package));
            found.extend(
                taken
                    .difference(&excluded)
                    .map(|file| (file.clone(), DefaultRule::PackageData)),
            );
        }
        for (patterns, rule) in [
            (&self.data_files, DefaultRule::DataFiles),
            (&self.scripts, DefaultRule::Scripts),
        ] {
            let files = patterns
                .iter()
                .flat_map(|pattern| tree.glob(pattern.trim_start_matches("./"), true));
            found.extend(files.map(|file| (file, rule)));
        }
        found
    }
}

/// The globs for one package: those for all packages first.
fn patterns_of<'d>(
    data: &'d BTreeMap<String, Vec<String>>,
    package: &'d str,
) -> impl Iterator<Item = &'d str> {
    ["", "*", package]
        .into_iter()
        .filter_map(|name| data.get(name))
        .flatten()
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_modules() {
        let lists = |pairs: &[(&str, &[&str])]| -> BTreeMap<String, Vec<String>> {
            pairs
                .iter()
                .map(|(name, globs)| {
                    (
                        (*name).to_owned(),
                        globs.iter().map(|glob| (*glob).to_owned()).collect(),
                    )
                })
                .collect()
        };
        let data = DataFiles {
            package_data: lists(&[("*", &["*.txt"]), ("p.q", &["static/**/*.css"])]),
            exclude_package_data: lists(&[("", &["secret*"])]),
            data_files: vec!["etc/*.ini".to_owned()],
            scripts: vec!["./bin/run".to_owned(), "bin/missing".to_owned()],
        };
        let files = [
            "bin/run",
            "etc/a.ini",
            "etc/a.bak",
            "lib/p/a.txt",
            "lib/p/secret.txt",
            "lib/p/py.typed",
            "lib/p/q/static/x/y.css",
            "lib/p/static/z.css",
            "other.txt",
        ];
        let packages = [("lib/p", "p"), ("lib/p/q", "p.q"), ("lib", "")]
            .map(|(folder, name)| (folder.to_owned(), name.to_owned()))
            .into();
        let found = data.files(&Tree::new(files), &packages, true);
        let found: Vec<(&str, DefaultRule)> = found
            .iter()
            .map(|(file, rule)| (file.as_str(), *rule))
            .collect();
        assert_eq!(
            found,
            [
                ("lib/p/a.txt", DefaultRule::PackageData),
                ("lib/p/py.typed", DefaultRule::PackageData),
                ("lib/p/q/static/x/y.css", DefaultRule::PackageData),
                ("etc/a.ini", DefaultRule::DataFiles),
                ("bin/run", DefaultRule::Scripts),
            ]
        );
        let without = data.files(&Tree::new(files), &packages, false);
        assert!(!without.iter().any(|(file, _)| file.ends_with("py.typed")));
    }
}
