//! What can go wrong, by who is at fault.

use core::fmt;

use crate::{EndRequest, ProtocolStatus, RecordType, RequestId, Role};

/// Every failure of this crate.
///
/// The variants are sorted by who is at fault. Everything that a peer can cause carries `offset`: the octets of the
/// input in front of the record at fault, counted from the start of the connection. [`fate`](Self::fate) says what
/// dies of it, and [`answer`](Self::answer) which record the peer got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Malformed input.
    /// A header of another version than 1 (§3.3), or no FastCGI at all.
    #[error("FastCGI version {found} in the header at octet {offset}, expected 1")]
    UnsupportedVersion {
        /// The `version` octet.
        found: u8,
        /// Where the header begins.
        offset: u64,
    },
    /// The body of a discrete record does not have its eight octets (§5.1, §5.5, §4.2).
    #[error("{record_type} at octet {offset} has a body of {found} octets, expected {expected}")]
    BodyLength {
        /// The type of the record.
        record_type: RecordType,
        /// What the specification prescribes.
        expected: u16,
        /// What the header announces.
        found: u16,
        /// Where the record begins.
        offset: u64,
    },
    /// Name-value pairs end inside a pair (§3.4).
    #[error("name-value pairs end inside a pair at the record at octet {offset}")]
    PairTruncated {
        /// Where the record that ends them begins.
        offset: u64,
    },
    /// The content of a management record ends inside a pair (§3.4, §4.1).
    #[error("{record_type} at octet {offset} ends inside a pair")]
    ValuesTruncated {
        /// The type of the record.
        record_type: RecordType,
        /// Where the record begins.
        offset: u64,
    },
    /// The input ends inside a record.
    #[error("the input ends inside a record, after {offset} octets")]
    UnexpectedEof {
        /// The octets of the whole input.
        offset: u64,
    },

    // The peer broke a rule.
    /// A record that belongs to a request carries the null request id (§3.3).
    #[error("{record_type} at octet {offset} has the null request id")]
    NullRequestId {
        /// The type of the record.
        record_type: RecordType,
        /// Where the record begins.
        offset: u64,
    },
    /// `FCGI_BEGIN_REQUEST` for an id that is active (§3.3 leaves open what that would mean).
    #[error("FCGI_BEGIN_REQUEST at octet {offset} for request {id}, which has not ended")]
    RequestIdInUse {
        /// The id.
        id: RequestId,
        /// Where the record begins.
        offset: u64,
    },
    /// Content on a stream that its empty record has ended (§3.3).
    #[error("{record_type} at octet {offset} continues a stream of request {id} that has ended")]
    StreamReopened {
        /// The stream.
        record_type: RecordType,
        /// The request.
        id: RequestId,
        /// Where the record begins.
        offset: u64,
    },
    /// STDIN or DATA before the PARAMS stream has ended (§6.2, §6.4: the variables come first).
    #[error("{record_type} at octet {offset} comes before the end of FCGI_PARAMS of request {id}")]
    BeforeParamsEnd {
        /// The stream.
        record_type: RecordType,
        /// The request.
        id: RequestId,
        /// Where the record begins.
        offset: u64,
    },
    /// A record that only the other side may send (appendix A).
    #[error("{record_type} at octet {offset} for request {id} goes the wrong way")]
    WrongDirection {
        /// The type of the record.
        record_type: RecordType,
        /// The request.
        id: RequestId,
        /// Where the record begins.
        offset: u64,
    },
    /// A request in a role that the application does not have (§5.1).
    #[error("request {id} at octet {offset} asks for {role}, which this application does not have")]
    UnknownRole {
        /// The request.
        id: RequestId,
        /// The role.
        role: Role,
        /// Where the record begins.
        offset: u64,
    },
    /// A second request on a connection that takes one at a time (§5.5).
    #[error(
        "request {id} at octet {offset} comes before the end of another, and this connection is not multiplexed"
    )]
    CantMultiplex {
        /// The request.
        id: RequestId,
        /// Where the record begins.
        offset: u64,
    },
    /// A request behind one that said that the connection closes after it (§5.1).
    #[error("request {id} at octet {offset} comes after one without FCGI_KEEP_CONN")]
    AfterLastRequest {
        /// The request.
        id: RequestId,
        /// Where the record begins.
        offset: u64,
    },

    // The caller broke a rule.
    /// There is no such request, its PARAMS are not complete, or it has ended.
    #[error("request {id} is not active")]
    NotActive {
        /// The request.
        id: RequestId,
    },
    /// The stream was ended before, or the request was aborted.
    #[error("{record_type} of request {id} has ended")]
    StreamEnded {
        /// The stream.
        record_type: RecordType,
        /// The request.
        id: RequestId,
    },
    /// The record's turn has not come: a Filter's output before the end of STDIN (§6.4), a body before PARAMS.
    #[error("{record_type} of request {id} before the end of {after}")]
    TooEarly {
        /// The stream.
        record_type: RecordType,
        /// What has to end first.
        after: RecordType,
        /// The request.
        id: RequestId,
    },
    /// The stream does not exist in the role of the request.
    #[error("{record_type} of request {id}, whose role is {role}")]
    NotInRole {
        /// The stream.
        record_type: RecordType,
        /// The request.
        id: RequestId,
        /// Its role.
        role: Role,
    },
    /// A name or a value of more than 2³¹ − 1 octets (§3.4).
    #[error("a name or value of {found} octets, expected at most 2147483647")]
    NameValueTooLong {
        /// Its octets.
        found: usize,
    },
    /// No further request can begin on this connection now: end one first, or open another connection.
    #[error("{in_flight} requests are in flight and the connection takes no more")]
    NoCapacity {
        /// The requests in flight.
        in_flight: usize,
    },
    /// A request was begun without keep-connection, so the connection takes no other.
    #[error("the connection closes after the request in flight, as FCGI_KEEP_CONN was not set")]
    ConnectionClosing,

    // A limit was reached.
    /// One of [`Limits`](crate::Limits) was reached.
    #[error("more than {max} {limit} at octet {offset}")]
    LimitReached {
        /// Which.
        limit: Limit,
        /// Its value.
        max: u64,
        /// Where the record begins that reached it.
        offset: u64,
    },
}

