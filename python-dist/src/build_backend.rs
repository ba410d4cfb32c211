//! `[build-system]` and the program that asks a build backend for a project's metadata.
//!
//! Models PEP 518 ("build-system table") and PEP 517 ("Build backend interface":
//! `prepare_metadata_for_build_wheel`, `build_wheel`, `get_requires_for_build_wheel`, in-tree
//! backends through `backend-path`). This crate only writes the program's text: whoever has a
//! Python runs it.

use spanned_xml::{Problem, Span};
use toml::de::DeTable;

use crate::toml_table::{Fields, Strings, unknown_key};

/// `[build-system]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildSystem {
    /// `requires`: what must be installed before the backend can be imported (PEP 508).
    pub requires: Vec<String>,
    /// `build-backend`: `module` or `module:object`.
    pub build_backend: String,
    /// `backend-path`: folders of the project that the backend is imported from, relative to it.
    pub backend_path: Vec<String>,
}

impl Default for BuildSystem {
    /// What PEP 517 says to assume where there is no such table: setuptools, run as `setup.py` was.
    fn default() -> Self {
        Self {
            requires: vec!["setuptools>=40.8.0".to_owned()],
            build_backend: "setuptools.build_meta:__legacy__".to_owned(),
            backend_path: Vec::new(),
        }
    }
}

impl BuildSystem {
    /// The Python program that prints where a project's METADATA file is.
    ///
    /// Run it with the project's folder as the working directory and the arguments of
    /// [`BuildSystem::program_arguments`]. Its last line on standard output is the METADATA file's
    /// path; the backend's own output goes to standard error. It ends with 0, or with 1 and one
    /// line on standard error saying why.
    pub const PROGRAM: &'static str = include_str!("build_backend.py");

    /// The arguments after the program: the folder to write into, the backend, and its path;
    /// nothing in them needs quoting, since they reach the program as `sys.argv`.
    #[must_use]
    pub fn program_arguments(&self, metadata_folder: &str) -> Vec<String> {
        self.arguments(metadata_folder)
    }

    /// The arguments after the program that make it print what the backend wants installed besides
    /// `requires` before it is asked for metadata, one requirement a line
    /// (`get_requires_for_build_wheel`).
    #[must_use]
    pub fn requirements_arguments(&self) -> Vec<String> {
        self.arguments("--requires")
    }

    fn arguments(&self, first: &str) -> Vec<String> {
        let mut arguments = vec![first.to_owned(), self.build_backend.clone()];
        arguments.extend(self.backend_path.iter().cloned());
        arguments
    }

    pub(crate) fn read(table: &DeTable<'_>, span: Span, problems: &mut Vec<Problem>) -> Self {
        let default = Self::default();
        let mut fields = Fields::new("build-system", table, problems);
        let requires = fields.strings("requires").map(Strings::into_values);
        if requires.is_none() && fields.take("requires").is_none() {
            let problem = Problem::error(
                "build-system-requires",
                "`[build-system]` has no `requires`",
            )
            .at(span);
            fields
                .problems
                .push(problem.help("add `requires = [\"setuptools\"]`, or what the backend needs"));
        }
        let build_backend = fields.string("build-backend");
        if let Some((backend, span)) = &build_backend
            && !is_object_reference(backend)
        {
            let problem = Problem::error(
                "build-system-backend",
                format!("`{backend}` does not name a backend"),
            )
            .at(*span);
            fields
                .problems
                .push(problem.help("write `module.name` or `module.name:object`"));
        }
        let backend_path = fields.strings("backend-path");
        for (path, span) in backend_path.iter().flat_map(|strings| &strings.items) {
            let forward = path.replace('\\', "/");
            if forward.starts_with('/')
                || forward.contains(':')
                || forward.split('/').any(|part| part == "..")
            {
                let message = format!("`{path}` of `backend-path` is not inside the project");
                fields
                    .problems
                    .push(Problem::error("build-system-backend-path", message).at(*span));
            }
        }
        fields.finish(unknown_key);
        Self {
            requires: requires.unwrap_or(default.requires),
            build_backend: build_backend.map_or(default.build_backend, |(backend, _)| backend),
            backend_path: backend_path.map_or_else(Vec::new, Strings::into_values),
        }
    }
}

fn is_object_reference(text: &str) -> bool {
    let dotted = |text: &str| {
        text.split('.').all(|part| {
            let mut chars = part.chars();
            chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
                && chars.all(|c| c.is_alphanumeric() || c == '_')
        })
    };
    match text.split_once(':') {
        Some((module, object)) => dotted(module) && dotted(object),
        None => dotted(text),
    }
}
