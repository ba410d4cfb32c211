//! The section `system.webServer/httpPlatform` of HttpPlatformHandler 1.2: a program that serves HTTP itself.

use spanned_xml::Problem;

use super::files::Files;
use super::paths;
use super::report::Found;
use crate::section::sections;

pub(super) fn check(files: &Files<'_>, found: &mut Found<'_>) {
    for web in &files.webs {
        for section in sections(web.document.root(), "system.webServer/httpPlatform") {
            let Some(program) = section.attribute("processPath") else {
                continue;
            };
            paths::program(web.subject, program.value_span, &program.value, found);
            let told = section
                .descendants()
                .flat_map(|element| &element.attributes)
                .any(|attribute| attribute.value.contains("HTTP_PLATFORM_PORT"));
            if !told {
                found.push(
                    web.subject,
                    Problem::note(
                        "iis-http-platform-port-not-passed",
                        "nothing in `<httpPlatform>` passes on `%HTTP_PLATFORM_PORT%`: the program has to read the variable itself",
                    )
                    .at(section.start_tag)
                    .help("pass the port in the arguments: `--port %HTTP_PLATFORM_PORT%`, or as the program has it"),
                );
            }
            let logs = section
                .value("stdoutLogEnabled")
                .is_some_and(|enabled| enabled.eq_ignore_ascii_case("true"));
            let path = section
                .value("stdoutLogFile")
                .unwrap_or(r".\httpplatform-stdout");
            if logs && let Some(path) = found.machine.expand(path) {
                found.log("standard output of the httpPlatform process", &path);
            }
        }
    }
}
