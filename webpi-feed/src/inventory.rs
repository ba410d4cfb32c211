//! What is on a machine, and which products are installed by it: discovery hints evaluated.
//!
//! *Web Platform Installer Feed Reference*, "discoveryHint Element"
//! <https://learn.microsoft.com/en-us/previous-versions/ee424332(v=ws.10)>, "registry Element" and "file Element". Windows
//! Installer's products and patches are looked up by their codes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{DiscoveryHint, DiscoveryRule, Entry, Feed, FileHint, Registry};

/// References that refer to each other are followed so far.
const DEPTH_LIMIT: usize = 64;

/// What is on a machine. What is not in it is not there.
///
/// Names are compared as Windows does, whatever the case of letters: they are kept in lower case.
///
/// ```
/// use spanned_xml::Source;
/// use webpi_feed::{Feed, Inventory};
///
/// let (feed, _) = Feed::read(&Source::from_text("feed.xml", r"<feed><entry><productId>App</productId>
///   <discoveryHint><file><filePath>%ProgramFiles%\App\app.exe</filePath><minimumVersion>1.5</minimumVersion></file></discoveryHint>
///   </entry></feed>"))?;
/// let mut inventory = Inventory::default();
/// inventory.set_variable("ProgramFiles", r"C:\Program Files");
/// inventory.add_file(r"c:\program files\app\APP.EXE", Some("1.10.0.0"));
/// assert!(inventory.has_product(&feed, &feed.entries[0]));
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Values by name, by key path.
    registry: BTreeMap<String, BTreeMap<String, String>>,
    /// Versions by path.
    files: BTreeMap<String, Option<String>>,
    msi_products: BTreeSet<String>,
    msi_patches: BTreeSet<String>,
    variables: BTreeMap<String, String>,
    products: BTreeSet<String>,
}

/// What an [`Inventory`] would have to hold so that the hints of a feed can be evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryQuestions {
    /// Paths of registry keys.
    pub registry_keys: BTreeSet<String>,
    /// Paths of files, with variables.
    pub files: BTreeSet<String>,
    /// Codes of Windows Installer products.
    pub msi_products: BTreeSet<String>,
    /// Codes of Windows Installer patches.
    pub msi_patches: BTreeSet<String>,
}

impl Inventory {
    /// Adds a registry key, with the full name of its root: `HKEY_LOCAL_MACHINE\…`.
    pub fn add_key(&mut self, path: &str) {
        self.registry.entry(key_path(path)).or_default();
    }

    /// Adds a value to a registry key, which it adds too; numbers as decimal digits.
    pub fn add_value(&mut self, path: &str, name: &str, data: impl Into<String>) {
        self.registry
            .entry(key_path(path))
            .or_default()
            .insert(name.to_lowercase(), data.into());
    }

    /// Adds a file, with the version of its version resource where it has one.
    pub fn add_file(&mut self, path: &str, version: Option<&str>) {
        self.files
            .insert(file_path(path), version.map(str::to_owned));
    }

    /// Adds a product of Windows Installer by its product code, a GUID in braces.
    pub fn add_msi_product(&mut self, code: &str) {
        self.msi_products.insert(code.trim().to_lowercase());
    }

    /// Adds a patch of Windows Installer by its patch code, a GUID in braces.
    pub fn add_msi_patch(&mut self, code: &str) {
        self.msi_patches.insert(code.trim().to_lowercase());
    }

