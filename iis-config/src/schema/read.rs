//! A schema file read.

use spanned_xml::{Document, Element, Problem, Problems, Source};

use super::attribute::{AttributeSchema, AttributeType, TimeSpanFormat, Validation};
use super::element::{Collection, ElementSchema, Schema};

impl Schema {
    /// Adds the sections of a schema file; a section that is there already is extended, as IIS does.
    ///
    /// Returns what is odd: Microsoft's own file holds a misspelled attribute.
    ///
    /// # Errors
    ///
    /// All that is wrong with the file; the schema is then as it was.
    pub fn read(&mut self, source: &Source) -> Result<Vec<Problem>, Problems> {
        let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
        let mut problems = Vec::new();
        let root = document.root();
        if root.name != "configSchema" {
            problems.push(
                Problem::error(
                    "iis-schema-not-a-schema",
                    format!(
                        "the root element is `{}`; a schema's is `configSchema`",
                        root.name
                    ),
                )
                .at(root.name_span)
                .help(r"give a file of %windir%\System32\inetsrv\config\schema"),
            );
        }
        let mut sections = Vec::new();
        for child in root.elements() {
            if child.name == "sectionSchema" {
                sections.push(element(child, &mut problems));
            } else {
                odd(child, &["sectionSchema"], &mut problems);
            }
        }
        let (sections, warnings) = Problems::or_value(source, problems, sections)?;
        for section in sections {
            match self.sections.get_mut(&section.name) {
                Some(known) => known.extend(section),
                None => {
                    self.sections.insert(section.name.clone(), section);
                }
            }
        }
        Ok(warnings)
    }
}

