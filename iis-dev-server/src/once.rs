//! One request without a socket: what would the site answer?

use std::net::{Ipv4Addr, SocketAddr};

use camino::{Utf8Path, Utf8PathBuf};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use tokio::sync::mpsc;

use crate::config::Configuration;
use crate::pages::Page;
use crate::server::site_index;
use crate::service::{Endpoints, Service};
use crate::{Error, Options};

/// A request for [`once`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OnceRequest {
    /// The HTTP method. Default: `GET`.
    pub method: String,
    /// Path and query as they stand in a request line. Default: `/`.
    pub target: String,
    /// Header fields. `Host: localhost` is added where there is none.
    pub headers: Vec<(String, String)>,
    /// The body. Default: empty.
    pub body: Vec<u8>,
}

impl OnceRequest {
    /// A `GET` request for a path and query.
    #[must_use]
    pub fn get(target: impl Into<String>) -> Self {
        Self {
            method: "GET".to_owned(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

/// Why the application gave no answer: what the server's own page in its place says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// What went wrong, as a headline.
    pub title: String,
    /// What went wrong, and what IIS says of it where that is less.
    pub detail: String,
    /// What is known, as names and values: the handler, the command line, the logs, the process. A name may come twice.
    pub facts: Vec<(String, String)>,
    /// What the process wrote: a heading and the latest lines.
    pub output: Option<(String, String)>,
    /// What to try, the likeliest first.
    pub remedies: Vec<String>,
}

impl From<Page> for Explanation {
    fn from(page: Page) -> Self {
        let facts = page.facts.into_iter();
        Self {
            title: page.title,
            detail: page.what,
            facts: facts
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            output: page
                .output
                .map(|(heading, text)| (heading.to_owned(), text)),
            remedies: page.remedies,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OnceReport {
    /// The HTTP status.
    pub status: u16,
    /// The header fields; octets that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether all of the body came.
    pub complete: bool,
    /// Where the answer is not the application's: why.
    pub explanation: Option<Explanation>,
    /// What was written to the logs of the site meanwhile: the processes' output and errors, the gateway's log.
    pub logs: Vec<(Utf8PathBuf, String)>,
}

/// Starts what the configuration says, sends one request to the first of the sites that [`Options::sites`] names, and
/// ends everything again. No socket is opened for it.
///
/// # Errors
///
/// [`Error::UnknownSite`], [`Error::Request`] for a method, target or header that HTTP does not allow. What goes wrong
/// with the application is not an error: the report has the page.
pub async fn once(
    configuration: Configuration,
    options: Options,
    request: OnceRequest,
) -> Result<OnceReport, Error> {
    let site = match options.sites.first() {
        Some(name) => site_index(&configuration, name)?,
        None => 0,
    };
    let Some(name) = configuration
        .sites
        .get(site)
        .map(|site| site.definition.name.clone())
    else {
        return Err(Error::UnknownSite {
            name: site.to_string(),
            sites: Vec::new(),
        });
    };
    let http_request = http_request(&request)?;
    let (alive_sender, mut alive) = mpsc::channel(1);
    // The gateway's own log is in the configuration's root whatever the options say.
    let mut folders = vec![configuration.root.join("Logs")];
    folders.extend(
        options
            .log_folder
            .clone()
            .filter(|folder| *folder != folders[0]),
    );
    let before: Vec<_> = folders
        .iter()
        .flat_map(|folder| log_lengths(folder))
        .collect();
    let service = Service::new(configuration, options, alive_sender)?;
    let localhost = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
    let endpoints = Endpoints {
        remote: SocketAddr::from((Ipv4Addr::LOCALHOST, 49152)),
        local: localhost,
    };
    let (mut parts, mut body) = service
        .respond(&name, http_request, endpoints)
        .await
        .into_parts();
    let mut octets = Vec::new();
    let mut complete = true;
    while let Some(frame) = body.frame().await {
        match frame.map(|frame| frame.into_data()) {
            Ok(Ok(data)) => octets.extend_from_slice(&data),
            Ok(Err(_)) => {}
            Err(_) => complete = false,
        }
    }
    service.close();
    // Nothing is ever sent: this ends when the last process has ended.
    alive.recv().await;
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    Ok(OnceReport {
        status: parts.status.as_u16(),
        headers,
        body: octets,
        complete,
        explanation: parts.extensions.remove::<Page>().map(Explanation::from),
        logs: folders
            .iter()
            .flat_map(|folder| log_growth(folder, &before))
            .collect(),
    })
}

fn http_request(request: &OnceRequest) -> Result<Request<Full<Bytes>>, Error> {
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|error| Error::Request(format!("method `{}`: {error}", request.method)))?;
    let mut builder = Request::builder().method(method).uri(&request.target);
    let mut has_host = false;
    for (name, value) in &request.headers {
        has_host |= name.eq_ignore_ascii_case("host");
        builder = builder.header(name, value);
    }
    if !has_host {
        builder = builder.header(hyper::header::HOST, "localhost");
    }
    builder
        .body(Full::new(Bytes::from(request.body.clone())))
        .map_err(|error| Error::Request(error.to_string()))
}

/// The log files below a folder and their lengths.
fn log_lengths(folder: &Utf8Path) -> Vec<(Utf8PathBuf, u64)> {
    let mut found = Vec::new();
    let Ok(sites) = folder.read_dir_utf8() else {
        return found;
    };
    for site in sites.flatten() {
        let Ok(files) = site.path().read_dir_utf8() else {
            continue;
        };
        for file in files.flatten() {
            if let Ok(metadata) = file.metadata()
                && metadata.is_file()
            {
                found.push((file.into_path(), metadata.len()));
            }
        }
    }
    found.sort();
    found
}

/// What was added to the logs.
fn log_growth(folder: &Utf8Path, before: &[(Utf8PathBuf, u64)]) -> Vec<(Utf8PathBuf, String)> {
    let grown = log_lengths(folder).into_iter().filter_map(|(path, len)| {
        let known = before
            .iter()
            .find(|(other, _)| *other == path)
            .map_or(0, |&(_, len)| len);
        // A log that became shorter was begun anew.
        let from = if len < known { 0 } else { known };
        let octets = fs_err::read(&path).ok()?;
        let new = octets.get(usize::try_from(from).ok()?..)?;
        (!new.is_empty()).then(|| (path, String::from_utf8_lossy(new).into_owned()))
    });
    grown.collect()
}
