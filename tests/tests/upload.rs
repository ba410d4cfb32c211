//! `iiswsgi upload` to the packaging indexes that people run: pypiserver and devpi.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::python::Environment;
use iiswsgi_tests::{Scratch, Server, fail, iiswsgi, root, succeed, tree, wait_for};

const PASSWORD: &str = "pypi-never-shown";
const ROOT_PASSWORD: &str = "of the test";

/// The folder of an environment with an index's server.
fn environment(name: &str, requirements: &[&str]) -> Utf8PathBuf {
    let folder = root().join("target/xtask").join(name);
    let _ = Environment::make(&folder, "python3", requirements);
    folder.join("bin")
}

/// A port that nothing listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A Web Deploy package, a wheel and a source distribution.
fn distributions(folder: &Utf8Path, python: &Utf8Path) -> Vec<Utf8PathBuf> {
    let package = folder.join("guest-book-1.2.msdeploy.zip");
    let wheel = folder.join("guest_book-1.2-py3-none-any.whl");
    let sdist = folder.join("guest_book-1.2.tar.gz");
    let program = "
import io, sys, tarfile, zipfile
package, wheel, sdist = sys.argv[1:]
metadata = 'Metadata-Version: 2.1\\nName: guest-book\\nVersion: 1.2\\nSummary: A guest book\\n'
with zipfile.ZipFile(package, 'w') as archive:
    archive.writestr('Manifest.xml', '<msdeploy.iisApp/>')
with zipfile.ZipFile(wheel, 'w') as archive:
    archive.writestr('guest_book-1.2.dist-info/METADATA', metadata)
    archive.writestr('guest_book-1.2.dist-info/WHEEL', 'Wheel-Version: 1.0\\nTag: py3-none-any\\n')
    archive.writestr('guest_book-1.2.dist-info/RECORD', '')
with tarfile.open(sdist, 'w:gz') as archive:
    entry = tarfile.TarInfo('guest_book-1.2/PKG-INFO')
    entry.size = len(metadata)
    archive.addfile(entry, io.BytesIO(metadata.encode()))
";
    let files = vec![package, wheel, sdist];
    let mut command = Command::new(python);
    succeed(command.args(["-c", program]).args(&files));
    files
}

/// `iiswsgi upload` of somebody whose .pypirc knows the index as `office`.
fn upload(home: &Utf8Path, repository: &str, password: &str, files: &[Utf8PathBuf]) -> Command {
    let pypirc = format!(
        "[distutils]\nindex-servers =\n    office\n[office]\nrepository = {repository}\nusername = jim\npassword = {password}\n"
    );
    fs::write(home.join(".pypirc"), pypirc).expect("written");
    let mut command = iiswsgi();
    command
        .args(["upload", "--strict", "--repository", "office"])
        .args(files)
        .env("HOME", home)
        .env_remove("TWINE_USERNAME")
        .env_remove("TWINE_PASSWORD");
    command
}

fn is_up(address: &str) -> Option<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    agent.get(address).call().ok().map(|_| ())
}

/// Everything is uploaded and checked, the second time with this outcome, and nothing is taken of somebody else.
fn check_index(scratch: &Scratch, repository: &str, python: &Utf8Path, second: &str) {
    let home = scratch.path();
    let files = distributions(home, python);
    let said = succeed(&mut upload(home, repository, PASSWORD, &files));
    assert_eq!(
        said.matches(": uploaded and checked\n").count(),
        3,
        "{said}"
    );
    let said = succeed(&mut upload(home, repository, PASSWORD, &files[1..]));
    assert_eq!(said.matches(second).count(), 2, "{said}");
    let message = fail(&mut upload(home, repository, "pypi-wrong-one", &files[1..]));
    assert!(
        message.contains("does not take") && message.contains("check user name and password"),
        "{message}"
    );
    assert!(!message.contains("pypi-wrong-one"), "{message}");
}

#[test]
fn pypiserver_takes_and_shows_what_is_uploaded() {
    let bin = environment("pypiserver", &["pypiserver>=2.3,<3", "passlib"]);
    let scratch = Scratch::new();
    let store = scratch.path().join("store");
    fs::create_dir(&store).expect("a folder");
    let users = scratch.path().join("users");
    let program = "
import sys
from passlib.apache import HtpasswdFile
users = HtpasswdFile(sys.argv[2], new=True)
users.set_password('jim', sys.argv[1])
users.save()
";
    succeed(Command::new(bin.join("python")).args(["-c", program, PASSWORD, users.as_str()]));
    let port = free_port();
    let server = Server::start(
        Command::new(bin.join("pypi-server"))
            .args([
                "run",
                "-i",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-P",
                users.as_str(),
            ])
            .args(["-a", "update", "--disable-fallback", store.as_str()])
            .stdout(Stdio::null()),
    );
    let repository = format!("http://127.0.0.1:{port}/");
    wait_for("pypiserver", || is_up(&repository));
    check_index(
        &scratch,
        &repository,
        &bin.join("python"),
        ": the same file was there already\n",
    );
    let stored: Vec<String> = tree(&store).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        stored,
        [
            "guest-book-1.2.msdeploy.zip",
            "guest_book-1.2-py3-none-any.whl",
            "guest_book-1.2.tar.gz"
        ]
    );
    drop(server);
}

