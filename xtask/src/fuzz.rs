//! `cargo xtask fuzz`: every fuzz target of `fuzz/` for a while.
//!
//! The packages are built directly, with the flags that libFuzzer wants, rather than by cargo-fuzz: coverage needs no
//! nightly compiler, so the toolchain of the workspace does, and there is nothing to install. What cargo-fuzz would add
//! is the address sanitizer, which does want one; the crates forbid unsafe code, and memory is counted by the
//! targets themselves.

use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use camino::Utf8PathBuf;
use fs_err as fs;

use crate::run::{Result, Step};
use crate::workspace::{root, target};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long each target runs
    #[arg(long, default_value_t = SMOKE_SECONDS, value_name = "SECONDS")]
    seconds: u32,
    /// How many run at a time
    #[arg(long, default_value_t = 2, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    jobs: u32,
    /// The number that the mutations follow from; another one each time without
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    seed: Option<u32>,
    /// Only these targets
    #[arg(value_name = "TARGET", value_parser = clap::builder::PossibleValuesParser::new(TARGETS.map(|(_, name)| name)))]
    targets: Vec<String>,
}

const SMOKE_SECONDS: u32 = 60;

/// The package of `fuzz/` and the name of each target; the names are unique over the packages.
const TARGETS: [(&str, &str); 15] = [
    ("fcgi-proto", "decoder"),
    ("fcgi-proto", "name_values"),
    ("fcgi-proto", "application"),
    ("fcgi-proto", "web_server"),
    ("iis-config", "appcmd_output"),
    ("iis-config", "iis_config_edit"),
    ("iis-config", "iis_doctor"),
    ("iis-config", "iis_schema"),
    ("msdeploy-pkg", "msdeploy_archive_xml"),
    ("msdeploy-pkg", "msdeploy_manifest"),
    ("msdeploy-pkg", "msdeploy_package"),
    ("msdeploy-pkg", "msdeploy_parameters"),
    ("msdeploy-pkg", "msdeploy_provider_options"),
    ("webpi-feed", "webpi_check"),
    ("webpi-feed", "webpi_feed"),
];

/// Inline counters, and comparisons that tell the fuzzer what a branch wants to see.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Lines of a failed target's log that are shown.
const LOG_LINES: usize = 40;

/// How many lines of a panic's message are shown.
const MESSAGE_LINES: usize = 5;

/// Every target for a minute, as the tests want it: from the same number each time, so that a change is judged by what it
/// changes. Looking for what nobody has found yet is `cargo xtask fuzz`.
pub(crate) fn smoke() -> Result<()> {
    run(&Args {
        seconds: SMOKE_SECONDS,
        jobs: 2,
        seed: Some(1),
        targets: Vec::new(),
    })
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let fuzz = Fuzz {
        folder: root().join("fuzz"),
        target: target().join("fuzz"),
        host: host()?,
    };
    fuzz.build()?;
    let wanted = |name: &str| args.targets.is_empty() || args.targets.iter().any(|t| t == name);
    let targets: Vec<_> = TARGETS.iter().filter(|(_, name)| wanted(name)).collect();
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(|| {
                while let Some((package, name)) = targets.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let outcome = fuzz.run(package, name, args);
                    let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                    outcomes.push((*name, outcome));
                }
            });
        }
    });
    let (mut table, mut failures) = (Vec::new(), Vec::new());
    for (name, outcome) in outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
    {
        match outcome {
            Ok(done) => table.push((name, done)),
            Err(error) => failures.push(error),
        }
    }
    println!("\n| target | executions | a second | features | inputs kept |");
    println!("|---|---:|---:|---:|---:|");
    for (target, done) in &table {
        println!(
            "| {target} | {} | {} | {} | {} |",
            done.executions, done.a_second, done.features, done.inputs
        );
    }
    let total: u64 = table.iter().map(|(_, done)| done.executions).sum();
    println!("{total} executions, {} failed", failures.len());
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

/// The packages in `fuzz/` and where they are built and run.
#[derive(Debug)]
struct Fuzz {
    folder: Utf8PathBuf,
    target: Utf8PathBuf,
    host: String,
}

/// What a target has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Done {
    executions: u64,
    a_second: u64,
    features: u64,
    inputs: u64,
}

