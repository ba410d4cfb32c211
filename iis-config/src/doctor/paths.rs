//! Paths that the configuration names and that have to be there.

use spanned_xml::{Problem, Span};

use super::files::{Files, virtual_directories};
use super::report::{Found, Subject};
use crate::{Declared, FastCgiApplication, command_line, win_path};

pub(super) fn check(files: &Files<'_>, found: &mut Found<'_>) {
    let Some(host) = &files.host else {
        return;
    };
    for (place, directory) in virtual_directories(host.document.root()) {
        let Some(physical_path) = directory.attribute("physicalPath") else {
            continue;
        };
        if missing(&physical_path.value, found) {
            found.push(
                Subject::ApplicationHost,
                Problem::error(
                    "iis-folder-missing",
                    format!("the folder of `{place}` is not there: `{}`", physical_path.value),
                )
                .at(physical_path.value_span)
                .help("make the folder, or correct physicalPath; IIS answers 500.19 or 404 until then"),
            );
        }
    }
    for application in files.applications() {
        program(
            Subject::ApplicationHost,
            application.attribute_span("fullPath"),
            &application.full_path,
            found,
        );
        arguments(application, found);
        monitored(application, found);
    }
}

/// A program that IIS starts.
pub(super) fn program(subject: Subject, span: Span, path: &str, found: &mut Found<'_>) {
    if is_absolute(path) && missing(path.trim_matches('"'), found) {
        found.push(
            subject,
            Problem::error(
                "iis-program-missing",
                format!("the program `{path}` is not there"),
            )
            .at(span)
            .help("install it, or correct the path here and in the handler"),
        );
    }
}

/// Arguments that are paths as they stand.
fn arguments(application: &Declared<FastCgiApplication>, found: &mut Found<'_>) {
    let Some(expanded) = found.machine.expand(&application.arguments) else {
        return;
    };
    for argument in command_line::split(&expanded) {
        // `app.ini#name` is an application in a file.
        let path = argument.split('#').next().unwrap_or_default();
        if is_absolute(path) && missing(path, found) {
            found.push(
                Subject::ApplicationHost,
                Problem::warning(
                    "iis-argument-path-missing",
                    format!("the argument `{argument}` looks like a path, and nothing is there"),
                )
                .at(application.attribute_span("arguments"))
                .help("correct it here and in the handler; a path with spaces stands in quotes"),
            );
        }
    }
}

/// `monitorChangesTo`, a relative one counted from the program's folder.
fn monitored(application: &Declared<FastCgiApplication>, found: &mut Found<'_>) {
    let path = application.monitor_changes_to.as_str();
    // A variable is found when the file is read: IIS does not expand any here.
    if path.is_empty() || path.contains('%') {
        return;
    }
    let path = if is_absolute(path) {
        path.to_owned()
    } else {
        let program = application.full_path.as_str();
        match program.rfind(['\\', '/']) {
            Some(end) => format!("{}{path}", &program[..=end]),
            None => return,
        }
    };
    if missing(&path, found) {
        found.push(
            Subject::ApplicationHost,
            Problem::warning(
                "iis-monitored-file-missing",
                format!("`monitorChangesTo` names `{path}`, which is not there"),
            )
            .at(application.attribute_span("monitorChangesTo"))
            .help("name a file that changes with each deployment, or leave the attribute out"),
        );
    }
}

fn missing(path: &str, found: &mut Found<'_>) -> bool {
    found
        .machine
        .expand(path)
        .is_some_and(|path| found.is_missing(&path))
}

/// Whether a path says itself where it begins; a variable at its front does.
fn is_absolute(path: &str) -> bool {
    let path = path.trim_matches('"');
    path.starts_with(['/', '%']) && path.len() > 2 && path.contains(['/', '\\'])
        || win_path::is_absolute_windows(path)
}
