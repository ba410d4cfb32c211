//! POSIX's `poll`.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Watch;
use crate::descriptor::{AsFd, AsRawFd as _, OwnedFd, RawFd};

/// A set of descriptors, each with a token of the caller's. It holds duplicates, as each may be closed while it is watched.
#[derive(Debug)]
pub(in crate::server) struct Selector(Mutex<BTreeMap<RawFd, Watched>>);

#[derive(Debug)]
struct Watched {
    fd: OwnedFd,
    token: u64,
    once: bool,
    /// Whether it is to be reported.
    armed: bool,
}

impl Selector {
    pub(in crate::server) fn new() -> io::Result<Self> {
        Ok(Self(Mutex::default()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RawFd, Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a descriptor until it is removed.
    pub(in crate::server) fn add(
        &self,
        fd: &(impl AsFd + ?Sized),
        token: u64,
        watch: Watch,
    ) -> io::Result<()> {
        let fd = fd.as_fd();
        let watched = Watched {
            fd: fd.try_clone_to_owned()?,
            token,
            once: watch == Watch::Once,
            armed: true,
        };
        self.lock().insert(fd.as_raw_fd(), watched);
        Ok(())
    }

    /// Watches a descriptor again that was to be reported once.
    pub(in crate::server) fn again(&self, fd: &(impl AsFd + ?Sized), token: u64) -> io::Result<()> {
        if let Some(watched) = self.lock().get_mut(&fd.as_fd().as_raw_fd()) {
            watched.token = token;
            watched.armed = true;
        }
        Ok(())
    }

    pub(in crate::server) fn remove(&self, fd: &(impl AsFd + ?Sized)) -> io::Result<()> {
        self.lock().remove(&fd.as_fd().as_raw_fd());
        Ok(())
    }

    /// Waits until something can be read, for `timeout` at most; `None` is for ever. The tokens are appended to `ready`.
    pub(in crate::server) fn wait(
        &self,
        timeout: Option<Duration>,
        ready: &mut Vec<u64>,
    ) -> io::Result<()> {
        // What is added meanwhile is seen at the next call: short waits stand in for a way to interrupt this one.
        const STEP: Duration = Duration::from_millis(20);
        let step = timeout.map_or(STEP, |timeout| timeout.min(STEP));
        let mut left = timeout;
        loop {
            let mut watched = self.lock();
            let duplicates = watched
                .iter()
                .filter(|(_, watched)| watched.armed)
                .map(|(fd, watched)| Ok((*fd, watched.fd.try_clone()?)))
                .collect::<io::Result<Vec<_>>>()?;
            drop(watched);
            let mut fds: Vec<_> = duplicates
                .iter()
                .map(|(_, fd)| PollFd::new(fd, PollFlags::IN))
                .collect();
            let timeout = Timespec::try_from(left.map_or(step, |left| left.min(step))).ok();
            if fds.is_empty() {
                // Windows refuses to wait for nothing.
                std::thread::sleep(left.map_or(step, |left| left.min(step)));
            } else {
                poll(&mut fds, timeout.as_ref())?;
            }
            let reported: Vec<_> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            watched = self.lock();
            for ((fd, _), _) in duplicates
                .iter()
                .zip(reported)
                .filter(|(_, reported)| *reported)
            {
                if let Some(watched) = watched.get_mut(fd).filter(|watched| watched.armed) {
                    watched.armed = !watched.once;
                    ready.push(watched.token);
                }
            }
            left = left.map(|left| left.saturating_sub(step));
            if !ready.is_empty() || left.is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
        }
    }
}
