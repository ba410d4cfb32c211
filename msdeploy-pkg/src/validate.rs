//! `parameterValidation`: whether a value will do.

use spanned_xml::Problem;

use crate::given::Origin;
use crate::parameters::{Parameter, Validation};

/// What is wrong with a value, if anything is.
pub(crate) fn validate(parameter: &Parameter, value: &str, origin: &Origin) -> Option<Problem> {
    let shown = if parameter.is_secret() { "…" } else { value };
    let refuse = |expected: String, help: String| {
        let place = if *origin == Origin::Default {
            parameter.value_span
        } else {
            parameter.name_span
        };
        Some(
            Problem::error(
                "parameter-value",
                format!(
                    "the value `{shown}` of the parameter `{}`, from {origin}, is not {expected}",
                    parameter.name
                ),
            )
            .at(place)
            .help(help),
        )
    };
    if value.is_empty() {
        return if parameter.allows_empty() {
            None
        } else if let Some(allowed) = parameter.allowed() {
            refuse("allowed".to_owned(), format!("it can be {}", list(allowed)))
        } else {
            refuse(
                "allowed: it must not be empty".to_owned(),
                "give it a value".to_owned(),
            )
        };
    }
    for validation in &parameter.validations {
        let refused = match validation {
            Validation::AllowEmpty => None,
            Validation::Boolean => {
                let boolean = ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
                if boolean {
                    None
                } else {
                    refuse("a boolean".to_owned(), "write `True` or `False`".to_owned())
                }
            }
            Validation::Enumeration(allowed) => {
                if allowed.iter().any(|allowed| allowed == value) {
                    None
                } else {
                    refuse("allowed".to_owned(), format!("it can be {}", list(allowed)))
                }
            }
            Validation::RegularExpression(pattern) => match pattern.is_match(value) {
                Ok(true) => None,
                Ok(false) => refuse(
                    "of the form wanted".to_owned(),
                    format!("it must match the regular expression `{}`", pattern.text()),
                ),
                Err(fault) => Some(
                    Problem::error(
                        "regex-unsupported",
                        format!("the parameter `{}` cannot be validated: {fault}", parameter.name),
                    )
                    .at(parameter.span)
                    .help("write the regular expression without it, or install the package on Windows"),
                ),
            },
        };
        if refused.is_some() {
            return refused;
        }
    }
    None
}

/// Values as a message lists them.
pub(crate) fn list(values: &[String]) -> String {
    values
        .iter()
        .map(|value| format!("`{value}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
