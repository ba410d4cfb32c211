//! Web Deploy (MSDeploy) packages: manifest, parameters, provider options, reading and assembly, on any system.
//!
//! A package is a zip archive with a manifest, which lists what to deploy, a `Parameters.xml`, which says what to ask
//! for and where the answers go, and the files. This crate does what `msdeploy.exe` does with one on Windows, and does
//! no I/O of its own: it takes and gives text, octets, [`Read`](std::io::Read) and [`Write`](std::io::Write).
//!
//! - [`build_manifest`]: `Manifest.xml.in` to `Manifest.xml`, the settings of `runCommand` put where Web Deploy reads
//!   them; [`ProviderOptions`] is that form.
//! - [`Manifest`], [`Provider`], [`RunCommand`]: what a package deploys; [`ProviderDescription`]: what is known of a
//!   provider and its settings.
//! - [`ObjectTree`], [`SystemInfo`], [`PackageLayout`]: the files of a package in msdeploy's own layout, and its entries in
//!   msdeploy's order; [`ContentMap`]: which entry is whose content, in both layouts.
//! - [`PackageDump`], [`PackageDiff`]: what a package holds, and what is different in another.
//! - [`Parameters`], [`SetParameters`], [`Given`]: what it asks for, and values;
//!   [`Parameters::resolve`] joins the two.
//! - [`ResolvedParameters::provider_path`], [`ResolvedParameters::applies_to`], [`ResolvedParameters::edit`]: where the values
//!   go; [`Pattern`] and [`XPath`]: how entries say so.
//! - [`Plan`]: what a sync would do; [`SkipRule`], [`ReplaceRule`], [`SyncRules`]: what may change it.
//! - [`PackageDescription`], [`PackageReader`], [`PackageWriter`]: the archive.
//! - [`sha1()`], [`Digest`]: what a WebPI feed says of a package.
//! - [`check_archive`], [`PackageCheck`]: the Web Application Gallery's rules, and Windows' own.
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
//! Msdeploy's HTTP protocol; writing databases and other content of which no package in msdeploy's own layout is known.

mod apply;
mod archive;
mod check;
mod content_map;
mod diff;
mod digest;
mod dotnet_regex;
mod dump;
mod error;
mod given;
mod layout;
mod manifest;
mod object_tree;
mod package_layout;
mod parameters;
mod plan;
mod provider;
mod provider_options;
mod replace_rule;
mod resolve;
mod rule_settings;
mod rules;
mod run_command;
mod set_parameters;
mod skip_rule;
mod sync_rules;
mod system_info;
mod template;
mod validate;
mod xpath;

pub use apply::{DestinationChange, FileEdit};
pub use archive::{
    ArchiveFault, EntryFault, EntryOptions, EntryReader, Layout, NameFault, PackageDescription,
    PackageEntry, PackageLimits, PackageReader, PackageWriter, Progress, Timestamp, WriterOptions,
    check_entry_name,
};
pub use check::{
    ArchiveCheck, CheckOptions, CheckReport, CheckedFile, FileKind, PackageCheck, check_archive,
    check_files,
};
pub use content_map::{ContentMap, ContentRoot};
pub use diff::{Difference, DifferenceKind, PackageDiff, PackageSide, SideFile};
pub use digest::{Digest, Sha1Writer, sha1};
pub use dotnet_regex::{Pattern, PatternFault};
pub use dump::{DumpedContent, DumpedObject, PackageDump};
pub use error::Error;
pub use given::{ENVIRONMENT_PREFIX, Given, GivenValue, Origin};
pub use manifest::{Manifest, Provider, ProviderAttribute, ProviderKind};
pub use object_tree::{DeploymentObject, LINK_NAME_ATTRIBUTE, ObjectTree, TypedValue};
pub use package_layout::{
    ARCHIVE_ATTRIBUTE, DIRECTORY_ATTRIBUTE, LayoutContent, LayoutEntry, LayoutFile, PackageLayout,
};
pub use parameters::{
    EntryKind, Localized, Parameter, ParameterEntry, Parameters, Prompt, TextPosition, Validation,
};
pub use plan::{
    ContentKind, ContentObject, ContentTree, Operation, ParameterChange, Plan, PlanSummary,
    ProviderObject, SyncOptions,
};
pub use provider::{
    COMMON_SETTINGS, Gallery, PROVIDERS, PackagedContent, ProviderDescription, SettingDescription,
    SettingType,
};
pub use provider_options::{
    KEY_ATTRIBUTE, KEY_ATTRIBUTE_VALUE, LIBRARY, PROVIDER_OPTIONS_ATTRIBUTE, ProviderOptions,
};
pub use replace_rule::ReplaceRule;
pub use resolve::{ResolvedParameter, ResolvedParameters};
pub use rules::RULES;
pub use run_command::{RUN_COMMAND_SETTINGS, RunCommand};
pub use set_parameters::{SetParameter, SetParameters};
pub use skip_rule::{RuleObject, SkipAction, SkipRule};
pub use sync_rules::SyncRules;
pub use system_info::{IisSystemInfo, InstalledComponent, SystemInfo};
pub use template::build_manifest;
pub use xpath::{XPath, XPathFault};
