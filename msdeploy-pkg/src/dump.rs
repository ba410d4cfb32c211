//! What a package holds, as `-verb:dump` shows it.
//!
//! *Web Deploy dump Operation*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569105(v=ws.10)>: the
//! objects of each provider with what is inside of them; with `-xml`, an element for each object, named by its provider,
//! in an `<output>`. The form of that XML is the one in published logs of msdeploy.
//!
//! Left out: access control lists (`securityDescriptor`), which packages made here do not have; objects that only a
//! Windows computer knows, for example IIS's configuration of a site. `-showSecure` as well: a password in a provider's
//! settings is not shown.

use core::fmt::{self, Write as _};

use serde::{Serialize, Serializer};
use spanned_xml::XmlWriter;

use crate::archive::{Layout, PackageEntry, Timestamp};
use crate::content_map::ContentMap;
use crate::manifest::Manifest;
use crate::object_tree::{DeploymentObject, ObjectTree};
use crate::provider::is_secure;

/// What is shown for a password.
pub(crate) const HIDDEN: &str = "********";

/// Folders are shown inside of one another as deep as this; below that a file's path says where it is.
const MAX_DEPTH: usize = 64;

/// What a package holds.
///
/// ```
/// use msdeploy_pkg::{Layout, Manifest, ObjectTree, PackageDump};
/// use spanned_xml::Source;
///
/// let source = Source::from_text("Manifest.xml", r#"<m><setAcl path="App" setAclAccess="Read" /></m>"#);
/// let (tree, (manifest, _)) = (ObjectTree::parse(&source)?, Manifest::parse(&source)?);
/// let dump = PackageDump::new(Layout::Gallery, &tree, &manifest, &[]);
/// assert_eq!(dump.to_string(), "setAcl: App (setAclAccess=Read)\n");
/// assert!(dump.to_xml().contains("    <setAcl path=\"App\" setAclAccess=\"Read\" />\n"));
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PackageDump {
    /// How the package is laid out.
    #[serde(serialize_with = "layout_name")]
    pub layout: Layout,
    /// The name of the manifest's root element.
    pub root: String,
    /// The providers, in order.
    pub objects: Vec<DumpedObject>,
    /// Entries of the archive that belong to no provider, for example the XML files.
    pub other_entries: Vec<String>,
}

/// An object: a provider of the manifest, or one inside of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DumpedObject {
    /// The provider, in Web Deploy's spelling where it has it.
    pub provider: String,
    /// The attributes of the object, `path` among them, in order.
    #[serde(serialize_with = "map")]
    pub attributes: Vec<(String, String)>,
    /// The settings that its provider options carry.
    #[serde(serialize_with = "map", skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<(String, String)>,
    /// The objects inside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Self>,
    /// The files and folders of its content, folders before what is in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<DumpedContent>,
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DumpedContent {
    /// `dirPath` or `filePath`.
    pub provider: &'static str,
    /// Its path below the object's, with forward slashes.
    pub path: String,
    /// A file's length in octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Windows' attributes as .NET names them, for example `ReadOnly, Archive`.
    pub attributes: String,
    /// When a file was last written, `2009-08-07 16:30:26`, in the time of the computer that packed it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    pub last_write_time: Option<Timestamp>,
    /// The CRC-32 of a file, eight hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc32: Option<String>,
}

impl PackageDump {
    /// Describes a package: its tree of objects, the manifest as read from the same file, and the archive's entries.
    #[must_use]
    pub fn new(
        layout: Layout,
        tree: &ObjectTree,
        manifest: &Manifest,
        entries: &[PackageEntry],
    ) -> Self {
        let map = ContentMap::new(layout, manifest);
        let mut objects: Vec<DumpedObject> = tree.root.children.iter().map(dumped).collect();
        let mut other_entries = Vec::new();
        for entry in entries {
            // The manifest's providers are the children of the tree's root.
            let place = map.locate(&entry.path).and_then(|(root, path)| {
                let object = objects.get_mut(root.provider)?;
                Some((object, path))
            });
            match place {
                // The folder itself is the object.
                Some((_, "")) if entry.is_directory => {}
                Some((object, path)) => holder(object).content.push(content(entry, path)),
                None => other_entries.push(entry.path.clone()),
            }
        }
        for object in &mut objects {
            // Alphabetical with a folder right before what is in it, whatever the archive's order.
            holder(object)
                .content
                .sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
        }
        Self {
            layout,
            root: tree.root.name.clone(),
            objects,
            other_entries,
        }
    }

