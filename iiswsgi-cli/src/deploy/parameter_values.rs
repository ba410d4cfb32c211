//! Values for a package's parameters: from the command line, from SetParameters.xml files, from a person, or the defaults.

use std::io::{BufRead as _, Write as _};

use camino::Utf8PathBuf;
use msdeploy_pkg::{Given, Origin, Prompt, ResolvedParameters, SetParameters};
use spanned_xml::Problems;

use crate::context::Context;
use crate::deploy::file;
use crate::deploy::unpack::OpenPackage;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
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
        let mut given = Given::new();
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
        let parameters = &package.parameters;
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
        parameters.resolve(&given).map_err(|problems| {
            Problems {
                source: parameters.source.clone(),
                problems,
            }
            .into()
        })
    }
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
