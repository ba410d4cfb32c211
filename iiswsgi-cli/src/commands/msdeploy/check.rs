//! `iiswsgi msdeploy check`.

use camino::Utf8Path;
use msdeploy_pkg::{CheckOptions, Digest, PackageLimits, check_archive};
use spanned_xml::{Problems, Source};

use crate::context::Context;
use crate::deploy::contents::{Contents, is_project};
use crate::deploy::description::{open, unreadable};
use crate::deploy::fetch::Location;
use crate::deploy::package::make;
use crate::deploy::project::Project;
use crate::error::{Error, Result};
use crate::findings::Findings;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The package (a path, or a file:, http: or https: URL), the folder of a project, or of an unpacked package
    #[arg(value_name = "PACKAGE|DIR")]
    package: String,
    /// The Windows folder that the application's folder comes into: the paths in it have to stay below 260 characters
    #[arg(long, value_name = "PATH", default_value = r"C:\inetpub\wwwroot")]
    root: String,
    /// The package's SHA-1 as its feed states it
    #[arg(long, value_name = "HEX", value_parser = parse_sha1)]
    sha1: Option<Digest>,
}

fn parse_sha1(text: &str) -> Result<Digest, String> {
    text.trim()
        .parse()
        .map_err(|_| "a SHA-1 has 40 hexadecimal digits".to_owned())
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let location = Location::parse(&args.package, None)?;
    let files = match &location {
        Location::File(path) if path.is_dir() => {
            if args.sha1.is_some() {
                return Err(
                    Error::new(format!("`{path}` is a folder, which has no SHA-1"))
                        .help("leave out --sha1, or name a package"),
                );
            }
            check_folder(path, args, context)?
        }
        _ => check_package(&location, args, context)?,
    };
    Findings::new(args.package.as_str(), files, context).report(context)
}

fn check_folder(folder: &Utf8Path, args: &Args, context: &Context) -> Result<Vec<Problems>> {
    let contents = if is_project(folder) {
        let project = Project::load(folder, &[], context)?;
        let made = make(&project, context)?;
        Contents::of_project(&project, &made, context)
    } else {
        Contents::of_folder(folder)
    };
    match contents {
        Ok(contents) => Ok(contents.check(&args.package, Some(&args.root))),
        // Files that cannot be read are what was to be found.
        Err(Error::Problems(problems)) => Ok(problems),
        Err(error) => Err(error),
    }
}

fn check_package(location: &Location, args: &Args, context: &Context) -> Result<Vec<Problems>> {
    let file = open(location, context)?;
    let mut options = CheckOptions::default();
    options.root = Some(args.root.clone());
    options.sha1 = args.sha1;
    let check = check_archive(file, PackageLimits::default(), &options)
        .map_err(|error| unreadable(&args.package, &error))?;
    let package = Source::from_text(args.package.as_str(), "");
    let within = |source: Option<Source>| source.unwrap_or_else(|| package.clone());
    Ok(vec![
        Problems {
            source: package.clone(),
            problems: check.report.package,
        },
        Problems {
            source: within(check.manifest),
            problems: check.report.manifest,
        },
        Problems {
            source: within(check.parameters),
            problems: check.report.parameters,
        },
    ])
}
