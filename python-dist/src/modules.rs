//! The Python modules of a project that setuptools builds, and so puts into every distribution.
//!
//! Models `packages`, `py-modules` and `package-dir` of `[tool.setuptools]` and of setup.cfg's
//! `[options]`, and setuptools' automatic discovery
//! (<https://setuptools.pypa.io/en/latest/userguide/package_discovery.html>). Left out: package
//! data, and what only setup.py says.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

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
        let mut chosen: BTreeSet<&String> = BTreeSet::new();
        match &self.packages {
            Packages::Discover if self.py_modules.is_some() => {}
            Packages::Discover => return self.discover(files),
            Packages::List(packages) => {
                let folders: BTreeSet<String> = packages
                    .iter()
                    .map(|package| self.folder_of(package))
                    .collect();
                chosen.extend(python().filter(|file| folders.contains(split(file).0)));
            }
            Packages::Find {
                folders,
                include,
                exclude,
                namespaces,
            } => {
                let all: BTreeSet<&str> = files.iter().map(String::as_str).collect();
                for root in folders {
                    let root = plain(root);
                    let wanted = |file: &&String| {
                        let Some(inner) =
                            below(split(file).0, &root).filter(|inner| !inner.is_empty())
                        else {
                            return false;
                        };
                        let name = inner.replace('/', ".");
                        let any = |patterns: &[String]| {
                            patterns
                                .iter()
                                .any(|pattern| matches_component(pattern, &name))
                        };
                        let initialised = *namespaces || has_init_files(&all, &root, inner);
                        (include.is_empty() || any(include)) && !any(exclude) && initialised
                    };
                    chosen.extend(python().filter(wanted));
                }
            }
        }
        for module in self.py_modules.iter().flatten() {
            let (package, name) = module.rsplit_once('.').unwrap_or(("", module));
            let path = join(&self.folder_of(package), &format!("{name}.py"));
            chosen.extend(files.iter().filter(|file| **file == path));
        }
        chosen.into_iter().cloned().collect()
    }

    /// setuptools' order: the layout that `package_dir` gives, then src, then the project's root.
    fn discover(&self, files: &[String]) -> Vec<String> {
        let python = || files.iter().filter(|file| file.ends_with(".py"));
        let explicit: Vec<String> = self
            .package_dir
            .iter()
            .filter(|(package, _)| !package.is_empty())
            .map(|(_, folder)| plain(folder))
            .collect();
        if !explicit.is_empty() {
            return python()
                .filter(|file| {
                    explicit
                        .iter()
                        .any(|root| below(split(file).0, root).is_some())
                })
                .cloned()
                .collect();
        }
        let source = self
            .package_dir
            .get("")
            .map_or_else(|| "src".to_owned(), |folder| plain(folder));
        if !source.is_empty()
            && files
                .iter()
                .any(|file| below(split(file).0, &source).is_some())
        {
            return python()
                .filter(|file| below(split(file).0, &source).is_some())
                .cloned()
                .collect();
        }
        let packages: Vec<String> = python()
            .filter(|file| {
                let mut folders = split(file).0.split('/');
                let top = folders.next().unwrap_or_default();
                let stubs = top.strip_suffix("-stubs").unwrap_or(top);
                !NOT_PACKAGES.contains(&top)
                    && !top.starts_with('_')
                    && is_identifier(stubs)
                    && folders.all(is_identifier)
            })
            .cloned()
            .collect();
        if !packages.is_empty() {
            return packages;
        }
        let module = |file: &&String| {
            let (folder, name) = split(file);
            let name = name.strip_suffix(".py").unwrap_or(name);
            let reserved = NOT_MODULES.contains(&name)
                || name.eq_ignore_ascii_case("sconstruct")
                || name.starts_with(['.', '_']);
            folder.is_empty() && is_identifier(name) && !reserved
        };
        python().filter(module).cloned().collect()
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
    fn listed() {
        let modules = Modules {
            packages: Packages::List(list(&["p", "p.q"])),
            py_modules: Some(list(&["single", "p.extra"])),
            package_dir: [(String::new(), "lib/".to_owned())].into(),
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
