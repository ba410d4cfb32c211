//! Rules for `discoveryHint`.

use spanned_xml::{Element, Problem};

use super::{Checker, children, content, filled, value};

/// The roots of the registry by their full names: WebPI did not take the short ones.
const ROOTS: [(&str, &str); 5] = [
    ("HKEY_LOCAL_MACHINE", "HKLM"),
    ("HKEY_CURRENT_USER", "HKCU"),
    ("HKEY_CLASSES_ROOT", "HKCR"),
    ("HKEY_CURRENT_CONFIG", "HKCC"),
    ("HKEY_USERS", "HKU"),
];

impl Checker<'_> {
    /// Checks a discovery hint and all inside it.
    pub(super) fn discovery_hint(&mut self, hint: &Element) {
        if self.reference(hint, "discoveryHint") {
            return;
        }
        let all: Vec<&Element> = hint.elements().collect();
        match all.as_slice() {
            [] => self.push(
                Problem::error("webpi-hint-empty", "the discovery hint says nothing")
                    .at(hint.span)
                    .help("put one `<registry>`, `<file>`, `<msiProductCode>`, `<and>` or `<or>` into it, or leave it out"),
            ),
            [only] => self.discovery_rule(only),
            [first, .., last] => self.push(
                Problem::error("webpi-hint-children", format!("the discovery hint has {} elements in it, and may have one", all.len()))
                    .at(last.span)
                    .related(first.span, "the first")
                    .help("put each into a `<discoveryHint>` of its own, and those into one `<and>` or `<or>`"),
            ),
        }
    }

    fn discovery_rule(&mut self, rule: &Element) {
        match rule.name.to_ascii_lowercase().as_str() {
            "registry" => self.registry(rule),
            "file" => {
                self.required(rule, "filePath", "webpi-hint-file-path-missing");
                self.version(rule, "minimumVersion");
            }
            "msiproductcode" | "msipatchcode" => {
                if !is_guid(&value(rule)) {
                    self.push(
                        Problem::error("webpi-hint-msi-code", format!("`{}` is not a code of Windows Installer", value(rule)))
                            .at(content(rule))
                            .help("write the GUID in braces: `{8-4-4-4-12 hexadecimal digits}`"),
                    );
                }
            }
            "and" | "or" | "not" => {
                let mut count = 0;
                for child in rule.elements() {
                    if child.is("discoveryHint") {
                        count += 1;
                        self.discovery_hint(child);
                    } else {
                        self.push(
                            Problem::error("webpi-hint-unexpected", format!("`{}` cannot stand in `{}`", child.name, rule.name))
                                .at(child.name_span)
                                .help("put it into a `<discoveryHint>` of its own"),
                        );
                    }
                }
                let least = if rule.is("not") { 1 } else { 2 };
                if count < least {
                    self.push(
                        Problem::error("webpi-hint-too-few", format!("`{}` has {count} `discoveryHint` in it, and must have {least} or more", rule.name))
                            .at(rule.name_span)
                            .help(format!("add another, or remove the `<{}>`", rule.name)),
                    );
                }
            }
            _ => self.push(
                Problem::error("webpi-hint-unexpected", format!("`{}` cannot stand in `discoveryHint`", rule.name))
                    .at(rule.name_span)
                    .help("use `registry`, `file`, `msiProductCode`, `msiPatchCode`, `and`, `or` or `not`"),
            ),
        }
    }

    fn registry(&mut self, registry: &Element) {
        self.required(registry, "keyPath", "webpi-hint-key-path-missing");
        if let Some((element, path)) = filled(registry, "keyPath") {
            let root = path.split('\\').next().unwrap_or_default();
            let known = path.contains('\\')
                && ROOTS
                    .iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case(root));
            if !known {
                let help = match ROOTS
                    .iter()
                    .find(|(_, short)| short.eq_ignore_ascii_case(root))
                {
                    Some((name, short)) => format!("write `{name}` for `{short}`"),
                    None => format!(
                        "begin with {}",
                        ROOTS.map(|(name, _)| format!("`{name}\\`")).join(", ")
                    ),
                };
                self.push(
                    Problem::error(
                        "webpi-hint-key-path-root",
                        format!("`{path}` does not begin with a root of the registry"),
                    )
                    .at(content(element))
                    .help(help),
                );
            }
        }
        let compares = [
            "valueValue",
            "minimumVersion",
            "maximumVersion",
            "minimumValue",
            "maximumValue",
        ];
        if registry.child("valueName").is_none()
            && let Some(compare) = compares.iter().find_map(|name| registry.child(name))
        {
            self.push(
                Problem::warning(
                    "webpi-hint-value-name-missing",
                    format!(
                        "`{}` has nothing to compare with: there is no `valueName`",
                        compare.name
                    ),
                )
                .at(compare.name_span)
                .help("add `<valueName>`"),
            );
        }
        self.version(registry, "minimumVersion");
        self.version(registry, "maximumVersion");
    }

    /// WebPI took 0 for a version that it did not understand.
    fn version(&mut self, parent: &Element, name: &str) {
        for version in children(parent, name) {
            let text = value(version);
            let parts: Vec<&str> = text.split('.').collect();
            if parts.len() > 4 || parts.iter().any(|part| part.parse::<u32>().is_err()) {
                self.push(
                    Problem::warning(
                        "webpi-hint-version",
                        format!("`{text}` is not a version, and counts as 0"),
                    )
                    .at(content(version))
                    .help("write up to four numbers with dots between them"),
                );
            }
        }
    }
}

fn is_guid(text: &str) -> bool {
    let Some(inner) = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    else {
        return false;
    };
    let parts: Vec<&str> = inner.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts
            .iter()
            .all(|part| part.bytes().all(|octet| octet.is_ascii_hexdigit()))
}
