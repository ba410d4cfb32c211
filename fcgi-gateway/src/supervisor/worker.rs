//! A worker process, as its supervisor sees it.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::message::{FromWorker, REOPEN};
use super::ticket::{self, Ticket};
use crate::scoreboard::{Scoreboard, WorkerState};

/// A process that serves, or is about to, or has stopped to.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    /// `None` once it was told to finish.
    control: Option<UnixStream>,
    pub(super) generation: u64,
    /// The scoreboard's, where one was free.
    pub(super) slot: Option<usize>,
    ready: Option<Instant>,
    /// Whether another one is to take its place.
    pub(super) is_exhausted: bool,
    /// Whether it was killed by us.
    pub(super) is_killed: bool,
}

/// What a supervisor starts its workers with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start<'s> {
    /// Program and arguments.
    pub(super) command: &'s [OsString],
    pub(super) listener: BorrowedFd<'s>,
    pub(super) scoreboard: &'s Scoreboard,
    pub(super) seat: usize,
    pub(super) generation: u64,
    pub(super) slot: Option<usize>,
}

impl Start<'_> {
    /// Starts the program.
    pub(super) fn spawn(&self) -> io::Result<Worker> {
        let [program, arguments @ ..] = self.command else {
            return Err(io::Error::other(
                "there is no command to start a worker with",
            ));
        };
        let (control, handed) = UnixStream::pair()?;
        control.set_nonblocking(true)?;
        // Copies without the flag that closes them in other programs; they live until the worker has its own.
        let handed = rustix::io::dup(handed)?;
        let board = match (self.scoreboard.fd(), self.slot) {
            (Some(fd), Some(slot)) => Some((rustix::io::dup(fd)?, slot)),
            _ => None,
        };
        let ticket = Ticket {
            seat: self.seat,
            generation: self.generation,
            control: handed.as_raw_fd(),
            scoreboard: board.as_ref().map(|(fd, slot)| (fd.as_raw_fd(), *slot)),
        };
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::from(self.listener.try_clone_to_owned()?))
            .env(ticket::VARIABLE, ticket.to_string())
            // They are meant for the supervisor.
            .env_remove("LISTEN_PID")
            .env_remove("LISTEN_FDS")
            .env_remove("LISTEN_FDNAMES")
            // Ctrl-C at a terminal reaches the supervisor, which tells its workers in its own way.
            .process_group(0)
            .spawn()?;
        if let Some(slot) = self.slot.and_then(|slot| self.scoreboard.slots().get(slot)) {
            slot.start(child.id(), self.generation, 0);
        }
        Ok(Worker {
            child,
            control: Some(control),
            generation: self.generation,
            slot: self.slot,
            ready: None,
            is_exhausted: false,
            is_killed: false,
        })
    }
}

impl Worker {
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The stream to wait on, while there is something to hear.
    pub(super) fn control(&self) -> Option<BorrowedFd<'_>> {
        self.control.as_ref().map(AsFd::as_fd)
    }

    /// What it has said; it forgets a stream that has ended.
    pub(super) fn hear(&mut self) -> Vec<FromWorker> {
        let mut said = Vec::new();
        let mut octets = [0; 16];
        while let Some(mut control) = self.control.as_ref() {
            match control.read(&mut octets) {
                Ok(len @ 1..) => {
                    said.extend(octets[..len].iter().copied().filter_map(FromWorker::of));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => self.control = None,
            }
        }
        if said.contains(&FromWorker::Ready) {
            self.ready = Some(Instant::now());
        }
        said
    }

    pub(super) const fn is_ready(&self) -> bool {
        self.ready.is_some()
    }

    /// How long it has served.
    pub(super) fn lived(&self) -> Duration {
        self.ready.map_or(Duration::ZERO, |ready| ready.elapsed())
    }

    /// Tells it to finish the running requests, and to end.
    pub(super) fn drain(&mut self) {
        self.control = None;
    }

    /// Tells it to open its log files anew.
    pub(super) fn reopen(&self) {
        if let Some(mut control) = self.control.as_ref() {
            // A full stream says so already; a broken one is noticed elsewhere.
            let _ = control.write(&[REOPEN]);
        }
    }

    pub(super) fn kill(&mut self) {
        self.is_killed = true;
        // It fails where the process has ended already.
        let _ = self.child.kill();
    }

    /// How it has ended, where it has.
    pub(super) fn ended(&mut self, scoreboard: &Scoreboard) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten()?;
        if let Some(slot) = self.slot.and_then(|slot| scoreboard.slots().get(slot)) {
            slot.set_state(WorkerState::Free);
        }
        Some(status)
    }
}

/// How a process has ended, in words.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}
