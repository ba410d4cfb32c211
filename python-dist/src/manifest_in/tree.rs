//! The project's files as a tree that can be listed: what setuptools' `glob` asks the file system.

use std::collections::{BTreeMap, BTreeSet};

use super::glob::{Pattern, has_magic};

/// The project's folders, each with the names in it. Empty folders do not matter to any command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// By path: the project's own folder is "".
    folders: BTreeMap<String, BTreeSet<String>>,
    files: BTreeSet<String>,
    /// Absolute paths and paths above the project, that exist.
    outside: BTreeSet<String>,
}

impl Tree {
    pub(crate) fn new<'a>(files: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tree = Self::default();
        tree.folders.insert(String::new(), BTreeSet::new());
        for file in files {
            tree.files.insert(file.to_owned());
            let mut path = file;
            loop {
                let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
                // A folder that is known already has known parents.
                let known = tree.folders.contains_key(folder);
                tree.folders
                    .entry(folder.to_owned())
                    .or_default()
                    .insert(name.to_owned());
                if known {
                    break;
                }
                path = folder;
            }
        }
        tree
    }

    #[cfg(test)]
    pub(crate) fn add_outside(&mut self, path: &str) {
        self.outside.insert(path.to_owned());
    }

    /// A path without `.` and `..`; nothing where it leaves the project or leads through what is
    /// not a folder.
    pub(crate) fn resolve(&self, path: &str) -> Option<String> {
        if path.starts_with('/') {
            return None;
        }
        let mut resolved: Vec<&str> = Vec::new();
        let components: Vec<&str> = path.split('/').collect();
        for (i, component) in components.iter().enumerate() {
            match *component {
                "" | "." => {}
                ".." => {
                    resolved.pop()?;
                }
                name => resolved.push(name),
            }
            if i + 1 < components.len() && !self.folders.contains_key(&resolved.join("/")) {
                return None;
            }
        }
        Some(resolved.join("/"))
    }

    pub(crate) fn is_file(&self, path: &str) -> bool {
        !path.ends_with('/')
            && self
                .resolve(path)
                .is_some_and(|path| self.files.contains(&path))
            || self.outside.contains(path)
    }

    fn is_folder(&self, path: &str) -> bool {
        self.resolve(path)
            .is_some_and(|path| self.folders.contains_key(&path))
    }

    fn exists(&self, path: &str) -> bool {
        self.is_file(path) || self.is_folder(path)
    }

    fn list(&self, folder: &str) -> impl Iterator<Item = &str> {
        let resolved = self.resolve(folder);
        resolved
            .and_then(|path| self.folders.get(&path))
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// All files under a folder, each as the folder's spelling joined with the rest, as `os.walk`
    /// names them; under `.` without it.
    pub(crate) fn walk(&self, folder: &str) -> Vec<String> {
        let Some(resolved) = self
            .resolve(folder)
            .filter(|path| self.folders.contains_key(path))
        else {
            return Vec::new();
        };
        let under = if resolved.is_empty() {
            String::new()
        } else {
            format!("{resolved}/")
        };
        let spelled = if folder == "." {
            String::new()
        } else {
            join(folder, "")
        };
        self.files
            .range(under.clone()..)
            .map_while(|file| file.strip_prefix(&under))
            .map(|rest| format!("{spelled}{rest}"))
            .collect()
    }

    /// setuptools' `glob`: what exists and matches, files and folders; `**` as a whole component is
    /// any number of folders where `recursive`.
    pub(crate) fn glob(&self, pattern: &str, recursive: bool) -> Vec<String> {
        let mut found = self.expand(pattern, recursive);
        // A leading `**` yields the empty path first.
        found.retain(|path| !path.is_empty());
        found
    }

    fn expand(&self, pattern: &str, recursive: bool) -> Vec<String> {
        // From the right: components are taken off until what is left is a name rather than a
        // pattern.
        let mut names = Vec::new();
        let mut rest = pattern;
        while has_magic(rest) {
            let (folder, name) = split(rest);
            names.push(name);
            if folder == rest {
                return Vec::new();
            }
            rest = folder;
        }
        let Some(first) = names.pop() else {
            let (folder, name) = split(pattern);
            let there = if name.is_empty() {
                self.is_folder(folder)
            } else {
                self.exists(pattern)
            };
            return if there {
                vec![pattern.to_owned()]
            } else {
                Vec::new()
            };
        };
        let mut found = Vec::new();
        self.step(rest, first, recursive, &mut found);
        while let Some(name) = names.pop() {
            for folder in core::mem::take(&mut found) {
                self.step(&folder, name, recursive, &mut found);
            }
        }
        found
    }

    /// What `name` matches in one folder.
    fn step(&self, folder: &str, name: &str, recursive: bool, found: &mut Vec<String>) {
        if name == "**" && recursive {
            self.push_all_below(folder, found);
        } else if has_magic(name) {
            let pattern = Pattern::component(name);
            found.extend(
                self.list(folder)
                    .filter(|name| pattern.matches(name))
                    .map(|name| join(folder, name)),
            );
        } else if name.is_empty() {
            if self.is_folder(folder) {
                found.push(join(folder, ""));
            }
        } else if self.exists(&join(folder, name)) {
            found.push(join(folder, name));
        }
    }

    /// The folder itself, with a slash, and everything below it.
    fn push_all_below(&self, folder: &str, found: &mut Vec<String>) {
        found.push(if folder.is_empty() {
            String::new()
        } else {
            format!("{}/", folder.trim_end_matches('/'))
        });
        let Some(resolved) = self.resolve(folder) else {
            return;
        };
        let under = if resolved.is_empty() {
            resolved
        } else {
            format!("{resolved}/")
        };
        let folders = self.folders.range(under.clone()..).map(|(path, _)| path);
        let files = self.files.range(under.clone()..);
        for paths in [
            &mut folders.into_iter() as &mut dyn Iterator<Item = &String>,
            &mut files.into_iter(),
        ] {
            for rest in paths
                .map_while(|path| path.strip_prefix(&under))
                .filter(|rest| !rest.is_empty())
            {
                found.push(join(folder, rest));
            }
        }
    }
}

/// `os.path.split`: the last component, and what is before it without trailing slashes.
fn split(path: &str) -> (&str, &str) {
    match path.rfind('/') {
        None => ("", path),
        Some(at) => {
            let folder = path[..at].trim_end_matches('/');
            // Of a root only slashes are left; they stay.
            (
                if folder.is_empty() {
                    &path[..=at]
                } else {
                    folder
                },
                &path[at + 1..],
            )
        }
    }
}

/// `os.path.join`.
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() || folder.ends_with('/') || name.starts_with('/') {
        if name.starts_with('/') {
            name.to_owned()
        } else {
            format!("{folder}{name}")
        }
    } else {
        format!("{folder}/{name}")
    }
}
