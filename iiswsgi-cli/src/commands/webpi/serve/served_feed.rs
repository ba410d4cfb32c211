//! A feed as it is served: its packages and icons, where they are files of this machine, get addresses of this server.
//!
//! Only files that the feed has a right to are served: a package whose octets have the SHA-1 that the feed gives, and what
//! lies below the feed's own folder. A feed from somebody else cannot make the server hand out other files.

use std::collections::HashMap;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use hyper::body::Bytes;
use msdeploy_pkg::sha1;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use spanned_xml::{Document, Element, Problem, Source, Splices, escape_text};
use url::Url;
use webpi_feed::Feed;

use crate::commands::webpi::feed_source::{FeedSource, relative_file};
use crate::commands::webpi::serve::resource::{Content, Resource};
use crate::deploy::fetch::Location;
use crate::error::Result;

/// What stays as it is in a segment of a URL's path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// File types that are served as icons; no HTML, and no SVG, which could hold a script.
const IMAGES: [&str; 7] = ["png", "jpg", "jpeg", "gif", "ico", "bmp", "webp"];

/// A feed, read and made ready.
#[derive(Debug)]
pub(crate) struct ServedFeed {
    pub(crate) feed: Feed,
    pub(crate) source: Source,
    pub(crate) problems: Vec<Problem>,
    /// The path that the feed is served at.
    pub(crate) path: String,
    /// What is served, by path, percent-encoded.
    pub(crate) resources: HashMap<String, Resource>,
    /// By installerURL as the feed writes it.
    pub(crate) packages: HashMap<String, Package>,
    /// Paths on this server, by icon as the feed writes it.
    pub(crate) icons: HashMap<String, String>,
}

/// Where the package of an installer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Package {
    /// Served by us: path, and octets.
    Served { path: String, len: u64 },
    /// The feed names a file that is not there.
    Missing { file: Utf8PathBuf },
    /// The file is there, but the feed's SHA-1 is of another one.
    Differs { file: Utf8PathBuf, found: String },
    /// The feed gives no SHA-1, and the file is not below the feed's folder.
    Unverified { file: Utf8PathBuf },
}

impl ServedFeed {
    /// Reads the feed, finds its files, and writes its addresses for a server at `base`, `http://127.0.0.1:8000` for example.
    /// `as_is`: the feed is served octet for octet.
    pub(crate) fn new(
        fetched: FeedSource,
        modified: SystemTime,
        base: &str,
        as_is: bool,
    ) -> Result<Self> {
        let (feed, problems) = fetched.read_checked()?;
        let name = match &fetched.location {
            Location::File(path) => path.file_name().unwrap_or_default().to_owned(),
            Location::Http(url) => url
                .path_segments()
                .and_then(|mut segments| segments.next_back())
                .unwrap_or_default()
                .to_owned(),
        };
        let name = if name.is_empty() { "feed.xml" } else { &name };
        let mut served = Self {
            feed,
            problems,
            path: format!("/{}", encode(name)),
            resources: HashMap::new(),
            packages: HashMap::new(),
            icons: HashMap::new(),
            source: fetched.source,
        };
        let folder = match &fetched.location {
            Location::File(path) => {
                let folder = path.parent().unwrap_or_else(|| Utf8Path::new(""));
                Some(if folder.as_str().is_empty() {
                    Utf8Path::new(".")
                } else {
                    folder
                })
            }
            Location::Http(_) => None,
        };
        let mut splices = Splices::default();
        let document = Document::parse(&served.source)
            .map_err(|problem| crate::error::Error::problem(problem, &served.source))?;
        if let Some(folder) = folder {
            served.find_packages(&document, folder, base, modified, &mut splices)?;
            served.find_icons(folder, modified);
        }
        let text = served.source.text();
        let text = (!as_is).then(|| splices.apply(text)).flatten();
        let text = text.as_deref().unwrap_or_else(|| served.source.text());
        let octets = served
            .source
            .encode(text)
            .map_err(|problem| crate::error::Error::problem(problem, &served.source))?;
        let (digest, _) = sha1(octets.as_slice())?;
        served.resources.insert(
            served.path.clone(),
            Resource {
                content: Content::Made(Bytes::from(octets), format!("\"{digest}\"")),
                // The encoding is in the XML declaration.
                content_type: "application/atom+xml".to_owned(),
                modified,
            },
        );
        Ok(served)
    }

