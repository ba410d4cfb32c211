//! What the driver needs of a connection, and the server of a listening socket.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fmt::Debug;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

#[cfg(unix)]
use self::unix::{try_receive, try_receive_all, try_send};
#[cfg(windows)]
use self::windows::{try_receive, try_receive_all, try_send};
use crate::Shutdown as ServerShutdown;
use crate::descriptor::{AsFd, BorrowedFd};
use crate::impersonation::Impersonation;

/// One connection to a Web server: reads and writes that wait for a while, and a descriptor to wait on with others.
///
/// Nothing is set on the socket: what is there is taken or given first, and only then is it waited for. So a request whose
/// octets have arrived and whose answer fits costs one call each.
pub trait Transport: AsFd + Debug + Send {
    /// Called once before anything is read or written, with what may be asked to stop the server: a transport may learn by
    /// itself that the Web server wants that.
    ///
    /// # Errors
    /// The operating system's.
    fn start(&mut self, _: &ServerShutdown) -> io::Result<()> {
        Ok(())
    }

    /// The other end's address where it has one, which is over TCP.
    fn peer(&self) -> Option<SocketAddr>;

    /// Reads what has arrived, without waiting.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] where nothing has arrived; else the operating system's.
    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Reads what has arrived, and waits for it at most for `timeout`; `None` is for ever.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`]; [`io::ErrorKind::Interrupted`] where a signal ended the waiting; else the operating
    /// system's.
    fn read(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize>;

    /// As [`read`](Self::read), filling one of `slices` after the other.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_vectored(
        &mut self,
        slices: &mut [IoSliceMut<'_>],
        timeout: Option<Duration>,
    ) -> io::Result<usize>;

    /// Writes octets from the front of `slices`, at least one, and waits for room at most for `timeout`; `None` is for ever.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`]; else the operating system's.
    fn write(&mut self, slices: &[IoSlice<'_>], timeout: Option<Duration>) -> io::Result<usize>;

    /// Tells the other end that nothing more will be written.
    ///
    /// # Errors
    /// The operating system's.
    fn shutdown_write(&self) -> io::Result<()>;

    /// Whether [`impersonate`](Self::impersonate) can be called.
    fn can_impersonate(&self) -> bool {
        false
    }

    /// Has the calling thread act as whoever has sent the last octets, until what is returned is dropped. A named pipe of
    /// Windows can do that.
    ///
    /// # Errors
    /// The operating system's; [`io::ErrorKind::Unsupported`] where nobody is known.
    fn impersonate(&self) -> io::Result<Impersonation> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(unix)]
impl Transport for std::os::unix::net::UnixStream {
    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        try_receive(self, buffer)
    }

    fn read(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize> {
        receive(self, timeout, |socket| try_receive(socket, buffer))
    }

    fn read_vectored(
        &mut self,
        slices: &mut [IoSliceMut<'_>],
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        receive(self, timeout, |socket| try_receive_all(socket, slices))
    }

    fn write(&mut self, slices: &[IoSlice<'_>], timeout: Option<Duration>) -> io::Result<usize> {
        send(self, timeout, |socket| try_send(socket, slices))
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// On Windows the stream has to be non-blocking: there are no calls that do not wait by themselves.
impl Transport for TcpStream {
    fn peer(&self) -> Option<SocketAddr> {
        self.peer_addr().ok()
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        try_receive(self, buffer)
    }

    fn read(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize> {
        receive(self, timeout, |socket| try_receive(socket, buffer))
    }

    fn read_vectored(
        &mut self,
        slices: &mut [IoSliceMut<'_>],
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        receive(self, timeout, |socket| try_receive_all(socket, slices))
    }

    fn write(&mut self, slices: &[IoSlice<'_>], timeout: Option<Duration>) -> io::Result<usize> {
        send(self, timeout, |socket| try_send(socket, slices))
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

fn receive<S: AsFd>(
    socket: &S,
    timeout: Option<Duration>,
    mut try_receive: impl FnMut(&S) -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        match try_receive(socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait(socket.as_fd(), PollFlags::IN, timeout)?;
            }
            result => return result,
        }
    }
}

fn send<S: AsFd>(
    socket: &S,
    timeout: Option<Duration>,
    mut try_send: impl FnMut(&S) -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        match try_send(socket) {
            // A socket has room again when most of what it holds has been read, so that this wakes seldom.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                match wait(socket.as_fd(), PollFlags::OUT, timeout) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    waited => waited?,
                }
            }
            result => return result,
        }
    }
}

fn wait(fd: BorrowedFd<'_>, flags: PollFlags, timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    match poll(&mut [PollFd::from_borrowed_fd(fd, flags)], timeout.as_ref())? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

/// Has an accepted connection be as a [`Transport`] needs it.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    #[cfg(windows)]
    stream.set_nonblocking(true)?;
    // Records are written whole; waiting for more would only delay them.
    stream.set_nodelay(true)
}

/// A listening socket.
pub trait Listener: AsFd + Debug + Send + Sync {
    /// Called once before anything is accepted, with what may be asked to stop the server: a listener may learn by itself that
    /// the Web server wants that.
    ///
    /// # Errors
    /// The operating system's.
    fn start(&mut self, _: &ServerShutdown) -> io::Result<()> {
        Ok(())
    }

    /// Takes the next connection without waiting for one. `None`: there is none, or it was refused.
    ///
    /// # Errors
    /// The operating system's, where the listener itself is at fault; a connection that went away in the queue is none.
    fn accept(&self) -> io::Result<Option<Box<dyn Transport>>>;

    /// Where it listens, for the log: `unix:/run/site.sock`, `tcp:127.0.0.1:9000`.
    fn describe(&self) -> String;

    /// Whether the connections can say whose requests they bring: [`Transport::can_impersonate`].
    fn can_impersonate(&self) -> bool {
        false
    }
}

/// What `accept` has returned: a connection, nothing to take, or an error of the listener.
pub(super) fn accepted<S>(result: io::Result<S>) -> io::Result<Option<S>> {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    match result {
        Ok(stream) => Ok(Some(stream)),
        // Another process took it, the peer gave up in the queue, or a signal came: there will be others.
        Err(error)
            if matches!(
                error.kind(),
                WouldBlock | ConnectionAborted | ConnectionReset | Interrupted
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
