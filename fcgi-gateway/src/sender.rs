//! A thread that sends what an application has produced while it produces more.
//!
//! PEP 3333 (*Buffering and Streaming*) has a server not delay a block, and lets it "use a different thread to ensure that
//! the block continues to be transmitted while the application produces the next block". An application that yields many
//! small blocks one right after the other is served so: what comes while a write runs goes out with the next one. An
//! application that takes its time between blocks, such as one that sends events, is served without: each block is written
//! before it is asked for the next.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::application::{SharedDriver, lock};

/// Up to so many octets wait to be sent; behind that the application waits.
const ROOM: usize = 256 * 1024;

/// Blocks that come within this time of each other come fast.
const FAST: Duration = Duration::from_micros(100);

/// So many blocks of a response come fast before a thread is worth it.
const PATIENCE: u32 = 3;

/// Longer blocks are written from where they lie.
const LONGEST: usize = 16 * 1024;

/// Whether a response's blocks come fast.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the last block was written.
    last: Option<Instant>,
    fast: u32,
}

impl Pace {
    /// Looks at the clock in front of a block of `len` octets: whether it is worth a sender.
    pub(crate) fn is_fast(&mut self, len: usize) -> bool {
        let came_soon = self.last.is_some_and(|last| last.elapsed() < FAST);
        self.fast = if came_soon && len <= LONGEST {
            self.fast.saturating_add(1)
        } else {
            0
        };
        self.fast > PATIENCE
    }

    /// Looks at the clock behind it.
    pub(crate) fn done(&mut self) {
        self.last = Some(Instant::now());
    }
}

/// The sender of the calling thread, at work for one response.
#[derive(Debug)]
pub(crate) struct Queue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to send, or nobody will ask again.
    work: Condvar,
    /// Something was sent.
    sent: Condvar,
}

#[derive(Debug, Default)]
struct State {
    octets: Vec<u8>,
    /// Whose octets they are.
    request: Option<(SharedDriver, u64)>,
    /// Whether the thread has something to do.
    writing: bool,
    failed: Option<Error>,
    /// Whether the thread shall end.
    closed: bool,
}

thread_local! {
    static OWN: RefCell<Option<Own>> = const { RefCell::new(None) };
}

/// Ends the sender's thread with the worker's.
#[derive(Debug)]
struct Own(Arc<Shared>);

impl Drop for Own {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.work.notify_one();
    }
}

impl Queue {
    /// Puts the calling thread's sender to work for a request; its thread is started where there is none yet.
    ///
    /// # Errors
    /// The operating system has no thread left.
    pub(crate) fn open(driver: &SharedDriver, serial: u64) -> io::Result<Self> {
        let shared = OWN.with_borrow_mut(|own| -> io::Result<_> {
            if let Some(Own(shared)) = own {
                return Ok(Arc::clone(shared));
            }
            let shared = Arc::<Shared>::default();
            let runner = Arc::clone(&shared);
            thread::Builder::new()
                .name("sender".to_owned())
                .spawn(move || runner.run())?;
            *own = Some(Own(Arc::clone(&shared)));
            Ok(shared)
        })?;
        shared.lock().request = Some((Arc::clone(driver), serial));
        Ok(Self(shared))
    }

    /// Has a block sent behind those that wait already, and waits only where too many do.
    ///
    /// # Errors
    /// Why an earlier block could not be sent.
    pub(crate) fn push(&self, block: &[u8]) -> Result<(), Error> {
        let mut state = self.0.lock();
        while state.octets.len() >= ROOM && state.failed.is_none() {
            state = wait(&self.0.sent, state);
        }
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        self.0.add(state, block);
        Ok(())
    }

    /// As [`push`](Self::push), but does nothing and returns `false` where it would have to wait or an error is due.
    #[cfg(feature = "python")]
    pub(crate) fn try_push(&self, block: &[u8]) -> bool {
        let state = self.0.lock();
        let has_room = state.octets.len() < ROOM && state.failed.is_none();
        if has_room {
            self.0.add(state, block);
        }
        has_room
    }

    /// Waits until nothing is being written, and takes back what has not been.
    ///
    /// # Errors
    /// Why a block could not be sent.
    pub(crate) fn take_back(&self) -> Result<Vec<u8>, Error> {
        let mut state = self.0.lock();
        // The thread finds nothing behind what it writes at the moment.
        let rest = std::mem::take(&mut state.octets);
        let mut state = self.0.idle(state);
        state.request = None;
        state.failed.take().map_or(Ok(rest), Err)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // What a response leaves behind that has failed is nobody's.
        let _ = self.take_back();
    }
}

/// Waits until the calling thread's sender has sent everything: whoever is about to wait for the Web server may wait for an
/// answer to what is in the queue.
pub(crate) fn drain() {
    let own = OWN.with_borrow(|own| own.as_ref().map(|Own(shared)| Arc::clone(shared)));
    if let Some(shared) = own {
        drop(shared.idle(shared.lock()));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the thread has nothing to do.
    fn idle<'s>(&self, mut state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        while state.writing {
            state = wait(&self.sent, state);
        }
        state
    }

    fn add(&self, mut state: MutexGuard<'_, State>, block: &[u8]) {
        state.octets.extend_from_slice(block);
        if !state.writing {
            state.writing = true;
            drop(state);
            self.work.notify_one();
        }
    }

    /// What the thread does.
    fn run(&self) {
        let mut octets = Vec::new();
        let mut state = self.lock();
        loop {
            while state.octets.is_empty() && !state.closed {
                if state.writing {
                    state.writing = false;
                    self.sent.notify_all();
                }
                state = wait(&self.work, state);
            }
            let Some((driver, serial)) = state.request.clone().filter(|_| !state.closed) else {
                return;
            };
            std::mem::swap(&mut octets, &mut state.octets);
            drop(state);
            self.sent.notify_all();
            let outcome = lock(&driver).send(serial, &[], &[&octets], None);
            octets.clear();
            drop(driver);
            state = self.lock();
            if let Err(error) = outcome {
                state.octets.clear();
                state.failed.get_or_insert(error);
            }
        }
    }
}

fn wait<'s>(condition: &Condvar, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
    condition
        .wait(state)
        .unwrap_or_else(PoisonError::into_inner)
}
