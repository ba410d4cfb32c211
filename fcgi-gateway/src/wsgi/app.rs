//! A WSGI application as an [`Application`].

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use super::environ::Environ;
use super::errors::Errors;
use super::file_wrapper::FileWrapper;
use super::input::Input;
use super::pattern::Patterns;
use super::response::{Failure, send};
use super::signals;
use super::spool::spool;
use super::stacks::{self, Stacks};
use super::start_response::StartResponse;
use crate::{Application, Error, Request, Response};

/// A Python object that is called as PEP 3333 says.
#[derive(Debug)]
pub struct WsgiApplication {
    callable: Py<PyAny>,
    file_wrapper: Py<PyType>,
    /// Where it is mounted, as far as its operator says.
    script_name: Option<String>,
    /// `wsgi.multithread`
    multithread: bool,
    /// `wsgi.multiprocess`
    multiprocess: bool,
    /// Whether `wsgi.errors` goes to the Web server too.
    stderr_to_server: bool,
    /// Octets of a body that are kept in memory, where bodies are read before the application is called.
    buffer_body: Option<usize>,
    /// Whether the environ has what wfastcgi added.
    wfastcgi: bool,
    /// How to see what the interpreter does while it hangs.
    stacks: Option<Stacks>,
    /// The environs of earlier requests.
    patterns: Patterns,
}

impl WsgiApplication {
    /// The application `callable`, which is told that it is alone in its thread and process.
    #[must_use]
    pub fn new(callable: &Bound<'_, PyAny>) -> Self {
        Self {
            callable: callable.clone().unbind(),
            file_wrapper: callable.py().get_type::<FileWrapper>().unbind(),
            script_name: None,
            multithread: false,
            multiprocess: false,
            stderr_to_server: false,
            buffer_body: None,
            wfastcgi: false,
            stacks: None,
            patterns: Patterns::default(),
        }
    }

    /// Prepares for [`Application::stacks_at_once`].
    pub(crate) fn stacks(mut self, stacks: Option<Stacks>) -> Self {
        self.stacks = stacks;
        self
    }

    /// Sets where it is mounted: `/app`, or empty for the root of the site.
    #[must_use]
    pub fn script_name(mut self, script_name: Option<String>) -> Self {
        self.script_name = script_name;
        self
    }

    /// Sets whether it may be called again, in another thread or another process, while a call runs.
    #[must_use]
    pub const fn concurrency(mut self, multithread: bool, multiprocess: bool) -> Self {
        self.multithread = multithread;
        self.multiprocess = multiprocess;
        self
    }

    /// Sets whether what it writes to `wsgi.errors` goes over `FCGI_STDERR` to the Web server too. IIS by default turns that
    /// into a response of 500.
    #[must_use]
    pub const fn stderr_to_server(mut self, stderr_to_server: bool) -> Self {
        self.stderr_to_server = stderr_to_server;
        self
    }

    /// Sets whether bodies are read to their end before it is called: up to so many octets in memory, longer ones in a
    /// temporary file. `wsgi.input` can seek then. `None` reads them as the application does.
    #[must_use]
    pub const fn buffer_body(mut self, memory: Option<usize>) -> Self {
        self.buffer_body = memory;
        self
    }

    /// Sets whether the environ has the keys that wfastcgi added: `wsgi.script_name`, `wsgi.path_info` and
    /// `wsgi.query_string`, the octets of the variables of these names, and `wfastcgi.http_x_original_url`.
    #[must_use]
    pub const fn wfastcgi(mut self, wfastcgi: bool) -> Self {
        self.wfastcgi = wfastcgi;
        self
    }

