//! PKG-INFO and METADATA: what a build backend answers.
//!
//! Models the Python Packaging User Guide's "Core metadata specifications" to version 2.4
//! (<https://packaging.python.org/en/latest/specifications/core-metadata/>): a header of fields as
//! e-mail has them, then the description. Read as leniently as pip does: unknown fields are passed
//! over. Left out: Platform, Provides, Obsoletes and their like.

use crate::metadata::{Field, License, Metadata, Person, Readme};
use crate::project_table::content_type as content_type_of;

/// The file lacks what every such file must have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CoreMetadataError {
    /// A required field is not there or empty.
    #[error("core metadata has no `{field}` field")]
    MissingField {
        /// The field.
        field: &'static str,
    },
}

impl Metadata {
    /// Reads a PKG-INFO or METADATA file. Nothing in it is left dynamic: the backend has answered.
    ///
    /// # Errors
    ///
    /// [`CoreMetadataError::MissingField`] where there is no Name or no Version.
    ///
    /// ```
    /// use python_dist::Metadata;
    ///
    /// let metadata = Metadata::from_core_metadata("Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n\nLong text.\n")?;
    /// assert_eq!(metadata.file_stem().as_deref(), Some("sample-1.0"));
    /// # Ok::<(), python_dist::CoreMetadataError>(())
    /// ```
    pub fn from_core_metadata(text: &str) -> Result<Self, CoreMetadataError> {
        let (fields, body) = headers(text);
        let all = |name: &str| {
            fields
                .iter()
                .filter(|(field, _)| field.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
                .collect::<Vec<_>>()
        };
        // setuptools writes UNKNOWN where it was told nothing.
        let one = |name: &str| {
            all(name)
                .first()
                .filter(|value| !value.is_empty() && **value != "UNKNOWN")
                .map(|value| (*value).to_owned())
        };
        let required =
            |name: &'static str| one(name).ok_or(CoreMetadataError::MissingField { field: name });

        let mut metadata = Self {
            name: Some(required("Name")?),
            version: Some(required("Version")?),
            ..Self::default()
        };
        metadata.summary = one("Summary");
        let content_type = one("Description-Content-Type");
        let description = one("Description").map(|text| unfold_description(&text));
        if let Some(text) =
            description.or_else(|| (!body.trim().is_empty()).then(|| body.to_owned()))
        {
            metadata.readme = Some(Readme::Text { text, content_type });
        }
        metadata.requires_python = one("Requires-Python");
        metadata.license = one("License-Expression")
            .map(License::Expression)
            .or_else(|| one("License").map(License::Text));
        metadata.license_files = all("License-File").into_iter().map(str::to_owned).collect();
        metadata.authors = people(one("Author"), one("Author-email"));
        metadata.maintainers = people(one("Maintainer"), one("Maintainer-email"));
        metadata.keywords = one("Keywords").map_or_else(Vec::new, |text| split_keywords(&text));
        metadata.classifiers = all("Classifier").into_iter().map(str::to_owned).collect();
        metadata
            .urls
            .extend(one("Home-page").map(|url| ("Homepage".to_owned(), url)));
        metadata
            .urls
            .extend(one("Download-URL").map(|url| ("Download".to_owned(), url)));
        for entry in all("Project-URL") {
            let (label, url) = entry.split_once(',').unwrap_or(("", entry));
            metadata
                .urls
                .push((label.trim().to_owned(), url.trim().to_owned()));
        }
        for extra in all("Provides-Extra") {
            metadata
                .optional_dependencies
                .entry(extra.to_owned())
                .or_default();
        }
        for requirement in all("Requires-Dist") {
            match extra_of(requirement) {
                Some((extra, requirement)) => metadata
                    .optional_dependencies
                    .entry(extra)
                    .or_default()
                    .push(requirement),
                None => metadata.dependencies.push(requirement.to_owned()),
            }
        }
        Ok(metadata)
    }
}

impl Metadata {
    /// Reads the PKG-INFO of an unpacked source distribution. Its name and version hold; any other field holds where the
    /// file is of version 2.2 or later and does not list it under Dynamic (PEP 643).
    ///
    /// ```
    /// use python_dist::{Field, Metadata};
    ///
    /// let text = "Metadata-Version: 2.2\nName: sample\nVersion: 1.0\nSummary: A sample\nDynamic: Requires-Dist\n";
    /// let metadata = Metadata::from_pkg_info(text)?;
    /// assert_eq!(metadata.missing().to_string(), "`dependencies`, `optional-dependencies`");
    /// # Ok::<(), python_dist::CoreMetadataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// It has no name or no version.
    pub fn from_pkg_info(text: &str) -> Result<Self, CoreMetadataError> {
        let mut metadata = Self::from_core_metadata(text)?;
        let (fields, _) = headers(text);
        let settled = fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case("Metadata-Version"))
            .and_then(|(_, version)| version.parse::<pep440_rs::Version>().ok())
            .is_some_and(|version| version >= pep440_rs::Version::new([2, 2]));
        metadata.dynamic = Field::ALL
            .into_iter()
            .filter(|field| !matches!(field, Field::Name | Field::Version))
            .filter(|field| {
                !settled
                    || fields.iter().any(|(name, value)| {
                        name.eq_ignore_ascii_case("Dynamic")
                            && core_fields(*field)
                                .iter()
                                .any(|core| core.eq_ignore_ascii_case(value))
                    })
            })
            .collect();
        Ok(metadata)
    }
}

