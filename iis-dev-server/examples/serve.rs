//! Serves the configuration in a folder until standard input ends or says so.
//!
//! `cargo run -p iis-dev-server --example serve -- FOLDER`

use std::io::{self, Write as _};

use iis_dev_server::{Options, Server, load};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: serve FOLDER")?;
    let configuration = load(folder.as_str().into())?;
    for problems in &configuration.warnings {
        writeln!(io::stderr(), "{problems}")?;
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let mut options = Options::default();
    options.port = Some(0);
    let server = runtime.block_on(Server::start(configuration, options))?;
    for address in server.addresses() {
        writeln!(io::stdout(), "{address}")?;
    }
    io::stdin().read_line(&mut String::new())?;
    runtime.block_on(server.stop());
    Ok(())
}
