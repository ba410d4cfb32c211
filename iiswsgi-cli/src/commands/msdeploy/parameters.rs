//! `iiswsgi msdeploy parameters`.

use std::fmt;

use camino::Utf8PathBuf;
use msdeploy_pkg::{Parameter, Validation};
use serde::Serialize;

use crate::context::Context;
use crate::deploy::description::Description;
use crate::deploy::file;
use crate::deploy::parameter_values::set_parameters;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The package: a path, or a file:, http: or https: URL
    #[arg(value_name = "PACKAGE")]
    package: String,
    /// Write a SetParameters.xml to fill in, with the defaults
    #[arg(long, value_name = "FILE")]
    set_parameters_file: Option<Utf8PathBuf>,
    /// The language of the descriptions, for example `de` or `pt-BR`, where the package has it
    #[arg(long, value_name = "CULTURE", default_value = "")]
    culture: String,
}

#[derive(Serialize)]
struct Report {
    package: String,
    parameters: Vec<Row>,
    /// The file that was written.
    set_parameters_file: Option<Utf8PathBuf>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    label: String,
    description: Option<String>,
    /// The value without any other; `{Other Parameter}` stands for that one's value. Not shown for a password.
    default: Option<String>,
    required: bool,
    hidden: bool,
    secret: bool,
    tags: Vec<String>,
    /// What a value has to satisfy.
    validation: Vec<String>,
    /// Where the value goes.
    entries: Vec<Entry>,
    /// The environment variable that gives a value.
    environment: String,
}

#[derive(Serialize)]
struct Entry {
    kind: String,
    scope: String,
    #[serde(rename = "match")]
    matching: String,
}

impl Row {
    fn new(parameter: &Parameter, culture: &str) -> Self {
        let prompt = parameter.prompt(culture);
        let default = prompt.default.map(str::to_owned);
        Self {
            name: parameter.name.clone(),
            label: prompt.label.to_owned(),
            description: prompt.description.map(str::to_owned),
            required: default.is_none() && !prompt.allows_empty,
            default: default.filter(|_| !prompt.secret),
            hidden: parameter.is_hidden(),
            secret: prompt.secret,
            tags: parameter.tags.clone(),
            validation: parameter.validations.iter().map(in_words).collect(),
            entries: parameter
                .entries
                .iter()
                .map(|entry| Entry {
                    kind: entry.kind.name().to_owned(),
                    scope: entry.scope.text().to_owned(),
                    matching: entry.match_text.clone(),
                })
                .collect(),
            environment: parameter.environment_variable(),
        }
    }
}

fn in_words(validation: &Validation) -> String {
    match validation {
        Validation::AllowEmpty => "may be empty".to_owned(),
        Validation::Boolean => "True or False".to_owned(),
        Validation::Enumeration(values) => format!("one of {}", values.join(", ")),
        Validation::RegularExpression(pattern) => format!("matches {}", pattern.text()),
        other => format!("{other:?}"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parameters.is_empty() {
            return writeln!(f, "{} has no parameters", self.package);
        }
        for (index, row) in self.parameters.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            row.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if self.label != self.name {
            write!(f, " ({})", self.label)?;
        }
        writeln!(f)?;
        if let Some(description) = &self.description {
            writeln!(f, "  {description}")?;
        }
        match (&self.default, self.required, self.secret) {
            (Some(default), ..) => writeln!(f, "  default: {default}")?,
            (None, true, _) => writeln!(f, "  needs a value")?,
            (None, false, true) => writeln!(f, "  its default is not shown")?,
            (None, false, false) => {}
        }
        if !self.validation.is_empty() {
            writeln!(f, "  value: {}", self.validation.join("; "))?;
        }
        if !self.tags.is_empty() {
            writeln!(f, "  tags: {}", self.tags.join(", "))?;
        }
        for entry in &self.entries {
            writeln!(
                f,
                "  goes to: {} {} {}",
                entry.kind, entry.scope, entry.matching
            )?;
        }
        writeln!(f, "  environment: {}", self.environment)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let description = Description::read(&args.package, context)?;
    let parameters = description
        .parameters
        .map_or_else(Vec::new, |parameters| parameters.parameters);
    if let Some(path) = &args.set_parameters_file {
        file::write(path, set_parameters(&parameters).as_bytes())?;
        context.say(format_args!("wrote `{path}`"));
    }
    context.report(&Report {
        package: description.name,
        parameters: parameters
            .iter()
            .map(|parameter| Row::new(parameter, &args.culture))
            .collect(),
        set_parameters_file: args.set_parameters_file.clone(),
    })
}
