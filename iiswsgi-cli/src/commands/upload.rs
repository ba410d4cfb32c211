//! `iiswsgi upload`: packages, wheels and source distributions to a packaging index, any file to a file share.

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;
use url::Url;

use crate::context::{Context, StrictArgs};
use crate::deploy::http;
use crate::deploy::upload::client::{Answer, Client};
use crate::deploy::upload::file::UploadFile;
use crate::deploy::upload::repository::{RepositoryArgs, as_folder};
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to upload: Web Deploy packages, wheels, source distributions; with `--method put` any file
    #[arg(value_name = "FILE", required = true)]
    files: Vec<Utf8PathBuf>,
    #[command(flatten)]
    repository: RepositoryArgs,
    /// How to upload
    #[arg(long, value_enum, default_value_t = Method::Index, value_name = "METHOD")]
    method: Method,
    /// The index's simple pages, by which the upload is checked [default: simple/ and +simple/ below the repository]
    #[arg(long, value_name = "URL")]
    check_url: Option<Url>,
    /// Trust the authorities whose certificates are in this file, in PEM, and no other
    #[arg(long, env = "TWINE_CERT", value_name = "FILE")]
    cert: Option<Utf8PathBuf>,
    /// How often to try again after a broken connection or a server's error
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(..=10))]
    retries: u32,
    #[command(flatten)]
    strict: StrictArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    /// The legacy upload protocol of packaging indexes
    Index,
    /// HTTP PUT into a folder, as WebDAV and file shares have it; a file that is there is replaced
    Put,
}

#[derive(Serialize)]
struct Report {
    repository: String,
    files: Vec<Uploaded>,
}

#[derive(Serialize)]
struct Uploaded {
    path: Utf8PathBuf,
    name: String,
    sha256: String,
    outcome: Outcome,
    /// Whether the server has the same octets; nothing where that could not be found out.
    checked: bool,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Uploaded,
    /// The repository had the same file before.
    AlreadyThere,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            let outcome = match (file.outcome, file.checked) {
                (Outcome::AlreadyThere, _) => "the same file was there already",
                (Outcome::Uploaded, true) => "uploaded and checked",
                (Outcome::Uploaded, false) => "uploaded",
            };
            writeln!(f, "{}: {outcome}", file.name)?;
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    args.strict.apply(context);
    // Nothing is sent before all files are known to be what they should be.
    let files = args
        .files
        .iter()
        .map(|path| {
            let file = UploadFile::read(path)?;
            let fields = match args.method {
                Method::Index => file.form_fields()?,
                Method::Put => Vec::new(),
            };
            Ok((file, fields))
        })
        .collect::<Result<Vec<_>>>()?;
    let trusted = match &args.cert {
        Some(file) => http::trusted_by_file(file)?,
        None => http::trusted_by_this_machine(),
    };
    let repository = args.repository.resolve(context)?;
    let simple = match &args.check_url {
        Some(url) => vec![as_folder(url)],
        None => ["simple/", "+simple/"]
            .iter()
            .filter_map(|folder| repository.url.join(folder).ok())
            .collect(),
    };
    let client = Client::new(&repository, trusted, args.retries, context);
    let mut uploaded = Vec::new();
    for (file, fields) in &files {
        context.say(format_args!(
            "uploading {} to {}",
            file.path, repository.url
        ));
        let answer = match args.method {
            Method::Index => client.post(file, fields)?,
            Method::Put => client.put(file)?,
        };
        let stored = match args.method {
            Method::Index => {
                let mut names = fields.iter().filter(|(name, _)| name == "name");
                let project = names.next().map_or("", |(_, name)| name);
                client.sha256_in_index(&simple, &python_dist::normalize_name(project), &file.name)
            }
            Method::Put => client.sha256_of(&client.address_of(file)?),
        };
        let is_same = stored.as_ref().map(|stored| *stored == file.sha256);
        let outcome = match (answer, is_same) {
            (Answer::Taken, Some(false)) => {
                return Err(Error::new(format!(
                    "`{}` has not arrived as it is at `{}`: its SHA-256 there is another one",
                    file.path, repository.url
                ))
                .help("remove it there, and upload it again"));
            }
            (Answer::Taken, _) => Outcome::Uploaded,
            (Answer::Refused(refusal), Some(true)) if !matches!(refusal.status, 401 | 403) => {
                Outcome::AlreadyThere
            }
            (Answer::Refused(refusal), _) => {
                return Err(Error::new(format!(
                    "`{}` does not take `{}`: {}",
                    repository.url, file.path, refusal.reason
                ))
                .help(refusal_help(refusal.status, is_same.is_some())));
            }
        };
        if is_same.is_none() {
            context.skip(
                &format!("the check of {}", file.name),
                "the server does not show what it has stored",
                "name the index's simple pages with `--check-url`",
            )?;
        }
        uploaded.push(Uploaded {
            path: file.path.clone(),
            name: file.name.clone(),
            sha256: file.sha256.clone(),
            outcome,
            checked: is_same.is_some(),
        });
    }
    context.report(&Report {
        repository: repository.url.into(),
        files: uploaded,
    })
}

fn refusal_help(status: u16, is_another: bool) -> &'static str {
    match status {
        300..=399 => "use the address that it is forwarded to",
        401 | 403 => {
            "check user name and password or token: TWINE_USERNAME and TWINE_PASSWORD, or .pypirc"
        }
        _ if is_another => "it has another file of that name: give the next one another version",
        404 | 405 => "check the address, and whether `--method put` or `--method index` is meant",
        _ => "do what the server says",
    }
}
