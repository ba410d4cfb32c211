//! One request through an application, without a Web server: for tests, and to see that an installation works.

use std::io::{self, Read as _, Write as _};
use std::thread;

use fcgi_proto::web_server::{Config, Connection, Event};
use fcgi_proto::{Limits, ProtocolStatus, Role};
use percent_encoding::percent_decode_str;

use crate::local_stream::{self, LocalStream};
use crate::{Application, Error, Head, Server, ServerOptions};

/// A request as a client makes it; [`simulate`] makes of it what a Web server sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimulatedRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, percent-encoded.
    pub target: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body; where it is not empty, its length is announced.
    pub body: Vec<u8>,
    /// FastCGI parameters besides those made of the above, or instead of them.
    pub params: Vec<(String, String)>,
}

impl SimulatedRequest {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            ..Self::default()
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Adds a FastCGI parameter.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// What a Web server sends for it; a name that is given in `params` is not made.
    fn variables(&self) -> Vec<(String, Vec<u8>)> {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let length = if self.body.is_empty() {
            String::new()
        } else {
            self.body.len().to_string()
        };
        let header = |name: &str| {
            self.headers
                .iter()
                .find(|(found, _)| found.eq_ignore_ascii_case(name))
                .map_or("", |(_, value)| value.as_str())
        };
        let mut variables = vec![
            ("GATEWAY_INTERFACE".to_owned(), b"CGI/1.1".to_vec()),
            (
                "REQUEST_METHOD".to_owned(),
                self.method.clone().into_bytes(),
            ),
            ("SCRIPT_NAME".to_owned(), Vec::new()),
            ("PATH_INFO".to_owned(), percent_decode_str(path).collect()),
            ("QUERY_STRING".to_owned(), query.as_bytes().to_vec()),
            ("REQUEST_URI".to_owned(), self.target.clone().into_bytes()),
            (
                "CONTENT_TYPE".to_owned(),
                header("content-type").as_bytes().to_vec(),
            ),
            ("CONTENT_LENGTH".to_owned(), length.into_bytes()),
            ("SERVER_NAME".to_owned(), b"localhost".to_vec()),
            ("SERVER_PORT".to_owned(), b"80".to_vec()),
            ("SERVER_PROTOCOL".to_owned(), b"HTTP/1.1".to_vec()),
            (
                "SERVER_SOFTWARE".to_owned(),
                concat!("iiswsgi/", env!("CARGO_PKG_VERSION")).into(),
            ),
            ("REMOTE_ADDR".to_owned(), b"127.0.0.1".to_vec()),
        ];
        for (name, value) in &self.headers {
            let name = format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_"));
            variables.push((name, value.clone().into_bytes()));
        }
        variables.retain(|(name, _)| self.params.iter().all(|(given, _)| given != name));
        variables.extend(
            self.params
                .iter()
                .map(|(name, value)| (name.clone(), value.clone().into_bytes())),
        );
        variables
    }
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimulatedResponse {
    /// Status and headers.
    pub head: Head,
    /// The body.
    pub body: Vec<u8>,
    /// What was sent over `FCGI_STDERR`.
    pub stderr: Vec<u8>,
    /// As a CGI program's exit status: other than 0 where the application has failed behind the headers.
    pub app_status: u32,
}

/// Makes a request to an application over a connection inside this process, in the calling thread. With the feature
/// `python`, `simulate(&WsgiApplication::new(&callable), &request)` does so for a WSGI application.
///
/// # Errors
/// The operating system's; [`Error::Protocol`] where no response comes back, which would be a fault of this crate. An
/// application that fails is a response of status 500.
pub fn simulate(
    application: &impl Application,
    request: &SimulatedRequest,
) -> Result<SimulatedResponse, Error> {
    let (ours, theirs) = local_stream::pair()?;
    theirs.set_nonblocking(true)?;
    let server = Server::connected(Box::new(theirs), ServerOptions::default())?;
    thread::scope(|scope| {
        let web_server = thread::Builder::new()
            .name("web-server".to_owned())
            .spawn_scoped(scope, move || exchange(ours, request))?;
        server.run(application)?;
        // It ends with the connection, of which this side is over.
        drop(server);
        web_server
            .join()
            .unwrap_or(Err(Error::Order("the Web server's thread has panicked")))
    })
}

/// The Web server's side.
fn exchange(
    mut stream: LocalStream,
    request: &SimulatedRequest,
) -> Result<SimulatedResponse, Error> {
    let mut connection = Connection::new(Config::default(), Limits::default());
    let mut output = Vec::new();
    let id = connection.begin(Role::RESPONDER, true, &mut output)?;
    connection.params(id, request.variables(), &mut output)?;
    connection.stdin(id, &request.body, &mut output)?;
    connection.stdin_end(id, &mut output)?;
    let mut writer = stream.try_clone()?;
    thread::scope(|scope| {
        // The application may answer before it has read everything.
        let sender = scope.spawn(move || writer.write_all(&output));
        let response = receive(&mut stream, &mut connection);
        // The end of the connection ends the server.
        let closed = stream.shutdown(std::net::Shutdown::Both);
        let sent = sender.join().unwrap_or(Ok(()));
        match (response, sent) {
            (Ok(response), _) => closed.map(|()| response).map_err(Error::Io),
            (Err(Error::Protocol(error)), _) => Err(error.into()),
            (Err(_), Err(error)) => Err(error.into()),
            (Err(error), Ok(())) => Err(error),
        }
    })
}

fn receive(
    stream: &mut LocalStream,
    connection: &mut Connection,
) -> Result<SimulatedResponse, Error> {
    let mut response = SimulatedResponse::default();
    let mut stdout = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let len = match stream.read(&mut buffer) {
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let mut input = &buffer[..len];
        while let Some(event) = connection.handle_input(&mut input)? {
            match event {
                Event::Stdout { data, .. } => stdout.extend_from_slice(data),
                Event::Stderr { data, .. } => response.stderr.extend_from_slice(data),
                Event::End {
                    app_status,
                    protocol_status: ProtocolStatus::REQUEST_COMPLETE,
                    ..
                } => {
                    response.app_status = app_status;
                    (response.head, response.body) = split(&stdout);
                    return Ok(response);
                }
                Event::End { .. } => {
                    return Err(Error::Order(
                        "the request was refused: it is beyond a limit",
                    ));
                }
                _ => {}
            }
        }
    }
}

/// Takes a response apart that [`Head::write`] has begun.
fn split(stdout: &[u8]) -> (Head, Vec<u8>) {
    let end = stdout.windows(4).position(|window| window == b"\r\n\r\n");
    let (octets, body) = end.map_or((stdout, &[][..]), |end| {
        (&stdout[..end], &stdout[end + 4..])
    });
    let text = crate::wsgi::latin1(octets);
    let mut head = Head::default();
    for (name, value) in text.split("\r\n").filter_map(|line| line.split_once(": ")) {
        if name == "Status" {
            value.clone_into(&mut head.status);
        } else {
            head.headers.push((name.to_owned(), value.to_owned()));
        }
    }
    (head, body.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Request, Response};

    /// Tells what it was given, and fails on demand.
    struct Mirror;

    impl Application for Mirror {
        fn handle(&self, request: &mut Request<'_>, response: &mut Response) -> Result<(), Error> {
            let mut body = Vec::new();
            request.body().read_to_end(&mut body)?;
            let text = |name| {
                String::from_utf8_lossy(request.param(name).unwrap_or_default()).into_owned()
            };
            if text("PATH_INFO") == "/fail" {
                return Err(Error::Application {
                    message: "on demand".to_owned(),
                });
            }
            request.body().write_stderr(b"noted")?;
            let head = [
                "REQUEST_METHOD",
                "PATH_INFO",
                "QUERY_STRING",
                "HTTP_X_NAME",
                "CONTENT_LENGTH",
            ]
            .map(text)
            .join("|");
            response.start(Head::new("200 OK").header("X-Seen", head))?;
            response.write(&body)?;
            response.write(&body)
        }
    }

    #[test]
    fn a_request_goes_through_and_comes_back() {
        let request = SimulatedRequest::new("POST", "/a%20b?c=d")
            .header("X-Name", "value")
            .body(vec![b'x'; 300_000]);
        let response = simulate(&Mirror, &request).unwrap();
        assert_eq!(
            response.head,
            Head::new("200 OK").header("X-Seen", "POST|/a b|c=d|value|300000")
        );
        assert_eq!(response.body, vec![b'x'; 600_000]);
        assert_eq!(response.stderr, b"noted");
        assert_eq!(response.app_status, 0);
        let response = simulate(
            &Mirror,
            &SimulatedRequest::new("GET", "/").param("PATH_INFO", "/other"),
        )
        .unwrap();
        assert_eq!(response.head.value("x-seen"), Some("GET|/other|||"));
    }

    #[test]
    fn a_failure_is_a_response() {
        let response = simulate(&Mirror, &SimulatedRequest::new("GET", "/fail")).unwrap();
        assert_eq!(response.head.code(), 500);
        assert!(!String::from_utf8_lossy(&response.body).contains("on demand"));
    }
}