impl Error {
    /// What dies of it.
    #[must_use]
    pub const fn fate(&self) -> Fate {
        match self {
            Self::UnsupportedVersion { .. }
            | Self::BodyLength { .. }
            | Self::ValuesTruncated { .. }
            | Self::UnexpectedEof { .. }
            | Self::NullRequestId { .. }
            | Self::RequestIdInUse { .. }
            | Self::StreamReopened { .. }
            | Self::BeforeParamsEnd { .. }
            | Self::WrongDirection { .. } => Fate::Connection,
            Self::PairTruncated { .. }
            | Self::UnknownRole { .. }
            | Self::CantMultiplex { .. }
            | Self::AfterLastRequest { .. } => Fate::Request,
            Self::NotActive { .. }
            | Self::StreamEnded { .. }
            | Self::TooEarly { .. }
            | Self::NotInRole { .. }
            | Self::NameValueTooLong { .. }
            | Self::NoCapacity { .. }
            | Self::ConnectionClosing => Fate::Call,
            Self::LimitReached { limit, .. } => match limit {
                Limit::ParamsLen
                | Limit::ParamsPairs
                | Limit::NameLen
                | Limit::ValueLen
                | Limit::Requests => Fate::Request,
                Limit::UnreadLen | Limit::RepliesLen | Limit::ManagementLen => Fate::Connection,
            },
        }
    }

