//! `iiswsgi webpi offline`: a copy of products that needs no network.

use std::fmt;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use msdeploy_pkg::{Sha1Writer, sha1};
use serde::Serialize;
use webpi_feed::{Download, Feed, Machine, OFFLINE_FEED_PATH, Offline, offline};

use crate::commands::webpi::feed_source::FeedSource;
use crate::commands::webpi::machine_args::MachineArgs;
use crate::context::Context;
use crate::deploy::fetch::Location;
use crate::deploy::file;
use crate::error::{Error, Result};

/// Web Deploy reads no larger package.
const FILE_LIMIT: u64 = 0x7FFF_FFFF;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The feed: a path, or a file:, http: or https: URL
    #[arg(value_name = "FEED")]
    feed: String,
    /// The products' identifiers; what they need is copied too
    #[arg(value_name = "PRODUCT", required_unless_present = "all")]
    products: Vec<String>,
    /// Copy every product
    #[arg(long, conflicts_with = "products")]
    all: bool,
    /// The folder of the copy; what is there and right already is not fetched again
    #[arg(long, value_name = "DIR")]
    path: Utf8PathBuf,
    /// Where the copy will be served [default: the folder's file: URL]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    machine: MachineArgs,
}

/// A copy that is to be made.
#[derive(Debug)]
pub(crate) struct Copy<'a> {
    pub(crate) feed: &'a Feed,
    pub(crate) location: &'a Location,
    /// None of them means all.
    pub(crate) products: &'a [String],
    pub(crate) machine: &'a Machine,
    pub(crate) folder: &'a Utf8Path,
    pub(crate) url: Option<&'a str>,
}

/// What was copied.
#[derive(Debug, Serialize)]
pub(crate) struct Copied {
    /// The copy's feed.
    pub(crate) feed: Utf8PathBuf,
    pub(crate) products: Vec<String>,
    pub(crate) files: Vec<CopiedFile>,
    /// Products that are needed and that the feed cannot give.
    pub(crate) missing: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CopiedFile {
    pub(crate) path: Utf8PathBuf,
    pub(crate) url: String,
    pub(crate) sha1: String,
    /// The feed's SHA-1 is this one; without one in the feed nothing says that the file is the right one.
    pub(crate) verified: bool,
    /// False where it was there already.
    pub(crate) fetched: bool,
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.feed)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let target = args.machine.target(context)?;
    let fetched = FeedSource::fetch(&args.feed, context)?;
    let feed = fetched.read_with_enclosures(context)?;
    let copy = Copy {
        feed: &feed,
        location: &fetched.location,
        products: &args.products,
        machine: &target.machine,
        folder: &args.path,
        url: args.url.as_deref(),
    };
    let copied = copy.run(context)?;
    context.say(format_args!(
        "copied {} product(s), {} file(s) fetched",
        copied.products.len(),
        copied.files.iter().filter(|file| file.fetched).count()
    ));
    context.report(&copied)
}

impl Copy<'_> {
    /// Fetches and verifies every file, then writes the feed: a copy that was interrupted still has the feed it had.
    pub(crate) fn run(&self, context: &Context) -> Result<Copied> {
        let base = match self.url {
            Some(url) => url.to_owned(),
            None => file::file_url(self.folder)?,
        };
        let base = format!("{}/", base.trim_end_matches('/'));
        let ids: Vec<&str> = self.products.iter().map(String::as_str).collect();
        let mut copy = offline(self.feed, &ids, self.machine, &base).map_err(|error| {
            Error::new(format!("`{}`: {error}", self.location))
                .help("`iiswsgi webpi list` shows the products of a feed")
        })?;
        if !copy.missing.is_empty() {
            context.say(format_args!(
                "the copy is without what this feed does not have for the machine: {}",
                copy.missing.join(", ")
            ));
        }
        let mut files = Vec::new();
        for download in &copy.downloads {
            files.push(self.copy_file(download, context)?);
        }
        add_hashes(&mut copy, &files);
        let feed = self.folder.join(OFFLINE_FEED_PATH);
        file::write(&feed, copy.feed.write().as_bytes())?;
        Ok(Copied {
            feed,
            products: copy
                .feed
                .entries
                .iter()
                .map(|entry| entry.product_id.clone())
                .collect(),
            files,
            missing: copy.missing,
        })
    }

    fn copy_file(&self, download: &Download, context: &Context) -> Result<CopiedFile> {
        let path = self.folder.join(&download.path);
        let copied = |sha1: String, fetched| CopiedFile {
            path: path.clone(),
            url: download.url.clone(),
            verified: download.sha1.is_some(),
            sha1,
            fetched,
        };
        if let Some(expected) = &download.sha1
            && path.is_file()
        {
            let (digest, _) = sha1(fs::File::open(&path)?)?;
            if digest.to_string().eq_ignore_ascii_case(expected) {
                context.detail(format_args!("`{path}` is there already"));
                return Ok(copied(digest.to_string(), false));
            }
        }
        let location = Location::parse(&download.url, Some(self.location))?;
        context.say(format_args!("fetching `{location}`"));
        let folder = path.parent().unwrap_or(self.folder);
        fs::create_dir_all(folder)?;
        let mut temporary = temporary_in(folder)?;
        let mut sink = Sha1Writer::new(&mut temporary);
        location.fetch(&mut sink, FILE_LIMIT, context)?;
        let (_, digest, _) = sink.finish();
        let digest = digest.to_string();
        match &download.sha1 {
            Some(expected) if !expected.eq_ignore_ascii_case(&digest) => {
                return Err(Error::new(format!(
                    "the SHA-1 of `{location}` is {digest}, and the feed says {expected} for `{}`",
                    download.product_id
                ))
                .help("the feed or the file is not the published one; `iiswsgi webpi check --fetch` shows all such files"));
            }
            Some(_) => {}
            None => context.say(format_args!(
                "the feed gives no SHA-1 for `{location}`: it was not verified"
            )),
        }
        temporary.flush()?;
        temporary.as_file().sync_all()?;
        temporary.persist(&path).map_err(|error| error.error)?;
        Ok(copied(digest, true))
    }
}

/// A new file with the permissions of a published one, gone where it is not kept.
fn temporary_in(folder: &Utf8Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".iiswsgi-");
    #[cfg(unix)]
    let permissions = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o644);
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(folder)
}

/// Every file of a copy has its SHA-1 in the copy's feed.
fn add_hashes(copy: &mut Offline, files: &[CopiedFile]) {
    for entry in &mut copy.feed.entries {
        for installer in entry.installers.iter_mut() {
            let Some(file) = &mut installer.installer_file else {
                continue;
            };
            let is_empty = file
                .sha1
                .as_deref()
                .is_none_or(|sha1| sha1.trim().is_empty());
            let known = copy.downloads.iter().zip(files).find(|(download, _)| {
                file.relative_installer_url.as_deref() == Some(&download.relative_url)
            });
            if let (true, Some((_, copied))) = (is_empty, known) {
                file.sha1 = Some(copied.sha1.clone());
            }
        }
    }
}
