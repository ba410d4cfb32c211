//! The machine that products are installed on, and which installer is for it.

use core::fmt;

use crate::{Architecture, Entry, Feed, Installer, Os, OsList, OsType, OsVersion};

/// What is known of a machine. What is not known restricts nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Machine {
    /// The version of Windows and its service pack; none on another system, where every product counts as installable.
    pub os_version: Option<OsVersion>,
    /// Its editions, most general first: `[Client, Business]`. Empty where not known.
    pub os_types: Vec<OsType>,
    /// Its processor architecture.
    pub architecture: Option<Architecture>,
    /// The language wanted, `en` or `pt-br` for example; none for the feed's default.
    pub language: Option<String>,
}

impl Machine {
    /// A machine that nothing is known of: every installer is for it, the feed's default language first.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(version) = &self.os_version {
            let [major, minor, service_pack, _] = version.parts().map(Option::unwrap_or_default);
            parts.push(format!(
                "Windows {major}.{minor} service pack {service_pack}"
            ));
        }
        parts.extend(self.os_types.iter().map(|kind| kind.name().to_owned()));
        parts.extend(
            self.architecture
                .map(|architecture| architecture.name().to_owned()),
        );
        if parts.is_empty() {
            f.write_str("this machine")
        } else {
            f.write_str(&parts.join(", "))
        }
    }
}

impl Entry {
    /// The installer for a machine: one for its architecture and its version of Windows, in the nearest language.
    ///
    /// Languages from near to far: the one wanted, its main language (`pt` for `pt-br`), an installer without a language, the
    /// feed's default, English, any other. Of equals the first is taken.
    #[must_use]
    pub fn installer_for<'a>(&'a self, feed: &Feed, machine: &Machine) -> Option<&'a Installer> {
        self.installers
            .iter()
            .filter(|installer| installer.is_for(feed, machine))
            .min_by_key(|installer| {
                language_distance(installer.language_id.as_deref(), feed, machine)
            })
    }

    /// What there are installers for, in words.
    pub(crate) fn offered(&self) -> String {
        let offered: Vec<String> = self
            .installers
            .iter()
            .map(|installer| {
                let architectures: Vec<&str> = installer
                    .architectures
                    .iter()
                    .map(|architecture| architecture.name())
                    .collect();
                match architectures.as_slice() {
                    [] => format!("installer `{}`: any architecture", installer.id),
                    all => format!("installer `{}`: {}", installer.id, all.join(" and ")),
                }
            })
            .collect();
        if offered.is_empty() {
            "nothing".to_owned()
        } else {
            offered.join("; ")
        }
    }
}

impl Installer {
    /// Whether the installer is for the machine's architecture and version of Windows, its language left aside.
    #[must_use]
    pub fn is_for(&self, feed: &Feed, machine: &Machine) -> bool {
        let architecture = self.architectures.is_empty()
            || machine
                .architecture
                .is_none_or(|architecture| self.architectures.contains(&architecture));
        architecture
            && self
                .os_list
                .as_ref()
                .is_none_or(|list| list.includes(feed, machine))
    }
}

impl OsList {
    /// Whether one of the operating systems is the machine's. A reference that the feed does not define includes every
    /// machine: a feed loaded beside it may define it.
    #[must_use]
    pub fn includes(&self, feed: &Feed, machine: &Machine) -> bool {
        if let Some(idref) = &self.idref {
            // A list that is referred to is not a reference itself; were it one, it would be empty and include everything.
            return feed
                .os_list(idref)
                .is_none_or(|list| list.includes_own(feed, machine));
        }
        self.includes_own(feed, machine)
    }

    fn includes_own(&self, feed: &Feed, machine: &Machine) -> bool {
        self.oses.is_empty()
            || self.oses.iter().any(|os| match &os.idref {
                Some(idref) => feed.os(idref).is_none_or(|os| os.includes(machine)),
                None => os.includes(machine),
            })
    }
}

impl Os {
    /// Whether it is the machine's operating system, references left aside.
    #[must_use]
    pub fn includes(&self, machine: &Machine) -> bool {
        let version = machine.os_version.as_ref().is_none_or(|version| {
            let at_least = self
                .minimum_version
                .as_ref()
                .is_none_or(|minimum| compare(version, minimum).is_ge());
            let at_most = self
                .maximum_version
                .as_ref()
                .is_none_or(|maximum| compare(version, maximum).is_le());
            at_least && at_most
        });
        let edition = self.types.is_empty()
            || machine.os_types.is_empty()
            || machine
                .os_types
                .iter()
                .any(|kind| self.types.contains(kind));
        version && edition
    }
}

