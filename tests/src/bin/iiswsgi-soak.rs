//! `iiswsgi-soak`: mixed load on the installed gateway for a while. `cargo xtask soak` builds what it needs and starts it.

#![allow(clippy::print_stderr, reason = "a program for people at a terminal")]

use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8Path;
use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "iiswsgi-soak", about)]
struct Cli {
    /// How long
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // nginx's configuration knows no blanks in paths.
    let folder = match tempfile::Builder::new().prefix("iiswsgi-soak-").tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("error: cannot make a folder for sockets and logs: {error}");
            return ExitCode::FAILURE;
        }
    };
    let Some(path) = Utf8Path::from_path(folder.path()) else {
        eprintln!("error: the path of the folder for temporary files is not Unicode");
        return ExitCode::FAILURE;
    };
    if iiswsgi_tests::soak::run(path, Duration::from_secs(cli.seconds)) {
        ExitCode::SUCCESS
    } else {
        eprintln!("error: something failed or grew");
        ExitCode::FAILURE
    }
}
