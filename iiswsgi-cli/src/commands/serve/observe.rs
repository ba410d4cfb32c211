//! The options of `iiswsgi serve` by which people see what happens, and by which what takes too long is ended.

use std::time::Duration;

use camino::Utf8PathBuf;
use fcgi_gateway::{AccessLogFormat, ServeOptions};

use super::parse_size;

#[derive(Debug, clap::Args)]
pub(crate) struct Observe {
    /// Octets of the log and the access log before a new file is begun; 0 is no limit
    #[arg(long, value_name = "SIZE", default_value = "10M", value_parser = parse_size, help_heading = "Logging")]
    log_max_size: u64,
    /// Old files of the log and the access log that are kept, as NAME.1, NAME.2 and so on
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Logging")]
    log_keep: u32,
    /// Write a line for each request to a file; `-` is standard output
    #[arg(long, value_name = "FILE", help_heading = "Logging")]
    access_log: Option<Utf8PathBuf>,
    /// How a line looks. Duration in microseconds and request id are in each
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "combined",
        help_heading = "Logging"
    )]
    access_log_format: Format,
    /// Take a request's id from this header, such as X-Request-ID, which the Web server sets or removes; else ids are made
    #[arg(long, value_name = "NAME", value_parser = parse_header, help_heading = "Logging")]
    request_id_header: Option<String>,
    /// Log the Python stack of a request that runs longer
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, help_heading = "Logging")]
    slow_request: Option<Duration>,
    /// Answer this path with `pong`, without the application
    #[arg(long, value_name = "PATH", value_parser = parse_path, help_heading = "Status")]
    ping_path: Option<String>,
    /// Show requests, times and workers at this path, in HTML, JSON and for Prometheus. Everybody who can reach the site sees
    /// it, unless the Web server forbids it
    #[arg(long, value_name = "PATH", value_parser = parse_path, help_heading = "Status")]
    status_path: Option<String>,
    /// Answer a request that runs longer with status 504, log the stacks of all threads, and end the process with status 75
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, help_heading = "Limits")]
    request_timeout: Option<Duration>,
    /// Seconds that the variables of a request may take to arrive
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse_seconds, help_heading = "Limits")]
    header_timeout: Duration,
    /// Seconds that a connection may wait for its next request [default: until the Web server closes it]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, help_heading = "Limits")]
    idle_timeout: Option<Duration>,
    /// Requests that may wait while all threads are busy; further ones are answered with status 503 at once [default: they
    /// wait in the socket's queue]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    queue: Option<u32>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// Apache's Common Log Format
    Common,
    /// Apache's Combined Log Format
    Combined,
    /// One JSON object a line
    Json,
}

impl Observe {
    /// Puts them among the others.
    pub(crate) fn apply(&self, options: &mut ServeOptions) {
        options.log.rotation.max_size = Some(self.log_max_size).filter(|size| *size > 0);
        options.log.rotation.keep = self.log_keep;
        options.access_log.clone_from(&self.access_log);
        options.access_log_format = match self.access_log_format {
            Format::Common => AccessLogFormat::Common,
            Format::Combined => AccessLogFormat::Combined,
            Format::Json => AccessLogFormat::Json,
        };
        options
            .request_id_header
            .clone_from(&self.request_id_header);
        options.slow_request = self.slow_request;
        options.ping_path.clone_from(&self.ping_path);
        options.status_path.clone_from(&self.status_path);
        options.request_timeout = self.request_timeout;
        options.limits.header_timeout = Some(self.header_timeout);
        options.limits.idle_timeout = self.idle_timeout;
        options.limits.queue = self
            .queue
            .map(|queue| usize::try_from(queue).unwrap_or(usize::MAX));
    }
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().map(Duration::try_from_secs_f64);
    seconds
        .and_then(Result::ok)
        .filter(|seconds| !seconds.is_zero())
        .ok_or_else(|| "write a time in seconds, for example 30 or 0.5".to_owned())
}

fn parse_path(text: &str) -> Result<String, String> {
    if text.starts_with('/') && !text.contains(['?', '#']) {
        Ok(text.to_owned())
    } else {
        Err("write a path from the site's root, for example /status".to_owned())
    }
}

fn parse_header(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty()
        && text
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    if is_name {
        Ok(text.to_owned())
    } else {
        Err("write the name of a header, for example X-Request-ID".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "x", "", "inf", "1e300"] {
            assert!(parse_seconds(text).is_err(), "{text}");
        }
        assert!(parse_path("/status").is_ok());
        for text in ["status", "", "/a?b"] {
            assert!(parse_path(text).is_err(), "{text}");
        }
        assert!(parse_header("X-Request-ID").is_ok());
        for text in ["", "X Y", "X:"] {
            assert!(parse_header(text).is_err(), "{text}");
        }
    }
}
