//! Attributes as the IIS schema types them: `string`, `uint` with a range, `bool`, `enum`.
//!
//! The types and their validators are those described at the head of Microsoft's `IIS_schema.xml`. Attribute names are
//! case-sensitive, as XML's are; enumeration names and booleans are read whatever their case.

use core::time::Duration;

use spanned_xml::{Attribute, Element, Problem, nearest};

/// An attribute of type `uint` with `validationType="integerRange"`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uint {
    pub(crate) name: &'static str,
    pub(crate) default: u32,
    pub(crate) min: u32,
    pub(crate) max: u32,
    /// What one counts, for messages: `seconds`, `requests`; empty where the name says it.
    pub(crate) unit: &'static str,
}

impl Uint {
    pub(crate) const fn new(
        name: &'static str,
        default: u32,
        min: u32,
        max: u32,
        unit: &'static str,
    ) -> Self {
        Self {
            name,
            default,
            min,
            max,
            unit,
        }
    }

    pub(crate) const fn seconds(self) -> Duration {
        Duration::from_secs(self.default as u64)
    }

    fn range(self) -> String {
        let space = if self.unit.is_empty() { "" } else { " " };
        format!("{} to {}{space}{}", self.min, self.max, self.unit)
    }

    /// The problem with `value`, where it is out of range.
    pub(crate) fn check(self, value: u64) -> Option<Problem> {
        if (u64::from(self.min)..=u64::from(self.max)).contains(&value) {
            return None;
        }
        Some(
            Problem::error(
                "iis-attribute-out-of-range",
                format!("`{}` is {value}; IIS takes {}", self.name, self.range()),
            )
            .help(format!("use a value from {}", self.range())),
        )
    }

    /// The attribute for writing.
    pub(crate) fn value(self, value: u64) -> AttributeValue {
        AttributeValue {
            name: self.name,
            value: value.to_string(),
            default: Some(self.default.to_string()),
        }
    }
}

/// An attribute for writing: left out of a new element where the value is the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttributeValue {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// `None` for an attribute that is always written.
    pub(crate) default: Option<String>,
}

impl AttributeValue {
    pub(crate) fn required(name: &'static str, value: &str) -> Self {
        Self {
            name,
            value: value.to_owned(),
            default: None,
        }
    }

    pub(crate) fn string(name: &'static str, value: &str, default: &str) -> Self {
        Self {
            name,
            value: value.to_owned(),
            default: Some(default.to_owned()),
        }
    }

