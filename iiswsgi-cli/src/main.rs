//! The `iiswsgi` program.

use std::process::ExitCode;

use iiswsgi_cli::{Host, main as run};

fn main() -> ExitCode {
    run(std::env::args_os(), Host::native()).into()
}