    fn environ<'py>(
        &self,
        py: Python<'py>,
        request: &Request<'_>,
        input: &Bound<'py, PyAny>,
        errors: &Bound<'py, Errors>,
        start: &Bound<'py, StartResponse>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let variables = Environ::new(request.params(), self.script_name.as_deref());
        let environ = self
            .patterns
            .dict(py, &variables, |fixed| self.set_fixed(fixed))?;
        environ.set_item(intern!(py, "wsgi.url_scheme"), variables.url_scheme())?;
        environ.set_item(intern!(py, "wsgi.input"), input)?;
        environ.set_item(intern!(py, "wsgi.errors"), errors)?;
        environ.set_item(
            intern!(py, "iiswsgi.request_id"),
            request.number().to_string(),
        )?;
        environ.set_item(intern!(py, "iiswsgi.request"), start)?;
        if self.wfastcgi {
            set_octets(&environ)?;
        }
        Ok(environ)
    }

    /// What is the same for every request.
    fn set_fixed(&self, environ: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = environ.py();
        environ.set_item(intern!(py, "wsgi.version"), (1, 0))?;
        environ.set_item(intern!(py, "wsgi.multithread"), self.multithread)?;
        environ.set_item(intern!(py, "wsgi.multiprocess"), self.multiprocess)?;
        environ.set_item(intern!(py, "wsgi.run_once"), false)?;
        environ.set_item(intern!(py, "wsgi.file_wrapper"), &self.file_wrapper)?;
        // The body ends by itself, also where no CONTENT_LENGTH says where.
        environ.set_item(intern!(py, "wsgi.input_terminated"), true)
    }

    fn call<'py>(
        &self,
        py: Python<'py>,
        request: &Request<'_>,
        start: &Bound<'py, StartResponse>,
    ) -> Result<(), Failure> {
        let server = self.stderr_to_server.then(|| request.body());
        let errors = Bound::new(py, Errors::of_request(request.number(), server))?;
        let input = match self.buffer_body {
            Some(memory) => spool(py, &request.body(), memory)?,
            None => Bound::new(py, Input::new(request.body()))?.into_any(),
        };
        let environ = self.environ(py, request, &input, &errors, start)?;
        let sent = match self.callable.bind(py).call1((environ, start)) {
            Ok(iterable) => send(&iterable, start.get(), request.number()),
            Err(exception) => Err(exception.into()),
        };
        if self.buffer_body.is_some() {
            // A temporary file takes room until it is closed, whoever else still holds it.
            input.call_method0(intern!(py, "close"))?;
        }
        errors.get().close();
        sent
    }
}

/// The variables that wfastcgi gave as octets too.
const OCTETS: [(&str, &str); 4] = [
    ("SCRIPT_NAME", "wsgi.script_name"),
    ("PATH_INFO", "wsgi.path_info"),
    ("QUERY_STRING", "wsgi.query_string"),
    ("HTTP_X_ORIGINAL_URL", "wfastcgi.http_x_original_url"),
];

fn set_octets(environ: &Bound<'_, PyDict>) -> PyResult<()> {
    for (variable, name) in OCTETS {
        if let Some(value) = environ.get_item(variable)? {
            environ.set_item(name, value.call_method1("encode", ("latin-1",))?)?;
        }
    }
    Ok(())
}

impl Application for WsgiApplication {
    fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
        Python::attach(|py| {
            let lent = response.lend();
            let start = match Bound::new(py, StartResponse::new(lent)) {
                Ok(start) => start,
                Err(exception) => return Err(Failure::from(exception).into_error(py)),
            };
            let outcome = self.call(py, request, &start);
            // Whatever the application has kept of start_response does nothing from now on.
            if let Some(lent) = start.get().take() {
                *response = lent;
            }
            outcome.map_err(|failure| failure.into_error(py))
        })
    }

    fn run_worker(&self, worker: &mut (dyn FnMut() + Send)) {
        // The thread stays known to the interpreter all its life, so that threading.local() outlives a request.
        Python::attach(|py| py.detach(worker));
    }

    fn thread_ident(&self) -> Option<u64> {
        stacks::thread_ident()
    }

    fn stack(&self, thread: Option<u64>) -> Option<String> {
        stacks::logged_stack(thread)
    }

    fn stacks_at_once(&self) -> Option<String> {
        self.stacks.as_ref().and_then(Stacks::at_once)
    }

    fn interrupted(&self) {
        signals::check();
    }
}
