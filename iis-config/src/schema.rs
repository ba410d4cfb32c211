//! IIS's own schema language: which attributes and elements a section takes, and whether a file keeps to that.
//!
//! The language is the one described at the head of `IIS_schema.xml` (IIS 10); modules bring schema files of their own
//! (`httpplatform_schema.xml`, `rewrite_schema.xml`). [`Schema::read`] takes any number of them; [`Schema::check`] says
//! everything that IIS would refuse in a configuration file, with its place.
//!
//! ```
//! use iis_config::schema::Schema;
//! use spanned_xml::Source;
//!
//! let mut schema = Schema::new();
//! schema.read(&Source::from_text("schema.xml", r#"<configSchema>
//!   <sectionSchema name="system.webServer/httpPlatform">
//!     <attribute name="processesPerApplication" type="uint" defaultValue="1"
//!                validationType="integerRange" validationParameter="1,100"/>
//!   </sectionSchema>
//! </configSchema>"#))?;
//! let file = Source::from_text("web.config", r#"<configuration><system.webServer>
//!   <httpPlatform processesPerApplication="0"/>
//! </system.webServer></configuration>"#);
//! assert_eq!(schema.check(&file)?[0].code, "iis-schema-range");
//! # Ok::<(), spanned_xml::Problems>(())
//! ```
//!
//! # What is left out
//!
//! Sections of .NET (`system.web`, `appSettings`) have no schema in this language and are passed over. Encrypted values
//! are not decrypted; an attribute with one counts as right.

mod attribute;
mod check;
mod element;
mod read;

pub(crate) use attribute::time_span_seconds;
pub use attribute::{AttributeSchema, AttributeType, TimeSpanFormat, Validation};
pub use element::{Collection, ElementSchema, Schema};
