//! Signals while the gateway serves inside a Python interpreter.

use std::os::fd::RawFd;

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

use crate::{Error, Shutdown};

/// SIGTERM and SIGINT ask the server to stop, as long as this is kept.
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
    wakeup_fd: RawFd,
}

impl Signals {
    /// Takes the signals over. In another thread than the main one Python allows no handlers, and nothing is done.
    pub(crate) fn install(py: Python<'_>, shutdown: &Shutdown) -> PyResult<Self> {
        let threading = py.import("threading")?;
        if !threading
            .call_method0("current_thread")?
            .is(threading.call_method0("main_thread")?)
        {
            return Ok(Self { former: None });
        }
        let signal = py.import("signal")?;
        let options = PyDict::new(py);
        options.set_item("warn_on_full_buffer", false)?;
        let wakeup_fd = signal
            .call_method("set_wakeup_fd", (shutdown.signal_fd(),), Some(&options))?
            .extract()?;
        let mut handlers = Vec::new();
        for name in ["SIGTERM", "SIGINT"] {
            let number: i32 = signal.getattr(name)?.extract()?;
            let (stop, default) = (shutdown.clone(), signal.getattr("SIG_DFL")?.unbind());
            let handler = PyCFunction::new_closure(
                py,
                None,
                None,
                move |arguments: &Bound<'_, PyTuple>,
                      _: Option<&Bound<'_, PyDict>>|
                      -> PyResult<()> {
                    stop.request();
                    let py = arguments.py();
                    py.import("signal")?
                        .call_method1("signal", (number, &default))
                        .map(|_| ())
                },
            )?;
            handlers.push((
                number,
                signal.call_method1("signal", (number, handler))?.unbind(),
            ));
        }
        Ok(Self {
            former: Some(Former {
                handlers,
                wakeup_fd,
            }),
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