    /// As `-verb:dump -xml` shows it.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = XmlWriter::new("  ", "\n");
        xml.start("output");
        xml.start(&self.root);
        for object in &self.objects {
            write_xml(object, &mut xml);
        }
        xml.finish()
    }
}

impl fmt::Display for PackageDump {
    /// An object a line, indented by what it is in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for object in &self.objects {
            write_text(object, 0, f)?;
        }
        for entry in &self.other_entries {
            writeln!(f, "entry: {entry}")?;
        }
        Ok(())
    }
}

/// The object that has the files of a provider: in an `archive.xml` the `dirPath` inside of it, else itself.
fn holder(object: &mut DumpedObject) -> &mut DumpedObject {
    let is_inner = |inner: &DumpedObject| {
        inner.provider == "contentPath"
            || inner.provider == "dirPath"
            || inner.provider == "filePath"
    };
    match object.objects.iter().position(is_inner) {
        Some(place) => holder(&mut object.objects[place]),
        None => object,
    }
}

fn dumped(object: &DeploymentObject) -> DumpedObject {
    let provider = object.provider();
    let options = object.provider_options().ok().flatten();
    let hide = |(name, value): (String, String)| {
        let value = if is_secure(&name) {
            HIDDEN.to_owned()
        } else {
            value
        };
        (name, value)
    };
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    DumpedObject {
        provider: provider
            .map_or_else(|| object.provider_name(), |provider| provider.name)
            .to_owned(),
        attributes: object.own_attributes().map(owned).map(hide).collect(),
        settings: options
            .into_iter()
            .flat_map(|options| options.settings)
            .map(hide)
            .collect(),
        objects: object.children.iter().map(dumped).collect(),
        content: Vec::new(),
    }
}

fn content(entry: &PackageEntry, path: &str) -> DumpedContent {
    let is_file = !entry.is_directory;
    // The content of a provider that is one file is that file.
    let path = if path.is_empty() {
        entry.path.rsplit('/').next().unwrap_or_default()
    } else {
        path
    };
    DumpedContent {
        provider: if is_file { "filePath" } else { "dirPath" },
        path: path.to_owned(),
        size: is_file.then_some(entry.size),
        attributes: attribute_names(if is_file {
            entry.attributes
        } else {
            entry.attributes | 0x10
        }),
        last_write_time: is_file.then_some(entry.modified),
        crc32: is_file.then(|| format!("{:08x}", entry.crc32)),
    }
}

