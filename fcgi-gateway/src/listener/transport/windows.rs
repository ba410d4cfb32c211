//! Calls to a socket of Windows that do not wait where it is set so.

use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::net::TcpStream;

pub(super) fn try_receive(mut socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    socket.read(buffer)
}

pub(super) fn try_receive_all(
    mut socket: &TcpStream,
    slices: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    socket.read_vectored(slices)
}

pub(super) fn try_send(mut socket: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    socket.write_vectored(slices)
}
