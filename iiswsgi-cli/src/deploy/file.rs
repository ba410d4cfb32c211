//! Files read with their name kept for messages, and written whole or not at all.

use std::io::{Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::{Crc, CrcReader};
use fs_err as fs;
use spanned_xml::Source;

use crate::error::{Error, Result};

/// Octets of a text file that are read at most: more than any real one has, and what XML may have.
const TEXT_LEN_MAX: u64 = 256 << 20;

/// Reads a text file in whatever encoding it is in.
pub(crate) fn read_source(path: &Utf8Path) -> Result<Source> {
    decode(path, &read_text(path)?)
}

/// A text file's octets.
///
/// # Errors
///
/// Beside the usual ones: there are more than 256 MiB of them.
pub(crate) fn read_text(path: &Utf8Path) -> Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let too_large = file.metadata()?.len() > TEXT_LEN_MAX;
    let mut octets = Vec::new();
    if !too_large {
        // A device has no length, and no end either.
        file.take(TEXT_LEN_MAX + 1).read_to_end(&mut octets)?;
    }
    if too_large || octets.len() as u64 > TEXT_LEN_MAX {
        return Err(
            Error::new(format!("`{path}` has more than {TEXT_LEN_MAX} octets")).help(
                "no configuration file is that large: check that it is the one that was meant",
            ),
        );
    }
    Ok(octets)
}

/// A text file's content in whatever encoding it is in.
pub(crate) fn decode(path: &Utf8Path, octets: &[u8]) -> Result<Source> {
    Source::decode(path.as_str(), octets)
        .map_err(|problem| Error::problem(problem, &Source::from_text(path.as_str(), "")))
}

/// Reads a text file if it is there.
pub(crate) fn read_source_if_any(path: &Utf8Path) -> Result<Option<Source>> {
    if path.is_file() {
        read_source(path).map(Some)
    } else {
        Ok(None)
    }
}

/// Writes a file: a new one beside it first, renamed when it is complete, so that a reader never sees half of it and an
/// interruption leaves the old one. Says whether the content changed; a file that is the same already is not touched.
pub(crate) fn write(path: &Utf8Path, octets: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == octets) {
        return Ok(false);
    }
    let folder = path
        .parent()
        .filter(|parent| !parent.as_str().is_empty())
        .unwrap_or_else(|| Utf8Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".iiswsgi-")
        .tempfile_in(folder)
        .map_err(|error| named(error, path))?;
    file.write_all(octets)
        .and_then(|()| file.as_file().sync_all())
        .map_err(|error| named(error, path))?;
    set_permissions(&file, path).map_err(|error| named(error, path))?;
    let mut new = Some(file);
    let persist = || match new.take().map(|file| file.persist(path)) {
        Some(Err(failed)) => {
            new = Some(failed.file);
            Err(failed.error)
        }
        Some(Ok(_)) | None => Ok(()),
    };
    while_held(persist, wait).map_err(|error| named(error, path))?;
    Ok(true)
}

/// Renames a file over whatever file is there.
pub(crate) fn rename(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    while_held(|| rename_once(from, to), wait).map_err(|error| named(error, to))
}

#[expect(
    clippy::disallowed_methods,
    reason = "fs_err keeps the system's code to itself, by which a file that is held is known"
)]
fn rename_once(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    std::fs::rename(from, to)
}

/// How often a file is tried that another program holds.
const ATTEMPTS_MAX: u32 = 8;

/// 10, 20, 40 … milliseconds: all attempts together take a second and a quarter.
fn wait(attempt: u32) {
    std::thread::sleep(std::time::Duration::from_millis(10 << attempt));
}

/// Tries again while another program holds the file: on Windows virus scanners and indexers do for moments.
fn while_held<T>(
    mut action: impl FnMut() -> std::io::Result<T>,
    mut wait: impl FnMut(u32),
) -> std::io::Result<T> {
    for attempt in 0..ATTEMPTS_MAX - 1 {
        match action() {
            Err(error) if is_held(&error) => wait(attempt),
            other => return other,
        }
    }
    action()
}

/// ERROR_ACCESS_DENIED, which a file that is mapped or about to be deleted gives too, ERROR_SHARING_VIOLATION and
/// ERROR_LOCK_VIOLATION. Elsewhere nothing keeps a file from being renamed but its permissions.
fn is_held(error: &std::io::Error) -> bool {
    cfg!(windows) && matches!(error.raw_os_error(), Some(5 | 32 | 33))
}

