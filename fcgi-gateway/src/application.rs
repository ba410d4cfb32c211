//! What answers requests: [`Application`], and the request and response that it is given.

use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use fcgi_proto::{BeginRequest, Params};

use crate::driver::Driver;
use crate::head::error_page;
use crate::sender::{self, Pace, Queue};
use crate::{Error, Head};

/// An application in the role of a Responder (FastCGI Specification 1.0, section 6.2).
///
/// ```no_run
/// use std::io::Read as _;
/// use fcgi_gateway::{Application, Error, Head, Request, Response, Server, ServerOptions};
/// use fcgi_gateway::listener::{TcpSocket, WebServerAddrs};
///
/// struct Echo;
///
/// impl Application for Echo {
///     fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
///         let mut body = Vec::new();
///         request.body().read_to_end(&mut body)?;
///         response.start(Head::new("200 OK").header("Content-Type", "application/octet-stream"))?;
///         response.write(&body)
///     }
/// }
///
/// let socket = TcpSocket::bind(([127, 0, 0, 1], 9000).into(), WebServerAddrs::any())?;
/// Server::listening(Box::new(socket), ServerOptions::default())?.run(&Echo)?;
/// # Ok::<(), Error>(())
/// ```
pub trait Application: Sync {
    /// Answers one request: starts the response, and writes its body.
    ///
    /// # Errors
    /// Whatever keeps it from that. The client is then given a page of status 500 that tells only the request's id, unless
    /// the response has begun; the error goes to the log.
    fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error>;

    /// Called once on each worker thread with what the thread does all its life: an application can prepare the thread and
    /// clean up after it.
    fn run_worker(&self, worker: &mut (dyn FnMut() + Send)) {
        worker();
    }

    /// The calling thread as [`stack`](Self::stack) names it; called once on each worker thread.
    fn thread_ident(&self) -> Option<u64> {
        None
    }

    /// What a thread does at the moment, or with `None` what all threads do, as text for the log. Is called on a thread of its
    /// own and may wait.
    fn stack(&self, _thread: Option<u64>) -> Option<String> {
        None
    }

    /// As [`stack`](Self::stack) for all threads, without waiting for anything that one of them holds.
    fn stacks_at_once(&self) -> Option<String> {
        None
    }

    /// Called when a signal has interrupted the wait for requests on the calling thread.
    fn interrupted(&self) {}
}

/// What a request is called in the log and on error pages: its number, unique over all processes, or the id that a trusted
/// Web server has given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestNumber(Name);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// The number in this process.
    Counted(u64),
    /// A header's value.
    Given(Arc<str>),
}

impl RequestNumber {
    pub(crate) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(Name::Counted(LAST.fetch_add(1, Ordering::Relaxed) + 1))
    }
}

impl fmt::Display for RequestNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Worked out once: the number is part of each environ.
        static PROCESS: OnceLock<String> = OnceLock::new();
        let number = match &self.0 {
            Name::Counted(number) => number,
            Name::Given(name) => return f.write_str(name),
        };
        let process = PROCESS.get_or_init(|| {
            let start = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs());
            format!("{start:x}-{:x}", std::process::id())
        });
        write!(f, "{process}-{number:x}")
    }
}

/// Request ids that a header gives.
#[derive(Debug)]
pub(crate) struct GivenIds {
    /// As CGI names the header.
    variable: String,
}

impl GivenIds {
    /// The longest id that is taken over.
    const LONGEST: usize = 128;

    /// Those of the header `name`, in any case of its letters.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            variable: format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_")),
        }
    }

    /// The id of a request: 1 to 128 visible characters of ASCII. Anything else is no id, as it could forge lines of a log.
    pub(crate) fn find(&self, params: &Params) -> Option<RequestNumber> {
        let value = params.get(self.variable.as_bytes())?;
        let is_id =
            (1..=Self::LONGEST).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
        let name = std::str::from_utf8(value).ok().filter(|_| is_id)?;
        Some(RequestNumber(Name::Given(name.into())))
    }
}

/// A connection, shared by everything that belongs to the request that runs on it.
pub(crate) type SharedDriver = Arc<Mutex<Driver>>;

