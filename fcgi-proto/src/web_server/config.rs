//! How a Web server frames requests.

use crate::consts::STREAM_CONTENT_LEN;

/// Choices that the specification leaves to the Web server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The most content octets of one PARAMS record, 1 to [`STREAM_CONTENT_LEN`], which is the default; numbers
    /// outside count as the nearest inside. By default all variables go into one record where they fit, as nginx
    /// does it. A pair is cut in two only where it is longer than a record, since several applications take each
    /// record's pairs for complete.
    pub params_content_len: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            params_content_len: STREAM_CONTENT_LEN,
        }
    }
}
