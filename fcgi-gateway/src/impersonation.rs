//! Acting as the user that a request is of.
//!
//! Where IIS has logged a user in, it can give the pipe that user's identity, as PHP's `fastcgi.impersonate` expects it.

#[cfg(windows)]
mod windows;

#[cfg(windows)]
pub use self::windows::Impersonation;

/// That a thread acts as somebody else. Only Windows knows it.
#[cfg(not(windows))]
#[derive(Debug)]
pub enum Impersonation {}
