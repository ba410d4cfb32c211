//! The standard input on Windows.
#![expect(
    unsafe_code,
    reason = "std cannot give the process another standard input"
)]

use std::io;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _, IntoRawHandle as _};

use windows_sys::Win32::Foundation::{
    HANDLE_FLAG_INHERIT, INVALID_HANDLE_VALUE, SetHandleInformation,
};
use windows_sys::Win32::System::Console::{STD_INPUT_HANDLE, SetStdHandle};

use super::{Stdin, StdinSocket};
use crate::listener::web_server_addrs::WebServerAddrs;
use crate::listener::windows_pipe::{Found, PipeListener, WindowsPipe, look};

pub(super) fn inspect_stdin() -> Stdin {
    match find() {
        Ok(found) => Stdin::NamedPipe {
            accepts: accepts(&found),
        },
        Err(found) => found,
    }
}

/// Whether Web servers are to be accepted. IIS, and nobody else, names the pipe, and has connected when the process starts.
fn accepts(found: &Found) -> bool {
    let is_iis = std::env::var_os("_FCGI_X_PIPE_").is_some();
    found.is_servers && !(is_iis && found.is_connected)
}

/// The pipe on the standard input, or what is there instead.
fn find() -> Result<Found, Stdin> {
    let stdin = io::stdin();
    let handle = stdin.as_raw_handle();
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(Stdin::Closed);
    }
    look(stdin.as_handle()).ok_or(Stdin::NoSocket("no named pipe for both directions"))
}

/// The handle that the Web server has given stays open, as file descriptor 0 of a C library may be another name of it, but no
/// process that is started from now on gets it.
pub(super) fn take(_: WebServerAddrs) -> io::Result<StdinSocket> {
    let found =
        find().map_err(|found| io::Error::new(io::ErrorKind::Unsupported, found.to_string()))?;
    let stdin = io::stdin();
    let pipe = stdin.as_handle().try_clone_to_owned()?;
    let null = fs_err::File::open("NUL")?.into_parts().0;
    // SAFETY: both handles are open. The second one stays so, as nothing owns it any more.
    let succeeded = unsafe {
        SetHandleInformation(stdin.as_raw_handle(), HANDLE_FLAG_INHERIT, 0) != 0
            && SetStdHandle(STD_INPUT_HANDLE, null.into_raw_handle()) != 0
    };
    if !succeeded {
        return Err(io::Error::last_os_error());
    }
    Ok(if accepts(&found) {
        StdinSocket::Listening(Box::new(PipeListener::new(pipe, found.kind)?))
    } else {
        StdinSocket::Connected(Box::new(WindowsPipe::new(pipe, found.kind)?))
    })
}
