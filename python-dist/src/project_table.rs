//! `[project]` of pyproject.toml.
//!
//! Models PEP 621 ("Storing project metadata in pyproject.toml") with PEP 639's licence fields, as
//! the Python Packaging User Guide's "pyproject.toml specification" has them today. Whether a
//! dependency's versions and markers make sense is left to pip.

use std::collections::{BTreeMap, BTreeSet};

use spanned_xml::{Problem, Span};
use toml::de::{DeTable, DeValue};

use crate::metadata::{Field, License, Metadata, Person, Readme, is_valid_name};
use crate::toml_table::{self, Fields, Strings, Value, unknown_key};

/// Reads the table at `span`; where each field is given goes into `spans`, every fault becomes a
/// problem.
pub(crate) fn read_project(
    table: &DeTable<'_>,
    span: Span,
    spans: &mut BTreeMap<Field, Span>,
    problems: &mut Vec<Problem>,
) -> Metadata {
    let mut metadata = Metadata::default();
    let mut fields = Fields::new("project", table, problems);
    for field in Field::ALL {
        if let Some(value) = fields.take(field.key()) {
            spans.insert(field, toml_table::span(&value.span()));
        }
    }
    fields.ignore(&[
        "scripts",
        "gui-scripts",
        "entry-points",
        "import-names",
        "import-namespaces",
    ]);

    metadata.dynamic = read_dynamic(&mut fields, spans);
    read_name_and_version(&mut fields, &mut metadata, span);
    if let Some((summary, span)) = fields.string("description") {
        if summary.contains(['\n', '\r']) {
            let problem = Problem::error(
                "project-description-lines",
                "`project.description` must be one line",
            );
            fields.problems.push(
                problem
                    .at(span)
                    .help("put the long description into a file and name it as `readme`"),
            );
        }
        metadata.summary = Some(summary);
    }
    metadata.readme = fields
        .take("readme")
        .and_then(|value| read_readme(&mut fields, value));
    if let Some((specifiers, span)) = fields.string("requires-python") {
        if let Err(error) = specifiers.parse::<pep440_rs::VersionSpecifiers>() {
            let problem = Problem::error(
                "project-requires-python",
                format!("`{specifiers}` is not a version specifier"),
            );
            fields.problems.push(
                problem
                    .at(span)
                    .help(format!("{}; write it as in `>=3.9`", first_line(&error))),
            );
        }
        metadata.requires_python = Some(specifiers);
    }
    metadata.license = fields
        .take("license")
        .and_then(|value| read_license(&mut fields, value));
    metadata.license_files = fields
        .take("license-files")
        .map_or_else(Vec::new, |value| read_license_files(&mut fields, value));
    metadata.authors = read_people(&mut fields, "authors");
    metadata.maintainers = read_people(&mut fields, "maintainers");
    metadata.keywords = fields
        .strings("keywords")
        .map_or_else(Vec::new, Strings::into_values);
    metadata.classifiers = fields
        .strings("classifiers")
        .map_or_else(Vec::new, Strings::into_values);
    metadata.urls = read_urls(&mut fields);
    if let Some(dependencies) = fields.strings("dependencies") {
        metadata.dependencies = requirements(&mut fields, dependencies);
    }
    if let Some((extras, _)) = fields.table("optional-dependencies") {
        for (extra, value) in extras {
            let key = format!("optional-dependencies.{}", extra.get_ref());
            if let Some(dependencies) = fields.strings_of(&key, value) {
                let dependencies = requirements(&mut fields, dependencies);
                metadata
                    .optional_dependencies
                    .insert(extra.get_ref().to_string(), dependencies);
            }
        }
    }
    fields.finish(|name, span, nearest| {
        let problem = Problem::warning(
            "project-unknown-key",
            format!("`{name}` is not a field of `[project]`"),
        )
        .at(span);
        match nearest {
            Some(key) => problem.help(format!("did you mean `{key}`?")),
            None => problem.help("settings of tools belong into a table `[tool.NAME]`"),
        }
    });
    metadata
}

