//! What Python's threads do at the moment, for the log.
//!
//! Asked in the usual way, `sys._current_frames()` says where each thread is; that needs the interpreter's lock. Where a thread
//! keeps that while it hangs in foreign code, Python's `faulthandler` looks without it: its handler of a signal, registered
//! beforehand, writes all stacks to a pipe, which is read here.
#![expect(
    unsafe_code,
    reason = "only the C library can send a signal to the calling thread"
)]

use std::collections::HashMap;
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

/// The calling thread, as Python calls it.
pub(crate) fn thread_ident() -> Option<u64> {
    Python::attach(|py| {
        let ident = py.import("threading")?.call_method0("get_ident")?;
        ident.extract::<u64>()
    })
    .ok()
}

/// As [`stack`], for the log: that it cannot be seen is a line there too.
pub(crate) fn logged_stack(thread: Option<u64>) -> Option<String> {
    stack(thread)
        .inspect_err(|error| tracing::warn!(%error, "the stacks cannot be seen"))
        .ok()
}

/// The stack of one thread, or with `None` those of all; innermost call last, as in a traceback. Waits for the interpreter.
fn stack(thread: Option<u64>) -> PyResult<String> {
    Python::attach(|py| {
        let frames = py.import("sys")?.call_method0("_current_frames")?;
        let frames: HashMap<u64, Bound<'_, PyAny>> = frames.extract()?;
        let own: u64 = py
            .import("threading")?
            .call_method0("get_ident")?
            .extract()?;
        let names = names(py)?;
        let mut wanted: Vec<_> = frames
            .iter()
            .filter(|(ident, _)| **ident != own && thread.is_none_or(|thread| thread == **ident))
            .collect();
        wanted.sort_by_key(|(ident, _)| **ident);
        let format_stack = py.import("traceback")?.getattr("format_stack")?;
        let mut text = String::new();
        for (ident, frame) in wanted {
            let lines: Vec<String> = format_stack.call1((frame,))?.extract()?;
            let name = names.get(ident).map_or("without a name", String::as_str);
            text += &format!("Thread {name} (most recent call last):\n");
            text.extend(lines);
        }
        Ok(text)
    })
}

/// The names of the threads that the module `threading` knows.
fn names(py: Python<'_>) -> PyResult<HashMap<u64, String>> {
    let mut names = HashMap::new();
    for thread in py
        .import("threading")?
        .call_method0("enumerate")?
        .try_iter()?
    {
        let thread = thread?;
        if let Some(ident) = thread.getattr("ident")?.extract::<Option<u64>>()? {
            names.insert(ident, thread.getattr("name")?.extract()?);
        }
    }
    Ok(names)
}
