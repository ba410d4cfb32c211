//! What the records that arrive mean for the connection.

use core::mem;

use super::Connection;
use crate::application::Event;
use crate::application::request::{Phase, Reception, Request};
use crate::body::check_body_len;
use crate::consts::HEADER_LEN;
use crate::encoder::{BODY_RECORD_LEN, write_end_request, write_unknown_type};
use crate::management::MAX_RESULT_LEN;
use crate::{
    BeginRequest, Chunk, EndRequest, Error, Header, Limit, ProtocolStatus, RecordType, RequestId,
};

/// What a record is for, decided when its header arrives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Record {
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
    pub(super) fn next_event<'i>(
        &mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Event<'i>>, Error> {
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

    fn open_request(&mut self, id: RequestId) -> Option<&mut Request> {
        let position = self.position(id).ok()?;
        let request = &mut self.requests[position];
        matches!(request.phase, Phase::Open).then_some(request)
    }

    pub(super) fn is_open(&self, id: RequestId) -> bool {
        self.position(id)
            .is_ok_and(|position| matches!(self.requests[position].phase, Phase::Open))
    }
}
