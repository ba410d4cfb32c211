//! A file that several processes append lines to, and that is replaced when it has grown.
//!
//! Each line is one call to the operating system, so that lines of several processes do not mix, and nothing is lost with a
//! process that is killed. On Windows it is locked besides, as a network share does not append at once. Who finds the file too
//! long locks it, renames it and makes a new one; the others notice within a second that the path leads to another file, as they
//! do when *logrotate* or a person has moved it.
//!
//! A line that cannot be written is dropped, since serving matters more than its log. Where the file cannot be renamed, which
//! on Windows is so while somebody has it open without sharing it, it goes on growing until it can.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::{File, OpenOptions};
use tracing_subscriber::fmt::MakeWriter;

#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

/// When a file is replaced by a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The octets that a file has at most, but for a few lines of other processes. Default 10 MiB; `None` is no limit.
    pub max_size: Option<u64>,
    /// How many old files are kept, as `NAME.1` (the youngest), `NAME.2` and so on. Default 5.
    pub keep: u32,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            max_size: Some(10 << 20),
            keep: 5,
        }
    }
}

/// A file of lines, shared by everything in the process that writes to it.
#[derive(Clone, Debug)]
pub struct LogFile(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `None` is standard output.
    path: Option<Utf8PathBuf>,
    rotation: Rotation,
    reopen: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` is standard output.
    file: Option<File>,
    /// Octets written since the file was looked at.
    unchecked: u64,
    checked: Instant,
    /// Whether the last line was cut.
    cut: bool,
}

/// How often the file is looked at while lines come.
const CHECK_AFTER: Duration = Duration::from_secs(1);

/// So many octets are written before it is looked at again, at most.
const CHECK_LEN: u64 = 4096;

impl LogFile {
    /// Opens or makes the file, and its folder where there is none.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(path: &Utf8Path, rotation: Rotation) -> io::Result<Self> {
        let file = open(path)?;
        Ok(Self::of(Some(path.to_owned()), Some(file), rotation))
    }

    /// Standard output, which is never replaced.
    #[must_use]
    pub fn standard_output() -> Self {
        Self::of(None, None, Rotation::default())
    }

    fn of(path: Option<Utf8PathBuf>, file: Option<File>, rotation: Rotation) -> Self {
        Self(Arc::new(Shared {
            path,
            rotation,
            reopen: AtomicBool::new(false),
            state: Mutex::new(State {
                file,
                unchecked: 0,
                checked: Instant::now(),
                cut: false,
            }),
        }))
    }

    /// Where the file is; `None` is standard output.
    #[must_use]
    pub fn path(&self) -> Option<&Utf8Path> {
        self.0.path.as_deref()
    }

    /// Has the next line go to whatever the path leads to then. Does next to nothing, so that it may be called from anywhere.
    pub fn reopen(&self) {
        self.0.reopen.store(true, Ordering::Relaxed);
    }

    /// Appends whole lines with one call. What cannot be written is dropped.
    pub fn write(&self, lines: &[u8]) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        self.0.check(state, lines.len() as u64);
        if std::mem::take(&mut state.cut) {
            // The rest of a line that did not fit, on a disk that has room again.
            state.cut = state.append(b"\n").is_err();
        }
        if state.append(lines).is_err() {
            state.cut = true;
        }
    }
}

impl State {
    fn append(&mut self, octets: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => system::append(file, octets),
            None => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(octets)?;
                stdout.flush()
            }
        }
    }
}

impl Shared {
    /// Looks now and then whether the file is still the one that its path leads to, and whether `more` octets fit.
    fn check(&self, state: &mut State, more: u64) {
        let Some(path) = &self.path else {
            return;
        };
        let max = self.rotation.max_size.unwrap_or(u64::MAX);
        let reopen = self.reopen.swap(false, Ordering::Relaxed);
        state.unchecked += more;
        if !reopen
            && state.unchecked < CHECK_LEN.min(max / 8)
            && state.checked.elapsed() < CHECK_AFTER
        {
            return;
        }
        state.unchecked = more;
        state.checked = Instant::now();
        let Some(file) = &state.file else {
            return;
        };
        let Ok(found) = file.metadata() else {
            return;
        };
        let replaced = !system::is_at(file, path);
        let next = if reopen || replaced {
            open(path)
        } else if found.is_file() && found.len() > 0 && found.len().saturating_add(more) > max {
            self.rotate(path, file)
        } else {
            return;
        };
        // With no other file, the old one is better than none.
        if let Ok(next) = next {
            state.file = Some(next);
        }
    }

    /// Renames the file and makes a new one, unless another process is just doing so.
    fn rotate(&self, path: &Utf8Path, file: &File) -> io::Result<File> {
        // The lock is the old file's, and goes with it.
        system::try_lock(file)?;
        let outcome = if system::is_at(file, path) {
            self.rename(path).and_then(|()| open(path))
        } else {
            open(path)
        };
        if outcome.is_err() {
            system::unlock(file)?;
        }
        outcome
    }

    fn rename(&self, path: &Utf8Path) -> io::Result<()> {
        let keep = self.rotation.keep;
        if keep == 0 {
            return system::remove(path);
        }
        let old = |number: u32| Utf8PathBuf::from(format!("{path}.{number}"));
        // Those behind a gap stay where they are.
        let gap = (1..keep).find(|number| !old(*number).exists());
        for number in (1..gap.unwrap_or(keep)).rev() {
            fs_err::rename(old(number), old(number + 1))?;
        }
        fs_err::rename(path, old(1))
    }
}

fn open(path: &Utf8Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_str().is_empty()) {
        fs_err::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

impl<'w> MakeWriter<'w> for LogFile {
    type Writer = LineWriter;

    fn make_writer(&'w self) -> Self::Writer {
        LineWriter(self.clone())
    }
}

/// Writes the lines of one event.
#[derive(Debug)]
pub struct LineWriter(LogFile);

impl io::Write for LineWriter {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.0.write(lines);
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("x.log")).unwrap();
        (folder, path)
    }

    fn read(path: impl AsRef<str>) -> String {
        fs_err::read_to_string(path.as_ref()).unwrap()
    }

    fn rotation(max_size: u64, keep: u32) -> Rotation {
        Rotation {
            max_size: Some(max_size),
            keep,
        }
    }

    #[test]
    fn a_file_that_has_grown_is_replaced() {
        let (_folder, path) = scratch();
        let file = LogFile::open(&path, rotation(8, 2)).unwrap();
        for number in 1..=7 {
            file.write(format!("{number}..\n").as_bytes());
        }
        assert_eq!(read(&path), "7..\n");
        assert_eq!(read(format!("{path}.1")), "5..\n6..\n");
        assert_eq!(read(format!("{path}.2")), "3..\n4..\n");
        assert!(!Utf8PathBuf::from(format!("{path}.3")).exists());

        let (_folder, path) = scratch();
        let file = LogFile::open(&path, rotation(8, 0)).unwrap();
        for line in [
            "one\n",
            "two\n",
            "three\n",
            "a line that is longer than all\n",
        ] {
            file.write(line.as_bytes());
        }
        assert_eq!(read(&path), "a line that is longer than all\n");
        assert!(!Utf8PathBuf::from(format!("{path}.1")).exists());
    }

    #[test]
    fn several_writers_lose_no_line() {
        let (folder, path) = scratch();
        const WRITERS: usize = 4;
        const LINES: usize = 400;
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                // Each with a description of its own, as in a process of its own.
                let file = LogFile::open(&path, rotation(1000, 1000)).unwrap();
                scope.spawn(move || {
                    for line in 0..LINES {
                        file.write(format!("{writer} {line}\n").as_bytes());
                    }
                });
            }
        });
        let mut lines = Vec::new();
        let mut files = 0;
        for entry in fs_err::read_dir(folder.path()).unwrap() {
            let text = fs_err::read_to_string(entry.unwrap().path()).unwrap();
            lines.extend(text.lines().map(str::to_owned));
            files += 1;
        }
        lines.sort_unstable();
        let mut expected: Vec<_> = (0..WRITERS)
            .flat_map(|writer| (0..LINES).map(move |line| format!("{writer} {line}")))
            .collect();
        expected.sort_unstable();
        assert_eq!(lines, expected);
        // How often depends on which of them is running when the file is full.
        assert!(files > 1, "{files}");
    }

    #[test]
    fn a_file_that_was_moved_is_left_on_demand_and_by_itself() {
        let (_folder, path) = scratch();
        let file = LogFile::open(&path, rotation(1 << 30, 1)).unwrap();
        file.write(b"one\n");
        let moved = path.with_extension("moved");
        fs_err::rename(&path, &moved).unwrap();
        file.write(b"two\n");
        file.reopen();
        file.write(b"three\n");
        assert_eq!(
            (read(&moved), read(&path)),
            ("one\ntwo\n".into(), "three\n".into())
        );

        fs_err::rename(&path, path.with_extension("moved-too")).unwrap();
        let long = "x".repeat(5000) + "\n";
        file.write(long.as_bytes());
        assert_eq!(read(&path), long);
    }

    #[test]
    fn a_full_disk_is_survived() {
        let full = Utf8Path::new("/dev/full");
        if !full.exists() {
            eprintln!("there is no /dev/full here");
            return;
        }
        let file = LogFile::open(full, rotation(8, 1)).unwrap();
        for _ in 0..5 {
            file.write(b"nowhere\n");
        }
        assert!(full.exists() && !Utf8Path::new("/dev/full.1").exists());
    }

    #[test]
    fn where_renaming_fails_the_file_grows() {
        let (_folder, path) = scratch();
        // A folder in the way, which a file cannot replace.
        fs_err::create_dir_all(format!("{path}.1/x")).unwrap();
        let file = LogFile::open(&path, rotation(8, 1)).unwrap();
        for line in ["one\n", "two\n", "three\n"] {
            file.write(line.as_bytes());
        }
        assert_eq!(read(&path), "one\ntwo\nthree\n");
    }
}
