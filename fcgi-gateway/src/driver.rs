//! One connection: moves octets between a transport and the protocol's state machine.
//!
//! A driver never reads ahead of the application: while a request runs, the socket is read only when the application asks
//! for its body, and what does not fit stays with the Web server (§6.1 of the FastCGI Specification gives no other flow
//! control).

use std::cell::Cell;
use std::io::{self, IoSlice, IoSliceMut};
use std::ops::Range;
use std::time::Duration;

use fcgi_proto::application::{AfterRequest, Config, Connection, Event};
use fcgi_proto::{BeginRequest, Frame, Params, RequestId};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::listener::Transport;
use crate::{Error, Limits};

/// Octets read from the socket at once.
const INPUT_LEN: usize = 64 * 1024;

/// Octets read at once where a request may begin. It is enough for its variables; what of its body comes with them has to be
/// copied, while the rest can be read to where the application wants it.
const HEAD_LEN: usize = 16 * 1024;

/// From so many octets on, the body is read to where the application wants it.
const DIRECT_LEN: usize = 4 * 1024;

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
    /// What `left` was at first.
    body_len: u64,
    /// Whether something of the response has been sent.
    answered: bool,
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

    /// Whether nothing is going on: no request has begun that has not ended.
    pub(crate) const fn is_idle(&self) -> bool {
        self.machine.is_idle()
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
            self.make_room();
            match self.transport.try_read(&mut self.input[..HEAD_LEN]) {
                Ok(0) => {
                    self.machine.handle_eof()?;
                    return Ok(Next::Closed);
                }
                // Less than there is room for: that was all for now, unless it makes a request.
                Ok(len) => {
                    may_read = len == HEAD_LEN;
                    self.unseen = 0..len;
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => may_read = false,
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(Error::disconnected(&error)),
                },
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
                        body_len: left,
                        answered: false,
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
        self.make_room();
        let read = self
            .transport
            .read(&mut self.input, self.limits.read_timeout);
        self.unseen = 0..self.arrived(read)?;
        Ok(())
    }

    /// Has a buffer ready for what is read next.
    fn make_room(&mut self) {
        if self.input.is_empty() {
            self.input = SPARE.take();
            self.input.resize(INPUT_LEN, 0);
        }
    }

    /// What a read that waits has brought: at least one octet, or the connection is lost.
    fn arrived(&mut self, read: io::Result<usize>) -> Result<usize, Error> {
        match read {
            Ok(0) => {
                self.broken = true;
                self.machine.handle_eof()?;
                Err(Error::Disconnected {
                    reason: "the connection ended inside the request".to_owned(),
                })
            }
            Ok(len) => Ok(len),
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
        while *filled < buffer.len() {
            match self.read_some(serial, &mut buffer[*filled..])? {
                0 => break,
                len => *filled += len,
            }
        }
        Ok(())
    }

    /// Reads what the body has at hand, and waits only where there is nothing. Says how many octets: none at its end.
    pub(crate) fn read_some(&mut self, serial: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        let coming = self.stdin_coming(serial, buffer.len())?;
        if coming >= DIRECT_LEN {
            return self.read_directly(&mut buffer[..coming]);
        }
        if buffer.is_empty() || !self.fill(serial)? {
            return Ok(0);
        }
        let piece = self.piece(buffer.len(), None);
        buffer[..piece.len()].copy_from_slice(&self.input[piece.clone()]);
        self.take(piece.len());
        Ok(piece.len())
    }

    /// Octets of the body, at most `limit`, that are the next ones to arrive with nothing between them.
    fn stdin_coming(&mut self, serial: u64, limit: usize) -> Result<usize, Error> {
        let is_clean = self.stdin.is_empty() && self.unseen.is_empty() && !self.broken;
        let current = self.current(serial)?;
        if !is_clean || current.aborted {
            return Ok(0);
        }
        let (id, left) = (current.id, current.left);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        Ok(self.machine.stdin_left(id).min(left).min(limit))
    }

    /// Reads octets that [`stdin_coming`](Self::stdin_coming) has promised into `buffer`, and what follows them into the
    /// driver's own. Says how many have arrived.
    fn read_directly(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.write_replies()?;
        self.make_room();
        let mut slices = [
            IoSliceMut::new(buffer),
            // As far as the next piece that can be read directly.
            IoSliceMut::new(&mut self.input[..HEAD_LEN]),
        ];
        let timeout = self.limits.read_timeout;
        let read = self.transport.read_vectored(&mut slices, timeout);
        let len = self.arrived(read)?;
        let direct = len.min(buffer.len());
        self.unseen = 0..len - direct;
        let event = self.machine.handle_input(&mut &buffer[..direct]);
        let taken = match event.inspect_err(|_| self.broken = true)? {
            Some(Event::Stdin { data, .. }) => data.len(),
            _ => 0,
        };
        if let Some(current) = &mut self.current {
            current.left -= taken as u64;
        }
        Ok(taken)
    }

    /// Octets of the body that are still to come, where the Web server has announced its length.
    #[cfg(feature = "python")]
    pub(crate) fn body_left(&self, serial: u64) -> Option<u64> {
        let current = self.current.as_ref()?;
        (self.serial == serial && !current.limited).then_some(current.left)
    }

    /// Octets of the body that the application has taken.
    pub(crate) fn body_taken(&self, serial: u64) -> u64 {
        let current = self.current.as_ref().filter(|_| self.serial == serial);
        current.map_or(0, |current| current.body_len - current.left)
    }

    /// Whether the request's client has left, as far as that is known by now.
    pub(crate) fn is_disconnected(&mut self, serial: u64) -> bool {
        let stdin_ended = match self.current(serial) {
            Err(_) => return true,
            Ok(current) if current.aborted => return true,
            Ok(current) => current.stdin_ended,
        };
        if self.broken {
            return true;
        }
        while !self.unseen.is_empty() && self.stdin.is_empty() {
            if self.advance().is_err() {
                return true;
            }
        }
        // Behind the body comes nothing but the request's abortion, or the connection's end. Where the body has not been read,
        // only the end of both directions shows.
        if stdin_ended && self.stdin.is_empty() {
            match self.try_read_more() {
                Ok(true) => {
                    while !self.unseen.is_empty() {
                        if self.advance().is_err() {
                            return true;
                        }
                    }
                }
                Ok(false) => {}
                Err(_) => {
                    self.broken = true;
                    return true;
                }
            }
        } else if has_hung_up(&*self.transport) {
            self.broken = true;
            return true;
        }
        self.current.as_ref().is_none_or(|current| current.aborted)
    }

    /// Reads what has arrived where all that came before is used up; `false` where nothing has.
    fn try_read_more(&mut self) -> Result<bool, Error> {
        self.make_room();
        match self.transport.try_read(&mut self.input) {
            Ok(0) => Err(Error::Disconnected {
                reason: "the connection ended inside the request".to_owned(),
            }),
            Ok(len) => {
                self.unseen = 0..len;
                Ok(true)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(Error::disconnected(&error)),
        }
    }

    /// Ends a request whose application does not come back: with `octets` as the whole response where it has not begun, else
    /// in the middle. `false` where there is nothing to end. Whatever the application still writes goes nowhere.
    pub(crate) fn give_up(&mut self, serial: u64, octets: &[u8]) -> bool {
        let Ok(current) = self.current(serial) else {
            return false;
        };
        if current.aborted {
            return false;
        }
        let content = if current.answered { &[] } else { octets };
        let sent = self.send(serial, &[], &[content], Some(1));
        if let Some(current) = &mut self.current {
            current.aborted = true;
        }
        sent.is_ok()
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
        current.answered = true;
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
        let (keep, stdin_ended) = self.finish_request(params);
        if !keep && !self.only && !self.broken {
            self.close(stdin_ended);
        }
        keep
    }

    /// As [`finish`](Self::finish), but does not wait for the rest of the body where the connection ends.
    pub(crate) fn finish_soon(&mut self, params: Params) -> bool {
        self.finish_request(params).0
    }

    /// Says that nothing more will be written; `false` where nothing can be read any more either.
    pub(crate) fn begin_to_linger(&self) -> bool {
        !self.broken && self.transport.shutdown_write().is_ok()
    }

    /// Drops what has arrived on a connection that only lingers; `true` at its end.
    pub(crate) fn discard(&mut self) -> bool {
        loop {
            match self.try_read_more() {
                Ok(true) => self.unseen = 0..0,
                Ok(false) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Whether the connection goes on, and else whether the body has been read to its end.
    fn finish_request(&mut self, params: Params) -> (bool, bool) {
        if self.machine.should_close() && !self.only {
            SPARE_PARAMS.set(Some(params));
        } else {
            self.machine.recycle(params);
        }
        let Some(current) = self.current.take() else {
            return (false, true);
        };
        let stdin_ended = current.stdin_ended;
        self.stdin = 0..0;
        if self.broken {
            return (false, true);
        }
        if self.machine.begin_request(current.id).is_some() {
            // A request that nobody waits for any more still has to be ended: §5.4.
            self.output.clear();
            self.machine.take_output(&mut self.output);
            let ended = self.machine.end_request(current.id, 1, &mut self.output);
            if ended.is_err() || self.flush().is_err() {
                return (false, true);
            }
        }
        if !self.machine.should_close() {
            return (true, stdin_ended);
        }
        if self.only {
            // IIS: the pipe outlives FCGI_KEEP_CONN, and wfastcgi never closes it; its end tells when to go.
            // Padding may be left behind the body's end.
            while !self.unseen.is_empty() {
                if self.advance().is_err() {
                    return (false, true);
                }
            }
            if stdin_ended && self.machine.is_idle() {
                self.machine = Connection::new(self.config, self.limits.fcgi);
                return (true, stdin_ended);
            }
        }
        (false, stdin_ended)
    }

    /// Lets the Web server read the reply: closing a socket with unread octets can destroy it on the way.
    fn close(&mut self, stdin_ended: bool) {
        if stdin_ended || self.transport.shutdown_write().is_err() {
            return;
        }
        let mut left = self.limits.fcgi.unread_len;
        self.make_room();
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

/// Whether the other end of a connection has closed it for both directions.
fn has_hung_up(transport: &dyn Transport) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(
        transport.as_fd(),
        PollFlags::empty(),
    )];
    let gone = PollFlags::HUP | PollFlags::ERR;
    poll(&mut fds, Some(&Timespec::default())).is_ok() && fds[0].revents().intersects(gone)
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
