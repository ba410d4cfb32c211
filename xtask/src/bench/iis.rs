//! An edit of an applicationHost.config of 5 MB, beside Python's minidom, lxml and roxmltree.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{Goal, Outcome, build_package, decimals, grouped, locked_version};
use crate::run::{Result, Step};
use crate::workspace::{PythonEnvironment, install_debian_packages, root, target};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many times each program edits the file; the medians count
    #[arg(long, default_value_t = 11, value_name = "TIMES")]
    runs: usize,
}

/// The same edit with a Python parser: octets to octets, nanoseconds of each run printed.
const PYTHON: &str = "\
import sys, time
which, path, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
octets = open(path, 'rb').read()
def minidom():
    import xml.dom.minidom
    document = xml.dom.minidom.parseString(octets)
    new = document.createElement('application')
    new.setAttribute('fullPath', 'C:\\\\Python\\\\python.exe')
    document.getElementsByTagName('fastCgi')[0].appendChild(new)
    return document.toxml('utf-8')
def lxml():
    import lxml.etree
    root = lxml.etree.fromstring(octets)
    new = lxml.etree.SubElement(root.find('.//fastCgi'), 'application')
    new.set('fullPath', 'C:\\\\Python\\\\python.exe')
    return lxml.etree.tostring(root)
for _ in range(runs):
    start = time.perf_counter_ns()
    edited = globals()[which]()
    print(time.perf_counter_ns() - start)
    assert b'fastCgi' in edited
";

/// The goal, in milliseconds.
const GOAL: f64 = 50.0;

pub(super) fn run(args: &Args) -> Result<Outcome> {
    install_debian_packages(&["valgrind"])?;
    let bench = Bench {
        target: target().join("bench"),
        data: target().join("bench/iis"),
    };
    fs::create_dir_all(&bench.data).map_err(|error| error.to_string())?;
    build_package("iis-config-bench", &bench.target)?;
    let python = PythonEnvironment::make(&bench.data.join("venv"))?;
    python.install(&["lxml"])?;
    let python = python.program("python");
    let file = bench.data.join("applicationHost.config");
    let file = file.as_str();
    Step::new(bench.program(), &bench.data)
        .args(["make", file])
        .run()?;
    let runs = args.runs.max(1).to_string();
    let of_python = |which: &str| bench.median(&python, &["-c", PYTHON, which, file, &runs]);
    let program = bench.program();
    let times = [
        (
            "iis-config",
            bench.median(&program, &["edit", file, &runs])?,
        ),
        (
            "roxmltree",
            bench.median(&program, &["roxmltree", file, &runs])?,
        ),
        ("lxml", of_python("lxml")?),
        ("minidom", of_python("minidom")?),
    ];
    let instructions = [
        bench.instructions(&["edit", file, "1"])?,
        bench.instructions(&["roxmltree", file, "1"])?,
    ];
    let len = fs::metadata(file).map_err(|error| error.to_string())?.len();
    Ok(Outcome {
        versions: bench.versions(&python)?,
        tables: table(&times, instructions, len),
        goals: vec![Goal::new(
            times[0].1 < GOAL,
            format!(
                "an edit of 5 MB in {} ms; under {GOAL} ms is wanted",
                decimals(times[0].1)
            ),
        )],
    })
}

fn table(times: &[(&str, f64)], instructions: [u64; 2], len: u64) -> String {
    let ours = times.first().map_or(1.0, |(_, time)| *time);
    let mut out = format!(
        "\nA FastCGI application added to an applicationHost.config of {} octets, from octets to octets. iis-config also \
         checks the value and reads the result back; it and roxmltree keep every other byte, lxml and minidom write the \
         file anew.\n\n| | median, ms | times iis-config | instructions, millions |\n|---|--:|--:|--:|\n",
        grouped(len as f64)
    );
    for (index, (name, time)) in times.iter().enumerate() {
        let counted = instructions.get(index).map_or_else(
            || "not counted".to_owned(),
            |count| grouped(*count as f64 / 1e6),
        );
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {counted} |",
            decimals(*time),
            decimals(time / ours)
        );
    }
    out
}

/// Where the package in `bench/iis/` is built, and where its data is.
#[derive(Debug)]
struct Bench {
    target: Utf8PathBuf,
    data: Utf8PathBuf,
}

impl Bench {
    fn program(&self) -> String {
        self.target.join("release/iis").into_string()
    }

    /// The median of the nanoseconds that a program prints, in milliseconds.
    fn median(&self, program: &str, arguments: &[&str]) -> Result<f64> {
        let printed = Step::new(program, &self.data)
            .args(arguments.iter().copied())
            .quiet_output()?;
        let times: std::result::Result<Vec<u64>, _> = printed.lines().map(str::parse).collect();
        let mut times = times.map_err(|_| format!("not numbers: {printed}"))?;
        times.sort_unstable();
        let middle = times.get(times.len() / 2).ok_or("no run")?;
        Ok(*middle as f64 / 1e6)
    }

    /// What callgrind counts over a whole run of our program.
    fn instructions(&self, arguments: &[&str]) -> Result<u64> {
        let out = self.data.join("callgrind.out");
        Step::new("valgrind", &self.data)
            .args([
                "--tool=callgrind",
                &format!("--callgrind-out-file={out}"),
                &self.program(),
            ])
            .args(arguments.iter().copied())
            .quiet_output()?;
        let counted = read(&out)?;
        let total = counted
            .lines()
            .find_map(|line| {
                line.strip_prefix("summary:")
                    .or_else(|| line.strip_prefix("totals:"))
            })
            .and_then(|number| number.split_whitespace().next()?.parse().ok());
        total.ok_or_else(|| "callgrind has counted nothing".to_owned())
    }

    fn versions(&self, python: &str) -> Result<String> {
        let lock = read(&root().join("bench/Cargo.lock"))?;
        let asked = "import platform, lxml.etree as e; print('Python', platform.python_version() + ', lxml', '.'.join(map(str, e.LXML_VERSION[:3])))";
        let python = Step::new(python, &self.data)
            .args(["-c", asked])
            .quiet_output()?;
        Ok(format!(
            "roxmltree {}, {}",
            locked_version(&lock, "roxmltree").unwrap_or("unknown"),
            python.trim()
        ))
    }
}

fn read(path: &Utf8Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| error.to_string())
}
