//! The configuration that a folder holds: which sites there are, and what answers in them.
//!
//! IIS merges its configuration from `applicationHost.config` and the `web.config` files beside the content (*IIS
//! configuration reference*, "Configuration levels"); this module reads those files and leaves the merging to
//! `iis-config`. Windows spellings of paths below the folder are translated where this system is not Windows. Left out:
//! `web.config` files in folders below an application's own, and locking.

use std::borrow::Cow;
use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use iis_config::edit::{ApplicationPlace, set_application};
use iis_config::{
    ApplicationHost, FastCgiApplication, Handlers, WebConfig, find_fast_cgi_application, win_path,
};
use spanned_xml::{Problem, Problems, Source};

use crate::Error;

/// The pool of an application that names none, as in IIS.
const DEFAULT_APPLICATION_POOL: &str = "DefaultAppPool";

/// All that the server needs to know, read from files by [`load`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Configuration {
    /// The folder of `applicationHost.config`, else of the application: `IIS_USER_HOME` for the processes.
    pub root: Utf8PathBuf,
    /// `applicationHost.config`, if there is one.
    pub application_host: Option<Utf8PathBuf>,
    /// The sites, at least one.
    pub sites: Vec<Site>,
    /// The FastCGI applications that handlers can name.
    pub fast_cgi: Vec<FastCgiApplication>,
    /// What is odd in the files but not refused.
    pub warnings: Vec<Problems>,
    /// Variables for `%NAME%`, names in upper case.
    pub(crate) environment: HashMap<String, String>,
    /// The folder and the variables that [`load_with`] was given, for reading again.
    pub(crate) folder: Utf8PathBuf,
    pub(crate) given_environment: Vec<(String, String)>,
}

/// A site.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Site {
    /// Names, paths and bindings, with the physical paths of this machine.
    pub definition: iis_config::Site,
    /// What the files say of each of its applications, in the same order.
    pub applications: Vec<Application>,
}

/// What the files say of an application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Application {
    /// Its path in the site: `/` or `/name`.
    pub path: String,
    /// Its folder.
    pub physical_path: Utf8PathBuf,
    /// Its pool.
    pub application_pool: String,
    /// Its `web.config`, if there is one.
    pub web_config: Option<Utf8PathBuf>,
    /// The handlers in effect.
    pub handlers: Handlers,
    /// The scriptProcessors in its `web.config`'s own `fastCgi` section, which IIS ignores.
    pub(crate) ignored_fast_cgi: Vec<String>,
}

impl Configuration {
    /// Expands `%NAME%`.
    pub(crate) fn expanded<'v>(&self, value: &'v str) -> Cow<'v, str> {
        win_path::expand(value, |name| {
            self.environment.get(&name.to_ascii_uppercase()).cloned()
        })
    }

    /// Expands `%NAME%` and translates a Windows spelling of a path below the folder.
    pub(crate) fn local_value(&self, value: &str) -> String {
        self.local_path(&self.expanded(value))
    }

    /// Translates a Windows spelling of a path below the folder.
    pub(crate) fn local_path(&self, value: &str) -> String {
        if cfg!(windows) {
            return value.to_owned();
        }
        let mut roots = vec![self.root.as_str()];
        let applications = self.sites.iter().flat_map(|site| &site.applications);
        roots.extend(applications.map(|application| application.physical_path.as_str()));
        win_path::to_unix(value, &roots).into_owned()
    }
}

/// Reads the configuration in `folder`, with the environment of this process for `%NAME%`.
///
/// The folder is one with an `applicationHost.config` (or `config/applicationHost.config`, as IIS Express keeps it); or
/// the folder of an application, with a `web.config`. For the latter the folders above are searched for an
/// `applicationHost.config` that mounts it; where there is none, the folder is served as the only site, with the
/// FastCGI applications that its `web.config` lists for installers.
///
/// # Errors
///
/// [`Error::Configuration`] with all faults of all files read; [`Error::NothingToServe`], [`Error::NoSite`]; files that
/// cannot be read.
pub fn load(folder: &Utf8Path) -> Result<Configuration, Error> {
    load_with(
        folder,
        std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    )
}

