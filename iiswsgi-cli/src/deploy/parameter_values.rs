//! Values for a package's parameters: from the command line, the environment, SetParameters.xml files, a person, or the
//! defaults; the first of them that has one holds.

use std::io::{BufRead as _, Write as _};

use camino::Utf8PathBuf;
use msdeploy_pkg::{
    Given, Origin, Parameter, Parameters, Prompt, ResolvedParameters, SetParameters,
};
use spanned_xml::{Problem, Problems, XmlWriter};

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::unpack::OpenPackage;
use crate::error::{Error, Result};

#[derive(Debug, Default, clap::Args)]
pub(crate) struct ParameterArgs {
    /// Give a parameter of the package a value; can be repeated
    #[arg(
        long = "set-param",
        value_name = "NAME=VALUE",
        help_heading = "Parameters"
    )]
    values: Vec<String>,
    /// Take values from a SetParameters.xml; can be repeated, the first file that names a parameter holds
    #[arg(
        long = "set-param-file",
        value_name = "FILE",
        help_heading = "Parameters"
    )]
    files: Vec<Utf8PathBuf>,
    /// Take the defaults of all other parameters without asking
    #[arg(short = 'y', long, help_heading = "Parameters")]
    defaults: bool,
}

impl ParameterArgs {
    /// As if each of these, `NAME=VALUE`, had been given with `--set-param`, and the defaults for all others.
    pub(crate) fn of_values(values: Vec<String>) -> Self {
        Self {
            values,
            defaults: true,
            ..Self::default()
        }
    }

    /// The values of all parameters of a package.
    ///
    /// # Errors
    ///
    /// A parameter that the package does not have, a value that it does not allow, or none where it needs one: all of them
    /// at once.
    pub(crate) fn resolve(
        &self,
        package: &OpenPackage,
        context: &Context,
    ) -> Result<ResolvedParameters> {
        let parameters = &package.parameters;
        let mut given = self.given(parameters, context)?;
        if !self.defaults && context.is_interactive() {
            for prompt in parameters.prompts() {
                if given.contains(prompt.name) {
                    continue;
                }
                if let Some(answer) = ask(&prompt)? {
                    given.push(prompt.name, answer, Origin::CommandLine);
                }
            }
        }
        resolve(parameters, &given)
    }

    /// The values that nobody has to be asked for.
    pub(crate) fn given(&self, parameters: &Parameters, context: &Context) -> Result<Given> {
        let mut given = Given::new();
        let problems = given.push_environment(parameters, context.environment.variables());
        if problems.iter().any(Problem::is_error) {
            return Err(faulty(parameters, problems));
        }
        context.warn(&parameters.source, &problems);
        for value in &self.values {
            let (name, value) = value.split_once('=').ok_or_else(|| {
                Error::new(format!("`--set-param {value}` gives no value"))
                    .help("write --set-param NAME=VALUE, in quotes where NAME has blanks")
            })?;
            given.push(name.trim(), value, Origin::CommandLine);
        }
        for path in &self.files {
            let source = file::read_source(path)?;
            let (parameters, problems) = SetParameters::parse(&source)?;
            context.warn(&source, &problems);
            for parameter in parameters.parameters {
                given.push(
                    parameter.name,
                    parameter.value,
                    Origin::File(path.to_string()),
                );
            }
        }
        Ok(given)
    }
}

/// The values of all parameters.
///
/// # Errors
///
/// A value that a parameter does not allow, or none where it needs one: all of them at once.
pub(crate) fn resolve(parameters: &Parameters, given: &Given) -> Result<ResolvedParameters> {
    parameters
        .resolve(given)
        .map_err(|problems| faulty(parameters, problems))
}

fn faulty(parameters: &Parameters, problems: Vec<Problem>) -> Error {
    let source = parameters.source.clone();
    Problems { source, problems }.into()
}

/// A SetParameters.xml to fill in: the parameters with their defaults, passwords without. Those whose default is made of
/// other parameters are left to that, and named in comments.
pub(crate) fn set_parameters(parameters: &[Parameter]) -> String {
    let names: Vec<String> = parameters
        .iter()
        .map(|parameter| format!("{{{}}}", parameter.name.to_lowercase()))
        .collect();
    let mut xml = XmlWriter::new("  ", "\n");
    xml.declaration();
    xml.start("parameters");
    for parameter in parameters {
        let prompt = parameter.prompt("");
        let default = prompt
            .default
            .filter(|_| !prompt.secret)
            .unwrap_or_default();
        let lower = default.to_lowercase();
        if names.iter().any(|name| lower.contains(name)) {
            xml.comment(&format!(" {} is {default} ", prompt.name));
        } else {
            xml.empty("setParameter", &[("name", prompt.name), ("value", default)]);
        }
    }
    xml.end();
    xml.finish()
}

/// Asks a person; nothing is the default.
fn ask(prompt: &Prompt<'_>) -> Result<Option<String>> {
    let mut stderr = anstream::stderr();
    if let Some(description) = prompt.description {
        writeln!(stderr, "{description}")?;
    }
    let choice = match (prompt.allowed, prompt.boolean) {
        (Some(allowed), _) => format!(" ({})", allowed.join(", ")),
        (None, true) => " (True, False)".to_owned(),
        (None, false) => String::new(),
    };
    let default = prompt
        .default
        .filter(|_| !prompt.secret)
        .map_or_else(String::new, |default| format!(" [{default}]"));
    write!(stderr, "{}{choice}{default}: ", prompt.label)?;
    stderr.flush()?;
    let answer = if prompt.secret {
        rpassword::read_password()?
    } else {
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line)? == 0 {
            return Err(
                Error::new(format!("no value was given for `{}`", prompt.name))
                    .help("give it with `--set-param`, or take the defaults with `--defaults`"),
            );
        }
        line
    };
    let answer = answer.trim_end_matches(['\r', '\n']);
    Ok((!answer.is_empty()).then(|| answer.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_to_fill_in_keeps_what_follows_from_other_values() {
        let xml = "<parameters><parameter name='App' defaultValue='a&amp;b'/><parameter name='Data' defaultValue='{app}/data'/>\
                   <parameter name='Secret' defaultValue='x' tags='Password'/></parameters>";
        let source = spanned_xml::Source::from_text("Parameters.xml", xml);
        let (parameters, _) = Parameters::parse(&source).unwrap();
        let text = set_parameters(&parameters.parameters);
        assert!(
            text.contains("<setParameter name=\"App\" value=\"a&amp;b\" />"),
            "{text}"
        );
        assert!(text.contains("<!-- Data is {app}/data -->"), "{text}");
        assert!(
            text.contains("<setParameter name=\"Secret\" value=\"\" />"),
            "{text}"
        );
        let source = spanned_xml::Source::from_text("SetParameters.xml", text);
        assert_eq!(SetParameters::parse(&source).unwrap().0.parameters.len(), 2);
    }
}
