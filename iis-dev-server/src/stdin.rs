//! What a FastCGI process finds on its standard input.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use self::unix::{listen, pipe};
#[cfg(windows)]
pub(crate) use self::windows::{listen, pipe};