/// Reads the configuration in `folder` with the given variables for `%NAME%`. See [`load`].
///
/// # Errors
///
/// Those of [`load`].
pub fn load_with(
    folder: &Utf8Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Configuration, Error> {
    let folder = absolute(folder)?;
    if !folder.is_dir() {
        return Err(Error::NothingToServe { folder });
    }
    let mut loader = Loader {
        folder: folder.clone(),
        environment: environment.into_iter().collect(),
        problems: Vec::new(),
    };
    if let Some(file) = application_host_in(&folder)? {
        let host = Host::read(file)?;
        return loader.configuration(folder, Some(host));
    }
    if entry_ignoring_case(&folder, "web.config")?.is_none() {
        return Err(Error::NothingToServe { folder });
    }
    for above in folder.ancestors().skip(1) {
        let Some(file) = application_host_in(above)? else {
            continue;
        };
        let host = Host::read(file)?;
        let configuration = match loader.configuration(above.to_owned(), Some(host)) {
            // It mounts nothing, so also not this folder.
            Err(Error::NoSite { .. }) => continue,
            other => other?,
        };
        let applications = configuration
            .sites
            .iter()
            .flat_map(|site| &site.applications);
        if applications
            .map(|one| &one.physical_path)
            .any(|path| same_folder(path, &folder))
        {
            return Ok(configuration);
        }
        loader.problems.clear();
    }
    loader.configuration(folder, None)
}

/// An `applicationHost.config` and its text.
struct Host {
    path: Utf8PathBuf,
    source: Source,
    parsed: ApplicationHost,
}

impl Host {
    fn read(path: Utf8PathBuf) -> Result<Self, Error> {
        let source = read_source(&path)?;
        let parsed = ApplicationHost::parse(&source)
            .map_err(|problems| Error::Configuration(vec![problems]))?;
        Ok(Self {
            path,
            source,
            parsed,
        })
    }

    /// That of a folder without one: the folder is the only site.
    fn made_up(folder: &Utf8Path) -> Result<Self, Error> {
        let name = folder.file_name().unwrap_or("site");
        let text = Source::from_text("applicationHost.config", ApplicationHost::new_text("\n"));
        let configuration = |problems| Error::Configuration(vec![problems]);
        let place = ApplicationPlace::new(name, "/", folder.as_str());
        let edit = set_application(&text, &place).map_err(configuration)?;
        let source = Source::from_text("applicationHost.config", edit.text);
        let parsed = ApplicationHost::parse(&source).map_err(configuration)?;
        Ok(Self {
            path: folder.join("applicationHost.config"),
            source,
            parsed,
        })
    }
}

struct Loader {
    folder: Utf8PathBuf,
    environment: Vec<(String, String)>,
    problems: Vec<Problems>,
}

impl Loader {
    fn configuration(
        &mut self,
        root: Utf8PathBuf,
        host: Option<Host>,
    ) -> Result<Configuration, Error> {
        let on_disk = host.is_some();
        let host = match host {
            Some(host) => host,
            None => Host::made_up(&root)?,
        };
        if host.parsed.sites.is_empty() {
            return Err(Error::NoSite { file: host.path });
        }
        let given = self.environment.iter();
        let mut environment: HashMap<String, String> = given
            .map(|(name, value)| (name.to_ascii_uppercase(), value.clone()))
            .collect();
        environment
            .entry("IIS_SITES_HOME".to_owned())
            .or_insert_with(|| root.to_string());
        // The server's own home counts, not that of a server it runs under.
        environment.insert("IIS_USER_HOME".to_owned(), root.to_string());
        let mut configuration = Configuration {
            root,
            application_host: on_disk.then(|| host.path.clone()),
            sites: Vec::new(),
            fast_cgi: host
                .parsed
                .fast_cgi
                .iter()
                .map(|one| one.value.clone())
                .collect(),
            warnings: Vec::new(),
            environment,
            folder: self.folder.clone(),
            given_environment: self.environment.clone(),
        };
        let mut host_problems = host.parsed.warnings.clone();
        for site in &host.parsed.sites {
            let mut definition = site.value.clone();
            for application in &mut definition.applications {
                for directory in &mut application.virtual_directories {
                    let local = physical_path(&configuration, &directory.physical_path);
                    if !local.is_dir() {
                        host_problems.push(missing_folder(
                            &directory.physical_path,
                            &local,
                            &site.name,
                            site.span,
                        ));
                    }
                    directory.physical_path = local.into_string();
                }
            }
            let site = self.site(definition, &host, on_disk, &mut configuration)?;
            configuration.sites.push(site);
        }
        self.add(&host.source, host_problems);
        if self.problems.iter().any(Problems::has_errors) {
            return Err(Error::Configuration(std::mem::take(&mut self.problems)));
        }
        configuration.warnings = std::mem::take(&mut self.problems);
        Ok(configuration)
    }

    fn site(
        &mut self,
        definition: iis_config::Site,
        host: &Host,
        on_disk: bool,
        configuration: &mut Configuration,
    ) -> Result<Site, Error> {
        // The root application's web.config holds for the applications below it too.
        let files = definition
            .applications
            .iter()
            .map(|application| {
                let folder = Utf8PathBuf::from(application.physical_path().unwrap_or_default());
                let file = match folder.is_dir() {
                    true => self.web_config(&folder)?,
                    false => None,
                };
                Ok((folder, file))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let root_file = definition
            .applications
            .iter()
            .zip(&files)
            .find(|(application, _)| application.path == "/")
            .and_then(|(_, (_, file))| file.as_ref());
        let mut applications = Vec::new();
        for (application, (folder, file)) in definition.applications.iter().zip(&files) {
            let below_site = application.path.trim_matches('/');
            let place = format!("{}/{below_site}", definition.name);
            let (mut handlers, problems) = host.parsed.handlers_at(&place);
            self.add(&host.source, problems);
            if application.path != "/"
                && let Some(file) = root_file
            {
                // Its faults are told where it stands for itself.
                let _told_at_the_root = file.parsed.apply_handlers(&mut handlers, below_site);
            }
            let mut ignored_fast_cgi = Vec::new();
            if let Some(file) = file {
                let problems = file.parsed.apply_handlers(&mut handlers, "");
                self.add(&file.source, problems);
                let listed = file.parsed.fast_cgi.iter().map(|one| &one.value);
                if on_disk {
                    ignored_fast_cgi.extend(listed.map(FastCgiApplication::script_processor));
                } else {
                    configuration.fast_cgi.extend(listed.cloned());
                    self.add(&file.source, file.parsed.fast_cgi_problems(&file.source));
                }
                self.add(
                    &file.source,
                    unregistered(file, &configuration.fast_cgi, on_disk),
                );
            }
            applications.push(Application {
                path: application.path.clone(),
                physical_path: folder.clone(),
                application_pool: application
                    .application_pool
                    .clone()
                    .unwrap_or_else(|| DEFAULT_APPLICATION_POOL.to_owned()),
                web_config: file.as_ref().map(|file| file.path.clone()),
                handlers,
                ignored_fast_cgi,
            });
        }
        Ok(Site {
            definition,
            applications,
        })
    }

    /// Reads a folder's `web.config`. Its faults are kept, and it then counts as not there.
    fn web_config(&mut self, folder: &Utf8Path) -> Result<Option<WebConfigFile>, Error> {
        let Some(path) = entry_ignoring_case(folder, "web.config")? else {
            return Ok(None);
        };
        let source = match read_source(&path) {
            Err(Error::Configuration(problems)) => {
                self.problems.extend(problems);
                return Ok(None);
            }
            other => other?,
        };
        match WebConfig::parse(&source) {
            Ok(parsed) => {
                self.add(&source, parsed.warnings.clone());
                Ok(Some(WebConfigFile {
                    path,
                    source,
                    parsed,
                }))
            }
            Err(problems) => {
                self.problems.push(problems);
                Ok(None)
            }
        }
    }

    fn add(&mut self, source: &Source, problems: Vec<Problem>) {
        if problems.is_empty() {
            return;
        }
        match self
            .problems
            .iter_mut()
            .find(|known| known.source.name() == source.name())
        {
            Some(known) => {
                for problem in problems {
                    if !known.problems.contains(&problem) {
                        known.problems.push(problem);
                    }
                }
            }
            None => self.problems.push(Problems {
                source: source.clone(),
                problems,
            }),
        }
    }
}

struct WebConfigFile {
    path: Utf8PathBuf,
    source: Source,
    parsed: WebConfig,
}

/// A `physicalPath` on this machine.
fn physical_path(configuration: &Configuration, written: &str) -> Utf8PathBuf {
    let local = configuration.local_value(written);
    let local = configuration.root.join(local.trim_end_matches(['/', '\\']));
    // A path that begins as one of this system can only mean `/` by its backslashes, unless a name really has one.
    if !cfg!(windows) && local.as_str().contains('\\') && !local.exists() {
        return Utf8PathBuf::from(local.as_str().replace('\\', "/").trim_end_matches('/'));
    }
    local
}

/// Handlers of the file that name no registered FastCGI application: IIS answers 500 for each of their requests.
fn unregistered(
    file: &WebConfigFile,
    registered: &[FastCgiApplication],
    on_disk: bool,
) -> Vec<Problem> {
    let handlers = file
        .parsed
        .handlers
        .added()
        .filter(|handler| handler.is_fast_cgi());
    handlers
        .filter_map(|handler| {
            let error = find_fast_cgi_application(&handler.script_processor, registered).err()?;
            let help = if on_disk {
                "register it in applicationHost.config: `iiswsgi msdeploy install` does"
            } else {
                "list it in <fastCgi> of this file, or install the application"
            };
            Some(
                Problem::warning("iis-handler-unregistered", error.to_string())
                    .at(handler.attribute_span("scriptProcessor"))
                    .help(help),
            )
        })
        .collect()
}

fn missing_folder(written: &str, local: &Utf8Path, site: &str, span: spanned_xml::Span) -> Problem {
    let problem = Problem::warning(
        "iis-physical-path-missing",
        format!("the folder `{written}` of site `{site}` is not there"),
    );
    let help = if !cfg!(windows) && win_path::is_absolute_windows(written) {
        "this is a path of a Windows machine: write the folder on this one".to_owned()
    } else {
        format!("make the folder `{local}`, or correct physicalPath")
    };
    problem.at(span).help(help)
}

fn application_host_in(folder: &Utf8Path) -> Result<Option<Utf8PathBuf>, Error> {
    for folder in [folder.to_owned(), folder.join("config")] {
        if folder.is_dir()
            && let Some(file) = entry_ignoring_case(&folder, "applicationHost.config")?
        {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// The file of this name, as Windows finds it: whatever the case of letters. The exact name comes first.
fn entry_ignoring_case(folder: &Utf8Path, name: &str) -> Result<Option<Utf8PathBuf>, Error> {
    let exact = folder.join(name);
    if exact.is_file() {
        return Ok(Some(exact));
    }
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        // A folder above that may not be listed holds nothing for us.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut found: Vec<Utf8PathBuf> = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Ok(path) = Utf8PathBuf::from_path_buf(entry.path())
            && path
                .file_name()
                .is_some_and(|other| other.eq_ignore_ascii_case(name))
            && path.is_file()
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found.into_iter().next())
}

fn read_source(path: &Utf8Path) -> Result<Source, Error> {
    let octets = fs_err::read(path)?;
    Source::decode(path.as_str(), &octets).map_err(|problem| {
        let source = Source::from_text(path.as_str(), "");
        Error::Configuration(vec![problem.in_source(&source)])
    })
}

fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, Error> {
    let absolute = std::path::absolute(path)?;
    let absolute = Utf8PathBuf::from_path_buf(absolute).map_err(|path| Error::NotUnicode {
        path: path.display().to_string(),
    })?;
    // `absolute` keeps `..`, which no prefix comparison understands.
    let resolved = match absolute.components().any(|part| part.as_str() == "..") {
        true => absolute.canonicalize_utf8()?,
        false => absolute,
    };
    let trimmed = resolved.as_str().trim_end_matches('/');
    Ok(if trimmed.is_empty() {
        resolved
    } else {
        Utf8PathBuf::from(trimmed)
    })
}

fn same_folder(one: &Utf8Path, other: &Utf8Path) -> bool {
    match (one.canonicalize_utf8(), other.canonicalize_utf8()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
