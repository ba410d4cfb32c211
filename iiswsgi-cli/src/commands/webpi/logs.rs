//! `iiswsgi webpi logs`: the newest logs of a feed and of an installation, and the lines of them that matter.

use std::fmt;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::Serialize;

use crate::commands::webpi::local_data::{LocalData, LocalDataArgs, entries, read_text};
use crate::context::Context;
use crate::error::Result;

/// So much of a log is looked at.
const LOG_LIMIT: u64 = 64 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    local_data: LocalDataArgs,
    /// How many lines of each log are shown at most, the last ones
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    lines: usize,
    /// Show all lines, not only those that tell of a failure
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// `logs\webpi\webpi#.txt`: reading feeds.
    Feed,
    /// `logs\install\DATE\…`: installing products.
    Installation,
    /// `iiswsgi.log`: the gateway.
    Gateway,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Feed => "feed log",
            Self::Installation => "installation log",
            Self::Gateway => "gateway log",
        })
    }
}

#[derive(Debug, Serialize)]
struct Log {
    kind: Kind,
    path: Utf8PathBuf,
    /// Lines that matter, shown here or not.
    matching: usize,
    lines: Vec<Line>,
    /// What to do about what they say.
    help: Vec<&'static str>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    number: usize,
    text: String,
}

#[derive(Serialize)]
struct Report {
    logs: Vec<Log>,
    /// Places that were looked at and hold no log.
    nothing_in: Vec<Utf8PathBuf>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for log in &self.logs {
            writeln!(f, "{}: {}", log.kind, log.path)?;
            if log.lines.is_empty() {
                writeln!(f, "  no line tells of a failure")?;
            }
            let hidden = log.matching - log.lines.len();
            if hidden > 0 {
                writeln!(f, "  … {hidden} more before")?;
            }
            for line in &log.lines {
                writeln!(f, "{:>6}: {}", line.number, line.text)?;
            }
            for help in &log.help {
                writeln!(f, "  help: {help}")?;
            }
        }
        for folder in &self.nothing_in {
            writeln!(f, "no log in {folder}")?;
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let mut report = Report {
        logs: Vec::new(),
        nothing_in: Vec::new(),
    };
    let local = args.local_data.find(context);
    if args.local_data.is_named() {
        args.local_data.need(context)?;
    }
    let mut add = |kind, found: Vec<Utf8PathBuf>, place: Utf8PathBuf| -> Result<()> {
        if found.is_empty() {
            report.nothing_in.push(place);
        }
        for path in found {
            let text = read_text(&path, LOG_LIMIT)?;
            report.logs.push(read_log(kind, path, &text, args));
        }
        Ok(())
    };
    if let Some(local) = &local {
        let feeds = local.folder.join("logs").join("webpi");
        add(Kind::Feed, newest_feed_log(local)?, feeds)?;
        let installations = local.folder.join("logs").join("install");
        add(
            Kind::Installation,
            newest_installation_logs(local)?,
            installations,
        )?;
    } else {
        context.say("WebPI's logs are not looked at: LOCALAPPDATA is not set (`--webpi-folder DIR` names its folder)");
    }
    let variable = |name: &str| context.environment.non_empty(name).map(str::to_owned);
    for path in fcgi_gateway::log::places(None, &variable) {
        let found = if path.is_file() {
            vec![path.clone()]
        } else {
            Vec::new()
        };
        add(Kind::Gateway, found, path)?;
    }
    context.report(&report)
}

/// `logs\webpi\webpi#.txt`, the newest.
fn newest_feed_log(local: &LocalData) -> Result<Vec<Utf8PathBuf>> {
    let logs = entries(&local.folder.join("logs").join("webpi"))?;
    let logs = logs.into_iter().filter(|path| is_log(path));
    Ok(newest(logs).into_iter().collect())
}

/// Every log in the newest folder of `logs\install`, which has one for each product, named by its title.
fn newest_installation_logs(local: &LocalData) -> Result<Vec<Utf8PathBuf>> {
    let folders = entries(&local.folder.join("logs").join("install"))?;
    let Some(folder) = newest(folders.into_iter().filter(|path| path.is_dir())) else {
        return Ok(Vec::new());
    };
    let logs = entries(&folder)?;
    Ok(logs.into_iter().filter(|path| is_log(path)).collect())
}

fn is_log(path: &Utf8Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    path.is_file()
        && (extension.eq_ignore_ascii_case("txt") || extension.eq_ignore_ascii_case("log"))
}

/// The one that was changed last; of those changed together the last by name, which is the highest date.
fn newest(paths: impl Iterator<Item = Utf8PathBuf>) -> Option<Utf8PathBuf> {
    paths.max_by_key(|path| {
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
        (modified.unwrap_or(SystemTime::UNIX_EPOCH), path.clone())
    })
}

fn read_log(kind: Kind, path: Utf8PathBuf, text: &str, args: &Args) -> Log {
    let mut lines: Vec<Line> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && (args.all || matters(line)))
        .map(|(index, line)| Line {
            number: index + 1,
            text: line.trim_end().to_owned(),
        })
        .collect();
    let matching = lines.len();
    let mut help = Vec::new();
    for line in &lines {
        for (_, advice) in KNOWN
            .iter()
            .filter(|(words, _)| contains(&line.text, words))
        {
            if !help.contains(advice) {
                help.push(*advice);
            }
        }
    }
    lines.drain(..matching.saturating_sub(args.lines));
    Log {
        kind,
        path,
        matching,
        lines,
        help,
    }
}

