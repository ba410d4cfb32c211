//! A package synced into another package: some of its files, renamed, with values of its parameters put in for good.

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use msdeploy_pkg::{
    ContentTree, EntryOptions, Given, Operation, PackageEntry, PackageWriter, Parameters, Plan,
    ResolvedParameters, SyncOptions, WriterOptions, sha1,
};
use serde::Serialize;
use spanned_xml::{Document, Element, Problems, Source, Span, Splices, escape_attribute};

use crate::context::Context;
use crate::deploy::package::write_beside;
use crate::deploy::parameter_values::resolve;
use crate::deploy::progress;
use crate::deploy::unpack::OpenPackage;
use crate::error::{Error, Result};

/// A package written from another one.
#[derive(Debug, Serialize)]
pub(crate) struct Repackaged {
    path: Utf8PathBuf,
    /// Octets.
    size: u64,
    /// In hexadecimal.
    sha1: String,
    /// Files of the application.
    files: usize,
    /// Files that parameters were put into.
    parameterized: Vec<String>,
}

impl fmt::Display for Repackaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.path)
    }
}

/// The way from one package to another.
#[derive(Debug)]
pub(crate) struct Repackaging {
    package: OpenPackage,
    /// The values of all parameters; none where none was given: then they are left to whoever installs the new package.
    values: Option<ResolvedParameters>,
}

impl Repackaging {
    /// Takes the values that were given.
    ///
    /// # Errors
    ///
    /// A value that a parameter does not allow, or none where one is needed.
    pub(crate) fn new(package: OpenPackage, given: &Given) -> Result<Self> {
        let values = if given.values.is_empty() {
            None
        } else {
            Some(resolve(&package.parameters, given)?)
        };
        Ok(Self { package, values })
    }

    /// What [`Repackaging::run`] would do.
    ///
    /// # Errors
    ///
    /// A rule that cannot be used, a parameter that cannot be applied.
    pub(crate) fn plan(&mut self, options: &SyncOptions) -> Result<Plan> {
        let (provider, path) = self.package.provider();
        let mut tree = ContentTree::new(provider, path);
        tree.source = self.package.objects(&self.applied()?)?;
        Plan::new(&[tree], &[], options).map_err(|problems| {
            Error::from(Problems {
                source: Source::from_text(self.package.name(), ""),
                problems,
            })
        })
    }

    /// Writes the new package, beside its place first.
    ///
    /// # Errors
    ///
    /// Anything that fails; what was at `output` is still there then.
    pub(crate) fn run(
        mut self,
        options: &SyncOptions,
        output: &Utf8Path,
        context: &Context,
    ) -> Result<Repackaged> {
        let plan = self.plan(options)?;
        let values = self.applied()?;
        let mut added: BTreeMap<&str, &str> = BTreeMap::new();
        let mut parameterized = Vec::new();
        for operation in &plan.operations {
            context.detail(format_args!("Info: {operation}."));
            if let Operation::Add {
                from,
                to,
                parameters,
                ..
            } = operation
            {
                added.insert(from, to);
                if !parameters.is_empty() {
                    parameterized.push(to.clone());
                }
            }
        }
        let entries: Vec<(PackageEntry, String)> = self
            .package
            .entries()
            .iter()
            .filter_map(|entry| Some((entry.clone(), self.new_name(&entry.path, &added)?)))
            .collect();
        let len = entries.iter().map(|(entry, _)| entry.size).sum();
        let bar = progress::octets(Some(len), context);
        let shown = bar.clone();
        let failed =
            |error: msdeploy_pkg::Error| Error::new(format!("cannot write the package: {error}"));
        write_beside(output, |sink| {
            let mut writer = PackageWriter::with_options(sink, WriterOptions::default())
                .on_progress(move |progress| shown.set_position(progress.octets));
            for (entry, name) in &entries {
                let mut options = EntryOptions::default();
                options.attributes = Some(entry.attributes);
                options.modified = Some(entry.modified);
                if entry.is_directory {
                    writer.add_directory_with(name, &options).map_err(failed)?;
                } else if let Some(octets) = self.changed(entry, &values)? {
                    writer
                        .add_with(name, &mut octets.as_slice(), &options)
                        .map_err(failed)?;
                } else {
                    let mut reader = self.package.reader(entry)?;
                    writer
                        .add_with(name, &mut reader, &options)
                        .map_err(failed)?;
                }
            }
            writer.finish().map(|_| ()).map_err(failed)
        })?;
        bar.finish_and_clear();
        let files = entries
            .iter()
            .filter(|(entry, _)| {
                !entry.is_directory && self.package.relative(&entry.path).is_some()
            })
            .count();
        let (digest, size) = sha1(fs_err::File::open(output)?)?;
        context.say(format_args!("{} in `{output}`", plan.summary()));
        Ok(Repackaged {
            path: output.to_owned(),
            size,
            sha1: digest.to_string(),
            files,
            parameterized,
        })
    }

