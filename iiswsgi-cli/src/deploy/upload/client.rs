//! Sending files and reading back what has arrived.

use std::io::Read;
use std::time::Duration;

use fs_err as fs;
use ureq::http::{Response, StatusCode};
use ureq::tls::RootCerts;
use ureq::{Agent, Body, SendBody};
use url::Url;

use crate::context::Context;
use crate::deploy::http;
use crate::deploy::upload::file::{UploadFile, sha256};
use crate::deploy::upload::form::Form;
use crate::deploy::upload::repository::Repository;
use crate::deploy::upload::simple_page::{ACCEPT, find_link};
use crate::error::{Error, Result};

/// How long a server may take until its answer begins: it has the whole file then, and may look into it.
const ANSWER: Duration = Duration::from_secs(300);

/// The first wait before a try is repeated; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait that a server can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How much of a server's answer is read and shown.
const REASON_LIMIT: u64 = 4096;

/// Octets of an index's page that are read.
const PAGE_LIMIT: u64 = 64 << 20;

/// A repository, and how to talk to it.
#[derive(Debug)]
pub(crate) struct Client<'a> {
    agent: Agent,
    repository: &'a Repository,
    retries: u32,
    context: &'a Context,
}

/// What a server has said to a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Taken,
    Refused(Refusal),
}

/// A status from 300 to 499 with what the server says of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) reason: String,
}

impl<'a> Client<'a> {
    pub(crate) fn new(
        repository: &'a Repository,
        trusted: RootCerts,
        retries: u32,
        context: &'a Context,
    ) -> Self {
        let agent = http::config(ANSWER, trusted)
            .http_status_as_error(false)
            .build()
            .into();
        Self {
            agent,
            repository,
            retries,
            context,
        }
    }

    /// Sends a file to a packaging index.
    pub(crate) fn post(&self, file: &UploadFile, fields: &[(String, String)]) -> Result<Answer> {
        let form = Form::new(fields, file);
        self.send(file, || {
            // A redirection would lose the body.
            let request = self.agent.post(self.repository.url.as_str());
            let mut request = request
                .config()
                .max_redirects(0)
                .build()
                .header("Content-Type", form.content_type())
                .header("Content-Length", form.len(file).to_string());
            if let Some(user) = &self.repository.credentials {
                request = request.header("Authorization", user.authorization());
            }
            let body = form.body(file)?;
            Ok(request.send(SendBody::from_owned_reader(body)))
        })
    }

    /// Writes a file into a folder of a file share.
    pub(crate) fn put(&self, file: &UploadFile) -> Result<Answer> {
        let url = self.address_of(file)?;
        self.send(file, || {
            let request = self.agent.put(url.as_str());
            let mut request = request
                .config()
                .max_redirects(0)
                .build()
                .header("Content-Type", "application/octet-stream")
                .header("Content-Length", file.size.to_string());
            if let Some(user) = &self.repository.credentials {
                request = request.header("Authorization", user.authorization());
            }
            let body = fs::File::open(&file.path)?.take(file.size);
            Ok(request.send(SendBody::from_owned_reader(body)))
        })
    }

    /// Where a file is in a file share.
    pub(crate) fn address_of(&self, file: &UploadFile) -> Result<Url> {
        let mut url = self.repository.url.clone();
        url.path_segments_mut()
            .map_err(|()| Error::new("the repository's URL has no path"))?
            .pop_if_empty()
            .push(&file.name);
        Ok(url)
    }

