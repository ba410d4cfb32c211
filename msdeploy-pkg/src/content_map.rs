//! Which entries of a package are whose content.
//!
//! *Web Deploy package Provider*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569019(v=ws.10)>. In a
//! package of the gallery's layout a provider's path names an entry of the archive. In msdeploy's own layout the content
//! lies under `Content/`, in folders that spell the path: `Default Web Site/app` is at `Content/Default Web Site/app`, and
//! `C:\x\y` at `Content/C_C/x/y`.
//!
//! Left out: paths on other computers (`\\server\share`), of which no package is known; they have no content here.

use crate::archive::Layout;
use crate::manifest::{Manifest, ProviderKind};
use crate::provider::PackagedContent;

/// The folder of an archive that holds the content in msdeploy's own layout.
const CONTENT: &str = "Content";

/// Where the content of a manifest's providers lies in the archive.
///
/// ```
/// use msdeploy_pkg::{ContentMap, Layout, Manifest};
/// use spanned_xml::Source;
///
/// let source = Source::from_text("archive.xml", r#"<m><iisApp path="C:\inetpub\app" /></m>"#);
/// let (manifest, _) = Manifest::parse(&source)?;
/// let map = ContentMap::new(Layout::Package, &manifest);
/// let (root, path) = map.locate("Content/C_C/inetpub/app/static/x.css").unwrap();
/// assert_eq!((root.path.as_str(), path), (r"C:\inetpub\app", "static/x.css"));
/// assert_eq!(root.entry_name(path), "Content/C_C/inetpub/app/static/x.css");
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentMap {
    /// The providers with content, in the manifest's order.
    pub roots: Vec<ContentRoot>,
}

/// The content of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentRoot {
    /// The provider's place in [`Manifest::providers`].
    pub provider: usize,
    /// Its name as Web Deploy spells it.
    pub name: &'static str,
    /// Its path, as the manifest has it.
    pub path: String,
    /// The entry, without a slash at its end; empty where the whole archive is the content.
    pub entry: String,
    /// Whether it is a folder, a file, or either.
    pub content: PackagedContent,
}

impl ContentRoot {
    /// The name of the entry for a path below this root; the root's own for an empty path.
    #[must_use]
    pub fn entry_name(&self, relative: &str) -> String {
        match (self.entry.as_str(), relative) {
            (entry, "") => entry.to_owned(),
            ("", relative) => relative.to_owned(),
            (entry, relative) => format!("{entry}/{relative}"),
        }
    }

    /// The path of an entry below this root, empty for the root itself; whatever the case of ASCII letters, as Windows
    /// has it.
    #[must_use]
    pub fn relative<'e>(&self, entry: &'e str) -> Option<&'e str> {
        let entry = entry.trim_end_matches('/');
        if self.entry.is_empty() {
            return Some(entry);
        }
        let head = entry.get(..self.entry.len())?;
        let tail = &entry[self.entry.len()..];
        if !head.eq_ignore_ascii_case(&self.entry) {
            return None;
        }
        match tail.strip_prefix('/') {
            Some(tail) => Some(tail),
            None => tail.is_empty().then_some(tail),
        }
    }
}

impl ContentMap {
    /// The map of a manifest.
    #[must_use]
    pub fn new(layout: Layout, manifest: &Manifest) -> Self {
        let roots = manifest
            .providers
            .iter()
            .enumerate()
            .filter_map(|(index, provider)| {
                let description = provider.description()?;
                if matches!(
                    description.content,
                    PackagedContent::None | PackagedContent::Objects
                ) {
                    return None;
                }
                Some(ContentRoot {
                    provider: index,
                    name: description.name,
                    path: provider.path.clone(),
                    entry: entry_of(layout, &provider.path)?,
                    content: description.content,
                })
            });
        Self {
            roots: roots.collect(),
        }
    }

    /// The provider to whose content an entry belongs, and the path below its root: the innermost where one provider's
    /// content lies in another's, the first of those that have the same.
    #[must_use]
    pub fn locate<'e>(&self, entry: &'e str) -> Option<(&ContentRoot, &'e str)> {
        let mut best: Option<(&ContentRoot, &'e str)> = None;
        for root in &self.roots {
            if let Some(relative) = root.relative(entry)
                && best.is_none_or(|(known, _)| known.entry.len() < root.entry.len())
            {
                best = Some((root, relative));
            }
        }
        best
    }

    /// The content of the application: that of [`Manifest::application`].
    #[must_use]
    pub fn application(&self) -> Option<&ContentRoot> {
        let first = |kind: &ProviderKind| self.roots.iter().find(|root| root.name == kind.name());
        first(&ProviderKind::IisApp).or_else(|| first(&ProviderKind::ContentPath))
    }
}

/// The entry of a provider's path; `None` for a path that no entry can have.
fn entry_of(layout: Layout, path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    if path.starts_with("//") {
        return None;
    }
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => parts.push(part.to_owned()),
        }
    }
    if layout == Layout::Gallery {
        return Some(parts.join("/"));
    }
    if let Some(first) = parts.first_mut()
        && let [letter, b':'] = first.as_bytes()
        && letter.is_ascii_alphabetic()
    {
        *first = format!("{}_C", &first[..1]);
    }
    // A name with a colon is in no archive that msdeploy writes.
    if parts.iter().any(|part| part.contains(':')) {
        return None;
    }
    parts.insert(0, CONTENT.to_owned());
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use super::*;

    fn map(layout: Layout, text: &str) -> ContentMap {
        let (manifest, _) = Manifest::parse(&Source::from_text("m", text)).unwrap();
        ContentMap::new(layout, &manifest)
    }

    #[test]
    fn entries_of_paths() {
        let check = |layout, path: &str, expected: Option<&str>| {
            assert_eq!(entry_of(layout, path).as_deref(), expected, "{path}");
        };
        check(
            Layout::Package,
            "Default Web Site/app",
            Some("Content/Default Web Site/app"),
        );
        check(Layout::Package, r"C:\x\y\", Some("Content/C_C/x/y"));
        check(Layout::Package, "d:/x", Some("Content/d_C/x"));
        check(Layout::Package, r"\\server\share", None);
        check(Layout::Package, "a/../b", None);
        check(Layout::Package, "a:b", None);
        check(Layout::Package, "ab:/x", None);
        check(Layout::Gallery, r".\App\", Some("App"));
        check(Layout::Gallery, "sql/a.sql", Some("sql/a.sql"));
        check(Layout::Gallery, "", Some(""));
        check(Layout::Gallery, "é:", Some("é:"));
    }

    #[test]
    fn the_innermost_provider_has_an_entry() {
        let map = map(
            Layout::Gallery,
            "<m><setAcl path='App'/><iisApp path='App'/><contentPath path='app'/><dirPath path='App/data'/><dbMySql path='a.sql'/></m>",
        );
        let check = |entry: &str, expected: Option<(usize, &str)>| {
            let found = map.locate(entry);
            let found = found.map(|(root, path)| (root.provider, path));
            assert_eq!(found, expected, "{entry}");
        };
        check("App", Some((1, "")));
        check("App/", Some((1, "")));
        check("APP/x/y", Some((1, "x/y")));
        check("App/data/x", Some((3, "x")));
        check("App/database", Some((1, "database")));
        check("Apple/x", None);
        check("a.sql", Some((4, "")));
        check("Ap", None);
        check("éé", None);
        assert_eq!(map.application().unwrap().provider, 1);
    }
}
