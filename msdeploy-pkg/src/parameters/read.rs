//! Reading a `Parameters.xml`, with all its faults at once.

use std::collections::HashMap;

use spanned_xml::{Attribute, Document, Element, Problem, Problems, Source, Span, nearest};

use super::parameter::{
    EntryKind, Localized, Parameter, ParameterEntry, Parameters, TextPosition, Validation, folded,
};
use crate::dotnet_regex::Pattern;
use crate::xpath::XPath;

impl Parameters {
    /// Reads a file.
    ///
    /// A scope or match that .NET would accept and this program cannot do is a warning: such a package can be looked
    /// at, and installing it fails before a file is changed.
    ///
    /// # Errors
    ///
    /// All faults: XML, another root element than `parameters`, parameters without a name or with one that is taken,
    /// entries and validations that are incomplete or malformed.
    pub fn parse(source: &Source) -> Result<(Self, Vec<Problem>), Problems> {
        let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
        let root = document.root();
        let mut reader = Reader {
            source,
            problems: Vec::new(),
        };
        if !root.is("parameters") {
            reader.problems.push(
                Problem::error(
                    "parameters-root",
                    format!("the file begins with `<{}>`, not with `<parameters>`", root.name),
                )
                .at(root.name_span)
                .help("a Parameters.xml is `<parameters><parameter name=\"…\">…</parameter></parameters>`"),
            );
        }
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut names: HashMap<String, usize> = HashMap::new();
        for element in root.elements() {
            if !element.is("parameter") {
                reader.unknown_element(element, "parameters", &["parameter"]);
                continue;
            }
            let Some(parameter) = reader.parameter(element) else {
                continue;
            };
            let known = parameters.len();
            let first = *names.entry(folded(&parameter.name)).or_insert(known);
            if let Some(first) = parameters.get(first) {
                reader.problems.push(
                    Problem::error(
                        "parameter-duplicate-name",
                        format!("the parameter `{}` is declared twice", parameter.name),
                    )
                    .at(parameter.name_span)
                    .related(first.name_span, "declared here first")
                    .help("give one of them another name, or put the entries of both into one"),
                );
                continue;
            }
            parameters.push(parameter);
        }
        let parameters = Self {
            parameters,
            source: source.clone(),
        };
        Problems::or_value(source, reader.problems, parameters)
    }
}

