//! A configuration file that others may edit at the same time: locked, changed as a whole, with a backup on request.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iis_config::edit::Edit;
use iis_config::win_path;
use spanned_xml::{Document, Problems, Source};

use crate::context::Environment;
use crate::deploy::file;
use crate::error::{Error, Result};

/// How many backups IIS keeps: the default of `configHistory/@maxHistories`.
const MAX_HISTORIES: usize = 10;

/// A configuration file as it was read, to be changed by nobody else until the value is dropped.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    path: Utf8PathBuf,
    source: Source,
    /// None where there is no file yet.
    octets: Option<Vec<u8>>,
    _lock: Option<fs::File>,
}

impl ConfigFile {
    /// Waits for whoever edits the file now, and reads it; where there is none yet, it is as if it held `empty`.
    pub(crate) fn lock(path: &Utf8Path, empty: impl FnOnce() -> String) -> Result<Self> {
        let folder = path.parent().unwrap_or_else(|| Utf8Path::new(""));
        let name = path.file_name().unwrap_or_default();
        let lock = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(format!(".{name}.lock")))?;
        lock.lock()?;
        Ok(Self {
            _lock: Some(lock),
            ..Self::read(path, empty)?
        })
    }

    /// Reads the file without waiting, only to look at it.
    pub(crate) fn read(path: &Utf8Path, empty: impl FnOnce() -> String) -> Result<Self> {
        let octets = if path.is_file() {
            Some(file::read_text(path)?)
        } else {
            None
        };
        let source = match &octets {
            Some(octets) => file::decode(path, octets)?,
            None => Source::from_text(path.as_str(), empty()),
        };
        Ok(Self {
            path: path.to_owned(),
            source,
            octets,
            _lock: None,
        })
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Whether there is a file.
    pub(crate) fn exists(&self) -> bool {
        self.octets.is_some()
    }

    /// What `text` would change, as a unified diff; empty where nothing.
    pub(crate) fn diff(&self, text: &str) -> String {
        let old = if self.exists() {
            self.source.text()
        } else {
            ""
        };
        let name = self.path.as_str();
        let diff = similar::TextDiff::from_lines(old, text);
        diff.unified_diff().header(name, name).to_string()
    }

    /// Changes the file, and says what changed.
    pub(crate) fn edit(
        &self,
        change: impl FnOnce(&Source) -> Result<Edit, Problems>,
    ) -> Result<Vec<String>> {
        let edit = change(&self.source)?;
        self.write(&edit.text)?;
        Ok(edit.summary)
    }

    /// Writes the file whole, in the encoding that it had.
    pub(crate) fn write(&self, text: &str) -> Result<()> {
        let octets = self
            .source
            .encode(text)
            .map_err(|problem| Error::problem(problem, &self.source))?;
        file::write(&self.path, &octets).map(|_| ())
    }

    /// Deletes the file.
    pub(crate) fn delete(&self) -> Result<()> {
        Ok(fs::remove_file(&self.path)?)
    }

    /// Puts the file back as it was read.
    pub(crate) fn put_back(&self) -> Result<()> {
        match &self.octets {
            Some(octets) => file::write(&self.path, octets).map(|_| ()),
            None if self.path.is_file() => self.delete(),
            None => Ok(()),
        }
    }

    /// The copies that [`ConfigFile::back_up`] and IIS kept, the newest first; those that cannot be read are left out.
    pub(crate) fn backups(&self, environment: &Environment) -> Vec<Source> {
        let history = History::of(&self.source, &self.path, environment);
        let name = self.path.file_name().unwrap_or_default();
        history
            .numbers()
            .into_iter()
            .rev()
            .filter_map(|number| {
                file::read_source_if_any(&history.folder_of(number).join(name))
                    .ok()
                    .flatten()
            })
            .collect()
    }

    /// Keeps a copy of the file as IIS keeps its own: `CFGHISTORY_0000000001` and so on, in the folder that the file's
    /// `configHistory` section names where there is one on this machine, else in `history` beside the file; the oldest
    /// ones are deleted. Says where the copy is; none where there is nothing to copy or the section turns it off.
    pub(crate) fn back_up(&self, environment: &Environment) -> Result<Option<Utf8PathBuf>> {
        let Some(octets) = &self.octets else {
            return Ok(None);
        };
        let history = History::of(&self.source, &self.path, environment);
        if !history.enabled {
            return Ok(None);
        }
        let mut kept = history.numbers();
        let number = kept.last().map_or(1, |last| last.saturating_add(1));
        let folder = history.folder_of(number);
        fs::create_dir_all(&folder)?;
        let copy = folder.join(self.path.file_name().unwrap_or_default());
        file::write(&copy, octets)?;
        kept.push(number);
        for &old in kept.iter().take(kept.len().saturating_sub(history.most)) {
            fs::remove_dir_all(history.folder_of(old))?;
        }
        Ok(Some(copy))
    }
}

