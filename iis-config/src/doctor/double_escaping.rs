//! Escaping done twice: in request paths, which request filtering refuses, and in attribute values.

use spanned_xml::{Problem, Span};

use super::files::Files;
use super::report::{Found, Subject};
use crate::section::sections;

const FILTERING: &str = "system.webServer/security/requestFiltering";

pub(super) fn check(files: &Files<'_>, found: &mut Found<'_>) {
    refused_requests(files, found);
    values(files, found);
}

/// `allowDoubleEscaping`, false by default: a path with `+`, or that changes when it is decoded again, is answered with
/// 404.11 before any handler sees it.
fn refused_requests(files: &Files<'_>, found: &mut Found<'_>) {
    let host = files.host.as_ref().map(|host| host.document.root());
    for web in &files.webs {
        let Some(handler) = web
            .config
            .handlers
            .added()
            .find(|handler| handler.is_fast_cgi())
        else {
            continue;
        };
        let allowed = core::iter::once(web.document.root())
            .chain(host)
            .find_map(|root| {
                sections(root, FILTERING)
                    .iter()
                    .find_map(|section| section.value("allowDoubleEscaping"))
            })
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if !allowed {
            found.push(
                web.subject,
                Problem::note(
                    "iis-double-escaping-refused",
                    format!(
                        "request filtering answers paths with `+`, `%2B` or `%25…` with 404.11 before `{}` sees them",
                        handler.name
                    ),
                )
                .at(handler.span)
                .help("where the application has such paths, set allowDoubleEscaping=\"true\" on `<requestFiltering>`"),
            );
        }
    }
}

/// A value that still holds an escape after it was read was escaped twice.
fn values(files: &Files<'_>, found: &mut Found<'_>) {
    const ESCAPES: [&str; 7] = [
        "&quot;", "&amp;", "&apos;", "&lt;", "&gt;", "%u0022", "%u0027",
    ];
    let mut look = |subject: Subject, name: &str, value: &str, span: Span| {
        let Some(escape) = ESCAPES.iter().find(|escape| value.contains(**escape)) else {
            return;
        };
        let problem = Problem::warning(
            "iis-value-escaped-twice",
            format!("`{name}` holds `{escape}` as text: it was escaped twice"),
        )
        .at(span)
        .help("write the character itself once escaped as XML has it; `%u0022` is appcmd's escape and belongs on its command line only");
        found.push(subject, problem);
    };
    for application in files.applications() {
        for (name, value) in [
            ("fullPath", &application.full_path),
            ("arguments", &application.arguments),
            ("monitorChangesTo", &application.monitor_changes_to),
        ] {
            let span = application.attribute_span(name);
            look(Subject::ApplicationHost, name, value, span);
        }
    }
    for declared in files.handlers() {
        let handler = declared.handler;
        if handler.is_fast_cgi() {
            let name = "scriptProcessor";
            let span = handler.attribute_span(name);
            look(declared.subject, name, &handler.script_processor, span);
        }
    }
}