/// Those of the file it replaces, else those that a newly created file has.
#[cfg(unix)]
fn set_permissions(file: &tempfile::NamedTempFile, path: &Utf8Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_or(0o644, |metadata| metadata.permissions().mode());
    file.as_file()
        .set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_permissions(_: &tempfile::NamedTempFile, _: &Utf8Path) -> std::io::Result<()> {
    Ok(())
}

fn named(error: std::io::Error, path: &Utf8Path) -> Error {
    Error::new(format!("cannot write `{path}`: {error}"))
        .help("check that the folder exists and that you may write to it")
}

/// The path made absolute, with `.` and `..` taken out and links followed; it has to exist.
pub(crate) fn canonical(path: &Utf8Path) -> Result<Utf8PathBuf> {
    let canonical = match fs::canonicalize(path) {
        // Some drives of Windows do not tell a file's final path: RAM disks, volumes of some programs, network drives.
        Err(_) if cfg!(windows) && path.exists() => {
            return absolute(path).map(without_prefix);
        }
        canonical => canonical?,
    };
    let canonical = Utf8PathBuf::from_path_buf(canonical)
        .map_err(|path| Error::new(format!("the path `{}` is not Unicode", path.display())))?;
    Ok(without_prefix(canonical))
}

/// The path without the prefix that Windows puts before canonical ones, `\\?\`, which many programs do not take.
fn without_prefix(path: Utf8PathBuf) -> Utf8PathBuf {
    let Some(rest) = path.as_str().strip_prefix(r"\\?\") else {
        return path;
    };
    match rest.strip_prefix(r"UNC\") {
        Some(share) => format!(r"\\{share}").into(),
        // Other prefixes than a drive's have no shorter form.
        None if rest.as_bytes().get(1) == Some(&b':') => rest.into(),
        None => path,
    }
}

/// The path made absolute without asking whether it exists.
pub(crate) fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf> {
    Ok(camino::absolute_utf8(path)?)
}

/// A path below `folder` as it is seen from there, with forward slashes.
pub(crate) fn relative(folder: &Utf8Path, path: &std::path::Path) -> Result<String> {
    let path = Utf8Path::from_path(path).ok_or_else(|| {
        Error::new(format!("the file name `{}` is not Unicode", path.display()))
            .help("rename it, or move it away")
    })?;
    let relative = path.strip_prefix(folder).unwrap_or(path);
    Ok(relative
        .components()
        .map(|component| component.as_str())
        .collect::<Vec<_>>()
        .join("/"))
}

/// A file's CRC-32 and its length in octets.
pub(crate) fn crc32(path: &Utf8Path) -> Result<(u32, u64)> {
    let mut reader = CrcReader::new(fs::File::open(path)?);
    let len = std::io::copy(&mut reader, &mut std::io::sink())?;
    Ok((reader.crc().sum(), len))
}

/// The CRC-32 of octets.
pub(crate) fn crc32_of(octets: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(octets);
    crc.sum()
}

/// The `file:///` URL of a path.
pub(crate) fn file_url(path: &Utf8Path) -> Result<String> {
    let path = absolute(path)?;
    url::Url::from_file_path(&path)
        .map(String::from)
        .map_err(|()| Error::new(format!("`{path}` cannot be written as a file: URL")))
}

/// A file as it was, put back when the value is dropped before [`Snapshot::keep_changes`].
#[derive(Debug)]
pub(crate) struct Snapshot {
    path: Utf8PathBuf,
    /// None where there was no file.
    before: Option<Vec<u8>>,
    /// For a file that others change too: how we left it. Something else than that is not ours to put back.
    ours: Option<Option<Vec<u8>>>,
    keep_changes: bool,
}

impl Snapshot {
    /// A file that nobody else changes meanwhile.
    pub(crate) fn of(path: Utf8PathBuf) -> Result<Self> {
        let before = content(&path)?;
        Ok(Self {
            path,
            before,
            ours: None,
            keep_changes: false,
        })
    }

    /// A file that others may change meanwhile: it is put back only if it still is as it was when [`Snapshot::mark`] was
    /// called last.
    pub(crate) fn of_shared(path: Utf8PathBuf) -> Result<Self> {
        let before = content(&path)?;
        Ok(Self {
            path,
            ours: Some(before.clone()),
            before,
            keep_changes: false,
        })
    }

    /// What the file is now was made by us.
    pub(crate) fn mark(&mut self) -> Result<()> {
        if let Some(ours) = &mut self.ours {
            *ours = content(&self.path)?;
        }
        Ok(())
    }

    pub(crate) fn keep_changes(mut self) {
        self.keep_changes = true;
    }
}

/// A file's content; none where there is no file.
fn content(path: &Utf8Path) -> Result<Option<Vec<u8>>> {
    if path.is_file() {
        Ok(Some(fs::read(path)?))
    } else {
        Ok(None)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let is_others = self
            .ours
            .as_ref()
            .is_some_and(|ours| content(&self.path).ok().as_ref() != Some(ours));
        if self.keep_changes || is_others {
            return;
        }
        // A file that cannot be put back is complete all the same: files are replaced whole.
        let _ = match &self.before {
            Some(octets) => write(&self.path, octets).map(|_| ()),
            None if self.path.is_file() => fs::remove_file(&self.path).map_err(Error::from),
            None => Ok(()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_canonical_paths_is_taken_off() {
        for (path, expected) in [
            (r"\\?\C:\it's\日本", r"C:\it's\日本"),
            (r"\\?\UNC\server\share\x", r"\\server\share\x"),
            (r"\\?\Volume{4c1b02c1}\x", r"\\?\Volume{4c1b02c1}\x"),
            (r"\\server\share\x", r"\\server\share\x"),
            ("/srv/x", "/srv/x"),
        ] {
            assert_eq!(without_prefix(path.into()), expected, "{path}");
        }
    }

    #[test]
    fn a_file_is_written_whole_and_only_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("new/a.txt")).unwrap();
        assert!(write(&path, b"one").unwrap());
        assert!(!write(&path, b"one").unwrap());
        assert!(write(&path, b"two").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "nothing else is left behind"
        );
    }

    /// As a virus scanner does: the file may be read meanwhile, and neither written nor renamed.
    #[cfg(windows)]
    #[test]
    fn a_file_that_is_held_for_a_moment_is_replaced_after_it() {
        use std::os::windows::fs::OpenOptionsExt as _;
        const FILE_SHARE_READ: u32 = 1;
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let (new, old) = (folder.join("new"), folder.join("old"));
        for attempts_held in [0, 1, ATTEMPTS_MAX - 1, ATTEMPTS_MAX] {
            fs::write(&new, "new").unwrap();
            fs::write(&old, "old").unwrap();
            let mut options = std::fs::OpenOptions::new();
            let mut scanner = Some(
                options
                    .read(true)
                    .share_mode(FILE_SHARE_READ)
                    .open(&old)
                    .unwrap(),
            );
            if attempts_held == 0 {
                scanner = None;
            }
            let mut attempts = 1;
            let replaced = while_held(
                || rename_once(&new, &old),
                |attempt| {
                    attempts += 1;
                    if attempt + 1 == attempts_held {
                        scanner = None;
                    }
                },
            );
            drop(scanner);
            let (text, attempts_needed) = match attempts_held {
                ATTEMPTS_MAX => ("old", ATTEMPTS_MAX),
                _ => ("new", attempts_held + 1),
            };
            assert_eq!(replaced.is_ok(), text == "new", "{replaced:?}");
            assert_eq!(attempts, attempts_needed);
            assert_eq!(fs::read_to_string(&old).unwrap(), text);
        }
    }

    #[test]
    fn a_snapshot_puts_the_file_back_unless_changes_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("a.txt")).unwrap();
        for (before, keep, after) in [
            (None, false, None),
            (Some("old"), false, Some("old")),
            (Some("old"), true, Some("new")),
        ] {
            let _ = fs::remove_file(&path);
            if let Some(before) = before {
                write(&path, before.as_bytes()).unwrap();
            }
            let snapshot = Snapshot::of(path.clone()).unwrap();
            write(&path, b"new").unwrap();
            if keep {
                snapshot.keep_changes();
            } else {
                drop(snapshot);
            }
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), after);
        }
    }

    #[test]
    fn what_others_wrote_meanwhile_is_not_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("shared.txt")).unwrap();
        for (others, after) in [(None, "old"), (Some("ours and theirs"), "ours and theirs")] {
            write(&path, b"old").unwrap();
            let mut snapshot = Snapshot::of_shared(path.clone()).unwrap();
            write(&path, b"ours").unwrap();
            snapshot.mark().unwrap();
            if let Some(others) = others {
                write(&path, others.as_bytes()).unwrap();
            }
            drop(snapshot);
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
    }
}
