//! Answers every request with its body, behind whatever Web server has left a connection on standard input.
//!
//! `cargo run -p fcgi-gateway --example echo`, as the command line of a FastCGI application.

use std::io::Read as _;

use fcgi_gateway::{Application, Bind, Error, Head, Request, Response, ServerOptions};

struct Echo;

impl Application for Echo {
    fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
        let mut body = Vec::new();
        request.body().read_to_end(&mut body)?;
        response.start(Head::new("200 OK").header("Content-Type", "application/octet-stream"))?;
        response.write_last(&[&body])
    }
}

fn main() -> Result<(), Error> {
    Bind::Auto.server(ServerOptions::default())?.run(&Echo)
}
