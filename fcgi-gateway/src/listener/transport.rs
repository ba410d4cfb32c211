//! What the driver needs of a connection, and the server of a listening socket.

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::RecvFlags;

/// One connection to a Web server: blocking reads and writes, and a descriptor to wait on.
pub trait Transport: Read + Write + AsFd + Debug + Send {
    /// The other end's address where it has one, which is over TCP.
    fn peer(&self) -> Option<SocketAddr>;

    /// Reads what has arrived, without waiting.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] where nothing has arrived; else the operating system's.
    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// How long a read and a write may block at most; `None` is for ever. Beyond it they fail with
    /// [`io::ErrorKind::WouldBlock`] or [`io::ErrorKind::TimedOut`].
    ///
    /// # Errors
    /// The operating system's.
    fn set_timeouts(&self, read: Option<Duration>, write: Option<Duration>) -> io::Result<()>;

    /// Tells the other end that nothing more will be written.
    ///
    /// # Errors
    /// The operating system's.
    fn shutdown_write(&self) -> io::Result<()>;
}

impl Transport for UnixStream {
    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        receive(self, buffer)
    }

    fn set_timeouts(&self, read: Option<Duration>, write: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(read)?;
        self.set_write_timeout(write)
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Transport for TcpStream {
    fn peer(&self) -> Option<SocketAddr> {
        self.peer_addr().ok()
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        receive(self, buffer)
    }

    fn set_timeouts(&self, read: Option<Duration>, write: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(read)?;
        self.set_write_timeout(write)
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

fn receive(socket: &impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, buffer, RecvFlags::DONTWAIT)?.0)
}

/// A listening socket.
pub trait Listener: AsFd + Debug + Send + Sync {
    /// Takes the next connection without waiting for one. `None`: there is none, or it was refused.
    ///
    /// # Errors
    /// The operating system's, where the listener itself is at fault; a connection that went away in the queue is none.
    fn accept(&self) -> io::Result<Option<Box<dyn Transport>>>;

    /// Where it listens, for the log: `unix:/run/site.sock`, `tcp:127.0.0.1:9000`.
    fn describe(&self) -> String;
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