/// Compares the parts that `bound` gives: a maximum of 5.2 includes every service pack of 5.2.
fn compare(version: &OsVersion, bound: &OsVersion) -> core::cmp::Ordering {
    version
        .parts()
        .iter()
        .zip(bound.parts())
        .map_while(|(part, bound)| Some(part.unwrap_or_default().cmp(&bound?)))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(core::cmp::Ordering::Equal)
}

fn language_distance(language: Option<&str>, feed: &Feed, machine: &Machine) -> u8 {
    let main = |language: &str| {
        language
            .split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let Some(language) = language else { return 2 };
    let wanted = machine.language.as_deref();
    if wanted.is_some_and(|wanted| wanted.eq_ignore_ascii_case(language)) {
        0
    } else if wanted.is_some_and(|wanted| main(wanted) == main(language)) {
        1
    } else if language.eq_ignore_ascii_case(feed.default_language()) {
        if wanted.is_none() { 0 } else { 3 }
    } else if main(language) == "en" {
        4
    } else {
        5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spanned_xml::Source;

    fn version(major: u32, minor: u32, service_pack: u32) -> OsVersion {
        OsVersion {
            sp_major: Some(service_pack),
            ..OsVersion::new(major, minor)
        }
    }

    const FEED: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom">
      <languages><language default="true"><languageId>fr</languageId><name>x</name></language></languages>
      <entry><productId>P</productId><installers>
        <installer><id>old</id><languageId>en</languageId><osList><os>
          <minimumVersion><osMajorVersion>5</osMajorVersion><osMinorVersion>2</osMinorVersion><spMajorVersion>2</spMajorVersion></minimumVersion>
          <maximumVersion><osMajorVersion>5</osMajorVersion><osMinorVersion>2</osMinorVersion></maximumVersion>
        </os></osList><msDeploy/></installer>
        <installer><id>x86</id><languageId>en</languageId><architectures><x86/></architectures><osList idref="new"/><msDeploy/></installer>
        <installer><id>x64</id><languageId>en</languageId><architectures><x64/></architectures><osList idref="new"/><msDeploy/></installer>
        <installer><id>fr</id><languageId>fr</languageId><architectures><x64/><x86/></architectures><osList idref="new"/><msDeploy/></installer>
        <installer><id>pt</id><languageId>pt</languageId><osList idref="new"/><msDeploy/></installer>
      </installers></entry>
      <oses><os id="six"><minimumVersion><osMajorVersion>6</osMajorVersion></minimumVersion><osTypes><Server/><Business/></osTypes></os></oses>
      <osLists><osList id="new"><os idref="six"/></osList></osLists>
    </feed>"#;

    #[test]
    fn installers_are_chosen_by_system_architecture_and_language() {
        let (feed, _) = Feed::read(&Source::from_text("x", FEED)).unwrap();
        let entry = feed.entry("P").unwrap();
        let check = |os: Option<OsVersion>,
                     types: &[OsType],
                     architecture,
                     language: Option<&str>,
                     expected: Option<&str>| {
            let machine = Machine {
                os_version: os,
                os_types: types.to_vec(),
                architecture,
                language: language.map(str::to_owned),
            };
            let found = entry
                .installer_for(&feed, &machine)
                .map(|installer| installer.id.as_str());
            assert_eq!(found, expected, "{machine:?}");
        };
        let x64 = Some(Architecture::X64);
        check(None, &[], None, None, Some("fr"));
        check(None, &[], None, Some("en"), Some("old"));
        check(Some(version(6, 1, 0)), &[], x64, Some("en"), Some("x64"));
        check(
            Some(version(6, 1, 0)),
            &[],
            Some(Architecture::X86),
            Some("EN"),
            Some("x86"),
        );
        check(Some(version(6, 1, 0)), &[], x64, Some("pt-BR"), Some("pt"));
        check(Some(version(6, 1, 0)), &[], x64, Some("de"), Some("fr"));
        check(
            Some(version(6, 1, 0)),
            &[OsType::Client, OsType::HomePremium],
            x64,
            Some("en"),
            None,
        );
        check(
            Some(version(6, 1, 0)),
            &[OsType::Server],
            x64,
            Some("en"),
            Some("x64"),
        );
        check(Some(version(5, 2, 2)), &[], x64, Some("en"), Some("old"));
        check(Some(version(5, 2, 3)), &[], x64, Some("en"), Some("old"));
        check(Some(version(5, 2, 1)), &[], x64, Some("en"), None);
        check(Some(version(5, 3, 0)), &[], x64, Some("en"), None);
    }
}
