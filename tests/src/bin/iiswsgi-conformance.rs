//! `iiswsgi-conformance`: what of FastCGI 1.0 holds for a live application.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, ValueEnum};
use iiswsgi_tests::conformance::live::{self, Options, Target, Verdict};

/// Asks a live FastCGI application what of FastCGI 1.0 holds for it.
///
/// The exit status is 0 if all that can be told holds, 1 if something does not, 2 if the application could not be asked.
#[derive(Debug, Parser)]
#[command(name = "iiswsgi-conformance", version, arg_required_else_help = true, after_help = live::RESPONDER)]
struct Cli {
    #[command(flatten)]
    target: TargetArgs,
    /// How the outcome is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Run these checks only
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',')]
    only: Vec<String>,
    /// How long an answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// A variable that every request has; SCRIPT_FILENAME for PHP
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    param: Vec<(String, String)>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct TargetArgs {
    /// The application listens on this Unix socket
    #[arg(long, value_name = "PATH")]
    unix: Option<Utf8PathBuf>,
    /// The application listens on this TCP port
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<String>,
    /// Start this shell command with a listening socket on file descriptor 0
    #[arg(long, value_name = "COMMAND")]
    stdin_of: Option<String>,
    /// List the checks
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object
    Json,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let TargetArgs {
        unix,
        tcp,
        stdin_of,
        list,
    } = cli.target;
    if list {
        for check in live::checks() {
            let item = check
                .item
                .map_or_else(|| "bug".to_owned(), |item| format!("{item:3}"));
            println!(
                "{item}  §{:4} {:28} {}",
                check.section, check.id, check.title
            );
        }
        return ExitCode::SUCCESS;
    }
    let target = match (unix, tcp, stdin_of) {
        (Some(path), _, _) => Target::Unix(path),
        (_, Some(address), _) => Target::Tcp(address),
        (_, _, Some(command)) => Target::StdinOf(command),
        // clap demands one of them.
        _ => return ExitCode::from(2),
    };
    let mut options = Options::new(target);
    options.limit = Duration::from_secs(cli.limit);
    options.params = cli.param;
    options.only = cli.only;
    let report = match live::run(&options) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    match cli.format {
        Format::Text => println!("{report}"),
        Format::Json => match serde_json::to_string_pretty(&report) {
            Ok(json) => println!("{json}"),
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::from(2);
            }
        },
    }
    if report.count(Verdict::DoesNotHold) == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
