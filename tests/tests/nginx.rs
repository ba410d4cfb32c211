//! nginx, the Web server that most FastCGI applications run behind, in front of the gateway over a Unix socket.

use std::net::TcpListener;
use std::process::Command;

use camino::Utf8Path;
use fs_err as fs;
use iiswsgi_tests::{Scratch, Server, get, iiswsgi, request, wait_for};

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

/// nginx in the foreground, with everything it writes below `folder`, passing every request to `socket`.
fn nginx(folder: &Utf8Path, socket: &Utf8Path, port: u16) -> Server {
    let configuration = format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_max_body_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream gateway {{ server unix:{socket}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_NAME '';
      fastcgi_param PATH_INFO $document_uri;
      fastcgi_keep_conn on;
      fastcgi_pass gateway;
    }}
  }}
}}
"
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, configuration).expect("nginx.conf");
    Server::start(Command::new("nginx").args([
        "-p",
        folder.as_str(),
        "-e",
        "stderr",
        "-c",
        path.as_str(),
    ]))
}

#[test]
fn nginx_serves_the_sample_over_a_unix_socket() {
    let scratch = Scratch::new();
    let project = scratch.example("sample.msdeploy");
    // nginx's configuration knows no blanks in `server unix:`.
    let plain = tempfile::Builder::new()
        .prefix("iiswsgi-nginx-")
        .tempdir()
        .expect("a folder");
    let folder = Utf8Path::from_path(plain.path()).expect("a Unicode path");
    let socket = folder.join("gateway.sock");
    let gateway = Server::start(iiswsgi().args([
        "serve",
        "iiswsgi_sample:application",
        "--chdir",
        project.as_str(),
        "--unix",
        socket.as_str(),
        "--threads",
        "2",
    ]));
    wait_for("the gateway's socket", || socket.exists().then_some(()));
    let port = free_port();
    let server = nginx(folder, &socket, port);
    let address = format!("127.0.0.1:{port}");
    wait_for("nginx", || std::net::TcpStream::connect(&address).ok());

    let page = get(&address, "/caf%C3%A9?name=J%C3%BCrgen");
    for cell in [
        "<td id=\"PATH_INFO\">/café</td>",
        "<td id=\"query.name\">Jürgen</td>",
        "<td id=\"REQUEST_METHOD\">GET</td>",
    ] {
        assert!(page.contains(cell), "no `{cell}` in\n{page}");
    }
    let posted = request(&address, "POST", "/", &vec![b'x'; 2_000_000]);
    assert!(
        posted.body.contains("<td id=\"body.length\">2000000</td>"),
        "{}",
        posted.body
    );
    for number in 0..50 {
        assert!(
            get(&address, &format!("/{number}"))
                .contains(&format!("<td id=\"PATH_INFO\">/{number}</td>"))
        );
    }
    drop(server);
    gateway.stop();
    assert!(!socket.exists(), "the gateway removes its socket");
}
