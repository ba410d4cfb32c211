//! FastCGI application server and the WSGI bridge to CPython.
//!
//! It models how an application gets its connections (FastCGI Specification 1.0, sections 2.2, 3.2 and 7,
//! <https://fastcgi-archives.github.io/FastCGI_Specification.html>), the response that CGI prescribes (RFC 3875,
//! section 6), and with the feature `python` the server's side of PEP 3333
//! (<https://peps.python.org/pep-3333/>). The protocol itself is [`fcgi_proto`]'s. Where IIS does otherwise than the
//! specifications say, `iis` has it with its source.
//!
//! - [`Application`] is what answers requests, in Rust; [`wsgi`] makes one of a Python object.
//! - [`listener`] is where connections come from: the socket on file descriptor 0, listening or connected as under IIS,
//!   a Unix socket, a TCP port. [`Bind`] chooses.
//! - [`Server`] waits for connections and runs the application in its threads, until [`Shutdown`].
//! - [`Processes`] says how many processes serve, and when they are replaced: a supervisor starts them as programs of their
//!   own.
//! - [`simulate`] makes one request in this process, through everything but the socket's address.
//! - [`registry`] is what Windows' registry says of IIS.
//! - [`log`] finds a place for the log before anything else can fail; [`AccessLog`] has a line for each request.
//! - [`Scoreboard`] is what the processes of a gateway count together, and [`Pages`] show it; [`Watch`] looks after requests
//!   that take long.
//!
//! # An application in Rust
//!
//! ```
//! use fcgi_gateway::{Application, Error, Head, Request, Response, SimulatedRequest, simulate};
//!
//! struct Hello;
//!
//! impl Application for Hello {
//!     fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
//!         let path = String::from_utf8_lossy(request.param("PATH_INFO").unwrap_or_default()).into_owned();
//!         response.start(Head::new("200 OK").header("Content-Type", "text/plain; charset=utf-8"))?;
//!         response.write_last(&[b"Hello ", path.as_bytes()])
//!     }
//! }
//!
//! let response = simulate(&Hello, &SimulatedRequest::new("GET", "/caf%C3%A9?x=y"))?;
//! assert_eq!(response.head.status, "200 OK");
//! assert_eq!(response.head.value("Content-Length"), Some("12"));
//! assert_eq!(response.body, "Hello /café".as_bytes());
//! # Ok::<(), Error>(())
//! ```
//!
//! # What it leaves out
//!
//! The roles Authorizer and Filter; several requests at once on one connection, which no Web server asks for. On Windows: Unix
//! sockets, systemd, several processes by a supervisor, and signals other than the console's.
//!
//! # Features
//!
//! - `python`: [`wsgi`]'s bridge to CPython, 3.9 or later, through its stable ABI. Only an extension module can have
//!   it, as it does not link an interpreter.

mod access_log;
mod activity;
mod application;
mod code_page;
mod descriptor;
mod driver;
mod error;
mod head;
mod iis;
mod impersonation;
mod limits;
pub mod listener;
mod local_stream;
pub mod log;
mod processes;
#[cfg(all(target_os = "linux", any(test, feature = "python")))]
mod program_text;
pub mod registry;
mod reload;
mod scoreboard;
mod sender;
mod serve_options;
mod server;
mod shutdown;
#[cfg(windows)]
mod shutdown_event;
mod simulate;
mod status;
#[cfg(all(unix, any(test, feature = "python")))]
#[cfg_attr(
    not(feature = "python"),
    expect(dead_code, reason = "the program of the workers is Python's")
)]
mod supervisor;
mod watchdog;
pub mod wsgi;

pub use access_log::{AccessLog, AccessLogFormat};
pub use application::{Application, Body, Request, RequestNumber, Response};
pub use error::Error;
pub use head::{Head, HeadFault};
pub use limits::Limits;
pub use processes::Processes;
pub use reload::Reload;
pub use scoreboard::{Durations, Histogram, Scoreboard, Slot, SlotReading, WorkerState};
pub use serve_options::{Bind, ServeOptions, explain};
pub use server::{Retire, Server, ServerOptions};
pub use shutdown::Shutdown;
pub use simulate::{SimulatedRequest, SimulatedResponse, simulate};
pub use status::Pages;
pub use watchdog::Watch;
#[cfg(feature = "python")]
pub use wsgi::{load_application, serve, serve_callable, serve_wfastcgi};
