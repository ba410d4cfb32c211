//! A pipe on which calls are done at the same time.
#![expect(
    unsafe_code,
    reason = "std neither looks at a pipe nor reads from an overlapped handle"
)]

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown as Direction, TcpStream};
use std::os::windows::io::{AsHandle as _, AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::thread;

use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, ERROR_PIPE_CONNECTED};
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::ConnectNamedPipe;
use windows_sys::Win32::System::Threading::{CreateEventW, ResetEvent, SetEvent};

use super::Pipe;
use super::handle::{Arrival, Interruptions, Stop, disconnect, is, length, succeeded, wait_for};
use super::pump::{Closed, LEN};

/// A pipe on which calls are done at the same time.
#[derive(Debug)]
pub(super) struct OverlappedPipe {
    handle: OwnedHandle,
    /// Signalled when nothing more is to be read.
    over: OwnedHandle,
}

impl OverlappedPipe {
    pub(super) fn new(handle: OwnedHandle) -> io::Result<Self> {
        Ok(Self {
            handle,
            over: event()?,
        })
    }

    /// Reads at least one octet, and waits for it. Where the process is told to stop while nothing is there, that is passed on.
    ///
    /// # Errors
    /// [`io::ErrorKind::BrokenPipe`] where the Web server is gone and everything was read; [`io::ErrorKind::ConnectionAborted`]
    /// where nothing more is to be read; else Windows's.
    fn read(&self, buffer: &mut [u8], stop: &mut Option<Stop>) -> io::Result<usize> {
        let event = event()?;
        let mut operation = operation(&event);
        // SAFETY: the handle is open as long as `self` is; `buffer` is as long as said. Buffer and operation are in use until the
        // call is over, which `finish` waits for on every path before they go.
        let outcome = unsafe {
            ReadFile(
                self.handle.as_raw_handle(),
                buffer.as_mut_ptr(),
                length(buffer),
                std::ptr::null_mut(),
                &raw mut operation,
            )
        };
        if is_pending(outcome)? {
            let mut handles = vec![event.as_raw_handle(), self.over.as_raw_handle()];
            handles.extend(stop.as_ref().map(Stop::handle));
            let mut signalled = wait_for(&handles, None);
            if signalled == Some(2)
                && let Some(stop) = stop.take()
            {
                stop.pass_on();
                signalled = wait_for(&handles[..2], None);
            }
            if signalled == Some(1) {
                self.cancel(&operation);
                let _ = self.finish(&operation);
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        self.finish(&operation)
    }

    /// Writes at least one octet, and waits for room.
    ///
    /// # Errors
    /// [`io::ErrorKind::BrokenPipe`] where the Web server is gone; else Windows's.
    fn write(&self, octets: &[u8]) -> io::Result<usize> {
        let event = event()?;
        let mut operation = operation(&event);
        // SAFETY: as in `read`; `octets` is only read.
        let outcome = unsafe {
            WriteFile(
                self.handle.as_raw_handle(),
                octets.as_ptr(),
                length(octets),
                std::ptr::null_mut(),
                &raw mut operation,
            )
        };
        is_pending(outcome)?;
        self.finish(&operation)
    }

    /// Has an operation end soon.
    fn cancel(&self, operation: &OVERLAPPED) {
        // SAFETY: the operation was begun on this handle, or is over already, which is an error that does no harm.
        unsafe { CancelIoEx(self.handle.as_raw_handle(), operation) };
    }

    /// Waits until an operation is over, and says how many octets it has moved.
    fn finish(&self, operation: &OVERLAPPED) -> io::Result<usize> {
        let mut moved = 0;
        // SAFETY: the operation was begun on this handle, and has an event of its own to wait for.
        let outcome = unsafe {
            GetOverlappedResult(self.handle.as_raw_handle(), operation, &raw mut moved, 1)
        };
        succeeded(outcome)?;
        Ok(usize::try_from(moved).unwrap_or(0))
    }

    /// Moves octets towards the server.
    fn receive(&self, mut stream: &TcpStream, stop: &mut Option<Stop>) -> Closed {
        let mut octets = vec![0; LEN];
        loop {
            let len = match self.read(&mut octets, stop) {
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {
                    return Closed::ByServer;
                }
                Err(error) => return Closed::of_pipe(error),
            };
            if let Err(error) = stream.write_all(&octets[..len]) {
                return Closed::of_stream(error);
            }
        }
    }

    /// Moves octets towards the Web server.
    fn send(&self, mut stream: &TcpStream) -> Closed {
        let mut octets = vec![0; LEN];
        loop {
            let mut unsent = match stream.read(&mut octets) {
                Ok(0) => return Closed::ByServer,
                Ok(len) => &octets[..len],
                Err(error) => return Closed::of_stream(error),
            };
            while !unsent.is_empty() {
                match self.write(unsent) {
                    Ok(written) => unsent = &unsent[written.min(unsent.len())..],
                    Err(error) => return Closed::of_pipe(error),
                }
            }
        }
    }
}

impl Pipe for OverlappedPipe {
    fn connect(
        &mut self,
        stop: &mut Option<Stop>,
        former: Option<&OwnedHandle>,
    ) -> io::Result<Arrival> {
        let mut interruptions = Interruptions::new(stop, former);
        loop {
            let event = event()?;
            let mut operation = operation(&event);
            // SAFETY: the handle is open as long as `self` is. The operation is in use until the call is over, which `finish` waits
            // for on every path before it goes.
            let outcome =
                unsafe { ConnectNamedPipe(self.handle.as_raw_handle(), &raw mut operation) };
            match is_pending(outcome) {
                Ok(false) => return Ok(Arrival::Connected),
                Ok(true) => {}
                Err(error) if is(&error, ERROR_PIPE_CONNECTED) => return Ok(Arrival::Connected),
                // Somebody was there, and has left before being accepted.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    disconnect(self.handle.as_handle())?;
                    continue;
                }
                Err(error) => return Err(error),
            }
            let own = [event.as_raw_handle()];
            let handles = [&own, interruptions.handles()].concat();
            let signalled = wait_for(&handles, None).and_then(|number| number.checked_sub(1));
            if signalled.is_some() {
                self.cancel(&operation);
            }
            match (self.finish(&operation), signalled) {
                (Ok(_), _) => return Ok(Arrival::Connected),
                (Err(_), Some(number)) => return Ok(interruptions.arrival(number)),
                (Err(error), None) if error.kind() == io::ErrorKind::BrokenPipe => {
                    disconnect(self.handle.as_handle())?;
                }
                (Err(error), None) => return Err(error),
            }
        }
    }

    /// Each way has a thread.
    fn exchange(&mut self, stream: &TcpStream, stop: &mut Option<Stop>) -> Closed {
        // SAFETY: the event is open as long as `self` is.
        unsafe { ResetEvent(self.over.as_raw_handle()) };
        let pipe = &*self;
        thread::scope(|scope| {
            let sender = thread::Builder::new()
                .name("pipe-output".to_owned())
                .spawn_scoped(scope, move || {
                    let closed = pipe.send(stream);
                    let _ = stream.shutdown(Direction::Both);
                    // SAFETY: as above.
                    unsafe { SetEvent(pipe.over.as_raw_handle()) };
                    closed
                });
            let sender = match sender {
                Ok(sender) => sender,
                Err(error) => {
                    tracing::error!(%error, "the pipe cannot be served");
                    return Closed::ByServer;
                }
            };
            let received = pipe.receive(stream, stop);
            let _ = stream.shutdown(Direction::Both);
            let both = [received, sender.join().unwrap_or(Closed::ByServer)];
            if both.contains(&Closed::ByWebServer) {
                Closed::ByWebServer
            } else {
                Closed::ByServer
            }
        })
    }

    fn handle(&self) -> &OwnedHandle {
        &self.handle
    }
}

/// An event for one operation, or for the end of a connection.
fn event() -> io::Result<OwnedHandle> {
    // SAFETY: neither attributes nor a name are given, which is allowed.
    let event = unsafe { CreateEventW(std::ptr::null(), 1, 0, std::ptr::null()) };
    if event.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above has made the handle, and nothing else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(event) })
}

fn operation(event: &OwnedHandle) -> OVERLAPPED {
    OVERLAPPED {
        hEvent: event.as_raw_handle(),
        ..OVERLAPPED::default()
    }
}

/// Whether a call goes on by itself; `false` where it is over already.
fn is_pending(outcome: i32) -> io::Result<bool> {
    match succeeded(outcome) {
        Ok(()) => Ok(false),
        Err(error) if is(&error, ERROR_IO_PENDING) => Ok(true),
        Err(error) => Err(error),
    }
}
