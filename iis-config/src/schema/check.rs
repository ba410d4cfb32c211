//! A configuration file held against a schema.

use spanned_xml::{Attribute, Element, Problem, Problems, Source, nearest};

use super::attribute::{AttributeSchema, AttributeType, Fault};
use super::element::{Collection, ElementSchema, Schema};
use crate::declared::Keys;
use crate::section;

impl Schema {
    /// Everything in a configuration file that IIS would refuse by this schema, in document order.
    ///
    /// Sections that the schema does not have are passed over, except below a group that it knows: there a name that it
    /// does not have is a warning.
    ///
    /// # Errors
    ///
    /// The file is not a configuration file.
    pub fn check(&self, source: &Source) -> Result<Vec<Problem>, Problems> {
        let document = section::parse(source).map_err(|problem| problem.in_source(source))?;
        let mut problems = Vec::new();
        self.check_level(document.root(), "", &mut problems);
        Ok(problems)
    }

    fn check_level(&self, parent: &Element, path: &str, problems: &mut Vec<Problem>) {
        for child in parent.elements() {
            if path.is_empty() && child.name == "location" {
                self.check_level(child, "", problems);
                continue;
            }
            let path = if path.is_empty() {
                child.name.clone()
            } else {
                format!("{path}/{}", child.name)
            };
            if let Some(schema) = self.sections.get(&path) {
                // A section kept in another file has nothing else here.
                if child.attribute("configSource").is_none() {
                    check_element(schema, child, Role::Section, problems);
                }
            } else if self.is_group(&path) {
                self.check_level(child, &path, problems);
            } else if let Some((group, name)) = path.rsplit_once('/') {
                problems.push(self.unknown_section(group, name, child));
            }
        }
    }

    fn unknown_section(&self, group: &str, name: &str, element: &Element) -> Problem {
        let known = self
            .section_paths()
            .filter_map(|path| path.strip_prefix(group)?.strip_prefix('/'))
            .filter_map(|rest| rest.split('/').next());
        Problem::warning(
            "iis-schema-section-unknown",
            format!("the schema has no section `{group}/{name}`"),
        )
        .at(element.name_span)
        .help(match nearest(name, known, 1).first() {
            Some(known) => format!("did you mean `{known}`?"),
            None => {
                "install the module that it belongs to, and give its schema file too".to_owned()
            }
        })
    }
}

/// What an element is, which decides what it must have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Section,
    Element,
    Entry {
        any_attribute: bool,
    },
    /// A removal has the keys only.
    Removal,
}

fn check_element(
    schema: &ElementSchema,
    element: &Element,
    role: Role,
    problems: &mut Vec<Problem>,
) {
    for attribute in &element.attributes {
        match schema.attribute(&attribute.name) {
            Some(declared) => check_value(declared, attribute, problems),
            None if is_general(&attribute.name, role)
                || role
                    == (Role::Entry {
                        any_attribute: true,
                    }) => {}
            None => problems.push(unknown_attribute(schema, element, attribute)),
        }
    }
    if role == Role::Removal {
        return;
    }
    if !schema.is_collection_default {
        for declared in schema
            .attributes
            .iter()
            .filter(|declared| declared.required)
        {
            if element.attribute(&declared.name).is_none() {
                problems.push(
                    Problem::error(
                        "iis-schema-attribute-missing",
                        format!(
                            "`{}` has no `{}`, which the schema requires",
                            element.name, declared.name
                        ),
                    )
                    .at(element.start_tag)
                    .help(format!("add {}=\"…\"", declared.name)),
                );
            }
        }
    }
    let mut keys = Keys::new();
    let mut seen = Keys::new();
    for child in element.elements() {
        let collection = schema.collection.as_deref();
        if let Some(declared) = schema.element(&child.name) {
            if let Some(first) = seen.declared_before(child.name.as_str(), child.start_tag) {
                problems.push(
                    Problem::error(
                        "iis-schema-element-duplicate",
                        format!("`{}` is there twice", child.name),
                    )
                    .at(child.start_tag)
                    .related(first, "first here")
                    .help("move everything into one"),
                );
            }
            check_element(declared, child, Role::Element, problems);
        } else if collection.is_some_and(|of| of.clears(&child.name)) {
            check_element(&ElementSchema::default(), child, Role::Removal, problems);
            keys = Keys::new();
        } else if let Some(collection) = collection.filter(|of| of.removes(&child.name)) {
            check_element(&collection.entry, child, Role::Removal, problems);
            for key in collection.entry.keys(child) {
                keys.forget(&key);
            }
        } else if let Some(collection) = collection.filter(|of| of.adds(&child.name)) {
            let role = Role::Entry {
                any_attribute: collection.allow_unrecognized_attributes,
            };
            check_element(&collection.entry, child, role, problems);
            check_keys(collection, child, &mut keys, problems);
        } else {
            problems.push(unknown_element(schema, element, child));
        }
    }
}

