//! The application's state machine.

mod input;

use alloc::vec::Vec;

use self::input::Record;
use super::config::Config;
use super::event::{AfterRequest, Event};
use super::request::{Phase, Request};
use crate::body::BodyBuffer;
use crate::encoder::{Frames, frames, write_end_request, write_stream_end};
use crate::{
    BeginRequest, Decoder, EndRequest, Error, Limits, Params, ProtocolStatus, RecordType, RequestId,
};

/// One connection, seen from the application.
///
/// The driver's loop:
/// - read octets from the transport, and call [`handle_input`](Self::handle_input) until it returns `None`;
/// - write [`pending_output`](Self::pending_output), the machine's own replies, between two records of its own;
/// - for each request, write what [`stdout`](Self::stdout) and [`stderr`](Self::stderr) produce, and at last what
///   [`end_request`](Self::end_request) produces, which also says whether to close the connection;
/// - when the input ends, call [`handle_eof`](Self::handle_eof).
///
/// **Back-pressure.** The machine keeps no STDIN and no DATA: each piece is handed on where it lies. A driver that
/// cannot take more does not call [`handle_input`](Self::handle_input) and does not read, which stops the Web server
/// by way of the transport. On a multiplexed connection this stops every request, as FastCGI has no flow control of
/// its own. Output is held back in the same way: by not asking the application for more.
///
/// **Unread input.** A request may be ended before its STDIN was read. What is left of it is dropped by
/// [`handle_input`](Self::handle_input) on the way to the next request, up to
/// [`Limits::unread_len`](Limits::unread_len). Before it closes a connection, a driver should likewise go on reading
/// to the end of the input for a while, since closing a socket with unread octets can destroy the reply.
///
/// ```
/// use fcgi_proto::application::{AfterRequest, Config, Connection, Event};
/// use fcgi_proto::Limits;
///
/// let input = b"\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0\
///               \x01\x04\0\x01\0\x11\0\0\x0e\x01REQUEST_METHODX\
///               \x01\x04\0\x01\0\0\0\0\
///               \x01\x05\0\x01\0\0\0\0";
/// let mut input = &input[..];
/// let mut conn = Connection::new(Config::default(), Limits::default());
/// let Some(Event::Request { id, params, .. }) = conn.handle_input(&mut input)? else { unreachable!() };
/// assert_eq!(params.get(b"REQUEST_METHOD"), Some(&b"X"[..]));
/// conn.recycle(params);
/// assert_eq!(conn.handle_input(&mut input)?, Some(Event::StdinEnd { id }));
/// assert_eq!(conn.handle_input(&mut input)?, None);
///
/// let mut output = Vec::new();
/// conn.stdout(id, b"Status: 200 OK\r\n\r\nHello", &mut output)?;
/// assert_eq!(conn.end_request(id, 0, &mut output)?, AfterRequest::CloseConnection);
/// # Ok::<(), fcgi_proto::Error>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    config: Config,
    limits: Limits,
    decoder: Decoder,
    /// What the current record is for.
    record: Record,
    /// Whether the current record has no content, which ends a stream.
    record_is_empty: bool,
    /// The body of the current record, if it is a discrete one.
    body: BodyBuffer,
    /// The content of the current record, if it is `FCGI_GET_VALUES`.
    query: Vec<u8>,
    /// The requests in flight, sorted by id.
    requests: Vec<Request>,
    /// Variables whose buffers can be used again.
    recycled: Vec<Params>,
    /// The machine's own replies, of which the driver has taken the first `replies_taken` octets.
    replies: Vec<u8>,
    replies_taken: usize,
    /// Octets of records dropped since the last request began.
    unread: u64,
    /// Whether the connection closes when no request is in flight.
    closing: bool,
    failed: Option<Error>,
}

impl Connection {
    /// A connection that has just been accepted.
    #[must_use]
    pub const fn new(config: Config, limits: Limits) -> Self {
        Self {
            config,
            limits,
            decoder: Decoder::new(),
            record: Record::Ignored,
            record_is_empty: true,
            body: BodyBuffer::new(),
            query: Vec::new(),
            requests: Vec::new(),
            recycled: Vec::new(),
            replies: Vec::new(),
            replies_taken: 0,
            unread: 0,
            closing: false,
            failed: None,
        }
    }

