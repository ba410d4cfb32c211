//! Where something may have been logged: by IIS, by HTTP.sys, by the gateway.

use spanned_xml::Element;

use super::files::Files;
use super::report::Found;
use crate::section::sections;
use crate::{FastCgiApplication, command_line};

const SITES: &str = "system.applicationHost/sites";

pub(super) fn gather(files: &Files<'_>, found: &mut Found<'_>) {
    if let Some(host) = &files.host {
        let root = host.document.root();
        let defaults = sections(root, &format!("{SITES}/siteDefaults"));
        for site in sections(root, &format!("{SITES}/site")) {
            let (Some(name), Some(id)) = (site.value("name"), site.value("id")) else {
                continue;
            };
            for (what, element, default) in [
                (
                    "requests",
                    "logFile",
                    r"%SystemDrive%\inetpub\logs\LogFiles",
                ),
                (
                    "failed request traces",
                    "traceFailedRequestsLogging",
                    r"%SystemDrive%\inetpub\logs\FailedReqLogFiles",
                ),
            ] {
                let folder = directory(&defaults, site, element).unwrap_or(default);
                log(
                    format!("{what} of site `{name}`"),
                    &format!(r"{folder}\W3SVC{id}"),
                    found,
                );
            }
        }
        if !sections(root, &format!("{SITES}/site")).is_empty() {
            let folder = r"%SystemRoot%\System32\LogFiles\HTTPERR";
            log("requests that HTTP.sys refused".to_owned(), folder, found);
        }
    }
    for application in files.applications() {
        if let Some(path) = application_log(application) {
            log(
                format!("`{}`", application.script_processor()),
                &path,
                found,
            );
        }
    }
    for web in &files.webs {
        if let Some(path) = web.config.app_setting("WSGI_LOG") {
            log(format!("WSGI_LOG of `{}`", web.source.name()), path, found);
        }
    }
}

/// `directory` of a site's element, or of that element in `siteDefaults`.
fn directory<'a>(defaults: &[&'a Element], site: &'a Element, element: &str) -> Option<&'a str> {
    core::iter::once(site)
        .chain(defaults.iter().copied())
        .flat_map(|parent| sections(parent, element))
        .find_map(|element| element.value("directory"))
}

/// The log of the gateway: `--log-file`, else `WSGI_LOG`, else in the folder for temporary files.
fn application_log(application: &FastCgiApplication) -> Option<String> {
    let mut arguments = command_line::split(&application.arguments).into_iter();
    let mut is_ours = false;
    while let Some(argument) = arguments.next() {
        if argument == "--log-file" {
            return arguments.next();
        }
        if let Some(path) = argument.strip_prefix("--log-file=") {
            return Some(path.to_owned());
        }
        is_ours |= argument == "iiswsgi";
    }
    let variable = application
        .environment_variables
        .iter()
        .find(|variable| variable.name.eq_ignore_ascii_case("WSGI_LOG"));
    match variable {
        Some(variable) => Some(variable.value.clone()),
        None => is_ours.then(|| r"%SystemRoot%\TEMP\iiswsgi.log".to_owned()),
    }
}

/// A place whose variables are not all known is told as it is written.
fn log(of: String, path: &str, found: &mut Found<'_>) {
    let expanded = found.machine.expand(path);
    found.log(of, expanded.as_deref().unwrap_or(path));
}
