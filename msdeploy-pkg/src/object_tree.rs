//! `archive.xml`: the tree of objects that a package in msdeploy's own layout holds.
//!
//! *Web Deploy package Provider* and *Web Deploy archiveDir Provider*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569019(v=ws.10)>; the
//! format is described nowhere, and what is said here was read from packages that msdeploy wrote.
//!
//! An element is an object, named by its provider. Beside its attributes stand Web Deploy's own, which begin with
//! `MSDeploy.`: `MSDeploy.path="2"` are the flags of the attribute `path`, `MSDeploy.isDest.Type="…"` says that the value
//! of `isDest` is base64 of something typed, and `MSDeploy.MSDeployLinkName` and the like are about the object itself. A
//! folder's files are not in the tree: there is a `dirPath` for the folder, and the files are found in the archive.
//!
//! A `Manifest.xml` is such a tree as well, one that a person wrote.
//!
//! Left out: comments and processing instructions, which msdeploy does not write.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use spanned_xml::{Attribute, Document, Element, Problem, Problems, Source, XmlWriter};

use crate::provider_options::{KEY_ATTRIBUTE, PROVIDER_OPTIONS_ATTRIBUTE, ProviderOptions};
use crate::{Error, ProviderDescription};

/// What Web Deploy's own attributes begin with.
const PREFIX: &str = "MSDeploy.";

/// The attribute that says by which link an object hangs on the one around it: `Child1`, `createApp`, `contentPath`, …
pub const LINK_NAME_ATTRIBUTE: &str = "MSDeploy.MSDeployLinkName";

/// The type of `isDest`: one octet, 0 or 1.
pub(crate) const BOOLEAN_TYPE: &str =
    "Microsoft.Web.Deployment.DeploymentObjectBooleanAttributeValue";

/// An object and those inside it: the element of an `archive.xml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeploymentObject {
    /// The element's name, as written: the provider's, or for the objects that make up a provider's content
    /// `MSDeploy.dirPath` and the like.
    pub name: String,
    /// All attributes in order, Web Deploy's own among them, as written.
    pub attributes: Vec<(String, String)>,
    /// Text inside the element, joined; no package that is known has any.
    pub text: String,
    /// The objects inside, in order.
    pub children: Vec<Self>,
}

/// A tree of objects: a whole `archive.xml`, or a `Manifest.xml` as one.
///
/// ```
/// use msdeploy_pkg::ObjectTree;
/// use spanned_xml::Source;
///
/// let text = r#"<sitemanifest>
///   <iisApp path="App" MSDeploy.path="2" MSDeploy.MSDeployLinkName="Child1" />
/// </sitemanifest>"#;
/// let tree = ObjectTree::parse(&Source::from_text("archive.xml", text))?;
/// let application = &tree.root.children[0];
/// assert_eq!(application.value("path"), Some("App"));
/// assert_eq!(application.flags("path"), Some(2));
/// assert_eq!(application.link_name(), Some("Child1"));
/// assert!(tree.encode().starts_with(b"\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<sitemanifest>\r\n  <iisApp "));
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectTree {
    /// The root: `sitemanifest` where a manifest was packed, `MSDeploy.iisApp` and the like where one provider was.
    pub root: DeploymentObject,
}

/// The value of an attribute that has a type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypedValue {
    /// `DeploymentObjectBooleanAttributeValue`.
    Boolean(bool),
    /// Any other type: its name and its octets.
    Other {
        /// The class, for example `Microsoft.Web.Deployment.…`.
        class: String,
        /// What base64 holds.
        octets: Vec<u8>,
    },
}

impl ObjectTree {
    /// A tree with nothing in its root.
    #[must_use]
    pub fn new(root_name: impl Into<String>) -> Self {
        Self {
            root: DeploymentObject::new(root_name),
        }
    }

