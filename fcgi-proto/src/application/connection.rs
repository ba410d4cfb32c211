//! The application's state machine.

use alloc::vec::Vec;
use core::mem;

use super::config::Config;
use super::event::{AfterRequest, Event};
use super::request::{Phase, Reception, Request};
use crate::body::{BodyBuffer, check_body_len};
use crate::consts::HEADER_LEN;
use crate::encoder::{
    BODY_RECORD_LEN, Frames, frames, write_end_request, write_stream_end, write_unknown_type,
};
use crate::management::MAX_RESULT_LEN;
use crate::{
    BeginRequest, Chunk, Decoder, EndRequest, Error, Header, Limit, Limits, Params, ProtocolStatus,
    RecordType, RequestId,
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

/// What a record is for, decided when its header arrives.
#[derive(Clone, Copy, Debug)]
enum Record {
    Ignored,
    /// The rest of the record for which a request was refused. It is not counted as unread, since how much of it
    /// there is depends on how the input was cut.
    Refused,
    Begin(RequestId),
    Abort(RequestId),
    Params(RequestId),
    Stdin(RequestId),
    Data(RequestId),
    GetValues,
    UnknownManagement(RecordType),
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

    /// Octets consumed since the start.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.decoder.offset()
    }

    fn next_event<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        while let Some(chunk) = self.decoder.next(input)? {
            let event = match chunk {
                Chunk::Header(header) => {
                    self.record_is_empty = header.content_length == 0;
                    self.record = self.classify(header)?;
                    None
                }
                Chunk::Content(content) => self.handle_content(content)?,
                Chunk::End => self.handle_end()?,
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// What the record with this header is for.
    fn classify(&mut self, header: Header) -> Result<Record, Error> {
        let Header {
            record_type,
            request_id,
            content_length,
            ..
        } = header;
        let offset = self.decoder.record_offset();
        let Some(id) = request_id else {
            return self.classify_management(record_type, content_length);
        };
        if record_type == RecordType::BEGIN_REQUEST {
            check_body_len(record_type, content_length, offset)?;
            self.body.clear();
            return match self.position(id) {
                Ok(_) => Err(Error::RequestIdInUse { id, offset }),
                Err(_) => Ok(Record::Begin(id)),
            };
        }
        let Ok(position) = self.position(id) else {
            // §3.3: records for an inactive id are ignored.
            return self.ignore();
        };
        let request = &self.requests[position];
        match record_type {
            RecordType::PARAMS => match request.phase {
                Phase::Params(_) => Ok(Record::Params(id)),
                Phase::Open if content_length > 0 => Err(Error::StreamReopened {
                    record_type,
                    id,
                    offset,
                }),
                Phase::Open | Phase::Aborted => self.ignore(),
            },
            RecordType::STDIN | RecordType::DATA => {
                match request.receive(record_type, content_length == 0, offset)? {
                    Reception::Ignore => self.ignore(),
                    Reception::Read if record_type == RecordType::DATA => Ok(Record::Data(id)),
                    Reception::Read => Ok(Record::Stdin(id)),
                }
            }
            RecordType::ABORT_REQUEST => Ok(Record::Abort(id)),
            RecordType::END_REQUEST | RecordType::STDOUT | RecordType::STDERR => {
                Err(Error::WrongDirection {
                    record_type,
                    id,
                    offset,
                })
            }
            // Management types with an id, and types that the specification does not know. It says how to answer
            // unknown management records only, so these are dropped.
            _ => self.ignore(),
        }
    }

    fn classify_management(
        &mut self,
        record_type: RecordType,
        content_length: u16,
    ) -> Result<Record, Error> {
        let offset = self.decoder.record_offset();
        match record_type {
            RecordType::GET_VALUES => {
                let max = self.limits.management_len;
                if usize::from(content_length) > max {
                    let limit = Limit::ManagementLen;
                    return Err(Error::LimitReached {
                        limit,
                        max: max as u64,
                        offset,
                    });
                }
                self.query.clear();
                Ok(Record::GetValues)
            }
            // Answers to questions that an application does not ask. Answering them could go on for ever.
            RecordType::GET_VALUES_RESULT | RecordType::UNKNOWN_TYPE => self.ignore(),
            RecordType::BEGIN_REQUEST => Err(Error::NullRequestId {
                record_type,
                offset,
            }),
            _ => Ok(Record::UnknownManagement(record_type)),
        }
    }

    fn handle_content<'i>(&mut self, content: &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        match self.record {
            Record::Stdin(id) => {
                // The driver may have ended the request since the header arrived.
                if self.is_open(id) {
                    return Ok(Some(Event::Stdin { id, data: content }));
                }
                self.drop_octets(content.len())?;
            }
            Record::Data(id) => {
                if self.is_open(id) {
                    return Ok(Some(Event::Data { id, data: content }));
                }
                self.drop_octets(content.len())?;
            }
            Record::Params(id) => {
                let offset = self.decoder.record_offset();
                if let Ok(position) = self.position(id)
                    && let Phase::Params(params) = &mut self.requests[position].phase
                {
                    if let Err(error) = params.push(content, &self.limits, offset) {
                        self.record = Record::Refused;
                        return self.refuse_active(position, error).map(Some);
                    }
                } else {
                    self.drop_octets(content.len())?;
                }
            }
            Record::Begin(_) => self.body.push(content),
            Record::GetValues => self.query.extend_from_slice(content),
            Record::Refused => {}
            Record::Ignored | Record::Abort(_) | Record::UnknownManagement(_) => {
                self.drop_octets(content.len())?;
            }
        }
        Ok(None)
    }

    fn handle_end<'i>(&mut self) -> Result<Option<Event<'i>>, Error> {
        match mem::replace(&mut self.record, Record::Ignored) {
            Record::Begin(id) => self.begin(id, BeginRequest::decode(self.body.octets())),
            Record::Params(id) if self.record_is_empty => self.end_of_params(id),
            Record::Stdin(id) if self.record_is_empty => Ok(self.open_request(id).map(|request| {
                request.stdin_ended = true;
                Event::StdinEnd { id }
            })),
            Record::Data(id) if self.record_is_empty => Ok(self.open_request(id).map(|request| {
                request.data_ended = true;
                Event::DataEnd { id }
            })),
            Record::Abort(id) => self.abort(id),
            Record::GetValues => {
                let offset = self.decoder.record_offset();
                let record_type = RecordType::GET_VALUES;
                let values = self.config.values().asked_for(&self.query);
                let values = values.map_err(|_| Error::ValuesTruncated {
                    record_type,
                    offset,
                })?;
                self.reserve_reply(MAX_RESULT_LEN)?;
                values.write_result(&mut self.replies);
                Ok(None)
            }
            Record::UnknownManagement(record_type) => {
                self.reserve_reply(BODY_RECORD_LEN)?;
                write_unknown_type(record_type, &mut self.replies);
                Ok(None)
            }
            Record::Ignored
            | Record::Refused
            | Record::Params(_)
            | Record::Stdin(_)
            | Record::Data(_) => Ok(None),
        }
    }

    fn begin<'i>(
        &mut self,
        id: RequestId,
        begin: BeginRequest,
    ) -> Result<Option<Event<'i>>, Error> {
        let offset = self.decoder.record_offset();
        let error = if self.closing {
            Error::AfterLastRequest { id, offset }
        } else if !self.config.roles.contains(begin.role) {
            Error::UnknownRole {
                id,
                role: begin.role,
                offset,
            }
        } else if !self.config.mpxs_conns && !self.requests.is_empty() {
            Error::CantMultiplex { id, offset }
        } else if self.requests.len() >= self.max_requests() {
            let max = self.max_requests() as u64;
            Error::LimitReached {
                limit: Limit::Requests,
                max,
                offset,
            }
        } else {
            if let Err(position) = self.position(id) {
                self.unread = 0;
                let params = self.recycled.pop().unwrap_or_default();
                self.requests
                    .insert(position, Request::new(id, begin, params));
            }
            return Ok(None);
        };
        self.refuse(id, begin, error).map(Some)
    }

    fn end_of_params<'i>(&mut self, id: RequestId) -> Result<Option<Event<'i>>, Error> {
        let Ok(position) = self.position(id) else {
            return Ok(None);
        };
        let request = &mut self.requests[position];
        let Phase::Params(params) = &mut request.phase else {
            return Ok(None);
        };
        if !params.is_complete() {
            let offset = self.decoder.record_offset();
            return self
                .refuse_active(position, Error::PairTruncated { offset })
                .map(Some);
        }
        let params = mem::take(params);
        request.phase = Phase::Open;
        Ok(Some(Event::Request {
            id,
            begin: request.begin,
            params,
        }))
    }

    fn abort<'i>(&mut self, id: RequestId) -> Result<Option<Event<'i>>, Error> {
        let Ok(position) = self.position(id) else {
            return Ok(None);
        };
        let request = &mut self.requests[position];
        match request.phase {
            Phase::Open => {
                request.phase = Phase::Aborted;
                Ok(Some(Event::Abort { id }))
            }
            Phase::Aborted => Ok(None),
            Phase::Params(_) => {
                // The application has not seen the request, so the machine ends it.
                let protocol_status = ProtocolStatus::REQUEST_COMPLETE;
                let begin = self.remove(position).begin;
                self.reply_end(
                    id,
                    begin,
                    EndRequest {
                        app_status: 0,
                        protocol_status,
                    },
                )?;
                Ok(None)
            }
        }
    }

    /// Refuses a request whose variables are arriving.
    fn refuse_active<'i>(&mut self, position: usize, error: Error) -> Result<Event<'i>, Error> {
        let Request { id, begin, .. } = self.remove(position);
        self.refuse(id, begin, error)
    }

    /// Refuses a request that is not, or no longer, in flight.
    fn refuse<'i>(
        &mut self,
        id: RequestId,
        begin: BeginRequest,
        error: Error,
    ) -> Result<Event<'i>, Error> {
        if let Some(body) = error.answer() {
            self.reply_end(id, begin, body)?;
        }
        Ok(Event::Refused { id, error })
    }

    fn reply_end(
        &mut self,
        id: RequestId,
        begin: BeginRequest,
        body: EndRequest,
    ) -> Result<(), Error> {
        self.reserve_reply(BODY_RECORD_LEN)?;
        write_end_request(id, body, &mut self.replies);
        self.closing |= !begin.flags.keep_conn();
        Ok(())
    }

    /// Checks that a reply of at most `len` octets may be added.
    fn reserve_reply(&mut self, len: usize) -> Result<(), Error> {
        // What was taken makes room only now, so that taking is cheap.
        if self.replies_taken > 0 {
            self.replies.drain(..self.replies_taken);
            self.replies_taken = 0;
        }
        let max = self.limits.replies_len;
        if self.replies.len() + len > max {
            let offset = self.decoder.record_offset();
            return Err(Error::LimitReached {
                limit: Limit::RepliesLen,
                max: max as u64,
                offset,
            });
        }
        Ok(())
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

    /// Forgets a request whose variables are arriving.
    fn remove(&mut self, position: usize) -> Request {
        let mut request = self.requests.remove(position);
        if let Phase::Params(params) = &mut request.phase {
            let params = mem::take(params);
            self.recycle(params);
        }
        request
    }

    /// Drops the current record; its content goes through [`drop_octets`](Self::drop_octets).
    fn ignore(&mut self) -> Result<Record, Error> {
        self.drop_octets(HEADER_LEN)?;
        Ok(Record::Ignored)
    }

    fn drop_octets(&mut self, len: usize) -> Result<(), Error> {
        self.unread = self.unread.saturating_add(len as u64);
        if self.unread > self.limits.unread_len {
            let (max, offset) = (self.limits.unread_len, self.decoder.record_offset());
            return Err(Error::LimitReached {
                limit: Limit::UnreadLen,
                max,
                offset,
            });
        }
        Ok(())
    }

    const fn max_requests(&self) -> usize {
        if self.config.mpxs_conns {
            self.limits.requests
        } else {
            1
        }
    }

    /// Where the request is, or where it would be inserted.
    #[inline]
    fn position(&self, id: RequestId) -> Result<usize, usize> {
        self.requests
            .binary_search_by_key(&id, |request| request.id)
    }

    fn open_request(&mut self, id: RequestId) -> Option<&mut Request> {
        let position = self.position(id).ok()?;
        let request = &mut self.requests[position];
        matches!(request.phase, Phase::Open).then_some(request)
    }

    fn is_open(&self, id: RequestId) -> bool {
        self.position(id)
            .is_ok_and(|position| matches!(self.requests[position].phase, Phase::Open))
    }
}
