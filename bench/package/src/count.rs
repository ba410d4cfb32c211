//! A reader that counts what is asked of it.

use std::io::{self, Read, Seek, SeekFrom};

/// Counts reads and octets.
#[derive(Debug)]
pub(crate) struct Counted<R> {
    inner: R,
    pub(crate) reads: u64,
    pub(crate) octets: u64,
}

impl<R> Counted<R> {
    pub(crate) const fn new(inner: R) -> Self {
        Self {
            inner,
            reads: 0,
            octets: 0,
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.reads += 1;
        self.octets += read as u64;
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}
