//! A FastCGI application as a Web server sees it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use fcgi_proto::web_server::{Config, Connection, Event};
use fcgi_proto::{Limits, ProtocolStatus, Role};

use crate::workload::{Answer, Workload};

/// No answer takes longer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where the application listens.
#[derive(Debug)]
pub(crate) enum Address {
    Unix(String),
    Tcp(String),
}

/// One connection, kept as long as the application keeps it.
#[derive(Debug)]
pub(crate) struct Client {
    address: Address,
    link: Option<Link>,
    output: Vec<u8>,
    input: Vec<u8>,
    /// The variables for each request, as nginx sends them, but for the path.
    variables: Vec<(String, String)>,
}

#[derive(Debug)]
struct Link {
    stream: Stream,
    machine: Connection,
}

#[derive(Debug)]
enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    fn open(address: &Address) -> io::Result<Self> {
        Ok(match address {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                Self::Unix(stream)
            }
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                Self::Tcp(stream)
            }
        })
    }

    fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(octets),
            Self::Tcp(stream) => stream.write_all(octets),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Client {
    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            link: None,
            output: Vec::new(),
            input: vec![0; 256 * 1024],
            variables: variables(),
        }
    }

    /// One request, on the connection `link` or on a new one, which is kept where the workload wants it.
    fn exchange(&mut self, link: Option<Link>, workload: Workload) -> Result<Answer, String> {
        let mut link = match link {
            Some(link) => link,
            None => Link {
                stream: Stream::open(&self.address).map_err(|error| error.to_string())?,
                machine: Connection::new(Config::default(), Limits::default()),
            },
        };
        self.send(&mut link, workload)?;
        let answer = self.answer(&mut link)?;
        if workload.keep_conn() {
            self.link = Some(link);
        }
        Ok(answer)
    }

    fn send(&mut self, link: &mut Link, workload: Workload) -> Result<(), String> {
        let failed = |error: fcgi_proto::Error| error.to_string();
        self.output.clear();
        let keep = workload.keep_conn();
        let id = link
            .machine
            .begin(Role::RESPONDER, keep, &mut self.output)
            .map_err(failed)?;
        let body = workload.body();
        let (method, path) = (
            if body.is_empty() { "GET" } else { "POST" },
            workload.path(),
        );
        let len = (body.len() * workload.repetitions()).to_string();
        let own = [
            ("REQUEST_METHOD", method),
            ("SCRIPT_NAME", ""),
            ("PATH_INFO", path),
            ("REQUEST_URI", path),
            ("DOCUMENT_URI", path),
            ("QUERY_STRING", ""),
            ("CONTENT_LENGTH", &len),
        ];
        let usual = self.variables.iter();
        let usual = usual.map(|(name, value)| (name.as_str(), value.as_str()));
        link.machine
            .params(id, own.into_iter().chain(usual), &mut self.output)
            .map_err(failed)?;
        for number in 1..=workload.repetitions() {
            if !body.is_empty() {
                link.machine
                    .stdin(id, body, &mut self.output)
                    .map_err(failed)?;
            }
            if number == workload.repetitions() {
                link.machine
                    .stdin_end(id, &mut self.output)
                    .map_err(failed)?;
            }
            link.stream
                .write_all(&self.output)
                .map_err(|error| error.to_string())?;
            self.output.clear();
        }
        Ok(())
    }

    fn answer(&mut self, link: &mut Link) -> Result<Answer, String> {
        let mut head = Some(Vec::new());
        let mut answer = Answer::new(0);
        loop {
            let len = match link.stream.read(&mut self.input) {
                Ok(0) => return Err("the connection ended inside the answer".to_owned()),
                Ok(len) => len,
                Err(error) => return Err(error.to_string()),
            };
            let mut input = &self.input[..len];
            let mut ended = None;
            while let Some(event) = link
                .machine
                .handle_input(&mut input)
                .map_err(|error| error.to_string())?
            {
                match event {
                    Event::Stdout { data, .. } => body(&mut head, &mut answer, data),
                    Event::End {
                        protocol_status, ..
                    } => ended = Some(protocol_status),
                    _ => {}
                }
            }
            match ended {
                Some(ProtocolStatus::REQUEST_COMPLETE) => return Ok(answer),
                Some(status) => return Err(format!("refused: {status:?}")),
                None => {}
            }
        }
    }
}

/// Takes a piece of STDOUT: `head` collects until the empty line.
fn body(head: &mut Option<Vec<u8>>, answer: &mut Answer, data: &[u8]) {
    let Some(lines) = head else {
        answer.len += data.len();
        return;
    };
    lines.extend_from_slice(data);
    let Some(end) = lines.windows(4).position(|octets| octets == b"\r\n\r\n") else {
        return;
    };
    let lines = head.take().unwrap_or_default();
    let text = String::from_utf8_lossy(&lines[..end]).to_ascii_lowercase();
    // Without a status it is 200 (RFC 3875, section 6.3.3). uWSGI begins with a status line as HTTP has it.
    answer.status = text
        .lines()
        .find_map(|line| {
            let status = line
                .strip_prefix("status:")
                .or_else(|| line.strip_prefix("http/1.1 "))?;
            status.trim().get(..3)?.parse().ok()
        })
        .unwrap_or(200);
    answer.len += lines.len() - (end + 4);
}

impl super::Client for Client {
    fn request(&mut self, workload: Workload) -> Result<Answer, String> {
        let kept = self.link.take();
        let was_kept = kept.is_some();
        match self.exchange(kept, workload) {
            // The server may have closed a kept connection behind its last answer, as uWSGI does with each.
            Err(_) if was_kept => self.exchange(None, workload),
            outcome => outcome,
        }
    }
}

/// What nginx sends for a browser, but for what depends on the request.
fn variables() -> Vec<(String, String)> {
    let usual = [
        ("CONTENT_TYPE", ""),
        ("DOCUMENT_ROOT", "/var/www/html"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_SCHEME", "https"),
        ("HTTPS", "on"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_SOFTWARE", "nginx/1.22.1"),
        ("REMOTE_ADDR", "203.0.113.77"),
        ("REMOTE_PORT", "51324"),
        ("SERVER_ADDR", "192.0.2.10"),
        ("SERVER_PORT", "443"),
        ("SERVER_NAME", "www.example.com"),
        ("REDIRECT_STATUS", "200"),
        ("HTTP_HOST", "www.example.com"),
        ("HTTP_CONNECTION", "keep-alive"),
        (
            "HTTP_ACCEPT",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("HTTP_ACCEPT_ENCODING", "gzip, deflate, br, zstd"),
        ("HTTP_ACCEPT_LANGUAGE", "en-GB,en;q=0.8,de;q=0.6"),
        (
            "HTTP_USER_AGENT",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ),
        (
            "HTTP_COOKIE",
            "session=3f786850e387550fdab836ed7e6dc881de23001b; consent=necessary; theme=dark; seen=42",
        ),
        ("HTTP_REFERER", "https://www.example.com/catalogue"),
        ("HTTP_UPGRADE_INSECURE_REQUESTS", "1"),
        ("HTTP_CACHE_CONTROL", "max-age=0"),
    ];
    let usual = usual.into_iter();
    usual
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
