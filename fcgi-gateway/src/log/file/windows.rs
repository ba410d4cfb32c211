//! A log file on Windows.
#![expect(
    unsafe_code,
    reason = "std neither tells files apart nor locks a part of one"
)]

use std::io::{self, Write as _};
use std::os::windows::io::AsRawHandle as _;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, GetFileInformationByHandle, LOCK_FILE_FLAGS,
    LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFileEx,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

/// Whether the path leads to the file.
pub(super) fn is_at(file: &File, path: &Utf8Path) -> bool {
    let Ok(there) = File::open(path) else {
        return false;
    };
    match (identity(file), identity(&there)) {
        (Ok(found), Ok(there)) => found == there,
        _ => false,
    }
}

/// Volume and number of a file, unique while it is open.
fn identity(file: &File) -> io::Result<(u32, u32, u32)> {
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open as long as `file` is borrowed, and `found` is written to before the call returns.
    let succeeded = unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut found) };
    if succeeded == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((
        found.dwVolumeSerialNumber,
        found.nFileIndexHigh,
        found.nFileIndexLow,
    ))
}

/// Appends what no other process appends to at the same moment. Where the file cannot be locked, it is still written.
pub(super) fn append(file: &mut File, octets: &[u8]) -> io::Result<()> {
    let locked = lock(file, WRITING, LOCKFILE_EXCLUSIVE_LOCK).is_ok();
    let outcome = file.write_all(octets);
    if locked {
        release(file, WRITING)?;
    }
    outcome
}

/// Removes a file that is open, and frees its name at once: older versions of Windows keep the name as long as the file is open.
pub(super) fn remove(path: &Utf8Path) -> io::Result<()> {
    let aside = Utf8PathBuf::from(format!("{path}.{}", std::process::id()));
    fs_err::rename(path, &aside)?;
    fs_err::remove_file(aside)
}

/// Octets far behind the end of every log, of which each stands for something that one process does at a time: Windows lets
/// nobody else write what is locked, and lines shall still be written.
const RENAMING: u32 = u32::MAX - 1;
const WRITING: u32 = u32::MAX - 2;

fn place(octet: u32) -> OVERLAPPED {
    let mut place = OVERLAPPED::default();
    place.Anonymous.Anonymous.Offset = octet;
    place.Anonymous.Anonymous.OffsetHigh = 0x7FFF_FFFF;
    place
}

/// Locks the file against other processes, without waiting. It goes with the handle.
pub(super) fn try_lock(file: &File) -> io::Result<()> {
    let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
    lock(file, RENAMING, flags)
}

pub(super) fn unlock(file: &File) -> io::Result<()> {
    release(file, RENAMING)
}

fn lock(file: &File, octet: u32, flags: LOCK_FILE_FLAGS) -> io::Result<()> {
    let mut place = place(octet);
    // SAFETY: the handle is open as long as `file` is borrowed. It was not opened for overlapped calls, so that the call is over,
    // and `place` no longer used, when it returns.
    let succeeded = unsafe { LockFileEx(file.as_raw_handle(), flags, 0, 1, 0, &raw mut place) };
    outcome(succeeded)
}

fn release(file: &File, octet: u32) -> io::Result<()> {
    let mut place = place(octet);
    // SAFETY: as in `lock`.
    let succeeded = unsafe { UnlockFileEx(file.as_raw_handle(), 0, 1, 0, &raw mut place) };
    outcome(succeeded)
}

fn outcome(succeeded: i32) -> io::Result<()> {
    if succeeded == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
