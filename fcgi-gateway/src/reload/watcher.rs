//! Looking at files.

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use regex::Regex;

use super::Reload;
use crate::Error;

/// wfastcgi's.
const PATTERN: &str = r".*((\.py)|(\.config))$";

impl Reload {
    /// The watcher of these files, as they are now; `None` where there is nothing to watch. `folder` is what paths are
    /// relative to.
    ///
    /// # Errors
    /// [`Error::ReloadPattern`].
    pub(crate) fn watcher(&self, folder: &Utf8Path) -> Result<Option<Watcher>, Error> {
        if !self.enabled && self.files.is_empty() {
            return Ok(None);
        }
        let pattern = self.pattern.as_deref().unwrap_or(PATTERN);
        let malformed = |error: regex::Error| Error::ReloadPattern {
            pattern: pattern.to_owned(),
            message: error.to_string(),
        };
        let absolute = |paths: &[Utf8PathBuf]| paths.iter().map(|path| folder.join(path)).collect();
        let mut watcher = Watcher {
            roots: match &*self.roots {
                _ if !self.enabled => Vec::new(),
                [] => vec![folder.to_owned()],
                roots => absolute(roots),
            },
            pattern: Regex::new(&format!("^(?:{pattern})")).map_err(malformed)?,
            files: absolute(&self.files),
            with_modules: self.enabled,
            seen: HashMap::new(),
        };
        watcher.look(&[]);
        Ok(Some(watcher))
    }
}

/// What tells whether a file was written: when, and how long it is. `None` where there is none.
type Stamp = Option<(SystemTime, u64)>;

/// Knows how files were when it looked last.
#[derive(Debug)]
pub(crate) struct Watcher {
    roots: Vec<Utf8PathBuf>,
    pattern: Regex,
    files: Vec<Utf8PathBuf>,
    with_modules: bool,
    seen: HashMap<Utf8PathBuf, Stamp>,
}

/// How often files are looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// So long nothing may change before a change counts: who saves five files means one change.
const QUIET: Duration = Duration::from_millis(200);

impl Watcher {
    /// Looks at the files, with those of `modules`, and says which have changed, come or gone since the last look. A module's
    /// file that is seen for the first time has not changed.
    pub(crate) fn look(&mut self, modules: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
        let is_first = self.seen.is_empty();
        let mut found: HashMap<Utf8PathBuf, Stamp> = HashMap::with_capacity(self.seen.len());
        for root in &self.roots {
            walk(root, &mut |path| {
                let below = path.strip_prefix(root).unwrap_or(path);
                let is_match = |below: &str| self.pattern.is_match(below);
                // wfastcgi saw the path as Windows spells it.
                if is_match(below.as_str())
                    || cfg!(windows) && is_match(&below.as_str().replace('\\', "/"))
                {
                    found.insert(path.to_owned(), stamp(path));
                }
            });
        }
        for path in &self.files {
            found.insert(path.clone(), stamp(path));
        }
        let mut changed: Vec<_> = found
            .iter()
            .filter(|(path, stamp)| !is_first && self.seen.get(*path) != Some(stamp))
            .map(|(path, _)| path.clone())
            .collect();
        let earlier = self.seen.keys().filter(|path| !found.contains_key(*path));
        let others: Vec<_> = earlier
            .chain(modules.iter().filter(|_| self.with_modules))
            .cloned()
            .collect();
        for path in others {
            let now = stamp(&path);
            if self.seen.get(&path).is_some_and(|before| *before != now)
                && !found.contains_key(&path)
            {
                changed.push(path.clone());
            }
            found.entry(path).or_insert(now);
        }
        self.seen = found;
        changed.sort();
        changed.dedup();
        changed
    }

    /// Looks until `stop` ends, and calls `report` with what has changed, as long as that returns `true`. `modules` gives the
    /// files of the modules that are loaded.
    pub(crate) fn run(
        mut self,
        stop: &Receiver<()>,
        modules: impl Fn() -> Vec<Utf8PathBuf>,
        report: impl Fn(&[Utf8PathBuf]) -> bool,
    ) {
        let mut interval = INTERVAL;
        while is_timeout(stop, interval) {
            let began = Instant::now();
            let mut changed = self.look(&modules());
            interval = INTERVAL.max(began.elapsed() * 9);
            if changed.is_empty() {
                continue;
            }
            while is_timeout(stop, QUIET) {
                let more = self.look(&modules());
                if more.is_empty() {
                    break;
                }
                changed.extend(more);
            }
            changed.sort();
            changed.dedup();
            if !report(&changed) {
                return;
            }
        }
    }
}

fn is_timeout(stop: &Receiver<()>, timeout: Duration) -> bool {
    stop.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout)
}

/// Ends the watching when it is dropped.
#[derive(Debug)]
pub(crate) struct Watching(
    #[expect(dead_code, reason = "its end is what counts")] mpsc::Sender<()>,
);

