//! A feed made for an offline copy: only the products wanted, with their files beside it.
//!
//! The layout is that of WebPI's offline cache: the feed is `feeds/latest/webproductlist.xml`, the files are
//! `installers/PRODUCT/FILE`. Left out: copies of icons, translations and of WebPI itself.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{Entry, Error, Feed, Machine, installation_order};

/// Where the feed is in an offline copy.
pub const OFFLINE_FEED_PATH: &str = "feeds/latest/webproductlist.xml";

/// From the feed's folder to that of the copy.
const UP: &str = "../../";

/// An offline copy that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offline {
    /// The feed with only the products wanted, what they need, and the installers for the machine. Every file has its
    /// `relativeInstallerURL`.
    pub feed: Feed,
    /// What to fetch.
    pub downloads: Vec<Download>,
    /// Identifiers of products that are needed and that the feed cannot give.
    pub missing: Vec<String>,
}

/// A file to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Download {
    /// The product whose installer it belongs to.
    pub product_id: String,
    /// Where it is, as the feed says; perhaps relative to the feed.
    pub url: String,
    /// Its SHA-1, 40 hexadecimal digits; none where the feed gives none.
    pub sha1: Option<String>,
    /// KB; none where the feed gives none.
    pub file_size: Option<u64>,
    /// Where it goes, relative to the copy's folder, with `/`.
    pub path: String,
    /// The `relativeInstallerURL` of its installers.
    pub relative_url: String,
}

/// What an offline copy of these products needs; no products means all that may be in an offline copy.
///
/// `base` is put before the paths for `installerURL`: the address of the copy, ending with `/`.
///
/// ```
/// use spanned_xml::Source;
/// use webpi_feed::{Feed, Machine, offline};
///
/// let (feed, _) = Feed::read(&Source::from_text("feed.xml", r#"<feed xmlns="http://www.w3.org/2005/Atom">
///     <entry><productId>App</productId><installers><installer><id>1</id><installerFile>
///       <installerURL>https://example.org/app-1.0.zip</installerURL></installerFile><msDeploy/></installer></installers></entry>
///   </feed>"#))?;
/// let copy = offline(&feed, &["App"], &Machine::any(), "file:///D:/copy/").unwrap();
/// assert_eq!(copy.downloads[0].path, "installers/App/app-1.0.zip");
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
///
/// # Errors
///
/// As [`installation_order`].
pub fn offline(
    feed: &Feed,
    product_ids: &[&str],
    machine: &Machine,
    base: &str,
) -> Result<Offline, Error> {
    let mut wanted: HashSet<&str> = HashSet::new();
    let mut missing: BTreeSet<String> = BTreeSet::new();
    let all: Vec<&str> = feed
        .entries
        .iter()
        .filter(|entry| !entry.offline_exclude && entry.installer_for(feed, machine).is_some())
        .map(|entry| entry.product_id.as_str())
        .collect();
    let asked = if product_ids.is_empty() {
        &all
    } else {
        product_ids
    };
    for product_id in asked {
        let plan = installation_order(feed, product_id, &|_| false, machine)?;
        wanted.extend(plan.steps.iter().map(|step| step.entry.product_id.as_str()));
        missing.extend(
            plan.missing
                .iter()
                .map(|missing| missing.product_id.to_owned()),
        );
    }
    let entries: Vec<Entry> = feed
        .entries
        .iter()
        .filter(|entry| wanted.contains(entry.product_id.as_str()))
        .map(|entry| {
            let mut entry = entry.clone();
            entry
                .installers
                .retain(|installer| installer.is_for(feed, machine));
            entry
        })
        .collect();
    let mut copy = Offline {
        feed: Feed {
            entries,
            // What they include is not part of the copy.
            links: feed
                .links
                .iter()
                .filter(|link| !link.is_enclosure())
                .cloned()
                .collect(),
            ..feed.clone()
        },
        downloads: Vec::new(),
        missing: missing.into_iter().collect(),
    };
    copy.place_files(base);
    Ok(copy)
}

