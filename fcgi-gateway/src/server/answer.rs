//! One request: given to the application, counted and written down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use fcgi_proto::{BeginRequest, Params};

use super::Server;
use crate::access_log::Visit;
use crate::application::{Body, RequestNumber, SharedDriver, lock};
use crate::listener::Impersonation;
use crate::scoreboard::Ended;
use crate::{Application, Error, Request, Response, code_page};

/// What a client that has left before the response began gets in the access log, as with nginx.
const CLIENT_LEFT: u16 = 499;

impl Server {
    /// What a request is called: what the Web server says where it is trusted with that, else a number of our own.
    pub(super) fn request_number(&self, params: &Params) -> RequestNumber {
        let given = self.ids.as_ref().and_then(|ids| ids.find(params));
        given.unwrap_or_else(RequestNumber::next)
    }

    pub(super) fn answer(
        &self,
        worker: usize,
        driver: &SharedDriver,
        serial: u64,
        begin: BeginRequest,
        params: &Params,
        application: &impl Application,
    ) {
        let params = code_page::in_utf8(params);
        let params = &*params;
        let slot = self.scoreboard.own();
        slot.count_begin();
        let began = Instant::now();
        let number = self.request_number(params);
        let watched = self
            .activity
            .as_ref()
            .map(|activity| activity.begin(worker, began, &number, params, driver, serial));
        let is_head = params.get(b"REQUEST_METHOD") == Some(b"HEAD");
        let mut request = Request {
            params,
            begin,
            number: number.clone(),
            body: Body::of(driver, serial),
        };
        let mut response = Response::of(driver, serial, number.clone(), is_head);
        let outcome = self
            .impersonate(driver)
            .and_then(|_user| self.run_application(&mut request, &mut response, application));
        let left = outcome.is_err_and(|error| report(&number, &error, &mut response));
        let given_up = watched.is_some_and(|watched| watched.end());
        if given_up {
            // The watchdog has counted it and written it down.
            return;
        }
        let (sent, status) = (response.sent(), response.status());
        let ended = Ended {
            status: if left && !response.is_sent() {
                CLIENT_LEFT
            } else {
                status
            },
            octets_in: lock(driver).body_taken(serial),
            octets_out: sent,
            duration: began.elapsed(),
        };
        self.count(params, &number, &ended);
    }

    /// Has this thread act as the request's user where that is wished. A request never runs as somebody else instead.
    fn impersonate(&self, driver: &SharedDriver) -> Result<Option<Impersonation>, Error> {
        let user = self
            .impersonate
            .then(|| lock(driver).transport().impersonate());
        user.transpose().map_err(Error::Impersonation)
    }

    fn run_application(
        &self,
        request: &mut Request<'_>,
        response: &mut Response,
        application: &impl Application,
    ) -> Result<(), Error> {
        let params = request.params;
        if self.pages.are_on()
            && let Some(page) = self.pages.find(params, &self.scoreboard)
        {
            response.start(page.head)?;
            return response.write_last(&[page.body.as_bytes()]);
        }
        let announced = params
            .get(b"CONTENT_LENGTH")
            .and_then(|text| std::str::from_utf8(text).ok()?.trim().parse::<u64>().ok());
        if let Some(max) = self.limits.body_len
            && announced > Some(max)
        {
            return Err(Error::RequestTooLong { max });
        }
        catch_unwind(AssertUnwindSafe(|| application.handle(request, response))).unwrap_or_else(
            |panic| {
                Err(Error::Application {
                    message: panic_message(&*panic),
                })
            },
        )?;
        response.finish()
    }

    /// Counts a request, and writes it down where that is wished.
    pub(crate) fn count(&self, params: &Params, number: &RequestNumber, ended: &Ended) {
        self.scoreboard.own().count_end(ended);
        if let Some(access_log) = &self.access_log {
            access_log.write(&Visit {
                params,
                number,
                status: ended.status,
                octets: ended.octets_out,
                duration: ended.duration,
            });
        }
        if let Some(countdown) = &self.countdown {
            countdown.count();
        }
    }

    /// Counts a request that has never reached a worker.
    pub(super) fn count_refused(&self, params: &Params, response: &Response) {
        self.scoreboard.own().count_begin();
        let ended = Ended {
            status: response.status(),
            octets_in: 0,
            octets_out: response.sent(),
            duration: Duration::ZERO,
        };
        self.count(params, response.number(), &ended);
    }
}

/// Tells log and client of a failure; `true` where the client has left.
fn report(number: &RequestNumber, error: &Error, response: &mut Response) -> bool {
    let status = match error {
        // Nobody is to blame, and nobody to tell.
        error if error.is_disconnected() => {
            tracing::info!(request = %number, %error, "request given up");
            return true;
        }
        Error::RequestTooLong { .. } => "413 Content Too Large",
        _ => "500 Internal Server Error",
    };
    // The id comes first: behind it a traceback has many lines.
    tracing::error!(request = %number, "request {number}: {error}");
    match response.fail(status) {
        Err(error) if error.is_disconnected() => true,
        Err(error) => {
            tracing::error!(request = %number, "the failure cannot be told to the client: {error}");
            false
        }
        Ok(()) => false,
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.map_or_else(|| "panic".to_owned(), |text| format!("panic: {text}"))
}
