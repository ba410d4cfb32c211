//! The Python modules of a project that setuptools builds, and so puts into every distribution.
//!
//! Models `packages`, `py-modules` and `package-dir` of `[tool.setuptools]` and of setup.cfg's
//! `[options]`, and setuptools' automatic discovery
//! (<https://setuptools.pypa.io/en/latest/userguide/package_discovery.html>). The files that come
//! with the modules are in [`DataFiles`]. Left out: what only setup.py says.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use crate::data_files::DataFiles;
use crate::manifest_in::matches_component;

/// Folders at a project's root that automatic discovery does not take for packages.
const NOT_PACKAGES: &[&str] = &[
    "benchmark",
    "benchmarks",
    "bin",
    "build",
    "changelog",
    "ci",
    "debian",
    "dist",
    "doc",
    "docs",
    "documentation",
    "env",
    "example",
    "examples",
    "exercise",
    "exercises",
    "fabfile",
    "htmlcov",
    "manpages",
    "news",
    "newsfragments",
    "python",
    "requirements",
    "scripts",
    "site_scons",
    "tasks",
    "test",
    "tests",
    "tools",
    "unit_test",
    "unit_tests",
    "util",
    "utils",
    "venv",
];

/// Modules at a project's root that automatic discovery leaves alone.
const NOT_MODULES: &[&str] = &[
    "benchmark",
    "benchmarks",
    "build",
    "conanfile",
    "conftest",
    "dodo",
    "example",
    "examples",
    "exercise",
    "exercises",
    "fabfile",
    "manage",
    "noxfile",
    "pavement",
    "setup",
    "tasks",
    "test",
    "tests",
    "toxfile",
];

/// Which packages a project has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packages {
    /// Not said: setuptools looks for them.
    #[default]
    Discover,
    /// Listed by their dotted names.
    List(Vec<String>),
    /// Found by `packages.find` (setup.cfg: `find:` and `find_namespace:`).
    Find {
        /// The folders to look in; `.` is the project's.
        folders: Vec<String>,
        /// Globs of dotted names, one of which must match.
        include: Vec<String>,
        /// Globs of dotted names, none of which may match.
        exclude: Vec<String>,
        /// Whether folders without `__init__.py` count.
        namespaces: bool,
    },
}

/// Which Python modules a project has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Modules {
    /// The packages.
    pub packages: Packages,
    /// Single modules by their dotted names; nothing where the project does not say.
    pub py_modules: Option<Vec<String>>,
    /// The folder of a package; under the empty name, the folder of all others.
    pub package_dir: BTreeMap<String, String>,
    /// The other files that come with them.
    pub data: DataFiles,
}

impl Modules {
    /// No modules at all: for a project whose setup.py names them in code.
    #[must_use]
    pub fn none() -> Self {
        Self {
            packages: Packages::List(Vec::new()),
            ..Self::default()
        }
    }

    /// The files of the modules among a project's files.
    ///
    /// ```
    /// use python_dist::Modules;
    ///
    /// let files = ["app/__init__.py", "app/logo.png", "docs/conf.py", "setup.py"].map(String::from);
    /// assert_eq!(Modules::default().files(&files), ["app/__init__.py"]);
    /// ```
    #[must_use]
    pub fn files(&self, files: &[String]) -> Vec<String> {
        let python = || files.iter().filter(|file| file.ends_with(".py"));
        let packages = self.packages(files);
        let mut chosen: BTreeSet<&String> = python()
            .filter(|file| packages.contains_key(split(file).0))
            .collect();
        if self.are_discovered() && packages.is_empty() {
            chosen.extend(python().filter(|file| is_discovered_module(file)));
        }
        for module in self.py_modules.iter().flatten() {
            let (package, name) = module.rsplit_once('.').unwrap_or(("", module));
            let path = join(&self.folder_of(package), &format!("{name}.py"));
            chosen.extend(files.iter().filter(|file| **file == path));
        }
        chosen.into_iter().cloned().collect()
    }

