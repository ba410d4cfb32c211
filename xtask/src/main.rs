//! What a developer and CI run: `cargo xtask demo`, `test`, `conformance`, `bench`, `fuzz` and `soak`.
//!
//! Everything either of them needs is made under `target/`, or installed from Debian's packages where it runs as root.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

mod bench;
mod conformance;
mod demo;
mod fuzz;
mod packaging;
mod run;
mod soak;
mod test;
mod windows;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about, version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the FastCGI conformance vectors, and ask our gateway and, with --peers, other implementations
    Conformance(conformance::Args),
    /// Measure the crates beside others and write docs/speed.md
    Bench(bench::Args),
    /// Take `examples/sample.msdeploy` from source to a served site, showing each command
    Demo(demo::Args),
    /// Run every fuzz target of `fuzz/` for a while
    Fuzz(fuzz::Args),
    /// Load the gateway for minutes, through nginx and directly, and watch failures, memory and descriptors
    Soak(soak::Args),
    /// Install what the tests need, then run formatting, clippy, docs and every test
    Test(test::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Conformance(args) => conformance::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Soak(args) => soak::run(&args),
        Command::Test(args) => test::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
