//! `wsgi.errors`: what the application has to say to its operator (PEP 3333, *Input and Error Streams*).

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::{Body, RequestNumber};

/// Writes lines to the log, and on demand to the Web server.
///
/// It also stands in for `sys.stdout` and `sys.stderr` where the process has none, as under IIS.
#[pyclass(frozen, module = "iiswsgi")]
#[derive(Debug)]
pub(crate) struct Errors {
    request: Option<RequestNumber>,
    /// Where `FCGI_STDERR` goes as well.
    server: Option<Body>,
    /// The start of a line that has no end yet.
    line: Mutex<String>,
}

/// Longer lines are cut into several.
const LINE_LEN: usize = 16 * 1024;

impl Errors {
    /// The stream of a request; its text goes over `server` to the Web server too, where given.
    pub(crate) const fn of_request(request: RequestNumber, server: Option<Body>) -> Self {
        Self {
            request: Some(request),
            server,
            line: Mutex::new(String::new()),
        }
    }

    /// The stream of the process.
    pub(crate) const fn of_process() -> Self {
        Self {
            request: None,
            server: None,
            line: Mutex::new(String::new()),
        }
    }

    /// Logs the lines that are complete, and with `all` the last one too.
    fn log(&self, text: &str, all: bool) {
        let mut lines = Vec::new();
        {
            let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
            for piece in text.split_inclusive('\n') {
                line.push_str(piece);
                if line.ends_with('\n') || line.len() > LINE_LEN {
                    lines.push(std::mem::take(&mut *line));
                }
            }
            if all && !line.is_empty() {
                lines.push(std::mem::take(&mut *line));
            }
        }
        for line in lines {
            let line = line.trim_end_matches(['\r', '\n']);
            match &self.request {
                Some(request) => tracing::error!(target: "wsgi.errors", %request, "{line}"),
                None => tracing::error!(target: "stderr", "{line}"),
            }
        }
    }

    /// Logs what is left.
    pub(crate) fn close(&self) {
        self.log("", true);
    }
}

#[pymethods]
impl Errors {
    #[getter]
    const fn encoding(&self) -> &'static str {
        "utf-8"
    }

    fn write(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<usize> {
        let len = text.len()?;
        let text = text.to_string_lossy().into_owned();
        py.detach(|| {
            self.log(&text, false);
            if let Some(server) = &self.server {
                // The log has it, and a Web server that does not take it is no fault of the application.
                let _ = server.write_stderr(text.as_bytes());
            }
        });
        Ok(len)
    }

    fn writelines(&self, py: Python<'_>, lines: &Bound<'_, PyAny>) -> PyResult<()> {
        for line in lines.try_iter()? {
            self.write(py, line?.cast()?)?;
        }
        Ok(())
    }

    fn flush(&self, py: Python<'_>) {
        py.detach(|| self.close());
    }

    const fn isatty(&self) -> bool {
        false
    }
}
