//! Whether a `web.config` may have a `handlers` section: *IIS configuration reference*, "Using locking in IIS
//! configuration".
//!
//! The declaration's `overrideModeDefault` decides, then each `location` element that holds the section, from the
//! outermost to the nearest, by `overrideMode` or the older `allowOverride`; `lockElements` and `lockItem` on the section
//! itself forbid what they name. [`crate::effective`] knows every kind of lock, and needs the schema of that IIS for it;
//! the doctor has the configuration alone.

use spanned_xml::{Element, Problem, Source, Span};

use super::files::Files;
use super::report::Found;
use crate::application_host::Location;
use crate::section::sections;

const SECTION: &str = "system.webServer/handlers";

pub(super) fn check(files: &Files<'_>, found: &mut Found<'_>) {
    let Some(host) = &files.host else {
        return;
    };
    let root = host.document.root();
    for web in &files.webs {
        let Some(section) = sections(web.document.root(), SECTION).into_iter().next() else {
            continue;
        };
        let Some(lock) = lock(root, &host.config.locations, web.place) else {
            continue;
        };
        let locked = place(host.source, lock);
        found.push(
            web.subject,
            Problem::error(
                "iis-handlers-locked",
                format!("`<handlers>` is locked for this file, by {locked}: IIS answers 500.19 with 0x80070021"),
            )
            .at(section.start_tag)
            .help(
                r#"as an administrator: `%windir%\System32\inetsrv\appcmd unlock config -section:system.webServer/handlers`; or put the handler into applicationHost.config, in a <location> of the site"#,
            ),
        );
    }
}

/// What locks the section at `place`; none where nothing does.
fn lock(root: &Element, locations: &[Location], place: &str) -> Option<Span> {
    let declaration = sections(root, "configSections/sectionGroup/section")
        .into_iter()
        .find(|section| section.value("name") == Some("handlers"));
    let mut lock = declaration
        .filter(|section| says(section, "overrideModeDefault", "Deny"))
        .map(|section| section.start_tag);
    let mut applicable: Vec<&Location> = locations
        .iter()
        .filter(|location| location.handlers.is_some() && location.applies_to(place))
        .collect();
    applicable.sort_by_key(|location| location.depth());
    let elements: Vec<&Element> = applicable
        .iter()
        .filter_map(|location| {
            root.elements()
                .find(|element| element.start_tag == location.span)
        })
        .collect();
    for element in &elements {
        if says(element, "overrideMode", "Deny") || says(element, "allowOverride", "false") {
            lock = Some(element.start_tag);
        } else if says(element, "overrideMode", "Allow") || says(element, "allowOverride", "true") {
            lock = None;
        }
    }
    lock.or_else(|| {
        core::iter::once(root)
            .chain(elements)
            .flat_map(|parent| sections(parent, SECTION))
            .find(|section| {
                says(section, "lockItem", "true")
                    || section.value("lockElements").is_some_and(|names| {
                        names
                            .split([',', ' '])
                            .any(|name| matches!(name, "add" | "*"))
                    })
            })
            .map(|section| section.start_tag)
    })
}

fn says(element: &Element, attribute: &str, value: &str) -> bool {
    element
        .value(attribute)
        .is_some_and(|written| written.eq_ignore_ascii_case(value))
}

/// A place in another file, for people.
fn place(source: &Source, span: Span) -> String {
    let place = source.line_column(span.start);
    format!("{}:{}:{}", source.name(), place.line, place.column)
}
