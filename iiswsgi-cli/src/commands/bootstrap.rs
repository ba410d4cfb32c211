//! `iiswsgi bootstrap`: what a package's runCommand starts, as `iiswsgi_install` did in iiswsgi 0.3.
//!
//! Web Deploy gives the command it runs no context: neither the working directory nor an argument nor a variable says
//! which application was unpacked. `iiswsgi webpi install` and `iiswsgi msdeploy sync` set APPL_PHYSICAL_PATH; under
//! msdeploy the application is found by its stamp file.

use camino::{Utf8Path, Utf8PathBuf};
use iis_config::ApplicationHost;

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::install::{Installation, STAMP};
use crate::deploy::site_root::SiteRoot;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Install only an application whose folder has this name
    #[arg(short, long, value_name = "NAME")]
    app_name: Option<String>,
    /// Make a virtual environment for the application
    #[arg(short = 'e', long)]
    virtual_env: bool,
    /// The folder with applicationHost.config [default: the nearest one above the current folder]
    #[arg(long, value_name = "DIR", env = "IISWSGI_SITE_ROOT")]
    site_root: Option<Utf8PathBuf>,
    /// The Python to install with [default: the one that runs this command]
    #[arg(long, value_name = "PATH")]
    python: Option<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let folder = find_application(args, context)?;
    context.say(format_args!("installing `{folder}`"));
    let installation = Installation {
        folder,
        site_root: args.site_root.clone(),
        python: args.python.clone(),
        virtual_env: args.virtual_env,
    };
    context.report(&installation.run(context)?)
}

/// APPL_PHYSICAL_PATH where it is set, else the application with a stamp file whose stamp is newest.
fn find_application(args: &Args, context: &Context) -> Result<Utf8PathBuf> {
    let has_name = |folder: &Utf8Path| {
        args.app_name.as_deref().is_none_or(|name| {
            folder
                .file_name()
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
    };
    if let Some(folder) = context.environment.non_empty("APPL_PHYSICAL_PATH") {
        context.detail(format_args!("APPL_PHYSICAL_PATH names `{folder}`"));
        return Ok(folder.into());
    }
    let site_root = match &args.site_root {
        Some(site_root) => SiteRoot::open(site_root)?,
        None => SiteRoot::above(&file::absolute(Utf8Path::new("."))?).ok_or_else(|| {
            Error::new("the application to install is not known").help("set APPL_PHYSICAL_PATH to its folder, or name the folder with applicationHost.config with `--site-root`")
        })?,
    };
    let host = ApplicationHost::parse(&site_root.read()?)?;
    let folders = host
        .sites
        .iter()
        .flat_map(|site| &site.value.applications)
        .flat_map(|application| &application.virtual_directories)
        .map(|directory| Utf8PathBuf::from(&directory.physical_path));
    let stamped = folders
        .filter(|folder| has_name(folder))
        .filter_map(|folder| {
            let stamp = fs_err::metadata(folder.join(STAMP)).ok()?.modified().ok()?;
            context.detail(format_args!("`{folder}` has a stamp"));
            Some((stamp, folder))
        });
    stamped.max().map(|(_, folder)| folder).ok_or_else(|| {
        Error::new(format!(
            "no application in `{}` has a `{STAMP}`",
            site_root.application_host()
        ))
        .help(format!(
            "unpack a package first, or check that its `{STAMP}.in` is there"
        ))
    })
}