/// Whoever has panicked with the lock held has left the driver whole: it changes its state in single steps.
pub(crate) fn lock(driver: &SharedDriver) -> MutexGuard<'_, Driver> {
    driver.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request.
#[derive(Debug)]
pub struct Request<'r> {
    pub(crate) params: &'r Params,
    pub(crate) begin: BeginRequest,
    pub(crate) number: RequestNumber,
    pub(crate) body: Body,
}

impl Request<'_> {
    /// The FastCGI parameters: CGI's variables as octets.
    #[must_use]
    pub const fn params(&self) -> &Params {
        self.params
    }

    /// The value of a parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&[u8]> {
        self.params.get(name.as_bytes())
    }

    /// Role and flags.
    #[must_use]
    pub const fn begin(&self) -> BeginRequest {
        self.begin
    }

    /// What the request is called in the log.
    #[must_use]
    pub fn number(&self) -> RequestNumber {
        self.number.clone()
    }

    /// The body, read from the connection as it is asked for.
    #[must_use]
    pub fn body(&self) -> Body {
        self.body.clone()
    }
}

/// The body of a request; it ends where `CONTENT_LENGTH` says, or where the Web server ends it. Outlives the request, but
/// reads nothing then.
#[derive(Clone, Debug)]
pub struct Body {
    driver: SharedDriver,
    serial: u64,
}

impl Body {
    pub(crate) fn of(driver: &SharedDriver, serial: u64) -> Self {
        Self {
            driver: Arc::clone(driver),
            serial,
        }
    }

    /// The connection, to wait on it: nothing of the response may be left behind then.
    fn driver(&self) -> MutexGuard<'_, Driver> {
        sender::drain();
        lock(&self.driver)
    }

    /// Appends at most `limit` octets to `out`; fewer only at the end of the body. Blocks until they have arrived.
    ///
    /// # Errors
    /// [`Error::Disconnected`] where the rest will not come, [`Error::RequestTooLong`], [`Error::Order`] after the request,
    /// [`Error::Interrupted`] by a signal; what has arrived is in `out` then.
    pub fn read_up_to(&self, limit: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        self.driver().read_body(self.serial, limit, out)
    }

    /// Fills `buffer`; fewer octets only where the body ends before. `filled` counts those that are there already.
    #[cfg(feature = "python")]
    pub(crate) fn read_into(&self, buffer: &mut [u8], filled: &mut usize) -> Result<(), Error> {
        self.driver().read_into(self.serial, buffer, filled)
    }

    /// Octets still to come, where the Web server has announced the body's length.
    #[cfg(feature = "python")]
    pub(crate) fn left(&self) -> Option<u64> {
        lock(&self.driver).body_left(self.serial)
    }

    /// Appends one line with its line feed to `out`, but at most `limit` octets; nothing at the end of the body.
    ///
    /// # Errors
    /// As [`read_up_to`](Self::read_up_to).
    pub fn read_line(&self, limit: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        self.driver().read_line(self.serial, limit, out)
    }

    /// Sends `text` to the Web server's log over `FCGI_STDERR`. IIS by default turns that into a response of 500.
    ///
    /// # Errors
    /// [`Error::Disconnected`], [`Error::Order`] after the request.
    pub fn write_stderr(&self, text: &[u8]) -> Result<(), Error> {
        lock(&self.driver).send_stderr(self.serial, text)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.driver().read_some(self.serial, buffer);
        read.map_err(into_io)
    }
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::Disconnected { .. } => io::Error::new(io::ErrorKind::ConnectionAborted, error),
        Error::Interrupted => io::ErrorKind::Interrupted.into(),
        other => io::Error::other(other),
    }
}

/// A response: [`start`](Self::start) it, then [`write`](Self::write) its body.
#[derive(Debug)]
pub struct Response {
    driver: SharedDriver,
    serial: u64,
    number: RequestNumber,
    is_head: bool,
    /// The head, as long as it is not sent.
    pending: Option<Head>,
    progress: Progress,
    declared: Option<u64>,
    sent: u64,
    /// The status of the head that was set last.
    status: u16,
    /// What the Web server is told at the end, as a CGI program's exit status.
    app_status: u32,
    bodiless: bool,
    /// How fast the blocks come.
    pace: Pace,
    /// Where they wait to be sent, if they come fast.
    queue: Option<Queue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    HeadSent,
    Ended,
}