    pub(crate) fn boolean(name: &'static str, value: bool, default: bool) -> Self {
        Self {
            name,
            value: value.to_string(),
            default: Some(default.to_string()),
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        self.default.as_deref() == Some(self.value.as_str())
    }

    /// Whether `written` says the same: numbers and booleans have more than one spelling.
    pub(crate) fn says(&self, written: &str) -> bool {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let boolean = |text: &str| text.parse::<bool>().is_ok();
        self.value == written
            || (number(&self.value).is_some() && number(&self.value) == number(written))
            || (boolean(&self.value) && self.value.eq_ignore_ascii_case(written))
    }
}

/// The problem with a string that XML cannot carry: control characters and the like.
pub(crate) fn check_text(name: &str, value: &str) -> Option<Problem> {
    let odd = value.chars().find(|c| {
        matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
    })?;
    Some(
        Problem::error(
            "iis-attribute-not-xml",
            format!(
                "`{name}` holds U+{:04X}, which XML cannot carry",
                u32::from(odd)
            ),
        )
        .help("leave the character out"),
    )
}

/// Reads an element's attributes, collecting what is wrong with them.
pub(crate) struct Reader<'a, 'p> {
    pub(crate) element: &'a Element,
    pub(crate) problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Reader<'a, 'p> {
    pub(crate) fn new(element: &'a Element, problems: &'p mut Vec<Problem>) -> Self {
        Self { element, problems }
    }

    pub(crate) fn string(&self, name: &str, default: &str) -> String {
        self.element.value(name).unwrap_or(default).to_owned()
    }

    /// A `required="true"` attribute; `non_empty` for `validationType="nonEmptyString"`.
    pub(crate) fn required(&mut self, name: &'static str, non_empty: bool) -> String {
        let element = &self.element.name;
        match self.element.attribute(name) {
            None => {
                let mut problem = Problem::error(
                    "iis-attribute-missing",
                    format!("`{element}` has no `{name}`"),
                )
                .at(self.element.start_tag)
                .help(format!(
                    "add {name}=\"…\"; IIS refuses the section without it"
                ));
                if let Some(near) = self.element.attribute_ignore_case(name) {
                    problem = problem.related(
                        near.name_span,
                        format!("attribute names are case-sensitive: write `{name}`"),
                    );
                }
                self.problems.push(problem);
                String::new()
            }
            Some(attribute) => {
                if non_empty && attribute.value.is_empty() {
                    self.problems.push(
                        Problem::error(
                            "iis-attribute-empty",
                            format!("`{name}` of `{element}` is empty"),
                        )
                        .at(attribute.span)
                        .help("give it a value; IIS refuses the section without one"),
                    );
                }
                attribute.value.clone()
            }
        }
    }

    pub(crate) fn uint(&mut self, uint: Uint) -> u32 {
        let Some(attribute) = self.element.attribute(uint.name) else {
            return uint.default;
        };
        let Ok(value) = attribute.value.trim().parse::<u64>() else {
            self.problems.push(not_a_number(attribute, uint));
            return uint.default;
        };
        if let Some(problem) = uint.check(value) {
            self.problems.push(problem.at(attribute.value_span));
        }
        u32::try_from(value).unwrap_or(uint.default)
    }

    pub(crate) fn seconds(&mut self, uint: Uint) -> Duration {
        Duration::from_secs(self.uint(uint).into())
    }

    pub(crate) fn boolean(&mut self, name: &str, default: bool) -> bool {
        self.enumeration(name, &[("true", true), ("false", false)], default)
    }

    pub(crate) fn enumeration<T: Copy>(
        &mut self,
        name: &str,
        values: &[(&str, T)],
        default: T,
    ) -> T {
        let Some(attribute) = self.element.attribute(name) else {
            return default;
        };
        let found = values
            .iter()
            .find(|(value, _)| value.eq_ignore_ascii_case(&attribute.value));
        if let Some(&(_, value)) = found {
            return value;
        }
        let names: Vec<String> = values
            .iter()
            .map(|(value, _)| format!("`{value}`"))
            .collect();
        self.problems.push(
            Problem::error(
                "iis-attribute-not-in-enumeration",
                format!("`{name}` cannot be `{}`", attribute.value),
            )
            .at(attribute.value_span)
            .help(format!("use one of {}", names.join(", "))),
        );
        default
    }

    /// Warns of attributes that the schema does not have: IIS refuses a section that holds one.
    pub(crate) fn warn_unknown(&mut self, known: &[&str]) {
        for attribute in &self.element.attributes {
            let name = attribute.name.as_str();
            // `lockItem` and its kin may stand on any element; a prefix is another vocabulary, XDT's for example.
            if known.contains(&name) || name.starts_with("lock") || name.contains(':') {
                continue;
            }
            let mut problem = Problem::warning(
                "iis-attribute-unknown",
                format!(
                    "`{}` has no attribute `{name}` in IIS 10's schema",
                    self.element.name
                ),
            )
            .at(attribute.name_span);
            problem = match known.iter().find(|known| known.eq_ignore_ascii_case(name)) {
                Some(known) => problem.help(format!(
                    "attribute names are case-sensitive: write `{known}`"
                )),
                None => problem.help(match nearest(name, known.iter().copied(), 1).first() {
                    Some(near) => format!(
                        "did you mean `{near}`? IIS refuses the section as long as `{name}` is there"
                    ),
                    None => "remove it: IIS refuses the section as long as it is there".to_owned(),
                }),
            };
            self.problems.push(problem);
        }
    }
}

fn not_a_number(attribute: &Attribute, uint: Uint) -> Problem {
    let help = if attribute.value.contains('%') {
        format!(
            "write the number itself, {}: IIS does not expand variables here",
            uint.range()
        )
    } else {
        format!("use a whole number from {}", uint.range())
    };
    Problem::error(
        "iis-attribute-not-a-number",
        format!(
            "`{}` is `{}`, which is not a whole number",
            uint.name, attribute.value
        ),
    )
    .at(attribute.value_span)
    .help(help)
}
