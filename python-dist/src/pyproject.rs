//! pyproject.toml: `[project]`, `[build-system]` and `[tool.iiswsgi]`.
//!
//! Models the Python Packaging User Guide's "pyproject.toml specification"
//! (<https://packaging.python.org/en/latest/specifications/pyproject-toml/>; PEP 518, PEP 621, PEP
//! 639). Left out: other tools' tables, except what [`crate::defaults`](crate::manifest_in) asks of
//! `[tool.setuptools]`, and scripts and entry points.

use std::collections::BTreeMap;

use spanned_xml::{Problem, Problems, Source, Span};
use toml::de::DeTable;

use crate::build_backend::BuildSystem;
use crate::metadata::{Field, Metadata};
use crate::modules::Modules;
use crate::project_table::read_project;
use crate::settings::Settings;
use crate::toml_table::{self, Fields};

/// A project's pyproject.toml.
///
/// ```
/// use python_dist::Pyproject;
/// use spanned_xml::Source;
///
/// let source = Source::from_text("pyproject.toml", r#"
/// [project]
/// name = "sample"
/// version = "1.0"
///
/// [tool.iiswsgi]
/// title = "A sample"
/// "#);
/// let (pyproject, warnings) = Pyproject::parse(&source)?;
/// assert_eq!(pyproject.metadata.file_stem().as_deref(), Some("sample-1.0"));
/// assert_eq!(pyproject.settings.title.as_deref(), Some("A sample"));
/// assert!(warnings.is_empty());
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Pyproject {
    /// `[project]`; where there is no such table, [`Metadata::unknown`].
    pub metadata: Metadata,
    /// `[tool.iiswsgi]`; where there is no such table, the defaults.
    pub settings: Settings,
    /// `[build-system]`; where there is no such table, PEP 517's default.
    pub build_system: BuildSystem,
    /// What `[tool.setuptools]` says of the project's modules.
    pub modules: Modules,
    spans: BTreeMap<Field, Span>,
}

impl Pyproject {
    /// Reads the file. What is returned beside it are warnings.
    ///
    /// # Errors
    ///
    /// All faults of the file, each at its place: TOML syntax, wrong types, unknown keys of
    /// `[tool.iiswsgi]`, missing or invalid names and versions, fields both given and dynamic.
    pub fn parse(source: &Source) -> Result<(Self, Vec<Problem>), Problems> {
        let mut problems = Vec::new();
        let document = toml_table::parse(source, &mut problems);
        let mut pyproject = Self {
            metadata: Metadata::unknown(),
            ..Self::default()
        };
        // After a syntax error the rest of the tree is a guess: reporting what is missing from it
        // would mislead.
        if problems.is_empty() {
            pyproject.read(document.get_ref(), &mut problems);
        }
        problems.sort_by_key(|problem| problem.span.map_or(0, |span| span.start));
        Problems::or_value(source, problems, pyproject)
    }

    /// Where `[project]` gives a field.
    #[must_use]
    pub fn span(&self, field: Field) -> Option<Span> {
        self.spans.get(&field).copied()
    }

