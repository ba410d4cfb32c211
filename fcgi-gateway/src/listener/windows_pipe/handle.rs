//! The calls to a pipe's handle, whichever kind it is.
#![expect(unsafe_code, reason = "std does not look at pipes")]

use std::io;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};
use std::thread;
use std::time::Duration;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_INFORMATION_CLASS, FILE_MODE_INFORMATION, FILE_PIPE_DISCONNECTED_STATE,
    FILE_PIPE_FULL_DUPLEX, FILE_PIPE_LISTENING_STATE, FILE_PIPE_LOCAL_INFORMATION,
    FILE_PIPE_SERVER_END, FILE_SYNCHRONOUS_IO_ALERT, FILE_SYNCHRONOUS_IO_NONALERT,
    FileModeInformation, FilePipeLocalInformation, NtQueryInformationFile,
};
use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_PIPE_NOT_CONNECTED, HANDLE, WAIT_TIMEOUT,
};
use windows_sys::Win32::Storage::FileSystem::FlushFileBuffers;
use windows_sys::Win32::System::IO::{CancelSynchronousIo, IO_STATUS_BLOCK};
use windows_sys::Win32::System::Pipes::{DisconnectNamedPipe, GetNamedPipeClientProcessId};
use windows_sys::Win32::System::Threading::{
    INFINITE, OpenProcess, PROCESS_SYNCHRONIZE, WaitForMultipleObjects,
};

use crate::Shutdown;
use crate::shutdown_event::{ShutdownEvent, pass_on};

/// How the calls to a handle are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::listener) enum Kind {
    /// One after the other.
    Synchronous,
    /// At the same time.
    Overlapped,
}

/// What a handle is found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::listener) struct Found {
    pub(in crate::listener) kind: Kind,
    /// Whether somebody is at the other end, or was.
    pub(in crate::listener) is_connected: bool,
    /// Whether it is the end that can accept somebody.
    pub(in crate::listener) is_servers: bool,
}

/// Looks at a handle that may be a pipe for both directions; `None` for every other one, an anonymous pipe among them.
pub(in crate::listener) fn look(handle: BorrowedHandle<'_>) -> Option<Found> {
    let pipe: FILE_PIPE_LOCAL_INFORMATION = query(handle, FilePipeLocalInformation)?;
    if pipe.NamedPipeConfiguration != FILE_PIPE_FULL_DUPLEX {
        return None;
    }
    let mode: FILE_MODE_INFORMATION = query(handle, FileModeInformation)?;
    let synchronous = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT;
    let unconnected = [FILE_PIPE_LISTENING_STATE, FILE_PIPE_DISCONNECTED_STATE];
    Some(Found {
        kind: if mode.Mode & synchronous == 0 {
            Kind::Overlapped
        } else {
            Kind::Synchronous
        },
        is_connected: !unconnected.contains(&pipe.NamedPipeState),
        is_servers: pipe.NamedPipeEnd == FILE_PIPE_SERVER_END,
    })
}

/// Information of a class whose structure is `T`.
fn query<T: Default>(handle: BorrowedHandle<'_>, class: FILE_INFORMATION_CLASS) -> Option<T> {
    let mut information = T::default();
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: the handle is borrowed; both structures are writable, as long as said, and live until the call returns, which is
    // when it is over: this question is answered at once on either kind of handle.
    let outcome = unsafe {
        NtQueryInformationFile(
            handle.as_raw_handle(),
            &raw mut status,
            (&raw mut information).cast(),
            u32::try_from(size_of::<T>()).unwrap_or(0),
            class,
        )
    };
    (outcome >= 0).then_some(information)
}

/// An event by which this process is told to end, and that nobody has seen signalled yet.
#[derive(Debug)]
pub(super) struct Stop {
    event: ShutdownEvent,
    shutdown: Shutdown,
}

impl Stop {
    /// The event that the environment names, if it is one. Without it a process is ended by force.
    pub(super) fn from_environment(shutdown: &Shutdown) -> Option<Self> {
        ShutdownEvent::from_environment().map(|event| Self {
            event,
            shutdown: shutdown.clone(),
        })
    }

