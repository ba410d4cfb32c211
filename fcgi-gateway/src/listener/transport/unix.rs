//! Calls to a socket of POSIX that do not wait, whatever is set on it.

use std::io::{self, IoSlice, IoSliceMut};

use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags};

use crate::descriptor::AsFd;

pub(super) fn try_receive(socket: &impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, buffer, RecvFlags::DONTWAIT)?.0)
}

pub(super) fn try_receive_all(
    socket: &impl AsFd,
    slices: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    let mut nothing_else = RecvAncillaryBuffer::default();
    let received = rustix::net::recvmsg(socket, slices, &mut nothing_else, RecvFlags::DONTWAIT)?;
    Ok(received.bytes)
}

/// Slices that the kernel takes at once at most, `UIO_MAXIOV`.
const SLICES: usize = 1024;

pub(super) fn try_send(socket: &impl AsFd, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    // A broken connection is an error, no signal.
    let flags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
    let slices = &slices[..slices.len().min(SLICES)];
    loop {
        let sent = match slices {
            [slice] => rustix::net::send(socket, slice, flags),
            slices => {
                rustix::net::sendmsg(socket, slices, &mut SendAncillaryBuffer::default(), flags)
            }
        };
        match sent {
            Err(Errno::INTR) => {}
            sent => return Ok(sent?),
        }
    }
}
