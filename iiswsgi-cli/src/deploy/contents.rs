//! What goes into a package, and under which names: a project's files, or those of an unpacked package.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use msdeploy_pkg::{
    CheckedFile, EntryOptions, FileKind, Layout, LayoutContent, LayoutFile, Manifest, PackageCheck,
    PackageLayout, Parameters, check_files,
};
use spanned_xml::{Problems, Source};
use walkdir::WalkDir;

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::package::{MANIFEST, Made, PARAMETERS, app_folder};
use crate::deploy::project::Project;
use crate::deploy::stamp::STAMP;
use crate::error::{Error, Result};

/// What a package is made of: a project's files, or those of a folder that is laid out as a package.
pub(crate) struct Contents {
    manifest_source: Source,
    pub(crate) manifest: Manifest,
    pub(crate) parameters: Option<(Source, Parameters)>,
    /// The entries' names and the files that they are made from, in order.
    pub(crate) entries: Vec<(String, Utf8PathBuf)>,
    /// What the manifest and the parameters had to be warned of.
    warnings: Vec<Problems>,
}

impl Contents {
    /// Those of a project's package. `made` are the files that need not be on disk.
    pub(crate) fn of_project(project: &Project, made: &[Made], context: &Context) -> Result<Self> {
        let text = |name: &str| -> Result<Option<Source>> {
            let path = project.folder.join(name);
            match made.iter().find(|made| made.name == name) {
                Some(made) => Ok(Some(Source::from_text(path.as_str(), made.text.as_str()))),
                None => file::read_source_if_any(&path),
            }
        };
        let manifest = text(MANIFEST)?
            .ok_or_else(|| Error::new(format!("`{}` has no {MANIFEST}", project.folder)))?;
        let mut files = project.package_files(context)?;
        if made.iter().any(|made| made.name == STAMP) && !files.iter().any(|file| file == STAMP) {
            files.push(STAMP.to_owned());
            files.sort();
        }
        let entries = files
            .into_iter()
            .map(|file| {
                let path = project.folder.join(&file);
                (format!("{}/{file}", app_folder(project)), path)
            })
            .collect();
        Self::new(manifest, text(PARAMETERS)?, entries)
    }

    /// Those of an unpacked package: Manifest.xml, Parameters.xml and all other files.
    pub(crate) fn of_folder(folder: &Utf8Path) -> Result<Self> {
        let mut manifest = None;
        let mut parameters = None;
        let mut entries = Vec::new();
        for file in walk_all(folder)? {
            let path = folder.join(&file);
            if file.eq_ignore_ascii_case(MANIFEST) {
                manifest = Some(file::read_source(&path)?);
            } else if file.eq_ignore_ascii_case(PARAMETERS) {
                parameters = Some(file::read_source(&path)?);
            } else {
                entries.push((file, path));
            }
        }
        let manifest = manifest.ok_or_else(|| {
            Error::new(format!(
                "`{folder}` is neither a Python project nor an unpacked package: it has no {MANIFEST}"
            ))
            .help("name a project's folder, or one with Manifest.xml and the application's folder")
        })?;
        Self::new(manifest, parameters, entries)
    }

    fn new(
        manifest_source: Source,
        parameters: Option<Source>,
        entries: Vec<(String, Utf8PathBuf)>,
    ) -> Result<Self> {
        let (manifest, problems) = Manifest::parse(&manifest_source)?;
        let mut warnings = vec![Problems {
            source: manifest_source.clone(),
            problems,
        }];
        let parameters = parameters
            .map(|source| {
                let (parameters, problems) = Parameters::parse(&source)?;
                warnings.push(Problems {
                    source: source.clone(),
                    problems,
                });
                Ok::<_, Problems>((source, parameters))
            })
            .transpose()?;
        Ok(Self {
            manifest_source,
            manifest,
            parameters,
            entries,
            warnings,
        })
    }

