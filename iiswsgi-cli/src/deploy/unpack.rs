//! A Web Deploy package opened and verified, and its content with parameters applied.

use std::collections::BTreeMap;
use std::io::{self, Seek as _, Write};

use camino::Utf8Path;
use fs_err as fs;
use msdeploy_pkg::{
    ContentMap, ContentObject, ContentRoot, EntryReader, Layout, Manifest, PackageEntry,
    PackageLimits, PackageReader, ParameterChange, Parameters, ResolvedParameters, Sha1Writer,
};
use spanned_xml::Problem;
use webpi_feed::InstallerFile;

use crate::context::Context;
use crate::deploy::description::{self, unreadable};
use crate::deploy::fetch::Location;
use crate::deploy::file;
use crate::error::{Error, Result};

/// Web Deploy reads no larger package.
pub(crate) const PACKAGE_LIMIT: u64 = 0x7FFF_FFFF;

/// A package whose files have not been touched yet.
#[derive(Debug)]
pub(crate) struct OpenPackage {
    reader: PackageReader<fs::File>,
    root: ContentRoot,
    name: String,
    pub(crate) manifest: Manifest,
    pub(crate) parameters: Parameters,
    /// The application's files and folders, by their paths below its folder.
    content: BTreeMap<String, PackageEntry>,
}

impl OpenPackage {
    /// Fetches a package into a file of our own, verifies it against what a feed says of it, and reads its manifest and
    /// parameters.
    pub(crate) fn fetch(
        location: &Location,
        expected: Option<&InstallerFile>,
        context: &Context,
    ) -> Result<Self> {
        // The file has no name of its own; messages use that of the package.
        let mut file = fs::File::from_parts(tempfile::tempfile()?, location.to_string());
        let mut sink = Sha1Writer::new(&mut file);
        location.fetch(&mut sink, PACKAGE_LIMIT, context)?;
        let (_, digest, size) = sink.finish();
        if let Some(expected) = expected {
            verify(location, expected, &digest.to_string(), size)?;
        }
        file.flush()?;
        file.rewind()?;
        Self::open(location.to_string(), file, context)
    }

