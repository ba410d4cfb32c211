//! The gateway beside uWSGI, flup, flipflop and a libfcgi responder in C: processor time, latency and memory under the same
//! load, with the same application.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use fs_err as fs;
use serde_json::Value;

use super::{Goal, Outcome, build_package, decimals, grouped};
use crate::run::{Result, Step};
use crate::workspace::{
    Profile, PythonEnvironment, build_wheel, install_debian_packages, root, target,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Seconds of each measurement
    #[arg(long, default_value_t = 2.0, value_name = "SECONDS")]
    seconds: f64,
    /// How often everything is measured; the medians count
    #[arg(long, default_value_t = 3, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
}

/// What the Python peers are installed from; uWSGI is compiled.
const PYTHON_PACKAGES: [&str; 3] = ["uWSGI==2.0.31", "flup==1.0.3", "flipflop==1.0"];

/// For the responder in C.
const DEBIAN_PACKAGES: [&str; 3] = ["gcc", "libc6-dev", "libfcgi-dev"];

/// What every peer is measured with, and what share of uWSGI's processor time the gateway may take.
const WORKLOADS: [(&str, &str, f64); 5] = [
    ("small", "13 octets, connection kept", 0.45),
    ("fresh", "fresh connection", 0.55),
    ("megabyte", "1 MiB answer", 0.5),
    ("echo", "64 KiB echo", 0.45),
    ("chunks", "1,000 chunks of 1 KiB", 0.7),
];

/// What serves the application, all with one process and one thread.
const PEERS: [&str; 5] = ["iiswsgi", "uWSGI", "flup", "flipflop", "libfcgi in C"];

/// How much slower than the gateway flup and flipflop have to be on the small answer.
const TIMES: f64 = 9.0;

pub(super) fn run(args: &Args) -> Result<Outcome> {
    install_debian_packages(&DEBIAN_PACKAGES)?;
    let bench = Bench::prepare()?;
    let mut measured = Measured::new();
    for round in 1..=args.rounds {
        for peer in PEERS {
            println!("# round {round}: {peer}");
            let server = bench.start(peer)?;
            for (workload, ..) in WORKLOADS {
                let report = bench.load(&server, workload, args.seconds)?;
                measured.entry((peer, workload)).or_default().push(report);
            }
        }
    }
    let medians = medians(measured);
    Ok(Outcome {
        versions: bench.versions()?,
        tables: tables(&medians),
        goals: goals(&medians),
    })
}

type Measured = BTreeMap<(&'static str, &'static str), Vec<Report>>;
type Medians = BTreeMap<(&'static str, &'static str), Report>;

/// What the load generator has printed.
#[derive(Clone, Copy, Debug)]
struct Report {
    /// Microseconds of processor time a request.
    cpu: f64,
    p50: f64,
    p99: f64,
    memory_kib: f64,
}

/// Where everything is.
#[derive(Debug)]
struct Bench {
    python: PythonEnvironment,
    application: Utf8PathBuf,
    load: Utf8PathBuf,
    responder: Utf8PathBuf,
    folder: Utf8PathBuf,
}

/// A peer that serves on a socket, ended when this is dropped.
#[derive(Debug)]
struct Server {
    child: Child,
    socket: Utf8PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
    }
}

impl Bench {
    fn prepare() -> Result<Self> {
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
            folder,
        })
    }

    fn start(&self, peer: &str) -> Result<Server> {
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
                .args(["--unix", socket.as_str(), "--log-level", "warn"]),
            "uWSGI" => Step::new(self.python.program("uwsgi"), &self.folder)
                .args(["--fastcgi-socket", socket.as_str(), "--chdir", app])
                .args(["--module", "application:application", "--need-app"])
                .args(["--processes", "1", "--disable-logging"]),
            "flup" => python("flup_server.py"),
            "flipflop" => python("flipflop_server.py"),
            _ => Step::new(self.responder.as_str(), &self.folder),
        };
        let mut command = step.command();
        command
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .stdout(Stdio::null());
        if peer == PEERS[4] {
            // libfcgi wants its listening socket on file descriptor 0.
            let listener = std::os::unix::net::UnixListener::bind(&socket)
                .map_err(|error| format!("{socket}: {error}"))?;
            command.stdin(std::os::fd::OwnedFd::from(listener));
        }
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

    fn load(&self, server: &Server, workload: &str, seconds: f64) -> Result<Report> {
        let output = Step::new(self.load.as_str(), &root())
            .args(["--unix", server.socket.as_str(), "--workload", workload])
            .args(["--seconds".to_owned(), seconds.to_string()])
            .args(["--pid".to_owned(), server.child.id().to_string()])
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
        })
    }

    fn versions(&self) -> Result<String> {
        let script = "import importlib.metadata as m, platform, sys\n\
                      print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]) + '; CPython ' + platform.python_version())";
        let versions = Step::new(self.python.program("python"), &root())
            .args(["-c", script, "iiswsgi", "uWSGI", "flup", "flipflop"])
            .quiet_output()?;
        Ok(versions.trim().to_owned())
    }
}

