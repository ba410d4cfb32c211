//! The Web Platform Installer's own folder, `%LOCALAPPDATA%\Microsoft\Web Platform Installer`: cached feeds, downloads, logs.

use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use spanned_xml::Source;
use webpi_feed::Feed;

use crate::context::Context;
use crate::deploy::file;
use crate::error::{Error, Result};

/// The folder below `%LOCALAPPDATA%`.
const FOLDER: [&str; 2] = ["Microsoft", "Web Platform Installer"];
/// The downloads, a folder for each product.
const INSTALLERS: &str = "installers";

#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct LocalDataArgs {
    /// WebPI's folder, or a copy of it [default: %LOCALAPPDATA%\Microsoft\Web Platform Installer]
    #[arg(long, value_name = "DIR")]
    webpi_folder: Option<Utf8PathBuf>,
}

/// WebPI's folder.
#[derive(Clone, Debug)]
pub(crate) struct LocalData {
    pub(crate) folder: Utf8PathBuf,
}

/// A feed that WebPI keeps a copy of.
#[derive(Debug)]
pub(crate) struct CachedFeed {
    pub(crate) path: Utf8PathBuf,
    /// None where the copy cannot be read as a feed.
    pub(crate) feed: Option<Feed>,
}

impl LocalDataArgs {
    /// The folder, where the command line or the environment says which it is.
    pub(crate) fn find(&self, context: &Context) -> Option<LocalData> {
        let default = || {
            let local = context.environment.non_empty("LOCALAPPDATA")?;
            Some(Utf8Path::new(local).join(FOLDER[0]).join(FOLDER[1]))
        };
        self.webpi_folder
            .clone()
            .or_else(default)
            .map(|folder| LocalData { folder })
    }

    /// Whether the folder was named on the command line.
    pub(crate) const fn is_named(&self) -> bool {
        self.webpi_folder.is_some()
    }

    /// As [`LocalDataArgs::find`], for a command that has nothing to do without it.
    pub(crate) fn need(&self, context: &Context) -> Result<LocalData> {
        let local = self.find(context).ok_or_else(|| {
            Error::new("WebPI's folder is not known: LOCALAPPDATA is not set")
                .help("name it, or a copy of it, with `--webpi-folder DIR`")
        })?;
        if self.is_named() && !local.folder.is_dir() {
            return Err(Error::new(format!("there is no folder `{}`", local.folder))
                .help("name WebPI's folder: on Windows it is %LOCALAPPDATA%\\Microsoft\\Web Platform Installer"));
        }
        Ok(local)
    }
}

impl LocalData {
    /// The cached feeds: WebPI names them by a hash of their address, a signed 32-bit number, so that only what is inside
    /// says which feed one is.
    pub(crate) fn cached_feeds(&self) -> Result<Vec<CachedFeed>> {
        let mut feeds = Vec::new();
        for path in entries(&self.folder)? {
            let is_hash = path
                .file_stem()
                .is_some_and(|stem| stem.parse::<i32>().is_ok());
            let is_xml = path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("xml"));
            if is_hash && is_xml && path.is_file() {
                let feed = read_feed(&path);
                feeds.push(CachedFeed { path, feed });
            }
        }
        Ok(feeds)
    }

    /// The downloads: folders named by the identifiers of products.
    pub(crate) fn installers(&self) -> Result<Vec<Utf8PathBuf>> {
        let folders = entries(&self.folder.join(INSTALLERS))?;
        Ok(folders.into_iter().filter(|path| path.is_dir()).collect())
    }
}

fn read_feed(path: &Utf8Path) -> Option<Feed> {
    let source = file::read_source(path).ok()?;
    Feed::read(&source).ok().map(|(feed, _)| feed)
}

/// What a folder holds, by name; nothing where there is no such folder. Names that are not Unicode are left out.
pub(crate) fn entries(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.extend(Utf8PathBuf::from_path_buf(entry?.path()).ok());
    }
    paths.sort();
    Ok(paths)
}

/// A log's text, at most its first `limit` octets, in whichever encoding it is; what cannot be decoded is replaced.
pub(crate) fn read_text(path: &Utf8Path, limit: u64) -> Result<String> {
    let mut octets = Vec::new();
    fs::File::open(path)?.take(limit).read_to_end(&mut octets)?;
    Ok(Source::decode(path.as_str(), &octets).map_or_else(
        |_| String::from_utf8_lossy(&octets).into_owned(),
        |source| source.text().to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_feeds_are_those_with_a_number_for_a_name() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::from_path_buf(scratch.path().to_owned()).unwrap();
        let feed = r#"<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:x</id></feed>"#;
        for (name, text) in [
            ("-1373627273.xml", feed),
            ("12.XML", "<feed"),
            ("notes.xml", feed),
            ("99999999999.xml", feed),
            ("7.txt", feed),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        let local = LocalData { folder };
        let found: Vec<(String, Option<String>)> = local
            .cached_feeds()
            .unwrap()
            .into_iter()
            .map(|cached| {
                let name = cached.path.file_name().unwrap().to_owned();
                (name, cached.feed.and_then(|feed| feed.id))
            })
            .collect();
        assert_eq!(
            found,
            [
                ("-1373627273.xml".to_owned(), Some("urn:x".to_owned())),
                ("12.XML".to_owned(), None),
            ]
        );
        assert!(local.installers().unwrap().is_empty());
    }

    #[test]
    fn a_log_is_read_in_any_encoding() {
        let scratch = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(scratch.path().join("webpi1.txt")).unwrap();
        for (octets, expected) in [
            (&b"plain"[..], "plain"),
            (b"\xEF\xBB\xBFmarked", "marked"),
            (b"\xFF\xFEo\0k\0", "ok"),
            (b"caf\xE9", "caf\u{FFFD}"),
        ] {
            fs::write(&path, octets).unwrap();
            assert_eq!(read_text(&path, 1 << 20).unwrap(), expected);
        }
        assert_eq!(read_text(&path, 2).unwrap(), "ca");
    }
}
