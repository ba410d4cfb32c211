//! What the threads have in common that move octets between a pipe and a local stream.

use std::io;
use std::thread;

/// Octets moved at once.
pub(super) const LEN: usize = 64 * 1024;

/// Who has ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// The Web server has left.
    ByWebServer,
    /// The server here has closed its end, and everything that it has sent is in the pipe.
    ByServer,
}

impl Closed {
    /// What a failure of the pipe says. That its other end was closed is how it ends.
    pub(super) fn of_pipe(error: io::Error) -> Self {
        if error.kind() != io::ErrorKind::BrokenPipe {
            tracing::warn!(%error, "the pipe on standard input failed");
        }
        Self::ByWebServer
    }

    /// What a failure of the stream to the server says.
    pub(super) fn of_stream(error: io::Error) -> Self {
        tracing::debug!(%error, "the server has closed its end");
        Self::ByServer
    }
}

pub(super) fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

pub(super) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(run)?;
    Ok(())
}