fn check_keys(
    collection: &Collection,
    entry: &Element,
    keys: &mut Keys<String>,
    problems: &mut Vec<Problem>,
) {
    if collection.allow_duplicates {
        return;
    }
    for key in collection.entry.keys(entry) {
        if let Some(first) = keys.declared_before(key, entry.start_tag) {
            let names: Vec<&str> = collection
                .entry
                .attributes
                .iter()
                .filter(|attribute| attribute.is_unique_key || attribute.is_combined_key)
                .map(|attribute| attribute.name.as_str())
                .collect();
            problems.push(
                Problem::error(
                    "iis-schema-key-duplicate",
                    format!(
                        "another `{}` has the same {}",
                        entry.name,
                        names.join(" and ")
                    ),
                )
                .at(entry.start_tag)
                .related(first, "first here")
                .help("remove one of the two: IIS refuses the whole section (0x800700b7)"),
            );
            return;
        }
    }
}

/// Attributes that any element may have, whatever its schema says: locks, and on sections where their content is.
fn is_general(name: &str, role: Role) -> bool {
    matches!(
        name,
        "lockItem"
            | "lockAttributes"
            | "lockElements"
            | "lockAllAttributesExcept"
            | "lockAllElementsExcept"
    ) || name.starts_with("xmlns")
        || name.contains(':')
        || (role == Role::Section && matches!(name, "configSource" | "configProtectionProvider"))
}

fn unknown_attribute(schema: &ElementSchema, element: &Element, attribute: &Attribute) -> Problem {
    let known = schema.attributes.iter().map(|known| known.name.as_str());
    Problem::error(
        "iis-schema-attribute-unknown",
        format!("`{}` takes no attribute `{}`", element.name, attribute.name),
    )
    .at(attribute.name_span)
    .help(did_you_mean(&attribute.name, known))
}

fn unknown_element(schema: &ElementSchema, parent: &Element, child: &Element) -> Problem {
    let collection = schema.collection.as_deref();
    let known = schema
        .elements
        .iter()
        .map(|known| known.name.as_str())
        .chain(
            collection
                .into_iter()
                .flat_map(|of| {
                    of.add_elements
                        .iter()
                        .chain(&of.remove_element)
                        .chain(&of.clear_element)
                })
                .map(String::as_str),
        );
    Problem::error(
        "iis-schema-element-unknown",
        format!("`{}` takes no element `{}`", parent.name, child.name),
    )
    .at(child.name_span)
    .help(did_you_mean(&child.name, known))
}

fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(name, known, 1).first() {
        Some(known) => format!("did you mean `{known}`? Names are case-sensitive"),
        None => "remove it: IIS refuses the section as long as it is there".to_owned(),
    }
}

