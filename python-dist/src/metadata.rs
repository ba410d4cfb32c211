//! What is known about a distribution, whichever file said it.
//!
//! Models the fields of the Python Packaging User Guide's "Core metadata specifications" as
//! `[project]` of pyproject.toml names them (PEP 621, "Declaring project metadata"). Left out:
//! scripts and entry points, which a Web Deploy package does not use.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

/// A field of the metadata, under the name that `[project]` gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// `name`.
    Name,
    /// `version`.
    Version,
    /// `description`, core metadata's Summary.
    Summary,
    /// `readme`, core metadata's Description.
    Readme,
    /// `requires-python`.
    RequiresPython,
    /// `license`.
    License,
    /// `license-files`.
    LicenseFiles,
    /// `authors`.
    Authors,
    /// `maintainers`.
    Maintainers,
    /// `keywords`.
    Keywords,
    /// `classifiers`.
    Classifiers,
    /// `urls`.
    Urls,
    /// `dependencies`.
    Dependencies,
    /// `optional-dependencies`.
    OptionalDependencies,
}

impl Field {
    /// Every field, in `[project]`'s customary order.
    pub const ALL: [Self; 14] = [
        Self::Name,
        Self::Version,
        Self::Summary,
        Self::Readme,
        Self::RequiresPython,
        Self::License,
        Self::LicenseFiles,
        Self::Authors,
        Self::Maintainers,
        Self::Keywords,
        Self::Classifiers,
        Self::Urls,
        Self::Dependencies,
        Self::OptionalDependencies,
    ];

    /// The key under `[project]`, for example `requires-python`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Version => "version",
            Self::Summary => "description",
            Self::Readme => "readme",
            Self::RequiresPython => "requires-python",
            Self::License => "license",
            Self::LicenseFiles => "license-files",
            Self::Authors => "authors",
            Self::Maintainers => "maintainers",
            Self::Keywords => "keywords",
            Self::Classifiers => "classifiers",
            Self::Urls => "urls",
            Self::Dependencies => "dependencies",
            Self::OptionalDependencies => "optional-dependencies",
        }
    }

    /// The field of a `[project]` key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.key() == key)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// A person or organisation: at least one of the two is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Person {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

impl fmt::Display for Person {
    /// As an RFC 5322 address: `Name <address>`, or the one of the two that is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.email) {
            (Some(name), Some(email)) => write!(f, "{name} <{email}>"),
            (Some(text), None) | (None, Some(text)) => f.write_str(text),
            (None, None) => Ok(()),
        }
    }
}

/// The long description: its text, or the file that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Readme {
    /// A file of the project, relative to its folder, with forward slashes.
    File {
        /// The file.
        path: String,
        /// Its media type, for example `text/markdown`, where it is given or follows from the
        /// suffix.
        content_type: Option<String>,
    },
    /// The text itself.
    Text {
        /// The text.
        text: String,
        /// Its media type.
        content_type: Option<String>,
    },
}

/// The licence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum License {
    /// An SPDX expression (PEP 639), for example `MIT OR Apache-2.0`.
    Expression(String),
    /// Free text: `license = { text = … }` or the License field of older metadata.
    Text(String),
    /// A file of the project: `license = { file = … }`.
    File(String),
}

/// What is known about a distribution.
///
/// A field that no source has settled yet is listed in [`Metadata::dynamic`]; every other field is
/// final, also where it is empty.
///
/// ```
/// use python_dist::{Field, Metadata};
///
/// let mut metadata = Metadata::unknown();
/// metadata.set_name("Sample_App");
/// assert_eq!(metadata.normalized_name().as_deref(), Some("sample-app"));
/// assert!(metadata.missing().contains(Field::Version));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The name as its author writes it.
    pub name: Option<String>,
    /// The version as its author writes it (PEP 440).
    pub version: Option<String>,
    /// One line on what the distribution is.
    pub summary: Option<String>,
    /// The long description.
    pub readme: Option<Readme>,
    /// The Python versions it runs on (PEP 440 specifiers), for example `>=3.9`.
    pub requires_python: Option<String>,
    /// The licence.
    pub license: Option<License>,
    /// Patterns of the licence files, relative to the project.
    pub license_files: Vec<String>,
    /// The authors.
    pub authors: Vec<Person>,
    /// The maintainers.
    pub maintainers: Vec<Person>,
    /// The keywords.
    pub keywords: Vec<String>,
    /// The trove classifiers.
    pub classifiers: Vec<String>,
    /// Labelled addresses, in the order of the file.
    pub urls: Vec<(String, String)>,
    /// What pip must install with it (PEP 508).
    pub dependencies: Vec<String>,
    /// Extras and what each adds (PEP 508).
    pub optional_dependencies: BTreeMap<String, Vec<String>>,
    /// The fields that are not settled yet: another source must be asked.
    pub dynamic: BTreeSet<Field>,
}

