//! The octets between the server and a process, over whichever kind of socket or pipe.

use std::io;

use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
#[cfg(windows)]
use tokio::net::windows::named_pipe::NamedPipeClient;

/// A connection whose two directions can be awaited at the same time through one shared reference.
#[derive(Debug)]
pub(crate) enum Stream {
    #[cfg(unix)]
    Unix(UnixStream),
    #[cfg(windows)]
    Pipe(NamedPipeClient),
    Tcp(TcpStream),
}

impl Stream {
    /// Takes over one end of a socket pair.
    #[cfg(unix)]
    pub(crate) fn unix(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        UnixStream::from_std(stream).map(Self::Unix)
    }

    /// Takes over a connection.
    pub(crate) fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self::Tcp(stream))
    }

    /// Reads some octets; 0 is the end. Nothing is lost if the future is dropped.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let result = match self {
                #[cfg(unix)]
                Self::Unix(stream) => {
                    stream.readable().await?;
                    stream.try_read(buffer)
                }
                #[cfg(windows)]
                Self::Pipe(pipe) => {
                    pipe.readable().await?;
                    pipe.try_read(buffer)
                }
                Self::Tcp(stream) => {
                    stream.readable().await?;
                    stream.try_read(buffer)
                }
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
        }
    }

    /// Writes some octets. Nothing is written if the future is dropped.
    pub(crate) async fn write(&self, octets: &[u8]) -> io::Result<usize> {
        loop {
            let result = match self {
                #[cfg(unix)]
                Self::Unix(stream) => {
                    stream.writable().await?;
                    stream.try_write(octets)
                }
                #[cfg(windows)]
                Self::Pipe(pipe) => {
                    pipe.writable().await?;
                    pipe.try_write(octets)
                }
                Self::Tcp(stream) => {
                    stream.writable().await?;
                    stream.try_write(octets)
                }
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
        }
    }
}
