//! `iiswsgi msdeploy delete`: Web Deploy's verb `delete` for an iisApp, and what our installation has registered for it.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use iis_config::{FastCgiApplication, WebConfig, win_path};
use serde::Serialize;

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::placement::Staging;
use crate::deploy::registration::{Registration, RegistrationArgs, ServedFolder};
use crate::deploy::site_root::{Place, parse_iis_path};
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The site's name and the application's path: `Default Web Site/app`; without a path the site
    #[arg(value_name = "APPLICATION")]
    application: String,
    #[command(flatten)]
    registration: RegistrationArgs,
    /// Say what would be deleted, and change nothing
    #[arg(long, alias = "whatif")]
    what_if: bool,
}

#[derive(Serialize)]
struct Report {
    application: String,
    folder: Utf8PathBuf,
    /// `fullPath|arguments` of the FastCGI applications.
    fast_cgi: Vec<String>,
    /// Where they were registered.
    registered_in: String,
    what_if: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.what_if {
            "would delete"
        } else {
            "deleted"
        };
        writeln!(f, "{verb} the application {}", self.application)?;
        writeln!(f, "{verb} the folder {}", self.folder)?;
        self.fast_cgi
            .iter()
            .try_for_each(|key| writeln!(f, "{verb} the FastCGI application {key}"))
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let place = parse_iis_path(&args.application)?;
    if let Some(site_root) = &args.registration.site_root
        && !site_root.is_dir()
    {
        return Err(Error::new(format!("there is no folder `{site_root}`"))
            .help("name the folder with applicationHost.config"));
    }
    let here = file::absolute(Utf8Path::new("."))?;
    let registration = args.registration.find(&here, context)?.ok_or_else(|| {
        Error::new("there is no IIS on this machine, and no applicationHost.config in this folder")
            .help("name the folder with applicationHost.config by `--site-root`")
    })?;
    let served = registration.served_folders(context)?;
    let (own, others): (Vec<_>, Vec<_>) =
        served.into_iter().partition(|served| is_at(served, &place));
    let folder = own
        .iter()
        .find(|served| served.directory_path == "/")
        .map(|served| served.folder.clone())
        .ok_or_else(|| unknown(&args.application, &others, &registration))?;
    refuse_shared(&folder, &place, &others, &registration)?;
    let fast_cgi = only_used_in(&folder, &others, &registration, context)?;
    if !args.what_if {
        let removal = folder
            .is_dir()
            .then(|| Staging::new(&folder).and_then(Staging::take_away))
            .transpose()?;
        // Where this fails, the folder is put back.
        registration.remove(&place, &fast_cgi, context)?;
        if let Some(removal) = removal {
            removal.commit();
        }
    }
    context.report(&Report {
        application: iis_path(&place),
        folder,
        fast_cgi: fast_cgi
            .iter()
            .map(FastCgiApplication::script_processor)
            .collect(),
        registered_in: registration.name(),
        what_if: args.what_if,
    })
}

fn is_at(served: &ServedFolder, place: &Place) -> bool {
    win_path::eq_ignore_case(&served.place.site, &place.site)
        && win_path::eq_ignore_case(&served.place.application_path, &place.application_path)
}

/// `Default Web Site/app`.
fn iis_path(place: &Place) -> String {
    format!("{}{}", place.site, place.application_path)
        .trim_end_matches('/')
        .to_owned()
}

fn unknown(asked: &str, others: &[ServedFolder], registration: &Registration) -> Error {
    let mut known: Vec<String> = others
        .iter()
        .map(|served| format!("`{}`", iis_path(&served.place)))
        .collect();
    known.dedup();
    Error::new(format!(
        "there is no application `{asked}` in `{}`",
        registration.name()
    ))
    .help(if known.is_empty() {
        "there are no applications".to_owned()
    } else {
        format!("there are {}", known.join(", "))
    })
}

/// Refuses to delete what others need: their folders, a site's other applications, the configuration itself.
fn refuse_shared(
    folder: &Utf8Path,
    place: &Place,
    others: &[ServedFolder],
    registration: &Registration,
) -> Result<()> {
    let whole_site = place.application_path == "/";
    let in_the_way = others.iter().find(|other| {
        other.folder.starts_with(folder)
            || whole_site && win_path::eq_ignore_case(&other.place.site, &place.site)
    });
    if let Some(other) = in_the_way {
        return Err(Error::new(format!(
            "`{}` cannot be deleted: `{}` is in it",
            iis_path(place),
            iis_path(&other.place)
        ))
        .help("delete that first"));
    }
    if let Registration::File(site_root) = registration
        && site_root.folder().starts_with(folder)
    {
        return Err(Error::new(format!(
            "`{}` cannot be deleted: `{}` is in its folder",
            iis_path(place),
            site_root.application_host()
        ))
        .help("delete the folder yourself: it is all there is"));
    }
    Ok(())
}

/// The FastCGI applications that the folder's handlers start and no other folder's do.
fn only_used_in(
    folder: &Utf8Path,
    others: &[ServedFolder],
    registration: &Registration,
    context: &Context,
) -> Result<Vec<FastCgiApplication>> {
    let own = script_processors(folder, context);
    let foreign: Vec<(String, String)> = others
        .iter()
        .flat_map(|other| script_processors(&other.folder, context))
        .collect();
    let uses = |keys: &[(String, String)], application: &FastCgiApplication| {
        keys.iter()
            .any(|(full_path, arguments)| application.has_key(full_path, arguments))
    };
    let mut applications = registration.fast_cgi_applications(context)?;
    applications.retain(|application| uses(&own, application) && !uses(&foreign, application));
    Ok(applications)
}

/// Program and arguments of the handlers in a folder's web.config; of one that cannot be read, none.
fn script_processors(folder: &Utf8Path, context: &Context) -> Vec<(String, String)> {
    let path = folder.join("web.config");
    let read = || -> Result<Vec<(String, String)>> {
        let Some(source) = file::read_source_if_any(&path)? else {
            return Ok(Vec::new());
        };
        let web_config = WebConfig::parse(&source)?;
        let handlers = web_config.handlers.added();
        Ok(handlers
            .filter(|handler| handler.is_fast_cgi())
            .map(|handler| {
                let (full_path, arguments) = handler.script_processor_parts();
                (full_path.to_owned(), arguments.to_owned())
            })
            .collect())
    };
    read().unwrap_or_else(|error| {
        context.detail(format_args!("`{path}` is not looked at: {error}"));
        Vec::new()
    })
}
