//! The memory of a scoreboard.

#[cfg(unix)]
mod shared;

#[cfg(unix)]
pub(super) use self::shared::Shared;
use super::Slot;

/// Where the slots are.
#[derive(Debug)]
pub(super) enum Memory {
    /// On the heap of this process.
    Private(Box<[Slot]>),
    /// In a file without a name.
    #[cfg(unix)]
    Shared(Shared),
}

impl Memory {
    pub(super) fn private(slots: usize) -> Self {
        Self::Private(std::iter::repeat_with(Slot::default).take(slots).collect())
    }

    pub(super) fn slots(&self) -> &[Slot] {
        match self {
            Self::Private(slots) => slots,
            #[cfg(unix)]
            Self::Shared(shared) => shared.slots(),
        }
    }
}
