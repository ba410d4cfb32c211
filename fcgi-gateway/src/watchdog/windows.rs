//! The end of this process on Windows.
#![expect(
    unsafe_code,
    reason = "every end of a process that std has runs other people's code first"
)]

use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};

/// Ends this process at once, without asking anything in it. Nobody is left to be told of a failure.
pub(super) fn kill_this_process(status: u8) {
    // SAFETY: the pseudo-handle of the calling process is always valid and has every right; the call has no other preconditions.
    unsafe { TerminateProcess(GetCurrentProcess(), status.into()) };
}
