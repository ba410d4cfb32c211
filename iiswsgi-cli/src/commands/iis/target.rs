//! Which IIS configuration: that of an appcmd.exe, or a file.

use camino::{Utf8Path, Utf8PathBuf};
use iis_config::{ApplicationHost, FastCgiApplication};

use crate::context::Context;
use crate::deploy::appcmd::{AppcmdProgram, express_config};
use crate::deploy::config_file::ConfigFile;
use crate::deploy::file;
use crate::error::{Error, Result};

/// What the command line says about it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// Edit this applicationHost.config [default: IIS's own through its appcmd.exe, else IIS Express's]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<Utf8PathBuf>,
    /// Use this appcmd.exe; together with --config, for that file
    #[arg(long, value_name = "PATH")]
    pub(crate) appcmd: Option<Utf8PathBuf>,
}

/// The configuration to work on.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Through an appcmd.
    Appcmd(AppcmdProgram),
    /// The applicationHost.config at this path.
    File(Utf8PathBuf),
}

impl TargetArgs {
    /// What is asked for, else what this machine has; says which it is.
    pub(crate) fn find(&self, context: &Context) -> Result<Target> {
        let target = match (&self.config, &self.appcmd) {
            (Some(config), Some(appcmd)) => {
                Target::Appcmd(AppcmdProgram::new(named(appcmd)?).for_file(config))
            }
            (Some(config), None) => Target::File(config.clone()),
            (None, Some(appcmd)) => Target::Appcmd(AppcmdProgram::new(named(appcmd)?)),
            (None, None) => of_this_machine(context)?,
        };
        if let Target::File(path) = &target
            && !path.is_file()
        {
            return Err(Error::new(format!("`{path}` is not there"))
                .help("name an applicationHost.config that is; `iiswsgi msdeploy install` makes one for a folder of sites"));
        }
        context.say(format_args!("using {}", target.name()));
        Ok(target)
    }
}

/// A program in this folder is found there, and any other on the path.
fn named(appcmd: &Utf8Path) -> Result<Utf8PathBuf> {
    if appcmd.is_file() {
        file::absolute(appcmd)
    } else {
        Ok(appcmd.to_owned())
    }
}

fn of_this_machine(context: &Context) -> Result<Target> {
    if let Some(appcmd) = AppcmdProgram::of_iis(context) {
        return Ok(Target::Appcmd(appcmd));
    }
    let Some(config) = express_config(context) else {
        return Err(Error::new("this machine has neither IIS nor a configuration of IIS Express")
            .help("name the applicationHost.config to edit with `--config`, or an appcmd.exe with `--appcmd`"));
    };
    Ok(match AppcmdProgram::of_iis_express(context) {
        Some(appcmd) => Target::Appcmd(appcmd.for_file(config)),
        None => Target::File(config),
    })
}

impl Target {
    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Appcmd(appcmd) => appcmd.name(),
            Self::File(path) => path.to_string(),
        }
    }

    /// The FastCGI applications that are registered.
    pub(crate) fn fast_cgi_applications(
        &self,
        context: &Context,
    ) -> Result<Vec<FastCgiApplication>> {
        match self {
            Self::Appcmd(appcmd) => appcmd.fast_cgi_applications(context),
            Self::File(path) => registered_in(&ConfigFile::read(path, String::new)?),
        }
    }
}

/// The FastCGI applications in a file.
pub(crate) fn registered_in(file: &ConfigFile) -> Result<Vec<FastCgiApplication>> {
    let host = ApplicationHost::parse(file.source())?;
    let declared = host.fast_cgi.into_iter();
    Ok(declared.map(|application| application.value).collect())
}
