//! `iiswsgi bootstrap`: what a package's runCommand starts, as `iiswsgi_install` did in iiswsgi 0.3.
//!
//! Web Deploy gives the command it runs no context: neither the working directory nor an argument nor a variable says
//! which application was unpacked. `iiswsgi webpi install` and `iiswsgi msdeploy sync` set APPL_PHYSICAL_PATH; under
//! msdeploy the application is found by its stamp file.

use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::install::{Installation, STAMP};
use crate::deploy::registration::RegistrationArgs;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Install only an application whose folder has this name
    #[arg(short, long, value_name = "NAME")]
    app_name: Option<String>,
    /// Make a virtual environment for the application
    #[arg(short = 'e', long)]
    virtual_env: bool,
    #[command(flatten)]
    registration: RegistrationArgs,
    /// The Python to install with [default: the one that runs this command]
    #[arg(long, value_name = "PATH")]
    python: Option<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let folder = find_application(args, context)?;
    context.say(format_args!("installing `{folder}`"));
    let installation = Installation {
        folder,
        registration: args.registration.clone(),
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
    let here = file::absolute(Utf8Path::new("."))?;
    let registration = args.registration.find(&here, context)?.ok_or_else(|| {
        Error::new("the application to install is not known")
            .help("set APPL_PHYSICAL_PATH to its folder, or name the folder with applicationHost.config with `--site-root`")
    })?;
    let mut stamped = Vec::new();
    for folder in registration
        .folders(context)?
        .into_iter()
        .filter(|folder| has_name(folder))
    {
        let Ok(modified) = fs_err::metadata(folder.join(STAMP)).and_then(|stamp| stamp.modified())
        else {
            continue;
        };
        context.detail(format_args!("`{folder}` has a stamp"));
        stamped.push((modified, folder));
    }
    stamped
        .into_iter()
        .max()
        .map(|(_, folder)| folder)
        .ok_or_else(|| {
            Error::new(format!(
                "no application in `{}` has a `{STAMP}`",
                registration.name()
            ))
            .help(format!(
                "unpack a package first, or check that its `{STAMP}.in` is there"
            ))
        })
}
