//! Web Deploy (MSDeploy) packages: manifest, parameters, provider options, reading and assembly, on any system.
//!
//! A package is a zip archive with a manifest, which lists what to deploy, a `Parameters.xml`, which says what to ask
//! for and where the answers go, and the files. This crate does what `msdeploy.exe` does with one on Windows, and does
//! no I/O of its own: it takes and gives text, octets, [`Read`](std::io::Read) and [`Write`](std::io::Write).
//!
//! - [`build_manifest`]: `Manifest.xml.in` to `Manifest.xml`, the settings of `runCommand` put where Web Deploy reads
//!   them; [`ProviderOptions`] is that form.
//! - [`Manifest`], [`Provider`], [`RunCommand`]: what a package deploys.
//! - [`Parameters`], [`SetParameters`], [`Given`]: what it asks for, and values;
//!   [`Parameters::resolve`] joins the two.
//! - [`ResolvedParameters::provider_path`], [`ResolvedParameters::apply`]: where the values go.
//! - [`PackageReader`], [`PackageWriter`]: the archive.
//! - [`sha1()`], [`Digest`]: what a WebPI feed says of a package.
//! - [`check_package`]: the Web Application Gallery's rules.
//!
//! ```
//! use std::io::Cursor;
//! use msdeploy_pkg::{Given, Manifest, Origin, PackageLimits, PackageReader, PackageWriter, Parameters, Timestamp};
//!
//! let mut writer = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
//! writer.add("Manifest.xml", &mut &br#"<MSDeploy.iisApp><iisApp path="App" /></MSDeploy.iisApp>"#[..])?;
//! writer.add("Parameters.xml", &mut &br#"<parameters><parameter name="Title">
//!   <parameterEntry kind="TextFile" scope="\\app\.ini$" match="@TITLE@" /></parameter></parameters>"#[..])?;
//! writer.add("App/app.ini", &mut &b"title = @TITLE@\r\n"[..])?;
//! let package = writer.finish()?;
//!
//! let mut package = PackageReader::open(package, PackageLimits::default())?;
//! let (manifest, _) = Manifest::parse(&package.manifest_source()?)?;
//! assert_eq!(manifest.application().unwrap().path, "App");
//! let (parameters, _) = Parameters::parse(&package.parameters_source()?.unwrap())?;
//! let mut given = Given::new();
//! given.push("Title", "Our blog", Origin::CommandLine);
//! let resolved = parameters.resolve(&given).unwrap();
//! let entry = package.entry("App/app.ini").unwrap().clone();
//! let mut octets = Vec::new();
//! package.read(&entry, &mut octets)?;
//! let edited = resolved.apply(&entry.path, &octets)?.unwrap();
//! assert_eq!(edited, b"title = Our blog\r\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is left out
//!
//! Msdeploy's HTTP protocol; `-skip` and `-replace` rules; writing `archive.xml` and `systemInfo.xml`; parallel
//! compression.

mod apply;
mod archive;
mod check;
mod digest;
mod dotnet_regex;
mod error;
mod given;
mod manifest;
mod parameters;
mod provider_options;
mod resolve;
mod run_command;
mod set_parameters;
mod template;
mod validate;
mod xpath;

pub use archive::{
    Layout, NameFault, PackageEntry, PackageLimits, PackageReader, PackageWriter, Timestamp,
    check_entry_name,
};
pub use check::{CheckReport, check_package};
pub use digest::{Digest, Sha1Writer, sha1};
pub use dotnet_regex::{Pattern, PatternFault};
pub use error::Error;
pub use given::{Given, GivenValue, Origin};
pub use manifest::{Manifest, Provider, ProviderKind};
pub use parameters::{
    EntryKind, Localized, Parameter, ParameterEntry, Parameters, Prompt, TextPosition, Validation,
};
pub use provider_options::{
    KEY_ATTRIBUTE, KEY_ATTRIBUTE_VALUE, LIBRARY, PROVIDER_OPTIONS_ATTRIBUTE, ProviderOptions,
};
pub use resolve::{ResolvedParameter, ResolvedParameters};
pub use run_command::{RUN_COMMAND_SETTINGS, RunCommand};
pub use set_parameters::{SetParameter, SetParameters};
pub use template::build_manifest;
pub use xpath::{XPath, XPathFault};