impl Offline {
    fn place_files(&mut self, base: &str) {
        let mut paths = Paths::default();
        for entry in &mut self.feed.entries {
            for installer in entry.installers.iter_mut() {
                let Some(file) = &mut installer.installer_file else {
                    continue;
                };
                let url = if file.installer_url.trim().is_empty() {
                    file.relative_installer_url.clone().unwrap_or_default()
                } else {
                    file.installer_url.clone()
                };
                let url = url.trim();
                if url.is_empty() {
                    continue;
                }
                let (path, is_new) = paths.of(&entry.product_id, url);
                let encoded = encode(&path);
                let relative_url = format!("{UP}{encoded}");
                if is_new {
                    self.downloads.push(Download {
                        product_id: entry.product_id.clone(),
                        url: url.to_owned(),
                        sha1: file
                            .sha1
                            .as_deref()
                            .map(|sha1| sha1.trim().to_ascii_lowercase())
                            .filter(|sha1| !sha1.is_empty()),
                        file_size: file.file_size.filter(|size| *size > 0),
                        path,
                        relative_url: relative_url.clone(),
                    });
                }
                file.relative_installer_url = Some(relative_url);
                file.installer_url = format!("{base}{encoded}");
            }
        }
    }
}

/// The paths that have been given, each to one address.
#[derive(Default)]
struct Paths {
    by_product_and_url: HashMap<(String, String), String>,
    /// In lower case: on Windows the case of letters does not tell files apart.
    taken: HashSet<String>,
}

impl Paths {
    /// The path for a product's file, and whether it is a new one.
    fn of(&mut self, product_id: &str, url: &str) -> (String, bool) {
        let key = (product_id.to_owned(), url.to_owned());
        if let Some(path) = self.by_product_and_url.get(&key) {
            return (path.clone(), false);
        }
        let folder = file_name(product_id, "product");
        let name = file_name(&last_segment(url), "installer");
        let mut path = format!("installers/{folder}/{name}");
        let mut number = 2;
        while !self.taken.insert(path.to_lowercase()) {
            path = format!("installers/{folder}/{number}/{name}");
            number += 1;
        }
        self.by_product_and_url.insert(key, path.clone());
        (path, true)
    }
}

/// The last part of an address's path, percent-decoded.
fn last_segment(url: &str) -> String {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .split_once('/')
            .map_or("", |(_, path)| path),
        None => url,
    };
    let segment = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut octets = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let decoded = match tail {
            [high, low, ..] if *first == b'%' => core::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        octets.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// A name that every file system takes, and that stays in its folder.
fn file_name(text: &str, default: &str) -> String {
    const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];
    let name: String = text
        .trim()
        .chars()
        .take(120)
        .map(|character| {
            let is_bad = character.is_control() || r#"\/:*?"<>|%"#.contains(character);
            if is_bad { '_' } else { character }
        })
        .collect();
    let name = name.trim_end_matches(['.', ' ']);
    if name.is_empty() {
        return default.to_owned();
    }
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    let device = stem.trim_end_matches(|character: char| character.is_ascii_digit());
    let is_device = RESERVED.contains(&device)
        && (device.len() == stem.len()) == RESERVED[..4].contains(&device);
    if is_device {
        format!("_{name}")
    } else {
        name.to_owned()
    }
}

