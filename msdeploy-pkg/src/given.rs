//! Values that were given for parameters, and where they come from.

use core::fmt;

use crate::parameters::same_name;

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
}
