//! A soak: mixed load over a long time, during which nothing may fail and nothing may grow.

mod load;
mod process;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use camino::Utf8Path;

pub use self::load::{KINDS, Kind, Tally};
pub use self::process::{Size, tree};
use crate::site::listening;
use crate::web_server::{Backend, WebServer};
use crate::{Server, iiswsgi, root, succeed, wait_for};

/// How often SIGHUP replaces the workers of the first gateway.
const RELOAD_EVERY: Duration = Duration::from_secs(20);

/// How often the processes are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How much more memory and descriptors a process may have in the last third of the time than in the first.
const ALLOWANCE: Size = Size {
    memory_kib: 8 * 1024,
    descriptors: 16,
};

/// A gateway under load.
#[derive(Debug)]
struct Gateway {
    name: &'static str,
    server: Server,
    nginx: Server,
    /// Where nginx listens, and the gateway's socket behind it.
    target: load::Target,
    /// The largest of its processes each time that it was looked at.
    sizes: Vec<Size>,
}

/// Runs the load for a time, prints what happens, and returns whether nothing failed and nothing grew.
///
/// # Panics
///
/// A server cannot be started, or does not end when it is asked to.
#[must_use]
#[expect(clippy::print_stdout, reason = "a report for people at a terminal")]
pub fn run(folder: &Utf8Path, time: Duration) -> bool {
    // One whose workers are replaced again and again, and one that has to stay as it is.
    let mut gateways = [
        Gateway::start(folder, "reloaded", &["--processes", "2", "--threads", "2"]),
        Gateway::start(folder, "steady", &["--threads", "4"]),
    ];
    let stop = &AtomicBool::new(false);
    let (start, mut reloaded, mut reloads, mut told) = (Instant::now(), Instant::now(), 0, 0);
    let targets: Vec<load::Target> = gateways.iter().map(|of| of.target.clone()).collect();
    let tally = std::thread::scope(|scope| {
        let clients: Vec<_> = targets
            .iter()
            .flat_map(|target| KINDS.map(|kind| (target, kind)))
            .map(|(target, kind)| scope.spawn(move || load::client(target, kind, stop)))
            .collect();
        while start.elapsed() < time {
            std::thread::park_timeout(LOOK_EVERY);
            for gateway in &mut gateways {
                gateway.look();
            }
            if reloaded.elapsed() >= RELOAD_EVERY {
                reloaded = Instant::now();
                reloads += 1;
                let pid = gateways[0].server.pid().to_string();
                succeed(Command::new("kill").args(["-HUP", &pid]));
            }
            let minute = start.elapsed().as_secs() / 60;
            if minute > told {
                told = minute;
                println!(
                    "minute {minute}: {}",
                    gateways.each_ref().map(Gateway::now).join(", ")
                );
            }
        }
        stop.store(true, Ordering::Relaxed);
        let tallies = clients.into_iter().map(|client| client.join());
        tallies.fold(Tally::default(), |sum, tally| {
            sum.and(tally.expect("a client does not panic"))
        })
    });

    println!("\n{} reloads\n\n{tally}", reloads);
    let mut flat = true;
    for gateway in gateways {
        flat &= gateway.verdict();
        drop(gateway.nginx);
        gateway.server.stop();
    }
    flat && tally.failures() == 0
}

impl Gateway {
    fn start(folder: &Utf8Path, name: &'static str, options: &[&str]) -> Self {
        let folder = folder.join(name);
        fs_err::create_dir_all(&folder).expect("a folder");
        let mut command = iiswsgi();
        let applications = root().join("tests/applications");
        command
            .args([
                "serve",
                "probe:application",
                "--chdir",
                applications.as_str(),
            ])
            .args(["--log-level", "info"])
            .args(options);
        let (server, socket) = listening(&folder, command);
        let (nginx, http) = WebServer::Nginx.start(&folder, Backend::Unix(&socket));
        let target = load::Target { http, socket };
        wait_for(name, || load::is_served(&target).then_some(()));
        Self {
            name,
            server,
            nginx,
            target,
            sizes: Vec::new(),
        }
    }

    fn look(&mut self) {
        let sizes = tree(self.server.pid());
        let largest = sizes.into_iter().reduce(Size::max);
        self.sizes.extend(largest);
    }

    fn now(&self) -> String {
        let size = self.sizes.last().copied().unwrap_or_default();
        format!("{} {size}", self.name)
    }

    /// Prints how large it was, and returns whether it has not grown.
    #[expect(clippy::print_stdout, reason = "a report for people at a terminal")]
    fn verdict(&self) -> bool {
        let third = self.sizes.len().div_ceil(3);
        let largest = |sizes: &[Size]| sizes.iter().copied().reduce(Size::max).unwrap_or_default();
        let first = largest(&self.sizes[..third]);
        let last = largest(&self.sizes[self.sizes.len() - third..]);
        let flat = last.is_within(first, ALLOWANCE);
        println!(
            "{}: at most {first} a process in the first third of the time, {last} in the last: {}",
            self.name,
            if flat { "flat" } else { "IT GROWS" }
        );
        flat
    }
}
