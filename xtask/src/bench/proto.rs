//! fcgi-proto beside libfcgi, tokio-fastcgi and fastcgi-client: times by criterion, instructions by callgrind.

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use fs_err as fs;

use super::{Goal, Outcome, decimals, duration, grouped, locked_version};
use crate::run::{Result, Step};
use crate::workspace::{install_debian_packages, root, target};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Seconds that each time is measured for
    #[arg(long, default_value_t = 5.0, value_name = "SECONDS")]
    seconds: f64,
}

/// Debian packages with what is measured and what counts instructions.
const DEBIAN_PACKAGES: [&str; 2] = ["libfcgi-dev", "valgrind"];

/// Requests that one iteration of `application` and `web_server` serves; see `bench/proto/benches/proto.rs`.
const BATCH: f64 = 100.0;

/// Octets of one iteration of `body`: 64 records; see there.
const BODY_LEN: f64 = 64.0 * 65_528.0;

pub(super) fn run(args: &Args) -> Result<Outcome> {
    install_debian_packages(&DEBIAN_PACKAGES)?;
    let bench = Bench {
        folder: root().join("bench/proto"),
        target: target().join("bench"),
    };
    bench.time(args.seconds)?;
    bench.cargo("build").args(["--release", "--bins"]).run()?;
    let measured = Measured {
        application: [
            bench.median("application/fcgi-proto")? / BATCH,
            bench.median("application/libfcgi")? / BATCH,
            bench.median("application/tokio-fastcgi")? / BATCH,
        ],
        instructions: [
            bench.instructions("fcgi-proto")?,
            bench.instructions("libfcgi")?,
            bench.instructions("tokio-fastcgi")?,
        ],
        web_server_instructions: [
            bench.instructions("web-server")?,
            bench.instructions("fastcgi-client")?,
        ],
        web_server: [
            bench.median("web_server/fcgi-proto")? / BATCH,
            bench.median("web_server/fastcgi-client")? / BATCH,
        ],
        // Octets in a nanosecond are gigabytes in a second.
        body: [
            BODY_LEN / bench.median("body/memcpy")?,
            BODY_LEN / bench.median("body/in_place")?,
            BODY_LEN / bench.median("body/collected")?,
            BODY_LEN / bench.median("body/framed")?,
        ],
        parameters: [
            bench.median("parameters/10")?,
            bench.median("parameters/100")?,
            bench.median("parameters/1000")?,
            bench.median("parameters/10000")?,
        ],
    };
    Ok(Outcome {
        versions: bench.versions()?,
        tables: measured.tables(),
        goals: measured.goals(),
    })
}

/// The package in `bench/proto/` and where it is built.
#[derive(Debug)]
struct Bench {
    folder: Utf8PathBuf,
    target: Utf8PathBuf,
}

impl Bench {
    fn cargo(&self, command: &str) -> Step {
        Step::new("cargo", &root()).args([
            command,
            "--locked",
            "--manifest-path",
            self.folder.join("Cargo.toml").as_str(),
            "--target-dir",
            self.target.as_str(),
            "--features",
            "libfcgi",
        ])
    }

    /// Where criterion writes.
    fn criterion(&self) -> Utf8PathBuf {
        self.target.join("criterion")
    }

    fn time(&self, seconds: f64) -> Result<()> {
        self.cargo("bench")
            .args(["--bench", "proto", "--", "--noplot", "--measurement-time"])
            .args([seconds.to_string()])
            .var("CRITERION_HOME", self.criterion())
            .run()
    }

    /// The median time of one iteration, in nanoseconds.
    fn median(&self, id: &str) -> Result<f64> {
        let path = self.criterion().join(id).join("new/estimates.json");
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let estimates: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
        estimates["median"]["point_estimate"]
            .as_f64()
            .ok_or_else(|| format!("{path}: no median"))
    }

    /// Instructions of one request: those of 2,000 more requests, so that starting does not count.
    fn instructions(&self, implementation: &str) -> Result<f64> {
        let few = self.callgrind(implementation, 1000)?;
        let many = self.callgrind(implementation, 3000)?;
        Ok((many - few) / 2000.0)
    }

    /// Instructions of a process that serves or makes `count` requests.
    fn callgrind(&self, implementation: &str, count: u32) -> Result<f64> {
        let out = self
            .target
            .join(format!("callgrind.{implementation}.{count}"));
        Step::new("valgrind", &root())
            .args(["--tool=callgrind", "--quiet"])
            .args([format!("--callgrind-out-file={out}")])
            .args([self.target.join("release/requests").into_string()])
            .args([implementation.to_owned(), count.to_string()])
            .run()?;
        let profile = fs::read_to_string(&out).map_err(|error| error.to_string())?;
        profile
            .lines()
            .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
            .ok_or_else(|| format!("{out}: no totals"))
    }

