//! From a project to its Web Deploy package.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use msdeploy_pkg::{Layout, PackageLimits, PackageReader, PackageWriter, Timestamp, sha1};
use python_dist::Escaping;
use serde::Serialize;
use spanned_xml::{Problem, Problems, Source};

use crate::context::Context;
use crate::deploy::contents::{Contents, Piece, PieceContent};
use crate::deploy::file;
use crate::deploy::progress;
use crate::deploy::project::Project;
use crate::deploy::stamp::STAMP;
use crate::deploy::template::{Template, Undefined, Variables};
use crate::error::{Error, Result};

pub(crate) const MANIFEST: &str = "Manifest.xml";
pub(crate) const PARAMETERS: &str = "Parameters.xml";

/// A file that is made from a template.
pub(crate) struct Made {
    pub(crate) name: &'static str,
    template: Source,
    pub(crate) text: String,
}

impl Made {
    /// The file as it is written, in the encoding of its template.
    pub(crate) fn octets(&self) -> Result<Vec<u8>> {
        self.template
            .encode(&self.text)
            .map_err(|problem| Error::problem(problem, &self.template))
    }
}

/// Fills in the templates of `Manifest.xml`, `iis_install.stamp` and `Parameters.xml`, and writes nothing.
///
/// Variables of `NAME.in` that nothing defines stay as they are: `%SystemDrive%` is for the machine that the package is
/// installed on.
pub(crate) fn make(project: &Project, context: &Context) -> Result<Vec<Made>> {
    let variables = Variables::new(&context.environment)
        .with("NAME", project.name.as_str())
        .with("VERSION", project.version.as_str())
        .with("APP_FOLDER", app_folder(project))
        .metadata(project.template_context());
    let template = Template::find(&project.folder, MANIFEST)?.ok_or_else(|| {
        let path = project.folder.join(format!("{MANIFEST}.in"));
        Error::new(format!("`{path}` does not exist: a Web Deploy package is made from it"))
            .help("copy Manifest.xml.in, Parameters.xml, web.config.in and iis_install.stamp.in from examples/sample.msdeploy and adjust them")
    })?;
    let expanded = template.fill_in(Escaping::Xml, &variables, Undefined::Keep, context)?;
    let expanded = Source::from_text(template.source.name(), expanded);
    let (text, problems) = msdeploy_pkg::build_manifest(&expanded)?;
    context.warn(&expanded, &problems);
    let mut made = vec![Made {
        name: MANIFEST,
        template: template.source,
        text,
    }];
    for (name, escaping) in [(STAMP, Escaping::None), (PARAMETERS, Escaping::Xml)] {
        // The values of Parameters.xml are full of signs that a `.in` would take for variables.
        let found = Template::find(&project.folder, name)?
            .filter(|template| name == STAMP || template.is_handlebars());
        if let Some(template) = found {
            let text = template.fill_in(escaping, &variables, Undefined::Keep, context)?;
            made.push(Made {
                name,
                template: template.source,
                text,
            });
        }
    }
    Ok(made)
}

/// Makes `Manifest.xml`, `iis_install.stamp` and `Parameters.xml` from their templates, in the project's folder.
pub(crate) fn build(project: &Project, context: &Context) -> Result<Vec<Utf8PathBuf>> {
    // All of them are filled in before one is written.
    make(project, context)?
        .iter()
        .map(|made| {
            let path = project.folder.join(made.name);
            if file::write(&path, &made.octets()?)? {
                context.detail(format_args!("wrote `{path}`"));
            }
            Ok(path)
        })
        .collect()
}

/// The application's folder in the package: named after the distribution, without the version, since Windows still has
/// paths of 260 characters.
pub(crate) fn app_folder(project: &Project) -> &str {
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

/// Writes a project's package.
pub(crate) fn package(
    project: &Project,
    layout: Layout,
    output: &Utf8Path,
    context: &Context,
) -> Result<Package> {
    let contents = Contents::of_project(project, &[], context)?;
    let found = contents.check(output.as_str(), None);
    if found
        .iter()
        .flat_map(|file| &file.problems)
        .any(Problem::is_error)
    {
        return Err(Error::Problems(errors_of(found)));
    }
    for file in &found {
        context.warn(&file.source, &file.problems);
    }

    let pieces = match layout {
        Layout::Package => contents.msdeploys_own(context)?,
        _ => contents.gallery(project),
    };
    write(&pieces, output, context)?;
    let (digest, size) = sha1(fs::File::open(output)?).map_err(Error::from)?;
    context.say(format_args!(
        "packaged {} files of {} {}",
        contents.entries.len(),
        project.name,
        project.version
    ));
    Ok(Package {
        path: output.to_owned(),
        size,
        sha1: digest.to_string(),
        files: contents.entries.len(),
    })
}

/// Only what stops the work, file by file.
fn errors_of(found: Vec<Problems>) -> Vec<Problems> {
    found
        .into_iter()
        .map(|mut file| {
            file.problems.retain(Problem::is_error);
            file
        })
        .collect()
}

/// Writes a package.
fn write(pieces: &[Piece], output: &Utf8Path, context: &Context) -> Result<()> {
    let sizes = pieces.iter().map(|piece| match &piece.content {
        PieceContent::Directory => 0,
        PieceContent::File(path) => path.metadata().map_or(0, |metadata| metadata.len()),
        PieceContent::Octets(octets) => octets.len() as u64,
    });
    let bar = progress::octets(Some(sizes.sum()), context);
    let shown = bar.clone();
    let modified = timestamp(context)?;
    let failed =
        |error: msdeploy_pkg::Error| Error::new(format!("cannot write the package: {error}"));
    write_beside(output, |sink| {
        let mut writer = PackageWriter::new(sink, modified)
            .on_progress(move |progress| shown.set_position(progress.octets));
        for piece in pieces {
            let (name, options) = (piece.name.as_str(), &piece.options);
            match &piece.content {
                PieceContent::Directory => writer.add_directory_with(name, options),
                PieceContent::File(path) => writer
                    .add_with(name, &mut fs::File::open(path)?, options)
                    .map(|_| ()),
                PieceContent::Octets(octets) => writer
                    .add_with(name, &mut octets.as_slice(), options)
                    .map(|_| ()),
            }
            .map_err(failed)?;
        }
        writer.finish().map(|_| ()).map_err(failed)
    })?;
    bar.finish_and_clear();
    Ok(())
}

/// Writes a package into a file beside its place, reads it back, and puts it there: a package that we could not install is
/// not published, and an older one stays until the new one is complete.
pub(crate) fn write_beside(
    output: &Utf8Path,
    write: impl FnOnce(std::io::BufWriter<fs::File>) -> Result<()>,
) -> Result<()> {
    let folder = output
        .parent()
        .filter(|folder| !folder.as_str().is_empty())
        .unwrap_or_else(|| Utf8Path::new("."));
    fs::create_dir_all(folder)?;
    let partial = tempfile::Builder::new()
        .prefix(".iiswsgi-")
        .suffix(".zip")
        .tempfile_in(folder)?;
    // What goes wrong is said of the package.
    let file = fs::File::from_parts(partial.reopen()?, output);
    write(std::io::BufWriter::new(file))?;
    PackageReader::open(partial.reopen()?, PackageLimits::default())
        .map_err(|error| Error::new(format!("cannot write the package: {error}")))?;
    partial
        .persist(output)
        .map_err(|error| Error::from(error.error))?;
    Ok(())
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
