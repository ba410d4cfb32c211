//! `system.webServer/httpPlatform`: a program that serves HTTP itself on the port that IIS gives it.
//!
//! Attributes, defaults and ranges are those of HttpPlatformHandler 1.2's `httpplatform_schema.xml`; descriptions follow
//! *HttpPlatformHandler Configuration Reference*, whose default of 10 s for `startupTimeLimit` is not the schema's.
//! `disableStartUpErrorPage` and `shutdownTimeLimit` belong to ASP.NET Core's module, another section.

use core::time::Duration;

use spanned_xml::{Element, Problem};

use crate::EnvironmentVariable;
use crate::attribute::{AttributeValue, Reader, Uint};
use crate::section::sections;

const STARTUP_TIME_LIMIT: Uint = Uint::new("startupTimeLimit", 120, 0, 3_600, "seconds");
const STARTUP_RETRY_COUNT: Uint = Uint::new("startupRetryCount", 10, 0, 100, "attempts");
const RAPID_FAILS_PER_MINUTE: Uint = Uint::new("rapidFailsPerMinute", 10, 0, 100, "failures");
const PROCESSES_PER_APPLICATION: Uint =
    Uint::new("processesPerApplication", 1, 1, 100, "processes");
const REQUEST_TIMEOUT: &str = "requestTimeout";
const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
const LONGEST_REQUEST_TIMEOUT: u64 = 2_592_000;
const STDOUT_LOG_FILE: &str = r".\httpplatform-stdout";

/// `httpPlatform`: what IIS starts, once for each site or as often as `processesPerApplication` says.
///
/// The process is told its port in `HTTP_PLATFORM_PORT`, which `%HTTP_PLATFORM_PORT%` in the arguments expands to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpPlatform {
    /// `processPath`: the program; IIS expands `%VAR%` in it.
    pub process_path: String,
    /// `arguments`; IIS expands `%VAR%` in them.
    pub arguments: String,
    /// `startupTimeLimit`: how long the process may take until it listens. 0 to 3600 s; default 120 s.
    pub startup_time_limit: Duration,
    /// `startupRetryCount`: how often IIS tries to start it. 0 to 100; default 10.
    pub startup_retry_count: u32,
    /// `rapidFailsPerMinute`: ends of the process in a minute after which it is not started again until the minute is
    /// over. 0 to 100; default 10.
    pub rapid_fails_per_minute: u32,
    /// `requestTimeout`: how long the process may take to answer. 0 to 30 days in whole minutes; default 2 minutes.
    pub request_timeout: Duration,
    /// `stdoutLogEnabled`: standard output and standard error go into a file. Default: false.
    pub stdout_log_enabled: bool,
    /// `stdoutLogFile`: the beginning of that file's path, relative to the site's folder; IIS expands `%VAR%` in it.
    /// Default: `.\httpplatform-stdout`.
    pub stdout_log_file: String,
    /// `processesPerApplication`: how many processes serve one application. 1 to 100; default 1.
    pub processes_per_application: u32,
    /// `forwardWindowsAuthToken`: the process gets the handle of a Windows user's token in
    /// `X-IIS-WindowsAuthToken`. Default: false.
    pub forward_windows_auth_token: bool,
    /// `recycleOnFileChange/file/@path`: files whose change ends the process; IIS expands `%VAR%` in them.
    pub recycle_on_file_change: Vec<String>,
    /// `environmentVariables`.
    pub environment_variables: Vec<EnvironmentVariable>,
}

impl HttpPlatform {
    /// A program with its arguments, and HttpPlatformHandler's defaults.
    #[must_use]
    pub fn new(process_path: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self {
            process_path: process_path.into(),
            arguments: arguments.into(),
            startup_time_limit: STARTUP_TIME_LIMIT.seconds(),
            startup_retry_count: STARTUP_RETRY_COUNT.default,
            rapid_fails_per_minute: RAPID_FAILS_PER_MINUTE.default,
            request_timeout: DEFAULT_REQUEST_TIMEOUT,
            stdout_log_enabled: false,
            stdout_log_file: STDOUT_LOG_FILE.to_owned(),
            processes_per_application: PROCESSES_PER_APPLICATION.default,
            forward_windows_auth_token: false,
            recycle_on_file_change: Vec::new(),
            environment_variables: Vec::new(),
        }
    }