    /// Whether the project names none, so that setuptools looks for them.
    pub(crate) fn are_discovered(&self) -> bool {
        self.packages == Packages::Discover && self.py_modules.is_none()
    }

    /// The folders of the packages with their dotted names. Where single modules lie in a source
    /// folder, that folder is there under the empty name.
    pub(crate) fn packages(&self, files: &[String]) -> BTreeMap<String, String> {
        match &self.packages {
            Packages::Discover if self.py_modules.is_some() => BTreeMap::new(),
            Packages::Discover => self.discover(files),
            Packages::List(packages) => packages
                .iter()
                .map(|package| (self.folder_of(package), package.clone()))
                .collect(),
            Packages::Find {
                folders,
                include,
                exclude,
                namespaces,
            } => {
                let all: BTreeSet<&str> = files.iter().map(String::as_str).collect();
                let mut packages = BTreeMap::new();
                for root in folders {
                    let root = plain(root);
                    for folder in all_folders(files) {
                        let Some(inner) = below(folder, &root).filter(|inner| !inner.is_empty())
                        else {
                            continue;
                        };
                        let name = inner.replace('/', ".");
                        let any = |patterns: &[String]| {
                            patterns
                                .iter()
                                .any(|pattern| matches_component(pattern, &name))
                        };
                        let initialised = *namespaces || has_init_files(&all, &root, inner);
                        if (include.is_empty() || any(include)) && !any(exclude) && initialised {
                            packages.insert(folder.to_owned(), name);
                        }
                    }
                }
                packages
            }
        }
    }

    /// setuptools' order: the layout that `package_dir` gives, then src, then the project's root.
    fn discover(&self, files: &[String]) -> BTreeMap<String, String> {
        let explicit: Vec<(&String, String)> = self
            .package_dir
            .iter()
            .filter(|(package, _)| !package.is_empty())
            .map(|(package, folder)| (package, plain(folder)))
            .collect();
        let folders = all_folders(files);
        let dotted = |package: &str, inner: &str| {
            let inner = inner.replace('/', ".");
            match (package, inner.as_str()) {
                ("", _) => inner,
                (_, "") => package.to_owned(),
                _ => format!("{package}.{inner}"),
            }
        };
        if !explicit.is_empty() {
            return folders
                .iter()
                .filter_map(|folder| {
                    explicit.iter().find_map(|(package, root)| {
                        let inner = below(folder, root)?;
                        Some(((*folder).to_owned(), dotted(package, inner)))
                    })
                })
                .collect();
        }
        let source = self
            .package_dir
            .get("")
            .map_or_else(|| "src".to_owned(), |folder| plain(folder));
        let in_source: BTreeMap<String, String> = folders
            .iter()
            .filter_map(|folder| {
                let inner = below(folder, &source)?;
                Some(((*folder).to_owned(), dotted("", inner)))
            })
            .collect();
        if !source.is_empty() && !in_source.is_empty() {
            return in_source;
        }
        let is_package = |folder: &str| {
            let mut names = folder.split('/');
            let top = names.next().unwrap_or_default();
            let stubs = top.strip_suffix("-stubs").unwrap_or(top);
            !NOT_PACKAGES.contains(&top)
                && !top.starts_with('_')
                && is_identifier(stubs)
                && names.all(is_identifier)
        };
        let top = |folder: &str| folder.split('/').next().unwrap_or_default().to_owned();
        // A folder without any module is no package that somebody wrote, whatever its name.
        let with_modules: BTreeSet<String> = files
            .iter()
            .filter(|file| file.ends_with(".py") && is_package(split(file).0))
            .map(|file| top(file))
            .collect();
        folders
            .into_iter()
            .filter(|folder| is_package(folder) && with_modules.contains(&top(folder)))
            .map(|folder| (folder.to_owned(), folder.replace('/', ".")))
            .collect()
    }

