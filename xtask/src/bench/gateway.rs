//! The gateway beside uWSGI, flup, flipflop and a libfcgi responder in C: processor time, latency and memory under the same
//! load, with the same application.

mod chart;
mod nginx;
mod scaling;
mod servers;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use self::servers::{Bench, PEERS, Report};
use super::{Goal, Outcome, decimals, grouped};
use crate::run::Result;
use crate::workspace::install_debian_packages;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Seconds of each measurement
    #[arg(long, default_value_t = 2.0, value_name = "SECONDS")]
    seconds: f64,
    /// How often everything is measured; the medians count
    #[arg(long, default_value_t = 3, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Requests of the run that shows that memory does not grow
    #[arg(long, default_value_t = 1_000_000, value_name = "COUNT")]
    requests: u32,
}

/// The compiler for the responder in C and for uWSGI, and the Web server.
const DEBIAN_PACKAGES: [&str; 4] = ["gcc", "libc6-dev", "libfcgi-dev", "nginx-light"];

/// What every peer is measured with, and what share of uWSGI's processor time the gateway may take.
const WORKLOADS: [(&str, &str, f64); 5] = [
    ("small", "13 octets, connection kept", 0.45),
    ("fresh", "fresh connection", 0.55),
    ("megabyte", "1 MiB answer", 0.5),
    ("echo", "64 KiB echo", 0.45),
    ("chunks", "1,000 chunks of 1 KiB", 0.7),
];

/// How much slower than the gateway flup and flipflop have to be on the small answer.
const TIMES: f64 = 9.0;

pub(super) fn run(args: &Args) -> Result<Outcome> {
    install_debian_packages(&DEBIAN_PACKAGES)?;
    let bench = Bench::prepare()?;
    let mut measured = Measured::new();
    for round in 1..=args.rounds {
        for (workload, ..) in WORKLOADS {
            println!("# round {round}: {workload}");
            // One right after the other, so that a slow moment of the machine is one for all of them.
            for peer in PEERS {
                let server = bench.start_pinned(peer)?;
                let report = bench.load(&server, workload, args.seconds)?;
                measured.entry((peer, workload)).or_default().push(report);
            }
        }
    }
    let medians = medians(&measured);
    let mut outcome = Outcome {
        versions: bench.versions()?,
        tables: tables(&measured, &medians),
        goals: goals(&measured),
    };
    scaling::measure(&bench, args, &mut outcome)?;
    nginx::measure(&bench, args, &mut outcome)?;
    chart::draw(&bench, &measured)?;
    outcome.tables.push_str(chart::MARKDOWN);
    Ok(outcome)
}

type Measured = BTreeMap<(&'static str, &'static str), Vec<Report>>;
type Medians = BTreeMap<(&'static str, &'static str), Report>;

fn medians(measured: &Measured) -> Medians {
    let medians = measured.iter().map(|(key, reports)| {
        let of = |field: fn(&Report) -> f64| median(reports.iter().map(field));
        let report = Report {
            cpu: of(|report| report.cpu),
            p50: of(|report| report.p50),
            p99: of(|report| report.p99),
            memory_kib: of(|report| report.memory_kib),
            rate: of(|report| report.rate),
            failed: of(|report| report.failed),
        };
        (*key, report)
    });
    medians.collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How many times the processor time of `base` a peer takes: the median of the rounds, in each of which they ran one after the
/// other.
fn times(
    measured: &Measured,
    peer: &'static str,
    base: &'static str,
    workload: &'static str,
) -> f64 {
    let rounds = measured[&(peer, workload)]
        .iter()
        .zip(&measured[&(base, workload)]);
    median(rounds.map(|(peer, base)| peer.cpu / base.cpu))
}

fn tables(measured: &Measured, medians: &Medians) -> String {
    let mut out = String::new();
    let mut table = |title: &str, cell: &dyn Fn(&'static str, &'static str) -> String| {
        let _ = write!(out, "\n| {title} |");
        for (_, name, _) in WORKLOADS {
            let _ = write!(out, " {name} |");
        }
        let _ = writeln!(out, "\n|---|{}", "---:|".repeat(WORKLOADS.len()));
        for peer in PEERS {
            let _ = write!(out, "| {peer} |");
            for (workload, ..) in WORKLOADS {
                let _ = write!(out, " {} |", cell(peer, workload));
            }
            out.push('\n');
        }
    };
    let report = |peer, workload| medians[&(peer, workload)];
    table(
        "processor time a request, µs (times uWSGI's)",
        &|peer, workload| {
            let times = times(measured, peer, PEERS[1], workload);
            format!("{} ({times:.2})", decimals(report(peer, workload).cpu))
        },
    );
    table("latency, median / 99 %, µs", &|peer, workload| {
        let report = report(peer, workload);
        format!("{} / {}", grouped(report.p50), grouped(report.p99))
    });
    table("memory afterwards, KiB", &|peer, workload| {
        grouped(report(peer, workload).memory_kib)
    });
    out
}

fn goals(measured: &Measured) -> Vec<Goal> {
    let (ours, uwsgi) = (PEERS[0], PEERS[1]);
    let mut goals = Vec::new();
    for (workload, name, most) in WORKLOADS {
        let times = times(measured, ours, uwsgi, workload);
        goals.push(Goal::new(
            times <= most,
            format!("{name}: at most {most} of uWSGI's processor time: {times:.2}"),
        ));
    }
    for peer in &PEERS[2..4] {
        let times = times(measured, peer, ours, "small");
        goals.push(Goal::new(
            times >= TIMES,
            format!("{peer} takes at least {TIMES} times the processor time on the small answer: {times:.1}"),
        ));
    }
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
            rate: 1e6 / cpu,
            failed: 0.0,
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
        let reached: Vec<bool> = goals(&measured).iter().map(|goal| goal.reached).collect();
        assert_eq!(reached, [true, true, true, true, true, true, false]);
        assert!(tables(&measured, &medians(&measured)).contains("| iiswsgi | 4.00 (0.40) |"));
    }
}
