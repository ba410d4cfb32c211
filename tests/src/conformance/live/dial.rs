//! Where the application is, and how it is started where we start it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};

use camino::Utf8PathBuf;

/// Where the application is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// It listens on a Unix socket.
    Unix(Utf8PathBuf),
    /// It listens on a TCP port, `HOST:PORT`.
    Tcp(String),
    /// This shell command is started with a listening socket on file descriptor 0, as §2.2 says, and again whenever it
    /// has ended or hangs.
    StdinOf(String),
}

/// How a live application is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where it is.
    pub target: Target,
    /// How long an answer may take. Default 3 s.
    pub limit: Duration,
    /// Variables that every request has besides the usual ones, or in their place: `SCRIPT_FILENAME` for PHP.
    pub params: Vec<(String, String)>,
    /// The names of the checks to run; all where it is empty.
    pub only: Vec<String>,
}

impl Options {
    /// All checks, at most 3 s each answer.
    #[must_use]
    pub const fn new(target: Target) -> Self {
        Self {
            target,
            limit: Duration::from_secs(3),
            params: Vec::new(),
            only: Vec::new(),
        }
    }
}

/// A connected socket of either family.
#[derive(Debug)]
pub(super) enum Stream {
    #[cfg(unix)]
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            #[cfg(unix)]
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
        })
    }

    pub(super) fn shutdown(&self, how: Shutdown) {
        // A connection that the other side has closed cannot be shut down, and need not.
        let _ = match self {
            #[cfg(unix)]
            Self::Unix(stream) => stream.shutdown(how),
            Self::Tcp(stream) => stream.shutdown(how),
        };
    }

    pub(super) fn set_read_timeout(&self, limit: Duration) -> io::Result<()> {
        let limit = Some(limit.max(Duration::from_millis(1)));
        match self {
            #[cfg(unix)]
            Self::Unix(stream) => stream.set_read_timeout(limit),
            Self::Tcp(stream) => stream.set_read_timeout(limit),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Self::Unix(stream) => stream.write(buffer),
            Self::Tcp(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes connections to a target, and keeps the process that it has started.
#[derive(Debug)]
pub(super) struct Dialer {
    target: Target,
    started: Option<Started>,
}

impl Dialer {
    pub(super) const fn new(target: Target) -> Self {
        Self {
            target,
            started: None,
        }
    }

    /// The command, where the application is one that we start.
    pub(super) fn command(&self) -> Option<&str> {
        match &self.target {
            Target::StdinOf(command) => Some(command),
            _ => None,
        }
    }

    pub(super) fn connect(&mut self) -> Result<Stream, String> {
        match &self.target {
            #[cfg(unix)]
            Target::Unix(path) => UnixStream::connect(path)
                .map(Stream::Unix)
                .map_err(|error| format!("cannot connect to `{path}`: {error}")),
            #[cfg(not(unix))]
            Target::Unix(path) => Err(format!("`{path}`: this system has no Unix sockets")),
            Target::Tcp(address) => TcpStream::connect(address)
                .map(Stream::Tcp)
                .map_err(|error| format!("cannot connect to `{address}`: {error}")),
            Target::StdinOf(command) => {
                if self.started.as_mut().is_none_or(Started::has_ended) {
                    self.started = Some(Started::on_unix_socket(command)?);
                }
                match &self.started {
                    Some(started) => started.connect(),
                    None => Err(format!("`{command}` is not running")),
                }
            }
        }
    }

    /// How the process that we have started has ended, if it has.
    pub(super) fn ended(&mut self) -> Option<String> {
        let started = self.started.as_mut()?;
        let status = started.child.try_wait().ok()??;
        Some(format!("the process ended with {status}"))
    }

    /// Starts the next connection with a new process, where we start it.
    pub(super) fn restart(&mut self) {
        self.started = None;
    }

    /// Asks the process to stop; how it ended, or `None` if it did not within `limit`.
    pub(super) fn terminate(&mut self, limit: Duration) -> Result<Option<String>, String> {
        let Some(started) = &mut self.started else {
            return Err("nothing was started".to_owned());
        };
        Command::new("kill")
            .args(["-TERM", &started.child.id().to_string()])
            .status()
            .map_err(|error| format!("cannot start `kill`: {error}"))?;
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = started.child.try_wait() {
                return Ok(Some(status.to_string()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(None)
    }
}

/// A process with a listening socket on file descriptor 0. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Started {
    child: Child,
    address: Address,
}

#[derive(Debug)]
enum Address {
    #[cfg(unix)]
    Unix(tempfile::TempDir),
    Tcp(std::net::SocketAddr),
}

impl Started {
    #[cfg(unix)]
    fn on_unix_socket(command: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let listener = UnixListener::bind(folder.path().join("socket"))
            .map_err(|error| format!("cannot listen in a scratch folder: {error}"))?;
        let address = Address::Unix(folder);
        Self::start(command, OwnedFd::from(listener).into(), address, &[])
    }

    #[cfg(not(unix))]
    fn on_unix_socket(command: &str) -> Result<Self, String> {
        Err(format!("`{command}`: this system has no Unix sockets"))
    }

    /// A process on a TCP socket of loopback, with these environment variables.
    #[cfg(unix)]
    pub(super) fn on_tcp_socket(command: &str, variables: &[(&str, &str)]) -> Result<Self, String> {
        let (listener, address) = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr().map(|address| (listener, address)))
            .map_err(|error| format!("cannot listen on loopback: {error}"))?;
        let stdin = OwnedFd::from(listener).into();
        Self::start(command, stdin, Address::Tcp(address), variables)
    }

    #[cfg(not(unix))]
    pub(super) fn on_tcp_socket(command: &str, _: &[(&str, &str)]) -> Result<Self, String> {
        Err(format!("`{command}`: this system hands over no sockets"))
    }

    #[cfg(unix)]
    fn start(
        command: &str,
        stdin: Stdio,
        address: Address,
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .envs(variables.iter().copied())
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start `{command}`: {error}"))?;
        Ok(Self { child, address })
    }

    pub(super) fn connect(&self) -> Result<Stream, String> {
        match &self.address {
            #[cfg(unix)]
            Address::Unix(folder) => {
                UnixStream::connect(folder.path().join("socket")).map(Stream::Unix)
            }
            Address::Tcp(address) => TcpStream::connect(address).map(Stream::Tcp),
        }
        .map_err(|error| format!("cannot connect: {error}"))
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
