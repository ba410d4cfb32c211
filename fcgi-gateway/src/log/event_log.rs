//! Windows' event log, *Application*: what keeps a process from serving is there, for a person who does not know where the log
//! is. IIS shows nothing of what a process says while it starts.
//!
//! The source is `iiswsgi` and the event's number 1. Nothing has to be registered: the event viewer then shows the text below a
//! remark that it does not know the source.
#![expect(unsafe_code, reason = "std does not know the event log")]

use std::io;

use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_ERROR_TYPE, RegisterEventSourceW, ReportEventW,
};

const SOURCE: &str = "iiswsgi";
const EVENT: u32 = 1;

/// UTF-16 units that one string of an event may have: 31,839, says the reference of `ReportEvent`.
const LEN: usize = 31_839;

/// Writes one event.
///
/// # Errors
/// Windows's.
pub(super) fn report(message: &str) -> io::Result<()> {
    let source = wide(SOURCE, SOURCE.len());
    let message = wide(message, LEN);
    // SAFETY: the name ends with a zero and lives until the call returns.
    let log = unsafe { RegisterEventSourceW(std::ptr::null(), source.as_ptr()) };
    if log.is_null() {
        return Err(io::Error::last_os_error());
    }
    let strings = [message.as_ptr()];
    // SAFETY: the handle is open; there is as many strings as said, which ends with a zero and lives until the call returns; no
    // user and no data are given, which is allowed.
    let reported = unsafe {
        ReportEventW(
            log,
            EVENTLOG_ERROR_TYPE,
            0,
            EVENT,
            std::ptr::null_mut(),
            1,
            0,
            strings.as_ptr(),
            std::ptr::null(),
        )
    };
    let outcome = if reported == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    };
    // SAFETY: the handle is open, and not used any more.
    unsafe { DeregisterEventSource(log) };
    outcome
}

/// The text as Windows wants it, with a zero at its end and none before, and cut where it is too long.
fn wide(text: &str, len: usize) -> Vec<u16> {
    let units = text.encode_utf16().filter(|unit| *unit != 0);
    units.take(len).chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_kind_are_taken() {
        let long = "x".repeat(100_000);
        for text in ["", "one line", "Jürgen's\n日本\0", &long] {
            report(text).unwrap();
        }
        assert_eq!(wide("a\0b", 9), [97, 98, 0]);
        assert_eq!(wide("abc", 2), [97, 98, 0]);
    }
}
