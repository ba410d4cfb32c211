//! An anonymous pipe of Windows, which only a thread can wait for.

use std::io::{self, PipeReader, Read as _};

use tokio::sync::mpsc;

/// The end of a pipe that is read.
#[derive(Debug)]
pub(crate) struct Output(mpsc::Receiver<Vec<u8>>);

impl Output {
    /// Takes over the end of a pipe.
    pub(crate) fn new(mut reader: PipeReader) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(4);
        std::thread::Builder::new()
            .name("process-output".to_owned())
            .spawn(move || {
                let mut buffer = vec![0; 16 * 1024];
                while let Ok(len @ 1..) = reader.read(&mut buffer) {
                    let octets = buffer.get(..len).unwrap_or_default();
                    if sender.blocking_send(octets.to_vec()).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self(receiver))
    }

    /// The next octets, put into `buffer`; nothing at the end.
    pub(crate) async fn read<'b>(&mut self, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
        *buffer = self.0.recv().await.unwrap_or_default();
        Ok(buffer)
    }
}
