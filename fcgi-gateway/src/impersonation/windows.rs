//! Windows' impersonation of the client of a named pipe.
#![expect(unsafe_code, reason = "std does not know impersonation")]

use std::io;
use std::marker::PhantomData;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle};

use windows_sys::Win32::Security::RevertToSelf;
use windows_sys::Win32::System::Pipes::ImpersonateNamedPipeClient;

/// As long as this is kept, the thread that made it acts as somebody else.
#[derive(Debug)]
pub struct Impersonation {
    /// It is one thread's.
    _thread: PhantomData<*const ()>,
}

impl Impersonation {
    /// Has the calling thread act as whoever has written to the pipe last.
    pub(crate) fn of_client(pipe: BorrowedHandle<'_>) -> io::Result<Self> {
        // SAFETY: the handle is borrowed.
        if unsafe { ImpersonateNamedPipeClient(pipe.as_raw_handle()) } == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            _thread: PhantomData,
        })
    }
}

impl Drop for Impersonation {
    fn drop(&mut self) {
        // SAFETY: the call takes nothing.
        if unsafe { RevertToSelf() } == 0 {
            // Whatever this thread did from now on, it would do as somebody else: Microsoft's reference wants the process to end.
            tracing::error!(
                error = %io::Error::last_os_error(),
                "a thread cannot be itself again after a request that ran as its user: this process ends"
            );
            std::process::abort();
        }
    }
}
