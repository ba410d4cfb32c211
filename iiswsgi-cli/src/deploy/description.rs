//! What a package says of itself, read without looking at its content.

use camino::Utf8Path;
use fs_err as fs;
use msdeploy_pkg::{
    Layout, Manifest, PackageDescription, PackageEntry, PackageLimits, PackageReader, Parameters,
};
use spanned_xml::Source;

use crate::context::Context;
use crate::deploy::fetch::Location;
use crate::deploy::unpack::PACKAGE_LIMIT;
use crate::error::{Error, Result};

/// The XML files of a package.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) layout: Layout,
    pub(crate) manifest: Manifest,
    pub(crate) manifest_source: Source,
    pub(crate) parameters: Option<Parameters>,
    pub(crate) system_info: Option<Source>,
}

impl Description {
    /// Reads them from a path or a URL.
    ///
    /// # Errors
    ///
    /// It is no package, or one of the files has faults: all of them.
    pub(crate) fn read(package: &str, context: &Context) -> Result<Self> {
        let location = Location::parse(package, None)?;
        let file = open(&location, context)?;
        let description = PackageDescription::read(file, &PackageLimits::default())
            .map_err(|error| unreadable(package, &error))?;
        Self::new(package, description, context)
    }

    /// Reads them, and what else is in the package.
    ///
    /// # Errors
    ///
    /// As [`Description::read`]; an archive that is damaged, or that was made to do harm.
    pub(crate) fn read_with_entries(
        package: &str,
        context: &Context,
    ) -> Result<(Self, Vec<PackageEntry>)> {
        let location = Location::parse(package, None)?;
        let mut file = open(&location, context)?;
        let failed = |error: msdeploy_pkg::Error| unreadable(package, &error);
        let entries = PackageReader::open(&mut file, PackageLimits::default())
            .map_err(failed)?
            .entries()
            .to_vec();
        let description =
            PackageDescription::read(file, &PackageLimits::default()).map_err(failed)?;
        Ok((Self::new(package, description, context)?, entries))
    }

    fn new(package: &str, description: PackageDescription, context: &Context) -> Result<Self> {
        let (manifest, parameters) = parse(
            &description.manifest,
            description.parameters.as_ref(),
            context,
        )?;
        Ok(Self {
            name: package.to_owned(),
            layout: description.layout,
            manifest,
            manifest_source: description.manifest,
            parameters,
            system_info: description.system_info,
        })
    }
}

/// The manifest and the parameters; what is odd in them is shown.
///
/// # Errors
///
/// One of the files has faults: all of them.
pub(crate) fn parse(
    manifest: &Source,
    parameters: Option<&Source>,
    context: &Context,
) -> Result<(Manifest, Option<Parameters>)> {
    let (parsed, problems) = Manifest::parse(manifest)?;
    context.warn(manifest, &problems);
    let Some(source) = parameters else {
        return Ok((parsed, None));
    };
    let (parameters, problems) = Parameters::parse(source)?;
    context.warn(source, &problems);
    Ok((parsed, Some(parameters)))
}

/// The error for a package that cannot be read.
pub(crate) fn unreadable(name: &str, error: &msdeploy_pkg::Error) -> Error {
    Error::new(format!("`{name}`: {error}"))
        .help("nothing was unpacked; get the package from its author again")
}

/// Opens a package for reading; what comes from a server is fetched into a file of our own first.
pub(crate) fn open(location: &Location, context: &Context) -> Result<fs::File> {
    if let Location::File(path) = location {
        if Utf8Path::is_dir(path) {
            return Err(
                Error::new(format!("`{path}` is a folder")).help("name the package: a .zip file")
            );
        }
        return Ok(fs::File::open(path)?);
    }
    // The file has no name of its own; messages use that of the package.
    let mut file = fs::File::from_parts(tempfile::tempfile()?, location.to_string());
    location.fetch(&mut file, PACKAGE_LIMIT, context)?;
    std::io::Seek::rewind(&mut file)?;
    Ok(file)
}
