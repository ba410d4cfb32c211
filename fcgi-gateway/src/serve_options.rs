//! What a gateway serves, on what, and how.

use std::net::SocketAddr;
#[cfg(feature = "python")]
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::listener::{Owner, Stdin, StdinSocket, TcpSocket, WebServerAddrs};
#[cfg(unix)]
use crate::listener::{UnixSocket, systemd};
#[cfg(feature = "python")]
use crate::{AccessLog, Pages, log::LogFile};
use crate::{AccessLogFormat, Error, Limits, Processes, Server, ServerOptions, log};

/// Where connections come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bind {
    /// The socket that systemd has opened for this process; else whatever the Web server has left on file descriptor 0: a
    /// listening socket, or one connection.
    #[default]
    Auto,
    /// A Unix socket of our own.
    Unix {
        /// Its file.
        path: Utf8PathBuf,
        /// The file's permissions, as of chmod; `None` leaves them to the umask.
        mode: Option<u32>,
        /// Whom the file belongs to; `None` is who runs this process.
        owner: Option<Owner>,
    },
    /// A TCP port of our own. Whoever can connect can run requests: an address other than loopback is the caller's word.
    Tcp(SocketAddr),
}

impl Bind {
    /// Opens the socket and makes a server for it.
    ///
    /// # Errors
    /// [`Error::NoTransport`], [`Error::Bind`], [`Error::WebServerAddrs`].
    pub fn server(&self, options: ServerOptions) -> Result<Server, Error> {
        #[cfg(windows)]
        crate::shutdown_event::limit(options.watch)?;
        match self.open()? {
            StdinSocket::Listening(listener) => Server::listening(listener, options),
            StdinSocket::Connected(transport) => Server::connected(transport, options),
        }
    }

    /// Opens the socket.
    ///
    /// # Errors
    /// [`Error::NoTransport`], [`Error::Bind`], [`Error::WebServerAddrs`].
    pub fn open(&self) -> Result<StdinSocket, Error> {
        let allowed = WebServerAddrs::from_environment()?;
        match self {
            #[cfg(unix)]
            Self::Auto if systemd::descriptors() > 0 => {
                systemd::take(allowed).map_err(|source| Error::Bind {
                    address: "systemd's socket".to_owned(),
                    source,
                })
            }
            Self::Auto => match StdinSocket::take(allowed) {
                Ok(socket) => Ok(socket),
                Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
                    Err(Error::NoTransport {
                        found: error.to_string(),
                    })
                }
                Err(error) => Err(Error::Bind {
                    address: "file descriptor 0".to_owned(),
                    source: error,
                }),
            },
            #[cfg(unix)]
            Self::Unix { path, mode, owner } => Ok(StdinSocket::Listening(Box::new(
                UnixSocket::bind(path, *mode, *owner, allowed)?,
            ))),
            #[cfg(windows)]
            Self::Unix { path, .. } => Err(Error::Bind {
                address: format!("unix:{path}"),
                source: std::io::Error::new(
                    std::io::ErrorKind::Unsupported,
                    "on Windows there are no Unix sockets for Web servers; bind a TCP port",
                ),
            }),
            Self::Tcp(address) => Ok(StdinSocket::Listening(Box::new(TcpSocket::bind(
                *address, allowed,
            )?))),
        }
    }

    /// Whether other processes may serve the same application beside this one: a Web server starts as many as it likes.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Auto)
    }
}

/// Says what connections would be taken from, and why.
///
/// ```
/// use fcgi_gateway::{Bind, explain};
///
/// let bind = Bind::Tcp(([127, 0, 0, 1], 9000).into());
/// assert!(explain(&bind).contains("127.0.0.1:9000"));
/// ```
#[must_use]
pub fn explain(bind: &Bind) -> String {
    match bind {
        #[cfg(unix)]
        Bind::Auto if systemd::descriptors() > 0 => systemd::explain(systemd::descriptors()),
        Bind::Auto => Stdin::inspect().to_string(),
        Bind::Unix { path, mode, .. } => {
            let mode = mode.map_or_else(
                || "as the umask says".to_owned(),
                |mode| format!("{mode:o}"),
            );
            format!(
                "a Unix socket is made at `{path}` (permissions: {mode}), since it was asked for; file descriptor 0 is not looked at"
            )
        }
        Bind::Tcp(address) => {
            let reach = if address.ip().is_loopback() {
                "this machine only"
            } else {
                "other machines too; set FCGI_WEB_SERVER_ADDRS to name those that may connect"
            };
            format!(
                "TCP port `{address}` is listened on, since it was asked for; it can be reached from {reach}"
            )
        }
    }
}