    /// Consumes octets from `input` up to the next event; `None` means that all of `input` was consumed.
    ///
    /// The machine's own replies are added to the [`pending_output`](Self::pending_output) on the way.
    ///
    /// # Errors
    /// An [`Error`] of [`Fate::Connection`](crate::Fate::Connection): the driver cancels the
    /// [`active_requests`](Self::active_requests), may write the pending output, and closes the connection. Every
    /// later call returns the same error.
    #[inline]
    pub fn handle_input<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.next_event(input);
        if let Err(error) = result {
            self.failed = Some(error);
        }
        result
    }

    /// Tells the machine that the input has ended.
    ///
    /// Whatever it returns, the driver cancels the [`active_requests`](Self::active_requests): nobody reads their
    /// output.
    ///
    /// # Errors
    /// [`Error::UnexpectedEof`] if a record is incomplete, or the error with which the connection has failed.
    pub const fn handle_eof(&self) -> Result<(), Error> {
        match self.failed {
            Some(error) => Err(error),
            None if self.decoder.is_between_records() => Ok(()),
            None => Err(Error::UnexpectedEof {
                offset: self.decoder.offset(),
            }),
        }
    }

    /// The machine's own replies: whole records, which the driver writes between records of its own, and reports
    /// with [`consume_output`](Self::consume_output).
    #[must_use]
    pub fn pending_output(&self) -> &[u8] {
        &self.replies[self.replies_taken..]
    }

    /// Notes that the first `len` octets of the [`pending_output`](Self::pending_output) were written. More than
    /// there are counts as all.
    pub fn consume_output(&mut self, len: usize) {
        self.replies_taken = self
            .replies_taken
            .saturating_add(len)
            .min(self.replies.len());
        if self.replies_taken == self.replies.len() {
            self.replies.clear();
            self.replies_taken = 0;
        }
    }

    /// Moves the [`pending_output`](Self::pending_output) to the end of `out`, for drivers that write from one buffer.
    pub fn take_output(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.pending_output());
        self.consume_output(usize::MAX);
    }

    /// Appends records with `data` on the STDOUT of a request to `out`; nothing if `data` is empty, as only
    /// [`end_request`](Self::end_request) ends the stream.
    ///
    /// # Errors
    /// Those of [`stdout_frames`](Self::stdout_frames).
    pub fn stdout(&mut self, id: RequestId, data: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.stdout_frames(id, data).map(|frames| frames.write(out))
    }

    /// The records of [`stdout`](Self::stdout) for a vectored write, without a copy of `data`. The driver must write
    /// all of them.
    ///
    /// # Errors
    /// [`Error::NotActive`], or [`Error::TooEarly`] for a Filter whose STDIN has not ended. Nothing is changed then.
    pub fn stdout_frames<'d>(
        &mut self,
        id: RequestId,
        data: &'d [u8],
    ) -> Result<Frames<'d>, Error> {
        self.output_frames(RecordType::STDOUT, id, data)
    }

    /// Appends records with `data` on the STDERR of a request to `out`. Note that IIS by default turns any STDERR into
    /// a response of 500.
    ///
    /// # Errors
    /// Those of [`stdout_frames`](Self::stdout_frames).
    pub fn stderr(&mut self, id: RequestId, data: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.stderr_frames(id, data).map(|frames| frames.write(out))
    }

    /// The records of [`stderr`](Self::stderr) for a vectored write, without a copy of `data`. The driver must write
    /// all of them.
    ///
    /// # Errors
    /// Those of [`stdout_frames`](Self::stdout_frames).
    pub fn stderr_frames<'d>(
        &mut self,
        id: RequestId,
        data: &'d [u8],
    ) -> Result<Frames<'d>, Error> {
        self.output_frames(RecordType::STDERR, id, data)
    }

    /// Ends a request: appends to `out` the end of STDOUT, the end of STDERR if it was used, and `FCGI_END_REQUEST` with
    /// `FCGI_REQUEST_COMPLETE`. `app_status` is what a CGI program would have given to `exit`. The id is forgotten.
    ///
    /// # Errors
    /// [`Error::NotActive`]. Nothing is changed then.
    pub fn end_request(
        &mut self,
        id: RequestId,
        app_status: u32,
        out: &mut Vec<u8>,
    ) -> Result<AfterRequest, Error> {
        self.end(
            id,
            EndRequest {
                app_status,
                protocol_status: ProtocolStatus::REQUEST_COMPLETE,
            },
            out,
        )
    }

    /// Ends a request that the application will not work on, for want of a resource (`FCGI_OVERLOADED`): the
    /// counterpart of [`end_request`](Self::end_request) for an application that is full or stopping.
    ///
    /// # Errors
    /// [`Error::NotActive`]. Nothing is changed then.
    pub fn reject_request(
        &mut self,
        id: RequestId,
        protocol_status: ProtocolStatus,
        out: &mut Vec<u8>,
    ) -> Result<AfterRequest, Error> {
        self.end(
            id,
            EndRequest {
                app_status: 0,
                protocol_status,
            },
            out,
        )
    }

    /// Takes back the variables of a request, so that the next request can use their buffers.
    pub fn recycle(&mut self, mut params: Params) {
        // No more than can be in use at once, so that what is kept stays within the limits too.
        if params.capacity() > 0 && self.recycled.len() < self.max_requests() {
            params.clear();
            self.recycled.push(params);
        }
    }

    /// The requests that the driver has been told of and has not ended, by id.
    pub fn active_requests(&self) -> impl Iterator<Item = RequestId> {
        let open = |request: &&Request| !matches!(request.phase, Phase::Params(_));
        self.requests.iter().filter(open).map(|request| request.id)
    }

    /// Role and flags of a request that the driver has been told of and has not ended.
    #[must_use]
    pub fn begin_request(&self, id: RequestId) -> Option<BeginRequest> {
        let request = &self.requests[self.position(id).ok()?];
        (!matches!(request.phase, Phase::Params(_))).then_some(request.begin)
    }

    /// Whether the driver should close the connection once the pending output is written: it has failed, or its last
    /// request has ended and was one without `FCGI_KEEP_CONN`.
    #[must_use]
    pub const fn should_close(&self) -> bool {
        self.failed.is_some() || (self.closing && self.requests.is_empty())
    }

    /// Whether nothing is going on: no request, no incomplete record, no output. A driver that stops closes such a
    /// connection at once.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.requests.is_empty() && self.decoder.is_between_records() && self.replies.is_empty()
    }

    /// Octets of the body of a request that the current record still has to bring: the next octets of the input, as they
    /// are. A driver can read so many to where they are wanted before it shows them to
    /// [`handle_input`](Self::handle_input); 0 where something else comes next.
    ///
    /// ```
    /// use fcgi_proto::application::{Config, Connection, Event};
    /// use fcgi_proto::Limits;
    ///
    /// let mut conn = Connection::new(Config::default(), Limits::default());
    /// let begin = b"\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0\x01\x04\0\x01\0\0\0\0";
    /// let Some(Event::Request { id, .. }) = conn.handle_input(&mut &begin[..])? else { unreachable!() };
    /// assert_eq!(conn.stdin_left(id), 0);
    /// // The header of a record, and one of its five octets.
    /// let event = conn.handle_input(&mut &b"\x01\x05\0\x01\0\x05\0\0H"[..])?;
    /// assert_eq!(event, Some(Event::Stdin { id, data: b"H" }));
    /// assert_eq!(conn.stdin_left(id), 4);
    /// let event = conn.handle_input(&mut &b"ello"[..])?;
    /// assert_eq!(event, Some(Event::Stdin { id, data: b"ello" }));
    /// assert_eq!(conn.stdin_left(id), 0);
    /// # Ok::<(), fcgi_proto::Error>(())
    /// ```
    #[must_use]
    pub fn stdin_left(&self, id: RequestId) -> usize {
        match self.record {
            Record::Stdin(of) if of == id && self.is_open(id) => self.decoder.content_left(),
            _ => 0,
        }
    }

    /// Octets consumed since the start.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.decoder.offset()
    }

    fn output_frames<'d>(
        &mut self,
        record_type: RecordType,
        id: RequestId,
        data: &'d [u8],
    ) -> Result<Frames<'d>, Error> {
        let position = self.position(id).map_err(|_| Error::NotActive { id })?;
        self.requests[position].write(record_type, data)?;
        Ok(frames(record_type, id, data))
    }

    fn end(
        &mut self,
        id: RequestId,
        body: EndRequest,
        out: &mut Vec<u8>,
    ) -> Result<AfterRequest, Error> {
        let position = self.position(id).map_err(|_| Error::NotActive { id })?;
        let request = &self.requests[position];
        if matches!(request.phase, Phase::Params(_)) {
            return Err(Error::NotActive { id });
        }
        // §6.1: a completed request has a STDOUT, if an empty one; a rejected one need not.
        if request.stdout_used || body.protocol_status == ProtocolStatus::REQUEST_COMPLETE {
            write_stream_end(RecordType::STDOUT, id, out);
        }
        if request.stderr_used {
            write_stream_end(RecordType::STDERR, id, out);
        }
        write_end_request(id, body, out);
        self.closing |= !request.begin.flags.keep_conn();
        self.requests.remove(position);
        Ok(if self.should_close() {
            AfterRequest::CloseConnection
        } else {
            AfterRequest::KeepConnection
        })
    }

    /// Where the request is, or where it would be inserted.
    #[inline]
    fn position(&self, id: RequestId) -> Result<usize, usize> {
        self.requests
            .binary_search_by_key(&id, |request| request.id)
    }

    const fn max_requests(&self) -> usize {
        if self.config.mpxs_conns {
            self.limits.requests
        } else {
            1
        }
    }
}
