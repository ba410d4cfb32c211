//! Linux's epoll.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use super::Watch;

/// Descriptors that are reported at once.
const BATCH: usize = 64;

/// A set of descriptors, each with a token of the caller's.
#[derive(Debug)]
pub(in crate::server) struct Selector(OwnedFd);

impl Selector {
    pub(in crate::server) fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(CreateFlags::CLOEXEC)?))
    }

    /// Watches a descriptor until it is removed or closed.
    pub(in crate::server) fn add(
        &self,
        fd: &(impl AsFd + ?Sized),
        token: u64,
        watch: Watch,
    ) -> io::Result<()> {
        let flags = match watch {
            Watch::Always => EventFlags::IN,
            Watch::Once => EventFlags::IN | EventFlags::ONESHOT,
            Watch::Shared => EventFlags::IN | EventFlags::EXCLUSIVE,
        };
        Ok(epoll::add(&self.0, fd, EventData::new_u64(token), flags)?)
    }

    /// Watches a descriptor again that was to be reported once.
    pub(in crate::server) fn again(&self, fd: &(impl AsFd + ?Sized), token: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::ONESHOT;
        Ok(epoll::modify(
            &self.0,
            fd,
            EventData::new_u64(token),
            flags,
        )?)
    }

    pub(in crate::server) fn remove(&self, fd: &(impl AsFd + ?Sized)) -> io::Result<()> {
        Ok(epoll::delete(&self.0, fd)?)
    }

    /// Waits until something can be read, for `timeout` at most; `None` is for ever. The tokens are appended to `ready`.
    pub(in crate::server) fn wait(
        &self,
        timeout: Option<Duration>,
        ready: &mut Vec<u64>,
    ) -> io::Result<()> {
        // Older kernels count in milliseconds; rounded down, the last one would be spent in a loop.
        let timeout = timeout.and_then(|timeout| {
            let millis = timeout.as_nanos().div_ceil(1_000_000);
            let whole = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
            Timespec::try_from(whole).ok()
        });
        let mut events = Vec::with_capacity(BATCH);
        epoll::wait(&self.0, spare_capacity(&mut events), timeout.as_ref())?;
        ready.extend(events.iter().map(|event| event.data.u64()));
        Ok(())
    }
}