fn check_value(declared: &AttributeSchema, attribute: &Attribute, problems: &mut Vec<Problem>) {
    let Some(fault) = declared.fault(&attribute.value) else {
        return;
    };
    let (name, value) = (&attribute.name, &attribute.value);
    let problem = match fault {
        Fault::Type(wanted) => Problem::error(
            "iis-schema-value-type",
            format!("`{name}` is `{value}`, which is not {wanted}"),
        )
        .help(if value.contains('%') {
            format!("write {wanted}: IIS does not expand variables here")
        } else {
            format!("write {wanted}")
        }),
        Fault::Name(unknown) => {
            let (AttributeType::Enum(names) | AttributeType::Flags(names)) = &declared.kind else {
                return;
            };
            let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
            Problem::error(
                "iis-schema-value-name",
                format!("`{name}` cannot be `{unknown}`"),
            )
            .help(match nearest(&unknown, names.iter().copied(), 1).first() {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("use one of {}", names.join(", ")),
            })
        }
        Fault::Refused(wanted) => Problem::error(
            "iis-schema-range",
            format!("`{name}` is `{value}`, which IIS refuses"),
        )
        .help(format!("use {wanted}")),
    };
    problems.push(problem.at(attribute.value_span));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"<configSchema><sectionSchema name="g/s">
        <attribute name="on" type="bool" defaultValue="false"/>
        <attribute name="mode" type="enum"><enum name="First" value="0"/><enum name="Second" value="1"/></attribute>
        <attribute name="count" type="uint" validationType="integerRange" validationParameter="1,9"/>
        <element name="limits"><attribute name="size" type="uint"/></element>
        <collection addElement="add" removeElement="remove" clearElement="clear" defaultElement="defaults">
          <attribute name="name" type="string" required="true" isUniqueKey="true" validationType="nonEmptyString"/>
          <attribute name="value" type="string"/>
        </collection>
        <element name="defaults" isCollectionDefault="true"><attribute name="name" type="string" required="true"/></element>
      </sectionSchema></configSchema>"#;

    fn check(section: &str, expected: &[(&str, &str)]) {
        let mut schema = Schema::new();
        assert_eq!(schema.read(&Source::from_text("s", SCHEMA)).unwrap(), []);
        for text in [
            format!("<configuration><g>{section}</g></configuration>"),
            format!(
                "<configuration><location path='a'><g>{section}</g></location></configuration>"
            ),
        ] {
            let source = Source::from_text("c", text);
            let found: Vec<(&str, String)> = schema
                .check(&source)
                .unwrap()
                .into_iter()
                .map(|problem| {
                    assert!(problem.help.is_some(), "{problem}");
                    (problem.code, source.slice(problem.span.unwrap()).to_owned())
                })
                .collect();
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|(code, at)| (*code, at.as_str()))
                .collect();
            assert_eq!(found, expected, "{section}");
        }
    }

    #[test]
    fn right_sections_pass() {
        check(
            "<s on='True' mode='second' count='9' lockItem='true'><clear/><add name='a'/><remove name='a'/><add name='A'/><limits size='1'/><defaults/></s>",
            &[],
        );
        check("<s configSource='other.config'/>", &[]);
        check("<s><add name='a'/><clear/><add name='A'/></s>", &[]);
    }

    #[test]
    fn every_fault_has_its_code_and_place() {
        check("<s on='yes'/>", &[("iis-schema-value-type", "yes")]);
        check("<s mode='Fist'/>", &[("iis-schema-value-name", "Fist")]);
        check("<s count='10'/>", &[("iis-schema-range", "10")]);
        check(
            "<s Count='1'/>",
            &[("iis-schema-attribute-unknown", "Count")],
        );
        check(
            "<s><limit/></s>",
            &[("iis-schema-element-unknown", "limit")],
        );
        check(
            "<s><limits/><limits/></s>",
            &[("iis-schema-element-duplicate", "<limits/>")],
        );
        check(
            "<s><add/></s>",
            &[("iis-schema-attribute-missing", "<add/>")],
        );
        check("<s><add name=''/></s>", &[("iis-schema-range", "")]);
        check(
            "<s><clear name='a'/></s>",
            &[("iis-schema-attribute-unknown", "name")],
        );
        check(
            "<s><add name='a'/><add name='A'/></s>",
            &[("iis-schema-key-duplicate", "<add name='A'/>")],
        );
        check("<t/>", &[("iis-schema-section-unknown", "t")]);
        check(
            "<s on='1' count='x'><add value=''/></s>",
            &[
                ("iis-schema-value-type", "1"),
                ("iis-schema-value-type", "x"),
                ("iis-schema-attribute-missing", "<add value=''/>"),
            ],
        );
    }

    #[test]
    fn faults_of_a_schema_come_all_at_once() {
        let mut schema = Schema::new();
        let problems = schema
            .read(&Source::from_text("s", r#"<configSchema><section/><sectionSchema>
                <attribute name="a" type="text"/><attribute name="b" type="uint" validationType="range"/>
                <attribute name="c" type="enum"><enum name="x" value="y"/></attribute></sectionSchema></configSchema>"#))
            .unwrap_err();
        let codes: Vec<&str> = problems
            .problems
            .iter()
            .map(|problem| problem.code)
            .collect();
        assert_eq!(
            codes,
            [
                "iis-schema-element-odd",
                "iis-schema-type",
                "iis-schema-validation",
                "iis-schema-number",
                "iis-schema-name-missing"
            ]
        );
        assert_eq!(schema, Schema::new());
        let other = schema
            .read(&Source::from_text("s", "<configuration/>"))
            .unwrap_err();
        assert_eq!(other.problems[0].code, "iis-schema-not-a-schema");
        let bomb = schema.read(&Source::from_text(
            "s",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><configSchema/>",
        ));
        assert_eq!(bomb.unwrap_err().problems[0].code, "xml-doctype");
    }
}