/// `project.dynamic`: unknown fields and fields that are given as well are reported.
fn read_dynamic(fields: &mut Fields<'_, '_, '_>, given: &BTreeMap<Field, Span>) -> BTreeSet<Field> {
    let mut dynamic = BTreeSet::new();
    let Some(names) = fields.strings("dynamic") else {
        return dynamic;
    };
    for (name, span) in names.items {
        if name == "name" {
            let problem =
                Problem::error("project-dynamic-name", "`name` cannot be dynamic").at(span);
            fields
                .problems
                .push(problem.help("write `name = \"…\"` under `[project]`"));
        } else if let Some(field) = Field::from_key(&name) {
            if let Some(first) = given.get(&field) {
                let message = format!("`{name}` is dynamic and also given");
                let problem = Problem::error("project-dynamic-given", message).at(span);
                fields.problems.push(
                    problem
                        .related(*first, "given here")
                        .help("remove one of the two"),
                );
            } else {
                dynamic.insert(field);
            }
        } else if !matches!(
            name.as_str(),
            "scripts" | "gui-scripts" | "entry-points" | "import-names" | "import-namespaces"
        ) {
            let keys: Vec<&str> = Field::ALL.iter().map(|field| field.key()).collect();
            let problem = Problem::error(
                "project-dynamic-unknown",
                format!("`{name}` is not a field of `[project]`"),
            )
            .at(span);
            fields.problems.push(
                match spanned_xml::nearest(&name, keys.iter().copied(), 1).first() {
                    Some(key) => problem.help(format!("did you mean `{key}`?")),
                    None => problem.help(format!("the fields are {}", keys.join(", "))),
                },
            );
        }
    }
    dynamic
}

fn read_name_and_version(fields: &mut Fields<'_, '_, '_>, metadata: &mut Metadata, table: Span) {
    if let Some((name, span)) = fields.string("name") {
        if !is_valid_name(&name) {
            let problem = Problem::error(
                "project-name-invalid",
                format!("`{name}` is not a distribution name"),
            )
            .at(span);
            fields.problems.push(
                problem.help("use ASCII letters and digits, with `-`, `_` and `.` between them, beginning and ending with a letter or digit"),
            );
        }
        metadata.name = Some(name);
    } else if fields.take("name").is_none() {
        let problem = Problem::error("project-name-missing", "`[project]` has no `name`").at(table);
        fields.problems.push(problem.help("add `name = \"…\"`"));
    }
    if let Some((version, span)) = fields.string("version") {
        if let Err(error) = version.parse::<pep440_rs::Version>() {
            let problem = Problem::error(
                "project-version-invalid",
                format!("`{version}` is not a version"),
            )
            .at(span);
            fields.problems.push(problem.help(format!(
                "{}; PEP 440 wants, for example, `1.2.0` or `1.2.0rc1`",
                first_line(&error)
            )));
        }
        metadata.version = Some(version);
    } else if fields.take("version").is_none() && !metadata.dynamic.contains(&Field::Version) {
        let problem =
            Problem::error("project-version-missing", "`[project]` has no `version`").at(table);
        fields.problems.push(problem.help("add `version = \"…\"`, or `dynamic = [\"version\"]` where the build backend computes it"));
    }
}

fn read_readme<'t, 'i>(fields: &mut Fields<'t, 'i, '_>, value: Value<'t, 'i>) -> Option<Readme> {
    match value.get_ref() {
        DeValue::String(path) => Some(Readme::File {
            path: path.to_string(),
            content_type: content_type(path).map(str::to_owned),
        }),
        DeValue::Table(table) => {
            let mut inner = Fields::new("project.readme", table, fields.problems);
            let file = inner.string("file");
            let text = inner.string("text");
            let content_type = inner.string("content-type").map(|(text, _)| text);
            inner.finish(unknown_key);
            match (file, text) {
                (Some((path, _)), None) => Some(Readme::File { path, content_type }),
                (None, Some((text, _))) => Some(Readme::Text { text, content_type }),
                _ => {
                    let problem = Problem::error(
                        "project-readme",
                        "`project.readme` must have either `file` or `text`",
                    );
                    fields
                        .problems
                        .push(problem.at(toml_table::span(&value.span())));
                    None
                }
            }
        }
        _ => {
            fields.wrong_type("readme", value, "the name of a file, or a table");
            None
        }
    }
}

/// The media type that follows from a readme's suffix.
pub(crate) fn content_type(path: &str) -> Option<&'static str> {
    let suffix = path
        .rsplit_once('.')
        .map(|(_, suffix)| suffix.to_ascii_lowercase())?;
    match suffix.as_str() {
        "md" | "markdown" => Some("text/markdown"),
        "rst" => Some("text/x-rst"),
        "txt" => Some("text/plain"),
        _ => None,
    }
}