    /// Reads an `archive.xml` or a manifest.
    ///
    /// # Errors
    ///
    /// XML faults, and attributes that differ in letter case only.
    pub fn parse(source: &Source) -> Result<Self, Problems> {
        let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
        let mut problems = Vec::new();
        let root = object(document.root(), &mut problems);
        Problems::or_value(source, problems, Self { root }).map(|(tree, _)| tree)
    }

    /// The octets of an `archive.xml` as msdeploy writes them: UTF-8 with a byte order mark, an XML declaration, two
    /// spaces a level, CR LF, and none at the end.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut xml = XmlWriter::new("  ", "\r\n");
        xml.declaration();
        write(&self.root, &mut xml);
        with_mark(&xml.finish())
    }

    /// As [`ObjectTree::encode`], for the files of a package that have no XML declaration.
    pub(crate) fn encode_without_declaration(&self) -> Vec<u8> {
        let mut xml = XmlWriter::new("  ", "\r\n");
        write(&self.root, &mut xml);
        with_mark(&xml.finish())
    }
}

/// What msdeploy makes of text that it writes into a package.
pub(crate) fn with_mark(text: &str) -> Vec<u8> {
    let mut octets = b"\xEF\xBB\xBF".to_vec();
    octets.extend(text.trim_end().as_bytes());
    octets
}

impl DeploymentObject {
    /// An object without attributes.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// With one more attribute.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// With one more attribute and its flags.
    #[must_use]
    pub fn with_flags(self, name: &str, value: impl Into<String>, flags: u32) -> Self {
        self.with(name, value)
            .with(format!("{PREFIX}{name}"), flags.to_string())
    }

    /// The value of an attribute, whatever the case of ASCII letters.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The attributes of the object itself, without Web Deploy's own.
    pub fn own_attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes
            .iter()
            .filter(|(name, _)| !is_msdeploy_name(name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The flags of an attribute, `MSDeploy.NAME`: 1 and 2 are known, their meaning is not.
    #[must_use]
    pub fn flags(&self, name: &str) -> Option<u32> {
        self.value(&format!("{PREFIX}{name}"))?.trim().parse().ok()
    }

    /// The value of an attribute with a type, `MSDeploy.NAME.Type`; `None` for one without, or whose value is not
    /// what its type says.
    #[must_use]
    pub fn typed(&self, name: &str) -> Option<TypedValue> {
        let class = self.value(&format!("{PREFIX}{name}.Type"))?;
        let octets = STANDARD.decode(self.value(name)?).ok()?;
        if class != BOOLEAN_TYPE {
            let class = class.to_owned();
            return Some(TypedValue::Other { class, octets });
        }
        match octets[..] {
            [octet] => Some(TypedValue::Boolean(octet != 0)),
            _ => None,
        }
    }

    /// A whole number that is base64 of eight octets, the lowest first: the `size` of an `sqlScript`.
    #[must_use]
    pub fn int64(&self, name: &str) -> Option<i64> {
        let octets = STANDARD.decode(self.value(name)?).ok()?;
        Some(i64::from_le_bytes(octets.try_into().ok()?))
    }

    /// A time that is base64 of .NET's `DateTime.ToBinary`, in seconds since 1970 UTC: the `lastWriteTime` of an
    /// `sqlScript`.
    #[must_use]
    pub fn date_time(&self, name: &str) -> Option<i64> {
        // The two highest bits say which kind of time it is; the others count 100 ns since the year 1.
        const TICKS: i64 = 0x3FFF_FFFF_FFFF_FFFF;
        const UNIX_EPOCH: i64 = 62_135_596_800;
        Some((self.int64(name)? & TICKS) / 10_000_000 - UNIX_EPOCH)
    }

    /// `MSDeploy.MSDeployLinkName`.
    #[must_use]
    pub fn link_name(&self) -> Option<&str> {
        self.value(LINK_NAME_ATTRIBUTE)
    }

    /// `MSDeploy.MSDeployKeyAttributeName`: the attribute by which two objects are told apart.
    #[must_use]
    pub fn key_attribute_name(&self) -> Option<&str> {
        self.value(KEY_ATTRIBUTE)
    }

    /// The value of the key attribute: what the object deploys. It is looked for under the name that the object gives,
    /// that of its provider, and `path`.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        let of_provider = self.provider().map(|provider| provider.key_attribute);
        [self.key_attribute_name(), of_provider, Some("path")]
            .into_iter()
            .flatten()
            .find_map(|name| self.value(name))
    }

    /// `MSDeploy.MSDeployProviderOptions`, decoded.
    ///
    /// # Errors
    ///
    /// As [`ProviderOptions::decode`].
    pub fn provider_options(&self) -> Result<Option<ProviderOptions>, Error> {
        self.value(PROVIDER_OPTIONS_ATTRIBUTE)
            .map(ProviderOptions::decode)
            .transpose()
    }

    /// The provider's name without the `MSDeploy.` that content objects have, where what is left can be a name.
    #[must_use]
    pub fn provider_name(&self) -> &str {
        self.name
            .get(PREFIX.len()..)
            .filter(|rest| is_msdeploy_name(&self.name) && rest.starts_with(char::is_alphabetic))
            .unwrap_or(&self.name)
    }

    /// What is known of the provider.
    #[must_use]
    pub fn provider(&self) -> Option<&'static ProviderDescription> {
        ProviderDescription::of(self.provider_name())
    }

