//! Values that were given for parameters, and where they come from.
//!
//! Web Deploy takes values from its command line and from SetParameters.xml files. From the environment it takes none; the
//! names here are this program's own: `IISWSGI_PARAM_` and the parameter's name.

use core::fmt;

use spanned_xml::{Problem, nearest};

use crate::parameters::{Parameters, same_name};

/// What the name of an environment variable for a parameter begins with.
pub const ENVIRONMENT_PREFIX: &str = "IISWSGI_PARAM_";

/// The name of a parameter's environment variable; see [`Parameter::environment_variable`](crate::Parameter::environment_variable).
pub(crate) fn environment_name(parameter: &str) -> String {
    let name = parameter.chars().map(|character| {
        if character.is_ascii_alphanumeric() {
            character.to_ascii_uppercase()
        } else {
            '_'
        }
    });
    ENVIRONMENT_PREFIX.chars().chain(name).collect()
}

/// Where a value comes from. The order is that of precedence, the strongest last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// `value` or `defaultValue` of the `Parameters.xml`.
    Default,
    /// A `SetParameters.xml`, by its name.
    File(String),
    /// An environment variable, by its name.
    Environment(String),
    /// The command line, or a person's answer.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::File(name) => write!(f, "`{name}`"),
            Self::Environment(name) => write!(f, "the environment variable `{name}`"),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}

impl Origin {
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(_) => 1,
            Self::Environment(_) => 2,
            Self::CommandLine => 3,
        }
    }
}

/// A value that was given for a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenValue {
    /// The parameter's name; its case does not matter.
    pub name: String,
    /// The value.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// All values that were given, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The values. Of two for one name the stronger [`Origin`] holds, of two files the first.
    pub values: Vec<GivenValue>,
}

impl Given {
    /// No values.
    #[must_use]
    pub const fn new() -> Self {
        Self { values: Vec::new() }
    }

    /// Adds a value.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>, origin: Origin) {
        self.values.push(GivenValue {
            name: name.into(),
            value: value.into(),
            origin,
        });
    }

    /// Whether there is a value for the parameter.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.values.iter().any(|given| same_name(&given.name, name))
    }

    /// Adds the values that environment variables give: those of
    /// [`Parameter::environment_variable`](crate::Parameter::environment_variable), in any letter case. Other variables
    /// are passed over. What is said back: a warning for a variable with the prefix that no parameter goes by, an error for
    /// one that two parameters go by.
    pub fn push_environment(
        &mut self,
        parameters: &Parameters,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Vec<Problem> {
        let names: Vec<(String, &str)> = parameters
            .parameters
            .iter()
            .map(|parameter| (environment_name(&parameter.name), parameter.name.as_str()))
            .collect();
        let mut problems = Vec::new();
        for (variable, value) in variables {
            let has_prefix = variable
                .get(..ENVIRONMENT_PREFIX.len())
                .is_some_and(|prefix| prefix.eq_ignore_ascii_case(ENVIRONMENT_PREFIX));
            if !has_prefix {
                continue;
            }
            let meant: Vec<&str> = names
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(&variable))
                .map(|(_, parameter)| *parameter)
                .collect();
            match meant[..] {
                [parameter] => self.push(parameter, value, Origin::Environment(variable)),
                [] => {
                    let problem = Problem::warning(
                        "parameter-environment-unknown",
                        format!("the package has no parameter for the environment variable `{variable}`"),
                    );
                    let known = names.iter().map(|(name, _)| name.as_str());
                    problems.push(match nearest(&variable, known, 1).first() {
                        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")),
                        None => problem.help("unset it, or give the value by `--set-param`"),
                    });
                }
                [..] => problems.push(
                    Problem::error(
                        "parameter-environment-ambiguous",
                        format!(
                            "the environment variable `{variable}` stands for more than one parameter: `{}`",
                            meant.join("`, `")
                        ),
                    )
                    .help("unset it, and give their values by `--set-param` or in a SetParameters.xml"),
                ),
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use spanned_xml::Source;

    use super::*;

    #[test]
    fn values_from_the_environment() {
        let xml = "<parameters><parameter name='Application Path'/><parameter name='a-b'/><parameter name='a b'/></parameters>";
        let (parameters, _) = Parameters::parse(&Source::from_text("p", xml)).unwrap();
        let mut given = Given::new();
        let variables = [
            ("PATH", "x"),
            ("iiswsgi_param_application_path", "Site/app"),
            ("IISWSGI_PARAM_APPLICATION_PAHT", "x"),
            ("IISWSGI_PARAM_A_B", "x"),
        ];
        let problems = given.push_environment(
            &parameters,
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        assert_eq!(given.values.len(), 1);
        assert_eq!(given.values[0].name, "Application Path");
        assert_eq!(given.values[0].value, "Site/app");
        let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(
            codes,
            [
                "parameter-environment-unknown",
                "parameter-environment-ambiguous"
            ]
        );
        assert_eq!(
            problems[0].help.as_deref(),
            Some("did you mean `IISWSGI_PARAM_APPLICATION_PATH`?")
        );
    }
}
