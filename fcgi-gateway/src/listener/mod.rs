//! Where connections come from: a TCP port, a Unix socket, or whatever the Web server left on file descriptor 0.

#[cfg(unix)]
pub(crate) mod inherited;
mod owner;
mod stdin_socket;
#[cfg(unix)]
pub(crate) mod systemd;
mod tcp;
mod transport;
#[cfg(unix)]
mod unix;
mod web_server_addrs;
#[cfg(windows)]
mod windows_pipe;

pub use crate::impersonation::Impersonation;
pub use owner::Owner;
pub use stdin_socket::{Family, Stdin, StdinSocket};
pub use tcp::TcpSocket;
pub use transport::{Listener, Transport};
#[cfg(unix)]
pub use unix::UnixSocket;
pub use web_server_addrs::WebServerAddrs;