    pub(super) const fn handle(&self) -> HANDLE {
        self.event.handle()
    }

    /// Whether the process is told to end.
    pub(super) fn is_signalled(&self) -> bool {
        self.event.is_signalled()
    }

    /// Has the server finish what runs.
    pub(super) fn pass_on(self) {
        pass_on(&self.shutdown);
    }
}

/// How the wait for a Web server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// One is there.
    Connected,
    /// This process is told to end.
    Stopped,
    /// The process of the former one has ended, and no other knows the pipe.
    Gone,
}

/// What may end the wait for a Web server before one comes.
pub(super) struct Interruptions<'a> {
    stop: &'a mut Option<Stop>,
    handles: Vec<HANDLE>,
}

impl<'a> Interruptions<'a> {
    /// `former` is the process of the Web server that was connected before.
    pub(super) fn new(stop: &'a mut Option<Stop>, former: Option<&OwnedHandle>) -> Self {
        let mut handles: Vec<HANDLE> = stop.iter().map(Stop::handle).collect();
        handles.extend(former.map(|process| process.as_raw_handle()));
        Self { stop, handles }
    }

    pub(super) fn handles(&self) -> &[HANDLE] {
        &self.handles
    }

    /// What the handle of this number has to say, which is signalled.
    pub(super) fn arrival(&mut self, number: usize) -> Arrival {
        match self.stop.take() {
            Some(stop) if number == 0 => {
                stop.pass_on();
                Arrival::Stopped
            }
            stop => {
                *self.stop = stop;
                Arrival::Gone
            }
        }
    }
}

/// Waits until one of the handles is signalled, and says which: the first of those that are. `None` where the time is over.
pub(super) fn wait_for(handles: &[HANDLE], limit: Option<Duration>) -> Option<usize> {
    let milliseconds = limit.map_or(INFINITE, |limit| {
        u32::try_from(limit.as_millis()).unwrap_or(INFINITE - 1)
    });
    let count = u32::try_from(handles.len()).unwrap_or(0);
    // SAFETY: there are as many handles as said; one that is not open is answered with an error.
    let signalled = unsafe { WaitForMultipleObjects(count, handles.as_ptr(), 0, milliseconds) };
    (signalled != WAIT_TIMEOUT).then(|| usize::try_from(signalled).unwrap_or(usize::MAX))
}

/// Does a call that waits, in a thread of its own, until it is over, one of `others` is signalled or the time is over. It is
/// ended then, where need be with the help of `interrupt`; what it says is followed by the number of what was signalled.
pub(super) fn call_until(
    call: impl FnOnce() -> io::Result<()> + Send + 'static,
    others: &[HANDLE],
    limit: Option<Duration>,
    interrupt: impl Fn(),
) -> io::Result<(io::Result<()>, Option<usize>)> {
    /// How often the end is tried: the call may not have begun, or a driver may not look.
    const STEP: Duration = Duration::from_millis(10);
    let builder = thread::Builder::new().name("pipe-call".to_owned());
    let thread = builder.spawn(call)?;
    let own = [thread.as_raw_handle()];
    let signalled = wait_for(&[&own, others].concat(), limit);
    let mut is_over = signalled == Some(0);
    while !is_over {
        // SAFETY: the thread's handle is open as long as `thread` is. The thread does this call and nothing else.
        unsafe { CancelSynchronousIo(thread.as_raw_handle()) };
        is_over = wait_for(&own, Some(STEP)).is_some();
        if !is_over {
            interrupt();
            is_over = wait_for(&own, Some(STEP)).is_some();
        }
    }
    // The calls here do not panic.
    let outcome = thread
        .join()
        .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
    Ok((outcome, signalled.and_then(|number| number.checked_sub(1))))
}

/// Waits until the Web server has read what was written, for a while; the pipe may be disconnected then.
pub(super) fn flush(pipe: BorrowedHandle<'_>, limit: Duration) -> io::Result<()> {
    let own = pipe.try_clone_to_owned()?;
    // SAFETY: the handle is the closure's own.
    let call = move || succeeded(unsafe { FlushFileBuffers(own.as_raw_handle()) });
    // A Web server that has left, or that does not read, loses what it has not read.
    let _ = call_until(call, &[], Some(limit), || {
        let _ = disconnect(pipe);
    })?;
    Ok(())
}

