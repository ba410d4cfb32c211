//! The Web server's state machine.

use alloc::vec::Vec;
use core::mem;

use super::config::Config;
use super::event::Event;
use super::params::write_params;
use super::request::Request;
use crate::body::{BodyBuffer, check_body_len};
use crate::consts::{HEADER_LEN, STREAM_CONTENT_LEN};
use crate::encoder::{Frames, frames, write_record, write_stream_end};
use crate::management::write_get_values;
use crate::{
    BeginRequest, Chunk, Decoder, EndRequest, Error, Flags, Header, Limit, Limits, RecordType,
    RequestId, Role, UnknownType, Values,
};

/// One connection, seen from the Web server.
///
/// The driver writes what [`begin`](Self::begin), [`params`](Self::params), [`stdin`](Self::stdin) and
/// [`stdin_end`](Self::stdin_end) produce, in this order, and gives what it reads to
/// [`handle_input`](Self::handle_input). It should read while it writes the body: an application may answer before it
/// has read everything, and neither side would go on if both only wrote.
///
/// **Back-pressure.** The machine keeps no output of the application. A driver that cannot take more stops reading.
///
/// ```
/// use fcgi_proto::web_server::{Config, Connection, Event};
/// use fcgi_proto::{Limits, ProtocolStatus, Role};
///
/// let mut conn = Connection::new(Config::default(), Limits::default());
/// let mut output = Vec::new();
/// let id = conn.begin(Role::RESPONDER, false, &mut output)?;
/// conn.params(id, [("REQUEST_METHOD", "GET"), ("SCRIPT_NAME", "")], &mut output)?;
/// conn.stdin_end(id, &mut output)?; // also where there is no body
///
/// let mut input = &b"\x01\x06\0\x01\0\x02\x06\0OK\0\0\0\0\0\0\
///                    \x01\x03\0\x01\0\x08\0\0\0\0\0\0\0\0\0\0"[..];
/// assert_eq!(conn.handle_input(&mut input)?, Some(Event::Stdout { id, data: b"OK" }));
/// let (app_status, protocol_status) = (0, ProtocolStatus::REQUEST_COMPLETE);
/// assert_eq!(conn.handle_input(&mut input)?, Some(Event::End { id, app_status, protocol_status }));
/// assert!(conn.should_close());
/// # Ok::<(), fcgi_proto::Error>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    config: Config,
    limits: Limits,
    decoder: Decoder,
    record: Record,
    record_is_empty: bool,
    body: BodyBuffer,
    /// The content of the current record, if it is `FCGI_GET_VALUES_RESULT`.
    result: Vec<u8>,
    /// The requests in flight, sorted by id.
    requests: Vec<Request>,
    values: Values,
    /// Whether an answer to `FCGI_GET_VALUES` is expected.
    asking: bool,
    /// Octets of records dropped since the last request began.
    unread: u64,
    /// Whether a request without `FCGI_KEEP_CONN` was begun.
    closing: bool,
    failed: Option<Error>,
}

/// What a record is for, decided when its header arrives.
#[derive(Clone, Copy, Debug)]
enum Record {
    Ignored,
    Stdout(RequestId),
    Stderr(RequestId),
    End(RequestId),
    ValuesResult,
    UnknownType,
}

impl Connection {
    /// A connection that has just been made.
    #[must_use]
    pub const fn new(config: Config, limits: Limits) -> Self {
        Self {
            config,
            limits,
            decoder: Decoder::new(),
            record: Record::Ignored,
            record_is_empty: true,
            body: BodyBuffer::new(),
            result: Vec::new(),
            requests: Vec::new(),
            values: Values {
                max_conns: None,
                max_reqs: None,
                mpxs_conns: None,
            },
            asking: false,
            unread: 0,
            closing: false,
            failed: None,
        }
    }

