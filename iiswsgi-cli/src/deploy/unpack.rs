//! A Web Deploy package opened and verified, and its content unpacked with parameters applied.

use std::io::{self, Seek as _, Write as _};

use camino::Utf8Path;
use fs_err as fs;
use msdeploy_pkg::{
    Layout, Manifest, PackageLimits, PackageReader, Parameters, ResolvedParameters, Sha1Writer,
};
use spanned_xml::Problem;
use webpi_feed::InstallerFile;

use crate::context::Context;
use crate::deploy::fetch::Location;
use crate::error::{Error, Result};

/// Web Deploy reads no larger package.
const PACKAGE_LIMIT: u64 = 0x7FFF_FFFF;

/// A package whose files have not been touched yet.
#[derive(Debug)]
pub(crate) struct OpenPackage {
    reader: PackageReader<fs::File>,
    name: String,
    pub(crate) manifest: Manifest,
    pub(crate) parameters: Parameters,
    /// The application's folder in the package.
    content: String,
}

/// What unpacking did.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) files: usize,
    /// Files that parameters were put into, relative to the application.
    pub(crate) parameterized: Vec<String>,
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
        let failed = |error: msdeploy_pkg::Error| {
            Error::new(format!("`{name}`: {error}"))
                .help("nothing was unpacked; get the package from its author again")
        };
        let mut reader = PackageReader::open(file, PackageLimits::default()).map_err(failed)?;
        if reader.layout() != Layout::Gallery {
            return Err(Error::new(format!("`{name}` has the layout of msdeploy's `package` provider, with archive.xml"))
                .help("only packages with a Manifest.xml can be unpacked, as `iiswsgi msdeploy package` and the Web Application Gallery make them"));
        }
        let manifest_source = reader.manifest_source().map_err(failed)?;
        let (manifest, problems) = Manifest::parse(&manifest_source)?;
        context.warn(&manifest_source, &problems);
        let parameters = match reader.parameters_source().map_err(failed)? {
            Some(source) => {
                let (parameters, problems) = Parameters::parse(&source)?;
                context.warn(&source, &problems);
                parameters
            }
            None => Parameters::none(),
        };
        let application = manifest.application().ok_or_else(|| {
            let problem = Problem::error(
                "package-no-application",
                "the manifest has no iisApp provider, so that there is nothing to install",
            );
            Error::problem(
                problem.help("add `<iisApp path=\"FOLDER\" />`"),
                &manifest_source,
            )
        })?;
        let content = application
            .path
            .trim_matches(['/', '\\'])
            .replace('\\', "/");
        Ok(Self {
            reader,
            name,
            manifest,
            parameters,
            content,
        })
    }

    /// Where in IIS the application goes: the value of the parameter for iisApp's path.
    pub(crate) fn application_path(&self, values: &ResolvedParameters) -> Result<String> {
        let asked = values
            .provider_path("iisApp", &self.content)
            .map_err(|problem| Error::problem(problem, values.source()))?;
        Ok(asked.map_or_else(
            || format!("Default Web Site/{}", self.content),
            str::to_owned,
        ))
    }

    /// Unpacks the application's content into `folder`, which is empty, and applies parameters to it.
    pub(crate) fn unpack(
        &mut self,
        values: &ResolvedParameters,
        folder: &Utf8Path,
    ) -> Result<Unpacked> {
        let prefix = format!("{}/", self.content);
        let mut unpacked = Unpacked {
            files: 0,
            parameterized: Vec::new(),
        };
        let entries: Vec<_> = self.reader.entries().to_vec();
        for entry in entries {
            let in_application = entry
                .path
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(&prefix));
            let Some(relative) = entry.path.get(prefix.len()..).filter(|_| in_application) else {
                continue;
            };
            let target = folder.join(relative);
            if entry.is_directory {
                fs::create_dir_all(&target)?;
                continue;
            }
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            let failed = |error: msdeploy_pkg::Error| {
                Error::new(format!("`{}`: {error}", self.name))
                    .help("nothing was installed; get the package from its author again")
            };
            if values.applies_to(relative) {
                let mut octets = Vec::new();
                self.reader.read(&entry, &mut octets).map_err(failed)?;
                if let Some(changed) = values.apply(relative, &octets)? {
                    octets = changed;
                    unpacked.parameterized.push(relative.to_owned());
                }
                fs::write(&target, octets)?;
            } else {
                let mut file = io::BufWriter::new(fs::File::create(&target)?);
                self.reader.read(&entry, &mut file).map_err(failed)?;
                file.flush()?;
            }
            unpacked.files += 1;
        }
        if unpacked.files == 0 {
            return Err(Error::new(format!(
                "`{}` has no file in the application's folder `{}`",
                self.name, self.content
            ))
            .help("the path of iisApp in Manifest.xml is the folder's name in the package"));
        }
        Ok(unpacked)
    }
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
