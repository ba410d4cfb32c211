//! `FastCGIUtf8ServerVariables`, KB2277918: without it IIS gives paths in the system's code page, and what that does not
//! have becomes `?`.

use spanned_xml::Problem;

use super::files::Files;
use super::report::{Found, Subject};

/// The variables that hold paths as they were asked for.
const NEEDED: [&str; 2] = ["REQUEST_URI", "PATH_INFO"];

const HELP: &str = r"run as an administrator `reg add HKLM\SYSTEM\CurrentControlSet\Services\W3SVC\Parameters /v FastCGIUtf8ServerVariables /t REG_MULTI_SZ /d REQUEST_URI\0PATH_INFO`, then `iisreset`";

pub(super) fn check(files: &Files<'_>, found: &mut Found<'_>) {
    if !files.use_fast_cgi() {
        return;
    }
    let problem = match &found.machine.utf8_server_variables {
        None => Problem::note(
            "iis-utf8-variables-not-checked",
            "not checked, since the registry is not at hand: whether FastCGIUtf8ServerVariables is set",
        )
        .help(r"add an export to the files: `reg export HKLM\SYSTEM\CurrentControlSet\Services\W3SVC w3svc.reg`"),
        Some(names) => {
            let missing: Vec<&str> = NEEDED
                .into_iter()
                .filter(|needed| !names.iter().any(|name| name.eq_ignore_ascii_case(needed)))
                .collect();
            if missing.is_empty() {
                return;
            }
            Problem::warning(
                "iis-utf8-variables-missing",
                format!(
                    "FastCGIUtf8ServerVariables in the registry does not name {}: letters outside the system's code page arrive \
                     as `?`",
                    missing.join(" and ")
                ),
            )
            .help(HELP)
        }
    };
    found.push(Subject::Machine, problem);
}
