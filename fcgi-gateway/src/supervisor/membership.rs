//! A worker's side of the supervision.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use super::message::{FromWorker, REOPEN};
use super::ticket::Ticket;
use crate::listener::inherited::inherited;
use crate::watchdog::Watch;
use crate::{Error, Scoreboard, Shutdown};

/// That this process is one of a supervisor's workers.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    seat: usize,
    generation: u64,
    scoreboard: Arc<Scoreboard>,
    control: Arc<UnixStream>,
    phase: Arc<AtomicU8>,
}

/// Requests are not taken yet.
const LOADING: u8 = 0;
/// Requests are taken.
const SERVING: u8 = 1;
/// No requests will be taken.
const UNWANTED: u8 = 2;

impl Membership {
    /// Takes what the supervisor has handed over.
    ///
    /// # Errors
    /// The descriptors are not open: the variable was inherited by a process that it was not meant for.
    pub(crate) fn take(ticket: &Ticket) -> Result<Self, Error> {
        let control = UnixStream::from(inherited(ticket.control)?);
        let scoreboard = match ticket.scoreboard {
            Some((fd, slot)) => Scoreboard::inherit(inherited(fd)?, slot).unwrap_or_else(|error| {
                tracing::warn!(%error, "this worker counts for itself");
                Scoreboard::private()
            }),
            None => Scoreboard::private(),
        };
        Ok(Self {
            seat: ticket.seat,
            generation: ticket.generation,
            scoreboard: Arc::new(scoreboard),
            control: Arc::new(control),
            phase: Arc::default(),
        })
    }

    /// Its place among the workers, from 0.
    pub(crate) const fn seat(&self) -> usize {
        self.seat
    }

    /// Which start of all workers it belongs to, from 1.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// What all workers count in.
    pub(crate) const fn scoreboard(&self) -> &Arc<Scoreboard> {
        &self.scoreboard
    }

    /// Does what the supervisor says until the end. When it wants this worker to finish, or is gone itself, `shutdown` is
    /// requested; where that has no effect within `graceful_timeout`, the process ends.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn obey(
        &self,
        shutdown: &Shutdown,
        graceful_timeout: Duration,
    ) -> Result<(), Error> {
        let (membership, shutdown) = (self.clone(), shutdown.clone());
        std::thread::Builder::new()
            .name("supervised".to_owned())
            .spawn(move || {
                let mut octets = [0; 16];
                loop {
                    match (&*membership.control).read(&mut octets) {
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        Ok(0) | Err(_) => break,
                        Ok(len) if octets[..len].contains(&REOPEN) => shutdown.reopen(),
                        Ok(_) => {}
                    }
                }
                if membership.enter(UNWANTED) {
                    // Nothing is lost with it; what it is loading may take long, or hang.
                    let _ = kill_process(getpid(), Signal::KILL);
                }
                shutdown.request();
                // The supervisor waits as long before it kills; where it is gone itself, nobody else would end a process
                // that hangs.
                std::thread::sleep(graceful_timeout.saturating_add(GRACE));
                tracing::error!(
                    "requests still run after {graceful_timeout:?}: this worker ends with them"
                );
                Watch::end_process(Watch::EXIT_STATUS);
            })?;
        Ok(())
    }

    /// Tells the supervisor that requests are taken from now on.
    pub(crate) fn begin(&self) {
        if self.enter(SERVING) {
            self.tell(FromWorker::Ready);
        } else {
            // The other thread ends this process at this moment.
            loop {
                std::thread::park();
            }
        }
    }

    /// Leaves [`LOADING`]; `false` where somebody else has.
    fn enter(&self, phase: u8) -> bool {
        self.phase
            .compare_exchange(LOADING, phase, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    /// Tells the supervisor something.
    pub(crate) fn tell(&self, message: FromWorker) {
        // A supervisor that is gone is noticed by the thread that reads.
        let _ = (&*self.control).write_all(&[message.octet()]);
    }
}

/// How much longer a worker waits than its supervisor.
const GRACE: Duration = Duration::from_secs(1);