fn medians(measured: Measured) -> Medians {
    let median = |reports: &[Report], field: fn(&Report) -> f64| {
        let mut values: Vec<f64> = reports.iter().map(field).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let medians = measured.into_iter().map(|(key, reports)| {
        let report = Report {
            cpu: median(&reports, |report| report.cpu),
            p50: median(&reports, |report| report.p50),
            p99: median(&reports, |report| report.p99),
            memory_kib: median(&reports, |report| report.memory_kib),
        };
        (key, report)
    });
    medians.collect()
}

fn tables(medians: &Medians) -> String {
    let mut out = String::new();
    let mut table = |title: &str, cell: fn(&Report, &Report) -> String| {
        let _ = write!(out, "\n| {title} |");
        for (_, name, _) in WORKLOADS {
            let _ = write!(out, " {name} |");
        }
        let _ = writeln!(out, "\n|---|{}", "---:|".repeat(WORKLOADS.len()));
        for peer in PEERS {
            let _ = write!(out, "| {peer} |");
            for (workload, ..) in WORKLOADS {
                let uwsgi = &medians[&(PEERS[1], workload)];
                let _ = write!(out, " {} |", cell(&medians[&(peer, workload)], uwsgi));
            }
            out.push('\n');
        }
    };
    table(
        "processor time a request, µs (times uWSGI's)",
        |report, uwsgi| format!("{} ({:.2})", decimals(report.cpu), report.cpu / uwsgi.cpu),
    );
    table("latency, median / 99 %, µs", |report, _| {
        format!("{} / {}", grouped(report.p50), grouped(report.p99))
    });
    table("memory afterwards, KiB", |report, _| {
        grouped(report.memory_kib)
    });
    out
}

fn goals(medians: &Medians) -> Vec<Goal> {
    let cpu = |peer, workload| medians[&(peer, workload)].cpu;
    let (ours, uwsgi) = (PEERS[0], PEERS[1]);
    let mut goals = Vec::new();
    for (workload, name, most) in WORKLOADS {
        let times = cpu(ours, workload) / cpu(uwsgi, workload);
        goals.push(Goal::new(
            times <= most,
            format!("{name}: at most {most} of uWSGI's processor time: {times:.2}"),
        ));
    }
    for peer in &PEERS[2..4] {
        let times = cpu(peer, "small") / cpu(ours, "small");
        goals.push(Goal::new(
            times >= TIMES,
            format!("{peer} takes at least {TIMES} times the processor time on the small answer: {times:.1}"),
        ));
    }
    let p99 = |peer| medians[&(peer, "small")].p99;
    goals.push(Goal::new(
        p99(ours) <= p99(uwsgi),
        format!(
            "99 % of the small answers no later than uWSGI's: {} µs beside {} µs",
            grouped(p99(ours)),
            grouped(p99(uwsgi))
        ),
    ));
    goals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(cpu: f64) -> Report {
        Report {
            cpu,
            p50: cpu,
            p99: cpu * 2.0,
            memory_kib: 1000.0,
        }
    }

    #[test]
    fn goals_compare_medians() {
        let mut measured = Measured::new();
        for (workload, ..) in WORKLOADS {
            for (peer, cpu) in PEERS.into_iter().zip([4.0, 10.0, 50.0, 30.0, 3.0]) {
                let reports = [cpu * 9.0, cpu, cpu * 0.1].map(report);
                measured.insert((peer, workload), reports.to_vec());
            }
        }
        let medians = medians(measured);
        let reached: Vec<bool> = goals(&medians).iter().map(|goal| goal.reached).collect();
        assert_eq!(reached, [true, true, true, true, true, true, false, true]);
        assert!(tables(&medians).contains("| iiswsgi | 4.00 (0.40) |"));
    }
}