/// Everything that serving an application needs to know.
///
/// ```
/// use fcgi_gateway::{Bind, ServeOptions};
///
/// let mut options = ServeOptions::new("site.wsgi:application");
/// options.bind = Bind::Unix { path: "/run/site.sock".into(), mode: Some(0o660), owner: None };
/// options.threads = 4;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ServeOptions {
    /// The application, as [`AppSpec::parse`](crate::wsgi::AppSpec::parse) reads it.
    pub app: String,
    /// Where connections come from. Default: file descriptor 0.
    pub bind: Bind,
    /// Requests at once, each in a thread. 0 and 1 are both one, the default, as IIS expects.
    pub threads: usize,
    /// The folder to work in. Default: the current one.
    pub chdir: Option<Utf8PathBuf>,
    /// Folders to look for Python modules in, behind the one to work in.
    pub python_path: Vec<Utf8PathBuf>,
    /// Where the application is mounted: `/app`, or empty for the root of the site. Default: as the Web server says.
    pub script_name: Option<String>,
    /// The log.
    pub log: log::Options,
    /// Whether `wsgi.errors` goes to the Web server too, over `FCGI_STDERR`. Default: no, as IIS turns it into a response of
    /// 500 unless its `stderrMode` is `IgnoreAndReturn200`.
    pub stderr_to_server: bool,
    /// Whether bodies are read to their end before the application is called: up to so many octets in memory, longer ones
    /// in a temporary file; `wsgi.input` can seek then. Default: no, the application reads as the octets arrive.
    pub buffer_body: Option<usize>,
    /// Which processes serve, and for how long.
    pub processes: Processes,
    /// What peers may cost.
    pub limits: Limits,
    /// Where each request is written down; `-` is standard output. Replaced as [`log::Options::rotation`] says. Default:
    /// nowhere.
    pub access_log: Option<Utf8PathBuf>,
    /// How it is.
    pub access_log_format: AccessLogFormat,
    /// The header that gives a request its id; see [`ServerOptions::request_id_header`].
    pub request_id_header: Option<String>,
    /// Whether each request runs as the user whom IIS has given its named pipe; see [`ServerOptions::impersonate`].
    pub impersonate: bool,
    /// A path that the gateway answers with `pong`, without the application.
    pub ping_path: Option<String>,
    /// A path that shows the gateway's numbers. Whoever can reach the site can see them, unless the Web server forbids it.
    pub status_path: Option<String>,
    /// A request that takes longer is logged with its Python stack.
    pub slow_request: Option<Duration>,
    /// A request that takes longer is answered with status 504, and its process ends with
    /// [`Watch::EXIT_STATUS`](crate::Watch::EXIT_STATUS), after every thread's Python stack was logged.
    pub request_timeout: Option<Duration>,
}

impl ServeOptions {
    /// The defaults for the application `app`.
    #[must_use]
    pub fn new(app: impl Into<String>) -> Self {
        Self {
            app: app.into(),
            ..Self::default()
        }
    }

    /// Has a server show what happens: logs, pages, a watchdog.
    #[cfg(feature = "python")]
    pub(crate) fn observe(&self, server: &mut ServerOptions) {
        server.access_log = self.open_access_log().map(Arc::new);
        server.request_id_header.clone_from(&self.request_id_header);
        server.impersonate = self.impersonate;
        server.pages = Pages {
            ping: self.ping_path.clone(),
            status: self.status_path.clone(),
            script_name: self.script_name.clone(),
        };
        server.watch.slow_request = self.slow_request;
        server.watch.request_timeout = self.request_timeout;
    }

    /// Like the log, the access log is no reason not to serve.
    #[cfg(feature = "python")]
    fn open_access_log(&self) -> Option<AccessLog> {
        let path = self.access_log.as_ref()?;
        let file = if path == "-" {
            LogFile::standard_output()
        } else {
            LogFile::open(path, self.log.rotation)
                .inspect_err(|error| tracing::error!(%error, "there will be no access log"))
                .ok()?
        };
        Some(AccessLog::new(file, self.access_log_format))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_says_what_and_why() {
        let unix = |mode| Bind::Unix {
            path: "/run/s.sock".into(),
            mode,
            owner: None,
        };
        let table = [
            (unix(Some(0o660)), "660"),
            (unix(None), "umask"),
            (
                Bind::Tcp(([127, 0, 0, 1], 9000).into()),
                "this machine only",
            ),
            (
                Bind::Tcp(([0, 0, 0, 0], 9000).into()),
                "FCGI_WEB_SERVER_ADDRS",
            ),
            (Bind::Auto, "file descriptor 0"),
        ];
        for (bind, part) in table {
            let text = explain(&bind);
            assert!(text.contains(part), "{text}");
        }
    }
}
