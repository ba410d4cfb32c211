//! Which processes serve, and for how long.

use std::ffi::OsString;
use std::time::Duration;

use crate::reload::Reload;

/// Options for the processes of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Processes {
    /// How many worker processes a supervisor keeps running. `None`, the default: this process serves by itself, and nobody
    /// but the Web server starts another one.
    pub count: Option<usize>,
    /// How a worker is started: a program and its arguments that end up in `serve` with the same options,
    /// [`count`](Self::count) included. Empty, the default: no worker can be started.
    pub command: Vec<OsString>,
    /// How long a worker that is told to end may finish its requests, before it is killed; and how long a process that
    /// IIS tells to end by its event may take to end. Default 30 seconds.
    pub graceful_timeout: Duration,
    /// After so many requests a process ends, and is replaced. Default: never.
    pub max_requests: Option<u64>,
    /// Up to so many requests more, chosen at random by each process, so that they don't all end at once. Default 0.
    pub max_requests_jitter: u64,
    /// Whether changed files have the application loaded anew. Default: no.
    pub reload: Reload,
}

impl Default for Processes {
    fn default() -> Self {
        Self {
            count: None,
            command: Vec::new(),
            graceful_timeout: Duration::from_secs(30),
            max_requests: None,
            max_requests_jitter: 0,
            reload: Reload::default(),
        }
    }
}

impl Processes {
    /// The number of requests after which this process ends.
    #[cfg(feature = "python")]
    pub(crate) fn last_request(&self) -> Option<u64> {
        use std::hash::{BuildHasher as _, RandomState};

        // The keys of a hash table are the randomness that the standard library has.
        let random = RandomState::new().hash_one(std::process::id());
        self.max_requests
            .map(|max| last_request(max, self.max_requests_jitter, random))
    }
}

#[cfg(any(test, feature = "python"))]
fn last_request(max: u64, jitter: u64, random: u64) -> u64 {
    let more = jitter
        .checked_add(1)
        .map_or(random, |choices| random % choices);
    max.saturating_add(more).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_ends_between_the_limit_and_the_jitter_beyond_it() {
        for (max, jitter, random, expected) in [
            (100, 0, 7, 100),
            (100, 10, 10, 110),
            (100, 10, 11, 100),
            (0, 0, 9, 1),
            (u64::MAX, u64::MAX, u64::MAX, u64::MAX),
        ] {
            assert_eq!(last_request(max, jitter, random), expected);
        }
    }
}
