//! Requests that wait for a worker, where their number has a limit.
//!
//! One thread accepts and reads for all workers then, which costs a wake-up for each request, but sees at once that the queue
//! is full, and says so: a client that is told to come back in a second is better off than one that waits for a minute.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use fcgi_proto::{BeginRequest, Params, RequestId};

use super::Server;
use super::waiting::{Connection, Leader};
use crate::application::lock;
use crate::driver::Next;
use crate::{Application, Error, Response};

/// What a worker gets to do.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) connection: Connection,
    /// Its request, where somebody has read it.
    pub(super) request: Option<Next>,
}

impl Job {
    /// A connection that has something to read.
    pub(super) const fn ready(connection: Connection) -> Self {
        Self {
            connection,
            request: None,
        }
    }
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    /// How many requests may wait while all workers are busy.
    max: usize,
    state: Mutex<State>,
    added: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Workers that have none, the ones that have not begun to wait included.
    idle: usize,
    closed: bool,
}

impl Queue {
    /// For so many workers, a queue in which `max` requests may wait.
    pub(super) fn new(workers: usize, max: usize) -> Self {
        Self {
            max,
            state: Mutex::new(State {
                idle: workers,
                ..State::default()
            }),
            added: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next request, whose worker is busy until [`done`](Self::done); `None` at the end.
    pub(super) fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        while state.jobs.is_empty() && !state.closed {
            state = self
                .added
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let job = state.jobs.pop_front()?;
        state.idle -= 1;
        Some(job)
    }

    /// A worker has no request any more.
    pub(super) fn done(&self) {
        self.lock().idle += 1;
    }

    fn is_full(&self) -> bool {
        let state = self.lock();
        // Those that an idle worker is about to take do not wait.
        state.jobs.len() >= self.max.saturating_add(state.idle)
    }

    fn add(&self, job: Job) {
        self.lock().jobs.push_back(job);
        self.added.notify_one();
    }

    /// Nothing more will come; what waits is still answered.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.added.notify_all();
    }
}

impl Server {
    /// Requests that wait for a worker.
    pub(crate) fn queued(&self) -> usize {
        self.queue
            .as_ref()
            .map_or(0, |queue| queue.lock().jobs.len())
    }

    /// Waits for requests and reads their variables, for all workers, until it is time to stop.
    pub(super) fn receive(
        &self,
        queue: &Queue,
        application: &impl Application,
    ) -> Result<(), Error> {
        let mut leader = Leader::default();
        let outcome = loop {
            match leader.next(self, application) {
                Ok(Some(connection)) => self.sort(queue, connection),
                Ok(None) => break Ok(()),
                Err(error) => {
                    self.shutdown.request();
                    break Err(error);
                }
            }
        };
        queue.close();
        outcome
    }

    /// Looks at what has arrived on a connection.
    fn sort(&self, queue: &Queue, connection: Connection) {
        if connection.lingers() {
            let over = lock(&connection.driver).discard();
            self.put_back(connection, !over);
            return;
        }
        let next = lock(&connection.driver).next_request(true);
        match next {
            Ok(Next::Request(id, begin, params)) => {
                if queue.is_full() {
                    self.refuse(connection, id, begin, params);
                } else {
                    queue.add(Job {
                        connection,
                        request: Some(Next::Request(id, begin, params)),
                    });
                }
            }
            Ok(Next::Wait) => {
                let keep = !self.shutdown.is_requested() || connection.expects_request();
                self.put_back(connection, keep);
            }
            Ok(Next::Closed) => self.put_back(connection, false),
            Err(error) => {
                tracing::warn!(%error, "connection closed");
                self.put_back(connection, false);
            }
        }
    }

    /// Tells the client that there is no room, without waiting for anybody.
    fn refuse(&self, connection: Connection, _: RequestId, _: BeginRequest, params: Params) {
        let number = self.request_number(&params);
        tracing::warn!(request = %number, "request {number} refused: the queue is full");
        let driver = &connection.driver;
        let serial = lock(driver).serial();
        let mut response = Response::of(driver, serial, number, false);
        // A client that has left needs no answer.
        let told = response.fail("503 Service Unavailable").is_ok();
        self.count_refused(&params, &response);
        drop(response);
        let mut guard = lock(driver);
        let keep = told && guard.finish_soon(params);
        let lingers = !keep && told && guard.begin_to_linger();
        drop(guard);
        if lingers {
            self.put_back(connection.linger(), true);
        } else {
            self.put_back(connection, keep);
        }
    }
}
