//! The processes of one FastCGI application.
//!
//! *IIS configuration reference*, "FastCGI Application `<application>`": up to `maxInstances` processes, started when
//! they are needed; each handles one request at a time and is then returned to the pool; requests that find none free
//! wait in a queue of `queueLength`. A process that has handled `instanceMaxRequests` is replaced, one that has been
//! idle for `idleTimeout` is ended, and a change of the file in `monitorChangesTo` ends all of them, each after the
//! request it is handling. More than `rapidFailsPerMinute` failures within a minute take the application offline, here
//! until the oldest of them is a minute past (the reference does not say when IIS brings it back; 0 is taken to switch
//! the protection off).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use camino::Utf8PathBuf;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::exchange::{Disposition, Rules};
use crate::log_file::LogFile;
use crate::process::{Launch, Process};
use crate::spawner::Spawner;

const MINUTE: Duration = Duration::from_secs(60);

/// What of the configuration makes a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) launch: Launch,
    /// `maxInstances`, 0 replaced by the number of processors.
    pub(crate) max_instances: usize,
    pub(crate) queue_length: usize,
    pub(crate) instance_max_requests: u32,
    pub(crate) idle_timeout: Duration,
    /// `monitorChangesTo`, absolute.
    pub(crate) monitor_changes_to: Option<Utf8PathBuf>,
    pub(crate) rapid_fails_per_minute: usize,
    pub(crate) rules: Rules,
}

/// Why there is no process for a request.
#[derive(Debug)]
pub(crate) enum PoolFault {
    /// `queueLength` requests wait already.
    QueueFull { queue_length: usize },
    /// `rapidFailsPerMinute` was exceeded.
    Offline {
        failures: usize,
        retry_after: Duration,
    },
    /// The file in `monitorChangesTo` cannot be looked at.
    MonitoredFile {
        path: Utf8PathBuf,
        error: std::io::Error,
    },
    /// The process cannot be started.
    Start(std::io::Error),
    /// The pool is closed: the server is stopping, or another pool has taken its place.
    Stopping,
}

/// A pool. Its processes end when it is closed or dropped.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) settings: Settings,
    pub(crate) log: Arc<LogFile>,
    spawner: Spawner,
    /// One permit for each request that may have a process.
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    state: Mutex<State>,
    /// Told when a process becomes idle, and when the pool is closed.
    idled: Notify,
}

#[derive(Debug)]
struct State {
    /// The processes without a request; the latest last.
    idle: Vec<Idle>,
    failures: VecDeque<Instant>,
    /// Counts the changes of the monitored file. Processes of an earlier generation are not used again.
    generation: u64,
    monitored: Option<SystemTime>,
    /// Held by every process until it is reaped; `None` once the pool is closed.
    alive: Option<mpsc::Sender<Infallible>>,
}

#[derive(Debug)]
struct Idle {
    process: Process,
    generation: u64,
    since: Instant,
}

/// A process for one request.
#[derive(Debug)]
pub(crate) struct Lease {
    /// The process.
    pub(crate) process: Process,
    generation: u64,
    permit: OwnedSemaphorePermit,
    pool: Arc<Pool>,
}

impl Pool {
    /// A pool without processes. `alive` is held as long as one of them lives.
    pub(crate) fn new(
        settings: Settings,
        log: LogFile,
        spawner: Spawner,
        alive: mpsc::Sender<Infallible>,
    ) -> Arc<Self> {
        let pool = Arc::new(Self {
            permits: Arc::new(Semaphore::new(
                settings.max_instances.clamp(1, Semaphore::MAX_PERMITS),
            )),
            settings,
            log: Arc::new(log),
            spawner,
            waiting: AtomicUsize::new(0),
            state: Mutex::new(State {
                idle: Vec::new(),
                failures: VecDeque::new(),
                generation: 0,
                monitored: None,
                alive: Some(alive),
            }),
            idled: Notify::new(),
        });
        tokio::spawn(end_idle(Arc::clone(&pool)));
        pool
    }

