//! Rules about a package's files: what Windows cannot hold, and what Web Deploy cannot read.

use std::collections::HashMap;

use spanned_xml::Problem;

use super::CheckReport;
use crate::archive::{NameFault, check_entry_name, windows_key};

/// The longest path of a file that a Windows program can open without further ado, in UTF-16 units, the NUL at the end
/// included: *Maximum Path Length Limitation* <https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation>.
const MAX_PATH: usize = 260;
/// A folder must leave room for a name of 8.3 form.
const MAX_FOLDER: usize = 248;

/// Octets of a file that Web Deploy reads; *Web Deploy package Provider*.
const MAX_LEN: u64 = 2_147_483_647;
/// Entries that an archive without zip64 can list.
const MAX_FILES: usize = 65_535;

/// What a path of the package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link, to whatever.
    SymbolicLink,
    /// A device, socket or pipe.
    Other,
}

/// A path of a folder that is or becomes a package.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedFile {
    /// The path from the package's root, with forward slashes.
    pub path: String,
    /// Octets.
    pub len: u64,
    /// What it is.
    pub kind: FileKind,
}

impl CheckedFile {
    /// A path with what is there.
    #[must_use]
    pub fn new(path: impl Into<String>, len: u64, kind: FileKind) -> Self {
        Self {
            path: path.into(),
            len,
            kind,
        }
    }
}

/// Checks the files of a folder before it becomes a package: names that Windows cannot hold, names that are one name
/// to Windows, links and devices, and what is too large or too many for Web Deploy.
///
/// ```
/// use msdeploy_pkg::{CheckedFile, FileKind, check_files};
///
/// let found = check_files(&[CheckedFile::new("App/aux.py", 10, FileKind::File)]);
/// assert_eq!(found[0].code, "package-name-windows");
/// ```
#[must_use]
pub fn check_files(files: &[CheckedFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut known: HashMap<String, &str> = HashMap::new();
    for file in files {
        let mut name = |fault: NameFault| problems.push(fault.problem(&file.path));
        if let Err(fault) = check_entry_name(&file.path) {
            name(fault);
        }
        match file.kind {
            FileKind::SymbolicLink => name(NameFault::SymbolicLink),
            FileKind::Other => name(NameFault::SpecialFile),
            FileKind::File | FileKind::Directory => {}
        }
        if let Some(first) = known.insert(windows_key(&file.path), &file.path) {
            name(NameFault::Duplicate(first.to_owned()));
        }
        if file.len > MAX_LEN {
            problems.push(
                Problem::error(
                    "check-file-too-large",
                    format!(
                        "`{}` has {} octets, and Web Deploy reads up to {MAX_LEN} of a file in a package",
                        file.path, file.len
                    ),
                )
                .help("leave the file out and fetch it at installation"),
            );
        }
    }
    if files.len() > MAX_FILES {
        problems.push(
            Problem::error(
                "check-too-many-files",
                format!(
                    "the package has {} files and folders, and an archive that Web Deploy reads lists up to {MAX_FILES}",
                    files.len()
                ),
            )
            .help("leave files out, or split the package"),
        );
    }
    problems
}

/// Paths that are too long below a folder, which ends with a backslash.
pub(crate) fn long_paths(root: &str, files: &[&str], report: &mut CheckReport) {
    let len = |path: &str| root.encode_utf16().count() + path.encode_utf16().count();
    let longest = |paths: &mut dyn Iterator<Item = &'_ str>, limit: usize| {
        let mut count = 0;
        let mut longest: Option<String> = None;
        for path in paths.filter(|path| len(path) >= limit) {
            count += 1;
            if longest
                .as_deref()
                .is_none_or(|known| len(known) < len(path))
            {
                longest = Some(path.to_owned());
            }
        }
        longest.map(|longest| (count, longest))
    };
    if let Some((count, longest)) = longest(&mut files.iter().copied(), MAX_PATH) {
        report.package.push(
            Problem::warning(
                "check-long-path",
                format!(
                    "{count} files have paths that Windows cannot open under `{root}`; the longest is `{longest}`, with {} characters",
                    len(&longest)
                ),
            )
            .help(format!(
                "a path has at most {} characters there; shorten names or nest less",
                MAX_PATH - 1
            )),
        );
    }
    let mut folders: Vec<&str> = files
        .iter()
        .filter_map(|file| Some(file.rsplit_once('/')?.0))
        .collect();
    folders.sort_unstable();
    folders.dedup();
    if let Some((count, longest)) = longest(&mut folders.into_iter(), MAX_FOLDER) {
        report.package.push(
            Problem::warning(
                "check-long-folder",
                format!(
                    "{count} folders have paths that Windows cannot make under `{root}`; the longest is `{longest}`, with {} characters",
                    len(&longest)
                ),
            )
            .help(format!(
                "a folder's path has at most {} characters there; shorten names or nest less",
                MAX_FOLDER - 1
            )),
        );
    }
}
