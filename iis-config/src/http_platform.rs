//! `system.webServer/httpPlatform`: a program that serves HTTP itself on the port that IIS gives it.
//!
//! Section schema of HttpPlatformHandler 1.2. Its timeouts, log of standard output and `recycleOnFileChange` are left to
//! the file: an edit keeps them as they are.

use spanned_xml::Element;

use crate::EnvironmentVariable;
use crate::section::sections;

/// `httpPlatform`: what IIS starts, once for each site or as often as `processesPerApplication` says.
///
/// The process is told its port in `HTTP_PLATFORM_PORT`, which `%HTTP_PLATFORM_PORT%` in the arguments expands to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpPlatform {
    /// `processPath`: the program; IIS expands `%VAR%` in it.
    pub process_path: String,
    /// `arguments`; IIS expands `%VAR%` in them.
    pub arguments: String,
    /// `environmentVariables`.
    pub environment_variables: Vec<EnvironmentVariable>,
}

impl HttpPlatform {
    /// A program with its arguments.
    #[must_use]
    pub fn new(process_path: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self {
            process_path: process_path.into(),
            arguments: arguments.into(),
            environment_variables: Vec::new(),
        }
    }

    pub(crate) fn read(element: &Element) -> Self {
        let text =
            |element: &Element, name: &str| element.value(name).unwrap_or_default().to_owned();
        Self {
            process_path: text(element, "processPath"),
            arguments: text(element, "arguments"),
            environment_variables: sections(element, "environmentVariables/environmentVariable")
                .into_iter()
                .map(|variable| EnvironmentVariable {
                    name: text(variable, "name"),
                    value: text(variable, "value"),
                })
                .collect(),
        }
    }
}
