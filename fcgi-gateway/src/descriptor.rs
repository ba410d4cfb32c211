//! What can be waited on: a file descriptor on Unix, a socket on Windows, where nothing else can be waited on together with
//! sockets.

pub(crate) use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Has a type be waited on as one of its fields is.
macro_rules! waits_on {
    ($type:ty, $($field:tt).+) => {
        #[cfg(unix)]
        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                std::os::fd::AsFd::as_fd(&self.$($field).+)
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::AsSocket for $type {
            fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
                std::os::windows::io::AsSocket::as_socket(&self.$($field).+)
            }
        }
    };
}

pub(crate) use waits_on;
