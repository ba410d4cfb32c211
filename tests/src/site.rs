//! An application behind a Web server, as a client sees it, and the gateways that the tests start.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use tempfile::TempDir;
use ureq::Agent;

use crate::web_server::{Backend, WebServer};
use crate::{PATIENCE, Server, wait_for};

/// A Web server with an application behind it.
#[derive(Debug)]
pub struct Site {
    /// Which Web server.
    pub web_server: WebServer,
    /// Host and port.
    pub address: String,
    /// For files that the application looks at; the logs are here too.
    pub folder: Utf8PathBuf,
    server: Server,
    gateway: Option<Server>,
    _scratch: TempDir,
}

/// An HTTP response whose body is octets.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names and values, in their order.
    pub headers: Vec<(String, String)>,
    /// As much of the body as came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The values of every header of a name.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        let headers = self.headers.iter();
        let named = headers.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// An HTTP client that shows every answer as it came.
#[must_use]
pub fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(PATIENCE))
        .build()
        .into()
}

/// Reads a response to its end.
///
/// # Panics
///
/// There is none.
#[must_use]
pub fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = result.expect("an answer");
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| {
        let value = value.as_bytes().iter().copied().map(char::from).collect();
        (name.to_string(), value)
    });
    Answer {
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: {
            let mut body = Vec::new();
            let mut reader = response.body_mut().as_reader();
            // A response that ends early is as long as it is.
            let _ = reader.read_to_end(&mut body);
            body
        },
    }
}

impl Site {
    /// Starts the gateway that `gateway` is the command of, and a Web server in front of it; or the Web server alone where it
    /// starts the gateway.
    ///
    /// # Panics
    ///
    /// One of them does not start.
    #[must_use]
    pub fn start(web_server: WebServer, gateway: Command) -> Self {
        // Some of the servers' configurations know no blanks in paths.
        let scratch = tempfile::Builder::new()
            .prefix("iiswsgi-web-server-")
            .tempdir()
            .expect("a folder");
        // A server that runs as root gives its files to another user.
        fs::set_permissions(scratch.path(), PermissionsExt::from_mode(0o777)).expect("a folder");
        let folder = Utf8Path::from_path(scratch.path())
            .expect("a Unicode path")
            .to_owned();
        let (gateway, (server, address)) = if web_server.spawns() {
            let program = program(&folder, &gateway);
            let started = web_server.start(&folder, Backend::Program(&program));
            (None, started)
        } else {
            let (gateway, socket) = listening(&folder, gateway);
            let started = web_server.start(&folder, Backend::Unix(&socket));
            (Some(gateway), started)
        };
        Self {
            web_server,
            address,
            folder,
            server,
            gateway,
            _scratch: scratch,
        }
    }

    /// The gateway's process, where the Web server has not started it.
    #[must_use]
    pub fn gateway(&self) -> Option<u32> {
        self.gateway.as_ref().map(Server::pid)
    }

    /// The address of a page.
    #[must_use]
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// Requests a page.
    #[must_use]
    pub fn get(&self, target: &str) -> Answer {
        answer(agent().get(self.url(target)).call())
    }

    /// Sends octets to a page.
    #[must_use]
    pub fn post(&self, target: &str, body: &[u8]) -> Answer {
        let request = agent().post(self.url(target));
        answer(request.content_type("application/octet-stream").send(body))
    }

    /// The JSON object of strings that a page has to answer.
    ///
    /// # Panics
    ///
    /// It answers something else.
    #[must_use]
    pub fn strings(&self, target: &str) -> BTreeMap<String, String> {
        let answer = self.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// What the Web server and the gateway have logged.
    #[must_use]
    pub fn logs(&self) -> String {
        let log = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        log("error.log") + &log("gateway.log")
    }

    /// Stops the Web server, then the gateway, which has to end as it was asked to.
    ///
    /// # Panics
    ///
    /// The gateway ends in another way.
    pub fn stop(self) {
        drop(self.server);
        if let Some(gateway) = self.gateway {
            gateway.stop();
        }
    }
}

/// Starts a gateway on a Unix socket in `folder`, which is returned once the application behind it is loaded: the socket's
/// file is there a moment before it can be connected to.
#[must_use]
pub fn listening(folder: &Utf8Path, mut gateway: Command) -> (Server, Utf8PathBuf) {
    let socket = folder.join("gateway.sock");
    let log = folder.join("gateway.log");
    let gateway = Server::start(
        gateway
            .args(["--unix", socket.as_str(), "--unix-mode", "666"])
            .args(["--log-file", log.as_str()]),
    );
    wait_for("the gateway to serve", || {
        let log = fs::read_to_string(&log).unwrap_or_default();
        log.contains(" serving ").then_some(())
    });
    (gateway, socket)
}

/// A shell script that becomes the gateway, for servers that start one.
fn program(folder: &Utf8Path, gateway: &Command) -> Utf8PathBuf {
    let quoted = |word: OsString| format!("'{}'", word.to_str().expect("text"));
    let set = gateway.get_envs().filter_map(|(name, value)| {
        let name = name.to_str().expect("text");
        Some(format!("{name}={}", quoted(value?.to_owned())))
    });
    let words = std::iter::once(gateway.get_program()).chain(gateway.get_args());
    let words = words.map(|word| quoted(word.to_owned()));
    let line: Vec<String> = set.chain(words).collect();
    let script = format!(
        "#!/bin/sh\nexec env {} --log-file '{folder}/gateway.log'\n",
        line.join(" ")
    );
    let path = folder.join("application.fcgi");
    fs::write(&path, script).expect("a script");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("an executable");
    path
}
