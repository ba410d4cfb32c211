//! `iiswsgi iis`.

mod application;
mod changes;
mod disable;
mod doctor;
mod enable;
mod handler;
mod list;
mod local_machine;
mod security_descriptor;
mod target;

use crate::context::Context;
use crate::error::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Register a FastCGI application, and a handler for it where one is asked for; what is there already is changed
    Enable(enable::Args),
    /// Take a registration back, and its handler where one is named
    Disable(disable::Args),
    /// List the FastCGI applications that are registered
    List(list::Args),
    /// Say what keeps an application from working: on this machine's IIS, or in files copied from one
    Doctor(doctor::Args),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Enable(args) => enable::run(args, context),
        Command::Disable(args) => disable::run(args, context),
        Command::List(args) => list::run(args, context),
        Command::Doctor(args) => doctor::run(args, context),
    }
}
