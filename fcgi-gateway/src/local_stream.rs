//! A stream between two threads or processes of this machine.

use std::io;

#[cfg(unix)]
pub(crate) use std::os::unix::net::UnixStream as LocalStream;

/// Of what Windows has, only sockets can be waited on together with sockets.
#[cfg(windows)]
pub(crate) use std::net::TcpStream as LocalStream;

/// Two ends that are connected with each other and with nobody else.
#[cfg(unix)]
pub(crate) fn pair() -> io::Result<(LocalStream, LocalStream)> {
    LocalStream::pair()
}

/// Two ends that are connected with each other and with nobody else.
#[cfg(windows)]
pub(crate) fn pair() -> io::Result<(LocalStream, LocalStream)> {
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    let one = LocalStream::connect(listener.local_addr()?)?;
    one.set_nodelay(true)?;
    let own = one.local_addr()?;
    loop {
        let (other, peer) = listener.accept()?;
        // Whoever else has found the port in this moment is turned away.
        if peer == own {
            other.set_nodelay(true)?;
            return Ok((one, other));
        }
    }
}
