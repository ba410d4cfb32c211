//! What a manifest says of a provider, and a `Parameters.xml` of a parameter, as words that can be compared.

use core::fmt;

use crate::dump::HIDDEN;
use crate::manifest::Provider;
use crate::parameters::{Parameter, Validation};
use crate::provider::is_secure;

/// A provider or parameter.
#[derive(Debug)]
pub(super) struct Thing {
    /// What messages call it, and what it is known by in the other package.
    pub(super) subject: String,
    /// What it is known by where the other package has none of that subject.
    pub(super) kind: Option<&'static str>,
    pub(super) facts: Vec<Fact>,
}

/// A property's name and its value.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
    is_secure: bool,
}

impl Fact {
    /// The value for a message.
    pub(super) fn shown(&self) -> &str {
        if self.is_secure { HIDDEN } else { &self.value }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.name, self.shown())
    }
}

impl Thing {
    pub(super) fn of_provider(provider: &Provider) -> Self {
        let subject = format!("{} {}", provider.kind.name(), provider.path);
        let mut facts = vec![("path".to_owned(), provider.path.clone())];
        facts.extend(provider.settings());
        Self {
            subject: subject.trim_end().to_owned(),
            kind: provider.description().map(|provider| provider.name),
            facts: facts
                .into_iter()
                .map(|(name, value)| Fact {
                    is_secure: is_secure(&name),
                    name,
                    value,
                })
                .collect(),
        }
    }

    pub(super) fn of_parameter(parameter: &Parameter) -> Self {
        let mut facts = Vec::new();
        let mut fact = |name: &str, value: String| {
            facts.push(Fact {
                is_secure: parameter.is_secret() && matches!(name, "defaultValue" | "value"),
                name: name.to_owned(),
                value,
            });
        };
        let texts = [
            ("friendlyName", &parameter.friendly_name),
            ("description", &parameter.description),
            ("defaultValue", &parameter.default_value),
            ("value", &parameter.value),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                fact(name, value.clone());
            }
        }
        for text in &parameter.friendly_names {
            fact(&format!("friendlyName {}", text.culture), text.text.clone());
        }
        for text in &parameter.descriptions {
            fact(&format!("description {}", text.culture), text.text.clone());
        }
        if !parameter.tags.is_empty() {
            fact("tags", tags(&parameter.tags));
        }
        for validation in &parameter.validations {
            fact("parameterValidation", validation_text(validation));
        }
        for entry in &parameter.entries {
            let text: Vec<String> = [
                ("kind", entry.kind.name()),
                ("scope", entry.scope.text()),
                ("match", &entry.match_text),
                ("tags", &tags(&entry.tags)),
            ]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
            fact("parameterEntry", text.join(" "));
        }
        Self {
            subject: parameter.name.clone(),
            kind: None,
            facts,
        }
    }
}

/// Tags are compared whatever their letter case.
fn tags(tags: &[String]) -> String {
    tags.join(",").to_lowercase()
}

fn validation_text(validation: &Validation) -> String {
    match validation {
        Validation::AllowEmpty => "AllowEmpty".to_owned(),
        Validation::Boolean => "Boolean".to_owned(),
        Validation::Enumeration(values) => format!("Enumeration {}", values.join(",")),
        Validation::RegularExpression(pattern) => format!("RegularExpression {}", pattern.text()),
    }
}
