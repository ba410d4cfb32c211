//! A FastCGI process and what it has started, which are told to end together.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use self::unix::ProcessGroup;
#[cfg(windows)]
pub(crate) use self::windows::ProcessGroup;

/// What to tell a process group.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    /// End soon: `SIGTERM`, on Windows the event of `_FCGI_SHUTDOWN_EVENT_`.
    Terminate,
    /// Be gone: `SIGKILL`, on Windows the end of the job.
    Kill,
}
