//! FastCGI 1.0 records and both protocol state machines, without I/O.
//!
//! It models the *FastCGI Specification* 1.0 of 29 April 1996
//! (<https://fastcgi-archives.github.io/FastCGI_Specification.html>), sections 3 to 6 and 8, from both ends of a
//! connection:
//!
//! - [`application::Connection`] is what an application server drives: octets in, requests out, responses framed;
//! - [`web_server::Connection`] is what a Web server, a test or a proxy drives: requests framed, responses out;
//! - [`Decoder`] and [`frames`] are the records underneath, [`Params`] and [`name_values`] the variables.
//!
//! There is no socket, clock, thread or log in here: a driver, blocking or not, moves octets between a transport and a
//! machine. Content is never copied on its way through: events borrow from the input, and [`Frames`] from the output.
//! What a peer can make the machines keep is bounded by [`Limits`], and no length that it sends is believed before
//! the octets are there. Every malformed input is an [`Error`] with its offset in the stream.
//!
//! It leaves out how an application gets its listening socket (§2), the format of CGI headers, and the IIS dialect,
//! which are the drivers' business.
//!
//! # Both sides over a socket
//!
//! ```
//! use std::io::{self, Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use fcgi_proto::{Limits, ProtocolStatus, Role, application, web_server};
//!
//! /// Answers the requests of one connection with the name in their path.
//! fn serve(mut stream: TcpStream) -> io::Result<()> {
//!     use application::{AfterRequest, Config, Connection, Event};
//!     let mut conn = Connection::new(Config::default(), Limits::default());
//!     let (mut buffer, mut output) = (vec![0; 64 * 1024], Vec::new());
//!     loop {
//!         let len = stream.read(&mut buffer)?;
//!         if len == 0 {
//!             return conn.handle_eof().map_err(io::Error::other);
//!         }
//!         let mut after = AfterRequest::KeepConnection;
//!         let mut input = &buffer[..len];
//!         while let Some(event) = conn.handle_input(&mut input).map_err(io::Error::other)? {
//!             if let Event::Request { id, params, .. } = event {
//!                 let path = params.get(b"PATH_INFO").unwrap_or_default();
//!                 let reply = [b"Content-Type: text/plain\r\n\r\nHello ", path].concat();
//!                 conn.recycle(params);
//!                 conn.stdout(id, &reply, &mut output).map_err(io::Error::other)?;
//!                 after = conn.end_request(id, 0, &mut output).map_err(io::Error::other)?;
//!             }
//!         }
//!         conn.take_output(&mut output);
//!         stream.write_all(&output)?;
//!         output.clear();
//!         if after == AfterRequest::CloseConnection {
//!             return Ok(());
//!         }
//!     }
//! }
//!
//! /// Makes one request and returns the response, CGI headers and body.
//! fn request(mut stream: TcpStream, path: &str) -> io::Result<Vec<u8>> {
//!     use web_server::{Config, Connection, Event};
//!     let mut conn = Connection::new(Config::default(), Limits::default());
//!     let (mut buffer, mut output, mut response) = (vec![0; 64 * 1024], Vec::new(), Vec::new());
//!     let id = conn.begin(Role::RESPONDER, false, &mut output).map_err(io::Error::other)?;
//!     let variables = [("REQUEST_METHOD", "GET"), ("PATH_INFO", path)];
//!     conn.params(id, variables, &mut output).map_err(io::Error::other)?;
//!     conn.stdin_end(id, &mut output).map_err(io::Error::other)?;
//!     stream.write_all(&output)?;
//!     loop {
//!         let len = stream.read(&mut buffer)?;
//!         if len == 0 {
//!             return Err(io::ErrorKind::UnexpectedEof.into());
//!         }
//!         let mut input = &buffer[..len];
//!         while let Some(event) = conn.handle_input(&mut input).map_err(io::Error::other)? {
//!             match event {
//!                 Event::Stdout { data, .. } => response.extend_from_slice(data),
//!                 Event::End { protocol_status: ProtocolStatus::REQUEST_COMPLETE, .. } => return Ok(response),
//!                 Event::End { protocol_status, .. } => return Err(io::Error::other(protocol_status.to_string())),
//!                 _ => {}
//!             }
//!         }
//!     }
//! }
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let application = std::thread::spawn(move || serve(listener.accept()?.0));
//! let response = request(TcpStream::connect(address)?, "/caf%C3%A9")?;
//! assert_eq!(response, b"Content-Type: text/plain\r\n\r\nHello /caf%C3%A9");
//! application.join().unwrap()?;
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # Features
//!
//! - `proptest1`: strategies for records, requests and streams of records, for the property tests of importers. It
//!   needs `std`; without it the crate needs `core` and `alloc`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "proptest1"))]
extern crate std;

pub mod application;
mod body;
pub mod consts;
mod decoder;
mod encoder;
mod error;
mod header;
mod length;
mod limits;
mod management;
mod name_value;
mod params;
#[cfg(feature = "proptest1")]
pub mod strategies;
mod types;
pub mod web_server;

pub use body::{BeginRequest, EndRequest, UnknownType};
pub use decoder::{Chunk, Decoder};
pub use encoder::{Frame, Frames, frames};
pub use error::{Error, Fate, Limit};
pub use header::Header;
pub use length::Length;
pub use limits::Limits;
pub use management::Values;
pub use name_value::{NameValues, name_value_len, name_values, write_name_value};
pub use params::{Params, ParamsIter};
pub use types::{Flags, ProtocolStatus, RecordType, RequestId, Role, Roles};