    /// The body of the `FCGI_END_REQUEST` with which the application's machine answers it, or `None` if the
    /// connection is closed without an answer or nothing was sent.
    #[must_use]
    pub const fn answer(&self) -> Option<EndRequest> {
        let protocol_status = match self {
            Self::UnknownRole { .. } => ProtocolStatus::UNKNOWN_ROLE,
            Self::CantMultiplex { .. } => ProtocolStatus::CANT_MPX_CONN,
            Self::AfterLastRequest { .. } => ProtocolStatus::OVERLOADED,
            // No protocol status says "malformed": the request completes, and badly.
            Self::PairTruncated { .. } => {
                let protocol_status = ProtocolStatus::REQUEST_COMPLETE;
                return Some(EndRequest {
                    app_status: 1,
                    protocol_status,
                });
            }
            Self::LimitReached { .. } if matches!(self.fate(), Fate::Request) => {
                ProtocolStatus::OVERLOADED
            }
            _ => return None,
        };
        Some(EndRequest {
            app_status: 0,
            protocol_status,
        })
    }

    /// Where in the input, in octets from the start of the connection; `None` if the caller is at fault.
    #[must_use]
    pub const fn offset(&self) -> Option<u64> {
        match *self {
            Self::UnsupportedVersion { offset, .. }
            | Self::BodyLength { offset, .. }
            | Self::PairTruncated { offset }
            | Self::ValuesTruncated { offset, .. }
            | Self::UnexpectedEof { offset }
            | Self::NullRequestId { offset, .. }
            | Self::RequestIdInUse { offset, .. }
            | Self::StreamReopened { offset, .. }
            | Self::BeforeParamsEnd { offset, .. }
            | Self::WrongDirection { offset, .. }
            | Self::UnknownRole { offset, .. }
            | Self::CantMultiplex { offset, .. }
            | Self::AfterLastRequest { offset, .. }
            | Self::LimitReached { offset, .. } => Some(offset),
            _ => None,
        }
    }
}

/// What dies of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Nothing: the call was refused and changed nothing.
    Call,
    /// The request it names; the machine has answered it, and the connection lives on.
    Request,
    /// The connection with all its requests: the driver cancels them and closes it.
    Connection,
}

