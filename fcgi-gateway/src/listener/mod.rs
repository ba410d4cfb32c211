//! Where connections come from: a TCP port, a Unix socket, or whatever the Web server left on file descriptor 0.

pub(crate) mod inherited;
mod owner;
mod stdin_socket;
pub(crate) mod systemd;
mod tcp;
mod transport;
mod unix;
mod web_server_addrs;

pub use owner::Owner;
pub use stdin_socket::{Family, Stdin, StdinSocket};
pub use tcp::TcpSocket;
pub use transport::{Listener, Transport};
pub use unix::UnixSocket;
pub use web_server_addrs::WebServerAddrs;
