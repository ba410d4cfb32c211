//! Several worker processes on one listening socket, and the process that keeps them running.
//!
//! The supervisor never loads the application: it opens the socket and starts each worker as a program of its own, with the
//! socket on file descriptor 0, as FastCGI Specification 1.0, section 2.2 has it. So no Python interpreter is forked, a worker is
//! a gateway like any other, and what a worker does to itself harms no other one.
//!
//! The first worker of a generation is started alone. Only when it has loaded the application are the others started, and
//! those of the generation before told to finish; until then these go on serving. A worker that ends is replaced: at once where it
//! ended in order, else after a wait that grows.

mod backoff;
mod membership;
mod message;
mod seat;
mod ticket;
mod worker;

use std::ffi::OsString;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

#[cfg(feature = "python")]
pub(crate) use self::membership::Membership;
pub(crate) use self::message::FromWorker;
use self::seat::Seat;
#[cfg(feature = "python")]
pub(crate) use self::ticket::{Ticket, VARIABLE};
use self::worker::{Start, Worker, describe};
use crate::listener::Listener;
use crate::shutdown::{STOP_SIGNALS, Waker, reopen_signal};
use crate::watchdog::Watch;
use crate::{Error, Scoreboard};

/// How long the supervisor waits at most before it looks at processes that should end.
const LOOK: Duration = Duration::from_secs(1);

/// A worker that ends sooner is not replaced at once, whatever it says at its end.
const SHORT: Duration = Duration::from_millis(200);

/// `SIGHUP`, on every system.
const RELOAD_SIGNAL: u8 = 1;

/// What a supervisor needs to know.
#[derive(Debug)]
pub(crate) struct Plan<'p> {
    /// How many workers.
    pub(crate) count: usize,
    /// How one is started: program and arguments.
    pub(crate) command: &'p [OsString],
    /// How long a worker that is to end may take.
    pub(crate) graceful_timeout: Duration,
    /// What they serve on.
    pub(crate) listener: Box<dyn Listener>,
    /// Where signals arrive, as their numbers.
    pub(crate) signals: Arc<Waker>,
}

/// A worker that was told to finish.
#[derive(Debug)]
struct Leaving {
    worker: Worker,
    deadline: Instant,
}

/// Keeps the workers running.
#[derive(Debug)]
pub(crate) struct Supervisor<'p> {
    plan: Plan<'p>,
    scoreboard: Scoreboard,
    seats: Vec<Seat>,
    leaving: Vec<Leaving>,
    /// The generation that serves; 0 before the first one does.
    wanted: u64,
    /// The last one that was begun.
    begun: u64,
    /// Whether the last one waits for its first worker to get ready.
    probing: bool,
    stopping: bool,
}

impl<'p> Supervisor<'p> {
    /// # Errors
    /// The operating system has no memory left.
    pub(crate) fn new(plan: Plan<'p>) -> Result<Self, Error> {
        let count = plan.count.max(1);
        Ok(Self {
            // While one generation follows the other, both have theirs.
            scoreboard: Scoreboard::create(2 * count)?,
            seats: (0..count).map(|_| Seat::default()).collect(),
            leaving: Vec::new(),
            wanted: 0,
            begun: 1,
            probing: true,
            stopping: false,
            plan,
        })
    }

    /// Runs until a signal ends it. `reopen` opens the supervisor's own logs anew.
    ///
    /// # Errors
    /// [`Error::Workers`] where the application cannot be loaded at the start.
    pub(crate) fn run(mut self, reopen: &(dyn Fn() + Sync)) -> Result<(), Error> {
        loop {
            self.fill();
            if self.stopping && self.leaving.is_empty() {
                return Ok(());
            }
            self.wait()?;
            for number in self.plan.signals.receive() {
                match number {
                    number if STOP_SIGNALS.contains(&number) => self.stop(),
                    RELOAD_SIGNAL => self.reload("SIGHUP"),
                    number if number == reopen_signal() => {
                        reopen();
                        self.workers().for_each(Worker::reopen);
                    }
                    _ => {}
                }
            }
            self.hear();
            self.reap()?;
        }
    }

    fn workers(&self) -> impl Iterator<Item = &Worker> {
        let leaving = self.leaving.iter().map(|leaving| &leaving.worker);
        self.seats.iter().flat_map(Seat::workers).chain(leaving)
    }

