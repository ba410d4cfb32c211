//! Effective configuration: what holds at one place when all files above it are merged.
//!
//! *IIS configuration reference*, "Configuration System" and "Locking": `applicationHost.config`, then for each folder on
//! the way down the `location` elements for it and its `web.config`. Collections are merged by their schema: `clear`,
//! `remove`, added entries after (or with `mergeAppend="false"` before) the inherited ones. What a parent level has locked
//! is refused with the message that IIS gives (0x80070021), and not merged.
//!
//! ```
//! use iis_config::effective::Configuration;
//! use iis_config::schema::Schema;
//! use spanned_xml::Source;
//!
//! let mut schema = Schema::new();
//! schema.read(&Source::from_text("schema.xml", r#"<configSchema><sectionSchema name="system.webServer/defaultDocument">
//!   <attribute name="enabled" type="bool" defaultValue="true"/></sectionSchema></configSchema>"#))?;
//! let mut configuration = Configuration::new(&schema, Source::from_text("applicationHost.config", "<configuration/>"))?;
//! configuration.web_config("Site/app", Source::from_text("web.config", r#"<configuration><system.webServer>
//!   <defaultDocument enabled="false"/></system.webServer></configuration>"#))?;
//! let below = configuration.section("Site/app/static", "system.webServer/defaultDocument").unwrap();
//! assert_eq!(below.element.value("enabled"), Some("false"));
//! let above = configuration.section("Site", "system.webServer/defaultDocument").unwrap();
//! assert_eq!(above.element.value("enabled"), Some("true"));
//! # Ok::<(), spanned_xml::Problems>(())
//! ```
//!
//! # What is left out
//!
//! `machine.config` and .NET's root `web.config`; sections without a schema. Files that `configSource` names are read where
//! the caller adds them, and reported where not.

mod configuration;
mod element;
mod locks;
mod merge;
mod pool;

pub use configuration::{Configuration, EffectiveSection};
pub use element::{EffectiveElement, Setting};
pub use pool::{ApplicationPool, IdentityType};