/// As .NET writes a `FileAttributes`.
fn attribute_names(attributes: u32) -> String {
    const NAMES: [(u32, &str); 14] = [
        (0x1, "ReadOnly"),
        (0x2, "Hidden"),
        (0x4, "System"),
        (0x10, "Directory"),
        (0x20, "Archive"),
        (0x40, "Device"),
        (0x80, "Normal"),
        (0x100, "Temporary"),
        (0x200, "SparseFile"),
        (0x400, "ReparsePoint"),
        (0x800, "Compressed"),
        (0x1000, "Offline"),
        (0x2000, "NotContentIndexed"),
        (0x4000, "Encrypted"),
    ];
    let known: u32 = NAMES.iter().map(|(bit, _)| bit).sum();
    if attributes == 0 || attributes & !known != 0 {
        return attributes.to_string();
    }
    NAMES
        .iter()
        .filter(|(bit, _)| attributes & bit != 0)
        .map(|&(_, name)| name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn write_xml(object: &DumpedObject, xml: &mut XmlWriter) {
    xml.start(&object.provider);
    let mut written: Vec<String> = Vec::new();
    for (name, value) in object.attributes.iter().chain(&object.settings) {
        let lower = name.to_ascii_lowercase();
        if is_xml_name(name) && !written.contains(&lower) {
            xml.attribute(name, value);
            written.push(lower);
        }
    }
    for child in &object.objects {
        write_xml(child, xml);
    }
    write_content(&object.content, xml);
    xml.end();
}

/// Folders around what is in them.
fn write_content(content: &[DumpedContent], xml: &mut XmlWriter) {
    let mut open: Vec<&str> = Vec::new();
    for item in content {
        // As many of the open folders as the item is in stay open.
        let parts: Vec<&str> = item.path.split('/').collect();
        let folders = &parts[..parts.len() - 1];
        let common = open.iter().zip(folders).take_while(|(a, b)| a == b).count();
        while open.len() > common {
            xml.end();
            open.pop();
        }
        for folder in folders.iter().take(MAX_DEPTH).skip(common) {
            xml.start("dirPath");
            xml.attribute("path", folder);
            open.push(folder);
        }
        let name = parts[open.len()..].join("/");
        xml.start(item.provider);
        xml.attribute("path", &name);
        if let Some(size) = item.size {
            xml.attribute("size", &size.to_string());
        }
        xml.attribute("attributes", &item.attributes);
        if let Some(time) = item.last_write_time {
            xml.attribute("lastWriteTime", &invariant_time(time));
        }
        if item.provider == "dirPath" && open.len() == folders.len() && open.len() < MAX_DEPTH {
            open.push(parts[parts.len() - 1]);
        } else {
            xml.end();
        }
    }
    for _ in open {
        xml.end();
    }
}

/// `08/07/2009 16:30:26`: .NET's invariant culture.
fn invariant_time(time: Timestamp) -> String {
    let text = time.to_string();
    match (
        text.get(..4),
        text.get(5..7),
        text.get(8..10),
        text.get(10..),
    ) {
        (Some(year), Some(month), Some(day), Some(rest)) => format!("{month}/{day}/{year}{rest}"),
        _ => text,
    }
}

/// Whether a setting's name, which may be any text in provider options, can be that of an attribute.
fn is_xml_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"_-.".contains(&octet))
}

fn write_text(object: &DumpedObject, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let indent = 2 * depth;
    let path = object
        .attributes
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("path"))
        .map_or("", |(_, path)| path);
    let mut line = format!("{}: {path}", object.provider);
    let rest: Vec<String> = object
        .attributes
        .iter()
        .filter(|(name, value)| !name.eq_ignore_ascii_case("path") && !value.is_empty())
        .chain(&object.settings)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if !rest.is_empty() {
        write!(line, " ({})", rest.join(", "))?;
    }
    writeln!(f, "{:indent$}{}", "", line.trim_end())?;
    for child in &object.objects {
        write_text(child, depth + 1, f)?;
    }
    let indent = indent + 2;
    for item in &object.content {
        write!(f, "{:indent$}{}: {}", "", item.provider, item.path)?;
        match (item.size, item.last_write_time) {
            (Some(size), Some(time)) => writeln!(f, " ({size} octets, {time})")?,
            _ => writeln!(f)?,
        }
    }
    Ok(())
}

fn map<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

fn time<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}

