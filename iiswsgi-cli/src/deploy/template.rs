//! Templates beside the files that they make: `NAME.in` with variables as Windows writes them, `NAME.hbs` in handlebars.
//!
//! A `NAME.in` that is XML is parsed first, and its values are filled in then. Both kinds report all variables that nothing
//! defines at once, each with its place.

use camino::Utf8Path;
use python_dist::{Escaping, expandvars_reporting, render_handlebars};
use serde_json::{Map, Value};
use spanned_xml::{Document, Problem, Problems, Source, Span, map_values};

use crate::context::{Context, Environment};
use crate::deploy::file;
use crate::error::{Error, Result};

/// What Windows itself defines: a template may well leave these to the machine that the package is installed on.
const OF_WINDOWS: [&str; 27] = [
    "ALLUSERSPROFILE",
    "APPDATA",
    "COMMONPROGRAMFILES",
    "COMMONPROGRAMFILES(X86)",
    "COMMONPROGRAMW6432",
    "COMPUTERNAME",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PATH",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "PROGRAMW6432",
    "PUBLIC",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
];

/// What a template's variables stand for: the project's and the installation's own names first, then the environment.
#[derive(Clone, Debug)]
pub(crate) struct Variables<'a> {
    own: Vec<(&'static str, String)>,
    environment: &'a Environment,
    /// What handlebars templates know besides.
    metadata: Map<String, Value>,
}

/// What becomes of a variable that nothing defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undefined {
    /// It stays as written, and is reported: the machine that the package is installed on may define it.
    Keep,
    /// It is an error: the file is used as it is.
    Refuse,
}

impl<'a> Variables<'a> {
    pub(crate) fn new(environment: &'a Environment) -> Self {
        Self {
            own: Vec::new(),
            environment,
            metadata: Map::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.own.push((name, value.into()));
        self
    }

    /// What handlebars templates can say of the project.
    pub(crate) fn metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.metadata = metadata;
        self
    }

    /// The names that are not from the environment, with their values.
    pub(crate) fn own(&self) -> impl Iterator<Item = (&str, &str)> {
        self.own.iter().map(|(name, value)| (*name, value.as_str()))
    }

    fn lookup(&self, name: &str) -> Option<String> {
        let own = self
            .own
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str());
        own.or_else(|| self.environment.get(name))
            .map(str::to_owned)
    }

    /// Expands a text; `place` turns a span of it into one of the file.
    fn expand(
        &self,
        text: &str,
        undefined: Undefined,
        problems: &mut Vec<Problem>,
        place: impl Fn(Span) -> Span,
    ) -> String {
        let (expanded, missing) = expandvars_reporting(text, |name| self.lookup(name));
        let known: Vec<&str> = self.own.iter().map(|(name, _)| *name).collect();
        let known = known.join(", ");
        problems.extend(missing.into_iter().map(|variable| {
            let name = variable.name;
            let problem = match undefined {
                Undefined::Refuse => Problem::error(
                    "template-undefined-variable",
                    format!("the variable `{name}` is not defined"),
                )
                .help(format!(
                    "set it in the environment, or use one of {known}; write `%%` for a percent sign"
                )),
                Undefined::Keep if OF_WINDOWS.contains(&name.to_uppercase().as_str()) => Problem::note(
                    "template-undefined-variable",
                    format!("the variable `{name}` is left to the machine that the package is installed on"),
                ),
                Undefined::Keep => Problem::warning(
                    "template-undefined-variable",
                    format!("the variable `{name}` is not defined, and stays as it is written"),
                )
                .help(format!(
                    "the project's variables are {known}; set others in the environment; write `%%` for a percent sign"
                )),
            };
            problem.at(place(variable.span))
        }));
        expanded
    }

    /// The metadata, and the names of our own.
    fn handlebars_context(&self) -> Value {
        let mut context = self.metadata.clone();
        for (name, value) in self.own() {
            context.insert(name.to_owned(), Value::from(value));
        }
        Value::Object(context)
    }
}

/// A file that another is made from.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) source: Source,
    language: Language,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    /// `NAME.in`
    Variables,
    /// `NAME.hbs`
    Handlebars,
}

