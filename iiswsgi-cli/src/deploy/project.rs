//! A Python project on disk: its metadata from wherever it is written, and its files.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use python_dist::manifest_in::{Dialect, FileList, Selection, select};
use python_dist::{BuildSystem, Field, Metadata, Modules, Pyproject, Settings, SetupCfg, SetupPy};
use spanned_xml::Source;
use walkdir::WalkDir;

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::install::GATEWAY;
use crate::deploy::process::Process;
use crate::deploy::stamp::STAMP;
use crate::deploy::virtual_env::{PythonEnvironment, find_python};
use crate::error::{Error, Result};

/// Folders that are made from a project and are no part of it.
const OWN_FOLDERS: [&str; 3] = ["dist", "build", VIRTUAL_ENV];

/// Without a stamp and a web.config a package installs nothing: they are in it whatever MANIFEST.in says.
pub(crate) const NEEDED_FILES: [&str; 3] = ["web.config.in", "web.config.hbs", STAMP];

/// The application's virtual environment, in its folder.
pub(crate) const VIRTUAL_ENV: &str = "env";

/// A Python project whose name and version are known.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) folder: Utf8PathBuf,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) metadata: Metadata,
    pub(crate) settings: Settings,
    modules: Modules,
    dialect: Dialect,
    /// Its files as setuptools has listed them, where setuptools runs us.
    sources: Option<Vec<String>>,
}

/// The list of a project's files in its `.egg-info` folder.
const SOURCES: &str = "SOURCES.txt";

impl Project {
    /// Reads the project in `folder`: pyproject.toml first, then setup.cfg, and the build backend where one of the `needed`
    /// fields, the name or the version is computed.
    pub(crate) fn load(folder: &Utf8Path, needed: &[Field], context: &Context) -> Result<Self> {
        if !folder.is_dir() {
            return Err(Error::new(format!("`{folder}` is not a folder"))
                .help("name the folder of a Python project"));
        }
        let folder = file::canonical(folder)?;
        let pyproject_toml = file::read_source_if_any(&folder.join("pyproject.toml"))?;
        let setup_cfg = file::read_source_if_any(&folder.join("setup.cfg"))?;
        let setup_py = file::read_source_if_any(&folder.join("setup.py"))?;
        if pyproject_toml.is_none() && setup_cfg.is_none() && setup_py.is_none() {
            return Err(Error::new(format!("`{folder}` is not a Python project: it has no pyproject.toml, setup.cfg or setup.py"))
                .help("add a pyproject.toml with `[project]`, `name` and `version`"));
        }
        let egg_info = EggInfo::of(&folder, context)?;
        let mut metadata = match &egg_info {
            Some(egg_info) => egg_info.metadata.clone(),
            None => Metadata::unknown(),
        };
        let mut modules = match &setup_py {
            Some(source) if pyproject_toml.is_none() => modules_of(source, context),
            _ => Modules::default(),
        };
        let mut settings = Settings::default();
        let mut build_system = BuildSystem::default();
        if let Some(source) = &pyproject_toml {
            let (pyproject, problems) = Pyproject::parse(source)?;
            context.warn(source, &problems);
            metadata = metadata.merge(pyproject.metadata);
            modules = pyproject.modules;
            settings = pyproject.settings;
            build_system = pyproject.build_system;
        }
        if let Some(source) = &setup_cfg {
            let (setup_cfg, problems) =
                SetupCfg::parse(source, setup_py.as_ref().map(Source::text))?;
            context.warn(source, &problems);
            metadata = metadata.merge(setup_cfg.metadata);
            if pyproject_toml.is_none() && setup_cfg.modules != Modules::default() {
                modules = setup_cfg.modules;
            }
        }
        // A source distribution that was unpacked has the answers of its build backend.
        if let Some(source) = file::read_source_if_any(&folder.join("PKG-INFO"))? {
            metadata = metadata.merge(Metadata::from_pkg_info(source.text()).map_err(|error| {
                Error::new(format!("`{}` cannot be read: {error}", source.name()))
                    .help("remove the file, or unpack the source distribution again")
            })?);
        }
        let needed: Vec<Field> = [Field::Name, Field::Version]
            .iter()
            .chain(needed)
            .copied()
            .collect();
        let missing = metadata.missing().among(&needed);
        if !missing.is_empty() {
            let fields: Vec<&str> = missing.iter().map(Field::key).collect();
            context.say(format_args!(
                "asking the build backend for {}",
                fields.join(", ")
            ));
            // A setup.py that is written for iiswsgi does not run without it.
            let is_ours = |source: &Source| SetupPy::parse(source.text()).needs_iiswsgi;
            let further = setup_py.as_ref().is_some_and(is_ours).then_some(GATEWAY);
            build_system.requires.extend(further.map(str::to_owned));
            let (asked, further) = ask_build_backend(&folder, &build_system, context)?;
            metadata = metadata.merge(asked);
            settings = settings.merge(further);
        }
        let sources = egg_info.map(|egg_info| {
            settings = std::mem::take(&mut settings).merge(egg_info.settings);
            egg_info.sources
        });
        let (Some(name), Some(version)) = (metadata.name.clone(), metadata.version.clone()) else {
            return Err(Error::new(format!(
                "the project in `{folder}` has no name or no version"
            ))
            .help("give both in `[project]` of pyproject.toml"));
        };
        let dialect = Dialect::of_project(
            pyproject_toml.is_some(),
            setup_py.as_ref().map(Source::text),
        );
        Ok(Self {
            folder,
            name,
            version,
            metadata,
            settings,
            modules,
            dialect,
            sources,
        })
    }