    /// Begins a request: appends `FCGI_BEGIN_REQUEST` to `out`, with the smallest id that is free. With `keep_conn` the
    /// connection can be used for another request afterwards; without, the application closes it.
    ///
    /// # Errors
    /// - [`Error::NoCapacity`] if a request is in flight and the application is not known to multiplex (see
    ///   [`values`](Self::values)), or if as many are as it or [`Limits::requests`](Limits::requests) allows;
    /// - [`Error::ConnectionClosing`] behind a request without `keep_conn`;
    /// - the error with which the connection has failed.
    pub fn begin(
        &mut self,
        role: Role,
        keep_conn: bool,
        out: &mut Vec<u8>,
    ) -> Result<RequestId, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.closing {
            return Err(Error::ConnectionClosing);
        }
        let in_flight = self.requests.len();
        if in_flight >= self.max_requests() {
            return Err(Error::NoCapacity { in_flight });
        }
        let Some((position, id)) = self.free_id() else {
            return Err(Error::NoCapacity { in_flight });
        };
        let flags = if keep_conn {
            Flags::KEEP_CONN
        } else {
            Flags::default()
        };
        let body = BeginRequest { role, flags }.encode();
        write_record(RecordType::BEGIN_REQUEST, Some(id), &body, out);
        self.requests.insert(position, Request::new(id, role));
        self.closing = !keep_conn;
        self.unread = 0;
        Ok(id)
    }

    /// Appends the variables of a request and their end to `out`. Called once for each request, also where there are
    /// no variables.
    ///
    /// # Errors
    /// [`Error::NotActive`], [`Error::StreamEnded`] if called before, [`Error::NameValueTooLong`]. Nothing is changed
    /// then, and `out` is as before.
    pub fn params<N, V>(
        &mut self,
        id: RequestId,
        pairs: impl IntoIterator<Item = (N, V)>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let max = self.config.params_content_len.clamp(1, STREAM_CONTENT_LEN);
        let request = self.writable(id, RecordType::PARAMS)?;
        write_params(id, pairs, max, out)?;
        request.end_input(RecordType::PARAMS);
        Ok(())
    }

    /// Appends records with `data` of the request's body to `out`; nothing if `data` is empty.
    ///
    /// # Errors
    /// Those of [`stdin_frames`](Self::stdin_frames).
    pub fn stdin(&mut self, id: RequestId, data: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.stdin_frames(id, data).map(|frames| frames.write(out))
    }

    /// The records of [`stdin`](Self::stdin) for a vectored write, without a copy of `data`. The driver must write all
    /// of them.
    ///
    /// # Errors
    /// [`Error::NotActive`] (also when the application has ended the request early), [`Error::TooEarly`] before
    /// [`params`](Self::params), [`Error::StreamEnded`]. Nothing is changed then.
    pub fn stdin_frames<'d>(&mut self, id: RequestId, data: &'d [u8]) -> Result<Frames<'d>, Error> {
        self.writable(id, RecordType::STDIN)?;
        Ok(frames(RecordType::STDIN, id, data))
    }

    /// Appends the end of the request's body to `out`. Called once for each request, also where there is no body.
    ///
    /// # Errors
    /// Those of [`stdin_frames`](Self::stdin_frames).
    pub fn stdin_end(&mut self, id: RequestId, out: &mut Vec<u8>) -> Result<(), Error> {
        self.end_stream(id, RecordType::STDIN, out)
    }

    /// Appends records with `data` of the file that a Filter filters to `out`; nothing if `data` is empty.
    ///
    /// # Errors
    /// Those of [`data_frames`](Self::data_frames).
    pub fn data(&mut self, id: RequestId, data: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.data_frames(id, data).map(|frames| frames.write(out))
    }

    /// The records of [`data`](Self::data) for a vectored write, without a copy of `data`. The driver must write all of
    /// them.
    ///
    /// # Errors
    /// [`Error::NotActive`], [`Error::NotInRole`] if the role is not Filter, [`Error::TooEarly`] before
    /// [`stdin_end`](Self::stdin_end), [`Error::StreamEnded`]. Nothing is changed then.
    pub fn data_frames<'d>(&mut self, id: RequestId, data: &'d [u8]) -> Result<Frames<'d>, Error> {
        self.writable(id, RecordType::DATA)?;
        Ok(frames(RecordType::DATA, id, data))
    }

    /// Appends the end of the file that a Filter filters to `out`.
    ///
    /// # Errors
    /// Those of [`data_frames`](Self::data_frames).
    pub fn data_end(&mut self, id: RequestId, out: &mut Vec<u8>) -> Result<(), Error> {
        self.end_stream(id, RecordType::DATA, out)
    }

    /// Asks the application to end a request, as its client has left: appends `FCGI_ABORT_REQUEST` to `out` (nothing the
    /// second time). The request stays in flight until [`Event::End`]. Where no other request is in flight, a driver
    /// may close the connection instead (§5.4).
    ///
    /// # Errors
    /// [`Error::NotActive`].
    pub fn abort(&mut self, id: RequestId, out: &mut Vec<u8>) -> Result<(), Error> {
        let position = self.position(id).map_err(|_| Error::NotActive { id })?;
        if self.requests[position].abort() {
            write_record(RecordType::ABORT_REQUEST, Some(id), &[], out);
        }
        Ok(())
    }

    /// Asks the application for its three variables: appends `FCGI_GET_VALUES` to `out`. It answers with
    /// [`Event::Values`] or [`Event::UnknownType`]; some applications do not answer at all.
    pub fn get_values(&mut self, out: &mut Vec<u8>) {
        write_get_values(out);
        self.asking = true;
    }

    /// What is known of the application's limits.
    #[must_use]
    pub const fn values(&self) -> Values {
        self.values
    }

    /// Sets what is known of the application's limits, for example from an earlier connection to it.
    pub const fn set_values(&mut self, values: Values) {
        self.values = values;
    }

    /// How many requests can be in flight on this connection: one, unless the application is known to multiplex.
    #[must_use]
    pub fn max_requests(&self) -> usize {
        if self.values.mpxs_conns != Some(true) {
            return 1;
        }
        let max_reqs = self.values.max_reqs.map_or(usize::MAX, |max| max as usize);
        // An application that announces zero would never get a request to correct itself.
        self.limits.requests.min(max_reqs).max(1)
    }

    /// Consumes octets from `input` up to the next event; `None` means that all of `input` was consumed.
    ///
    /// # Errors
    /// An [`Error`] of [`Fate::Connection`](crate::Fate::Connection): the [`active_requests`](Self::active_requests) get
    /// no further output, and the driver closes the connection. Every later call returns the same error.
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

    /// Tells the machine that the input has ended. The [`active_requests`](Self::active_requests) will get no further
    /// output: for their clients it is a bad gateway.
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

    /// The requests in flight, by id.
    pub fn active_requests(&self) -> impl Iterator<Item = RequestId> {
        self.requests.iter().map(|request| request.id)
    }

    /// Whether the connection is of no further use: it has failed, or its last request has ended and was one without
    /// `keep_conn`. The application closes it; the driver may too.
    #[must_use]
    pub const fn should_close(&self) -> bool {
        self.failed.is_some() || (self.closing && self.requests.is_empty())
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
            return match record_type {
                RecordType::GET_VALUES_RESULT => {
                    let max = self.limits.management_len;
                    if usize::from(content_length) > max {
                        let limit = Limit::ManagementLen;
                        return Err(Error::LimitReached {
                            limit,
                            max: max as u64,
                            offset,
                        });
                    }
                    self.result.clear();
                    Ok(Record::ValuesResult)
                }
                RecordType::UNKNOWN_TYPE => {
                    check_body_len(record_type, content_length, offset)?;
                    self.body.clear();
                    Ok(Record::UnknownType)
                }
                _ => self.ignore(),
            };
        };
        if self.position(id).is_err() {
            // §3.3: records for an inactive id are ignored.
            return self.ignore();
        }
        match record_type {
            RecordType::STDOUT => Ok(Record::Stdout(id)),
            RecordType::STDERR => Ok(Record::Stderr(id)),
            RecordType::END_REQUEST => {
                check_body_len(record_type, content_length, offset)?;
                self.body.clear();
                Ok(Record::End(id))
            }
            RecordType::BEGIN_REQUEST
            | RecordType::ABORT_REQUEST
            | RecordType::PARAMS
            | RecordType::STDIN
            | RecordType::DATA => Err(Error::WrongDirection {
                record_type,
                id,
                offset,
            }),
            _ => self.ignore(),
        }
    }

    fn handle_content<'i>(&mut self, content: &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        match self.record {
            Record::Stdout(id) => return Ok(Some(Event::Stdout { id, data: content })),
            Record::Stderr(id) => return Ok(Some(Event::Stderr { id, data: content })),
            Record::End(_) | Record::UnknownType => self.body.push(content),
            Record::ValuesResult => self.result.extend_from_slice(content),
            Record::Ignored => self.drop_octets(content.len())?,
        }
        Ok(None)
    }

    fn handle_end<'i>(&mut self) -> Result<Option<Event<'i>>, Error> {
        Ok(match mem::replace(&mut self.record, Record::Ignored) {
            Record::Stdout(id) if self.record_is_empty => self
                .end_output(id, RecordType::STDOUT)
                .then_some(Event::StdoutEnd { id }),
            Record::Stderr(id) if self.record_is_empty => self
                .end_output(id, RecordType::STDERR)
                .then_some(Event::StderrEnd { id }),
            Record::End(id) => {
                if let Ok(position) = self.position(id) {
                    self.requests.remove(position);
                }
                let EndRequest {
                    app_status,
                    protocol_status,
                } = EndRequest::decode(self.body.octets());
                Some(Event::End {
                    id,
                    app_status,
                    protocol_status,
                })
            }
            Record::ValuesResult => {
                let offset = self.decoder.record_offset();
                let record_type = RecordType::GET_VALUES_RESULT;
                let values = Values::decode(&self.result);
                let values = values.map_err(|_| Error::ValuesTruncated {
                    record_type,
                    offset,
                })?;
                self.values = self.values.updated(values);
                // Go's package follows its answer with an empty record, which answers nothing.
                let asked = mem::take(&mut self.asking);
                (asked || !self.record_is_empty).then_some(Event::Values(self.values))
            }
            Record::UnknownType => {
                let UnknownType { record_type } = UnknownType::decode(self.body.octets());
                self.asking &= record_type != RecordType::GET_VALUES;
                Some(Event::UnknownType(record_type))
            }
            Record::Ignored | Record::Stdout(_) | Record::Stderr(_) => None,
        })
    }

    fn end_output(&mut self, id: RequestId, record_type: RecordType) -> bool {
        match self.position(id) {
            Ok(position) => self.requests[position].end_output(record_type),
            Err(_) => false,
        }
    }

    fn writable(&mut self, id: RequestId, record_type: RecordType) -> Result<&mut Request, Error> {
        let position = self.position(id).map_err(|_| Error::NotActive { id })?;
        let request = &mut self.requests[position];
        request.check_write(record_type)?;
        Ok(request)
    }

    fn end_stream(
        &mut self,
        id: RequestId,
        record_type: RecordType,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.writable(id, record_type)?.end_input(record_type);
        write_stream_end(record_type, id, out);
        Ok(())
    }

    /// The smallest id that is not in flight, and its place among those that are.
    fn free_id(&self) -> Option<(usize, RequestId)> {
        let ids = (RequestId::MIN.number()..=RequestId::MAX.number()).filter_map(RequestId::new);
        let taken = self.requests.iter().map(|request| Some(request.id));
        ids.zip(taken.chain(core::iter::repeat(None)))
            .enumerate()
            .find(|(_, (id, taken))| *taken != Some(*id))
            .map(|(position, (id, _))| (position, id))
    }

    #[inline]
    fn position(&self, id: RequestId) -> Result<usize, usize> {
        self.requests
            .binary_search_by_key(&id, |request| request.id)
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
}