fn says(element: &Element, attribute: &str) -> bool {
    element
        .value(attribute)
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn name(element: &Element, problems: &mut Vec<Problem>) -> String {
    let name = element.value("name").unwrap_or_default();
    if name.is_empty() {
        problems.push(
            Problem::error(
                "iis-schema-name-missing",
                format!("`{}` has no `name`", element.name),
            )
            .at(element.start_tag)
            .help("give it one"),
        );
    }
    name.to_owned()
}

fn odd(element: &Element, known: &[&str], problems: &mut Vec<Problem>) {
    problems.push(
        Problem::error(
            "iis-schema-element-odd",
            format!("the schema language has no `{}` here", element.name),
        )
        .at(element.start_tag)
        .help(format!("use one of: {}", known.join(", "))),
    );
}

fn element(declared: &Element, problems: &mut Vec<Problem>) -> ElementSchema {
    let mut schema = content(declared, problems);
    schema.name = name(declared, problems);
    schema
}

fn content(declared: &Element, problems: &mut Vec<Problem>) -> ElementSchema {
    let mut schema = ElementSchema {
        is_collection_default: says(declared, "isCollectionDefault"),
        ..ElementSchema::default()
    };
    for child in declared.elements() {
        match child.name.as_str() {
            "attribute" => schema.attributes.extend(attribute(child, problems)),
            "element" => schema.elements.push(element(child, problems)),
            "collection" => schema.collection = Some(Box::new(collection(child, problems))),
            _ => odd(child, &["attribute", "element", "collection"], problems),
        }
    }
    schema
}

fn collection(declared: &Element, problems: &mut Vec<Problem>) -> Collection {
    let text = |attribute: &str| {
        let value = declared.value(attribute)?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    Collection {
        add_elements: declared
            .value("addElement")
            .unwrap_or_default()
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
        remove_element: text("removeElement"),
        clear_element: text("clearElement"),
        default_element: text("defaultElement"),
        merge_append: declared
            .value("mergeAppend")
            .is_none_or(|value| !value.eq_ignore_ascii_case("false")),
        allow_duplicates: says(declared, "allowDuplicates"),
        allow_unrecognized_attributes: says(declared, "allowUnrecognizedAttributes"),
        entry: content(declared, problems),
    }
}

fn attribute(declared: &Element, problems: &mut Vec<Problem>) -> Option<AttributeSchema> {
    let name = name(declared, problems);
    let kind = kind(declared, problems)?;
    Some(AttributeSchema {
        name,
        kind,
        required: says(declared, "required"),
        is_unique_key: says(declared, "isUniqueKey"),
        is_combined_key: says(declared, "isCombinedKey"),
        case_sensitive: says(declared, "caseSensitive"),
        // `removeServerHeader` of IIS 10 has `defaultvalue`.
        default_value: declared
            .attribute_ignore_case("defaultValue")
            .map(|default| default.value.clone()),
        encrypted: says(declared, "encrypted"),
        expanded: says(declared, "expanded"),
        allow_infinite: says(declared, "allowInfinite"),
        validation: validation(declared, problems),
    })
}

fn kind(declared: &Element, problems: &mut Vec<Problem>) -> Option<AttributeType> {
    Some(match declared.value("type").unwrap_or_default() {
        "bool" => AttributeType::Bool,
        "enum" => AttributeType::Enum(names(declared, "enum", problems)),
        "flags" => AttributeType::Flags(names(declared, "flag", problems)),
        "uint" => AttributeType::Uint,
        "int" => AttributeType::Int,
        "int64" => AttributeType::Int64,
        "string" => AttributeType::String,
        "timeSpan" => AttributeType::TimeSpan(match declared.value("timeSpanFormat") {
            Some("seconds") => TimeSpanFormat::Seconds,
            Some("minutes") => TimeSpanFormat::Minutes,
            _ => TimeSpanFormat::String,
        }),
        other => {
            problems.push(
                Problem::error(
                    "iis-schema-type",
                    format!("`{other}` is not a type of the schema language"),
                )
                .at(declared
                    .attribute("type")
                    .map_or(declared.start_tag, |kind| kind.span))
                .help("use bool, enum, flags, uint, int, int64, string or timeSpan"),
            );
            return None;
        }
    })
}

fn names(declared: &Element, child: &str, problems: &mut Vec<Problem>) -> Vec<(String, i64)> {
    let mut names = Vec::new();
    for entry in declared.elements() {
        if entry.name != child {
            odd(entry, &[child], problems);
            continue;
        }
        let written = entry.value("value").unwrap_or_default();
        let number = match written.strip_prefix("0x") {
            Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16).ok(),
            None => written.parse().ok(),
        };
        match number {
            Some(number) => names.push((name(entry, problems), number)),
            None => problems.push(
                Problem::error(
                    "iis-schema-number",
                    format!("the value of `{child}` is `{written}`, which is not a number"),
                )
                .at(entry.start_tag)
                .help("give the number that stands for the name"),
            ),
        }
    }
    names
}

fn validation(declared: &Element, problems: &mut Vec<Problem>) -> Option<Validation> {
    let kind = declared.attribute("validationType")?;
    let parameter = declared.value("validationParameter").unwrap_or_default();
    let parts: Vec<&str> = parameter.split(',').map(str::trim).collect();
    let exclude = parts.last() == Some(&"exclude");
    let numbers: Option<Vec<i64>> = parts
        .iter()
        .filter(|part| **part != "exclude")
        .map(|part| part.parse().ok())
        .collect();
    let validation = match (kind.value.as_str(), numbers.as_deref()) {
        ("applicationPoolName", _) => Validation::ApplicationPoolName,
        ("siteName", _) => Validation::SiteName,
        ("applicationPath" | "virtualDirectoryPath", _) => Validation::ApplicationPath,
        ("nonEmptyString", _) => Validation::NonEmptyString,
        ("requireTrimmedString", _) => Validation::RequireTrimmedString,
        ("integerRange", Some(&[min, max])) => Validation::IntegerRange { min, max, exclude },
        ("timeSpanRange", Some(&[min, max, granularity])) => Validation::TimeSpanRange {
            min,
            max,
            granularity,
            exclude,
        },
        (other, _) => {
            problems.push(
                Problem::error(
                    "iis-schema-validation",
                    format!("`{other}` with the parameter `{parameter}` is not a validator"),
                )
                .at(kind.span)
                .help("integerRange takes `min,max[,exclude]`, timeSpanRange `min,max,granularity[,exclude]`"),
            );
            return None;
        }
    };
    Some(validation)
}
