//! `iiswsgi serve`: the gateway.
//!
//! It lives in the interpreter that runs the application, so it is served by the wheel. The `iiswsgi` program hands the
//! command over to a Python that has the wheel.

mod observe;
mod processes;

use std::net::SocketAddr;
use std::time::Duration;

use camino::Utf8PathBuf;
use fcgi_gateway::listener::Owner;
use fcgi_gateway::{Bind, Limits, log};

use crate::context::Context;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The WSGI application: `module:callable`, `module:factory()`, or a PasteDeploy INI file, `FILE.ini` or `FILE.ini#name`
    #[arg(value_name = "APP", required_unless_present = "explain")]
    app: Option<String>,
    /// Say what file descriptor 0 is and what would be listened on, and end
    #[arg(long, help_heading = "Listening")]
    explain: bool,
    #[command(flatten)]
    settings: Settings,
}

/// How an application is served, whichever it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Settings {
    /// Listen on a Unix socket [default: what the Web server handed over on file descriptor 0]
    #[arg(
        long,
        value_name = "PATH",
        conflicts_with = "tcp",
        help_heading = "Listening"
    )]
    unix: Option<Utf8PathBuf>,
    /// Permissions of the Unix socket, in octal
    #[arg(long, value_name = "MODE", requires = "unix", value_parser = parse_mode, help_heading = "Listening")]
    unix_mode: Option<u32>,
    /// Owner of the Unix socket: USER, USER:GROUP or :GROUP
    #[arg(long, value_name = "OWNER", requires = "unix", value_parser = Owner::parse, help_heading = "Listening")]
    unix_owner: Option<Owner>,
    /// Listen on a TCP address; a port alone means 127.0.0.1
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address, help_heading = "Listening")]
    tcp: Option<SocketAddr>,
    /// Requests served at the same time; IIS gives a process one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// The application's folder: the working directory, and first on Python's path
    #[arg(long, value_name = "DIR")]
    chdir: Option<Utf8PathBuf>,
    /// A further folder for Python's path; can be repeated
    #[arg(long = "python-path", value_name = "DIR")]
    python_path: Vec<Utf8PathBuf>,
    /// The path that the application is mounted at, where the Web server does not tell
    #[arg(long, value_name = "PATH")]
    script_name: Option<String>,
    /// Read each body to its end before the application is called: up to SIZE in memory, longer ones in a temporary file.
    /// wsgi.input can seek then
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits")]
    buffer_body: Option<u64>,
    /// The longest body, for example 30M; a longer one is answered with status 413 [default: the Web server's limit]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits")]
    max_body: Option<u64>,
    /// Connections at once; further ones wait in the socket's queue
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    max_connections: u32,
    /// Variables of a request, which are its headers and some 30 more
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    max_params: u32,
    /// Octets of a request's variables
    #[arg(long, value_name = "SIZE", default_value = "256K", value_parser = parse_size, help_heading = "Limits")]
    max_params_size: u64,
    /// Seconds that a request may wait for the next octets of its body
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    read_timeout: u32,
    /// Seconds that a response may wait for the Web server to take more of it
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    write_timeout: u32,
    /// The log [default: WSGI_LOG, else iiswsgi.log in IIS_USER_HOME's Logs, TEMP or the root]
    #[arg(long, value_name = "FILE", help_heading = "Logging")]
    log_file: Option<Utf8PathBuf>,
    /// What is logged: error, warn, info, debug, trace
    #[arg(long, value_name = "LEVEL", help_heading = "Logging")]
    log_level: Option<String>,
    /// Log one JSON object a line
    #[arg(long, help_heading = "Logging")]
    log_json: bool,
    /// Send wsgi.errors to the Web server too; IIS answers such requests with a 500 that shows it
    #[arg(long, help_heading = "Logging")]
    stderr_to_server: bool,
    /// Run each request as the user whom IIS has logged in and given its named pipe (Windows)
    #[arg(long)]
    impersonate: bool,
    #[command(flatten)]
    processes: processes::Processes,
    #[command(flatten)]
    observe: observe::Observe,
}

impl Settings {
    fn bind(&self) -> Bind {
        match (&self.unix, self.tcp) {
            (Some(path), _) => Bind::Unix {
                path: path.clone(),
                mode: self.unix_mode,
                owner: self.unix_owner,
            },
            (None, Some(address)) => Bind::Tcp(address),
            (None, None) => Bind::Auto,
        }
    }

    fn limits(&self) -> Limits {
        let len = |size| usize::try_from(size).unwrap_or(usize::MAX);
        let mut limits = Limits::default();
        limits.body_len = self.max_body;
        limits.connections = len(self.max_connections.into());
        limits.fcgi.params_pairs = len(self.max_params.into());
        limits.fcgi.params_len = len(self.max_params_size);
        limits.read_timeout = Some(Duration::from_secs(self.read_timeout.into()));
        limits.write_timeout = Some(Duration::from_secs(self.write_timeout.into()));
        limits
    }

    fn log(&self) -> log::Options {
        let mut options = log::Options::default();
        options.file.clone_from(&self.log_file);
        options.level.clone_from(&self.log_level);
        options.json = self.log_json;
        options
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    if args.explain {
        return explain(&args.settings, context);
    }
    let Some(app) = &args.app else {
        return Err(Error::new("no application was named")
            .help("write `iiswsgi serve module:callable`, or an INI file"));
    };
    args.settings.serve(What::Application(app), context)
}

/// What is served.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "python"),
    expect(
        dead_code,
        reason = "the Python that is handed over to reads the command line again"
    )
)]
pub(crate) enum What<'a> {
    /// The application of this name.
    Application(&'a str),
    /// What wfastcgi would serve.
    Wfastcgi,
}

