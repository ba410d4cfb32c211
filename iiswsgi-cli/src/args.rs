//! The command line.

use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

use clap::{ArgAction, CommandFactory as _, Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::commands::{
    bootstrap, completions, dev, iis, msdeploy, serve, upload, webpi, webpicmd, wfastcgi,
};
use crate::context::{Context, Format, Host, write_error};
use crate::diagnostics;
use crate::error::{Error, ExitStatus, Result};

/// Python web applications on Microsoft IIS: build Web Deploy packages and WebPI feeds, install them, serve them over
/// FastCGI. Every command works on every operating system.
#[derive(Debug, Parser)]
#[command(
    name = "iiswsgi",
    version,
    max_term_width = 100,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// Say more: how each step is done (-vv: every event)
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet", help_heading = "Output")]
    verbose: u8,
    /// Say less: errors only
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    quiet: u8,
    /// When to use colour; `auto` also respects NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", help_heading = "Output")]
    color: Color,
    /// How to write the result to standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT", help_heading = "Output")]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Web Deploy (MSDeploy) packages: build, package, sync, install
    #[command(subcommand)]
    Msdeploy(msdeploy::Command),
    /// Web Platform Installer feeds: write one, install from one
    #[command(subcommand)]
    Webpi(webpi::Command),
    /// WebpiCmd.exe's command line: /List, /Install, /Offline and their switches
    Webpicmd(webpicmd::Args),
    /// IIS's configuration: register FastCGI applications, and find out why one does not work
    #[command(subcommand)]
    Iis(iis::Command),
    /// Serve a WSGI application over FastCGI: the gateway that IIS, nginx, Apache and others start
    Serve(Box<serve::Args>),
    /// Serve a site that was served by wfastcgi: WSGI_HANDLER and the other settings come from the environment and from
    /// appSettings of the site's web.config (`python -m iiswsgi.wfastcgi`)
    Wfastcgi(Box<wfastcgi::Args>),
    /// Serve a site over HTTP on this machine as IIS would: the local stand-in for IIS
    Dev(dev::Args),
    /// Find the application that Web Deploy has just unpacked, and install it (`iiswsgi_install`)
    Bootstrap(bootstrap::Args),
    /// Upload packages, wheels and source distributions to a packaging index, or any file to a file share (HTTP PUT)
    Upload(upload::Args),
    /// Write a completion script for a shell to standard output
    Completions(completions::Args),
}

/// Runs the command line `args`, program name first, and returns the exit status.
///
/// Standard output gets the result, standard error everything that is said on the way.
pub fn main(args: impl IntoIterator<Item = OsString>, host: Host) -> ExitStatus {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            let status = if error.use_stderr() {
                ExitStatus::Usage
            } else {
                ExitStatus::Ok
            };
            // Nothing is left to say where the message itself cannot be written.
            let _ = error.print();
            return status;
        }
    };
    let choice = match cli.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
    let verbosity =
        i8::try_from(cli.verbose).unwrap_or(i8::MAX) - i8::try_from(cli.quiet).unwrap_or(i8::MAX);
    let context = Context {
        format: cli.format,
        verbosity,
        ..Context::new(args, host)
    };
    let outcome = run(&cli.command, &context);
    context.summarize_skipped();
    match outcome {
        Ok(()) => ExitStatus::Ok,
        Err(Error::Reported) => ExitStatus::Failure,
        Err(error) => {
            if context.format == Format::Json {
                // A plain tree of JSON values always serialises, and a closed output leaves no one to tell.
                let _ = context.report(&JsonText(diagnostics::to_json(&error)));
            }
            write_error(&diagnostics::render(&error, &context.renderer));
            ExitStatus::Failure
        }
    }
}

/// What a command has come to that a program has called.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Called {
    /// The exit status that it would have had.
    pub status: ExitStatus,
    /// Its result, as `--format json` has it; none where it failed before there was one.
    pub report: Option<Value>,
    /// What was wrong, as `--format json` has it.
    pub problems: Vec<Value>,
}

