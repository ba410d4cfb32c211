//! The attributes of registered FastCGI applications.

use core::time::Duration;

use spanned_xml::Problem;

use super::files::Files;
use super::report::{Found, Subject};
use crate::{Declared, FastCgiApplication, StderrMode};

/// `activityTimeout`'s default in IIS 7.5 and later.
const USUAL_ACTIVITY_TIMEOUT: Duration = Duration::from_secs(70);
/// `requestTimeout`'s default.
const USUAL_REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

pub(super) fn check(files: &Files<'_>, longest_silence: Option<Duration>, found: &mut Found<'_>) {
    for application in files.applications() {
        let problems = [
            quoted(application),
            shows_stderr(application),
            activity_timeout(application, longest_silence),
            without_signal(application),
        ];
        found.extend(
            Subject::ApplicationHost,
            problems.into_iter().flatten().collect(),
        );
    }
}

fn quoted(application: &Declared<FastCgiApplication>) -> Option<Problem> {
    application.full_path.contains('"').then(|| {
        Problem::error(
            "iis-full-path-quoted",
            "`fullPath` has quotes inside: they become part of the file's name, and no handler written by hand matches",
        )
        .at(application.attribute_span("fullPath"))
        .help("write the path without quotes, spaces and all, here and in the handler's scriptProcessor")
    })
}

fn shows_stderr(application: &Declared<FastCgiApplication>) -> Option<Problem> {
    (application.stderr_mode == StderrMode::ReturnStdErrIn500).then(|| {
        Problem::warning(
            "iis-stderr-shown",
            "`stderrMode` is ReturnStdErrIn500, the default: what the process writes to its standard error, tracebacks \
             among it, is shown to visitors, and the response becomes a 500",
        )
        .at(application.attribute_span("stderrMode"))
        .help("set stderrMode=\"ReturnGeneric500\", or IgnoreAndReturn200 where warnings must not fail a request")
    })
}

fn activity_timeout(
    application: &Declared<FastCgiApplication>,
    longest_silence: Option<Duration>,
) -> Option<Problem> {
    let activity = application.activity_timeout;
    let request = application.request_timeout;
    let needed = match longest_silence {
        Some(needed) => needed,
        // Somebody raised the one that they knew of.
        None if request > USUAL_REQUEST_TIMEOUT && activity <= USUAL_ACTIVITY_TIMEOUT => request,
        None => return None,
    };
    let why = if longest_silence.is_some() {
        "the application may take before it answers"
    } else {
        "requestTimeout allows"
    };
    (activity < needed).then(|| {
        Problem::warning(
            "iis-activity-timeout-short",
            format!(
                "`activityTimeout` is {} s, less than the {} s that {why}: a process that says nothing for so long is ended \
                 (500.0, 0x80070102)",
                activity.as_secs(),
                needed.as_secs()
            ),
        )
        .at(application.attribute_span("activityTimeout"))
        .help(format!(
            "set activityTimeout=\"{}\"{}",
            needed.as_secs(),
            if request < needed { ", and requestTimeout as well" } else { "" }
        ))
    })
}

fn without_signal(application: &Declared<FastCgiApplication>) -> Option<Problem> {
    application.signal_before_terminate.is_zero().then(|| {
        Problem::note(
            "iis-signal-before-terminate-missing",
            "`signalBeforeTerminateSeconds` is 0: the process is ended without a word, in the middle of whatever it does",
        )
        .at(application.attribute_span("signalBeforeTerminateSeconds"))
        .help("set signalBeforeTerminateSeconds=\"30\": the gateway then ends the request at hand first")
    })
}
