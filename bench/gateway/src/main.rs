//! `load`: sends one kind of request to a server for a while, checks each answer, and prints what it took as JSON.
//!
//! Each connection has a thread and one request at a time, so that a latency is that of one request. The processor time is
//! the server's own, from the accounts of its processes, so that it holds on a machine that does other work too.

mod fastcgi;
mod http;
mod process;
mod workload;

use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use serde::Serialize;

use crate::process::Usage;
use crate::workload::{Answer, Workload};

#[derive(Debug, Parser)]
#[command(about = "Sends one kind of request to a FastCGI or HTTP server")]
struct Args {
    /// The server's Unix socket, for FastCGI
    #[arg(long, value_name = "PATH", required_unless_present_any = ["tcp", "http"])]
    unix: Option<String>,
    /// The server's TCP address, for FastCGI
    #[arg(long, value_name = "ADDRESS", conflicts_with = "unix")]
    tcp: Option<String>,
    /// The server's URL up to the path, for HTTP
    #[arg(long, value_name = "URL", conflicts_with_all = ["unix", "tcp"])]
    http: Option<String>,
    /// What is asked for
    #[arg(long, value_enum)]
    workload: Workload,
    /// Connections, each with one request at a time
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    connections: usize,
    /// How long
    #[arg(long, default_value_t = 3.0, value_name = "SECONDS")]
    seconds: f64,
    /// At most so many of each connection
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true, value_name = "COUNT")]
    requests: usize,
    /// Requests of each connection in front of those that count
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    warm_up: u32,
    /// Failures are counted, and end it with a failure only where nothing else came
    #[arg(long)]
    tolerate: bool,
    /// The processes of the server; their children count too
    #[arg(long, value_name = "PID", value_delimiter = ',')]
    pid: Vec<u32>,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Report {
    requests: usize,
    /// Answers that were wrong, and requests without one.
    failed: usize,
    /// The first failure.
    failure: Option<String>,
    seconds: f64,
    /// The server's processor time for one request, user and system, in microseconds.
    cpu_us: f64,
    /// Latencies in microseconds.
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    max_us: f64,
    /// Memory of the server at the end that it shares with nobody, plus its part of what is shared, in KiB.
    memory_kib: u64,
}

/// One connection to the server, made anew where the server closes it.
trait Client {
    /// Sends a request and checks the answer.
    fn request(&mut self, workload: Workload) -> Result<Answer, String>;
}

/// What a connection has done.
#[derive(Debug, Default)]
struct Done {
    latencies: Vec<Duration>,
    failed: usize,
    failure: Option<String>,
}

impl Args {
    fn client(&self) -> Box<dyn Client> {
        match (&self.unix, &self.tcp, &self.http) {
            (Some(path), ..) => {
                Box::new(fastcgi::Client::new(fastcgi::Address::Unix(path.clone())))
            }
            (None, Some(address), _) => {
                Box::new(fastcgi::Client::new(fastcgi::Address::Tcp(address.clone())))
            }
            (None, None, url) => Box::new(http::Client::new(url.clone().unwrap_or_default())),
        }
    }

    fn run(&self) -> Report {
        let (ready, go) = (
            Barrier::new(self.connections + 1),
            Barrier::new(self.connections + 1),
        );
        let length = Duration::from_secs_f64(self.seconds);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.connections)
                .map(|_| {
                    scope.spawn(|| {
                        let mut client = self.client();
                        for _ in 0..self
                            .warm_up
                            .min(u32::try_from(self.requests.saturating_sub(1)).unwrap_or(u32::MAX))
                        {
                            let _ = client.request(self.workload);
                        }
                        ready.wait();
                        go.wait();
                        send(
                            &mut *client,
                            self.workload,
                            self.requests,
                            Instant::now() + length,
                        )
                    })
                })
                .collect();
            ready.wait();
            let before = Usage::of(&self.pid);
            let start = Instant::now();
            go.wait();
            let done: Vec<Done> = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_default())
                .collect();
            let seconds = start.elapsed().as_secs_f64();
            report(done, seconds, &before, &Usage::of(&self.pid))
        })
    }
}

fn send(client: &mut dyn Client, workload: Workload, most: usize, end: Instant) -> Done {
    let mut done = Done::default();
    loop {
        let start = Instant::now();
        if start >= end || done.latencies.len() + done.failed >= most {
            return done;
        }
        let outcome = client
            .request(workload)
            .and_then(|answer| workload.check(&answer));
        match outcome {
            Ok(()) => done.latencies.push(start.elapsed()),
            Err(failure) => {
                done.failed += 1;
                done.failure.get_or_insert(failure);
            }
        }
    }
}

fn report(done: Vec<Done>, seconds: f64, before: &Usage, after: &Usage) -> Report {
    let failed = done.iter().map(|done| done.failed).sum();
    let failure = done.iter().find_map(|done| done.failure.clone());
    let mut latencies: Vec<Duration> = done.into_iter().flat_map(|done| done.latencies).collect();
    latencies.sort_unstable();
    let at = |part: usize| {
        let last = latencies.len().saturating_sub(1);
        latencies
            .get(last * part / 1000)
            .map_or(0.0, |latency| latency.as_secs_f64() * 1e6)
    };
    let requests = latencies.len();
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6;
    Report {
        requests,
        failed,
        failure,
        seconds,
        cpu_us: cpu / requests.max(1) as f64,
        p50_us: at(500),
        p90_us: at(900),
        p99_us: at(990),
        max_us: at(1000),
        memory_kib: after.memory_kib,
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let tolerate = args.tolerate;
    let report = args.run();
    match serde_json::to_string(&report) {
        Ok(text) => println!("{text}"),
        Err(_) => return ExitCode::FAILURE,
    }
    if (tolerate || report.failed == 0) && report.requests > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
