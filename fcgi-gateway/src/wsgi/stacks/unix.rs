//! The stacks of an interpreter that hangs, on Unix.
#![expect(
    unsafe_code,
    reason = "only the C library can send a signal to the calling thread"
)]

use std::io::{PipeReader, PipeWriter, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Looks at the stacks of Python's threads, also where the interpreter hangs.
#[derive(Debug)]
pub(crate) struct Stacks {
    /// The signal that makes the interpreter write.
    signal: i32,
    reader: Mutex<PipeReader>,
    /// What faulthandler writes to; kept, as it only knows the number.
    _writer: PipeWriter,
}

impl Stacks {
    /// Has `faulthandler` wait for a signal that nothing else uses.
    pub(crate) fn register(py: Python<'_>) -> PyResult<Self> {
        let signal = unused_signal(py)?;
        let (reader, writer) = std::io::pipe()?;
        rustix::io::ioctl_fionbio(&reader, true).map_err(std::io::Error::from)?;
        // The handler must not wait for room either: what does not fit is lost.
        rustix::io::ioctl_fionbio(&writer, true).map_err(std::io::Error::from)?;
        let options = PyDict::new(py);
        options.set_item("file", writer.as_raw_fd())?;
        options.set_item("all_threads", true)?;
        options.set_item("chain", false)?;
        py.import("faulthandler")?
            .call_method("register", (signal,), Some(&options))?;
        Ok(Self {
            signal,
            reader: Mutex::new(reader),
            _writer: writer,
        })
    }

    /// The stacks of all threads, innermost call first, without waiting for the interpreter.
    pub(crate) fn at_once(&self) -> Option<String> {
        let signal = self.signal;
        // A thread of its own gets the signal, and no other is interrupted. It reads nothing: the pipe holds 64 KiB, some
        // hundred stacks.
        let raised = std::thread::Builder::new()
            .name("stacks".to_owned())
            .spawn(move || {
                // SAFETY: raise() has no preconditions, and a handler is registered as long as the interpreter lives.
                unsafe { libc::raise(signal) }
            })
            .ok()?
            .join();
        drop(raised);
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut octets = Vec::new();
        // The handler has returned by now: everything is there.
        let mut fds = [PollFd::from_borrowed_fd(reader.as_fd(), PollFlags::IN)];
        let arrived = poll(&mut fds, Some(&Timespec::default())).unwrap_or(0) > 0;
        if arrived {
            // It ends with an error, as the pipe never does.
            let _ = reader.read_to_end(&mut octets);
        }
        let text = String::from_utf8_lossy(&octets).into_owned();
        (!text.is_empty()).then_some(text)
    }
}

/// A real-time signal, of which nobody makes use by chance; else SIGUSR2.
fn unused_signal(py: Python<'_>) -> PyResult<i32> {
    let signal = py.import("signal")?;
    match signal.getattr_opt("SIGRTMAX")? {
        Some(last) => Ok(last.extract::<i32>()? - 3),
        None => signal.getattr("SIGUSR2")?.extract(),
    }
}
