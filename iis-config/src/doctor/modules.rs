//! The modules that handlers name have to be installed: `FastCgiModule` comes with the Windows feature "CGI".

use spanned_xml::Problem;

use super::files::Files;
use super::report::{Found, Subject};
use crate::section::sections;

/// The modules that an application needs, and where each comes from.
const MODULES: [(&str, &str); 2] = [
    (
        "FastCgiModule",
        "install the feature CGI: `dism /online /enable-feature /featurename:IIS-CGI /all`, or Server Manager, Web Server, \
         Application Development, CGI",
    ),
    (
        "httpPlatformHandler",
        "install HttpPlatformHandler, which is a download of its own",
    ),
];

pub(super) fn check(files: &Files<'_>, found: &mut Found<'_>) {
    let Some(host) = &files.host else {
        return;
    };
    let root = host.document.root();
    let global_modules = sections(root, "system.webServer/globalModules");
    let installed = |module: &str| {
        sections(root, "system.webServer/globalModules/add")
            .into_iter()
            .filter_map(|add| add.value("name"))
            .any(|name| name.eq_ignore_ascii_case(module))
    };
    for (module, help) in MODULES {
        let named_by = files.handlers().into_iter().find(|declared| {
            declared
                .handler
                .modules
                .split(',')
                .any(|name| name.trim().eq_ignore_ascii_case(module))
        });
        let by_application = files
            .applications()
            .next()
            .filter(|_| module == "FastCgiModule");
        if installed(module) || (named_by.is_none() && by_application.is_none()) {
            continue;
        }
        let by = match (named_by, by_application) {
            (Some(declared), _) => format!("the handler `{}`", declared.handler.name),
            (None, Some(application)) => format!("`{}`", application.script_processor()),
            (None, None) => continue,
        };
        let mut problem = Problem::error(
            "iis-module-missing",
            format!("the module `{module}`, which {by} needs, is not in globalModules"),
        )
        .help(help);
        if let Some(section) = global_modules.first() {
            problem = problem.at(section.start_tag);
        }
        found.push(Subject::ApplicationHost, problem);
    }
}