    /// What an entry is called in the new package; none where it is left out. `added` are the application's files with their
    /// new paths.
    fn new_name(&self, entry: &str, added: &BTreeMap<&str, &str>) -> Option<String> {
        match self.package.relative(entry) {
            None | Some("") => Some(entry.to_owned()),
            Some(relative) => {
                let folder = &entry[..entry.len() - relative.len()];
                added.get(relative).map(|to| format!("{folder}{to}"))
            }
        }
    }

    /// An entry's new content; none where it stays as it is.
    fn changed(
        &mut self,
        entry: &PackageEntry,
        values: &ResolvedParameters,
    ) -> Result<Option<Vec<u8>>> {
        let relative = self.package.relative(&entry.path).map(str::to_owned);
        match (relative, &self.values) {
            (Some(relative), _) => Ok(self
                .package
                .parameterized(&relative, entry, values)?
                .map(|(octets, _)| octets)),
            (None, Some(values)) if entry.path.eq_ignore_ascii_case("parameters.xml") => {
                what_is_left(values).map(Some)
            }
            (None, _) => Ok(None),
        }
    }

    /// The values to put into files: none where none was given.
    fn applied(&self) -> Result<ResolvedParameters> {
        match &self.values {
            Some(values) => Ok(values.clone()),
            None => resolve(&Parameters::none(), &Given::new()),
        }
    }
}

/// The parameters' file without what has been done: entries that edit files are gone, parameters that have no other ones too,
/// and what is left has the values for defaults.
fn what_is_left(values: &ResolvedParameters) -> Result<Vec<u8>> {
    let source = values.source();
    let document = Document::parse(source).map_err(|problem| Error::problem(problem, source))?;
    let element = |start_tag: Span| -> Option<&Element> {
        document
            .root()
            .descendants()
            .find(|element| element.start_tag == start_tag)
    };
    let mut splices = Splices::new();
    for resolved in values.iter() {
        let parameter = &resolved.parameter;
        let Some(whole) = element(parameter.span) else {
            continue;
        };
        let done = |edits: bool| {
            parameter
                .entries
                .iter()
                .filter(move |entry| entry.kind.edits_files() == edits)
        };
        if done(false).next().is_none() && done(true).next().is_some() {
            splices.remove(whole.span);
            continue;
        }
        for entry in done(true).filter_map(|entry| element(entry.span)) {
            splices.remove(entry.span);
        }
        let value = escape_attribute(&resolved.value);
        for name in ["defaultValue", "value"] {
            if let Some(attribute) = whole.attribute_ignore_case(name) {
                splices.replace(attribute.span, format!("{}=\"{value}\"", attribute.name));
            }
        }
    }
    let text = splices
        .apply(source.text())
        .unwrap_or_else(|| source.text().to_owned());
    source
        .encode(&text)
        .map_err(|problem| Error::problem(problem, source))
}

/// Whether a destination is a package rather than a folder.
pub(crate) fn is_package(destination: &Utf8Path) -> bool {
    destination.is_file()
        || !destination.is_dir()
            && destination
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}
