//! A folder that stands for an IIS: sites and their content, with one applicationHost.config.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iis_config::ApplicationHost;
use iis_config::edit::Edit;
use spanned_xml::{Problems, Source};

use crate::deploy::config_file::ConfigFile;
use crate::deploy::file;
use crate::error::{Error, Result};

const APPLICATION_HOST: &str = "applicationHost.config";

/// A folder with an applicationHost.config, or where one is about to be made.
#[derive(Clone, Debug)]
pub(crate) struct SiteRoot {
    folder: Utf8PathBuf,
}

/// Where in IIS a folder is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) site: String,
    /// `/` for the site's root application.
    pub(crate) application_path: String,
}

impl SiteRoot {
    /// The folder `folder`, made where it is not there.
    pub(crate) fn open(folder: &Utf8Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: file::canonical(folder)?,
        })
    }

    /// The nearest folder at or above `start` with an applicationHost.config.
    pub(crate) fn above(start: &Utf8Path) -> Option<Self> {
        start
            .ancestors()
            .find(|folder| folder.join(APPLICATION_HOST).is_file())
            .map(|folder| Self {
                folder: folder.to_owned(),
            })
    }

    pub(crate) fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    pub(crate) fn application_host(&self) -> Utf8PathBuf {
        self.folder.join(APPLICATION_HOST)
    }

    /// The configuration; a new one where there is no file yet.
    pub(crate) fn read(&self) -> Result<Source> {
        let file = ConfigFile::read(&self.application_host(), new_application_host)?;
        Ok(file.source().clone())
    }

    /// Changes the configuration while nobody else does, and says what changed.
    pub(crate) fn edit(
        &self,
        change: impl FnOnce(&Source) -> Result<Edit, Problems>,
    ) -> Result<Vec<String>> {
        ConfigFile::lock(&self.application_host(), new_application_host)?.edit(change)
    }
}

/// The configuration of a site root that has none yet.
fn new_application_host() -> String {
    ApplicationHost::new_text("\n")
}

/// An IIS path, `Site Name/app/…`: what Web Deploy's iisApp provider takes.
pub(crate) fn parse_iis_path(path: &str) -> Result<Place> {
    let refuse = |why: &str| {
        Error::new(format!("`{path}` is not an IIS path: {why}")).help("write the site's name, or the site's name and the application's path: `Default Web Site/app`")
    };
    let mut segments = path.trim_matches('/').split('/');
    let site = segments.next().unwrap_or_default();
    let rest: Vec<&str> = segments.collect();
    for segment in std::iter::once(&site).chain(&rest) {
        if segment.trim().is_empty() {
            return Err(refuse("a part of it is empty"));
        }
        if matches!(*segment, "." | "..") || segment.ends_with(['.', ' ']) {
            return Err(refuse(&format!("`{segment}` is not a folder's name")));
        }
        if let Some(character) = segment
            .chars()
            .find(|character| character.is_control() || r#"\:*?"<>|"#.contains(*character))
        {
            return Err(refuse(&format!(
                "{character:?} is not allowed in a folder's name"
            )));
        }
    }
    Ok(Place {
        site: site.to_owned(),
        application_path: format!("/{}", rest.join("/")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iis_paths_are_read_or_refused() {
        let place = |site: &str, path: &str| {
            Some(Place {
                site: site.to_owned(),
                application_path: path.to_owned(),
            })
        };
        for (path, expected) in [
            ("Default Web Site", place("Default Web Site", "/")),
            ("Default Web Site/app", place("Default Web Site", "/app")),
            ("/a/b/c/", place("a", "/b/c")),
            ("", None),
            ("a//b", None),
            ("a/../b", None),
            (r"a\b", None),
            ("C:/x", None),
            ("a/b.", None),
        ] {
            assert_eq!(parse_iis_path(path).ok(), expected, "{path}");
        }
    }
}
