//! Rules for `osList` and `os`.

use spanned_xml::{Element, Problem};

use super::{Checker, children, content, value};
use crate::OsType;

impl Checker<'_> {
    /// Checks a list of operating systems.
    pub(super) fn os_list(&mut self, list: &Element) {
        if self.reference(list, "osList") {
            return;
        }
        if list.child("os").is_none() {
            self.push(
                Problem::error(
                    "webpi-os-list-empty",
                    "the list of operating systems is empty",
                )
                .at(list.span)
                .help(
                    "add `<os>`, or remove the list: an installer without one is for every version",
                ),
            );
        }
        for os in children(list, "os") {
            self.os(os);
        }
    }

    /// Checks an operating system.
    pub(super) fn os(&mut self, os: &Element) {
        if self.reference(os, "os") {
            return;
        }
        for version in os
            .elements()
            .filter(|child| child.is("minimumVersion") || child.is("maximumVersion"))
        {
            if version.child("osMajorVersion").is_none() {
                self.push(
                    Problem::error(
                        "webpi-os-major-version-missing",
                        format!("`{}` has no `osMajorVersion`", version.name),
                    )
                    .at(version.start_tag)
                    .help("add `<osMajorVersion>`: 6 is Windows Vista to 8.1, 10 is Windows 10"),
                );
            }
            for part in version.elements() {
                let is_part = [
                    "osMajorVersion",
                    "osMinorVersion",
                    "spMajorVersion",
                    "spMinorVersion",
                ]
                .iter()
                .any(|name| part.is(name));
                let text = value(part);
                if is_part && text.parse::<u32>().is_err() {
                    self.push(
                        Problem::error(
                            "webpi-os-version-number",
                            format!("`{text}` in `{}` is not a whole number", part.name),
                        )
                        .at(content(part))
                        .help("write a number from 0"),
                    );
                }
            }
        }
        for kind in children(os, "osTypes").flat_map(Element::elements) {
            if !OsType::ALL.iter().any(|known| kind.is(known.name())) {
                self.push(
                    Problem::warning(
                        "webpi-os-type",
                        format!("`{}` is not an edition of Windows", kind.name),
                    )
                    .at(kind.name_span)
                    .help(format!(
                        "the editions are {}",
                        OsType::ALL
                            .map(|known| format!("`{}`", known.name()))
                            .join(", ")
                    )),
                );
            }
        }
    }
}
