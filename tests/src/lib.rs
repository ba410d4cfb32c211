//! What the end-to-end tests share: the installed `iiswsgi` command, scratch folders, servers that are stopped whatever
//! happens, and a small HTTP client.
//!
//! `cargo xtask test` builds the wheel, installs it with pip into a clean virtual environment and names its command in
//! `IISWSGI_TEST_COMMAND`: the tests run what a user installs.

pub mod conformance;
pub mod network;
pub mod python;
pub mod site;
pub mod soak;
pub mod web_server;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// How long a server may take to answer or to end before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The installed `iiswsgi` command.
///
/// # Panics
///
/// `IISWSGI_TEST_COMMAND` is not set: the tests were not started by `cargo xtask test`.
#[must_use]
pub fn iiswsgi() -> Command {
    let program = std::env::var("IISWSGI_TEST_COMMAND")
        .expect("IISWSGI_TEST_COMMAND names the installed `iiswsgi`: run `cargo xtask test`, which builds and installs the wheel");
    let mut command = Command::new(program);
    // The gateway goes into each application's virtual environment, from the wheel that was built.
    command
        .env("PIP_FIND_LINKS", wheels())
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .env_remove("APPL_PHYSICAL_PATH")
        .stdin(Stdio::null());
    command
}

/// The folder of the wheel that was built.
#[must_use]
pub fn wheels() -> String {
    std::env::var("IISWSGI_TEST_WHEELS")
        .expect("IISWSGI_TEST_WHEELS names the folder of the wheel: run `cargo xtask test`")
}

/// The checkout's root folder.
#[must_use]
pub fn root() -> Utf8PathBuf {
    let manifest = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// A folder that is removed when the test ends.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// A new empty folder. Its path has a blank and letters beyond ASCII in it, as real ones have.
    ///
    /// # Panics
    ///
    /// The folder cannot be made.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it makes a folder, which a default should not"
    )]
    pub fn new() -> Self {
        Self {
            folder: tempfile::Builder::new()
                .prefix("iiswsgi tést ")
                .tempdir()
                .expect("a scratch folder"),
        }
    }

    /// The folder.
    ///
    /// # Panics
    ///
    /// The path is not Unicode.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).expect("a Unicode path")
    }

    /// A copy of one of `examples/`, to build in.
    ///
    /// # Panics
    ///
    /// The example cannot be copied.
    #[must_use]
    pub fn example(&self, name: &str) -> Utf8PathBuf {
        let copy = self.path().join(name);
        copy_folder(&root().join("examples").join(name), &copy);
        copy
    }
}

/// Copies a folder with everything in it.
///
/// # Panics
///
/// A file cannot be read or written.
pub fn copy_folder(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in from.read_dir_utf8().expect("a readable folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a copied file");
        }
    }
}

/// Runs a command that has to succeed, and returns its standard output.
///
/// # Panics
///
/// It cannot be started, or fails; the message shows what it wrote.
pub fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}",
        output.status,
        said(&output)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a command that has to fail with exit status 1, and returns its standard error.
///
/// # Panics
///
/// It cannot be started, succeeds, or fails in another way.
pub fn fail(command: &mut Command) -> String {
    let output = run(command);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{command:?}\n{}",
        said(&output)
    );
    String::from_utf8(output.stderr).expect("text")
}