#[test]
fn devpi_takes_and_shows_what_is_uploaded() {
    let bin = environment("devpi", &["devpi-server>=6,<7"]);
    let scratch = Scratch::new();
    let store = scratch.path().join("store");
    succeed(Command::new(bin.join("devpi-init")).args([
        "--serverdir",
        store.as_str(),
        "--no-root-pypi",
        "--root-passwd",
        ROOT_PASSWORD,
    ]));
    let port = free_port();
    let server = Server::start(
        Command::new(bin.join("devpi-server"))
            .args([
                "--serverdir",
                store.as_str(),
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
            ])
            .stdout(Stdio::null()),
    );
    let address = format!("http://127.0.0.1:{port}");
    wait_for("devpi", || is_up(&format!("{address}/+api")));
    // A user, and an index of his.
    for (path, user, password, settings) in [
        (
            "jim",
            "root",
            ROOT_PASSWORD,
            format!("{{\"password\": \"{PASSWORD}\"}}"),
        ),
        (
            "jim/dev",
            "jim",
            PASSWORD,
            "{\"bases\": [], \"volatile\": false}".to_owned(),
        ),
    ] {
        let mut put = Command::new(bin.join("python"));
        let program = "
import base64, sys, urllib.request
url, user, settings = sys.argv[1:]
headers = {'Content-Type': 'application/json', 'Authorization': 'Basic ' + base64.b64encode(user.encode()).decode()}
urllib.request.urlopen(urllib.request.Request(url, settings.encode(), headers, method='PUT'))
";
        let user = format!("{user}:{password}");
        succeed(put.args([
            "-c",
            program,
            &format!("{address}/{path}"),
            &user,
            &settings,
        ]));
    }
    // It takes the same octets again.
    check_index(
        &scratch,
        &format!("{address}/jim/dev/"),
        &bin.join("python"),
        ": uploaded and checked
",
    );
    drop(server);
}

/// A file share behind TLS, with a certificate from an authority that nobody knows; the port.
const SHARE: &str = "
import http.server, os, ssl, trustme
authority = trustme.CA()
authority.cert_pem.write_to_path('authority.pem')
class Share(http.server.SimpleHTTPRequestHandler):
    def do_PUT(self):
        with open(self.translate_path(self.path), 'wb') as file:
            file.write(self.rfile.read(int(self.headers['Content-Length'])))
        self.send_response(201)
        self.end_headers()
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Share)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
authority.issue_cert('localhost').configure_cert(context)
server.socket = context.wrap_socket(server.socket, server_side=True)
with open('port.new', 'w') as file:
    file.write(str(server.server_port))
os.rename('port.new', 'port')
server.serve_forever()
";

#[test]
fn only_authorities_that_are_trusted_are() {
    let bin = environment("trustme", &["trustme>=1,<2"]);
    let scratch = Scratch::new();
    let served = scratch.path().join("served");
    fs::create_dir(&served).expect("a folder");
    let server = Server::start(
        Command::new(bin.join("python"))
            .args(["-c", SHARE])
            .current_dir(&served)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    let port = wait_for("the share", || fs::read_to_string(served.join("port")).ok());
    let share = format!("https://localhost:{port}/");
    let authority = served.join("authority.pem");
    let feed = scratch.path().join("feed.xml");
    fs::write(
        &feed,
        "<feed xmlns='http://www.w3.org/2005/Atom'><version>1.0.0</version><title>T</title><id>urn:t</id></feed>",
    )
    .expect("written");
    let upload = || {
        let mut command = iiswsgi();
        command
            .args(["upload", "--strict", "--method", "put"])
            .args(["--repository", &share, feed.as_str()])
            .env("HOME", scratch.path())
            .env_remove("SSL_CERT_FILE");
        command
    };
    let message = fail(&mut upload());
    assert!(message.contains("certificate"), "{message}");
    assert!(message.contains("with `--cert`"), "{message}");
    assert!(!message.contains("trying again"), "{message}");
    let message = fail(upload().args(["--cert", feed.as_str()]));
    assert!(
        message.contains("feed.xml` has no certificate"),
        "{message}"
    );
    assert!(!served.join("feed.xml").exists());
    for command in [
        upload().args(["--cert", authority.as_str()]),
        upload().env("TWINE_CERT", &authority),
        upload().env("SSL_CERT_FILE", &authority),
    ] {
        assert_eq!(succeed(command), "feed.xml: uploaded and checked\n");
        fs::remove_file(served.join("feed.xml")).expect("it has arrived");
    }
    fs::copy(&feed, served.join("feed.xml")).expect("copied");
    let list = || {
        let mut command = iiswsgi();
        command.args(["webpi", "list", &format!("{share}feed.xml")]);
        command
    };
    let message = fail(list().env_remove("SSL_CERT_FILE"));
    assert!(
        message.contains("or name its file in SSL_CERT_FILE"),
        "{message}"
    );
    succeed(list().env("SSL_CERT_FILE", &authority));
    drop(server);
}
