//! A package in msdeploy's own layout, as `-dest:package` writes it: which entries it has, in which order, and what is in
//! those that are not content.
//!
//! *Web Deploy package Provider*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569019(v=ws.10)>; read
//! from packages that msdeploy wrote: `archive.xml`, the content of each provider depth first with an entry for every
//! folder, `parameters.xml`, `systemInfo.xml`.
//!
//! Left out: databases, certificates, registry keys and whatever else has content of a form that no known package
//! shows. [`PackageLayout::new`] refuses them.

use spanned_xml::{Problem, Problems, Source};

use crate::archive::Layout;
use crate::content_map::{ContentMap, ContentRoot};
use crate::manifest::{Manifest, Provider};
use crate::object_tree::{BOOLEAN_TYPE, DeploymentObject, LINK_NAME_ATTRIBUTE, ObjectTree};
use crate::provider::{PackagedContent, ProviderDescription};
use crate::provider_options::{KEY_ATTRIBUTE, PROVIDER_OPTIONS_ATTRIBUTE, ProviderOptions};
use crate::system_info::SystemInfo;

/// Windows' attribute of a folder.
pub const DIRECTORY_ATTRIBUTE: u32 = 0x10;
/// Windows' attribute of a file that has changed since its last backup, which new files have.
pub const ARCHIVE_ATTRIBUTE: u32 = 0x20;

/// The providers of which msdeploy names the class that finds their objects.
const RESOLVERS: [(&str, &str); 3] = [
    ("createApp", "CreateApplicationObjectResolver"),
    ("dirPath", "DirPathObjectResolver"),
    ("filePath", "FilePathObjectResolver"),
];

/// What goes into a package of msdeploy's own layout.
///
/// ```
/// use msdeploy_pkg::{LayoutContent, LayoutFile, Manifest, PackageLayout};
/// use spanned_xml::Source;
///
/// let source = Source::from_text("Manifest.xml", r#"<m><iisApp path="App" /></m>"#);
/// let (manifest, _) = Manifest::parse(&source)?;
/// let package = PackageLayout::new(&source, &manifest)?;
/// let (entries, rest) = package.entries(&[LayoutFile::new("App/x.py"), LayoutFile::new("Parameters.xml")]);
/// let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
/// assert_eq!(names, ["archive.xml", "Content/App/", "Content/App/x.py", "systemInfo.xml"]);
/// assert_eq!(entries[2].content, LayoutContent::File(0));
/// assert_eq!(rest, [1]);
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageLayout {
    /// `archive.xml`.
    pub archive: ObjectTree,
    /// `parameters.xml`, as octets.
    pub parameters: Option<Vec<u8>>,
    /// `systemInfo.xml`; [`SystemInfo::without_windows`] unless it is set.
    pub system_info: SystemInfo,
    /// Where the manifest's providers have their content in a package of the gallery's layout, and in this one. The
    /// roots of both go by the same indices.
    from: ContentMap,
    to: ContentMap,
}

/// A file to go into a package.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayoutFile {
    /// The name of its entry in a package of the gallery's layout: below the path of a provider.
    pub path: String,
    /// Windows' file attributes; [`ARCHIVE_ATTRIBUTE`] by default.
    pub attributes: u32,
    /// Whether it is a folder, which only an empty one needs to be listed for.
    pub is_directory: bool,
}

impl LayoutFile {
    /// A file with the attribute of a new file.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            attributes: ARCHIVE_ATTRIBUTE,
            is_directory: false,
        }
    }

    /// A folder.
    #[must_use]
    pub fn directory(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            attributes: DIRECTORY_ATTRIBUTE,
            is_directory: true,
        }
    }

    /// With these attributes, for example `0x21` for a file that must not be written to.
    #[must_use]
    pub fn with_attributes(mut self, attributes: u32) -> Self {
        self.attributes = attributes;
        self
    }
}

/// An entry to write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayoutEntry {
    /// Its name with forward slashes; a folder's ends in one.
    pub name: String,
    /// Windows' file attributes, the lower half of the external attributes: 0 for the XML files.
    pub attributes: u32,
    /// What is in it.
    pub content: LayoutContent,
}

/// What is in an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayoutContent {
    /// These octets.
    Octets(Vec<u8>),
    /// Nothing: a folder.
    Directory,
    /// The file at this place of those that were given.
    File(usize),
}

