//! Descriptors that whoever started this process has handed over by their number.
#![expect(
    unsafe_code,
    reason = "that a number is a descriptor that nobody else has is another process's word"
)]

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use rustix::io::FdFlags;

/// Takes over the open descriptor `number`; programs that this process starts do not get it.
///
/// Called once a number, and only where the environment says that the number was handed to this very process.
///
/// # Errors
/// `EBADF` where it is not open.
pub(crate) fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(rustix::io::Errno::BADF.into());
    }
    // SAFETY: the number is not -1. That it is open is what the first call finds out: the kernel answers EBADF otherwise, and
    // nothing else is done with it then. Whoever started this process has opened it for whom it names in the environment,
    // which is the caller, so nothing else in this process owns it.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_setfd(borrowed, FdFlags::CLOEXEC)?;
    // SAFETY: it is open, and this is its only owner, as said above.
    Ok(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd as _, AsRawFd as _, IntoRawFd as _};

    use super::*;

    #[test]
    fn an_open_descriptor_is_taken_and_kept_from_others() {
        let file: OwnedFd = tempfile::tempfile().unwrap().into();
        // Without the flag that closes it in other programs, as it is handed over.
        let number = rustix::io::dup(&file).unwrap().into_raw_fd();
        let taken = inherited(number).unwrap();
        assert_eq!(taken.as_raw_fd(), number);
        assert_eq!(
            rustix::io::fcntl_getfd(taken.as_fd()).unwrap(),
            FdFlags::CLOEXEC
        );
    }

    #[test]
    fn a_number_that_is_not_open_is_refused() {
        assert!(inherited(-1).is_err());
        assert!(inherited(1_000_000).is_err());
    }
}
