//! The peers, how they are started, and what they are measured with.

use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use fs_err as fs;
use serde_json::Value;

use crate::bench::build_package;
use crate::run::{Result, Step};
use crate::workspace::{Profile, PythonEnvironment, build_wheel, root, target};

/// What serves the application, all with one process and one thread.
pub(super) const PEERS: [&str; 5] = ["iiswsgi", "uWSGI", "flup", "flipflop", "libfcgi in C"];

/// What the Python peers are installed from; uWSGI is compiled. matplotlib draws the picture.
const PYTHON_PACKAGES: [&str; 6] = [
    "uWSGI==2.0.31",
    "flup==1.0.3",
    "flipflop==1.0",
    "gunicorn>=23,<24",
    "granian>=2,<3",
    "matplotlib>=3.9,<4",
];

/// What the load generator has printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    /// Microseconds of processor time a request.
    pub(super) cpu: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) memory_kib: f64,
    /// Requests a second.
    pub(super) rate: f64,
    /// Requests that were not answered as they should be; one of ours ends the measurement instead.
    pub(super) failed: f64,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) python: PythonEnvironment,
    pub(super) application: Utf8PathBuf,
    load: Utf8PathBuf,
    responder: Utf8PathBuf,
    /// The one that pinned programs run on, as `taskset` names it.
    processor: String,
    pub(super) folder: Utf8PathBuf,
}

/// A peer that serves on a socket, ended when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) socket: Utf8PathBuf,
}

impl Server {
    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // With SIGTERM, so that a server takes its workers along.
        let id = self.child.id().to_string();
        let ended = Step::new("kill", &root()).args([id.as_str()]).succeeds();
        let start = Instant::now();
        while ended
            && matches!(self.child.try_wait(), Ok(None))
            && start.elapsed() < Duration::from_secs(5)
        {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
    }
}

impl Bench {
    pub(super) fn prepare() -> Result<Self> {
        let folder = target().join("bench/gateway");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let tools = PythonEnvironment::make(&target().join("xtask/tools"))?;
        tools.install(&["maturin>=1.9,<2"])?;
        let wheel = build_wheel(&tools, &folder.join("wheels"), Profile::Release)?;
        let python = PythonEnvironment::make(&folder.join("python"))?;
        python.install(&PYTHON_PACKAGES)?;
        python.install(&["--force-reinstall", "--no-deps", wheel.as_str()])?;
        let source = root().join("bench/gateway");
        let build = target().join("bench");
        build_package("fcgi-gateway-bench", &build)?;
        let responder = folder.join("responder");
        Step::new("cc", &root())
            .args(["-O2", "-o", responder.as_str()])
            .args([source.join("c/responder.c").as_str(), "-lfcgi"])
            .run()?;
        Ok(Self {
            python,
            application: source.join("app"),
            load: build.join("release/load"),
            responder,
            processor: first_processor()?,
            folder,
        })
    }

    /// Starts a peer with one process and one thread, on one processor that [`Bench::load`] uses too: each wakes the other then
    /// without an interrupt of another processor, which on a virtual machine costs more than the request, and more on an idle
    /// one than on a busy one.
    pub(super) fn start_pinned(&self, peer: &str) -> Result<Server> {
        self.start_with(peer, &[], true)
    }

    /// Starts a peer with one process and one thread, or as `more` says.
    pub(super) fn start(&self, peer: &str, more: &[&str]) -> Result<Server> {
        self.start_with(peer, more, false)
    }

