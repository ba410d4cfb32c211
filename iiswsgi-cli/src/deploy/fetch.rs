//! Feeds and packages fetched from a path, a `file:` URL or an HTTP server.

use std::io::{self, Read, Seek as _, Write};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use url::Url;

use crate::context::Context;
use crate::deploy::http;
use crate::deploy::progress;
use crate::error::{Error, Result};

/// How long a server may take until its answer begins.
const ANSWER: Duration = Duration::from_secs(60);

/// Where something is fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// A file of this machine.
    File(Utf8PathBuf),
    /// An `http:` or `https:` URL.
    Http(Url),
}

impl Location {
    /// Reads a path or a URL; a URL without a scheme of its own is relative to `base`.
    pub(crate) fn parse(text: &str, base: Option<&Self>) -> Result<Self> {
        // One letter before the colon is a drive.
        let url = Url::parse(text).ok().filter(|url| url.scheme().len() > 1);
        match (url, base) {
            (Some(url), _) if matches!(url.scheme(), "http" | "https") => Ok(Self::Http(url)),
            (Some(url), _) if url.scheme() == "file" => {
                let path = url
                    .to_file_path()
                    .ok()
                    .and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
                path.map(Self::File).ok_or_else(|| {
                    Error::new(format!("`{text}` names no file of this machine"))
                        .help("write it as file:///PATH")
                })
            }
            (Some(url), _) => Err(Error::new(format!(
                "cannot fetch `{text}`: `{}` URLs are not supported",
                url.scheme()
            ))
            .help("use a path, or a file:, http: or https: URL")),
            (None, Some(Self::Http(base))) => base
                .join(text)
                .map(Self::Http)
                .map_err(|error| Error::new(format!("cannot fetch `{text}`: {error}"))),
            (None, Some(Self::File(base))) => Ok(Self::File(
                base.parent()
                    .unwrap_or_else(|| Utf8Path::new(""))
                    .join(text),
            )),
            (None, None) => Ok(Self::File(text.into())),
        }
    }

    /// What is there, to be read as often as one likes: what is no file of this machine, at most `limit` octets, is put into a
    /// temporary one.
    pub(crate) fn keep(&self, limit: u64, context: &Context) -> Result<Kept> {
        if let Self::File(path) = self {
            let mut file = fs::File::open(path)?;
            if file.metadata()?.is_file() {
                return Ok(Kept::File(path.clone()));
            }
            let mut copied = temporary()?;
            copy(&mut file, &mut copied, limit, self)?;
            return Ok(Kept::Temporary(copied));
        }
        let mut file = temporary()?;
        self.fetch(&mut file, limit, context)?;
        Ok(Kept::Temporary(file))
    }

    /// Copies what is there into `sink`, at most `limit` octets of it.
    pub(crate) fn fetch(
        &self,
        sink: &mut impl Write,
        limit: u64,
        context: &Context,
    ) -> Result<u64> {
        match self {
            Self::File(path) => {
                let mut file = fs::File::open(path)?;
                copy(&mut file, sink, limit, self)
            }
            Self::Http(url) => {
                let agent: ureq::Agent = http::config(ANSWER, http::trusted_by_this_machine())
                    .build()
                    .into();
                let mut response = agent.get(url.as_str()).call().map_err(|error| {
                    let help = if http::is_distrust(&error) {
                        "add the certificate of the server's authority to those that this machine trusts, or name its file in \
                         SSL_CERT_FILE"
                    } else {
                        "check the address and the connection"
                    };
                    Error::new(format!("cannot fetch `{url}`: {error}")).help(help)
                })?;
                let len = response.body().content_length();
                let progress = progress::octets(len, context);
                let mut reader = progress.wrap_read(response.body_mut().as_reader());
                let copied = copy(&mut reader, sink, limit, self);
                progress.finish_and_clear();
                copied
            }
        }
    }
}

fn temporary() -> Result<fs::File> {
    Ok(fs::File::from_parts(
        tempfile::tempfile()?,
        "a temporary file",
    ))
}

/// A file that can be read again and again.
#[derive(Debug)]
pub(crate) enum Kept {
    File(Utf8PathBuf),
    Temporary(fs::File),
}

impl Kept {
    /// A reader from the beginning. Of a temporary file, the readers before it are at the beginning then too.
    pub(crate) fn open(&self) -> io::Result<fs::File> {
        match self {
            Self::File(path) => fs::File::open(path),
            Self::Temporary(file) => {
                let mut file = file.try_clone()?;
                file.rewind()?;
                Ok(file)
            }
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            Self::Http(url) => url.fmt(f),
        }
    }
}

fn copy(
    reader: &mut impl Read,
    sink: &mut impl Write,
    limit: u64,
    location: &Location,
) -> Result<u64> {
    let copied = io::copy(&mut reader.take(limit.saturating_add(1)), sink)
        .map_err(|error| Error::new(format!("cannot fetch `{location}`: {error}")))?;
    if copied > limit {
        return Err(
            Error::new(format!("`{location}` is larger than {limit} octets"))
                .help("check where it comes from"),
        );
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_are_told_apart() {
        let http = Location::parse("http://127.0.0.1:80/feeds/a.xml", None).unwrap();
        let file = Location::Http(Url::parse("http://127.0.0.1/feeds/b.zip").unwrap());
        for (text, base, expected) in [
            ("a/b.xml", None, Location::File("a/b.xml".into())),
            (r"C:\a.xml", None, Location::File(r"C:\a.xml".into())),
            ("b.zip", Some(&http), file),
            (
                "b.zip",
                Some(&Location::File("dist/feed.xml".into())),
                Location::File("dist/b.zip".into()),
            ),
        ] {
            assert_eq!(Location::parse(text, base).unwrap(), expected, "{text}");
        }
        #[cfg(unix)]
        assert_eq!(
            Location::parse("file:///a%20b.xml", None).unwrap(),
            Location::File("/a b.xml".into())
        );
        assert!(Location::parse("ftp://x/y", None).is_err());
    }
}
