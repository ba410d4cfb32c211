//! An application for trying out a Web server, or the gateway behind it: each path does one thing that can go wrong.
//!
//! `cargo run -p fcgi-gateway --example probe [-- ADDRESS]`, as the command line of a FastCGI application. It serves what the Web
//! server has left on standard input, or listens on the address. It logs where every gateway does, so that `WSGI_LOG` names
//! the file.
//!
//! - `/echo`: the request's body.
//! - `/wait`: answers when the client has left, which only the log can tell then.
//! - `/endless`: writes as long as somebody reads.
//! - `/hang`: never answers.
//! - `/print`: writes to standard output and standard error, and panics.
//! - `/user`: whether the request runs as its user.
//!
//! With `PROBE_IMPERSONATE` set, requests run as their users. `PROBE_GRACE` is how many milliseconds are left for the running requests
//! when the process is told to end.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "one of the things to try"
)]

use std::io::Read as _;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use fcgi_gateway::{Application, Bind, Error, Head, Request, Response, ServerOptions, log};

struct Probe;

impl Application for Probe {
    fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
        let head = Head::new("200 OK").header("Content-Type", "application/octet-stream");
        match request.param("PATH_INFO").unwrap_or_default() {
            b"/wait" => {
                while !response.is_disconnected() {
                    thread::sleep(Duration::from_millis(5));
                }
                tracing::info!("the client has left");
                response.start(head)?;
                response.write(b"nobody reads this")
            }
            b"/endless" => {
                response.start(head)?;
                loop {
                    response.write(&[b'x'; 1000])?;
                }
            }
            b"/hang" => loop {
                thread::park();
            },
            b"/print" => {
                println!("to standard output");
                eprintln!("to standard error");
                std::panic::panic_any("a panic")
            }
            b"/user" => {
                response.start(head)?;
                response.write_last(&[is_somebody_else().to_string().as_bytes()])
            }
            _ => {
                let mut body = Vec::new();
                request.body().read_to_end(&mut body)?;
                response.start(head)?;
                response.write_last(&[&body])
            }
        }
    }
}

/// Whether this thread has another user than the process.
#[cfg(windows)]
#[expect(unsafe_code, reason = "std does not know threads with other users")]
fn is_somebody_else() -> bool {
    use std::os::windows::io::{FromRawHandle as _, OwnedHandle};

    use windows_sys::Win32::Security::TOKEN_QUERY;
    use windows_sys::Win32::System::Threading::{GetCurrentThread, OpenThreadToken};

    let mut token = std::ptr::null_mut();
    // SAFETY: the pseudo-handle of the calling thread is always valid, and the call writes to `token` before it returns.
    let found = unsafe { OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, 1, &raw mut token) } != 0;
    if found {
        // SAFETY: the call above has made the handle.
        drop(unsafe { OwnedHandle::from_raw_handle(token) });
    }
    found
}

/// Elsewhere no thread has.
#[cfg(not(windows))]
const fn is_somebody_else() -> bool {
    false
}

fn serve() -> Result<(), Error> {
    let mut options = ServerOptions::default();
    options.impersonate = std::env::var_os("PROBE_IMPERSONATE").is_some();
    let grace = std::env::var("PROBE_GRACE").ok();
    if let Some(milliseconds) = grace.and_then(|grace| grace.parse().ok()) {
        options.watch.grace = Duration::from_millis(milliseconds);
    }
    let address = std::env::args().nth(1);
    let bind = match address.and_then(|address| address.parse().ok()) {
        Some(address) => Bind::Tcp(address),
        None => Bind::Auto,
    };
    let server = bind.server(options)?;
    tracing::info!(on = server.describe(), "serving");
    server.run(&Probe)
}

fn main() -> ExitCode {
    let log = match log::init(&log::Options::default()) {
        Ok(log) => log,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    match serve() {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            log.fatal(&error.to_string());
            ExitCode::FAILURE
        }
    }
}
