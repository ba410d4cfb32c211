//! A pipe on which Windows does one call after the other.
#![expect(unsafe_code, reason = "std does not look at pipes")]

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _, OwnedHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use windows_sys::Win32::Foundation::{ERROR_NO_DATA, ERROR_PIPE_CONNECTED};
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
use windows_sys::Win32::System::Pipes::{ConnectNamedPipe, PeekNamedPipe};

use super::Pipe;
use super::handle::{Arrival, Interruptions, Stop, call_until, disconnect, is, length, succeeded};
use super::pump::{Closed, LEN, is_transient};
use crate::descriptor::AsFd as _;

/// How long the pipe is not looked at, at first and at most: twice as long each time that nothing was there.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(20);

/// A pipe on which one call is done after the other. Its only owner calls it: the methods take it exclusively, and it cannot be
/// cloned.
#[derive(Debug)]
pub(super) struct SynchronousPipe {
    handle: OwnedHandle,
    /// Octets that are known to be there. No more are ever read, as a read that waits would hold up every other call.
    shown: usize,
}

impl SynchronousPipe {
    pub(super) const fn new(handle: OwnedHandle) -> Self {
        Self { handle, shown: 0 }
    }

    /// Looks how many octets are there to be read.
    ///
    /// # Errors
    /// [`io::ErrorKind::BrokenPipe`] where the Web server is gone and everything was read; else Windows's.
    fn look(&mut self) -> io::Result<()> {
        let mut available = 0;
        // SAFETY: the handle is open as long as `self` is; all pointers but one are null, which is allowed, and that one is to a
        // number that lives until the call returns.
        let outcome = unsafe {
            PeekNamedPipe(
                self.handle.as_raw_handle(),
                std::ptr::null_mut(),
                0,
                std::ptr::null_mut(),
                &raw mut available,
                std::ptr::null_mut(),
            )
        };
        succeeded(outcome)?;
        self.shown = usize::try_from(available).unwrap_or(usize::MAX);
        Ok(())
    }

    /// Reads what is there, as far as there is room: never waits.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] where nothing is there; [`io::ErrorKind::BrokenPipe`] at the end; else Windows's.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.look()?;
        if self.shown == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let len = self.shown.min(buffer.len());
        self.read_shown(&mut buffer[..len])
    }

    /// Reads octets that were seen to be there. Windows returns from a read of a pipe as soon as one octet is there, so that a read
    /// of at least one and at most so many does not wait.
    fn read_shown(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(
            (1..=self.shown).contains(&buffer.len()),
            "{} octets of a synchronous pipe would be read, and {} were seen to be there: the read could wait, and hold up every write",
            buffer.len(),
            self.shown
        );
        let mut read = 0;
        // SAFETY: the handle is open as long as `self` is; `buffer` is writable and as long as said. The call is synchronous, and
        // over when it returns.
        let outcome = unsafe {
            ReadFile(
                self.handle.as_raw_handle(),
                buffer.as_mut_ptr(),
                length(buffer),
                &raw mut read,
                std::ptr::null_mut(),
            )
        };
        succeeded(outcome)?;
        let read = usize::try_from(read).unwrap_or(0);
        self.shown = self.shown.saturating_sub(read);
        Ok(read)
    }

    /// Writes everything, and waits until the Web server has made room for it.
    ///
    /// # Errors
    /// [`io::ErrorKind::BrokenPipe`] where the Web server is gone; else Windows's.
    fn write_all(&mut self, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            let mut written = 0;
            // SAFETY: the handle is open as long as `self` is; `octets` is readable and as long as said; the call is synchronous.
            let outcome = unsafe {
                WriteFile(
                    self.handle.as_raw_handle(),
                    octets.as_ptr(),
                    length(octets),
                    &raw mut written,
                    std::ptr::null_mut(),
                )
            };
            succeeded(outcome)?;
            octets = &octets[usize::try_from(written).unwrap_or(0).min(octets.len())..];
        }
        Ok(())
    }
}

impl Pipe for SynchronousPipe {
    /// Windows's call for this waits until somebody comes, and nothing but an end by force lets it return before: it is done in
    /// another thread, and this one does nothing else meanwhile.
    fn connect(
        &mut self,
        stop: &mut Option<Stop>,
        former: Option<&OwnedHandle>,
    ) -> io::Result<Arrival> {
        let mut interruptions = Interruptions::new(stop, former);
        loop {
            let pipe = self.handle.as_handle().try_clone_to_owned()?;
            let call = move || {
                // SAFETY: the handle is the closure's own; a synchronous one takes no structure.
                let outcome =
                    unsafe { ConnectNamedPipe(pipe.as_raw_handle(), std::ptr::null_mut()) };
                if outcome != 0 {
                    return Ok(());
                }
                match io::Error::last_os_error() {
                    error if is(&error, ERROR_PIPE_CONNECTED) => Ok(()),
                    error => Err(error),
                }
            };
            match call_until(call, interruptions.handles(), None, || {})? {
                (Ok(()), _) => return Ok(Arrival::Connected),
                (Err(_), Some(number)) => return Ok(interruptions.arrival(number)),
                // Somebody was there, and has left before being accepted.
                (Err(error), None) if is(&error, ERROR_NO_DATA) => {
                    disconnect(self.handle.as_handle())?;
                }
                (Err(error), None) => return Err(error),
            }
        }
    }

