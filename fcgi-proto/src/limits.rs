//! What a peer may cost at most.

/// The caps on everything that a peer can make this crate keep or do.
///
/// No allocation is ever sized by a number that the peer sent: buffers grow with the octets that have arrived, up to
/// these limits. Each field says what happens when its limit is reached.
///
/// ```
/// use fcgi_proto::Limits;
///
/// let mut limits = Limits::default();
/// limits.params_len = 64 * 1024;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of the PARAMS stream of one request, lengths included. Beyond it the request is answered with
    /// `FCGI_OVERLOADED`.
    ///
    /// Default 256 KiB: http.sys takes 16 KiB of request line and headers, nginx can send one record of 64 KiB at
    /// all, and IIS adds some 60 variables of its own.
    pub params_len: usize,
    /// Name-value pairs of one request. Beyond it the request is answered with `FCGI_OVERLOADED`. Default 1,000:
    /// IIS sends about 60 besides the request's own headers, and Web servers commonly allow 100 of those.
    pub params_pairs: usize,
    /// Octets of one name. Beyond it the request is answered with `FCGI_OVERLOADED`. Default 8 KiB, the common limit
    /// of a whole header line.
    pub name_len: usize,
    /// Octets of one value. Beyond it the request is answered with `FCGI_OVERLOADED`. Default 64 KiB.
    pub value_len: usize,
    /// Requests in flight on one connection that multiplexes. Beyond it a request is answered with
    /// `FCGI_OVERLOADED`. Default 100. A connection that does not multiplex has one, whatever is set here.
    pub requests: usize,
    /// Octets of records, headers included, that are dropped one after the other without a new request in between:
    /// the unread STDIN of requests that have ended, and records for ids that are not active. Beyond it the
    /// connection fails. Default 128 MiB: it costs no memory, only time.
    pub unread_len: u64,
    /// Octets of the machine's own replies that the driver has not taken yet. Beyond it the connection fails: the
    /// peer asks and does not read. Default 64 KiB, where a reply is 16 to 80 octets.
    pub replies_len: usize,
    /// Octets of the content of one `FCGI_GET_VALUES` or `FCGI_GET_VALUES_RESULT`. Beyond it the connection fails.
    /// Default 4 KiB, where the three variables that exist take 60.
    pub management_len: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            params_len: 256 * 1024,
            params_pairs: 1_000,
            name_len: 8 * 1024,
            value_len: 64 * 1024,
            requests: 100,
            unread_len: 128 * 1024 * 1024,
            replies_len: 64 * 1024,
            management_len: 4 * 1024,
        }
    }
}
