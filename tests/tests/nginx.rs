//! nginx, the Web server that most FastCGI applications run behind, in front of the gateway over a Unix socket.

use camino::Utf8Path;
use iiswsgi_tests::web_server::{Backend, WebServer};
use iiswsgi_tests::{Scratch, Server, get, iiswsgi, request, wait_for};

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
    let (server, address) = WebServer::Nginx.start(folder, Backend::Unix(&socket));

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