fn explain(settings: &Settings, context: &Context) -> Result<()> {
    #[derive(serde::Serialize)]
    struct Report {
        explanation: String,
    }
    impl std::fmt::Display for Report {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&self.explanation)
        }
    }
    context.report(&Report {
        explanation: fcgi_gateway::explain(&settings.bind()),
    })
}

impl Settings {
    #[cfg(feature = "python")]
    pub(crate) fn serve(&self, what: What<'_>, context: &Context) -> Result<()> {
        let mut options = fcgi_gateway::ServeOptions::default();
        options.bind = self.bind();
        options.threads = usize::from(self.threads);
        options.chdir.clone_from(&self.chdir);
        options.python_path.clone_from(&self.python_path);
        options.script_name.clone_from(&self.script_name);
        options.log = self.log();
        options.stderr_to_server = self.stderr_to_server;
        options.impersonate = self.impersonate;
        options.buffer_body = self.buffer_body.and_then(|size| size.try_into().ok());
        options.limits = self.limits();
        self.observe.apply(&mut options);
        self.processes.apply(&mut options);
        // A worker is this command once more.
        let command = context.host.command.iter().map(Into::into);
        options.processes.command = command.chain(context.arguments.iter().cloned()).collect();
        let served = match what {
            What::Application(app) => {
                app.clone_into(&mut options.app);
                fcgi_gateway::serve(&options)
            }
            What::Wfastcgi => {
                fcgi_gateway::serve_wfastcgi(&options, &super::wfastcgi::app_settings)
            }
        };
        served.map_err(|error| Error::new(error.to_string()))
    }

    /// Becomes `python -m iiswsgi …` with the Python of the application's virtual environment, or the first on the path.
    #[cfg(not(feature = "python"))]
    pub(crate) fn serve(&self, _: What<'_>, context: &Context) -> Result<()> {
        use crate::deploy::project::VIRTUAL_ENV;
        use crate::deploy::virtual_env::{PythonEnvironment, find_python};

        let _ = (self.log(), self.limits(), self.buffer_body);
        let mut options = fcgi_gateway::ServeOptions::default();
        self.observe.apply(&mut options);
        self.processes.apply(&mut options);
        let folder = self.chdir.clone().unwrap_or_else(|| ".".into());
        let own = PythonEnvironment::in_folder(&folder.join(VIRTUAL_ENV)).python;
        let python = if own.exists() {
            own
        } else {
            find_python(None, context)?
        };
        let environment = PythonEnvironment { python };
        environment.need_gateway(context)?;
        let python = environment.python;
        let mut command = std::process::Command::new(&python);
        command.args(["-m", "iiswsgi"]).args(&context.arguments);
        become_process(&mut command, &python)
    }
}

/// Replaces this process, so that the Web server's process and its file descriptor 0 are the gateway's.
#[cfg(all(unix, not(feature = "python")))]
fn become_process(command: &mut std::process::Command, python: &camino::Utf8Path) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let error = command.exec();
    Err(Error::new(format!("cannot start `{python}`: {error}")))
}

/// Windows cannot replace a process: this one waits, and its standard input is the other's.
#[cfg(all(not(unix), not(feature = "python")))]
fn become_process(command: &mut std::process::Command, python: &camino::Utf8Path) -> Result<()> {
    let status = command
        .status()
        .map_err(|error| Error::new(format!("cannot start `{python}`: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::new(format!("the gateway ended with {status}")))
    }
}

fn parse_mode(text: &str) -> std::result::Result<u32, String> {
    u32::from_str_radix(text.trim_start_matches("0o"), 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "write permissions in octal, for example 660".to_owned())
}

/// Octets, with K, M or G for 1024 of the one before.
fn parse_size(text: &str) -> std::result::Result<u64, String> {
    let (digits, unit) = match text.trim_end_matches(['b', 'B']).char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let size: Option<u64> = digits.trim().parse().ok();
    size.and_then(|size| size.checked_mul(unit))
        .ok_or_else(|| "write a number of octets, for example 65536, 64K or 30M".to_owned())
}

fn parse_address(text: &str) -> std::result::Result<SocketAddr, String> {
    if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| {
        "write ADDRESS:PORT, for example 127.0.0.1:9000 or [::1]:9000, or a port alone".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_on_loopback_unless_told_otherwise() {
        assert_eq!(
            parse_address("9000").unwrap(),
            "127.0.0.1:9000".parse().unwrap()
        );
        assert_eq!(
            parse_address("0.0.0.0:9000").unwrap(),
            "0.0.0.0:9000".parse().unwrap()
        );
        assert_eq!(
            parse_address("[::1]:1").unwrap(),
            "[::1]:1".parse().unwrap()
        );
        assert!(parse_address("localhost").is_err());
        assert!(parse_address("").is_err());
    }

    #[test]
    fn sizes_have_units() {
        for (text, size) in [
            ("0", 0),
            ("10", 10),
            ("64K", 65_536),
            ("64kb", 65_536),
            ("1M", 1 << 20),
            ("2 G", 2 << 30),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for text in ["", "K", "1T", "-1", "1.5M", "99999999999G"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn modes_are_octal() {
        assert_eq!(parse_mode("660").unwrap(), 0o660);
        assert!(parse_mode("999").is_err());
    }
}