    fn find_packages(
        &mut self,
        document: &Document,
        folder: &Utf8Path,
        base: &str,
        modified: SystemTime,
        splices: &mut Splices,
    ) -> Result<()> {
        for file in document
            .root()
            .descendants()
            .filter(|element| element.is("installerFile"))
        {
            let text = |name: &str| file.child(name).map(|child| child.text().trim().to_owned());
            let url = text("installerURL").unwrap_or_default();
            let relative = text("relativeInstallerURL").unwrap_or_default();
            let Some((path, named)) = local_file(&url, &relative, folder) else {
                continue;
            };
            let package = if path.is_file() {
                self.package(&path, text("sha1").as_deref(), folder, modified)?
            } else if named {
                Package::Missing { file: path }
            } else {
                continue;
            };
            // A file that merely has the name of one that is published elsewhere is another one.
            if !named && !matches!(package, Package::Served { .. }) {
                continue;
            }
            if let Package::Served { path, .. } = &package {
                let mut replace = |name: &str, address: String| {
                    if let Some(child) = file.child(name).filter(|child| has_text(child)) {
                        splices.replace(child.content_span(), escape_text(&address));
                    }
                };
                replace("installerURL", format!("{base}{path}"));
                replace(
                    "relativeInstallerURL",
                    path.trim_start_matches('/').to_owned(),
                );
            }
            self.packages.insert(url, package);
        }
        Ok(())
    }

    fn package(
        &mut self,
        file: &Utf8Path,
        expected: Option<&str>,
        folder: &Utf8Path,
        modified: SystemTime,
    ) -> Result<Package> {
        let (digest, len) = sha1(fs::File::open(file)?)?;
        let digest = digest.to_string();
        match expected.filter(|expected| !expected.is_empty()) {
            Some(expected) if !expected.eq_ignore_ascii_case(&digest) => {
                return Ok(Package::Differs {
                    file: file.to_owned(),
                    found: digest,
                });
            }
            None if !is_below(file, folder) => {
                return Ok(Package::Unverified {
                    file: file.to_owned(),
                });
            }
            _ => {}
        }
        let name = file.file_name().unwrap_or("package");
        let path = format!("/packages/{digest}/{}", encode(name));
        self.serve(&path, file, modified);
        Ok(Package::Served { path, len })
    }

    fn find_icons(&mut self, folder: &Utf8Path, modified: SystemTime) {
        let named: Vec<String> = self
            .feed
            .entries
            .iter()
            .filter_map(|entry| entry.images()?.icon.clone())
            .collect();
        for icon in named {
            if self.icons.contains_key(&icon) {
                continue;
            }
            let Some((file, true)) = local_file(icon.trim(), "", folder) else {
                continue;
            };
            let is_image = file
                .extension()
                .is_some_and(|extension| IMAGES.contains(&extension.to_ascii_lowercase().as_str()));
            if is_image && file.is_file() && is_below(&file, folder) {
                let path = format!(
                    "/icons/{}/{}",
                    self.icons.len() + 1,
                    encode(file.file_name().unwrap_or("icon"))
                );
                self.serve(&path, &file, modified);
                self.icons.insert(icon, path);
            }
        }
    }

    fn serve(&mut self, path: &str, file: &Utf8Path, modified: SystemTime) {
        let content_type = mime_guess::from_path(file).first_or_octet_stream();
        self.resources.insert(
            path.to_owned(),
            Resource {
                content: Content::File(file.to_owned()),
                content_type: content_type.essence_str().to_owned(),
                modified,
            },
        );
    }
}

pub(crate) fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, SEGMENT).to_string()
}

fn has_text(element: &Element) -> bool {
    !element.text().trim().is_empty()
}

/// The file of this machine that is meant, and whether the feed itself names it; a file beside the feed with the name of one
/// that is published elsewhere is what is about to be published.
fn local_file(url: &str, relative: &str, folder: &Utf8Path) -> Option<(Utf8PathBuf, bool)> {
    let base = Location::File(folder.join("feed.xml"));
    let below = |text: &str| match Location::parse(&text.replace('\\', "/"), Some(&base)) {
        Ok(Location::File(path)) if !text.is_empty() => Some(path),
        _ => None,
    };
    if let Some(path) = relative_file(relative, folder).filter(|path| path.is_file()) {
        return Some((path, true));
    }
    match Url::parse(url).ok().filter(|url| url.scheme().len() > 1) {
        Some(address) if matches!(address.scheme(), "http" | "https") => {
            let name = address.path_segments()?.next_back()?.to_owned();
            let name = percent_encoding::percent_decode_str(&name)
                .decode_utf8()
                .ok()?;
            let is_name = !name.is_empty() && !name.contains(['/', '\\', ':']) && name != "..";
            is_name.then(|| (folder.join(name.as_ref()), false))
        }
        _ => below(url).map(|path| (path, true)),
    }
}