    fn read(&mut self, document: &DeTable<'_>, problems: &mut Vec<Problem>) {
        let mut top = Fields::new("", document, problems);
        let project = top.take("project");
        let build_system = top.table("build-system");
        let tools = top.table("tool");
        if let Some(value) = project {
            if let Some(table) = value.get_ref().as_table() {
                let span = toml_table::span(&value.span());
                self.metadata = read_project(table, span, &mut self.spans, problems);
            } else {
                top.wrong_type("project", value, "a table");
            }
        }
        if let Some((table, span)) = build_system {
            self.build_system = BuildSystem::read(table, span, problems);
        }
        if let Some((tools, _)) = tools {
            let mut tools = Fields::new("tool", tools, problems);
            let iiswsgi = tools.table("iiswsgi");
            let setuptools = tools
                .take("setuptools")
                .and_then(|value| value.get_ref().as_table());
            if let Some((table, _)) = iiswsgi {
                self.settings = Settings::read(table, problems);
            }
            if let Some(table) = setuptools {
                self.modules = Modules::read(table);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{License, Readme};

    /// Every problem as `line:column code`, errors and warnings alike.
    fn problems(text: &str) -> Vec<String> {
        let source = Source::from_text("pyproject.toml", text);
        let problems = match Pyproject::parse(&source) {
            Ok((_, warnings)) => warnings,
            Err(problems) => problems.problems,
        };
        let place = |problem: &Problem| {
            problem.span.map_or_else(String::new, |span| {
                source.line_column(span.start).to_string()
            })
        };
        problems
            .iter()
            .map(|problem| format!("{} {}", place(problem), problem.code))
            .collect()
    }

    fn parse(text: &str) -> Pyproject {
        let (pyproject, warnings) =
            Pyproject::parse(&Source::from_text("pyproject.toml", text)).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        pyproject
    }

    const FULL: &str = r#"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
backend-path = ["tools"]

[project]
name = "Guest.Book"
version = "1.0"
description = "A guest book"
readme = { file = "README.md", content-type = "text/markdown" }
requires-python = ">=3.9"
license = "MIT"
license-files = ["LICENSE*"]
authors = [{ name = "A. Uthor", email = "a@example.org" }, { name = "B." }]
maintainers = [{ email = "m@example.org" }]
keywords = ["wsgi", "book"]
classifiers = ["Framework :: Pyramid"]
dependencies = ["pyramid>=2,<3", "tzdata; sys_platform == 'win32'"]
dynamic = ["scripts"]

[project.optional-dependencies]
tests = ["pytest"]

[project.urls]
Source = "https://example.org/source"
Homepage = "https://example.org/"

[project.scripts]
book = "book:main"

[tool.other]
anything = 1
"#;

    #[test]
    fn a_full_project() {
        let Pyproject {
            metadata,
            build_system,
            settings,
            ..
        } = parse(FULL);
        assert_eq!(metadata.normalized_name().as_deref(), Some("guest-book"));
        assert_eq!(metadata.summary.as_deref(), Some("A guest book"));
        assert_eq!(
            metadata.readme.as_ref().and_then(Readme::content_type),
            Some("text/markdown")
        );
        assert_eq!(metadata.requires_python.as_deref(), Some(">=3.9"));
        assert_eq!(
            metadata.license,
            Some(License::Expression("MIT".to_owned()))
        );
        assert_eq!(metadata.license_files, ["LICENSE*"]);
        assert_eq!(metadata.authors[0].to_string(), "A. Uthor <a@example.org>");
        assert_eq!(metadata.authors[1].to_string(), "B.");
        assert_eq!(metadata.maintainers[0].to_string(), "m@example.org");
        assert_eq!(metadata.keywords, ["wsgi", "book"]);
        assert_eq!(metadata.classifiers, ["Framework :: Pyramid"]);
        assert_eq!(metadata.dependencies.len(), 2);
        assert_eq!(metadata.optional_dependencies["tests"], ["pytest"]);
        assert_eq!(metadata.urls[0].0, "Source");
        assert_eq!(metadata.home_page(), Some("https://example.org/"));
        assert!(metadata.missing().is_empty());
        assert_eq!(build_system.build_backend, "hatchling.build");
        assert_eq!(
            build_system.program_arguments("out"),
            ["out", "hatchling.build", "tools"]
        );
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn spans_are_kept() {
        let pyproject = parse(FULL);
        assert_eq!(
            &FULL[pyproject.span(Field::Version).unwrap().range()],
            "\"1.0\""
        );
        assert_eq!(
            pyproject
                .span(Field::Urls)
                .map(|span| FULL[span.range()].starts_with("[project.urls]")),
            Some(true)
        );
    }

    #[test]
    fn without_a_project_table_nothing_is_settled() {
        let pyproject = parse("[build-system]\nrequires = []\n");
        assert_eq!(pyproject.metadata, Metadata::unknown());
        assert_eq!(
            pyproject.build_system.build_backend,
            "setuptools.build_meta:__legacy__"
        );
        assert_eq!(parse("").build_system, BuildSystem::default());
    }

    #[test]
    fn a_dynamic_version_is_missing() {
        let metadata = parse("[project]\nname = 'a'\ndynamic = ['version', 'readme']\n").metadata;
        assert_eq!(metadata.missing().to_string(), "`version`, `readme`");
    }

    #[test]
    fn every_fault_at_once() {
        let found = problems(
            r#"
[build-system]
build-backend = "not a module"
backend-path = ["../up"]

[project]
name = "-bad-"
version = "one"
description = "two\nlines"
readme = 3
requires-python = "three"
license = { file = "a", text = "b" }
authors = [{}, "me"]
dependencies = ["ok", "==1"]
dynamic = ["version", "name", "readmee", "classifiers"]
keyword = []
urls = { home = 1 }
"#,
        );
        let expected = [
            "2:1 build-system-requires",
            "3:17 build-system-backend",
            "4:17 build-system-backend-path",
            "7:8 project-name-invalid",
            "8:11 project-version-invalid",
            "9:15 project-description-lines",
            "10:10 pyproject-wrong-type",
            "11:19 project-requires-python",
            "12:11 project-license",
            "13:12 project-person-empty",
            "13:16 pyproject-wrong-type",
            "14:23 project-dependency",
            "15:12 project-dynamic-given",
            "15:23 project-dynamic-name",
            "15:31 project-dynamic-unknown",
            "16:1 project-unknown-key",
            "17:17 pyproject-wrong-type",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_missing() {
        assert_eq!(
            problems("\n[project]\n"),
            ["2:1 project-name-missing", "2:1 project-version-missing"]
        );
        assert_eq!(
            problems("[project]\nname = 1\nversion = 2\n"),
            ["2:8 pyproject-wrong-type", "3:11 pyproject-wrong-type"]
        );
        assert_eq!(problems("project = 1"), ["1:11 pyproject-wrong-type"]);
        assert_eq!(problems("tool = 1"), ["1:8 pyproject-wrong-type"]);
    }

    #[test]
    fn syntax_errors_are_all_reported_and_hide_the_rest() {
        let found = problems("[project]\nname = a\nversion = 'x\n");
        assert!(found.len() >= 2, "{found:?}");
        assert!(
            found.iter().all(|problem| problem.ends_with("toml-syntax")),
            "{found:?}"
        );
    }

    #[test]
    fn a_diagnostic_reads_well() {
        let source = Source::from_text(
            "pyproject.toml",
            "[project]\nname = 'a'\nversion = '1'\ndynamic = ['version']\n",
        );
        let message = Pyproject::parse(&source).unwrap_err().to_string();
        assert!(message.starts_with("pyproject.toml:4:12: error[project-dynamic-given]: `version` is dynamic and also given"), "{message}");
        assert!(
            message.contains("3:11") && message.contains("remove one of the two"),
            "{message}"
        );
    }

    #[test]
    fn license_and_readme_forms() {
        let of =
            |line: &str| parse(&format!("[project]\nname='a'\nversion='1'\n{line}\n")).metadata;
        assert_eq!(
            of("license = {text='T'}").license,
            Some(License::Text("T".to_owned()))
        );
        assert_eq!(
            of("license = {file='F'}").license,
            Some(License::File("F".to_owned()))
        );
        assert_eq!(
            of("license-files = {globs=['a'], paths=['b']}").license_files,
            ["b", "a"]
        );
        for (line, content_type) in [
            ("readme = 'README.rst'", Some("text/x-rst")),
            ("readme = 'README.TXT'", Some("text/plain")),
            ("readme = 'README'", None),
            (
                "readme = {text='x', content-type='text/plain'}",
                Some("text/plain"),
            ),
            ("readme = {file='README.md'}", Some("text/markdown")),
        ] {
            assert_eq!(
                of(line).readme.as_ref().and_then(Readme::content_type),
                content_type,
                "{line}"
            );
        }
    }

    #[test]
    fn setuptools_modules() {
        let of = |lines: &str| parse(&format!("[tool.setuptools]\n{lines}\n")).modules;
        assert_eq!(
            of("py-modules = ['a']").py_modules,
            Some(vec!["a".to_owned()])
        );
        assert_eq!(
            of("packages = ['a', 'a.b']").packages,
            crate::Packages::List(vec!["a".to_owned(), "a.b".to_owned()])
        );
        let find = of(
            "package-dir = {'' = 'src'}\n[tool.setuptools.packages.find]\nwhere = ['src']\nnamespaces = false",
        );
        assert_eq!(find.package_dir[""], "src");
        assert!(
            matches!(
                find.packages,
                crate::Packages::Find {
                    namespaces: false,
                    ..
                }
            ),
            "{find:?}"
        );
        let data = of(
            "include-package-data = false\nscript-files = ['bin/x']\n[tool.setuptools.package-data]\n'*' = ['*.txt']\n\
             [tool.setuptools.exclude-package-data]\na = ['b']\n[tool.setuptools.data-files]\n'etc' = ['conf/*.ini']",
        )
        .data;
        assert_eq!(data.package_data["*"], ["*.txt"]);
        assert_eq!(data.exclude_package_data["a"], ["b"]);
        assert_eq!(
            (data.data_files.as_slice(), data.scripts.as_slice()),
            (
                ["conf/*.ini".to_owned()].as_slice(),
                ["bin/x".to_owned()].as_slice()
            )
        );
        // Another tool's faults are its own to report.
        assert_eq!(of("packages = 3\npackage-dir = []"), Modules::default());
    }
}