/// Runs the command line `args` as [`main`] does, for a program: nothing is written to standard output, and on standard error
/// only what `-v` asks for.
pub fn call(args: impl IntoIterator<Item = OsString>, host: Host) -> Called {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            let message = error.render().to_string();
            let message = message.trim().trim_start_matches("error: ");
            return Called {
                status: ExitStatus::Usage,
                report: None,
                problems: vec![json!({ "severity": "error", "message": message })],
            };
        }
    };
    let context = Context {
        format: Format::Json,
        verbosity: i8::try_from(cli.verbose)
            .unwrap_or(i8::MAX)
            .saturating_sub(1),
        captured: Some(Mutex::default()),
        ..Context::new(args, host)
    };
    let (status, problems) = match run(&cli.command, &context) {
        Ok(()) => (ExitStatus::Ok, Vec::new()),
        Err(error) => {
            let mut told = diagnostics::to_json(&error);
            let problems = told.get_mut("problems").map(Value::take);
            let problems = match problems {
                Some(Value::Array(problems)) => problems,
                _ => Vec::new(),
            };
            (ExitStatus::Failure, problems)
        }
    };
    let captured = context.captured.unwrap_or_default();
    let captured = captured
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    Called {
        status,
        report: serde_json::from_str(&captured).ok(),
        problems,
    }
}

/// The arguments of every subcommand, by its names joined with blanks, for programs that make command lines.
///
/// Each has its `name`, the `flag` it is given by (none for a positional one), whether it `takes_value`, comes `many` times, and
/// is `required`.
#[must_use]
pub fn arguments() -> Value {
    let mut found = serde_json::Map::new();
    let mut open = vec![(String::new(), Cli::command())];
    while let Some((path, command)) = open.pop() {
        if command.has_subcommands() {
            for inner in command.get_subcommands() {
                let name = format!("{path} {}", inner.get_name());
                open.push((name.trim().to_owned(), inner.clone()));
            }
            continue;
        }
        let is_shown = |argument: &&clap::Arg| {
            !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
        };
        let arguments = command.get_arguments().filter(is_shown).map(|argument| {
            let takes_value = argument.get_action().takes_values();
            let many = matches!(argument.get_action(), ArgAction::Append)
                || argument
                    .get_num_args()
                    .is_some_and(|range| range.max_values() > 1);
            json!({
                "name": argument.get_id().as_str(),
                "flag": argument.get_long().map(|long| format!("--{long}")),
                "takes_value": takes_value,
                "many": many,
                "required": argument.is_required_set(),
            })
        });
        let arguments: Vec<Value> = arguments.collect();
        found.insert(path, arguments.into());
    }
    found.into()
}

fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Msdeploy(command) => msdeploy::run(command, context),
        Command::Webpi(command) => webpi::run(command, context),
        Command::Webpicmd(args) => webpicmd::run(args, context),
        Command::Iis(command) => iis::run(command, context),
        Command::Serve(args) => serve::run(args, context),
        Command::Wfastcgi(args) => wfastcgi::run(args, context),
        Command::Dev(args) => dev::run(args, context),
        Command::Bootstrap(args) => bootstrap::run(args, context),
        Command::Upload(args) => upload::run(args, context),
        Command::Completions(args) => completions::run(args),
    }
}

/// JSON that is its own text.
#[derive(serde::Serialize)]
#[serde(transparent)]
struct JsonText(Value);

impl std::fmt::Display for JsonText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    fn called(arguments: &[&str]) -> Called {
        let arguments = ["iiswsgi"].iter().chain(arguments).map(OsString::from);
        call(arguments, Host::native())
    }

    #[test]
    fn a_program_gets_the_result_and_what_is_wrong() {
        let completions = called(&["iis", "list", "--config", "none.config"]);
        assert_eq!(
            (completions.status, completions.report),
            (ExitStatus::Failure, None)
        );
        let message = completions.problems[0]["message"].as_str().unwrap();
        assert!(message.contains("none.config"), "{message}");
        let misused = called(&["msdeploy", "package", "--colour"]);
        assert_eq!(misused.status, ExitStatus::Usage);
        let message = misused.problems[0]["message"].as_str().unwrap();
        assert!(message.contains("--colour"), "{message}");
    }

    #[test]
    fn every_argument_is_told() {
        let arguments = arguments();
        let package = arguments["msdeploy package"].as_array().unwrap();
        let names: Vec<&str> = package
            .iter()
            .map(|argument| argument["name"].as_str().unwrap())
            .collect();
        assert!(
            names.starts_with(&["folder", "output", "layout"]),
            "{names:?}"
        );
        assert_eq!(package[0]["flag"], Value::Null);
        assert_eq!(package[1]["flag"], "--output");
    }
}

