//! Signals while the gateway serves inside a Python interpreter.

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

use super::exception::traceback;
use crate::descriptor::RawFd;
use crate::{Error, Shutdown};

/// The signals that stop a server. On Windows the console sends them, Ctrl+C and Ctrl+Break.
#[cfg(unix)]
const STOP: &[&str] = &["SIGTERM", "SIGINT"];
#[cfg(windows)]
const STOP: &[&str] = &["SIGTERM", "SIGINT", "SIGBREAK"];

/// The signal that opens the logs anew, which Windows has not.
#[cfg(unix)]
const REOPEN: &[&str] = &["SIGUSR1"];
#[cfg(windows)]
const REOPEN: &[&str] = &[];

/// Has Python's handlers run for signals that have come.
pub(crate) fn check() {
    Python::attach(|py| {
        if let Err(exception) = py.check_signals() {
            tracing::warn!("a signal handler has raised: {}", traceback(py, &exception));
        }
    });
}

/// SIGTERM and SIGINT ask the server to stop, and SIGUSR1 to open its logs anew, as long as this is kept.
///
/// The interpreter's own handlers are used, since it is theirs to know which thread runs what: they write the signal's number
/// to the descriptor that the server waits on, whatever runs at that moment. The second signal has its usual effect, so
/// that an application that hangs can be ended.
#[derive(Debug)]
pub(crate) struct Signals {
    former: Option<Former>,
}

/// What there was before.
#[derive(Debug)]
struct Former {
    /// By the signals' numbers.
    handlers: Vec<(i32, Py<PyAny>)>,
    wakeup_fd: i64,
}

impl Signals {
    /// Takes the signals over. In another thread than the main one Python allows no handlers, and nothing is done.
    pub(crate) fn install(py: Python<'_>, shutdown: &Shutdown) -> PyResult<Self> {
        let mut signals = Self::watch(py, shutdown.signal_fd(), REOPEN)?;
        if let Some(former) = &mut signals.former {
            for name in STOP {
                former.stop(py, name, shutdown)?;
            }
        }
        Ok(signals)
    }

    /// Has signals write their numbers to a descriptor, and do nothing else.
    pub(crate) fn watch(py: Python<'_>, fd: RawFd, names: &[&str]) -> PyResult<Self> {
        let threading = py.import("threading")?;
        if !threading
            .call_method0("current_thread")?
            .is(threading.call_method0("main_thread")?)
        {
            return Ok(Self { former: None });
        }
        let options = PyDict::new(py);
        options.set_item("warn_on_full_buffer", false)?;
        let wakeup_fd = py
            .import("signal")?
            .call_method("set_wakeup_fd", (fd,), Some(&options))?
            .extract()?;
        let mut former = Former {
            handlers: Vec::new(),
            wakeup_fd,
        };
        for name in names {
            // Python writes only the numbers of signals that have a handler in Python.
            let nothing = PyCFunction::new_closure(py, None, None, |_, _| {})?;
            former.handle(py, name, nothing)?;
        }
        Ok(Self {
            former: Some(former),
        })
    }

    /// Puts back what there was.
    pub(crate) fn restore(self, py: Python<'_>) -> Result<(), Error> {
        let Some(Former {
            handlers,
            wakeup_fd,
        }) = self.former
        else {
            return Ok(());
        };
        let restore = || -> PyResult<()> {
            let signal = py.import("signal")?;
            for (number, handler) in handlers {
                // None is a handler that was not Python's.
                if !handler.is_none(py) {
                    signal.call_method1("signal", (number, handler))?;
                }
            }
            signal
                .call_method1("set_wakeup_fd", (wakeup_fd,))
                .map(|_| ())
        };
        restore().map_err(|exception| Error::Application {
            message: exception.to_string(),
        })
    }
}

impl Former {
    /// The first such signal stops the server, the second has its usual effect.
    fn stop(&mut self, py: Python<'_>, name: &str, shutdown: &Shutdown) -> PyResult<()> {
        let signal = py.import("signal")?;
        let number: i32 = signal.getattr(name)?.extract()?;
        let (stop, default) = (shutdown.clone(), signal.getattr("SIG_DFL")?.unbind());
        let handler = PyCFunction::new_closure(
            py,
            None,
            None,
            move |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<()> {
                stop.request();
                let py = arguments.py();
                py.import("signal")?
                    .call_method1("signal", (number, &default))
                    .map(|_| ())
            },
        )?;
        self.handle(py, name, handler)
    }

    fn handle(
        &mut self,
        py: Python<'_>,
        name: &str,
        handler: Bound<'_, PyCFunction>,
    ) -> PyResult<()> {
        let signal = py.import("signal")?;
        let number: i32 = signal.getattr(name)?.extract()?;
        let former = signal.call_method1("signal", (number, handler))?;
        self.handlers.push((number, former.unbind()));
        Ok(())
    }
}
