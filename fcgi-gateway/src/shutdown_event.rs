//! The event by which IIS tells a process to end.
//!
//! `_FCGI_SHUTDOWN_EVENT_` is the value of an inherited handle, decimal. IIS sets the variable where
//! `signalBeforeTerminateSeconds` is more than 0, signals the event, waits so many seconds and ends the process by force (*FastCGI
//! Application*, IIS configuration reference; *Improvements to FastCGI in IIS 7.5*). It does not say how many seconds.
#![expect(unsafe_code, reason = "std has no events")]

use std::io;
use std::thread;

use windows_sys::Win32::Foundation::{HANDLE, WAIT_OBJECT_0, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{INFINITE, WaitForSingleObject};

use crate::{Shutdown, Watch};

/// The variable with the event's handle.
const VARIABLE: &str = "_FCGI_SHUTDOWN_EVENT_";

/// An inherited event, which this process never closes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShutdownEvent {
    handle: usize,
}

impl ShutdownEvent {
    /// The event that the environment names, if it is one.
    pub(crate) fn from_environment() -> Option<Self> {
        let value = std::env::var_os(VARIABLE)?;
        let handle = value.to_str().and_then(parse)?;
        let event = Self { handle };
        matches!(event.wait(0), WAIT_OBJECT_0 | WAIT_TIMEOUT).then_some(event)
    }

    pub(crate) const fn handle(&self) -> HANDLE {
        std::ptr::with_exposed_provenance_mut(self.handle)
    }

    /// Whether the process is told to end.
    pub(crate) fn is_signalled(&self) -> bool {
        self.wait(0) == WAIT_OBJECT_0
    }

    fn wait(&self, milliseconds: u32) -> u32 {
        // SAFETY: a value that is no handle is answered with an error.
        unsafe { WaitForSingleObject(self.handle(), milliseconds) }
    }
}

/// Has the event stop a server that does not look at it by itself.
///
/// # Errors
/// No thread can be started.
pub(crate) fn stop(shutdown: &Shutdown) -> io::Result<()> {
    let Some(event) = ShutdownEvent::from_environment() else {
        return Ok(());
    };
    let shutdown = shutdown.clone();
    spawn(move || {
        if event.wait(INFINITE) == WAIT_OBJECT_0 {
            pass_on(&shutdown);
        }
    })
}

/// Has the server finish what runs.
pub(crate) fn pass_on(shutdown: &Shutdown) {
    tracing::info!("told to end by the Web server");
    shutdown.request();
}

/// Ends a process that goes on for longer than [`Watch::grace`] after it was told to end, whether a request hangs or what
/// the program does at its end. Where the environment names something that is no event, the log says so.
///
/// # Errors
/// No thread can be started.
pub(crate) fn limit(watch: Watch) -> io::Result<()> {
    let Some(event) = ShutdownEvent::from_environment() else {
        if let Some(value) = std::env::var_os(VARIABLE) {
            tracing::warn!(
                "{VARIABLE}={} is no handle of an event: this process cannot be told to finish its requests before it is ended",
                value.to_string_lossy()
            );
        }
        return Ok(());
    };
    spawn(move || {
        if event.wait(INFINITE) == WAIT_OBJECT_0 {
            thread::sleep(watch.grace);
            tracing::error!(
                "this process still runs {:?} after it was told to end: it ends with status {}",
                watch.grace,
                Watch::EXIT_STATUS
            );
            (watch.end)(Watch::EXIT_STATUS);
        }
    })
}

fn spawn(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name("shutdown-event".to_owned());
    builder.spawn(run)?;
    Ok(())
}

/// A handle as IIS writes it: decimal, as wide as the process.
fn parse(value: &str) -> Option<usize> {
    value.trim().parse().ok().filter(|handle| *handle != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_a_decimal_number_of_64_bits() {
        for (value, handle) in [
            ("1234", Some(1234)),
            (" 8\r\n", Some(8)),
            ("4294967300", Some(4_294_967_300)),
            ("0", None),
            ("-1", None),
            ("0x10", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse(value), handle, "{value:?}");
        }
    }
}
