//! The memory of a scoreboard. Beside `listener/inherited.rs`, the only unsafe code of this crate that is not the application's
//! C interface.
#![expect(
    unsafe_code,
    reason = "memory that processes share has no safe interface"
)]

use std::io;
use std::os::fd::OwnedFd;

use memmap2::MmapRaw;

use super::Slot;

/// Where the slots are.
#[derive(Debug)]
pub(super) enum Memory {
    /// On the heap of this process.
    Private(Box<Slot>),
    /// In a file without a name.
    Shared {
        map: MmapRaw,
        file: SharedFile,
        slots: usize,
    },
}

/// The file that the processes have in common.
#[expect(
    clippy::disallowed_types,
    reason = "the file has no name that an error could tell"
)]
type SharedFile = std::fs::File;

impl Memory {
    pub(super) fn private() -> Self {
        Self::Private(Box::default())
    }

    /// Zeros for so many slots, which are slots that count nothing.
    pub(super) fn shared(slots: usize) -> io::Result<Self> {
        let file = unnamed_file()?;
        file.set_len((slots * size_of::<Slot>()) as u64)?;
        Self::map(file)
    }

    /// What another process has made.
    pub(super) fn inherited(fd: OwnedFd) -> io::Result<Self> {
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
        Ok(Self::Shared { map, file, slots })
    }

    pub(super) const fn file(&self) -> Option<&SharedFile> {
        match self {
            Self::Private(_) => None,
            Self::Shared { file, .. } => Some(file),
        }
    }

    pub(super) fn slots(&self) -> &[Slot] {
        match self {
            Self::Private(slot) => std::slice::from_ref(slot),
            // SAFETY: the map begins at a page, which is aligned for a slot; it is as long as the file was, and the file
            // never shrinks, since only its maker sets its length, and before anybody else has it. Every pattern of bits
            // is a slot, which is made of atomics only, so that other processes may write at any time. The map lives as
            // long as the reference.
            Self::Shared { map, slots, .. } => unsafe {
                std::slice::from_raw_parts(map.as_ptr().cast::<Slot>(), *slots)
            },
        }
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
