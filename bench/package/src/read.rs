//! Reading packages.

use std::error::Error;
use std::fs::File;
use std::path::Path;

use msdeploy_pkg::{Given, PackageDescription, PackageLimits, PackageReader, Parameters};

use crate::count::Counted;

/// Reads manifest and parameters, and tells how many reads that took.
pub(crate) fn describe(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut file = Counted::new(File::open(path)?);
    let description = PackageDescription::read(&mut file, &PackageLimits::default())?;
    if description.parameters.is_none() {
        return Err("no parameters".into());
    }
    println!("reads {}", file.reads);
    println!("octets {}", file.octets);
    Ok(())
}

/// Applies the parameters, and tells how many of the files that took.
pub(crate) fn apply(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut package = PackageReader::open(File::open(path)?, PackageLimits::default())?;
    let source = package.parameters_source()?.ok_or("no parameters")?;
    let (parameters, _) = Parameters::parse(&source)?;
    let mut given = Given::new();
    given.push("Path", "site/app", msdeploy_pkg::Origin::CommandLine);
    let resolved = parameters
        .resolve(&given)
        .map_err(|problems| format!("{problems:?}"))?;
    let mut files = 0;
    let entries = package.entries().to_vec();
    for entry in entries.iter().filter(|entry| !entry.is_directory) {
        if resolved.applies_to(&entry.path) {
            let mut octets = Vec::new();
            package.read(entry, &mut octets)?;
            resolved.apply(&entry.path, &octets)?;
            files += 1;
        }
    }
    println!("entries {}", entries.len());
    println!("files {files}");
    Ok(())
}