/// Whether a file lies in a folder or below it, links followed.
fn is_below(file: &Utf8Path, folder: &Utf8Path) -> bool {
    match (file.canonicalize_utf8(), folder.canonicalize_utf8()) {
        (Ok(file), Ok(folder)) => file.starts_with(folder),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1_OF_ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

    struct Scratch {
        _keep: tempfile::TempDir,
        folder: Utf8PathBuf,
    }

    fn scratch() -> Scratch {
        let keep = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::from_path_buf(keep.path().join("dist")).unwrap();
        fs::create_dir_all(folder.join("img")).unwrap();
        for name in ["a b.zip", "published.zip", "img/icon.png", "img/page.html"] {
            fs::write(folder.join(name), "abc").unwrap();
        }
        fs::write(folder.parent().unwrap().join("secret.txt"), "secret").unwrap();
        Scratch {
            _keep: keep,
            folder,
        }
    }

    fn serve(folder: &Utf8Path, installer: &str, icon: &str, as_is: bool) -> ServedFeed {
        let feed = format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'><!-- kept --><entry><productId>P</productId><images><icon>{icon}</icon>\
             </images><installers><installer><installerFile>{installer}</installerFile></installer></installers></entry></feed>"
        );
        let path = folder.join("my feed.xml");
        fs::write(&path, &feed).unwrap();
        let source = Source::from_text(path.as_str(), feed);
        let location = Location::File(path);
        ServedFeed::new(
            FeedSource { location, source },
            SystemTime::UNIX_EPOCH,
            "http://h:1",
            as_is,
        )
        .unwrap()
    }

    fn text(served: &ServedFeed) -> String {
        match &served.resources[&served.path].content {
            Content::Made(octets, _) => String::from_utf8(octets.to_vec()).unwrap(),
            Content::File(path) => unreachable!("{path}"),
        }
    }

    #[test]
    fn packages_on_this_machine_get_addresses_of_the_server() {
        let scratch = scratch();
        let folder = &scratch.folder;
        let file_url = Url::from_file_path(folder.join("a b.zip")).unwrap();
        for (url, name) in [
            (file_url.as_str(), "a%20b.zip"),
            ("a b.zip", "a%20b.zip"),
            (
                "https://example.org/files/published.zip?x=1",
                "published.zip",
            ),
        ] {
            let installer = format!(
                "<installerURL>{url}</installerURL><sha1>{}</sha1>",
                SHA1_OF_ABC.to_uppercase()
            );
            let served = serve(folder, &installer, "", false);
            let path = format!("/packages/{SHA1_OF_ABC}/{name}");
            assert!(
                served.resources.contains_key(&path),
                "{url}: {:?}",
                served.packages
            );
            assert!(
                text(&served).contains(&format!("<installerURL>http://h:1{path}</installerURL>")),
                "{url}"
            );
            assert!(text(&served).contains("<!-- kept -->"));
            let served = serve(folder, &installer, "", true);
            assert!(
                text(&served).contains(&format!("<installerURL>{url}</installerURL>")),
                "{url} as is"
            );
        }
    }

    #[test]
    fn files_that_the_feed_has_no_right_to_are_not_served() {
        let scratch = scratch();
        let secret =
            Url::from_file_path(scratch.folder.parent().unwrap().join("secret.txt")).unwrap();
        for (url, sha1) in [
            (secret.as_str(), ""),
            (secret.as_str(), SHA1_OF_ABC),
            ("../secret.txt", ""),
            (r"..\secret.txt", ""),
            ("https://example.org/..%2Fsecret.txt", ""),
        ] {
            let installer = format!("<installerURL>{url}</installerURL><sha1>{sha1}</sha1>");
            let served = serve(&scratch.folder, &installer, secret.as_str(), false);
            assert_eq!(
                served.resources.len(),
                1,
                "{url}: {:?}",
                served.resources.keys()
            );
        }
        for (icon, expected) in [
            ("img/icon.png", 2),
            ("img/page.html", 1),
            ("../secret.txt", 1),
            ("https://x/i.png", 1),
        ] {
            let served = serve(
                &scratch.folder,
                "<installerURL>https://x/y.zip</installerURL>",
                icon,
                false,
            );
            assert_eq!(served.resources.len(), expected, "{icon}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_package_is_known() {
        let scratch = scratch();
        let other = "0".repeat(40);
        for (installer, expected) in [
            (
                "<installerURL>none.zip</installerURL>".to_owned(),
                "missing",
            ),
            (
                format!("<installerURL>a b.zip</installerURL><sha1>{other}</sha1>"),
                "differs",
            ),
            (
                format!("<installerURL>https://x/published.zip</installerURL><sha1>{other}</sha1>"),
                "elsewhere",
            ),
            (
                "<installerURL>https://x/none.zip</installerURL>".to_owned(),
                "elsewhere",
            ),
        ] {
            let served = serve(&scratch.folder, &installer, "", false);
            let found = match served.packages.values().next() {
                Some(Package::Missing { .. }) => "missing",
                Some(Package::Differs { found, .. }) if found == SHA1_OF_ABC => "differs",
                None => "elsewhere",
                other => panic!("{other:?}"),
            };
            assert_eq!(found, expected, "{installer}");
        }
    }
}