    /// Adds an environment variable, which the paths of files are written with.
    pub fn set_variable(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_lowercase(), value.into());
    }

    /// Adds a product that is installed whatever its hint says.
    pub fn add_product(&mut self, product_id: &str) {
        self.products.insert(product_id.trim().to_lowercase());
    }

    /// Whether a product is installed; one without a hint is, where it was added.
    #[must_use]
    pub fn has_product(&self, feed: &Feed, entry: &Entry) -> bool {
        self.names(&entry.product_id)
            || entry
                .discovery_hint
                .as_ref()
                .is_some_and(|hint| self.satisfies(feed, hint))
    }

    /// Whether a product is installed by its identifier: added, or in the feed with a hint that holds.
    #[must_use]
    pub fn has_product_id(&self, feed: &Feed, product_id: &str) -> bool {
        self.names(product_id)
            || feed
                .entry(product_id)
                .is_some_and(|entry| self.has_product(feed, entry))
    }

    /// Whether a hint holds. One that is malformed, or refers to itself, does not.
    #[must_use]
    pub fn satisfies(&self, feed: &Feed, hint: &DiscoveryHint) -> bool {
        self.holds(feed, hint, 0).unwrap_or(false)
    }

    /// A path with its variables replaced; those that are not known stay.
    #[must_use]
    pub fn expand(&self, path: &str) -> String {
        let mut expanded = String::with_capacity(path.len());
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('%') {
            expanded.push_str(before);
            let known = after.split_once('%').and_then(|(name, after)| {
                let value = self.variables.get(&name.to_lowercase())?;
                Some((value, after))
            });
            match known {
                Some((value, after)) => {
                    expanded.push_str(value);
                    rest = after;
                }
                None => {
                    expanded.push('%');
                    rest = after;
                }
            }
        }
        expanded.push_str(rest);
        expanded
    }

    fn names(&self, product_id: &str) -> bool {
        self.products.contains(&product_id.trim().to_lowercase())
    }

    /// None where the hint cannot be evaluated: `not` does not make that true.
    fn holds(&self, feed: &Feed, hint: &DiscoveryHint, depth: usize) -> Option<bool> {
        if depth >= DEPTH_LIMIT {
            return None;
        }
        let answers = |hints: &[DiscoveryHint]| -> Option<Vec<bool>> {
            hints
                .iter()
                .map(|hint| self.holds(feed, hint, depth + 1))
                .collect()
        };
        match &hint.rule {
            DiscoveryRule::Malformed => None,
            DiscoveryRule::Registry(registry) => Some(self.has_registry(registry)),
            DiscoveryRule::File(file) => Some(self.has_file(file)),
            DiscoveryRule::MsiProductCode(code) => {
                Some(self.msi_products.contains(&code.trim().to_lowercase()))
            }
            DiscoveryRule::MsiPatchCode(code) => {
                Some(self.msi_patches.contains(&code.trim().to_lowercase()))
            }
            DiscoveryRule::And(all) => Some(answers(all)?.into_iter().all(|holds| holds)),
            DiscoveryRule::Or(all) => Some(answers(all)?.into_iter().any(|holds| holds)),
            DiscoveryRule::Not(all) => Some(!answers(all)?.into_iter().any(|holds| holds)),
            DiscoveryRule::IdRef(idref) => self.holds(feed, feed.discovery_hint(idref)?, depth + 1),
        }
    }

    fn has_registry(&self, hint: &Registry) -> bool {
        let Some(values) = self.registry.get(&key_path(&hint.key_path)) else {
            return false;
        };
        let Some(name) = &hint.value_name else {
            return true;
        };
        let Some(data) = values.get(&name.trim().to_lowercase()) else {
            return false;
        };
        let data = data.trim();
        let equals = |wanted: &String| wanted.trim().eq_ignore_ascii_case(data);
        let at_least = |wanted: &String| version(data) >= version(wanted);
        let at_most = |wanted: &String| version(data) <= version(wanted);
        hint.value_value.as_ref().is_none_or(equals)
            && hint.minimum_version.as_ref().is_none_or(at_least)
            && hint.maximum_version.as_ref().is_none_or(at_most)
            && hint
                .minimum_value
                .as_ref()
                .is_none_or(|wanted| number(data) >= number(wanted))
            && hint
                .maximum_value
                .as_ref()
                .is_none_or(|wanted| number(data) <= number(wanted))
    }

    fn has_file(&self, hint: &FileHint) -> bool {
        let path = file_path(&self.expand(hint.file_path.trim()));
        self.files.get(&path).is_some_and(|found| {
            hint.minimum_version.as_ref().is_none_or(|wanted| {
                version(found.as_deref().unwrap_or_default()) >= version(wanted)
            })
        })
    }
}

