//! How the server listens and where it writes.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use camino::Utf8PathBuf;

/// What the configuration files do not say.
///
/// ```
/// let mut options = iis_dev_server::Options::default();
/// options.port = Some(8080);
/// assert!(options.address.is_loopback());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The address to listen at. Default: 127.0.0.1, as nothing here is made for strangers.
    pub address: IpAddr,
    /// The port of the first site; the next one gets the next port, and 0 means any port for each. Default: none, which
    /// means the port of each site's first HTTP binding, or any port where that is below 1024 or taken.
    pub port: Option<u16>,
    /// The names of the sites to serve, whatever the case of letters. Default: empty, which means all.
    pub sites: Vec<String>,
    /// The folder for logs, one folder a site below it. Default: `Logs` in the configuration's root, where the gateway
    /// writes its own log too.
    pub log_folder: Option<Utf8PathBuf>,
    /// Octets of a request's body at most; IIS's `maxAllowedContentLength`. A body of unknown length is held in memory up
    /// to it. Default: 30,000,000, as in IIS.
    pub max_allowed_content_length: u64,
    /// How long requests at work may go on when the server is told to stop. Default: 5 s.
    pub shutdown_grace: Duration,
    /// Whether a process gets an overlapped handle of its pipe on Windows; nobody has published which kind IIS's is. Default:
    /// `false`, a synchronous one. Elsewhere a socket stands in for the pipe, and it means nothing.
    pub overlapped_pipe: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: None,
            sites: Vec::new(),
            log_folder: None,
            max_allowed_content_length: 30_000_000,
            shutdown_grace: Duration::from_secs(5),
            overlapped_pipe: false,
        }
    }
}
