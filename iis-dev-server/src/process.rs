//! One FastCGI process: started the way IIS starts it, watched, and ended the way IIS ends it.
//!
//! What IIS hands a process with protocol `NamedPipe`: the handle on standard input is a pipe that is already connected,
//! and its name is in `_FCGI_X_PIPE_` (Microsoft's notes on the FastCGI extension 1.5, KB980363). On Unix a connected
//! socket stands in for the pipe, as nothing else there carries both directions on one descriptor. With protocol
//! `Tcp` standard input is a listening socket on the loopback address, as the *FastCGI Specification*, section 2.2, has
//! it; how IIS hands its socket over is not documented.
//!
//! Two differences are deliberate. IIS closes stdout and stderr; here they go to the application's log. And
//! `_FCGI_SHUTDOWN_EVENT_` is the handle of a Windows event, for which on Unix `SIGTERM` stands in.

use std::collections::VecDeque;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;
use fcgi_proto::{Limits, web_server};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use crate::log_file::LogFile;
use crate::output::Output;
use crate::process_group::{ProcessGroup, Signal};
use crate::spawner::Spawner;
use crate::stdin;
use crate::stream::Stream;

/// Octets of a process's latest output that error pages show.
const TAIL_LEN: usize = 8 * 1024;

/// How long the rest of the output of a process that has ended is waited for. A process that it has started may hold
/// the descriptors open for ever.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);

/// How the server speaks with the process: `protocol` in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// One connection for the life of the process.
    NamedPipe {
        /// Whether the handle that the process gets is overlapped, on Windows.
        overlapped: bool,
    },
    /// A connection for each request.
    Tcp,
}

/// How a process is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Launch {
    /// The program.
    pub(crate) program: Utf8PathBuf,
    /// Its arguments, already split.
    pub(crate) arguments: Vec<String>,
    /// Its working directory: the root of the configuration. What it is under IIS is not documented, and it is not the
    /// application's folder; an application must not rely on it.
    pub(crate) working_directory: Utf8PathBuf,
    /// Set in its environment, on top of the server's own.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) protocol: Protocol,
    /// `signalBeforeTerminateSeconds`.
    pub(crate) signal_before_terminate: Duration,
}

impl Launch {
    /// The command line as a user would type it, for messages.
    pub(crate) fn command_line(&self) -> String {
        let mut line = quoted(self.program.as_str());
        for argument in &self.arguments {
            line.push(' ');
            line.push_str(&quoted(argument));
        }
        line
    }
}

fn quoted(argument: &str) -> String {
    if argument.is_empty() || argument.contains([' ', '\t', '"', '\'']) {
        format!("\"{}\"", argument.replace('"', "\\\""))
    } else {
        argument.to_owned()
    }
}

/// How a process ended.
#[derive(Clone, Debug)]
pub(crate) struct Exit {
    /// `None` where the system did not say.
    pub(crate) status: Option<ExitStatus>,
}

impl Exit {
    /// "exited with status 1", "was killed by signal 11".
    pub(crate) fn describe(&self) -> String {
        match self.status {
            None => "ended in an unknown way".to_owned(),
            Some(status) => match (status.code(), signal_of(status)) {
                (Some(code), _) => format!("exited with status {code}"),
                (None, Some(signal)) => format!("was killed by signal {signal}"),
                (None, None) => "ended in an unknown way".to_owned(),
            },
        }
    }
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt;
    status.signal()
}

/// Windows has no signals that end a process.
#[cfg(windows)]
const fn signal_of(_: ExitStatus) -> Option<i32> {
    None
}

/// The latest output of a process.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    octets: Mutex<VecDeque<u8>>,
}

impl Tail {
    fn push(&self, data: &[u8]) {
        let mut octets = self.octets.lock().unwrap_or_else(PoisonError::into_inner);
        octets.extend(data);
        let excess = octets.len().saturating_sub(TAIL_LEN);
        octets.drain(..excess);
    }

    /// The latest output as text.
    pub(crate) fn text(&self) -> String {
        let mut octets = self.octets.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(octets.make_contiguous()).into_owned()
    }
}

/// A way to speak with the process.
#[derive(Debug)]
enum Transport {
    NamedPipe(Box<Link>),
    Tcp(std::net::SocketAddr),
}

/// A connection and the state of the protocol on it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) stream: Stream,
    pub(crate) connection: web_server::Connection,
    /// Whether the connection outlives a request.
    pub(crate) keep_conn: bool,
}

