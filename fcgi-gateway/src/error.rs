//! What can go wrong, by who is at fault.

use std::io;

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The peer broke a rule or went away.
    /// The Web server does not keep to FastCGI.
    #[error("the Web server broke the protocol: {0}")]
    Protocol(#[from] fcgi_proto::Error),
    /// The Web server has gone, or has aborted the request since its client has gone.
    #[error("the Web server no longer wants the answer: {reason}")]
    Disconnected {
        /// How it showed.
        reason: String,
    },

    /// A signal arrived while the request's body was waited for; the same call may be made again.
    #[error("a signal interrupted the wait for the request's body")]
    Interrupted,

    // The application is at fault.
    /// The application has failed; its traceback or message.
    #[error("the application failed: {message}")]
    Application {
        /// What it said: for Python, the whole traceback.
        message: String,
    },
    /// Status or headers of a response that cannot be sent.
    #[error(transparent)]
    Head(#[from] crate::HeadFault),
    /// Something came in an order that PEP 3333 forbids.
    #[error("{0}")]
    Order(&'static str),
    /// More body than the response's `Content-Length` says.
    #[error("the response has more octets than its Content-Length of {declared}")]
    BodyTooLong {
        /// What the header says.
        declared: u64,
    },

    // The caller is at fault: options and surroundings.
    /// The application cannot be found or loaded.
    #[error("cannot load the application `{spec}`: {message}")]
    Load {
        /// As it was given.
        spec: String,
        /// Why not, and what to do; over several lines.
        message: String,
    },
    /// There is nothing to take connections from.
    #[error(
        "nothing to serve on: {found}; start this from a FastCGI Web server, or name a socket with `--unix PATH` or `--tcp ADDRESS`"
    )]
    NoTransport {
        /// What file descriptor 0 is.
        found: String,
    },
    /// A socket cannot be listened on.
    #[error("cannot listen on `{address}`: {source}")]
    Bind {
        /// Which, as `unix:PATH` or `tcp:ADDRESS`.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// `FCGI_WEB_SERVER_ADDRS` is malformed.
    #[error("`{found}` in the variable FCGI_WEB_SERVER_ADDRS is not an IP address")]
    WebServerAddrs {
        /// What is there instead.
        found: String,
    },
    /// Requests cannot be run as their users.
    #[error(
        "a request can be run as its user only where IIS hands over its named pipe on Windows, and this is {found}; leave \
         `--impersonate` out"
    )]
    NoImpersonation {
        /// What there is instead.
        found: String,
    },
    /// Windows does not let this process act as the user of a request, which does not run then.
    #[error("the request cannot be run as its user: {0}")]
    Impersonation(io::Error),
    /// Several processes are wanted where only one can serve.
    #[error(
        "several processes need a listening socket, but {found}; leave `--processes` out, and let the Web server start several \
         (IIS: `maxInstances` of the FastCGI application)"
    )]
    ProcessesOfConnection {
        /// What there is instead.
        found: String,
    },
    /// Several processes are wanted for what cannot be handed to them.
    #[error(
        "an application that is loaded already cannot be served by several processes: name it as `module:callable` instead"
    )]
    ProcessesOfCallable,
    /// Several processes are wanted on Windows.
    #[cfg(windows)]
    #[error(
        "several processes are started by the Web server on Windows: leave `--processes` out, and set `maxInstances` of the \
         FastCGI application in IIS"
    )]
    ProcessesOnWindows,
    /// The application cannot be loaded in any process.
    #[error(
        "no worker could be started: the first one ended with {ended}. What it said is above, and in its log"
    )]
    Workers {
        /// How the process ended.
        ended: String,
    },
    /// The regular expression of [`Reload::pattern`](crate::Reload::pattern) is malformed.
    #[error("`{pattern}` is no regular expression for changed files: {message}")]
    ReloadPattern {
        /// As it was given.
        pattern: String,
        /// Why not.
        message: String,
    },
    /// The working directory cannot be changed.
    #[error("cannot work in `{path}`: {source}")]
    Chdir {
        /// Where to.
        path: camino::Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The log filter is malformed.
    #[error("the log level `{level}` is malformed: {message}")]
    LogLevel {
        /// As it was given.
        level: String,
        /// Why.
        message: String,
    },

    // Limits.
    /// A request body is longer than [`Limits::body_len`](crate::Limits::body_len).
    #[error("the request body has more than {max} octets")]
    RequestTooLong {
        /// The limit.
        max: u64,
    },

    /// Any other failure of the operating system.
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for Error {
    /// An error of this crate that went through a reader, such as [`Body`](crate::Body), becomes itself again.
    fn from(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Io)
    }
}

impl Error {
    /// Whether the Web server has gone, which is no fault of the application.
    #[must_use]
    pub const fn is_disconnected(&self) -> bool {
        matches!(self, Self::Disconnected { .. } | Self::Protocol(_))
    }

    pub(crate) fn disconnected(error: &io::Error) -> Self {
        Self::Disconnected {
            reason: error.to_string(),
        }
    }
}
