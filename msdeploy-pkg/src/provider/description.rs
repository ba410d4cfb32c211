//! What is known of a provider.

use super::setting::SettingDescription;
use super::table::{COMMON_SETTINGS, PROVIDERS};

/// A provider: one row of [`PROVIDERS`](super::PROVIDERS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderDescription {
    /// Its name as Web Deploy spells it; manifests are read in any letter case.
    pub name: &'static str,
    /// The attribute by which two objects of the provider are told apart: `path` for all but `alias`.
    pub key_attribute: &'static str,
    /// Whether the attribute may be missing: the provider has one object on each computer.
    pub key_is_optional: bool,
    /// What the gallery's validator said of it.
    pub gallery: Gallery,
    /// What of it a package holds beside the manifest.
    pub content: PackagedContent,
    /// Its own settings, without [`COMMON_SETTINGS`](super::COMMON_SETTINGS).
    pub settings: &'static [SettingDescription],
    /// Whether it takes settings beside those listed: the database providers hand theirs on to the scripting of the
    /// database.
    pub takes_other_settings: bool,
}

/// Whether a package of the Web Application Gallery may have a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Gallery {
    /// Every package has it.
    Required,
    /// A package may have it.
    Allowed,
    /// "provider is not allowed". Such a package installs nevertheless.
    Refused,
}

/// What a package holds of a provider beside its element in the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PackagedContent {
    /// Nothing: the element says all.
    None,
    /// A folder and what is below it.
    Folder,
    /// One file, for example an SQL script.
    File,
    /// A folder or a file.
    FolderOrFile,
    /// Objects of other providers.
    Objects,
}

impl ProviderDescription {
    /// The row of a provider, whatever the case of ASCII letters.
    ///
    /// ```
    /// use msdeploy_pkg::{Gallery, ProviderDescription};
    ///
    /// let provider = ProviderDescription::of("IISAPP").unwrap();
    /// assert_eq!((provider.name, provider.gallery), ("iisApp", Gallery::Required));
    /// assert!(ProviderDescription::of("iisApps").is_none());
    /// ```
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        PROVIDERS
            .iter()
            .find(|provider| provider.name.eq_ignore_ascii_case(name))
    }

    /// A setting of this provider or of all, whatever the case of ASCII letters.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&'static SettingDescription> {
        self.settings
            .iter()
            .chain(COMMON_SETTINGS)
            .find(|setting| setting.name.eq_ignore_ascii_case(name))
    }
}
