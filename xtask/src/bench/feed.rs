//! A feed of 100 MB read beside XML parsers, and 10,000 products written beside templates of Jinja2 and of Zope, which the
//! original wrote its feeds with.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{Goal, Outcome, build_package, decimals, grouped, locked_version};
use crate::run::{Result, Step};
use crate::workspace::{PythonEnvironment, root, target};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many times each program reads and writes; the medians count
    #[arg(long, default_value_t = 5, value_name = "TIMES")]
    runs: usize,
    /// Octets of the feed that is read
    #[arg(long, default_value_t = 100_000_000, value_name = "OCTETS")]
    octets: u64,
}

/// So many products are written.
const PRODUCTS: &str = "10000";

/// A real feed, of whose products the long one is made where it is there; else they are ours.
const SAMPLE: &str = "../shared/samples/webpi/WebApplicationList_v3.0_2012.xml";

/// The programs in Python.
const PEERS: &str = "bench/feed/peers.py";

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let bench = Bench {
        target: target().join("bench"),
        data: target().join("bench/feed"),
    };
    fs::create_dir_all(&bench.data).map_err(|error| error.to_string())?;
    build_package("webpi-feed-bench", &bench.target)?;
    let python = PythonEnvironment::make(&bench.data.join("venv"))?;
    python.install(&["lxml", "jinja2", "zope.pagetemplate"])?;
    let python = python.program("python");
    let program = bench.program();
    let (file, product) = (bench.data.join("feed.xml"), bench.data.join("product.xml"));
    let (file, product) = (file.as_str(), product.as_str());
    let sample = root().join(SAMPLE);
    let is_real = sample.exists();
    Step::new(program.as_str(), &bench.data)
        .args(["make", file, &args.octets.to_string()])
        .args(is_real.then_some(sample.as_str()))
        .run()?;
    let one = Step::new(program.as_str(), &bench.data)
        .args(["product"])
        .quiet_output()?;
    fs::write(product, one).map_err(|error| error.to_string())?;
    let runs = args.runs.max(1).to_string();
    let ours = |what: &str| bench.cost(&program, &[what, file, &runs]);
    let peers = root().join(PEERS).into_string();
    // One run of each Python parser: minidom takes minutes.
    let of_python = |which: &str| bench.cost(&python, &[&peers, which, file, "1"]);
    let of_template = |which: &str| bench.cost(&python, &[&peers, which, product, &runs, PRODUCTS]);
    let measured = Measured {
        len: fs::metadata(file).map_err(|error| error.to_string())?.len() as f64,
        is_real,
        reading: [
            ("quick-xml, bare events", ours("events")?),
            ("webpi-feed, the model", ours("model")?),
            ("webpi-feed, the model checked", ours("read")?),
            ("roxmltree", ours("roxmltree")?),
            ("lxml", of_python("lxml")?),
            ("minidom", of_python("minidom")?),
        ],
        writing: [
            (
                "webpi-feed",
                bench.cost(&program, &["write", PRODUCTS, &runs])?,
            ),
            ("Jinja2", of_template("jinja2")?),
            ("zope.pagetemplate", of_template("zope")?),
        ],
    };
    Ok(Outcome {
        versions: bench.versions(&python)?,
        tables: measured.tables(),
        goals: measured.goals(),
    })
}

/// What something took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// The median, in milliseconds.
    time: f64,
    /// The most memory of the process, in octets.
    memory: f64,
}

