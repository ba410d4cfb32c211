//! One request and its response with one FastCGI process.
//!
//! The driver around [`fcgi_proto::web_server::Connection`]: it moves the request's body to `FCGI_STDIN` as fast as the
//! process takes it, and `FCGI_STDOUT` to the client as fast as the client takes it, both at the same time. What
//! neither side takes waits in one record's buffer on the way in, and in at most the handler's `responseBufferLimit`
//! on the way out; then the source is no longer read.
//!
//! Where IIS is undocumented this module chooses and says so: a client that leaves makes it send `FCGI_ABORT_REQUEST`
//! and go on reading (the process is returned to the pool when it answers, and killed when a time limit passes).

use std::sync::Arc;
use std::time::Duration;

use fcgi_proto::web_server::Event;
use fcgi_proto::{ProtocolStatus, RequestId, Role};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes};
use iis_config::StderrMode;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

use crate::cgi_response::{HeadFault, excerpt};
use crate::log_file::LogFile;
use crate::process::{Exit, Link, Process};
use crate::sink::{Advance, Answer, Rest, Sink};

/// Octets read from a process at once: a record and its header.
pub(crate) const READ_LEN: usize = 64 * 1024;

/// Octets of a request's `FCGI_STDERR` that are kept for its page.
const STDERR_LEN_MAX: usize = 64 * 1024;

/// How long the octets that a process has written before its end are waited for.
const EXIT_GRACE: Duration = Duration::from_millis(500);

/// How long the rest of a request's body that nobody wants is read, so that the client comes to read its answer.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// A request for a process.
#[derive(Debug)]
pub(crate) struct Request<B> {
    /// The FastCGI parameters.
    pub(crate) params: Vec<(String, Vec<u8>)>,
    pub(crate) body: B,
    /// Whether the response has no body by HTTP's rules: it answers `HEAD`.
    pub(crate) head_only: bool,
    /// Octets of the response kept while the client does not read.
    pub(crate) buffer_len: usize,
    /// Where `FCGI_STDERR` goes.
    pub(crate) log: Arc<LogFile>,
}

/// What of the configuration limits an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// `requestTimeout`: the whole exchange.
    pub(crate) request_timeout: Duration,
    /// `activityTimeout`: the time between two signs of life of the process.
    pub(crate) activity_timeout: Duration,
    pub(crate) stderr_mode: StderrMode,
}

/// Why a process gave no response.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It ended, or closed its connection, before it ended the request.
    Exited(Exit),
    /// It closed its connection and lives on.
    Closed,
    /// There is no connection to it (protocol `Tcp`).
    Unreachable(std::io::Error),
    /// What it sent is not FastCGI; with the beginning of what was read last, where that was the fault.
    Protocol {
        error: fcgi_proto::Error,
        excerpt: String,
    },
    /// What it wrote is not a CGI response; with the beginning of it.
    Head { fault: HeadFault, excerpt: String },
    /// It wrote to `FCGI_STDERR` and `stderrMode` makes that an error.
    Stderr { text: String, mode: StderrMode },
    /// `activityTimeout` or `requestTimeout` has passed.
    Timeout {
        attribute: &'static str,
        after: Duration,
    },
    /// It refused the request.
    Refused(ProtocolStatus),
}

impl Fault {
    /// A fault of the protocol that is not in what was just read.
    fn protocol(error: fcgi_proto::Error) -> Self {
        Self::Protocol {
            error,
            excerpt: String::new(),
        }
    }
}

/// What becomes of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// It can take another request.
    Reuse,
    /// It is of no further use: it is ended by force. `failed` counts for `rapidFailsPerMinute`.
    Kill { failed: bool },
}

/// Runs the exchange. The answer goes to `answer` as soon as its head is there.
pub(crate) async fn run<B>(
    process: &mut Process,
    request: Request<B>,
    rules: Rules,
    answer: oneshot::Sender<Answer>,
) -> (Disposition, Rest)
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
{
    process.requests += 1;
    let mut exit = process.exit_watch();
    let mut sink = Sink::new(answer, request.head_only, request.buffer_len);
    let mut exchange = Exchange {
        body: Some(request.body),
        rules,
        log: request.log,
        sink: &mut sink,
        out: Vec::new(),
        written: 0,
        stderr: Vec::new(),
        stderr_is_answer: false,
        aborted: false,
    };
    let result = match process.link().await {
        Ok(mut guard) => exchange.run(guard.link(), &request.params, &mut exit).await,
        Err(error) => Err(Fault::Unreachable(error)),
    };
    if let Some(body) = exchange.body.take() {
        tokio::spawn(drain(body));
    }
    let (disposition, truncated) = match result {
        Ok(()) => (Disposition::Reuse, false),
        Err(fault) => {
            let failed = matches!(
                fault,
                Fault::Exited(_) | Fault::Closed | Fault::Unreachable(_) | Fault::Protocol { .. }
            );
            let truncated = sink.has_begun();
            if truncated {
                tracing::warn!(pid = process.pid, ?fault, "the response is incomplete");
            }
            sink.fault(fault);
            (Disposition::Kill { failed }, truncated)
        }
    };
    (disposition, Rest::new(sink, truncated))
}

