//! A FastCGI application: a command and the pool of processes that run it.
//!
//! Attributes, defaults and ranges are those of IIS 10's `IIS_schema.xml`, section schema `system.webServer/fastCgi`;
//! the descriptions follow Microsoft's *IIS configuration reference*, "FastCGI Application `<application>`". The
//! section's `allowDefinition` is `AppHostOnly`: it takes effect in `applicationHost.config` alone.

use core::time::Duration;
use std::collections::HashSet;

use spanned_xml::Problem;

use crate::attribute::{AttributeValue, Uint, check_text};
use crate::win_path;

pub(super) const MAX_INSTANCES: Uint = Uint::new("maxInstances", 0, 0, 10_000, "processes");
pub(super) const IDLE_TIMEOUT: Uint = Uint::new("idleTimeout", 300, 10, 2_592_000, "seconds");
pub(super) const ACTIVITY_TIMEOUT: Uint =
    Uint::new("activityTimeout", 70, 10, 2_592_000, "seconds");
pub(super) const REQUEST_TIMEOUT: Uint = Uint::new("requestTimeout", 90, 10, 2_592_000, "seconds");
pub(super) const INSTANCE_MAX_REQUESTS: Uint =
    Uint::new("instanceMaxRequests", 200, 1, 10_000_000, "requests");
pub(super) const SIGNAL_BEFORE_TERMINATE: Uint =
    Uint::new("signalBeforeTerminateSeconds", 0, 0, 60, "seconds");
pub(super) const QUEUE_LENGTH: Uint = Uint::new("queueLength", 1_000, 1, 100_000_000, "requests");
pub(super) const RAPID_FAILS_PER_MINUTE: Uint =
    Uint::new("rapidFailsPerMinute", 10, 0, 1_000, "failures");

pub(super) const ATTRIBUTES: [&str; 14] = [
    "fullPath",
    "arguments",
    "monitorChangesTo",
    "stderrMode",
    "maxInstances",
    "idleTimeout",
    "activityTimeout",
    "requestTimeout",
    "instanceMaxRequests",
    "signalBeforeTerminateSeconds",
    "protocol",
    "queueLength",
    "flushNamedPipe",
    "rapidFailsPerMinute",
];

pub(super) const STDERR_MODES: [(&str, StderrMode); 4] = [
    ("ReturnStdErrIn500", StderrMode::ReturnStdErrIn500),
    ("ReturnGeneric500", StderrMode::ReturnGeneric500),
    ("IgnoreAndReturn200", StderrMode::IgnoreAndReturn200),
    ("TerminateProcess", StderrMode::TerminateProcess),
];

pub(super) const PROTOCOLS: [(&str, Protocol); 2] =
    [("NamedPipe", Protocol::NamedPipe), ("Tcp", Protocol::Tcp)];

/// `fastCgi/application`: a command and the pool of processes that run it.
///
/// `full_path` and `arguments` together are the key. Ranges are checked when a file is read, and by
/// [`FastCgiApplication::check`] for a value made by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FastCgiApplication {
    /// `fullPath`: the program; IIS expands `%VAR%` in it.
    pub full_path: String,
    /// `arguments`: its command line after the program; IIS expands `%VAR%` in it.
    pub arguments: String,
    /// `monitorChangesTo`: a file whose change ends the processes. IIS does **not** expand `%VAR%` in it. Default: none.
    pub monitor_changes_to: String,
    /// `stderrMode`: what the process writing to its standard error does. Default: `ReturnStdErrIn500`.
    pub stderr_mode: StderrMode,
    /// `maxInstances`: how many processes at most, 0 to 10000; 0, the default, lets IIS choose by the processors.
    pub max_instances: u32,
    /// `idleTimeout`: a process idle for so long is ended. 10 s to 30 days; default 300 s.
    pub idle_timeout: Duration,
    /// `activityTimeout`: how long a process may take between two pieces of output. 10 s to 30 days; default 70 s.
    pub activity_timeout: Duration,
    /// `requestTimeout`: how long one request may take. 10 s to 30 days; default 90 s.
    pub request_timeout: Duration,
    /// `instanceMaxRequests`: a process that has served so many is replaced. 1 to 10000000; default 200.
    pub instance_max_requests: u32,
    /// `signalBeforeTerminateSeconds`: how long before ending a process IIS signals the event named by
    /// `_FCGI_SHUTDOWN_EVENT_`. 0 to 60 s; 0, the default, is no signal.
    pub signal_before_terminate: Duration,
    /// `protocol`: how IIS talks to the process. Default: `NamedPipe`.
    pub protocol: Protocol,
    /// `queueLength`: how many requests may wait. 1 to 100000000; default 1000.
    pub queue_length: u32,
    /// `flushNamedPipe`: wait for the process to read everything before the pipe is closed. Default: false.
    pub flush_named_pipe: bool,
    /// `rapidFailsPerMinute`: failures in a minute after which IIS gives the application up. 0 to 1000; default 10.
    pub rapid_fails_per_minute: u32,
    /// `environmentVariables`: set for the processes beside those of the worker process. IIS does **not** expand
    /// `%VAR%` in their values.
    pub environment_variables: Vec<EnvironmentVariable>,
}

