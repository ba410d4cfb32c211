//! `iiswsgi webpi serve`, started for a test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use camino::Utf8Path;

use crate::support::{iiswsgi, text};

pub(crate) struct Server {
    process: Child,
    pub(crate) page: String,
    pub(crate) feed: String,
}

impl Server {
    pub(crate) fn start(feed: &Utf8Path) -> Self {
        Self::of(iiswsgi().args(["webpi", "serve", feed.as_str(), "--port", "0", "--quiet"]))
    }

    /// The server that a command becomes.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut line = |prefix: &str| {
            let line = lines.next().expect("a line").expect("text");
            line.strip_prefix(prefix)
                .unwrap_or_else(|| panic!("{line}"))
                .to_owned()
        };
        let page = line("page: ");
        let feed = line("feed: ");
        Self {
            process,
            page,
            feed,
        }
    }

    pub(crate) fn address(&self) -> &str {
        self.page
            .trim_start_matches("http://")
            .trim_end_matches('/')
    }

    /// Status, header in lower case, body.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address()).expect("it listens");
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            self.address()
        );
        for (name, value) in fields {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("{}", text(&answer)));
        let head = text(&answer[..end]).to_lowercase();
        let status = head
            .split(' ')
            .nth(1)
            .expect("a status")
            .parse()
            .expect("a number");
        (status, head, answer[end + 4..].to_vec())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
