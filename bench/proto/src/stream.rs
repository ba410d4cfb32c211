//! A connection in memory, for the peers that read from and write to tokio's streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The same octets, `repeat` times; then the end.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    octets: Vec<u8>,
    taken: usize,
    repeat: usize,
}

impl Source {
    pub(crate) const fn new(octets: Vec<u8>, repeat: usize) -> Self {
        Self {
            octets,
            taken: 0,
            repeat,
        }
    }

    fn read(&mut self, buffer: &mut ReadBuf<'_>) {
        if self.repeat == 0 {
            return;
        }
        let len = buffer.remaining().min(self.octets.len() - self.taken);
        buffer.put_slice(&self.octets[self.taken..][..len]);
        self.taken += len;
        if self.taken == self.octets.len() {
            self.taken = 0;
            self.repeat -= 1;
        }
    }
}

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.read(buffer);
        Poll::Ready(Ok(()))
    }
}

/// Counts what is written.
#[derive(Debug, Default)]
pub(crate) struct Sink<'c> {
    written: Option<&'c std::sync::atomic::AtomicUsize>,
}

impl<'c> Sink<'c> {
    pub(crate) const fn new(written: &'c std::sync::atomic::AtomicUsize) -> Self {
        Self {
            written: Some(written),
        }
    }
}

impl AsyncWrite for Sink<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if let Some(written) = self.written {
            written.fetch_add(octets.len(), std::sync::atomic::Ordering::Relaxed);
        }
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A [`Source`] and a [`Sink`] in one.
#[derive(Debug)]
pub(crate) struct Duplex(pub(crate) Source);

impl AsyncRead for Duplex {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.0.read(buffer);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut Sink::default()).poll_write(context, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
