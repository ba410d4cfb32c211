//! What the application's machine knows of one request in flight.

use crate::{BeginRequest, Error, Params, RecordType, RequestId, Role};

/// One request, from `FCGI_BEGIN_REQUEST` to `FCGI_END_REQUEST`.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) id: RequestId,
    pub(super) begin: BeginRequest,
    pub(super) phase: Phase,
    pub(super) stdin_ended: bool,
    pub(super) data_ended: bool,
    pub(super) stdout_used: bool,
    pub(super) stderr_used: bool,
}

/// How far a request is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Its variables are arriving; the driver does not know of it.
    Params(Params),
    /// The driver works on it.
    Open,
    /// The Web server has aborted it; the driver owes its end.
    Aborted,
}

/// What to do with a stream record of a request.
pub(super) enum Reception {
    /// Hand it on.
    Read,
    /// Drop it.
    Ignore,
}

impl Request {
    pub(super) const fn new(id: RequestId, begin: BeginRequest, params: Params) -> Self {
        Self {
            id,
            begin,
            phase: Phase::Params(params),
            stdin_ended: false,
            data_ended: false,
            stdout_used: false,
            stderr_used: false,
        }
    }

    /// Whether a record of STDIN or DATA may come now.
    pub(super) fn receive(
        &self,
        record_type: RecordType,
        content_is_empty: bool,
        offset: u64,
    ) -> Result<Reception, Error> {
        let id = self.id;
        match self.phase {
            Phase::Params(_) => {
                return Err(Error::BeforeParamsEnd {
                    record_type,
                    id,
                    offset,
                });
            }
            Phase::Aborted => return Ok(Reception::Ignore),
            Phase::Open => {}
        }
        let ended = match record_type {
            RecordType::DATA if self.begin.role != Role::FILTER => return Ok(Reception::Ignore),
            RecordType::DATA => self.data_ended,
            _ => self.stdin_ended,
        };
        match (ended, content_is_empty) {
            (false, _) => Ok(Reception::Read),
            // Ending a stream twice says nothing new.
            (true, true) => Ok(Reception::Ignore),
            (true, false) => Err(Error::StreamReopened {
                record_type,
                id,
                offset,
            }),
        }
    }

    /// Notes that the application writes to STDOUT or STDERR. Writing nothing does not use the stream.
    pub(super) fn write(&mut self, record_type: RecordType, data: &[u8]) -> Result<(), Error> {
        let id = self.id;
        if matches!(self.phase, Phase::Params(_)) {
            return Err(Error::NotActive { id });
        }
        // §6.4: "The application must wait to finish reading FCGI_STDIN before it begins writing".
        if self.begin.role == Role::FILTER && !self.stdin_ended && !self.is_aborted() {
            return Err(Error::TooEarly {
                record_type,
                after: RecordType::STDIN,
                id,
            });
        }
        match record_type {
            RecordType::STDERR => self.stderr_used |= !data.is_empty(),
            _ => self.stdout_used |= !data.is_empty(),
        }
        Ok(())
    }

    pub(super) const fn is_aborted(&self) -> bool {
        matches!(self.phase, Phase::Aborted)
    }
}
