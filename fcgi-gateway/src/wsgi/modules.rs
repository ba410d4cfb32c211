//! The files that Python's modules were loaded from.

use camino::Utf8PathBuf;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};

/// The files of all modules that are loaded now; none where the interpreter is about to end.
pub(super) fn files() -> Vec<Utf8PathBuf> {
    Python::try_attach(find)
        .and_then(Result::ok)
        .unwrap_or_default()
}

fn find(py: Python<'_>) -> PyResult<Vec<Utf8PathBuf>> {
    let modules = py.import("sys")?.getattr("modules")?;
    // A copy, since a module may be imported meanwhile.
    let modules = modules.cast::<PyDict>()?.copy()?;
    let mut files = Vec::new();
    for (_, module) in modules {
        // What is not a module itself may import something when it is asked.
        let Ok(module) = module.cast::<PyModule>() else {
            continue;
        };
        let file = module.dict().get_item("__file__")?;
        if let Some(Ok(file)) = file.map(|file| file.extract::<String>()) {
            files.push(file.into());
        }
    }
    Ok(files)
}
