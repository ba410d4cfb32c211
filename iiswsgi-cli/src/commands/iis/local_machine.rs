//! What is known here of a machine: of this one, or of one from which files were copied into a folder.

use std::io::{Read as _, Seek as _, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use fcgi_gateway::registry;
use fs_err as fs;
use iis_config::doctor::{Machine, PathFact, PathKind, Question, Wants};
use iis_config::win_path;

use super::security_descriptor::security_descriptor;
use crate::context::Context;

/// How much of a file is read from its end.
const TAIL_LEN: u64 = 64 * 1024;

/// How many lines of a log are shown.
const NEWEST_LINES: usize = 5;

/// A usual Windows, for files that were copied from one.
const USUAL: [(&str, &str); 6] = [
    ("SystemDrive", "C:"),
    ("SystemRoot", r"C:\Windows"),
    ("windir", r"C:\Windows"),
    ("ProgramData", r"C:\ProgramData"),
    ("ProgramFiles", r"C:\Program Files"),
    ("ProgramFiles(x86)", r"C:\Program Files (x86)"),
];

/// Where paths of the machine are to be found here.
#[derive(Clone, Debug, Default)]
pub(crate) struct LocalMachine {
    /// Folders that files were copied into; none for this machine.
    roots: Vec<Utf8PathBuf>,
}

impl LocalMachine {
    /// This machine, or one from which these folders were copied.
    pub(crate) fn new(roots: Vec<Utf8PathBuf>) -> Self {
        Self { roots }
    }

    /// What is known before anything is asked.
    pub(crate) fn facts(&self, context: &Context) -> Machine {
        let mut machine = Machine::default();
        let here = |name: &str| {
            let value = context.environment.get(name).map(str::to_owned);
            value.filter(|_| self.roots.is_empty())
        };
        for (name, usual) in USUAL {
            let value = here(name).unwrap_or_else(|| usual.to_owned());
            machine.environment.insert(name.to_owned(), value);
        }
        for name in [
            "IIS_USER_HOME",
            "IIS_SITES_HOME",
            "IIS_BIN",
            "USERPROFILE",
            "TEMP",
        ] {
            if let Some(value) = here(name) {
                machine.environment.insert(name.to_owned(), value);
            }
        }
        if self.roots.is_empty() {
            machine.utf8_server_variables = registry::utf8_server_variables();
        }
        machine
    }

    /// The answer to a question.
    pub(crate) fn answer(&self, question: &Question) -> PathFact {
        let Some(path) = self.find(&question.path) else {
            return PathFact::new(PathKind::Unknown);
        };
        let Some(path) = path else {
            return PathFact::new(PathKind::Missing);
        };
        let mut fact = PathFact::new(if path.is_dir() {
            PathKind::Folder
        } else {
            PathKind::File
        });
        // Copied files have the permissions of the copy.
        if question.wants == Wants::Access && self.roots.is_empty() {
            fact.access = security_descriptor(&path);
        }
        fact.text = match question.wants {
            Wants::Text if path.is_file() => tail(&path),
            Wants::NewestLines => newest_file(&path).and_then(|path| newest_lines(&path)),
            _ => None,
        };
        fact
    }

    /// Where a path of the machine is here: none where that cannot be known, nothing inside where it is not there.
    pub(crate) fn find(&self, path: &str) -> Option<Option<Utf8PathBuf>> {
        let is_windows = win_path::is_absolute_windows(path);
        if path.starts_with('/') || (is_windows && self.roots.is_empty() && cfg!(windows)) {
            let path = Utf8PathBuf::from(path);
            return Some(path.exists().then_some(path));
        }
        let (drive, rest) = path.split_once(':').filter(|_| is_windows)?;
        let parts: Vec<&str> = rest
            .split(['\\', '/'])
            .filter(|part| !part.is_empty())
            .collect();
        let mut is_known = false;
        for root in &self.roots {
            for start in [resolve(root, &[drive]), Some(root.clone())]
                .into_iter()
                .flatten()
            {
                // A folder is copied whole: where its first part is, the rest is or is not on the machine either.
                let known = parts
                    .first()
                    .is_some_and(|first| resolve(&start, &[*first]).is_some());
                is_known |= known;
                if known && let Some(found) = resolve(&start, &parts) {
                    return Some(Some(found));
                }
            }
        }
        is_known.then_some(None)
    }
}

/// The path below `folder`, whatever the case of letters, as Windows finds it.
pub(crate) fn resolve(folder: &Utf8Path, parts: &[&str]) -> Option<Utf8PathBuf> {
    let mut found = folder.to_owned();
    for part in parts {
        let exact = found.join(part);
        found = if exact.exists() {
            exact
        } else {
            let mut entries = found.read_dir_utf8().ok()?.flatten();
            entries
                .find(|entry| win_path::eq_ignore_case(entry.file_name(), part))?
                .into_path()
        };
    }
    Some(found)
}

/// The text at the end of a file.
fn tail(path: &Utf8Path) -> Option<String> {
    let mut file = fs::File::open(path).ok()?;
    let len = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL_LEN)))
        .ok()?;
    let mut octets = Vec::new();
    file.take(TAIL_LEN).read_to_end(&mut octets).ok()?;
    Some(String::from_utf8_lossy(&octets).into_owned())
}

/// The file itself, or the newest file in the folder.
fn newest_file(path: &Utf8Path) -> Option<Utf8PathBuf> {
    if !path.is_dir() {
        return Some(path.to_owned());
    }
    let files = path.read_dir_utf8().ok()?.flatten().filter_map(|entry| {
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some((metadata.modified().ok()?, entry.into_path()))
    });
    files.max().map(|(_, path)| path)
}

fn newest_lines(path: &Utf8Path) -> Option<String> {
    let text = tail(path)?;
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    Some(lines[lines.len().saturating_sub(NEWEST_LINES)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copied_files_are_found_whatever_the_case() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        fs::create_dir_all(root.join("C/Inetpub/Site")).unwrap();
        fs::create_dir_all(root.join("Python")).unwrap();
        fs::write(root.join("C/Inetpub/Site/web.config"), "x").unwrap();
        let machine = LocalMachine::new(vec![root.clone()]);
        for (path, expected) in [
            (
                r"c:\inetpub\site\WEB.config",
                Some(Some("C/Inetpub/Site/web.config")),
            ),
            (r"C:\inetpub\other", Some(None)),
            (r"C:\Python", Some(Some("Python"))),
            (r"C:\Python\python.exe", Some(None)),
            (r"C:\Elsewhere\x", None),
            (r"D:\x", None),
            (r"x\y", None),
        ] {
            // The file's own spelling, on a system that takes every spelling too.
            let real = |found: Utf8PathBuf| found.canonicalize_utf8().unwrap();
            let expected = expected.map(|found| found.map(|found| real(root.join(found))));
            let found = machine.find(path).map(|found| found.map(real));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn the_newest_lines_are_the_last_of_the_newest_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        assert_eq!(newest_file(&root), None);
        for (name, text, age) in [
            ("old.log", "old", 100),
            ("new.log", "1\n2\n3\n\n4\n5\n6\n", 0),
        ] {
            fs::write(root.join(name), text).unwrap();
            let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
            let file = fs::OpenOptions::new()
                .write(true)
                .open(root.join(name))
                .unwrap();
            file.set_modified(time).unwrap();
        }
        let newest = newest_file(&root).unwrap();
        assert_eq!(newest_lines(&newest).unwrap(), "2\n3\n4\n5\n6");
    }
}