    fn start_with(&self, peer: &str, more: &[&str], pinned: bool) -> Result<Server> {
        let socket = self.folder.join("socket");
        let _ = fs::remove_file(&socket);
        let app = self.application.as_str();
        let python = |script: &str| {
            Step::new(self.python.program("python"), &self.folder)
                .args([self.application.join(script).as_str(), socket.as_str()])
        };
        let step = match peer {
            "iiswsgi" => Step::new(self.python.program("iiswsgi"), &self.folder)
                .args(["serve", "application", "--chdir", app])
                .args(["--unix", socket.as_str(), "--log-level", "warn"])
                .args(more.iter().copied()),
            "uWSGI" => Step::new(self.python.program("uwsgi"), &self.folder)
                .args(["--fastcgi-socket", socket.as_str(), "--chdir", app])
                .args(["--module", "application:application", "--need-app"])
                .args(["--processes", "1", "--disable-logging", "--die-on-term"]),
            "flup" => python("flup_server.py"),
            "flipflop" => python("flipflop_server.py"),
            _ => Step::new(self.responder.as_str(), &self.folder),
        };
        let step = if pinned { self.pin(step) } else { step };
        let stdin = if peer == PEERS[4] {
            // libfcgi wants its listening socket on file descriptor 0.
            let listener = std::os::unix::net::UnixListener::bind(&socket)
                .map_err(|error| format!("{socket}: {error}"))?;
            Stdio::from(std::os::fd::OwnedFd::from(listener))
        } else {
            Stdio::null()
        };
        start(&step, stdin, socket)
    }

    /// Measures a server that is pinned: one connection over its socket for `seconds`.
    pub(super) fn load(&self, server: &Server, workload: &str, seconds: f64) -> Result<Report> {
        let seconds = seconds.to_string();
        let step = Step::new(self.load.as_str(), &root()).args([
            "--unix",
            server.socket.as_str(),
            "--seconds",
            &seconds,
        ]);
        report(self.pin(step), server, workload)
    }

    fn pin(&self, step: Step) -> Step {
        step.started_by("taskset", &["--cpu-list", &self.processor])
    }

    /// Measures what `arguments` say.
    pub(super) fn load_with(
        &self,
        arguments: &[&str],
        server: &Server,
        workload: &str,
    ) -> Result<Report> {
        let step = Step::new(self.load.as_str(), &root()).args(arguments.iter().copied());
        report(step, server, workload)
    }

    pub(super) fn versions(&self) -> Result<String> {
        let script = "import importlib.metadata as m, platform, sys\n\
                      print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]) + '; CPython ' + platform.python_version())";
        let versions = Step::new(self.python.program("python"), &root())
            .args(["-c", script, "iiswsgi", "uWSGI", "flup", "flipflop"])
            .args(["gunicorn", "granian"])
            .quiet_output()?;
        Ok(versions.trim().to_owned())
    }
}

/// Runs the load generator.
fn report(load: Step, server: &Server, workload: &str) -> Result<Report> {
    let output = load
        .args(["--workload", workload])
        .args(["--pid".to_owned(), server.id().to_string()])
        .quiet_output()?;
    let report: Value = serde_json::from_str(&output).map_err(|error| error.to_string())?;
    let number = |name: &str| {
        report[name]
            .as_f64()
            .ok_or_else(|| format!("no {name} in {output}"))
    };
    Ok(Report {
        cpu: number("cpu_us")?,
        p50: number("p50_us")?,
        p99: number("p99_us")?,
        memory_kib: number("memory_kib")?,
        rate: number("requests")? / number("seconds")?,
        failed: number("failed")?,
    })
}

/// The first processor that this process may use.
fn first_processor() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let first = allowed.and_then(|allowed| allowed.trim().split([',', '-']).next());
    first
        .map(str::to_owned)
        .ok_or_else(|| "no Cpus_allowed_list in /proc/self/status".to_owned())
}

/// Starts a server, and waits until it listens on a socket.
pub(super) fn start(step: &Step, stdin: Stdio, socket: Utf8PathBuf) -> Result<Server> {
    let mut command = step.command();
    command
        .stdin(stdin)
        .stderr(Stdio::null())
        .stdout(Stdio::null());
    let child = command.spawn().map_err(|error| step.cannot_start(&error))?;
    let mut server = Server { child, socket };
    let start = Instant::now();
    while UnixStream::connect(&server.socket).is_err() {
        if let Ok(Some(status)) = server.child.try_wait() {
            return Err(format!("`{}` ended with {status}", step.command_line()));
        }
        if start.elapsed() > Duration::from_secs(30) {
            return Err(format!("`{}` does not listen", step.command_line()));
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    Ok(server)
}
