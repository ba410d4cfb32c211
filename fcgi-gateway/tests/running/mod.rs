//! A server with an application in Rust, for as long as a test runs.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::io::Read as _;
use std::thread;

use fcgi_gateway::listener::{Listener, WebServerAddrs};
use fcgi_gateway::{
    Application, Error, Head, Limits, Request, Response, Server, ServerOptions, Shutdown,
};

use crate::web_server::Client;

/// Runs whatever a test writes.
pub(crate) struct Run<F>(pub(crate) F);

impl<F: Fn(&mut Request<'_>, &mut Response) -> Result<(), Error> + Sync> Application for Run<F> {
    fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
        (self.0)(request, response)
    }
}

pub(crate) fn ok() -> Head {
    Head::new("200 OK").header("Content-Type", "text/plain")
}

pub(crate) fn echo(request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
    let mut body = Vec::new();
    request.body().read_to_end(&mut body)?;
    response.start(ok())?;
    response.write_last(&[&body])
}

pub(crate) fn options(threads: usize, limits: Limits, shutdown: &Shutdown) -> ServerOptions {
    let mut options = ServerOptions::default();
    options.threads = threads;
    options.limits = limits;
    options.shutdown = Some(shutdown.clone());
    options
}

#[cfg(unix)]
pub(crate) use std::os::unix::net::UnixStream as Stream;

#[cfg(windows)]
pub(crate) use std::net::TcpStream as Stream;

/// Where a server listens: a Unix socket.
#[cfg(unix)]
struct Place(tempfile::TempDir);

#[cfg(unix)]
impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> camino::Utf8PathBuf {
        camino::Utf8PathBuf::from_path_buf(self.0.path().join("s")).unwrap()
    }

    fn bind(&self) -> Box<dyn Listener> {
        let allowed = WebServerAddrs::any();
        let socket = fcgi_gateway::listener::UnixSocket::bind(&self.path(), None, None, allowed);
        Box::new(socket.unwrap())
    }

    fn connect(&self) -> Stream {
        Stream::connect(self.path()).unwrap()
    }

    fn check_left(&self) {
        assert!(!self.path().exists(), "the socket file is left behind");
    }
}

/// Where a server listens: a TCP port, which is known when it does.
#[cfg(windows)]
struct Place(std::sync::OnceLock<std::net::SocketAddr>);

#[cfg(windows)]
impl Place {
    const fn new() -> Self {
        Self(std::sync::OnceLock::new())
    }

    fn bind(&self) -> Box<dyn Listener> {
        let any_port = ([127, 0, 0, 1], 0).into();
        let socket = fcgi_gateway::listener::TcpSocket::bind(any_port, WebServerAddrs::any());
        let socket = socket.unwrap();
        self.0.set(socket.local_addr().unwrap()).unwrap();
        Box::new(socket)
    }

    fn connect(&self) -> Stream {
        let stream = Stream::connect(self.0.get().unwrap()).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    fn check_left(&self) {
        assert!(
            Stream::connect(self.0.get().unwrap()).is_err(),
            "somebody still listens"
        );
    }
}

/// A server on a socket of this system for as long as `test` runs.
pub(crate) fn with_server(
    threads: usize,
    limits: Limits,
    application: impl Fn(&mut Request<'_>, &mut Response) -> Result<(), Error> + Send + Sync,
    test: impl FnOnce(&(dyn Fn() -> Client<Stream> + Sync), &Shutdown),
) {
    let shutdown = Shutdown::new().unwrap();
    with_options(options(threads, limits, &shutdown), application, test);
}

/// As [`with_server`], with all options; they name how the server is told to stop.
pub(crate) fn with_options(
    options: ServerOptions,
    application: impl Fn(&mut Request<'_>, &mut Response) -> Result<(), Error> + Send + Sync,
    test: impl FnOnce(&(dyn Fn() -> Client<Stream> + Sync), &Shutdown),
) {
    let place = Place::new();
    let socket = place.bind();
    let shutdown = options.shutdown.clone().unwrap();
    let server = Server::listening(socket, options).unwrap();
    thread::scope(|scope| {
        let running = scope.spawn(|| server.run(&Run(application)));
        // Also when the test fails, so that its message is seen.
        let stop = Stop(&shutdown);
        test(&|| Client::new(place.connect()), &shutdown);
        drop(stop);
        running.join().unwrap().unwrap();
    });
    drop(server);
    place.check_left();
}

pub(crate) struct Stop<'s>(pub(crate) &'s Shutdown);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.request();
    }
}
