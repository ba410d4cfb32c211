//! A named pipe as standard input, as IIS hands it over.
#![expect(
    unsafe_code,
    reason = "std and tokio make no pipe for another process to own"
)]

use std::io;
use std::net::SocketAddr;
use std::os::windows::io::{FromRawHandle as _, OwnedHandle};
use std::process::Stdio;

use tokio::net::windows::named_pipe::ClientOptions;
use tokio::process::Command;
use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_WAIT,
};

use crate::stream::Stream;

/// Room in each direction, in octets.
const BUFFER: u32 = 64 * 1024;

/// Makes the pipe of this name, hands over the end that made it, and connects to it.
///
/// The process owns the server's end, as under IIS: whether it calls `ConnectNamedPipe` or takes it to be connected, both are
/// right.
pub(crate) fn pipe(command: &mut Command, name: &str, overlapped: bool) -> io::Result<Stream> {
    let kind = if overlapped { FILE_FLAG_OVERLAPPED } else { 0 };
    let wide: Vec<u16> = name.encode_utf16().chain([0]).collect();
    // SAFETY: the name ends with a zero and lives until the call returns; no security attributes are given, which is allowed.
    let handle = unsafe {
        CreateNamedPipeW(
            wide.as_ptr(),
            PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE | kind,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
            1,
            BUFFER,
            BUFFER,
            0,
            std::ptr::null(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was made by the call above, and nothing else has it.
    let theirs = unsafe { OwnedHandle::from_raw_handle(handle) };
    let ours = ClientOptions::new().open(name)?;
    command.stdin(Stdio::from(theirs));
    Ok(Stream::Pipe(ours))
}

/// How IIS hands a listening socket over is not documented.
pub(crate) fn listen(_: &mut Command) -> io::Result<SocketAddr> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "the protocol `Tcp` cannot be tried on Windows: how IIS hands its socket over is not documented; use `NamedPipe`",
    ))
}
