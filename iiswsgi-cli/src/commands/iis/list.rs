//! `iiswsgi iis list`.

use std::fmt;

use iis_config::FastCgiApplication;
use serde::Serialize;
use serde_json::{Map, Value};

use super::target::TargetArgs;
use crate::context::Context;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Serialize)]
struct Report {
    configuration: String,
    applications: Vec<Registered>,
}

#[derive(Serialize)]
struct Registered {
    full_path: String,
    arguments: String,
    /// What a handler has to have as its scriptProcessor.
    script_processor: String,
    /// Attributes that differ from IIS 10's defaults, by the schema's names.
    attributes: Map<String, Value>,
    environment_variables: Map<String, Value>,
}

impl Registered {
    fn new(application: &FastCgiApplication) -> Self {
        let text = |value: &str| Value::String(value.to_owned());
        Self {
            full_path: application.full_path.clone(),
            arguments: application.arguments.clone(),
            script_processor: application.script_processor(),
            attributes: application
                .settings()
                .map(|(name, value)| (name.to_owned(), Value::String(value)))
                .collect(),
            environment_variables: application
                .environment_variables
                .iter()
                .map(|variable| (variable.name.clone(), text(&variable.value)))
                .collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for application in &self.applications {
            writeln!(f, "{}", application.script_processor)?;
            let variables = &application.environment_variables;
            for (name, value) in application.attributes.iter().chain(variables) {
                writeln!(f, "  {name}={}", value.as_str().unwrap_or_default())?;
            }
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<()> {
    let target = args.target.find(context)?;
    let applications = target.fast_cgi_applications(context)?;
    context.report(&Report {
        configuration: target.name(),
        applications: applications.iter().map(Registered::new).collect(),
    })
}
