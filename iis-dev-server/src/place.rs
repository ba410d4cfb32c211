//! Where a request belongs: its application, its virtual directory, its place in the file system.

use camino::{Utf8Path, Utf8PathBuf};
use hyper::StatusCode;
use iis_config::{ResolvedPath, Resource};

use crate::config::{Application, Site};
use crate::pages::Page;

/// A request's place in a site.
pub(crate) struct Place<'a> {
    pub(crate) site: &'a Site,
    pub(crate) application: &'a Application,
    pub(crate) resolved: ResolvedPath<'a>,
    /// The path below the application, beginning with `/`.
    pub(crate) path: &'a str,
}

impl<'a> Place<'a> {
    /// The place of a decoded path.
    pub(crate) fn of(site: &'a Site, path: &'a str) -> Result<Self, Box<Page>> {
        let missing = || {
            Box::new(
                Page::new(
                    StatusCode::NOT_FOUND,
                    "No application is mounted there",
                    "The site has no application or virtual directory for this path.",
                )
                .fact("Site", &site.definition.name)
                .fact("Path", path),
            )
        };
        let resolved = site.definition.resolve(path).ok_or_else(missing)?;
        let application = site
            .applications
            .iter()
            .find(|application| application.path == resolved.application.path)
            .ok_or_else(missing)?;
        let path = match resolved.path_in_application {
            "" => "/",
            below => below,
        };
        Ok(Self {
            site,
            application,
            resolved,
            path,
        })
    }

    /// What a path below the application is in the file system.
    pub(crate) fn physical(&self, path: &str) -> Utf8PathBuf {
        let directory = self.resolved.virtual_directory;
        let mount = directory.path.trim_end_matches('/').len();
        let below = path
            .get(mount..)
            .unwrap_or_default()
            .trim_start_matches('/');
        let root = directory.physical_path.trim_end_matches('/');
        if below.is_empty() {
            return Utf8PathBuf::from(if root.is_empty() { "/" } else { root });
        }
        let below = if cfg!(windows) {
            below.replace('/', "\\")
        } else {
            below.to_owned()
        };
        Utf8PathBuf::from(format!("{root}{}{below}", std::path::MAIN_SEPARATOR))
    }

    /// The folder of the site's root application.
    pub(crate) fn document_root(&self) -> &'a str {
        let applications = &self.site.applications;
        let root = applications
            .iter()
            .find(|application| application.path == "/");
        root.unwrap_or(self.application).physical_path.as_str()
    }
}

/// What is at a path.
pub(crate) fn resource(path: &Utf8Path) -> Resource {
    if path.is_file() {
        Resource::File
    } else if path.is_dir() {
        Resource::Directory
    } else {
        Resource::Missing
    }
}

/// A path without its path information.
pub(crate) fn script_path<'a>(path: &'a str, path_info: &str) -> &'a str {
    path.strip_suffix(path_info).unwrap_or(path)
}

/// Octets of the whole path in front of the path information. The text that handlers are matched with may be longer
/// than the path where that is not UTF-8; slashes are the same in both.
pub(crate) fn script_len(path: &[u8], path_info: &str) -> usize {
    let slashes = path_info.matches('/').count();
    let from_end = path
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, octet)| **octet == b'/');
    match slashes.checked_sub(1) {
        Some(before) => from_end
            .map(|(index, _)| index)
            .nth(before)
            .unwrap_or(path.len()),
        None => path.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_ends_where_the_path_information_begins() {
        let table: [(&[u8], &str, usize); 5] = [
            (b"/a/index.py/news", "/news", 11),
            (b"/a/index.py/news/1/", "/news/1/", 11),
            (b"/a/index.py", "", 11),
            // Two octets that are not UTF-8 are six in the text.
            (b"/index.py/\xff\xfe", "/\u{fffd}\u{fffd}", 9),
            (b"/", "", 1),
        ];
        for (path, path_info, expected) in table {
            assert_eq!(script_len(path, path_info), expected, "{path_info}");
        }
        assert_eq!(script_path("/a.py/x", "/x"), "/a.py");
    }
}
