//! A pipe of Unix.

use std::io::{self, PipeReader};

use tokio::net::unix::pipe::Receiver;

/// The end of a pipe that is read.
#[derive(Debug)]
pub(crate) struct Output(Receiver);

impl Output {
    /// Takes over the end of a pipe.
    pub(crate) fn new(reader: PipeReader) -> io::Result<Self> {
        Receiver::from_owned_fd(reader.into()).map(Self)
    }

    /// The next octets, put into `buffer`; nothing at the end.
    pub(crate) async fn read<'b>(&mut self, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
        buffer.resize(16 * 1024, 0);
        loop {
            self.0.readable().await?;
            match self.0.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read.map(|len| buffer.get(..len).unwrap_or_default()),
            }
        }
    }
}
