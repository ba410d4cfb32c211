//! What keeps the server from starting.

use std::fmt;
use std::net::SocketAddr;

use camino::Utf8PathBuf;
use spanned_xml::Problems;

/// Every failure of this crate's entry points. What fails while a request is handled becomes a page for its client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The files are at fault.
    /// Files that IIS would refuse, each with all that is wrong with it.
    #[error("{}", Lines(.0))]
    Configuration(Vec<Problems>),
    /// A folder without anything to serve.
    #[error(
        "`{folder}` holds neither applicationHost.config nor web.config (help: name the folder of a site or of an application; `iiswsgi msdeploy install` makes both files)"
    )]
    NothingToServe {
        /// The folder.
        folder: Utf8PathBuf,
    },
    /// An `applicationHost.config` without a site.
    #[error("`{file}` has no site (help: `iiswsgi msdeploy install` adds one)")]
    NoSite {
        /// The file.
        file: Utf8PathBuf,
    },

    // The caller is at fault.
    /// A site was asked for that is not there.
    #[error("there is no site `{name}`; there is {}", sites.join(", "))]
    UnknownSite {
        /// The name.
        name: String,
        /// Those that are there.
        sites: Vec<String>,
    },
    /// More sites than ports behind the one asked for.
    #[error("site `{site}` would need a port above 65535 (help: choose a lower one)")]
    PortRange {
        /// The site.
        site: String,
    },
    /// A request given to [`once`](crate::once()) is not one.
    #[error("the request is not valid: {0}")]
    Request(String),

    // The system is at fault.
    /// A port cannot be had.
    #[error(
        "cannot listen at {address} for site `{site}`: {source} (help: choose another port, or 0 for any)"
    )]
    Listen {
        /// The site.
        site: String,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A path that is not Unicode, which no configuration file can hold.
    #[error("the path `{path}` is not Unicode (help: rename it)")]
    NotUnicode {
        /// The path, as far as it can be shown.
        path: String,
    },
}

struct Lines<'a>(&'a [Problems]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problems) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            fmt::Display::fmt(problems, f)?;
        }
        Ok(())
    }
}
