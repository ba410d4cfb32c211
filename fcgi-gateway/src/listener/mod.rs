//! Where connections come from: a TCP port, a Unix socket, or whatever the Web server left on file descriptor 0.

mod stdin_socket;
mod tcp;
mod transport;
mod unix;
mod web_server_addrs;

pub use stdin_socket::{Family, Stdin, StdinSocket};
pub use tcp::TcpSocket;
pub use transport::{Listener, Transport};
pub use unix::UnixSocket;
pub use web_server_addrs::WebServerAddrs;