impl Metadata {
    /// Metadata of which nothing is known yet: every field is dynamic.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            dynamic: Field::ALL.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Settles the name.
    pub fn set_name(&mut self, name: impl Into<String>) {
        self.name = Some(name.into());
        self.dynamic.remove(&Field::Name);
    }

    /// Settles the version.
    pub fn set_version(&mut self, version: impl Into<String>) {
        self.version = Some(version.into());
        self.dynamic.remove(&Field::Version);
    }

    /// Fills the fields that are not settled here with those that `next` has settled. Call it with
    /// the sources in order of precedence: pyproject.toml's `[project]`, setup.cfg, the build
    /// backend's answer.
    #[must_use]
    pub fn merge(mut self, next: Self) -> Self {
        let settled: Vec<Field> = self.dynamic.difference(&next.dynamic).copied().collect();
        for field in settled {
            match field {
                Field::Name => self.name.clone_from(&next.name),
                Field::Version => self.version.clone_from(&next.version),
                Field::Summary => self.summary.clone_from(&next.summary),
                Field::Readme => self.readme.clone_from(&next.readme),
                Field::RequiresPython => self.requires_python.clone_from(&next.requires_python),
                Field::License => self.license.clone_from(&next.license),
                Field::LicenseFiles => self.license_files.clone_from(&next.license_files),
                Field::Authors => self.authors.clone_from(&next.authors),
                Field::Maintainers => self.maintainers.clone_from(&next.maintainers),
                Field::Keywords => self.keywords.clone_from(&next.keywords),
                Field::Classifiers => self.classifiers.clone_from(&next.classifiers),
                Field::Urls => self.urls.clone_from(&next.urls),
                Field::Dependencies => self.dependencies.clone_from(&next.dependencies),
                Field::OptionalDependencies => self
                    .optional_dependencies
                    .clone_from(&next.optional_dependencies),
            }
            self.dynamic.remove(&field);
        }
        self
    }

    /// The fields that only another source can settle: nothing to ask where it is empty.
    #[must_use]
    pub fn missing(&self) -> MissingFields {
        MissingFields {
            fields: self.dynamic.iter().copied().collect(),
        }
    }

    /// The address under a well-known label, compared as PEP 753 says: without case, blanks and
    /// punctuation.
    ///
    /// ```
    /// let mut metadata = python_dist::Metadata::default();
    /// metadata.urls.push(("Home-page".to_owned(), "https://example.org/".to_owned()));
    /// assert_eq!(metadata.url("homepage"), Some("https://example.org/"));
    /// ```
    #[must_use]
    pub fn url(&self, label: &str) -> Option<&str> {
        let wanted = normalized_label(label);
        self.urls
            .iter()
            .find(|(label, _)| normalized_label(label) == wanted)
            .map(|(_, url)| url.as_str())
    }

    /// The home page: the address labelled Homepage.
    #[must_use]
    pub fn home_page(&self) -> Option<&str> {
        self.url("homepage")
    }

    /// The name as PEP 503 compares names, for example `sample-app` for `Sample_App`.
    #[must_use]
    pub fn normalized_name(&self) -> Option<String> {
        self.name.as_deref().map(normalize_name)
    }

    /// `NAME-VERSION` as distutils' sdist names its files: both as the author writes them, with
    /// each run of characters that a file name should not have replaced by `-`. Nothing while one
    /// of the two is unknown.
    ///
    /// ```
    /// let mut metadata = python_dist::Metadata::default();
    /// metadata.set_name("iiswsgi-sample-app");
    /// metadata.set_version("0.4.0");
    /// assert_eq!(metadata.file_stem().as_deref(), Some("iiswsgi-sample-app-0.4.0"));
    /// assert_eq!(metadata.sdist_stem().as_deref(), Some("iiswsgi_sample_app-0.4.0"));
    /// ```
    #[must_use]
    pub fn file_stem(&self) -> Option<String> {
        Some(distribution_stem(
            self.name.as_deref()?,
            self.version.as_deref()?,
        ))
    }

    /// `name-version` as today's sdists are named (PEP 625): the normalised name with `_`, the
    /// normalised version.
    #[must_use]
    pub fn sdist_stem(&self) -> Option<String> {
        let version = self.version.as_deref()?;
        let version = version
            .parse::<pep440_rs::Version>()
            .map_or_else(|_| safe(version, ".-_+!"), |version| version.to_string());
        Some(format!(
            "{}-{version}",
            self.normalized_name()?.replace('-', "_")
        ))
    }
}

