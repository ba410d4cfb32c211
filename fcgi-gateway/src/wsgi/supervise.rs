//! A supervisor inside a Python interpreter that never loads the application.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use self::unix::{FromWorker, Membership, supervise, ticket};
#[cfg(windows)]
pub(super) use self::windows::{FromWorker, Membership, supervise, ticket};
