//! Numbers that all workers of a gateway share: who they are, and what they have served.
//!
//! The scoreboard (Apache's word) is memory of a fixed layout, one [`Slot`] of atomic numbers for each worker process. The
//! supervisor makes it and hands its descriptor to the workers; each writes its own slot and can read all of them, so that
//! any worker answers for the whole gateway. A process by itself has one slot of its own.
//!
//! A slot is written with relaxed atomic additions: a reader may see a request counted whose duration is not counted yet.

mod histogram;
mod memory;

#[cfg(unix)]
use std::io;
#[cfg(unix)]
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use histogram::{Durations, Histogram};
use memory::Memory;
#[cfg(unix)]
use memory::Shared;

/// What tells a scoreboard of this version from any other file.
#[cfg(unix)]
const LAYOUT: u64 = u64::from_be_bytes(*b"iiswsgi1");

/// The scoreboard, as one of the processes sees it.
///
/// ```
/// use fcgi_gateway::{Scoreboard, WorkerState};
///
/// # #[cfg(unix)] {
/// let supervisor = Scoreboard::create(2)?;
/// let fd = supervisor.fd().unwrap().try_clone_to_owned()?;
/// // In the worker that has inherited the descriptor:
/// let worker = Scoreboard::inherit(fd, 1)?;
/// worker.own().start(std::process::id(), 1, 4);
/// assert_eq!(supervisor.slots()[1].state(), WorkerState::Starting);
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Scoreboard {
    memory: Memory,
    own: usize,
}

impl Scoreboard {
    /// The scoreboard of a process by itself: one slot that nobody else sees.
    #[must_use]
    pub fn private() -> Self {
        Self {
            memory: Memory::private(1),
            own: 0,
        }
    }

    /// A scoreboard of so many slots that nobody else sees.
    #[cfg(test)]
    pub(crate) fn private_with(slots: usize) -> Self {
        Self {
            memory: Memory::private(slots),
            own: 0,
        }
    }

    /// All slots.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        self.memory.slots()
    }

    /// The slot of this process; for a supervisor, the first one.
    #[must_use]
    pub fn own(&self) -> &Slot {
        &self.slots()[self.own]
    }
}

/// What a supervisor and its workers share.
#[cfg(unix)]
impl Scoreboard {
    /// A scoreboard that other processes can inherit, with so many slots, at least one; all are [`WorkerState::Free`].
    ///
    /// # Errors
    /// The operating system has no memory or descriptors left.
    pub fn create(slots: usize) -> io::Result<Self> {
        let memory = Memory::Shared(Shared::create(slots.max(1))?);
        for slot in memory.slots() {
            slot.layout.store(LAYOUT, Ordering::Relaxed);
        }
        Ok(Self { memory, own: 0 })
    }

    /// The scoreboard behind the descriptor of [`fd`](Self::fd), for the worker with this slot.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] where it is none, or one of another version: after an upgrade a supervisor may start
    /// workers that are newer than itself. Else the operating system's.
    pub fn inherit(fd: OwnedFd, slot: usize) -> io::Result<Self> {
        let memory = Memory::Shared(Shared::inherit(fd)?);
        let fits = memory
            .slots()
            .get(slot)
            .is_some_and(|slot| slot.layout.load(Ordering::Relaxed) == LAYOUT);
        if !fits {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the inherited scoreboard has no slot {slot} of this version"),
            ));
        }
        Ok(Self { memory, own: slot })
    }

    /// The descriptor to hand to workers; `None` where the scoreboard is private. It is closed on exec unless it is
    /// duplicated for that.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.memory {
            Memory::Private(_) => None,
            Memory::Shared(shared) => Some(shared.fd()),
        }
    }
}

/// What a worker process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WorkerState {
    /// No worker has the slot, or the one that had it has ended.
    Free,
    /// The application is being loaded.
    Starting,
    /// Requests are served.
    Serving,
    /// The running requests are finished, and nothing new is accepted.
    Draining,
}

impl WorkerState {
    const ALL: [Self; 4] = [Self::Free, Self::Starting, Self::Serving, Self::Draining];
}

/// The numbers of one worker. Everything that counts goes on counting when another worker takes the slot over, so that sums
/// never fall.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct Slot {
    layout: AtomicU64,
    pid: AtomicU64,
    generation: AtomicU64,
    threads: AtomicU64,
    /// Microseconds since 1970.
    started: AtomicU64,
    state: AtomicU64,
    restarts: AtomicU64,
    /// Requests of the slot's earlier workers.
    former: AtomicU64,
    // What every request writes lies together.
    began: AtomicU64,
    ended: AtomicU64,
    errors: AtomicU64,
    octets_in: AtomicU64,
    octets_out: AtomicU64,
    durations: Durations,
}

