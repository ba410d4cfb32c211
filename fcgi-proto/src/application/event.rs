//! What happens on the application's side of a connection.

use crate::{BeginRequest, Error, Params, RequestId};

/// What [`Connection::handle_input`](super::Connection::handle_input) found in the input.
///
/// A request is told as `Request`, then any number of `Stdin`, `StdinEnd`, and for a Filter `Data` and `DataEnd`, with
/// `Abort` possibly in between; nothing follows `Abort`. Once the driver has called
/// [`end_request`](super::Connection::end_request), nothing more is told of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'i> {
    /// A request with all its variables. The driver owes it an
    /// [`end_request`](super::Connection::end_request).
    Request {
        /// Its id, which every other call wants.
        id: RequestId,
        /// Its role and flags.
        begin: BeginRequest,
        /// Its variables. Give them back with [`recycle`](super::Connection::recycle) when done.
        params: Params,
    },
    /// Octets of the request's body, never empty, in the caller's buffer.
    Stdin {
        /// The request.
        id: RequestId,
        /// The octets.
        data: &'i [u8],
    },
    /// The request's body is complete.
    StdinEnd {
        /// The request.
        id: RequestId,
    },
    /// Octets of the file that a Filter filters, never empty, in the caller's buffer.
    Data {
        /// The request.
        id: RequestId,
        /// The octets.
        data: &'i [u8],
    },
    /// The file that a Filter filters is complete.
    DataEnd {
        /// The request.
        id: RequestId,
    },
    /// The Web server wants the request to end: its client has left. §5.4: the application answers "as soon as
    /// possible" with [`end_request`](super::Connection::end_request), which the driver still owes.
    Abort {
        /// The request.
        id: RequestId,
    },
    /// The machine has refused a request and has put its `FCGI_END_REQUEST` into the pending output. Of interest for
    /// the log only; the driver owes nothing.
    Refused {
        /// The id that the Web server had given it.
        id: RequestId,
        /// Why. [`Error::answer`] is what the Web server is told.
        error: Error,
    },
}

/// What becomes of the connection after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a connection that is not closed when it should be leaves the Web server waiting"]
pub enum AfterRequest {
    /// §5.1: "If not zero, the application does not close the connection after responding to this request".
    KeepConnection,
    /// §5.1: "If zero, the application closes the connection after responding to this request". The driver closes it
    /// when all output has been written.
    CloseConnection,
}
