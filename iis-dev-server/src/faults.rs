//! What a fault of a FastCGI application looks like to the one who has to mend it.

use std::time::Duration;

use camino::Utf8PathBuf;
use fcgi_proto::ProtocolStatus;
use hyper::StatusCode;
use iis_config::{Handler, StderrMode};

use crate::config::Application;
use crate::exchange::Fault;
use crate::pages::Page;
use crate::pool::PoolFault;

/// What a page tells about the process, beside the fault.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) handler: String,
    pub(crate) command_line: String,
    /// The log of the application's stdout and stderr.
    pub(crate) log: Utf8PathBuf,
    /// The log that iiswsgi's gateway writes, if it has.
    pub(crate) gateway_log: Option<Utf8PathBuf>,
    /// The process, and what it has written lately.
    pub(crate) process: Option<(u32, String)>,
}

impl Scene {
    fn page(&self, page: Page) -> Page {
        let mut page = page
            .fact("Handler", &self.handler)
            .fact("Command line", &self.command_line)
            .fact("Log", self.log.as_str());
        if let Some(gateway_log) = &self.gateway_log {
            page = page.fact("The gateway's own log", gateway_log.as_str());
        }
        match &self.process {
            Some((pid, tail)) => page
                .fact("Process", pid.to_string())
                .output("The last lines it wrote", tail),
            None => page,
        }
    }
}

/// The page of an exchange that gave no response.
pub(crate) fn exchange_page(fault: &Fault, scene: &Scene) -> Page {
    let bad_gateway = |title: &str, what: String| Page::new(StatusCode::BAD_GATEWAY, title, what);
    let page = match fault {
        Fault::Exited(exit) => {
            let title = format!("The FastCGI process {} before it answered", exit.describe());
            let what = "It ended while it was handling this request. IIS says only \u{201c}The FastCGI process exited \
                        unexpectedly\u{201d} with status 500.";
            let mut page = Page::new(StatusCode::BAD_GATEWAY, title, what);
            let written = scene.process.as_ref().map_or("", |(_, tail)| tail.as_str());
            if let Some(module) = missing_module(written) {
                page = page.remedy(format!(
                    "Python does not find the module {module}. Install it into the environment of the program in fullPath, \
                     or check the spelling and PYTHONPATH if it is the application's own."
                ));
            }
            match exit.status.and_then(|status| status.code()) {
                Some(0) => page.remedy(
                    "A FastCGI application serves until its standard input ends. Check that the command runs a FastCGI \
                     server, not a script that ends.",
                ),
                _ if written.trim().is_empty() => {
                    page.remedy("It wrote nothing. The log of an earlier start, or the gateway's own log, may say more.")
                }
                _ => page.remedy("Read what it wrote, here and in the log."),
            }
            .remedy("Run the command line in a terminal: it shows the error without a Web server around it.")
        }
        Fault::Closed => bad_gateway(
            "The FastCGI process closed its connection before it answered",
            "The process is still there, but its end of the connection is closed.".to_owned(),
        )
        .remedy("Something in the application closes file descriptor 0, or treats it as a console."),
        Fault::Unreachable(error) => bad_gateway(
            "The FastCGI process does not take connections",
            format!("Connecting to the TCP socket that it was given as standard input failed: {error}."),
        )
        .remedy("Check that the application accepts connections on file descriptor 0, or use protocol=\"NamedPipe\"."),
        Fault::Protocol { error, excerpt } => bad_gateway(
            "The answer of the process is not FastCGI",
            format!("{error}."),
        )
        .remedy(
            "Something writes to file descriptor 0, which is the connection here. Check that the command runs a FastCGI \
             server.",
        )
        .output("The answer begins with", excerpt),
        Fault::Head { fault, excerpt } => bad_gateway(
            "The application's answer is not a CGI response",
            format!("Under FastCGI an application writes header lines, a blank line, and the body; but {fault}."),
        )
        .remedy("Look for something that prints to the answer before the headers, or for a framework in another mode than CGI.")
        .output("The answer begins with", excerpt),
        Fault::Stderr { text, mode } => stderr_page(text, *mode),
        Fault::Timeout { attribute, after } => Page::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The application took longer than {attribute}"),
            format!(
                "It did not {} within {} seconds, and its process was ended. IIS does the same, with error 0x80070102.",
                if *attribute == "activityTimeout" { "write or read anything" } else { "end the request" },
                after.as_secs_f64()
            ),
        )
        .remedy(format!("Raise {attribute} of the <application> in applicationHost.config."))
        .remedy("Look in the log for what it was doing: a debugger that waits, a lock, a slow query."),
        Fault::Refused(status) => refused_page(*status),
    };
    let has_output = page.output.clone();
    let mut page = scene.page(page);
    // What the fault itself shows matters more than the latest output of the process.
    page.output = has_output.or(page.output);
    page
}