fn run(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Every file below a folder, relative to it, with its content: to show that nothing changed.
///
/// # Panics
///
/// A file cannot be read.
#[must_use]
pub fn tree(folder: &Utf8Path) -> Vec<(String, Vec<u8>)> {
    fn collect(folder: &Utf8Path, top: &Utf8Path, files: &mut Vec<(String, Vec<u8>)>) {
        let Ok(entries) = folder.read_dir_utf8() else {
            return;
        };
        for entry in entries {
            let entry = entry.expect("an entry");
            let path = entry.path();
            if path.is_dir() {
                collect(path, top, files);
            } else {
                files.push((
                    path.strip_prefix(top).expect("a path below").to_string(),
                    fs::read(path).expect("a file"),
                ));
            }
        }
    }
    let mut files = Vec::new();
    collect(folder, folder, &mut files);
    files.sort();
    files
}

/// A process that is ended when the value is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts a server.
    ///
    /// # Panics
    ///
    /// It cannot be started.
    pub fn start(command: &mut Command) -> Self {
        Self {
            child: command
                .spawn()
                .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}")),
        }
    }

    /// Starts `iiswsgi dev` on a site root, and returns it with its addresses, one a site.
    ///
    /// # Panics
    ///
    /// It ends before it prints them.
    #[must_use]
    pub fn dev(site_root: &Utf8Path, sites: usize) -> (Self, Vec<String>) {
        Self::start_listening(
            iiswsgi().args(["dev", site_root.as_str(), "--port", "0"]),
            sites,
        )
    }

    /// Starts a server that prints the address it listens on, and returns it with the first address.
    ///
    /// # Panics
    ///
    /// It ends before it prints one.
    #[must_use]
    pub fn listening(command: &mut Command) -> (Self, String) {
        let (server, mut addresses) = Self::start_listening(command, 1);
        (server, addresses.remove(0))
    }

    fn start_listening(command: &mut Command, sites: usize) -> (Self, Vec<String>) {
        let mut server = Self::start(command.stdout(Stdio::piped()));
        let output = server.child.stdout.take().expect("standard output");
        let addresses: Vec<String> = BufReader::new(output)
            .lines()
            .filter_map(|line| {
                Some(
                    line.expect("text")
                        .split_once("http://")?
                        .1
                        .split(['/', ' '])
                        .next()?
                        .to_owned(),
                )
            })
            .take(sites)
            .collect();
        assert_eq!(
            addresses.len(),
            sites,
            "{command:?} ended before it printed its addresses"
        );
        (server, addresses)
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to end (SIGTERM), and waits until it has.
    ///
    /// # Panics
    ///
    /// It does not end, or not with exit status 0.
    pub fn stop(mut self) {
        succeed(Command::new("kill").arg(self.child.id().to_string()));
        let status = wait_for("the server to end", || {
            self.child.try_wait().expect("a status")
        });
        assert!(status.success(), "the server ended with {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let ended = |child: &mut Child| matches!(child.try_wait(), Ok(Some(_)));
        if !ended(&mut self.child) {
            // Asked first, so that it can end what it has started.
            let _ = Command::new("kill")
                .arg(self.child.id().to_string())
                .status();
            let start = Instant::now();
            while !ended(&mut self.child) && start.elapsed() < Duration::from_secs(5) {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Asks again and again until there is an answer.
///
/// # Panics
///
/// There is none after [`PATIENCE`].
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "waited {} s for {what}",
            PATIENCE.as_secs()
        );
        // A pause between two questions; what is waited for is the answer.
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// An HTTP response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header lines, joined by line ends.
    pub headers: String,
    /// The body, as text.
    pub body: String,
}

/// Sends one HTTP request and reads the whole response.
///
/// # Panics
///
/// The server cannot be reached, or answers something that is not HTTP.
#[must_use]
pub fn request(address: &str, method: &str, target: &str, body: &[u8]) -> Response {
    let mut stream = TcpStream::connect(address)
        .unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len()).expect("a request");
    stream.write_all(body).expect("a body");
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).expect("a response");
    let text = String::from_utf8_lossy(&octets).into_owned();
    let (headers, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("not an HTTP response: {text}"));
    let status = headers
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no status: {headers}"));
    let body = if headers
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked")
    {
        unchunk(body)
    } else {
        body.to_owned()
    };
    Response {
        status,
        headers: headers.to_owned(),
        body,
    }
}

/// GETs a page that has to be there.
///
/// # Panics
///
/// The status is not 200.
#[must_use]
pub fn get(address: &str, target: &str) -> String {
    let response = request(address, "GET", target, b"");
    assert_eq!(
        response.status, 200,
        "{target}: {}\n{}",
        response.headers, response.body
    );
    response.body
}

/// RFC 9112 section 7.1, on text whose chunks end at character borders or are put together again by their lengths.
fn unchunk(body: &str) -> String {
    let mut octets = body.as_bytes();
    let mut content = Vec::new();
    while let Some(line_end) = octets.windows(2).position(|pair| pair == b"\r\n") {
        let size = String::from_utf8_lossy(&octets[..line_end]);
        let len = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
            .expect("a chunk size");
        if len == 0 {
            break;
        }
        let start = line_end + 2;
        content.extend_from_slice(&octets[start..start + len]);
        octets = &octets[start + len + 2..];
    }
    String::from_utf8(content).expect("text")
}