/// Words of a line that tells of a failure.
const MATTER: [&str; 11] = [
    "error",
    "exception",
    "traceback",
    "fail",
    "fatal",
    "critical",
    "could not",
    "cannot",
    "not valid",
    "warn",
    "hresult",
];

fn matters(line: &str) -> bool {
    // A line that counts failures and found none.
    let nothing = ["0 error", "no error"];
    KNOWN.iter().any(|(words, _)| contains(line, words))
        || MATTER.iter().any(|word| contains(line, word))
            && !nothing.iter().any(|words| contains(line, words))
}

fn contains(line: &str, words: &str) -> bool {
    line.to_ascii_lowercase()
        .contains(&words.to_ascii_lowercase())
}

/// What people met, and what helped.
const KNOWN: [(&str, &str); 9] = [
    (
        "failed signature verification",
        "the package is not the one whose SHA-1 the feed gives: `iiswsgi webpi check FEED --fetch` says whether the feed is \
         wrong, `iiswsgi webpi clean FEED` removes an old copy of either",
    ),
    (
        "could not load file or assembly 'microsoft.web.deployment",
        "Web Deploy is missing: install it, and let the product depend on it, as the feeds of `iiswsgi webpi feed` do",
    ),
    (
        "80040154",
        "the IIS Management Console is missing: install the feature, and let the product depend on it",
    ),
    (
        "cycle in the product dependencies",
        "products need each other: `iiswsgi webpi check FEED` shows the circle",
    ),
    (
        r"could not find file '\\?\",
        "start Windows again, and do not start WebPI twice: it loses its packages when it is started a second time",
    ),
    (
        "invalid xml file",
        "`iiswsgi webpi check FEED` says what is wrong with the feed, and where",
    ),
    (
        "could not parse filesize",
        "`iiswsgi webpi check FEED` says which product's `fileSize` is wrong",
    ),
    (
        "remote file has not changed",
        "WebPI used its own copy of the feed: `iiswsgi webpi clean FEED` removes it",
    ),
    (
        "fastcgi process exited unexpectedly",
        "`iiswsgi dev --once /` starts the registered command as IIS does and shows what it says",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn args(lines: usize, all: bool) -> Args {
        Args {
            local_data: LocalDataArgs::default(),
            lines,
            all,
        }
    }

    #[test]
    fn lines_that_tell_of_a_failure_are_told_apart() {
        for (line, expected) in [
            (
                "DownloadManager Error: 0 : System.IO.FileNotFoundException",
                true,
            ),
            ("Downloaded file failed signature verification", true),
            ("WARNING: no feed", true),
            ("Install completed with 0 errors", false),
            (
                "DownloadManager Information: 0 : Loading product xml",
                false,
            ),
            ("Traceback (most recent call last):", true),
        ] {
            assert_eq!(matters(line), expected, "{line}");
        }
    }

    #[test]
    fn the_last_lines_are_shown_with_what_to_do() {
        let text = "Error: one\nfine\nError: two\nFile failed signature verification\n";
        let log = read_log(Kind::Feed, "webpi1.txt".into(), text, &args(2, false));
        let numbers: Vec<usize> = log.lines.iter().map(|line| line.number).collect();
        assert_eq!((numbers.as_slice(), log.matching), (&[3, 4][..], 3));
        assert!(log.help[0].contains("SHA-1"), "{:?}", log.help);
        let log = read_log(Kind::Feed, "webpi1.txt".into(), text, &args(9, true));
        assert_eq!(log.lines.len(), 4);
    }

    #[test]
    fn every_line_that_there_is_advice_for_matters() {
        for (words, advice) in KNOWN {
            let line = format!("12:00 {}", words.to_uppercase());
            assert!(matters(&line), "{line}");
            let log = read_log(Kind::Feed, "webpi1.txt".into(), &line, &args(1, false));
            assert!(log.help.contains(&advice), "{line}");
        }
    }
}