/// The module of the last `ModuleNotFoundError`, in the quotes that Python puts around it.
fn missing_module(written: &str) -> Option<&str> {
    const MESSAGE: &str = "ModuleNotFoundError: No module named ";
    let line = written.lines().rev().find(|line| line.contains(MESSAGE))?;
    let (_, module) = line.split_once(MESSAGE)?;
    Some(module.trim())
}

fn stderr_page(text: &str, mode: StderrMode) -> Page {
    let what = "The application wrote to the FastCGI error stream, and stderrMode of its <application> makes that an \
                error, whatever it answered.";
    let page = Page::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The application wrote to its error stream",
        match mode {
            StderrMode::TerminateProcess => {
                format!("{what} Its process was ended (TerminateProcess).")
            }
            StderrMode::ReturnGeneric500 => {
                format!("{what} IIS would not show the text (ReturnGeneric500).")
            }
            _ => what.to_owned(),
        },
    );
    page.output("What it wrote", text).remedy(
        "If these are messages rather than errors, set stderrMode=\"IgnoreAndReturn200\", or send them to a log file.",
    )
}

fn refused_page(status: ProtocolStatus) -> Page {
    let page = Page::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "The application refused the request",
        format!("It ended the request with {status}, which means that it did not work on it."),
    );
    match status {
        ProtocolStatus::OVERLOADED => {
            page.remedy("It has run out of something: connections, threads, or room for the request's variables.")
        }
        ProtocolStatus::UNKNOWN_ROLE => page.remedy("It is not a FastCGI Responder."),
        _ => page.remedy("It takes one request at a time on a connection and believes that one is still running."),
    }
}

/// The page of a request that got no process.
pub(crate) fn pool_page(fault: &PoolFault, scene: &Scene) -> Page {
    let unavailable = |title: &str, what: String, after: Duration| {
        let mut page = Page::new(StatusCode::SERVICE_UNAVAILABLE, title, what);
        page.retry_after = Some(after);
        page
    };
    let page = match fault {
        PoolFault::QueueFull { queue_length } => unavailable(
            "All processes of the application are at work and the queue is full",
            format!("{queue_length} requests are waiting already, as many as queueLength allows."),
            Duration::from_secs(1),
        )
        .remedy("Raise maxInstances or queueLength of the <application>, or find out why requests take so long."),
        PoolFault::Offline { failures, retry_after } => unavailable(
            "The application is offline after too many failures",
            format!(
                "{failures} of its processes failed within a minute, more than rapidFailsPerMinute allows. It is tried \
                 again in {} seconds.",
                retry_after.as_secs().max(1)
            ),
            *retry_after,
        )
        .remedy("Read in the log why the processes fail."),
        PoolFault::MonitoredFile { path, error } => Page::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The file in monitorChangesTo cannot be watched",
            format!("`{path}`: {error}. IIS answers every request with 500 in this case, and does not say why."),
        )
        .remedy(
            "Correct monitorChangesTo. IIS does not expand %VARIABLES% in it; a relative path counts from the \
             program's folder.",
        ),
        PoolFault::Start(error) => start_page(error),
        PoolFault::Stopping => unavailable(
            "The application is being stopped",
            "The server is stopping, or its configuration has changed under this request.".to_owned(),
            Duration::from_secs(1),
        ),
    };
    scene.page(page)
}

fn start_page(error: &std::io::Error) -> Page {
    let page = Page::new(
        StatusCode::BAD_GATEWAY,
        "The FastCGI process cannot be started",
        format!("The system says: {error}."),
    );
    match error.kind() {
        std::io::ErrorKind::NotFound => page
            .remedy("Check that the program in fullPath exists, and the folder that it is started in.")
            .remedy("Install the application again if its virtual environment was moved: `iiswsgi msdeploy install`."),
        std::io::ErrorKind::PermissionDenied => {
            page.remedy("Check that the program in fullPath is a file that may be executed.")
        }
        _ => page.remedy("Run the command line in a terminal."),
    }
}

