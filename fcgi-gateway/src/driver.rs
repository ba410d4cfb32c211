//! One connection: moves octets between a transport and the protocol's state machine.
//!
//! A driver never reads ahead of the application: while a request runs, the socket is read only when the application asks
//! for its body, and what does not fit stays with the Web server (§6.1 of the FastCGI Specification gives no other flow
//! control).

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::time::Duration;

use fcgi_proto::application::{AfterRequest, Config, Connection, Event};
use fcgi_proto::{BeginRequest, Frame, Params, RequestId};

use crate::listener::Transport;
use crate::{Error, Limits};

/// Octets read from the socket at once.
const INPUT_LEN: usize = 64 * 1024;

/// Up to so many octets, output is gathered in one buffer; above, it is written from where it lies.
const GATHER_LEN: usize = 16 * 1024;

/// How long a connection that is closing waits for the Web server to send the rest of its request.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    /// The input buffer of the connection that this thread served last, for the one that it serves next.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// So are the variables of a request whose connection has ended.
    static SPARE_PARAMS: Cell<Option<Params>> = const { Cell::new(None) };
}

/// What a connection does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A request has arrived.
    Request(RequestId, BeginRequest, Params),
    /// Nothing can be done before more octets arrive.
    Wait,
    /// The connection is over.
    Closed,
}

/// The connection's state.
#[derive(Debug)]
pub(crate) struct Driver {
    transport: Box<dyn Transport>,
    machine: Connection,
    config: Config,
    limits: Limits,
    /// What was read. Empty while the connection waits, so that waiting costs no memory.
    input: Vec<u8>,
    /// Where in `input` octets lie that the machine has not seen.
    unseen: Range<usize>,
    /// Where in `input` octets of the current request's body lie that the application has not taken.
    stdin: Range<usize>,
    output: Vec<u8>,
    current: Option<Current>,
    /// Counts the requests, so that whatever an application has kept of an earlier one is told apart.
    serial: u64,
    /// Whether the connection cannot be used any more.
    broken: bool,
    /// Whether the connection is the only one that there will ever be, which only the Web server ends.
    only: bool,
}

/// The request that is running.
#[derive(Debug)]
struct Current {
    id: RequestId,
    stdin_ended: bool,
    aborted: bool,
    /// Octets of the body until what its length says is reached; the most there may be where it says nothing.
    left: u64,
    /// Whether more than `left` octets are an error rather than none of the body.
    limited: bool,
}

