//! What Python's threads do at the moment, for the log.
//!
//! Asked in the usual way, `sys._current_frames()` says where each thread is; that needs the interpreter's lock. Where a thread
//! keeps that while it hangs in foreign code, Python's `faulthandler` looks without it: its handler of a signal, registered
//! beforehand, writes all stacks to a pipe, which is read here. Windows has no
//! such signals: an interpreter that hangs there ends without having said where.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::collections::HashMap;

use pyo3::prelude::*;

#[cfg(unix)]
pub(crate) use self::unix::Stacks;
#[cfg(windows)]
pub(crate) use self::windows::Stacks;

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