impl Link {
    fn new(stream: Stream, keep_conn: bool) -> Self {
        let connection =
            web_server::Connection::new(web_server::Config::default(), Limits::default());
        Self {
            stream,
            connection,
            keep_conn,
        }
    }
}

/// The order to end a process.
#[derive(Debug)]
struct Order {
    /// Between the signal and the end by force; no signal if it is zero.
    grace: Duration,
    /// Kept open until the end: a process that reads the end of its input would end by itself, and IIS's do not.
    _transport: Transport,
}

/// A running process. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Requests it was given.
    pub(crate) requests: u32,
    transport: Transport,
    pub(crate) tail: Arc<Tail>,
    exit: watch::Receiver<Option<Exit>>,
    orders: mpsc::Sender<Order>,
    signal_before_terminate: Duration,
}

impl Process {
    /// Starts a process. `alive` is held until it has ended and was reaped.
    pub(crate) async fn start(
        launch: &Launch,
        spawner: &Spawner,
        log: &Arc<LogFile>,
        alive: mpsc::Sender<std::convert::Infallible>,
    ) -> std::io::Result<Self> {
        let mut command = Command::new(launch.program.as_std_path());
        command.args(&launch.arguments);
        command.envs(launch.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(launch.working_directory.as_std_path());
        let transport = match launch.protocol {
            Protocol::NamedPipe { overlapped } => {
                let name = pipe_name();
                let ours = stdin::pipe(&mut command, &name, overlapped)?;
                command.env("_FCGI_X_PIPE_", name);
                Transport::NamedPipe(Box::new(Link::new(ours, true)))
            }
            Protocol::Tcp => {
                let address = stdin::listen(&mut command)?;
                // It would be that of a server that this one runs under.
                command.env_remove("_FCGI_X_PIPE_");
                Transport::Tcp(address)
            }
        };
        let (reader, writer) = std::io::pipe()?;
        command.stdout(Stdio::from(writer.try_clone()?));
        command.stderr(Stdio::from(writer));
        let group = ProcessGroup::prepare(&mut command)?;

        let child = spawner.spawn(command).await?;
        // Where this fails the child is dropped, which ends it.
        group.enclose(&child)?;
        let pid = child
            .id()
            .ok_or_else(|| std::io::Error::other("it ended at once"))?;
        log.note(&format!("process {pid} started: {}", launch.command_line()));

        let output = Output::new(reader)?;
        let tail = Arc::new(Tail::default());
        let copying = tokio::spawn(copy_output(output, Arc::clone(&tail), Arc::clone(log)));
        let (exit_sender, exit) = watch::channel(None);
        let (orders, orders_receiver) = mpsc::channel(1);
        let watcher = Watcher {
            child,
            group,
            pid,
            log: Arc::clone(log),
            _alive: alive,
        };
        tokio::spawn(watcher.watch(orders_receiver, copying, exit_sender));
        Ok(Self {
            pid,
            requests: 0,
            transport,
            tail,
            exit,
            orders,
            signal_before_terminate: launch.signal_before_terminate,
        })
    }

    /// The connection for the next request.
    pub(crate) async fn link(&mut self) -> std::io::Result<LinkGuard<'_>> {
        match &mut self.transport {
            Transport::NamedPipe(link) => Ok(LinkGuard::Kept(link)),
            Transport::Tcp(address) => {
                let stream = tokio::net::TcpStream::connect(*address).await?;
                Ok(LinkGuard::Own(Box::new(Link::new(
                    Stream::tcp(stream)?,
                    false,
                ))))
            }
        }
    }

    /// How it ended, if it has.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.exit.borrow().clone()
    }

    /// A handle that waits for the end of the process.
    pub(crate) fn exit_watch(&self) -> ExitWatch {
        ExitWatch(self.exit.clone())
    }

    /// Ends the process as IIS does: a signal first and time to heed it if `signalBeforeTerminateSeconds` is not 0,
    /// then by force. Returns at once; the handle waits for the end.
    pub(crate) fn terminate(self) -> ExitWatch {
        let grace = self.signal_before_terminate;
        self.end(grace)
    }

    /// Ends the process by force.
    pub(crate) fn kill(self) -> ExitWatch {
        self.end(Duration::ZERO)
    }

    fn end(self, grace: Duration) -> ExitWatch {
        let exit = self.exit_watch();
        let order = Order {
            grace,
            _transport: self.transport,
        };
        // It is the only order, so there is room, unless the process has ended by itself.
        let _ended_before = self.orders.try_send(order);
        exit
    }
}

/// The connection for one request.
#[derive(Debug)]
pub(crate) enum LinkGuard<'p> {
    /// That of the process.
    Kept(&'p mut Link),
    /// One of its own.
    Own(Box<Link>),
}