    /// A process for a request: an idle one, else a new one, else after a wait in the queue.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<Lease, PoolFault> {
        self.check_offline()?;
        self.check_monitored()?;
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.queue().await?,
        };
        // Both may have changed during the wait.
        self.check_offline()?;
        self.check_monitored()?;
        let (alive, generation) = {
            let mut state = self.state();
            let alive = state.alive.clone().ok_or(PoolFault::Stopping)?;
            while let Some(idle) = state.idle.pop() {
                if idle.process.exit().is_none() {
                    let Idle {
                        process,
                        generation,
                        ..
                    } = idle;
                    return Ok(Lease {
                        process,
                        generation,
                        permit,
                        pool: Arc::clone(self),
                    });
                }
            }
            (alive, state.generation)
        };
        match Process::start(&self.settings.launch, &self.spawner, &self.log, alive).await {
            Ok(process) => Ok(Lease {
                process,
                generation,
                permit,
                pool: Arc::clone(self),
            }),
            Err(error) => {
                self.log.note(&format!(
                    "cannot start {}: {error}",
                    self.settings.launch.command_line()
                ));
                self.state().failures.push_back(Instant::now());
                Err(PoolFault::Start(error))
            }
        }
    }

    /// Ends the idle processes and hands out no more. Those at work end when they are returned.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.idled.notify_one();
        let mut state = self.state();
        state.alive = None;
        for idle in state.idle.drain(..) {
            idle.process.terminate();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn queue(&self) -> Result<OwnedSemaphorePermit, PoolFault> {
        struct Place<'p>(&'p AtomicUsize);
        impl Drop for Place<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let queue_length = self.settings.queue_length;
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _place = Place(&self.waiting);
        if before >= queue_length {
            return Err(PoolFault::QueueFull { queue_length });
        }
        // The semaphore serves those who wait in the order in which they came.
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        permit.map_err(|_| PoolFault::Stopping)
    }

    fn check_offline(&self) -> Result<(), PoolFault> {
        let mut state = self.state();
        let now = Instant::now();
        while state
            .failures
            .front()
            .is_some_and(|&at| now.duration_since(at) >= MINUTE)
        {
            state.failures.pop_front();
        }
        let allowed = self.settings.rapid_fails_per_minute;
        match state.failures.front() {
            Some(&oldest) if allowed > 0 && state.failures.len() > allowed => {
                Err(PoolFault::Offline {
                    failures: state.failures.len(),
                    retry_after: MINUTE.saturating_sub(now.duration_since(oldest)),
                })
            }
            _ => Ok(()),
        }
    }

    /// Looks whether the monitored file has changed since the last request.
    fn check_monitored(&self) -> Result<(), PoolFault> {
        let Some(path) = &self.settings.monitor_changes_to else {
            return Ok(());
        };
        let modified = fs_err::metadata(path).and_then(|metadata| metadata.modified());
        let modified = modified.map_err(|error| PoolFault::MonitoredFile {
            path: path.clone(),
            error,
        })?;
        let mut state = self.state();
        let before = state.monitored.replace(modified);
        if before.is_some_and(|before| before != modified) {
            self.log
                .note(&format!("{path} has changed: the processes are replaced"));
            state.generation += 1;
            for idle in state.idle.drain(..) {
                idle.process.terminate();
            }
        }
        Ok(())
    }

    /// Ends the processes whose idle time is over; when to look again, if there are others.
    fn end_overdue(&self) -> Option<Instant> {
        let mut state = self.state();
        let now = Instant::now();
        let timeout = self.settings.idle_timeout;
        let (overdue, rest): (Vec<_>, Vec<_>) = state
            .idle
            .drain(..)
            .partition(|idle| now >= idle.since + timeout);
        state.idle = rest;
        for idle in overdue {
            idle.process.terminate();
        }
        state.idle.iter().map(|idle| idle.since + timeout).min()
    }
}

/// Ends idle processes when their time is over, until the pool is closed.
async fn end_idle(pool: Arc<Pool>) {
    while !pool.permits.is_closed() {
        let next = pool.end_overdue();
        let overdue = async {
            match next {
                Some(next) => sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = overdue => {}
            () = pool.idled.notified() => {}
        }
    }
}

impl Lease {
    /// Returns the process to the pool, or ends it.
    pub(crate) fn release(self, disposition: Disposition) {
        let Self {
            process,
            generation,
            permit,
            pool,
        } = self;
        let mut state = pool.state();
        let ended = match disposition {
            Disposition::Kill { failed } => {
                if failed {
                    state.failures.push_back(Instant::now());
                }
                process.kill()
            }
            Disposition::Reuse => {
                let current = generation == state.generation && state.alive.is_some();
                let used_up = process.requests >= pool.settings.instance_max_requests;
                if current && !used_up {
                    state.idle.push(Idle {
                        process,
                        generation,
                        since: Instant::now(),
                    });
                    drop(state);
                    drop(permit);
                    pool.idled.notify_one();
                    return;
                }
                process.terminate()
            }
        };
        drop(state);
        // Its place is free when it has ended: there are never more processes than `maxInstances`.
        tokio::spawn(async move {
            let mut ended = ended;
            ended.ended().await;
            drop(permit);
        });
    }
}
