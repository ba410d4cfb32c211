//! What supervisor and workers say to each other over their stream: single octets. Its end says something too: to a worker,
//! that it shall finish; to the supervisor, that the worker is gone.

/// From a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FromWorker {
    /// The application is loaded, and requests are taken.
    Ready,
    /// It has served as many requests as it should, and goes on until another one is ready.
    Exhausted,
    /// Files that the application was loaded from have changed.
    Changed,
}

impl FromWorker {
    pub(crate) const fn octet(self) -> u8 {
        match self {
            Self::Ready => b'R',
            Self::Exhausted => b'E',
            Self::Changed => b'C',
        }
    }

    /// `None` for what a worker of a later version says.
    pub(crate) const fn of(octet: u8) -> Option<Self> {
        match octet {
            b'R' => Some(Self::Ready),
            b'E' => Some(Self::Exhausted),
            b'C' => Some(Self::Changed),
            _ => None,
        }
    }
}

/// To a worker: open the log files anew.
pub(crate) const REOPEN: u8 = b'L';
