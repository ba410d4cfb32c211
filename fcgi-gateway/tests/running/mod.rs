//! A server with an application in Rust, for as long as a test runs.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::thread;

use camino::Utf8PathBuf;
use fcgi_gateway::listener::{UnixSocket, WebServerAddrs};
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

/// A server on a Unix socket for as long as `test` runs.
pub(crate) fn with_server(
    threads: usize,
    limits: Limits,
    application: impl Fn(&mut Request<'_>, &mut Response) -> Result<(), Error> + Send + Sync,
    test: impl FnOnce(&(dyn Fn() -> Client<UnixStream> + Sync), &Shutdown),
) {
    let shutdown = Shutdown::new().unwrap();
    with_options(options(threads, limits, &shutdown), application, test);
}

/// As [`with_server`], with all options; they name how the server is told to stop.
pub(crate) fn with_options(
    options: ServerOptions,
    application: impl Fn(&mut Request<'_>, &mut Response) -> Result<(), Error> + Send + Sync,
    test: impl FnOnce(&(dyn Fn() -> Client<UnixStream> + Sync), &Shutdown),
) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().join("s")).unwrap();
    let socket = UnixSocket::bind(&path, None, None, WebServerAddrs::any()).unwrap();
    let shutdown = options.shutdown.clone().unwrap();
    let server = Server::listening(Box::new(socket), options).unwrap();
    thread::scope(|scope| {
        let running = scope.spawn(|| server.run(&Run(application)));
        // Also when the test fails, so that its message is seen.
        let stop = Stop(&shutdown);
        test(
            &|| Client::new(UnixStream::connect(&path).unwrap()),
            &shutdown,
        );
        drop(stop);
        running.join().unwrap().unwrap();
    });
    drop(server);
    assert!(!path.exists(), "the socket file is left behind");
}

pub(crate) struct Stop<'s>(pub(crate) &'s Shutdown);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.request();
    }
}