impl Watching {
    /// Watches in a thread of its own.
    ///
    /// # Errors
    /// None can be started.
    pub(crate) fn start(
        watcher: Watcher,
        modules: impl Fn() -> Vec<Utf8PathBuf> + Send + 'static,
        report: impl Fn(&[Utf8PathBuf]) -> bool + Send + 'static,
    ) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::channel();
        std::thread::Builder::new()
            .name("reload".to_owned())
            .spawn(move || watcher.run(&receiver, modules, report))?;
        Ok(Self(sender))
    }
}

fn stamp(path: &Utf8Path) -> Stamp {
    let metadata = fs_err::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Calls `found` with the files of a folder and of those in it. What cannot be read is left out.
fn walk(folder: &Utf8Path, found: &mut dyn FnMut(&Utf8Path)) {
    let Ok(entries) = folder.read_dir_utf8() else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if !kind.is_dir() {
            found(entry.path());
        } else if !is_left_out(entry.file_name()) {
            // A link to a folder is no folder, so that this ends.
            walk(entry.path(), found);
        }
    }
}

fn is_left_out(folder: &str) -> bool {
    folder.starts_with('.') || ["__pycache__", "node_modules", "site-packages"].contains(&folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a file with a content of another length than before, so that a coarse clock does no harm.
    fn write(path: &Utf8Path) {
        let before = fs_err::read_to_string(path).unwrap_or_default();
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, before + "#\n").unwrap();
    }

    fn site() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        for name in [
            "site/app.py",
            "site/web.config",
            "site/a/b.py",
            "site/note.txt",
            "site/.git/c.py",
            "lib/d.py",
        ] {
            write(&path.join(name));
        }
        (folder, path.join("site"))
    }

    #[test]
    fn what_is_watched_is_seen_to_change() {
        let enabled = Reload {
            enabled: true,
            ..Reload::default()
        };
        let regex = Reload {
            pattern: Some(r"a/.*|note".to_owned()),
            ..enabled.clone()
        };
        let spelled_as_here = Reload {
            pattern: Some(if cfg!(windows) { r"a\\b" } else { "a/b" }.to_owned()),
            ..enabled.clone()
        };
        let roots = Reload {
            roots: vec!["../lib".into(), "a".into()],
            ..enabled.clone()
        };
        let files = Reload {
            files: vec!["note.txt".into(), "none".into()],
            ..Reload::default()
        };
        // (options, written, whether it is seen)
        let table: [(&Reload, &str, bool); 18] = [
            (&enabled, "app.py", true),
            (&enabled, "web.config", true),
            (&enabled, "a/b.py", true),
            (&enabled, "a/new.py", true),
            (&enabled, "note.txt", false),
            (&enabled, ".git/c.py", false),
            (&enabled, "../lib/d.py", false),
            (&regex, "a/b.py", true),
            (&regex, "note.txt", true),
            (&regex, "app.py", false),
            (&spelled_as_here, "a/b.py", true),
            (&spelled_as_here, "note.txt", false),
            (&roots, "../lib/d.py", true),
            (&roots, "a/b.py", true),
            (&roots, "app.py", false),
            (&files, "note.txt", true),
            (&files, "none", true),
            (&files, "app.py", false),
        ];
        for (reload, name, is_seen) in table {
            let (_folder, site) = site();
            let mut watcher = reload.watcher(&site).unwrap().unwrap();
            assert_eq!(watcher.look(&[]), Vec::<Utf8PathBuf>::new(), "{name}");
            write(&site.join(name));
            assert_eq!(
                watcher.look(&[]).len(),
                usize::from(is_seen),
                "{reload:?} {name}"
            );
            assert!(watcher.look(&[]).is_empty());
        }
    }

    #[test]
    fn modules_are_watched_from_when_they_are_loaded() {
        let (_folder, site) = site();
        let module = site.join("../lib/d.py");
        let reload = Reload {
            enabled: true,
            ..Reload::default()
        };
        let mut watcher = reload.watcher(&site).unwrap().unwrap();
        write(&module);
        let modules = [module.clone()];
        assert!(watcher.look(&modules).is_empty());
        write(&module);
        assert_eq!(watcher.look(&modules), modules);
        fs_err::remove_file(&module).unwrap();
        assert_eq!(watcher.look(&modules), modules);
        write(&module);
        assert_eq!(watcher.look(&modules), modules);
        fs_err::remove_file(site.join("app.py")).unwrap();
        assert_eq!(watcher.look(&[]), [site.join("app.py")]);
    }

    #[test]
    fn changes_that_follow_each_other_are_one() {
        let (_folder, site) = site();
        let reload = Reload {
            enabled: true,
            ..Reload::default()
        };
        let watcher = reload.watcher(&site).unwrap().unwrap();
        write(&site.join("app.py"));
        let (sender, stop) = mpsc::channel();
        let (looks, reports) = (std::cell::Cell::new(0), std::cell::RefCell::new(Vec::new()));
        watcher.run(
            &stop,
            || {
                looks.set(looks.get() + 1);
                if looks.get() == 2 {
                    write(&site.join("a/b.py"));
                }
                Vec::new()
            },
            |changed| {
                reports.borrow_mut().push(changed.to_vec());
                false
            },
        );
        assert_eq!(
            *reports.borrow(),
            [[site.join("a/b.py"), site.join("app.py")]]
        );
        assert_eq!(looks.get(), 3);
        drop(sender);
    }
}
