//! A pipe on which one Web server after the other connects.

use std::convert::Infallible;
use std::io;
use std::net::{Shutdown as Direction, TcpStream};
use std::os::windows::io::{AsHandle as _, OwnedHandle};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::handle::{Arrival, Kind, Stop, client, disconnect, flush};
use super::pump::{self, Closed};
use super::{LINGER, Pipe, WindowsPipe, new_pipe};
use crate::descriptor::waits_on;
use crate::listener::transport::{Listener, Transport};
use crate::shutdown::Waker;
use crate::{Shutdown, local_stream};

/// A pipe, seen as a listening socket.
#[derive(Debug)]
pub(in crate::listener) struct PipeListener {
    /// Wakes where somebody has connected.
    waker: Arc<Waker>,
    arrived: Mutex<Receiver<WindowsPipe>>,
    /// Until Web servers are accepted.
    door: Option<Door>,
}

/// What accepts Web servers.
#[derive(Debug)]
struct Door {
    pipe: OwnedHandle,
    kind: Kind,
    waker: Arc<Waker>,
    arrivals: Sender<WindowsPipe>,
}

/// The server's part of a connection: the stream, what is disconnected when all is written, and what is disconnected when the
/// server has done with it.
type Connection = (TcpStream, Sender<Infallible>, Receiver<Infallible>);

impl PipeListener {
    /// Takes a pipe over to which nobody is connected yet. Web servers are accepted from [`Listener::start`] on.
    pub(in crate::listener) fn new(pipe: OwnedHandle, kind: Kind) -> io::Result<Self> {
        let waker = Arc::new(Waker::new()?);
        let (arrivals, arrived) = channel();
        let door = Door {
            pipe,
            kind,
            waker: Arc::clone(&waker),
            arrivals,
        };
        Ok(Self {
            waker,
            arrived: Mutex::new(arrived),
            door: Some(door),
        })
    }
}

waits_on!(PipeListener, waker);

impl Listener for PipeListener {
    fn start(&mut self, shutdown: &Shutdown) -> io::Result<()> {
        let Some(door) = self.door.take() else {
            return Ok(());
        };
        let pipe = new_pipe(door.pipe.as_handle().try_clone_to_owned()?, door.kind)?;
        let stop = Stop::from_environment(shutdown);
        let shutdown = shutdown.clone();
        pump::spawn("pipe", move || {
            let ended = door.open(pipe, stop, &shutdown);
            if let Err(error) = ended {
                tracing::error!(%error, "no more Web servers can be accepted on the pipe");
            }
            shutdown.request();
        })
    }

    fn accept(&self) -> io::Result<Option<Box<dyn Transport>>> {
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        self.waker.receive();
        Ok(arrived
            .try_recv()
            .ok()
            .map(|pipe| Box::new(pipe) as Box<dyn Transport>))
    }

    fn describe(&self) -> String {
        "the named pipe on the standard input".to_owned()
    }

    fn can_impersonate(&self) -> bool {
        true
    }
}

impl Door {
    /// Accepts one Web server after the other, until this process is told to end or nobody can come any more.
    fn open(
        &self,
        mut pipe: Box<dyn Pipe>,
        mut stop: Option<Stop>,
        shutdown: &Shutdown,
    ) -> io::Result<()> {
        let mut former = None;
        loop {
            match pipe.connect(&mut stop, former.as_ref())? {
                Arrival::Connected => {}
                Arrival::Stopped => return Ok(()),
                Arrival::Gone => {
                    tracing::info!("the Web server's process has ended");
                    return Ok(());
                }
            }
            former = client(pipe.handle().as_handle());
            let (stream, written, done) = self.give()?;
            let closed = pipe.exchange(&stream, &mut stop);
            drop(written);
            if matches!(closed, Closed::ByServer) {
                flush(pipe.handle().as_handle(), LINGER)?;
            }
            disconnect(pipe.handle().as_handle())?;
            drop(stream);
            // The next one's requests are never taken for this one's.
            let _ = done.recv();
            if shutdown.is_requested() {
                return Ok(());
            }
            if former.is_none() {
                tracing::info!(
                    "the Web server has left, and Windows does not tell whether it will come again"
                );
                return Ok(());
            }
        }
    }

    /// Gives the server a connection.
    fn give(&self) -> io::Result<Connection> {
        let (stream, other) = local_stream::pair()?;
        other.set_nonblocking(true)?;
        let ((written, all_written), (open, done)) = (channel(), channel());
        let arrival = WindowsPipe {
            stream: other,
            pipe: Arc::new(self.pipe.as_handle().try_clone_to_owned()?),
            ends: None,
            written: Some(all_written),
            _open: Some(open),
        };
        if self.arrivals.send(arrival).is_err() {
            // The server has ended, and nobody answers any more.
            let _ = stream.shutdown(Direction::Both);
        }
        self.waker.wake();
        Ok((stream, written, done))
    }
}
