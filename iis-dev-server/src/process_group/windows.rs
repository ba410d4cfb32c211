//! A job object, and the event that a process is told to end by.
#![expect(
    unsafe_code,
    reason = "jobs, events and their handles have no safe wrapper in std"
)]

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};

use tokio::process::{Child, Command};
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation,
    SetInformationJobObject, TerminateJobObject,
};
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, CREATE_SUSPENDED, CreateEventW, OpenThread, ResumeThread, SetEvent,
    THREAD_SUSPEND_RESUME,
};

use super::Signal;

/// The job that a process and what it starts are in, and its shutdown event. With the last handle of the job, which is ours, all
/// of them end.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    job: OwnedHandle,
    event: OwnedHandle,
}

impl ProcessGroup {
    /// Makes the job and the event, and tells the process of the event as IIS does: the value of a handle that it inherits, in
    /// `_FCGI_SHUTDOWN_EVENT_`, decimal.
    pub(crate) fn prepare(command: &mut Command) -> io::Result<Self> {
        // SAFETY: neither attributes nor a name are given, which is allowed.
        let job = owned(unsafe { CreateJobObjectW(std::ptr::null(), std::ptr::null()) })?;
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        // SAFETY: `limits` is of the type that this class of information has, as long as said, and lives until the call returns.
        succeeded(unsafe {
            SetInformationJobObject(
                job.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                (&raw const limits).cast(),
                length::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>(),
            )
        })?;
        let inherited = SECURITY_ATTRIBUTES {
            nLength: length::<SECURITY_ATTRIBUTES>(),
            lpSecurityDescriptor: std::ptr::null_mut(),
            bInheritHandle: 1,
        };
        // SAFETY: the attributes live until the call returns; no name is given, which is allowed.
        let event = owned(unsafe { CreateEventW(&raw const inherited, 1, 0, std::ptr::null()) })?;
        command.env(
            "_FCGI_SHUTDOWN_EVENT_",
            event.as_raw_handle().addr().to_string(),
        );
        // Ctrl+C in the console reaches only the server. The process does nothing before it is in the job, so that whatever it
        // starts is in it too.
        command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_SUSPENDED);
        Ok(Self { job, event })
    }

    /// Puts the process into the job, and has it begin.
    pub(crate) fn enclose(&self, child: &Child) -> io::Result<()> {
        let ended = || io::Error::other("it ended at once");
        let process = child.raw_handle().ok_or_else(ended)?;
        // SAFETY: both handles are open as long as their owners are borrowed.
        succeeded(unsafe { AssignProcessToJobObject(self.job.as_raw_handle(), process) })?;
        resume(child.id().ok_or_else(ended)?)
    }

    /// Tells the process to end, or ends it with all that it has started. What is gone already is no error.
    pub(crate) fn signal(&self, signal: Signal) {
        match signal {
            // SAFETY: the handle is open as long as `self` is.
            Signal::Terminate => unsafe { SetEvent(self.event.as_raw_handle()) },
            // SAFETY: as above.
            Signal::Kill => unsafe { TerminateJobObject(self.job.as_raw_handle(), 1) },
        };
    }
}

/// Has a process begin that was started suspended and so has one thread, of which std does not keep the handle.
fn resume(process: u32) -> io::Result<()> {
    // SAFETY: it takes two numbers.
    let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) };
    if snapshot == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    let snapshot = owned(snapshot)?;
    let mut entry = THREADENTRY32 {
        dwSize: length::<THREADENTRY32>(),
        ..THREADENTRY32::default()
    };
    // SAFETY: the handle is open, and `entry` lives until the call returns and says how long it is.
    let mut outcome = unsafe { Thread32First(snapshot.as_raw_handle(), &raw mut entry) };
    while outcome != 0 && entry.th32OwnerProcessID != process {
        // SAFETY: as above.
        outcome = unsafe { Thread32Next(snapshot.as_raw_handle(), &raw mut entry) };
    }
    succeeded(outcome)?;
    // SAFETY: it takes three numbers.
    let thread = owned(unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, entry.th32ThreadID) })?;
    // SAFETY: the handle is open.
    if unsafe { ResumeThread(thread.as_raw_handle()) } == u32::MAX {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The length of a structure, which Windows counts in 32 bits.
fn length<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or(u32::MAX)
}

fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: every caller passes what a call has just made, and nothing else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn succeeded(outcome: i32) -> io::Result<()> {
    if outcome == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
