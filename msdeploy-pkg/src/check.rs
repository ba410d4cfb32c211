//! The rules by which the Web Application Gallery accepted packages, and what else makes a package fail on Windows.
//!
//! *Reference for the Web Application Package*
//! <https://learn.microsoft.com/iis/develop/windows-web-application-gallery/reference-for-the-web-application-package>.
//! A package that breaks the gallery's rules can still be one that Web Deploy installs, so most findings are warnings.
//!
//! Left out: the test installation.

mod archive;
mod entries;
mod files;
mod parameters;
mod providers;

pub use archive::{ArchiveCheck, CheckOptions, check_archive};
pub use files::{CheckedFile, FileKind, check_files};

use spanned_xml::Problem;

use crate::archive::Layout;
use crate::content_map::ContentMap;
use crate::manifest::Manifest;
use crate::parameters::Parameters;

/// What a check found, by the file it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// About the manifest; places are in its source.
    pub manifest: Vec<Problem>,
    /// About the `Parameters.xml`; places are in its source.
    pub parameters: Vec<Problem>,
    /// About the package as a whole; no places.
    pub package: Vec<Problem>,
}

impl CheckReport {
    /// All findings.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> + '_ {
        self.manifest
            .iter()
            .chain(&self.parameters)
            .chain(&self.package)
    }

    /// Adds what another check found.
    pub fn append(&mut self, other: Self) {
        self.manifest.extend(other.manifest);
        self.parameters.extend(other.parameters);
        self.package.extend(other.package);
    }
}

/// Where IIS puts sites unless told otherwise.
const DEFAULT_ROOT: &str = r"C:\inetpub\wwwroot";

/// A package's manifest, parameters and files, to be checked against the rules.
///
/// ```
/// use msdeploy_pkg::{Layout, Manifest, PackageCheck};
/// use spanned_xml::Source;
///
/// let source = Source::from_text("Manifest.xml", "<MSDeploy.iisApp><iisApp path='App'/></MSDeploy.iisApp>");
/// let (manifest, _) = Manifest::parse(&source)?;
/// let report = PackageCheck::new(Layout::Gallery, &manifest)
///     .files(&["App/web.config"])
///     .root(r"D:\sites")
///     .run(&mut |_| None);
/// let codes: Vec<&str> = report.iter().map(|problem| problem.code).collect();
/// assert_eq!(codes, ["check-no-set-acl", "check-provider-without-entry", "check-no-parameters"]);
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
#[derive(Clone, Debug)]
pub struct PackageCheck<'p> {
    layout: Layout,
    manifest: &'p Manifest,
    parameters: Option<&'p Parameters>,
    files: &'p [&'p str],
    root: &'p str,
}

impl<'p> PackageCheck<'p> {
    /// A package without parameters and files.
    #[must_use]
    pub const fn new(layout: Layout, manifest: &'p Manifest) -> Self {
        Self {
            layout,
            manifest,
            parameters: None,
            files: &[],
            root: DEFAULT_ROOT,
        }
    }

    /// Its parameters; `None` for a package without a `Parameters.xml`.
    #[must_use]
    pub const fn parameters(mut self, parameters: Option<&'p Parameters>) -> Self {
        self.parameters = parameters;
        self
    }

    /// The paths of all its files, with forward slashes.
    #[must_use]
    pub const fn files(mut self, files: &'p [&'p str]) -> Self {
        self.files = files;
        self
    }

    /// The Windows folder that the application's folder comes into; `C:\inetpub\wwwroot` by default.
    #[must_use]
    pub const fn root(mut self, root: &'p str) -> Self {
        self.root = root;
        self
    }

    /// Checks the package. `contents` gives a file's octets, or `None` where it cannot; it is called for files that an
    /// entry's scope names only, once for each.
    pub fn run(&self, contents: &mut dyn FnMut(&str) -> Option<Vec<u8>>) -> CheckReport {
        let none = Parameters::none();
        let known = self.parameters.unwrap_or(&none);
        let mut report = CheckReport::default();
        providers::providers(self.manifest, known, &mut report);
        providers::writable_application(self.manifest, &mut report);
        providers::acl_users(self.manifest, self.files, &mut report);
        providers::stamp(self.manifest, self.files, &mut report);
        let content = ContentMap::new(self.layout, self.manifest);
        providers::provider_files(
            self.layout,
            self.manifest,
            &content,
            self.files,
            &mut report,
        );
        if self.parameters.is_none() {
            report.package.push(
                Problem::warning("check-no-parameters", "the package has no `Parameters.xml`")
                    .help("without one an installer cannot ask where to put the application"),
            );
        } else {
            parameters::application_parameter(self.manifest, known, &mut report);
            parameters::database_tags(self.manifest, known, &mut report);
            parameters::repeated_administrators(known, &mut report);
            parameters::start_page(content.application(), known, self.files, &mut report);
        }
        let named = parameters::named_in_defaults(known);
        for parameter in &known.parameters {
            parameters::unused(parameter, &named, &mut report);
            parameters::one_time(parameter, &named, &mut report);
        }
        entries::entries(
            providers::entries(known),
            self.manifest,
            self.files,
            contents,
            &mut report,
        );
        let root = format!("{}\\", self.root.trim_end_matches(['\\', '/']));
        match self.layout {
            Layout::Gallery => files::long_paths(&root, self.files, &mut report),
            Layout::Package => {
                let installed: Vec<String> = self
                    .files
                    .iter()
                    .filter_map(|file| installed(&content, file))
                    .collect();
                let installed: Vec<&str> = installed.iter().map(String::as_str).collect();
                files::long_paths(&root, &installed, &mut report);
            }
        }
        report
    }
}

/// Where a file of a package in msdeploy's own layout is below the folder that the application's folder comes into: in
/// the folder by which the provider's path ends, not where the computer had it that made the package.
fn installed(content: &ContentMap, file: &str) -> Option<String> {
    let (root, relative) = content.locate(file)?;
    let folder = root.entry.rsplit('/').next()?;
    Some(match relative {
        "" => folder.to_owned(),
        relative => format!("{folder}/{relative}"),
    })
}
