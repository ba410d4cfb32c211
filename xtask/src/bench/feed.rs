//! A feed of 100 MB read beside XML parsers, and 10,000 products written beside a Jinja2 template.

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

/// Reading with a Python parser, or writing with a template made of the feed of one product; prints what our program prints.
const PYTHON: &str = "\
import resource, sys, time
which, path, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
def minidom():
    import xml.dom.minidom
    return xml.dom.minidom.parse(path)
def lxml():
    import lxml.etree
    return lxml.etree.parse(path, lxml.etree.XMLParser(huge_tree=True))
if which == 'jinja2':
    import jinja2
    text = open(path).read()
    begin, end = text.index('<entry'), text.index('</entry>') + len('</entry>\\n')
    entry = text[begin:end].replace('PRODUCT', '{{ product.id|e }}')
    text = text[:begin] + '{% for product in products %}' + entry + '{% endfor %}' + text[end:]
    template = jinja2.Environment().from_string(text)
    products = [{'id': f'Product{number}'} for number in range(int(sys.argv[4]))]
def fill():
    return template.render(products=products)
work = fill if which == 'jinja2' else globals()[which]
for _ in range(runs):
    start = time.perf_counter_ns()
    kept = work()
    print(time.perf_counter_ns() - start)
    del kept
print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
";

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let bench = Bench {
        target: target().join("bench"),
        data: target().join("bench/feed"),
    };
    fs::create_dir_all(&bench.data).map_err(|error| error.to_string())?;
    build_package("webpi-feed-bench", &bench.target)?;
    let python = PythonEnvironment::make(&bench.data.join("venv"))?;
    python.install(&["lxml", "jinja2"])?;
    let python = python.program("python");
    let program = bench.program();
    let (file, product) = (bench.data.join("feed.xml"), bench.data.join("product.xml"));
    let (file, product) = (file.as_str(), product.as_str());
    Step::new(program.as_str(), &bench.data)
        .args(["make", file, &args.octets.to_string()])
        .run()?;
    let one = Step::new(program.as_str(), &bench.data)
        .args(["product"])
        .quiet_output()?;
    fs::write(product, one).map_err(|error| error.to_string())?;
    let runs = args.runs.max(1).to_string();
    let ours = |what: &str| bench.cost(&program, &[what, file, &runs]);
    // One run of each Python parser: minidom takes minutes.
    let of_python = |which: &str| bench.cost(&python, &["-c", PYTHON, which, file, "1"]);
    let measured = Measured {
        len: fs::metadata(file).map_err(|error| error.to_string())?.len() as f64,
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
            (
                "Jinja2",
                bench.cost(&python, &["-c", PYTHON, "jinja2", product, &runs, PRODUCTS])?,
            ),
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
    /// The bare events, the model, and then the others.
    reading: [(&'static str, Cost); 6],
    /// Ours first.
    writing: [(&'static str, Cost); 2],
}

impl Measured {
    fn goals(&self) -> Vec<Goal> {
        let [(_, events), (_, model), ..] = self.reading;
        let [(_, ours), (_, template)] = self.writing;
        vec![
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
            Goal::new(
                ours.time < 0.1 * template.time,
                format!(
                    "products are written in under a tenth of the template's time: {:.2} times",
                    ours.time / template.time
                ),
            ),
        ]
    }

    fn tables(&self) -> String {
        let mut out = format!(
            "\nA feed of {} octets, from the file to what each program keeps of it.\n\n| reading | ms | parts of the bare \
             events' time | most memory, parts of the feed |\n|---|--:|--:|--:|\n",
            grouped(self.len)
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
            "\n{} products. webpi-feed checks them and builds the feed first; the template only fills in and escapes the \
             identifiers.\n\n| writing | ms |\n|---|--:|\n",
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
        let asked = "import platform, jinja2, lxml.etree as e; print('Python', platform.python_version() + ', lxml', '.'.join(map(str, e.LXML_VERSION[:3])) + ', Jinja2', jinja2.__version__)";
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
            reading: [
                of(1.0, 100.0),
                of(model, memory),
                of(9.0, 900.0),
                of(9.0, 900.0),
                of(9.0, 900.0),
                of(9.0, 900.0),
            ],
            writing: [of(ours, 1.0), of(10.0, 1.0)],
        };
        let reached = |measured: Measured| {
            measured
                .goals()
                .iter()
                .map(|goal| goal.reached)
                .collect::<Vec<_>>()
        };
        assert_eq!(reached(measured(2.0, 300.0, 0.9)), [true, true, true]);
        assert_eq!(reached(measured(2.1, 301.0, 1.0)), [false, false, false]);
    }
}
