//! `cargo xtask bench`: how fast the crates are beside others, measured in one run and recorded in `docs/speed.md`.

mod feed;
mod gateway;
mod iis;
mod package;
mod proto;

use camino::Utf8Path;
use fs_err as fs;

use crate::run::{Result, Step};
use crate::workspace::root;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    subject: Subject,
    /// Leave docs/speed.md as it is
    #[arg(long, global = true)]
    no_write: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Subject {
    /// webpi-feed's reading and writing beside XML parsers and a template
    Feed(feed::Args),
    /// The gateway beside uWSGI, flup, flipflop and libfcgi
    Gateway(gateway::Args),
    /// Edits of IIS configuration beside Python's minidom, lxml and roxmltree
    Iis(iis::Args),
    /// msdeploy-pkg's packages beside Python's zipfile and Info-ZIP's zip
    Package(package::Args),
    /// fcgi-proto beside libfcgi, tokio-fastcgi and fastcgi-client
    Proto(proto::Args),
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let (name, outcome) = match &args.subject {
        Subject::Feed(subject) => ("feed", feed::run(subject)?),
        Subject::Gateway(subject) => ("gateway", gateway::run(subject)?),
        Subject::Iis(subject) => ("iis", iis::run(subject)?),
        Subject::Package(subject) => ("package", package::run(subject)?),
        Subject::Proto(subject) => ("proto", proto::run(subject)?),
    };
    outcome.record(name, args.no_write)
}

/// What a subject has measured.
#[derive(Debug)]
struct Outcome {
    /// Programs and versions that were measured, one line.
    versions: String,
    /// The tables, in Markdown.
    tables: String,
    goals: Vec<Goal>,
}

/// Something that has to hold.
#[derive(Debug)]
struct Goal {
    text: String,
    reached: bool,
}

impl Goal {
    const fn new(reached: bool, text: String) -> Self {
        Self { text, reached }
    }
}

impl Outcome {
    /// Prints the outcome, writes it into the section `name` of `docs/speed.md`, and fails if a goal is missed.
    fn record(&self, name: &str, no_write: bool) -> Result<()> {
        let section = self.section(&machine()?);
        println!("\n{section}");
        if !no_write {
            let path = root().join("docs/speed.md");
            let page = fs::read_to_string(&path).unwrap_or_else(|_| HEAD.to_owned());
            fs::write(&path, with_section(&page, name, &section))
                .map_err(|error| error.to_string())?;
            println!("written to docs/speed.md");
        }
        let missed = self.goals.iter().filter(|goal| !goal.reached);
        let missed: Vec<&str> = missed.map(|goal| goal.text.as_str()).collect();
        if missed.is_empty() {
            Ok(())
        } else {
            Err(format!("missed: {}", missed.join("; ")))
        }
    }

    /// The section of `docs/speed.md`.
    fn section(&self, machine: &str) -> String {
        let mut out = format!("Measured {machine}.\n{}.\n{}", self.versions, self.tables);
        out.push('\n');
        for Goal { text, reached } in &self.goals {
            let mark = if *reached { "reached" } else { "MISSED" };
            out.push_str(&format!("- {mark}: {text}\n"));
        }
        out
    }
}

/// What the numbers were measured on, and when.
fn machine() -> Result<String> {
    let date = Step::new("date", &root())
        .args(["-u", "+%Y-%m-%d"])
        .quiet_output()?;
    let cpu = fs::read_to_string(Utf8Path::new("/proc/cpuinfo")).unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(format!("{} on {model}, {cores} cores", date.trim()))
}

/// Builds a package of `bench/` as it is measured, below `target`.
fn build_package(name: &str, target: &Utf8Path) -> Result<()> {
    Step::new("cargo", &root())
        .args(["build", "--locked", "--release", "--manifest-path"])
        .args([root().join("bench/Cargo.toml").as_str()])
        .args(["--package", name, "--target-dir", target.as_str()])
        .run()
}

/// The version of a package in a lock file.
fn locked_version<'l>(lock: &'l str, name: &str) -> Option<&'l str> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split('"').next()
}

/// Nanoseconds with a unit.
fn duration(nanoseconds: f64) -> String {
    if nanoseconds < 1e3 {
        format!("{} ns", decimals(nanoseconds))
    } else {
        format!("{} µs", decimals(nanoseconds / 1e3))
    }
}

/// Three digits, more of them in front of the point.
fn decimals(number: f64) -> String {
    match number {
        ..10.0 => format!("{number:.2}"),
        ..100.0 => format!("{number:.1}"),
        _ => grouped(number),
    }
}

/// A whole number with a comma between thousands.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The page with what is between the markers of `name` replaced, or added at the end.
fn with_section(page: &str, name: &str, section: &str) -> String {
    let (begin, end) = (
        format!("<!-- begin: cargo xtask bench {name} -->"),
        format!("<!-- end: cargo xtask bench {name} -->"),
    );
    let (front, behind) = match page.split_once(&begin) {
        Some((front, rest)) => (
            front,
            rest.split_once(&end).map_or("", |(_, behind)| behind),
        ),
        None => (page, "\n"),
    };
    format!("{front}{begin}\n{section}{end}{behind}")
}

/// The page where there is none yet.
const HEAD: &str = "# Speed\n\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, expected) in [
            (0.0, "0"),
            (999.0, "999"),
            (1_000.0, "1,000"),
            (1_234_567.4, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
        for (nanoseconds, expected) in [
            (5.678, "5.68 ns"),
            (309.2, "309 ns"),
            (1_311.0, "1.31 µs"),
            (62_127.0, "62.1 µs"),
        ] {
            assert_eq!(duration(nanoseconds), expected);
        }
    }

    #[test]
    fn a_section_is_added_and_replaced() {
        let page = with_section("# Speed\n\n", "proto", "one\n");
        let begin = "<!-- begin: cargo xtask bench proto -->\n";
        let end = "<!-- end: cargo xtask bench proto -->\n";
        assert_eq!(page, format!("# Speed\n\n{begin}one\n{end}"));
        let page = format!("{page}\nbehind\n");
        assert_eq!(
            with_section(&page, "proto", "two\n"),
            format!("# Speed\n\n{begin}two\n{end}\nbehind\n")
        );
    }

    #[test]
    fn versions_are_those_of_the_lock() {
        let lock = "[[package]]\nname = \"one\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"two\"\nversion = \"4.5.6\"\n";
        assert_eq!(locked_version(lock, "two"), Some("4.5.6"));
        assert_eq!(locked_version(lock, "three"), None);
    }

    #[test]
    fn a_missed_goal_is_told() {
        let outcome = |reached| Outcome {
            versions: "a 1".to_owned(),
            tables: "\n| t |\n".to_owned(),
            goals: vec![Goal::new(reached, "fast".to_owned())],
        };
        let expected = "Measured today.\na 1.\n\n| t |\n\n- MISSED: fast\n";
        assert_eq!(outcome(false).section("today"), expected);
        assert!(outcome(false).record("none", true).is_err());
        assert!(outcome(true).record("none", true).is_ok());
    }
}