struct Reader<'s> {
    source: &'s Source,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn unknown_element(&mut self, element: &Element, parent: &str, known: &[&str]) {
        self.problems.push(
            Problem::warning(
                "parameters-unknown-element",
                format!("`<{}>` means nothing inside `<{parent}>`", element.name),
            )
            .at(element.name_span)
            .help(meant(&element.name, known)),
        );
    }

    /// Attributes that are not read: mostly those of a misspelt name.
    fn unknown_attributes(&mut self, element: &Element, known: &[&str]) {
        for attribute in &element.attributes {
            let is_known = known
                .iter()
                .any(|known| attribute.name.eq_ignore_ascii_case(known));
            if !is_known && !attribute.name.contains(':') && attribute.name != "xmlns" {
                self.problems.push(
                    Problem::warning(
                        "parameters-unknown-attribute",
                        format!("`{}` means nothing on `<{}>`", attribute.name, element.name),
                    )
                    .at(attribute.name_span)
                    .help(meant(&attribute.name, known)),
                );
            }
        }
    }

    /// The place inside an attribute's value, where it is written without references; else the whole value.
    fn inside(&self, attribute: &Attribute, place: Span) -> Span {
        if self.source.slice(attribute.value_span) == attribute.value {
            place.shifted(attribute.value_span.start)
        } else {
            attribute.value_span
        }
    }

    fn parameter(&mut self, element: &Element) -> Option<Parameter> {
        let value = |name: &str| element.attribute_ignore_case(name);
        let name = value("name").filter(|name| !name.value.trim().is_empty());
        let Some(name) = name else {
            self.problems.push(
                Problem::error("parameter-without-name", "a `<parameter>` without a `name`")
                    .at(element.name_span)
                    .help("give it a name: `name=\"…\"`"),
            );
            return None;
        };
        self.unknown_attributes(
            element,
            &[
                "name",
                "friendlyName",
                "description",
                "defaultValue",
                "value",
                "tags",
            ],
        );
        let mut parameter = Parameter {
            name: name.value.clone(),
            name_span: name.value_span,
            friendly_name: value("friendlyName").map(|found| found.value.clone()),
            description: value("description").map(|found| found.value.clone()),
            friendly_names: Vec::new(),
            descriptions: Vec::new(),
            default_value: value("defaultValue").map(|found| found.value.clone()),
            value: value("value").map(|found| found.value.clone()),
            value_span: value("value")
                .or_else(|| value("defaultValue"))
                .map_or(name.value_span, |found| found.value_span),
            tags: value("tags").map(tags).unwrap_or_default(),
            validations: Vec::new(),
            entries: Vec::new(),
            span: element.start_tag,
        };
        for child in element.elements() {
            if child.is("parameterEntry") {
                if let Some(entry) = self.entry(child) {
                    parameter.entries.push(entry);
                }
            } else if child.is("parameterValidation") {
                self.validation(child, &mut parameter.validations);
            } else if child.is("description") {
                parameter.descriptions.push(text_of(child));
            } else if child.is("friendlyName") {
                parameter.friendly_names.push(text_of(child));
            } else {
                self.unknown_element(
                    child,
                    "parameter",
                    &[
                        "parameterEntry",
                        "parameterValidation",
                        "description",
                        "friendlyName",
                    ],
                );
            }
        }
        Some(parameter)
    }

    /// `kind`, or `type` as the first release spelt it.
    fn kind<'e>(&mut self, element: &'e Element, example: &str) -> Option<&'e Attribute> {
        let kind = element
            .attribute_ignore_case("kind")
            .or_else(|| element.attribute_ignore_case("type"));
        if kind.is_none() {
            self.problems.push(
                Problem::error(
                    "parameter-without-kind",
                    format!("`<{}>` has no `kind`", element.name),
                )
                .at(element.name_span)
                .help(format!("say which, for example `kind=\"{example}\"`")),
            );
        }
        kind
    }

    fn validation(&mut self, element: &Element, validations: &mut Vec<Validation>) {
        let Some(kind) = self.kind(element, "AllowEmpty") else {
            return;
        };
        self.unknown_attributes(element, &["kind", "type", "validationString"]);
        let text = element.attribute_ignore_case("validationString");
        for word in kind
            .value
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
        {
            let is = |name: &str| word.eq_ignore_ascii_case(name);
            if is("AllowEmpty") {
                validations.push(Validation::AllowEmpty);
            } else if is("Boolean") {
                validations.push(Validation::Boolean);
            } else if is("Enumeration") || is("RegularExpression") {
                let Some(text) = text else {
                    self.problems.push(
                        Problem::error(
                            "parameter-validation-string",
                            format!("the validation `{word}` has no `validationString`"),
                        )
                        .at(kind.value_span)
                        .help("add `validationString=\"…\"`: the values separated by commas, or the regular expression"),
                    );
                    continue;
                };
                if is("Enumeration") {
                    let values: Vec<String> = text.value.split(',').map(str::to_owned).collect();
                    if values.iter().any(|value| value.trim() != value) {
                        self.problems.push(
                            Problem::warning(
                                "parameter-enumeration-blanks",
                                "blanks around a value of an enumeration are part of the value",
                            )
                            .at(text.value_span)
                            .help("write the commas without blanks"),
                        );
                    }
                    validations.push(Validation::Enumeration(values));
                } else {
                    let pattern = Pattern::case_sensitive(&text.value);
                    self.pattern_fault(&pattern, text);
                    validations.push(Validation::RegularExpression(pattern));
                }
            } else {
                self.problems.push(
                    Problem::warning(
                        "parameter-unknown-validation",
                        format!("`{word}` is no validation"),
                    )
                    .at(kind.value_span)
                    .help(meant(
                        word,
                        &["AllowEmpty", "Boolean", "Enumeration", "RegularExpression"],
                    )),
                );
            }
        }
    }

    fn pattern_fault(&mut self, pattern: &Pattern, attribute: &Attribute) {
        let Some(fault) = pattern.fault() else { return };
        let span = self.inside(attribute, fault.place);
        self.problems.push(if fault.unsupported {
            Problem::warning("regex-unsupported", fault.message.clone())
                .at(span)
                .help("Web Deploy on Windows can do this; write it without, or install the package there")
        } else {
            Problem::error("regex-malformed", fault.message.clone())
                .at(span)
                .help("a backslash in front makes `. * + ? ( ) [ ] { } ^ $ | \\` stand for themselves")
        });
    }

    fn entry(&mut self, element: &Element) -> Option<ParameterEntry> {
        let kind = self.kind(element, "ProviderPath")?;
        self.unknown_attributes(element, &["kind", "type", "scope", "match", "tags"]);
        let scope_attribute = element.attribute_ignore_case("scope");
        let scope = Pattern::new(scope_attribute.map_or("", |scope| &scope.value));
        if let Some(attribute) = scope_attribute {
            self.pattern_fault(&scope, attribute);
        }
        let match_attribute = element.attribute_ignore_case("match");
        let match_text = match_attribute.map_or("", |found| &found.value);
        let word = kind.value.trim();
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        let kind = if is("ProviderPath") || is("TextFile") {
            let pattern = Pattern::new(match_text);
            if let Some(attribute) = match_attribute {
                self.pattern_fault(&pattern, attribute);
            }
            if is("ProviderPath") {
                EntryKind::ProviderPath(pattern)
            } else {
                if match_text.is_empty() {
                    self.problems.push(
                        Problem::error(
                            "parameter-entry-without-match",
                            "a `TextFile` entry without a `match`",
                        )
                        .at(element.name_span)
                        .help("add `match=\"…\"`, a regular expression for the text to replace"),
                    );
                }
                EntryKind::TextFile(pattern)
            }
        } else if is("TextFilePosition") {
            let Some(position) = TextPosition::parse(match_text) else {
                self.problems.push(
                    Problem::error(
                        "parameter-text-position",
                        format!("`{match_text}` is no position in a text file"),
                    )
                    .at(match_attribute.map_or(element.name_span, |found| found.value_span))
                    .help("write line, column and number of characters, counted from 1: `match=\"3;12;5\"`"),
                );
                return None;
            };
            EntryKind::TextFilePosition(position)
        } else if is("XmlFile") {
            let path = XPath::parse(match_text);
            if let Err(fault) = &path {
                self.problems.push(
                    Problem::warning("xpath-unsupported", fault.message.clone())
                        .at(match_attribute.map_or(element.name_span, |found| self.inside(found, fault.place)))
                        .help("`XmlFile` entries can use paths such as `/configuration/appSettings/add[@key='name']/@value`"),
                );
            }
            EntryKind::XmlFile(path)
        } else if is("DeploymentObjectAttribute") || is("DeploymentAttribute") {
            EntryKind::DeploymentObjectAttribute
        } else if is("DestinationBinding") {
            EntryKind::DestinationBinding
        } else if is("DestinationVirtualDirectory") {
            EntryKind::DestinationVirtualDirectory
        } else {
            self.problems.push(
                Problem::warning(
                    "parameter-unknown-entry-kind",
                    format!("`{word}` is no kind of entry"),
                )
                .at(kind.value_span)
                .help(meant(word, &ENTRY_KINDS)),
            );
            EntryKind::Other(word.to_owned())
        };
        Some(ParameterEntry {
            kind,
            scope,
            match_text: match_text.to_owned(),
            match_span: match_attribute.map_or(element.name_span, |found| found.value_span),
            tags: element
                .attribute_ignore_case("tags")
                .map(tags)
                .unwrap_or_default(),
            span: element.start_tag,
        })
    }
}

