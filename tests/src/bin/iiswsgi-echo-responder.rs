//! `iiswsgi-echo-responder`: the responder that `iiswsgi-conformance --help` describes, over `fcgi-gateway`. It serves
//! whatever socket is on file descriptor 0.

#![allow(clippy::print_stderr, reason = "a program for people at a terminal")]

use std::io::Read as _;
use std::process::ExitCode;

use fcgi_gateway::{Application, Bind, Error, Head, Request, Response, ServerOptions};

struct Echo;

impl Application for Echo {
    fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
        let mut stdin = Vec::new();
        if request.param("ECHO_EARLY").is_none() {
            request.body().read_to_end(&mut stdin)?;
        }
        if let Some(text) = request.param("ECHO_STDERR") {
            request.body().write_stderr(text)?;
        }
        let mut page = Vec::new();
        for (name, value) in request.params().iter() {
            page.extend_from_slice(name);
            page.push(b'=');
            for octet in value {
                page.extend_from_slice(format!("{octet:02x}").as_bytes());
            }
            page.push(b'\n');
        }
        page.extend_from_slice(format!("STDIN {}\n", stdin.len()).as_bytes());
        page.extend_from_slice(&stdin);
        let head = Head::new("200 OK")
            .header("Content-Type", "text/plain")
            .header("X-FastCGI-Echo", "stderr early");
        response.start(head)?;
        response.write(&page)
    }
}

fn main() -> ExitCode {
    let served = Bind::Auto
        .server(ServerOptions::default())
        .and_then(|server| server.run(&Echo));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
