//! Checking a package file: the archive itself, then what is in it.

use std::io::{Read, Seek, SeekFrom};

use spanned_xml::{Problem, Source};

use super::{CheckReport, PackageCheck};
use crate::Error;
use crate::archive::{PackageLimits, PackageReader};
use crate::digest::{Digest, sha1};
use crate::manifest::Manifest;
use crate::parameters::Parameters;

/// What a package file is checked against, besides the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckOptions {
    /// The Windows folder that the application's folder comes into, against which paths are measured;
    /// `C:\inetpub\wwwroot` by default.
    pub root: Option<String>,
    /// What a feed states as the package's SHA-1.
    pub sha1: Option<Digest>,
}

/// What checking a package file found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ArchiveCheck {
    /// The findings, by the file they are about.
    pub report: CheckReport,
    /// What the findings about the manifest have their places in, where it could be read.
    pub manifest: Option<Source>,
    /// What the findings about the parameters have their places in, where the package has them.
    pub parameters: Option<Source>,
}

/// Checks a package file: its SHA-1, its archive, the data of every entry, the manifest, the parameters, and the rules
/// of [`PackageCheck`].
///
/// ```
/// use std::io::Cursor;
/// use msdeploy_pkg::{CheckOptions, PackageLimits, check_archive};
///
/// let check = check_archive(Cursor::new(b"no zip"), PackageLimits::default(), &CheckOptions::default())?;
/// assert_eq!(check.report.package[0].code, "archive-not-zip");
/// # Ok::<(), msdeploy_pkg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Io`] where the package cannot be read at all. Whatever is wrong with it is a finding.
pub fn check_archive(
    mut reader: impl Read + Seek,
    limits: PackageLimits,
    options: &CheckOptions,
) -> Result<ArchiveCheck, Error> {
    let mut check = ArchiveCheck::default();
    if let Some(expected) = options.sha1 {
        reader.seek(SeekFrom::Start(0))?;
        let (found, _) = sha1(&mut reader)?;
        check
            .report
            .package
            .extend((found != expected).then(|| other_digest(expected, found)));
    }
    let mut package = match PackageReader::open(reader, limits) {
        Ok(package) => package,
        Err(error) => {
            check.report.package.extend(findings(error)?);
            return Ok(check);
        }
    };
    let mut damage = package.warnings().to_vec();
    for error in package.verify()? {
        damage.extend(error.problems());
    }
    let is_damaged = damage.iter().any(Problem::is_error);
    check.report.package.extend(damage);
    if is_damaged {
        return Ok(check);
    }
    let (manifest, parameters) = match read(&mut package) {
        Ok(sources) => sources,
        Err(error) => {
            check.report.package.extend(findings(error)?);
            return Ok(check);
        }
    };
    let parsed_manifest = Manifest::parse(&manifest);
    let parsed_parameters = parameters.as_ref().map(Parameters::parse).transpose();
    let (manifest_problems, parsed_manifest) = parsed(parsed_manifest);
    let (parameters_problems, parsed_parameters) = match parsed_parameters {
        Ok(None) => (Vec::new(), Some(None)),
        Ok(Some((parameters, problems))) => (problems, Some(Some(parameters))),
        Err(problems) => (problems.problems, None),
    };
    check.report.manifest.extend(manifest_problems);
    check.report.parameters.extend(parameters_problems);
    check.manifest = Some(manifest);
    check.parameters = parameters;
    if let (Some(manifest), Some(parameters)) = (parsed_manifest, parsed_parameters) {
        let layout = package.layout();
        let entries = package.entries().to_vec();
        let files: Vec<&str> = entries
            .iter()
            .filter(|entry| !entry.is_directory)
            .map(|entry| entry.path.as_str())
            .collect();
        let mut contents = |path: &str| {
            let entry = package.entry(path)?.clone();
            let mut octets = Vec::new();
            package.read(&entry, &mut octets).ok()?;
            Some(octets)
        };
        let mut rules = PackageCheck::new(layout, &manifest)
            .parameters(parameters.as_ref())
            .files(&files);
        if let Some(root) = &options.root {
            rules = rules.root(root);
        }
        check.report.append(rules.run(&mut contents));
    }
    Ok(check)
}

/// What is wrong with the digest of a package.
fn other_digest(expected: Digest, found: Digest) -> Problem {
    Problem::error(
        "check-sha1",
        format!("the package has the SHA-1 {found}, and {expected} is expected"),
    )
    .help("it is another package than the feed describes, or was damaged on the way: fetch it again, or correct the feed")
}

fn read<R: Read + Seek>(package: &mut PackageReader<R>) -> Result<(Source, Option<Source>), Error> {
    Ok((package.manifest_source()?, package.parameters_source()?))
}

fn findings(error: Error) -> Result<Vec<Problem>, Error> {
    match error {
        Error::Io(_) => Err(error),
        error => Ok(error.problems()),
    }
}

fn parsed<T>(
    result: Result<(T, Vec<Problem>), spanned_xml::Problems>,
) -> (Vec<Problem>, Option<T>) {
    match result {
        Ok((value, problems)) => (problems, Some(value)),
        Err(problems) => (problems.problems, None),
    }
}
