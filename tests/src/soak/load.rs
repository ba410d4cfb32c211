//! The clients of a soak: what they send, and what has to come back.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::Utf8PathBuf;
use fcgi_proto::web_server::{Config, Connection, Event};
use fcgi_proto::{Limits, Role};

use crate::PATIENCE;

/// How many failures are told in full.
const TOLD: usize = 10;

/// A gateway, by way of nginx and directly.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Where nginx listens.
    pub(super) http: String,
    /// The gateway's socket.
    pub(super) socket: Utf8PathBuf,
}

/// What a client does, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A page of some octets through nginx.
    Small,
    /// A megabyte through nginx.
    Large,
    /// A body of up to a megabyte through nginx, of which the application says the length and digest.
    Upload,
    /// A page of some octets straight from the gateway, on a connection of its own.
    Direct,
    /// A request through nginx that the client leaves in the middle of its body.
    LeftSending,
    /// A large response through nginx that the client leaves.
    LeftReading,
    /// Octets straight to the gateway that are no FastCGI.
    Garbage,
}

/// All of them.
pub const KINDS: [Kind; 7] = [
    Kind::Small,
    Kind::Large,
    Kind::Upload,
    Kind::Direct,
    Kind::LeftSending,
    Kind::LeftReading,
    Kind::Garbage,
];

/// How often something was done, and what failed.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    done: BTreeMap<Kind, u64>,
    failed: Vec<String>,
}

impl Tally {
    /// How many failed.
    #[must_use]
    pub const fn failures(&self) -> usize {
        self.failed.len()
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        for (kind, count) in other.done {
            *self.done.entry(kind).or_default() += count;
        }
        self.failed.extend(other.failed);
        self
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (kind, count) in &self.done {
            writeln!(f, "{kind:?}: {count}")?;
        }
        writeln!(f, "failed: {}", self.failed.len())?;
        for failure in self.failed.iter().take(TOLD) {
            writeln!(f, "  {failure}")?;
        }
        Ok(())
    }
}

/// Octets that look like chance and are the same in each run.
#[derive(Debug)]
struct Octets(u64);

impl Octets {
    /// An xorshift generator.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap_or(0)
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        let octets = std::iter::repeat_with(|| self.next().to_le_bytes()).flatten();
        octets.take(len).collect()
    }
}

pub(super) fn is_served(target: &Target) -> bool {
    direct(target, "ready").is_ok()
}

/// Does one thing until it is told to stop.
pub(super) fn client(target: &Target, kind: Kind, stop: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    let mut octets = Octets(0x9E37_79B9_7F4A_7C15 ^ kind as u64);
    for number in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match once(target, kind, number, &mut octets) {
            Ok(()) => *tally.done.entry(kind).or_default() += 1,
            Err(error) => tally.failed.push(format!("{kind:?} {number}: {error}")),
        }
    }
    tally
}

fn once(target: &Target, kind: Kind, number: u64, octets: &mut Octets) -> io::Result<()> {
    match kind {
        Kind::Small => {
            let answer = http(target, "GET", &format!("/host?{number}"), b"")?;
            expect(&answer, format!(" {number}").as_bytes())
        }
        Kind::Large => {
            let answer = http(target, "GET", "/download?1000000", b"")?;
            expect(&answer, &[b'd'; 1_000_000])
        }
        Kind::Upload => {
            let len = octets.below(1_000_000);
            let body = octets.take(len);
            let answer = http(target, "POST", "/digest", &body)?;
            let text = String::from_utf8_lossy(&answer);
            let expected = format!("{len} ");
            if text.starts_with(&expected) && text.len() == expected.len() + 40 {
                Ok(())
            } else {
                Err(other(format!("{len} octets came as {text}")))
            }
        }
        Kind::Direct => {
            let answer = direct(target, &number.to_string())?;
            expect(&answer, format!(" {number}").as_bytes())
        }
        Kind::LeftSending => {
            let mut stream = connect(target)?;
            let len = octets.below(200_000);
            write!(
                stream,
                "POST /digest HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n"
            )?;
            stream.write_all(&octets.take(len))
        }
        Kind::LeftReading => {
            let mut stream = connect(target)?;
            write!(
                stream,
                "GET /download?20000000 HTTP/1.1\r\nHost: here\r\n\r\n"
            )?;
            let mut some = vec![0; 1 + octets.below(100_000)];
            stream.read_exact(&mut some)
        }
        Kind::Garbage => {
            let mut stream = UnixStream::connect(&target.socket)?;
            stream.set_write_timeout(Some(PATIENCE))?;
            let len = octets.below(4096);
            // The gateway may close the connection before it has all.
            let _ = stream.write_all(&octets.take(len));
            Ok(())
        }
    }
}

fn other(text: String) -> io::Error {
    io::Error::other(text)
}

fn expect(found: &[u8], expected: &[u8]) -> io::Result<()> {
    if found == expected {
        Ok(())
    } else {
        let some = &found[..found.len().min(200)];
        let len = found.len();
        Err(other(format!(
            "{len} octets: {}",
            String::from_utf8_lossy(some)
        )))
    }
}

fn connect(target: &Target) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(&target.http)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// The body of a response with status 200, on a connection of its own.
fn http(target: &Target, method: &str, path: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = connect(target)?;
    // HTTP/1.0 knows no chunks: the body is what comes until the end.
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: here\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    body_of(&answer, b"HTTP/1.1 200 ")
}

/// What is behind the empty line of an answer that begins as it has to.
fn body_of(answer: &[u8], beginning: &[u8]) -> io::Result<Vec<u8>> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    match end {
        Some(end) if answer.starts_with(beginning) => Ok(answer[end + 4..].to_vec()),
        _ => {
            let some = &answer[..answer.len().min(300)];
            Err(other(format!(
                "answered: {}",
                String::from_utf8_lossy(some)
            )))
        }
    }
}

/// The body of the page `/host`, straight from the gateway.
fn direct(target: &Target, query: &str) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(&target.socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let failed = |error: fcgi_proto::Error| other(error.to_string());
    let mut machine = Connection::new(Config::default(), Limits::default());
    let mut output = Vec::new();
    let id = machine
        .begin(Role::RESPONDER, false, &mut output)
        .map_err(failed)?;
    let params = [
        ("REQUEST_METHOD", "GET"),
        ("SCRIPT_NAME", ""),
        ("PATH_INFO", "/host"),
        ("QUERY_STRING", query),
        ("SERVER_NAME", "here"),
        ("SERVER_PORT", "80"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
    ];
    machine.params(id, params, &mut output).map_err(failed)?;
    machine.stdin_end(id, &mut output).map_err(failed)?;
    stream.write_all(&output)?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let len = stream.read(&mut buffer)?;
        if len == 0 {
            return Err(other("the connection ended inside the answer".to_owned()));
        }
        let mut input = &buffer[..len];
        while let Some(event) = machine.handle_input(&mut input).map_err(failed)? {
            match event {
                Event::Stdout { data, .. } => answer.extend_from_slice(data),
                Event::End { .. } => return body_of(&answer, b"Status: 200 "),
                _ => {}
            }
        }
    }
}
