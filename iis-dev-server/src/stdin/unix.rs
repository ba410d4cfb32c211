//! Sockets as standard input.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use tokio::process::Command;

use crate::stream::Stream;

/// Hands over one end of a connected pair of sockets, which stands in for the pipe that would have this name, and returns the
/// other end.
pub(crate) fn pipe(command: &mut Command, _: &str, _overlapped: bool) -> io::Result<Stream> {
    let (ours, theirs) = UnixStream::pair()?;
    command.stdin(Stdio::from(OwnedFd::from(theirs)));
    Stream::unix(ours)
}

/// Hands over a socket that listens on the loopback address.
pub(crate) fn listen(command: &mut Command) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    command.stdin(Stdio::from(OwnedFd::from(listener)));
    Ok(address)
}