#[derive(Debug)]
struct Measured {
    /// Octets of the feed.
    len: f64,
    /// Whether its products are those of a real feed.
    is_real: bool,
    /// The bare events, the model, and then the others.
    reading: [(&'static str, Cost); 6],
    /// Ours first.
    writing: [(&'static str, Cost); 3],
}

impl Measured {
    fn goals(&self) -> Vec<Goal> {
        let [(_, events), (_, model), ..] = self.reading;
        let [(_, ours), templates @ ..] = self.writing;
        let mut goals = vec![
            Goal::new(
                model.time <= 2.0 * events.time,
                format!(
                    "the model is read at no less than half of the bare events' speed: {:.2} of it",
                    events.time / model.time
                ),
            ),
            Goal::new(
                model.memory <= 3.0 * self.len,
                format!(
                    "memory of at most 3 times the feed: {:.1} times",
                    model.memory / self.len
                ),
            ),
        ];
        goals.extend(templates.map(|(name, template)| {
            Goal::new(
                ours.time < 0.1 * template.time,
                format!(
                    "products are written in under a tenth of the time of {name}: {:.3} of it",
                    ours.time / template.time
                ),
            )
        }));
        goals
    }

    fn tables(&self) -> String {
        let mut out = format!(
            "\nA feed of {} octets, {}, from the file to what each program keeps of it.\n\n| reading | ms | parts of the bare \
             events' time | most memory, parts of the feed |\n|---|--:|--:|--:|\n",
            grouped(self.len),
            if self.is_real {
                "the products of a real one again and again"
            } else {
                "products of ours"
            }
        );
        let events = self.reading[0].1.time;
        for (name, cost) in self.reading {
            let _ = writeln!(
                out,
                "| {name} | {} | {} | {} |",
                decimals(cost.time),
                decimals(cost.time / events),
                decimals(cost.memory / self.len)
            );
        }
        let _ = write!(
            out,
            "\n{} products. webpi-feed checks them and builds the feed first; the templates only fill in and escape \
             every text.\n\n| writing | ms |\n|---|--:|\n",
            PRODUCTS
        );
        for (name, cost) in self.writing {
            let _ = writeln!(out, "| {name} | {} |", decimals(cost.time));
        }
        out
    }
}

/// Where the package in `bench/feed/` is built, and where its data is.
#[derive(Debug)]
struct Bench {
    target: Utf8PathBuf,
    data: Utf8PathBuf,
}

impl Bench {
    fn program(&self) -> String {
        self.target.join("release/feed").into_string()
    }

    fn cost(&self, program: &str, arguments: &[&str]) -> Result<Cost> {
        let printed = Step::new(program, &self.data)
            .args(arguments.iter().copied())
            .quiet_output()?;
        cost(&printed).ok_or_else(|| format!("neither times nor memory: {printed}"))
    }

    fn versions(&self, python: &str) -> Result<String> {
        let lock = read(&root().join("bench/Cargo.lock"))?;
        let of_crate = |name| locked_version(&lock, name).unwrap_or("unknown");
        let asked = "import platform, importlib.metadata as m; print(', '.join(['Python ' + platform.python_version(), *(n + ' ' + m.version(n) for n in ('lxml', 'Jinja2', 'zope.pagetemplate'))]))";
        let python = Step::new(python, &self.data)
            .args(["-c", asked])
            .quiet_output()?;
        Ok(format!(
            "quick-xml {}, roxmltree {}, {}",
            of_crate("quick-xml"),
            of_crate("roxmltree"),
            python.trim()
        ))
    }
}

/// The median of the nanoseconds, and the `peak` in KiB behind them.
fn cost(printed: &str) -> Option<Cost> {
    let (times, peak) = printed.split_once("peak ")?;
    let times: std::result::Result<Vec<u64>, _> = times.lines().map(str::parse).collect();
    let mut times = times.ok()?;
    times.sort_unstable();
    let peak: u64 = peak.trim().parse().ok()?;
    Some(Cost {
        time: *times.get(times.len() / 2)? as f64 / 1e6,
        memory: (peak << 10) as f64,
    })
}

fn read(path: &Utf8Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_memory_are_read() {
        let cost = cost("3000000\n1000000\n2000000\npeak 4\n").unwrap();
        assert!((cost.time - 2.0).abs() < 1e-9);
        assert!((cost.memory - 4096.0).abs() < 1e-9);
        assert!(super::cost("1000000\n").is_none());
        assert!(super::cost("peak 4\n").is_none());
    }

    #[test]
    fn goals_compare() {
        let of = |time, memory| ("x", Cost { time, memory });
        let measured = |model, memory, ours| Measured {
            len: 100.0,
            is_real: true,
            reading: [
                of(1.0, 100.0),
                of(model, memory),
                of(9.0, 900.0),
                of(9.0, 900.0),
                of(9.0, 900.0),
                of(9.0, 900.0),
            ],
            writing: [of(ours, 1.0), of(10.0, 1.0), of(10.5, 1.0)],
        };
        let reached = |measured: Measured| {
            measured
                .goals()
                .iter()
                .map(|goal| goal.reached)
                .collect::<Vec<_>>()
        };
        assert_eq!(reached(measured(2.0, 300.0, 0.9)), [true, true, true, true]);
        assert_eq!(
            reached(measured(2.1, 301.0, 1.0)),
            [false, false, false, true]
        );
    }
}