impl Response {
    pub(crate) fn of(
        driver: &SharedDriver,
        serial: u64,
        number: RequestNumber,
        is_head: bool,
    ) -> Self {
        Self {
            driver: Arc::clone(driver),
            serial,
            number,
            is_head,
            pending: None,
            progress: Progress::Nothing,
            declared: None,
            sent: 0,
            status: 0,
            app_status: 0,
            bodiless: false,
            pace: Pace::default(),
            queue: None,
        }
    }

    /// Sets status and headers. Until something is written nothing is sent, and another call replaces them.
    ///
    /// # Errors
    /// [`Error::Head`] for a head that cannot be sent, [`Error::Order`] once it has been.
    pub fn start(&mut self, head: Head) -> Result<(), Error> {
        head.check()?;
        if self.is_sent() {
            return Err(Error::Order("the headers have been sent"));
        }
        self.declared = head.content_length();
        self.bodiless = self.is_head || head.is_bodiless();
        self.status = head.code();
        self.pending = Some(head);
        Ok(())
    }

    /// Hands the response over to something that has to own it, which gives it back by assigning it. Until then this one
    /// only knows how to fail.
    #[cfg(feature = "python")]
    pub(crate) fn lend(&mut self) -> Self {
        let left = Self::of(&self.driver, self.serial, self.number.clone(), self.is_head);
        std::mem::replace(self, left)
    }

    /// Whether status and headers are set.
    #[must_use]
    pub const fn is_started(&self) -> bool {
        self.pending.is_some() || self.is_sent()
    }