/// `system.applicationHost/configHistory`.
#[derive(Debug)]
struct History {
    enabled: bool,
    folder: Utf8PathBuf,
    most: usize,
}

impl History {
    fn of(source: &Source, file: &Utf8Path, environment: &Environment) -> Self {
        let document = Document::parse(source).ok();
        let section = document
            .as_ref()
            .and_then(|document| document.root().child("system.applicationHost"))
            .and_then(|group| group.child("configHistory"));
        let value = |name: &str| section.and_then(|section| section.value(name));
        let default = r"%SystemDrive%\inetpub\history";
        let folder = win_path::expand(value("path").unwrap_or(default), |name| {
            environment.get(name).map(str::to_owned)
        });
        let folder = Utf8PathBuf::from(folder.into_owned());
        Self {
            enabled: value("enabled").is_none_or(|enabled| !enabled.eq_ignore_ascii_case("false")),
            folder: if folder.is_absolute() && folder.is_dir() {
                folder
            } else {
                file.with_file_name("history")
            },
            most: value("maxHistories")
                .and_then(|most| most.parse().ok())
                .filter(|&most| most > 0)
                .unwrap_or(MAX_HISTORIES),
        }
    }

    fn folder_of(&self, number: u64) -> Utf8PathBuf {
        self.folder.join(format!("CFGHISTORY_{number:010}"))
    }

    /// The numbers of the copies that are there, in order.
    fn numbers(&self) -> Vec<u64> {
        let entries = self.folder.read_dir_utf8().into_iter().flatten().flatten();
        let mut numbers: Vec<u64> = entries
            .filter_map(|entry| {
                let digits = entry.file_name().strip_prefix("CFGHISTORY_")?;
                digits.parse().ok().filter(|_| digits.len() == 10)
            })
            .collect();
        numbers.sort_unstable();
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_in(folder: &tempfile::TempDir, text: &str) -> Utf8PathBuf {
        let path = Utf8PathBuf::from_path_buf(folder.path().join("a.config")).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn copies(folder: &Utf8Path) -> Vec<String> {
        let mut names: Vec<String> = folder
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn backups_are_counted_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = file_in(
            &folder,
            "<configuration><system.applicationHost><configHistory maxHistories='2'/></system.applicationHost></configuration>",
        );
        let environment = Environment::default();
        for number in 1..=3 {
            let file = ConfigFile::lock(&path, String::new).unwrap();
            let copy = file.back_up(&environment).unwrap().unwrap();
            assert_eq!(
                copy,
                path.with_file_name(format!("history/CFGHISTORY_{number:010}/a.config"))
            );
            assert_eq!(fs::read(copy).unwrap(), fs::read(&path).unwrap());
        }
        assert_eq!(
            copies(&path.with_file_name("history")),
            ["CFGHISTORY_0000000002", "CFGHISTORY_0000000003"]
        );
    }

    #[test]
    fn the_file_says_where_backups_go_or_that_there_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = Utf8PathBuf::from_path_buf(folder.path().join("elsewhere")).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        let environment = Environment::default();
        for (attributes, expected) in [
            (format!("path='{elsewhere}'"), Some(&elsewhere)),
            ("enabled='false'".to_owned(), None),
        ] {
            let text = format!(
                "<configuration><system.applicationHost><configHistory {attributes}/></system.applicationHost></configuration>"
            );
            let path = file_in(&folder, &text);
            let file = ConfigFile::lock(&path, String::new).unwrap();
            let copy = file.back_up(&environment).unwrap();
            assert_eq!(
                copy,
                expected.map(|folder| folder.join("CFGHISTORY_0000000001/a.config"))
            );
        }
    }

    #[test]
    fn what_was_not_there_is_gone_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("new.config")).unwrap();
        let file = ConfigFile::lock(&path, || "<a/>".to_owned()).unwrap();
        assert_eq!(file.back_up(&Environment::default()).unwrap(), None);
        file.write("<b/>").unwrap();
        assert!(path.is_file());
        file.put_back().unwrap();
        assert!(!path.exists());
    }
}
