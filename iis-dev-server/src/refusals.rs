//! The pages of requests that no FastCGI application and no file answers.

use hyper::StatusCode;
use iis_config::{Handler, RequireAccess};

use crate::pages::Page;
use crate::place::Place;
use crate::static_file::NoFile;

/// `requireAccess` of the handler against `accessPolicy`, whose default is Read.
pub(crate) fn check_access(policy: Option<&str>, handler: &Handler) -> Result<(), Box<Page>> {
    let required = match handler.require_access {
        RequireAccess::None => return Ok(()),
        other => other.name(),
    };
    let policy = policy.unwrap_or("Read");
    let granted = policy.split(',').any(|flag| {
        let flag = flag.trim();
        // Whoever may execute may run scripts.
        flag.eq_ignore_ascii_case(required)
            || (required == "Script" && flag.eq_ignore_ascii_case("Execute"))
    });
    if granted {
        return Ok(());
    }
    Err(Box::new(
        Page::new(
            StatusCode::FORBIDDEN,
            "The handler needs an access that accessPolicy does not grant",
            format!(
                "The handler `{}` requires {required}; accessPolicy of <handlers> is `{policy}`.",
                handler.name
            ),
        )
        .remedy(format!(
            "Write <handlers accessPolicy=\"Read, {required}\"> in web.config."
        )),
    ))
}

/// No handler fits.
pub(crate) fn no_handler(place: &Place<'_>, path: &str) -> Page {
    let mut page = Page::new(
        StatusCode::NOT_FOUND,
        "No handler takes this request",
        "None of the handlers in effect fits the path, the method and what exists there (IIS: 404.4).",
    )
    .fact("Path", path)
    .fact("Application", &place.application.path);
    if let Some(file) = &place.application.web_config {
        page = page.fact("web.config", file.as_str());
    }
    for handler in &place.application.handlers.list {
        page = page.fact(
            "Handler",
            format!(
                "{}: path {}, verb {}, {}",
                handler.name, handler.path, handler.verb, handler.modules
            ),
        );
    }
    page.remedy(
        "A handler for everything has path=\"*\", verb=\"*\" and resourceType=\"Unspecified\".",
    )
}

/// The static file handler has nothing.
pub(crate) fn no_file(error: &NoFile, place: &Place<'_>, handler: &Handler) -> Page {
    let (status, title) = match error {
        NoFile::Missing { .. } => (StatusCode::NOT_FOUND, "There is no such file"),
        NoFile::NoDefaultDocument { .. } => {
            (StatusCode::FORBIDDEN, "The folder has no default document")
        }
        NoFile::NoMimeType { .. } => (StatusCode::NOT_FOUND, "Files of this kind are not served"),
        NoFile::LeavesFolder { .. } => (
            StatusCode::NOT_FOUND,
            "The file is a link out of its folder",
        ),
        NoFile::Method => (
            StatusCode::METHOD_NOT_ALLOWED,
            "Files answer only GET and HEAD",
        ),
        NoFile::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            (StatusCode::FORBIDDEN, "The file may not be read")
        }
        NoFile::Io(_) => (StatusCode::INTERNAL_SERVER_ERROR, "The file cannot be read"),
    };
    let mut page = Page::new(status, title, format!("{error}."))
        .fact("Handler", &handler.name)
        .fact("Application", &place.application.path);
    if matches!(error, NoFile::Method) {
        page.allow = Some("GET, HEAD");
    }
    if place
        .application
        .handlers
        .list
        .iter()
        .any(Handler::is_fast_cgi)
    {
        return page.remedy("If the Python application should answer: its handler does not fit this path, or stands below this one.");
    }
    let remedy = match &place.application.web_config {
        Some(file) => format!("`{file}` has no FastCGI handler, so nothing but files is served."),
        None => format!(
            "`{}` has no web.config, so nothing but files is served. `iiswsgi msdeploy install` makes one.",
            place.application.physical_path
        ),
    };
    page.remedy(remedy)
}