/// The commands of docs/try-on-iis.md, which nobody here can run.
#[cfg(test)]
mod try_on_iis {
    use super::*;

    /// What Windows has, with options that begin with a slash or a hyphen.
    const OF_WINDOWS: [&str; 12] = [
        "curl.exe",
        "dism",
        "for",
        "icacls",
        "py",
        "ren",
        "robocopy",
        "rmdir",
        "set",
        "tasklist",
        "type",
        r"C:\inetpub\iiswsgi-try\env\Scripts\python.exe",
    ];

    /// appcmd's commands with the parameters that they take (*Getting Started with AppCmd.exe*, and `appcmd COMMAND OBJECT /?`).
    const OF_APPCMD: [(&str, &[&str]); 9] = [
        ("add apppool", &["name", "managedRuntimeVersion"]),
        ("add site", &["name", "id", "bindings", "physicalPath"]),
        ("delete apppool", &["apppool.name"]),
        ("delete site", &["site.name"]),
        ("list wp", &["apppool.name"]),
        ("recycle apppool", &["apppool.name"]),
        ("set app", &["app.name", "applicationPool"]),
        ("start apppool", &["apppool.name"]),
        ("stop apppool", &["apppool.name"]),
    ];

    fn check_appcmd(arguments: &[String]) -> Result<(), String> {
        let [verb, object, rest @ ..] = arguments else {
            return Err("appcmd takes a command and an object".to_owned());
        };
        let command = format!("{verb} {object}");
        let (_, known) = OF_APPCMD
            .iter()
            .find(|(known, _)| *known == command)
            .ok_or_else(|| format!("appcmd has no `{command}` here"))?;
        for (index, argument) in rest.iter().enumerate() {
            match argument.strip_prefix('/') {
                Some(parameter) => {
                    let (name, _) = parameter
                        .split_once(':')
                        .ok_or_else(|| format!("`{argument}` has no value"))?;
                    if !known.contains(&name) {
                        return Err(format!("`{command}` takes no `{name}`"));
                    }
                }
                // The object's name comes first.
                None if index == 0 => {}
                None => return Err(format!("`{argument}` is one too many")),
            }
        }
        Ok(())
    }

    fn check(line: &str) -> Result<(), String> {
        let (program, arguments) =
            iis_config::command_line::split_command(line).ok_or("no command")?;
        match program.as_str() {
            "iiswsgi" => {
                let words = std::iter::once(program).chain(arguments);
                Cli::try_parse_from(words)
                    .map(|_| ())
                    .map_err(|error| error.to_string())
            }
            "appcmd" => check_appcmd(&arguments),
            other if OF_WINDOWS.contains(&other) => Ok(()),
            other => Err(format!("`{other}` is not known")),
        }
    }

    #[test]
    fn every_command_is_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/try-on-iis.md");
        let page = fs_err::read_to_string(path).unwrap();
        let commands: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("    "))
            .collect();
        assert!(commands.len() > 20, "{commands:?}");
        for command in commands {
            assert_eq!(check(command), Ok(()), "{command}");
        }
    }

    #[test]
    fn what_is_none_is_told() {
        for wrong in [
            "iiswsgi iis enabel --full-path p",
            "iiswsgi msdeploy install --no-virtualenv .",
            "iiswsgi iis enable --set",
            "appcmd add pool /name:x",
            "appcmd add apppool /nam:x",
            "appcmd add apppool /name",
            "appcmd delete site one two",
            "appcmd",
            "curl http://localhost/",
            "",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
