//! The two layouts of packages, told apart by the names of their entries.
//!
//! The Web Application Gallery's, which people and tools write, has a `Manifest.xml`; that of *Web Deploy package Provider*
//! <https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd569019(v=ws.10)>, which
//! msdeploy writes, has an `archive.xml`.

use crate::archive::Layout;

impl Layout {
    /// The layout of a package with entries of these names, in the archive's order; `None` where it is no package. A name
    /// counts only at the root of the archive. Where there are a `Manifest.xml` and an `archive.xml`, the first of them
    /// decides, so that the archive's begin is enough to tell.
    ///
    /// ```
    /// use msdeploy_pkg::Layout;
    ///
    /// assert_eq!(Layout::detect(["archive.xml", "Content/x"]), Some(Layout::Package));
    /// assert_eq!(Layout::detect(["App", "manifest.XML", "archive.xml"]), Some(Layout::Gallery));
    /// assert_eq!(Layout::detect(["x/archive.xml"]), None);
    /// ```
    #[must_use]
    pub fn detect<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<Self> {
        names
            .into_iter()
            .find_map(|name| Self::by_manifest(name.as_bytes()))
    }

    /// The layout whose manifest has this name.
    pub(crate) fn by_manifest(name: &[u8]) -> Option<Self> {
        [Self::Gallery, Self::Package]
            .into_iter()
            .find(|layout| name.eq_ignore_ascii_case(layout.manifest_name().as_bytes()))
    }

    /// The entry that lists the providers.
    #[must_use]
    pub const fn manifest_name(self) -> &'static str {
        match self {
            Self::Gallery => "Manifest.xml",
            Self::Package => "archive.xml",
        }
    }
}
