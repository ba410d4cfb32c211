//! `iiswsgi msdeploy diff`.

use camino::Utf8Path;
use msdeploy_pkg::{
    Layout, Manifest, PackageDiff, PackageEntry, PackageSide, Parameters, SideFile,
};

use crate::context::Context;
use crate::deploy::contents::{Contents, is_project, is_unpacked_package, walk_all};
use crate::deploy::description::Description;
use crate::deploy::fetch::Location;
use crate::deploy::file;
use crate::deploy::package::make;
use crate::deploy::project::Project;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The first package: a path, or a file:, http: or https: URL
    #[arg(value_name = "PACKAGE")]
    first: String,
    /// The second: a package, a project as it would be packaged, the folder of an unpacked package, or of an installed
    /// application, of which only the files are compared
    #[arg(value_name = "PACKAGE|DIR")]
    second: String,
}

/// One of the two, read.
enum Side {
    Package {
        layout: Layout,
        manifest: Manifest,
        parameters: Option<Parameters>,
        entries: Vec<PackageEntry>,
    },
    Folder {
        contents: Contents,
        files: Vec<SideFile>,
    },
    Application(Vec<SideFile>),
}

impl Side {
    fn read(location: &str, context: &Context) -> Result<Self> {
        if let Location::File(path) = Location::parse(location, None)?
            && path.is_dir()
        {
            return Self::read_folder(&path, context);
        }
        let (description, entries) = Description::read_with_entries(location, context)?;
        Ok(Self::Package {
            layout: description.layout,
            manifest: description.manifest,
            parameters: description.parameters,
            entries,
        })
    }

    fn read_folder(folder: &Utf8Path, context: &Context) -> Result<Self> {
        let (contents, made) = if is_project(folder) {
            let project = Project::load(folder, &[], context)?;
            let made = make(&project, context)?;
            (Contents::of_project(&project, &made, context)?, made)
        } else if is_unpacked_package(folder) {
            (Contents::of_folder(folder)?, Vec::new())
        } else {
            let files = walk_all(folder)?
                .into_iter()
                .map(|path| side_file(&path, &folder.join(&path)))
                .collect::<Result<_>>()?;
            return Ok(Self::Application(files));
        };
        let files = contents
            .entries
            .iter()
            .map(|(name, path)| {
                // What is made from a template need not be on disk, or not as it would be made now.
                match made.iter().find(|made| path.file_name() == Some(made.name)) {
                    Some(made) => {
                        let octets = made.octets()?;
                        let crc32 = Some(file::crc32_of(&octets));
                        Ok(SideFile::new(name.as_str(), octets.len() as u64, crc32))
                    }
                    None => side_file(name, path),
                }
            })
            .collect::<Result<_>>()?;
        Ok(Self::Folder { contents, files })
    }

    fn as_package_side(&self) -> PackageSide<'_> {
        match self {
            Self::Package {
                layout,
                manifest,
                parameters,
                entries,
            } => PackageSide::package(*layout, manifest, parameters.as_ref(), entries),
            Self::Folder { contents, files } => {
                let mut side = PackageSide::package(
                    Layout::Gallery,
                    &contents.manifest,
                    contents
                        .parameters
                        .as_ref()
                        .map(|(_, parameters)| parameters),
                    &[],
                );
                side.files.clone_from(files);
                side
            }
            Self::Application(files) => PackageSide::application(files.clone()),
        }
    }
}

fn side_file(name: &str, path: &Utf8Path) -> Result<SideFile> {
    let (crc32, size) = file::crc32(path)?;
    Ok(SideFile::new(name, size, Some(crc32)))
}

/// The exit status is 1 where there are differences, as diff has it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let first = Side::read(&args.first, context)?;
    let second = Side::read(&args.second, context)?;
    let diff = PackageDiff::between(&first.as_package_side(), &second.as_package_side());
    context.report(&diff)?;
    if diff.is_empty() {
        Ok(())
    } else {
        Err(Error::Reported)
    }
}
