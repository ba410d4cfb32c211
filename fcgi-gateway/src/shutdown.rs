//! How a server is told to stop: by a signal, or by the program that runs it.
//!
//! FastCGI Specification 1.0, section 7: a Web server that wants an application to end sends `SIGTERM`. The requests that are
//! running are then finished, nothing new is accepted, and the process exits with status 0.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::descriptor::{AsRawFd as _, RawFd, waits_on};
use crate::local_stream::{self, LocalStream};

/// `SIGINT` and `SIGTERM`, as they arrive on the descriptor of [`Shutdown::signal_fd`].
#[cfg(unix)]
pub(crate) const STOP_SIGNALS: [u8; 2] = [2, 15];
/// `SIGINT`, `SIGTERM` and `SIGBREAK`, as they arrive on the socket of [`Shutdown::signal_fd`].
#[cfg(windows)]
pub(crate) const STOP_SIGNALS: [u8; 3] = [2, 15, 21];

/// `SIGUSR1`, as its number is on this system; Windows has none, and no signal has this number.
pub(crate) fn reopen_signal() -> u8 {
    #[cfg(unix)]
    let number = rustix::process::Signal::USR1.as_raw();
    #[cfg(windows)]
    let number = i32::from(u8::MAX);
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// A request to stop, shared by the server and whoever may ask it to.
///
/// ```
/// let shutdown = fcgi_gateway::Shutdown::new()?;
/// let other = shutdown.clone();
/// assert!(!shutdown.is_requested());
/// other.request();
/// assert!(shutdown.is_requested());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<Inner>);

struct Inner {
    requested: AtomicBool,
    signals: Waker,
    reopen: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("requested", &self.requested)
            .field("signals", &self.signals)
            .finish_non_exhaustive()
    }
}

impl Shutdown {
    /// Nobody has asked yet.
    ///
    /// # Errors
    /// The operating system has no descriptors left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(Inner {
            requested: AtomicBool::new(false),
            signals: Waker::new()?,
            reopen: Mutex::default(),
        })))
    }

    /// Asks the server to finish the running requests and to stop. May be called at any time, from any thread.
    pub fn request(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
        self.0.signals.send(STOP_SIGNALS[1]);
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }

    /// What opens the logs anew when `SIGUSR1` comes, as *logrotate* wants it. A server looks at its signals as soon as one of
    /// its threads waits.
    pub fn on_reopen(&self, reopen: impl Fn() + Send + 'static) {
        *self.reopen_hook() = Some(Box::new(reopen));
    }

    pub(crate) fn reopen(&self) {
        if let Some(reopen) = &*self.reopen_hook() {
            reopen();
        }
    }

    fn reopen_hook(&self) -> MutexGuard<'_, Option<Box<dyn Fn() + Send>>> {
        self.0.reopen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The descriptor to which a signal handler writes the number of the signal as one octet; non-blocking. This is what
    /// Python's `signal.set_wakeup_fd` wants.
    #[must_use]
    pub fn signal_fd(&self) -> RawFd {
        self.0.signals.sender_fd()
    }

    /// Looks at the signals that have arrived.
    pub(crate) fn receive(&self) {
        let signals = self.0.signals.receive();
        if signals.contains(&reopen_signal()) {
            self.reopen();
        }
        if signals.iter().any(|signal| STOP_SIGNALS.contains(signal)) {
            self.0.requested.store(true, Ordering::SeqCst);
        }
    }
}

waits_on!(Shutdown, 0.signals);

/// Two ends of a stream by which one thread ends another's waiting in `poll`.
#[derive(Debug)]
pub(crate) struct Waker {
    sender: LocalStream,
    receiver: LocalStream,
}

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        let (sender, receiver) = local_stream::pair()?;
        sender.set_nonblocking(true)?;
        receiver.set_nonblocking(true)?;
        Ok(Self { sender, receiver })
    }

    /// The descriptor that wakes when an octet is written to it; non-blocking.
    pub(crate) fn sender_fd(&self) -> RawFd {
        self.sender.as_raw_fd()
    }

    pub(crate) fn wake(&self) {
        self.send(0);
    }

    fn send(&self, octet: u8) {
        // A full stream wakes as well as one more octet would.
        let _ = (&self.sender).write(&[octet]);
    }

    /// Takes what has been sent.
    pub(crate) fn receive(&self) -> Vec<u8> {
        let mut received = Vec::new();
        let mut octets = [0; 64];
        while let Ok(len @ 1..) = (&self.receiver).read(&mut octets) {
            received.extend_from_slice(&octets[..len]);
        }
        received
    }
}

waits_on!(Waker, receiver);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_signals_that_stop_stop() {
        for (signal, stops) in [(2, true), (15, true), (10, false), (17, false), (0, false)] {
            let shutdown = Shutdown::new().unwrap();
            shutdown.0.signals.send(signal);
            shutdown.receive();
            assert_eq!(shutdown.is_requested(), stops, "signal {signal}");
        }
    }

    #[test]
    fn one_signal_opens_the_logs_anew() {
        let shutdown = Shutdown::new().unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        shutdown.on_reopen(move || sender.send(()).unwrap());
        for (signal, reopened) in [(1, 0), (reopen_signal(), 1), (17, 0)] {
            shutdown.0.signals.send(signal);
            shutdown.receive();
            assert_eq!(receiver.try_iter().count(), reopened, "signal {signal}");
        }
        assert!(!shutdown.is_requested());
    }

    #[test]
    fn a_waker_never_blocks() {
        let waker = Waker::new().unwrap();
        let filled: usize = std::iter::from_fn(|| (&waker.sender).write(&[0; 65_536]).ok()).sum();
        assert!(filled > 0);
        waker.wake();
        let mut received = 0;
        while received < filled {
            received += waker.receive().len();
        }
        assert!(received - filled <= 1);
    }
}
