//! Constants of the protocol (FastCGI Specification 1.0, section 8).

/// Octets in a record header. `FCGI_HEADER_LEN`, §8.
pub const HEADER_LEN: usize = 8;

/// Octets in the body of `FCGI_BEGIN_REQUEST`, `FCGI_END_REQUEST` and `FCGI_UNKNOWN_TYPE`, §8.
pub const BODY_LEN: usize = 8;

/// The one protocol version there is. `FCGI_VERSION_1`, §8.
pub const VERSION_1: u8 = 1;

/// The request id of management records. `FCGI_NULL_REQUEST_ID`, §8.
pub const NULL_REQUEST_ID: u16 = 0;

/// The file descriptor on which an application finds its listening socket. `FCGI_LISTENSOCK_FILENO`, §2.2.
pub const LISTENSOCK_FILENO: i32 = 0;

/// The most content octets that a record can hold, §3.3.
pub const MAX_CONTENT_LEN: usize = 65_535;

/// The most content octets that this crate puts into one record.
///
/// It is the largest multiple of eight that a record can hold. A full record then needs no padding, and content plus
/// padding never exceeds 65,535, which some readers (PHP's among them) refuse although §3.3 allows it.
pub const STREAM_CONTENT_LEN: usize = 65_528;

/// The largest length that a name or a value can have, in octets, §3.4.
pub const MAX_NAME_VALUE_LEN: u32 = 0x7fff_ffff;

/// Variable of `FCGI_GET_VALUES`: the most concurrent transport connections that the application accepts, §4.1.
pub const FCGI_MAX_CONNS: &[u8] = b"FCGI_MAX_CONNS";

/// Variable of `FCGI_GET_VALUES`: the most concurrent requests that the application accepts, §4.1.
pub const FCGI_MAX_REQS: &[u8] = b"FCGI_MAX_REQS";

/// Variable of `FCGI_GET_VALUES`: `1` if the application multiplexes connections, else `0`, §4.1.
pub const FCGI_MPXS_CONNS: &[u8] = b"FCGI_MPXS_CONNS";
