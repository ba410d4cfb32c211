//! msdeploy-pkg's packages beside Python's zipfile and Info-ZIP's zip: time, size, memory, and what reading costs.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{Goal, Outcome, build_package, decimals, grouped, locked_version};
use crate::run::{Result, Step};
use crate::workspace::{install_debian_packages, root, target};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many times each program writes each package; the medians count
    #[arg(long, default_value_t = 5, value_name = "TIMES")]
    runs: usize,
}

/// Debian packages with what is measured and what counts instructions.
const DEBIAN_PACKAGES: [&str; 2] = ["valgrind", "zip"];

/// The small files, and the octets of the mixed ones.
const SMALL_FILES: u32 = 20_000;
const MIXED_LEN: u64 = 1 << 30;

/// What distutils and setuptools do for a zip archive.
const ZIPFILE: &str = "\
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[2], 'w', compression=zipfile.ZIP_DEFLATED) as archive:
    for folder, _, names in os.walk(sys.argv[1]):
        for name in names:
            path = os.path.join(folder, name)
            archive.write(path, os.path.relpath(path, sys.argv[1]))
";

/// Prints the octets that zlib makes of the same files at its level 6, one file at a time.
const ZLIB: &str = "\
import os, sys, zlib
total = 0
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        with open(os.path.join(folder, name), 'rb') as file:
            while octets := file.read(1 << 20):
                total += len(deflate.compress(octets))
        total += len(deflate.flush())
print(total)
";

const MEBIBYTE: u64 = 1 << 20;

pub(super) fn run(args: &Args) -> Result<Outcome> {
    install_debian_packages(&DEBIAN_PACKAGES)?;
    let bench = Bench {
        target: target().join("bench"),
        data: target().join("bench/package"),
    };
    fs::create_dir_all(&bench.data).map_err(|error| error.to_string())?;
    build_package("msdeploy-pkg-bench", &bench.target)?;
    let measured = Measured {
        small: bench.set("small", &SMALL_FILES.to_string(), args.runs)?,
        mixed: bench.set("mixed", &MIXED_LEN.to_string(), args.runs)?,
        memory: [
            bench.memory(&["empty"])?,
            bench.memory(&["large", &(50 * MEBIBYTE).to_string(), "2"])?,
            bench.memory(&["large", &(2048 * MEBIBYTE).to_string(), "2"])?,
        ],
        reading: bench.reading()?,
        applied: bench.applied()?,
    };
    Ok(Outcome {
        versions: bench.versions()?,
        tables: measured.tables(),
        goals: measured.goals(),
    })
}

/// Where the package in `bench/package/` is built, and where its data is.
#[derive(Debug)]
struct Bench {
    target: Utf8PathBuf,
    data: Utf8PathBuf,
}

impl Bench {
    /// Our program.
    fn program(&self) -> String {
        self.target.join("release/package").into_string()
    }