impl Fuzz {
    fn build(&self) -> Result<()> {
        // With `--target`, the flags do not reach build scripts.
        Step::new("cargo", &root())
            .args([
                "build",
                "--locked",
                "--release",
                "--bins",
                "--manifest-path",
            ])
            .args([self.folder.join("Cargo.toml").as_str()])
            .args(["--target-dir", self.target.as_str(), "--target", &self.host])
            .var("RUSTFLAGS", FLAGS)
            .run()
    }

    fn run(&self, package: &str, target: &str, args: &Args) -> Result<Done> {
        let folder = |name: &str| self.target.join(name).join(target);
        let (corpus, artifacts) = (folder("corpus"), folder("artifacts"));
        for folder in [&corpus, &artifacts] {
            fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        let program = self.target.join(&self.host).join("release").join(target);
        let step = Step::new(program, &root())
            .args(["-print_final_stats=1".to_owned()])
            .args([format!("-max_total_time={}", args.seconds)])
            // libFuzzer's own default is 0: a new one each time.
            .args([format!("-seed={}", args.seed.unwrap_or(0))])
            .args([format!("-artifact_prefix={artifacts}/")])
            // What is new is kept in the first folder; the others are read.
            .args([corpus, self.folder.join(package).join("seeds").join(target)]);
        println!("$ {}", step.command_line());
        let output = step
            .command()
            .stdin(Stdio::null())
            .output()
            .map_err(|error| step.cannot_start(&error))?;
        let log = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!(
                "`{target}` failed; its input is in {artifacts}\n{}",
                failure(&log)
            ));
        }
        done(&log).ok_or_else(|| format!("`{target}` printed no numbers:\n{log}"))
    }
}

/// Of libFuzzer's log, the message of the panic, and its last lines, in which the input stands in Base64.
fn failure(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let rest = lines.len().saturating_sub(LOG_LINES);
    let message = lines.iter().position(|line| line.contains("panicked at"));
    let message = message.map_or(0..0, |start| {
        start.min(rest)..(start + MESSAGE_LINES).min(rest)
    });
    let (message, rest) = (&lines[message], &lines[rest..]);
    [message, rest].concat().join("\n")
}

/// The numbers in libFuzzer's log.
fn done(log: &str) -> Option<Done> {
    let statistic = |name: &str| {
        let mut lines = log.lines().rev();
        lines.find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
    };
    // `#123  REDUCE cov: 1 ft: 2 corp: 3/45b …`
    let progress = log.lines().rev().find(|line| line.contains(" corp: "))?;
    let field = |name: &str| {
        let (_, rest) = progress.split_once(name)?;
        let digits = rest.split(|character: char| !character.is_ascii_digit());
        digits.into_iter().next()?.parse().ok()
    };
    Some(Done {
        executions: statistic("stat::number_of_executed_units:")?,
        a_second: statistic("stat::average_exec_per_sec:")?,
        features: field(" ft: ")?,
        inputs: field(" corp: ")?,
    })
}

/// The triple of this machine.
fn host() -> Result<String> {
    let version = Step::new("rustc", &root()).args(["-vV"]).quiet_output()?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| "`rustc -vV` names no host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_found_in_a_log() {
        let log = "INFO: seed corpus: files: 10\n\
            #2\tINITED cov: 10 ft: 11 corp: 2/9b exec/s: 0 rss: 28Mb\n\
            #448846\tDONE   cov: 310 ft: 1203 corp: 211/22Kb lim: 4096 exec/s: 74807 rss: 28Mb\n\
            Done 448846 runs in 6 second(s)\n\
            stat::number_of_executed_units: 448846\n\
            stat::average_exec_per_sec:     74807\n";
        let expected = Done {
            executions: 448_846,
            a_second: 74_807,
            features: 1203,
            inputs: 211,
        };
        assert_eq!(done(log), Some(expected));
        assert_eq!(done("nothing"), None);
    }

    #[test]
    fn a_failure_shows_its_message_and_its_input() {
        let frames = |n: usize| vec!["   frame"; n].join("\n");
        let log = format!(
            "INFO\nthread panicked at src/x.rs:1:\nno\n{}\nBase64: AA==",
            frames(100)
        );
        let shown = failure(&log);
        assert!(
            shown.starts_with("thread panicked at src/x.rs:1:\nno\n"),
            "{shown}"
        );
        assert!(shown.ends_with("Base64: AA=="), "{shown}");
        assert_eq!(shown.lines().count(), LOG_LINES + MESSAGE_LINES);
        let short = "a\npanicked at b\nc";
        assert_eq!(failure(short), short);
    }
}