/// A path as part of a URL.
fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for octet in path.bytes() {
        if octet.is_ascii_alphanumeric() || b"-_.~/".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            encoded.push_str(&format!("%{octet:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use super::*;
    use crate::Architecture;

    fn read(content: &str) -> Feed {
        let text = format!("<feed xmlns='http://www.w3.org/2005/Atom'>{content}</feed>");
        Feed::read(&Source::from_text("feed.xml", text)).unwrap().0
    }

    fn product(id: &str, needs: &str, urls: &[(&str, &str)]) -> String {
        let installers: String = urls
            .iter()
            .enumerate()
            .map(|(number, (architecture, url))| {
                format!(
                    "<installer><id>{number}</id><architectures><{architecture}/></architectures><installerFile><installerURL>{url}\
                     </installerURL><sha1>AB</sha1></installerFile><msDeploy/></installer>"
                )
            })
            .collect();
        let needs = if needs.is_empty() {
            String::new()
        } else {
            format!("<dependency><productId>{needs}</productId></dependency>")
        };
        format!(
            "<entry><productId>{id}</productId>{needs}<installers>{installers}</installers></entry>"
        )
    }

    #[test]
    fn only_what_is_needed_is_copied() {
        let feed = read(&format!(
            "{}{}{}<link rel='enclosure' href='http://x/other.xml'/>",
            product(
                "App",
                "Lib",
                &[
                    ("x64", "https://x/app.zip?a=1"),
                    ("x86", "https://x/app32.zip")
                ]
            ),
            product("Lib", "Elsewhere", &[("x64", "https://x/my%20lib.zip")]),
            product("Other", "", &[("x86", "https://x/other.zip")]),
        ));
        let mut machine = Machine::any();
        machine.architecture = Some(Architecture::X64);
        let copy = offline(&feed, &["app"], &machine, "http://h/").unwrap();
        let found: Vec<(&str, &str)> = copy
            .downloads
            .iter()
            .map(|download| (download.url.as_str(), download.path.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("https://x/app.zip?a=1", "installers/App/app.zip"),
                ("https://x/my%20lib.zip", "installers/Lib/my lib.zip"),
            ]
        );
        assert_eq!(copy.downloads[0].sha1.as_deref(), Some("ab"));
        assert_eq!(copy.missing, ["Elsewhere"]);
        assert_eq!(copy.feed.links, []);
        let lib = copy.feed.entry("Lib").unwrap().installers[0]
            .installer_file
            .as_ref()
            .unwrap();
        assert_eq!(lib.installer_url, "http://h/installers/Lib/my%20lib.zip");
        assert_eq!(
            lib.relative_installer_url.as_deref(),
            Some("../../installers/Lib/my%20lib.zip")
        );
        assert_eq!(copy.feed.entry("App").unwrap().installers.len(), 1);
        let all = offline(&feed, &[], &machine, "").unwrap();
        assert_eq!(
            all.feed.entries.len(),
            2,
            "no installer of Other is for the machine"
        );
        assert!(offline(&feed, &["None"], &machine, "").is_err());
    }

    #[test]
    fn two_files_never_have_one_path() {
        let feed = read(&product(
            "App",
            "",
            &[
                ("x64", "https://x/1/setup.exe"),
                ("x86", "https://x/2/SETUP.exe"),
                ("x86", "https://x/1/setup.exe"),
            ],
        ));
        let copy = offline(&feed, &["App"], &Machine::any(), "").unwrap();
        let paths: Vec<&str> = copy
            .downloads
            .iter()
            .map(|download| download.path.as_str())
            .collect();
        assert_eq!(
            paths,
            ["installers/App/setup.exe", "installers/App/2/SETUP.exe"]
        );
    }

    #[test]
    fn names_stay_in_their_folder() {
        for (url, expected) in [
            ("https://x/..", "installer"),
            ("https://x/%2e%2e%2fetc", ".._etc"),
            ("https://x/a%5Cb:c.zip", "a_b_c.zip"),
            ("https://x", "installer"),
            ("https://x/", "installer"),
            ("https://x/100%", "100_"),
            ("C:\\files\\a.zip", "a.zip"),
            ("https://x/nul.txt", "_nul.txt"),
            ("https://x/com1", "_com1"),
            ("https://x/com", "com"),
            ("https://x/console.exe", "console.exe"),
            ("https://x/%FF.zip", "\u{FFFD}.zip"),
        ] {
            assert_eq!(
                file_name(&last_segment(url), "installer"),
                expected,
                "{url}"
            );
        }
    }
}
