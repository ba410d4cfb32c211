//! Ending a worker after so many requests, before it has leaked too much.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What happens after a number of requests.
#[derive(Clone)]
pub struct Retire {
    /// How many requests are answered before.
    pub requests: u64,
    /// Called once, by the worker that has answered the last one; serving goes on.
    pub then: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Retire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retire")
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

/// How far it has come to that.
#[derive(Debug)]
pub(super) struct Countdown {
    retire: Retire,
    ended: AtomicU64,
}

impl Countdown {
    pub(super) const fn new(retire: Retire) -> Self {
        Self {
            retire,
            ended: AtomicU64::new(0),
        }
    }

    /// Counts a request that has ended.
    pub(super) fn count(&self) {
        if self.ended.fetch_add(1, Ordering::Relaxed) + 1 == self.retire.requests {
            (self.retire.then)();
        }
    }
}