    /// Tries until the server has said what it thinks of the file itself.
    fn send(
        &self,
        file: &UploadFile,
        attempt: impl Fn() -> Result<Result<Response<Body>, ureq::Error>>,
    ) -> Result<Answer> {
        let mut wait = FIRST_WAIT;
        let mut left = self.retries;
        loop {
            let mut asked_for = None;
            let mut help = "check the address and the connection, or try later";
            let fault = match attempt()? {
                Ok(response) if response.status().is_success() => return Ok(Answer::Taken),
                Ok(response) if !is_passing(response.status()) => {
                    return Ok(Answer::Refused(Refusal {
                        status: response.status().as_u16(),
                        reason: self.reason(response),
                    }));
                }
                Ok(response) => {
                    asked_for = retry_after(&response);
                    self.reason(response)
                }
                Err(error) => {
                    if http::is_distrust(&error) {
                        left = 0;
                        help = "name the file with the certificate of the server's authority with `--cert`";
                    }
                    self.masked(&error.to_string())
                }
            };
            if left == 0 {
                return Err(Error::new(format!(
                    "cannot upload `{}` to `{}`: {fault}",
                    file.path, self.repository.url
                ))
                .help(help));
            }
            let pause = asked_for.unwrap_or(wait);
            self.context.say(format_args!(
                "{}: {fault}; trying again in {} s",
                file.name,
                pause.as_secs_f32()
            ));
            std::thread::sleep(pause);
            wait *= 2;
            left -= 1;
        }
    }

    /// The status, and the first line of what the server says, in plain text.
    fn reason(&self, response: Response<Body>) -> String {
        let status = response.status();
        let mut octets = Vec::new();
        let body = response.into_body().into_reader();
        // Without the text, the status has to do.
        let _ = body.take(REASON_LIMIT).read_to_end(&mut octets);
        let text = String::from_utf8_lossy(&octets);
        let line = text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with('<'));
        let line = line.unwrap_or_default().replace(char::is_control, " ");
        let separator = if line.is_empty() { "" } else { ": " };
        self.masked(&format!("{status}{separator}{line}"))
    }

    fn masked(&self, text: &str) -> String {
        let user = self.repository.credentials.as_ref();
        user.map_or_else(|| text.to_owned(), |user| user.mask(text))
    }

    /// The SHA-256 of the file that the index has of that name; none where that cannot be found out.
    pub(crate) fn sha256_in_index(
        &self,
        simple: &[Url],
        project: &str,
        name: &str,
    ) -> Option<String> {
        simple.iter().find_map(|simple| {
            let page = simple.join(&format!("{project}/")).ok()?;
            let response = self.get(&page, ACCEPT)?;
            let content_type = response.headers().get("Content-Type");
            let content_type = content_type.and_then(|value| value.to_str().ok());
            let content_type = content_type.unwrap_or_default().to_owned();
            let mut text = String::new();
            let body = response.into_body().into_reader();
            body.take(PAGE_LIMIT).read_to_string(&mut text).ok()?;
            let link = find_link(&text, &content_type, &page, name)?;
            link.sha256.or_else(|| self.sha256_of(&link.url))
        })
    }

    /// The SHA-256 of what is at an address; none where nothing can be read there.
    pub(crate) fn sha256_of(&self, url: &Url) -> Option<String> {
        let response = self.get(url, "*/*")?;
        sha256(&mut response.into_body().into_reader()).ok()
    }

    fn get(&self, url: &Url, accept: &str) -> Option<Response<Body>> {
        let mut request = self.agent.get(url.as_str()).header("Accept", accept);
        // Nobody else is told who uploads.
        if let Some(user) = &self.repository.credentials
            && url.origin() == self.repository.url.origin()
        {
            request = request.header("Authorization", user.authorization());
        }
        match request.call() {
            Ok(response) if response.status() == StatusCode::OK => Some(response),
            Ok(response) => {
                let status = response.status();
                self.context.detail(format_args!("{url}: {status}"));
                None
            }
            Err(error) => {
                let error = self.masked(&error.to_string());
                self.context.detail(format_args!("{url}: {error}"));
                None
            }
        }
    }
}

/// Whether the same request may be taken later: the server is at fault, or too much is asked of it.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        )
}

/// How long a server wants to be left alone: the seconds of `Retry-After` (RFC 9110, section 10.2.3), not its date form.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let value = response.headers().get("Retry-After")?.to_str().ok()?;
    let seconds = value.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}
