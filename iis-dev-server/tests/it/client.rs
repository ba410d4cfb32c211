//! An HTTP client as plain as a socket, so that nothing is smoothed over.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// A response, its body decoded.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) reason: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether all of the body came.
    pub(crate) complete: bool,
}

impl Response {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self {
            reader: BufReader::new(TcpStream::connect(address).unwrap()),
        }
    }

    /// Sends octets as they are.
    pub(crate) fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.reader.get_ref().write_all(octets.as_ref()).unwrap();
    }

    /// Another handle, for writing while this one reads.
    pub(crate) fn writer(&self) -> TcpStream {
        self.reader.get_ref().try_clone().unwrap()
    }

    /// Reads a line of the response, without its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Reads a response; `bodiless` for one to HEAD.
    pub(crate) fn response(&mut self, bodiless: bool) -> Response {
        let status_line = self.line();
        let mut words = status_line.splitn(3, ' ');
        assert_eq!(words.next(), Some("HTTP/1.1"), "{status_line}");
        let status = words.next().unwrap().parse().unwrap();
        let reason = words.next().unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut response = Response {
            status,
            reason,
            headers,
            body: Vec::new(),
            complete: true,
        };
        if bodiless || matches!(status, 204 | 304) {
            return response;
        }
        if response.header("transfer-encoding") == Some("chunked") {
            response.complete = self.chunks(&mut response.body);
        } else if let Some(len) = response.header("content-length") {
            let len: u64 = len.parse().unwrap();
            let mut limited = (&mut self.reader).take(len);
            // A reset in the middle is a way of breaking off too.
            let read = limited.read_to_end(&mut response.body);
            response.complete = read.is_ok() && response.body.len() as u64 == len;
        } else {
            response.complete = self.reader.read_to_end(&mut response.body).is_ok();
        }
        response
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> bool {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).unwrap_or(0) == 0 {
                return false;
            }
            let len = usize::from_str_radix(line.trim(), 16).unwrap();
            let mut chunk = vec![0; len + 2];
            if self.reader.read_exact(&mut chunk).is_err() {
                return false;
            }
            if len == 0 {
                return true;
            }
            body.extend_from_slice(&chunk[..len]);
        }
    }
}

/// One `GET` on a connection of its own.
pub(crate) fn get(address: SocketAddr, target: &str) -> Response {
    request(address, "GET", target, "", b"")
}

/// One request on a connection of its own. `headers` are lines, each ending in CR LF.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &str,
    body: &[u8],
) -> Response {
    let mut client = Client::connect(address);
    let length = match body {
        [] => String::new(),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    client.send(format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n"
    ));
    let mut writer = client.writer();
    let body = body.to_vec();
    // Writing at the same time as reading: an echo would fill both directions otherwise.
    let writing = std::thread::spawn(move || {
        // A server that has answered early may no longer read.
        let _answered_early = writer.write_all(&body);
    });
    let response = client.response(method == "HEAD");
    writing.join().unwrap();
    response
}
