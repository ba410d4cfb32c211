//! A Web server for the tests, over any stream.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::io::{Read, Write};

use fcgi_proto::web_server::{Config, Connection, Event};
use fcgi_proto::{Limits, ProtocolStatus, RequestId, Role};

pub(crate) struct Client<S> {
    pub(crate) stream: S,
    connection: Connection,
    id: Option<RequestId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) app_status: u32,
    pub(crate) protocol_status: ProtocolStatus,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
}

impl Answer {
    pub(crate) fn head_line(&self, name: &str) -> Option<&str> {
        let lines = self
            .head
            .split("\r\n")
            .filter_map(|line| line.split_once(": "));
        lines
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value)
            .next()
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            connection: Connection::new(Config::default(), Limits::default()),
            id: None,
        }
    }

    /// The octets of a request.
    pub(crate) fn encode(
        &mut self,
        keep_conn: bool,
        params: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<u8> {
        let mut out = Vec::new();
        if self.connection.should_close() {
            // Under IIS a connection goes on without FCGI_KEEP_CONN.
            self.connection = Connection::new(Config::default(), Limits::default());
        }
        let id = self
            .connection
            .begin(Role::RESPONDER, keep_conn, &mut out)
            .unwrap();
        self.id = Some(id);
        self.connection
            .params(id, params.iter().copied(), &mut out)
            .unwrap();
        self.connection.stdin(id, body, &mut out).unwrap();
        self.connection.stdin_end(id, &mut out).unwrap();
        out
    }

    /// Sends a request without its body.
    pub(crate) fn begin(&mut self, keep_conn: bool, params: &[(&str, &str)]) {
        let mut out = Vec::new();
        let id = self
            .connection
            .begin(Role::RESPONDER, keep_conn, &mut out)
            .unwrap();
        self.id = Some(id);
        self.connection
            .params(id, params.iter().copied(), &mut out)
            .unwrap();
        self.stream.write_all(&out).unwrap();
    }

    /// Sends the body of a request that was begun without.
    pub(crate) fn finish(&mut self, body: &[u8]) {
        let (mut out, id) = (Vec::new(), self.id.unwrap());
        self.connection.stdin(id, body, &mut out).unwrap();
        self.connection.stdin_end(id, &mut out).unwrap();
        self.stream.write_all(&out).unwrap();
    }

    pub(crate) fn abort(&mut self) {
        let mut out = Vec::new();
        self.connection.abort(self.id.unwrap(), &mut out).unwrap();
        self.stream.write_all(&out).unwrap();
    }

    pub(crate) fn send(&mut self, keep_conn: bool, params: &[(&str, &str)], body: &[u8]) {
        let out = self.encode(keep_conn, params, body);
        self.stream.write_all(&out).unwrap();
    }

    pub(crate) fn receive(&mut self) -> Answer {
        let mut stdout = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let len = self.stream.read(&mut buffer).unwrap();
            assert_ne!(len, 0, "the connection ended before the request");
            let mut input = &buffer[..len];
            while let Some(event) = self.connection.handle_input(&mut input).unwrap() {
                match event {
                    Event::Stdout { data, .. } => stdout.extend_from_slice(data),
                    Event::End {
                        app_status,
                        protocol_status,
                        ..
                    } => {
                        assert!(input.is_empty(), "octets behind the end of the request");
                        let end = stdout.windows(4).position(|window| window == b"\r\n\r\n");
                        let (head, body) = end.map_or((&[][..], &stdout[..]), |end| {
                            (&stdout[..end], &stdout[end + 4..])
                        });
                        let head = String::from_utf8(head.to_vec()).unwrap();
                        return Answer {
                            head,
                            body: body.to_vec(),
                            end: End {
                                app_status,
                                protocol_status,
                            },
                        };
                    }
                    _ => {}
                }
            }
        }
    }

    pub(crate) fn request(
        &mut self,
        keep_conn: bool,
        params: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.send(keep_conn, params, body);
        self.receive()
    }

    /// Waits for the end of the connection.
    pub(crate) fn at_end(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            // Closed with octets of ours unread.
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}