    pub(crate) fn read(element: &Element, problems: &mut Vec<Problem>) -> Self {
        let mut reader = Reader::new(element, problems);
        Self {
            process_path: reader.string("processPath", ""),
            arguments: reader.string("arguments", ""),
            startup_time_limit: reader.seconds(STARTUP_TIME_LIMIT),
            startup_retry_count: reader.uint(STARTUP_RETRY_COUNT),
            rapid_fails_per_minute: reader.uint(RAPID_FAILS_PER_MINUTE),
            request_timeout: request_timeout(&mut reader),
            stdout_log_enabled: reader.boolean("stdoutLogEnabled", false),
            stdout_log_file: reader.string("stdoutLogFile", STDOUT_LOG_FILE),
            processes_per_application: reader.uint(PROCESSES_PER_APPLICATION),
            forward_windows_auth_token: reader.boolean("forwardWindowsAuthToken", false),
            recycle_on_file_change: sections(element, "recycleOnFileChange/file")
                .into_iter()
                .map(|file| Reader::new(file, problems).required("path", true))
                .collect(),
            environment_variables: sections(element, "environmentVariables/environmentVariable")
                .into_iter()
                .map(|variable| {
                    let mut reader = Reader::new(variable, problems);
                    EnvironmentVariable {
                        name: reader.required("name", true),
                        value: reader.string("value", ""),
                    }
                })
                .collect(),
        }
    }

    /// What HttpPlatformHandler would refuse in the numbers of a value made by hand.
    pub(crate) fn check_numbers(&self) -> Vec<Problem> {
        let numbers = [
            (STARTUP_TIME_LIMIT, self.startup_time_limit.as_secs()),
            (STARTUP_RETRY_COUNT, self.startup_retry_count.into()),
            (RAPID_FAILS_PER_MINUTE, self.rapid_fails_per_minute.into()),
            (
                PROCESSES_PER_APPLICATION,
                self.processes_per_application.into(),
            ),
        ];
        let numbers = numbers
            .into_iter()
            .filter_map(|(uint, value)| uint.check(value));
        numbers
            .chain(bad_request_timeout(self.request_timeout.as_secs()))
            .collect()
    }

    /// The attributes for writing, in the schema's order.
    pub(crate) fn attributes(&self) -> Vec<AttributeValue> {
        vec![
            AttributeValue::required("processPath", &self.process_path),
            AttributeValue::string("arguments", &self.arguments, ""),
            STARTUP_TIME_LIMIT.value(self.startup_time_limit.as_secs()),
            STARTUP_RETRY_COUNT.value(self.startup_retry_count.into()),
            RAPID_FAILS_PER_MINUTE.value(self.rapid_fails_per_minute.into()),
            AttributeValue::string(
                REQUEST_TIMEOUT,
                &time_span(self.request_timeout),
                &time_span(DEFAULT_REQUEST_TIMEOUT),
            ),
            AttributeValue::boolean("stdoutLogEnabled", self.stdout_log_enabled, false),
            AttributeValue::string("stdoutLogFile", &self.stdout_log_file, STDOUT_LOG_FILE),
            PROCESSES_PER_APPLICATION.value(self.processes_per_application.into()),
            AttributeValue::boolean(
                "forwardWindowsAuthToken",
                self.forward_windows_auth_token,
                false,
            ),
        ]
    }
}

fn request_timeout(reader: &mut Reader<'_, '_>) -> Duration {
    let Some(attribute) = reader.element.attribute(REQUEST_TIMEOUT) else {
        return DEFAULT_REQUEST_TIMEOUT;
    };
    let Some(seconds) = crate::schema::time_span_seconds(&attribute.value) else {
        reader.problems.push(
            Problem::error(
                "iis-attribute-not-a-time-span",
                format!("`{REQUEST_TIMEOUT}` is `{}`, which is not a time span", attribute.value),
            )
            .at(attribute.value_span)
            .help("write hours, minutes and seconds as in 00:02:00, with days and a dot before them where needed"),
        );
        return DEFAULT_REQUEST_TIMEOUT;
    };
    if let Some(problem) = bad_request_timeout(seconds) {
        reader.problems.push(problem.at(attribute.value_span));
    }
    Duration::from_secs(seconds)
}