impl Feed {
    /// What has to be known of a machine so that every discovery hint of the feed can be evaluated.
    #[must_use]
    pub fn discovery_questions(&self) -> DiscoveryQuestions {
        let mut questions = DiscoveryQuestions::default();
        let hints = self
            .entries
            .iter()
            .filter_map(|entry| entry.discovery_hint.as_ref());
        for hint in hints.chain(self.discovery_hints.iter()) {
            questions.add(hint);
        }
        questions
    }
}

impl DiscoveryQuestions {
    fn add(&mut self, hint: &DiscoveryHint) {
        match &hint.rule {
            DiscoveryRule::Registry(registry) => {
                self.registry_keys
                    .insert(registry.key_path.trim().to_owned());
            }
            DiscoveryRule::File(file) => {
                self.files.insert(file.file_path.trim().to_owned());
            }
            DiscoveryRule::MsiProductCode(code) => {
                self.msi_products.insert(code.trim().to_owned());
            }
            DiscoveryRule::MsiPatchCode(code) => {
                self.msi_patches.insert(code.trim().to_owned());
            }
            DiscoveryRule::And(all) | DiscoveryRule::Or(all) | DiscoveryRule::Not(all) => {
                for hint in all {
                    self.add(hint);
                }
            }
            DiscoveryRule::Malformed | DiscoveryRule::IdRef(_) => {}
        }
    }
}

fn key_path(path: &str) -> String {
    path.trim().trim_end_matches('\\').to_lowercase()
}

fn file_path(path: &str) -> String {
    path.trim().replace('/', "\\").to_lowercase()
}

/// The numbers of a version, up to four. WebPI assumes 0 for one that it cannot read.
fn version(text: &str) -> [u64; 4] {
    let mut version = [0; 4];
    let mut parts = text.trim().split('.');
    for number in &mut version {
        match parts.next().map(str::parse) {
            Some(Ok(part)) => *number = part,
            Some(Err(_)) => return [0; 4],
            None => break,
        }
    }
    version
}