impl PackageLayout {
    /// The package of a manifest that a person wrote.
    ///
    /// # Errors
    ///
    /// All providers whose content no known package holds, and paths that are no folder of an archive.
    pub fn new(source: &Source, manifest: &Manifest) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let from = ContentMap::new(Layout::Gallery, manifest);
        let to = ContentMap::new(Layout::Package, manifest);
        let mut archive = ObjectTree::new("sitemanifest");
        for (provider, class) in RESOLVERS {
            archive.root.attributes.push((
                format!("MSDeploy.ObjectResolver.{provider}"),
                format!("Microsoft.Web.Deployment.{class}"),
            ));
        }
        for (index, provider) in manifest.providers.iter().enumerate() {
            let has = |map: &ContentMap| map.roots.iter().any(|root| root.provider == index);
            match provider.description() {
                Some(description)
                    if description.key_attribute == "path" && has_plain_content(description) =>
                {
                    if description.content != PackagedContent::None && !(has(&from) && has(&to)) {
                        problems.push(path_fault(provider));
                    }
                    let link = format!("Child{}", index + 1);
                    archive
                        .root
                        .children
                        .push(object(provider, description, link));
                }
                _ => problems.push(provider_fault(provider)),
            }
        }
        let layout = Self {
            archive,
            parameters: None,
            system_info: SystemInfo::without_windows(),
            from,
            to,
        };
        Problems::or_value(source, problems, layout).map(|(layout, _)| layout)
    }

    /// With the parameters of a `Parameters.xml`, written as msdeploy writes them: UTF-8 with a byte order mark, no XML
    /// declaration and no comments, CR LF, two spaces a level.
    ///
    /// # Errors
    ///
    /// XML faults of the file.
    pub fn with_parameters(mut self, source: &Source) -> Result<Self, Problems> {
        self.parameters = Some(ObjectTree::parse(source)?.encode_without_declaration());
        Ok(self)
    }

    /// The entries in the order in which msdeploy writes them, and the places of those files that no provider deploys.
    ///
    /// Inside of a folder, files and folders go by their names in capitals, as Windows lists them.
    #[must_use]
    pub fn entries(&self, files: &[LayoutFile]) -> (Vec<LayoutEntry>, Vec<usize>) {
        let xml = |name: &str, octets: Vec<u8>| LayoutEntry {
            name: name.to_owned(),
            attributes: 0,
            content: LayoutContent::Octets(octets),
        };
        let mut rest = Vec::new();
        let mut trees: Vec<Tree<'_>> = self.to.roots.iter().map(Tree::new).collect();
        for (index, file) in files.iter().enumerate() {
            let tree = self.from.locate(&file.path).and_then(|(root, path)| {
                let tree = trees.iter_mut().find(|t| t.root.provider == root.provider);
                tree.map(|tree| (tree, path))
            });
            match tree {
                // The root of a provider's content is a folder, but for those of which it is known to be a file.
                Some((tree, path))
                    if !path.is_empty()
                        || file.is_directory
                        || tree.root.content == PackagedContent::File =>
                {
                    tree.add(index, file, path);
                }
                _ => rest.push(index),
            }
        }
        let mut entries = vec![xml("archive.xml", self.archive.encode())];
        entries.extend(trees.into_iter().flat_map(Tree::into_entries));
        entries.extend(
            self.parameters
                .iter()
                .map(|octets| xml("parameters.xml", octets.clone())),
        );
        entries.push(xml("systemInfo.xml", self.system_info.encode()));
        (entries, rest)
    }
}

/// A provider's content, to be put in order.
#[derive(Debug)]
struct Tree<'r> {
    root: &'r ContentRoot,
    /// The names along the path, in capitals, and the entry.
    entries: Vec<(Vec<String>, LayoutEntry)>,
}

impl<'r> Tree<'r> {
    fn new(root: &'r ContentRoot) -> Self {
        Self {
            root,
            entries: Vec::new(),
        }
    }

    fn add(&mut self, index: usize, file: &LayoutFile, path: &str) {
        if file.is_directory {
            self.push(
                path,
                file.attributes | DIRECTORY_ATTRIBUTE,
                LayoutContent::Directory,
            );
        } else {
            self.push(path, file.attributes, LayoutContent::File(index));
        }
        let mut path = path;
        while !path.is_empty() {
            path = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            self.push(path, DIRECTORY_ATTRIBUTE, LayoutContent::Directory);
        }
    }

    fn push(&mut self, path: &str, attributes: u32, content: LayoutContent) {
        let slash = if content == LayoutContent::Directory {
            "/"
        } else {
            ""
        };
        let key = path.split('/').map(str::to_uppercase).collect();
        let name = format!("{}{slash}", self.root.entry_name(path));
        let entry = LayoutEntry {
            name,
            attributes,
            content,
        };
        self.entries
            .push((if path.is_empty() { Vec::new() } else { key }, entry));
    }

