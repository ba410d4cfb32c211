//! Attributes by the schema's names, as a command line has them.

use spanned_xml::{Document, Problem, Source, XmlWriter};

use super::FastCgiApplication;
use super::application::ATTRIBUTES;
use crate::attribute::check_text;

impl FastCgiApplication {
    /// Sets an attribute by its name in the schema, whatever the case of letters; the value is written as in a
    /// configuration file: seconds, counts, `true` or `false`, names of modes.
    ///
    /// ```
    /// # use iis_config::FastCgiApplication;
    /// let mut application = FastCgiApplication::new("python.exe", "");
    /// application.set_attribute("idletimeout", "600")?;
    /// assert_eq!(application.idle_timeout.as_secs(), 600);
    /// assert_eq!(
    ///     application.set_attribute("maxInstance", "4").unwrap_err().help.unwrap(),
    ///     "did you mean `maxInstances`?"
    /// );
    /// # Ok::<(), spanned_xml::Problem>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A name that the schema does not have, a value that IIS would refuse; the application is as it was then.
    pub fn set_attribute(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let Some(name) = ATTRIBUTES
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(name))
        else {
            let problem = Problem::error(
                "iis-fast-cgi-attribute-unknown",
                format!("a FastCGI application has no attribute `{name}`"),
            );
            let near = spanned_xml::nearest(name, ATTRIBUTES, 1);
            return Err(problem.help(near.first().map_or_else(
                || format!("it has {}", ATTRIBUTES.join(", ")),
                |near| format!("did you mean `{near}`?"),
            )));
        };
        if let Some(problem) = check_text(name, value) {
            return Err(problem);
        }
        let written = self.with_written(name, value)?;
        *self = Self {
            environment_variables: core::mem::take(&mut self.environment_variables),
            ..written
        };
        Ok(())
    }

    /// The attributes that differ from IIS 10's defaults, by their names in the schema and as a file would have them;
    /// without the two keys.
    ///
    /// ```
    /// # use iis_config::FastCgiApplication;
    /// let mut application = FastCgiApplication::new("python.exe", "-u app.py");
    /// application.max_instances = 4;
    /// let settings: Vec<_> = application.settings().collect();
    /// assert_eq!(settings, [("maxInstances", "4".to_owned())]);
    /// ```
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        self.attributes()
            .into_iter()
            .filter(|attribute| {
                !attribute.is_default() && !matches!(attribute.name, "fullPath" | "arguments")
            })
            .map(|attribute| (attribute.name, attribute.value))
    }

    /// This application, read from what would be written with one attribute changed: the rules for values are in the
    /// reader.
    fn with_written(&self, name: &str, value: &str) -> Result<Self, Problem> {
        let mut xml = XmlWriter::new("", "\n");
        xml.start("application");
        for attribute in self.attributes() {
            let value = if attribute.name == name {
                value
            } else {
                &attribute.value
            };
            xml.attribute(attribute.name, value);
        }
        let document = Document::parse(&Source::from_text("application", xml.finish()))?;
        let mut problems = Vec::new();
        let read = Self::read(document.root(), &mut problems);
        // Its place is in a text that nobody wrote.
        let refused = problems.into_iter().next().map(|mut problem| {
            problem.span = None;
            problem
        });
        refused.map_or(Ok(read), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EnvironmentVariable, StderrMode};

    #[test]
    fn values_are_read_as_in_a_file_or_refused() {
        let mut application = FastCgiApplication::new(r"C:\a b\python.exe", r#"-u "x & y""#);
        application
            .environment_variables
            .push(EnvironmentVariable::new("A", "1"));
        for (name, value, code) in [
            ("maxInstances", "4", None),
            ("stderrMode", "returngeneric500", None),
            ("flushNamedPipe", "true", None),
            ("monitorChangesTo", r"C:\a&b.ini", None),
            ("maxInstances", "20000", Some("iis-attribute-out-of-range")),
            ("idleTimeout", "long", Some("iis-attribute-not-a-number")),
            (
                "monitorChangesTo",
                "%X%",
                Some("iis-monitor-changes-to-variable"),
            ),
            ("monitorChangesTo", "\u{1}", Some("iis-attribute-not-xml")),
            ("timeout", "1", Some("iis-fast-cgi-attribute-unknown")),
        ] {
            let before = application.clone();
            let found = application.set_attribute(name, value);
            assert_eq!(
                found.clone().err().map(|problem| problem.code),
                code,
                "{name} {value}"
            );
            assert_eq!(found.is_err(), application == before, "{name} {value}");
        }
        assert_eq!(application.max_instances, 4);
        assert_eq!(application.stderr_mode, StderrMode::ReturnGeneric500);
        assert!(application.flush_named_pipe);
        assert_eq!(application.monitor_changes_to, r"C:\a&b.ini");
        assert_eq!(application.environment_variables.len(), 1);
        assert_eq!(application.arguments, r#"-u "x & y""#);
    }
}