/// The fields of core metadata that one of `[project]` becomes.
const fn core_fields(field: Field) -> &'static [&'static str] {
    match field {
        Field::Name => &["Name"],
        Field::Version => &["Version"],
        Field::Summary => &["Summary"],
        Field::Readme => &["Description", "Description-Content-Type"],
        Field::RequiresPython => &["Requires-Python"],
        Field::License => &["License", "License-Expression"],
        Field::LicenseFiles => &["License-File"],
        Field::Authors => &["Author", "Author-email"],
        Field::Maintainers => &["Maintainer", "Maintainer-email"],
        Field::Keywords => &["Keywords"],
        Field::Classifiers => &["Classifier"],
        Field::Urls => &["Home-page", "Download-URL", "Project-URL"],
        Field::Dependencies => &["Requires-Dist"],
        Field::OptionalDependencies => &["Provides-Extra", "Requires-Dist"],
    }
}

/// The fields in order, continuation lines joined by line feeds, and the body after the first blank
/// line.
/// The fields of a PKG-INFO or METADATA file as a form has them that is sent to a packaging index: names in lower case with
/// `_` for `-`, the two that indexes know by their plural, and the text after the header as `description`.
///
/// Models the PyPI documentation's "Upload API", "Upload a file". Nothing is checked: that is the index's.
///
/// ```
/// let fields = python_dist::form_fields("Metadata-Version: 2.1\nName: sample\nClassifier: Framework :: Paste\n\nLong text.\n");
/// let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
/// assert_eq!(names, ["metadata_version", "name", "classifiers", "description"]);
/// ```
#[must_use]
pub fn form_fields(text: &str) -> Vec<(String, String)> {
    let (header, body) = headers(text);
    let mut fields: Vec<(String, String)> = header
        .into_iter()
        .map(|(name, value)| {
            let name = name.to_lowercase().replace('-', "_");
            match name.as_str() {
                "classifier" => ("classifiers".to_owned(), value),
                "project_url" => ("project_urls".to_owned(), value),
                "description" => (name, unfold_description(&value)),
                _ => (name, value),
            }
        })
        .collect();
    if !body.trim().is_empty() {
        fields.push(("description".to_owned(), body.to_owned()));
    }
    fields
}

fn headers(text: &str) -> (Vec<(String, String)>, &str) {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while !rest.is_empty() {
        let (line, next) = rest.split_once('\n').unwrap_or((rest, ""));
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return (fields, next);
        }
        rest = next;
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim_end().to_owned(), value.trim().to_owned()));
        }
    }
    (fields, "")
}

/// A description in the header: each further line is indented, by eight blanks or by seven and a
/// bar.
fn unfold_description(folded: &str) -> String {
    let mut lines = folded.lines();
    let mut text = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        text.push('\n');
        text.push_str(
            line.strip_prefix("       |")
                .or_else(|| line.strip_prefix("        "))
                .unwrap_or_else(|| line.trim_start()),
        );
    }
    text
}