    /// The folder of a package, by the longest of its names that `package_dir` has.
    fn folder_of(&self, package: &str) -> String {
        let mut head = package;
        let mut tail: Vec<&str> = Vec::new();
        loop {
            if let Some(folder) = self.package_dir.get(head) {
                tail.reverse();
                return join(&plain(folder), &tail.join("/"));
            }
            if head.is_empty() {
                tail.reverse();
                return tail.join("/");
            }
            let (rest, last) = head.rsplit_once('.').unwrap_or(("", head));
            tail.push(last);
            head = rest;
        }
    }

    /// `[tool.setuptools]`. Its faults are setuptools' to report: what has another shape is passed
    /// over.
    pub(crate) fn read(table: &DeTable<'_>) -> Self {
        fn strings(value: &DeValue<'_>) -> Option<Vec<String>> {
            Some(
                value
                    .as_array()?
                    .iter()
                    .filter_map(|item| item.get_ref().as_str())
                    .map(str::to_owned)
                    .collect(),
            )
        }
        fn value<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<&'t DeValue<'i>> {
            table
                .iter()
                .find(|(k, _)| k.get_ref().as_ref() == key)
                .map(|(_, value)| value.get_ref())
        }
        let mut modules = Self::default();
        match value(table, "packages") {
            Some(DeValue::Table(packages)) => {
                if let Some(find) = value(packages, "find").and_then(DeValue::as_table) {
                    let list = |key| value(find, key).and_then(strings).unwrap_or_default();
                    let folders = list("where");
                    modules.packages = Packages::Find {
                        folders: if folders.is_empty() {
                            vec![".".to_owned()]
                        } else {
                            folders
                        },
                        include: list("include"),
                        exclude: list("exclude"),
                        namespaces: value(find, "namespaces")
                            .and_then(DeValue::as_bool)
                            .unwrap_or(true),
                    };
                }
            }
            Some(other) => {
                modules.packages = strings(other).map_or(Packages::Discover, Packages::List);
            }
            None => {}
        }
        modules.py_modules = value(table, "py-modules").and_then(strings);
        let lists = |key: &str| -> BTreeMap<String, Vec<String>> {
            value(table, key)
                .and_then(DeValue::as_table)
                .into_iter()
                .flatten()
                .filter_map(|(name, list)| {
                    Some((name.get_ref().to_string(), strings(list.get_ref())?))
                })
                .collect()
        };
        modules.data = DataFiles {
            package_data: lists("package-data"),
            exclude_package_data: lists("exclude-package-data"),
            data_files: lists("data-files").into_values().flatten().collect(),
            scripts: value(table, "script-files")
                .and_then(strings)
                .unwrap_or_default(),
        };
        for (package, folder) in value(table, "package-dir")
            .and_then(DeValue::as_table)
            .into_iter()
            .flatten()
        {
            if let Some(folder) = folder.get_ref().as_str() {
                modules
                    .package_dir
                    .insert(package.get_ref().to_string(), folder.to_owned());
            }
        }
        modules
    }
}

/// Every folder that holds a file or a folder, but the project's own.
fn all_folders(files: &[String]) -> BTreeSet<&str> {
    let mut folders = BTreeSet::new();
    for file in files {
        let mut folder = split(file).0;
        while !folder.is_empty() && folders.insert(folder) {
            folder = split(folder).0;
        }
    }
    folders
}

/// Whether setuptools takes a file at the project's root for a module of it.
fn is_discovered_module(file: &str) -> bool {
    let (folder, name) = split(file);
    let name = name.strip_suffix(".py").unwrap_or(name);
    let reserved = NOT_MODULES.contains(&name)
        || name.eq_ignore_ascii_case("sconstruct")
        || name.starts_with(['.', '_']);
    folder.is_empty() && is_identifier(name) && !reserved
}

