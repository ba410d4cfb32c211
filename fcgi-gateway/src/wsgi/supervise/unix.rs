//! Supervision on Unix.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::listener::{Stdin, StdinSocket};
use crate::shutdown::Waker;
pub(in crate::wsgi) use crate::supervisor::{FromWorker, Membership};
use crate::supervisor::{Plan, Supervisor, Ticket, VARIABLE};
use crate::wsgi::serve::python_failed;
use crate::wsgi::signals::Signals;
use crate::{Error, ServeOptions};

/// What a supervisor has told this process, where one has started it. The variable is removed, since it is not meant for what
/// the application starts.
pub(in crate::wsgi) fn ticket(py: Python<'_>) -> Result<Option<Ticket>, Error> {
    let take = || -> PyResult<Option<String>> {
        py.import("os")?
            .getattr("environ")?
            .call_method1("pop", (VARIABLE, py.None()))?
            .extract()
    };
    let text = take().map_err(python_failed)?;
    let ticket = text.map(|text| text.parse()).transpose();
    ticket.map_err(|message: String| Error::Io(std::io::Error::other(message)))
}

/// Starts `count` workers and keeps them running until a signal ends this process.
pub(in crate::wsgi) fn supervise(
    py: Python<'_>,
    options: &ServeOptions,
    count: usize,
    reopen: &(dyn Fn() + Sync),
) -> Result<(), Error> {
    let processes = &options.processes;
    if processes.command.is_empty() {
        return Err(Error::ProcessesOfCallable);
    }
    let stdin = Stdin::inspect();
    let StdinSocket::Listening(listener) = options.bind.open()? else {
        return Err(Error::ProcessesOfConnection {
            found: stdin.to_string(),
        });
    };
    let waker = Arc::new(Waker::new()?);
    let names = ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGCHLD"];
    let signals = Signals::watch(py, waker.sender_fd(), &names).map_err(python_failed)?;
    let plan = Plan {
        count,
        command: &processes.command,
        graceful_timeout: processes.graceful_timeout,
        listener,
        signals: waker,
    };
    let outcome = py.detach(|| Supervisor::new(plan)?.run(reopen));
    let restored = signals.restore(py);
    outcome.and(restored)
}
