//! Requests that take long: what they do is logged, and at last they are ended with their process.
//!
//! Nothing can end a thread that runs foreign code; only the process can be ended. So a request that is over its time gets its
//! answer from here, the other running requests get a while to finish, and then the process ends with
//! [`Watch::EXIT_STATUS`]. The supervisor or the Web server starts another one.

#[cfg(windows)]
mod windows;

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

#[cfg(windows)]
use self::windows::kill_this_process;
use crate::activity::{Activity, Running};
use crate::head::error_page;
use crate::scoreboard::Ended;
use crate::{Application, Server};

/// What happens to requests that take long.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Watch {
    /// A request that takes longer is logged with what its thread does at that moment. Default: none is.
    pub slow_request: Option<Duration>,
    /// A request that takes longer is answered with status 504, and its process ends. Default: none is.
    pub request_timeout: Option<Duration>,
    /// How long the other running requests have then; and on Windows how long a process has that IIS has told to end by its
    /// event, before it is ended with the same status. Default 30 seconds.
    pub grace: Duration,
    /// What ends the process with this status. Default: [`Watch::end_process`].
    pub end: fn(u8),
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            slow_request: None,
            request_timeout: None,
            grace: Duration::from_secs(30),
            end: Self::end_process,
        }
    }
}

impl Watch {
    /// The exit status of a process that was ended because something in it took too long: `EX_TEMPFAIL` of sysexits.h, "user is
    /// invited to retry".
    pub const EXIT_STATUS: u8 = 75;

    pub(crate) const fn is_on(&self) -> bool {
        self.slow_request.is_some() || self.request_timeout.is_some()
    }

    /// Ends this process. Whatever hangs cannot keep it: where the C library's own end of a process hangs too, the process is
    /// killed after two seconds.
    pub fn end_process(status: u8) {
        let killer = thread::Builder::new().spawn(move || {
            thread::sleep(Duration::from_secs(2));
            kill_this_process(status);
        });
        drop(killer);
        std::process::exit(status.into());
    }

    /// The shorter of the limits.
    fn shortest(&self) -> Duration {
        let limits = self.slow_request.into_iter().chain(self.request_timeout);
        limits.min().unwrap_or(Duration::MAX)
    }
}

/// Ends this process at once, without asking anything in it. Nobody is left to be told of a failure.
#[cfg(unix)]
fn kill_this_process(_: u8) {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

/// How long a thread may take to say what it does before the application is asked in another way.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the watchdog looks whether the last requests of a process have ended.
const STEP: Duration = Duration::from_millis(50);

impl Server {
    /// Watches the workers until the server ends.
    pub(crate) fn watch(&self, activity: &Activity, application: &impl Application) {
        let watch = activity.watch;
        thread::scope(|scope| {
            let mut next = watch.shortest();
            while activity.wait(next) {
                let now = Instant::now();
                next = watch.shortest();
                let mut slow = Vec::new();
                let mut over = false;
                activity.each(|running| {
                    let age = now.saturating_duration_since(running.began);
                    let mut is_over = |limit: Option<Duration>| match limit {
                        Some(limit) if age >= limit => true,
                        Some(limit) => {
                            next = next.min(limit - age);
                            false
                        }
                        None => false,
                    };
                    over |= is_over(watch.request_timeout);
                    if !running.reported && is_over(watch.slow_request) {
                        running.reported = true;
                        slow.push(running.clone());
                    }
                });
                for running in slow {
                    let stack = self.stack(scope, application, running.thread);
                    let (number, seconds) =
                        (&running.number, running.began.elapsed().as_secs_f64());
                    tracing::warn!(
                        request = %number, seconds,
                        "request {number} is slow: {} runs for {seconds:.1} seconds.\n{}",
                        running.describe(), stack.text
                    );
                }
                if over {
                    self.give_up(scope, activity, application);
                    return;
                }
            }
        });
    }

    /// Answers what is over its time, lets the others finish, and ends the process.
    fn give_up<'scope, 'env>(
        &'env self,
        scope: &'scope thread::Scope<'scope, 'env>,
        activity: &'env Activity,
        application: &'env impl Application,
    ) {
        let watch = activity.watch;
        let limit = watch.request_timeout.unwrap_or(Duration::MAX);
        let stack = self.stack(scope, application, None);
        tracing::error!(
            "a request has taken longer than {limit:?}: this process ends with status {}. All threads:\n{}",
            Watch::EXIT_STATUS,
            stack.text
        );
        self.shutdown.request();
        // Where the interpreter itself hangs, nobody else can finish.
        let grace = if stack.is_whole {
            watch.grace
        } else {
            Duration::ZERO
        };
        let end = Instant::now() + grace;
        loop {
            self.answer_for(activity, "504 Gateway Timeout", |running| {
                running.began.elapsed() >= limit
            });
            let mut others = self.queued();
            activity.each(|running| others += usize::from(!running.given_up));
            if others == 0 || Instant::now() >= end || !activity.wait(STEP) {
                break;
            }
        }
        self.answer_for(activity, "503 Service Unavailable", |_| true);
        (watch.end)(Watch::EXIT_STATUS);
    }

    /// Answers running requests in the application's place.
    fn answer_for(
        &self,
        activity: &Activity,
        status: &str,
        mut choose: impl FnMut(&Running) -> bool,
    ) {
        activity.each(|running| {
            if running.given_up || !choose(running) {
                return;
            }
            running.given_up = true;
            let (head, page) = error_page(status, &running.number.to_string());
            let code = head.code();
            let mut octets = Vec::new();
            head.write(&mut octets);
            octets.extend_from_slice(page.as_bytes());
            let number = &running.number;
            tracing::error!(request = %number, "request {number} given up: {}", running.describe());
            // A worker that waits for the Web server holds the connection, and has a limit of its own.
            let told = running
                .driver
                .try_lock()
                .is_ok_and(|mut driver| driver.give_up(running.serial, &octets));
            let ended = Ended {
                status: code,
                octets_in: 0,
                octets_out: if told { page.len() as u64 } else { 0 },
                duration: running.began.elapsed(),
            };
            self.count(&running.params, number, &ended);
        });
    }

    /// What a thread does, or all of them, as the application says, or where it does not within a second in its other way.
    fn stack<'scope, 'env>(
        &self,
        scope: &'scope thread::Scope<'scope, 'env>,
        application: &'env impl Application,
        thread: Option<u64>,
    ) -> Stack {
        let (sender, receiver) = mpsc::channel();
        let asked = thread::Builder::new()
            .name("stack".to_owned())
            .spawn_scoped(scope, move || {
                // Nobody waits any more where it took too long.
                let _ = sender.send(application.stack(thread));
            });
        match asked
            .ok()
            .and_then(|_| receiver.recv_timeout(PATIENCE).ok())
        {
            Some(text) => Stack {
                text: text.unwrap_or_default(),
                is_whole: true,
            },
            None => Stack {
                text: application.stacks_at_once().unwrap_or_default(),
                is_whole: false,
            },
        }
    }
}

/// What threads do.
#[derive(Debug)]
struct Stack {
    text: String,
    /// Whether the application could be asked; else it hangs with everything locked.
    is_whole: bool,
}
