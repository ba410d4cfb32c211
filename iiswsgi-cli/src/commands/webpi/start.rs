//! `iiswsgi webpi start`, the `iiswsgi_webpi` of iiswsgi 0.3: the Web Platform Installer without old copies of feeds and
//! packages.
//!
//! Where there is no WebPI, the feed is served over HTTP, with what to do next: it can be installed from by
//! `iiswsgi webpi install`, and by a WebPI on another machine.

use std::fmt;
use std::process::Stdio;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::{clean, serve};
use crate::commands::webpi::local_data::{LocalDataArgs, entries};
use crate::context::{Context, StrictArgs};
use crate::deploy::file;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feed whose copies are removed, and that is served where there is no WebPI: a path or a URL [default: all copies,
    /// and the newest *.webpi.xml in `dist`]
    #[arg(value_name = "FEED")]
    feed: Option<String>,
    #[command(flatten)]
    local_data: LocalDataArgs,
    /// The port to serve on; 0 is any
    #[arg(short, long, value_name = "PORT", default_value_t = 8000)]
    port: u16,
    #[command(flatten)]
    strict: StrictArgs,
}

/// WebPI's program, below the folder of programs.
const PROGRAM: [&str; 3] = [
    "Microsoft",
    "Web Platform Installer",
    "WebPlatformInstaller.exe",
];

#[derive(Serialize)]
struct Report {
    /// The program that was started.
    started: Utf8PathBuf,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.started)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    args.strict.apply(context);
    if args.local_data.find(context).is_some() {
        let feeds = args.feed.iter().cloned().collect();
        let (_, failures) = clean::Args::new(feeds, args.local_data.clone()).clean(context)?;
        for failure in failures {
            context.say(format_args!(
                "could not remove everything: {failure}; close WebPI first"
            ));
        }
    } else {
        context.skip(
            "removing WebPI's copies of feeds and packages",
            "LOCALAPPDATA is not set, so that there is no WebPI",
            "`--webpi-folder` names its folder, or a copy of it",
        )?;
    }
    if let Some(program) = web_platform_installer(context) {
        return start(program, args.feed.as_deref(), context);
    }
    context.skip(
        "starting the Web Platform Installer",
        "there is no WebPlatformInstaller.exe on this machine",
        "the feed is served over HTTP instead",
    )?;
    let feed = match &args.feed {
        Some(feed) => feed.clone(),
        None => newest_feed(Utf8Path::new("dist"))?,
    };
    context.say(format_args!(
        "serving `{feed}`. Next:\n  \
         - look at the page in a browser;\n  \
         - install here: `iiswsgi webpi install FEED-ADDRESS PRODUCT --site-root DIR`;\n  \
         - or on a Windows machine that reaches this one, add the feed's address in WebPI's options (`--address` of `iiswsgi webpi serve` lets others in)"
    ));
    serve::run(&serve::Args::new(feed, args.port), context)
}

/// WebPI's program, where it is installed.
fn web_platform_installer(context: &Context) -> Option<Utf8PathBuf> {
    ["ProgramW6432", "ProgramFiles", "ProgramFiles(x86)"]
        .into_iter()
        .filter_map(|name| context.environment.non_empty(name))
        .map(|programs| {
            PROGRAM
                .iter()
                .fold(Utf8PathBuf::from(programs), |path, part| path.join(part))
        })
        .find(|path| path.is_file())
}

/// Starts it, and does not wait for it.
fn start(program: Utf8PathBuf, feed: Option<&str>, context: &Context) -> Result<()> {
    std::process::Command::new(&program)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            Error::new(format!("cannot start `{program}`: {error}"))
                .help("install the Web Platform Installer anew, or start it from the Start menu")
        })?;
    match feed {
        Some(feed) if Utf8Path::new(feed).is_file() => context.say(format_args!(
            "started; under Options, remove the feed if it is there, and add {}",
            file::file_url(Utf8Path::new(feed))?
        )),
        Some(feed) => context.say(format_args!(
            "started; under Options, remove the feed if it is there, and add {feed}"
        )),
        None => context.say("started; under Options, remove the feed and add it again"),
    }
    context.report(&Report { started: program })
}

/// The feed that was written last.
fn newest_feed(folder: &Utf8Path) -> Result<String> {
    let feeds = entries(folder)?;
    let modified = |path: &Utf8PathBuf| {
        fs_err::metadata(path)
            .and_then(|metadata| metadata.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    };
    feeds
        .into_iter()
        .filter(|path| path.as_str().ends_with(".webpi.xml"))
        .max_by_key(modified)
        .map(Utf8PathBuf::into_string)
        .ok_or_else(|| {
            Error::new("there is no *.webpi.xml in `dist`: it is not said which feed to serve")
                .help("name the feed, or write one with `iiswsgi webpi feed`")
        })
}