    /// What the rules for packages find, file by file. `root` is the Windows folder that the application comes into.
    pub(crate) fn check(&self, name: &str, root: Option<&str>) -> Vec<Problems> {
        let names: Vec<&str> = self.entries.iter().map(|(name, _)| name.as_str()).collect();
        let mut contents = |entry: &str| {
            let (_, path) = self.entries.iter().find(|(name, _)| name == entry)?;
            fs::read(path).ok()
        };
        let parameters = self.parameters.as_ref();
        let mut check = PackageCheck::new(Layout::Gallery, &self.manifest)
            .parameters(parameters.map(|(_, parameters)| parameters))
            .files(&names);
        if let Some(root) = root {
            check = check.root(root);
        }
        let mut report = check.run(&mut contents);
        report.package.extend(check_files(&self.checked_files()));
        let package = Source::from_text(name, "");
        let mut found = self.warnings.clone();
        for (source, problems) in [
            (&self.manifest_source, report.manifest),
            (
                parameters.map_or(&package, |(source, _)| source),
                report.parameters,
            ),
            (&package, report.package),
        ] {
            found.push(Problems {
                source: source.clone(),
                problems,
            });
        }
        found
    }

    /// The gallery's layout: Manifest.xml, Parameters.xml, then the application's folder.
    pub(crate) fn gallery(&self, project: &Project) -> Vec<Piece> {
        let mut pieces = vec![Piece::file(MANIFEST, project.folder.join(MANIFEST))];
        if self.parameters.is_some() {
            pieces.push(Piece::file(PARAMETERS, project.folder.join(PARAMETERS)));
        }
        pieces.extend(
            self.entries
                .iter()
                .map(|(name, path)| Piece::file(name.as_str(), path.clone())),
        );
        pieces
    }

    /// The layout of msdeploy's `package` provider.
    pub(crate) fn msdeploys_own(&self, context: &Context) -> Result<Vec<Piece>> {
        let mut package = PackageLayout::new(&self.manifest_source, &self.manifest)?;
        if let Some((source, _)) = &self.parameters {
            package = package.with_parameters(source)?;
        }
        let files: Vec<LayoutFile> = self
            .entries
            .iter()
            .map(|(name, _)| LayoutFile::new(name.as_str()))
            .collect();
        let (entries, left_out) = package.entries(&files);
        for (name, _) in left_out
            .into_iter()
            .filter_map(|index| self.entries.get(index))
        {
            context.say(format_args!("left out: `{name}` belongs to no provider"));
        }
        let mut pieces = Vec::new();
        for entry in entries {
            let content = match entry.content {
                LayoutContent::Octets(octets) => PieceContent::Octets(octets),
                LayoutContent::File(index) => match self.entries.get(index) {
                    Some((_, path)) => PieceContent::File(path.clone()),
                    None => continue,
                },
                _ => PieceContent::Directory,
            };
            let mut options = EntryOptions::default();
            options.attributes = Some(entry.attributes);
            pieces.push(Piece {
                name: entry.name,
                options,
                content,
            });
        }
        Ok(pieces)
    }

    fn checked_files(&self) -> Vec<CheckedFile> {
        self.entries
            .iter()
            .filter_map(|(name, path)| {
                let metadata = path.symlink_metadata().ok()?;
                let kind = if metadata.is_symlink() {
                    FileKind::SymbolicLink
                } else if metadata.is_dir() {
                    FileKind::Directory
                } else if metadata.is_file() {
                    FileKind::File
                } else {
                    FileKind::Other
                };
                Some(CheckedFile::new(name.as_str(), metadata.len(), kind))
            })
            .collect()
    }
}

/// Every file below a folder, relative to it, with forward slashes.
pub(crate) fn walk_all(folder: &Utf8Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).min_depth(1).sort_by_file_name() {
        let entry = entry
            .map_err(|error| Error::new(format!("cannot list the files of `{folder}`: {error}")))?;
        if entry.file_type().is_dir() {
            continue;
        }
        files.push(file::relative(folder, entry.path())?);
    }
    Ok(files)
}

/// An entry of a package, and what it is made from.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) name: String,
    pub(crate) options: EntryOptions,
    pub(crate) content: PieceContent,
}

#[derive(Clone, Debug)]
pub(crate) enum PieceContent {
    Directory,
    File(Utf8PathBuf),
    Octets(Vec<u8>),
}

impl Piece {
    fn file(name: impl Into<String>, path: Utf8PathBuf) -> Self {
        Self {
            name: name.into(),
            options: EntryOptions::default(),
            content: PieceContent::File(path),
        }
    }
}

/// Whether a folder is a project that a package can be made of.
pub(crate) fn is_project(folder: &Utf8Path) -> bool {
    ["in", "hbs"]
        .iter()
        .any(|suffix| folder.join(format!("{MANIFEST}.{suffix}")).is_file())
}

/// Whether a folder is laid out as a package of the gallery.
pub(crate) fn is_unpacked_package(folder: &Utf8Path) -> bool {
    folder.join(MANIFEST).is_file()
}