impl LinkGuard<'_> {
    pub(crate) fn link(&mut self) -> &mut Link {
        match self {
            Self::Kept(link) => link,
            Self::Own(link) => link,
        }
    }
}

/// Waits for the end of a process.
#[derive(Clone, Debug)]
pub(crate) struct ExitWatch(watch::Receiver<Option<Exit>>);

impl ExitWatch {
    /// How the process ended, as soon as it has.
    pub(crate) async fn ended(&mut self) -> Exit {
        let unknown = Exit { status: None };
        match self.0.wait_for(Option::is_some).await {
            Ok(exit) => exit.clone().unwrap_or(unknown),
            // The watching task ended without a word: the runtime is being shut down.
            Err(_) => unknown,
        }
    }
}

/// Owns the child: waits for its end, carries out the order to end it, and reaps it.
struct Watcher {
    child: Child,
    group: ProcessGroup,
    pid: u32,
    log: Arc<LogFile>,
    _alive: mpsc::Sender<std::convert::Infallible>,
}

impl Watcher {
    async fn watch(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        mut copying: tokio::task::JoinHandle<()>,
        exit: watch::Sender<Option<Exit>>,
    ) {
        let started = Instant::now();
        let status = tokio::select! {
            status = self.child.wait() => status,
            // No sender: the process was dropped, which means by force.
            order = orders.recv() => {
                let grace = order.as_ref().map_or(Duration::ZERO, |order| order.grace);
                self.end(grace).await
            }
        };
        // What it has started and left behind ends with it.
        self.group.signal(Signal::Kill);
        if timeout(OUTPUT_GRACE, &mut copying).await.is_err() {
            copying.abort();
        }
        let ended = Exit {
            status: status.ok(),
        };
        self.log.note(&format!(
            "process {} {} after {:.1} s",
            self.pid,
            ended.describe(),
            started.elapsed().as_secs_f64()
        ));
        exit.send_replace(Some(ended));
    }

    async fn end(&mut self, grace: Duration) -> std::io::Result<ExitStatus> {
        if !grace.is_zero() {
            self.group.signal(Signal::Terminate);
            if let Ok(status) = timeout(grace, self.child.wait()).await {
                return status;
            }
            self.log.note(&format!(
                "process {} did not end within {} s of the signal and is killed",
                self.pid,
                grace.as_secs()
            ));
        }
        self.group.signal(Signal::Kill);
        self.child.wait().await
    }
}

/// Copies what a process writes to stdout and stderr into the log and the tail.
async fn copy_output(mut output: Output, tail: Arc<Tail>, log: Arc<LogFile>) {
    let mut buffer = Vec::new();
    while let Ok(data @ [_, ..]) = output.read(&mut buffer).await {
        tail.push(data);
        log.write(data);
    }
}

/// A name like those that IIS makes up: `\\.\pipe\IISFCGI-` and a GUID. No pipe has it.
fn pipe_name() -> String {
    use std::hash::{BuildHasher, RandomState};
    let (high, low) = (
        RandomState::new().hash_one(0_u8),
        RandomState::new().hash_one(1_u8),
    );
    format!(
        r"\\.\pipe\IISFCGI-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_keeps_the_latest_octets() {
        let tail = Tail::default();
        tail.push(b"first");
        tail.push(&vec![b'x'; TAIL_LEN - 1]);
        tail.push(b"y");
        let text = tail.text();
        assert_eq!(text.len(), TAIL_LEN);
        assert!(text.ends_with("xy") && !text.contains("first"));
    }

    #[test]
    fn pipe_names_differ_and_have_the_form_of_those_of_iis() {
        let (one, other) = (pipe_name(), pipe_name());
        assert_ne!(one, other);
        let guid = one.strip_prefix(r"\\.\pipe\IISFCGI-").unwrap();
        assert_eq!(
            guid.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
    }

    #[test]
    fn command_lines_are_shown_with_quotes_where_needed() {
        let launch = Launch {
            program: "/opt/my python/bin/python".into(),
            arguments: vec![
                "-m".into(),
                "iiswsgi".into(),
                String::new(),
                "a \"b\"".into(),
            ],
            working_directory: "/".into(),
            environment: Vec::new(),
            protocol: Protocol::NamedPipe { overlapped: false },
            signal_before_terminate: Duration::ZERO,
        };
        assert_eq!(
            launch.command_line(),
            r#""/opt/my python/bin/python" -m iiswsgi "" "a \"b\"""#
        );
    }
}
