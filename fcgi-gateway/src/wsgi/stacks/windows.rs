//! The stacks of an interpreter that hangs cannot be seen on Windows.

use pyo3::prelude::*;

/// What looks at the stacks of an interpreter that hangs, where something can.
#[derive(Debug)]
pub(crate) struct Stacks;

impl Stacks {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "where signals are registered, that can fail"
    )]
    pub(crate) const fn register(_: Python<'_>) -> PyResult<Self> {
        Ok(Self)
    }

    pub(crate) const fn at_once(&self) -> Option<String> {
        None
    }
}