fn layout_name<S: Serializer>(layout: &Layout, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match layout {
        Layout::Gallery => "gallery",
        Layout::Package => "package",
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use spanned_xml::Source;

    use super::*;
    use crate::archive::{PackageLimits, PackageReader, PackageWriter};
    use crate::provider_options::ProviderOptions;

    fn dump(manifest: &str, files: &[&str]) -> PackageDump {
        let mut writer = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
        writer
            .add("Manifest.xml", &mut manifest.as_bytes())
            .unwrap();
        for name in files {
            match name.strip_suffix('/') {
                Some(folder) => writer.add_directory(folder).unwrap(),
                None => {
                    writer.add(name, &mut name.as_bytes()).unwrap();
                }
            }
        }
        let reader =
            PackageReader::open(writer.finish().unwrap(), PackageLimits::default()).unwrap();
        let source = Source::from_text("Manifest.xml", manifest);
        let tree = ObjectTree::parse(&source).unwrap();
        let (manifest, _) = Manifest::parse(&source).unwrap();
        PackageDump::new(reader.layout(), &tree, &manifest, reader.entries())
    }

    #[test]
    fn text_and_xml() {
        let mut options = ProviderOptions::new("runCommand", "x");
        options.settings = vec![
            ("waitAttempts".into(), "10".into()),
            ("Password".into(), "secret".into()),
        ];
        let manifest = format!(
            "<MSDeploy.iisApp><iisapp path='App' managedRuntimeVersion=''/><runCommand path='x' MSDeploy.MSDeployProviderOptions='{}'/></MSDeploy.iisApp>",
            options.encode()
        );
        let dump = dump(
            &manifest,
            &[
                "App/b.py",
                "App/a/x/y",
                "App/",
                "App/a/",
                "App/a-b",
                "readme",
            ],
        );
        assert_eq!(
            dump.to_string(),
            "iisApp: App\n  dirPath: a\n  filePath: a/x/y (9 octets, 1980-01-01 00:00:00)\n  filePath: a-b (7 octets, 1980-01-01 00:00:00)\n  \
             filePath: b.py (8 octets, 1980-01-01 00:00:00)\nrunCommand: x (waitAttempts=10, Password=********)\nentry: Manifest.xml\nentry: readme\n"
        );
        assert_eq!(
            dump.to_xml(),
            r#"<output>
  <MSDeploy.iisApp>
    <iisApp path="App" managedRuntimeVersion="">
      <dirPath path="a" attributes="Directory">
        <dirPath path="x">
          <filePath path="y" size="9" attributes="Archive" lastWriteTime="01/01/1980 00:00:00" />
        </dirPath>
      </dirPath>
      <filePath path="a-b" size="7" attributes="Archive" lastWriteTime="01/01/1980 00:00:00" />
      <filePath path="b.py" size="8" attributes="Archive" lastWriteTime="01/01/1980 00:00:00" />
    </iisApp>
    <runCommand path="x" waitAttempts="10" Password="********" />
  </MSDeploy.iisApp>
</output>
"#
        );
        let json = serde_json::to_value(&dump).unwrap();
        assert_eq!(json["layout"], "gallery");
        assert_eq!(json["objects"][0]["content"][1]["path"], "a/x/y");
        assert_eq!(json["objects"][0]["content"][1]["size"], 9);
        assert_eq!(json["objects"][1]["settings"]["waitAttempts"], "10");
        assert!(!json.to_string().contains("secret"));
    }

    #[test]
    fn deep_folders_do_not_nest_without_end() {
        let deep = format!("App/{}f", "d/".repeat(500));
        let dump = dump("<m><iisApp path='App'/></m>", &[deep.as_str()]);
        let xml = dump.to_xml();
        assert_eq!(xml.matches("<dirPath").count(), MAX_DEPTH);
        assert!(xml.contains(&format!(
            "<filePath path=\"{}f\"",
            "d/".repeat(500 - MAX_DEPTH)
        )));
        assert_eq!(xml.matches("</dirPath>").count(), MAX_DEPTH);
    }

    #[test]
    fn attributes_as_dot_net_names_them() {
        for (attributes, expected) in [
            (0x20, "Archive"),
            (0x21, "ReadOnly, Archive"),
            (0x10, "Directory"),
            (0x820, "Archive, Compressed"),
            (0, "0"),
            (0x8_0020, "524320"),
        ] {
            assert_eq!(attribute_names(attributes), expected);
        }
    }
}
