//! `iiswsgi dev`: the local stand-in for IIS.

mod once;

use std::fmt;
use std::net::IpAddr;

use camino::Utf8PathBuf;
use iis_dev_server::{Configuration, Error as ServerError, Options, SiteAddress};
use serde::Serialize;

use crate::context::Context;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder with applicationHost.config, or an application's folder with web.config
    #[arg(value_name = "SITE_DIR", default_value = ".")]
    folder: Utf8PathBuf,
    /// The port of the first site, the next one gets the next; 0 is any [default: the site's own where it can be had]
    #[arg(short, long, value_name = "PORT")]
    port: Option<u16>,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    address: IpAddr,
    /// Serve only this site; can be repeated
    #[arg(long = "site", value_name = "NAME")]
    sites: Vec<String>,
    /// Where the processes' output goes [default: Logs in the folder with applicationHost.config]
    #[arg(long, value_name = "DIR")]
    log_folder: Option<Utf8PathBuf>,
    /// On Windows: give processes an overlapped handle of their pipe; nobody has published which kind IIS's is
    #[arg(long)]
    overlapped_pipe: bool,
    #[command(flatten)]
    once: once::RequestArgs,
}

#[derive(Serialize)]
struct Report {
    sites: Vec<Served>,
}

#[derive(Serialize)]
struct Served {
    name: String,
    url: String,
}

impl Report {
    fn new(addresses: &[SiteAddress]) -> Self {
        Self {
            sites: addresses
                .iter()
                .map(|address| Served {
                    name: address.site.clone(),
                    url: address.to_string(),
                })
                .collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sites
            .iter()
            .try_for_each(|site| writeln!(f, "{}: {}", site.name, site.url))
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let configuration = iis_dev_server::load(&args.folder).map_err(explain)?;
    for file in &configuration.warnings {
        context.warn(&file.source, &file.problems);
    }
    let mut options = Options::default();
    options.port = args.port;
    options.address = args.address;
    options.sites.clone_from(&args.sites);
    options.log_folder.clone_from(&args.log_folder);
    options.overlapped_pipe = args.overlapped_pipe;
    log_to_stderr(context);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if let Some(request) = args.once.request()? {
        return runtime.block_on(once::run(configuration, options, request, context));
    }
    runtime.block_on(serve(configuration, options, context))
}

async fn serve(configuration: Configuration, options: Options, context: &Context) -> Result<()> {
    let mut reported = Ok(());
    let started = |addresses: &[SiteAddress]| {
        reported = context.report(&Report::new(addresses));
        context.say("serving until Ctrl-C");
    };
    iis_dev_server::serve(configuration, options, started, stop_signal()?)
        .await
        .map_err(explain)?;
    reported
}

/// Ready when somebody presses Ctrl-C or asks the process to end.
#[cfg(unix)]
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler the system ends the process, which is what was asked for.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// The server's own events: warnings, with `-v` what it does, with `-vv` every step.
pub(crate) fn log_to_stderr(context: &Context) {
    let level = match context.verbosity {
        ..=-1 => tracing::level_filters::LevelFilter::ERROR,
        0 => tracing::level_filters::LevelFilter::WARN,
        1 => tracing::level_filters::LevelFilter::INFO,
        _ => tracing::level_filters::LevelFilter::TRACE,
    };
    // A subscriber that is set already, by the program that imports the wheel, stays.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(anstream::stderr)
        .try_init();
}

fn explain(error: ServerError) -> Error {
    match error {
        ServerError::Configuration(files) => Error::Problems(files),
        other => Error::new(other.to_string()),
    }
}