    fn into_entries(mut self) -> impl Iterator<Item = LayoutEntry> {
        // Of a folder that was listed and is needed by its files, the entry with attributes of its own is kept.
        let rank = |entry: &LayoutEntry| {
            let is_file = entry.content != LayoutContent::Directory;
            (is_file, entry.attributes == DIRECTORY_ATTRIBUTE)
        };
        self.entries
            .sort_by(|(a, first), (b, second)| (a, rank(first)).cmp(&(b, rank(second))));
        self.entries.dedup_by(|(key, entry), (known, first)| {
            key == known
                && entry.content == LayoutContent::Directory
                && first.content == LayoutContent::Directory
        });
        self.entries.into_iter().map(|(_, entry)| entry)
    }
}

fn object(
    provider: &Provider,
    description: &ProviderDescription,
    link: String,
) -> DeploymentObject {
    let path = &provider.path;
    let mut object = linked(description.name, path, &link, provider.settings());
    match description.name {
        "iisApp" => {
            let setting = |name: &str| provider.setting(name).unwrap_or_default().to_owned();
            if !setting("skipAppCreation").eq_ignore_ascii_case("true") {
                object.children.push(create_app(path, setting));
            }
            let content = linked("contentPath", path, "contentPath", Vec::new());
            object.children.push(with_folder(content, path));
            object
        }
        "contentPath" | "contentPathLib" => with_folder(object, path),
        _ => object,
    }
}

/// An object with what all have that a manifest lists.
fn linked(name: &str, path: &str, link: &str, settings: Vec<(String, String)>) -> DeploymentObject {
    let mut options = ProviderOptions::new(name, path);
    options.settings = settings;
    DeploymentObject::new(name)
        .with_flags("path", path, 2)
        .with(LINK_NAME_ATTRIBUTE, link)
        .with(KEY_ATTRIBUTE, "path")
        .with(PROVIDER_OPTIONS_ATTRIBUTE, options.encode())
}

fn with_folder(mut object: DeploymentObject, path: &str) -> DeploymentObject {
    let folder = DeploymentObject::new("MSDeploy.dirPath").with("path", path);
    let folder = folder.with(LINK_NAME_ATTRIBUTE, "contentPath");
    object.children.push(folder);
    object
}

/// The application that `iisApp` makes in IIS before it copies the content.
fn create_app(path: &str, setting: impl Fn(&str) -> String) -> DeploymentObject {
    DeploymentObject::new("createApp")
        .with_flags("path", path, 2)
        // Base64 of the octet 0: this object describes a source.
        .with("isDest", "AA==")
        .with("MSDeploy.isDest.Type", BOOLEAN_TYPE)
        .with_flags("managedRuntimeVersion", setting("managedRuntimeVersion"), 2)
        .with_flags("enable32BitAppOnWin64", setting("enable32BitAppOnWin64"), 2)
        .with_flags("managedPipelineMode", setting("managedPipelineMode"), 2)
        .with_flags("applicationPool", "", 1)
        .with_flags("appExists", "True", 1)
        .with(LINK_NAME_ATTRIBUTE, "createApp")
        .with(KEY_ATTRIBUTE, "path")
}

/// Whether a provider's content is known to lie in a package as one folder or file.
fn has_plain_content(provider: &ProviderDescription) -> bool {
    match provider.content {
        PackagedContent::None | PackagedContent::Folder | PackagedContent::FolderOrFile => true,
        PackagedContent::File => provider.name == "filePath",
        PackagedContent::Objects => false,
    }
}

fn path_fault(provider: &Provider) -> Problem {
    Problem::error(
        "package-layout-path",
        format!("`{}` cannot be a folder inside of a package", provider.path),
    )
    .at(provider.path_span)
    .help("write the application's folder, `Site/application`, or `C:\\folder`")
}

