//! setup.cfg: what setuptools reads from it.
//!
//! Models "Configuring setuptools using setup.cfg files"
//! (<https://setuptools.pypa.io/en/latest/userguide/declarative_config.html>): `[metadata]` and
//! `[options]`, in the syntax of Python's `configparser` as setuptools sets it up (`=` and `:`, `#`
//! and `;` at the start of a line, values continued by indentation, no interpolation). `file:` and
//! `attr:` need the project's files and its modules: such fields stay dynamic. Left out: the
//! sections of other commands.

use std::collections::BTreeMap;

use spanned_xml::{Problem, Problems, Source};

use crate::config_parser::{Entry, Section, read_sections};
use crate::core_metadata::split_keywords;
use crate::data_files::DataFiles;
use crate::metadata::{Field, License, Metadata, Person};
use crate::modules::{Modules, Packages};

/// A project's setup.cfg.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SetupCfg {
    /// What it settles of the metadata.
    pub metadata: Metadata,
    /// What it says of the project's modules.
    pub modules: Modules,
}

impl SetupCfg {
    /// Reads the file. `setup_py` is setup.py's text, where the project has one: fields that
    /// setup.cfg does not give are dynamic then, unless setup.py calls a bare `setup()`.
    ///
    /// ```
    /// use python_dist::{Field, SetupCfg};
    /// use spanned_xml::Source;
    ///
    /// let source = Source::from_text("setup.cfg", "[metadata]\nname = sample\nversion = attr: sample.__version__\n");
    /// let (setup_cfg, _) = SetupCfg::parse(&source, None)?;
    /// assert_eq!(setup_cfg.metadata.name.as_deref(), Some("sample"));
    /// assert!(setup_cfg.metadata.missing().contains(Field::Version));
    /// # Ok::<(), spanned_xml::Problems>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All faults of the file: lines outside of a section, keys without a value sign, sections and
    /// keys that come twice.
    pub fn parse(
        source: &Source,
        setup_py: Option<&str>,
    ) -> Result<(Self, Vec<Problem>), Problems> {
        let mut problems = Vec::new();
        let sections = read_sections(source.text(), &mut problems);
        let complete = setup_py.is_none_or(is_bare_setup);
        let file = File { sections };
        let setup_cfg = Self {
            metadata: file.metadata(complete, &mut problems),
            modules: file.modules(),
        };
        problems.sort_by_key(|problem| problem.span.map_or(0, |span| span.start));
        Problems::or_value(source, problems, setup_cfg)
    }
}

/// Whether setup.py only calls `setup()`, leaving everything to setup.cfg.
fn is_bare_setup(text: &str) -> bool {
    let mut calls = text
        .match_indices("setup(")
        .filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
    match (calls.next(), calls.next()) {
        (Some((at, call)), None) => text[at + call.len()..].trim_start().starts_with(')'),
        _ => false,
    }
}

struct File {
    sections: Vec<Section>,
}

impl File {
    fn entry(&self, section: &str, key: &str) -> Option<&Entry> {
        let section = self.sections.iter().find(|found| found.name == section)?;
        section.entries.iter().find(|entry| entry.key == key)
    }

