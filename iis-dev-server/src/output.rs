//! What a FastCGI process writes to standard output and standard error.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use self::unix::Output;
#[cfg(windows)]
pub(crate) use self::windows::Output;
