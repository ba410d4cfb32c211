//! The options of `iiswsgi serve` for the processes that serve.

use std::time::Duration;

use camino::Utf8PathBuf;
use fcgi_gateway::ServeOptions;

use super::parse_size;

#[derive(Debug, clap::Args)]
pub(crate) struct Processes {
    /// Start N worker processes on one socket, and replace those that end; SIGHUP replaces all, and no request is lost
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Processes")]
    processes: Option<u16>,
    /// Seconds that a worker, or a process that IIS tells to end, may take to finish its requests before it is killed
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 30,
        help_heading = "Processes"
    )]
    graceful_timeout: u32,
    /// End a process after N requests; with --processes another one is ready before, else the Web server starts one
    #[arg(long, value_name = "N", value_parser = parse_count, help_heading = "Processes")]
    max_requests: Option<u64>,
    /// Up to N requests more, chosen at random, so that processes do not all end at once
    #[arg(long, value_name = "N", default_value = "0", value_parser = parse_size, requires = "max_requests", help_heading = "Processes")]
    max_requests_jitter: u64,
    /// Load the application anew when its modules' files change, or .py and .config files in its folder. Without --processes
    /// the process ends after the running requests, so that the Web server starts another one
    #[arg(long, help_heading = "Processes")]
    reload: bool,
    /// Watch this folder rather than the application's; can be repeated
    #[arg(long, value_name = "DIR", help_heading = "Processes")]
    reload_root: Vec<Utf8PathBuf>,
    /// Load the application anew when this file changes, for example by touch; can be repeated
    #[arg(long, value_name = "FILE", help_heading = "Processes")]
    reload_file: Vec<Utf8PathBuf>,
}

impl Processes {
    pub(super) fn apply(&self, options: &mut ServeOptions) {
        let processes = &mut options.processes;
        processes.count = self.processes.map(usize::from);
        processes.graceful_timeout = Duration::from_secs(self.graceful_timeout.into());
        processes.max_requests = self.max_requests;
        processes.max_requests_jitter = self.max_requests_jitter;
        let reload = &mut processes.reload;
        reload.enabled = self.reload || !self.reload_root.is_empty();
        reload.roots.clone_from(&self.reload_root);
        reload.files.clone_from(&self.reload_file);
    }
}

fn parse_count(text: &str) -> Result<u64, String> {
    parse_size(text)
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| "write a number of requests, at least 1".to_owned())
}
