//! A site in a temporary folder, served.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use iis_config::edit::{ApplicationPlace, set_application, set_fast_cgi_application};
use iis_config::{ApplicationHost, FastCgiApplication};
use iis_dev_server::{Configuration, Options, Server, load_with};
use spanned_xml::Source;

/// The name of the site.
pub(crate) const SITE: &str = "Test Site";

/// A temporary folder with a site in it.
#[derive(Debug)]
pub(crate) struct Folder {
    // Removed at the end.
    _folder: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
    host: String,
}

impl Folder {
    /// A site whose root application is the folder `app`.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let mut this = Self {
            _folder: folder,
            root,
            host: ApplicationHost::new_text("\n"),
        };
        this.mount("/", "app");
        this
    }

    fn edit(&mut self, edit: impl FnOnce(&Source) -> String) {
        let source = Source::from_text("applicationHost.config", self.host.clone());
        self.host = edit(&source);
        fs_err::write(self.root.join("applicationHost.config"), &self.host).unwrap();
    }

    /// Mounts a folder as an application.
    pub(crate) fn mount(&mut self, path: &str, folder: &str) {
        let folder = self.root.join(folder);
        fs_err::create_dir_all(&folder).unwrap();
        let place = ApplicationPlace::new(SITE, path, folder.as_str());
        self.edit(|source| set_application(source, &place).unwrap().text);
    }

    /// Registers a FastCGI application.
    pub(crate) fn register(&mut self, application: &FastCgiApplication) {
        self.edit(|source| set_fast_cgi_application(source, application).unwrap().text);
    }

    /// Writes a file below the root.
    pub(crate) fn write(&self, path: &str, octets: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, octets).unwrap();
        path
    }

    /// A `web.config` in `folder` that gives everything to `application`.
    pub(crate) fn web_config(&self, folder: &str, application: &FastCgiApplication) {
        let script_processor = application.script_processor().replace('"', "&quot;");
        self.write(
            &format!("{folder}/web.config"),
            format!(
                r#"<configuration><system.webServer><handlers>
  <add name="echo" path="*" verb="*" modules="FastCgiModule" scriptProcessor="{script_processor}" />
</handlers></system.webServer></configuration>"#
            ),
        );
    }

    pub(crate) fn load(&self) -> Configuration {
        load_with(&self.root, std::iter::empty()).unwrap()
    }

    /// What the logs of the site hold.
    pub(crate) fn logs(&self) -> String {
        logs(&self.root)
    }
}

/// What all logs of the site hold.
fn logs(root: &Utf8Path) -> String {
    let folder = root.join("Logs").join(SITE);
    let files = folder.read_dir_utf8().unwrap();
    files
        .map(|file| fs_err::read_to_string(file.unwrap().path()).unwrap())
        .collect()
}

/// A program in `examples/`, which `cargo test` builds beside the tests.
pub(crate) fn example(name: &str) -> Utf8PathBuf {
    let test = Utf8PathBuf::from_path_buf(std::env::current_exe().unwrap()).unwrap();
    let target = test.parent().and_then(Utf8Path::parent).unwrap();
    let program = target.join("examples").join(name);
    assert!(
        program.is_file(),
        "`{program}` is missing: run `cargo build -p iis-dev-server --examples`, or all tests of the package"
    );
    program
}

/// The responder as a FastCGI application that may write to its error stream.
pub(crate) fn echo_application() -> FastCgiApplication {
    let mut application = FastCgiApplication::new(example("echo_responder").as_str(), "");
    application.max_instances = 2;
    application
}

/// A server with its runtime.
#[derive(Debug)]
pub(crate) struct Served {
    runtime: tokio::runtime::Runtime,
    server: Option<Server>,
    pub(crate) address: SocketAddr,
    pub(crate) folder: Folder,
}

impl Served {
    /// Serves the responder at `/`.
    pub(crate) fn echo() -> Self {
        Self::with(|_| {})
    }

    /// Serves the responder at `/` after a change of its settings, which may go beyond what a file may say.
    pub(crate) fn with(change: impl FnOnce(&mut FastCgiApplication)) -> Self {
        let mut folder = Folder::new();
        let application = echo_application();
        folder.register(&application);
        folder.web_config("app", &application);
        let mut configuration = folder.load();
        change(&mut configuration.fast_cgi[0]);
        Self::start(folder, configuration)
    }

    /// Serves what is in the folder.
    pub(crate) fn folder(folder: Folder) -> Self {
        let configuration = folder.load();
        Self::start(folder, configuration)
    }

    pub(crate) fn start(folder: Folder, configuration: Configuration) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut options = Options::default();
        options.port = Some(0);
        options.shutdown_grace = Duration::from_millis(500);
        let server = runtime
            .block_on(Server::start(configuration, options))
            .unwrap();
        let address = server.addresses()[0].address;
        Self {
            runtime,
            server: Some(server),
            address,
            folder,
        }
    }

    /// Stops the server and waits for it.
    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where processes report to, and wait.
#[derive(Debug)]
pub(crate) struct Gate {
    listener: TcpListener,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            listener: TcpListener::bind(("127.0.0.1", 0)).unwrap(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Waits for a process to arrive; its report.
    pub(crate) fn arrival(&self) -> Waiting {
        let (stream, _) = self.listener.accept().unwrap();
        let mut report = String::new();
        BufReader::new(&stream).read_line(&mut report).unwrap();
        Waiting {
            stream,
            report: report.trim_end().to_owned(),
        }
    }
}

/// A process at the gate.
#[derive(Debug)]
pub(crate) struct Waiting {
    stream: TcpStream,
    pub(crate) report: String,
}

impl Waiting {
    /// Lets it go on.
    pub(crate) fn open(mut self, word: &str) {
        writeln!(self.stream, "{word}").unwrap();
    }
}
