//! `discoveryHint`: how to see whether a product is installed already.
//!
//! *Web Platform Installer Feed Reference*, "discoveryHint Element"
//! <https://learn.microsoft.com/en-us/previous-versions/ee424332(v=ws.10)>. `msiPatchCode` and `not` are in no published
//! page; WebPI 4 knows their names. Hints are modelled, not evaluated: that needs a Windows registry.

use spanned_xml::TreeElement;

use crate::element::{
    Model, element, leaf_text, read_list, write_attribute, write_leaf, write_list,
};
use crate::extension::{LeafRest, Sink, Taken};
use crate::reference::Reference;
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

    fn read(element: TreeElement<'_, '_>) -> Self {
        let mut this = Self::default();
        let reference = Reference::of(element);
        let mut rest = reference.attributes(&mut this.id, element);
        if let Reference::To(idref) = &reference {
            this.rule = DiscoveryRule::IdRef(idref.clone());
        }
        rest.content(element, |child| match reference {
            Reference::Content => (0, this.rule.take(child)),
            Reference::To(_) | Reference::Malformed => (0, Taken::No),
        });
        this.rest = rest.finish();
        this
    }

    fn write(&self, name: &str, out: &mut dyn Sink) {
        out.start(name);
        write_attribute(self.id.as_deref(), "id", out);
        if let DiscoveryRule::IdRef(idref) = &self.rule {
            out.attribute("idref", idref);
        }
        self.rest.write_attributes(out);
        self.rest.write_content(
            out,
            |out| {
                self.rule.write(None, out);
            },
            &|field, n, leaf, out| field == 0 && n == 0 && self.rule.write(leaf, out),
        );
        out.end();
    }
}

impl DiscoveryRule {
    fn take(&mut self, child: TreeElement<'_, '_>) -> Taken {
        let code = |name| {
            let text = child.is(name).then(|| leaf_text(child)).flatten();
            text.map(|text| text.into_owned())
        };
        let (rule, taken) = if let Some(code) = code("msiProductCode") {
            (Self::MsiProductCode(code), Taken::Leaf(&[]))
        } else if let Some(code) = code("msiPatchCode") {
            (Self::MsiPatchCode(code), Taken::Leaf(&[]))
        } else if child.is("registry") {
            (Self::Registry(Registry::read(child)), Taken::Whole)
        } else if child.is("file") {
            (Self::File(FileHint::read(child)), Taken::Whole)
        } else if child.is("and") {
            (Self::And(read_list(child)), Taken::Whole)
        } else if child.is("or") {
            (Self::Or(read_list(child)), Taken::Whole)
        } else if child.is("not") {
            (Self::Not(read_list(child)), Taken::Whole)
        } else {
            return Taken::No;
        };
        *self = rule;
        taken
    }

    fn write(&self, leaf: Option<&LeafRest>, out: &mut dyn Sink) -> bool {
        match self {
            Self::Malformed | Self::IdRef(_) => return false,
            Self::Registry(registry) => registry.write("registry", out),
            Self::File(file) => file.write("file", out),
            Self::MsiProductCode(code) => write_leaf("msiProductCode", code, leaf, out),
            Self::MsiPatchCode(code) => write_leaf("msiPatchCode", code, leaf, out),
            Self::And(all) => write_list(all, "and", out),
            Self::Or(all) => write_list(all, "or", out),
            Self::Not(all) => write_list(all, "not", out),
        }
        true
    }
}