    /// Runs our program and gives the numbers that it prints, by name.
    fn ours(&self, arguments: &[&str]) -> Result<Vec<(String, u64)>> {
        let printed = Step::new(self.program(), &self.data)
            .args(arguments.iter().copied())
            .quiet_output()?;
        let pairs = printed.lines().map(|line| {
            let (name, number) = line.split_once(' ')?;
            Some((name.to_owned(), number.parse().ok()?))
        });
        pairs
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| format!("not numbers: {printed}"))
    }

    /// The files of a set, which are made once.
    fn files(&self, set: &str, amount: &str) -> Result<Utf8PathBuf> {
        let folder = self.data.join(set);
        if folder.exists() {
            return Ok(folder);
        }
        let asked = "import sys, sysconfig; print(sysconfig.get_path('stdlib')); print(os.path.realpath(sys.executable))";
        let python = Step::new("python3", &root())
            .args(["-c", &format!("import os; {asked}")])
            .quiet_output()?;
        let mut lines = python.lines();
        let library = lines.next().unwrap_or_default();
        let interpreter = lines.next().unwrap_or_default();
        // Made under another name, so that what a stopped run left is not measured.
        let partial = self.data.join(format!("{set}.partial"));
        let _ = fs::remove_dir_all(&partial);
        self.ours(&[set, partial.as_str(), library, interpreter, amount])?;
        fs::rename(&partial, &folder).map_err(|error| error.to_string())?;
        Ok(folder)
    }

    /// Writes one package of the files with each of the programs, in turn.
    fn set(&self, set: &str, amount: &str, runs: usize) -> Result<Set> {
        let folder = self.files(set, amount)?;
        let out = |name: &str| self.data.join(format!("{set}.{name}.zip"));
        let commands = [
            vec![
                self.program(),
                "write".to_owned(),
                folder.to_string(),
                out("ours").into_string(),
            ],
            vec![
                "python3".to_owned(),
                "-c".to_owned(),
                ZIPFILE.to_owned(),
                folder.to_string(),
                out("zipfile").into_string(),
            ],
            ["zip", "-q", "-r", out("zip").as_str(), "."]
                .map(str::to_owned)
                .to_vec(),
        ];
        let names = ["ours", "zipfile", "zip"];
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..runs.max(1) {
            for ((command, name), times) in commands.iter().zip(names).zip(&mut times) {
                let _ = fs::remove_file(out(name));
                times.push(timed(command, &folder)?);
            }
        }
        let len = |name| -> Result<f64> {
            let metadata = fs::metadata(out(name)).map_err(|error| error.to_string())?;
            Ok(metadata.len() as f64)
        };
        let zlib = Step::new("python3", &root())
            .args(["-c", ZLIB, folder.as_str()])
            .quiet_output()?;
        Ok(Set {
            wall: times
                .each_ref()
                .map(|times| median(times, |time| time.wall)),
            processor: times
                .each_ref()
                .map(|times| median(times, |time| time.processor)),
            len: [len("ours")?, len("zipfile")?, len("zip")?],
            packed: payload(&out("ours"))?,
            zlib: zlib
                .trim()
                .parse()
                .map_err(|_| format!("no number: {zlib}"))?,
        })
    }

    /// The most memory that a command has, in KiB; a package that it writes goes away.
    fn memory(&self, command: &[&str]) -> Result<u64> {
        let out = self.data.join("memory.zip");
        let mut arguments = command.to_vec();
        if command != ["empty"] {
            arguments.push(out.as_str());
        }
        let numbers = self.ours(&arguments)?;
        let _ = fs::remove_file(&out);
        named(&numbers, "peak")
    }

    /// What reading manifest and parameters costs.
    fn reading(&self) -> Result<Vec<Reading>> {
        let none = self.instructions(&["empty"])?;
        let mut readings = Vec::new();
        for layout in ["gallery", "package"] {
            for entries in [10_u32, 60_000] {
                let out = self.data.join(format!("{layout}.{entries}.zip"));
                self.ours(&["entries", layout, &entries.to_string(), out.as_str()])?;
                let numbers = self.ours(&["describe", out.as_str()])?;
                readings.push(Reading {
                    layout,
                    entries,
                    reads: named(&numbers, "reads")?,
                    octets: named(&numbers, "octets")?,
                    instructions: self.instructions(&["describe", out.as_str()])? - none,
                });
            }
        }
        Ok(readings)
    }

    /// Entries of the small files' package, and how many of them applying parameters reads.
    fn applied(&self) -> Result<(u64, u64)> {
        let numbers = self.ours(&["apply", "small.ours.zip"])?;
        Ok((named(&numbers, "entries")?, named(&numbers, "files")?))
    }

    fn instructions(&self, arguments: &[&str]) -> Result<f64> {
        let out = self.data.join("callgrind.out");
        Step::new("valgrind", &self.data)
            .args(["--tool=callgrind", "--quiet"])
            .args([format!("--callgrind-out-file={out}"), self.program()])
            .args(arguments.iter().copied())
            .quiet_output()?;
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
        let of_crate = |name| locked_version(&lock, name).unwrap_or("?");
        let python = Step::new("python3", &root())
            .args(["-c", "import platform, zlib; print(f'zipfile of Python {platform.python_version()} with zlib {zlib.ZLIB_RUNTIME_VERSION}')"])
            .quiet_output()?;
        let zip = Step::new("dpkg-query", &root())
            .args(["--show", "--showformat=${Version}", "zip"])
            .quiet_output()?;
        Ok(format!(
            "msdeploy-pkg {} with libdeflate {}, {}, zip {} (Debian)",
            of_crate("msdeploy-pkg"),
            of_crate("libdeflate-sys"),
            python.trim(),
            zip.trim()
        ))
    }
}