impl Template {
    /// The template of the file `name` in `folder`: `NAME.in` or `NAME.hbs`, if there is one.
    ///
    /// # Errors
    ///
    /// Both are there, or the one that is there cannot be read.
    pub(crate) fn find(folder: &Utf8Path, name: &str) -> Result<Option<Self>> {
        let of = |suffix: &str, language| -> Result<Option<Self>> {
            let source = file::read_source_if_any(&folder.join(format!("{name}.{suffix}")))?;
            Ok(source.map(|source| Self { source, language }))
        };
        match (
            of("in", Language::Variables)?,
            of("hbs", Language::Handlebars)?,
        ) {
            (Some(_), Some(_)) => Err(Error::new(format!(
                "`{folder}` has both `{name}.in` and `{name}.hbs`, and both make `{name}`"
            ))
            .help("remove one of the two")),
            (one, other) => Ok(one.or(other)),
        }
    }

    pub(crate) fn is_handlebars(&self) -> bool {
        self.language == Language::Handlebars
    }

    /// The file's text. What is worth saying of a variable that stays is said.
    ///
    /// # Errors
    ///
    /// The template is malformed, or a variable is not defined: all of them, with their places. A handlebars template never
    /// keeps a variable.
    pub(crate) fn fill_in(
        &self,
        escaping: Escaping,
        variables: &Variables<'_>,
        undefined: Undefined,
        context: &Context,
    ) -> Result<String> {
        let source = &self.source;
        let mut problems = Vec::new();
        let text = match (self.language, escaping) {
            (Language::Handlebars, _) => {
                render_handlebars(source, &variables.handlebars_context(), escaping)?
            }
            (Language::Variables, Escaping::None) => {
                variables.expand(source.text(), undefined, &mut problems, |span| span)
            }
            (Language::Variables, Escaping::Xml) => {
                expand_xml(source, variables, undefined, &mut problems)?
            }
        };
        let (text, problems) = Problems::or_value(source, problems, text)?;
        context.warn(source, &problems);
        Ok(text)
    }
}

/// Fills in a document's values.
fn expand_xml(
    source: &Source,
    variables: &Variables<'_>,
    undefined: Undefined,
    problems: &mut Vec<Problem>,
) -> Result<String> {
    let document = Document::parse(source).map_err(|problem| Error::problem(problem, source))?;
    let expanded = map_values(source, &document, |value, span| {
        // Where the value holds references, its own offsets are not those of the file: the whole value is the place.
        let exact = source.slice(span) == value;
        let place = |found: Span| {
            if exact {
                found.shifted(span.start)
            } else {
                span
            }
        };
        Ok(Some(variables.expand(value, undefined, problems, place)))
    })
    .map_err(|problems| Problems {
        source: source.clone(),
        problems,
    })?;
    problems.sort_by_key(|problem| problem.span);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(text: &str, variables: &Variables<'_>, undefined: Undefined) -> (String, Vec<String>) {
        let source = Source::from_text("x.in", text);
        let mut problems = Vec::new();
        let text = expand_xml(&source, variables, undefined, &mut problems).unwrap();
        let problems = problems.iter().map(|problem| {
            let place = source.line_column(problem.span.unwrap().start);
            format!("{place} {} {}", problem.severity, problem.message)
        });
        (text, problems.collect())
    }

    #[test]
    fn values_are_filled_in_after_parsing() {
        let mut environment = Environment::default();
        environment.set("Hostile", "\"><evil/>");
        let variables = Variables::new(&environment).with("NAME", "sample");
        let (text, problems) = xml(
            "<a b=\"%name% %HOSTILE% %Other% %SystemDrive%\"/>",
            &variables,
            Undefined::Keep,
        );
        assert_eq!(
            text,
            "<a b=\"sample &quot;&gt;&lt;evil/&gt; %Other% %SystemDrive%\"/>"
        );
        assert_eq!(
            problems,
            [
                "1:24 warning the variable `Other` is not defined, and stays as it is written",
                "1:32 note the variable `SystemDrive` is left to the machine that the package is installed on",
            ]
        );
    }

    #[test]
    fn undefined_variables_are_reported_all_at_once_with_their_places() {
        let environment = Environment::default();
        let variables = Variables::new(&environment);
        let (_, problems) = xml("<a b=\"%ONE%\">\n%TWO%</a>", &variables, Undefined::Refuse);
        assert_eq!(
            problems,
            [
                "1:7 error the variable `ONE` is not defined",
                "2:1 error the variable `TWO` is not defined"
            ]
        );
    }
}