/// The folder and the name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn join(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", _) => name.to_owned(),
        (_, "") => folder.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

/// A folder without `.` and slashes at its ends.
fn plain(folder: &str) -> String {
    folder
        .replace('\\', "/")
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect::<Vec<_>>()
        .join("/")
}

/// `path` as seen from `root`; nothing where it is not below.
fn below<'p>(path: &'p str, root: &str) -> Option<&'p str> {
    if root.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(root)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix('/')
    }
}

fn has_init_files(files: &BTreeSet<&str>, root: &str, package: &str) -> bool {
    let mut folder = root.to_owned();
    package.split('/').all(|name| {
        folder = join(&folder, name);
        files.contains(format!("{folder}/__init__.py").as_str())
    })
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(modules: &Modules, files: &[&str], expected: &[&str]) {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        assert_eq!(modules.files(&files), expected, "{modules:?}");
    }

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn automatic_discovery() {
        let auto = Modules::default();
        check(
            &auto,
            &["a.py", "setup.py", "manage.py", "_b.py", "x.txt"],
            &["a.py"],
        );
        check(
            &auto,
            &[
                "a.py",
                "pkg/__init__.py",
                "pkg/sub/m.py",
                "tests/t.py",
                "my-dir/m.py",
            ],
            &["pkg/__init__.py", "pkg/sub/m.py"],
        );
        check(
            &auto,
            &["a.py", "src/m.py", "src/p/n.py", "srcs/x.py"],
            &["src/m.py", "src/p/n.py"],
        );
        check(
            &Modules {
                package_dir: [("p".to_owned(), "lib/p".to_owned())].into(),
                ..auto
            },
            &["lib/p/m.py", "q/m.py"],
            &["lib/p/m.py"],
        );
        check(&Modules::none(), &["a.py", "pkg/__init__.py"], &[]);
    }

    #[test]
    fn packages_have_names() {
        let files = ["src/a.py", "src/p/static/x.css", "lib/q/m.py", "t/x"].map(str::to_owned);
        let names = |modules: &Modules| {
            let found = modules.packages(&files);
            let mut names: Vec<String> = found.into_values().collect();
            names.sort();
            names
        };
        assert_eq!(names(&Modules::default()), ["", "p", "p.static"]);
        let explicit = Modules {
            package_dir: [("z".to_owned(), "./lib/q".to_owned())].into(),
            ..Modules::default()
        };
        assert_eq!(names(&explicit), ["z"]);
    }

    #[test]
    fn listed() {
        let modules = Modules {
            packages: Packages::List(list(&["p", "p.q"])),
            py_modules: Some(list(&["single", "p.extra"])),
            package_dir: [(String::new(), "lib/".to_owned())].into(),
            data: DataFiles::default(),
        };
        check(
            &modules,
            &[
                "lib/p/a.py",
                "lib/p/q/b.py",
                "lib/p/r/c.py",
                "lib/single.py",
                "lib/p/d.txt",
                "p/a.py",
            ],
            &["lib/p/a.py", "lib/p/q/b.py", "lib/single.py"],
        );
        let only = Modules {
            py_modules: Some(list(&["m"])),
            ..Modules::default()
        };
        check(&only, &["m.py", "p/__init__.py"], &["m.py"]);
    }

    #[test]
    fn found() {
        let files = [
            "lib/a/__init__.py",
            "lib/a/b/c.py",
            "lib/t/x.py",
            "lib/a/tests/y.py",
            "z/__init__.py",
        ];
        let find = |namespaces| Modules {
            packages: Packages::Find {
                folders: list(&["lib"]),
                include: vec![],
                exclude: list(&["*.tests", "t"]),
                namespaces,
            },
            ..Modules::default()
        };
        check(&find(true), &files, &["lib/a/__init__.py", "lib/a/b/c.py"]);
        check(&find(false), &files, &["lib/a/__init__.py"]);
    }
}
