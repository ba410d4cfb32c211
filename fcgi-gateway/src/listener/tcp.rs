//! A listening TCP port.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::transport::{Listener, Transport, accepted, prepare};
use super::web_server_addrs::WebServerAddrs;
use crate::Error;
#[cfg(unix)]
use crate::descriptor::OwnedFd;
use crate::descriptor::waits_on;

/// A TCP port on which Web servers connect.
#[derive(Debug)]
pub struct TcpSocket {
    listener: TcpListener,
    allowed: WebServerAddrs,
}

impl TcpSocket {
    /// Listens on `address`; port 0 is any free port.
    ///
    /// # Errors
    /// [`Error::Bind`].
    pub fn bind(address: SocketAddr, allowed: WebServerAddrs) -> Result<Self, Error> {
        let describe = || format!("tcp:{address}");
        let listener = TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
        let listener = listener.map_err(|source| Error::Bind {
            address: describe(),
            source,
        })?;
        Ok(Self { listener, allowed })
    }

    /// Takes a socket that listens already.
    #[cfg(unix)]
    pub(super) fn inherited(fd: OwnedFd, allowed: WebServerAddrs) -> io::Result<Self> {
        let listener = TcpListener::from(fd);
        listener.set_nonblocking(true)?;
        Ok(Self { listener, allowed })
    }

    /// The address with the port that was found.
    ///
    /// # Errors
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

waits_on!(TcpSocket, listener);

impl Listener for TcpSocket {
    /// IIS tells a process to end by the same event whatever `protocol` says.
    #[cfg(windows)]
    fn start(&mut self, shutdown: &crate::Shutdown) -> io::Result<()> {
        crate::shutdown_event::stop(shutdown)
    }

    fn accept(&self) -> io::Result<Option<Box<dyn Transport>>> {
        let Some((stream, peer)) = accepted(self.listener.accept())? else {
            return Ok(None);
        };
        if !self.allowed.allow(Some(peer.ip())) {
            tracing::warn!(%peer, "connection refused: the address is not in FCGI_WEB_SERVER_ADDRS");
            return Ok(None);
        }
        prepare(&stream)?;
        Ok(Some(Box::new(stream)))
    }

    fn describe(&self) -> String {
        self.local_addr()
            .map_or_else(|_| "tcp".to_owned(), |address| format!("tcp:{address}"))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    /// Waits until a connection is in the queue, and takes it.
    fn accept(socket: &TcpSocket) -> Option<Box<dyn Transport>> {
        let mut fds = [rustix::event::PollFd::new(
            socket,
            rustix::event::PollFlags::IN,
        )];
        rustix::event::poll(&mut fds, None).unwrap();
        socket.accept().unwrap()
    }

    #[test]
    fn a_stranger_is_turned_away() {
        for (list, allowed) in [("127.0.0.1", true), ("10.9.8.7", false)] {
            let socket = TcpSocket::bind(
                "127.0.0.1:0".parse().unwrap(),
                WebServerAddrs::parse(list).unwrap(),
            )
            .unwrap();
            let _client = TcpStream::connect(socket.local_addr().unwrap()).unwrap();
            assert_eq!(accept(&socket).is_some(), allowed, "{list}");
        }
    }

    #[test]
    fn a_port_in_use_is_named() {
        let first = TcpSocket::bind("127.0.0.1:0".parse().unwrap(), WebServerAddrs::any()).unwrap();
        let address = first.local_addr().unwrap();
        let error = TcpSocket::bind(address, WebServerAddrs::any()).unwrap_err();
        assert!(
            error.to_string().contains(&format!("tcp:{address}")),
            "{error}"
        );
        assert_eq!(first.describe(), format!("tcp:{address}"));
        assert!(first.accept().unwrap().is_none());
    }
}
