//! Real Web servers in front of a FastCGI application, each with a configuration of ours, on loopback.
//!
//! Every one passes everything on, as an operator writes it who wants one application at the root of a site. Limits on bodies
//! are lifted and buffering of responses is off, where the server has such settings.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use camino::Utf8Path;
use fs_err as fs;

use crate::{Server, wait_for};

/// A Web server that speaks FastCGI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebServer {
    /// nginx with its own `fastcgi_params` and nothing more, as most pages on the Web have it.
    Nginx,
    /// Apache with mod_proxy_fcgi.
    ApacheProxy,
    /// Apache with mod_fcgid, which starts the application.
    ApacheFcgid,
    /// lighttpd with mod_fastcgi.
    Lighttpd,
    /// lighttpd with mod_fastcgi, which starts the application.
    LighttpdSpawn,
    /// HAProxy with a `fcgi-app`.
    Haproxy,
    /// Caddy with `transport fastcgi`.
    Caddy,
}

/// What a Web server passes requests to.
#[derive(Clone, Copy, Debug)]
pub enum Backend<'b> {
    /// An application that listens there.
    Unix(&'b Utf8Path),
    /// A program that the Web server starts, with the listening socket on file descriptor 0.
    Program(&'b Utf8Path),
}

impl WebServer {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Nginx,
        Self::ApacheProxy,
        Self::ApacheFcgid,
        Self::Lighttpd,
        Self::LighttpdSpawn,
        Self::Haproxy,
        Self::Caddy,
    ];

    /// Whether it starts the application itself.
    #[must_use]
    pub const fn spawns(self) -> bool {
        matches!(self, Self::ApacheFcgid | Self::LighttpdSpawn)
    }

    /// Starts it with everything that it writes below `folder`, and returns it with its address.
    ///
    /// # Panics
    ///
    /// It is not installed, or does not listen.
    #[must_use]
    pub fn start(self, folder: &Utf8Path, backend: Backend<'_>) -> (Server, String) {
        let port = free_port();
        let (configuration, mut command) = match self {
            Self::Nginx => nginx(folder, backend, port),
            Self::ApacheProxy | Self::ApacheFcgid => apache(folder, backend, port),
            Self::Lighttpd | Self::LighttpdSpawn => lighttpd(folder, backend, port),
            Self::Haproxy => haproxy(folder, backend, port),
            Self::Caddy => caddy(folder, backend, port),
        };
        let path = folder.join("server.conf");
        fs::write(&path, configuration).expect("the server's configuration");
        let server = Server::start(command.arg(&path));
        let address = format!("127.0.0.1:{port}");
        wait_for(&format!("{self:?}"), || TcpStream::connect(&address).ok());
        (server, address)
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

impl Backend<'_> {
    /// The socket's path.
    fn socket(&self) -> &Utf8Path {
        match self {
            Self::Unix(path) => path,
            Self::Program(path) => panic!("{path} is started by another kind of server"),
        }
    }
}

fn nginx(folder: &Utf8Path, backend: Backend<'_>, port: u16) -> (String, Command) {
    let socket = backend.socket();
    let configuration = format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_max_body_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream gateway {{ server unix:{socket}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      include /etc/nginx/fastcgi_params;
      fastcgi_keep_conn on;
      fastcgi_buffering off;
      fastcgi_request_buffering off;
      fastcgi_pass gateway;
    }}
  }}
}}
"
    );
    let mut command = Command::new("nginx");
    command.args(["-p", folder.as_str(), "-e", "stderr", "-c"]);
    (configuration, command)
}

fn apache(folder: &Utf8Path, backend: Backend<'_>, port: u16) -> (String, Command) {
    let modules = "/usr/lib/apache2/modules";
    let backend = match backend {
        Backend::Unix(socket) => format!(
            "LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_fcgi_module {modules}/mod_proxy_fcgi.so
ProxyPass \"/\" \"unix:{socket}|fcgi://localhost/\" flushpackets=on
"
        ),
        Backend::Program(program) => format!(
            "LoadModule alias_module {modules}/mod_alias.so
LoadModule fcgid_module {modules}/mod_fcgid.so
FcgidIPCDir {folder}/fcgid
FcgidProcessTableFile {folder}/fcgid.shm
FcgidMaxRequestLen 1000000000
FcgidOutputBufferSize 0
FcgidMaxProcessesPerClass 4
ScriptAlias \"/\" \"{program}/\"
<Directory \"{folder}\">
  SetHandler fcgid-script
  Options +ExecCGI
  Require all granted
</Directory>
"
        ),
    };
    let configuration = format!(
        "ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache.pid
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
Mutex file:{folder}
ErrorLog {folder}/error.log
DocumentRoot {folder}
AllowEncodedSlashes NoDecode
MergeSlashes Off
{backend}"
    );
    fs::create_dir_all(folder.join("fcgid")).expect("a folder");
    let mut command = Command::new("apache2");
    command.args(["-D", "FOREGROUND", "-f"]);
    (configuration, command)
}

fn lighttpd(folder: &Utf8Path, backend: Backend<'_>, port: u16) -> (String, Command) {
    let backend = match backend {
        Backend::Unix(socket) => format!("\"socket\" => \"{socket}\""),
        Backend::Program(program) => {
            format!(
                "\"bin-path\" => \"{program}\", \"socket\" => \"{folder}/spawned\", \"max-procs\" => 1"
            )
        }
    };
    let configuration = format!(
        "server.document-root = \"{folder}\"
server.bind = \"127.0.0.1\"
server.port = {port}
server.errorlog = \"{folder}/error.log\"
server.upload-dirs = ( \"{folder}\" )
server.modules = ( \"mod_fastcgi\" )
server.stream-response-body = 2
server.http-parseopts = ( \"url-normalize\" => \"disable\" )
fastcgi.server = ( \"/\" => (( {backend}, \"check-local\" => \"disable\", \"fix-root-scriptname\" => \"enable\" )) )
"
    );
    let mut command = Command::new("lighttpd");
    command.args(["-D", "-f"]);
    (configuration, command)
}

fn haproxy(_: &Utf8Path, backend: Backend<'_>, port: u16) -> (String, Command) {
    let socket = backend.socket();
    let configuration = format!(
        "global
  maxconn 100
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
fcgi-app gateway
  docroot /
  path-info ^()(/.*)$
  option keep-conn
frontend web
  bind 127.0.0.1:{port}
  default_backend application
backend application
  use-fcgi-app gateway
  server gateway unix@{socket} proto fcgi
"
    );
    let mut command = Command::new("haproxy");
    command.args(["-db", "-f"]);
    (configuration, command)
}

fn caddy(folder: &Utf8Path, backend: Backend<'_>, port: u16) -> (String, Command) {
    let socket = backend.socket();
    let configuration = format!(
        "{{
  admin off
  auto_https off
  storage file_system {folder}/storage
}}
http://127.0.0.1:{port} {{
  reverse_proxy unix/{socket} {{
    flush_interval -1
    transport fastcgi {{
      root {folder}
    }}
  }}
}}
"
    );
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]);
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder);
    (configuration, command)
}