/// Which of the [`Limits`](crate::Limits) was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::params_len`](crate::Limits::params_len).
    ParamsLen,
    /// [`Limits::params_pairs`](crate::Limits::params_pairs).
    ParamsPairs,
    /// [`Limits::name_len`](crate::Limits::name_len).
    NameLen,
    /// [`Limits::value_len`](crate::Limits::value_len).
    ValueLen,
    /// [`Limits::requests`](crate::Limits::requests).
    Requests,
    /// [`Limits::unread_len`](crate::Limits::unread_len).
    UnreadLen,
    /// [`Limits::replies_len`](crate::Limits::replies_len).
    RepliesLen,
    /// [`Limits::management_len`](crate::Limits::management_len).
    ManagementLen,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ParamsLen => "octets of FCGI_PARAMS in a request",
            Self::ParamsPairs => "name-value pairs in a request",
            Self::NameLen => "octets in the name of a parameter",
            Self::ValueLen => "octets in the value of a parameter",
            Self::Requests => "requests in flight on the connection",
            Self::UnreadLen => "octets of records that nothing reads",
            Self::RepliesLen => "octets of replies that the peer does not read",
            Self::ManagementLen => "octets in a management record",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    const OFFSET: u64 = 40;

    fn check(error: Error, fate: Fate, answer: Option<ProtocolStatus>, text: &str) {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.fate(), fate, "{error}");
        assert_eq!(
            error.answer().map(|body| body.protocol_status),
            answer,
            "{error}"
        );
        assert_eq!(
            error.offset(),
            (fate != Fate::Call).then_some(OFFSET),
            "{error}"
        );
    }

    #[test]
    fn what_kills_a_connection_is_not_answered() {
        let (offset, id, record_type) = (OFFSET, RequestId::MIN, RecordType::STDIN);
        let table = [
            (
                Error::UnsupportedVersion { found: 71, offset },
                "FastCGI version 71 in the header at octet 40, expected 1",
            ),
            (
                Error::BodyLength {
                    record_type: RecordType::BEGIN_REQUEST,
                    expected: 8,
                    found: 3,
                    offset,
                },
                "FCGI_BEGIN_REQUEST at octet 40 has a body of 3 octets, expected 8",
            ),
            (
                Error::ValuesTruncated {
                    record_type: RecordType::GET_VALUES,
                    offset,
                },
                "FCGI_GET_VALUES at octet 40 ends inside a pair",
            ),
            (
                Error::UnexpectedEof { offset },
                "the input ends inside a record, after 40 octets",
            ),
            (
                Error::NullRequestId {
                    record_type: RecordType::BEGIN_REQUEST,
                    offset,
                },
                "FCGI_BEGIN_REQUEST at octet 40 has the null request id",
            ),
            (
                Error::RequestIdInUse { id, offset },
                "FCGI_BEGIN_REQUEST at octet 40 for request 1, which has not ended",
            ),
            (
                Error::StreamReopened {
                    record_type,
                    id,
                    offset,
                },
                "FCGI_STDIN at octet 40 continues a stream of request 1 that has ended",
            ),
            (
                Error::BeforeParamsEnd {
                    record_type,
                    id,
                    offset,
                },
                "FCGI_STDIN at octet 40 comes before the end of FCGI_PARAMS of request 1",
            ),
            (
                Error::WrongDirection {
                    record_type,
                    id,
                    offset,
                },
                "FCGI_STDIN at octet 40 for request 1 goes the wrong way",
            ),
            (
                Error::LimitReached {
                    limit: Limit::UnreadLen,
                    max: 9,
                    offset,
                },
                "more than 9 octets of records that nothing reads at octet 40",
            ),
        ];
        for (error, text) in table {
            check(error, Fate::Connection, None, text);
        }
    }

    #[test]
    fn what_kills_a_request_is_answered() {
        let (offset, id) = (OFFSET, RequestId::MIN);
        let table = [
            (
                Error::PairTruncated { offset },
                ProtocolStatus::REQUEST_COMPLETE,
                "name-value pairs end inside a pair at the record at octet 40",
            ),
            (
                Error::UnknownRole {
                    id,
                    role: Role(7),
                    offset,
                },
                ProtocolStatus::UNKNOWN_ROLE,
                "request 1 at octet 40 asks for role 7, which this application does not have",
            ),
            (
                Error::CantMultiplex { id, offset },
                ProtocolStatus::CANT_MPX_CONN,
                "request 1 at octet 40 comes before the end of another, and this connection is not multiplexed",
            ),
            (
                Error::AfterLastRequest { id, offset },
                ProtocolStatus::OVERLOADED,
                "request 1 at octet 40 comes after one without FCGI_KEEP_CONN",
            ),
            (
                Error::LimitReached {
                    limit: Limit::ParamsPairs,
                    max: 1000,
                    offset,
                },
                ProtocolStatus::OVERLOADED,
                "more than 1000 name-value pairs in a request at octet 40",
            ),
        ];
        for (error, answer, text) in table {
            check(error, Fate::Request, Some(answer), text);
        }
    }

    #[test]
    fn what_the_caller_got_wrong_kills_nothing() {
        let (id, record_type) = (RequestId::MIN, RecordType::STDIN);
        let table = [
            (Error::NotActive { id }, "request 1 is not active"),
            (
                Error::StreamEnded { record_type, id },
                "FCGI_STDIN of request 1 has ended",
            ),
            (
                Error::TooEarly {
                    record_type,
                    after: RecordType::PARAMS,
                    id,
                },
                "FCGI_STDIN of request 1 before the end of FCGI_PARAMS",
            ),
            (
                Error::NotInRole {
                    record_type: RecordType::DATA,
                    id,
                    role: Role::RESPONDER,
                },
                "FCGI_DATA of request 1, whose role is FCGI_RESPONDER",
            ),
            (
                Error::NameValueTooLong { found: 1 << 31 },
                "a name or value of 2147483648 octets, expected at most 2147483647",
            ),
            (
                Error::NoCapacity { in_flight: 2 },
                "2 requests are in flight and the connection takes no more",
            ),
            (
                Error::ConnectionClosing,
                "the connection closes after the request in flight, as FCGI_KEEP_CONN was not set",
            ),
        ];
        for (error, text) in table {
            check(error, Fate::Call, None, text);
        }
    }
}
