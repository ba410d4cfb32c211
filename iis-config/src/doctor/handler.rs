//! Handlers of `FastCgiModule`: whether their application is registered, and how they pass responses on.

use spanned_xml::Problem;

use super::files::{DeclaredHandler, Files};
use super::report::{Found, Subject};
use crate::handler_match::first_difference;
use crate::web_config::caret;
use crate::{Error, find_fast_cgi_application};

pub(super) fn check(files: &Files<'_>, found: &mut Found<'_>) {
    let all = files.handlers();
    for declared in all.iter().filter(|declared| declared.handler.is_fast_cgi()) {
        if files.host.is_some() {
            registered(files, declared, found);
        }
        buffered(declared, found);
    }
    if files.host.is_none() && !all.is_empty() {
        found.push(
            Subject::Machine,
            Problem::note(
                "iis-registration-not-checked",
                "there is no applicationHost.config among the files: registrations and locks were not checked",
            )
            .help(r"add %windir%\System32\inetsrv\config\applicationHost.config of the server to the files"),
        );
    }
    section_without_effect(files, found);
}

/// `scriptProcessor` and `fullPath|arguments` of an application have to be the same text.
fn registered(files: &Files<'_>, declared: &DeclaredHandler<'_>, found: &mut Found<'_>) {
    let handler = declared.handler;
    let applications = files.applications().map(|application| &application.value);
    let Err(Error::ScriptProcessorNotFound { near_misses, .. }) =
        find_fast_cgi_application(&handler.script_processor, applications)
    else {
        return;
    };
    let value = handler.attribute_span("scriptProcessor");
    let problem = match near_misses.first() {
        Some(miss) => Problem::error(
            "iis-script-processor-near-miss",
            format!(
                "the handler `{}` names no registered FastCGI application; the nearest, `{}`, {}",
                handler.name, miss.expected, miss.difference
            ),
        )
        .at(caret(
            declared.source,
            value,
            first_difference(&handler.script_processor, &miss.expected),
        ))
        .help("write both the same, byte for byte; the caret is at the first difference"),
        None => Problem::error(
            "iis-script-processor-unregistered",
            format!(
                "the handler `{}` names the FastCGI application `{}`, which is not registered",
                handler.name, handler.script_processor
            ),
        )
        .at(value)
        .help(
            "register it with `iiswsgi iis enable`; IIS answers 500.0 with 0x80070585 until then",
        ),
    };
    found.push(declared.subject, problem);
}

fn buffered(declared: &DeclaredHandler<'_>, found: &mut Found<'_>) {
    let limit = declared.handler.response_buffer_limit;
    if limit == 0 {
        return;
    }
    found.push(
        declared.subject,
        Problem::note(
            "iis-response-buffered",
            format!(
                "IIS holds back the first {limit} octets of a response of `{}`, so that event streams and progress do not \
                 arrive while they are made",
                declared.handler.name
            ),
        )
        .at(declared.handler.attribute_span("responseBufferLimit"))
        .help("where the application streams, set responseBufferLimit=\"0\" on the handler"),
    );
}

/// `allowDefinition="AppHostOnly"`: a `fastCgi` section anywhere else registers nothing.
fn section_without_effect(files: &Files<'_>, found: &mut Found<'_>) {
    for web in &files.webs {
        let sections = crate::section::sections(web.document.root(), "system.webServer/fastCgi");
        for section in sections {
            found.push(
                web.subject,
                Problem::error(
                    "iis-fast-cgi-in-web-config",
                    "`<fastCgi>` has no effect in web.config: IIS reads it from applicationHost.config alone",
                )
                .at(section.start_tag)
                .help(
                    "register its applications with `iiswsgi iis enable`, or the whole folder with `iiswsgi msdeploy install`, \
                     and take the section out",
                ),
            );
        }
    }
}
