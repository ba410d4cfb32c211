//! One request through a WSGI application, to see whether it works.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use super::app::WsgiApplication;
use super::load::{LoadOptions, load_application};
use crate::{Application, Error, Request, Response, SimulatedRequest, SimulatedResponse, simulate};

/// What came of a [`try_application`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trial {
    /// The response; where the application has failed before it began one, a page of status 500. `wsgi.errors` is in
    /// [`SimulatedResponse::stderr`].
    pub response: SimulatedResponse,
    /// How the application has failed, with Python's traceback where there is one. `None`: it has not.
    pub failure: Option<String>,
}

/// Loads the application `app` and makes one request to it in this process, as [`simulate`] does. The working directory is
/// afterwards what it was before.
///
/// # Errors
/// [`Error::Load`] and [`Error::Chdir`] where it cannot be loaded; those of [`simulate`]. An application that fails is no
/// error, but [`Trial::failure`].
pub fn try_application(
    app: &str,
    options: &LoadOptions,
    request: &SimulatedRequest,
) -> Result<Trial, Error> {
    let before = std::env::current_dir();
    let trial = Python::attach(|py| {
        let callable = load_application(py, app, options)?;
        let observed = Observed {
            application: WsgiApplication::new(&callable).stderr_to_server(true),
            failure: Mutex::default(),
        };
        let response = py.detach(|| simulate(&observed, request))?;
        Ok(Trial {
            response,
            failure: observed
                .failure
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        })
    });
    if let Ok(before) = before {
        std::env::set_current_dir(before)?;
    }
    trial
}

/// An application whose failure is kept: the response does not tell it.
struct Observed {
    application: WsgiApplication,
    failure: Mutex<Option<String>>,
}

impl Application for Observed {
    fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
        self.application
            .handle(request, response)
            .inspect_err(|error| {
                let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                *failure = Some(error.to_string());
            })
    }

    fn run_worker(&self, worker: &mut (dyn FnMut() + Send)) {
        self.application.run_worker(worker);
    }

    fn interrupted(&self) {
        self.application.interrupted();
    }
}
