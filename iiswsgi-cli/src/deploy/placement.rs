//! New content put into a folder that may hold content already: all of it, or none.
//!
//! The new files are made in a folder beside the target. [`Staging::place`] then moves them in one by one, and keeps
//! what they replace until [`Placement::commit`]; a failure before that moves everything back. Files of the target that
//! the new content does not have stay, unless they are to be deleted: databases, uploads and virtual environments live
//! there, and Web Deploy's `DoNotDeleteRule` does the same.
//!
//! A process that is killed half-way leaves a journal, by which the next run puts everything back before it begins.
//! Removing the journal is what makes the new content stay.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::deploy::file;
use crate::error::{Error, Result};

/// New content on its way: a folder beside the target, with the target locked.
#[derive(Debug)]
pub(crate) struct Staging {
    target: Utf8PathBuf,
    new: Utf8PathBuf,
    old: Utf8PathBuf,
    journal: Utf8PathBuf,
    /// Files and folders of the target that are to go, innermost first.
    deleted: Vec<Utf8PathBuf>,
    /// Files of the target that somebody may change before the commit.
    guarded: Vec<Utf8PathBuf>,
    /// The lock is held as long as the file is open.
    lock: fs::File,
    lock_path: Utf8PathBuf,
}

/// What a rollback takes away again: paths relative to the target. What it puts back is in the folder of old content.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Journal {
    /// Files of the new content that the target did not have.
    added: Vec<Utf8PathBuf>,
    /// Guarded files that the target did not have.
    absent: Vec<Utf8PathBuf>,
    /// Folders that the target did not have, outermost first; the empty path is the target itself.
    folders: Vec<Utf8PathBuf>,
}