/// `stderrMode`: what IIS does when the process writes to its standard error stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StderrMode {
    /// The response is 500 and holds the text.
    #[default]
    ReturnStdErrIn500,
    /// The response is a generic 500.
    ReturnGeneric500,
    /// The text is ignored.
    IgnoreAndReturn200,
    /// The process is ended and the response is a generic 500.
    TerminateProcess,
}

impl StderrMode {
    /// The schema's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&STDERR_MODES, self)
    }
}

/// `protocol`: how IIS talks to the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// A named pipe, handed over as standard input.
    #[default]
    NamedPipe,
    /// A TCP socket, handed over as standard input.
    Tcp,
}

impl Protocol {
    /// The schema's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&PROTOCOLS, self)
    }
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names
        .iter()
        .find(|(_, candidate)| *candidate == value)
        .map_or("", |&(name, _)| name)
}

/// `environmentVariables/environmentVariable`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnvironmentVariable {
    /// `name`, the key.
    pub name: String,
    /// `value`.
    pub value: String,
}

impl EnvironmentVariable {
    /// A variable.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

impl FastCgiApplication {
    /// An application with IIS 10's defaults.
    #[must_use]
    pub fn new(full_path: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self {
            full_path: full_path.into(),
            arguments: arguments.into(),
            monitor_changes_to: String::new(),
            stderr_mode: StderrMode::default(),
            max_instances: MAX_INSTANCES.default,
            idle_timeout: IDLE_TIMEOUT.seconds(),
            activity_timeout: ACTIVITY_TIMEOUT.seconds(),
            request_timeout: REQUEST_TIMEOUT.seconds(),
            instance_max_requests: INSTANCE_MAX_REQUESTS.default,
            signal_before_terminate: SIGNAL_BEFORE_TERMINATE.seconds(),
            protocol: Protocol::default(),
            queue_length: QUEUE_LENGTH.default,
            flush_named_pipe: false,
            rapid_fails_per_minute: RAPID_FAILS_PER_MINUTE.default,
            environment_variables: Vec::new(),
        }
    }

    /// The `scriptProcessor` of a handler for this application: `fullPath|arguments`, or `fullPath` alone where there
    /// are no arguments.
    ///
    /// ```
    /// # use iis_config::FastCgiApplication;
    /// assert_eq!(FastCgiApplication::new("php.exe", "").script_processor(), "php.exe");
    /// assert_eq!(FastCgiApplication::new("python.exe", "-u app.py").script_processor(), "python.exe|-u app.py");
    /// ```
    #[must_use]
    pub fn script_processor(&self) -> String {
        if self.arguments.is_empty() {
            self.full_path.clone()
        } else {
            format!("{}|{}", self.full_path, self.arguments)
        }
    }

    /// Whether IIS takes `full_path` and `arguments` for this application's key.
    ///
    /// Keys compare whatever their case, since the schema does not mark them `caseSensitive`. Unix paths, which IIS
    /// never sees, compare exactly.
    #[must_use]
    pub fn has_key(&self, full_path: &str, arguments: &str) -> bool {
        if self.full_path.starts_with('/') {
            self.full_path == full_path && self.arguments == arguments
        } else {
            win_path::eq_ignore_case(&self.full_path, full_path)
                && win_path::eq_ignore_case(&self.arguments, arguments)
        }
    }