fn provider_fault(provider: &Provider) -> Problem {
    Problem::error(
        "package-layout-provider",
        format!(
            "it is not known how msdeploy's own layout holds `{}`",
            provider.kind.name()
        ),
    )
    .at(provider.span)
    .help("build the package in the gallery's layout, which msdeploy installs as well")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> Result<PackageLayout, Problems> {
        let source = Source::from_text("Manifest.xml", text);
        let (manifest, _) = Manifest::parse(&source)?;
        PackageLayout::new(&source, &manifest)
    }

    fn names(layout: &PackageLayout, files: &[LayoutFile]) -> Vec<String> {
        let (entries, _) = layout.entries(files);
        entries.into_iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn the_tree_is_the_one_that_msdeploy_writes() {
        let layout = layout(
            "<m><iisapp path='App' managedRuntimeVersion='v4.0'/><setacl path='App/data' setaclaccess='Modify'/><runCommand path='x'/></m>",
        )
        .unwrap();
        let root = &layout.archive.root;
        assert_eq!(
            (root.name.as_str(), root.resolvers().count()),
            ("sitemanifest", 3)
        );
        let links: Vec<_> = root
            .children
            .iter()
            .map(|child| (child.name.as_str(), child.link_name()))
            .collect();
        assert_eq!(
            links,
            [
                ("iisApp", Some("Child1")),
                ("setAcl", Some("Child2")),
                ("runCommand", Some("Child3"))
            ]
        );
        let acl = root.children[1].provider_options().unwrap().unwrap();
        assert_eq!(
            (acl.provider_name.as_str(), acl.path.as_str()),
            ("setAcl", "App/data")
        );
        assert_eq!(
            acl.settings,
            [("setAclAccess".to_owned(), "Modify".to_owned())]
        );
        assert_eq!(root.children[1].own_attributes().count(), 1);
        let application = &root.children[0];
        let inner: Vec<&str> = application
            .children
            .iter()
            .map(|child| child.name.as_str())
            .collect();
        assert_eq!(inner, ["createApp", "contentPath"]);
        assert_eq!(
            application.children[0].value("managedRuntimeVersion"),
            Some("v4.0")
        );
        assert_eq!(application.children[1].children[0].name, "MSDeploy.dirPath");
        // What was written is a manifest again, with the same content.
        let source = Source::decode("archive.xml", &layout.archive.encode()).unwrap();
        let (manifest, problems) = Manifest::parse(&source).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(ContentMap::new(Layout::Package, &manifest), layout.to);
    }

    #[test]
    fn entries_are_in_order_and_folders_are_listed_once() {
        let layout = layout("<m><iisApp path='App'/><filePath path='readme.txt'/><dirPath path='Empty'/></m>")
            .unwrap()
            .with_parameters(&Source::from_text("p", "<?xml version='1.0'?>\n<parameters><!-- c --><parameter name='a'><description>d &lt;</description></parameter></parameters>"))
            .unwrap();
        let files = [
            LayoutFile::new("App/b/z.py"),
            LayoutFile::new("App/_x"),
            LayoutFile::new("App/B.txt").with_attributes(0x21),
            LayoutFile::new("App/a.py"),
            LayoutFile::new("App/b/c/d"),
            LayoutFile::directory("App/b/empty"),
            LayoutFile::directory("App/b").with_attributes(0x12),
            LayoutFile::new("readme.txt"),
            LayoutFile::new("other/x"),
            LayoutFile::new("App"),
        ];
        assert_eq!(
            names(&layout, &files),
            [
                "archive.xml",
                "Content/App/",
                "Content/App/a.py",
                "Content/App/b/",
                "Content/App/b/c/",
                "Content/App/b/c/d",
                "Content/App/b/empty/",
                "Content/App/b/z.py",
                "Content/App/B.txt",
                "Content/App/_x",
                "Content/readme.txt",
                "parameters.xml",
                "systemInfo.xml",
            ]
        );
        let (entries, rest) = layout.entries(&files);
        assert_eq!(rest, [8, 9]);
        let attributes: Vec<u32> = entries.iter().map(|entry| entry.attributes).collect();
        assert_eq!(
            attributes,
            [
                0, 0x10, 0x20, 0x12, 0x10, 0x20, 0x10, 0x20, 0x21, 0x20, 0x20, 0, 0
            ]
        );
        let parameters = layout.parameters.as_deref().unwrap();
        assert_eq!(
            core::str::from_utf8(parameters).unwrap(),
            "\u{FEFF}<parameters>\r\n  <parameter name=\"a\">\r\n    <description>d &lt;</description>\r\n  </parameter>\r\n</parameters>"
        );
    }

    #[test]
    fn what_no_package_is_known_to_hold_is_refused() {
        let problems = layout("<m>\n<iisApp path='../A'/>\n<dbFullSql path='a.sql'/>\n<alias from='a' to='b'/>\n<custom path='x'/>\n<iisApp path='\\\\s\\x'/></m>")
            .unwrap_err();
        let codes: Vec<&str> = problems
            .problems
            .iter()
            .map(|problem| problem.code)
            .collect();
        assert_eq!(
            codes,
            [
                "package-layout-path",
                "package-layout-provider",
                "package-layout-provider",
                "package-layout-provider",
                "package-layout-path",
            ]
        );
        assert!(
            problems.to_string().contains("Manifest.xml:2:15"),
            "{problems}"
        );
    }
}