fn read_license<'t, 'i>(fields: &mut Fields<'t, 'i, '_>, value: Value<'t, 'i>) -> Option<License> {
    match value.get_ref() {
        DeValue::String(expression) => Some(License::Expression(expression.to_string())),
        DeValue::Table(table) => {
            let mut inner = Fields::new("project.license", table, fields.problems);
            let file = inner.string("file");
            let text = inner.string("text");
            inner.finish(unknown_key);
            match (file, text) {
                (Some((file, _)), None) => Some(License::File(file)),
                (None, Some((text, _))) => Some(License::Text(text)),
                _ => {
                    let problem = Problem::error(
                        "project-license",
                        "`project.license` must have either `file` or `text`",
                    );
                    let problem =
                        problem.help("PEP 639 prefers an SPDX expression: `license = \"MIT\"`");
                    fields
                        .problems
                        .push(problem.at(toml_table::span(&value.span())));
                    None
                }
            }
        }
        _ => {
            fields.wrong_type("license", value, "an SPDX expression, or a table");
            None
        }
    }
}

fn read_license_files<'t, 'i>(
    fields: &mut Fields<'t, 'i, '_>,
    value: Value<'t, 'i>,
) -> Vec<String> {
    // Before PEP 639 was final, tools took a table of `paths` or `globs`.
    if let Some(table) = value.get_ref().as_table() {
        let mut inner = Fields::new("project.license-files", table, fields.problems);
        let mut patterns = inner
            .strings("paths")
            .map_or_else(Vec::new, Strings::into_values);
        patterns.extend(
            inner
                .strings("globs")
                .map_or_else(Vec::new, Strings::into_values),
        );
        inner.finish(unknown_key);
        return patterns;
    }
    fields
        .strings_of("license-files", value)
        .map_or_else(Vec::new, Strings::into_values)
}

fn read_people(fields: &mut Fields<'_, '_, '_>, key: &'static str) -> Vec<Person> {
    let Some(value) = fields.take(key) else {
        return Vec::new();
    };
    let Some(array) = value.get_ref().as_array() else {
        fields.wrong_type(key, value, "an array of tables with `name` and `email`");
        return Vec::new();
    };
    let mut people = Vec::new();
    for (i, item) in array.iter().enumerate() {
        let Some(table) = item.get_ref().as_table() else {
            fields.wrong_type(
                &format!("{key}[{i}]"),
                item,
                "a table with `name` and `email`",
            );
            continue;
        };
        let mut inner = Fields::new(format!("project.{key}[{i}]"), table, fields.problems);
        let person = Person {
            name: inner.string("name").map(|(text, _)| text),
            email: inner.string("email").map(|(text, _)| text),
        };
        inner.finish(unknown_key);
        if person == Person::default() {
            let problem = Problem::error(
                "project-person-empty",
                format!("`project.{key}[{i}]` has neither `name` nor `email`"),
            );
            fields
                .problems
                .push(problem.at(toml_table::span(&item.span())));
        } else {
            people.push(person);
        }
    }
    people
}

fn read_urls(fields: &mut Fields<'_, '_, '_>) -> Vec<(String, String)> {
    let Some((table, _)) = fields.table("urls") else {
        return Vec::new();
    };
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(label, _)| label.span().start);
    let mut urls = Vec::new();
    for (label, value) in entries {
        match value.get_ref().as_str() {
            Some(url) => urls.push((label.get_ref().to_string(), url.to_owned())),
            None => fields.wrong_type(&format!("urls.{}", label.get_ref()), value, "a string"),
        }
    }
    urls
}

/// Checks that each requirement begins with a name (PEP 508); versions and markers are pip's to
/// judge.
fn requirements(fields: &mut Fields<'_, '_, '_>, strings: Strings) -> Vec<String> {
    for (requirement, span) in &strings.items {
        let end = requirement
            .find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)))
            .unwrap_or(requirement.len());
        if !is_valid_name(&requirement[..end]) {
            let problem = Problem::error(
                "project-dependency",
                format!("`{requirement}` does not begin with a distribution's name"),
            );
            fields.problems.push(
                problem
                    .at(*span)
                    .help("write it as in `pyramid>=2,<3` (PEP 508)"),
            );
        }
    }
    strings.into_values()
}

/// The first line of a library's message: the others draw the place, which the span does already.
fn first_line(error: &impl ToString) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_owned()
}
