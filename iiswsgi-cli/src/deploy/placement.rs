//! New content put into a folder that may hold content already: all of it, or none.
//!
//! The new files are made in a folder beside the target. [`Staging::place`] then moves them in one by one, and keeps
//! what they replace until [`Placement::commit`]; a failure before that moves everything back. Files of the target that
//! the new content does not have stay: databases, uploads and virtual environments live there, and Web Deploy's
//! `DoNotDeleteRule` does the same. A run that was killed half-way is put back by the next one.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use walkdir::WalkDir;

use crate::error::{Error, Result};

/// New content on its way: a folder beside the target, with the target locked.
#[derive(Debug)]
pub(crate) struct Staging {
    target: Utf8PathBuf,
    new: Utf8PathBuf,
    old: Utf8PathBuf,
    /// The lock is held as long as the file is open.
    lock: fs::File,
    lock_path: Utf8PathBuf,
}

impl Staging {
    /// Prepares new content for `target`, which need not exist.
    ///
    /// # Errors
    ///
    /// Another process is installing into the same folder, or the folder beside it cannot be made.
    pub(crate) fn new(target: &Utf8Path) -> Result<Self> {
        let target = crate::deploy::file::absolute(target)?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(Error::new(format!("`{target}` cannot be a target folder"))
                .help("name a folder below it"));
        };
        if target.exists() && !target.is_dir() {
            return Err(Error::new(format!("`{target}` is not a folder"))
                .help("name a folder, or move the file away"));
        }
        fs::create_dir_all(parent)?;
        let beside = |suffix: &str| parent.join(format!(".{name}.iiswsgi-{suffix}"));
        let lock_path = beside("lock");
        let lock = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)?;
        lock.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => {
                Error::new(format!("another process is installing into `{target}`"))
                    .help("wait for it to end, then try again")
            }
            std::fs::TryLockError::Error(error) => Error::Io(error),
        })?;
        let staging = Self {
            new: beside("new"),
            old: beside("old"),
            target,
            lock,
            lock_path,
        };
        if staging.old.exists() {
            move_all(&staging.old, &staging.target)?; // an earlier run was killed half-way
            fs::remove_dir_all(&staging.old)?;
        }
        if staging.new.exists() {
            fs::remove_dir_all(&staging.new)?;
        }
        fs::create_dir(&staging.new)?;
        Ok(staging)
    }

    /// The folder to make the new content in.
    pub(crate) fn folder(&self) -> &Utf8Path {
        &self.new
    }

    /// Moves the new content to its place.
    ///
    /// # Errors
    ///
    /// A file could not be moved; everything is back as it was then.
    pub(crate) fn place(self) -> Result<Placement> {
        let mut placement = Placement {
            staging: Some(self),
            added: Vec::new(),
            added_folders: Vec::new(),
        };
        placement.move_in()?;
        Ok(placement)
    }

    /// Removes the folders beside the target; what cannot be removed now, the next run removes.
    fn clean_up(&self) {
        for folder in [&self.new, &self.old] {
            if folder.exists() {
                let _ = fs::remove_dir_all(folder);
            }
        }
        let _ = fs::remove_file(&self.lock_path);
        let _ = self.lock.unlock();
    }
}

/// New content that is in its place and can still be taken back.
#[derive(Debug)]
pub(crate) struct Placement {
    /// None once it is committed.
    staging: Option<Staging>,
    /// Files that were not there before, relative to the target.
    added: Vec<Utf8PathBuf>,
    /// Folders that were not there before, outermost first.
    added_folders: Vec<Utf8PathBuf>,
}

impl Placement {
    fn move_in(&mut self) -> Result<()> {
        let Some(staging) = &self.staging else {
            return Ok(());
        };
        if !staging.target.exists() {
            fs::create_dir(&staging.target)?;
            self.added_folders.push(staging.target.clone());
        }
        for entry in WalkDir::new(&staging.new).min_depth(1).sort_by_file_name() {
            let entry = entry.map_err(io::Error::from)?;
            let from = Utf8Path::from_path(entry.path()).ok_or_else(|| {
                Error::new(format!(
                    "the path `{}` is not Unicode",
                    entry.path().display()
                ))
            })?;
            let relative = from.strip_prefix(&staging.new).unwrap_or(from);
            let to = staging.target.join(relative);
            if entry.file_type().is_dir() {
                if !to.is_dir() {
                    if to.symlink_metadata().is_ok() {
                        return Err(in_the_way(&to, "a folder"));
                    }
                    fs::create_dir(&to)?;
                    self.added_folders.push(to);
                }
                continue;
            }
            match to.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => return Err(in_the_way(&to, "a file")),
                Ok(_) => {
                    let backup = staging.old.join(relative);
                    if let Some(parent) = backup.parent() {
                        fs::create_dir_all(parent)?;
                    }
                    fs::rename(&to, &backup)?;
                }
                Err(_) => self.added.push(to.clone()),
            }
            fs::rename(from, &to)?;
        }
        Ok(())
    }

    /// Keeps the new content.
    pub(crate) fn commit(mut self) {
        if let Some(staging) = self.staging.take() {
            staging.clean_up();
        }
    }
}

