//! Events of both machines in one owned form, so that what is expected and what happened can be compared.

use fcgi_proto::{
    BeginRequest, Error, Fate, Limit, ProtocolStatus, RecordType, Values, application, web_server,
};

/// An event that owns its data. Neighbouring pieces of a stream are one, however the input was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Told {
    /// A request with all its variables.
    Request {
        /// Its id.
        id: u16,
        /// Its role and flags.
        begin: BeginRequest,
        /// Its variables.
        params: Vec<(Vec<u8>, Vec<u8>)>,
    },
    /// Content of a stream of a request.
    Content {
        /// STDIN, DATA, STDOUT or STDERR.
        stream: RecordType,
        /// The request.
        id: u16,
        /// The octets.
        data: Vec<u8>,
    },
    /// The end of a stream of a request.
    StreamEnd {
        /// STDIN, DATA, STDOUT or STDERR.
        stream: RecordType,
        /// The request.
        id: u16,
    },
    /// The Web server wants the request to end.
    Abort {
        /// The request.
        id: u16,
    },
    /// The machine has refused a request.
    Refused {
        /// The request.
        id: u16,
        /// The name of the fault, see [`fault_name`].
        fault: String,
        /// Octets of input in front of the record at fault.
        offset: Option<u64>,
    },
    /// The application has ended a request.
    End {
        /// The request.
        id: u16,
        /// What a CGI program would have given to `exit`.
        app_status: u32,
        /// Whether the application has worked on it.
        protocol_status: ProtocolStatus,
    },
    /// What is known of the application's limits.
    Values(Values),
    /// The application does not know a type of management record.
    UnknownType(RecordType),
    /// The connection has failed.
    Fault {
        /// The name of the fault, see [`fault_name`].
        fault: String,
        /// Octets of input in front of the record at fault.
        offset: Option<u64>,
        /// What dies of it.
        fate: Fate,
    },
}

impl Told {
    /// The failure of a connection, or of a call.
    #[must_use]
    pub fn fault(error: &Error) -> Self {
        Self::Fault {
            fault: fault_name(error).to_owned(),
            offset: error.offset(),
            fate: error.fate(),
        }
    }

    /// Appends this to `told`, joining pieces of one stream.
    pub fn join(self, told: &mut Vec<Self>) {
        if let Self::Content { stream, id, data } = &self
            && let Some(Self::Content {
                stream: last_stream,
                id: last_id,
                data: last,
            }) = told.last_mut()
            && (*last_stream, *last_id) == (*stream, *id)
        {
            last.extend_from_slice(data);
            return;
        }
        told.push(self);
    }

    pub(super) fn of_application(event: application::Event<'_>) -> Option<Self> {
        use application::Event;
        Some(match event {
            Event::Request { id, begin, params } => Self::Request {
                id: id.number(),
                begin,
                params: params
                    .iter()
                    .map(|(name, value)| (name.to_vec(), value.to_vec()))
                    .collect(),
            },
            Event::Stdin { id, data } => Self::content(RecordType::STDIN, id.number(), data),
            Event::StdinEnd { id } => Self::stream_end(RecordType::STDIN, id.number()),
            Event::Data { id, data } => Self::content(RecordType::DATA, id.number(), data),
            Event::DataEnd { id } => Self::stream_end(RecordType::DATA, id.number()),
            Event::Abort { id } => Self::Abort { id: id.number() },
            Event::Refused { id, error } => Self::Refused {
                id: id.number(),
                fault: fault_name(&error).to_owned(),
                offset: error.offset(),
            },
            _ => return None,
        })
    }

    pub(super) fn of_web_server(event: &web_server::Event<'_>) -> Option<Self> {
        use web_server::Event;
        Some(match event {
            Event::Stdout { id, data } => Self::content(RecordType::STDOUT, id.number(), data),
            Event::StdoutEnd { id } => Self::stream_end(RecordType::STDOUT, id.number()),
            Event::Stderr { id, data } => Self::content(RecordType::STDERR, id.number(), data),
            Event::StderrEnd { id } => Self::stream_end(RecordType::STDERR, id.number()),
            Event::End {
                id,
                app_status,
                protocol_status,
            } => Self::End {
                id: id.number(),
                app_status: *app_status,
                protocol_status: *protocol_status,
            },
            Event::Values(values) => Self::Values(*values),
            Event::UnknownType(record_type) => Self::UnknownType(*record_type),
            _ => return None,
        })
    }

    fn content(stream: RecordType, id: u16, data: &[u8]) -> Self {
        Self::Content {
            stream,
            id,
            data: data.to_vec(),
        }
    }

    const fn stream_end(stream: RecordType, id: u16) -> Self {
        Self::StreamEnd { stream, id }
    }
}

/// What the vectors call an error: its variant in kebab case, and the limit where one was reached.
#[must_use]
pub const fn fault_name(error: &Error) -> &'static str {
    match error {
        Error::UnsupportedVersion { .. } => "unsupported-version",
        Error::BodyLength { .. } => "body-length",
        Error::PairTruncated { .. } => "pair-truncated",
        Error::ValuesTruncated { .. } => "values-truncated",
        Error::UnexpectedEof { .. } => "unexpected-eof",
        Error::NullRequestId { .. } => "null-request-id",
        Error::RequestIdInUse { .. } => "request-id-in-use",
        Error::StreamReopened { .. } => "stream-reopened",
        Error::BeforeParamsEnd { .. } => "before-params-end",
        Error::WrongDirection { .. } => "wrong-direction",
        Error::UnknownRole { .. } => "unknown-role",
        Error::CantMultiplex { .. } => "cant-multiplex",
        Error::AfterLastRequest { .. } => "after-last-request",
        Error::NotActive { .. } => "not-active",
        Error::StreamEnded { .. } => "stream-ended",
        Error::TooEarly { .. } => "too-early",
        Error::NotInRole { .. } => "not-in-role",
        Error::NameValueTooLong { .. } => "name-value-too-long",
        Error::NoCapacity { .. } => "no-capacity",
        Error::ConnectionClosing => "connection-closing",
        Error::LimitReached { limit, .. } => match limit {
            Limit::ParamsLen => "limit-params-len",
            Limit::ParamsPairs => "limit-params-pairs",
            Limit::NameLen => "limit-name-len",
            Limit::ValueLen => "limit-value-len",
            Limit::Requests => "limit-requests",
            Limit::UnreadLen => "limit-unread-len",
            Limit::RepliesLen => "limit-replies-len",
            Limit::ManagementLen => "limit-management-len",
            _ => "limit-unnamed",
        },
        _ => "unnamed",
    }
}