/// Makes the pipe ready for another Web server.
pub(super) fn disconnect(pipe: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: the handle is borrowed.
    match succeeded(unsafe { DisconnectNamedPipe(pipe.as_raw_handle()) }) {
        // It is disconnected already.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// The process at the other end of the pipe, where Windows says which it is and lets this one wait for its end.
pub(super) fn client(pipe: BorrowedHandle<'_>) -> Option<OwnedHandle> {
    let mut id = 0;
    // SAFETY: the handle is borrowed, and the number lives until the call returns.
    let known = unsafe { GetNamedPipeClientProcessId(pipe.as_raw_handle(), &raw mut id) } != 0;
    if !known {
        return None;
    }
    // SAFETY: the call takes numbers only.
    let process = unsafe { OpenProcess(PROCESS_SYNCHRONIZE, 0, id) };
    // SAFETY: the call above has made the handle, and nothing else has it.
    (!process.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(process) })
}

/// Octets that one call may move: the length of a slice, at most what fits Windows's 32 bits.
pub(super) fn length(octets: &[u8]) -> u32 {
    u32::try_from(octets.len()).unwrap_or(u32::MAX)
}

/// The error of a call that has failed. Every way in which Windows says that the other end is gone is the same.
pub(super) fn succeeded(outcome: i32) -> io::Result<()> {
    if outcome != 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    let gone = [ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_PIPE_NOT_CONNECTED];
    if gone.iter().any(|code| is(&error, *code)) {
        return Err(io::Error::new(io::ErrorKind::BrokenPipe, error));
    }
    Err(error)
}

/// Whether an error is Windows's of this number.
pub(super) fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error().and_then(|raw| u32::try_from(raw).ok()) == Some(code)
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::windows::io::AsHandle as _;

    use fs_err::{File, OpenOptions};
    use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
    use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX};
    use windows_sys::Win32::System::Pipes::CreateNamedPipeW;

    use super::*;

    /// A pipe, and how its other end is opened.
    pub(in super::super) fn pipe(
        kind: Kind,
        name: &str,
    ) -> (OwnedHandle, impl Fn() -> File + use<>) {
        let name = format!(r"\\.\pipe\fcgi-gateway-unit-{}-{name}", std::process::id());
        let wide: Vec<u16> = name.encode_utf16().chain([0]).collect();
        let flags = match kind {
            Kind::Synchronous => 0,
            Kind::Overlapped => FILE_FLAG_OVERLAPPED,
        };
        // SAFETY: the name ends with a zero and lives until the call returns; attributes may be null.
        let handle = unsafe {
            let access = PIPE_ACCESS_DUPLEX | flags;
            CreateNamedPipeW(wide.as_ptr(), access, 0, 1, 8192, 8192, 0, std::ptr::null())
        };
        assert_ne!(handle, INVALID_HANDLE_VALUE);
        // SAFETY: the call above has made the handle.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        let connect = move || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).open(&name).unwrap()
        };
        (handle, connect)
    }

    #[test]
    fn a_pipe_tells_its_kind_and_whether_somebody_is_there() {
        for kind in [Kind::Synchronous, Kind::Overlapped] {
            let (handle, connect) = pipe(kind, &format!("look-{kind:?}"));
            let found = |is_connected| {
                Some(Found {
                    kind,
                    is_connected,
                    is_servers: true,
                })
            };
            assert_eq!(look(handle.as_handle()), found(false));
            let client = connect();
            assert_eq!(look(handle.as_handle()), found(true));
            assert!(!look(client.as_handle()).unwrap().is_servers);
            drop(client);
            assert_eq!(look(handle.as_handle()), found(true), "{kind:?}, left");
            disconnect(handle.as_handle()).unwrap();
            assert_eq!(look(handle.as_handle()), found(false));
        }
        let file = tempfile::tempfile().unwrap();
        assert_eq!(look(file.as_handle()), None);
    }
}