    /// What was measured, with versions.
    fn versions(&self) -> Result<String> {
        let lock = fs::read_to_string(root().join("bench/Cargo.lock"))
            .map_err(|error| error.to_string())?;
        let libfcgi = Step::new("dpkg-query", &root())
            .args(["--show", "--showformat=${Version}", "libfcgi-dev"])
            .quiet_output()?;
        let rustc = Step::new("rustc", &root())
            .args(["--version"])
            .quiet_output()?;
        let of_crate = |name| locked_version(&lock, name).unwrap_or("?");
        Ok(format!(
            "fcgi-proto {}, libfcgi {} (Debian), tokio-fastcgi {}, fastcgi-client {}; {}",
            of_crate("fcgi-proto"),
            libfcgi.trim(),
            of_crate("tokio-fastcgi"),
            of_crate("fastcgi-client"),
            rustc.split(" (").next().unwrap_or_default().trim(),
        ))
    }
}

/// Times in nanoseconds, instructions, and gigabytes in a second.
#[derive(Debug)]
struct Measured {
    /// fcgi-proto, libfcgi, tokio-fastcgi; so are the instructions.
    application: [f64; 3],
    instructions: [f64; 3],
    /// fcgi-proto, fastcgi-client.
    web_server: [f64; 2],
    web_server_instructions: [f64; 2],
    /// memcpy, in place, collected, framed.
    body: [f64; 4],
    /// A request with 10, 100, 1,000 and 10,000 variables.
    parameters: [f64; 4],
}

impl Measured {
    fn goals(&self) -> Vec<Goal> {
        let [ours, libfcgi, _] = self.instructions;
        let [our_time, _, tokio_fastcgi] = self.application;
        let [memcpy, in_place, collected, framed] = self.body;
        let slowest = in_place.min(collected).min(framed);
        let [_, hundred, _, ten_thousand] = self.parameters;
        let growth = (ten_thousand / 10_000.0) / (hundred / 100.0);
        vec![
            Goal::new(
                ours <= libfcgi / 2.0,
                format!(
                    "at most half of libfcgi's instructions: {:.0} %",
                    100.0 * ours / libfcgi
                ),
            ),
            Goal::new(
                our_time <= tokio_fastcgi / 5.0,
                format!(
                    "at least 5 times as fast as tokio-fastcgi: {:.0} times",
                    tokio_fastcgi / our_time
                ),
            ),
            Goal::new(
                slowest >= 5.0 || slowest >= memcpy / 2.0,
                format!(
                    "bodies at 5 GB/s or within 2 times of memcpy: {slowest:.1} GB/s beside {memcpy:.1} GB/s"
                ),
            ),
            Goal::new(
                growth <= 2.0,
                format!("linear in variables: one of 10,000 costs {growth:.2} times one of 100"),
            ),
        ]
    }

    /// The tables of the section.
    fn tables(&self) -> String {
        let mut out = String::new();
        out.push_str("\n| one request, application's side | time | requests/s | instructions |\n|---|---:|---:|---:|\n");
        let names = ["fcgi-proto", "libfcgi", "tokio-fastcgi"];
        for ((name, time), count) in names.iter().zip(self.application).zip(self.instructions) {
            let _ = writeln!(
                out,
                "| {name} | {} | {} | {} |",
                duration(time),
                grouped(1e9 / time),
                grouped(count)
            );
        }
        out.push_str("\n| one request, Web server's side | time | requests/s | instructions |\n|---|---:|---:|---:|\n");
        let names = ["fcgi-proto", "fastcgi-client"];
        let rows = names.iter().zip(self.web_server);
        for ((name, time), count) in rows.zip(self.web_server_instructions) {
            let _ = writeln!(
                out,
                "| {name} | {} | {} | {} |",
                duration(time),
                grouped(1e9 / time),
                grouped(count)
            );
        }
        out.push_str("\n| body in records of 64 KiB | GB/s |\n|---|---:|\n");
        let rows = [
            "memcpy of the same octets",
            "request's body, looked at where it lies (no octet is copied)",
            "request's body, collected by the driver",
            "response's body, framed into the driver's buffer",
        ];
        for (name, rate) in rows.iter().zip(self.body) {
            let _ = writeln!(out, "| {name} | {} |", decimals(rate));
        }
        out.push_str("\n| variables | request | each variable |\n|---:|---:|---:|\n");
        for (count, time) in [10.0, 100.0, 1_000.0, 10_000.0].iter().zip(self.parameters) {
            let _ = writeln!(
                out,
                "| {} | {} | {} |",
                grouped(*count),
                duration(time),
                duration(time / count)
            );
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_compare() {
        let measured = |instructions, growth| Measured {
            application: [300.0, 1_300.0, 7_000.0],
            instructions: [instructions, 16_000.0, 78_000.0],
            web_server: [800.0, 7_000.0],
            web_server_instructions: [9_000.0, 310_000.0],
            body: [40.0, 2_000.0, 38.0, 39.0],
            parameters: [200.0, 600.0, 6_000.0, 60_000.0 * growth],
        };
        let reached = |measured: &Measured| -> Vec<bool> {
            measured.goals().iter().map(|goal| goal.reached).collect()
        };
        assert_eq!(reached(&measured(4_000.0, 1.0)), [true; 4]);
        assert_eq!(reached(&measured(9_000.0, 3.0)), [false, true, true, false]);
        assert!(measured(9_000.0, 1.0).tables().contains("| 10,000 |"));
    }
}
