//! The sockets in front: one for each site, HTTP/1.1.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use iis_config::win_path;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::Configuration;
use crate::service::{Endpoints, Service};
use crate::{Error, Options};

/// How long a client may take for the head of a request.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long killed processes are waited for. The system takes milliseconds; the limit is for one that cannot be killed.
const REAP_TIME: Duration = Duration::from_secs(65);

/// The first port that any user may listen at.
const FIRST_USER_PORT: u16 = 1024;

/// Where a site is served.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SiteAddress {
    /// The name of the site.
    pub site: String,
    /// The address and port.
    pub address: SocketAddr,
}

impl fmt::Display for SiteAddress {
    /// The URL: `http://127.0.0.1:8080/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}/", self.address)
    }
}

/// A running server. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Server {
    service: Arc<Service>,
    addresses: Vec<SiteAddress>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// Ends when no process is left.
    alive: mpsc::Receiver<Infallible>,
    shutdown_grace: Duration,
}

impl Server {
    /// Listens at all ports and begins to serve. Processes are started when the first request needs them.
    ///
    /// Must be called inside a tokio runtime with I/O and time, of several threads for any load.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSite`], [`Error::PortRange`], [`Error::Listen`]. Nothing is served then.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), iis_dev_server::Error> {
    /// let configuration = iis_dev_server::load("site".into())?;
    /// let server = iis_dev_server::Server::start(configuration, Default::default()).await?;
    /// for address in server.addresses() {
    ///     println!("{}: {address}", address.site);
    /// }
    /// server.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn start(configuration: Configuration, options: Options) -> Result<Self, Error> {
        let chosen = chosen_sites(&configuration, &options)?;
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for (order, &site) in chosen.iter().enumerate() {
            let (listener, address) = listen(&configuration, site, order, &options).await?;
            listeners.push((listener, Arc::from(address.site.as_str())));
            addresses.push(address);
        }
        let shutdown_grace = options.shutdown_grace;
        let (alive_sender, alive) = mpsc::channel(1);
        let service = Arc::new(Service::new(configuration, options, alive_sender)?);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for (listener, site) in listeners {
            tasks.spawn(accept(
                listener,
                site,
                Arc::clone(&service),
                stopped.clone(),
            ));
        }
        Ok(Self {
            service,
            addresses,
            stop,
            tasks,
            alive,
            shutdown_grace,
        })
    }

    /// Where the sites are served.
    #[must_use]
    pub fn addresses(&self) -> &[SiteAddress] {
        &self.addresses
    }

    /// Stops: no new requests, [`Options::shutdown_grace`] for those at work, then the end of all processes, which are
    /// waited for.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let finished = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(self.shutdown_grace, finished).await.is_err() {
            tracing::warn!("requests are still at work and are broken off");
            self.tasks.shutdown().await;
        }
        self.service.close();
        // Nothing is ever sent: this ends when the last process has ended.
        if timeout(REAP_TIME, self.alive.recv()).await.is_err() {
            tracing::warn!("a process has not ended");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.service.close();
    }
}

/// Serves until `shutdown` is ready. `started` is told the addresses.
///
/// # Errors
///
/// Those of [`Server::start`].
pub async fn serve(
    configuration: Configuration,
    options: Options,
    started: impl FnOnce(&[SiteAddress]),
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let server = Server::start(configuration, options).await?;
    started(server.addresses());
    shutdown.await;
    server.stop().await;
    Ok(())
}

/// The indices of the sites to serve.
fn chosen_sites(configuration: &Configuration, options: &Options) -> Result<Vec<usize>, Error> {
    let sites = &configuration.sites;
    if options.sites.is_empty() {
        return Ok((0..sites.len()).collect());
    }
    let mut chosen = Vec::new();
    for name in &options.sites {
        chosen.push(site_index(configuration, name)?);
    }
    Ok(chosen)
}

pub(crate) fn site_index(configuration: &Configuration, name: &str) -> Result<usize, Error> {
    let sites = &configuration.sites;
    sites
        .iter()
        .position(|site| win_path::eq_ignore_case(&site.definition.name, name))
        .ok_or_else(|| Error::UnknownSite {
            name: name.to_owned(),
            sites: sites
                .iter()
                .map(|site| format!("`{}`", site.definition.name))
                .collect(),
        })
}

async fn listen(
    configuration: &Configuration,
    site: usize,
    order: usize,
    options: &Options,
) -> Result<(TcpListener, SiteAddress), Error> {
    let Some(definition) = configuration.sites.get(site).map(|site| &site.definition) else {
        return Err(Error::UnknownSite {
            name: site.to_string(),
            sites: Vec::new(),
        });
    };
    let name = || definition.name.clone();
    let bound_port = definition
        .bindings
        .iter()
        .find_map(|binding| binding.http_parts());
    let (port, or_any) = match (options.port, bound_port) {
        (Some(0), _) | (None, None) => (0, false),
        (Some(first), _) => {
            let port = u16::try_from(order)
                .ok()
                .and_then(|order| first.checked_add(order));
            (
                port.ok_or_else(|| Error::PortRange { site: name() })?,
                false,
            )
        }
        (None, Some((_, port, _))) if port >= FIRST_USER_PORT => (port, true),
        (None, Some(_)) => (0, false),
    };
    let address = SocketAddr::new(options.address, port);
    let mut listener = TcpListener::bind(address).await;
    if or_any && listener.is_err() {
        tracing::info!(%address, site = definition.name, "the port of the binding is taken");
        listener = TcpListener::bind(SocketAddr::new(options.address, 0)).await;
    }
    let listener = listener.map_err(|source| Error::Listen {
        site: name(),
        address,
        source,
    })?;
    let address = listener.local_addr()?;
    Ok((
        listener,
        SiteAddress {
            site: name(),
            address,
        },
    ))
}

/// Accepts the connections to a site until it is told to stop, and waits for them then.
async fn accept(
    listener: TcpListener,
    site: Arc<str>,
    service: Arc<Service>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, remote)) => {
                    let connection = connection(stream, remote, Arc::clone(&site), Arc::clone(&service), stopped.clone());
                    connections.spawn(connection);
                }
                Err(error) => {
                    // Out of descriptors, mostly: it passes when connections end.
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = stop_ordered(&mut stopped) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Ready when the server is told to stop, or is gone.
async fn stop_ordered(stopped: &mut watch::Receiver<bool>) {
    let _server_gone = stopped.wait_for(|stopped| *stopped).await.is_err();
}

async fn connection(
    stream: TcpStream,
    remote: SocketAddr,
    site: Arc<str>,
    service: Arc<Service>,
    mut stopped: watch::Receiver<bool>,
) {
    let Ok(local) = stream.local_addr() else {
        return;
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let endpoints = Endpoints { remote, local };
    let respond = service_fn(move |request| {
        let (service, site) = (Arc::clone(&service), Arc::clone(&site));
        async move {
            let response = service.respond(&site, request, endpoints).await;
            Ok::<_, Infallible>(response)
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .serve_connection(TokioIo::new(stream), respond);
    let mut serving = std::pin::pin!(serving);
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = stop_ordered(&mut stopped) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, %remote, "the connection ended badly");
    }
}
