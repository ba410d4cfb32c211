//! No supervision on Windows: a process can hand a listening socket to another one there, but no Web server of Windows asks for
//! it. IIS starts several processes by itself.

use std::sync::Arc;
use std::time::Duration;

use pyo3::Python;

use crate::{Error, Scoreboard, ServeOptions, Shutdown};

/// What a supervisor tells a worker: nobody does.
#[derive(Debug)]
pub(in crate::wsgi) enum Ticket {}

/// That this process is one of a supervisor's workers: none is.
#[derive(Clone, Debug)]
pub(in crate::wsgi) enum Membership {}

/// What a worker tells its supervisor.
#[derive(Clone, Copy, Debug)]
pub(in crate::wsgi) enum FromWorker {
    /// It has served as many requests as it should.
    Exhausted,
    /// Files that the application was loaded from have changed.
    Changed,
}

impl Membership {
    pub(in crate::wsgi) const fn take(ticket: &Ticket) -> Result<Self, Error> {
        match *ticket {}
    }

    pub(in crate::wsgi) const fn seat(&self) -> usize {
        match *self {}
    }

    pub(in crate::wsgi) const fn generation(&self) -> u64 {
        match *self {}
    }

    pub(in crate::wsgi) const fn scoreboard(&self) -> &Arc<Scoreboard> {
        match *self {}
    }

    pub(in crate::wsgi) const fn obey(&self, _: &Shutdown, _: Duration) -> Result<(), Error> {
        match *self {}
    }

    pub(in crate::wsgi) const fn begin(&self) {
        match *self {}
    }

    pub(in crate::wsgi) const fn tell(&self, _: FromWorker) {
        match *self {}
    }
}

/// No supervisor has started this process.
pub(in crate::wsgi) const fn ticket(_: Python<'_>) -> Result<Option<Ticket>, Error> {
    Ok(None)
}

pub(in crate::wsgi) fn supervise(
    _: Python<'_>,
    _: &ServeOptions,
    _: usize,
    _: &(dyn Fn() + Sync),
) -> Result<(), Error> {
    Err(Error::ProcessesOnWindows)
}
