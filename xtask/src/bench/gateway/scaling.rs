//! What more threads and processes give, what a process costs in memory, and what happens under full load.

use std::fmt::Write as _;

use super::Args;
use super::servers::{Bench, PEERS, Report};
use crate::bench::{Goal, Outcome, grouped};
use crate::run::{Result, Step};

/// Connections that keep every worker busy.
const CONNECTIONS: &str = "8";

/// What four threads may lose on an application that computes, and have to reach on one that sleeps.
const THREADS: [(&str, f64); 2] = [("compute", 0.95), ("sleep", 3.8)];

/// What two processes have to reach on an application that computes.
const PROCESSES: f64 = 1.8;

/// MiB over the bare interpreter with the application loaded.
const MEMORY_MIB: f64 = 6.0;

/// MiB that a process may grow by.
const GROWTH_MIB: f64 = 1.0;

const MIB: f64 = 1024.0;

pub(super) fn measure(bench: &Bench, args: &Args, outcome: &mut Outcome) -> Result<()> {
    let mut table =
        "\n| Many connections | requests a second | 99 %, \u{b5}s |\n|---|---:|---:|\n".to_owned();
    let mut row = |name: &str, report: &Report| {
        let (rate, p99) = (grouped(report.rate), grouped(report.p99));
        let _ = writeln!(table, "| {name} | {rate} | {p99} |");
    };
    let mut goal = |reached, text| outcome.goals.push(Goal::new(reached, text));
    for (workload, least) in THREADS {
        let one = median(bench, args, PEERS[0], workload, &[])?;
        let four = median(bench, args, PEERS[0], workload, &["--threads", "4"])?;
        row(&format!("{workload}, 1 thread"), &one);
        row(&format!("{workload}, 4 threads"), &four);
        let times = four.rate / one.rate;
        goal(
            times >= least,
            format!(
                "4 threads answer at least {least} times as many requests as 1 where the application has to {workload}: {times:.2}"
            ),
        );
    }
    let one = median(bench, args, PEERS[0], "compute", &["--processes", "1"])?;
    let two = median(bench, args, PEERS[0], "compute", &["--processes", "2"])?;
    row("compute, 2 processes", &two);
    let times = two.rate / one.rate;
    goal(
        times >= PROCESSES,
        format!("2 processes answer at least {PROCESSES} times as many requests as 1: {times:.2}"),
    );
    let ours = median(bench, args, PEERS[0], "small", &[])?;
    let uwsgi = median(bench, args, PEERS[1], "small", &[])?;
    row("small, iiswsgi", &ours);
    row("small, uWSGI", &uwsgi);
    goal(
        ours.p99 <= uwsgi.p99,
        format!(
            "under full load 99 % of the answers come no later than uWSGI's: {} \u{b5}s beside {} \u{b5}s",
            grouped(ours.p99),
            grouped(uwsgi.p99)
        ),
    );
    outcome.tables.push_str(&table);
    memory(bench, args, outcome)
}

/// The run of the median rate with many connections.
fn median(bench: &Bench, args: &Args, peer: &str, workload: &str, more: &[&str]) -> Result<Report> {
    let mut reports = Vec::new();
    for _ in 0..args.rounds {
        let server = bench.start(peer, more)?;
        let seconds = args.seconds.to_string();
        let to = ["--unix", server.socket.as_str(), "--seconds", &seconds];
        let with = [&to[..], &["--connections", CONNECTIONS]].concat();
        reports.push(bench.load_with(&with, &server, workload)?);
    }
    reports.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    Ok(reports[reports.len() / 2])
}

/// What a process takes, at first and after a long run.
fn memory(bench: &Bench, args: &Args, outcome: &mut Outcome) -> Result<()> {
    println!("# memory");
    let bare = bare_interpreter_kib(bench)?;
    let server = bench.start(PEERS[0], &[])?;
    let requests = |count: &str, workload| {
        let to = ["--unix", server.socket.as_str(), "--seconds", "86400"];
        bench.load_with(
            &[&to[..], &["--requests", count]].concat(),
            &server,
            workload,
        )
    };
    let first = requests("1", "small")?.memory_kib;
    let warm = requests("10000", "small")?.memory_kib;
    let after_many = requests(&args.requests.to_string(), "small")?.memory_kib;
    let uploaded = requests("1", "upload")?.memory_kib;
    let mut table = "\n| Memory, proportional set size | KiB |\n|---|---:|\n".to_owned();
    let many = format!("after {} requests", grouped(f64::from(args.requests)));
    let rows = [
        ("the interpreter with the application", bare),
        ("iiswsgi after one request", first),
        ("after 10,000 requests", warm),
        (&many, after_many),
        ("after an upload of 1 GiB", uploaded),
    ];
    for (name, kib) in rows {
        let _ = writeln!(table, "| {name} | {} |", grouped(kib));
    }
    outcome.tables.push_str(&table);
    let over = (first - bare) / MIB;
    let goals = [
        Goal::new(
            over <= MEMORY_MIB,
            format!(
                "at most {MEMORY_MIB} MiB over the bare interpreter with the application: {over:.1}"
            ),
        ),
        Goal::new(
            after_many - warm <= GROWTH_MIB * MIB,
            format!(
                "memory is flat over {} requests: {:+.2} MiB",
                grouped(f64::from(args.requests)),
                (after_many - warm) / MIB
            ),
        ),
        Goal::new(
            uploaded - after_many <= GROWTH_MIB * MIB,
            format!(
                "memory is flat over an upload of 1 GiB: {:+.2} MiB",
                (uploaded - after_many) / MIB
            ),
        ),
    ];
    outcome.goals.extend(goals);
    Ok(())
}

/// The proportional set size of an interpreter that has loaded the application, and nothing else.
fn bare_interpreter_kib(bench: &Bench) -> Result<f64> {
    let script = "import sys; sys.path.insert(0, sys.argv[1]); import application\n\
                  lines = open('/proc/self/smaps_rollup').read().splitlines()\n\
                  print(next(line.split()[1] for line in lines if line.startswith('Pss:')))";
    Step::new(bench.python.program("python"), &bench.folder)
        .args(["-c", script, bench.application.as_str()])
        .quiet_output()?
        .trim()
        .parse()
        .map_err(|error| format!("no number of KiB: {error}"))
}