    fn text(&self, section: &str, key: &str) -> Option<String> {
        let entry = self.entry(section, key)?;
        let text = entry.lines.join("\n").trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// A list: one entry a line, or separated by `separator` where it is on one line.
    fn list(&self, section: &str, key: &str, separator: char) -> Option<Vec<String>> {
        let text = self.text(section, key)?;
        let items: Vec<&str> = if text.contains('\n') {
            text.lines().collect()
        } else {
            text.split(separator).collect()
        };
        Some(
            items
                .into_iter()
                .map(str::trim)
                .filter(|item| !item.is_empty() && !item.starts_with('#'))
                .map(str::to_owned)
                .collect(),
        )
    }

    /// A dictionary: `key = value`, one a line or separated by commas.
    fn pairs(&self, section: &str, key: &str) -> Vec<(String, String)> {
        let items = self.list(section, key, ',').unwrap_or_default();
        items
            .iter()
            .filter_map(|item| item.split_once('='))
            .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
            .collect()
    }

    /// The field's text, unless it is computed: then the field is dynamic.
    fn plain(&self, key: &str, field: Field, metadata: &mut Metadata) -> Option<String> {
        let text = self.text("metadata", key)?;
        if is_directive(&text) {
            metadata.dynamic.insert(field);
            return None;
        }
        metadata.dynamic.remove(&field);
        Some(text)
    }

    fn metadata(&self, complete: bool, problems: &mut Vec<Problem>) -> Metadata {
        let mut metadata = if complete {
            Metadata::default()
        } else {
            Metadata::unknown()
        };
        metadata.name = self.plain("name", Field::Name, &mut metadata);
        metadata.version = self.plain("version", Field::Version, &mut metadata);
        // Whatever else is settled, a name and a version must come from somewhere.
        for (field, settled) in [
            (Field::Name, metadata.name.is_some()),
            (Field::Version, metadata.version.is_some()),
        ] {
            if !settled {
                metadata.dynamic.insert(field);
            }
        }
        if let (Some(version), Some(entry)) = (&metadata.version, self.entry("metadata", "version"))
            && let Err(error) = version.parse::<pep440_rs::Version>()
        {
            let problem = Problem::error(
                "setup-cfg-version-invalid",
                format!("`{version}` is not a version"),
            )
            .at(entry.span);
            problems.push(
                problem.help(
                    error
                        .to_string()
                        .lines()
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                ),
            );
        }
        metadata.summary = self
            .plain("description", Field::Summary, &mut metadata)
            .or_else(|| self.plain("summary", Field::Summary, &mut metadata));
        self.read_description(&mut metadata);
        metadata.license = self
            .plain("license", Field::License, &mut metadata)
            .map(License::Text);
        let files = self
            .list("metadata", "license_files", ',')
            .or_else(|| self.list("metadata", "license_file", ','));
        if let Some(files) = files {
            metadata.license_files = files;
            metadata.dynamic.remove(&Field::LicenseFiles);
        }
        metadata.authors = self.people("author", "author_email", Field::Authors, &mut metadata);
        metadata.maintainers = self.people(
            "maintainer",
            "maintainer_email",
            Field::Maintainers,
            &mut metadata,
        );
        if let Some(text) = self.plain("keywords", Field::Keywords, &mut metadata) {
            metadata.keywords = split_keywords(&text.replace('\n', ","));
        }
        if let Some(text) = self
            .plain("classifiers", Field::Classifiers, &mut metadata)
            .or_else(|| self.plain("classifier", Field::Classifiers, &mut metadata))
        {
            metadata.classifiers = text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect();
        }
        let home = self
            .text("metadata", "url")
            .or_else(|| self.text("metadata", "home_page"));
        metadata
            .urls
            .extend(home.map(|url| ("Homepage".to_owned(), url)));
        metadata.urls.extend(
            self.text("metadata", "download_url")
                .map(|url| ("Download".to_owned(), url)),
        );
        metadata.urls.extend(self.pairs("metadata", "project_urls"));
        if !metadata.urls.is_empty() {
            metadata.dynamic.remove(&Field::Urls);
        }
        if let Some(requires) = self.text("options", "python_requires") {
            metadata.requires_python = Some(requires);
            metadata.dynamic.remove(&Field::RequiresPython);
        }
        if let Some(text) = self.text("options", "install_requires") {
            if is_directive(&text) {
                metadata.dynamic.insert(Field::Dependencies);
            } else {
                metadata.dependencies = self
                    .list("options", "install_requires", ';')
                    .unwrap_or_default();
                metadata.dynamic.remove(&Field::Dependencies);
            }
        }
        for section in self
            .sections
            .iter()
            .filter(|section| section.name == "options.extras_require")
        {
            for entry in &section.entries {
                if is_directive(entry.lines.join("\n").trim()) {
                    metadata.dynamic.insert(Field::OptionalDependencies);
                } else {
                    let requirements = self
                        .list("options.extras_require", &entry.key, ';')
                        .unwrap_or_default();
                    metadata
                        .optional_dependencies
                        .insert(entry.key.clone(), requirements);
                    metadata.dynamic.remove(&Field::OptionalDependencies);
                }
            }
        }
        metadata
    }

    /// `long_description = file: README.md` names the readme; several files joined are for the
    /// backend.
    fn read_description(&self, metadata: &mut Metadata) {
        use crate::metadata::Readme;
        let content_type = self.text("metadata", "long_description_content_type");
        let Some(text) = self.text("metadata", "long_description") else {
            return;
        };
        match text.strip_prefix("file:").map(str::trim) {
            Some(files) if files.contains([',', '\n']) => {
                metadata.dynamic.insert(Field::Readme);
                return;
            }
            Some(path) => {
                metadata.readme = Some(Readme::File {
                    path: path.to_owned(),
                    content_type,
                });
            }
            None if is_directive(&text) => {
                metadata.dynamic.insert(Field::Readme);
                return;
            }
            None => metadata.readme = Some(Readme::Text { text, content_type }),
        }
        metadata.dynamic.remove(&Field::Readme);
    }

    fn people(
        &self,
        name: &str,
        email: &str,
        field: Field,
        metadata: &mut Metadata,
    ) -> Vec<Person> {
        let person = Person {
            name: self.plain(name, field, metadata),
            email: self.plain(email, field, metadata),
        };
        if person == Person::default() {
            Vec::new()
        } else {
            vec![person]
        }
    }

    fn modules(&self) -> Modules {
        let packages = match self.text("options", "packages").as_deref() {
            None => Packages::Discover,
            Some(find @ ("find:" | "find_namespace:")) => Packages::Find {
                folders: self
                    .list("options.packages.find", "where", ',')
                    .unwrap_or_else(|| vec![".".to_owned()]),
                include: self
                    .list("options.packages.find", "include", ',')
                    .unwrap_or_default(),
                exclude: self
                    .list("options.packages.find", "exclude", ',')
                    .unwrap_or_default(),
                namespaces: find == "find_namespace:",
            },
            Some(_) => Packages::List(self.list("options", "packages", ',').unwrap_or_default()),
        };
        Modules {
            packages,
            py_modules: self.list("options", "py_modules", ','),
            package_dir: self.pairs("options", "package_dir").into_iter().collect(),
            data: DataFiles {
                package_data: self.lists("options.package_data"),
                exclude_package_data: self.lists("options.exclude_package_data"),
                data_files: self
                    .lists("options.data_files")
                    .into_values()
                    .flatten()
                    .collect(),
                scripts: self.list("options", "scripts", ',').unwrap_or_default(),
            },
        }
    }

    /// A section whose values are lists, by key.
    fn lists(&self, section: &str) -> BTreeMap<String, Vec<String>> {
        self.sections
            .iter()
            .filter(|found| found.name == section)
            .flat_map(|found| &found.entries)
            .map(|entry| {
                (
                    entry.key.clone(),
                    self.list(section, &entry.key, ',').unwrap_or_default(),
                )
            })
            .collect()
    }
}

fn is_directive(text: &str) -> bool {
    text.starts_with("attr:") || text.starts_with("file:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Readme;

    fn parse(text: &str, setup_py: Option<&str>) -> SetupCfg {
        SetupCfg::parse(&Source::from_text("setup.cfg", text), setup_py)
            .unwrap()
            .0
    }

    const FULL: &str = "\
# a comment
[global]
command_packages = iiswsgi

[metadata]
name = guest-book
version: 1.0
Description = A guest book
long_description = file: README.md
long-description-content-type = text/markdown
author = A. Uthor
author_email = a@example.org
url = https://example.org/
project_urls =
    Source = https://example.org/source
    Help = https://example.org/help?a=b
license = MIT
license_files =
    LICENSE*
keywords = wsgi, guest book
classifiers =
    Framework :: Pyramid

    ; a comment inside of a value
    Topic :: Internet

[options]
python_requires = >=3.9
install_requires =
    pyramid>=2,<3
    # not this
    tzdata; sys_platform == 'win32'
packages = find:
py_modules = a, b
package_dir =
    = src

[options.packages.find]
where = src
exclude =
    tests*

[options.extras_require]
tests = pytest; coverage
all-Tests = pytest

[options.package_data]
* = *.txt
My.Pkg =
    static/*.css
    *.html

[options.data_files]
etc/app = conf/a.ini, conf/b.ini
";

    #[test]
    fn a_full_file() {
        let SetupCfg { metadata, modules } = parse(FULL, None);
        assert_eq!(metadata.file_stem().as_deref(), Some("guest-book-1.0"));
        assert_eq!(metadata.summary.as_deref(), Some("A guest book"));
        let readme = Readme::File {
            path: "README.md".to_owned(),
            content_type: Some("text/markdown".to_owned()),
        };
        assert_eq!(metadata.readme, Some(readme));
        assert_eq!(metadata.authors[0].to_string(), "A. Uthor <a@example.org>");
        assert_eq!(metadata.home_page(), Some("https://example.org/"));
        assert_eq!(metadata.url("help"), Some("https://example.org/help?a=b"));
        assert_eq!(metadata.license, Some(License::Text("MIT".to_owned())));
        assert_eq!(metadata.license_files, ["LICENSE*"]);
        assert_eq!(metadata.keywords, ["wsgi", "guest book"]);
        assert_eq!(
            metadata.classifiers,
            ["Framework :: Pyramid", "Topic :: Internet"]
        );
        assert_eq!(metadata.requires_python.as_deref(), Some(">=3.9"));
        assert_eq!(
            metadata.dependencies,
            ["pyramid>=2,<3", "tzdata; sys_platform == 'win32'"]
        );
        assert_eq!(
            metadata.optional_dependencies["tests"],
            ["pytest", "coverage"]
        );
        assert_eq!(metadata.optional_dependencies["all-Tests"], ["pytest"]);
        assert!(metadata.missing().is_empty());
        assert_eq!(modules.package_dir[""], "src");
        assert_eq!(modules.data.package_data["*"], ["*.txt"]);
        assert_eq!(
            modules.data.package_data["My.Pkg"],
            ["static/*.css", "*.html"]
        );
        assert_eq!(modules.data.data_files, ["conf/a.ini", "conf/b.ini"]);
        assert_eq!(
            modules.py_modules.as_deref(),
            Some(&["a".to_owned(), "b".to_owned()][..])
        );
        assert!(
            matches!(&modules.packages, Packages::Find { namespaces: false, exclude, .. } if exclude == &["tests*"]),
            "{modules:?}"
        );
    }

    #[test]
    fn what_is_left_to_the_backend() {
        let directives = "[metadata]\nname = a\nversion = attr: a.__version__\ndescription = file: S.txt\n\
                          long_description = file: A.md, B.md\n[options]\ninstall_requires = file: requirements.txt\n";
        let missing = parse(directives, None).metadata.missing();
        assert_eq!(
            missing.to_string(),
            "`version`, `description`, `readme`, `dependencies`"
        );
        // With a setup.py that passes arguments, whatever the file does not say may come from
        // there.
        let partly = "[metadata]\nname = a\n[options]\ninstall_requires = b\n";
        let missing = parse(
            partly,
            Some("from setuptools import setup\nsetup(version='1')\n"),
        )
        .metadata
        .missing();
        assert!(missing.contains(Field::Version) && missing.contains(Field::Summary));
        assert!(!missing.contains(Field::Name) && !missing.contains(Field::Dependencies));
        assert_eq!(
            parse(partly, Some("import setuptools\nsetuptools.setup( )"))
                .metadata
                .missing()
                .to_string(),
            "`version`"
        );
        assert_eq!(
            parse("", None).metadata.missing().to_string(),
            "`name`, `version`"
        );
    }

    #[test]
    fn every_fault_at_once() {
        let source = Source::from_text(
            "setup.cfg",
            "stray = 1\n[metadata]\nname = a\nno sign\nname = b\n[options]\n[metadata]\nversion = one\n",
        );
        let problems = SetupCfg::parse(&source, None).unwrap_err().problems;
        let found: Vec<String> = problems
            .iter()
            .map(|problem| {
                format!(
                    "{} {}",
                    source.line_column(problem.span.unwrap().start),
                    problem.code
                )
            })
            .collect();
        let expected = [
            "1:1 setup-cfg-no-section",
            "4:1 setup-cfg-no-value",
            "5:1 setup-cfg-duplicate-key",
            "7:1 setup-cfg-duplicate-section",
        ];
        assert_eq!(found, expected);
        let version = Source::from_text("setup.cfg", "[metadata]\nname = a\nversion = one\n");
        assert_eq!(
            SetupCfg::parse(&version, None).unwrap_err().problems[0].code,
            "setup-cfg-version-invalid"
        );
    }

    #[test]
    fn bare_setup() {
        for (text, expected) in [
            ("from setuptools import setup\nsetup()", true),
            ("setuptools.setup(\n)", true),
            ("setup(name='a')", false),
            ("my_setup()", false),
            ("setup()\nsetup(name='a')", false),
            ("", false),
        ] {
            assert_eq!(is_bare_setup(text), expected, "{text}");
        }
    }
}