impl Staging {
    /// Prepares new content for `target`, which need not exist.
    ///
    /// # Errors
    ///
    /// Another process is installing into the same folder, or the folder beside it cannot be made.
    pub(crate) fn new(target: &Utf8Path) -> Result<Self> {
        let target = file::absolute(target)?;
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
            journal: beside("journal"),
            deleted: Vec::new(),
            guarded: Vec::new(),
            target,
            lock,
            lock_path,
        };
        if staging.journal.exists() {
            // An earlier run was killed half-way.
            let journal = serde_json::from_slice(&fs::read(&staging.journal)?)
                .map_err(|error| {
                    Error::new(format!("`{}` cannot be read: {error}", staging.journal)).help(format!(
                        "what was replaced in `{}` is in `{}`; put it back by hand, and delete both",
                        staging.target, staging.old
                    ))
                })?;
            staging.roll_back(&journal)?;
        }
        for leftover in [&staging.new, &staging.old] {
            if leftover.exists() {
                fs::remove_dir_all(leftover)?;
            }
        }
        fs::create_dir(&staging.new)?;
        Ok(staging)
    }

    /// The folder to make the new content in.
    pub(crate) fn folder(&self) -> &Utf8Path {
        &self.new
    }

    /// Takes a file or an empty folder out of the target before the new content is placed; the path is relative to the
    /// target. What is in a folder has to be deleted before it.
    pub(crate) fn delete(&mut self, path: impl Into<Utf8PathBuf>) {
        self.deleted.push(path.into());
    }

    /// Puts a file of the target back too, whoever changes it before the commit; the path is relative to the target.
    pub(crate) fn guard(&mut self, file: impl Into<Utf8PathBuf>) {
        self.guarded.push(file.into());
    }

    /// Moves the new content to its place.
    ///
    /// # Errors
    ///
    /// A file could not be moved; everything is back as it was then.
    pub(crate) fn place(self) -> Result<Placement> {
        let (journal, moves) = self.survey()?;
        fs::create_dir(&self.old)?;
        for file in &self.guarded {
            let from = self.target.join(file);
            if from.is_file() {
                let backup = self.old.join(file);
                create_parent(&backup)?;
                fs::copy(from, backup)?;
            }
        }
        let octets = serde_json::to_vec(&journal).map_err(io::Error::other)?;
        file::write(&self.journal, &octets)?;
        let placement = Placement {
            staging: Some(self),
            journal,
        };
        placement.move_in(&moves)?;
        Ok(placement)
    }

    /// Takes the target away, with all that is in it.
    ///
    /// # Errors
    ///
    /// It cannot be moved, because a program runs in it for example; it is as it was then.
    pub(crate) fn take_away(self) -> Result<Removal> {
        fs::rename(&self.target, &self.old)?;
        Ok(Removal {
            staging: Some(self),
        })
    }

    /// What is going to change: nothing has been touched yet.
    fn survey(&self) -> Result<(Journal, Vec<Utf8PathBuf>)> {
        let mut journal = Journal::default();
        let mut moves = Vec::new();
        if !self.target.exists() {
            journal.folders.push(Utf8PathBuf::new());
        }
        for entry in WalkDir::new(&self.new).min_depth(1).sort_by_file_name() {
            let entry = entry.map_err(io::Error::from)?;
            let from = Utf8Path::from_path(entry.path()).ok_or_else(|| {
                Error::new(format!(
                    "the path `{}` is not Unicode",
                    entry.path().display()
                ))
            })?;
            let relative = from.strip_prefix(&self.new).unwrap_or(from).to_owned();
            let to = self.target.join(&relative);
            let there = to
                .symlink_metadata()
                .ok()
                .filter(|_| !self.deleted.contains(&relative));
            if entry.file_type().is_dir() {
                match there {
                    None => journal.folders.push(relative),
                    Some(_) if to.is_dir() => {}
                    Some(_) => return Err(in_the_way(&to, "a folder")),
                }
                continue;
            }
            match there {
                None => journal.added.push(relative.clone()),
                Some(metadata) if metadata.is_dir() => return Err(in_the_way(&to, "a file")),
                Some(_) => {}
            }
            moves.push(relative);
        }
        for file in &self.guarded {
            if !self.target.join(file).exists() && !journal.added.contains(file) {
                journal.absent.push(file.clone());
            }
        }
        Ok((journal, moves))
    }

    /// Takes away what was added and puts back what was replaced or deleted.
    fn roll_back(&self, journal: &Journal) -> Result<()> {
        for file in &journal.added {
            // What is still waiting beside the target was not moved in: the file of its name is somebody else's.
            if !self.new.join(file).exists() {
                remove_if_any(&self.target.join(file))?;
            }
        }
        for file in &journal.absent {
            remove_if_any(&self.target.join(file))?;
        }
        for folder in journal.folders.iter().rev() {
            // A folder that something else was put into meanwhile stays.
            let _ = std::fs::remove_dir(self.target.join(folder));
        }
        move_all(&self.old, &self.target)?;
        fs::remove_file(&self.journal)?;
        Ok(())
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

/// Content that is not placed leaves nothing behind.
impl Drop for Staging {
    fn drop(&mut self) {
        // With a journal there is something to put back, by a placement or by the next run.
        if !self.journal.exists() {
            self.clean_up();
        }
    }
}

/// New content that is in its place and can still be taken back.
#[derive(Debug)]
pub(crate) struct Placement {
    /// None once it is committed.
    staging: Option<Staging>,
    journal: Journal,
}

impl Placement {
    fn move_in(&self, moves: &[Utf8PathBuf]) -> Result<()> {
        let Some(staging) = &self.staging else {
            return Ok(());
        };
        for path in &staging.deleted {
            let (gone, backup) = (staging.target.join(path), staging.old.join(path));
            if gone.symlink_metadata()?.is_dir() {
                fs::create_dir_all(backup)?;
                fs::remove_dir(gone)?;
            } else {
                set_aside(&gone, &backup)?;
            }
        }
        for folder in &self.journal.folders {
            fs::create_dir(staging.target.join(folder))?;
        }
        for file in moves {
            let (from, to) = (staging.new.join(file), staging.target.join(file));
            if let Ok(metadata) = to.symlink_metadata() {
                if metadata.is_file() {
                    fs::set_permissions(&from, metadata.permissions())?;
                }
                set_aside(&to, &staging.old.join(file))?;
            }
            file::rename(&from, &to)?;
        }
        Ok(())
    }

    /// Keeps the new content.
    ///
    /// # Errors
    ///
    /// The journal cannot be removed; everything is back as it was then.
    pub(crate) fn commit(mut self) -> Result<()> {
        if let Some(staging) = &self.staging {
            fs::remove_file(&staging.journal)?;
        }
        self.staging = None;
        Ok(())
    }
}

/// Puts everything back that was not committed.
impl Drop for Placement {
    fn drop(&mut self) {
        if let Some(staging) = self.staging.take() {
            // What cannot be put back now is put back by the next run: the journal is still there.
            let _ = staging.roll_back(&self.journal);
        }
    }
}

/// A folder that was taken away and can still be put back.
#[derive(Debug)]
pub(crate) struct Removal {
    /// None once it is committed.
    staging: Option<Staging>,
}

impl Removal {
    /// Deletes the folder. What cannot be deleted lies beside its place, and goes with the next installation there.
    pub(crate) fn commit(mut self) {
        self.staging = None;
    }
}

/// Puts the folder back where it was not committed.
impl Drop for Removal {
    fn drop(&mut self) {
        if let Some(staging) = &self.staging {
            let _ = fs::rename(&staging.old, &staging.target);
        }
    }
}

/// Moves a file out of the way, over a copy of it that is there already.
fn set_aside(path: &Utf8Path, backup: &Utf8Path) -> Result<()> {
    create_parent(backup)?;
    file::rename(path, backup)
}

fn create_parent(path: &Utf8Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(())
}

fn remove_if_any(path: &Utf8Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Moves every file below `from` to the same place below `to`, over what is there, and makes its folders there too.
fn move_all(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    for entry in WalkDir::new(from).min_depth(1) {
        let entry = entry.map_err(io::Error::from)?;
        let target = to.as_std_path().join(
            entry
                .path()
                .strip_prefix(from)
                .unwrap_or_else(|_| entry.path()),
        );
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target)?;
        } else {
            fs::rename(entry.path(), &target)?;
        }
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
                    path.strip_prefix(folder)
                        .unwrap()
                        .as_str()
                        .replace('\\', "/"),
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
        fs::write(target.join("gone.py"), "old").unwrap();
        fs::create_dir(target.join("folder")).unwrap();
        fs::write(target.join("folder/gone.py"), "old").unwrap();
        prepare(folder);
        let mut staging = Staging::new(&target).unwrap();
        staging.delete("gone.py");
        staging.delete("folder/gone.py");
        staging.delete("folder");
        staging.guard("web.config");
        staging.guard("data/db");
        fs::create_dir(staging.folder().join("new")).unwrap();
        fs::write(staging.folder().join("a.py"), "new").unwrap();
        fs::write(staging.folder().join("new/b.py"), "new").unwrap();
        // A file takes the place of a folder.
        fs::write(staging.folder().join("folder"), "new").unwrap();
        assert!(Staging::new(&target).is_err(), "the target is locked");
        match staging.place() {
            Ok(placement) => {
                fs::write(target.join("web.config"), "a command's").unwrap();
                fs::write(target.join("data/db"), "a command's").unwrap();
                if commit {
                    placement.commit().unwrap();
                }
            }
            Err(error) => assert!(error.to_string().contains("in the way"), "{error}"),
        }
        let beside: Vec<String> = fs::read_dir(folder.join("site"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(beside, ["app"]);
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|&(path, text)| (path.to_owned(), text.to_owned()))
            .collect();
        assert_eq!(tree(&folder.join("site")), expected);
    }

    #[test]
    fn a_folder_that_was_taken_away_comes_back_or_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let target = folder.join("app");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("a.py"), "old").unwrap();
        let before = tree(folder);
        let take_away = || Staging::new(&target).unwrap().take_away().unwrap();
        let removal = take_away();
        assert!(!target.exists());
        drop(removal);
        assert_eq!(tree(folder), before);
        take_away().commit();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
    }

    const BEFORE: &[(&str, &str)] = &[
        ("app/a.py", "old"),
        ("app/data/db", "mine"),
        ("app/folder/gone.py", "old"),
        ("app/gone.py", "old"),
    ];

    #[test]
    fn a_commit_keeps_the_new_content_and_what_is_beside_it() {
        check(
            |_| (),
            true,
            &[
                ("app/a.py", "new"),
                ("app/data/db", "a command's"),
                ("app/folder", "new"),
                ("app/new/b.py", "new"),
                ("app/web.config", "a command's"),
            ],
        );
    }

    #[test]
    fn without_a_commit_everything_is_as_before() {
        check(|_| (), false, BEFORE);
    }

    #[test]
    fn something_in_the_way_changes_nothing() {
        check(
            |folder| fs::write(folder.join("site/app/new"), "a file").unwrap(),
            true,
            &[
                ("app/a.py", "old"),
                ("app/data/db", "mine"),
                ("app/folder/gone.py", "old"),
                ("app/gone.py", "old"),
                ("app/new", "a file"),
            ],
        );
    }

    /// Stops without a word, as a killed process does.
    fn kill(placement: Placement) {
        let mut placement = std::mem::ManuallyDrop::new(placement);
        if let Some(staging) = &mut placement.staging {
            // The system closes its files.
            let other = fs::File::from_parts(tempfile::tempfile().unwrap(), "other");
            drop(std::mem::replace(&mut staging.lock, other));
        }
    }

    #[test]
    fn a_run_that_was_killed_is_put_back() {
        let killed = |folder: &Utf8Path| {
            let target = folder.join("site/app");
            let mut staging = Staging::new(&target).unwrap();
            staging.delete("gone.py");
            staging.guard("web.config");
            fs::write(staging.folder().join("a.py"), "killed").unwrap();
            fs::create_dir(staging.folder().join("more")).unwrap();
            fs::write(staging.folder().join("more/c.py"), "killed").unwrap();
            let placement = staging.place().unwrap();
            fs::write(target.join("web.config"), "killed").unwrap();
            assert!(!target.join("gone.py").exists());
            kill(placement);
        };
        check(killed, false, BEFORE);
    }

    #[test]
    fn a_run_that_was_killed_while_it_moved_takes_nobodys_files_away() {
        let killed = |folder: &Utf8Path| {
            let target = folder.join("site/app");
            let staging = Staging::new(&target).unwrap();
            fs::write(staging.folder().join("late.py"), "killed").unwrap();
            let placement = staging.place().unwrap();
            // As if it had been killed before the move, and somebody then made a file of that name.
            let staged = folder.join("site/.app.iiswsgi-new/late.py");
            fs::rename(target.join("late.py"), staged).unwrap();
            fs::write(target.join("late.py"), "somebody's").unwrap();
            kill(placement);
        };
        let mut expected = BEFORE.to_vec();
        expected.push(("app/late.py", "somebody's"));
        check(killed, false, &expected);
    }
}
