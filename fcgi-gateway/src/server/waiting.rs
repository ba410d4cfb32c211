//! The connections that wait for their next request, and the worker that waits for all of them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::Server;
use super::selector::{Selector, Watch};
use crate::application::{SharedDriver, lock};
use crate::driver::Driver;
use crate::listener::Transport;
use crate::scoreboard::WorkerState;
use crate::{Application, Error, Limits};

/// Tokens of what is no connection. Connections count from 1.
const SHUTDOWN: u64 = u64::MAX;
const WAKER: u64 = u64::MAX - 1;
const LISTENER: u64 = u64::MAX - 2;

/// How long to wait for descriptors or memory to become free.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a connection that has been refused waits for the Web server to read the answer, and how long a server that stops
/// waits for a request that is on its way.
const LINGER: Duration = Duration::from_secs(2);

/// A connection as the server sees it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) driver: SharedDriver,
    /// 0 before it has waited for the first time.
    id: u64,
    /// When it is closed if nothing comes.
    deadline: Option<Instant>,
    /// Whether the deadline is that of a request whose variables have begun.
    in_head: bool,
    /// The earliest time at which its deadline is looked at.
    scheduled: Option<Instant>,
    /// Whether nothing is expected any more but the end.
    lingers: bool,
}

impl Connection {
    pub(super) fn new(driver: Driver) -> Self {
        Self {
            driver: Arc::new(Mutex::new(driver)),
            id: 0,
            deadline: None,
            in_head: false,
            scheduled: None,
            lingers: false,
        }
    }

    /// Expects nothing any more but the end: what was refused is still being sent.
    pub(super) const fn linger(mut self) -> Self {
        self.lingers = true;
        self
    }

    pub(super) const fn lingers(&self) -> bool {
        self.lingers
    }

    /// Whether a request is on its way: it has begun to arrive, or it is what the connection was made for.
    pub(super) fn expects_request(&self) -> bool {
        let driver = lock(&self.driver);
        !self.lingers && (driver.serial() == 0 || !driver.is_idle())
    }

    /// Sets when it is closed; looks at the clock only where there is a limit.
    fn set_deadline(&mut self, limits: &Limits) {
        if self.lingers {
            self.deadline.get_or_insert_with(|| Instant::now() + LINGER);
            return;
        }
        let in_head = limits.header_timeout.is_some() && !lock(&self.driver).is_idle();
        if in_head && self.in_head {
            // The time is for the whole head, however often a piece of it comes.
            return;
        }
        self.in_head = in_head;
        let timeout = if in_head {
            limits.header_timeout
        } else {
            limits.idle_timeout
        };
        self.deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    }
}

/// The connections that wait.
#[derive(Debug)]
pub(super) struct Waiting {
    selector: Selector,
    /// How connections are watched: where only one thread ever waits and works, it need not be said again each time.
    watch: Watch,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    connections: HashMap<u64, Connection>,
    /// When to look at which one.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    last_id: u64,
}

