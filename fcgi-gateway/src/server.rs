//! Accepts connections and hands their requests to worker threads.
//!
//! Any number of connections may be open, but only those with something to read cost a worker: one of the idle workers, the
//! leader, waits for all of them; it takes what is ready, lets another worker lead, and works. So a request is never handed
//! from thread to thread, and with one thread there is exactly one request at a time in the process. Only where the queue
//! has a limit, a thread of its own waits and reads, so that a full queue is seen while all workers are busy.

mod answer;
mod queue;
mod retire;
mod selector;
mod waiting;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use fcgi_proto::application::Config;

use self::queue::{Job, Queue};
use self::retire::Countdown;
pub use self::retire::Retire;
use self::waiting::{Connection, Leader, Waiting};
use crate::access_log::AccessLog;
use crate::activity::Activity;
use crate::application::{GivenIds, lock};
use crate::driver::{Driver, Next};
use crate::listener::{Listener, Transport};
use crate::scoreboard::WorkerState;
use crate::shutdown::Waker;
use crate::status::Pages;
use crate::watchdog::Watch;
use crate::{Application, Error, Limits, Scoreboard, Shutdown};

/// What a server has that does not listen.
const ONLY_CONNECTION: &str = "the connection on file descriptor 0";

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
    /// Where it counts. Default: numbers of its own.
    pub scoreboard: Arc<Scoreboard>,
    /// Where each request is written down. Default: nowhere.
    pub access_log: Option<Arc<AccessLog>>,
    /// Paths that are answered without the application. Default: none.
    pub pages: Pages,
    /// The header that gives a request its id, such as `X-Request-ID`; the Web server in front has to set or remove it, as
    /// anybody can send it. Default: none, ids are made.
    pub request_id_header: Option<String>,
    /// What happens to requests that take long. Default: nothing.
    pub watch: Watch,
    /// What happens after a number of requests. Default: nothing.
    pub retire: Option<Retire>,
    /// Whether each request runs as the user whom the Web server has given the connection. Only a named pipe of Windows has such
    /// a user. Default: no, requests run as the process.
    pub impersonate: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            threads: 1,
            limits: Limits::default(),
            shutdown: None,
            scoreboard: Arc::new(Scoreboard::private()),
            access_log: None,
            pages: Pages::default(),
            request_id_header: None,
            watch: Watch::default(),
            retire: None,
            impersonate: false,
        }
    }
}

/// A FastCGI application server.
#[derive(Debug)]
pub struct Server {
    threads: usize,
    limits: Limits,
    config: Config,
    pub(crate) shutdown: Shutdown,
    listener: Option<Box<dyn Listener>>,
    waiting: Waiting,
    /// Whoever holds it waits for the connections.
    leader: Mutex<Leader>,
    /// Whether the leader waits, or is about to.
    is_polling: AtomicBool,
    /// Whether the leader does not look at the listening socket, and has to be woken when a connection ends.
    is_deaf: AtomicBool,
    waker: Waker,
    /// Connections that a thread has taken.
    active: AtomicUsize,
    /// Requests that wait for a worker, where that has a limit.
    queue: Option<Queue>,
    scoreboard: Arc<Scoreboard>,
    access_log: Option<Arc<AccessLog>>,
    pages: Pages,
    ids: Option<GivenIds>,
    /// What the workers do, where somebody watches.
    activity: Option<Activity>,
    countdown: Option<Countdown>,
    impersonate: bool,
}

impl Server {
    /// A server for the connections that arrive on a listening socket. It runs until it is told to stop.
    ///
    /// # Errors
    /// The operating system has no descriptors left; [`Error::NoImpersonation`].
    pub fn listening(
        mut listener: Box<dyn Listener>,
        options: ServerOptions,
    ) -> Result<Self, Error> {
        if options.impersonate && !listener.can_impersonate() {
            let found = listener.describe();
            return Err(Error::NoImpersonation { found });
        }
        let mut server = Self::new(true, options)?;
        listener.start(&server.shutdown)?;
        server.listener = Some(listener);
        Ok(server)
    }

    /// A server for one connection, as IIS hands it over. It runs until the connection ends or it is told to stop; it never
    /// closes the connection itself, even where a request does without `FCGI_KEEP_CONN`.
    ///
    /// # Errors
    /// The operating system's; [`Error::NoImpersonation`].
    pub fn connected(
        mut transport: Box<dyn Transport>,
        options: ServerOptions,
    ) -> Result<Self, Error> {
        if options.impersonate && !transport.can_impersonate() {
            let found = ONLY_CONNECTION.to_owned();
            return Err(Error::NoImpersonation { found });
        }
        let server = Self::new(false, options)?;
        transport.start(&server.shutdown)?;
        let driver = Driver::new(transport, server.config, server.limits, true);
        server
            .waiting
            .keep(Connection::new(driver), &server.limits)?;
        Ok(server)
    }