const ENTRY_KINDS: [&str; 7] = [
    "ProviderPath",
    "TextFile",
    "TextFilePosition",
    "XmlFile",
    "DeploymentObjectAttribute",
    "DestinationBinding",
    "DestinationVirtualDirectory",
];

/// What was probably meant, else what there is.
fn meant(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied(), 1).first() {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("what can stand here is `{}`", known.join("`, `")),
    }
}

fn tags(attribute: &Attribute) -> Vec<String> {
    attribute
        .value
        .split(',')
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}

fn text_of(element: &Element) -> Localized {
    Localized {
        culture: element.value("culture").unwrap_or_default().to_owned(),
        text: element.text().trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Parameters, Vec<Problem>), Problems> {
        Parameters::parse(&Source::from_text("Parameters.xml", text))
    }

    fn codes(problems: &[Problem]) -> Vec<&'static str> {
        problems.iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn a_whole_parameter() {
        let (parameters, problems) = parse(
            "<parameters><parameter name='Scaffold' friendlyName='Template' description='plain' defaultValue='a' tags='Hidden, iisApp'>\
             <description culture='de'>Vorlage</description><description culture='fr-CA'>gabarit</description>\
             <parameterValidation type='Enumeration,AllowEmpty' validationString='a,b'/>\
             <parameterEntry type='TextFile' scope='\\\\setup\\.cfg$' match='^x' tags='Sql'/>\
             <parameterEntry kind='providerpath' scope='IisApp' match='App'/>\
             <parameterEntry kind='XmlFile' scope='web.config' match='//@x'/>\
             <parameterEntry kind='TextFilePosition' scope='a' match='1;2;3'/>\
             </parameter></parameters>",
        )
        .unwrap();
        assert_eq!(codes(&problems), [""; 0]);
        let parameter = parameters.parameter("scaffold").unwrap();
        assert!(parameter.is_hidden() && parameter.has_tag("IISAPP") && parameter.allows_empty());
        assert_eq!(parameter.allowed().unwrap(), ["a", "b"]);
        assert_eq!(parameter.description_for("de-AT"), Some("Vorlage"));
        assert_eq!(parameter.description_for("fr-CA"), Some("gabarit"));
        assert_eq!(parameter.description_for("fr"), Some("plain"));
        assert_eq!(parameter.label_for(""), "Template");
        let kinds: Vec<&str> = parameter
            .entries
            .iter()
            .map(|entry| entry.kind.name())
            .collect();
        assert_eq!(
            kinds,
            ["TextFile", "ProviderPath", "XmlFile", "TextFilePosition"]
        );
        assert_eq!(parameter.entries[0].tags, ["Sql"]);
        assert_eq!(parameters.prompts().count(), 0);
    }

    #[test]
    fn all_faults_at_once() {
        let problems = parse(
            "<parameters>\n<parameter name='A'/>\n<parameter name='a'/>\n<parameter/>\n\
             <parameter name='B'><parameterEntry scope='x' match='y'/><parameterEntry kind='TextFile' scope='(' match='y'/>\
             <parameterEntry kind='TextFilePosition' scope='x' match='0;1;2'/><parameterValidation kind='Enumeration'/></parameter>\n</parameters>",
        )
        .unwrap_err();
        assert_eq!(
            codes(&problems.problems),
            [
                "parameter-duplicate-name",
                "parameter-without-name",
                "parameter-without-kind",
                "regex-malformed",
                "parameter-text-position",
                "parameter-validation-string",
            ]
        );
        assert!(
            problems.to_string().contains("Parameters.xml:3:18:"),
            "{problems}"
        );
        assert_eq!(problems.problems[0].related.len(), 1);
        assert_eq!(
            codes(&parse("<p/>").unwrap_err().problems),
            ["parameters-root"]
        );
    }

    #[test]
    fn misspelt_names_get_a_hint() {
        let (_, problems) = parse(
            "<parameters><paramter name='x'/><parameter name='A' defaultVal='x'><parameterEntry kind='TextFlie' scope='a' mach='b'/>\
             <parameterValidation kind='Enumerated'/></parameter></parameters>",
        )
        .unwrap();
        let helps: Vec<_> = problems
            .iter()
            .map(|problem| problem.help.as_deref().unwrap_or_default())
            .collect();
        assert_eq!(
            helps,
            [
                "did you mean `parameter`?",
                "did you mean `defaultValue`?",
                "did you mean `match`?",
                "did you mean `TextFile`?",
                "did you mean `Enumeration`?",
            ]
        );
    }

    #[test]
    fn what_windows_could_do_is_a_warning_in_its_place() {
        let (parameters, problems) = parse(
            "<parameters><parameter name='A'><parameterEntry kind='TextFile' scope='x' match='ab[[:c:]]'/>\
             <parameterEntry kind='XmlFile' scope='x' match='//x:a'/><parameterEntry kind='Strange' scope='x' match=''/><odd/>\
             <parameterValidation kind='Odd,Enumeration' validationString='a, b'/></parameter><odd/></parameters>",
        )
        .unwrap();
        assert_eq!(
            codes(&problems),
            [
                "regex-unsupported",
                "xpath-unsupported",
                "parameter-unknown-entry-kind",
                "parameters-unknown-element",
                "parameter-unknown-validation",
                "parameter-enumeration-blanks",
                "parameters-unknown-element",
            ]
        );
        assert_eq!(parameters.source.slice(problems[0].span.unwrap()), "[");
    }
}
