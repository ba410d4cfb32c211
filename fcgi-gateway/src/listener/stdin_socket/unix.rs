//! File descriptor 0 on Unix.

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, getpeername, sockopt};

use super::{Family, Stdin, StdinSocket};
use crate::listener::tcp::TcpSocket;
use crate::listener::unix::UnixSocket;
use crate::listener::web_server_addrs::WebServerAddrs;

pub(super) fn inspect_stdin() -> Stdin {
    inspect(rustix::stdio::stdin())
}

/// What a descriptor is.
pub(in crate::listener) fn inspect(fd: BorrowedFd<'_>) -> Stdin {
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

pub(super) fn take(allowed: WebServerAddrs) -> io::Result<StdinSocket> {
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
    adopt(fd, found, allowed)
}

/// Makes of a descriptor what it was found to be.
pub(in crate::listener) fn adopt(
    fd: OwnedFd,
    found: Stdin,
    allowed: WebServerAddrs,
) -> io::Result<StdinSocket> {
    Ok(match found {
        Stdin::Listening(Family::Unix) => {
            StdinSocket::Listening(Box::new(UnixSocket::inherited(fd, allowed)?))
        }
        Stdin::Listening(Family::Tcp) => {
            StdinSocket::Listening(Box::new(TcpSocket::inherited(fd, allowed)?))
        }
        Stdin::Connected(Family::Unix) => {
            let stream = UnixStream::from(fd);
            stream.set_nonblocking(false)?;
            StdinSocket::Connected(Box::new(stream))
        }
        Stdin::Connected(Family::Tcp) => {
            let stream = TcpStream::from(fd);
            stream.set_nonblocking(false)?;
            stream.set_nodelay(true)?;
            StdinSocket::Connected(Box::new(stream))
        }
        other => {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                other.to_string(),
            ));
        }
    })
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
            adopt(fd, found, WebServerAddrs::any()).unwrap(),
            StdinSocket::Connected(_)
        ));
        let fd = OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
        let found = inspect(fd.as_fd());
        assert!(matches!(
            adopt(fd, found, WebServerAddrs::any()).unwrap(),
            StdinSocket::Listening(_)
        ));
    }
}
