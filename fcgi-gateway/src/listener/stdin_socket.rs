//! The socket on file descriptor 0 (FastCGI Specification 1.0, section 2.2).
//!
//! §2.2: "The Web server leaves a single file descriptor, `FCGI_LISTENSOCK_FILENO`, open when the application begins
//! execution. This descriptor refers to a listening socket created by the Web server." spawn-fcgi, mod_fcgid and
//! lighttpd do so. IIS deviates: it hands over one stream that is connected already, and never accepts on it. On Windows
//! that stream is a named pipe; elsewhere a socketpair stands in for it.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fmt;
use std::io;

#[cfg(unix)]
use self::unix as system;
#[cfg(unix)]
pub(super) use self::unix::{adopt, inspect};
#[cfg(windows)]
use self::windows as system;
use super::transport::{Listener, Transport};
use super::web_server_addrs::WebServerAddrs;

/// What file descriptor 0 is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stdin {
    /// A listening socket: the Web server's, to accept on.
    Listening(Family),
    /// One connected stream, as IIS hands it over.
    Connected(Family),
    /// A named pipe of Windows for both directions.
    NamedPipe {
        /// Whether Web servers are accepted on it. IIS is connected already.
        accepts: bool,
    },
    /// A stream socket that neither listens nor is connected.
    Unconnected,
    /// A socket, but not for streams or of a family that carries no FastCGI.
    OtherSocket,
    /// Open, but no socket: a terminal, a file, a pipe.
    NoSocket(&'static str),
    /// Not open at all.
    Closed,
}

/// The address family of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// `AF_UNIX`
    Unix,
    /// `AF_INET` or `AF_INET6`
    Tcp,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unix => "Unix",
            Self::Tcp => "TCP",
        })
    }
}

impl Stdin {
    /// Looks at file descriptor 0 without changing it.
    #[must_use]
    pub fn inspect() -> Self {
        system::inspect_stdin()
    }
}

impl fmt::Display for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening(family) => write!(
                f,
                "file descriptor 0 is a listening {family} socket (SO_ACCEPTCONN is set): a FastCGI Web server or spawner \
                 made it (FastCGI Specification 1.0, section 2.2), and connections are accepted on it"
            ),
            Self::Connected(family) => write!(
                f,
                "file descriptor 0 is a connected {family} stream (getpeername succeeds): it is served as IIS serves its \
                 pipe, one request after the other until it ends"
            ),
            Self::NamedPipe { accepts: false } => f.write_str(
                "the standard input is a connected named pipe for both directions: IIS made it, and it is served one request \
                 after the other until IIS closes it",
            ),
            Self::NamedPipe { accepts: true } => f.write_str(
                "the standard input is a named pipe for both directions, and no IIS is connected to it: Web servers are accepted \
                 on it, one after the other",
            ),
            Self::Unconnected => f.write_str(
                "file descriptor 0 is a socket that neither listens (SO_ACCEPTCONN is not set) nor is connected (getpeername \
                 fails): whoever started this process forgot to call listen",
            ),
            Self::OtherSocket => f.write_str("file descriptor 0 is a socket, but not a Unix or TCP stream socket"),
            Self::NoSocket(kind) => write!(f, "file descriptor 0 is {kind}, not a socket: no Web server started this process"),
            Self::Closed => f.write_str("file descriptor 0 is closed: no Web server started this process"),
        }
    }
}

/// A socket that connections come from: what file descriptor 0 was, or one that was opened.
#[derive(Debug)]
pub enum StdinSocket {
    /// To accept connections on.
    Listening(Box<dyn Listener>),
    /// The one connection.
    Connected(Box<dyn Transport>),
}

impl StdinSocket {
    /// Takes the socket away from file descriptor 0 and leaves the null device there, so that neither the application nor a
    /// process that it starts can read from it or hold it open.
    ///
    /// # Errors
    /// What there was instead of a usable socket, as [`io::ErrorKind::Unsupported`]; else the operating system's.
    pub fn take(allowed: WebServerAddrs) -> io::Result<Self> {
        system::take(allowed)
    }
}