/// `NAME-VERSION`, what the files of a distribution begin with: see [`Metadata::file_stem`].
#[must_use]
pub fn distribution_stem(name: &str, version: &str) -> String {
    format!("{}-{}", safe(name, ".-_"), safe(version, ".-_+!"))
}

/// Fields that another source must settle; prints them as `[project]` names them, with commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingFields {
    fields: Vec<Field>,
}

impl MissingFields {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether `field` is missing.
    #[must_use]
    pub fn contains(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// The missing fields, in [`Field::ALL`]'s order.
    pub fn iter(&self) -> impl Iterator<Item = Field> + '_ {
        self.fields.iter().copied()
    }

    /// The missing ones among the fields that a task needs: it need not ask the build backend where
    /// that is empty.
    #[must_use]
    pub fn among(&self, needed: &[Field]) -> Self {
        Self {
            fields: self
                .fields
                .iter()
                .copied()
                .filter(|field| needed.contains(field))
                .collect(),
        }
    }
}

impl fmt::Display for MissingFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, field) in self.fields.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "`{field}`")?;
        }
        Ok(())
    }
}

/// A distribution name as PEP 503 compares names: lower case, each run of `-`, `_` and `.` one `-`.
///
/// ```
/// assert_eq!(python_dist::normalize_name("Friendly.-_.Bard"), "friendly-bard");
/// ```
#[must_use]
pub fn normalize_name(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !normalized.ends_with('-') {
                normalized.push('-');
            }
        } else {
            normalized.extend(c.to_lowercase());
        }
    }
    normalized
}

/// Whether a name is one that PEP 508 allows: ASCII letters and digits, with `.`, `_` and `-`
/// inside.
#[must_use]
pub fn is_valid_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    name.bytes().all(inner) && edge(name.bytes().next()) && edge(name.bytes().last())
}

fn safe(text: &str, allowed: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut replaced = false;
    for c in text.chars() {
        let keep = c.is_ascii_alphanumeric() || allowed.contains(c);
        if keep {
            safe.push(c);
        } else if !replaced {
            safe.push('-');
        }
        replaced = !keep;
    }
    safe
}

fn normalized_label(label: &str) -> String {
    label
        .chars()
        .filter(|c| !c.is_ascii_punctuation() && !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, normalized, valid) in [
            ("a", "a", true),
            ("Django", "django", true),
            ("zope.interface", "zope-interface", true),
            ("a__b", "a-b", true),
            ("-a", "-a", false),
            ("a.", "a-", false),
            ("", "", false),
            ("a b", "a b", false),
            ("é", "é", false),
        ] {
            assert_eq!(normalize_name(name), normalized, "{name}");
            assert_eq!(is_valid_name(name), valid, "{name}");
        }
    }

    #[test]
    fn stems() {
        for (name, version, stem, sdist) in [
            ("A.b", "1.0", "A.b-1.0", "a_b-1.0"),
            ("x", "1.0-RC1", "x-1.0-RC1", "x-1.0rc1"),
            ("x/../y", "1/0", "x-..-y-1-0", "x/_/y-1-0"),
            ("x", "1!2+local.1", "x-1!2+local.1", "x-1!2+local.1"),
        ] {
            let mut metadata = Metadata::default();
            metadata.set_name(name);
            metadata.set_version(version);
            assert_eq!(metadata.file_stem().as_deref(), Some(stem));
            if is_valid_name(name) {
                assert_eq!(metadata.sdist_stem().as_deref(), Some(sdist));
            }
        }
        assert_eq!(Metadata::unknown().file_stem(), None);
    }

    #[test]
    fn the_first_source_that_settles_a_field_wins() {
        let mut first = Metadata::unknown();
        first.set_name("first");
        let mut second = Metadata::unknown();
        second.set_name("second");
        second.set_version("2");
        let third = Metadata {
            summary: Some("third".to_owned()),
            version: Some("3".to_owned()),
            ..Metadata::default()
        };
        let merged = first.merge(second).merge(third);
        assert_eq!(merged.name.as_deref(), Some("first"));
        assert_eq!(merged.version.as_deref(), Some("2"));
        assert_eq!(merged.summary.as_deref(), Some("third"));
        assert!(merged.missing().is_empty());
    }

    #[test]
    fn missing_fields_read_well() {
        let missing = Metadata::unknown().missing();
        assert_eq!(
            missing.among(&[Field::Version, Field::Name]).to_string(),
            "`name`, `version`"
        );
        assert!(missing.among(&[]).is_empty());
        for field in Field::ALL {
            assert_eq!(Field::from_key(field.key()), Some(field));
        }
    }
}
