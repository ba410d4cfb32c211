//! What is distributed without a template, and what is left out whatever the template says.
//!
//! Follows `sdist.add_defaults` and `sdist.prune_file_list` of distutils (Python 3.11) and of
//! setuptools (80).

use core::fmt;

use super::dialect::Dialect;
use super::file_list::FileList;
use super::glob::Pattern;
use super::select::Selection;
use crate::metadata::{License, Metadata, Readme};

/// A rule that takes files in without a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DefaultRule {
    /// The first README there is.
    Readme,
    /// setup.py, setup.cfg, pyproject.toml, MANIFEST.in.
    Setup,
    /// `test/test*.py`, and `tests/test*.py` in setuptools.
    Tests,
    /// Python modules and packages.
    Modules,
    /// `package_data`.
    PackageData,
    /// `data_files`.
    DataFiles,
    /// `scripts`.
    Scripts,
    /// Licence files.
    License,
    /// A file that the metadata names.
    Referenced,
}

impl fmt::Display for DefaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Readme => "the README",
            Self::Setup => "the project's configuration files",
            Self::Tests => "tests",
            Self::Modules => "Python modules",
            Self::PackageData => "`package_data`",
            Self::DataFiles => "`data_files`",
            Self::Scripts => "`scripts`",
            Self::License => "licence files",
            Self::Referenced => "files that the metadata names",
        })
    }
}

/// A rule that takes files out after the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PruneRule {
    /// The `build` folder.
    Build,
    /// The folder that sdist copies the files to, `NAME-VERSION`.
    ReleaseTree,
    /// Version control's own folders: RCS, CVS, .svn, .hg, .git, .bzr, _darcs.
    VersionControl,
    /// `.tox`, `.nox` and `.venv` at the root (setuptools only).
    Environments,
    /// A folder that the caller names: its own output, a virtual environment.
    Own,
}

impl fmt::Display for PruneRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Build => "the build folder",
            Self::ReleaseTree => "the release tree",
            Self::VersionControl => "version control folders",
            Self::Environments => "test environments",
            Self::Own => "folders that iiswsgi writes",
        })
    }
}

/// Takes in what comes before the template.
pub(super) fn add_defaults(list: &mut FileList, selection: &Selection<'_>) {
    let (readmes, tests): (&[&str], &[&str]) = match selection.dialect {
        Dialect::Distutils => (&["README", "README.txt", "README.rst"], &["test/test*.py"]),
        Dialect::Setuptools => (
            &["README", "README.rst", "README.txt", "README.md"],
            &["tests/test*.py", "test/test*.py"],
        ),
    };
    if let Some(readme) = readmes.iter().find(|name| list.has(name)) {
        list.take(readme, DefaultRule::Readme);
    }
    list.take("setup.py", DefaultRule::Setup);
    for pattern in tests {
        list.take_matching(pattern, DefaultRule::Tests);
    }
    list.take("setup.cfg", DefaultRule::Setup);
    if selection.dialect == Dialect::Setuptools {
        list.take("pyproject.toml", DefaultRule::Setup);
        list.take("MANIFEST.in", DefaultRule::Setup);
    }
    let implicit = selection.dialect == Dialect::Setuptools;
    let (modules, packages) = if !implicit && selection.modules.are_discovered() {
        // distutils looks for nothing.
        Default::default()
    } else {
        (
            selection.modules.files(selection.files),
            selection.modules.packages(selection.files),
        )
    };
    for module in modules {
        list.take(&module, DefaultRule::Modules);
    }
    let data = &selection.modules.data;
    for (file, rule) in data.files(list.tree(), &packages, implicit) {
        list.take(&file, rule);
    }
}

/// Takes in what setuptools adds after the template: licence files and files that the metadata
/// names.
pub(super) fn add_referenced(list: &mut FileList, selection: &Selection<'_>) {
    if selection.dialect == Dialect::Distutils {
        return;
    }
    let unknown = Metadata::unknown();
    let metadata = selection.metadata.unwrap_or(&unknown);
    if metadata.license_files.is_empty() && !matches!(metadata.license, Some(License::File(_))) {
        for pattern in ["LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*"] {
            list.take_matching(pattern, DefaultRule::License);
        }
    }
    for pattern in &metadata.license_files {
        list.take_matching(pattern, DefaultRule::License);
    }
    if let Some(License::File(path)) = &metadata.license {
        list.take(path, DefaultRule::License);
    }
    if let Some(Readme::File { path, .. }) = &metadata.readme {
        list.take(path, DefaultRule::Referenced);
    }
}

/// Takes out what does not belong into a distribution.
pub(super) fn prune(list: &mut FileList, selection: &Selection<'_>) {
    let mut folder = |name: &str, rule: PruneRule| {
        let pattern = Pattern::distutils_under(name, "");
        list.drop_where(rule, |path| pattern.matches(path));
    };
    folder("build", PruneRule::Build);
    if let Some(stem) = selection.metadata.and_then(Metadata::file_stem) {
        folder(&stem, PruneRule::ReleaseTree);
    }
    for name in selection.own_folders {
        let under = format!("{}/", name.trim_end_matches('/'));
        list.drop_where(PruneRule::Own, |path| path.starts_with(&under));
    }
    list.drop_where(PruneRule::VersionControl, |path| {
        let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
        folders.split('/').any(|name| {
            matches!(
                name,
                "RCS" | "CVS" | ".svn" | ".hg" | ".git" | ".bzr" | "_darcs"
            )
        })
    });
    if selection.dialect == Dialect::Setuptools {
        list.drop_where(PruneRule::Environments, |path| {
            [".tox/", ".nox/", ".venv/"]
                .iter()
                .any(|folder| path.starts_with(folder))
        });
    }
}
