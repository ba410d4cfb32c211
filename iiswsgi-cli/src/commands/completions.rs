//! `iiswsgi completions`.

use std::io::Write as _;

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell to complete for
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "iiswsgi", &mut script);
    Ok(anstream::stdout().write_all(&script)?)
}