    /// Whether status and headers are on their way and can no longer be replaced.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        !matches!(self.progress, Progress::Nothing)
    }

    /// What the request is called in the log.
    pub(crate) const fn number(&self) -> &RequestNumber {
        &self.number
    }

    /// The code of the status that was set last; 0 where none was.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Octets of the body that were sent.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// Sets the application status that ends the request (FastCGI Specification 1.0, section 5.5: *appStatus*), as the exit
    /// status of a CGI program. Web servers log it at most. Default 0; a response that fails ends with 1.
    pub const fn set_app_status(&mut self, app_status: u32) {
        self.app_status = app_status;
    }

    /// Whether the client has left, as far as that can be seen without waiting: the Web server has closed the connection, or
    /// has sent `FCGI_ABORT_REQUEST` and the body has been read. Costs a call to the operating system.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        self.driver
            .try_lock()
            .is_ok_and(|mut driver| driver.is_disconnected(self.serial))
    }

    /// Whether nothing more will be sent: the announced length is reached, or the response has no body, as one to `HEAD`.
    /// A body may be given up then.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_sent() && (self.bodiless || self.declared == Some(self.sent))
    }

    /// Sends a block of the body, and before the first one the head. It is the transport's when this returns: PEP 3333
    /// forbids to keep it back.
    ///
    /// # Errors
    /// [`Error::BodyTooLong`] behind what fits, [`Error::Order`] before [`start`](Self::start),
    /// [`Error::Disconnected`].
    pub fn write(&mut self, block: &[u8]) -> Result<(), Error> {
        if block.is_empty() {
            return Ok(());
        }
        self.send(&[block], false)
    }

    /// Sends the last blocks of the body and the end of the request, all at once. Where they are the whole body, its
    /// length is added to the head.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_last(&mut self, blocks: &[&[u8]]) -> Result<(), Error> {
        if let Some(head) = &mut self.pending
            && !self.is_head
            && !self.bodiless
            && self.declared.is_none()
        {
            let len = blocks.iter().map(|block| block.len() as u64).sum::<u64>();
            head.headers
                .push(("Content-Length".to_owned(), len.to_string()));
            self.declared = Some(len);
        }
        self.send(blocks, true)
    }

    fn send(&mut self, blocks: &[&[u8]], last: bool) -> Result<(), Error> {
        if self.progress == Progress::Ended {
            return Err(Error::Order("the response has ended"));
        }
        let mut octets = Vec::new();
        if self.progress == Progress::Nothing {
            let Some(head) = self.pending.take() else {
                return Err(Error::Order(
                    "the body begins before status and headers are set",
                ));
            };
            head.write(&mut octets);
        }
        let mut too_long = false;
        let mut fitting = Vec::with_capacity(blocks.len());
        for block in blocks
            .iter()
            .copied()
            .filter(|block| !block.is_empty() && !self.bodiless)
        {
            let room = self
                .declared
                .map_or(u64::MAX, |declared| declared - self.sent);
            // PEP 3333: "the server must not transmit more bytes than that, and should stop iterating".
            let fits = &block[..block.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
            too_long |= fits.len() < block.len();
            self.sent += fits.len() as u64;
            if !fits.is_empty() {
                fitting.push(fits);
            }
        }
        if last
            && !self.bodiless
            && let Some(declared) = self.declared
            && self.sent < declared
        {
            let (number, sent) = (&self.number, self.sent);
            tracing::error!(request = %number, "request {number}: the body of {sent} octets is shorter than its Content-Length of {declared}");
        }
        self.progress = if last {
            Progress::Ended
        } else {
            Progress::HeadSent
        };
        if !octets.is_empty() || !fitting.is_empty() || last {
            self.transmit(&octets, &fitting, last)?;
        }
        match self.declared {
            Some(declared) if too_long => Err(Error::BodyTooLong { declared }),
            _ => Ok(()),
        }
    }

    /// Gives octets to the transport, or to the thread that does.
    fn transmit(&mut self, head: &[u8], blocks: &[&[u8]], last: bool) -> Result<(), Error> {
        if let ([], [block], false) = (head, blocks, last)
            && self.pace.is_fast(block.len())
        {
            if self.queue.is_none() {
                self.queue = Some(Queue::open(&self.driver, self.serial)?);
            }
            if let Some(queue) = &self.queue {
                queue.push(block)?;
            }
        } else {
            let waiting = self.take_back()?;
            let mut all = Vec::with_capacity(blocks.len() + 1);
            all.extend((!waiting.is_empty()).then_some(&waiting[..]));
            all.extend(blocks);
            lock(&self.driver).send(self.serial, head, &all, last.then_some(self.app_status))?;
        }
        if !last {
            self.pace.done();
        }
        Ok(())
    }

    /// What the sender has not sent yet; it is at rest then.
    fn take_back(&mut self) -> Result<Vec<u8>, Error> {
        self.queue
            .take()
            .map_or_else(|| Ok(Vec::new()), |queue| queue.take_back())
    }

    /// Sends a block where that needs no waiting, which is where a thread does it; `false` where nothing was done.
    #[cfg(feature = "python")]
    pub(crate) fn write_at_once(&mut self, block: &[u8]) -> bool {
        let fits = self
            .declared
            .is_none_or(|declared| declared - self.sent > block.len() as u64);
        let done = fits
            && self.pace.is_fast(block.len())
            && self
                .queue
                .as_ref()
                .is_some_and(|queue| queue.try_push(block));
        if done {
            self.sent += block.len() as u64;
            self.pace.done();
        }
        done
    }

    /// Ends what the application has left open.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        if self.progress == Progress::Ended {
            return Ok(());
        }
        if !self.is_started() {
            return Err(Error::Order(
                "the application has ended without status and headers",
            ));
        }
        self.write_last(&[])
    }

    /// Tells the client that there is no answer, where it can still be told.
    pub(crate) fn fail(&mut self, status: &str) -> Result<(), Error> {
        match self.progress {
            Progress::Nothing => {
                let (head, page) = error_page(status, &self.number.to_string());
                self.start(head)?;
                self.write_last(&[page.as_bytes()])
            }
            Progress::HeadSent => {
                self.progress = Progress::Ended;
                let waiting = self.take_back()?;
                lock(&self.driver).send(self.serial, &[], &[&waiting], Some(1))
            }
            Progress::Ended => Ok(()),
        }
    }
}