    /// The `MSDeploy.ObjectResolver.…` attributes of a root: a provider and the .NET class that finds its objects.
    pub fn resolvers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().filter_map(|(name, class)| {
            let provider = name.strip_prefix("MSDeploy.ObjectResolver.")?;
            Some((provider, class.as_str()))
        })
    }
}

/// Whether a name is one of Web Deploy's own attributes or objects.
pub(crate) fn is_msdeploy_name(name: &str) -> bool {
    name.get(..PREFIX.len())
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
}

fn object(element: &Element, problems: &mut Vec<Problem>) -> DeploymentObject {
    let mut known: HashMap<String, &Attribute> = HashMap::new();
    for attribute in &element.attributes {
        if let Some(other) = known.insert(attribute.name.to_ascii_lowercase(), attribute) {
            problems.push(
                Problem::error(
                    "object-tree-attribute-twice",
                    format!(
                        "`{}` and `{}` are the same attribute to Web Deploy",
                        other.name, attribute.name
                    ),
                )
                .at(attribute.name_span)
                .related(other.name_span, "first here")
                .help("keep one of them"),
            );
        }
    }
    let text = element.text();
    DeploymentObject {
        name: element.name.clone(),
        attributes: element
            .attributes
            .iter()
            .map(|attribute| (attribute.name.clone(), attribute.value.clone()))
            .collect(),
        text: if text.trim().is_empty() {
            String::new()
        } else {
            text
        },
        children: element
            .elements()
            .map(|child| object(child, problems))
            .collect(),
    }
}