    /// What IIS would refuse in a value made by hand: an empty path, numbers out of their range, duplicate variables.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.full_path.is_empty() {
            problems.push(
                Problem::error("iis-attribute-empty", "`fullPath` is empty")
                    .help("name the program that serves FastCGI"),
            );
        }
        if self.full_path.contains('|') {
            problems.push(
                Problem::error(
                    "iis-full-path-with-bar",
                    format!("`fullPath` is `{}`, with a `|` in it", self.full_path),
                )
                .help("choose a path without `|`: a handler's scriptProcessor separates fullPath and arguments by it"),
            );
        }
        problems.extend(
            self.attributes()
                .iter()
                .filter_map(|attribute| check_text(attribute.name, &attribute.value)),
        );
        let numbers = [
            (MAX_INSTANCES, u64::from(self.max_instances)),
            (IDLE_TIMEOUT, self.idle_timeout.as_secs()),
            (ACTIVITY_TIMEOUT, self.activity_timeout.as_secs()),
            (REQUEST_TIMEOUT, self.request_timeout.as_secs()),
            (INSTANCE_MAX_REQUESTS, u64::from(self.instance_max_requests)),
            (
                SIGNAL_BEFORE_TERMINATE,
                self.signal_before_terminate.as_secs(),
            ),
            (QUEUE_LENGTH, u64::from(self.queue_length)),
            (
                RAPID_FAILS_PER_MINUTE,
                u64::from(self.rapid_fails_per_minute),
            ),
        ];
        let times = [
            (IDLE_TIMEOUT, self.idle_timeout),
            (ACTIVITY_TIMEOUT, self.activity_timeout),
            (REQUEST_TIMEOUT, self.request_timeout),
            (SIGNAL_BEFORE_TERMINATE, self.signal_before_terminate),
        ];
        problems.extend(
            times
                .into_iter()
                .filter(|(_, time)| time.subsec_nanos() > 0)
                .map(|(uint, time)| {
                    Problem::error(
                        "iis-attribute-not-a-number",
                        format!("`{}` is {time:?}; IIS counts whole seconds", uint.name),
                    )
                    .help("round it to seconds")
                }),
        );
        problems.extend(
            numbers
                .into_iter()
                .filter_map(|(uint, value)| uint.check(value)),
        );
        let mut names = HashSet::new();
        for variable in &self.environment_variables {
            problems.extend(check_text("name", &variable.name));
            problems.extend(check_text(&variable.name, &variable.value));
            if !names.insert(win_path::fold(&variable.name)) {
                problems.push(
                    Problem::error(
                        "iis-environment-variable-duplicate",
                        format!("the environment variable `{}` is set twice", variable.name),
                    )
                    .help("set it once; Windows does not tell names apart by case"),
                );
            }
        }
        problems
    }

    /// The attributes for writing, in the schema's order.
    pub(crate) fn attributes(&self) -> Vec<AttributeValue> {
        vec![
            AttributeValue::required("fullPath", &self.full_path),
            AttributeValue::string("arguments", &self.arguments, ""),
            MAX_INSTANCES.value(self.max_instances.into()),
            IDLE_TIMEOUT.value(self.idle_timeout.as_secs()),
            ACTIVITY_TIMEOUT.value(self.activity_timeout.as_secs()),
            REQUEST_TIMEOUT.value(self.request_timeout.as_secs()),
            INSTANCE_MAX_REQUESTS.value(self.instance_max_requests.into()),
            SIGNAL_BEFORE_TERMINATE.value(self.signal_before_terminate.as_secs()),
            AttributeValue::string("protocol", self.protocol.name(), Protocol::default().name()),
            QUEUE_LENGTH.value(self.queue_length.into()),
            AttributeValue::boolean("flushNamedPipe", self.flush_named_pipe, false),
            RAPID_FAILS_PER_MINUTE.value(self.rapid_fails_per_minute.into()),
            AttributeValue::string("monitorChangesTo", &self.monitor_changes_to, ""),
            AttributeValue::string(
                "stderrMode",
                self.stderr_mode.name(),
                StderrMode::default().name(),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_compare_as_iis_compares_them() {
        for (a, b, expected) in [
            (("C:\\P.exe", "-U"), ("c:\\p.EXE", "-u"), true),
            (("C:\\p.exe", ""), ("C:\\p.exe", "-u"), false),
            (("/srv/a", "x"), ("/srv/a", "x"), true),
            (("/srv/a", "x"), ("/srv/A", "x"), false),
        ] {
            assert_eq!(
                FastCgiApplication::new(a.0, a.1).has_key(b.0, b.1),
                expected,
                "{a:?} {b:?}"
            );
        }
    }

    #[test]
    fn checks_a_value_made_by_hand() {
        assert_eq!(FastCgiApplication::new("a", "").check(), []);
        let mut application = FastCgiApplication::new("a|b", "\u{1}");
        application.max_instances = 10_001;
        application.idle_timeout = Duration::from_millis(1_500);
        application.environment_variables = vec![
            EnvironmentVariable::new("A", ""),
            EnvironmentVariable::new("a", "\0"),
        ];
        let codes: Vec<_> = application
            .check()
            .iter()
            .map(|problem| problem.code)
            .collect();
        assert_eq!(
            codes,
            [
                "iis-full-path-with-bar",
                "iis-attribute-not-xml",
                "iis-attribute-not-a-number",
                "iis-attribute-out-of-range",
                "iis-attribute-out-of-range",
                "iis-attribute-not-xml",
                "iis-environment-variable-duplicate",
            ]
        );
        assert_eq!(
            FastCgiApplication::new("", "").check()[0].code,
            "iis-attribute-empty"
        );
    }
}
