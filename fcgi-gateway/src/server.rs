//! Accepts connections and hands their requests to worker threads.
//!
//! Any number of connections may be open, but only those with something to read cost a worker: one of the idle workers, the
//! leader, waits in `poll` for all of them; it takes what is ready, lets another worker lead, and works. So a request is
//! never handed from thread to thread, and with one thread there is exactly one request at a time in the process.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use fcgi_proto::application::Config;
use fcgi_proto::{BeginRequest, Params};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::application::{Body, RequestNumber, SharedDriver, lock};
use crate::driver::{Driver, Next};
use crate::listener::{Listener, Transport};
use crate::shutdown::Waker;
use crate::{Application, Error, Limits, Request, Response, Shutdown};

/// How a [`Server`] works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Requests that may run at once, each in a thread of its own. At least 1, which is the default.
    pub threads: usize,
    /// What peers may cost.
    pub limits: Limits,
    /// How it is told to stop; `None` where only the end of its connection stops it.
    pub shutdown: Option<Shutdown>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            threads: 1,
            limits: Limits::default(),
            shutdown: None,
        }
    }
}

/// A FastCGI application server.
#[derive(Debug)]
pub struct Server {
    threads: usize,
    limits: Limits,
    config: Config,
    shutdown: Shutdown,
    listener: Option<Box<dyn Listener>>,
    waiting: Mutex<Waiting>,
    /// Connections that wait for their next request again, not yet known to the leader.
    returned: Mutex<Vec<SharedDriver>>,
    /// Whether the leader has to be woken to learn of them.
    is_polling: AtomicBool,
    /// Whether the leader does not look at the listening socket, and has to be woken when a connection ends.
    is_deaf: AtomicBool,
    waker: Waker,
    /// Connections on which a request runs.
    active: AtomicUsize,
}

/// What the leader looks after.
#[derive(Debug, Default)]
struct Waiting {
    connections: Vec<SharedDriver>,
    /// Whether the listening socket is looked at first: neither it nor the connections shall starve.
    accept_first: bool,
    /// Whether nothing is accepted for a moment, as descriptors or memory have run out.
    pause: bool,
}

/// How long to wait for descriptors or memory to become free.
const PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

impl Server {
    /// A server for the connections that arrive on a listening socket. It runs until it is told to stop.
    ///
    /// # Errors
    /// The operating system has no descriptors left.
    pub fn listening(listener: Box<dyn Listener>, options: ServerOptions) -> Result<Self, Error> {
        Self::new(Some(listener), options)
    }

    /// A server for one connection, as IIS hands it over. It runs until the connection ends or it is told to stop; it never
    /// closes the connection itself, even where a request does without `FCGI_KEEP_CONN`.
    ///
    /// # Errors
    /// The operating system's.
    pub fn connected(transport: Box<dyn Transport>, options: ServerOptions) -> Result<Self, Error> {
        let server = Self::new(None, options)?;
        let driver = Driver::new(transport, server.config, server.limits, true);
        server.push_returned(Arc::new(Mutex::new(driver)));
        Ok(server)
    }

    fn new(listener: Option<Box<dyn Listener>>, options: ServerOptions) -> Result<Self, Error> {
        let ServerOptions {
            threads,
            limits,
            shutdown,
        } = options;
        let threads = threads.max(1);
        let mut config = Config::default();
        config.max_conns = u32::try_from(if listener.is_some() {
            limits.connections
        } else {
            1
        })
        .unwrap_or(u32::MAX);
        config.max_reqs = u32::try_from(threads).unwrap_or(u32::MAX);
        let shutdown = match shutdown {
            Some(shutdown) => shutdown,
            None => Shutdown::new()?,
        };
        Ok(Self {
            threads,
            limits,
            config,
            shutdown,
            listener,
            waiting: Mutex::default(),
            returned: Mutex::default(),
            is_polling: AtomicBool::new(false),
            is_deaf: AtomicBool::new(false),
            waker: Waker::new()?,
            active: AtomicUsize::new(0),
        })
    }