    /// Waits until something happens or is due.
    fn wait(&self) -> Result<(), Error> {
        let now = Instant::now();
        let due = (0..self.seats.len())
            .filter(|number| self.wants(*number).is_some())
            .filter_map(|number| self.seats[number].due);
        let deadlines = self.leaving.iter().map(|leaving| {
            let look = now + LOOK;
            if leaving.worker.is_killed {
                look
            } else {
                look.min(leaving.deadline)
            }
        });
        let timeout = due
            .chain(deadlines)
            .min()
            .map(|at| at.saturating_duration_since(now));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut fds = vec![PollFd::new(&*self.plan.signals, PollFlags::IN)];
        fds.extend(
            self.workers()
                .filter_map(Worker::control)
                .map(|control| PollFd::from_borrowed_fd(control, PollFlags::IN)),
        );
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(Error::Io(error.into())),
        }
    }

    /// Starts what is missing.
    fn fill(&mut self) {
        let now = Instant::now();
        for number in 0..self.seats.len() {
            let due = self.seats[number].due;
            let Some(generation) = self.wants(number) else {
                continue;
            };
            if due.is_some_and(|due| due > now) {
                continue;
            }
            let start = Start {
                command: self.plan.command,
                listener: self.plan.listener.as_fd(),
                scoreboard: &self.scoreboard,
                seat: number,
                generation,
                slot: self.free_slot(),
            };
            let started = start.spawn();
            let seat = &mut self.seats[number];
            seat.due = None;
            match started {
                Ok(worker) => {
                    tracing::info!(
                        worker = worker.pid(),
                        generation = worker.generation,
                        "worker started"
                    );
                    seat.successor = Some(worker);
                }
                Err(error) => {
                    let wait = seat.backoff.fail(Duration::ZERO);
                    tracing::error!(%error, "no worker can be started; the next attempt is in {wait:?}");
                    seat.due = Some(now + wait);
                }
            }
        }
    }

    /// The generation of which a worker is to be started for a seat.
    fn wants(&self, number: usize) -> Option<u64> {
        let seat = &self.seats[number];
        if self.stopping || seat.successor.is_some() {
            None
        } else if self.probing && number == 0 {
            Some(self.begun)
        } else {
            (self.wanted > 0 && seat.is_vacant(self.wanted)).then_some(self.wanted)
        }
    }

    fn free_slot(&self) -> Option<usize> {
        (0..self.scoreboard.slots().len())
            .find(|slot| self.workers().all(|worker| worker.slot != Some(*slot)))
    }

    /// Takes in what the workers say.
    fn hear(&mut self) {
        let mut changed = false;
        for number in 0..self.seats.len() {
            let seat = &mut self.seats[number];
            if let Some(worker) = &mut seat.worker {
                for said in worker.hear() {
                    match said {
                        FromWorker::Exhausted => worker.is_exhausted = true,
                        FromWorker::Changed => changed = true,
                        FromWorker::Ready => {}
                    }
                }
            }
            let Some(worker) = &mut seat.successor else {
                continue;
            };
            let said = worker.hear();
            if worker.is_ready() {
                worker.is_exhausted = said.contains(&FromWorker::Exhausted);
                changed |= said.contains(&FromWorker::Changed);
                self.install(number);
            }
        }
        if changed {
            self.reload("changed files");
        }
    }

    /// A worker that is ready takes its place.
    fn install(&mut self, number: usize) {
        let seat = &mut self.seats[number];
        let former = std::mem::replace(&mut seat.worker, seat.successor.take());
        let generation = seat.worker.as_ref().map_or(0, |worker| worker.generation);
        if self.probing && generation == self.begun {
            self.probing = false;
            self.wanted = generation;
            for seat in &mut self.seats {
                // What made others fail may be mended.
                seat.backoff.reset();
                seat.due = None;
            }
            let on = self.plan.listener.describe();
            tracing::info!(
                generation,
                on,
                processes = self.seats.len(),
                "generation {generation} serves"
            );
        }
        if let Some(former) = former {
            self.dismiss(former);
        }
    }

    /// Has a worker finish its requests and end; one that serves nobody yet ends at once.
    fn dismiss(&mut self, mut worker: Worker) {
        worker.drain();
        let deadline = Instant::now() + self.plan.graceful_timeout;
        self.leaving.push(Leaving { worker, deadline });
    }

    /// Begins another generation.
    fn reload(&mut self, reason: &str) {
        if self.stopping {
            return;
        }
        for number in 0..self.seats.len() {
            // What is being loaded may be older than what was changed.
            if let Some(worker) = self.seats[number].successor.take() {
                self.dismiss(worker);
            }
        }
        self.begun += 1;
        self.probing = true;
        self.seats[0].due = None;
        tracing::info!(generation = self.begun, "reloading because of {reason}");
    }

    /// Ends all workers: in order the first time, at once the second.
    fn stop(&mut self) {
        if self.stopping {
            tracing::warn!("the workers are ended with the requests that still run");
            self.leaving
                .iter_mut()
                .for_each(|leaving| leaving.worker.kill());
            return;
        }
        tracing::info!("stopping");
        self.stopping = true;
        for number in 0..self.seats.len() {
            let seat = &mut self.seats[number];
            let (worker, successor) = (seat.worker.take(), seat.successor.take());
            if let Some(worker) = worker {
                self.dismiss(worker);
            }
            if let Some(worker) = successor {
                self.dismiss(worker);
            }
        }
    }

    /// Notices the workers that have ended, and ends those that should have.
    fn reap(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        let scoreboard = &self.scoreboard;
        self.leaving.retain_mut(|Leaving { worker, deadline }| {
            if let Some(status) = worker.ended(scoreboard) {
                tracing::info!(worker = worker.pid(), "worker ended: {}", describe(status));
                return false;
            }
            if now >= *deadline && !worker.is_killed {
                tracing::warn!(
                    worker = worker.pid(),
                    "worker killed: its requests did not end in time"
                );
                worker.kill();
            }
            true
        });
        for number in 0..self.seats.len() {
            let seat = &mut self.seats[number];
            if let Some(worker) = &mut seat.worker
                && let Some(status) = worker.ended(&self.scoreboard)
                && let Some(worker) = seat.worker.take()
            {
                self.replace(number, &worker, status);
            }
            let seat = &mut self.seats[number];
            if let Some(worker) = &mut seat.successor
                && let Some(status) = worker.ended(&self.scoreboard)
                && let Some(worker) = seat.successor.take()
            {
                self.fail(number, &worker, status)?;
            }
        }
        Ok(())
    }

    /// A worker that served has ended.
    fn replace(&mut self, number: usize, worker: &Worker, status: ExitStatus) {
        if let Some(slot) = worker
            .slot
            .and_then(|slot| self.scoreboard.slots().get(slot))
        {
            slot.count_restart();
        }
        let (pid, how) = (worker.pid(), describe(status));
        let seat = &mut self.seats[number];
        let in_order = [0, Watch::EXIT_STATUS.into()];
        if worker.lived() > SHORT && status.code().is_some_and(|code| in_order.contains(&code)) {
            tracing::warn!(
                worker = pid,
                "worker ended by itself ({how}); another one is started"
            );
            return;
        }
        let wait = seat.backoff.fail(worker.lived());
        tracing::error!(
            worker = pid,
            "worker died ({how}); another one is started in {wait:?}"
        );
        seat.due = Some(Instant::now() + wait);
    }

    /// A worker has ended that never served.
    fn fail(&mut self, number: usize, worker: &Worker, status: ExitStatus) -> Result<(), Error> {
        let (pid, how) = (worker.pid(), describe(status));
        let seat = &mut self.seats[number];
        let wait = seat.backoff.fail(Duration::ZERO);
        seat.due = Some(Instant::now() + wait);
        if self.probing && worker.generation == self.begun {
            if self.wanted == 0 {
                return Err(Error::Workers { ended: how });
            }
            self.probing = false;
            tracing::error!(
                worker = pid,
                "generation {} could not be started ({how}; its error is above): generation {} goes on serving",
                self.begun,
                self.wanted
            );
        } else {
            tracing::error!(
                worker = pid,
                "worker ended before it was ready ({how}); the next attempt is in {wait:?}"
            );
        }
        Ok(())
    }
}
