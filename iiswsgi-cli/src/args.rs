//! The command line.

use std::ffi::OsString;

use annotate_snippets::Renderer;
use clap::{ArgAction, Parser, Subcommand, ValueEnum};

use crate::commands::{
    bootstrap, completions, dev, iis, msdeploy, serve, webpi, webpicmd, wfastcgi,
};
use crate::context::{Context, Environment, Format, Host, Skipped, write_error};
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
        host,
        arguments: args.into_iter().skip(1).collect(),
        format: cli.format,
        verbosity,
        // anstream takes the colours away again where they are not wanted.
        renderer: Renderer::styled(),
        environment: Environment::of_this_process(),
        skipped: Skipped::default(),
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
        Command::Completions(args) => completions::run(args),
    }
}

/// JSON that is its own text.
#[derive(serde::Serialize)]
#[serde(transparent)]
struct JsonText(serde_json::Value);

impl std::fmt::Display for JsonText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