    /// Serves until the end: the calling thread is the first worker. Running requests are finished before it returns.
    ///
    /// # Errors
    /// A thread cannot be started, or the listening socket fails.
    pub fn run(&self, application: &impl Application) -> Result<(), Error> {
        thread::scope(|scope| {
            let mut workers = Vec::new();
            let mut started = Ok(());
            for number in 1..self.threads {
                let builder = thread::Builder::new().name(format!("worker-{number}"));
                match builder.spawn_scoped(scope, || self.run_worker(application)) {
                    Ok(worker) => workers.push(worker),
                    Err(error) => {
                        started = Err(Error::Io(error));
                        self.shutdown.request();
                        break;
                    }
                }
            }
            let mut outcome = started.and_then(|()| self.run_worker(application));
            for worker in workers {
                // run_worker catches the panics of applications.
                let joined = worker
                    .join()
                    .unwrap_or(Err(Error::Order("a worker thread has panicked")));
                outcome = outcome.and(joined);
            }
            outcome
        })
    }

    /// What connections are taken from, for the log.
    #[must_use]
    pub fn describe(&self) -> String {
        self.listener.as_ref().map_or_else(
            || "the connection on file descriptor 0".to_owned(),
            |listener| listener.describe(),
        )
    }

    fn run_worker(&self, application: &impl Application) -> Result<(), Error> {
        let mut outcome = Ok(());
        application.run_worker(&mut || {
            outcome = self
                .work(application)
                .inspect_err(|_| self.shutdown.request());
        });
        outcome
    }

    fn work(&self, application: &impl Application) -> Result<(), Error> {
        loop {
            let next = self
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next(self, application)?;
            let Some(driver) = next else {
                return Ok(());
            };
            let keep = self.serve(&driver, application) && !self.shutdown.is_requested();
            if keep {
                self.push_returned(driver);
            }
            self.active.fetch_sub(1, Ordering::SeqCst);
            // With the last connection gone, or with room for another one, a leader who waits must look again.
            if keep || self.listener.is_none() || self.is_deaf.load(Ordering::SeqCst) {
                self.wake_leader();
            }
        }
    }

    fn push_returned(&self, driver: SharedDriver) {
        self.returned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(driver);
    }

    fn wake_leader(&self) {
        if self.is_polling.load(Ordering::SeqCst) {
            self.waker.wake();
        }
    }

    /// Answers the requests that have arrived on a connection; `false` where it is over.
    fn serve(&self, driver: &SharedDriver, application: &impl Application) -> bool {
        let mut readable = true;
        loop {
            let next = lock(driver).next_request(readable);
            readable = false;
            match next {
                Ok(Next::Request(id, begin, params)) => {
                    tracing::trace!(%id, "request");
                    let serial = lock(driver).serial();
                    self.answer(driver, serial, begin, &params, application);
                    if !lock(driver).finish(params) {
                        return false;
                    }
                    if self.shutdown.is_requested() {
                        return false;
                    }
                }
                Ok(Next::Wait) => return true,
                Ok(Next::Closed) => return false,
                Err(error) => {
                    tracing::warn!(%error, "connection closed");
                    return false;
                }
            }
        }
    }

    fn answer(
        &self,
        driver: &SharedDriver,
        serial: u64,
        begin: BeginRequest,
        params: &Params,
        application: &impl Application,
    ) {
        let number = RequestNumber::next();
        let is_head = params.get(b"REQUEST_METHOD") == Some(b"HEAD");
        let mut request = Request {
            params,
            begin,
            number,
            body: Body::of(driver, serial),
        };
        let mut response = Response::of(driver, serial, number, is_head);
        let announced = params
            .get(b"CONTENT_LENGTH")
            .and_then(|text| std::str::from_utf8(text).ok()?.trim().parse::<u64>().ok());
        let result = match self.limits.body_len {
            Some(max) if announced > Some(max) => Err(Error::RequestTooLong { max }),
            _ => catch_unwind(AssertUnwindSafe(|| {
                application.handle(&mut request, &mut response)
            }))
            .unwrap_or_else(|panic| {
                Err(Error::Application {
                    message: panic_message(&*panic),
                })
            }),
        };
        let result = result.and_then(|()| response.finish());
        let Err(error) = result else {
            return;
        };
        let status = match &error {
            // The client has left: nobody is to blame, and nobody to tell.
            error if error.is_disconnected() => {
                tracing::info!(request = %number, %error, "request given up");
                return;
            }
            Error::RequestTooLong { .. } => "413 Content Too Large",
            _ => "500 Internal Server Error",
        };
        // The id comes first: behind it a traceback has many lines.
        tracing::error!(request = %number, "request {number}: {error}");
        if let Err(error) = response.fail(status)
            && !error.is_disconnected()
        {
            tracing::error!(request = %number, "the failure cannot be told to the client: {error}");
        }
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.map_or_else(|| "panic".to_owned(), |text| format!("panic: {text}"))
}

/// Whether a call has failed only because the process or the machine has run out of something.
fn is_shortage(error: &io::Error) -> bool {
    let shortages = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|errno| shortages.contains(&errno))
}