    /// `NAME-VERSION`, as files of the distribution begin.
    pub(crate) fn stem(&self) -> String {
        self.metadata
            .file_stem()
            .unwrap_or_else(|| format!("{}-{}", self.name, self.version))
    }

    /// The package that `iiswsgi msdeploy package` makes, in this folder of the project.
    pub(crate) fn package_path(&self, dist_dir: &Utf8Path) -> Utf8PathBuf {
        self.folder
            .join(dist_dir)
            .join(format!("{}.msdeploy.zip", self.stem()))
    }

    /// The first author's name, or address.
    pub(crate) fn author_name(&self) -> Option<&str> {
        self.metadata
            .authors
            .iter()
            .chain(&self.metadata.maintainers)
            .find_map(|person| person.name.as_deref().or(person.email.as_deref()))
    }

    /// What handlebars templates can say of it.
    pub(crate) fn template_context(&self) -> serde_json::Map<String, serde_json::Value> {
        python_dist::template_context(&self.metadata, &self.settings)
    }

    /// Reads MANIFEST.in in this dialect, whatever setup.py says.
    pub(crate) fn with_dialect(mut self, dialect: Option<Dialect>) -> Self {
        self.dialect = dialect.unwrap_or(self.dialect);
        self
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The files that go into its package, relative to the project, with forward slashes, sorted: those that MANIFEST.in and
    /// the defaults select, and what a package needs.
    pub(crate) fn package_files(&self, context: &Context) -> Result<Vec<String>> {
        let mut files = match &self.sources {
            Some(sources) => sources.clone(),
            None => self.file_list(context)?.files(),
        };
        for needed in NEEDED_FILES {
            if !files.iter().any(|file| file == needed) && self.folder.join(needed).exists() {
                files.push(needed.to_owned());
            }
        }
        files.sort();
        Ok(files)
    }

    /// The files that MANIFEST.in and the defaults select, with what took each of them in or out.
    pub(crate) fn file_list(&self, context: &Context) -> Result<FileList> {
        let files = walk(&self.folder)?;
        let template = file::read_source_if_any(&self.folder.join("MANIFEST.in"))?;
        let recorded = file::read_source_if_any(&match self.dialect {
            Dialect::Distutils => self.folder.join("MANIFEST"),
            Dialect::Setuptools => self
                .folder
                .join(format!("{}.egg-info/SOURCES.txt", self.egg_info())),
        })?;
        let (list, problems) = select(&Selection {
            dialect: self.dialect,
            files: &files,
            template: template.as_ref(),
            recorded: recorded.as_ref(),
            metadata: Some(&self.metadata),
            modules: &self.modules,
            own_folders: &OWN_FOLDERS,
        });
        if let Some(source) = template.as_ref().or(recorded.as_ref()) {
            // setuptools skips a line it cannot read; so do we, and say so.
            context.warn(source, &problems);
        }
        Ok(list)
    }

    /// What setuptools names its `.egg-info` folder after.
    fn egg_info(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// The modules that a setup.py names, as far as it does in plain words.
fn modules_of(setup_py: &Source, context: &Context) -> Modules {
    let found = SetupPy::parse(setup_py.text());
    if !found.computed.is_empty() {
        context.say(format_args!(
            "`{}` computes {}: only MANIFEST.in can take those files in",
            setup_py.name(),
            found.computed.join(", ")
        ));
    }
    if found.names_modules {
        return found.modules;
    }
    let mut modules = Modules::default();
    modules.data = found.modules.data;
    modules
}

/// Every file below `folder`, relative to it, with forward slashes; version control and virtual environments are not
/// looked into.
fn walk(folder: &Utf8Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let entries = WalkDir::new(folder)
        .follow_links(true)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            !(entry.file_type().is_dir()
                && Utf8Path::from_path(entry.path())
                    .is_some_and(|path| not_looked_into(path, entry.depth() == 1).is_some()))
        });
    for entry in entries {
        let entry = entry
            .map_err(|error| Error::new(format!("cannot list the project's files: {error}")))?;
        if entry.file_type().is_dir() {
            continue;
        }
        files.push(file::relative(folder, entry.path())?);
    }
    Ok(files)
}

/// Why the files of a folder are no files of the project, if they are none.
fn not_looked_into(folder: &Utf8Path, at_the_root: bool) -> Option<&'static str> {
    let name = folder.file_name()?;
    if name == ".git" {
        Some("version control's own")
    } else if folder.join("pyvenv.cfg").exists() {
        Some("a virtual environment")
    } else if at_the_root && OWN_FOLDERS.contains(&name) {
        Some("made from the project")
    } else {
        None
    }
}