impl Slot {
    /// Takes the slot for a worker that begins: its process, which generation of workers it belongs to (1 is the first), and
    /// how many requests it can run at once.
    pub fn start(&self, pid: u32, generation: u64, threads: usize) {
        // Requests that the former worker has not ended are gone with it.
        let ended = self.ended.load(Ordering::Relaxed);
        self.began.store(ended, Ordering::Relaxed);
        self.former.store(ended, Ordering::Relaxed);
        self.pid.store(pid.into(), Ordering::Relaxed);
        self.generation.store(generation, Ordering::Relaxed);
        self.threads.store(threads as u64, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        self.started.store(now.map_or(0, micros), Ordering::Relaxed);
        self.set_state(WorkerState::Starting);
    }

    /// Says what the worker does from now on. Whoever sees a worker end sets [`WorkerState::Free`].
    pub fn set_state(&self, state: WorkerState) {
        self.state.store(state as u64, Ordering::Release);
    }

    /// What the worker does.
    #[must_use]
    pub fn state(&self) -> WorkerState {
        let number = self.state.load(Ordering::Acquire);
        let known = usize::try_from(number).ok();
        known
            .and_then(|number| WorkerState::ALL.get(number).copied())
            .unwrap_or(WorkerState::Free)
    }

    /// Counts that a worker was started in place of one that has ended.
    pub fn count_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests that the slot's present worker has answered.
    #[must_use]
    pub fn requests_of_worker(&self) -> u64 {
        let former = self.former.load(Ordering::Relaxed);
        self.ended.load(Ordering::Relaxed).saturating_sub(former)
    }

    /// Counts a request that begins.
    pub(crate) fn count_begin(&self) {
        self.began.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that has ended.
    pub(crate) fn count_end(&self, request: &Ended) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        if request.status >= 500 {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        if request.octets_in > 0 {
            self.octets_in
                .fetch_add(request.octets_in, Ordering::Relaxed);
        }
        self.octets_out
            .fetch_add(request.octets_out, Ordering::Relaxed);
        self.durations.count(request.duration);
    }

    /// What the slot says now.
    #[must_use]
    pub fn read(&self) -> SlotReading {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let (ended, began) = (load(&self.ended), load(&self.began));
        let pid = u32::try_from(load(&self.pid)).unwrap_or(0);
        SlotReading {
            pid,
            generation: load(&self.generation),
            threads: load(&self.threads),
            started: UNIX_EPOCH + Duration::from_micros(load(&self.started)),
            state: self.state(),
            restarts: load(&self.restarts),
            requests: ended,
            requests_of_worker: ended.saturating_sub(load(&self.former)),
            in_flight: began.saturating_sub(ended),
            errors: load(&self.errors),
            octets_in: load(&self.octets_in),
            octets_out: load(&self.octets_out),
            durations: self.durations.read(),
        }
    }
}

/// A request that has ended, as it is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// The code of the response's status.
    pub(crate) status: u16,
    /// Octets of the request's body that were read.
    pub(crate) octets_in: u64,
    /// Octets of the response's body that were sent.
    pub(crate) octets_out: u64,
    /// From the request's last variable to the response's end.
    pub(crate) duration: Duration,
}

/// What a [`Slot`] said at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SlotReading {
    /// The worker's process; 0 where the slot has never had one.
    pub pid: u32,
    /// Which generation of workers it belongs to; 1 is the first.
    pub generation: u64,
    /// How many requests it can run at once.
    pub threads: u64,
    /// When it began.
    pub started: SystemTime,
    /// What it does.
    pub state: WorkerState,
    /// How often a worker of the slot was started in place of one that had ended.
    pub restarts: u64,
    /// Requests answered, by all workers that the slot has had.
    pub requests: u64,
    /// Those of the present one.
    pub requests_of_worker: u64,
    /// Requests that run.
    pub in_flight: u64,
    /// Responses with a status of 500 and above.
    pub errors: u64,
    /// Octets of request bodies that were read.
    pub octets_in: u64,
    /// Octets of response bodies that were sent.
    pub octets_out: u64,
    /// How long the requests took.
    pub durations: Histogram,
}

/// A duration in whole microseconds; some 584,000 years at most.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: u16) -> Ended {
        Ended {
            status,
            octets_in: 3,
            octets_out: 10,
            duration: Duration::from_millis(2),
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_a_worker_counts_is_seen_by_all() {
        let supervisor = Scoreboard::create(3).unwrap();
        assert_eq!(supervisor.slots().len(), 3);
        let fd = supervisor.fd().unwrap().try_clone_to_owned().unwrap();
        let worker = Scoreboard::inherit(fd, 2).unwrap();
        worker.own().start(77, 4, 8);
        worker.own().set_state(WorkerState::Serving);
        for status in [200, 500, 404] {
            worker.own().count_begin();
            worker.own().count_end(&ended(status));
        }
        worker.own().count_begin();
        let found = supervisor.slots()[2].read();
        assert_eq!(
            (found.pid, found.generation, found.threads, found.state),
            (77, 4, 8, WorkerState::Serving)
        );
        assert_eq!((found.requests, found.errors, found.in_flight), (3, 1, 1));
        assert_eq!((found.octets_in, found.octets_out), (9, 30));
        assert_eq!(found.durations.count(), 3);
        assert_eq!(supervisor.slots()[0].read().requests, 0);
    }

    #[test]
    fn sums_do_not_fall_when_a_worker_is_replaced() {
        let board = Scoreboard::private();
        let slot = board.own();
        slot.start(1, 1, 1);
        slot.count_begin();
        slot.count_end(&ended(200));
        slot.count_begin();
        slot.count_restart();
        slot.start(2, 2, 1);
        let found = slot.read();
        assert_eq!(
            (found.requests, found.in_flight, found.requests_of_worker),
            (1, 0, 0)
        );
        assert_eq!((found.restarts, found.pid), (1, 2));
        assert_eq!(found.state, WorkerState::Starting);
    }

    #[cfg(unix)]
    #[test]
    fn another_file_is_no_scoreboard() {
        let empty = tempfile::tempfile().unwrap();
        let error = Scoreboard::inherit(empty.into(), 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let zeros = tempfile::tempfile().unwrap();
        zeros.set_len(8192).unwrap();
        let error = Scoreboard::inherit(zeros.into(), 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let board = Scoreboard::create(2).unwrap();
        let fd = board.fd().unwrap().try_clone_to_owned().unwrap();
        let error = Scoreboard::inherit(fd, 2).unwrap_err();
        assert!(error.to_string().contains("no slot 2"), "{error}");
    }
}
