//! `iiswsgi dev --once`: one request, and all that came of it.

use std::fmt;

use camino::Utf8PathBuf;
use fs_err as fs;
use iis_dev_server::{Configuration, Explanation, OnceReport, OnceRequest, Options};
use serde::Serialize;

use super::explain;
use crate::context::Context;
use crate::error::{Error, Result};

/// What the command line says about the request.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "One request")]
pub(super) struct RequestArgs {
    /// Start the registered command as IIS would, send one request, and show the answer, its errors and its log
    #[arg(long, value_name = "URL_PATH")]
    once: Option<String>,
    /// The request's method [default: GET, and POST with a body]
    #[arg(long, value_name = "METHOD", requires = "once")]
    method: Option<String>,
    /// A header field of the request; can be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "once", value_parser = parse_header)]
    headers: Vec<(String, String)>,
    /// The request's body
    #[arg(long, value_name = "TEXT", requires = "once")]
    body: Option<String>,
    /// A file with the request's body
    #[arg(long, value_name = "FILE", requires = "once", conflicts_with = "body")]
    body_file: Option<Utf8PathBuf>,
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write `NAME: VALUE`".to_owned()),
    }
}

impl RequestArgs {
    /// The request, where one is asked for.
    pub(super) fn request(&self) -> Result<Option<OnceRequest>> {
        let Some(target) = &self.once else {
            return Ok(None);
        };
        let mut request = OnceRequest::get(target.as_str());
        let body = match (&self.body, &self.body_file) {
            (Some(text), _) => Some(text.clone().into_bytes()),
            (None, Some(path)) => Some(fs::read(path)?),
            (None, None) => None,
        };
        if let Some(body) = body {
            "POST".clone_into(&mut request.method);
            request.body = body;
        }
        if let Some(method) = &self.method {
            request.method.clone_from(method);
        }
        request.headers.clone_from(&self.headers);
        Ok(Some(request))
    }
}

#[derive(Serialize)]
struct Report {
    status: u16,
    headers: Vec<(String, String)>,
    /// Octets that are not UTF-8 are replaced.
    body: String,
    /// Whether all of the body came.
    complete: bool,
    /// Why the answer is not the application's; none where it is.
    explanation: Option<Why>,
    logs: Vec<Log>,
}

#[derive(Serialize)]
struct Why {
    title: String,
    detail: String,
    facts: Vec<Fact>,
    /// What the process wrote lately.
    output: Option<Output>,
    r#try: Vec<String>,
}

#[derive(Serialize)]
struct Fact {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct Output {
    heading: String,
    text: String,
}

impl From<Explanation> for Why {
    fn from(explanation: Explanation) -> Self {
        let facts = explanation.facts.into_iter();
        Self {
            title: explanation.title,
            detail: explanation.detail,
            facts: facts.map(|(name, value)| Fact { name, value }).collect(),
            output: explanation
                .output
                .map(|(heading, text)| Output { heading, text }),
            r#try: explanation.remedies,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n\n{}", self.title, self.detail)?;
        if let Some(output) = &self.output {
            writeln!(f, "\n{}:", output.heading)?;
            indented(f, &output.text)?;
        }
        if !self.r#try.is_empty() {
            writeln!(f, "\nWhat to try:")?;
            self.r#try
                .iter()
                .try_for_each(|remedy| writeln!(f, "  - {remedy}"))?;
        }
        writeln!(f)?;
        self.facts
            .iter()
            .try_for_each(|Fact { name, value }| writeln!(f, "{name}: {value}"))
    }
}

fn indented(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.lines().try_for_each(|line| writeln!(f, "  {line}"))
}

#[derive(Serialize)]
struct Log {
    path: Utf8PathBuf,
    /// What was written to it meanwhile.
    text: String,
}

impl From<OnceReport> for Report {
    fn from(report: OnceReport) -> Self {
        Self {
            status: report.status,
            headers: report.headers,
            body: String::from_utf8_lossy(&report.body).into_owned(),
            complete: report.complete,
            explanation: report.explanation.map(Why::from),
            logs: report
                .logs
                .into_iter()
                .map(|(path, text)| Log { path, text })
                .collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.explanation {
            // The page says the same in HTML.
            write!(f, "{} {why}", self.status)?;
        } else {
            writeln!(f, "{}", self.status)?;
            for (name, value) in &self.headers {
                writeln!(f, "{name}: {value}")?;
            }
            writeln!(f, "\n{}", self.body.trim_end_matches('\n'))?;
        }
        if !self.complete {
            writeln!(f, "(the process ended before the body did)")?;
        }
        for log in &self.logs {
            writeln!(f, "\n{}:", log.path)?;
            indented(f, &log.text)?;
        }
        Ok(())
    }
}

/// Sends the request and reports.
///
/// # Errors
///
/// [`Error::Reported`] for an answer from 500 on and one that broke off.
pub(super) async fn run(
    configuration: Configuration,
    options: Options,
    request: OnceRequest,
    context: &Context,
) -> Result<()> {
    let report = iis_dev_server::once(configuration, options, request)
        .await
        .map_err(explain)?;
    let failed = report.status >= 500 || !report.complete;
    context.report(&Report::from(report))?;
    if failed {
        return Err(Error::Reported);
    }
    Ok(())
}