impl Driver {
    pub(crate) fn new(
        transport: Box<dyn Transport>,
        config: Config,
        limits: Limits,
        only: bool,
    ) -> Self {
        let mut machine = Connection::new(config, limits.fcgi);
        if let Some(params) = SPARE_PARAMS.take() {
            machine.recycle(params);
        }
        Self {
            transport,
            machine,
            config,
            limits,
            input: Vec::new(),
            unseen: 0..0,
            stdin: 0..0,
            output: Vec::new(),
            current: None,
            serial: 0,
            broken: false,
            only,
        }
    }

    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.transport
    }

    /// The number of the request that runs or ran last.
    pub(crate) const fn serial(&self) -> u64 {
        self.serial
    }

    /// Goes on to the next request. `readable` allows to look at the transport, which is not waited for.
    pub(crate) fn next_request(&mut self, readable: bool) -> Result<Next, Error> {
        let mut may_read = readable;
        loop {
            if let Some(next) = self.next_buffered()? {
                return Ok(next);
            }
            self.write_replies()?;
            if self.machine.should_close() && !self.only {
                return Ok(Next::Closed);
            }
            if !may_read {
                // Nothing is lost with the buffer: the machine has seen all of it.
                if !self.input.is_empty() {
                    SPARE.set(std::mem::take(&mut self.input));
                }
                self.output = Vec::new();
                return Ok(Next::Wait);
            }
            if self.input.is_empty() {
                self.input = SPARE.take();
                self.input.resize(INPUT_LEN, 0);
            }
            match self.transport.try_read(&mut self.input) {
                Ok(0) => {
                    self.machine.handle_eof()?;
                    return Ok(Next::Closed);
                }
                // Less than there is room for: that was all for now, unless it makes a request.
                Ok(len) => {
                    may_read = len == self.input.len();
                    self.unseen = 0..len;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => may_read = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::disconnected(&error)),
            }
        }
    }

    fn next_buffered(&mut self) -> Result<Option<Next>, Error> {
        while !self.unseen.is_empty() {
            let mut input = &self.input[self.unseen.clone()];
            let event = self.machine.handle_input(&mut input);
            self.unseen.start = self.unseen.end - input.len();
            match event.inspect_err(|_| self.broken = true)? {
                Some(Event::Request { id, begin, params }) => {
                    self.serial += 1;
                    self.stdin = 0..0;
                    let limit = self.limits.body_len;
                    let announced = params
                        .get(b"CONTENT_LENGTH")
                        .and_then(|text| std::str::from_utf8(text).ok()?.trim().parse().ok());
                    let left = announced.or(limit).unwrap_or(u64::MAX);
                    self.current = Some(Current {
                        id,
                        stdin_ended: false,
                        aborted: false,
                        left,
                        limited: announced.is_none(),
                    });
                    return Ok(Some(Next::Request(id, begin, params)));
                }
                Some(Event::Refused { id, error }) => {
                    tracing::warn!(request = %id, %error, "request refused");
                }
                // Everything else belongs to requests that have ended.
                Some(_) | None => {}
            }
        }
        Ok(None)
    }

    /// The request that runs, if it is still the one that the caller means.
    fn current(&mut self, serial: u64) -> Result<&mut Current, Error> {
        match &mut self.current {
            Some(current) if self.serial == serial => Ok(current),
            _ => Err(Error::Order("the request is over")),
        }
    }

    /// Makes octets of the body available; `false` at its end.
    fn fill(&mut self, serial: u64) -> Result<bool, Error> {
        loop {
            let broken = self.broken;
            let available = !self.stdin.is_empty();
            let current = self.current(serial)?;
            if current.aborted || broken {
                return Err(Error::Disconnected {
                    reason: "the request was aborted".to_owned(),
                });
            }
            if available && current.left > 0 {
                return Ok(true);
            }
            if available && current.limited {
                return Err(Error::RequestTooLong {
                    max: self.limits.body_len.unwrap_or(u64::MAX),
                });
            }
            // PEP 3333: "A server should … simulate an end-of-file condition" at CONTENT_LENGTH.
            if current.left == 0 && !current.limited || current.stdin_ended {
                return Ok(false);
            }
            if self.unseen.is_empty() {
                self.read()?;
            }
            self.advance()?;
        }
    }

    /// Reads more octets, and waits for them.
    fn read(&mut self) -> Result<(), Error> {
        self.write_replies()?;
        if self.input.is_empty() {
            self.input = SPARE.take();
            self.input.resize(INPUT_LEN, 0);
        }
        match self
            .transport
            .read(&mut self.input, self.limits.read_timeout)
        {
            Ok(0) => {
                self.broken = true;
                self.machine.handle_eof()?;
                Err(Error::Disconnected {
                    reason: "the connection ended inside the request".to_owned(),
                })
            }
            Ok(len) => {
                self.unseen = 0..len;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(Error::Interrupted),
            Err(error) => {
                self.broken = true;
                Err(Error::disconnected(&error))
            }
        }
    }

    /// Takes one event of the current request out of the buffer.
    fn advance(&mut self) -> Result<(), Error> {
        let base = self.input.as_ptr().addr();
        let mut input = &self.input[self.unseen.clone()];
        let event = self.machine.handle_input(&mut input);
        self.unseen.start = self.unseen.end - input.len();
        let event = event.inspect_err(|_| self.broken = true)?;
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        match event {
            Some(Event::Stdin { id, data }) if id == current.id => {
                let start = data.as_ptr().addr() - base;
                self.stdin = start..start + data.len();
            }
            Some(Event::StdinEnd { id }) if id == current.id => current.stdin_ended = true,
            Some(Event::Abort { id }) if id == current.id => current.aborted = true,
            Some(Event::Refused { id, error }) => {
                tracing::warn!(request = %id, %error, "request refused");
            }
            _ => {}
        }
        Ok(())
    }

    /// Appends at most `limit` octets of the body to `out`: as many, unless the body ends before.
    pub(crate) fn read_body(
        &mut self,
        serial: u64,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut wanted = limit;
        while wanted > 0 && self.fill(serial)? {
            wanted -= self.take_into(wanted, None, out);
        }
        Ok(())
    }

    /// Fills `buffer` with octets of the body; fewer only where it ends before. `filled` counts those that are there already,
    /// so that a call that a signal has interrupted can be made again.
    #[cfg(feature = "python")]
    pub(crate) fn read_into(
        &mut self,
        serial: u64,
        buffer: &mut [u8],
        filled: &mut usize,
    ) -> Result<(), Error> {
        while *filled < buffer.len() && self.fill(serial)? {
            let rest = &mut buffer[*filled..];
            let piece = self.piece(rest.len(), None);
            rest[..piece.len()].copy_from_slice(&self.input[piece.clone()]);
            *filled += piece.len();
            self.take(piece.len());
        }
        Ok(())
    }

    /// Octets of the body that are still to come, where the Web server has announced its length.
    #[cfg(feature = "python")]
    pub(crate) fn body_left(&self, serial: u64) -> Option<u64> {
        let current = self.current.as_ref()?;
        (self.serial == serial && !current.limited).then_some(current.left)
    }

    /// Appends what the body has at hand, at most `limit` octets, and waits only where there is nothing: nothing is
    /// appended at its end.
    pub(crate) fn read_some(
        &mut self,
        serial: u64,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if limit > 0 && self.fill(serial)? {
            self.take_into(limit, None, out);
        }
        Ok(())
    }

    /// Appends one line of the body with its line feed to `out`, but at most `limit` octets.
    pub(crate) fn read_line(
        &mut self,
        serial: u64,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut wanted = limit;
        while wanted > 0 && self.fill(serial)? {
            wanted -= self.take_into(wanted, Some(b'\n'), out);
            if out.last() == Some(&b'\n') {
                break;
            }
        }
        Ok(())
    }

    /// Where in `input` octets of the body lie that may be taken: at most `limit`, and none behind `delimiter`.
    fn piece(&self, limit: usize, delimiter: Option<u8>) -> Range<usize> {
        let left = self.current.as_ref().map_or(0, |current| current.left);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let len = self.stdin.len().min(limit).min(left);
        let start = self.stdin.start;
        let position = delimiter.and_then(|delimiter| {
            let mut octets = self.input[start..start + len].iter();
            octets.position(|octet| *octet == delimiter)
        });
        start..start + position.map_or(len, |position| position + 1)
    }

    /// Marks octets of the body as taken.
    fn take(&mut self, len: usize) {
        self.stdin.start += len;
        if let Some(current) = &mut self.current {
            current.left -= len as u64;
        }
    }

    /// Moves available octets to `out`.
    fn take_into(&mut self, limit: usize, delimiter: Option<u8>, out: &mut Vec<u8>) -> usize {
        let piece = self.piece(limit, delimiter);
        out.extend_from_slice(&self.input[piece.clone()]);
        self.take(piece.len());
        piece.len()
    }

    /// Sends `head` and `blocks` on STDOUT, and ends the request where `app_status` is given. Nothing is kept back.
    pub(crate) fn send(
        &mut self,
        serial: u64,
        head: &[u8],
        blocks: &[&[u8]],
        app_status: Option<u32>,
    ) -> Result<(), Error> {
        let broken = self.broken;
        let current = self.current(serial)?;
        let id = current.id;
        if current.aborted || broken {
            return Err(Error::Disconnected {
                reason: "the request was aborted".to_owned(),
            });
        }
        if app_status.is_some() {
            self.drain_stdin()?;
        }
        let len = blocks.iter().map(|block| block.len()).sum::<usize>() + head.len();
        self.output.clear();
        self.machine.take_output(&mut self.output);
        if len <= GATHER_LEN {
            if blocks.is_empty() || head.is_empty() && blocks.len() == 1 {
                let content = blocks.first().copied().unwrap_or(head);
                self.machine.stdout(id, content, &mut self.output)?;
            } else {
                // One record rather than several, for one copy of a few octets.
                let content = [head, &blocks.concat()].concat();
                self.machine.stdout(id, &content, &mut self.output)?;
            }
            if let Some(app_status) = app_status {
                self.end_request(id, app_status)?;
            }
            return self.flush();
        }
        let mut frames = Vec::with_capacity(blocks.len() + 1 + len / 65_528);
        for content in std::iter::once(head).chain(blocks.iter().copied()) {
            frames.extend(self.machine.stdout_frames(id, content)?);
        }
        let replies = std::mem::take(&mut self.output);
        if let Some(app_status) = app_status {
            self.end_request(id, app_status)?;
        }
        let written = write_frames(
            &mut *self.transport,
            &replies,
            &frames,
            &self.output,
            self.limits.write_timeout,
        );
        self.output.clear();
        written.map_err(|error| self.gone(&error))
    }

    /// Sends `text` on STDERR.
    pub(crate) fn send_stderr(&mut self, serial: u64, text: &[u8]) -> Result<(), Error> {
        let id = self.current(serial)?.id;
        self.output.clear();
        self.machine.stderr(id, text, &mut self.output)?;
        self.flush()
    }

    /// Puts the end of the request into `output`.
    fn end_request(&mut self, id: RequestId, app_status: u32) -> Result<(), Error> {
        // What of the body is here already need not be waited for when the connection is closed.
        while self
            .current
            .as_ref()
            .is_some_and(|current| !current.stdin_ended)
            && !self.unseen.is_empty()
        {
            self.advance()?;
        }
        // finish() asks the machine itself what becomes of the connection.
        let _: AfterRequest = self.machine.end_request(id, app_status, &mut self.output)?;
        Ok(())
    }

    /// Reads the body to its end, which the next machine could not do, where the only connection gets another machine.
    fn drain_stdin(&mut self) -> Result<(), Error> {
        let current = self
            .current
            .as_ref()
            .and_then(|current| self.machine.begin_request(current.id));
        if !self.only || current.is_none_or(|begin| begin.flags.keep_conn()) {
            return Ok(());
        }
        while self
            .current
            .as_ref()
            .is_some_and(|current| !current.stdin_ended && !current.aborted)
        {
            if self.unseen.is_empty() {
                match self.read() {
                    Err(Error::Interrupted) => continue,
                    read => read?,
                }
            }
            self.advance()?;
        }
        Ok(())
    }

    /// Ends the current request if it has not ended, takes back its variables, and says whether the connection goes on.
    pub(crate) fn finish(&mut self, params: Params) -> bool {
        if self.machine.should_close() && !self.only {
            SPARE_PARAMS.set(Some(params));
        } else {
            self.machine.recycle(params);
        }
        let Some(current) = self.current.take() else {
            return false;
        };
        self.stdin = 0..0;
        if self.broken {
            return false;
        }
        if self.machine.begin_request(current.id).is_some() {
            // A request that nobody waits for any more still has to be ended: §5.4.
            self.output.clear();
            self.machine.take_output(&mut self.output);
            let ended = self.machine.end_request(current.id, 1, &mut self.output);
            if ended.is_err() || self.flush().is_err() {
                return false;
            }
        }
        if !self.machine.should_close() {
            return true;
        }
        if self.only {
            // IIS: the pipe outlives FCGI_KEEP_CONN, and wfastcgi never closes it; its end tells when to go.
            // Padding may be left behind the body's end.
            while !self.unseen.is_empty() {
                if self.advance().is_err() {
                    return false;
                }
            }
            if current.stdin_ended && self.machine.is_idle() {
                self.machine = Connection::new(self.config, self.limits.fcgi);
                return true;
            }
            return false;
        }
        self.close(current.stdin_ended);
        false
    }

    /// Lets the Web server read the reply: closing a socket with unread octets can destroy it on the way.
    fn close(&mut self, stdin_ended: bool) {
        if stdin_ended || self.transport.shutdown_write().is_err() {
            return;
        }
        let mut left = self.limits.fcgi.unread_len;
        if self.input.is_empty() {
            self.input = SPARE.take();
            self.input.resize(INPUT_LEN, 0);
        }
        while let Ok(len @ 1..) = self.transport.read(&mut self.input, Some(LINGER)) {
            left = left.saturating_sub(len as u64);
            if left == 0 {
                break;
            }
        }
    }

    fn write_replies(&mut self) -> Result<(), Error> {
        if self.machine.pending_output().is_empty() {
            return Ok(());
        }
        self.output.clear();
        self.machine.take_output(&mut self.output);
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Error> {
        let written = write_all(
            &mut *self.transport,
            &mut [IoSlice::new(&self.output)],
            self.limits.write_timeout,
        );
        self.output.clear();
        written.map_err(|error| self.gone(&error))
    }

    /// A connection on which half a record was written is lost.
    fn gone(&mut self, error: &io::Error) -> Error {
        self.broken = true;
        Error::disconnected(error)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.input.is_empty() {
            // Where the thread itself is at its end, so is the buffer.
            let _ = SPARE.try_with(|spare| spare.set(std::mem::take(&mut self.input)));
        }
    }
}

/// Writes everything in this order, without copying it together.
fn write_frames(
    transport: &mut dyn Transport,
    before: &[u8],
    frames: &[Frame<'_>],
    after: &[u8],
    timeout: Option<Duration>,
) -> io::Result<()> {
    let mut slices = Vec::with_capacity(frames.len() * 3 + 2);
    slices.push(IoSlice::new(before));
    for frame in frames {
        slices.push(IoSlice::new(&frame.header));
        slices.push(IoSlice::new(frame.content));
        slices.push(IoSlice::new(frame.padding));
    }
    slices.push(IoSlice::new(after));
    slices.retain(|slice| !slice.is_empty());
    write_all(transport, &mut slices, timeout)
}

/// Writes all of the slices; `timeout` is for each wait, since a slow reader is no fault as long as it reads.
fn write_all(
    transport: &mut dyn Transport,
    mut slices: &mut [IoSlice<'_>],
    timeout: Option<Duration>,
) -> io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match transport.write(slices, timeout)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            len => IoSlice::advance_slices(&mut slices, len),
        }
    }
    Ok(())
}