/// Seconds on the wall, and of all processors together.
#[derive(Clone, Copy, Debug)]
struct Time {
    wall: f64,
    processor: f64,
}

/// Runs a command with bash's clock, which also knows the processors' time.
fn timed(command: &[String], folder: &Utf8Path) -> Result<Time> {
    let script = "TIMEFORMAT='time %R %U %S'; { time \"$@\" > /dev/null; } 2>&1";
    let printed = Step::new("bash", folder)
        .args(["-c", script, "bash"])
        .args(command.iter().cloned())
        .quiet_output()?;
    let numbers: Vec<f64> = printed
        .lines()
        .find_map(|line| line.strip_prefix("time "))
        .into_iter()
        .flat_map(str::split_whitespace)
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers[..] {
        [wall, user, system] => Ok(Time {
            wall,
            processor: user + system,
        }),
        _ => Err(format!("no times: {printed}")),
    }
}

fn median(times: &[Time], of: fn(&Time) -> f64) -> f64 {
    let mut times: Vec<f64> = times.iter().map(of).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The octets of all entries' packed data, by Python's zipfile.
fn payload(package: &Utf8Path) -> Result<f64> {
    let asked = "import sys, zipfile; print(sum(entry.compress_size for entry in zipfile.ZipFile(sys.argv[1]).infolist()))";
    let printed = Step::new("python3", &root())
        .args(["-c", asked, package.as_str()])
        .quiet_output()?;
    printed
        .trim()
        .parse()
        .map_err(|_| format!("no number: {printed}"))
}

fn named(numbers: &[(String, u64)], name: &str) -> Result<u64> {
    numbers
        .iter()
        .find_map(|(found, number)| (found == name).then_some(*number))
        .ok_or_else(|| format!("`{name}` was not printed"))
}

/// What came of one set of files: ours, zipfile, zip.
#[derive(Debug)]
struct Set {
    /// Seconds.
    wall: [f64; 3],
    processor: [f64; 3],
    /// Octets of the archive.
    len: [f64; 3],
    /// Octets of our packed data, and of zlib's at its level 6.
    packed: f64,
    zlib: f64,
}

/// What reading manifest and parameters of one package cost.
#[derive(Debug)]
struct Reading {
    layout: &'static str,
    entries: u32,
    reads: u64,
    octets: u64,
    instructions: f64,
}

#[derive(Debug)]
struct Measured {
    small: Set,
    mixed: Set,
    /// KiB: the empty program, 100 MiB, 4 GiB.
    memory: [u64; 3],
    reading: Vec<Reading>,
    /// Entries of a package, and those that applying its parameters reads.
    applied: (u64, u64),
}

impl Measured {
    fn goals(&self) -> Vec<Goal> {
        let mut goals = Vec::new();
        for (name, set) in [("small files", &self.small), ("mixed data", &self.mixed)] {
            let [ours, zipfile, zip] = set.wall;
            goals.push(Goal::new(
                ours <= 0.3 * zipfile,
                format!(
                    "{name}: at most 0.3 times zipfile's time: {:.2} times",
                    ours / zipfile
                ),
            ));
            goals.push(Goal::new(
                ours <= 0.35 * zip,
                format!(
                    "{name}: at most 0.35 times zip's time: {:.2} times",
                    ours / zip
                ),
            ));
            goals.push(Goal::new(
                set.packed <= 1.01 * set.zlib,
                format!(
                    "{name}: within 1 % of zlib at its level 6: {:+.2} %",
                    100.0 * (set.packed / set.zlib - 1.0)
                ),
            ));
        }
        let [empty, little, much] = self.memory;
        goals.push(Goal::new(
            much.saturating_sub(empty) <= 64 << 10,
            format!(
                "at most 64 MiB over the empty program: {} MiB",
                much.saturating_sub(empty) >> 10
            ),
        ));
        // The pages of a process are not counted to the octet.
        goals.push(Goal::new(
            much <= little + (2 << 10),
            format!("the same memory for 100 MiB and 4 GiB: {little} KiB and {much} KiB"),
        ));
        for pair in self.reading.chunks_exact(2) {
            let [few, many] = pair else { continue };
            goals.push(Goal::new(
                // The first and the last blocks of a large directory are one in a small archive.
                many.instructions <= 1.2 * few.instructions + 200_000.0 && many.reads <= few.reads + 4,
                format!(
                    "{} layout: manifest and parameters of {} files cost what those of {} do: {:.2} times the instructions, {} and {} reads",
                    many.layout,
                    grouped(many.entries.into()),
                    few.entries,
                    many.instructions / few.instructions,
                    many.reads,
                    few.reads
                ),
            ));
        }
        let (entries, files) = self.applied;
        goals.push(Goal::new(
            files == 1,
            format!(
                "applying parameters that name one file of {} reads {files}",
                grouped(entries as f64)
            ),
        ));
        goals
    }

    fn tables(&self) -> String {
        let mut out = String::new();
        for (name, set) in [
            ("20,000 files of 4 KiB", &self.small),
            ("1 GiB of mixed data", &self.mixed),
        ] {
            let _ = write!(
                out,
                "\n| {name} | seconds | of all processors | parts of zipfile's time | octets |\n|---|---:|---:|---:|---:|\n"
            );
            let rows = ["msdeploy-pkg", "zipfile", "zip"].iter().zip(set.wall);
            for (((program, wall), processor), len) in rows.zip(set.processor).zip(set.len) {
                let _ = writeln!(
                    out,
                    "| {program} | {} | {} | {:.2} | {} |",
                    decimals(wall),
                    decimals(processor),
                    wall / set.wall[1],
                    grouped(len)
                );
            }
        }
        out.push_str("\n| most memory | MiB |\n|---|---:|\n");
        let rows = [
            "the empty program",
            "100 MiB in two files",
            "4 GiB in two files, with the limit lifted",
        ];
        for (name, peak) in rows.iter().zip(self.memory) {
            let _ = writeln!(out, "| {name} | {} |", decimals(peak as f64 / 1024.0));
        }
        out.push_str("\n| manifest and parameters | files | reads | octets | instructions |\n|---|---:|---:|---:|---:|\n");
        for reading in &self.reading {
            let _ = writeln!(
                out,
                "| {} layout | {} | {} | {} | {} |",
                reading.layout,
                grouped(reading.entries.into()),
                reading.reads,
                grouped(reading.octets as f64),
                grouped(reading.instructions)
            );
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ours: f64, packed: f64) -> Set {
        Set {
            wall: [ours, 10.0, 9.0],
            processor: [2.0 * ours, 10.0, 9.0],
            len: [packed, 100.0, 101.0],
            packed,
            zlib: 100.0,
        }
    }

    fn reading(entries: u32, instructions: f64) -> Reading {
        Reading {
            layout: "gallery",
            entries,
            reads: 9,
            octets: 20_000,
            instructions,
        }
    }

    #[test]
    fn goals_compare() {
        let measured = |seconds, packed, much, instructions, files| Measured {
            small: set(seconds, packed),
            mixed: set(2.0, 99.0),
            memory: [3000, 20_000, much],
            reading: vec![reading(10, 1e6), reading(60_000, instructions)],
            applied: (20_002, files),
        };
        let missed = |measured: &Measured| -> Vec<usize> {
            let goals = measured.goals();
            (0..goals.len()).filter(|&n| !goals[n].reached).collect()
        };
        assert_eq!(missed(&measured(2.0, 99.0, 20_500, 1.1e6, 1)), [0; 0]);
        assert_eq!(missed(&measured(3.05, 99.0, 20_500, 1.1e6, 1)), [0]);
        assert_eq!(missed(&measured(4.0, 102.0, 20_500, 1.1e6, 1)), [0, 1, 2]);
        assert_eq!(missed(&measured(2.0, 99.0, 90_000, 1.1e6, 1)), [6, 7]);
        assert_eq!(missed(&measured(2.0, 99.0, 20_500, 5e6, 20_000)), [8, 9]);
        assert!(
            measured(2.0, 99.0, 20_500, 1.1e6, 1)
                .tables()
                .contains("| 60,000 |")
        );
    }

    #[test]
    fn medians() {
        let times = [5.0, 1.0, 3.0].map(|wall| Time {
            wall,
            processor: 0.0,
        });
        assert!((median(&times, |time| time.wall) - 3.0).abs() < 1e-9);
    }
}
