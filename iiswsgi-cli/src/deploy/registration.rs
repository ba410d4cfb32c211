//! Where applications are registered: in the IIS of this machine, by its appcmd, or in the applicationHost.config of a site
//! root.

use camino::{Utf8Path, Utf8PathBuf};
use iis_config::edit::{
    ApplicationPlace, remove_application, remove_fast_cgi_application, remove_site,
    set_application, set_fast_cgi_application,
};
use iis_config::{ApplicationHost, FastCgiApplication, Site, win_path};
use spanned_xml::Source;

use crate::context::Context;
use crate::deploy::access;
use crate::deploy::appcmd::{AppcmdProgram, express_config};
use crate::deploy::file::{self, Snapshot};
use crate::deploy::site_root::{Place, SiteRoot};
use crate::error::Result;

/// What the command line says about it.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RegistrationArgs {
    /// The folder with applicationHost.config [default: the nearest one above the application, else IIS's own where there is
    /// an IIS, else the application's folder]
    #[arg(long, value_name = "DIR", env = "IISWSGI_SITE_ROOT")]
    pub(crate) site_root: Option<Utf8PathBuf>,
    /// Register with this appcmd.exe
    #[arg(
        long,
        value_name = "PATH",
        env = "IISWSGI_APPCMD",
        conflicts_with = "site_root"
    )]
    pub(crate) appcmd: Option<Utf8PathBuf>,
}

/// Where applications are registered.
#[derive(Clone, Debug)]
pub(crate) enum Registration {
    /// IIS's own configuration, through its appcmd.
    Appcmd(AppcmdProgram),
    /// The applicationHost.config of a site root.
    File(SiteRoot),
}

impl RegistrationArgs {
    /// What is asked for; else the nearest applicationHost.config at or above `start`, else IIS where there is one, else
    /// none.
    pub(crate) fn find(&self, start: &Utf8Path, context: &Context) -> Result<Option<Registration>> {
        if let Some(appcmd) = &self.appcmd {
            return Ok(Some(Registration::Appcmd(AppcmdProgram::new(appcmd))));
        }
        if let Some(site_root) = &self.site_root {
            return SiteRoot::open(site_root).map(|site_root| Some(Registration::File(site_root)));
        }
        if let Some(site_root) = SiteRoot::above(start) {
            return Ok(Some(Registration::File(site_root)));
        }
        // WebPI says so where it installs for IIS Express.
        if context.environment.non_empty("IIS_BIN").is_some()
            && let Some(appcmd) = AppcmdProgram::of_iis_express(context)
            && let Some(config) = express_config(context)
        {
            return Ok(Some(Registration::Appcmd(appcmd.for_file(config))));
        }
        Ok(AppcmdProgram::of_iis(context).map(Registration::Appcmd))
    }

    /// The variables that have a command which we start register there too.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let site_root = self.site_root.as_deref();
        let appcmd = self.appcmd.as_deref();
        let site_root = site_root.map(|path| ("IISWSGI_SITE_ROOT", path.as_str()));
        site_root
            .into_iter()
            .chain(appcmd.map(|path| ("IISWSGI_APPCMD", path.as_str())))
    }
}

/// A folder that is served, and where.
#[derive(Clone, Debug)]
pub(crate) struct ServedFolder {
    pub(crate) place: Place,
    /// The virtual directory's path in the application; `/` is the application's own folder.
    pub(crate) directory_path: String,
    pub(crate) folder: Utf8PathBuf,
}

impl ServedFolder {
    /// One that nothing serves yet.
    pub(crate) fn unregistered(folder: &Utf8Path) -> Self {
        Self {
            place: Place {
                site: String::new(),
                application_path: "/".to_owned(),
            },
            directory_path: "/".to_owned(),
            folder: folder.to_owned(),
        }
    }
}