/// The page of a handler whose `scriptProcessor` names no FastCGI application.
pub(crate) fn unregistered_page(
    handler: &Handler,
    application: &Application,
    error: &iis_config::Error,
) -> Page {
    let mut page = Page::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The handler's scriptProcessor is not a registered FastCGI application",
        format!(
            "{error}. IIS compares fullPath|arguments letter by letter, and says only that the scriptProcessor \u{201c}could \
             not be found in <fastCGI> application configuration\u{201d} (500.0, 0x80070585)."
        ),
    )
    .fact("Handler", &handler.name)
    .fact("scriptProcessor", &handler.script_processor);
    if let iis_config::Error::ScriptProcessorNotFound { near_misses, .. } = error {
        for miss in near_misses {
            page = page.fact(
                "Registered",
                format!("{} ({})", miss.expected, miss.difference),
            );
        }
    }
    if let Some(file) = &application.web_config {
        page = page.fact("web.config", file.as_str());
    }
    if application
        .ignored_fast_cgi
        .contains(&handler.script_processor)
    {
        page = page.remedy(
            "It is listed in the <fastCgi> section of web.config, where it has no effect: it has to be in \
             applicationHost.config. `iiswsgi msdeploy install` puts it there.",
        );
    }
    page.remedy(
        "Make both texts the same: write them from one source, as `iiswsgi msdeploy install` does.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(tail: &str) -> Scene {
        Scene {
            handler: "app".to_owned(),
            command_line: "python -m app".to_owned(),
            log: "/srv/Logs/app.log".into(),
            gateway_log: Some("/srv/Logs/iiswsgi.log".into()),
            process: Some((7, tail.to_owned())),
        }
    }

    #[test]
    fn a_missing_module_is_named() {
        let table = [
            (
                "Traceback\nModuleNotFoundError: No module named 'flask'\n",
                Some("'flask'"),
            ),
            (
                "E1\nsome.ModuleNotFoundError: No module named 'a.b'; 'a' is not a package\nE2",
                Some("'a.b'; 'a' is not a package"),
            ),
            ("ImportError: cannot import name 'x'", None),
            ("", None),
        ];
        for (written, expected) in table {
            assert_eq!(missing_module(written), expected, "{written}");
        }
        let exit = crate::process::Exit { status: None };
        let page = exchange_page(&Fault::Exited(exit), &scene(table[0].0));
        assert!(page.remedies[0].contains("does not find the module 'flask'"));
    }

    #[test]
    fn every_fault_says_where_the_log_is_and_what_to_try() {
        let timeout = |attribute| Fault::Timeout {
            attribute,
            after: Duration::from_secs(70),
        };
        let stderr = |mode| Fault::Stderr {
            text: "oops".to_owned(),
            mode,
        };
        let table = [
            (Fault::Closed, 502),
            (
                Fault::Protocol {
                    error: fcgi_proto::Error::UnexpectedEof { offset: 1 },
                    excerpt: "oops".to_owned(),
                },
                502,
            ),
            (
                Fault::Unreachable(std::io::ErrorKind::ConnectionRefused.into()),
                502,
            ),
            (timeout("activityTimeout"), 500),
            (timeout("requestTimeout"), 500),
            (stderr(StderrMode::ReturnStdErrIn500), 500),
            (stderr(StderrMode::TerminateProcess), 500),
            (Fault::Refused(ProtocolStatus::OVERLOADED), 503),
            (Fault::Refused(ProtocolStatus::UNKNOWN_ROLE), 503),
            (Fault::Refused(ProtocolStatus::CANT_MPX_CONN), 503),
        ];
        for (fault, status) in table {
            let page = exchange_page(&fault, &scene("its output"));
            assert_eq!(page.status.as_u16(), status, "{fault:?}");
            assert!(!page.remedies.is_empty(), "{fault:?}");
            let logs: Vec<_> = page
                .facts
                .iter()
                .filter(|(_, value)| value.contains("/Logs/"))
                .collect();
            assert_eq!(logs.len(), 2, "{fault:?}");
            let shown = page.output.map(|(_, text)| text);
            let own = matches!(fault, Fault::Stderr { .. } | Fault::Protocol { .. });
            let expected = if own { "oops" } else { "its output" };
            assert_eq!(shown.as_deref(), Some(expected), "{fault:?}");
        }
    }

    #[test]
    fn a_request_without_a_process_is_told_why() {
        let path = Utf8PathBuf::from("/srv/reload.txt");
        let not_found = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let table = [
            (PoolFault::QueueFull { queue_length: 5 }, 503, "5 requests"),
            (
                PoolFault::Offline {
                    failures: 11,
                    retry_after: Duration::from_secs(9),
                },
                503,
                "in 9 seconds",
            ),
            (
                PoolFault::MonitoredFile {
                    path,
                    error: not_found(),
                },
                500,
                "`/srv/reload.txt`",
            ),
            (PoolFault::Start(not_found()), 502, "The system says"),
            (PoolFault::Stopping, 503, "stopping"),
        ];
        for (fault, status, expected) in table {
            let page = pool_page(&fault, &scene(""));
            assert_eq!(page.status.as_u16(), status, "{fault:?}");
            assert!(page.what.contains(expected), "{fault:?}: {}", page.what);
            assert_eq!(page.retry_after.is_some(), status == 503, "{fault:?}");
        }
    }
}
