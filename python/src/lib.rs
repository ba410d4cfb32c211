//! The extension module of the `iiswsgi` wheel: the command and the gateway, for the Python files beside it.

mod early_log;
mod serve;

use std::ffi::OsString;

use iiswsgi_cli::Host;
use pyo3::prelude::*;

/// `iiswsgi._iiswsgi`
#[pymodule]
fn _iiswsgi(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(arguments, module)?)?;
    module.add_function(wrap_pyfunction!(call, module)?)?;
    module.add_function(wrap_pyfunction!(distribution_stem, module)?)?;
    module.add_function(wrap_pyfunction!(early_log::open_log, module)?)?;
    module.add_function(wrap_pyfunction!(early_log::log_failure, module)?)?;
    module.add_function(wrap_pyfunction!(serve::serve, module)?)
}

/// The arguments of every subcommand, as JSON: see `iiswsgi_cli::arguments`.
#[pyfunction]
fn arguments() -> String {
    iiswsgi_cli::arguments().to_string()
}

/// Runs the command line `argv`, program name first, for a program: the exit status, and as JSON the result and what was wrong.
#[pyfunction]
fn call(py: Python<'_>, argv: Vec<OsString>) -> PyResult<(u8, Option<String>, String)> {
    let host = host(py)?;
    let called = py.detach(|| iiswsgi_cli::call(argv, host));
    let problems: Vec<String> = called.problems.iter().map(ToString::to_string).collect();
    Ok((
        called.status.code(),
        called.report.map(|report| report.to_string()),
        format!("[{}]", problems.join(",")),
    ))
}

fn host(py: Python<'_>) -> PyResult<Host> {
    let executable: Option<String> = py.import("sys")?.getattr("executable")?.extract()?;
    Ok(Host::python(executable.as_deref().unwrap_or("python")))
}

/// What the names of a distribution's files begin with.
#[pyfunction]
fn distribution_stem(name: &str, version: &str) -> String {
    iiswsgi_cli::distribution_stem(name, version)
}

/// Runs the command line `argv`, program name first, and returns the exit status. Where setuptools runs it for a project,
/// `egg_info` is what it has written of it.
#[pyfunction]
#[pyo3(signature = (argv, egg_info=None))]
fn main(py: Python<'_>, argv: Vec<OsString>, egg_info: Option<&str>) -> PyResult<u8> {
    let host = host(py)?.with_egg_info(egg_info);
    Ok(py.detach(|| iiswsgi_cli::main(argv, host).code()))
}
