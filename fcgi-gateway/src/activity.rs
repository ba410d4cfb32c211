//! What each worker does at the moment, for whoever watches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fcgi_proto::Params;

use crate::application::{RequestNumber, SharedDriver};
use crate::watchdog::Watch;

/// The workers of a server that is watched.
#[derive(Debug)]
pub(crate) struct Activity {
    pub(crate) watch: Watch,
    desks: Vec<Desk>,
    closed: Mutex<bool>,
    changed: Condvar,
}

/// A worker.
#[derive(Debug, Default)]
struct Desk {
    /// What the application calls its thread; 0 where it does not.
    thread: AtomicU64,
    running: Mutex<Option<Running>>,
}

/// A request that runs.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) number: RequestNumber,
    pub(crate) began: Instant,
    pub(crate) params: Params,
    pub(crate) driver: SharedDriver,
    pub(crate) serial: u64,
    /// What the application calls the thread.
    pub(crate) thread: Option<u64>,
    /// Whether it was reported as slow.
    pub(crate) reported: bool,
    /// Whether the watcher has answered in its place.
    pub(crate) given_up: bool,
}

impl Running {
    /// Method and path, for the log.
    pub(crate) fn describe(&self) -> String {
        let get = |name: &str| self.params.get(name.as_bytes()).unwrap_or_default();
        let target = match get("REQUEST_URI") {
            b"" => get("PATH_INFO"),
            target => target,
        };
        let text = [get("REQUEST_METHOD"), target].join(&b' ');
        text.escape_ascii().to_string()
    }
}

impl Activity {
    pub(crate) fn new(watch: Watch, workers: usize) -> Self {
        Self {
            watch,
            desks: (0..workers).map(|_| Desk::default()).collect(),
            closed: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    /// Says what the application calls the thread of a worker.
    pub(crate) fn introduce(&self, worker: usize, thread: Option<u64>) {
        self.desks[worker]
            .thread
            .store(thread.unwrap_or(0), Ordering::Relaxed);
    }

    /// Notes a request; it runs until what is returned ends.
    pub(crate) fn begin(
        &self,
        worker: usize,
        began: Instant,
        number: &RequestNumber,
        params: &Params,
        driver: &SharedDriver,
        serial: u64,
    ) -> Watched<'_> {
        let desk = &self.desks[worker];
        let thread = desk.thread.load(Ordering::Relaxed);
        *desk.lock() = Some(Running {
            number: number.clone(),
            began,
            params: params.clone(),
            driver: Arc::clone(driver),
            serial,
            thread: (thread != 0).then_some(thread),
            reported: false,
            given_up: false,
        });
        Watched(desk)
    }

    /// Looks at every request that runs.
    pub(crate) fn each(&self, mut look: impl FnMut(&mut Running)) {
        for desk in &self.desks {
            if let Some(running) = &mut *desk.lock() {
                look(running);
            }
        }
    }

    /// Waits for so long; `false` at once where the server has ended.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return false;
        }
        let waited = self.changed.wait_timeout(closed, timeout);
        let (closed, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !*closed
    }

    /// The server has ended.
    pub(crate) fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is watched, as long as this is kept.
#[derive(Debug)]
pub(crate) struct Watched<'a>(&'a Desk);

impl Watched<'_> {
    /// The request has ended; `true` where somebody else has answered it.
    pub(crate) fn end(self) -> bool {
        self.0.lock().take().is_some_and(|running| running.given_up)
    }
}
