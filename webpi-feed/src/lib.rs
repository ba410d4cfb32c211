//! Web Platform Installer (WebPI) feeds: model, read, write, build, check, resolve.
//!
//! A WebPI feed is an Atom document that lists products, how to see whether they are installed, what they depend on and
//! how they are installed. Microsoft retired its own feeds and its client at the end of 2022; the format is what iiswsgi
//! publishes Python applications in, and what this workspace installs from on any operating system.
//!
//! - [`Feed::read`] and [`Feed::write`]: the model, in both directions, losing nothing.
//! - [`FeedReader`]: the products of a feed of any length, one after the other.
//! - [`Feed::build`] and [`write_with_template`]: a feed from plain values, [`FeedInfo`] and [`ProductInfo`].
//! - [`check()`]: what WebPI would have refused, and what it would have understood otherwise than it was meant.
//! - [`installation_order`] and [`Entry::installer_for`]: what to install, in which order, on a [`Machine`].
//! - [`merge()`], [`diff()`] and [`offline()`]: several feeds made one, compared, or made an offline copy.
//! - [`Inventory`]: what is on a machine, and which products are installed by their discovery hints.
//! - [`expand_url_template`]: where a package will be.
//!
//! The format is described by Microsoft's *Web Platform Installer Feed Reference*
//! <https://learn.microsoft.com/en-us/previous-versions/ee424350(v=ws.10)>; there is no schema. What the reference leaves
//! open follows published feeds of the versions 2.0 to 5.0.
//!
//! The crate does no I/O: files, addresses and the clock are its callers' business.
//!
//! # What is left out
//!
//! Feeds that a feed refers to are not fetched; the feed templates and product versions of WebPI 4, of which only the names
//! are known, are kept as they are.

mod atom;
mod build;
mod check;
mod cycle;
mod dependency;
mod diff;
mod discovery_hint;
mod element;
mod entry;
mod error;
mod extension;
mod feed;
mod feed_info;
mod feed_reader;
mod installer;
mod inventory;
mod list;
mod machine;
mod merge;
mod offline;
mod os;
mod product_id;
mod product_info;
mod read;
mod reference;
mod resolve;
mod rules;
mod template;
mod time;
mod url_template;
mod write;

pub use atom::{ATOM_NAMESPACE, Link, Person, Text};
pub use check::{CheckedFeed, check, check_reader};
pub use dependency::{Dependency, DependencyRule};
pub use diff::{Change, Diff, ProductChange, diff};
pub use discovery_hint::{DiscoveryHint, DiscoveryRule, FileHint, Registry};
pub use entry::{
    APPLICATION, Entry, ExternalPackage, Images, Incompatibilities, Metadata, RelatedDiscoveryHint,
    RelatedProduct, Terms, Updates,
};
pub use error::Error;
pub use extension::{Extension, ExtensionNode, Rest};
pub use feed::{Feed, Keyword, Language, Resources, WebpiFile};
pub use feed_info::FeedInfo;
pub use feed_reader::{FeedReadError, FeedReader};
pub use installer::{
    Cmdline, IisComponent, InstallCommand, InstallPage, Installer, InstallerFile, MsDeploy,
    MsiInstall, MsuInstall, Outcome, PostFinishCommand, ReturnCodeMapping, Unzip,
};
pub use inventory::{DiscoveryQuestions, Inventory};
pub use list::List;
pub use machine::Machine;
pub use merge::{MergeConflict, Merged, merge};
pub use offline::{Download, OFFLINE_FEED_PATH, Offline, offline};
pub use os::{Architecture, Os, OsList, OsType, OsVersion};
pub use product_id::{IIS_MANAGEMENT_CONSOLE, MAIN_FEED_PRODUCTS, WEB_DEPLOY};
pub use product_info::{FilePackage, Package, PipInstall, ProductInfo};
pub use resolve::{Missing, Plan, Step, installation_order};
pub use rules::RULES;
pub use template::{DEFAULT_TEMPLATE, write_with_template};
pub use time::{format_time, parse_time};
pub use url_template::expand_url_template;
