//! From a project to its Web Deploy package.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use msdeploy_pkg::{
    Layout, Manifest, PackageLimits, PackageReader, PackageWriter, Parameters, Timestamp,
    check_package, sha1,
};
use serde::Serialize;
use spanned_xml::Source;

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::install::STAMP;
use crate::deploy::project::Project;
use crate::deploy::template::{Undefined, Variables, expand_text, expand_xml};
use crate::error::{Error, Result};

const MANIFEST: &str = "Manifest.xml";
const PARAMETERS: &str = "Parameters.xml";

/// Makes `Manifest.xml` and `iis_install.stamp` from their templates, in the project's folder.
///
/// Variables that nothing defines stay as they are: `%SystemDrive%` is for the machine that the package is installed on.
pub(crate) fn build(project: &Project, context: &Context) -> Result<Vec<Utf8PathBuf>> {
    let variables = Variables::new(&context.environment)
        .with("NAME", project.name.as_str())
        .with("VERSION", project.version.as_str())
        .with("APP_FOLDER", app_folder(project));
    let template_path = project.folder.join("Manifest.xml.in");
    let template = file::read_source_if_any(&template_path)?.ok_or_else(|| {
        Error::new(format!("`{template_path}` does not exist: a Web Deploy package is made from it"))
            .help("copy Manifest.xml.in, Parameters.xml, web.config.in and iis_install.stamp.in from examples/sample.msdeploy and adjust them")
    })?;
    let expanded = expand_xml(&template, &variables, Undefined::Keep)?;
    let expanded = Source::from_text(template_path.as_str(), expanded);
    let (manifest, problems) = msdeploy_pkg::build_manifest(&expanded)?;
    context.warn(&expanded, &problems);
    let mut made = vec![write_like(
        &template,
        &project.folder.join(MANIFEST),
        &manifest,
        context,
    )?];
    if let Some(template) = file::read_source_if_any(&project.folder.join(format!("{STAMP}.in")))? {
        let stamp = expand_text(&template, &variables, Undefined::Keep)?;
        made.push(write_like(
            &template,
            &project.folder.join(STAMP),
            &stamp,
            context,
        )?);
    }
    Ok(made)
}

/// Writes a file in the encoding of the template that it is made from.
fn write_like(
    template: &Source,
    path: &Utf8Path,
    text: &str,
    context: &Context,
) -> Result<Utf8PathBuf> {
    let octets = template
        .encode(text)
        .map_err(|problem| Error::problem(problem, template))?;
    if file::write(path, &octets)? {
        context.detail(format_args!("wrote `{path}`"));
    }
    Ok(path.to_owned())
}

/// The application's folder in the package: named after the distribution, without the version, since Windows still has
/// paths of 260 characters.
fn app_folder(project: &Project) -> &str {
    &project.name
}

/// A written package.
#[derive(Debug, Serialize)]
pub(crate) struct Package {
    pub(crate) path: Utf8PathBuf,
    /// Octets.
    pub(crate) size: u64,
    /// In hexadecimal.
    pub(crate) sha1: String,
    /// Files in it.
    pub(crate) files: usize,
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.path)
    }
}

/// Writes a project's package: Manifest.xml, Parameters.xml, then the application's folder.
pub(crate) fn package(project: &Project, output: &Utf8Path, context: &Context) -> Result<Package> {
    let manifest_source = file::read_source(&project.folder.join(MANIFEST))?;
    let (manifest, problems) = Manifest::parse(&manifest_source)?;
    context.warn(&manifest_source, &problems);
    let parameters_source = file::read_source_if_any(&project.folder.join(PARAMETERS))?;
    let parameters = match &parameters_source {
        Some(source) => {
            let (parameters, problems) = Parameters::parse(source)?;
            context.warn(source, &problems);
            Some(parameters)
        }
        None => None,
    };

    let mut files = project.files(context)?;
    for needed in ["web.config.in", STAMP] {
        // Without these two the package installs nothing, whatever MANIFEST.in says.
        if !files.iter().any(|file| file == needed) && project.folder.join(needed).exists() {
            files.push(needed.to_owned());
        }
    }
    files.sort();
    let entries: Vec<String> = files
        .iter()
        .map(|file| format!("{}/{file}", app_folder(project)))
        .collect();
    let names: Vec<&str> = entries.iter().map(String::as_str).collect();
    let mut contents = |entry: &str| {
        fs::read(
            project.folder.join(
                entry
                    .strip_prefix(app_folder(project))?
                    .trim_start_matches('/'),
            ),
        )
        .ok()
    };
    let report = check_package(
        Layout::Gallery,
        &manifest,
        parameters.as_ref(),
        &names,
        &mut contents,
    );
    context.warn(&manifest_source, &report.manifest);
    context.warn(
        parameters_source.as_ref().unwrap_or(&manifest_source),
        &report.parameters,
    );
    context.warn(&Source::from_text(output.as_str(), ""), &report.package);

    let folder = output
        .parent()
        .filter(|folder| !folder.as_str().is_empty())
        .unwrap_or_else(|| Utf8Path::new("."));
    fs::create_dir_all(folder)?;
    let mut partial = tempfile::Builder::new()
        .prefix(".iiswsgi-")
        .suffix(".zip")
        .tempfile_in(folder)?;
    let mut writer = PackageWriter::new(
        std::io::BufWriter::new(partial.as_file_mut()),
        timestamp(context)?,
    );
    let failed =
        |error: msdeploy_pkg::Error| Error::new(format!("cannot write the package: {error}"));
    writer
        .add(
            MANIFEST,
            &mut fs::File::open(project.folder.join(MANIFEST))?,
        )
        .map_err(failed)?;
    if parameters_source.is_some() {
        writer
            .add(
                PARAMETERS,
                &mut fs::File::open(project.folder.join(PARAMETERS))?,
            )
            .map_err(failed)?;
    }
    for (file, entry) in files.iter().zip(&entries) {
        writer
            .add(entry, &mut fs::File::open(project.folder.join(file))?)
            .map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    // What is published is read back first: a package that we could not install is not written.
    PackageReader::open(partial.reopen()?, PackageLimits::default()).map_err(failed)?;
    partial
        .persist(output)
        .map_err(|error| Error::from(error.error))?;
    let (digest, size) = sha1(fs::File::open(output)?).map_err(Error::from)?;
    context.say(format_args!(
        "packaged {} files of {} {}",
        files.len(),
        project.name,
        project.version
    ));
    Ok(Package {
        path: output.to_owned(),
        size,
        sha1: digest.to_string(),
        files: files.len(),
    })
}

/// The time of every entry: SOURCE_DATE_EPOCH where it is set, else the first that the format has.
fn timestamp(context: &Context) -> Result<Timestamp> {
    context.source_date_epoch()?.map_or_else(
        || Ok(Timestamp::default()),
        |seconds| {
            Timestamp::from_unix(seconds)
                .map_err(|error| Error::new(format!("SOURCE_DATE_EPOCH: {error}")))
        },
    )
}
