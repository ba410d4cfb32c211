//! A local stand-in for IIS: HTTP in front of the FastCGI processes that an IIS configuration names.
//!
//! [`load`] reads `applicationHost.config` and the `web.config` files of a folder, [`Server`] serves the sites that they
//! describe, and [`once()`] sends one request through all of it. Requests get the variables that IIS sends, processes are
//! started, limited and ended as IIS does it, one request at a time each; and what IIS answers with a bare 500 becomes a
//! page that says what went wrong, where the log is and what to try.
//!
//! ```no_run
//! use iis_dev_server::{Options, load, serve};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let configuration = load("/srv/site".into())?;
//! serve(
//!     configuration,
//!     Options::default(),
//!     |addresses| println!("serving {}", addresses[0]),
//!     async { tokio::signal::ctrl_c().await.unwrap_or_default() },
//! )
//! .await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where it differs from IIS
//!
//! - Responses are passed on as they come. IIS holds back the first `responseBufferLimit` octets of the handler (4 MiB by
//!   default), which is why event streams need 0 there.
//! - `stdout` and `stderr` of a process go to a log file. IIS closes them.
//! - A named pipe is a connected Unix socket on standard input; the event of `signalBeforeTerminateSeconds` is `SIGTERM`.
//! - A body of unknown length (chunked) is gathered and sent with its `CONTENT_LENGTH`.
//! - A process that ends without an answer is 502, an answer that is not CGI is 502; both are 500 in IIS.
//!
//! # What is left out
//!
//! TLS, HTTP/2, authentication, URL Rewrite, and `web.config` files in folders below an application's. A change of a
//! configuration file applies to the next request, but a new site needs a new start. It serves developers on their own machine: it is not hardened against hostile clients.

mod cgi_response;
mod config;
mod error;
mod exchange;
mod faults;
mod launch;
mod log_file;
mod once;
mod options;
mod output;
mod pages;
mod place;
mod pool;
mod process;
mod process_group;
mod refusals;
mod reload;
mod request_body;
mod request_filtering;
mod response_body;
mod rules;
mod server;
mod service;
mod sink;
mod spawner;
mod static_file;
mod stdin;
mod stream;
mod target;
mod variables;

pub use config::{Application, Configuration, Site, load, load_with};
pub use error::Error;
pub use once::{Explanation, OnceReport, OnceRequest, once};
pub use options::Options;
pub use rules::RULES;
pub use server::{Server, SiteAddress, serve};
