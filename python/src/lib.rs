//! The extension module of the `iiswsgi` wheel: the command and the gateway, for the Python files beside it.

mod serve;

use std::ffi::OsString;

use iiswsgi_cli::Host;
use pyo3::prelude::*;

/// `iiswsgi._iiswsgi`
#[pymodule]
fn _iiswsgi(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(serve::serve, module)?)
}

/// Runs the command line `argv`, program name first, and returns the exit status.
#[pyfunction]
fn main(py: Python<'_>, argv: Vec<OsString>) -> PyResult<u8> {
    let executable: Option<String> = py.import("sys")?.getattr("executable")?.extract()?;
    let host = Host::python(executable.as_deref().unwrap_or("python"));
    Ok(py.detach(|| iiswsgi_cli::main(argv, host).code()))
}