/// A number, decimal or with `0x`; 0 for one that cannot be read.
fn number(text: &str) -> i64 {
    let text = text.trim();
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    hexadecimal
        .map_or_else(|| text.parse(), |digits| i64::from_str_radix(digits, 16))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use super::*;

    fn inventory() -> Inventory {
        let mut inventory = Inventory::default();
        inventory.add_value(r"HKEY_LOCAL_MACHINE\SOFTWARE\App", "Version", "3.10.0");
        inventory.add_value(r"HKEY_LOCAL_MACHINE\SOFTWARE\App", "Install", "1");
        inventory.add_value(r"HKEY_LOCAL_MACHINE\SOFTWARE\App", "Flags", "0x10");
        inventory.add_value(r"HKEY_LOCAL_MACHINE\SOFTWARE\App", "Name", "The App");
        inventory.add_file(r"C:\Program Files\App\app.exe", Some("2.0"));
        inventory.add_file(r"C:\readme.txt", None);
        inventory.add_msi_product("{AAAA}");
        inventory.add_msi_patch("{BBBB}");
        inventory.set_variable("PROGRAMFILES", r"C:\Program Files");
        inventory
    }

    fn read(content: &str) -> Feed {
        let text = format!("<feed xmlns='http://www.w3.org/2005/Atom'>{content}</feed>");
        Feed::read(&Source::from_text("feed.xml", text)).unwrap().0
    }

    fn registry(more: &str) -> String {
        format!(r"<registry><keyPath>HKEY_LOCAL_MACHINE\software\APP\</keyPath>{more}</registry>")
    }

    fn file(path: &str, more: &str) -> String {
        format!("<file><filePath>{path}</filePath>{more}</file>")
    }

    #[test]
    fn hints_are_evaluated() {
        let hint = |rule: &str| format!("<discoveryHint>{rule}</discoveryHint>");
        let yes = hint(&registry(""));
        let no = hint("<registry><keyPath>HKLM\\SOFTWARE\\App</keyPath></registry>");
        let both = |word: &str| format!("<{word}>{yes}{no}</{word}>");
        for (rule, expected) in [
            (registry(""), true),
            (registry("<valueName>version</valueName>"), true),
            (registry("<valueName>none</valueName>"), false),
            (
                registry("<valueName>Install</valueName><valueValue>1</valueValue>"),
                true,
            ),
            (
                registry("<valueName>Install</valueName><valueValue>2</valueValue>"),
                false,
            ),
            (
                registry("<valueName>Name</valueName><valueValue>the app</valueValue>"),
                true,
            ),
            (
                registry("<valueName>Version</valueName><minimumVersion>3.9</minimumVersion>"),
                true,
            ),
            (
                registry("<valueName>Version</valueName><minimumVersion>3.11</minimumVersion>"),
                false,
            ),
            (
                registry("<valueName>Version</valueName><maximumVersion>3.10</maximumVersion>"),
                true,
            ),
            (
                registry("<valueName>Version</valueName><maximumVersion>3.9.9</maximumVersion>"),
                false,
            ),
            (
                registry("<valueName>Name</valueName><minimumVersion>0.1</minimumVersion>"),
                false,
            ),
            (
                registry(
                    "<valueName>Flags</valueName><minimumValue>16</minimumValue><maximumValue>16</maximumValue>",
                ),
                true,
            ),
            (
                registry("<valueName>Flags</valueName><minimumValue>17</minimumValue>"),
                false,
            ),
            (file(r"%ProgramFiles%\App/APP.exe", ""), true),
            (
                file(
                    r"%ProgramFiles%\App\app.exe",
                    "<minimumVersion>2.0.0.0</minimumVersion>",
                ),
                true,
            ),
            (
                file(
                    r"%ProgramFiles%\App\app.exe",
                    "<minimumVersion>2.0.0.1</minimumVersion>",
                ),
                false,
            ),
            (file(r"%Nothing%\App\app.exe", ""), false),
            (
                file(r"C:\readme.txt", "<minimumVersion>1</minimumVersion>"),
                false,
            ),
            ("<msiProductCode>{aaaa}</msiProductCode>".to_owned(), true),
            ("<msiProductCode>{bbbb}</msiProductCode>".to_owned(), false),
            ("<msiPatchCode>{bbbb}</msiPatchCode>".to_owned(), true),
            (both("and"), false),
            (both("or"), true),
            (format!("<not>{no}</not>"), true),
            (format!("<not>{yes}</not>"), false),
            ("<not><discoveryHint/></not>".to_owned(), false),
            (String::new(), false),
        ] {
            let feed = read(&format!(
                "<entry><productId>P</productId>{}</entry>",
                hint(&rule)
            ));
            assert_eq!(
                inventory().has_product(&feed, &feed.entries[0]),
                expected,
                "{rule}"
            );
        }
    }

    #[test]
    fn references_are_followed_and_circles_end() {
        let feed = read(&format!(
            "<entry><productId>P</productId><discoveryHint idref='a'/></entry>\
             <entry><productId>Q</productId><discoveryHint idref='c'/></entry><entry><productId>R</productId></entry>\
             <discoveryHints><discoveryHint id='a'>{}</discoveryHint><discoveryHint id='c'><not><discoveryHint idref='c'/></not>\
             </discoveryHint></discoveryHints>",
            registry("")
        ));
        let mut inventory = inventory();
        assert!(inventory.has_product_id(&feed, "p"));
        assert!(!inventory.has_product_id(&feed, "Q"));
        assert!(!inventory.has_product_id(&feed, "R"));
        inventory.add_product("r");
        inventory.add_product("Elsewhere");
        assert!(inventory.has_product_id(&feed, "R"));
        assert!(inventory.has_product_id(&feed, "elsewhere"));
        let questions = feed.discovery_questions();
        assert_eq!(questions.registry_keys.len(), 1);
    }

    #[test]
    fn variables_are_expanded() {
        for (path, expected) in [
            (r"%programfiles%\a", r"C:\Program Files\a"),
            ("%none%x%ProgramFiles%", r"%none%xC:\Program Files"),
            ("100%", "100%"),
            ("", ""),
        ] {
            assert_eq!(inventory().expand(path), expected);
        }
    }
}