/// Names and addresses. Backends put people who have both into the e-mail field, as
/// `Name <address>`.
fn people(names: Option<String>, emails: Option<String>) -> Vec<Person> {
    let emails: Vec<Person> = emails
        .iter()
        .flat_map(|text| split_addresses(text))
        .map(|text| person(&text))
        .collect();
    let names: Vec<String> = names
        .iter()
        .flat_map(|text| text.split(','))
        .map(|name| name.trim().to_owned())
        .collect();
    // One name beside one bare address is one person.
    if let ([name], [Person { name: None, email }]) = (names.as_slice(), emails.as_slice()) {
        return vec![Person {
            name: Some(name.clone()),
            email: email.clone(),
        }];
    }
    let named = names
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| Person {
            name: Some(name),
            email: None,
        });
    named.chain(emails).collect()
}

/// Splits at commas outside of quotes.
fn split_addresses(text: &str) -> Vec<String> {
    let mut addresses = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '"';
        match addresses.last_mut() {
            Some(address) if c != ',' || quoted => address.push(c),
            _ => addresses.push(String::new()),
        }
    }
    addresses.retain(|address| !address.trim().is_empty());
    addresses
}

fn person(address: &str) -> Person {
    let address = address.trim();
    match address
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    {
        Some((name, email)) => {
            let name = name.trim().trim_matches('"');
            Person {
                name: (!name.is_empty()).then(|| name.to_owned()),
                email: Some(email.trim().to_owned()),
            }
        }
        None => Person {
            name: None,
            email: Some(address.to_owned()),
        },
    }
}

