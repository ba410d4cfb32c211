//! The named pipe that a Web server hands over as standard input on Windows.
//!
//! The Web server makes the pipe and gives its server's end to the process. There are two ways to go on:
//!
//! - IIS names the pipe in `_FCGI_X_PIPE_` (Microsoft's notes on the FastCGI extension 1.5, KB980363) and has connected to it
//!   already. All requests come over it one after the other, and its end is the end of the process, which is how wfastcgi has it:
//!   [`WindowsPipe`].
//! - Where nobody is connected, or nobody has named the pipe, one Web server after the other is accepted with `ConnectNamedPipe`,
//!   as mod_fcgid and the FastCGI development kit have it, and its connection ends as `FCGI_KEEP_CONN` says: [`PipeListener`]. The
//!   process ends when it is told to, or when the process of the Web server that was connected last has ended.
//!
//! A pipe cannot be waited for together with sockets, as the server waits. So threads of its own move the octets between the
//! pipe and a local stream, and what the server sees is a socket. Whether the handle is synchronous or overlapped was decided by
//! whoever made it; `FileModeInformation` tells:
//!
//! - On a synchronous handle Windows does one call after the other: a read that waits would hold up the write of a response, and
//!   the look whether the Web server is gone. One thread is the only owner of the handle, and reads only what is there already,
//!   which it looks for at least every 20 ms.
//! - On an overlapped handle one thread reads and another one writes, each with an event of its own.
//!
//! When the event of `_FCGI_SHUTDOWN_EVENT_` is signalled, the requests that have arrived by then are answered, and the server
//! stops.
//!
//! `FlushFileBuffers` and `DisconnectNamedPipe` are called only where the pipe takes another client: when the server has closed
//! the connection, the Web server has five seconds to read what was written, which is lost with the disconnection. A process
//! that ends calls neither: whatever was written stays readable for the Web server when this process closes its end.

mod door;
mod handle;
mod overlapped;
mod pump;
mod synchronous;

use std::convert::Infallible;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown as Direction, SocketAddr, TcpStream};
use std::os::windows::io::{AsHandle as _, OwnedHandle};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

pub(super) use self::door::PipeListener;
use self::handle::{Arrival, Kind, Stop};
pub(super) use self::handle::{Found, look};
use self::overlapped::OverlappedPipe;
use self::pump::Closed;
use self::synchronous::SynchronousPipe;
use super::transport::Transport;
use crate::descriptor::waits_on;
use crate::impersonation::Impersonation;
use crate::{Shutdown, local_stream};

/// How long the last octets of a response may take on their way into the pipe when the process ends, and out of it when another
/// Web server is to be accepted.
const LINGER: Duration = Duration::from_secs(5);

/// What both kinds of pipe do.
trait Pipe: Send + 'static {
    /// Waits for a Web server to connect.
    fn connect(
        &mut self,
        stop: &mut Option<Stop>,
        former: Option<&OwnedHandle>,
    ) -> io::Result<Arrival>;

    /// Moves octets between the pipe and the server until one of them closes its end.
    fn exchange(&mut self, stream: &TcpStream, stop: &mut Option<Stop>) -> Closed;

    /// The pipe itself.
    fn handle(&self) -> &OwnedHandle;
}

fn new_pipe(handle: OwnedHandle, kind: Kind) -> io::Result<Box<dyn Pipe>> {
    // Nobody has published which kind IIS gives.
    tracing::info!(handle = ?kind, "the standard input is a named pipe");
    Ok(match kind {
        Kind::Synchronous => Box::new(SynchronousPipe::new(handle)),
        Kind::Overlapped => Box::new(OverlappedPipe::new(handle)?),
    })
}

/// A connected pipe, seen as a socket.
#[derive(Debug)]
pub(super) struct WindowsPipe {
    stream: TcpStream,
    /// To act as whoever is at the other end.
    pipe: Arc<OwnedHandle>,
    /// Until the octets move.
    ends: Option<(OwnedHandle, Kind, TcpStream)>,
    /// Disconnected as soon as everything was written to the pipe.
    written: Option<Receiver<Infallible>>,
    /// Disconnected, where somebody waits for that, when the server has done with the connection.
    _open: Option<Sender<Infallible>>,
}

impl WindowsPipe {
    /// Takes a pipe over that is connected. Octets move from [`Transport::start`] on.
    pub(super) fn new(pipe: OwnedHandle, kind: Kind) -> io::Result<Self> {
        let (stream, other) = local_stream::pair()?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            pipe: Arc::new(pipe.as_handle().try_clone_to_owned()?),
            ends: Some((pipe, kind, other)),
            written: None,
            _open: None,
        })
    }
}

waits_on!(WindowsPipe, stream);

impl Transport for WindowsPipe {
    fn start(&mut self, shutdown: &Shutdown) -> io::Result<()> {
        let Some((pipe, kind, stream)) = self.ends.take() else {
            return Ok(());
        };
        let mut pipe = new_pipe(pipe, kind)?;
        let mut stop = Stop::from_environment(shutdown);
        let (sender, written) = channel();
        pump::spawn("pipe", move || {
            pipe.exchange(&stream, &mut stop);
            drop(sender);
        })?;
        self.written = Some(written);
        Ok(())
    }

    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(buffer)
    }

    fn read(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize> {
        Transport::read(&mut self.stream, buffer, timeout)
    }

    fn read_vectored(
        &mut self,
        slices: &mut [IoSliceMut<'_>],
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        Transport::read_vectored(&mut self.stream, slices, timeout)
    }

    fn write(&mut self, slices: &[IoSlice<'_>], timeout: Option<Duration>) -> io::Result<usize> {
        Transport::write(&mut self.stream, slices, timeout)
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.stream.shutdown(Direction::Write)
    }

    fn can_impersonate(&self) -> bool {
        true
    }

    fn impersonate(&self) -> io::Result<Impersonation> {
        Impersonation::of_client(self.pipe.as_handle())
    }
}

impl Drop for WindowsPipe {
    fn drop(&mut self) {
        // Whatever was written shall reach the pipe before the process ends; a Web server that does not read cannot keep it.
        let _ = self.stream.shutdown(Direction::Write);
        if let Some(written) = self.written.take() {
            let _ = written.recv_timeout(LINGER);
        }
    }
}