impl Waiting {
    /// `one_thread`: whether the thread that waits is the one that works.
    pub(super) fn new(one_thread: bool) -> io::Result<Self> {
        Ok(Self {
            selector: Selector::new()?,
            watch: if one_thread {
                Watch::Always
            } else {
                Watch::Once
            },
            kept: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().connections.len()
    }

    /// Has a connection wait for octets. Whoever waits learns of it by itself; `true` where it has to be woken, since it would
    /// wait beyond the connection's deadline.
    pub(super) fn keep(&self, mut connection: Connection, limits: &Limits) -> io::Result<bool> {
        connection.set_deadline(limits);
        let mut kept = self.lock();
        let is_new = connection.id == 0;
        if is_new {
            kept.last_id += 1;
            connection.id = kept.last_id;
        }
        let id = connection.id;
        let mut is_first = false;
        if let Some(deadline) = connection.deadline {
            let now = Instant::now();
            let is_due = |at: Instant| at <= now || deadline < at;
            if connection.scheduled.is_none_or(is_due) {
                connection.scheduled = Some(deadline);
                is_first = kept
                    .deadlines
                    .peek()
                    .is_none_or(|Reverse((first, _))| deadline < *first);
                kept.deadlines.push(Reverse((deadline, id)));
            }
        }
        let driver = Arc::clone(&connection.driver);
        // Under the lock, so that its event finds it.
        kept.connections.insert(id, connection);
        let driver = lock(&driver);
        let watched = if is_new {
            self.selector.add(driver.transport(), id, self.watch)
        } else if self.watch == Watch::Once {
            self.selector.again(driver.transport(), id)
        } else {
            Ok(())
        };
        if let Err(error) = watched {
            kept.connections.remove(&id);
            return Err(error);
        }
        Ok(is_first)
    }

    /// Takes a connection that has something to read; `None` where it was closed meanwhile.
    fn take(&self, id: u64) -> Option<Connection> {
        self.lock().connections.remove(&id)
    }

    /// Forgets a connection that ends. Whatever an application has kept of it may keep its descriptor open.
    pub(super) fn forget(&self, connection: &Connection) {
        if connection.id != 0 {
            // It fails only where the descriptor is gone, which is as well.
            let _ = self.selector.remove(lock(&connection.driver).transport());
        }
    }

    /// Closes the connections whose time is over, and says how long the next one has.
    fn expire(&self, limits: &Limits) -> Option<Duration> {
        let mut kept = self.lock();
        let &Reverse((mut next, _)) = kept.deadlines.peek()?;
        let now = Instant::now();
        while next <= now {
            let id = kept.deadlines.pop().map_or(0, |Reverse((_, id))| id);
            if let Some(connection) = kept.connections.get_mut(&id) {
                connection.scheduled = None;
                match connection.deadline {
                    Some(deadline) if deadline > now => {
                        connection.scheduled = Some(deadline);
                        kept.deadlines.push(Reverse((deadline, id)));
                    }
                    Some(_) => {
                        if connection.in_head {
                            let timeout = limits.header_timeout.unwrap_or_default();
                            tracing::warn!(
                                "connection closed: a request's variables did not come within {timeout:?}"
                            );
                        }
                        if let Some(connection) = kept.connections.remove(&id) {
                            self.forget(&connection);
                        }
                    }
                    None => {}
                }
            }
            let &Reverse((following, _)) = kept.deadlines.peek()?;
            next = following;
        }
        Some(next - now)
    }

    fn expects_request(&self) -> bool {
        self.lock()
            .connections
            .values()
            .any(Connection::expects_request)
    }

    fn clear(&self) {
        let connections = std::mem::take(&mut self.lock().connections);
        for connection in connections.values() {
            self.forget(connection);
        }
    }
}

/// What only the thread that waits knows.
#[derive(Debug, Default)]
pub(super) struct Leader {
    /// What has something to read and was not looked at yet.
    ready: VecDeque<u64>,
    events: Vec<u64>,
    /// Whether the descriptors that are no connections are watched.
    is_set_up: bool,
    /// Whether the listening socket is.
    hears: bool,
    /// When a server that stops no longer waits for requests that are on their way.
    last_call: Option<Instant>,
    /// Whether nothing is accepted for a moment, as descriptors or memory have run out.
    pause: bool,
}

impl Leader {
    /// Waits for a connection with something to read; `None` when it is time to stop.
    pub(super) fn next(
        &mut self,
        server: &Server,
        application: &impl Application,
    ) -> Result<Option<Connection>, Error> {
        if !self.is_set_up {
            let selector = &server.waiting.selector;
            selector.add(&server.shutdown, SHUTDOWN, Watch::Always)?;
            selector.add(&server.waker, WAKER, Watch::Always)?;
            self.is_set_up = true;
        }
        loop {
            while let Some(token) = self.ready.pop_front() {
                let found = match token {
                    SHUTDOWN => {
                        server.shutdown.receive();
                        None
                    }
                    WAKER => {
                        server.waker.receive();
                        None
                    }
                    LISTENER => self.accept(server)?,
                    id => server.waiting.take(id),
                };
                if let Some(connection) = found {
                    server.active.fetch_add(1, Ordering::SeqCst);
                    return Ok(Some(connection));
                }
            }
            let polled = self.poll(server);
            server.is_polling.store(false, Ordering::SeqCst);
            match polled {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    application.interrupted();
                }
                Err(error) => return Err(Error::Io(error)),
            }
        }
    }

    /// Waits for something to happen; `false` where nothing ever will.
    fn poll(&mut self, server: &Server) -> io::Result<bool> {
        // What others change from now on they wake for.
        server.is_polling.store(true, Ordering::SeqCst);
        let waiting = &server.waiting;
        let left = waiting.expire(&server.limits);
        let open = server.active.load(Ordering::SeqCst) + waiting.len();
        let stops = server.shutdown.is_requested();
        if server.listener.is_none() && open == 0 {
            return Ok(false);
        }
        let pause = std::mem::take(&mut self.pause);
        self.hear(server, !pause && !stops && open < server.limits.connections)?;
        let timeout = if stops {
            server.scoreboard.own().set_state(WorkerState::Draining);
            // Requests that have arrived by now are still answered, and those that are on their way: whoever connects wants
            // to ask. The Web server's one connection was not made for a request.
            let waits = server.listener.is_some() && waiting.expects_request();
            Some(if waits {
                let now = Instant::now();
                let end = *self.last_call.get_or_insert_with(|| now + LINGER);
                end.saturating_duration_since(now)
            } else {
                Duration::ZERO
            })
        } else {
            left.into_iter().chain(pause.then_some(PAUSE)).min()
        };
        self.events.clear();
        waiting.selector.wait(timeout, &mut self.events)?;
        if stops && self.events.is_empty() {
            waiting.clear();
            return Ok(false);
        }
        self.ready.extend(&self.events);
        Ok(true)
    }

    /// Looks at the listening socket, or no longer does.
    fn hear(&mut self, server: &Server, hears: bool) -> io::Result<()> {
        let Some(listener) = server.listener.as_deref() else {
            return Ok(());
        };
        server.is_deaf.store(!hears, Ordering::SeqCst);
        if hears != self.hears {
            let selector = &server.waiting.selector;
            if hears {
                selector.add(listener, LISTENER, Watch::Shared)?;
            } else {
                selector.remove(listener)?;
            }
            self.hears = hears;
        }
        Ok(())
    }

    fn accept(&mut self, server: &Server) -> io::Result<Option<Connection>> {
        let Some(listener) = server.listener.as_deref().filter(|_| self.hears) else {
            return Ok(None);
        };
        match listener.accept() {
            Ok(transport) => Ok(transport.map(|transport| server.connection(transport))),
            // The connections that there are shall go on, and will give back what has run out.
            Err(error) if is_shortage(&error) => {
                tracing::warn!(%error, "no new connections for a moment");
                self.pause = true;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Server {
    fn connection(&self, transport: Box<dyn Transport>) -> Connection {
        Connection::new(Driver::new(transport, self.config, self.limits, false))
    }
}

/// Whether a call has failed only because the process or the machine has run out of something.
fn is_shortage(error: &io::Error) -> bool {
    #[cfg(unix)]
    let shortages = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    // Windows counts handles for each process only, and has one word for sockets and memory.
    #[cfg(windows)]
    let shortages = [Errno::MFILE, Errno::NOBUFS];
    Errno::from_io_error(error).is_some_and(|errno| shortages.contains(&errno))
}
