//! What the Web server's machine knows of one request in flight.

use crate::{Error, RecordType, RequestId, Role};

/// One request, from `FCGI_BEGIN_REQUEST` to `FCGI_END_REQUEST`.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) id: RequestId,
    role: Role,
    params_ended: bool,
    stdin_ended: bool,
    data_ended: bool,
    aborted: bool,
    stdout_ended: bool,
    stderr_ended: bool,
}

impl Request {
    pub(super) const fn new(id: RequestId, role: Role) -> Self {
        Self {
            id,
            role,
            params_ended: false,
            stdin_ended: false,
            data_ended: false,
            aborted: false,
            stdout_ended: false,
            stderr_ended: false,
        }
    }

    /// Whether the Web server may write a record of this type now.
    pub(super) fn check_write(&self, record_type: RecordType) -> Result<(), Error> {
        let id = self.id;
        let too_early = |after| {
            Err(Error::TooEarly {
                record_type,
                after,
                id,
            })
        };
        let ended = match record_type {
            RecordType::PARAMS => self.params_ended,
            RecordType::STDIN if !self.params_ended => return too_early(RecordType::PARAMS),
            RecordType::STDIN => self.stdin_ended,
            _ if self.role != Role::FILTER => {
                return Err(Error::NotInRole {
                    record_type,
                    id,
                    role: self.role,
                });
            }
            // §6.4: variables, "then standard input …, finally the data file".
            _ if !self.stdin_ended => return too_early(RecordType::STDIN),
            _ => self.data_ended,
        };
        if ended || self.aborted {
            return Err(Error::StreamEnded { record_type, id });
        }
        Ok(())
    }

    /// Notes the end of one of the Web server's streams.
    pub(super) const fn end_input(&mut self, record_type: RecordType) {
        match record_type {
            RecordType::PARAMS => self.params_ended = true,
            RecordType::STDIN => self.stdin_ended = true,
            _ => self.data_ended = true,
        }
    }

    /// Notes the end of one of the application's streams. Whether it is the first.
    pub(super) const fn end_output(&mut self, record_type: RecordType) -> bool {
        let ended = match record_type {
            RecordType::STDERR => &mut self.stderr_ended,
            _ => &mut self.stdout_ended,
        };
        !core::mem::replace(ended, true)
    }

    /// Notes that the request was aborted. Whether it is the first time.
    pub(super) const fn abort(&mut self) -> bool {
        !core::mem::replace(&mut self.aborted, true)
    }
}
