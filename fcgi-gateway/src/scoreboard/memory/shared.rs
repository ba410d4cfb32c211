//! Memory that the processes of a supervisor have in common. Supervisors are for Unix: under IIS on Windows the Web server starts
//! the processes.
#![expect(
    unsafe_code,
    reason = "memory that processes share has no safe interface"
)]

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use memmap2::MmapRaw;

use super::Slot;

/// Slots in a file without a name.
#[derive(Debug)]
pub(in crate::scoreboard) struct Shared {
    map: MmapRaw,
    file: SharedFile,
    slots: usize,
}

/// The file that the processes have in common.
#[expect(
    clippy::disallowed_types,
    reason = "the file has no name that an error could tell"
)]
type SharedFile = std::fs::File;

impl Shared {
    /// Zeros for so many slots, which are slots that count nothing.
    pub(in crate::scoreboard) fn create(slots: usize) -> io::Result<Self> {
        let file = unnamed_file()?;
        file.set_len((slots * size_of::<Slot>()) as u64)?;
        Self::map(file)
    }

    /// What another process has made.
    pub(in crate::scoreboard) fn inherit(fd: OwnedFd) -> io::Result<Self> {
        Self::map(SharedFile::from(fd))
    }

    fn map(file: SharedFile) -> io::Result<Self> {
        let len = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        let slots = len / size_of::<Slot>();
        if slots == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the inherited scoreboard is empty",
            ));
        }
        let map = MmapRaw::map_raw(&file)?;
        Ok(Self { map, file, slots })
    }

    pub(in crate::scoreboard) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    pub(super) fn slots(&self) -> &[Slot] {
        // SAFETY: the map begins at a page, which is aligned for a slot; it is as long as the file was, and the file never
        // shrinks, since only its maker sets its length, and before anybody else has it. Every pattern of bits is a slot, which
        // is made of atomics only, so that other processes may write at any time. The map lives as long as the reference.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast::<Slot>(), self.slots) }
    }
}

#[cfg(target_os = "linux")]
fn unnamed_file() -> io::Result<SharedFile> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(memfd_create("iiswsgi-scoreboard", MemfdFlags::CLOEXEC)?.into())
}

#[cfg(not(target_os = "linux"))]
fn unnamed_file() -> io::Result<SharedFile> {
    tempfile::tempfile()
}