/// Commas by the specification; older tools wrote blanks.
pub(crate) fn split_keywords(text: &str) -> Vec<String> {
    let separator: fn(char) -> bool = if text.contains(',') {
        |c| c == ','
    } else {
        char::is_whitespace
    };
    text.split(separator)
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The extra that a requirement belongs to and the requirement without saying so, where its marker
/// ends with `extra == "NAME"`.
fn extra_of(requirement: &str) -> Option<(String, String)> {
    let (head, marker) = requirement.rsplit_once(';')?;
    let at = marker.rfind("extra")?;
    let value = marker[at + 5..].trim_start().strip_prefix("==")?.trim();
    let value = value.strip_suffix(')').unwrap_or(value).trim();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let extra = value.strip_prefix(quote)?.strip_suffix(quote)?;
    let others = marker[..at].trim().trim_end_matches("and").trim();
    // `(A or B) and extra == "x"`: without the extra, the brackets may stay.
    let requirement = if others.is_empty() || others == "(" {
        head.trim().to_owned()
    } else {
        format!("{}; {others}", head.trim())
    };
    Some((extra.to_owned(), requirement))
}

impl Readme {
    /// The file's or text's media type, by its suffix where nothing is said.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        match self {
            Self::File { path, content_type } => {
                content_type.as_deref().or_else(|| content_type_of(path))
            }
            Self::Text { content_type, .. } => content_type.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What setuptools 80.9 writes, abridged.
    const MODERN: &str = "\
Metadata-Version: 2.4
Name: Guest_Book
Version: 1.0rc1
Summary: A guest book
Author: B. Author
Author-email: \"Uthor, A.\" <a@example.org>, c@example.org
Maintainer-email: m@example.org
License-Expression: MIT
Project-URL: Homepage, https://example.org/
Project-URL: Source, https://example.org/source
Keywords: wsgi,guest book
Classifier: Framework :: Pyramid
Classifier: Topic :: Internet
Requires-Python: >=3.9
Description-Content-Type: text/markdown
License-File: LICENSE
Requires-Dist: pyramid<3,>=2
Requires-Dist: tzdata; sys_platform == \"win32\"
Provides-Extra: tests
Requires-Dist: pytest; extra == \"tests\"
Requires-Dist: mock; python_version < \"3\" and extra == 'tests'
Provides-Extra: empty
Dynamic: license-file
X-Unknown: passed over

# Guest book

Text: with a colon.
";

    #[test]
    fn modern() {
        let metadata = Metadata::from_core_metadata(MODERN).unwrap();
        assert_eq!(metadata.name.as_deref(), Some("Guest_Book"));
        assert_eq!(metadata.sdist_stem().as_deref(), Some("guest_book-1.0rc1"));
        assert_eq!(metadata.summary.as_deref(), Some("A guest book"));
        let people: Vec<String> = metadata.authors.iter().map(ToString::to_string).collect();
        assert_eq!(
            people,
            ["B. Author", "Uthor, A. <a@example.org>", "c@example.org"]
        );
        assert_eq!(
            metadata.maintainers[0].email.as_deref(),
            Some("m@example.org")
        );
        assert_eq!(
            metadata.license,
            Some(License::Expression("MIT".to_owned()))
        );
        assert_eq!(metadata.home_page(), Some("https://example.org/"));
        assert_eq!(metadata.url("source"), Some("https://example.org/source"));
        assert_eq!(metadata.keywords, ["wsgi", "guest book"]);
        assert_eq!(metadata.classifiers.len(), 2);
        assert_eq!(metadata.license_files, ["LICENSE"]);
        assert_eq!(
            metadata.dependencies,
            ["pyramid<3,>=2", "tzdata; sys_platform == \"win32\""]
        );
        assert_eq!(
            metadata.optional_dependencies["tests"],
            ["pytest", "mock; python_version < \"3\""]
        );
        assert!(metadata.optional_dependencies["empty"].is_empty());
        assert!(metadata.missing().is_empty());
        let Some(Readme::Text { text, content_type }) = metadata.readme else {
            panic!("no description")
        };
        assert!(
            text.starts_with("# Guest book\n") && text.ends_with("colon.\n"),
            "{text}"
        );
        assert_eq!(content_type.as_deref(), Some("text/markdown"));
    }

    /// What distutils wrote into PKG-INFO.
    #[test]
    fn old() {
        let text = "Metadata-Version: 1.1\r\nName: a\r\nVersion: 0.3\r\nSummary: UNKNOWN\r\nHome-page: http://example.org\r\n\
                    Author: A\r\nAuthor-email: a@example.org\r\nLicense: GPL\r\nDescription: First\r\n        second\r\n        \r\n\
                    \x20         indented\r\nKeywords: one two\r\nPlatform: UNKNOWN\r\n";
        let metadata = Metadata::from_core_metadata(text).unwrap();
        assert_eq!(metadata.summary, None);
        assert_eq!(metadata.home_page(), Some("http://example.org"));
        assert_eq!(
            metadata.authors,
            [Person {
                name: Some("A".to_owned()),
                email: Some("a@example.org".to_owned())
            }]
        );
        assert_eq!(metadata.license, Some(License::Text("GPL".to_owned())));
        assert_eq!(metadata.keywords, ["one", "two"]);
        let Some(Readme::Text { text, .. }) = metadata.readme else {
            panic!("no description")
        };
        assert_eq!(text, "First\nsecond\n\n  indented");
    }

    #[test]
    fn what_a_source_distribution_settles() {
        for (text, missing) in [
            ("Metadata-Version: 2.1\n", 12),
            ("", 12),
            ("Metadata-Version: 2.4\n", 0),
            (
                "Metadata-Version: 2.2\nDynamic: author-email\nDynamic: Requires-Dist\n",
                3,
            ),
        ] {
            let text = format!("{text}Name: a\nVersion: 1\n");
            let metadata = Metadata::from_pkg_info(&text).unwrap();
            assert_eq!(metadata.missing().iter().count(), missing, "{text}");
        }
    }

    #[test]
    fn required_fields() {
        for (text, message) in [
            ("", "core metadata has no `Name` field"),
            (
                "Name: UNKNOWN\nVersion: 1\n",
                "core metadata has no `Name` field",
            ),
            (
                "Name: a\n\nVersion: 1\n",
                "core metadata has no `Version` field",
            ),
        ] {
            assert_eq!(
                Metadata::from_core_metadata(text).unwrap_err().to_string(),
                message,
                "{text:?}"
            );
        }
    }

    #[test]
    fn extras() {
        for (requirement, expected) in [
            ("a", None),
            ("a; python_version < '3'", None),
            ("a>=1 ; extra == 'x'", Some(("x", "a>=1"))),
            ("a; (extra == \"x\")", Some(("x", "a"))),
            (
                "a; sys_platform == 'win32' and extra == 'x'",
                Some(("x", "a; sys_platform == 'win32'")),
            ),
            ("a; extra == x", None),
        ] {
            let expected =
                expected.map(|(extra, requirement)| (extra.to_owned(), requirement.to_owned()));
            assert_eq!(extra_of(requirement), expected, "{requirement}");
        }
    }
}
