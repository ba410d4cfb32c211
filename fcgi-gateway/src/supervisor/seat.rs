//! The place of a worker, which one process after the other takes.

use std::time::Instant;

use super::backoff::Backoff;
use super::worker::Worker;

/// One of the places that `--processes` makes.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// Who serves.
    pub(super) worker: Option<Worker>,
    /// Who has been started to take the place, and is not ready yet.
    pub(super) successor: Option<Worker>,
    pub(super) backoff: Backoff,
    /// Before that, nothing is started.
    pub(super) due: Option<Instant>,
}

impl Seat {
    /// Whether somebody else should sit here, of the generation `wanted` or a later one.
    pub(super) fn is_vacant(&self, wanted: u64) -> bool {
        self.worker
            .as_ref()
            .is_none_or(|worker| worker.generation < wanted || worker.is_exhausted)
    }

    pub(super) fn workers(&self) -> impl Iterator<Item = &Worker> {
        self.worker.iter().chain(&self.successor)
    }
}
