//! `discoveryHint`: how to see whether a product is installed already.
//!
//! *Web Platform Installer Feed Reference*, "discoveryHint Element"
//! <https://learn.microsoft.com/en-us/previous-versions/ee424332(v=ws.10)>. `msiPatchCode` and `not` are in no published
//! page; WebPI 4 knows their names. Hints are modelled, not evaluated: that needs a Windows registry.

use spanned_xml::Element;

use crate::element::{Model, element, put_attribute, read_list, write_list};
use crate::extension::{Extension, Fields};
use crate::{List, Rest};

/// `discoveryHint`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryHint {
    /// `id`: the name that `idref` refers to; only in the feed's `discoveryHints`.
    pub id: Option<String>,
    /// What shows that the product is installed.
    pub rule: DiscoveryRule,
    /// What the model has no field for.
    pub rest: Rest,
}

/// What a [`DiscoveryHint`] says; a `discoveryHint` element has exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiscoveryRule {
    /// None of the others: the element is malformed, and kept in [`DiscoveryHint::rest`].
    #[default]
    Malformed,
    /// `registry`: a key or value of the Windows registry.
    Registry(Registry),
    /// `file`: a file of this machine.
    File(FileHint),
    /// `msiProductCode`: the product code of a Windows Installer package, a GUID in braces.
    MsiProductCode(String),
    /// `msiPatchCode`: the patch code of a Windows Installer patch.
    MsiPatchCode(String),
    /// `and`: all of them.
    And(List<DiscoveryHint>),
    /// `or`: one of them.
    Or(List<DiscoveryHint>),
    /// `not`: not this.
    Not(List<DiscoveryHint>),
    /// `idref`: what the hint of this `id` says.
    IdRef(String),
}

/// `registry`: a key alone exists; with `valueName` a value exists; with `valueValue` it equals; the others compare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registry {
    /// `keyPath`: begins with the full name of a root, `HKEY_LOCAL_MACHINE\` for example.
    pub key_path: String,
    /// `valueName`.
    pub value_name: Option<String>,
    /// `valueValue`: what the value must equal.
    pub value_value: Option<String>,
    /// `minimumVersion`: the value as a version must be at least this.
    pub minimum_version: Option<String>,
    /// `maximumVersion`: the value as a version must be at most this.
    pub maximum_version: Option<String>,
    /// `minimumValue`: the value as a number must be at least this.
    pub minimum_value: Option<String>,
    /// `maximumValue`: the value as a number must be at most this.
    pub maximum_value: Option<String>,
    /// What the model has no field for; a second `valueName` and `valueValue` too, whose meaning is not documented.
    pub rest: Rest,
}

element!(Registry, "registry" {} [
    "keyPath" => key_path,
    "valueName" => value_name,
    "valueValue" => value_value,
    "minimumVersion" => minimum_version,
    "maximumVersion" => maximum_version,
    "minimumValue" => minimum_value,
    "maximumValue" => maximum_value,
]);

/// `file`: the file exists, in at least the version given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileHint {
    /// `filePath`, with environment variables: `%ProgramFiles%\…`.
    pub file_path: String,
    /// `minimumVersion` of the file's version resource.
    pub minimum_version: Option<String>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(FileHint, "file" {} [ "filePath" => file_path, "minimumVersion" => minimum_version ]);

impl DiscoveryHint {
    /// A hint on a file.
    #[must_use]
    pub fn file(path: impl Into<String>) -> Self {
        Self {
            rule: DiscoveryRule::File(FileHint {
                file_path: path.into(),
                ..FileHint::default()
            }),
            ..Self::default()
        }
    }
}

impl Model for DiscoveryHint {
    const NAME: &'static str = "discoveryHint";

    fn read(element: &Element) -> Self {
        let mut fields = Fields::new(element);
        let id = fields.attribute("id");
        let mut rule = DiscoveryRule::Malformed;
        if element.attribute_ignore_case("idref").is_some() {
            if element.elements().next().is_none() {
                rule = DiscoveryRule::IdRef(fields.attribute("idref").unwrap_or_default());
            }
        } else if element.elements().count() == 1 {
            let code = |fields: &mut Fields<'_>, name| {
                fields
                    .leaves(name, &[], 1, |child| Some(child.text().trim().to_owned()))
                    .pop()
            };
            if let Some(code) = code(&mut fields, "msiProductCode") {
                rule = DiscoveryRule::MsiProductCode(code);
            } else if let Some(code) = code(&mut fields, "msiPatchCode") {
                rule = DiscoveryRule::MsiPatchCode(code);
            } else if let Some(found) = fields.whole(read_rule) {
                rule = found;
            }
        }
        Self {
            id,
            rule,
            rest: fields.rest(),
        }
    }

    fn write(&self, name: &str) -> Extension {
        let mut tree = Extension::new(name);
        put_attribute(self.id.as_deref(), "id", &mut tree);
        match &self.rule {
            DiscoveryRule::Malformed => {}
            DiscoveryRule::Registry(registry) => tree.push(registry.write("registry")),
            DiscoveryRule::File(file) => tree.push(file.write("file")),
            DiscoveryRule::MsiProductCode(code) => {
                tree.push(Extension::leaf("msiProductCode", code));
            }
            DiscoveryRule::MsiPatchCode(code) => tree.push(Extension::leaf("msiPatchCode", code)),
            DiscoveryRule::And(all) => tree.push(write_list(all, "and")),
            DiscoveryRule::Or(all) => tree.push(write_list(all, "or")),
            DiscoveryRule::Not(all) => tree.push(write_list(all, "not")),
            DiscoveryRule::IdRef(idref) => put_attribute(Some(idref), "idref", &mut tree),
        }
        self.rest.arrange(tree)
    }
}

fn read_rule(child: &Element) -> Option<DiscoveryRule> {
    if child.is("registry") {
        Some(DiscoveryRule::Registry(Registry::read(child)))
    } else if child.is("file") {
        Some(DiscoveryRule::File(FileHint::read(child)))
    } else if child.is("and") {
        Some(DiscoveryRule::And(read_list(child)))
    } else if child.is("or") {
        Some(DiscoveryRule::Or(read_list(child)))
    } else if child.is("not") {
        Some(DiscoveryRule::Not(read_list(child)))
    } else {
        None
    }
}