fn write(object: &DeploymentObject, xml: &mut XmlWriter) {
    xml.start(&object.name);
    for (name, value) in &object.attributes {
        xml.attribute(name, value);
    }
    xml.text(&object.text);
    for child in &object.children {
        write(child, xml);
    }
    xml.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ObjectTree {
        ObjectTree::parse(&Source::from_text("archive.xml", text)).unwrap()
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = "\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<sitemanifest MSDeploy.ObjectResolver.dirPath=\"A.B\">\r\n  \
                    <contentPath path=\"C:\\x &amp; &quot;y&quot;\" MSDeploy.path=\"2\">\r\n    <MSDeploy.dirPath path=\"C:\\x\" />\r\n  \
                    </contentPath>\r\n  <t>a &lt; b</t>\r\n</sitemanifest>";
        let source = Source::decode("archive.xml", text.as_bytes()).unwrap();
        let tree = ObjectTree::parse(&source).unwrap();
        assert_eq!(String::from_utf8(tree.encode()).unwrap(), text);
        let resolvers: Vec<_> = tree.root.resolvers().collect();
        assert_eq!(resolvers, [("dirPath", "A.B")]);
        let content = &tree.root.children[0];
        assert_eq!(content.key(), Some("C:\\x & \"y\""));
        assert_eq!(content.children[0].provider_name(), "dirPath");
        assert_eq!(content.children[0].provider().unwrap().name, "dirPath");
        assert_eq!(content.own_attributes().count(), 1);
    }

    #[test]
    fn a_providers_name_is_a_name() {
        for (name, provider) in [
            ("MSDeploy.dirPath", "dirPath"),
            ("msdeploy.x", "x"),
            ("MSDeploy.", "MSDeploy."),
            ("MSDeploy.1", "MSDeploy.1"),
            ("MSDeploy.-x", "MSDeploy.-x"),
            ("dirPath", "dirPath"),
        ] {
            let tree = parse(&format!("<{name}/>"));
            assert_eq!(tree.root.provider_name(), provider);
        }
    }

    #[test]
    fn typed_values() {
        let tree = parse(&format!(
            "<m a='AA==' MSDeploy.a.Type='{BOOLEAN_TYPE}' b='AQ==' MSDeploy.b.Type='{BOOLEAN_TYPE}' c='AQE=' MSDeploy.c.Type='{BOOLEAN_TYPE}' \
             d='AQI=' MSDeploy.d.Type='X' e='?' MSDeploy.e.Type='X' f='AA==' MSDeploy.f='1' size='eQUAAAAAAAA=' lastWriteTime='AIBsL+7aC0g='/>"
        ));
        let root = &tree.root;
        assert_eq!(root.typed("a"), Some(TypedValue::Boolean(false)));
        assert_eq!(root.typed("B"), Some(TypedValue::Boolean(true)));
        assert_eq!(root.typed("c"), None);
        assert_eq!(
            root.typed("d"),
            Some(TypedValue::Other {
                class: "X".to_owned(),
                octets: vec![1, 2]
            })
        );
        assert_eq!((root.typed("e"), root.typed("f")), (None, None));
        assert_eq!(root.flags("f"), Some(1));
        assert_eq!(root.int64("size"), Some(1401));
        assert_eq!(root.int64("a"), None);
    }

    #[test]
    fn times_are_those_of_dot_net() {
        // 2009-09-21 21:30:56 UTC, of the kind UTC and of none.
        let ticks: i64 = (1_253_568_656 + 62_135_596_800) * 10_000_000;
        for kind in [0, 1 << 62] {
            let value = STANDARD.encode((ticks | kind).to_le_bytes());
            let object = DeploymentObject::new("sqlScript").with("lastWriteTime", value);
            assert_eq!(object.date_time("lastWriteTime"), Some(1_253_568_656));
        }
    }

    #[test]
    fn attributes_that_differ_in_case_only_are_a_fault() {
        let problems = ObjectTree::parse(&Source::from_text(
            "archive.xml",
            "<m>\n<a path='1' Path='2'/></m>",
        ))
        .unwrap_err();
        assert_eq!(problems.problems[0].code, "object-tree-attribute-twice");
        assert!(
            problems.to_string().contains("archive.xml:2:13"),
            "{problems}"
        );
    }

    #[test]
    fn keys() {
        let tree = parse(
            "<m><alias from='a' to='b'/><x MSDeploy.MSDeployKeyAttributeName='name' name='n' path='p'/><webServer/></m>",
        );
        let keys: Vec<Option<&str>> = tree
            .root
            .children
            .iter()
            .map(DeploymentObject::key)
            .collect();
        assert_eq!(keys, [Some("a"), Some("n"), None]);
    }
}
