//! `osList`, `os`: which versions of Windows an installer is for.

use spanned_xml::TreeElement;

use crate::element::{Item, element};
use crate::extension::Sink;
use crate::{List, Rest};

/// `osList`: one of these operating systems.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OsList {
    /// `id`: the name that `idref` refers to; only in the feed's `osLists`.
    pub id: Option<String>,
    /// `idref`: the `id` of the list that is meant; then this one is empty.
    pub idref: Option<String>,
    /// `os`, in order.
    pub oses: Vec<Os>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(OsList, "osList" { "id" => id, "idref" => idref } [ "os" => oses ]);

/// `os`: a range of versions of Windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Os {
    /// `id`: the name that `idref` refers to; only in the feed's `oses`.
    pub id: Option<String>,
    /// `idref`: the `id` of the one that is meant; then this one is empty.
    pub idref: Option<String>,
    /// `minimumVersion`.
    pub minimum_version: Option<OsVersion>,
    /// `maximumVersion`; parts that are not given are not compared.
    pub maximum_version: Option<OsVersion>,
    /// `osTypes`: editions; none means any.
    pub types: List<OsType>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(Os, "os" { "id" => id, "idref" => idref } [
    "minimumVersion" => minimum_version,
    "maximumVersion" => maximum_version,
    "osTypes" => types,
]);

/// A version of Windows and its service pack: 6.1 with service pack 1 is Windows 7 SP1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OsVersion {
    /// `osMajorVersion`.
    pub os_major: Option<u32>,
    /// `osMinorVersion`.
    pub os_minor: Option<u32>,
    /// `spMajorVersion`: the service pack.
    pub sp_major: Option<u32>,
    /// `spMinorVersion`.
    pub sp_minor: Option<u32>,
    /// What the model has no field for.
    pub rest: Rest,
}

element!(OsVersion, "minimumVersion" {} [
    "osMajorVersion" => os_major,
    "osMinorVersion" => os_minor,
    "spMajorVersion" => sp_major,
    "spMinorVersion" => sp_minor,
]);

impl OsVersion {
    /// Version `major.minor`, without a service pack.
    #[must_use]
    pub fn new(major: u32, minor: u32) -> Self {
        Self {
            os_major: Some(major),
            os_minor: Some(minor),
            ..Self::default()
        }
    }

    /// The four numbers, from the most significant.
    #[must_use]
    pub const fn parts(&self) -> [Option<u32>; 4] {
        [self.os_major, self.os_minor, self.sp_major, self.sp_minor]
    }
}

/// An edition of Windows, an empty element inside `osTypes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OsType {
    /// `Server`.
    Server,
    /// `Client`: every edition that is not a server.
    Client,
    /// `HomePremium`.
    HomePremium,
    /// `Ultimate`.
    Ultimate,
    /// `Enterprise`.
    Enterprise,
    /// `Business`.
    Business,
}

impl OsType {
    /// Every edition.
    pub const ALL: [Self; 6] = [
        Self::Server,
        Self::Client,
        Self::HomePremium,
        Self::Ultimate,
        Self::Enterprise,
        Self::Business,
    ];

    /// The element's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "Server",
            Self::Client => "Client",
            Self::HomePremium => "HomePremium",
            Self::Ultimate => "Ultimate",
            Self::Enterprise => "Enterprise",
            Self::Business => "Business",
        }
    }
}

impl Item for OsType {
    fn read_item(element: TreeElement<'_, '_>) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| element.is(kind.name()) && is_empty(element))
    }

    fn write_item(&self, out: &mut dyn Sink) {
        out.start(self.name());
        out.end();
    }
}

/// What an installer can be installed on, an empty element inside `architectures`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Architecture {
    /// `x86`: 32-bit Windows.
    X86,
    /// `x64`: 64-bit Windows.
    X64,
}

impl Architecture {
    /// Every architecture.
    pub const ALL: [Self; 2] = [Self::X86, Self::X64];

    /// The element's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86",
            Self::X64 => "x64",
        }
    }
}

impl Item for Architecture {
    fn read_item(element: TreeElement<'_, '_>) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|architecture| element.is(architecture.name()) && is_empty(element))
    }

    fn write_item(&self, out: &mut dyn Sink) {
        out.start(self.name());
        out.end();
    }
}

/// Whether nothing would be lost by reading only the element's name.
fn is_empty(element: TreeElement<'_, '_>) -> bool {
    element.attributes().is_empty() && element.children().next().is_none()
}