    fn open(name: String, file: fs::File, context: &Context) -> Result<Self> {
        let failed = |error: msdeploy_pkg::Error| unreadable(&name, &error);
        let mut reader = PackageReader::open(file, PackageLimits::default()).map_err(failed)?;
        let manifest_source = reader.manifest_source().map_err(failed)?;
        let parameters_source = reader.parameters_source().map_err(failed)?;
        let (manifest, parameters) =
            description::parse(&manifest_source, parameters_source.as_ref(), context)?;
        let map = ContentMap::new(reader.layout(), &manifest);
        let application = map.application().ok_or_else(|| {
            let problem = Problem::error(
                "package-no-application",
                "the manifest has no iisApp provider, so that there is nothing to install",
            );
            Error::problem(
                problem.help("add `<iisApp path=\"FOLDER\" />`"),
                &manifest_source,
            )
        })?;
        let root = application.clone();
        if reader
            .entry(&root.entry)
            .is_some_and(|entry| !entry.is_directory)
        {
            let problem = Problem::error(
                "package-single-file",
                format!(
                    "`{}` is a single file, and what is installed here is a folder",
                    root.path
                ),
            );
            return Err(Error::problem(
                problem
                    .at(manifest.providers[root.provider].path_span)
                    .help("make the package of the folder that the file is in, or take the file out of the archive by hand"),
                &manifest_source,
            ));
        }
        let content = content(&reader, &root);
        if content.is_empty() {
            return Err(Error::new(format!(
                "`{name}` has no file of its application `{}`",
                root.path
            ))
            .help("the path of iisApp in Manifest.xml is the folder's name in the package"));
        }
        Ok(Self {
            reader,
            root,
            name,
            manifest,
            parameters: parameters.unwrap_or_else(Parameters::none),
            content,
        })
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The application's provider and its path in the manifest.
    pub(crate) fn provider(&self) -> (&str, &str) {
        (self.root.name, &self.root.path)
    }

    /// All entries, in the archive's order.
    pub(crate) fn entries(&self) -> &[PackageEntry] {
        self.reader.entries()
    }

    /// An entry's path below the application's folder, if it is there.
    pub(crate) fn relative<'e>(&self, entry: &'e str) -> Option<&'e str> {
        self.root.relative(entry)
    }

    /// A reader of an entry as it is in the package.
    pub(crate) fn reader(&mut self, entry: &PackageEntry) -> Result<EntryReader<'_, fs::File>> {
        self.reader
            .entry_reader(entry)
            .map_err(|error| damaged(&self.name, &error))
    }

    /// How many files the application has.
    pub(crate) fn files(&self) -> usize {
        self.content
            .values()
            .filter(|entry| !entry.is_directory)
            .count()
    }

    /// Where in IIS the application goes: the value of the parameter for iisApp's path.
    pub(crate) fn application_path(&self, values: &ResolvedParameters) -> Result<String> {
        let (provider, path) = self.provider();
        let asked = values
            .provider_path(provider, path)
            .map_err(|problem| Error::problem(problem, values.source()))?;
        Ok(match asked {
            Some(asked) => asked.to_owned(),
            // What msdeploy itself has exported says where it was.
            None if self.reader.layout() == Layout::Package => path.to_owned(),
            None => format!("Default Web Site/{}", path.trim_matches(['/', '\\'])),
        })
    }

    /// The application's files and folders as a sync compares them: with the parameters applied.
    pub(crate) fn objects(&mut self, values: &ResolvedParameters) -> Result<Vec<ContentObject>> {
        let mut objects = Vec::new();
        for (path, entry) in self.content.clone() {
            if entry.is_directory {
                objects.push(ContentObject::directory(path));
                continue;
            }
            let modified = Some(entry.modified.to_unix());
            let mut object =
                ContentObject::file(path.as_str(), entry.size, modified).with_crc32(entry.crc32);
            if let Some((octets, changes)) = self.parameterized(&path, &entry, values)? {
                object = ContentObject::file(path, octets.len() as u64, modified)
                    .with_crc32(file::crc32_of(&octets))
                    .with_parameters(changes);
            }
            objects.push(object);
        }
        Ok(objects)
    }

    /// Unpacks the file at `path` below the application's folder, with the parameters applied.
    pub(crate) fn unpack(
        &mut self,
        path: &str,
        values: &ResolvedParameters,
        target: &Utf8Path,
    ) -> Result<()> {
        let entry = self
            .content
            .get(path)
            .cloned()
            .ok_or_else(|| Error::new(format!("`{}` has no `{path}`", self.name)))?;
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        if let Some((octets, _)) = self.parameterized(path, &entry, values)? {
            return Ok(fs::write(target, octets)?);
        }
        let mut file = io::BufWriter::new(fs::File::create(target)?);
        self.read(&entry, &mut file)?;
        Ok(file.flush()?)
    }

    /// A file's content with the parameters applied and what they changed; nothing where they change nothing. Files that no
    /// parameter is about are not read.
    pub(crate) fn parameterized(
        &mut self,
        path: &str,
        entry: &PackageEntry,
        values: &ResolvedParameters,
    ) -> Result<Option<(Vec<u8>, Vec<ParameterChange>)>> {
        if !values.applies_to(path) {
            return Ok(None);
        }
        let mut octets = Vec::new();
        self.read(entry, &mut octets)?;
        let edit = values.edit(path, &octets)?;
        Ok(edit.octets.map(|octets| (octets, edit.changes)))
    }

    fn read(&mut self, entry: &PackageEntry, sink: &mut impl Write) -> Result<()> {
        self.reader
            .read(entry, sink)
            .map_err(|error| damaged(&self.name, &error))?;
        Ok(())
    }
}

fn damaged(name: &str, error: &msdeploy_pkg::Error) -> Error {
    Error::new(format!("`{name}`: {error}"))
        .help("nothing was installed; get the package from its author again")
}

/// The entries below the application's folder, by their paths there.
fn content(
    reader: &PackageReader<fs::File>,
    application: &ContentRoot,
) -> BTreeMap<String, PackageEntry> {
    reader
        .entries()
        .iter()
        .filter_map(|entry| {
            let relative = application.relative(&entry.path)?;
            (!relative.is_empty()).then(|| (relative.to_owned(), entry.clone()))
        })
        .collect()
}

fn verify(location: &Location, expected: &InstallerFile, sha1: &str, size: u64) -> Result<()> {
    let help = "nothing was unpacked; the feed is older than the package, or somebody changed the package: ask the feed's author";
    if !expected.size_agrees(size) {
        let stated = expected.file_size.unwrap_or_default();
        return Err(Error::new(format!(
            "`{location}` has {size} octets ({} KB), but the feed says {stated} KB",
            size.div_ceil(1024)
        ))
        .help(help));
    }
    if !expected.sha1_agrees(sha1) {
        let stated = expected.sha1.as_deref().unwrap_or_default();
        return Err(Error::new(format!(
            "`{location}` has the SHA-1 {sha1}, but the feed says {stated}"
        ))
        .help(help));
    }
    Ok(())
}