/// Puts everything back that was not committed.
impl Drop for Placement {
    fn drop(&mut self) {
        let Some(staging) = self.staging.take() else {
            return;
        };
        for file in &self.added {
            let _ = fs::remove_file(file);
        }
        for folder in self.added_folders.iter().rev() {
            // A folder that something else was put into meanwhile stays.
            let _ = std::fs::remove_dir(folder);
        }
        if move_all(&staging.old, &staging.target).is_ok() {
            staging.clean_up();
        }
    }
}

/// Moves every file below `from` to the same place below `to`, over what is there.
fn move_all(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    for entry in WalkDir::new(from).min_depth(1) {
        let entry = entry.map_err(io::Error::from)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let target = to.as_std_path().join(
            entry
                .path()
                .strip_prefix(from)
                .unwrap_or_else(|_| entry.path()),
        );
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::rename(entry.path(), &target)?;
    }
    Ok(())
}

fn in_the_way(path: &Utf8Path, wanted: &str) -> Error {
    Error::new(format!(
        "`{path}` is in the way: the package has {wanted} there"
    ))
    .help("move it away, or install into another folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(folder: &Utf8Path) -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> = WalkDir::new(folder)
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let path = Utf8Path::from_path(entry.path()).unwrap();
                (
                    path.strip_prefix(folder).unwrap().to_string(),
                    fs::read_to_string(path).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    }

    fn check(prepare: impl Fn(&Utf8Path), commit: bool, expected: &[(&str, &str)]) {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let target = folder.join("site/app");
        fs::create_dir_all(target.join("data")).unwrap();
        fs::write(target.join("a.py"), "old").unwrap();
        fs::write(target.join("data/db"), "mine").unwrap();
        prepare(folder);
        let staging = Staging::new(&target).unwrap();
        fs::create_dir(staging.folder().join("new")).unwrap();
        fs::write(staging.folder().join("a.py"), "new").unwrap();
        fs::write(staging.folder().join("new/b.py"), "new").unwrap();
        assert!(Staging::new(&target).is_err(), "the target is locked");
        match staging.place() {
            Ok(placement) if commit => placement.commit(),
            other => drop(other),
        }
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|&(path, text)| (path.to_owned(), text.to_owned()))
            .collect();
        assert_eq!(tree(&folder.join("site")), expected);
    }

    #[test]
    fn a_commit_keeps_the_new_content_and_what_is_beside_it() {
        check(
            |_| (),
            true,
            &[
                ("app/a.py", "new"),
                ("app/data/db", "mine"),
                ("app/new/b.py", "new"),
            ],
        );
    }

    #[test]
    fn without_a_commit_everything_is_as_before() {
        check(
            |_| (),
            false,
            &[("app/a.py", "old"), ("app/data/db", "mine")],
        );
    }

    #[test]
    fn something_in_the_way_changes_nothing() {
        check(
            |folder| fs::write(folder.join("site/app/new"), "a file").unwrap(),
            true,
            &[
                ("app/a.py", "old"),
                ("app/data/db", "mine"),
                ("app/new", "a file"),
            ],
        );
    }

    #[test]
    fn a_run_that_was_killed_is_put_back() {
        let killed = |folder: &Utf8Path| {
            let old = folder.join("site/.app.iiswsgi-old");
            fs::create_dir(&old).unwrap();
            fs::rename(folder.join("site/app/a.py"), old.join("a.py")).unwrap();
            fs::create_dir(folder.join("site/.app.iiswsgi-new")).unwrap();
        };
        check(
            killed,
            false,
            &[("app/a.py", "old"), ("app/data/db", "mine")],
        );
    }
}