    fn exchange(&mut self, stream: &TcpStream, stop: &mut Option<Stop>) -> Closed {
        let mut exchange = Exchange {
            pipe: self,
            stream,
            stop,
            input: vec![0; LEN],
            unsent: 0..0,
            output: vec![0; LEN],
        };
        let Err(closed) = exchange.run();
        let _ = stream.shutdown(std::net::Shutdown::Both);
        closed
    }

    fn handle(&self) -> &OwnedHandle {
        &self.handle
    }
}

/// Octets on their way both ways, in one thread.
struct Exchange<'a> {
    pipe: &'a mut SynchronousPipe,
    stream: &'a TcpStream,
    stop: &'a mut Option<Stop>,
    input: Vec<u8>,
    /// Where in `input` octets lie for which the server had no room.
    unsent: std::ops::Range<usize>,
    output: Vec<u8>,
}

impl Exchange<'_> {
    /// Goes on until the server closes its end, or the Web server the pipe's.
    fn run(&mut self) -> Result<std::convert::Infallible, Closed> {
        let mut stream = self.stream;
        stream.set_nonblocking(true).map_err(Closed::of_stream)?;
        let mut pause = SHORTEST;
        loop {
            // Looked at first: what came before the event was signalled is in the pipe by now.
            let stops = self.stop.as_ref().is_some_and(Stop::is_signalled);
            let came = self.receive()?;
            if stops
                && !came
                && let Some(stop) = self.stop.take()
            {
                stop.pass_on();
            }
            let went = match stream.read(&mut self.output) {
                Ok(0) => return Err(Closed::ByServer),
                Ok(len) => {
                    let written = self.pipe.write_all(&self.output[..len]);
                    written.map_err(Closed::of_pipe)?;
                    true
                }
                Err(error) if is_transient(&error) => false,
                Err(error) => return Err(Closed::of_stream(error)),
            };
            if came || went {
                pause = SHORTEST;
            } else {
                self.wait(pause).map_err(Closed::of_stream)?;
                pause = (pause * 2).min(LONGEST);
            }
        }
    }

    /// Moves octets towards the server; whether there were any.
    fn receive(&mut self) -> Result<bool, Closed> {
        let mut came = false;
        if self.unsent.is_empty() {
            match self.pipe.read(&mut self.input) {
                Ok(len) => {
                    self.unsent = 0..len;
                    came = true;
                }
                Err(error) if is_transient(&error) => return Ok(false),
                Err(error) => return Err(Closed::of_pipe(error)),
            }
        }
        let mut stream = self.stream;
        match stream.write(&self.input[self.unsent.clone()]) {
            Ok(len) => {
                self.unsent.start += len;
                Ok(true)
            }
            Err(error) if is_transient(&error) => Ok(came),
            Err(error) => Err(Closed::of_stream(error)),
        }
    }

    /// Waits for the server, at most for a while.
    fn wait(&self, pause: Duration) -> io::Result<()> {
        let mut flags = PollFlags::IN;
        if !self.unsent.is_empty() {
            flags |= PollFlags::OUT;
        }
        let timeout = Timespec::try_from(pause).ok();
        poll(
            &mut [PollFd::from_borrowed_fd(self.stream.as_fd(), flags)],
            timeout.as_ref(),
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::handle::Kind;
    use super::super::handle::tests::pipe;
    use super::*;

    #[test]
    fn no_read_ever_waits() {
        let (handle, connect) = pipe(Kind::Synchronous, "no-read-waits");
        let mut client = connect();
        let mut pipe = SynchronousPipe::new(handle);
        let mut buffer = [0; 8];
        let kind = |read: io::Result<usize>| read.unwrap_err().kind();
        assert_eq!(kind(pipe.read(&mut buffer)), io::ErrorKind::WouldBlock);
        client.write_all(b"abc").unwrap();
        assert_eq!(pipe.read(&mut buffer).unwrap(), 3);
        assert_eq!(kind(pipe.read(&mut buffer)), io::ErrorKind::WouldBlock);
        client.write_all(b"abcdefghij").unwrap();
        assert_eq!(pipe.read(&mut buffer).unwrap(), 8);
        assert_eq!(pipe.shown, 2);
        drop(client);
        assert_eq!(pipe.read(&mut buffer).unwrap(), 2);
        assert_eq!(kind(pipe.read(&mut buffer)), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_read_that_could_wait_is_refused() {
        let (handle, connect) = pipe(Kind::Synchronous, "refused");
        let mut client = connect();
        let mut pipe = SynchronousPipe::new(handle);
        client.write_all(b"abc").unwrap();
        for (looks, len) in [(false, 1), (true, 0), (true, 4)] {
            if looks {
                pipe.look().unwrap();
            }
            let read = std::panic::AssertUnwindSafe(|| pipe.read_shown(&mut vec![0; len]));
            assert!(
                std::panic::catch_unwind(read).is_err(),
                "{len} octets, {looks}"
            );
        }
        assert_eq!(pipe.read_shown(&mut [0; 3]).unwrap(), 3);
    }
}