fn bad_request_timeout(seconds: u64) -> Option<Problem> {
    (seconds > LONGEST_REQUEST_TIMEOUT || !seconds.is_multiple_of(60)).then(|| {
        Problem::error(
            "iis-attribute-out-of-range",
            format!("`{REQUEST_TIMEOUT}` is {seconds} s; IIS takes whole minutes up to 30 days"),
        )
        .help("round it to minutes, up to 30.00:00:00")
    })
}

/// `hh:mm:ss`, with days before it where there are some.
fn time_span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let day = if days > 0 {
        format!("{days}.")
    } else {
        String::new()
    };
    format!(
        "{day}{hours:02}:{:02}:{:02}",
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use spanned_xml::{Document, Source};

    fn read(text: &str) -> (HttpPlatform, Vec<&'static str>) {
        let document = Document::parse(&Source::from_text("x", text)).unwrap();
        let mut problems = Vec::new();
        let platform = HttpPlatform::read(document.root(), &mut problems);
        (
            platform,
            problems.into_iter().map(|problem| problem.code).collect(),
        )
    }

    #[test]
    fn every_attribute_is_read() {
        assert_eq!(
            read("<httpPlatform processPath='p' arguments='a'/>"),
            (HttpPlatform::new("p", "a"), vec![])
        );
        let (platform, problems) = read(
            r"<httpPlatform processPath='p' startupTimeLimit='20' startupRetryCount='0' rapidFailsPerMinute='5'
              requestTimeout='1.01:02:00' stdoutLogEnabled='True' stdoutLogFile='.\log' processesPerApplication='2'
              forwardWindowsAuthToken='true'><recycleOnFileChange><file path='a.py'/></recycleOnFileChange>
              <environmentVariables><environmentVariable name='A' value='1'/></environmentVariables></httpPlatform>",
        );
        let expected = HttpPlatform {
            startup_time_limit: Duration::from_secs(20),
            startup_retry_count: 0,
            rapid_fails_per_minute: 5,
            request_timeout: Duration::from_secs(86_400 + 3_600 + 120),
            stdout_log_enabled: true,
            stdout_log_file: r".\log".to_owned(),
            processes_per_application: 2,
            forward_windows_auth_token: true,
            recycle_on_file_change: vec!["a.py".to_owned()],
            environment_variables: vec![EnvironmentVariable::new("A", "1")],
            ..HttpPlatform::new("p", "")
        };
        assert_eq!((platform, problems), (expected, vec![]));
    }

    #[test]
    fn faults_have_their_codes() {
        for (attribute, code) in [
            ("startupTimeLimit='3601'", "iis-attribute-out-of-range"),
            ("processesPerApplication='0'", "iis-attribute-out-of-range"),
            ("startupRetryCount='x'", "iis-attribute-not-a-number"),
            ("requestTimeout='120'", "iis-attribute-not-a-time-span"),
            ("requestTimeout='00:00:30'", "iis-attribute-out-of-range"),
            ("requestTimeout='31.00:00:00'", "iis-attribute-out-of-range"),
            ("stdoutLogEnabled='yes'", "iis-attribute-not-in-enumeration"),
        ] {
            assert_eq!(
                read(&format!("<httpPlatform processPath='p' {attribute}/>")).1,
                [code]
            );
        }
    }

    #[test]
    fn time_spans_come_back() {
        for seconds in [0, 60, 86_340, 86_400, 2_592_000] {
            let text = time_span(Duration::from_secs(seconds));
            assert_eq!(
                crate::schema::time_span_seconds(&text),
                Some(seconds),
                "{text}"
            );
        }
    }
}
