//! The socket on file descriptor 0 (FastCGI Specification 1.0, section 2.2).
//!
//! §2.2: "The Web server leaves a single file descriptor, `FCGI_LISTENSOCK_FILENO`, open when the application begins
//! execution. This descriptor refers to a listening socket created by the Web server." spawn-fcgi, mod_fcgid and
//! lighttpd do so. IIS deviates: it hands over one stream that is connected already, and never accepts on it. On Windows
//! that stream is a named pipe, which is not modelled here; elsewhere a socketpair stands in for it.

use std::fmt;
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, getpeername, sockopt};

use super::tcp::TcpSocket;
use super::transport::{Listener, Transport};
use super::unix::UnixSocket;
use super::web_server_addrs::WebServerAddrs;

/// What file descriptor 0 is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stdin {
    /// A listening socket: the Web server's, to accept on.
    Listening(Family),
    /// One connected stream, as IIS hands it over.
    Connected(Family),
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
        inspect(rustix::stdio::stdin())
    }
}

/// What a descriptor is.
pub(super) fn inspect(fd: BorrowedFd<'_>) -> Stdin {
    match sockopt::socket_type(fd) {
        Ok(SocketType::STREAM) => {}
        Ok(_) => return Stdin::OtherSocket,
        Err(Errno::BADF) => return Stdin::Closed,
        Err(_) => return Stdin::NoSocket(kind(fd)),
    }
    let family = match sockopt::socket_domain(fd) {
        Ok(AddressFamily::UNIX) => Family::Unix,
        Ok(AddressFamily::INET | AddressFamily::INET6) => Family::Tcp,
        _ => return Stdin::OtherSocket,
    };
    if sockopt::socket_acceptconn(fd) == Ok(true) {
        Stdin::Listening(family)
    } else if getpeername(fd).is_ok() {
        Stdin::Connected(family)
    } else {
        Stdin::Unconnected
    }
}

fn kind(fd: BorrowedFd<'_>) -> &'static str {
    let Ok(status) = rustix::fs::fstat(fd) else {
        return "something unreadable";
    };
    match FileType::from_raw_mode(status.st_mode) {
        FileType::CharacterDevice => "a terminal or device",
        FileType::Fifo => "a pipe",
        FileType::RegularFile => "a file",
        _ => "neither socket, pipe nor file",
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
    /// Takes the socket away from file descriptor 0 and leaves `/dev/null` there, so that neither the application nor a
    /// process that it starts can read from it or hold it open.
    ///
    /// # Errors
    /// What there was instead of a usable socket, as [`io::ErrorKind::Unsupported`]; else the operating system's.
    pub fn take(allowed: WebServerAddrs) -> io::Result<Self> {
        let stdin = rustix::stdio::stdin();
        let found = inspect(stdin);
        if !matches!(found, Stdin::Listening(_) | Stdin::Connected(_)) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                found.to_string(),
            ));
        }
        let fd = stdin.try_clone_to_owned()?;
        let null = fs_err::File::open("/dev/null")?;
        rustix::stdio::dup2_stdin(null.as_fd())?;
        Self::adopt(fd, found, allowed)
    }

    pub(super) fn adopt(fd: OwnedFd, found: Stdin, allowed: WebServerAddrs) -> io::Result<Self> {
        Ok(match found {
            Stdin::Listening(Family::Unix) => {
                Self::Listening(Box::new(UnixSocket::inherited(fd, allowed)?))
            }
            Stdin::Listening(Family::Tcp) => {
                Self::Listening(Box::new(TcpSocket::inherited(fd, allowed)?))
            }
            Stdin::Connected(Family::Unix) => {
                let stream = UnixStream::from(fd);
                stream.set_nonblocking(false)?;
                Self::Connected(Box::new(stream))
            }
            Stdin::Connected(Family::Tcp) => {
                let stream = TcpStream::from(fd);
                stream.set_nonblocking(false)?;
                stream.set_nodelay(true)?;
                Self::Connected(Box::new(stream))
            }
            other => {
                return Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    other.to_string(),
                ));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn every_kind_of_descriptor_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let unix = UnixListener::bind(folder.path().join("s")).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let (one, other) = UnixStream::pair().unwrap();
        let client = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (pipe, _writer) = rustix::pipe::pipe().unwrap();
        let file = tempfile::tempfile().unwrap();
        let null = fs_err::File::open("/dev/null").unwrap();
        let bare = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        let table = [
            (unix.as_fd(), Stdin::Listening(Family::Unix)),
            (tcp.as_fd(), Stdin::Listening(Family::Tcp)),
            (one.as_fd(), Stdin::Connected(Family::Unix)),
            (client.as_fd(), Stdin::Connected(Family::Tcp)),
            (udp.as_fd(), Stdin::OtherSocket),
            (pipe.as_fd(), Stdin::NoSocket("a pipe")),
            (file.as_fd(), Stdin::NoSocket("a file")),
            (null.as_fd(), Stdin::NoSocket("a terminal or device")),
            (bare.as_fd(), Stdin::Unconnected),
        ];
        for (fd, expected) in table {
            assert_eq!(inspect(fd), expected);
        }
        // A pair whose other end is gone is still served: its end is found on reading.
        drop(other);
        assert_eq!(inspect(one.as_fd()), Stdin::Connected(Family::Unix));
    }

    #[test]
    fn a_descriptor_becomes_what_it_is() {
        let (one, _other) = UnixStream::pair().unwrap();
        let fd = OwnedFd::from(one);
        let found = inspect(fd.as_fd());
        assert!(matches!(
            StdinSocket::adopt(fd, found, WebServerAddrs::any()).unwrap(),
            StdinSocket::Connected(_)
        ));
        let fd = OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
        let found = inspect(fd.as_fd());
        assert!(matches!(
            StdinSocket::adopt(fd, found, WebServerAddrs::any()).unwrap(),
            StdinSocket::Listening(_)
        ));
    }
}