/// The outermost folder of `file` that is not looked into, and why; `file` is relative to the project.
pub(crate) fn hiding_folder(
    project: &Utf8Path,
    file: &Utf8Path,
) -> Option<(Utf8PathBuf, &'static str)> {
    let mut folders: Vec<&Utf8Path> = file
        .ancestors()
        .skip(1)
        .filter(|folder| !folder.as_str().is_empty())
        .collect();
    folders.reverse();
    folders.iter().enumerate().find_map(|(depth, folder)| {
        let why = not_looked_into(&project.join(folder), depth == 0)?;
        Some(((*folder).to_owned(), why))
    })
}

/// What setuptools has written of a project.
struct EggInfo {
    metadata: Metadata,
    settings: Settings,
    /// The project's files, relative to it, sorted.
    sources: Vec<String>,
}

impl EggInfo {
    /// Reads it, where setuptools runs us for the project in `folder`.
    fn of(folder: &Utf8Path, context: &Context) -> Result<Option<Self>> {
        let Some(egg_info) = &context.host.egg_info else {
            return Ok(None);
        };
        let egg_info = file::canonical(egg_info)?;
        let Ok(own) = egg_info.strip_prefix(folder) else {
            // It is that of another project.
            return Ok(None);
        };
        let path = egg_info.join("PKG-INFO");
        let requires = file::read_source_if_any(&egg_info.join("requires.txt"))?;
        let requires = requires.as_ref().map(Source::text);
        let metadata = Metadata::from_egg_info(&fs::read_to_string(&path)?, requires)
            .map_err(|error| Error::new(format!("`{path}` cannot be read: {error}")))?;
        let listed = fs::read_to_string(egg_info.join(SOURCES))?;
        let own = format!("{}/", own.as_str().replace('\\', "/"));
        let mut sources: Vec<String> = listed
            .lines()
            .map(|line| line.trim().replace('\\', "/"))
            .filter(|line| !line.is_empty() && !line.starts_with(&own))
            .filter(|line| folder.join(line).is_file())
            .collect();
        sources.sort();
        sources.dedup();
        Ok(Some(Self {
            metadata,
            settings: settings_of_metadata(&egg_info, context)?,
            sources,
        }))
    }
}

/// The settings that setup.py gave as keywords of `setup`, from a folder with the project's metadata.
fn settings_of_metadata(folder: &Utf8Path, context: &Context) -> Result<Settings> {
    let path = folder.join(Settings::METADATA_FILE);
    let Some(source) = file::read_source_if_any(&path)? else {
        return Ok(Settings::default());
    };
    let (settings, problems) = Settings::parse(&source)?;
    context.warn(&source, &problems);
    Ok(settings)
}

/// Runs the PEP 517 hook in an environment of its own that has what the backend requires.
fn ask_build_backend(
    folder: &Utf8Path,
    build_system: &BuildSystem,
    context: &Context,
) -> Result<(Metadata, Settings)> {
    let scratch = tempfile::Builder::new()
        .prefix("iiswsgi-build-")
        .tempdir()?;
    let scratch_path = Utf8Path::from_path(scratch.path())
        .ok_or_else(|| Error::new("the folder for temporary files is not Unicode"))?;
    let python = find_python(None, context)?;
    let environment =
        PythonEnvironment::virtual_env(&scratch_path.join(VIRTUAL_ENV), &python, context)?;
    environment.install(&build_system.requires, folder, context)?;
    let program = scratch_path.join("build_backend.py");
    fs::write(&program, BuildSystem::PROGRAM)?;
    let ask = |arguments: Vec<String>| {
        Process::new(environment.python.as_str())
            .args([program.as_str()])
            .args(arguments)
            .folder(folder)
            .run(context)
    };
    let further: Vec<String> = ask(build_system.requirements_arguments())?
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect();
    environment.install(&further, folder, context)?;
    let output = ask(build_system.program_arguments(scratch_path.join("metadata").as_str()))?;
    let path = output
        .lines()
        .last()
        .map(str::trim)
        .filter(|path| !path.is_empty());
    let path =
        Utf8Path::new(path.ok_or_else(|| Error::new("the build backend named no METADATA file"))?);
    let text = fs::read_to_string(path)?;
    let metadata = Metadata::from_core_metadata(&text).map_err(|error| {
        Error::new(format!(
            "the build backend's metadata cannot be read: {error}"
        ))
    })?;
    let settings = match path.parent() {
        Some(folder) => settings_of_metadata(folder, context)?,
        None => Settings::default(),
    };
    Ok((metadata, settings))
}