struct Exchange<'s, B> {
    /// `None` when all of it was passed on, or nobody wants it.
    body: Option<B>,
    rules: Rules,
    log: Arc<LogFile>,
    sink: &'s mut Sink,
    /// Records for the process, and how much of them it has taken.
    out: Vec<u8>,
    written: usize,
    stderr: Vec<u8>,
    /// Whether the response will be 500 for what is in `stderr`.
    stderr_is_answer: bool,
    aborted: bool,
}

enum Step {
    Read(std::io::Result<usize>),
    Written(std::io::Result<usize>),
    Body(Option<Result<Bytes, String>>),
    Sink(Advance),
    Exited,
    Late,
}

impl<B> Exchange<'_, B>
where
    B: Body<Data = Bytes> + Unpin,
{
    async fn run(
        &mut self,
        link: &mut Link,
        params: &[(String, Vec<u8>)],
        exit: &mut crate::process::ExitWatch,
    ) -> Result<(), Fault> {
        let Link {
            stream,
            connection,
            keep_conn,
        } = link;
        let id = connection
            .begin(Role::RESPONDER, *keep_conn, &mut self.out)
            .and_then(|id| {
                connection.params(id, params.iter().map(|(n, v)| (n, v)), &mut self.out)?;
                Ok(id)
            })
            .map_err(Fault::protocol)?;
        if self.body.as_ref().is_some_and(Body::is_end_stream) {
            self.body = None;
            connection
                .stdin_end(id, &mut self.out)
                .map_err(Fault::protocol)?;
        }

        let started = Instant::now();
        let request_deadline = started + self.rules.request_timeout;
        let mut active = started;
        // The end of the process was seen, and what it has written is read until then.
        let mut exited_until: Option<Instant> = None;
        let mut ended = false;
        let mut writable = true;
        let mut buffer = vec![0; READ_LEN];
        loop {
            let writing = writable && self.written < self.out.len();
            if ended && !writing {
                return Ok(());
            }
            let reading = !ended && self.sink.has_room();
            let feeding = !ended && writable && !writing && self.body.is_some();
            // The process is waited for, not the client.
            let waiting_for_process = reading && !feeding;
            let activity_deadline = active + self.rules.activity_timeout;
            let deadline = match exited_until {
                Some(until) => until,
                None if waiting_for_process => request_deadline.min(activity_deadline),
                None => request_deadline,
            };
            let step = tokio::select! {
                result = stream.read(&mut buffer), if reading => Step::Read(result),
                result = stream.write(self.out.get(self.written..).unwrap_or_default()), if writing => {
                    Step::Written(result)
                }
                data = next_data(&mut self.body), if feeding => Step::Body(data),
                advance = self.sink.advance(), if !self.aborted => Step::Sink(advance),
                _ = exit.ended(), if exited_until.is_none() => Step::Exited,
                () = sleep_until(deadline) => Step::Late,
            };
            match step {
                Step::Read(Ok(len)) if len > 0 => {
                    active = Instant::now();
                    let octets = buffer.get(..len).unwrap_or_default();
                    let mut input = octets;
                    let protocol = |error| Fault::Protocol {
                        error,
                        excerpt: excerpt(octets),
                    };
                    while let Some(event) = connection.handle_input(&mut input).map_err(protocol)? {
                        ended |= self.event(id, event)?;
                    }
                }
                Step::Read(_) => return Err(self.broken(exit).await),
                Step::Written(Ok(len)) => {
                    active = Instant::now();
                    self.written += len;
                    if self.written == self.out.len() {
                        self.out.clear();
                        self.written = 0;
                    }
                }
                // It no longer reads, and may have answered nevertheless: reading tells.
                Step::Written(Err(_)) => writable = false,
                Step::Body(Some(Ok(data))) => {
                    active = Instant::now();
                    connection
                        .stdin(id, &data, &mut self.out)
                        .map_err(Fault::protocol)?;
                }
                Step::Body(None) => {
                    self.body = None;
                    active = Instant::now();
                    connection
                        .stdin_end(id, &mut self.out)
                        .map_err(Fault::protocol)?;
                }
                Step::Body(Some(Err(error))) => {
                    tracing::debug!(%error, "the client's request broke off");
                    self.abort(connection, id);
                }
                Step::Sink(Advance::Gone) => self.abort(connection, id),
                Step::Sink(Advance::Sent) => {}
                Step::Exited => exited_until = Some(Instant::now() + EXIT_GRACE),
                Step::Late if exited_until.is_some() => return Err(self.broken(exit).await),
                Step::Late => {
                    let now = Instant::now();
                    let (attribute, after) = if now >= request_deadline {
                        ("requestTimeout", self.rules.request_timeout)
                    } else {
                        ("activityTimeout", self.rules.activity_timeout)
                    };
                    return Err(Fault::Timeout { attribute, after });
                }
            }
        }
    }

    /// Handles an event; whether it was the end of the request.
    fn event(&mut self, id: RequestId, event: Event<'_>) -> Result<bool, Fault> {
        match event {
            Event::Stdout { id: of, data } if of == id => {
                self.sink.stdout(data);
                Ok(false)
            }
            Event::Stderr { id: of, data } if of == id => self.stderr(data).map(|()| false),
            Event::End {
                id: of,
                app_status,
                protocol_status,
            } if of == id => {
                if app_status != 0 {
                    tracing::debug!(
                        app_status,
                        "the application ended the request with a status"
                    );
                }
                if protocol_status != ProtocolStatus::REQUEST_COMPLETE {
                    self.sink.fault(Fault::Refused(protocol_status));
                } else if self.stderr_is_answer {
                    let text = String::from_utf8_lossy(&self.stderr).into_owned();
                    self.sink.fault(Fault::Stderr {
                        text,
                        mode: self.rules.stderr_mode,
                    });
                } else if let Some(note) = self.sink.end() {
                    self.log.note(&note);
                }
                Ok(true)
            }
            // The ends of the streams say nothing that the end of the request does not.
            _ => Ok(false),
        }
    }

    fn stderr(&mut self, data: &[u8]) -> Result<(), Fault> {
        let room = STDERR_LEN_MAX.saturating_sub(self.stderr.len());
        self.stderr
            .extend_from_slice(data.get(..room).unwrap_or(data));
        self.log.write(data);
        let mode = self.rules.stderr_mode;
        match mode {
            StderrMode::IgnoreAndReturn200 => {}
            StderrMode::ReturnStdErrIn500 | StderrMode::ReturnGeneric500 => {
                if self.sink.hold() {
                    self.stderr_is_answer = true;
                } else if !self.stderr_is_answer {
                    tracing::warn!(
                        "FCGI_STDERR came after the response had begun; IIS answers 500 if it still holds the response back"
                    );
                }
            }
            StderrMode::TerminateProcess => {
                let text = String::from_utf8_lossy(&self.stderr).into_owned();
                return Err(Fault::Stderr { text, mode });
            }
        }
        Ok(())
    }

    /// The client has left.
    fn abort(&mut self, connection: &mut fcgi_proto::web_server::Connection, id: RequestId) {
        self.aborted = true;
        self.body = None;
        self.sink.close();
        if connection.abort(id, &mut self.out).is_err() {
            tracing::debug!("the request to abort has just ended");
        }
    }

    /// The connection has ended before the request.
    async fn broken(&mut self, exit: &mut crate::process::ExitWatch) -> Fault {
        match timeout(EXIT_GRACE * 2, exit.ended()).await {
            Ok(exit) => Fault::Exited(exit),
            Err(_) => Fault::Closed,
        }
    }
}

/// Reads the rest of a body.
async fn drain<B>(body: B)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut body = Some(body);
    let rest = async { while let Some(Ok(_)) = next_data(&mut body).await {} };
    // Who sends for longer may lose the answer.
    let _too_long = timeout(DRAIN_TIME, rest).await;
}

/// The next octets of a body; `None` at its end.
async fn next_data<B>(body: &mut Option<B>) -> Option<Result<Bytes, String>>
where
    B: Body<Data = Bytes> + Unpin,
{
    let body = body.as_mut()?;
    loop {
        match body.frame().await? {
            Ok(frame) => {
                // Trailers have no place in FastCGI.
                if let Ok(data) = frame.into_data() {
                    return Some(Ok(data));
                }
            }
            Err(_) => return Some(Err("the request's body is incomplete".to_owned())),
        }
    }
}
