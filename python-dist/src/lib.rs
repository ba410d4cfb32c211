//! A Python distribution: its metadata, its iiswsgi settings and its MANIFEST.in file list.
//!
//! Models pyproject.toml (PEP 518, PEP 621, PEP 639), setup.cfg, core metadata (PKG-INFO, METADATA)
//! and the question to a build backend (PEP 517); the MANIFEST.in language in [both its
//! dialects](manifest_in::Dialect); and both languages of iiswsgi's templates: [`expandvars`] and
//! [handlebars](render_handlebars).
//! Everything here works on text and on lists of relative paths: reading files, running Python and
//! writing are the caller's.
//!
//! ```
//! use python_dist::manifest_in::{Dialect, Selection, select};
//! use python_dist::{Field, Pyproject};
//! use spanned_xml::Source;
//!
//! let source = Source::from_text(
//!     "pyproject.toml",
//!     r#"
//! [project]
//! name = "guest-book"
//! version = "1.2"
//! dependencies = ["pyramid>=2,<3"]
//!
//! [tool.iiswsgi]
//! title = "Guest book"
//! application = "guest_book:application"
//! after-install = [["python", "-m", "guest_book.migrate"]]
//! "#,
//! );
//! let (pyproject, _) = Pyproject::parse(&source)?;
//! let metadata = &pyproject.metadata;
//! assert!(metadata.missing().among(&[Field::Name, Field::Version]).is_empty(), "the build backend need not be asked");
//! assert_eq!(pyproject.settings.after_install[0].arguments, ["python", "-m", "guest_book.migrate"]);
//!
//! let files = ["guest_book.py", "MANIFEST.in", "pyproject.toml", "static/logo.png", "notes.txt"].map(String::from);
//! let (list, problems) = select(&Selection {
//!     dialect: Dialect::Setuptools,
//!     files: &files,
//!     template: Some(&Source::from_text("MANIFEST.in", "graft static\n")),
//!     recorded: None,
//!     metadata: Some(metadata),
//!     modules: &pyproject.modules,
//!     own_folders: &["dist"],
//! });
//! assert!(problems.is_empty());
//! assert_eq!(list.files(), ["MANIFEST.in", "guest_book.py", "pyproject.toml", "static/logo.png"]);
//! # Ok::<(), spanned_xml::Problems>(())
//! ```

mod build_backend;
mod config_parser;
mod core_metadata;
mod data_files;
mod egg_info;
mod expandvars;
mod handlebars_template;
pub mod manifest_in;
mod metadata;
mod modules;
mod project_table;
mod pypirc;
mod pyproject;
mod rules;
mod settings;
mod setup_cfg;
mod setup_py;
mod toml_table;

pub use build_backend::BuildSystem;
pub use core_metadata::{CoreMetadataError, form_fields};
pub use data_files::DataFiles;
pub use expandvars::{UndefinedVariable, expandvars, expandvars_reporting};
pub use handlebars_template::{Escaping, render_handlebars, template_context};
pub use metadata::{
    Field, License, Metadata, MissingFields, Person, Readme, distribution_stem, is_valid_name,
    normalize_name,
};
pub use modules::{Modules, Packages};
pub use pypirc::{Pypirc, PypircError, PypircRepository};
pub use pyproject::Pyproject;
pub use rules::RULES;
pub use settings::{Command, Settings, split_command_line};
pub use setup_cfg::SetupCfg;
pub use setup_py::SetupPy;