impl Registration {
    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Appcmd(appcmd) => appcmd.name(),
            Self::File(site_root) => site_root.application_host().into_string(),
        }
    }

    /// The file as it is now; appcmd keeps backups of its own.
    pub(crate) fn snapshot(&self) -> Result<Option<Snapshot>> {
        match self {
            Self::Appcmd(_) => Ok(None),
            Self::File(site_root) => Snapshot::of_shared(site_root.application_host()).map(Some),
        }
    }

    /// The sites that are there.
    pub(crate) fn sites(&self, context: &Context) -> Result<Vec<Site>> {
        match self {
            Self::Appcmd(appcmd) => appcmd.sites(context),
            Self::File(site_root) => {
                let host = ApplicationHost::parse(&site_root.read()?)?;
                Ok(host.sites.into_iter().map(|site| site.value).collect())
            }
        }
    }

    /// The physical paths of all applications and virtual directories.
    pub(crate) fn folders(&self, context: &Context) -> Result<Vec<Utf8PathBuf>> {
        let served = self.served_folders(context)?.into_iter();
        Ok(served.map(|served| served.folder).collect())
    }

    /// All applications and virtual directories, in the order in which they were registered.
    pub(crate) fn served_folders(&self, context: &Context) -> Result<Vec<ServedFolder>> {
        let mut folders = Vec::new();
        for site in self.sites(context)? {
            for application in &site.applications {
                for directory in &application.virtual_directories {
                    folders.push(ServedFolder {
                        place: Place {
                            site: site.name.clone(),
                            application_path: application.path.clone(),
                        },
                        directory_path: directory.path.clone(),
                        folder: local_path(&directory.physical_path, context),
                    });
                }
            }
        }
        Ok(folders)
    }

    /// The site and application whose physical path is `folder`. In a site root, a folder that is none becomes a site of its
    /// name; to IIS nothing is added, since Web Deploy has done that.
    pub(crate) fn place_of(&self, folder: &Utf8Path, context: &Context) -> Result<Place> {
        for site in self.sites(context)? {
            for application in &site.applications {
                let is_this = |physical_path: &str| {
                    file::canonical(&local_path(physical_path, context))
                        .is_ok_and(|path| path == folder)
                };
                if application
                    .virtual_directories
                    .iter()
                    .any(|directory| directory.path == "/" && is_this(&directory.physical_path))
                {
                    return Ok(Place {
                        site: site.name.clone(),
                        application_path: application.path.clone(),
                    });
                }
            }
        }
        let place = Place {
            site: Site::name_from(folder.file_name().unwrap_or("site")),
            application_path: "/".to_owned(),
        };
        match self {
            Self::Appcmd(_) => context.say(format_args!(
                "no application of IIS has the folder `{folder}`: add one in IIS Manager"
            )),
            Self::File(site_root) => {
                let application = ApplicationPlace::new(
                    place.site.as_str(),
                    place.application_path.as_str(),
                    folder.as_str(),
                );
                site_root.edit(|source| set_application(source, &application))?;
            }
        }
        Ok(place)
    }

    /// The account that has to read the folder of the application at `place`; none where nobody else than we does.
    pub(crate) fn worker_account(
        &self,
        place: &Place,
        context: &Context,
    ) -> Result<Option<String>> {
        let appcmd = match self {
            Self::Appcmd(appcmd) if appcmd.is_for_machine() => appcmd,
            _ => return Ok(None),
        };
        let pool = appcmd
            .sites(context)?
            .into_iter()
            .filter(|site| site.name == place.site)
            .flat_map(|site| site.applications)
            .find(|application| application.path == place.application_path)
            .and_then(|application| application.application_pool);
        let account = pool.as_deref().map(access::pool_account);
        Ok(Some(
            account.unwrap_or_else(|| access::EVERY_POOL.to_owned()),
        ))
    }

    /// Registers a FastCGI application; one of the same `fullPath` and `arguments` is changed.
    pub(crate) fn set_fast_cgi_application(
        &self,
        application: &FastCgiApplication,
        context: &Context,
    ) -> Result<()> {
        let appcmd = match self {
            Self::Appcmd(appcmd) => appcmd,
            Self::File(site_root) => {
                return site_root
                    .edit(|source| set_fast_cgi_application(source, application))
                    .map(|_| ());
            }
        };
        let registered = appcmd.fast_cgi_applications(context)?;
        for arguments in appcmd.registering(&registered, application) {
            appcmd.ask(arguments, context)?;
        }
        Ok(())
    }

    /// The FastCGI applications that are registered.
    pub(crate) fn fast_cgi_applications(
        &self,
        context: &Context,
    ) -> Result<Vec<FastCgiApplication>> {
        match self {
            Self::Appcmd(appcmd) => appcmd.fast_cgi_applications(context),
            Self::File(site_root) => {
                let host = ApplicationHost::parse(&site_root.read()?)?;
                let applications = host.fast_cgi.into_iter();
                Ok(applications.map(|application| application.value).collect())
            }
        }
    }

    /// Takes an application out of its site, with the path `/` the whole site, and FastCGI applications out of the server.
    pub(crate) fn remove(
        &self,
        place: &Place,
        fast_cgi: &[FastCgiApplication],
        context: &Context,
    ) -> Result<()> {
        let (site, path) = (&place.site, &place.application_path);
        match self {
            Self::Appcmd(appcmd) => {
                appcmd.ask(appcmd.deleting(site, path), context)?;
                for application in fast_cgi {
                    let command = appcmd.removing(&application.full_path, &application.arguments);
                    appcmd.ask(command, context)?;
                }
                Ok(())
            }
            Self::File(site_root) => {
                let change = |source: &Source| {
                    let mut edit = if path == "/" {
                        remove_site(source, site)?
                    } else {
                        remove_application(source, site, path)?
                    };
                    for application in fast_cgi {
                        edit = edit.then(source, |source| {
                            remove_fast_cgi_application(
                                source,
                                &application.full_path,
                                &application.arguments,
                            )
                        })?;
                    }
                    Ok(edit)
                };
                site_root.edit(change).map(|_| ())
            }
        }
    }
}

/// A physicalPath with its variables expanded, as IIS does: `%SystemDrive%\inetpub\wwwroot`.
fn local_path(physical_path: &str, context: &Context) -> Utf8PathBuf {
    win_path::expand(physical_path, |name| {
        context.environment.get(name).map(str::to_owned)
    })
    .into_owned()
    .into()
}
