//! The interpreter's standard streams where a Web server has started it.

use pyo3::prelude::*;

use super::errors::Errors;

/// What the interpreter has on file descriptor 0 and for `sys.stdout` and `sys.stderr`.
///
/// On Windows a C library keeps numbers of its own for handles, so that file descriptor 0 is the Web server's pipe still when
/// nothing else is: `input()` or a process of the application would eat the requests. A process that IIS starts has no standard
/// output and error; what the application prints goes to the log then.
pub(super) fn replace(py: Python<'_>, on_stdin: bool) -> PyResult<()> {
    if cfg!(windows) && on_stdin {
        let os = py.import("os")?;
        let null = os.call_method1("open", (os.getattr("devnull")?, os.getattr("O_RDONLY")?))?;
        // Closes the Web server's handle, of which the transport has its own copy.
        os.call_method1("dup2", (&null, 0))?;
        os.call_method1("close", (null,))?;
    }
    let sys = py.import("sys")?;
    for name in ["stdout", "stderr"] {
        if sys.getattr(name)?.is_none() {
            sys.setattr(name, Bound::new(py, Errors::of_process())?)?;
        }
    }
    Ok(())
}
