//! `fcgi-proto` over memory.

use std::hint::black_box;

use fcgi_proto::application::{self, Config, Event};
use fcgi_proto::{Limits, Role, web_server};

use crate::{LOOKED_UP, REPLY, Request, Response};

/// The application's side of one connection.
#[derive(Debug)]
pub struct Application {
    conn: application::Connection,
    buffer: Vec<u8>,
    output: Vec<u8>,
}

/// What is done with a request's body.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// It is looked at where it lies.
    InPlace,
    /// It is collected in a buffer.
    Collected,
}

impl Application {
    /// With limits that let ten thousand variables through.
    #[must_use]
    pub fn new() -> Self {
        let mut limits = Limits::default();
        limits.params_pairs = 10_000;
        limits.params_len = 1024 * 1024;
        Self {
            conn: application::Connection::new(Config::default(), limits),
            buffer: vec![0; 64 * 1024],
            output: Vec::new(),
        }
    }

    /// Serves the request `count` times; the octets of output.
    pub fn serve(&mut self, request: &Request, count: usize) -> usize {
        let Self {
            conn,
            buffer,
            output,
        } = self;
        let mut written = 0;
        for _ in 0..count {
            // As if from a socket that holds one request.
            for piece in request.octets.chunks(buffer.len()) {
                buffer[..piece.len()].copy_from_slice(piece);
                let mut input = &buffer[..piece.len()];
                while let Ok(Some(event)) = conn.handle_input(&mut input) {
                    match event {
                        Event::Request { id, params, .. } => {
                            black_box(params.get(LOOKED_UP.as_bytes()));
                            conn.recycle(params);
                            let result = conn.stdout(id, &REPLY, output);
                            debug_assert_eq!(result, Ok(()));
                        }
                        Event::StdinEnd { id } => {
                            let _ = conn.end_request(id, 0, output);
                        }
                        _ => {}
                    }
                }
            }
            conn.take_output(output);
            written += black_box(&*output).len();
            output.clear();
        }
        written
    }

    /// Takes a request's body from where the request lies, and ends the request; the octets of the body.
    pub fn receive(&mut self, request: &Request, body: Body, collected: &mut Vec<u8>) -> usize {
        let (mut input, mut len) = (&request.octets[..], 0);
        collected.clear();
        while let Ok(Some(event)) = self.conn.handle_input(&mut input) {
            match event {
                Event::Request { params, .. } => self.conn.recycle(params),
                Event::Stdin { data, .. } => {
                    len += black_box(data).len();
                    if matches!(body, Body::Collected) {
                        collected.extend_from_slice(data);
                    }
                }
                Event::StdinEnd { id } => {
                    let _ = self.conn.end_request(id, 0, &mut self.output);
                    self.output.clear();
                }
                _ => {}
            }
        }
        len
    }

    /// Writes a response with this body into `output`; its octets.
    pub fn respond(&mut self, request: &Request, body: &[u8], output: &mut Vec<u8>) -> usize {
        let mut input = &request.octets[..];
        output.clear();
        while let Ok(Some(event)) = self.conn.handle_input(&mut input) {
            match event {
                Event::Request { params, .. } => self.conn.recycle(params),
                Event::StdinEnd { id } => {
                    // As applications write: a piece at a time.
                    for piece in body.chunks(64 * 1024 - 8) {
                        let result = self.conn.stdout(id, piece, output);
                        debug_assert_eq!(result, Ok(()));
                    }
                    let _ = self.conn.end_request(id, 0, output);
                }
                _ => {}
            }
        }
        black_box(&*output).len()
    }
}

impl Default for Application {
    fn default() -> Self {
        Self::new()
    }
}

/// The Web server's side of one connection.
#[derive(Debug)]
pub struct WebServer {
    conn: web_server::Connection,
    buffer: Vec<u8>,
    output: Vec<u8>,
    response: Vec<u8>,
}

impl WebServer {
    /// A new connection.
    #[must_use]
    pub fn new() -> Self {
        Self {
            conn: web_server::Connection::new(web_server::Config::default(), Limits::default()),
            buffer: vec![0; 64 * 1024],
            output: Vec::new(),
            response: Vec::new(),
        }
    }

    /// Makes a request with these variables and collects the response `count` times; the octets of the responses.
    pub fn request(
        &mut self,
        variables: &[(String, String)],
        response: &Response,
        count: usize,
    ) -> usize {
        let mut received = 0;
        for _ in 0..count {
            let begun = self.conn.begin(Role::RESPONDER, true, &mut self.output);
            if let Ok(id) = begun {
                let pairs = variables.iter().map(|(name, value)| (name, value));
                let _ = self.conn.params(id, pairs, &mut self.output);
                let _ = self.conn.stdin_end(id, &mut self.output);
            }
            black_box(&self.output);
            self.output.clear();
            let len = response.octets.len();
            self.buffer[..len].copy_from_slice(&response.octets);
            let mut input = &self.buffer[..len];
            while let Ok(Some(event)) = self.conn.handle_input(&mut input) {
                if let web_server::Event::Stdout { data, .. } = event {
                    self.response.extend_from_slice(data);
                }
            }
            received += black_box(&self.response).len();
            self.response.clear();
        }
        received
    }
}

impl Default for WebServer {
    fn default() -> Self {
        Self::new()
    }
}