impl Waiting {
    /// Waits for a connection with something to read; `None` when it is time to stop.
    fn next(
        &mut self,
        server: &Server,
        application: &impl Application,
    ) -> Result<Option<SharedDriver>, Error> {
        loop {
            server.is_polling.store(true, Ordering::SeqCst);
            self.connections.append(
                &mut server
                    .returned
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner),
            );
            let active = server.active.load(Ordering::SeqCst);
            if server.shutdown.is_requested()
                || server.listener.is_none() && self.connections.is_empty() && active == 0
            {
                server.is_polling.store(false, Ordering::SeqCst);
                self.connections.clear();
                return Ok(None);
            }
            let polled = self.poll(server, active);
            server.is_polling.store(false, Ordering::SeqCst);
            match polled {
                Ok(Some(driver)) => {
                    server.active.fetch_add(1, Ordering::SeqCst);
                    return Ok(Some(driver));
                }
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    application.interrupted();
                }
                Err(error) => return Err(Error::Io(error)),
            }
        }
    }

    fn poll(&mut self, server: &Server, active: usize) -> io::Result<Option<SharedDriver>> {
        let guards: Vec<_> = self.connections.iter().map(lock).collect();
        let listener = server
            .listener
            .as_deref()
            .filter(|_| !self.pause && guards.len() + active < server.limits.connections);
        let is_deaf = server.listener.is_some() && listener.is_none();
        server.is_deaf.store(is_deaf, Ordering::SeqCst);
        let mut fds = Vec::with_capacity(guards.len() + 3);
        fds.push(PollFd::new(&server.shutdown, PollFlags::IN));
        fds.push(PollFd::new(&server.waker, PollFlags::IN));
        fds.extend(
            guards
                .iter()
                .map(|driver| PollFd::from_borrowed_fd(driver.transport().as_fd(), PollFlags::IN)),
        );
        if let Some(listener) = listener {
            fds.push(PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN));
        }
        let timeout = std::mem::take(&mut self.pause).then_some(&PAUSE);
        match poll(&mut fds, timeout) {
            Ok(_) => {}
            Err(Errno::INTR) => return Err(io::ErrorKind::Interrupted.into()),
            Err(errno) => return Err(errno.into()),
        }
        let is_ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let (stop, woken) = (is_ready(&fds[0]), is_ready(&fds[1]));
        let readable = fds[2..2 + guards.len()].iter().position(is_ready);
        let acceptable = fds.get(2 + guards.len()).is_some_and(is_ready);
        drop(fds);
        drop(guards);
        if woken {
            server.waker.receive();
        }
        if stop {
            server.shutdown.receive();
            if server.shutdown.is_requested() {
                return Ok(None);
            }
        }
        if acceptable && (self.accept_first || readable.is_none()) {
            self.accept_first = false;
            return self.accept(server);
        }
        self.accept_first = true;
        // Those that come back are put at the end, so that the others are found before them.
        Ok(readable.map(|position| self.connections.remove(position)))
    }

    fn accept(&mut self, server: &Server) -> io::Result<Option<SharedDriver>> {
        let Some(listener) = &server.listener else {
            return Ok(None);
        };
        let transport = match listener.accept() {
            Ok(Some(transport)) => transport,
            Ok(None) => return Ok(None),
            // The connections that there are shall go on, and will give back what has run out.
            Err(error) if is_shortage(&error) => {
                tracing::warn!(%error, "no new connections for a moment");
                self.pause = true;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let driver = Driver::new(transport, server.config, server.limits, false);
        Ok(Some(Arc::new(Mutex::new(driver))))
    }
}