    fn new(listens: bool, options: ServerOptions) -> Result<Self, Error> {
        let threads = options.threads.max(1);
        let limits = options.limits;
        let mut config = Config::default();
        config.max_conns =
            u32::try_from(if listens { limits.connections } else { 1 }).unwrap_or(u32::MAX);
        config.max_reqs = u32::try_from(threads).unwrap_or(u32::MAX);
        let shutdown = match options.shutdown {
            Some(shutdown) => shutdown,
            None => Shutdown::new()?,
        };
        // On the only connection requests come one after the other.
        let queue = limits.queue.filter(|_| listens);
        let slot = options.scoreboard.own();
        if slot.state() == WorkerState::Free {
            slot.start(std::process::id(), 1, threads);
        }
        Ok(Self {
            threads,
            limits,
            config,
            shutdown,
            listener: None,
            waiting: Waiting::new(threads == 1 && queue.is_none())?,
            leader: Mutex::default(),
            is_polling: AtomicBool::new(false),
            is_deaf: AtomicBool::new(false),
            waker: Waker::new()?,
            active: AtomicUsize::new(0),
            queue: queue.map(|max| Queue::new(threads, max)),
            scoreboard: options.scoreboard,
            access_log: options.access_log,
            pages: options.pages,
            ids: options.request_id_header.as_deref().map(GivenIds::new),
            activity: options
                .watch
                .is_on()
                .then(|| Activity::new(options.watch, threads)),
            countdown: options.retire.map(Countdown::new),
            impersonate: options.impersonate,
        })
    }

    /// Serves until the end: the calling thread is the first worker, or where [`Limits::queue`] is set the one that reads.
    /// Running requests are finished before it returns.
    ///
    /// # Errors
    /// A thread cannot be started, or the listening socket fails.
    pub fn run(&self, application: &impl Application) -> Result<(), Error> {
        let slot = self.scoreboard.own();
        slot.set_state(WorkerState::Serving);
        let outcome = thread::scope(|scope| {
            if let Some(activity) = &self.activity {
                thread::Builder::new()
                    .name("watchdog".to_owned())
                    .spawn_scoped(scope, || self.watch(activity, application))?;
            }
            let mut workers = Vec::new();
            let mut started = Ok(());
            let first = usize::from(self.queue.is_none());
            for number in first..self.threads {
                let builder = thread::Builder::new().name(format!("worker-{number}"));
                match builder.spawn_scoped(scope, move || self.run_worker(number, application)) {
                    Ok(worker) => workers.push(worker),
                    Err(error) => {
                        started = Err(Error::Io(error));
                        self.shutdown.request();
                        if let Some(queue) = &self.queue {
                            queue.close();
                        }
                        break;
                    }
                }
            }
            let mut outcome = started.and_then(|()| match &self.queue {
                None => self.run_worker(0, application),
                Some(queue) => self.receive(queue, application),
            });
            for worker in workers {
                // run_worker catches the panics of applications.
                let joined = worker
                    .join()
                    .unwrap_or(Err(Error::Order("a worker thread has panicked")));
                outcome = outcome.and(joined);
            }
            if let Some(activity) = &self.activity {
                activity.close();
            }
            outcome
        });
        slot.set_state(WorkerState::Free);
        outcome
    }

    /// What connections are taken from, for the log.
    #[must_use]
    pub fn describe(&self) -> String {
        self.listener.as_ref().map_or_else(
            || ONLY_CONNECTION.to_owned(),
            |listener| listener.describe(),
        )
    }

    fn run_worker(&self, number: usize, application: &impl Application) -> Result<(), Error> {
        let mut outcome = Ok(());
        application.run_worker(&mut || {
            if let Some(activity) = &self.activity {
                activity.introduce(number, application.thread_ident());
            }
            outcome = self
                .work(number, application)
                .inspect_err(|_| self.shutdown.request());
        });
        outcome
    }

    fn work(&self, worker: usize, application: &impl Application) -> Result<(), Error> {
        loop {
            let next = match &self.queue {
                Some(queue) => queue.take(),
                None => self
                    .leader
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .next(self, application)?
                    .map(Job::ready),
            };
            let Some(job) = next else {
                return Ok(());
            };
            let Job {
                connection,
                request,
            } = job;
            let next = match request {
                Some(request) => Ok(request),
                None => lock(&connection.driver).next_request(true),
            };
            let keep = self.serve(worker, &connection, next, application)
                && (!self.shutdown.is_requested() || connection.expects_request());
            self.put_back(connection, keep);
            if let Some(queue) = &self.queue {
                queue.done();
            }
        }
    }

    /// Has a connection wait again, or ends it.
    fn put_back(&self, connection: Connection, keep: bool) {
        let mut wake = false;
        if keep {
            match self.waiting.keep(connection, &self.limits) {
                Ok(is_first) => wake = is_first,
                Err(error) => tracing::warn!(%error, "connection closed"),
            }
        } else {
            self.waiting.forget(&connection);
            drop(connection);
        }
        self.active.fetch_sub(1, Ordering::SeqCst);
        // With the last connection gone, or with room for another one, a leader who waits must look again.
        if wake || self.listener.is_none() || self.is_deaf.load(Ordering::SeqCst) {
            self.wake_leader();
        }
    }

    fn wake_leader(&self) {
        if self.is_polling.load(Ordering::SeqCst) {
            self.waker.wake();
        }
    }

    /// Answers the requests that have arrived on a connection; `false` where it is over.
    fn serve(
        &self,
        worker: usize,
        connection: &Connection,
        mut next: Result<Next, Error>,
        application: &impl Application,
    ) -> bool {
        let driver = &connection.driver;
        loop {
            match next {
                Ok(Next::Request(id, begin, params)) => {
                    tracing::trace!(%id, "request");
                    let serial = lock(driver).serial();
                    self.answer(worker, driver, serial, begin, &params, application);
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
            next = lock(driver).next_request(false);
        }
    }
}
