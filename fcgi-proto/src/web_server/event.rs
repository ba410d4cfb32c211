//! What happens on the Web server's side of a connection.

use crate::{ProtocolStatus, RecordType, RequestId, Values};

/// What [`Connection::handle_input`](super::Connection::handle_input) found in the input.
///
/// The response of a request is all its `Stdout` up to `End`. Applications differ in the rest: STDOUT and STDERR come
/// in any interleave, some never end STDOUT (PHP), and some end it after every piece and go on writing (wfastcgi).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'i> {
    /// Octets of the response, never empty, in the caller's buffer.
    Stdout {
        /// The request.
        id: RequestId,
        /// The octets.
        data: &'i [u8],
    },
    /// The application has ended STDOUT, told once. `End` will follow; more `Stdout` may.
    StdoutEnd {
        /// The request.
        id: RequestId,
    },
    /// Octets for the error log, never empty, in the caller's buffer.
    Stderr {
        /// The request.
        id: RequestId,
        /// The octets.
        data: &'i [u8],
    },
    /// The application has ended STDERR, told once. More `Stderr` may follow.
    StderrEnd {
        /// The request.
        id: RequestId,
    },
    /// The request has ended, and its id is free again. If the `protocol_status` is not `FCGI_REQUEST_COMPLETE`, the
    /// application has refused the request, and what it wrote is no response.
    End {
        /// The request.
        id: RequestId,
        /// What a CGI program would have given to `exit`; 0 is success.
        app_status: u32,
        /// Whether the application has worked on the request.
        protocol_status: ProtocolStatus,
    },
    /// The answer to [`get_values`](super::Connection::get_values): all that is known by now. The connection has
    /// taken note of it.
    Values(Values),
    /// The application does not know this type of management record. For `FCGI_GET_VALUES` this is all the answer
    /// that there will be.
    UnknownType(RecordType),
}
